use super::carriers::{self, Content, Coverage, Home, Sought};
use super::duration::Age;
use super::prelude::*;
use super::value_type::stands_for_none;
use crate::oci::predicate::{self, PredicateClass};
use crate::oci::{self, Package};

declare_rule! {
    /// The image has a software bill of materials.
    ///
    /// # What it checks
    ///
    /// That a bill of materials (SBOM) is about each platform or about the image as a whole, in one of these homes, asked in
    /// this order and only as far as needed: the image's own index (where `BuildKit` puts it), what refers to the image (the
    /// referrers API, or the fallback tag of registries without it) including Sigstore bundles, and cosign's tags
    /// `sha256-….att` and `sha256-….sbom`. A carrier counts when it is bound to the digest: by its own `subject`, by the
    /// annotation `vnd.docker.reference.digest` of its entry in the index, or by its tag. A failure names every place looked in
    /// and what was found there and does not count.
    ///
    /// The SBOM itself is read, whatever it is called: SPDX 2.2, 2.3 and 3.0 and CycloneDX 1.2 to 1.7, in JSON, as a file or in a
    /// statement, which may be in a DSSE envelope or a Sigstore bundle. A statement that names digests must name the one it was
    /// found with; one that names none is bound by its carrier alone, as BuildKit leaves it for an image without a name. What
    /// `min-packages`, `valid`, `max-age` and `require-fields` ask, one SBOM must meet all of; without them any that can be read
    /// will do.
    ///
    /// # Why
    ///
    /// When the next vulnerability is made public, the question is which images hold the package. A bill of materials that
    /// travels with the image answers it without pulling a layer, if it lists the packages.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.sbom]
    /// coverage = "each-platform"
    /// formats = ["spdx", "cyclonedx"]
    /// min-packages = 5
    /// require-fields = ["name", "version", "author", "timestamp"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `coverage` (`"either"` by default, `"each-platform"` or `"image"`): what the SBOM must be about. `each-platform` wants
    ///   one for each platform; one about what the reference points to counts if that has a single platform. `image` wants one
    ///   about what the reference points to, so that those in the index do not count. `either` takes one or the other.
    /// - `formats` (list of `"spdx"`, `"cyclonedx"`, `"syft"` and `"scout"`, all of them by default): the formats that count.
    /// - `homes` (list of `"in-index"`, `"referrers"`, `"bundles"` and `"tags"`, all of them by default): the homes that count;
    ///   `bundles` are the Sigstore bundles among the referrers.
    /// - `min-packages` (number, none by default): how many packages it must list at least. What has no name is no package, nor is
    ///   what stands for the image itself, its operating system as a whole, or a file.
    /// - `valid` (`true` or `false`, `false` by default): whether it must be as its specification wants it. Checked are the
    ///   members that the JSON schemas require and their types: of SPDX 2 the document (`SPDXID`, `dataLicense`, `name`,
    ///   `documentNamespace`, `creationInfo`), its packages (`name`, `SPDXID`, `downloadLocation`, the forms of suppliers,
    ///   checksums and external references) and relationships; of SPDX 3 `CreationInfo`, `SpdxDocument`, packages, licence
    ///   expressions and relationships; of CycloneDX `specVersion`, `version`, `serialNumber`, `metadata`, components (`type`,
    ///   `name`, hashes, licences) and dependencies. A list that is `null`, as BuildKit writes `checksums`, is an empty one. What SPDX
    ///   2.2 wants besides of licences and copyright is not asked for: most tools leave some of it out.
    /// - `max-age` (time span such as `"180d"`, none by default): how long ago the SBOM may have been made, as it says. One
    ///   without a time does not count; a time before 2013 stands for none, as in the rule `created`.
    /// - `require-fields` (list, empty by default): what it must say; the minimum elements of the NTIA are `"supplier"`,
    ///   `"name"`, `"version"` and `"identifier"` (a package URL, CPE or SWID tag) of each package, and `"relationship"` (at
    ///   least one between two things, besides what the document is about), `"author"` (who or which tool made it) and
    ///   `"timestamp"` of the document; further `"hash"` and `"license"` of each package. `NOASSERTION` says nothing, and an SBOM
    ///   without packages says nothing of them.
    ///
    /// # How to fix
    ///
    /// With buildx 0.10 and BuildKit 0.11 or later: `docker buildx build --sbom=true --output type=registry -t IMAGE .` writes
    /// one for each platform into the index. For an image that is already pushed, for each platform's digest:
    /// `cosign attest --type spdxjson --predicate sbom.spdx.json IMAGE@DIGEST` (cosign 3 writes a bundle as a referrer, cosign
    /// 2 the tag `.att`), or `oras attach --artifact-type application/spdx+json IMAGE@DIGEST sbom.spdx.json`; for CycloneDX the
    /// types are `cyclonedx` and `application/vnd.cyclonedx+json`. BuildKit writes SPDX alone, and never about the image as a
    /// whole.
    ///
    /// # What it cannot see
    ///
    /// Whether the bill of materials is complete or true; no signature is verified. SPDX as tag-value or RDF, CycloneDX as XML,
    /// and an SBOM beyond 40 MiB or 65,536 packages cannot be read, and are unknown. So are the formats of Syft and Docker Scout
    /// with the parameters that look into them; without those they count, if what they hold is JSON and about the image. On a registry without the referrers API, referrers that were pushed
    /// without the fallback tag. A bill of materials in another registry, or inside a layer (buildpacks).
    Sbom: "sbom"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Sbom {
    coverage: Coverage,
    formats: Option<BTreeSet<Format>>,
    homes: Option<Vec<Home>>,
    min_packages: Option<u32>,
    valid: bool,
    max_age: Option<Duration>,
    require_fields: Option<BTreeSet<Field>>,
}

/// What a bill of materials may be asked to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Field {
    /// Who supplies each package.
    Supplier,
    /// The name of each package.
    Name,
    /// The version of each package.
    Version,
    /// What identifies each package elsewhere: a package URL, a CPE, a SWID tag.
    Identifier,
    /// How things are related.
    Relationship,
    /// Who or which tool made the document.
    Author,
    /// When the document was made.
    Timestamp,
    /// A hash of each package.
    Hash,
    /// A licence of each package.
    License,
}

