use std::collections::BTreeSet;

use super::*;
use crate::output::Destination;
use crate::report::{Difference, Facet, FacetKey, TestedCase};

fn facet(key: FacetKey, value: &str, agrees: bool) -> Facet {
    Facet { key, value: value.to_owned(), agrees }
}

fn case(name: &str, differences: Vec<Difference>) -> TestedCase {
    TestedCase { name: name.to_owned(), line: 3, differences, mistake: None, shown: BTreeSet::new() }
}

/// One file with a case that passes and one that fails, in whose texts is all that must not get out.
fn tested() -> Tested {
    let difference = Difference {
        about: "user@linux/amd64".to_owned(),
        line: 7,
        column: 1,
        expected: vec![facet(FacetKey::Verdict, "violation", true), facet(FacetKey::Message, "toor", false)],
        got: vec![
            facet(FacetKey::Verdict, "violation", true),
            facet(FacetKey::In, "config", true),
            facet(FacetKey::Message, "runs as \u{1b}[2J<root>\n::error::x", false),
        ],
        help: None,
    };
    let cases = vec![case("good", Vec::new()), case("a & \"b\" <c>\u{1b}\u{202e}", vec![difference])];
    Tested { files: vec![TestedFile { file: "p.test.toml".to_owned(), cases }] }
}

fn written(format: Format, tested: &Tested, style: Style) -> String {
    let mut out = Vec::new();
    write(format, tested, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn people_read_what_was_expected_beside_what_came() {
    let expected = "\
✗ p.test.toml:3: a & \"b\" <c>\\u{1b}\\u{202e}
  user@linux/amd64: expected at p.test.toml:7:1
      violation
    - saying `toor`
      in config
    + saying `runs as \\u{1b}[2J<root>
    + ::error::x`

✓ p.test.toml: 1 other case passed

1 case passed, 1 failed
";
    assert_eq!(written(Format::Human, &tested(), Style::default()), expected);
}

#[test]
fn quiet_says_nothing_of_what_passes() {
    let quiet = Style { quiet: true, ..Style::default() };
    let shown = written(Format::Human, &tested(), quiet);
    assert!(shown.starts_with("✗ ") && shown.ends_with("\n1 case passed, 1 failed\n"), "{shown}");
    assert!(!shown.contains("others"), "{shown}");
    let mut good = tested();
    good.files[0].cases.pop();
    assert_eq!(written(Format::Human, &good, quiet), "");
}

#[test]
fn signs_are_words_for_screen_readers() {
    let narrated = written(Format::Human, &tested(), Style { narrated: true, ..Style::default() });
    for line in
        ["failed: p.test.toml:3", "    expected: saying `toor`", "    got: saying `runs as", "    both: violation"]
    {
        assert!(narrated.contains(line), "{narrated}");
    }
}

#[test]
fn junit_is_escaped() {
    let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"ocilint policy test\" tests=\"2\" failures=\"1\" errors=\"0\">
  <testsuite name=\"p.test.toml\" tests=\"2\" failures=\"1\" errors=\"0\">
    <testcase name=\"good\" classname=\"p.test.toml\" file=\"p.test.toml\" line=\"3\"/>
    <testcase name=\"a &amp; &quot;b&quot; &lt;c&gt;\\u{1b}\\u{202e}\" classname=\"p.test.toml\" file=\"p.test.toml\" line=\"3\">
      <failure message=\"MESSAGE\">MESSAGE</failure>
    </testcase>
  </testsuite>
</testsuites>
";
    let message = "user@linux/amd64: expected violation saying `toor`, got violation in config \
                   saying `runs as \\u{1b}[2J&lt;root&gt;&#10;::error::x`";
    assert_eq!(written(Format::Junit, &tested(), Style::default()), expected.replace("MESSAGE", message));
}

#[test]
fn json_is_for_programs() {
    let json: serde_json::Value = serde_json::from_str(&written(Format::Json, &tested(), Style::default())).unwrap();
    assert_eq!(json["schema"], "ocilint/tests/v1");
    assert_eq!(
        (&json["exit"], &json["passed"], &json["failed"], &json["mistaken"]),
        (&1.into(), &1.into(), &1.into(), &0.into())
    );
    let case = &json["files"][0]["cases"][1];
    assert_eq!(case["status"], "failed");
    assert_eq!(
        case["differences"][0]["expected"][1],
        serde_json::json!({"key": "message", "value": "toor", "agrees": false})
    );
}

#[test]
fn destinations_name_a_format_and_perhaps_a_file() {
    let parse = |text: &str| text.parse::<Destination<Format>>();
    assert_eq!(parse("junit=x.xml").unwrap(), Destination { format: Format::Junit, path: Some("x.xml".into()) });
    assert_eq!(parse("json=-").unwrap(), Destination { format: Format::Json, path: None });
    assert_eq!(
        parse("sarif").unwrap_err().to_string(),
        "`sarif` is no output format; there are `human`, `json` and `junit`"
    );
    assert_eq!(parse("junit=").unwrap_err().to_string(), "`junit=` names no file");
}
