//! The page about packs, and what they say of the example layouts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::ROOT;
use crate::program;

/// The page with its parts written anew.
pub(super) fn page(written: &str) -> String {
    let packs = packs();
    replaced(&replaced(written, "packs", &listed(&packs)), "layouts", &verdicts(&packs))
}

/// The page with another part between `<!-- name -->` and `<!-- /name -->`.
fn replaced(text: &str, name: &str, content: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&open).unwrap_or_else(|| panic!("no {open}"));
    let (_, after) = rest.split_once(&close).unwrap_or_else(|| panic!("no {close}"));
    format!("{before}{open}\n{}\n\n{close}{after}", content.trim())
}

/// The names of the policies that come with the program, the one that stands in where none is named first.
fn packs() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(Path::new(ROOT).join("policies"))
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_string_lossy().strip_suffix(".toml")?.to_owned()))
        .filter(|name| !name.contains('.') && name != "reference")
        .collect();
    names.sort_by_key(|name| (name != "baseline", name.clone()));
    names
}

/// What each pack demands.
fn listed(packs: &[String]) -> String {
    let mut text = String::new();
    for pack in packs {
        let policy = json(&["policy", "show", &format!("ocilint:{pack}"), "--format", "json"]);
        let description = policy["policy"]["description"]["value"].as_str().expect("a pack is described");
        let _ = writeln!(text, "## ocilint:{pack}\n\n{description}.\n\n| rule | level | parameters |\n|---|---|---|");
        for rule in policy["rules"].as_array().unwrap().iter().filter(|rule| rule["explicit"] == true) {
            let keys = rule["keys"].as_object().unwrap();
            let own = |name: &str| keys.get(name).and_then(|key| key["value"].as_str());
            let name = rule["name"].as_str().unwrap();
            let kind = own("rule").unwrap_or(name);
            let shown = if kind == name {
                format!("[`{name}`](rules/{name}.md)")
            } else {
                format!("`{name}`, a [`{kind}`](rules/{kind}.md)")
            };
            let parameters = keys.iter().filter(|(key, _)| !["rule", "level", "help", "url"].contains(&key.as_str()));
            let parameters: Vec<String> =
                parameters.map(|(key, value)| format!("`{key} = {}`", toml_of(&value["value"]))).collect();
            let _ = writeln!(text, "| {shown} | {} | {} |", own("level").unwrap_or("error"), parameters.join("<br>"));
        }
        text.push('\n');
    }
    text
}

/// A value as it stands in a policy, fit for a cell of a table.
fn toml_of(value: &Value) -> String {
    let text = match value {
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("\"{name}\" = {}", toml_of(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(toml_of).collect::<Vec<_>>().join(", ")),
        Value::String(text) if text.contains('\\') => format!("'{text}'"),
        other => other.to_string(),
    };
    text.replace('|', "\\|")
}

/// A line for each layout, a column for each pack.
fn verdicts(packs: &[String]) -> String {
    let mut layouts: Vec<String> = std::fs::read_dir(Path::new(ROOT).join("examples/layouts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    layouts.sort();
    let columns = packs.iter().map(|pack| format!(" `{pack}` |")).collect::<Vec<_>>().concat();
    let mut text = format!("| layout |{columns}\n|---|{}\n", "---|".repeat(packs.len()));
    for layout in layouts {
        let cells = packs.iter().map(|pack| format!(" {} |", verdict(&layout, pack))).collect::<Vec<_>>().concat();
        let _ = writeln!(text, "| `{layout}` |{cells}");
    }
    text
}

/// What a pack says of a layout: the rules that are violated, and those that could not be judged.
fn verdict(layout: &str, pack: &str) -> String {
    let (target, policy) = (format!("oci:examples/layouts/{layout}"), format!("ocilint:{pack}"));
    let report =
        json(&["check", &target, "--policy", &policy, "--as", "registry.example/acme/app:1.0", "--output", "json"]);
    let mut said: BTreeMap<&str, String> = BTreeMap::new();
    for cell in report["images"][0]["cells"].as_array().unwrap() {
        let rule = cell["rule"].as_str().unwrap();
        let word = match cell["verdict"].as_str().unwrap() {
            "violation" => format!("`{rule}`"),
            "unknown" => format!("`{rule}` unknown"),
            _ => continue,
        };
        said.insert(rule, if cell["level"] == "error" { word } else { format!("({word})") });
    }
    if said.is_empty() { "passes".to_owned() } else { said.into_values().collect::<Vec<_>>().join(", ") }
}

fn json(words: &[&str]) -> Value {
    let run = program::run(Path::new(ROOT), words);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}: {}", run.stderr))
}
