//! `ocilint policy test`: what it says of tests that hold, that fail, and that are mistaken.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ocilint::cases::{self, Suite};
use ocilint::policy::PolicyError;
use ocilint::report::{ExitStatus, Tested, TestedCase};
use serde_json::Value;
use tempfile::TempDir;

use crate::policy::{directory, told};
use crate::program::{Run, run};

const MALFORMED: &str = include_str!("policy_tests/malformed.txt");
const POLICY: &str = "[rules.user]\n";
const GOOD: &str = "[[case]]\nname = \"a user\"\nexpect.user = \"pass\"\n";
const BAD: &str = "[[case]]\nname = \"root\"\nimage.config = { User = \"0\" }\nexpect.user = \"pass\"\n";

fn test(directory: &TempDir, args: &[&str]) -> Run {
    run(directory.path(), &[&["policy", "test"], args].concat())
}

/// Every mistake of a file of tests, whenever it is found.
fn mistakes(text: &str) -> Vec<PolicyError> {
    let suite = match Suite::parse("x.test.toml", text, Path::new("")) {
        Ok(suite) => suite,
        Err(errors) => return errors.0,
    };
    let early = suite.mistakes();
    if !early.is_empty() {
        return early;
    }
    let Tested { files } = cases::run(&[suite]).unwrap();
    files.into_iter().flat_map(|file| file.cases).filter_map(|case| case.mistake).map(|mistake| *mistake).collect()
}

/// Each case is `=== name`, the file, `---`, and what is told of it.
#[test]
fn malformed_tests_are_told_what_is_wrong_and_where() {
    let cases: Vec<&str> = MALFORMED.split("=== ").skip(1).collect();
    assert!(cases.len() >= 70, "{} cases", cases.len());
    let mut now = String::new();
    for case in cases {
        let (name, rest) = case.split_once('\n').unwrap();
        let text = rest.split_once("---\n").map_or(rest, |(text, _)| text);
        let mistakes = mistakes(text);
        assert!(!mistakes.is_empty(), "{name} is no mistake");
        write!(now, "=== {name}\n{text}---\n{}", told(&mistakes)).unwrap();
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write("tests/it/policy_tests/malformed.txt", &now).unwrap();
        return;
    }
    assert_eq!(now, MALFORMED);
}

/// Whatever is cut off or put into a file of tests, it is read or told to be wrong.
#[test]
fn a_damaged_file_of_tests_is_told_and_nothing_worse() {
    let text = fs::read_to_string("examples/policies/production.test.toml").unwrap();
    for at in (0..text.len()).step_by(7).filter(|&at| text.is_char_boundary(at)) {
        for damaged in [text[..at].to_owned(), format!("{}\u{0}=[{}", &text[..at], &text[at..])] {
            match Suite::parse("x.test.toml", &damaged, Path::new("examples/policies")) {
                Ok(suite) => drop(suite.mistakes()),
                Err(errors) => assert!(!errors.0.is_empty(), "{at}"),
            }
        }
    }
}

#[test]
fn a_file_of_tests_is_for_the_policy_beside_it() {
    let files = directory(&[("p/production.toml", POLICY), ("p/production.test.toml", GOOD)]);
    let run = test(&files, &["p"]);
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout, "✓ p/production.test.toml: 1 case passed\n1 case passed\n");
    let other = directory(&[
        ("production.toml", "[rules.sbom]\n"),
        ("other.toml", POLICY),
        ("production.test.toml", &format!("policy-file = \"other.toml\"\n{GOOD}")),
    ]);
    assert_eq!(test(&other, &["production.test.toml"]).exit, 0);
}

