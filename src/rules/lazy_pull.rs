use std::fmt::{self, Display};

use super::layers::{self, known_size};
use super::prelude::*;
use super::size::Bytes;
use super::soci;
use crate::oci::{LayerClass, known};

/// Entries for one platform beyond which no Nydus image is looked for.
const MAX_TWINS: usize = 8;
/// Layers smaller than this, in bytes, hold next to nothing.
const NEXT_TO_NOTHING: u64 = 1 << 10;

declare_rule! {
    /// A container of the image can start before all of it is downloaded.
    ///
    /// # What it checks
    ///
    /// Whether each platform is made for lazy pulling in one of these ways:
    ///
    /// | way | what there has to be |
    /// |---|---|
    /// | `estargz` | every layer is gzip with the annotation `containerd.io/snapshot/stargz/toc.digest` |
    /// | `zstd:chunked` | every layer is zstd with the annotation `io.github.containers.zstd-chunked.manifest-checksum` (or stargz-snapshotter's) |
    /// | `nydus` | every layer is Nydus, or the index holds a Nydus image for the same platform |
    /// | `soci` | a SOCI index: the manifest names it (version 2) and it is about layers of this image, or it refers to the manifest (version 1) |
    ///
    /// Each layer may be of another of the ways that are named. Layers that hold next to nothing do not count.
    ///
    /// # Why
    ///
    /// Most of the time before a container starts is spent downloading an image of which it reads a small part. What is made for lazy
    /// pulling starts at once where the runtime has the snapshotter for it, and is an ordinary image elsewhere (Nydus alone excepted).
    /// A build that lost the option, or a layer of the base image that was not converted, is noticed by nobody: it only gets slower.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.lazy-pull]
    /// require = ["estargz", "soci"]
    /// min-size = "10MiB"
    /// ```
    ///
    /// # Parameters
    ///
    /// - `require` (list of `"estargz"`, `"zstd:chunked"`, `"soci"` and `"nydus"`, required): the ways that will do, any of them.
    /// - `min-size` (size, default `"1KiB"`): layers that are smaller, compressed, may be as they are, and an image of no others needs
    ///   nothing. SOCI itself leaves out layers smaller than 10 MiB, and makes no index for an image of these alone.
    ///
    /// # How to fix
    ///
    /// Build again and force it, or the layers of the base image stay as they are:
    ///
    /// ```sh
    /// docker buildx build --output type=registry,oci-mediatypes=true,compression=estargz,force-compression=true -t IMAGE .
    /// podman push --compression-format zstd:chunked --force-compression IMAGE
    /// nydusify convert --source IMAGE --target IMAGE-nydus --merge-platform
    /// ```
    ///
    /// For SOCI (nerdctl 2.1.3 and soci-snapshotter 0.10 or later):
    ///
    /// ```sh
    /// nerdctl pull --all-platforms IMAGE
    /// nerdctl image convert --all-platforms --soci IMAGE IMAGE-soci
    /// nerdctl push --all-platforms IMAGE-soci
    /// ```
    ///
    /// All but a SOCI index of version 1 change digests: sign afterwards.
    ///
    /// # What it cannot see
    ///
    /// Whether the annotations are true: the table of contents is at the end of a layer and is not read. Whether the runtime has the
    /// snapshotter. overlaybd and EROFS are not known to this rule.
    LazyPull: "lazy-pull"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct LazyPull {
    require: Vec<Way>,
    min_size: Option<Size>,
}

/// A way to start a container before all of its image is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
enum Way {
    #[serde(rename = "estargz")]
    Estargz,
    #[serde(rename = "zstd:chunked")]
    ZstdChunked,
    #[serde(rename = "soci")]
    Soci,
    #[serde(rename = "nydus")]
    Nydus,
}

impl Way {
    /// The class that the layers are of then; `None` if they are as they always are.
    fn class(self) -> Option<LayerClass> {
        match self {
            Self::Estargz => Some(LayerClass::Estargz),
            Self::ZstdChunked => Some(LayerClass::ZstdChunked),
            Self::Nydus => Some(LayerClass::Nydus),
            Self::Soci => None,
        }
    }
}

impl Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class().map_or("soci", LayerClass::as_str))
    }
}

impl Check for LazyPull {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        let missing =
            || Problem::missing("nothing is required: name a way, such as `require = [\"estargz\", \"soci\"]`");
        self.require.is_empty().then(missing).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let layers = layers::of(entry, view)?;
        let classes: Vec<LayerClass> = self.require.iter().filter_map(|way| way.class()).collect();
        let mut tried = Tried::default();
        let by_layers = self.by_layers(&classes, layers);
        if classes.is_empty() {
            // SOCI leaves layers as they are; it has nothing to do where none counts.
            if let Ok(Ok(found)) = by_layers {
                return Ok(Verdict::Pass(found));
            }
        } else if let Some(found) = tried.note(by_layers)? {
            return Ok(Verdict::Pass(found));
        }
        if self.require.contains(&Way::Nydus)
            && let Some(found) = tried.note(self.twin(entry, view))?
        {
            return Ok(Verdict::Pass(found));
        }
        if self.require.contains(&Way::Soci)
            && let Some(found) = tried.note(soci::find(entry, view))?
        {
            return Ok(Verdict::Pass(found));
        }
        if let Some(why) = tried.unknown {
            return Err(why.into());
        }
        let wanted = words::either(&self.require);
        let message = format!("not made for lazy pulling, wanted {wanted}: {}", tried.lacks.join("; "));
        let mut findings = Findings::new();
        findings.add(message, Location::manifest(entry, "/layers"), self.fix(view));
        findings.verdict(String::new)
    }
}

