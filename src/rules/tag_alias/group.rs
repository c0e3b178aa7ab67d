//! Which tags of a group belong to one release.

use std::collections::BTreeSet;

use super::form::{Fit, Form, Number};

/// The forms of a group, and the tags of a repository that have one of them.
pub(super) struct Group<'t> {
    forms: &'t [Form],
    listed: &'t BTreeSet<&'t str>,
    fits: Vec<(Fit<'t>, &'t str)>,
}

/// The tags that have to name one digest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'t> {
    /// The release that they belong to, if there is one.
    pub(super) release: Option<&'t str>,
    /// All of them, the release included; each is listed.
    pub(super) tags: BTreeSet<String>,
    /// A release that has taken the place of this one in the widest line.
    pub(super) newer: Option<&'t str>,
}

impl<'t> Group<'t> {
    pub(super) fn new(forms: &'t [Form], listed: &'t BTreeSet<&'t str>) -> Self {
        let fits = listed.iter().flat_map(|tag| forms.iter().filter_map(|form| Some((form.fit(tag)?, *tag))));
        Self { forms, listed, fits: fits.collect() }
    }

    /// What belongs to the release of a tag that is listed; nothing if it is none of the group's.
    pub(super) fn named(&self, tag: &'t str) -> Vec<Named<'t>> {
        self.forms.iter().filter_map(|form| form.fit(tag)).map(|fit| self.named_as(tag, &fit)).collect()
    }

    fn named_as(&self, tag: &'t str, fit: &Fit<'t>) -> Named<'t> {
        let own = if fit.numbers.is_empty() { None } else { Some((fit.clone(), tag)) };
        let release = self.newest(fit).or(own);
        // A tag without numbers, and no release: the names of the group without numbers go together.
        let line = release.as_ref().map_or(fit, |(fit, _)| fit);
        let aliases = self.forms.iter().filter(|form| release.is_none() || form.parts < line.numbers.len());
        let aliases = aliases.filter_map(|form| Some((form, form.tag(line)?)));
        let belongs = |(form, _): &(&Form, String)| {
            let first =
                Fit { numbers: line.numbers[..form.parts].to_vec(), v: line.v.filter(|_| form.parts > 0), ..*line };
            self.newest(&first).map(|(_, tag)| tag) == release.as_ref().map(|(_, tag)| *tag)
        };
        let tags = aliases.filter(|(_, tag)| self.listed.contains(tag.as_str())).filter(belongs).map(|(_, tag)| tag);
        let release = release.as_ref().map(|(_, tag)| *tag);
        let tags = tags.chain(release.map(str::to_owned)).collect();
        let widest = Fit { numbers: line.numbers.iter().take(1).copied().collect(), ..line.clone() };
        let newer = self.newest(&widest).map(|(_, tag)| tag).filter(|newest| Some(*newest) != release);
        Named { release, tags, newer: newer.filter(|_| line.numbers.len() > 1) }
    }

    /// The newest release that a tag with these numbers stands for: of the tags with more numbers that begin with these, the
    /// highest of the fullest form.
    fn newest(&self, fit: &Fit<'_>) -> Option<(Fit<'t>, &'t str)> {
        let in_line = |other: &&(Fit<'t>, &'t str)| {
            let (other, _) = other;
            other.numbers.len() > fit.numbers.len()
                && other.variant == fit.variant
                && (fit.v.is_none() || other.v == fit.v)
                && begins_with(&other.numbers, &fit.numbers)
        };
        let fullest =
            |(fit, tag): &&(Fit<'t>, &'t str)| (fit.numbers.len(), fit.numbers.clone(), std::cmp::Reverse(*tag));
        self.fits.iter().filter(in_line).max_by_key(fullest).cloned()
    }
}

fn begins_with(numbers: &[Number<'_>], first: &[Number<'_>]) -> bool {
    numbers.iter().zip(first).all(|(number, first)| number.is(*first))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tags that belong together by the usual forms and `latest`, the release in parentheses.
    fn together(tags: &str, tag: &str) -> String {
        let forms =
            ["latest", "{major}", "{major}.{minor}", "{major}.{minor}.{patch}"].map(|form| Form::new(form).unwrap());
        let listed: BTreeSet<&str> = tags.split(' ').chain([tag]).collect();
        let [named] = &Group::new(&forms, &listed).named(tag)[..] else { return "none".to_owned() };
        let tags = named.tags.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        format!("{tags} ({})", named.release.unwrap_or_default())
    }

    const TAGS: &str =
        "1 1.2 1.2.3 1.2.4 1.3 1.3.0 2 2.0.0 2.1.0-rc.1 latest sha-abc 1.2.10-alpine 1.2-alpine 1-alpine";

    #[test]
    fn a_moving_tag_belongs_to_the_newest_release_of_its_line() {
        assert_eq!(together(TAGS, "1.2.3"), "1.2.3 (1.2.3)");
        assert_eq!(together(TAGS, "1.2.4"), "1.2 1.2.4 (1.2.4)");
        assert_eq!(together(TAGS, "1.2"), "1.2 1.2.4 (1.2.4)");
        assert_eq!(together(TAGS, "1"), "1 1.3 1.3.0 (1.3.0)");
        assert_eq!(together(TAGS, "latest"), "2 2.0.0 latest (2.0.0)");
        assert_eq!(together(TAGS, "2.1.0-rc.1"), "2.1.0-rc.1 (2.1.0-rc.1)");
        assert_eq!(together(TAGS, "1.2-alpine"), "1-alpine 1.2-alpine 1.2.10-alpine (1.2.10-alpine)");
        assert_eq!(together(TAGS, "main"), "none");
    }

    #[test]
    fn releases_may_have_two_numbers() {
        let tags = "16 16.2 16.10 17 17.0 latest";
        assert_eq!(together(tags, "16.2"), "16.2 (16.2)");
        assert_eq!(together(tags, "16"), "16 16.10 (16.10)");
        assert_eq!(together(tags, "17.0"), "17 17.0 latest (17.0)");
    }

    #[test]
    fn a_v_makes_another_line() {
        let tags = "1 1.0.0 v1 v1.5.0 latest";
        assert_eq!(together(tags, "1"), "1 1.0.0 (1.0.0)");
        assert_eq!(together(tags, "v1.5.0"), "latest v1 v1.5.0 (v1.5.0)");
    }

    #[test]
    fn names_without_numbers_may_go_together() {
        assert_eq!(together("1 2", "latest"), "2 latest (2)");
        assert_eq!(together("main", "latest"), "latest ()");
    }

    #[test]
    fn zeros_are_kept_as_they_are_written() {
        assert_eq!(together("22.04 22.4 22 22.04.3", "22.04.3"), "22 22.04 22.04.3 (22.04.3)");
    }
}
