use std::sync::Arc;

use super::prelude::*;
use crate::graph::{Known, contradicted_type};
use crate::oci::{Document, ManifestKind};

declare_rule! {
    /// Every document of the image is valid and can be read in one way only.
    ///
    /// # What it checks
    ///
    /// The index, nested indexes, and the manifest and config of every platform.
    ///
    /// *Ambiguous* is what two programs may read differently: a name that occurs twice in an object; a name that Go's JSON decoder
    /// takes for a known one because it ignores case (`"user"` for `"User"`); the marks of two kinds of documents in one
    /// (`manifests` beside `layers`, CVE-2021-41190); a media type or shape that contradicts the descriptor that led here.
    /// Nothing else is judged in an ambiguous document: rules that need it end as unknown. These findings count as errors whatever
    /// the level says, `off` included, and only a waiver that names the image's digest covers them.
    ///
    /// *Invalid* is what the specification forbids although it can be read in one way only: a required field that is missing, a
    /// value of the wrong type, a malformed digest, a size or `data` that does not match, an incomplete platform, another number
    /// of `diff_ids` than layers. Bytes that have the right digest and are no such document are invalid too.
    ///
    /// The rule is always on. Without a table of its own it judges only what other rules have read and fetches nothing; with one it
    /// fetches every manifest and config.
    ///
    /// # Why
    ///
    /// A gate reads one image and the runtime another: a config with `"User": "1000"` and later `"user": "0"` is harmless to a
    /// parser that minds case, and runs as root in Docker, containerd and Podman.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.document]
    /// level = "error"
    /// ```
    ///
    /// # Parameters
    ///
    /// None.
    ///
    /// # How to fix
    ///
    /// Build the image again with a current tool and push it; no current builder writes such documents, so find out who wrote this
    /// one. To look at it as it is: `crane manifest IMAGE`, `crane config --platform linux/amd64 IMAGE`.
    ///
    /// # What it cannot see
    ///
    /// Attestations and artifacts in the index, which no runtime selects; their statements are read by the rules about them. Legal
    /// oddities are no findings: a missing `mediaType`, unknown types and fields, `null` for an empty list, empty annotations.
    /// Docker's schema 1 is left to the rule `schema1`.
    Documents: "document", implicit = Documents::passive
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Documents {
    /// Whether it judges only what was read, as it does where no policy names it.
    #[serde(skip)]
    passive: bool,
}

impl Documents {
    fn passive() -> Self {
        Self { passive: true }
    }
}

impl Check for Documents {
    fn judges(&self) -> Judges {
        Judges::Both
    }

    fn judges_artifacts(&self) -> bool {
        true
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let mut judging = Judging { view, passive: self.passive, findings: Findings::new(), read: 0 };
        match subject {
            Subject::Root => judging.root(),
            Subject::Platform(entry) => judging.platform(entry),
        }
        let Judging { findings, read, .. } = judging;
        findings.verdict(|| match read {
            0 => "nothing was read".to_owned(),
            read => format!("{} read, nothing ambiguous or invalid", words::count(read, "document")),
        })
    }
}

struct Judging<'v, 'g> {
    view: &'v View<'g>,
    passive: bool,
    findings: Findings,
    read: usize,
}

impl<'g> Judging<'_, 'g> {
    /// The root, the indexes in it, and entries that could not be looked at, for which there is no platform.
    fn root(&mut self) {
        let root = self.view.root();
        if root.kind == RootKind::SavedConfig {
            return;
        }
        let subjects = self.view.subjects();
        for digest in std::iter::once(&root.digest).chain(subjects.indexes.iter().skip(1)) {
            if let Some(document) = self.manifest(digest, Location::root(self.view, "")) {
                self.judge(document, role_of(document));
            }
        }
        for (entry, _) in &subjects.undetermined {
            self.entry(&entry.descriptor, &entry.place);
        }
    }

    fn platform(&mut self, entry: &'g Entry) {
        match entry.place {
            Place::Index { .. } => self.entry(&entry.descriptor, &entry.place),
            // The root has a cell of its own.
            Place::Root => {}
            Place::Saved => return self.saved_config(),
        }
        let was_read = entry.digest().is_ok_and(|digest| self.view.read_document(digest).is_some());
        // What keeps the manifest from being read was noted above; what is no image has no image config.
        if let (true, Ok(image)) = (was_read, self.view.image(entry)) {
            self.config(entry, image);
        }
    }

    /// What an entry of an index leads to, and whether the two agree.
    fn entry(&mut self, descriptor: &'g Descriptor, place: &Place) {
        let Place::Index { digest: index, pointer } = place else { return };
        let at = |field: &str| Location::new(NodeRole::Index, index, format!("{pointer}{field}"));
        let Some(digest) = self.digest(descriptor) else { return };
        let Some(document) = self.manifest(digest, at("")) else { return };
        if let Some(said) = contradicted_type(descriptor, document.value()) {
            let wanted = ImageText(descriptor.media_type.as_str());
            let message = format!(
                "the index says '{wanted}', the document behind it is '{}': clients read one or the other",
                ImageText(said.as_str())
            );
            self.findings.add_grave(message, at("/mediaType"), ambiguous(self.view), "type");
        }
        self.check_size(descriptor, document, at("/size"));
        self.judge(document, role_of(document));
    }

    fn config(&mut self, entry: &Entry, image: &'g ImageManifest) {
        let Some(descriptor) = &image.config else { return };
        let Some(digest) = self.digest(descriptor) else { return };
        let location = Location::manifest(entry, "/config");
        let Some(document) = self.read(self.view.read_config(digest), || self.view.config_document(digest), location)
        else {
            return;
        };
        self.check_size(descriptor, document, Location::manifest(entry, "/config/size"));
        self.judge(document, NodeRole::Config);
        if let Some(defect) = document.value().check_layers(image.layers.len()) {
            let location = Location::new(NodeRole::Config, document.digest(), defect.pointer);
            self.findings.add_keyed(
                format!("the config is invalid: {}", defect.message),
                location,
                invalid(self.view),
                "layers",
            );
        }
    }

    fn saved_config(&mut self) {
        let digest = &self.view.root().digest;
        let location = Location::root(self.view, "");
        if let Some(document) = self.read(self.view.read_config(digest), || self.view.config_document(digest), location)
        {
            self.judge(document, NodeRole::Config);
        }
    }

    /// The digest of a descriptor. A malformed one is a defect of the document that it stands in.
    fn digest(&mut self, descriptor: &'g Descriptor) -> Option<&'g Digest> {
        if let (Err(error), false) = (&descriptor.digest, self.passive) {
            let why = Why::new("following a descriptor", Cause::BadDigest { detail: error.to_string() });
            self.findings.stop(why.into());
        }
        descriptor.digest.as_ref().ok()
    }

    fn manifest(&mut self, digest: &'g Digest, location: Location) -> Option<&'g Document<Manifest>> {
        self.read(self.view.read_document(digest), || self.view.document(digest), location)
    }

    /// A document, demanded or, where the rule is passive, only if it was read already; bytes that are none are a finding.
    fn read<T>(
        &mut self,
        read: Option<&'g Known<Arc<Document<T>>>>,
        demand: impl FnOnce() -> Fact<&'g Document<T>>,
        location: Location,
    ) -> Option<&'g Document<T>> {
        let fact = match read {
            Some(Err(why)) => Err(Stop::Unknown(why.clone())),
            Some(Ok(document)) => Ok(&**document),
            None if self.passive => return None,
            None => demand(),
        };
        match fact {
            Ok(document) => {
                self.read += 1;
                return Some(document);
            }
            Err(Stop::Unknown(Why { cause: Cause::Unreadable { detail }, .. })) => {
                let message =
                    format!("the bytes here have the right digest and are no such document: {}", ImageText(&detail));
                self.findings.add_keyed(message, location, invalid(self.view), "unreadable");
            }
            // The rule that wanted it ends as unknown already.
            Err(Stop::Unknown(_)) if self.passive => {}
            Err(stop) => self.findings.stop(stop),
        }
        None
    }

    fn check_size<T>(&mut self, descriptor: &Descriptor, document: &Document<T>, location: Location) {
        let found = document.bytes().len() as u64;
        // Some tools write 0 for "not known".
        if let Some(said) = descriptor.size.filter(|said| *said != 0 && *said != found) {
            let message = format!("the descriptor says {said} bytes, the document has {found}");
            self.findings.add_keyed(message, location, invalid(self.view), "size");
        }
    }

    /// What is wrong with one document by itself.
    fn judge<T>(&mut self, document: &Document<T>, role: NodeRole) {
        let at = |pointer: &str| Location::new(role, document.digest(), pointer);
        for ambiguity in document.ambiguities() {
            let message = format!("the {} can be read in more than one way: {ambiguity}", role.as_str());
            self.findings.add_grave(message, at(&ambiguity.pointer), ambiguous(self.view), "ambiguous");
        }
        for defect in document.defects() {
            let message = format!("the {} is invalid: {}", role.as_str(), ImageText(&defect.message));
            self.findings.add_keyed(message, at(&defect.pointer), invalid(self.view), "invalid");
        }
    }
}

fn role_of(document: &Document<Manifest>) -> NodeRole {
    if document.value().kind() == ManifestKind::Index { NodeRole::Index } else { NodeRole::Manifest }
}

fn ambiguous(view: &View<'_>) -> Fix {
    Fix::new("find out who wrote this document: no current builder does. Then build the image again and check the new digest:")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}

fn invalid(view: &View<'_>) -> Fix {
    words::build(
        "push the image again with a current tool: docker buildx build --platform {} --output type=registry -t {} .",
        view,
    )
}
