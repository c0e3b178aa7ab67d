use super::hosts::{Host, Place as Elsewhere};
use super::layers;
use super::prelude::*;
use crate::oci::{Document, Reference};

declare_rule! {
    /// Nothing of the image has to be fetched from elsewhere than its registry.
    ///
    /// # What it checks
    ///
    /// Layers whose type says that registries must not distribute them (Docker's `foreign`, OCI's `nondistributable`), and
    /// descriptors with `urls`: of the layers, of the config, of the platform's entry in the index, and of nested indexes on the way
    /// to it. None of these is ever fetched.
    ///
    /// With `allow-hosts` they pass if every one of their `urls` names one of these hosts. The host must stand in the URL as it is
    /// written in the policy (case does not matter), behind `https://` or `http://` and without a user name; a layer that must not be
    /// distributed and has no URL does not pass.
    ///
    /// # Why
    ///
    /// Such a layer is pulled from a server that the registry does not control: it can be gone, it sees who pulls, and it is out of
    /// reach of clusters without a way to the internet. containerd tries the `urls` of any descriptor before the registry. `docker
    /// push`, mirrors and most copying tools leave foreign layers out. The base layers of Windows were foreign until Microsoft changed
    /// its terms in 2023; images built on a base from before June of that year still have them.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.foreign-layers]
    /// allow-hosts = ["mcr.microsoft.com", "go.microsoft.com"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `allow-hosts` (list of `HOST` or `HOST:PORT`, default none): where parts of the image may be fetched from. Without a port
    ///   only those of https and http themselves are meant.
    ///
    /// # How to fix
    ///
    /// Build again on a base image of today; BuildKit keeps foreign layers only with `prefer-nondist-layers=true`:
    ///
    /// ```sh
    /// docker buildx build --pull --output type=registry,prefer-nondist-layers=false -t IMAGE .
    /// ```
    ///
    /// Or copy the layers into the registry, then remove the URLs and the types (sign afterwards, the digests change):
    ///
    /// ```sh
    /// regctl image copy --include-external IMAGE OTHER-REPOSITORY:TAG
    /// regctl image mod OTHER-REPOSITORY:TAG --external-urls-rm --replace
    /// ```
    ///
    /// # What it cannot see
    ///
    /// Whether the registry has the layer all the same, what the URLs lead to, and whether they redirect.
    ForeignLayers: "foreign-layers"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ForeignLayers {
    allow_hosts: Vec<Host>,
}

impl Check for ForeignLayers {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let image = view.image(entry)?;
        let layers = layers::of(entry, view)?;
        let mut findings = Findings::new();
        self.judge_layers(entry, layers, view, &mut findings);
        let config =
            image.config.iter().map(|config| ("the config", config, Location::manifest(entry, "/config/urls")));
        let way = way_to(entry, view)?;
        for (number, (name, descriptor, location)) in config.chain(way.iter().map(Step::named)).enumerate() {
            if let Some(fault) = self.fault(descriptor) {
                let message = self.message(name, fault, &places([descriptor]));
                findings.add_keyed(message, location, fix(view), format!("{} {number}", fault.key()));
            }
        }
        if let Some(why) = unread_urls(entry, &way, view)? {
            findings.stop(why.into());
        }
        findings.verdict(|| evidence(layers))
    }
}

/// What is wrong with a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// Of a type that must not be distributed, and fetched from where it may not.
    Foreign,
    /// Of such a type, and nowhere to be had.
    Nowhere,
    /// Of an ordinary type, and fetched from where it may not.
    Urls,
}

impl Fault {
    /// The member of the descriptor that shows it.
    fn member(self) -> &'static str {
        match self {
            Self::Foreign | Self::Urls => "/urls",
            Self::Nowhere => "/mediaType",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Foreign => "foreign",
            Self::Nowhere => "nowhere",
            Self::Urls => "urls",
        }
    }
}

impl ForeignLayers {
    fn judge_layers(&self, entry: &Entry, layers: &[Descriptor], view: &View<'_>, findings: &mut Findings) {
        let mut faults: BTreeMap<Fault, Vec<usize>> = BTreeMap::new();
        for (position, layer) in layers.iter().enumerate() {
            if let Some(fault) = self.fault(layer) {
                faults.entry(fault).or_default().push(position);
            }
        }
        for (fault, positions) in &faults {
            let places = places(positions.iter().map(|position| &layers[*position]));
            let message = self.message(&words::layers(positions, layers.len()), *fault, &places);
            let location = Location::manifest(entry, format!("/layers/{}{}", positions[0], fault.member()));
            findings.add_keyed(message, location, fix(view), fault.key());
        }
    }

    fn fault(&self, descriptor: &Descriptor) -> Option<Fault> {
        let is_foreign = descriptor.media_type.is_foreign();
        if descriptor.urls.is_empty() {
            return is_foreign.then_some(Fault::Nowhere);
        }
        let wrong = if is_foreign { Fault::Foreign } else { Fault::Urls };
        (!descriptor.urls.iter().all(|url| self.allows(url))).then_some(wrong)
    }

    fn allows(&self, url: &str) -> bool {
        Elsewhere::read(url).is_some_and(|place| self.allow_hosts.iter().any(|host| host.holds(&place)))
    }