/// A format of bills of materials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Spdx,
    CycloneDx,
    Syft,
    Scout,
}

impl Format {
    /// Whether its documents are looked into.
    fn is_read(self) -> bool {
        matches!(self, Self::Spdx | Self::CycloneDx)
    }

    /// The format of what a carrier holds, if that is a bill of materials.
    fn of(content: &Content<'_>) -> Option<Self> {
        match content {
            Content::Statement { predicate_type, .. } => match predicate::class(predicate_type) {
                PredicateClass::Spdx => Some(Self::Spdx),
                PredicateClass::CycloneDx => Some(Self::CycloneDx),
                PredicateClass::OtherSbom if predicate_type.starts_with("https://scout.docker.com/") => {
                    Some(Self::Scout)
                }
                PredicateClass::OtherSbom => Some(Self::Syft),
                _ => None,
            },
            Content::Sbom { media_type, .. } if media_type.as_str().contains("spdx") => Some(Self::Spdx),
            Content::Sbom { media_type, .. } if media_type.as_str().contains("cyclonedx") => Some(Self::CycloneDx),
            Content::Sbom { .. } => Some(Self::Syft),
            _ => None,
        }
    }
}

impl Check for Sbom {
    fn judges(&self) -> Judges {
        self.coverage.judges()
    }

    fn judges_artifacts(&self) -> bool {
        self.coverage == Coverage::Image
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.formats.as_ref().is_some_and(BTreeSet::is_empty) {
            problems.push(Problem::with("formats", "name a format, or leave `formats` out for all of them"));
        }
        match self.homes.as_deref() {
            Some([]) => problems.push(Problem::with("homes", "name a home, or leave `homes` out for all of them")),
            Some([Home::InIndex]) if self.coverage == Coverage::Image => {
                let message = "what stands in the index is about its platforms, never about the image: name another home, or another `coverage`";
                problems.push(Problem::with("homes", message));
            }
            _ => {}
        }
        if self.min_packages == Some(0) {
            problems.push(Problem::with("min-packages", "every SBOM lists at least 0 packages: name a larger number"));
        }
        if self.require_fields.as_ref().is_some_and(BTreeSet::is_empty) {
            problems.push(Problem::with("require-fields", "name a field, or leave `require-fields` out"));
        }
        let read = |formats: &BTreeSet<Format>| formats.is_empty() || formats.iter().any(|format| format.is_read());
        if self.looks_inside() && !self.formats.as_ref().is_none_or(read) {
            let message = "only SPDX and CycloneDX are looked into: add one of them, or leave out what asks for more than presence";
            problems.push(Problem::with("formats", message));
        }
        problems
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        self.coverage.require(self, subject, view, || self.fix(subject, view))
    }
}

