//! The README: its tables and its finding are the program's own, its commands work and its paths exist.
//!
//! `UPDATE=1 cargo test --test it readme::` writes the parts that are the program's own.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use ocilint::Policy;
use ocilint::rules::{Judges, RULES};
use serde_json::Value;

use crate::program::{self, Run};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// How `docker buildx build` makes each of `examples/layouts/`.
const SHAPES: &[(&str, &str)] = &[
    ("docker-image", "--provenance=false --output type=registry,oci-mediatypes=false"),
    (
        "docker-list",
        "--platform linux/amd64,linux/arm64 --provenance=false --output type=registry,oci-mediatypes=false",
    ),
    ("oci-image", "--provenance=false --output type=registry,oci-mediatypes=true"),
    ("oci-list", "--platform linux/amd64,linux/arm64 --provenance=false --output type=registry,oci-mediatypes=true"),
    (
        "oci-sbom",
        "--platform linux/amd64,linux/arm64 --sbom=true --provenance=mode=max --output type=registry,oci-mediatypes=true",
    ),
    (
        "oci-tar",
        "--provenance=false --output type=registry,oci-mediatypes=true,compression=uncompressed,force-compression=true",
    ),
    (
        "oci-estargz",
        "--provenance=false --output type=registry,oci-mediatypes=true,compression=estargz,force-compression=true",
    ),
    (
        "oci-zstd",
        "--provenance=false --output type=registry,oci-mediatypes=true,compression=zstd,force-compression=true",
    ),
];

/// What mends a violation of a rule of `ocilint:strict`.
const MENDS: &[(&str, &str)] = &[
    ("media-types", "oci-mediatypes=true"),
    ("layer-compression", "compression=gzip,force-compression=true"),
    ("provenance", "--provenance=mode=max"),
    ("sbom", "--sbom=true"),
];

fn readme() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap()
}

#[test]
fn the_parts_that_are_the_programs_own_are_true() {
    let written = readme();
    let mut wanted = written.clone();
    for (name, content) in [("finding", finding()), ("rules", rules()), ("shapes", shapes())] {
        wanted = replaced(&wanted, name, &content);
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(Path::new(ROOT).join("README.md"), &wanted).unwrap();
        return;
    }
    assert!(written == wanted, "run `UPDATE=1 cargo test --test it readme::`; it is to be\n{wanted}");
}

/// The README with another part between `<!-- name -->` and `<!-- /name -->`.
fn replaced(text: &str, name: &str, content: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&open).unwrap_or_else(|| panic!("no {open}"));
    let (_, after) = rest.split_once(&close).unwrap_or_else(|| panic!("no {close}"));
    format!("{before}{open}\n{content}\n{close}{after}")
}

/// The README without its generated parts.
fn prose() -> String {
    ["finding", "rules", "shapes"].into_iter().fold(readme(), |text, name| replaced(&text, name, ""))
}

/// A finding of a real run.
fn finding() -> String {
    let run = ocilint("check oci:examples/layouts/docker-list --policy ocilint:strict");
    let from = run.stdout.find("error[media-types] on linux/amd64").expect("the run finds Docker's types");
    let block = run.stdout[from..].split("\n\n").next().unwrap_or_default();
    format!("```text\n{block}\n```\n")
}

fn rules() -> String {
    let reference = Policy::load(&["policies/reference.toml".to_owned()], Path::new(ROOT)).unwrap();
    let mut table = "| rule | what it checks | parameters | judges |\n|---|---|---|---|\n".to_owned();
    for rule in RULES {
        let instance = reference
            .instances
            .iter()
            .find(|instance| instance.name == rule.name)
            .expect("the reference has every rule");
        let judges = match instance.check.judges() {
            Judges::Root => "the whole",
            Judges::EachPlatform => "each platform",
            Judges::Both => "both",
        };
        let parameters: Vec<String> = (rule.parameters)().iter().map(|name| format!("`{name}`")).collect();
        let always = if rule.implicit.is_some() { " Always on." } else { "" };
        let _ = writeln!(table, "| `{}` | {}{always} | {} | {judges} |", rule.name, rule.summary, parameters.join(" "));
    }
    table
}

fn shapes() -> String {
    let mut table =
        "| layout | what it is | `strict` refuses | flags of `docker buildx build` that make it | and that mend it |\n"
            .to_owned();
    table += "|---|---|---|---|---|\n";
    for (name, flags) in SHAPES {
        let refused = refused(name);
        let listed: Vec<String> = refused.iter().map(|rule| format!("`{rule}`")).collect();
        let mends: Vec<String> =
            MENDS.iter().filter(|(rule, _)| refused.contains(*rule)).map(|(_, mend)| format!("`{mend}`")).collect();
        assert_eq!(listed.len(), mends.len(), "{name} violates a rule that nothing here mends: {refused:?}");
        let nothing = |list: Vec<String>| if list.is_empty() { "nothing".to_owned() } else { list.join(", ") };
        let _ = writeln!(
            table,
            "| `{name}` | {} | {} | `{flags}` | {} |",
            described(name),
            nothing(listed),
            nothing(mends)
        );
    }
    table
}

