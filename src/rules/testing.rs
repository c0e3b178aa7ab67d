//! Images in memory, to judge rules on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Judges;
use crate::finding::Verdict;
use crate::graph::{
    Cause, Demand, Graph, Home, LayerHead, Nature, ReferrerList, Root, RootKind, Stop, Subject, Subjects, Tagged, View,
    Why,
};
use crate::oci::{
    Descriptor, Digest, Document, ImageText, Manifest, MediaType, Sbom, Statement, StatementText, escape,
};
use crate::target::Target;

pub(super) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const OCI_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A store of documents; what is not in it is not found.
#[derive(Default)]
pub(super) struct Store {
    blobs: BTreeMap<Digest, Bytes>,
    referrers: BTreeMap<Digest, Vec<Value>>,
    tags: BTreeMap<String, Digest>,
    /// Lists that cannot be had.
    forbidden: BTreeSet<Digest>,
}

/// How the subjects ended, by name, how many things were fetched besides the root, and in how many waves.
pub(super) struct Judged {
    pub(super) cells: BTreeMap<String, Result<Verdict, Stop>>,
    pub(super) fetched: usize,
    pub(super) waves: usize,
}

impl Store {
    /// Puts a document in as it is written here; its descriptor.
    pub(super) fn put(&mut self, media_type: &str, text: &str) -> Value {
        let digest = Digest::sha256(text.as_bytes());
        self.blobs.insert(digest.clone(), Bytes::copy_from_slice(text.as_bytes()));
        json!({ "mediaType": media_type, "digest": digest.as_str(), "size": text.len() })
    }

    /// Takes a document out again.
    pub(super) fn lose(&mut self, descriptor: &Value) {
        self.blobs.remove(&digest(descriptor)).unwrap();
    }

    /// Lists something as a referrer of what another descriptor names.
    pub(super) fn list(&mut self, subject: &Value, referrer: Value) {
        self.referrers.entry(digest(subject)).or_default().push(referrer);
    }

    /// Lets the list of a subject's referrers be refused.
    pub(super) fn forbid_list(&mut self, subject: &Value) {
        self.forbidden.insert(digest(subject));
    }

    /// Puts a document under cosign's tag for a subject.
    pub(super) fn tag(&mut self, subject: &Value, suffix: &str, document: &Value) {
        self.tags.insert(digest(subject).cosign_tag(suffix), digest(document));
    }

    /// An OCI image of one gzip layer; the descriptor of its manifest, without a platform.
    pub(super) fn image(&mut self, os: &str, architecture: &str) -> Value {
        let config = config(os, architecture);
        self.image_of(OCI_MANIFEST, &config, &json!([layer(OCI_GZIP, architecture)]))
    }