impl Sought for Sbom {
    fn noun(&self) -> String {
        if self.looks_inside() { "SBOM that meets the rule" } else { "SBOM" }.to_owned()
    }

    fn proven(&self) -> &'static str {
        if self.looks_inside() { "no signature was verified" } else { "presence only, no signature was verified" }
    }

    fn homes(&self) -> &[Home] {
        self.homes.as_deref().unwrap_or(&Home::ALL)
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att", "sbom"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        Format::of(content).is_some_and(|format| self.formats.as_ref().is_none_or(|formats| formats.contains(&format)))
    }

    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        let is_read = Format::of(content).is_some_and(Format::is_read);
        if !is_read && !self.looks_inside() {
            return presence(content, about, view);
        }
        let sbom = match carriers::sbom(content, about, view)? {
            Ok(sbom) => sbom,
            Err(reason) => return Ok(Err(reason)),
        };
        let faults = self.faults(sbom, view);
        let summary = summary(sbom, view);
        Ok(if faults.is_empty() {
            Ok(format!("{content} ({summary})"))
        } else {
            Err(format!("{} ({summary})", faults.join(", and ")))
        })
    }
}

impl Sbom {
    /// Whether the document itself has to be read.
    fn looks_inside(&self) -> bool {
        self.min_packages.is_some() || self.valid || self.max_age.is_some() || self.require_fields.is_some()
    }

    /// The parameters that the document does not meet.
    fn faults(&self, sbom: &oci::Sbom, view: &View<'_>) -> Vec<String> {
        let mut faults = Vec::new();
        let number = number(sbom);
        if let Some(wanted) = self.min_packages.filter(|wanted| number < *wanted as usize) {
            faults.push(format!("it lists {}, wanted at least {wanted}", words::count(number, "package")));
        }
        let defects = &sbom.defects;
        if let Some(first) = defects.first.first().filter(|_| self.valid) {
            let more = if defects.count > 1 { format!(", and {} more", defects.count - 1) } else { String::new() };
            faults.push(format!("it is no valid {}: {first}{more}", sbom.format));
        }
        faults.extend(self.max_age.as_ref().and_then(|wanted| too_old(sbom, wanted, view)));
        let fields = self.require_fields.iter().flatten();
        // With `min-packages` that was said already.
        let is_empty = self.min_packages.is_none() && contents(sbom).next().is_none();
        if is_empty && fields.clone().any(|field| field.is_of_packages()) {
            faults.push("it lists no packages, of which `require-fields` asks something".to_owned());
        }
        faults.extend(fields.filter_map(|field| field.fault(sbom)));
        faults
    }

    /// Ways to attach an SBOM that counts.
    fn fix(&self, subject: Subject<'_>, view: &View<'_>) -> Fix {
        let takes = |format| self.formats.as_ref().is_none_or(|formats| formats.contains(&format));
        let looks_in = |home| Sought::homes(self).contains(&home);
        let (attest, attach) = if takes(Format::Spdx) {
            (
                "cosign attest --type spdxjson --predicate sbom.spdx.json {}",
                "oras attach --artifact-type application/spdx+json {} sbom.spdx.json",
            )
        } else if takes(Format::CycloneDx) {
            (
                "cosign attest --type cyclonedx --predicate sbom.cdx.json {}",
                "oras attach --artifact-type application/vnd.cyclonedx+json {} sbom.cdx.json",
            )
        } else {
            (
                "cosign attest --type PREDICATE-TYPE --predicate sbom.json {}",
                "oras attach --artifact-type application/vnd.syft+json {} sbom.json",
            )
        };
        let mut ways = Vec::new();
        if looks_in(Home::InIndex) && takes(Format::Spdx) && self.coverage != Coverage::Image {
            let build = "docker buildx build --platform {} --sbom=true --output type=registry -t {} .";
            ways.push(words::build(build, view));
        }
        let attest = words::about(attest, subject, view);
        ways.extend(match (looks_in(Home::Bundles), looks_in(Home::Tags)) {
            (true, true) => Some(attest),
            (true, false) => Some(Fix::new("with cosign 3, which writes a bundle:").or(&attest)),
            (false, true) => Some(Fix::new("with cosign 2, which writes a tag:").or(&attest)),
            (false, false) => None,
        });
        if looks_in(Home::Referrers) {
            ways.push(words::about(attach, subject, view));
        }
        let none =
            || Fix::new("BuildKit puts SPDX alone into the index: name it in `formats`, or another home in `homes`");
        ways.into_iter().reduce(|one, other| one.or(&other)).unwrap_or_else(none)
    }
}

