//! References, digests and platforms.

use ocilint::oci::{Digest, Platform, Reference};
use serde_json::Value;

use super::differences::Comparison;
use super::{rows, text};

#[test]
fn digests_agree_with_go_digest() {
    let mut comparison = Comparison::new("digests");
    for row in rows("references/digests.jsonl") {
        let input = text(&row, "input");
        comparison.compare(input, &row["valid"].as_bool(), &Some(input.parse::<Digest>().is_ok()));
    }
    comparison.settle();
}

/// The rows of distribution's own tables; other libraries differ from it on purpose.
#[test]
fn references_agree_with_distribution() {
    let mut comparison = Comparison::new("references");
    for row in rows("references/references.jsonl").iter().filter(|row| text(row, "source").starts_with("distribution/"))
    {
        reference(row, &mut comparison);
    }
    comparison.settle();
}

fn reference(row: &Value, comparison: &mut Comparison) {
    let key = format!("{} {}", text(row, "api"), text(row, "input"));
    let ours = Reference::parse(text(row, "input"));
    comparison.compare(&key, &row["valid"].as_bool(), &Some(ours.is_ok()));
    let (Ok(ours), Some(true)) = (ours, row["valid"].as_bool()) else { return };
    let mut field = |name: &str, ours: String| {
        if let Some(label) = row[name].as_str() {
            comparison.compare(&key, &label.to_owned(), &ours);
        }
    };
    field("domain", ours.registry().to_owned());
    field("path", ours.repository().to_owned());
    field("tag", ours.tag().unwrap_or_default().to_owned());
    field("digest", ours.digest().map(ToString::to_string).unwrap_or_default());
    field("equivalent", ours.to_string());
}

#[test]
fn platforms_agree_with_containerd() {
    let mut comparison = Comparison::new("platforms");
    let parsed =
        rows("references/platforms.jsonl").into_iter().filter(|row| text(row, "source").starts_with("containerd/"));
    for row in parsed.filter(|row| text(row, "api").contains("Parse")) {
        let input = text(&row, "input");
        let ours = input.parse::<Platform>();
        comparison.compare(input, &row["valid"].as_bool(), &Some(ours.is_ok()));
        let (Ok(ours), Some(label)) = (ours, row["parsed"].as_object()) else { continue };
        let said = |name: &str| label.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let variant = ours.variant.clone().unwrap_or_default();
        let ours = (ours.os, ours.architecture, variant);
        comparison.compare(input, &(said("OS"), said("Architecture"), said("Variant")), &ours);
    }
    comparison.settle();
}
