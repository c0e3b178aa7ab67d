//! Bills of materials, as files and in statements.

use std::fs;

use ocilint::oci::{MediaType, Sbom, SbomError, SbomFormat, Statement};
use serde_json::Value;

use super::differences::Comparison;
use super::{corpus, files, rows, text};

/// What a file holds: an SBOM, in a statement or not, or why it is none that can be read.
fn read(file: &str) -> Result<Sbom, String> {
    let bytes = fs::read(corpus().join("attestations").join(file)).unwrap();
    match Statement::read(&bytes, &MediaType::from("")) {
        Ok(statement) => match statement.sbom {
            Some(Ok(sbom)) => Ok(sbom),
            Some(Err(error)) => Err(error.to_string()),
            None => Err(format!("a statement of {}", statement.predicate_type)),
        },
        Err(_) => Sbom::read(&bytes).map_err(|error: SbomError| error.to_string()),
    }
}

#[test]
fn sboms_say_what_their_labels_say() {
    let mut comparison = Comparison::new("sboms");
    let (mut read_at_all, mut valid) = (0, 0);
    for row in rows("attestations/expectations.jsonl") {
        let (file, derived) = (text(&row, "file"), &row["derived"]);
        let inside = if derived["payload"].is_object() { &derived["payload"] } else { derived };
        let is_one = matches!(text(&row, "kind"), "spdx" | "cyclonedx") || inside["sbom_packages"].is_number();
        let sbom = read(file);
        let parses = row["upstream"]["parses"].as_bool();
        if let Ok(sbom) = &sbom {
            read_at_all += 1;
            valid += usize::from(sbom.defects.count == 0);
        }
        if is_one {
            comparison.compare(&format!("{file} is read"), &parses.unwrap_or(true), &sbom.is_ok());
        }
        if let Ok(sbom) = sbom {
            labels(file, inside, &sbom, &mut comparison);
        }
    }
    println!("{read_at_all} SBOMs read, {valid} of them without a defect");
    comparison.settle();
}

fn labels(file: &str, derived: &Value, sbom: &Sbom, comparison: &mut Comparison) {
    let mut same = |name: &str, label: Option<String>, ours: String| {
        if let Some(label) = label {
            comparison.compare(&format!("{file} {name}"), &label, &ours);
        }
    };
    let label = |name: &str| derived[name].as_str().map(str::to_owned);
    let number = |name: &str| derived[name].as_u64().map(|number| number.to_string());
    match sbom.format {
        SbomFormat::Spdx => {
            same("version", label("spdx_version"), format!("SPDX-{}", sbom.version));
            same("packages", number("packages"), sbom.packages.len().to_string());
            let creators = derived["creators"].as_array().map(|creators| format!("{creators:?}"));
            let ours: Vec<Value> = sbom.creators.iter().map(|creator| Value::from(creator.as_str())).collect();
            same("creators", creators, format!("{ours:?}"));
        }
        SbomFormat::CycloneDx => {
            same("version", label("spec_version"), sbom.version.clone());
            same("components", number("components"), sbom.packages.len().to_string());
            same("serial", label("serial"), sbom.identity.clone().unwrap_or_default());
        }
    }
    same("packages of the statement", number("sbom_packages"), sbom.packages.len().to_string());
}

/// Nothing panics, and what is no SBOM is none.
#[test]
fn every_file_is_read_or_refused() {
    let (mut read, mut refused) = (0, 0);
    for path in files(&corpus().join("attestations")) {
        let bytes = fs::read(&path).unwrap();
        match Sbom::read(&bytes) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
        for cut in (0..bytes.len()).step_by(bytes.len() / 50 + 1) {
            assert!(Sbom::read(&bytes[..cut]).is_err() || cut == bytes.len(), "{}: {cut}", path.display());
        }
    }
    println!("{read} read as an SBOM, {refused} refused");
    assert!(read > 60, "{read}");
}
