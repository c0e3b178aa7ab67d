use serde_json::{Value, json};

use super::super::fixtures::*;
use super::super::{Format, Options};
use super::*;
use crate::report::{ImageReport, Report};

const SARIF: &str = include_str!("../../../tests/schemas/sarif-2.1.0.json");

fn options() -> SarifOptions {
    SarifOptions { root: "/repository".into(), cwd: "/repository".into(), ..SarifOptions::default() }
}

fn bytes(report: &Report, sarif: SarifOptions) -> Vec<u8> {
    let mut out = Vec::new();
    let options = Options { sarif, ..Options::default() };
    super::super::write(Format::Sarif, report, &options, &mut out).unwrap();
    out
}

fn written(report: &Report) -> Value {
    serde_json::from_slice(&bytes(report, options())).unwrap()
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

/// The official schema, and what GitHub refuses or drops silently beyond it.
fn assert_accepted(log: &Value) {
    // Two of its patterns have a bracket too many, which JavaScript forgives.
    let schema: Value = serde_json::from_str(&SARIF.replace("{2}]?$", "{2})?$").replace("{2}-[", "{2}(-[")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(problems, [""; 0]);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        for text in ["/shortDescription/text", "/fullDescription/text", "/help/text", "/help/markdown"] {
            assert!(!rule.pointer(text).unwrap().as_str().unwrap().is_empty(), "{text}");
        }
    }
    let mut fingerprints = BTreeSet::new();
    for result in results(log) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let message = result["message"].as_object().unwrap();
        assert_eq!(message.keys().collect::<Vec<_>>(), ["text"]);
        assert!(message["text"].as_str().unwrap().ends_with('.'), "{message:?}");
        assert!(
            fingerprints.insert(result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned())
        );
        let related = result["relatedLocations"].as_array().into_iter().flatten();
        for location in result["locations"].as_array().unwrap().iter().chain(related) {
            let physical = &location["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(
                !uri.is_empty() && !uri.starts_with('/') && !uri.contains([':', ' ', '\\']) && !uri.contains(".."),
                "{uri}"
            );
            let region = |name: &str| physical["region"][name].as_u64().unwrap();
            assert!(region("startLine") >= 1 && region("endLine") == region("startLine"));
            assert!(region("startColumn") >= 1 && region("endColumn") > region("startColumn"));
        }
    }
}

#[test]
fn every_report_is_accepted() {
    let mut waived_only = passing("ghcr.io/acme/app:1");
    waived_only.cells.push(waived("linux/amd64"));
    for report in [everything(), report(vec![waived_only]), report(Vec::new())] {
        assert_accepted(&written(&report));
    }
}

#[test]
fn the_shape_is_what_code_scanning_reads() {
    let mut report = report(vec![image(
        "ghcr.io/acme/app:1.2",
        vec![root_user("linux/amd64"), unknown("sbom", Level::Error, "linux/arm64")],
    )]);
    Arc::make_mut(&mut report.run).instances.retain(|instance| ["user", "sbom"].contains(&instance.name.as_str()));
    let out = bytes(&report, options());
    let text = String::from_utf8(out).unwrap();
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "…"));
}

#[test]
fn passes_and_waived_findings_are_left_out() {
    let mut image = passing("ghcr.io/acme/app:1");
    image.cells.push(waived("linux/amd64"));
    let log = written(&report(vec![image]));
    assert!(results(&log).is_empty());
    assert_eq!(log["runs"][0]["invocations"][0], json!({ "executionSuccessful": true, "exitCode": 0 }));
}

#[test]
fn findings_alone_are_a_success() {
    let log = written(&report(vec![image("ghcr.io/acme/app:1", vec![root_user("linux/amd64")])]));
    assert_eq!(results(&log).len(), 1);
    assert_eq!(log["runs"][0]["invocations"][0], json!({ "executionSuccessful": true, "exitCode": 1 }));
}

#[test]
fn what_could_not_be_checked_never_looks_fixed() {
    let unread = failed("ghcr.io/acme/app:1", TargetFailure::Unread(forbidden()));
    let usage =
        failed("ghcr.io/acme/app:1", TargetFailure::Usage { message: "no rule".to_owned(), help: String::new() });
    let of_level = |level| {
        image("ghcr.io/acme/app:1", vec![unknown("sbom", level, "linux/amd64"), unknown("user", level, "linux/amd64")])
    };
    for (image, count, success) in
        [(unread, 0, false), (usage, 0, false), (of_level(Level::Error), 2, false), (of_level(Level::Warning), 2, true)]
    {
        let log = written(&report(vec![image]));
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], json!(success));
        assert_eq!(invocation["toolExecutionNotifications"].as_array().unwrap().len(), 1);
        assert_eq!(results(&log).len(), count);
        assert_accepted(&log);
    }
}

#[test]
fn alike_findings_of_two_tags_are_two_alerts() {
    let tagged = |tag: &str| ImageReport {
        identity: "ghcr.io/acme/app".to_owned(),
        ..image(&format!("ghcr.io/acme/app:{tag}"), vec![root_user("linux/amd64")])
    };
    let log = written(&report(vec![tagged("1"), tagged("2")]));
    let hash =
        |n: usize| results(&log)[n]["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned();
    assert!(hash(0).ends_with(":1") && hash(1).ends_with(":2"));
    assert_eq!(hash(0).split(':').next(), hash(1).split(':').next());
    assert_accepted(&log);
}

#[test]
fn too_many_results_keep_the_gravest_and_say_so() {
    let many = (0..3_000).map(|number| {
        image(&format!("ghcr.io/acme/app{number}:1"), vec![lacks_platform(Level::Warning), root_user("linux/amd64")])
    });
    let log = written(&report(many.collect()));
    assert_eq!(results(&log).len(), 5_000);
    let of = |level: &str| results(&log).iter().filter(|result| result["level"] == level).count();
    assert_eq!((of("error"), of("warning")), (3_001, 1_999));
    assert_eq!(
        results(&log)[4_999]["message"]["text"],
        "1001 more results are left out here: code scanning takes 5000 of a run."
    );
    assert_accepted(&log);
}

#[test]
fn text_from_images_makes_no_links() {
    let mut cell = root_user("linux/amd64");
    cell.findings[0].message = "label 'x' is '[click](https://example.com)'".to_owned();
    let log = written(&report(vec![image("ghcr.io/acme/app:1", vec![cell])]));
    let text = results(&log)[0]["message"]["text"].as_str().unwrap();
    assert_eq!(text.matches("](").count(), 1, "only the link to the policy: {text}");
}

#[test]
fn a_category_names_the_run() {
    let out = bytes(&everything(), SarifOptions { category: Some("prod".to_owned()), ..options() });
    let log: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(log["runs"][0]["automationDetails"]["id"], "ocilint/prod/");
}
