use self::table::{Limit, Refusal};
use self::wanted::Wanted;
use super::layers::{self, known_size};
use super::prelude::*;
use super::size::Bytes;
use crate::oci::{Family, PlatformPattern, known};

mod table;
mod versions;
mod wanted;

declare_rule! {
    /// The engines, services and registries that the image is for can take it.
    ///
    /// # What it checks
    ///
    /// Shape, media types, platforms, compression, attestations in the index, number and size of layers, against what each target is
    /// documented to refuse. Where a target runs some platforms only, the others are not looked at.
    ///
    /// - **docker** (Docker Engine, with versions) refuses zstd layers (`<23`) and more than 125 layers (`<29`).
    /// - **containerd** (containerd, with versions) refuses zstd layers (`<1.5`), layers of the type
    ///   `application/vnd.docker.image.rootfs.diff.tar.zstd` (`<2`) and nydus layers.
    /// - **podman** (Podman, with versions) refuses layers of the type `application/vnd.docker.image.rootfs.diff.tar.zstd` (`<5.7`) and
    ///   nydus layers.
    /// - **cri-o** (CRI-O, with versions) refuses layers of the type `application/vnd.docker.image.rootfs.diff.tar.zstd` (`<1.35`) and
    ///   nydus layers.
    /// - **aws-lambda** (AWS Lambda) refuses an index and what is not linux/amd64 or linux/arm64.
    /// - **aws-sagemaker** (Amazon SageMaker inference) refuses OCI manifests and indexes.
    /// - **google-cloud-run** (Google Cloud Run) refuses what is not linux/amd64.
    /// - **azure-container-apps** (Azure Container Apps) refuses what is not linux/amd64.
    /// - **scaleway-serverless** (Scaleway Serverless Containers and Jobs) refuses what is not linux/amd64.
    /// - **harbor** (Harbor, with versions) refuses OCI manifests and indexes (`<2`) and an index (`<2`).
    /// - **artifactory** (JFrog Artifactory, with versions) refuses OCI manifests and indexes (`<7.11.1`).
    /// - **quay** (Red Hat Quay, with versions) refuses zstd layers (`<3.6`).
    /// - **ghcr** (GitHub's container registry) refuses layers larger than 10GB.
    /// - **aws-ecr** (Amazon ECR) refuses layers larger than 52000MiB.
    /// - **alibaba-acr-personal** (Alibaba Cloud Container Registry, Personal Edition) refuses attestations that are OCI artifacts.
    ///
    /// Every finding names the source of what it says, and its date. What no source says passes.
    ///
    /// # Why
    ///
    /// An image that builds and pushes well may still be refused where it is to run, at the deployment at the latest: since buildx 0.10
    /// a build of one platform is an index with an attestation, which AWS Lambda does not take, and zstd layers need Docker 23.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.deploy-target]
    /// targets = ["docker>=20.10", "aws-lambda"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `targets` (list of targets, required): each must take the image. A target with versions says which of them must, all of
    ///   those: `docker>=20.10`, `docker>=20.10,<24`, `docker<23`, or `docker@20.10` for 20.10 with its patches.
    ///
    /// # How to fix
    ///
    /// No index, for one platform: without attestations, which are kept in one.
    ///
    /// ```sh
    /// docker buildx build --platform linux/amd64 --provenance=false --sbom=false --output type=registry -t IMAGE .
    /// ```
    ///
    /// No zstd; `force-compression` is for the layers of the base image:
    ///
    /// ```sh
    /// docker buildx build --output type=registry,compression=gzip,force-compression=true -t IMAGE .
    /// regctl image mod IMAGE --layer-compress gzip --replace
    /// ```
    ///
    /// zstd with the OCI type instead of Docker's: BuildKit 0.31 and later writes it unless told otherwise, older ones with
    /// `oci-mediatypes=true`. Docker's media types instead of OCI's, which BuildKit 0.31 and later refuses to join with attestations:
    ///
    /// ```sh
    /// docker buildx build --provenance=false --sbom=false --output type=registry,oci-mediatypes=false -t IMAGE .
    /// regctl image mod IMAGE --to-docker --replace
    /// ```
    ///
    /// Attestations that are no OCI artifacts, as before BuildKit 0.32: `--output type=registry,oci-artifact=false`. Converting changes
    /// digests: sign afterwards.
    ///
    /// # What it cannot see
    ///
    /// What the image takes unpacked, so neither AWS Lambda's 10 GB nor the 15 GB of Azure Container Instances. What a target is
    /// configured or patched to take beyond its defaults, and limits that nobody has written down. Docker's schema 1 is left to the
    /// rule `schema1`.
    DeployTarget: "deploy-target"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct DeployTarget {
    targets: Vec<Wanted>,
}

/// What a target refuses about an image.
struct Found {
    /// In a sentence that goes on with `which … refuses`.
    what: String,
    location: Location,
    fix: Fix,
}

impl Check for DeployTarget {
    fn judges(&self) -> Judges {
        Judges::Both
    }

    fn problems(&self) -> Vec<Problem> {
        if self.targets.is_empty() {
            let message =
                "`targets` is missing: where the image is to be deployed, such as `targets = [\"aws-lambda\"]`";
            return vec![Problem::missing(message)];
        }
        let mut seen = BTreeSet::new();
        let twice = self.targets.iter().find(|wanted| !seen.insert(&wanted.text));
        twice.map(|wanted| Problem::with("targets", format!("`{}` is named twice", wanted.text))).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        match subject {
            Subject::Root => self.judge_root(view),
            Subject::Platform(entry) => self.judge_platform(entry, view),
        }
    }
}

impl DeployTarget {
    fn judge_root(&self, view: &View<'_>) -> Fact<Verdict> {
        let mut findings = Findings::new();
        // A classic archive has platforms all the same.
        let root = match view.root_manifest() {
            Err(stop) if view.root().kind == RootKind::SavedConfig => {
                findings.stop(stop);
                None
            }
            root => Some(root?),
        };
        for (wanted, limit) in self.limits() {
            let found = match (&limit.refuses, root) {
                (Refusal::PlatformsBut(_), _) => lacking_platform(wanted, view, &mut findings),
                (Refusal::Index, Some(Manifest::Index(_))) => Some(index(wanted, view)),
                (Refusal::OciManifests, Some(_)) if view.root().media_type.family() == Family::Oci => Some(oci(
                    format!("the reference points to {}", described(&view.root().media_type)),
                    Location::root(view, ""),
                    view,
                )),
                (Refusal::AttestationArtifacts, Some(Manifest::Index(_))) => attestation_artifact(view, &mut findings),
                _ => None,
            };
            report(wanted, limit, found, &mut findings);
        }
        findings.verdict(|| Self::evidence(self.targets.iter()))
    }

    fn judge_platform(&self, entry: &Entry, view: &View<'_>) -> Fact<Verdict> {
        let running: Vec<&Wanted> = self.targets.iter().filter(|wanted| wanted.runs(entry)).collect();
        if running.is_empty() {
            return Ok(Verdict::Pass("none of the targets runs this platform".to_owned()));
        }
        let layers = layers::of(entry, view)?;
        let mut findings = Findings::new();
        for (wanted, limit) in self.limits().filter(|(wanted, _)| wanted.runs(entry)) {
            let found = match &limit.refuses {
                Refusal::OciManifests => oci_entry(entry, view),
                Refusal::Layers(refused) => {
                    let is_refused =
                        |layer: &Descriptor| refused.iter().any(|class| layer.layer_classes().contains(class));
                    let what = |named| format!("{named}: {}", words::listed(refused));
                    some_layers(layers, is_refused, what, entry, gzip(view))
                }
                Refusal::LayerTypes(refused) => {
                    let is_refused = |layer: &Descriptor| refused.iter().any(|text| layer.media_type == text.as_str());
                    let what = |named| format!("{named}: the type {}", words::listed(refused));
                    some_layers(layers, is_refused, what, entry, oci_types(view))
                }
                Refusal::MoreLayersThan(most) => too_many(layers, *most, entry, view),
                Refusal::LayersLargerThan(most) => too_large(layers, most, entry, &mut findings),
                _ => None,
            };
            report(wanted, limit, found, &mut findings);
        }
        findings.verdict(|| Self::evidence(running.into_iter()))
    }

    fn limits(&self) -> impl Iterator<Item = (&Wanted, &'static Limit)> {
        self.targets.iter().flat_map(|wanted| wanted.limits().map(move |limit| (wanted, limit)))
    }

    fn evidence<'w>(targets: impl Iterator<Item = &'w Wanted>) -> String {
        format!("nothing that {} is known to refuse", words::either(targets.map(|wanted| &wanted.text)))
    }
}

