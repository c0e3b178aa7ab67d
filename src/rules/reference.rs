use super::prelude::*;
use crate::oci::Reference;

declare_rule! {
    /// The reference is written as wanted: with a digest, with a tag, with no moving tag.
    ///
    /// # What it checks
    ///
    /// The reference as the user wrote it, before anything is read. A reference without tag and digest means the tag `latest`
    /// and is judged as such. Images that are no runnable images, such as charts, are judged as well.
    ///
    /// # Why
    ///
    /// A tag can be moved: what was checked today need not be what runs tomorrow. A digest names one image for ever; a tag
    /// beside it tells people which.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.reference]
    /// require = ["tag", "digest"]
    /// match = { tag = 'v?\d+\.\d+\.\d+(-.+)?' }
    /// deny = ["latest", "main", "nightly-*"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `require` (list of `"digest"` and `"tag"`, empty by default): the parts that must be written, all of them.
    /// - `match` (table with the name `tag`, empty by default): a regular expression that the whole tag must match.
    /// - `deny` (list of globs, empty by default): tags that are refused.
    ///
    /// A reference by digest alone has no tag that `match` or `deny` could refuse; add `require = ["tag"]` where one is wanted.
    ///
    /// # How to fix
    ///
    /// Find the digest of a tag and write it behind the name: `crane digest IMAGE:TAG`, `regctl image digest IMAGE:TAG` or
    /// `docker buildx imagetools inspect IMAGE:TAG`.
    ///
    /// # What it cannot see
    ///
    /// Whether the tag and the digest still belong together. The name of a file or directory: the rule is not applicable there
    /// unless `--as` gives the image a name.
    References: "reference"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct References {
    require: Vec<Part>,
    r#match: Matched,
    deny: Vec<Glob>,
}

/// A part of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Part {
    Digest,
    Tag,
}

/// Regular expressions for parts of the reference.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Matched {
    /// What the whole tag must match.
    tag: Option<Pattern>,
}

impl Check for References {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn judges_artifacts(&self) -> bool {
        true
    }

    fn problems(&self) -> Vec<Problem> {
        if self.require.is_empty() && self.r#match.tag.is_none() && self.deny.is_empty() {
            return vec![Problem::missing(
                "nothing is required: say `require = [\"digest\"]`, `match = { tag = '…' }` or `deny = [\"latest\"]`",
            )];
        }
        Vec::new()
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let reference = words::reference(view)?;
        let mut findings = Findings::new();
        for (key, message) in self.faults(reference) {
            findings.add_keyed(message, Location::reference(), fix(key, reference, &view.root().digest), key);
        }
        findings.verdict(|| reference.to_string())
    }
}

impl References {
    fn faults(&self, reference: &Reference) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if self.require.contains(&Part::Digest) && reference.digest().is_none() {
            faults.push(("digest", format!("the reference '{reference}' names no digest, wanted one")));
        }
        if self.require.contains(&Part::Tag) && reference.tag().is_none() {
            faults.push(("tag", format!("the reference '{reference}' names no tag, wanted one")));
        }
        let Some(tag) = tag_that_counts(reference) else { return faults };
        let shown = if reference.tag().is_some() {
            format!("the tag is '{tag}'")
        } else {
            format!("no tag is written, which means '{tag}'")
        };
        if let Some(pattern) = self.r#match.tag.as_ref().filter(|pattern| !pattern.matches(tag)) {
            faults.push(("match", format!("{shown}, wanted one that matches '{}'", pattern.as_str())));
        }
        if let Some(glob) = self.deny.iter().find(|glob| glob.matches(tag)) {
            faults.push(("denied", format!("{shown}, which `deny` refuses with '{}'", glob.as_str())));
        }
        faults
    }
}

/// The tag as written, or the `latest` that its absence means where no digest stands in its place.
fn tag_that_counts(reference: &Reference) -> Option<&str> {
    reference.tag().or_else(|| reference.digest().is_none().then(|| reference.tag_or_latest()))
}

fn fix(key: &str, reference: &Reference, digest: &Digest) -> Fix {
    match key {
        "digest" => Fix::new("write the digest behind the name: {}").with(&reference.with_digest(digest)),
        "tag" => Fix::new("write the tag between name and digest: NAME:TAG@DIGEST"),
        _ => Fix::new("name a tag that the policy admits, one that is never moved"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(rule: &References, text: &str) -> Vec<&'static str> {
        rule.faults(&Reference::parse(text).unwrap()).into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn no_tag_and_no_digest_means_latest() {
        let rule = References { deny: vec![Glob::new("latest").unwrap()], ..References::default() };
        let pinned = format!("alpine@{}", Digest::sha256(b"x"));
        assert_eq!(keys(&rule, "alpine"), ["denied"]);
        assert_eq!(keys(&rule, "alpine:latest"), ["denied"]);
        assert_eq!(keys(&rule, "alpine:3"), [""; 0]);
        assert_eq!(keys(&rule, &pinned), [""; 0]);
        assert_eq!(keys(&rule, &pinned.replace('@', ":latest@")), ["denied"]);
    }

    #[test]
    fn each_part_can_be_required() {
        let rule = References { require: vec![Part::Digest, Part::Tag], ..References::default() };
        assert_eq!(keys(&rule, "alpine"), ["digest", "tag"]);
        assert_eq!(keys(&rule, &format!("alpine:3@{}", Digest::sha256(b"x"))), [""; 0]);
    }
}
