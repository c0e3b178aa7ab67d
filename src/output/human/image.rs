//! The line that names an image, what was judged of it and what came of it.

use textwrap::core::display_width;

use crate::oci::escape;
use crate::report::{Counts, Fate, ImageReport};

use super::Human;
use crate::output::paint::Word;
use crate::output::text::count;

/// The word for what came of an image.
fn word(image: &ImageReport) -> Word {
    match image.fate() {
        Fate::Failed => Word::Error,
        Fate::Unchecked => Word::Unknown,
        Fate::Passed => Word::Passed,
    }
}

/// `2 errors, 1 warning`: what did not pass.
pub(super) fn problems(counts: &Counts) -> Vec<String> {
    let nouns = [(counts.errors, "error"), (counts.warnings, "warning"), (counts.notes, "note")];
    let mut parts: Vec<String> = nouns.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(*n, noun)).collect();
    let states = [(counts.unknown, "unknown"), (counts.waived, "waived"), (counts.baselined, "in the baseline")];
    parts.extend(states.iter().filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")));
    parts
}

/// The name an image is shown under: the name it was judged under, or the target when that is a file or a directory.
pub(super) fn name(image: &ImageReport) -> String {
    shown(&image.target, image.name.as_deref())
}

/// The same of a target and the name it was judged under.
pub(super) fn shown(target: &str, name: Option<&str>) -> String {
    let local = ["oci:", "oci-archive:", "docker-archive:"].iter().any(|scheme| target.starts_with(scheme));
    match name {
        Some(name) if local => format!("{} as {}", escape(target), escape(name)),
        Some(name) => escape(name),
        None => escape(target),
    }
}

/// What the digest is added to a name with: `@sha256:…`; of a name that ends in it already, nothing.
fn digest_suffix(image: &ImageReport, name: &str) -> Option<String> {
    let digest = image.digest.as_ref().filter(|digest| !name.ends_with(digest.as_str()))?;
    let joint = if image.kind == Some("config") || image.name.is_none() { " " } else { "@" };
    Some(if image.kind == Some("config") { format!("{joint}config {digest}") } else { format!("{joint}{digest}") })
}

/// Name and digest, as they are deployed.
pub(super) fn pinned(image: &ImageReport) -> String {
    let name = image.repository.as_deref().map_or_else(|| name(image), escape);
    let suffix = digest_suffix(image, &name).unwrap_or_default();
    name + &suffix
}

impl Human {
    /// `✓ ghcr.io/acme/app:1.2@sha256:…  12 checks, 8 platforms`; the digest on a line of its own where it does not fit.
    pub(super) fn headline(&self, image: &ImageReport) -> String {
        let word = word(image);
        let name = name(image);
        let suffix = digest_suffix(image, &name).unwrap_or_default();
        let result = result(image);
        if self.style.narrated {
            let result = if image.cells.is_empty() { String::new() } else { format!(" {result}.") };
            return format!("Image {name}{suffix}: {}.{result}\n", spoken(word));
        }
        let sign = self.paint.sign(word);
        let fits =
            |parts: &[&str]| parts.iter().map(|part| display_width(part)).sum::<usize>() + 4 <= self.paint.style.width;
        let bold = self.paint.bold(&name);
        let faint = self.paint.faint(&result);
        if suffix.is_empty() || fits(&[&name, &suffix, &result]) {
            return format!("{sign} {bold}{}  {faint}\n", self.paint.faint(&suffix));
        }
        let digest = self.paint.faint(suffix.trim_start_matches([' ', '@']));
        if fits(&[&name, &result]) {
            format!("{sign} {bold}  {faint}\n  {digest}\n")
        } else {
            format!("{sign} {bold}\n  {digest}\n  {faint}\n")
        }
    }
}

fn spoken(word: Word) -> &'static str {
    match word {
        Word::Error => "failed",
        Word::Unknown => "could not be checked",
        _ => "passed",
    }
}

/// `2 errors, 1 unknown in 12 checks, 8 platforms`.
fn result(image: &ImageReport) -> String {
    if image.cells.is_empty() {
        return "not checked".to_owned();
    }
    let counts = Counts::of(&image.cells);
    let problems = problems(&counts).join(", ");
    let joint = if problems.is_empty() { "" } else { " in " };
    let platforms = match image.platforms.len() {
        0 => String::new(),
        number => format!(", {}", count(number, "platform")),
    };
    format!("{problems}{joint}{}{platforms}", count(counts.checks, "check"))
}