fn report(wanted: &Wanted, limit: &Limit, found: Option<Found>, findings: &mut Findings) {
    let Some(Found { what, location, fix }) = found else { return };
    let title = limit.title(wanted.target);
    let Limit { takes, source, date, .. } = limit;
    let message = format!("{}: {what}; {title} takes {takes} ({source}, {date})", wanted.text);
    findings.add_keyed(message, location, fix, format!("{} {}", wanted.text, limit.refuses));
}

/// That the image has no platform which the target runs.
fn lacking_platform(wanted: &Wanted, view: &View<'_>, findings: &mut Findings) -> Option<Found> {
    let subjects = view.subjects();
    let known = subjects.entries.iter().filter(|entry| entry.platform.is_ok());
    if known.clone().any(|entry| wanted.runs(entry)) {
        return None;
    }
    let unknown = subjects.entries.iter().find_map(|entry| entry.platform.as_ref().err());
    let undetermined = || subjects.undetermined.first().map(|(_, why)| why);
    if let Some(why) = unknown.or_else(undetermined) {
        findings.stop(why.clone().into());
        return None;
    }
    let needed = wanted.target.platforms().iter().filter_map(PlatformPattern::as_platform).take(1);
    let there = known.clone().filter_map(|entry| entry.platform.as_ref().ok().cloned());
    let all: BTreeMap<String, Platform> = there.chain(needed).map(|platform| (platform.short(), platform)).collect();
    let pointer = if subjects.indexes.is_empty() { "" } else { "/manifests" };
    Some(Found {
        what: format!("the image is for {}", words::listed(known.map(|entry| &entry.label))),
        location: Location::root(view, pointer),
        fix: Fix::new("docker buildx build --platform {} --output type=registry -t {} .")
            .with(&all.into_values().collect::<Vec<_>>())
            .with(&push_name(view)),
    })
}

