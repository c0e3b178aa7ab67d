use super::carriers::{Content, Coverage, Sought, location, own};
use super::prelude::*;
use crate::oci::predicate::{self, PredicateClass};

declare_rule! {
    /// Attestations of the wanted types are attached to the image, and none of the refused types.
    ///
    /// # What it checks
    ///
    /// The predicate types of the in-toto statements about each platform or about the image as a whole: VEX documents,
    /// vulnerability scans, test results, verification summaries, whatever else a policy wants to see. The homes are those of
    /// the rule `sbom`: the image's own index, what refers to the image, Sigstore bundles, and cosign's tag `sha256-….att`.
    /// What is required is looked for until it is found; what is denied is looked for in every home. A statement counts for
    /// `require` if it is read, has the type that its manifest tells, and names the digest it was found with, or none. With `deny`
    /// every statement is read, and counts whatever it is about.
    ///
    /// # Why
    ///
    /// An attestation says that a step was done: scanned, tested, reviewed. Where one is missing, the step was left out.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.attestation]
    /// require = ["https://openvex.dev/ns/**"]
    /// deny = ["https://example.com/attestations/draft/*"]
    /// coverage = "each-platform"
    /// ```
    ///
    /// # Parameters
    ///
    /// - `require` (list of globs over predicate types, empty by default): for each of them there must be a statement.
    /// - `deny` (list of globs over predicate types, empty by default): types that no statement may have. A statement that cannot
    ///   be read leaves that unknown.
    /// - `coverage` (`"either"` by default, `"each-platform"` or `"image"`): what the statements must be about; as for `sbom`.
    ///
    /// In a glob `*` stays between two `/` and `**` crosses them; write
    /// `{https://spdx.dev/Document,https://spdx.dev/Document/**}` for a type with and without a version. cosign writes its own
    /// signatures as statements of type `https://sigstore.dev/cosign/sign/v1`; they attest nothing, and count only for a glob that
    /// begins with `https://sigstore.dev/`. The rule `signature` asks for them.
    ///
    /// # How to fix
    ///
    /// `cosign attest --type TYPE --predicate FILE IMAGE@DIGEST`, or in GitHub Actions `actions/attest` with
    /// `push-to-registry: true` (without it, the attestation never reaches the registry). `regctl artifact tree IMAGE` shows
    /// what is attached; `cosign clean` and `regctl manifest delete` remove it.
    ///
    /// # What it cannot see
    ///
    /// What the statements say beside their type and subject, who made them, and whether their signatures are valid. An SBOM that
    /// is attached as a file is no statement; the rule `sbom` sees it.
    Attestation: "attestation"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Attestation {
    require: Vec<Glob>,
    deny: Vec<Glob>,
    coverage: Coverage,
}

impl Check for Attestation {
    fn judges(&self) -> Judges {
        self.coverage.judges()
    }

    fn judges_artifacts(&self) -> bool {
        self.coverage == Coverage::Image
    }

    fn problems(&self) -> Vec<Problem> {
        if self.require.is_empty() && self.deny.is_empty() {
            return vec![Problem::missing(
                "nothing is required: name predicate types, such as `require = [\"https://openvex.dev/ns/**\"]`",
            )];
        }
        let texts = |globs: &[Glob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect::<BTreeSet<_>>();
        let both = texts(&self.require).into_iter().find(|required| texts(&self.deny).contains(required));
        both.map(|both| Problem::with("deny", format!("`{both}` is also in `require`: take it out of one of the two")))
            .into_iter()
            .collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let mut findings = Findings::new();
        let mut evidence = Vec::new();
        for glob in &self.require {
            let wanted = Statements { globs: std::slice::from_ref(glob), denied: false };
            let found = self.coverage.search(&wanted, subject, view).and_then(super::carriers::Search::first);
            match findings.note(found) {
                Some(Ok(found)) => evidence.push(found.to_string()),
                Some(Err(missing)) => {
                    let message = self.coverage.complaint(&wanted.noun(), &missing, subject);
                    findings.add_keyed(message, location(subject, view), add(subject, view), glob.as_str());
                }
                None => {}
            }
        }
        if !self.deny.is_empty() {
            let denied = Statements { globs: &self.deny, denied: true };
            let all = self.coverage.search(&denied, subject, view).and_then(super::carriers::Search::all);
            if let Some((found, unknown)) = findings.note(all) {
                for found in found {
                    findings.add_keyed(
                        format!("`deny` refuses {}", found.carried()),
                        found.location(),
                        remove(),
                        found.what(),
                    );
                }
                if let Some(why) = unknown {
                    findings.stop(why.into());
                }
            }
        }
        findings.verdict(|| {
            if evidence.is_empty() { "no statement of a denied type".to_owned() } else { evidence.join("; ") }
        })
    }
}

/// How the types of cosign's own signatures begin.
const SIGNATURES: &str = "https://sigstore.dev/";

/// Statements whose predicate type one of the globs matches.
struct Statements<'p> {
    globs: &'p [Glob],
    /// Whether there must be none.
    denied: bool,
}

impl Sought for Statements<'_> {
    fn noun(&self) -> String {
        format!("statement of type {}", words::either(self.globs.iter().map(|glob| format!("'{}'", glob.as_str()))))
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        let Content::Statement { predicate_type, .. } = content else { return false };
        self.globs.iter().filter(|glob| glob.matches(predicate_type)).any(|glob| {
            // cosign signs with a statement that attests nothing: no glob for any type means it.
            predicate::class(predicate_type) != PredicateClass::Signature || glob.as_str().starts_with(SIGNATURES)
        })
    }

    fn opens_statements(&self) -> bool {
        self.denied
    }

    /// A denied one hangs on the image, whatever it says that it is about.
    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        let counts = if self.denied { Ok(()) } else { own(content, about, view)? };
        Ok(counts.map(|()| content.to_string()))
    }

    fn proven(&self) -> &'static str {
        "what it says was not looked at, and no signature was verified"
    }
}

fn add(subject: Subject<'_>, view: &View<'_>) -> Fix {
    words::about("cosign attest --type TYPE --predicate FILE {}", subject, view)
}

fn remove() -> Fix {
    Fix::new("find out who attached it, and remove it: regctl manifest delete IMAGE@DIGEST")
}
