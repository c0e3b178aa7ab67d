use super::NameGlob;
use super::prelude::*;

declare_rule! {
    /// The image comes from a registry and repository that are allowed.
    ///
    /// # What it checks
    ///
    /// The name `host/repository` of the reference as the user wrote it, brought to one spelling: the host in lower case, the
    /// port 443 left out, and every name of Docker Hub as `docker.io`, so that `alpine` is `docker.io/library/alpine`. Images
    /// that are no runnable images, such as charts, are judged as well.
    ///
    /// # Why
    ///
    /// A name decides who can put what runs behind it. One wrong character in a host, or a bare name that falls back to Docker
    /// Hub, takes the image from somebody else.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.registries]
    /// allow = ["ghcr.io/acme/**", "docker.io/library/*"]
    /// deny = ["ghcr.io/acme/sandbox/**"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `allow` (list of globs, empty by default): names that are allowed; when it is given, every other name violates.
    /// - `deny` (list of globs, empty by default): names that are refused, whatever `allow` says.
    ///
    /// In a glob `*` stays within one segment and `**` crosses them: `ghcr.io/acme/*` is `ghcr.io/acme/app`, not
    /// `ghcr.io/acme/team/app`. A glob that no name could match is refused.
    ///
    /// # How to fix
    ///
    /// Use the image from an allowed registry, or copy it there with its signatures and attestations:
    /// `regctl image copy --referrers --digest-tags FROM TO`, or `cosign copy FROM TO`.
    ///
    /// # What it cannot see
    ///
    /// Where a mirror or a pull-through cache behind the name takes the image from. The name of a file or directory: the rule
    /// is not applicable there unless `--as` gives the image a name.
    Registries: "registries"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Registries {
    allow: Vec<NameGlob>,
    deny: Vec<NameGlob>,
}

impl Check for Registries {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn judges_artifacts(&self) -> bool {
        true
    }

    fn problems(&self) -> Vec<Problem> {
        if self.allow.is_empty() && self.deny.is_empty() {
            let message = "nothing is required: name what is wanted, such as `allow = [\"ghcr.io/acme/**\"]`, or what is refused with `deny`";
            return vec![Problem::missing(message)];
        }
        let texts = |globs: &[NameGlob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect::<Vec<_>>();
        allowed_and_denied(texts(&self.allow), texts(&self.deny)).into_iter().collect()
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let name = words::reference(view)?.canonical_name();
        let mut findings = Findings::new();
        if let Some(glob) = self.deny.iter().find(|glob| glob.matches(&name)) {
            let message = format!("the image is '{name}', which `deny` refuses with '{}'", glob.as_str());
            findings.add_keyed(message, Location::reference(), fix(), "denied");
        } else if !self.allow.is_empty() && !self.allow.iter().any(|glob| glob.matches(&name)) {
            let wanted = words::either(self.allow.iter().map(|glob| format!("'{}'", glob.as_str())));
            findings.add_keyed(
                format!("the image is '{name}', wanted {wanted}"),
                Location::reference(),
                fix(),
                "not allowed",
            );
        }
        findings.verdict(|| name)
    }
}

fn fix() -> Fix {
    Fix::new(
        "use the image from an allowed registry, or copy it there: regctl image copy --referrers --digest-tags FROM TO",
    )
}
