//! Documents: the image specification's own cases, and every file there is as everything that we read.

use std::fs;

use bytes::Bytes;
use ocilint::oci::{Descriptor, Document, ImageConfig, Manifest, MediaType, Statement, locate};

use super::differences::Comparison;
use super::{corpus, files, rows, text};

#[test]
fn the_image_specs_own_cases_are_judged_as_labelled() {
    let mut comparison = Comparison::new("image-spec cases");
    for row in rows("imagespec-cases/cases.jsonl") {
        let file = text(&row, "file");
        let bytes = Bytes::from(fs::read(corpus().join("imagespec-cases").join(file)).unwrap());
        let Some(valid) = is_valid(text(&row, "kind"), bytes) else { continue };
        comparison.compare(file, &row["valid"].as_bool(), &Some(valid));
    }
    comparison.settle();
}

/// Whether a document is valid and unambiguous; `None` for kinds that stand in no document of their own.
fn is_valid(kind: &str, bytes: Bytes) -> Option<bool> {
    match kind {
        "manifest" | "index" | "image-index" => {
            Some(Document::<Manifest>::read(bytes).is_ok_and(|document| is_sound(&document)))
        }
        "config" => Some(Document::<ImageConfig>::read(bytes).is_ok_and(|document| is_sound(&document))),
        "descriptor" => {
            // A descriptor is judged where it stands: as the config of a manifest.
            let text = String::from_utf8(bytes.to_vec()).ok()?;
            let manifest = format!(r#"{{"schemaVersion":2,"config":{text},"layers":[]}}"#);
            Some(Document::<Manifest>::read(Bytes::from(manifest)).is_ok_and(|document| is_sound(&document)))
        }
        _ => None,
    }
}

fn is_sound<T>(document: &Document<T>) -> bool {
    document.ambiguities().is_empty() && document.defects().is_empty()
}

/// Whatever a file is, reading it as anything ends in an answer.
#[test]
fn no_file_makes_reading_panic() {
    let mut read = 0;
    for file in files(&corpus()) {
        let bytes = Bytes::from(fs::read(&file).unwrap());
        let cuts = [bytes.len(), bytes.len() / 2, bytes.len() / 3, bytes.len().saturating_sub(1)];
        for cut in cuts {
            read_as_everything(&bytes.slice(..cut));
        }
        read += 1;
    }
    println!("{read} files read as everything, whole and cut short");
    assert!(read > 500, "the real data is there");
}

pub(crate) fn read_as_everything(bytes: &Bytes) {
    if let Ok(document) = Document::<Manifest>::read(bytes.clone()) {
        let descriptors: Vec<&Descriptor> = match document.value() {
            Manifest::Index(index) => index.manifests.iter().collect(),
            Manifest::Image(image) => image.config.iter().chain(&image.layers).collect(),
            Manifest::Schema1(_) => Vec::new(),
        };
        for descriptor in descriptors {
            let _ = (descriptor.layer_classes(), descriptor.inline_data());
        }
        assert!(locate(document.text(), "").is_some(), "the whole of a document can be located");
    }
    let _ = Document::<ImageConfig>::read(bytes.clone());
    for media_type in
        ["application/vnd.in-toto+json", "application/vnd.dev.sigstore.bundle.v0.3+json", "text/spdx+json"]
    {
        let _ = Statement::read(bytes, &MediaType::from(media_type));
    }
}
