//! `JUnit` XML, in the form that Jenkins, GitLab and Azure DevOps read: a suite for each file, a test case for each case.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::oci::escape_lines;
use crate::report::{CaseStatus, Tested, TestedCase, TestedFile};

/// Writes what came of the tests.
pub(super) fn write(tested: &Tested, out: &mut dyn Write) -> io::Result<()> {
    let cases = tested.files.iter().map(|file| file.cases.len()).sum();
    let counts = counts(cases, |status| tested.count(status));
    let mut xml =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ocilint policy test\" {counts}>\n");
    for file in &tested.files {
        suite(file, &mut xml);
    }
    xml.push_str("</testsuites>\n");
    out.write_all(xml.as_bytes())
}

fn counts(cases: usize, count: impl Fn(CaseStatus) -> usize) -> String {
    let (failures, errors) = (count(CaseStatus::Failed), count(CaseStatus::Mistaken));
    format!("tests=\"{cases}\" failures=\"{failures}\" errors=\"{errors}\"")
}

fn suite(file: &TestedFile, xml: &mut String) {
    let name = text(&file.file);
    let _ = writeln!(xml, "  <testsuite name=\"{name}\" {}>", counts(file.cases.len(), |status| file.count(status)));
    for case in &file.cases {
        test_case(&name, case, xml);
    }
    xml.push_str("  </testsuite>\n");
}

fn test_case(file: &str, case: &TestedCase, xml: &mut String) {
    let head = format!(
        "    <testcase name=\"{}\" classname=\"{file}\" file=\"{file}\" line=\"{}\"",
        text(&case.name),
        case.line
    );
    let element = match case.status() {
        CaseStatus::Passed => {
            let _ = writeln!(xml, "{head}/>");
            return;
        }
        CaseStatus::Failed => "failure",
        CaseStatus::Mistaken => "error",
    };
    let problems = case.problems();
    let first = text(problems.first().map_or("", String::as_str));
    let all = text(&problems.join("\n"));
    let _ = writeln!(xml, "{head}>\n      <{element} message=\"{first}\">{all}</{element}>\n    </testcase>");
}

/// Text for an attribute or an element: without characters that XML 1.0 does not know, or that act on who reads it.
fn text(plain: &str) -> String {
    let mut safe = String::with_capacity(plain.len());
    for c in escape_lines(plain).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            // Azure DevOps takes `##vso[` anywhere in a log for a command.
            '#' => safe.push_str("&#35;"),
            _ => safe.push(c),
        }
    }
    safe
}