    fn message(&self, named: &str, fault: Fault, places: &BTreeSet<String>) -> String {
        let wanted = match &self.allow_hosts[..] {
            [] => "wanted everything from the registry".to_owned(),
            hosts => format!("wanted {}", words::either(hosts)),
        };
        let places = words::listed(places.iter().map(|place| ImageText(place)));
        match fault {
            Fault::Foreign => {
                format!("{named}: of a type that registries must not distribute, from {places}; {wanted}")
            }
            Fault::Nowhere => {
                format!(
                    "{named}: of a type that registries must not distribute, and without a URL to fetch from; {wanted}"
                )
            }
            Fault::Urls => format!("{named}: may be fetched from {places}; {wanted}"),
        }
    }
}

/// The hosts that descriptors may be fetched from; a URL that does not tell stands for itself.
fn places<'d>(descriptors: impl IntoIterator<Item = &'d Descriptor>) -> BTreeSet<String> {
    let shown = |url: &String| Elsewhere::read(url).map_or_else(|| format!("'{url}'"), |place| place.to_string());
    descriptors.into_iter().flat_map(|descriptor| &descriptor.urls).map(shown).collect()
}

/// One descriptor on the way from the root to a platform.
struct Step<'g> {
    name: &'static str,
    descriptor: &'g Descriptor,
    /// The index that it stands in, and where.
    index: &'g Digest,
    pointer: String,
}

impl Step<'_> {
    fn named(&self) -> (&'static str, &Descriptor, Location) {
        let location = Location::new(NodeRole::Index, self.index, format!("{}/urls", self.pointer));
        (self.name, self.descriptor, location)
    }
}

/// The descriptors that lead to a platform: its own entry first, then those of the nested indexes above it, each once.
fn way_to<'g>(entry: &'g Entry, view: &View<'g>) -> Fact<Vec<Step<'g>>> {
    let Place::Index { digest, pointer } = &entry.place else { return Ok(Vec::new()) };
    let name = "the entry in the index";
    let mut way = vec![Step { name, descriptor: &entry.descriptor, index: digest, pointer: pointer.clone() }];
    let indexes = &view.subjects().indexes;
    let mut passed = BTreeSet::from([digest]);
    let mut open: Vec<&Digest> = vec![digest];
    while let Some(inner) = open.pop().filter(|_| indexes.len() > 1) {
        for index in indexes {
            let Manifest::Index(document) = view.document(index)?.value() else { continue };
            for (position, descriptor) in document.manifests.iter().enumerate() {
                if descriptor.digest.as_ref() == Ok(inner) {
                    let name = "the nested index with the entry";
                    way.push(Step { name, descriptor, index, pointer: format!("/manifests/{position}") });
                    open.extend(passed.insert(index).then_some(index));
                }
            }
        }
    }
    Ok(way)
}

/// Why a descriptor that seems to have no URLs may have some, if one may: its `urls` are no list, or it is no descriptor.
fn unread_urls(entry: &Entry, way: &[Step<'_>], view: &View<'_>) -> Fact<Option<Why>> {
    let manifest = view.document(entry.digest()?)?;
    let in_manifest =
        unread(manifest, |at| at == "/config" || at.rsplit_once('/').is_some_and(|(of, _)| of == "/layers"));
    let in_indexes = view.each(way, |step| Ok(unread(view.document(step.index)?, |at| at == step.pointer)))?;
    Ok(in_manifest.or(in_indexes.into_iter().flatten().next()))
}

fn unread(document: &Document<Manifest>, is_descriptor: impl Fn(&str) -> bool) -> Option<Why> {
    let concerns = |at: &str| is_descriptor(at) || at.strip_suffix("/urls").is_some_and(&is_descriptor);
    let mut defects = document.defects().iter();
    let defect = defects.find(|defect| document.has_more_defects() || concerns(&defect.pointer))?;
    Some(Why::undecidable("reading the URLs", format!("{} ({})", defect.message, defect.pointer)))
}

fn evidence(layers: &[Descriptor]) -> String {
    match layers.iter().filter(|layer| !layer.urls.is_empty()).count() {
        0 => format!("{}, none with a URL", words::count(layers.len(), "layer")),
        some => {
            let hosts = places(layers);
            format!(
                "{some} of {} from {}",
                words::count(layers.len(), "layer"),
                words::listed(hosts.iter().map(|host| ImageText(host)))
            )
        }
    }
}

fn fix(view: &View<'_>) -> Fix {
    let rebuild = Fix::new("build again on a base image of today:").or(&words::build(
        "docker buildx build --pull --platform {} --output type=registry,prefer-nondist-layers=false -t {} .",
        view,
    ));
    let Some(copy) = copy(view) else { return rebuild };
    rebuild
        .or(&Fix::new("or copy the layers into a registry, then remove the URLs:"))
        .or(&Fix::new("regctl image copy --include-external {} {}").with(&image_name(view)).with(&copy))
        .or(&Fix::new("regctl image mod {} --external-urls-rm --replace").with(&copy))
}

/// Another repository to copy to: within one, tools take the layers to be there.
fn copy(view: &View<'_>) -> Option<Reference> {
    let name = view.root().target.name.as_ref()?;
    Reference::parse(&format!("{}-copy:{}", name.name(), name.tag_or_latest())).ok()
}
