use serde_json::Value;

use super::fixtures::*;
use super::*;
use crate::finding::NodeRole;
use crate::graph::{Cause, Why};
use crate::oci::{MediaType, is_unsafe};
use crate::policy::Level;
use crate::report::{Excerpt, PolicyPlace, TargetFailure};

const NARROW: Style =
    Style { color: false, unicode: true, width: 80, quiet: false, narrated: false, hyperlinks: false };

fn written(format: Format, report: &Report, style: Style) -> String {
    let mut out = Vec::new();
    write(format, report, &Options { style, ..Options::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn human(report: &Report, style: Style) -> String {
    written(Format::Human, report, style)
}

#[test]
fn a_violation_shows_the_field_and_the_policy() {
    let image = image("ghcr.io/acme/app:1.2", vec![root_user("linux/amd64"), pass("labels", "linux/amd64")]);
    insta::assert_snapshot!(human(&report(vec![image]), NARROW));
}

#[test]
fn alike_findings_of_several_platforms_are_one_block() {
    let image = image("ghcr.io/acme/app:1.2", PLATFORMS.iter().map(|platform| root_user(platform)).collect());
    let text = human(&report(vec![image]), NARROW);
    assert_eq!(text.matches("error[user]").count(), 1);
    insta::assert_snapshot!(text);
}

#[test]
fn differing_findings_stay_apart() {
    let mut other = root_user("linux/arm64");
    other.findings[0].message = "the user is empty, which is root".to_owned();
    let image = image("ghcr.io/acme/app:1.2", vec![root_user("linux/amd64"), other]);
    assert_eq!(human(&report(vec![image]), NARROW).matches("error[user]").count(), 2);
}

#[test]
fn findings_at_different_positions_are_alike_across_platforms_only() {
    let at = |subject: &str, pointers: [&str; 2]| {
        let mut cell = root_user(subject);
        cell.findings = pointers
            .iter()
            .map(|pointer| crate::report::SealedFinding {
                location: crate::report::SealedLocation {
                    pointer: (*pointer).to_owned(),
                    ..cell.findings[0].location.clone()
                },
                ..cell.findings[0].clone()
            })
            .collect();
        cell
    };
    let cells = vec![at("linux/amd64", ["/layers/0", "/layers/1"]), at("linux/arm64", ["/layers/0", "/layers/2"])];
    let text = human(&report(vec![image("ghcr.io/acme/app:1.2", cells)]), NARROW);
    assert_eq!(text.matches("error[user] on linux/amd64, linux/arm64").count(), 2, "{text}");
    assert_eq!((text.matches("at /layers/0]").count(), text.matches("at /layers/1]").count()), (1, 1), "{text}");
}

#[test]
fn a_finding_without_an_excerpt_says_where_it_is() {
    let image = image("ghcr.io/acme/app:1.2", vec![lacks_platform(Level::Warning)]);
    insta::assert_snapshot!(human(&report(vec![image]), NARROW));
}

#[test]
fn unknown_cells_of_one_reason_are_said_once() {
    let unknown_on = |rule: &'static str| PLATFORMS.iter().map(move |platform| unknown(rule, Level::Error, platform));
    let image = image("ghcr.io/acme/app:1.2", unknown_on("sbom").chain(unknown_on("labels")).collect());
    insta::assert_snapshot!(human(&report(vec![image]), NARROW));
}

#[test]
fn waived_cells_have_their_reason() {
    let mut image = passing("ghcr.io/acme/app:1.2");
    image.cells.extend([waived("linux/amd64"), waived("linux/arm64")]);
    insta::assert_snapshot!(human(&report(vec![image]), NARROW));
}

#[test]
fn targets_that_could_not_be_judged() {
    let usage = TargetFailure::Usage {
        message: "no rule of the policy is for this image".to_owned(),
        help: "widen the `images` of a rule".to_owned(),
    };
    let images =
        vec![failed("ghcr.io/acme/secret:1", TargetFailure::Unread(forbidden())), failed("ghcr.io/acme/app:1", usage)];
    insta::assert_snapshot!(human(&report(images), NARROW));
}

#[test]
fn passing_images_are_a_line_each() {
    let images = vec![passing("ghcr.io/acme/app:1.2"), passing("ghcr.io/acme/base:1.0")];
    insta::assert_snapshot!(human(&report(images), Style { width: 120, ..NARROW }));
}

#[test]
fn quietly_only_what_fails_is_said() {
    let quiet = Style { quiet: true, ..NARROW };
    assert_eq!(human(&report(vec![passing("ghcr.io/acme/app:1")]), quiet), "");
    let warned = image(
        "ghcr.io/acme/app:1",
        vec![lacks_platform(Level::Warning), unknown("sbom", Level::Warning, "linux/amd64"), waived("linux/amd64")],
    );
    assert_eq!(human(&report(vec![warned]), quiet), "");
    insta::assert_snapshot!(human(&everything(), quiet));
}

#[test]
fn everything_in_ascii() {
    let text = human(&everything(), Style { unicode: false, ..NARROW });
    assert!(text.is_ascii());
    insta::assert_snapshot!(text);
}

#[test]
fn everything_narrated() {
    insta::assert_snapshot!(human(&everything(), Style { narrated: true, ..NARROW }));
}

#[test]
fn everything_in_wide_colour() {
    let text = human(&everything(), Style { width: 120, color: true, hyperlinks: true, ..NARROW });
    insta::assert_snapshot!(text.replace('\u{1b}', "␛"));
}

#[test]
fn lines_keep_to_the_width_but_for_what_is_to_be_copied() {
    for width in [80, 100, 120] {
        let text = human(&everything(), Style { width, ..NARROW });
        let copied = |line: &str| line.contains("docker buildx") || line.contains("sha256:");
        let long: Vec<&str> =
            text.lines().filter(|line| textwrap::core::display_width(line) > width && !copied(line)).collect();
        assert_eq!(long, [""; 0]);
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for format in [Format::Human, Format::Json, Format::Sarif] {
        assert_eq!(written(format, &everything(), NARROW), written(format, &everything(), NARROW));
    }
}

#[test]
fn destinations_are_a_format_and_a_path() {
    let parse = |text: &str| text.parse::<Destination<Format>>();
    assert_eq!(parse("json"), Ok(Destination { format: Format::Json, path: None }));
    assert_eq!(parse("human=-"), Ok(Destination { format: Format::Human, path: None }));
    assert_eq!(parse("sarif=a=b.sarif"), Ok(Destination { format: Format::Sarif, path: Some("a=b.sarif".into()) }));
    assert_eq!(parse("sarif="), Err(DestinationError::NoPath("sarif")));
    assert_eq!(
        parse("xml\u{1b}").unwrap_err().to_string(),
        "`xml\\u{1b}` is no output format; there are `human`, `json` and `sarif`"
    );
}

/// Texts that an image could hold to act on whoever reads a report.
fn payloads() -> Vec<String> {
    let controls = (0..=0x1f_u32).chain(0x7f..=0x9f);
    let invisible =
        [0xad, 0x61c, 0x180e, 0xfeff].into_iter().chain(0x200b..=0x200f).chain(0x2028..=0x202e).chain(0x2060..=0x206f);
    let tags = [0xe0001, 0xe0041, 0xe007f, 0xfff9, 0xfffb];
    let characters = controls.chain(invisible).chain(tags).filter_map(char::from_u32);
    let commands = [
        "::error::forged",
        "::add-mask::x",
        "::stop-commands::x",
        "##[error]forged",
        "##[add-mask]x",
        "##vso[task.complete result=Succeeded;]",
        "##teamcity[buildStatus status='SUCCESS']",
        "\u{1b}[2J\u{1b}[H",
        "\u{1b}]0;title\u{7}",
        "\u{1b}]8;;https://example.com\u{1b}\\x",
        "section_start:1:x\r\u{1b}[0K",
        "<script>alert(1)</script>",
        "[x](https://example.com)",
        "![x](https://example.com/x.png)",
        "{0}",
        "%0A::error::x",
        "\r\n\r\nHTTP/1.1 200",
        "e\u{301}\u{301}\u{301}",
    ];
    let placed = |text: &str| [text.to_owned(), format!("x\n{text}"), format!("x {text} y")];
    let mut payloads: Vec<String> =
        characters.flat_map(|c| [format!("a{c}b"), format!("{c}::error::forged\n✓ forged\nexit 0: forged")]).collect();
    payloads.extend(commands.iter().flat_map(|text| placed(text)));
    payloads.extend((0..60).map(|length| format!("{}::error::forged ✓ forged", "w ".repeat(length))));
    payloads.push("🦀é日本".repeat(200));
    assert!(payloads.len() >= 300, "{}", payloads.len());
    payloads
}

/// A report in which a text stands wherever an image, a registry or a file could put it.
fn poisoned(text: &str) -> Report {
    let place = PolicyPlace { file: format!("dir/{text}.toml"), line: 3, column: 2, text: format!(" x = '{text}'") };
    let mut found = root_user("linux/amd64");
    let document = serde_json::json!({ text: { "User": text } }).to_string();
    let finding = &mut found.findings[0];
    finding.message = format!("the user is '{text}'");
    finding.location.pointer = format!("/{}/User", text.replace('~', "~0").replace('/', "~1"));
    finding.location.excerpt = Excerpt::of(document.as_bytes(), &finding.location.pointer);
    assert!(finding.location.excerpt.is_some());
    finding.policy = Some(place.clone());
    let mut bare = lacks_platform(Level::Warning);
    bare.findings[0].location = crate::report::SealedLocation {
        node: NodeRole::Layer,
        pointer: text.to_owned(),
        ..bare.findings[0].location.clone()
    };
    bare.findings[0].message = text.to_owned();
    let mut unread = unknown("sbom", Level::Error, text);
    unread.reason = Some(text.to_owned());
    let mut covered = waived("linux/amd64");
    covered.evidence = Some(text.to_owned());
    if let Some(waiver) = &mut covered.waiver {
        waiver.reason = text.to_owned();
        waiver.place = place.clone();
    }
    let mut judged = image("ghcr.io/acme/app:1.2", vec![found, bare, unread, covered]);
    judged.target = text.to_owned();
    judged.name = Some(text.to_owned());
    judged.media_type = Some(MediaType::from(text));
    judged.platforms[0].platform = text.to_owned();
    judged.remarks.push(crate::report::Diagnostic { message: text.to_owned(), place: Some(place), ..remark() });
    let why = Why::new(text, Cause::NotFound { detail: text.to_owned() });
    let mut report = report(vec![judged, failed(text, TargetFailure::Unread(why))]);
    report.images[0].remarks.push(crate::report::Diagnostic { message: text.to_owned(), ..remark() });
    Arc::make_mut(&mut report.run).instances[0].help = Some(text.to_owned());
    report
}

/// Every string of a document, with the name of its member.
fn strings<'v>(name: &'v str, value: &'v Value, found: &mut Vec<(&'v str, &'v str)>) {
    match value {
        Value::String(text) => found.push((name, text)),
        Value::Array(items) => items.iter().for_each(|item| strings(name, item, found)),
        Value::Object(members) => members.iter().for_each(|(name, item)| strings(name, item, found)),
        _ => {}
    }
}

#[test]
fn no_text_acts_on_whoever_reads_a_report() {
    let styles = [
        NARROW,
        Style { unicode: false, ..NARROW },
        Style { narrated: true, ..NARROW },
        Style { quiet: true, width: 120, ..NARROW },
    ];
    let runs =
        styles.map(|style| (Format::Human, style)).into_iter().chain([(Format::Json, NARROW), (Format::Sarif, NARROW)]);
    let runs: Vec<_> = runs.collect();
    for payload in payloads() {
        let report = poisoned(&payload);
        for (format, style) in &runs {
            let out = written(*format, &report, *style);
            let raw: Vec<char> = out.chars().filter(|c| *c != '\n' && is_unsafe(*c)).collect();
            assert!(raw.is_empty(), "{format:?} of {payload:?}: {raw:?}");
            for line in out.lines() {
                assert!(!line.trim_start().starts_with("::"), "{format:?} of {payload:?}: {line}");
                assert!(
                    !["##[", "##vso[", "##teamcity["].iter().any(|command| line.contains(command)),
                    "{format:?} of {payload:?}: {line}"
                );
                assert!(
                    !["✓ forged", "exit 0: forged"].iter().any(|forged| line.starts_with(forged)),
                    "{format:?} of {payload:?}: {line}"
                );
            }
        }
    }
}

#[test]
fn text_in_sarif_is_escaped_for_viewers_too() {
    for payload in payloads() {
        let log: Value = serde_json::from_str(&written(Format::Sarif, &poisoned(&payload), NARROW)).unwrap();
        let mut found = Vec::new();
        strings("", &log["runs"][0]["results"], &mut found);
        strings("", &log["runs"][0]["invocations"], &mut found);
        for (name, text) in found {
            assert!(!text.chars().any(|c| c != '\n' && is_unsafe(c)), "{payload:?}: {text:?}");
            assert!(name != "text" || !text.replace("[here](1)", "").contains("]("), "{payload:?}: {text}");
        }
    }
}