fn index(wanted: &Wanted, view: &View<'_>) -> Found {
    let subjects = view.subjects();
    let platforms = words::listed(subjects.entries.iter().map(|entry| &entry.label));
    let others = match subjects.excluded.len() {
        0 => String::new(),
        1 => ", and 1 entry that is no image".to_owned(),
        some => format!(", and {some} entries that are no images"),
    };
    let one: Vec<Platform> = subjects
        .entries
        .iter()
        .filter(|entry| wanted.runs(entry))
        .take(1)
        .filter_map(|entry| entry.platform.clone().ok())
        .collect();
    Found {
        what: format!("the reference points to {} of {platforms}{others}", described(&view.root().media_type)),
        location: Location::root(view, ""),
        fix: Fix::new(
            "docker buildx build --platform {} --provenance=false --sbom=false --output type=registry -t {} .",
        )
        .with(&one)
        .with(&push_name(view))
        .or(&Fix::new("or deploy the manifest of one platform by its digest: crane digest --platform {} {}")
            .with(&one)
            .with(&image_name(view))),
    }
}

fn oci(what: String, location: Location, view: &View<'_>) -> Found {
    let fix = words::build("docker buildx build --platform {} --provenance=false --sbom=false --output type=registry,oci-mediatypes=false -t {} .", view)
        .or(&Fix::new("regctl image mod {} --to-docker --replace").with(&push_name(view)));
    Found { what, location, fix }
}

/// An OCI manifest in Docker's list; below an OCI index it is the root that has to change.
fn oci_entry(entry: &Entry, view: &View<'_>) -> Option<Found> {
    let Place::Index { digest, pointer } = &entry.place else { return None };
    let alone = view.root().media_type.family() != Family::Oci && entry.descriptor.media_type.family() == Family::Oci;
    let location = || Location::new(NodeRole::Index, digest, format!("{pointer}/mediaType"));
    alone.then(|| oci(format!("this entry is {}", described(&entry.descriptor.media_type)), location(), view))
}

