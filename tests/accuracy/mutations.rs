//! Documents of real images, changed at random: never a panic, and no change turns a violation into a pass unless it mends
//! what was found.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use ocilint::cases::StoreSource;
use ocilint::cases::build::{Built, Names, Store};
use ocilint::engine::judge_source;
use ocilint::judge::Options;
use ocilint::oci::{Digest, Document, Manifest};
use ocilint::report::{CellVerdict, ImageReport};
use ocilint::source::{Budget, Silent, Walk};
use ocilint::{Policy, Target};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{corpus, files};

/// How many changed images are judged.
const MUTATIONS: usize = 20_000;
/// How many files are cut short at each length; none of them is longer than this, which most are not.
const TRUNCATED: usize = 200;
const TRUNCATED_BYTES: usize = 4_096;
/// At how many lengths each of the longer ones is cut short.
const CUTS: usize = 40;
/// Images of which every document is there.
const LAYOUTS: [&str; 4] = ["docker-attest-unsigned-index", "trivy-test", "apko-base_image", "tianon-true-oci"];
/// The policy that finds as much as it can in them.
const POLICY: &str = include_str!("mutations.toml");

/// A source of chance that gives the same every time (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap_or_default() % end.max(1)
    }
}

/// An image in memory: its documents, and the descriptors that lead to each.
#[derive(Clone)]
struct Stored {
    root: Digest,
    root_type: String,
    manifests: BTreeMap<Digest, (Bytes, String)>,
    blobs: BTreeMap<Digest, Bytes>,
}

