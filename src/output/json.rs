//! The report for programs: one document, `ocilint/report/v1`.
//!
//! The structs here are the published shape ([`SCHEMA`]): fields are added, never changed or removed.

use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;

use crate::graph::Why;
use crate::oci::{Digest, MediaType};
use crate::policy::Level;
use crate::report::{
    Cell, CellVerdict, Diagnostic, Fetched, ImageReport, JudgedPlatform, PolicyPlace, Run, SealedFinding, Tally,
    TargetFailure, WaiverNote,
};

use super::Writer;
use super::text::JsonStream;

/// The JSON Schema of the report.
pub const SCHEMA: &str = include_str!("report-v1.schema.json");

/// Writes one indented document with a line feed at its end, image by image.
pub(super) struct Json {
    run: Arc<Run>,
    stream: JsonStream,
}

impl Json {
    pub(super) fn new(run: Arc<Run>) -> Self {
        Self { run, stream: JsonStream::default() }
    }
}

impl Writer for Json {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let json = &mut self.stream;
        let policy = |source: &Arc<crate::policy::PolicySource>| PolicyJson {
            source: source.name.clone(),
            sha256: source.sha256.clone(),
            fallback: self.run.fallback,
        };
        json.begin_object(out)?;
        json.field("schema", "ocilint/report/v1", out)?;
        json.field("tool", &TOOL, out)?;
        json.field("observed_at", &self.run.observed_at, out)?;
        json.field("policies", &self.run.policies.iter().map(policy).collect::<Vec<_>>(), out)?;
        json.begin_list("images", out)
    }

    fn image(&mut self, image: &ImageReport, out: &mut dyn Write) -> io::Result<()> {
        self.stream.element(&ImageJson::from(image), out)
    }

    fn end(&mut self, tally: &Tally, out: &mut dyn Write) -> io::Result<()> {
        let json = &mut self.stream;
        json.end_list(out)?;
        json.field("exit", &tally.exit_status().code(), out)?;
        json.field("complete", &tally.is_complete(), out)?;
        json.field("diagnostics", &tally.remarks().map(DiagnosticJson::from).collect::<Vec<_>>(), out)?;
        json.field("fetched", &tally.fetched, out)?;
        json.field("baseline", &tally.baseline, out)?;
        if let Some(comparison) = &tally.comparison {
            json.field("comparison", comparison, out)?;
        }
        json.end_object(out)
    }
}

/// This program, as documents for programs name it.
pub(super) const TOOL: Tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };

#[derive(Serialize)]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct PolicyJson {
    source: String,
    sha256: String,
    fallback: bool,
}

#[derive(Serialize)]
struct ImageJson<'r> {
    target: &'r str,
    name: Option<&'r str>,
    repository: Option<&'r str>,
    digest: Option<&'r Digest>,
    kind: Option<&'static str>,
    media_type: Option<&'r MediaType>,
    platforms: &'r [JudgedPlatform],
    error: Option<ErrorJson<'r>>,
    cells: Vec<CellJson<'r>>,
    diagnostics: Vec<DiagnosticJson<'r>>,
    fetched: Fetched,
}

#[derive(Serialize)]
struct ErrorJson<'r> {
    kind: &'static str,
    message: String,
    help: &'r str,
    why: Option<&'r Why>,
}

#[derive(Serialize)]
struct CellJson<'r> {
    rule: &'r str,
    kind: &'static str,
    level: Level,
    effective_from: Option<&'r str>,
    subject: &'r str,
    verdict: CellVerdict,
    reason: Option<&'r str>,
    help: Option<&'r str>,
    evidence: Option<&'r str>,
    waiver: Option<&'r WaiverNote>,
    findings: &'r [SealedFinding],
}

#[derive(Serialize)]
struct DiagnosticJson<'r> {
    level: Level,
    message: &'r str,
    help: Option<&'r str>,
    policy: Option<&'r PolicyPlace>,
}

impl<'r> From<&'r ImageReport> for ImageJson<'r> {
    fn from(image: &'r ImageReport) -> Self {
        Self {
            target: &image.target,
            name: image.name.as_deref(),
            repository: image.repository.as_deref(),
            digest: image.digest.as_ref(),
            kind: image.kind,
            media_type: image.media_type.as_ref(),
            platforms: &image.platforms,
            error: image.error.as_ref().map(ErrorJson::from),
            cells: image.cells.iter().map(CellJson::from).collect(),
            diagnostics: image.remarks.iter().chain(&image.waivers.unneeded).map(DiagnosticJson::from).collect(),
            fetched: image.fetched,
        }
    }
}

impl<'r> From<&'r TargetFailure> for ErrorJson<'r> {
    fn from(failure: &'r TargetFailure) -> Self {
        match failure {
            TargetFailure::Unread(why) => {
                Self { kind: "unread", message: why.to_string(), help: why.help(), why: Some(why) }
            }
            TargetFailure::Usage { message, help } => Self { kind: "usage", message: message.clone(), help, why: None },
        }
    }
}

