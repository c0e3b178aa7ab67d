use super::prelude::*;

declare_rule! {
    /// The tag and the digest of a reference still name the same image.
    ///
    /// # What it checks
    ///
    /// A reference with both, `IMAGE:TAG@DIGEST`: what the tag points to in the registry now has the digest that stands behind it.
    /// The digest decides what is judged and what runs; the tag beside it is what people read.
    ///
    /// # Why
    ///
    /// Runtimes ignore a tag that has a digest behind it, so nothing else tells when the two part: `app:1.4.2@sha256:…` goes on running
    /// an image that was since replaced, for example because of a flaw, or never was 1.4.2. Tools that renew digests do it by the tag.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.tag-digest]
    /// level = "warning"
    /// ```
    ///
    /// # Parameters
    ///
    /// None.
    ///
    /// # How to fix
    ///
    /// See what the tag is now: `crane digest IMAGE:TAG`, `regctl image digest IMAGE:TAG` or
    /// `docker buildx imagetools inspect IMAGE:TAG`. If the new image is meant, write its digest; if the old one is, write the tag that
    /// it was released under.
    ///
    /// # What it cannot see
    ///
    /// Which of the two is right, and what the tag pointed to in between. References with a tag or a digest alone, and files and
    /// directories, which no registry is asked about: the rule is not applicable to them. A registry that cannot be asked makes the
    /// answer unknown; one that says that there is no such tag, a violation.
    TagDigest: "tag-digest"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct TagDigest {}

impl Check for TagDigest {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn judges_artifacts(&self) -> bool {
        true
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let root = view.root();
        if root.target.is_local() {
            return Err(Stop::NotApplicable("no registry is asked about a file or directory".to_owned()));
        }
        let reference = words::reference(view)?;
        let Some(tag) = reference.tag().filter(|_| reference.digest().is_some()) else {
            let reason = "the reference does not name both a tag and a digest".to_owned();
            return Err(Stop::NotApplicable(reason));
        };
        let digest = &root.digest;
        let mut findings = Findings::new();
        match view.tag(tag)? {
            // The tag may be served under a digest of another algorithm.
            Some(tagged) if digest.matches(tagged.document.bytes()) => {}
            Some(tagged) => {
                let message = format!("the tag '{tag}' points to {}, the reference names {digest}", tagged.digest);
                let fix = Fix::new("if what the tag points to now is meant, write {}")
                    .with(&reference.with_digest(&tagged.digest))
                    .or(&Fix::new("if not, write the tag that this digest was released under"));
                findings.add_keyed(message, Location::reference(), fix, "moved");
            }
            None => {
                let message = format!("there is no tag '{tag}' any more, the reference names it with {digest}");
                let fix = Fix::new("write a tag that is there, or the digest alone: {}")
                    .with(&reference.without_tag().with_digest(digest));
                findings.add_keyed(message, Location::reference(), fix, "gone");
            }
        }
        findings.verdict(|| format!("the tag '{tag}' points to {digest}"))
    }
}