impl Stored {
    /// The first image of a layout.
    fn of_layout(name: &str) -> Self {
        let folder = corpus().join("layouts").join(name);
        let read = |digest: &str| {
            let (algorithm, hex) = digest.split_once(':').expect("a digest");
            Bytes::from(std::fs::read(folder.join("blobs").join(algorithm).join(hex)).expect("the layout is whole"))
        };
        let index: Value =
            serde_json::from_slice(&std::fs::read(folder.join("index.json")).expect("an index")).expect("JSON");
        let root = &index["manifests"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut stored = Self {
            root: text(&root["digest"]).parse().expect("a digest"),
            root_type: text(&root["mediaType"]),
            manifests: BTreeMap::new(),
            blobs: BTreeMap::new(),
        };
        let mut open = vec![root.clone()];
        while let Some(descriptor) = open.pop() {
            let digest = text(&descriptor["digest"]);
            let bytes = read(&digest);
            let media_type = text(&descriptor["mediaType"]);
            let digest: Digest = digest.parse().expect("a digest");
            if media_type.contains("manifest") || media_type.contains("index") {
                let document: Value = serde_json::from_slice(&bytes).expect("JSON");
                let lists =
                    [&document["manifests"], &document["layers"], &json!([document["config"]])].map(Value::clone);
                open.extend(
                    lists.iter().filter_map(Value::as_array).flatten().filter(|next| next.is_object()).cloned(),
                );
                stored.manifests.insert(digest, (bytes, media_type));
            } else {
                stored.blobs.insert(digest, bytes);
            }
        }
        stored
    }

    /// The digests of the documents that are JSON: all but file system layers.
    fn documents(&self) -> Vec<Digest> {
        let blobs = self.blobs.iter().filter(|(_, bytes)| bytes.first() == Some(&b'{'));
        self.manifests.keys().cloned().chain(blobs.map(|(digest, _)| digest.clone())).collect()
    }

    fn bytes(&self, digest: &Digest) -> &Bytes {
        self.manifests.get(digest).map_or_else(|| &self.blobs[digest], |(bytes, _)| bytes)
    }

    /// The same image with other bytes for one document; whatever leads to it follows. The digest of the new document.
    fn with(&self, old: &Digest, bytes: Vec<u8>) -> (Self, Digest) {
        let mut image = self.clone();
        let digest = image.replace(old, bytes.into());
        (image, digest)
    }

    fn replace(&mut self, old: &Digest, bytes: Bytes) -> Digest {
        let digest = Digest::sha256(&bytes);
        let size = bytes.len();
        if let Some((_, media_type)) = self.manifests.remove(old) {
            self.manifests.insert(digest.clone(), (bytes, media_type));
        } else {
            self.blobs.remove(old);
            self.blobs.insert(digest.clone(), bytes);
        }
        if self.root == *old {
            self.root = digest.clone();
        }
        let names = |bytes: &Bytes| String::from_utf8_lossy(bytes).contains(old.as_str());
        let parents: Vec<Digest> =
            self.manifests.iter().filter(|(_, (bytes, _))| names(bytes)).map(|(parent, _)| parent.clone()).collect();
        for parent in parents.into_iter().filter(|parent| *parent != digest) {
            let text = String::from_utf8_lossy(self.bytes(&parent)).replace(old.as_str(), digest.as_str());
            let mut document: Value = serde_json::from_str(&text).expect("only one document is changed");
            resize(&mut document, digest.as_str(), size);
            self.replace(&parent, document.to_string().into());
        }
        digest
    }

    fn source(&self) -> StoreSource {
        let mut store = Store::default();
        for (bytes, media_type) in self.manifests.values() {
            store.put_manifest(bytes.clone(), media_type);
        }
        for bytes in self.blobs.values() {
            store.put_blob(bytes.clone());
        }
        let built = Built {
            store,
            root: self.root.clone(),
            served_as: self.root_type.clone(),
            saved: false,
            names: Names::default(),
        };
        StoreSource::alone(built)
    }
}

/// Gives the descriptors of a digest their new size.
fn resize(value: &mut Value, digest: &str, size: usize) {
    match value {
        Value::Object(members) => {
            if members.get("digest").is_some_and(|it| it == digest) && members.contains_key("size") {
                members.insert("size".to_owned(), size.into());
            }
            members.values_mut().for_each(|value| resize(value, digest, size));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| resize(value, digest, size)),
        _ => {}
    }
}

/// One change.
fn change(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = chance.below(bytes.len());
    let length = 1 + chance.below(24);
    let end = (at + length).min(bytes.len());
    match chance.below(8) {
        0 => bytes[at] ^= 1 << chance.below(8),
        1 => drop(bytes.drain(at..end)),
        2 => bytes.insert(at, b"\"{}[],:0 \\\0\xff"[chance.below(12)]),
        3 => {
            let repeated = bytes[at..end].to_vec();
            bytes.splice(at..at, repeated);
        }
        4 => bytes.truncate(at),
        _ => return within(&bytes, chance).unwrap_or(bytes),
    }
    bytes
}

/// A change of one value or member, which leaves the document JSON.
fn within(bytes: &[u8], chance: &mut Chance) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(bytes).ok()?;
    let mut pointers = Vec::new();
    collect(&document, String::new(), &mut pointers);
    let pointer = pointers.get(chance.below(pointers.len()))?.clone();
    let (parent, name) = pointer.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    let other = [json!(null), json!(0), json!(-1), json!(""), json!([]), json!({}), json!(true), json!(1e300)];
    let value = other[chance.below(other.len())].clone();
    match (document.pointer_mut(parent)?, chance.below(5)) {
        (Value::Object(members), 0) => drop(members.remove(&name)),
        (Value::Object(members), 1) => {
            let value = members.remove(&name)?;
            members.insert(name.to_uppercase(), value);
        }
        (Value::Object(members), 2) => drop(members.insert(name.to_uppercase(), value)),
        (Value::Object(members), 3) => {
            // A second member of the same name, before or after the first.
            let first = members.get(&name)?.to_string();
            let (key, text) = (json!(name).to_string(), document.to_string());
            let (old, new) = (format!("{key}:{first}"), format!("{key}:{value}"));
            let both = if chance.below(2) == 0 { format!("{new},{old}") } else { format!("{old},{new}") };
            return Some(text.replacen(&old, &both, 1).into_bytes());
        }
        (Value::Object(members), _) => drop(members.insert(name, value)),
        (Value::Array(values), what) => {
            let at = name.parse::<usize>().ok().filter(|at| *at < values.len())?;
            match what {
                0 => drop(values.remove(at)),
                1 => values.push(values[at].clone()),
                _ => values[at] = value,
            }
        }
        _ => return None,
    }
    Some(document.to_string().into_bytes())
}

fn collect(value: &Value, pointer: String, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                collect(value, format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                collect(value, format!("{pointer}/{at}"), into);
            }
        }
        _ => {}
    }
    into.push(pointer);
}

fn judge(image: &Stored, policy: &Policy, runtime: &tokio::runtime::Runtime) -> ImageReport {
    let target = Target::parse("ghcr.io/acme/app:1.2.3").expect("a target");
    let now: Timestamp = "2026-11-24T00:00:00Z".parse().expect("a time");
    let walk = |deadline| Walk::new(Arc::new(image.source()), Budget::default(), deadline);
    runtime.block_on(async {
        let walk = walk(Instant::now() + Duration::from_mins(1));
        judge_source(policy, &Options::default(), &target, &walk, now, &Silent).await
    })
}

/// A place in a document.
type Location = (Option<Digest>, String);

/// What was violated, and where: places by the rule and the subject of the cell.
fn violations(report: &ImageReport) -> BTreeMap<(String, String), Vec<Location>> {
    let violated = report.cells.iter().filter(|cell| cell.verdict == CellVerdict::Violation);
    violated
        .map(|cell| {
            let place = |finding: &ocilint::report::SealedFinding| {
                (finding.location.digest.clone(), finding.location.pointer.clone())
            };
            ((cell.rule.clone(), cell.subject.clone()), cell.findings.iter().map(place).collect())
        })
        .collect()
}

