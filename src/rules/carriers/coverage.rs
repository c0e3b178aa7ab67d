//! Which manifests a carrier has to be about.

use super::super::prelude::*;
use super::{Found, Missing, Search, Sought};

/// Which manifests a carrier has to be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in super::super) enum Coverage {
    /// Each platform or, for all of them, what the reference points to.
    #[default]
    Either,
    /// Each platform; what the reference points to only where it has a single one.
    EachPlatform,
    /// What the reference points to.
    Image,
}

impl Coverage {
    /// The subjects that a rule with this coverage judges.
    pub(in super::super) fn judges(self) -> Judges {
        match self {
            Self::Image => Judges::Root,
            Self::Either | Self::EachPlatform => Judges::EachPlatform,
        }
    }

    /// Starts the search for what is about a subject of such a rule.
    pub(in super::super) fn search<'s, 'g>(
        self,
        sought: &'s dyn Sought,
        subject: Subject<'s>,
        view: &'s View<'g>,
    ) -> Fact<Search<'s, 'g>> {
        let root = view.root();
        if root.kind == RootKind::SavedConfig {
            return Err(Why::new(format!("looking for the {}", sought.noun()), Cause::NoManifest).into());
        }
        let entry = match subject {
            Subject::Root => return Ok(Search::new(sought, view, vec![root.digest.clone()], None)),
            Subject::Platform(entry) => entry,
        };
        let subjects = view.subjects();
        let only_one = subjects.entries.len() == 1 && subjects.undetermined.is_empty();
        let mut digests = vec![entry.digest()?.clone()];
        if (self == Self::Either || only_one) && digests[0] != root.digest {
            digests.push(root.digest.clone());
        }
        Ok(Search::new(sought, view, digests, Some(entry)))
    }

    /// Passes where something that is looked for is found.
    pub(in super::super) fn require(
        self,
        sought: &dyn Sought,
        subject: Subject<'_>,
        view: &View<'_>,
        fix: impl FnOnce() -> Fix,
    ) -> Fact<Verdict> {
        let found = self.search(sought, subject, view)?.first()?;
        let mut findings = Findings::new();
        if let Err(missing) = &found {
            findings.add(self.complaint(&sought.noun(), missing, subject), location(subject, view), fix());
        }
        findings.verdict(|| found.map(|found| found.to_string()).unwrap_or_default())
    }

    /// What to say where nothing was found.
    pub(in super::super) fn complaint(self, noun: &str, missing: &Missing, subject: Subject<'_>) -> String {
        match subject {
            Subject::Root => format!("no {noun} about the image: {missing}"),
            Subject::Platform(entry) if self == Self::Either => {
                format!("no {noun} about {} or the whole image: {missing}", ImageText(&entry.label))
            }
            Subject::Platform(entry) => format!("no {noun} about {}: {missing}", ImageText(&entry.label)),
        }
    }
}

/// Where a subject without a carrier is reported.
pub(in super::super) fn location(subject: Subject<'_>, view: &View<'_>) -> Location {
    match subject {
        Subject::Root => Location::root(view, ""),
        Subject::Platform(entry) => Location::entry(entry),
    }
}

impl Found<'_> {
    /// Where what was found is reported.
    pub(in super::super) fn location(&self) -> Location {
        Location::new(NodeRole::Referrer, &self.digest, "")
    }
}