impl<'r> From<&'r Cell> for CellJson<'r> {
    fn from(cell: &'r Cell) -> Self {
        Self {
            rule: &cell.rule,
            kind: cell.kind,
            level: cell.level,
            effective_from: cell.effective_from.as_deref(),
            subject: &cell.subject,
            verdict: cell.verdict,
            reason: cell.reason.as_deref(),
            help: cell.help.as_deref(),
            evidence: cell.evidence.as_deref(),
            waiver: cell.waiver.as_ref(),
            findings: &cell.findings,
        }
    }
}

impl<'r> From<&'r Diagnostic> for DiagnosticJson<'r> {
    fn from(diagnostic: &'r Diagnostic) -> Self {
        Self {
            level: diagnostic.level,
            message: &diagnostic.message,
            help: diagnostic.help.as_deref(),
            policy: diagnostic.place.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::*;
    use super::super::{Format, Options, write};
    use super::*;
    use crate::report::Report;

    fn bytes(report: &Report) -> Vec<u8> {
        let mut out = Vec::new();
        write(Format::Json, report, &Options::default(), &mut out).unwrap();
        out
    }

    fn written(report: &Report) -> Value {
        serde_json::from_slice(&bytes(report)).unwrap()
    }

    /// Consumers must accept fields that they do not know; this project must declare every field that it writes.
    fn closed(mut schema: Value) -> Value {
        if let Value::Object(object) = &mut schema
            && object.contains_key("properties")
        {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        match schema {
            Value::Object(object) => object.into_iter().map(|(name, value)| (name, closed(value))).collect(),
            Value::Array(items) => items.into_iter().map(closed).collect(),
            other => other,
        }
    }

    fn problems(schema: &Value, report: &Value) -> Vec<String> {
        let validator = jsonschema::validator_for(schema).unwrap();
        validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[test]
    fn every_report_meets_its_schema() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let reports = [everything(), compared(), report(vec![passing("ghcr.io/acme/app:1")]), report(Vec::new())];
        for value in reports.iter().map(written) {
            assert_eq!(problems(&schema, &value), [""; 0]);
            assert_eq!(problems(&closed(schema.clone()), &value), [""; 0]);
        }
    }

    #[test]
    fn the_schema_refuses_what_is_no_report() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let good = written(&everything());
        for (pointer, bad) in [
            ("/exit", json!("1")),
            ("/images/1/cells/0/verdict", json!("ok")),
            ("/schema", json!("v2")),
            ("/images/0/digest", json!("x")),
        ] {
            let mut broken = good.clone();
            *broken.pointer_mut(pointer).unwrap() = bad;
            assert_ne!(problems(&schema, &broken), [""; 0], "{pointer}");
        }
    }

    #[test]
    fn a_comparison_names_every_image_that_differs() {
        let comparison = &written(&compared())["comparison"];
        let counts = ["images", "newly_failing", "newly_passing", "newly_unchecked", "unchanged", "not_compared"];
        assert_eq!(counts.map(|count| comparison[count].as_u64()), [4, 1, 1, 1, 1, 1].map(Some));
        assert_eq!(comparison["changes"].as_array().unwrap().len(), 3);
        assert_eq!(comparison.pointer("/changes/0/newly_failing"), Some(&json!(["user"])));
        assert_eq!(comparison.pointer("/changes/1/mended"), Some(&json!(["labels"])));
        assert_eq!(comparison.pointer("/changes/2/newly_unknown"), Some(&json!(["sbom"])));
        assert!(written(&everything()).get("comparison").is_none());
    }

    #[test]
    fn the_shape_is_stable() {
        let mut report = report(vec![image(
            "ghcr.io/acme/app:1.2",
            vec![root_user("linux/amd64"), unknown("sbom", Level::Error, "linux/arm64")],
        )]);
        report.images[0].platforms.truncate(1);
        let text = String::from_utf8(bytes(&report)).unwrap();
        insta::assert_snapshot!(
            text.replace(&format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION")), "\"version\": \"…\"")
        );
    }

    #[test]
    fn verdicts_and_failures_are_told_apart() {
        let value = written(&everything());
        assert_eq!((value["exit"].as_u64(), value["complete"].as_bool()), (Some(1), Some(false)));
        assert_eq!(value.pointer("/images/2/error/kind"), Some(&json!("unread")));
        assert_eq!(value.pointer("/images/2/error/why/cause/kind"), Some(&json!("forbidden")));
        assert_eq!(value.pointer("/images/3/error/kind"), Some(&json!("usage")));
        let waived = value
            .pointer("/images/1/cells")
            .and_then(Value::as_array)
            .unwrap()
            .iter()
            .find(|cell| cell["verdict"] == "waived")
            .unwrap();
        assert_eq!(waived["waiver"]["policy"]["line"], json!(40));
    }
}