/// The rules of level `error` that a layout violates; it is warned of its annotations besides.
fn refused(name: &str) -> BTreeSet<String> {
    let run = ocilint(&format!("check oci:examples/layouts/{name} --policy ocilint:strict --output json"));
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["complete"], true, "{name}");
    let cells = report["images"][0]["cells"].as_array().unwrap();
    let violated = |level: &str| -> BTreeSet<String> {
        let violated = cells.iter().filter(|cell| cell["verdict"] == "violation" && cell["level"] == level);
        violated.map(|cell| cell["rule"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(violated("warning"), BTreeSet::from(["annotations".to_owned()]), "{name}");
    let refused = violated("error");
    assert_eq!(run.exit, i32::from(!refused.is_empty()), "{name}");
    refused
}

/// What a layout is, as `ocilint graph` sees it.
fn described(name: &str) -> String {
    let run = ocilint(&format!("graph oci:examples/layouts/{name} --format json"));
    let graph: Value = serde_json::from_str(&run.stdout).unwrap();
    let root = &graph["root"];
    let family = if root["media_type"].as_str().unwrap().contains("docker") { "Docker" } else { "OCI" };
    let mut seen = Seen::default();
    seen.look(root);
    let kind = match (root["role"].as_str().unwrap(), family) {
        ("index", "Docker") => "list",
        ("index", _) => "index",
        _ => "manifest",
    };
    let platforms = if kind == "manifest" { String::new() } else { format!(" of {} platforms", seen.images) };
    let words = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>().join(", ");
    let attached = if seen.predicates.is_empty() { String::new() } else { format!("; {}", words(seen.predicates)) };
    format!("{family} {kind}{platforms}; {}{attached}", words(seen.layers))
}

/// What a graph is made of.
#[derive(Default)]
struct Seen {
    images: usize,
    layers: BTreeSet<String>,
    predicates: BTreeSet<String>,
}

impl Seen {
    fn look(&mut self, node: &Value) {
        match node["role"].as_str().unwrap() {
            "image" => self.images += 1,
            "layer" => {
                let suffix = node["media_type"].as_str().unwrap().rsplit(['+', '.']).next().unwrap().to_owned();
                let remark = node["notes"].as_array().unwrap().iter().find_map(Value::as_str).map(ToOwned::to_owned);
                self.layers.insert(match remark.unwrap_or(suffix).as_str() {
                    "tar" => "uncompressed".to_owned(),
                    other => other.to_owned(),
                });
            }
            "statement" => {
                let kind = node["annotations"]["in-toto.io/predicate-type"].as_str().unwrap();
                self.predicates.insert(match kind {
                    "https://spdx.dev/Document" => "SPDX".to_owned(),
                    "https://slsa.dev/provenance/v1" => "SLSA provenance".to_owned(),
                    other => other.to_owned(),
                });
            }
            _ => {}
        }
        node["children"].as_array().into_iter().flatten().for_each(|child| self.look(child));
    }
}

/// Runs a command line of words without spaces in them, at the project's root.
fn ocilint(line: &str) -> Run {
    program::run(Path::new(ROOT), &line.split_whitespace().collect::<Vec<_>>())
}

#[test]
fn every_command_is_understood() {
    let text = readme();
    let lines = text.lines().filter_map(|line| line.trim_start().trim_start_matches("- run: ").split("   #").next());
    let commands: BTreeSet<String> = lines.chain(spans(&text)).filter_map(arguments).collect();
    assert!(commands.len() > 5, "{commands:?}");
    for command in commands {
        let run = ocilint(&format!("{command} --help"));
        assert_eq!(run.exit, 0, "`{command}`: {}", run.stderr);
    }
}

/// The arguments of a command line that runs the program.
fn arguments(line: &str) -> Option<String> {
    let own = line.trim().strip_prefix("ocilint ");
    let arguments =
        own.or_else(|| line.trim().strip_prefix("cargo run")?.split_once(" -- ").map(|(_, arguments)| arguments))?;
    Some(arguments.replace("${{ steps.build.outputs.digest }}", &format!("sha256:{}", "0".repeat(64))))
}

/// What stands in backticks within lines.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2))
}

#[test]
fn the_first_commands_do_what_is_said() {
    assert!(prose().contains("check oci:examples/layouts/oci-list "));
    assert_eq!(ocilint("check oci:examples/layouts/oci-list").exit, 0);
    assert!(prose().contains("check oci:examples/layouts/docker-list --policy ocilint:strict "));
    let refused = ocilint("check oci:examples/layouts/docker-list --policy ocilint:strict");
    assert_eq!(refused.exit, 1);
    let findings = refused.stdout.matches("error[").count();
    assert!(refused.stdout.contains("error[media-types]") && findings > 1, "{}", refused.stdout);
}

#[test]
fn the_policy_loads() {
    let text = prose();
    let policies: Vec<&str> = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let policy = policies.iter().find(|policy| policy.starts_with("[policy]")).expect("it shows a policy");
    Policy::from_text("README.md", policy, Path::new(ROOT)).unwrap();
}

#[test]
fn every_flag_is_one_of_the_program() {
    let help = ["check --help", "graph --help", "init --help", "policy waivers --help"]
        .map(|line| ocilint(line).stdout)
        .concat();
    let known: BTreeSet<&str> = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    let text = prose();
    let flags: BTreeSet<&str> =
        spans(&text).filter(|span| span.starts_with("--")).filter_map(|span| span.split([' ', '=']).next()).collect();
    assert!(flags.len() > 5, "{flags:?}");
    for flag in flags {
        assert!(known.contains(flag), "{flag}");
    }
}

#[test]
fn every_path_exists() {
    let text = prose();
    let words = text
        .split(|c: char| c.is_whitespace() || "`()".contains(c))
        .map(|word| word.strip_prefix("oci:").unwrap_or(word));
    let ours = |word: &&str| {
        ["examples/", "policies/", "src/", "tests/", "benches/", ".ci/"].iter().any(|folder| word.starts_with(folder))
    };
    // The policy of the workflow is the reader's own.
    let paths: BTreeSet<&str> = words.filter(ours).filter(|path| *path != "policies/production.toml").collect();
    assert!(paths.len() > 4, "{paths:?}");
    for path in paths {
        let path = path.trim_end_matches(['.', ',', ':', ';']);
        assert!(Path::new(ROOT).join(path).exists(), "{path}");
    }
}