/// The first entry that is an OCI artifact with the empty config, as attestations are since `BuildKit` 0.32.
fn attestation_artifact(view: &View<'_>, findings: &mut Findings) -> Option<Found> {
    let has_empty_config = |manifest: &Manifest| match manifest {
        Manifest::Image(image) => image.config.as_ref().is_some_and(|config| config.media_type == known::OCI_EMPTY),
        _ => false,
    };
    let excluded = &view.subjects().excluded;
    // All are asked for before the rule waits.
    let mut artifacts = excluded
        .iter()
        .filter(|entry| findings.note(view.manifest(&entry.descriptor)).is_some_and(has_empty_config))
        .collect::<Vec<_>>()
        .into_iter();
    let Place::Index { digest, pointer } = &artifacts.next()?.place else { return None };
    let count = artifacts.count() + 1;
    Some(Found {
        what: format!("the index has {} in the form of OCI artifacts", words::count(count, "attestation")),
        location: Location::new(NodeRole::Index, digest, pointer.clone()),
        fix: words::build("docker buildx build --platform {} --output type=registry,oci-artifact=false -t {} .", view)
            .or(&words::build(
                "docker buildx build --platform {} --provenance=false --sbom=false --output type=registry -t {} .",
                view,
            )),
    })
}

/// The layers of which something holds, at the first of them.
fn some_layers(
    layers: &[Descriptor],
    holds: impl Fn(&Descriptor) -> bool,
    what: impl FnOnce(String) -> String,
    entry: &Entry,
    fix: Fix,
) -> Option<Found> {
    let positions: Vec<usize> = layers.iter().enumerate().filter(|(_, layer)| holds(layer)).map(|(at, _)| at).collect();
    let first = positions.first()?;
    let location = Location::manifest(entry, format!("/layers/{first}/mediaType"));
    Some(Found { what: what(words::layers(&positions, layers.len())), location, fix })
}

fn too_many(layers: &[Descriptor], most: usize, entry: &Entry, view: &View<'_>) -> Option<Found> {
    (layers.len() > most).then(|| Found {
        what: format!("the image has {}", words::count(layers.len(), "layer")),
        location: Location::manifest(entry, "/layers"),
        fix: Fix::new(
            "join commands into one `RUN`, and copy what a build stage made with one `COPY --from`; then rebuild:",
        )
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view)),
    })
}

fn too_large(layers: &[Descriptor], most: &Size, entry: &Entry, findings: &mut Findings) -> Option<Found> {
    if let Some(at) = layers.iter().position(|layer| known_size(layer).is_none()) {
        let detail = format!("the descriptor of {} gives no size", words::layers(&[at], layers.len()));
        findings.stop(Why::undecidable("looking at the sizes of the layers", detail).into());
    }
    let sizes = layers.iter().enumerate().filter_map(|(at, layer)| Some((known_size(layer)?, at)));
    let (size, at) = sizes.max().filter(|(size, _)| *size > most.bytes())?;
    Some(Found {
        what: format!("{} has {} compressed", words::layers(&[at], layers.len()), Bytes(size.into())),
        location: Location::manifest(entry, format!("/layers/{at}/size")),
        fix: Fix::new("spread what the layer holds over several `COPY` or `RUN` instructions"),
    })
}

fn gzip(view: &View<'_>) -> Fix {
    words::build(
        "docker buildx build --platform {} --output type=registry,compression=gzip,force-compression=true -t {} .",
        view,
    )
    .or(&Fix::new("regctl image mod {} --layer-compress gzip --replace").with(&push_name(view)))
}

fn oci_types(view: &View<'_>) -> Fix {
    words::build("docker buildx build --platform {} --output type=registry,oci-mediatypes=true,compression=zstd,force-compression=true -t {} .", view)
        .or(&Fix::new("regctl image mod {} --to-oci --replace").with(&push_name(view)))
}

fn described(media_type: &MediaType) -> &'static str {
    media_type.description().unwrap_or("a document of an unknown type")
}