/// What came of the ways that were tried.
#[derive(Default)]
struct Tried {
    lacks: Vec<String>,
    unknown: Option<Why>,
}

impl Tried {
    /// What was found, if it was; a way that cannot be looked at leaves the others to be tried.
    fn note(&mut self, tried: Fact<Result<String, String>>) -> Fact<Option<String>> {
        match tried {
            Ok(Ok(found)) => return Ok(Some(found)),
            Ok(Err(lack)) => self.lacks.push(lack),
            Err(Stop::Unknown(why)) => self.unknown = self.unknown.take().or(Some(why)),
            Err(stop) => return Err(stop),
        }
        Ok(None)
    }
}

impl LazyPull {
    /// Whether all layers that count are of one of the classes.
    fn by_layers(&self, classes: &[LayerClass], layers: &[Descriptor]) -> Fact<Result<String, String>> {
        let limit = self.min_size.as_ref().map_or(NEXT_TO_NOTHING, Size::bytes);
        let (mut others, mut open, mut small) = (Vec::new(), Vec::new(), 0);
        for (position, layer) in layers.iter().enumerate() {
            let own = layer.layer_classes();
            let size = known_size(layer);
            if classes.iter().any(|class| own.contains(class)) {
            } else if size.is_some_and(|size| size < limit) || layers::is_empty(layer, None) {
                small += 1;
            } else if size.is_some() {
                others.push(position);
            } else {
                open.push(position);
            }
        }
        let named = words::either(classes);
        if !others.is_empty() {
            return Ok(Err(format!("{}: not {named}", words::layers(&others, layers.len()))));
        }
        if !open.is_empty() {
            let detail = format!("the descriptor of {} gives no size", words::layers(&open, layers.len()));
            return Err(Why::undecidable("telling which layers are small", detail).into());
        }
        let count = words::count(layers.len(), "layer");
        let limit = Bytes(limit.into());
        Ok(Ok(match small {
            0 if layers.is_empty() => "no layers".to_owned(),
            0 => format!("{count} of {named}"),
            all if all == layers.len() => format!("{count}, none of {limit} or more"),
            some => format!("{count} of {named}, but for {some} of less than {limit}"),
        }))
    }

    /// A Nydus image for the same platform in the index, which Nydus's snapshotter selects in place of this one.
    fn twin(&self, entry: &Entry, view: &View<'_>) -> Fact<Result<String, String>> {
        let twins = twins(entry, view);
        if twins.len() > MAX_TWINS {
            let what = format!("{MAX_TWINS} Nydus images for a platform; the index names {}", twins.len());
            return Err(Why::new("looking for a Nydus image", Cause::Budget { what }).into());
        }
        let manifests = view.each(twins, |twin| Ok((twin, view.manifest(twin)?)))?;
        let found = manifests.into_iter().find(|(_, manifest)| {
            matches!(manifest, Manifest::Image(image)
                if !image.layers.is_empty() && self.by_layers(&[LayerClass::Nydus], &image.layers).is_ok_and(|it| it.is_ok()))
        });
        let shown = |twin: &Descriptor| twin.digest.as_ref().map_or_else(|_| String::new(), Digest::short);
        Ok(match found {
            Some((twin, _)) => Ok(format!("the index holds the Nydus image {}", shown(twin))),
            None => Err("the index holds no Nydus image for the platform".to_owned()),
        })
    }

    fn fix(&self, view: &View<'_>) -> Fix {
        let force =
            Fix::new("build again and force it, or layers of the base image stay as they are; or convert the image:");
        self.require.iter().fold(force, |fix, way| fix.or(&way.fix(view)))
    }
}

impl Way {
    fn fix(self, view: &View<'_>) -> Fix {
        let named = |command| Fix::new(command).with(&push_name(view));
        match self {
            Self::Estargz => words::build(
                "docker buildx build --platform {} --output type=registry,oci-mediatypes=true,compression=estargz,force-compression=true -t {} .",
                view,
            ),
            Self::ZstdChunked => named("podman push --compression-format zstd:chunked --force-compression {}"),
            Self::Soci => named("nerdctl pull --all-platforms {}")
                .or(&named("nerdctl image convert --all-platforms --soci {} {}-soci").with(&push_name(view)))
                .or(&named("nerdctl push --all-platforms {}-soci")),
            Self::Nydus => {
                named("nydusify convert --source {} --target {}-nydus --merge-platform").with(&push_name(view))
            }
        }
    }
}

/// Entries of the index for the platform of another one that say that they are Nydus images.
fn twins<'v>(entry: &'v Entry, view: &View<'v>) -> Vec<&'v Descriptor> {
    let Ok(own) = &entry.platform else { return Vec::new() };
    let subjects = view.subjects();
    let all = subjects.entries.iter().map(|it| &it.descriptor).chain(subjects.excluded.iter().map(|it| &it.descriptor));
    let is_twin = |it: &&Descriptor| {
        let Some(platform) = &it.platform else { return false };
        let says = it.artifact_type.as_ref().is_some_and(|own| *own == known::NYDUS_IMAGE)
            || platform.os_features.iter().any(|feature| feature == known::NYDUS_FEATURE);
        says && it.digest != entry.descriptor.digest && {
            let platform = platform.normalised();
            (&platform.os, &platform.architecture, &platform.variant) == (&own.os, &own.architecture, &own.variant)
        }
    };
    all.filter(is_twin).collect()
}
