use jiff::Timestamp;

use super::carriers::{Coverage, SoughtProvenance, provenance};
use super::config_part::{ConfigPart, manifest_annotations};
use super::duration::{Age, Duration};
use super::prelude::*;
use super::value_type::{moment, stands_for_none};
use crate::oci::{Provenance, Told, pointer};

/// The annotation that says when an image was made (image-spec, annotations.md).
const ANNOTATION: &str = "org.opencontainers.image.created";

declare_rule! {
    /// The image was made neither too long ago nor in the future.
    ///
    /// # What it checks
    ///
    /// `created` in each platform's config, against the clock of the run. Where it is missing or no date, the annotation
    /// `org.opencontainers.image.created` of the manifest counts. A date more than five minutes in the future violates the rule,
    /// whatever the policy asks; one that is no RFC 3339 date and time makes the answer unknown.
    ///
    /// Reproducible builds write a date that is none: ko, Jib, Bazel and Nix the beginning of 1970, buildpacks that of 1980, others
    /// the year 1. Every date before 2013, when the first images were made, counts as no date, and `zero` says what becomes of it.
    ///
    /// # Why
    ///
    /// An image that is not built again keeps the holes of its base image. One that is minutes old has not been looked at by anyone:
    /// most releases that were tampered with are found within days.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.created]
    /// max-age = "180d"
    /// min-age = "3d"
    /// zero = "provenance"
    /// ```
    ///
    /// # Parameters
    ///
    /// - `max-age` (time span such as `"180d"`, `"26w"`, `"12h"`; none by default): how old an image may be.
    /// - `min-age` (time span, none by default): how old it must be.
    /// - `zero` (`"unknown"` by default, `"fail"` or `"provenance"`): what becomes of an image without a date. `provenance` takes the end
    ///   of the build from SLSA provenance about the platform or the whole image; without one the answer is unknown.
    ///
    /// # How to fix
    ///
    /// Build again, from current base images: `docker buildx build --pull --no-cache …`. Give a reproducible build the date of its
    /// commit:
    ///
    /// ```sh
    /// SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) docker buildx build …
    /// ```
    ///
    /// Jib takes `creationTime = USE_CURRENT_TIMESTAMP`, pack `--creation-time now`.
    ///
    /// # What it cannot see
    ///
    /// Whether the date is true: anyone can write one, and the signature of the provenance is not verified. With `SOURCE_DATE_EPOCH` it is
    /// that of the source, not of the build. The age of the base image. Labels are not asked: they may be the base image's.
    Created: "created"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Created {
    max_age: Option<Duration>,
    min_age: Option<Duration>,
    zero: Zero,
}

/// What becomes of an image without a date.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Zero {
    #[default]
    Unknown,
    Fail,
    Provenance,
}

/// A date, and who says so.
struct Made {
    at: Timestamp,
    /// In a sentence, with the date as written.
    said: String,
    location: Location,
}

impl Check for Created {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        let (Some(max), Some(min)) = (&self.max_age, &self.min_age) else { return Vec::new() };
        if min.length() <= max.length() {
            return Vec::new();
        }
        vec![Problem::with("min-age", format!("no image is older than {min} and younger than {max}"))]
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let read = ConfigPart::read(entry, view, &["/created"])?;
        let written = read.config.created.as_deref();
        let mut findings = Findings::new();
        let made = match made(entry, &read, view)? {
            Some(made) => made,
            None if self.zero == Zero::Fail => {
                let location = read.at(if written.is_some() { "/created" } else { "" });
                findings.add_keyed(format!("{}, wanted a date", no_date(written)), location, date(view), "zero");
                return findings.verdict(String::new);
            }
            None if self.zero == Zero::Provenance => finished(subject, &read, view)?,
            None => return Err(unknown(format!("{}; see `zero`", no_date(written)))),
        };
        let age = Age::of(made.at, view.now());
        let said = &made.said;
        let wrong = if age.is_future() {
            Some(("future", format!("the image was made in the future: {said}"), date(view)))
        } else if let Some(max) = self.max_age.as_ref().filter(|max| age.exceeds(max)) {
            Some(("max-age", format!("the image was made {age} ago: {said}, wanted at most {max}"), again(view)))
        } else if let Some(min) = self.min_age.as_ref().filter(|min| age.is_below(min)) {
            let wait = Fix::new("wait until it is old enough, or name an earlier release");
            Some(("min-age", format!("the image was made {age} ago: {said}, wanted at least {min}"), wait))
        } else {
            None
        };
        if let Some((key, message, fix)) = wrong {
            findings.add_keyed(message, made.location.clone(), fix, key);
        }
        findings.verdict(|| format!("made {age} ago: {said}"))
    }
}