/// Whether what a finding pointed to, or where it would have to stand, reads otherwise now.
fn is_mended(places: &[Location], changed: &Digest, before: &[u8], after: &[u8]) -> bool {
    let (Ok(before), Ok(after)) = (serde_json::from_slice::<Value>(before), serde_json::from_slice::<Value>(after))
    else {
        return false;
    };
    places.iter().any(|(document, pointer)| {
        let here = document.as_ref() == Some(changed);
        // A finding about another document is mended by any change of what this one says.
        // The platform of a config is three members, of which findings point to one.
        let members =
            if pointer == "/architecture" { vec!["/os", pointer, "/variant"] } else { vec![pointer.as_str()] };
        let differs = |pointer: &&str| before.pointer(pointer) != after.pointer(pointer);
        if here { members.iter().any(differs) } else { before != after }
    })
}

#[test]
fn no_change_hides_what_was_found() {
    let policy = Policy::from_text("mutations.toml", POLICY, std::path::Path::new(".")).expect("a policy");
    let images: Vec<Stored> = LAYOUTS.iter().map(|name| Stored::of_layout(name)).collect();
    let workers: Vec<_> = (0..2)
        .map(|worker| {
            let (policy, images) = (policy.clone(), images.clone());
            std::thread::spawn(move || mutate(worker, &policy, &images))
        })
        .collect();
    let ended: Vec<_> = workers.into_iter().map(|worker| worker.join().expect("no panic")).collect();
    let (judged, ended): (Vec<usize>, Vec<Vec<String>>) = ended.into_iter().unzip();
    println!("{} changed images judged without a panic", judged.iter().sum::<usize>());
    let hidden = ended.concat();
    assert!(
        hidden.is_empty(),
        "{} changes hide a finding:\n{}",
        hidden.len(),
        hidden[..hidden.len().min(20)].join("\n")
    );
}

fn mutate(worker: u64, policy: &Policy, images: &[Stored]) -> (usize, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let found: Vec<_> = images.iter().map(|image| violations(&judge(image, policy, &runtime))).collect();
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15 ^ (worker + 1));
    let mut hidden = Vec::new();
    let mine = MUTATIONS / 2;
    for number in 0..mine {
        let which = number % images.len();
        let documents = images[which].documents();
        let old = &documents[chance.below(documents.len())];
        let before = images[which].bytes(old).clone();
        let after = change(&before, &mut chance);
        let (image, _) = images[which].with(old, after.clone());
        let report = judge(&image, policy, &runtime);
        for cell in report.cells.iter().filter(|cell| cell.verdict == CellVerdict::Pass) {
            let Some(places) = found[which].get(&(cell.rule.clone(), cell.subject.clone())) else { continue };
            if !is_mended(places, old, &before, &after) {
                let shown = String::from_utf8_lossy(&after);
                hidden.push(format!("{} {} of {} ({old}): {shown:.2000}", cell.rule, cell.subject, LAYOUTS[which]));
            }
        }
    }
    (mine, hidden)
}

#[test]
fn no_truncation_makes_reading_panic() {
    let mut chance = Chance(7);
    let mut documents: Vec<Bytes> = files(&corpus())
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .map(|file| Bytes::from(std::fs::read(file).expect("a file")))
        .collect();
    let long: Vec<Bytes> = documents.extract_if(.., |bytes| bytes.len() > TRUNCATED_BYTES).collect();
    let mut cuts = Vec::new();
    for _ in 0..TRUNCATED {
        let bytes = documents.swap_remove(chance.below(documents.len()));
        cuts.extend((0..bytes.len()).map(|end| bytes.slice(..end)));
    }
    for bytes in long {
        cuts.extend((0..bytes.len()).step_by(bytes.len() / CUTS).map(|end| bytes.slice(..end)));
    }
    let (one, other) = cuts.split_at(cuts.len() / 2);
    std::thread::scope(|scope| {
        for half in [one, other] {
            scope.spawn(|| half.iter().for_each(super::documents::read_as_everything));
        }
    });
    println!("{TRUNCATED} files read as everything, cut short at every length, and longer ones: {} cuts", cuts.len());
}

/// A document is still read after all this, so the tests above compare something.
#[test]
fn the_images_are_found_to_violate_much() {
    let policy = Policy::from_text("mutations.toml", POLICY, std::path::Path::new(".")).expect("a policy");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for name in LAYOUTS {
        let image = Stored::of_layout(name);
        assert!(Document::<Manifest>::read(image.bytes(&image.root).clone()).is_ok(), "{name}");
        let found = violations(&judge(&image, &policy, &runtime));
        println!("{name}: {} cells violated", found.len());
        assert!(found.len() >= 10, "{name}: {found:?}");
    }
}