#[test]
fn without_a_policy_beside_it_a_file_of_tests_has_none() {
    let run = test(&directory(&[("production.test.toml", GOOD)]), &["."]);
    assert_eq!((run.exit, run.stdout.as_str()), (3, ""));
    for said in ["the case has no policy", "there is no `production.toml` beside the file", "production.test.toml:1:1"]
    {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn what_differs_is_shown_with_its_place() {
    let files = directory(&[("a.toml", POLICY), ("a.test.toml", &[GOOD, BAD].concat())]);
    let run = test(&files, &["a.test.toml"]);
    assert_eq!((run.exit, run.stderr.as_str()), (1, ""));
    let expected = "\
✗ a.test.toml:4: root
  user@linux/amd64: expected at a.test.toml:7:8
    - pass
    + violation
    + in config
    + at `/config/User`
    + saying `the image runs as root: User is '0', wanted another user`

✓ a.test.toml: 1 other case passed

1 case passed, 1 failed
";
    assert_eq!(run.stdout, expected);
    let quiet = test(&files, &["a.test.toml", "--quiet", "--filter", "a user"]);
    assert_eq!((quiet.exit, quiet.stdout.as_str()), (0, ""));
}

#[test]
fn a_mistake_anywhere_and_nothing_is_tested() {
    let files = directory(&[
        ("a.toml", POLICY),
        ("a.test.toml", BAD),
        ("b.toml", "[rules.usr]\n"),
        ("b.test.toml", GOOD),
        ("c.test.toml", "[[case]]\nname = 1\n"),
    ]);
    let run = test(&files, &["."]);
    assert_eq!((run.exit, run.stdout.as_str()), (3, ""));
    for said in ["b.toml:1", "did you mean `user`?", "c.test.toml:2", "2 mistakes in the tests: nothing was tested"] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn a_case_that_cannot_be_judged_does_not_hide_the_others() {
    let absent = "[[case]]\nname = \"absent\"\nimage = \"oci:absent\"\nexpect.user = \"pass\"\n";
    let files = directory(&[("a.toml", POLICY), ("a.test.toml", &[absent, GOOD].concat())]);
    let run = test(&files, &["."]);
    assert_eq!(run.exit, 3, "{}", run.stderr);
    assert!(run.stderr.contains("a.test.toml:3"), "{}", run.stderr);
    assert!(run.stdout.ends_with("1 case passed, 1 could not be judged\n"), "{}", run.stdout);
    // What is proven wrong goes before what could not be judged.
    let files = directory(&[("a.toml", POLICY), ("a.test.toml", &[absent, BAD].concat())]);
    assert_eq!(test(&files, &["."]).exit, 1);
}

#[test]
fn nothing_to_test_is_a_mistake() {
    let files = directory(&[("a.toml", POLICY), ("a.test.toml", GOOD), ("empty/x.md", "")]);
    for (args, said) in [
        (&["empty"][..], "there are no tests in `empty`"),
        (&["absent.test.toml"], "cannot read the tests in `absent.test.toml`"),
        (&["a.test.toml", "--filter", "nothing like it"], "no case has a name that holds `nothing like it`"),
        (&["a.toml"], "this is a policy, not a file of tests"),
        (&["a.test.toml", "-o", "json", "-o", "junit"], "two reports cannot both go to standard output"),
        (&["a.test.toml", "-o", "sarif"], "`sarif` is no output format"),
        (&[], "PATH"),
    ] {
        let run = test(&files, args);
        assert_eq!((run.exit, run.stdout.as_str()), (3, ""), "{args:?}");
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn cases_are_listed_and_chosen_by_their_names() {
    let files = directory(&[("a.toml", POLICY), ("a.test.toml", &[GOOD, BAD].concat())]);
    let list = test(&files, &["a.test.toml", "--list"]);
    assert_eq!((list.exit, list.stdout.as_str()), (0, "a.test.toml:1: a user\na.test.toml:4: root\n"));
    let one = test(&files, &["a.test.toml", "--filter", "user"]);
    assert_eq!((one.exit, one.stdout.as_str()), (0, "✓ a.test.toml: 1 case passed\n1 case passed\n"));
}

#[test]
fn reports_are_for_people_programs_and_build_servers() {
    let files = directory(&[("a.toml", POLICY), ("a.test.toml", &[GOOD, BAD].concat())]);
    let run = test(&files, &["a.test.toml", "-o", "json", "-o", "junit=out.xml", "-o", "human=out.txt"]);
    assert_eq!((run.exit, run.stderr.as_str()), (1, ""));
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&json["schema"], &json["passed"], &json["failed"]), (&"ocilint/tests/v1".into(), &1.into(), &1.into()));
    assert_eq!(json["files"][0]["cases"][1]["differences"][0]["line"], 7);
    let xml = fs::read_to_string(files.path().join("out.xml")).unwrap();
    assert!(xml.contains("<testsuites name=\"ocilint policy test\" tests=\"2\" failures=\"1\" errors=\"0\">"), "{xml}");
    assert!(
        xml.contains("line=\"4\">\n      <failure message=\"user@linux/amd64: expected pass, got violation"),
        "{xml}"
    );
    assert!(fs::read_to_string(files.path().join("out.txt")).unwrap().ends_with("1 case passed, 1 failed\n"));
    assert_eq!(test(&files, &["a.test.toml", "-o", "junit=absent/out.xml"]).exit, 4);
}

/// A rule that is for certain images is tested by naming the image.
#[test]
fn the_target_names_the_image_for_rules_with_a_scope() {
    let policy = "[rules.user]\nimages = [\"ghcr.io/acme/**\"]\n[rules.children]\n";
    let inside = "[[case]]\nname = 'in'\nothers = 'any'\ntarget = 'ghcr.io/acme/app:1'\nexpect.user = 'pass'\n";
    let outside = "[[case]]\nname = 'out'\nothers = 'any'\nexpect.user = 'pass'\n";
    let files = directory(&[("a.toml", policy), ("a.test.toml", &[inside, outside].concat())]);
    let run = test(&files, &["."]);
    assert_eq!(run.exit, 1);
    assert!(run.stdout.contains("1 case passed, 1 failed"), "{}", run.stdout);
    assert!(run.stdout.contains("the rule is for certain images"), "{}", run.stdout);
}

#[test]
fn a_directory_of_policies_holds_tests_that_are_no_policies() {
    let files = directory(&[("a.toml", POLICY), ("a.test.toml", GOOD)]);
    let check = |path: &str| run(files.path(), &["policy", "check", path]);
    assert_eq!(check(".").exit, 0, "{}", check(".").stderr);
    fs::write(files.path().join("a.test.toml"), "[[case]]\nname = \"x\"\nexpect.usr = \"pass\"\n").unwrap();
    for path in [".", "a.test.toml"] {
        let run = check(path);
        assert_eq!(run.exit, 3, "{}", run.stderr);
        assert!(run.stderr.contains("did you mean `user`?") && run.stderr.contains("a.test.toml:3"), "{}", run.stderr);
    }
    fs::remove_file(files.path().join("a.toml")).unwrap();
    assert!(check(".").stderr.contains("there is no policy in `.`"));
}

/// The policies that come with the program, and the examples of its documentation, are tested as users test theirs.
#[test]
fn the_policies_that_are_shipped_pass_their_own_tests() {
    for directory in ["policies", "examples"] {
        let files = cases::find(Path::new(directory)).unwrap();
        let suites: Vec<Suite> = files.iter().map(|file| Suite::read(file).unwrap_or_else(|e| panic!("{e}"))).collect();
        for suite in &suites {
            assert_eq!(told(&suite.mistakes()), "", "{}", suite.file);
        }
        let tested = cases::run(&suites).unwrap();
        let problems: Vec<String> =
            tested.files.iter().flat_map(|file| &file.cases).flat_map(TestedCase::problems).collect();
        assert_eq!((tested.exit_status(), problems.join("\n").as_str()), (ExitStatus::Clean, ""), "{directory}");
    }
}

#[test]
fn every_built_in_policy_has_tests() {
    for pack in ["baseline", "strict"] {
        let suite = Suite::read(Path::new(&format!("policies/{pack}.test.toml"))).unwrap();
        assert!((15..=30).contains(&suite.cases.len()), "{pack}: {}", suite.cases.len());
    }
}

/// A case judges what a snapshot holds: the only image of it, or the one that `target` names, at the clock of that day.
#[test]
fn a_case_judges_an_image_of_a_snapshot() {
    let directory = directory(&[("p.toml", "[rules.sbom]\n[rules.user]\n")]);
    let layouts = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/layouts");
    let layout = |name: &str| format!("oci:{}", layouts.join(name).display());
    let (good, bad) = (layout("oci-sbom"), layout("docker-list"));
    let take = |file: &str, targets: &[&str]| {
        run(directory.path(), &[&["snapshot", "-p", "p.toml", "-o", file], targets].concat())
    };
    assert_eq!(take("one.snapshot", &[&good, "--as", "ghcr.io/acme/app:1"]).exit, 0);
    assert_eq!(take("two.snapshot", &[&good, &bad]).exit, 0);
    let cut = fs::read(directory.path().join("one.snapshot")).unwrap();
    fs::write(directory.path().join("cut.snapshot"), &cut[..cut.len() - 1]).unwrap();
    let case = |image: &str, more: &str| format!("[[case]]\nname = \"a case\"\nimage = \"snapshot:{image}\"\n{more}\n");
    let tested = |text: String| {
        fs::write(directory.path().join("p.test.toml"), text).unwrap();
        test(&directory, &["p.test.toml"])
    };
    for (image, more) in [
        ("one.snapshot", "expect = { sbom = \"pass\", user = \"pass\" }\nexit = 0".to_owned()),
        ("two.snapshot", format!("target = '{good}'\nothers = \"any\"\nexpect.sbom = \"pass\"")),
        ("two.snapshot", format!("target = '{bad}'\nothers = \"any\"\nexpect.sbom = \"violation\"\nexit = 1")),
    ] {
        let run = tested(case(image, &more));
        assert_eq!(run.exit, 0, "{image} {more}\n{}{}", run.stdout, run.stderr);
    }
    assert_eq!(tested(case("one.snapshot", "others = \"any\"\nexpect.sbom = \"violation\"")).exit, 1);
    for (image, more, message) in [
        ("two.snapshot", "exit = 0", "the snapshot has several images"),
        ("two.snapshot", "target = \"alpine\"\nexit = 0", "the snapshot has no image of that name"),
        ("cut.snapshot", "exit = 0", "it was cut short or altered"),
        ("absent.snapshot", "exit = 0", "the file cannot be read"),
    ] {
        let run = tested(case(image, more));
        let told = run.stdout + &run.stderr;
        assert!(run.exit != 0 && told.replace("\n  │ ", " ").contains(message), "{image} {more}\n{told}");
    }
}

/// A rule that takes effect later warns until then, and counts from that day on.
#[test]
fn a_case_judges_before_and_after_a_rule_takes_effect() {
    let policy = "[rules.sbom]\neffective-from = 2027-01-01\n";
    let case = |at: &str, level: &str, exit: u8| {
        let expect = format!("expect.sbom = {{ verdict = \"violation\", level = \"{level}\" }}\nexit = {exit}");
        format!("[[case]]\nname = \"{at}\"\nat = {at}\n{expect}\n")
    };
    let right = case("2026-12-31", "warning", 0) + &case("2027-01-01", "error", 1);
    let wrong = case("2026-12-31", "error", 1) + &case("2027-01-01", "warning", 0);
    let directory =
        directory(&[("p.toml", policy), ("p.test.toml", &right), ("q.toml", policy), ("q.test.toml", &wrong)]);
    let run = test(&directory, &["p.test.toml"]);
    assert_eq!(run.exit, 0, "{}", run.stdout);
    let run = test(&directory, &["q.test.toml"]);
    assert_eq!((run.exit, run.stdout.contains("2 cases failed")), (1, true), "{}", run.stdout);
}

/// The examples in `--help` and in the README are of a file that the test above runs.
#[test]
fn the_help_shows_an_example_that_works() {
    let help = test(&directory(&[]), &["--help"]).stdout;
    let example = fs::read_to_string("examples/policies/production.test.toml").unwrap();
    assert!(help.contains(example.trim_end()), "{help}");
    let readme = include_str!("../../README.md");
    let cases: Vec<&str> = readme.split("```toml\n").filter(|block| block.starts_with("[[case]]")).collect();
    assert_eq!(cases.len(), 1);
    assert!(example.contains(cases[0].split("```").next().unwrap()));
    assert!(example.lines().all(|line| line.len() <= 100));
}