    pub(super) fn image_of(&mut self, media_type: &str, config: &Value, layers: &Value) -> Value {
        let config = self.put(OCI_CONFIG, &config.to_string());
        let manifest = json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers });
        self.put(media_type, &manifest.to_string())
    }

    /// An image with the platform that its index declares.
    pub(super) fn entry(&mut self, os: &str, architecture: &str) -> Value {
        with(self.image(os, architecture), "platform", json!({ "os": os, "architecture": architecture }))
    }

    pub(super) fn index(&mut self, entries: &[Value]) -> Value {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries });
        self.put(OCI_INDEX, &index.to_string())
    }

    /// Judges every subject of the image that a descriptor names by a rule with these parameters.
    pub(super) fn judge(&self, root: &Value, rule: &str, parameters: &str) -> Judged {
        let rule = super::find(rule).unwrap();
        let table = toml::de::DeTable::parse(parameters).unwrap();
        let check = (rule.configure)(table).unwrap();
        assert_eq!(check.problems(), []);
        self.judge_by(root, &*check)
    }

    pub(super) fn judge_by(&self, root: &Value, check: &dyn super::Check) -> Judged {
        let mut graph = self.graph(root);
        let (mut fetched, mut waves) = (0, 0);
        loop {
            let demands = match Subjects::find(&graph) {
                Err((Stop::Pending, demands)) => demands,
                found => {
                    let subjects = found.unwrap_or_else(|(stop, _)| Subjects::of(Nature::Undetermined(stop.into())));
                    let view = View::new(&graph, &subjects);
                    let mut cells = BTreeMap::new();
                    if check.judges() != Judges::EachPlatform {
                        cells.insert("root".to_owned(), check.judge(Subject::Root, &view));
                    }
                    if check.judges() != Judges::Root {
                        cells.extend(
                            subjects
                                .entries
                                .iter()
                                .map(|entry| (entry.label.clone(), check.judge(Subject::Platform(entry), &view))),
                        );
                    }
                    if cells.values().all(|cell| *cell != Err(Stop::Pending)) {
                        return Judged { cells, fetched, waves };
                    }
                    view.into_demands()
                }
            };
            waves += 1;
            for demand in demands.into_iter().filter(|demand| !graph.answers(demand)).collect::<Vec<_>>() {
                fetched += 1;
                self.answer(&mut graph, demand);
            }
        }
    }

    fn graph(&self, root: &Value) -> Graph {
        let digest: Digest = root["digest"].as_str().unwrap().parse().unwrap();
        let bytes = self.blobs[&digest].clone();
        let target = Target::parse("ghcr.io/acme/app:1").unwrap();
        let media_type = MediaType::from(root["mediaType"].as_str().unwrap());
        let root =
            Root { target, digest: digest.clone(), kind: RootKind::Manifest, media_type, size: bytes.len() as u64 };
        let mut graph = Graph::new(root, "2026-11-23T12:00:00Z".parse().unwrap());
        graph.put_manifest(digest, Ok(Arc::new(Document::read(bytes).unwrap())));
        graph
    }

    fn answer(&self, graph: &mut Graph, demand: Demand) {
        let why = |cause| Why::new("reading", cause);
        let find = |digest: &Digest| {
            self.blobs.get(digest).cloned().ok_or_else(|| why(Cause::NotFound { detail: String::new() }))
        };
        let unreadable = |error: crate::oci::Unreadable| why(Cause::Unreadable { detail: error.to_string() });
        match demand {
            Demand::Manifest(digest) => {
                let known = find(&digest).and_then(|bytes| Document::read(bytes).map(Arc::new).map_err(unreadable));
                graph.put_manifest(digest, known);
            }
            Demand::Config(digest) => {
                let known = find(&digest).and_then(|bytes| Document::read(bytes).map(Arc::new).map_err(unreadable));
                graph.put_config(digest, known);
            }
            Demand::Head { digest, .. } => {
                let known =
                    find(&digest).map(|bytes| LayerHead { bytes: bytes.slice(..bytes.len().min(512)), whole: true });
                graph.put_head(digest, known);
            }
            Demand::Statement { digest, media_type, .. } => {
                let read = |bytes: Bytes| {
                    Statement::read(&bytes, &media_type).map_err(|error| Why::statement("reading", &error))
                };
                graph.put_statement(digest.clone(), find(&digest).and_then(read).map(Arc::new));
            }
            Demand::StatementText { digest, media_type, .. } => {
                let read = |bytes: Bytes| {
                    StatementText::read(&bytes, &media_type).map_err(|error| Why::statement_text("reading", &error))
                };
                graph.put_statement_text(digest.clone(), find(&digest).and_then(read).map(Arc::new));
            }
            Demand::Sbom { digest, .. } => {
                let read = |bytes: Bytes| Sbom::read(&bytes).map_err(|error| Why::sbom("reading", &error));
                graph.put_sbom(digest.clone(), find(&digest).and_then(read).map(Arc::new));
            }
            Demand::Referrers(subject) => {
                let forbidden =
                    self.forbidden.contains(&subject).then(|| why(Cause::Forbidden { detail: String::new() }));
                let listed = self.referrers.get(&subject).map(|listed| descriptors(listed)).unwrap_or_default();
                let list = ReferrerList::new(listed, Home::Api);
                graph.put_referrers(subject, forbidden.map_or(Ok(list), Err));
            }
            Demand::Tag(tag) => {
                let tagged = self.tags.get(&tag).map(|digest| {
                    let document = Arc::new(Document::read(self.blobs[digest].clone()).unwrap());
                    Tagged { digest: digest.clone(), document }
                });
                graph.put_tag(tag, Ok(tagged));
            }
            Demand::Tags => graph.put_tags(Ok(self.tags.keys().cloned().collect())),
            Demand::TagsOf(target) => graph.put_tags_of(target, Ok(Vec::new())),
            Demand::Other(target) | Demand::Within(target, _) => {
                graph.put_other(target, Err(why(Cause::NotFound { detail: String::new() })));
            }
        }
    }
}

fn digest(descriptor: &Value) -> Digest {
    descriptor["digest"].as_str().unwrap().parse().unwrap()
}

/// Descriptors as a list of referrers holds them.
fn descriptors(listed: &[Value]) -> Vec<Descriptor> {
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed });
    let document = Document::<Manifest>::read(Bytes::from(index.to_string())).unwrap();
    let Manifest::Index(index) = document.value() else { unreachable!("written as an index") };
    index.manifests.clone()
}

impl Judged {
    /// The one cell of this name: its evidence, `violation: ` and the messages, or `unknown: ` and the reason.
    pub(super) fn cell(&self, name: &str) -> String {
        match &self.cells[name] {
            Ok(Verdict::Pass(evidence)) => ImageText::plain(evidence).into_owned(),
            Ok(Verdict::Violation { findings, .. }) => {
                let one = |finding: &crate::finding::Finding| {
                    format!("{} [{}]", escape(&ImageText::plain(&finding.message)), finding.location.pointer)
                };
                format!("violation: {}", findings.iter().map(one).collect::<Vec<_>>().join("; "))
            }
            Err(Stop::Unknown(why)) => format!("unknown: {}", ImageText::plain(&why.to_string())),
            Err(Stop::NotApplicable(reason)) => format!("not applicable: {reason}"),
            Err(Stop::Pending) => unreachable!("judged until nothing is pending"),
        }
    }
}

/// The config of an image of one layer.
pub(super) fn config(os: &str, architecture: &str) -> Value {
    json!({ "os": os, "architecture": architecture, "rootfs": { "type": "layers", "diff_ids": [Digest::sha256(b"layer").as_str()] } })
}

/// The descriptor of a layer that is not in the store.
pub(super) fn layer(media_type: &str, content: &str) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::sha256(content.as_bytes()).as_str(), "size": 1_000 })
}

/// The object with one more member.
pub(super) fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}