/// An SBOM of a format that is not looked into: a statement about that manifest, or a document that is JSON at least.
fn presence(content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
    match content {
        Content::Statement { .. } => Ok(carriers::statement(content, about, view)?.and_then(|statement| {
            let says = statement.has_predicate.then(|| content.to_string());
            says.ok_or_else(|| "its statement says nothing".to_owned())
        })),
        Content::Sbom { layer, .. } => match view.sbom(layer) {
            Ok(_) | Err(Stop::Unknown(Why { cause: Cause::OtherDocument { .. }, .. })) => Ok(Ok(content.to_string())),
            Err(stop) => Err(stop),
        },
        other => Ok(Err(format!("it holds {other}"))),
    }
}

/// The packages within the image.
fn contents(sbom: &oci::Sbom) -> impl Iterator<Item = &Package> {
    sbom.packages.iter().filter(|package| package.is_content)
}

/// How many packages it lists by name.
fn number(sbom: &oci::Sbom) -> usize {
    contents(sbom).filter(|package| package.name.is_some()).count()
}

/// When the document was made, if it says so.
fn made(sbom: &oci::Sbom) -> Option<jiff::Timestamp> {
    sbom.created.as_deref()?.parse().ok().filter(|made| !stands_for_none(*made))
}

fn summary(sbom: &oci::Sbom, view: &View<'_>) -> String {
    let age = made(sbom).map(|made| Age::of(made, view.now())).filter(|age| !age.is_future());
    let age = age.map_or_else(String::new, |age| format!(", {age} old"));
    let version = ImageText(&sbom.version);
    format!("{} {version} of {}{age}", sbom.format, words::count(number(sbom), "package"))
}

fn too_old(sbom: &oci::Sbom, wanted: &Duration, view: &View<'_>) -> Option<String> {
    let Some(made) = made(sbom) else {
        return Some(match &sbom.created {
            Some(created) => format!("'{}', when it was made, is no time", ImageText(created)),
            None => "it does not say when it was made".to_owned(),
        });
    };
    let age = Age::of(made, view.now());
    if age.is_future() {
        return Some(format!("it was made on {made}, which lies in the future"));
    }
    age.exceeds(wanted).then(|| format!("it was made {age} ago, wanted at most {wanted}"))
}

impl Field {
    /// Whether each package has to say it.
    fn is_of_packages(self) -> bool {
        !matches!(self, Self::Relationship | Self::Author | Self::Timestamp)
    }

    /// What lacks the field.
    fn fault(self, sbom: &oci::Sbom) -> Option<String> {
        let of_each = |noun: &str, says: fn(&Package) -> bool| {
            let lacking = || contents(sbom).filter(|package| !says(package));
            let number = lacking().count();
            let name = |package: &Package| package.name.clone().unwrap_or_else(|| "(no name)".to_owned());
            let first = lacking().next()?;
            let more = if number > 1 { format!(" and of {} more", number - 1) } else { String::new() };
            Some(format!("it has no {noun} of package '{}'{more}", ImageText(&name(first))))
        };
        let of_document = |says: bool, lacks: &str| (!says).then(|| format!("it {lacks}"));
        match self {
            Self::Supplier => of_each("supplier", |package| package.supplier.is_some()),
            Self::Name => of_each("name", |package| package.name.is_some()),
            Self::Version => of_each("version", |package| package.version.is_some()),
            Self::Identifier => of_each("identifier", |package| package.is_identified),
            Self::Hash => of_each("hash", |package| package.has_hash),
            Self::License => of_each("license", |package| !package.licenses.is_empty()),
            Self::Relationship => of_document(sbom.has_relationships, "does not say how anything in it is related"),
            Self::Author => of_document(!sbom.creators.is_empty(), "does not say who made it"),
            Self::Timestamp => of_document(made(sbom).is_some(), "does not say when it was made"),
        }
    }
}