/// When the image was made, as its config or its manifest says; `None` if neither names a date.
fn made(entry: &Entry, read: &ConfigPart<'_>, view: &View<'_>) -> Fact<Option<Made>> {
    if let Some(text) = &read.config.created
        && let Some(at) = dated(text, "`created` of the config")?
    {
        return Ok(Some(Made { at, said: format!("created is '{}'", ImageText(text)), location: read.at("/created") }));
    }
    // A classic archive holds no manifest that could have annotations.
    if entry.place == Place::Saved {
        return Ok(None);
    }
    let Some(text) = manifest_annotations(entry, view)?.get(ANNOTATION) else { return Ok(None) };
    let location = Location::manifest(entry, format!("/annotations{}", pointer(&[&ANNOTATION])));
    let said = || format!("the annotation '{ANNOTATION}' is '{}'", ImageText(text));
    Ok(dated(text, "the annotation of the manifest")?.map(|at| Made { at, said: said(), location }))
}

/// The moment that a text names; `None` for one that is written where there is no date.
fn dated(text: &str, what: &str) -> Result<Option<Timestamp>, Stop> {
    let at = moment(text)
        .ok_or_else(|| unknown(format!("{what} is '{}', which is no RFC 3339 date and time", ImageText(text))))?;
    Ok(Some(at).filter(|at| !stands_for_none(*at)))
}

fn no_date(written: Option<&str>) -> String {
    match written {
        Some(text) => format!("created is '{}', which stands for no date", ImageText(text)),
        None => "the config does not say when the image was made".to_owned(),
    }
}

fn unknown(detail: String) -> Stop {
    Why::undecidable("reading when the image was made", detail).into()
}

/// The end of the build, from the provenance of the platform or of the whole image.
fn finished(subject: Subject<'_>, read: &ConfigPart<'_>, view: &View<'_>) -> Fact<Made> {
    let sought = SoughtProvenance {
        noun: "provenance that says when the build ended",
        called: |provenance| end(provenance).map(|_| None),
    };
    let coverage = Coverage::Either;
    let found = coverage.search(&sought, subject, view)?.first()?;
    let found = found.map_err(|missing| {
        let complaint = coverage.complaint(sought.noun, &missing, subject);
        unknown(format!("the image has no date, and {complaint}"))
    })?;
    let (at, text) = provenance(found.content(), found.about(), view)?.and_then(end).map_err(unknown)?;
    let said = format!("its build ended on '{}', says {}", ImageText(text), found.carried());
    let location = read.at(if read.config.created.is_some() { "/created" } else { "" });
    Ok(Made { at, said, location })
}

/// When a build ended, and how its provenance writes it.
fn end(provenance: &Provenance) -> Result<(Timestamp, &str), String> {
    let text = match &provenance.finished {
        Told::Said(text) => text,
        Told::Nothing => return Err("it does not say when the build ended".to_owned()),
        Told::Garbled => return Err("the end of its build is no text".to_owned()),
    };
    let at = moment(text).filter(|at| !stands_for_none(*at));
    let at = at.ok_or_else(|| format!("the end of its build is '{}', which is no date", ImageText(text)))?;
    Ok((at, text))
}

fn again(view: &View<'_>) -> Fix {
    Fix::new("build it again from current base images:")
        .or(&words::build("docker buildx build --pull --no-cache --platform {} --output type=registry -t {} .", view))
}

fn date(view: &View<'_>) -> Fix {
    Fix::new("build it with a true date, such as that of the commit:").or(&words::build(
        "SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) docker buildx build --platform {} --output type=registry -t {} .",
        view,
    ))
}
