mod license;
mod purl;

use std::str::FromStr;

use packageurl::PackageUrl;

use super::carriers::{self, Content, Coverage, Home, Sought};
use super::prelude::*;
use super::versions::{Range, Scheme};
use crate::oci::predicate::{self, PredicateClass};
use crate::oci::{Package, Sbom};
use license::{Answer, DeniedLicense};
use purl::PurlPattern;

declare_rule! {
    /// The image holds no package that is denied, as its bills of materials say.
    ///
    /// # What it checks
    ///
    /// The packages in every SPDX or CycloneDX bill of materials (SBOM) about a platform or about the image as a whole, in all
    /// the homes of the rule `sbom`. A package is denied by its package URL (purl) and version, or by its licence. What any of
    /// the SBOMs lists counts; one whose statement names another digest is none of this image.
    ///
    /// What cannot be known is unknown and no pass: no SBOM at all (ask for one with the rule `sbom`), one that cannot be read,
    /// SBOMs that list no package, a denied package without a version that can be compared, and a package without a purl that
    /// can be read and with the name of a denied one. What the SBOM calls a file, a container or an operating system is no
    /// package unless it has a purl.
    ///
    /// # Why
    ///
    /// When a vulnerability has a name, a list of the packages that must not run any more is quicker than a scan, and it keeps
    /// old images from coming back. Licences that a company cannot ship are found before they are shipped.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.packages]
    /// deny = [
    ///   { purl = "pkg:maven/org.apache.logging.log4j/log4j-core", versions = ">=2.0, <2.17.1" },
    ///   { purl = "pkg:deb/debian/openssl", versions = "<3.0.11-1" },
    ///   { purl = "pkg:npm/event-stream" },
    /// ]
    /// deny-licenses = ["AGPL-*"]
    /// ignore = ["pkg:golang/github.com/acme/**"]
    /// ```
    ///
    /// # Parameters
    ///
    /// One of `deny` and `deny-licenses` must be given.
    ///
    /// - `deny` (list of tables, empty by default): packages that must not be there. `purl` is a package URL without a
    ///   version; in its namespace and name `*` matches within a segment and `**` beyond; its qualifiers must be those of the
    ///   package, and one that the package does not tell is unknown.
    ///   `versions` narrows it: `<`, `<=`, `>`, `>=`, `=` and `!=`, with `,` for "and" and `||` for "or"; without it all are
    ///   denied. Versions are compared as their ecosystem does, of the types `apk`, `cargo`, `deb`, `gem`, `golang`, `maven`,
    ///   `npm`, `nuget`, `pypi` and `rpm`; for other types `versions` is a mistake. A version before a release is below it,
    ///   and `1.2-r1` or `1.2-1` above `1.2`. Of `deb` and `rpm` the epoch is part of the version: `<1:3.0.7-27`. A local build
    ///   of a Python version, `2.0+cu117`, is that version.
    /// - `deny-licenses` (list of SPDX licence identifiers or globs over them, empty by default): licences that no package may
    ///   need. `MIT OR GPL-3.0-only` can be met without the GPL, `MIT AND GPL-3.0-only` cannot; each licence that an SBOM
    ///   declares or concludes must be met. `GPL-3.0-only` is also `GPL-3.0`, but not `GPL-3.0-or-later`; `GPL-3.0*` is all.
    ///   `Apache-2.0` is not `Apache-2.0+`. An exception (`WITH`) changes nothing. Words that are no SPDX expression, and what the
    ///   SBOM tells of a `LicenseRef-…`, are unknown where they name the licence or its family, else they are not denied.
    ///   `"NOASSERTION"` denies packages of which no licence is known.
    /// - `ignore` (list of package URLs, empty by default): packages that are not judged; written as in `deny`, and with
    ///   `@VERSION` only those versions.
    ///
    /// # How to fix
    ///
    /// Update the package or the base image, and build without the cache:
    /// `docker buildx build --pull --no-cache --sbom=true --output type=registry -t IMAGE .`.
    ///
    /// # What it cannot see
    ///
    /// Packages that no SBOM lists, and what a CycloneDX document is itself about (`metadata.component`, of which only the parts are
    /// seen). Whether an SBOM tells the truth. Whether a distribution has mended a flaw without a new upstream version, other than
    /// by the revision in its version. Licences in the files themselves.
    Packages: "packages"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Packages {
    #[schemars(with = "Vec<RawDenied>")]
    deny: Vec<Denied>,
    #[schemars(with = "Vec<String>")]
    deny_licenses: Vec<DeniedLicense>,
    #[schemars(with = "Vec<String>")]
    ignore: Vec<PurlPattern>,
}

/// Packages that must not be there.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawDenied")]
struct Denied {
    purl: PurlPattern,
    versions: Option<Range>,
}

/// The same as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawDenied {
    /// The packages, as a package URL without a version.
    #[schemars(with = "String")]
    purl: PurlPattern,
    /// The versions, such as `>=2.0, <2.17.1`; by default all.
    versions: Option<String>,
}

impl TryFrom<RawDenied> for Denied {
    type Error = String;

    fn try_from(raw: RawDenied) -> Result<Self, String> {
        if raw.purl.has_version() {
            return Err(format!("`{}` names a version: write it in `versions`, as `=1.2.3`", raw.purl.as_str()));
        }
        let range = |text: String| match Scheme::of(raw.purl.kind()) {
            Some(scheme) => Range::new(scheme, &text),
            None => Err(format!(
                "the order of the versions of `pkg:{}` is not known here, only that of {}: leave out `versions`",
                raw.purl.kind(),
                words::listed(Scheme::types())
            )),
        };
        let versions = raw.versions.map(range).transpose()?;
        Ok(Self { purl: raw.purl, versions })
    }
}

/// Findings that are told in full.
const SHOWN: usize = 50;

impl Check for Packages {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        if !self.deny.is_empty() || !self.deny_licenses.is_empty() {
            return Vec::new();
        }
        vec![Problem::missing(
            "nothing is denied: name packages, such as `deny = [{ purl = \"pkg:npm/event-stream\" }]`, or `deny-licenses`",
        )]
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let (found, unknown) = Coverage::Either.search(self, subject, view)?.all()?;
        let mut inspection = Inspection { rule: self, denied: BTreeMap::new(), unclear: unknown, packages: 0 };
        for found in &found {
            if let Ok(sbom) = carriers::sbom(found.content(), found.about(), view)? {
                inspection.inspect(sbom, found);
            }
        }
        inspection.verdict(found.len(), view)
    }
}

impl Sought for Packages {
    fn noun(&self) -> String {
        "SBOM".to_owned()
    }

    fn homes(&self) -> &[Home] {
        &Home::ALL
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att", "sbom"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        match content {
            Content::Statement { predicate_type, .. } => {
                matches!(predicate::class(predicate_type), PredicateClass::Spdx | PredicateClass::CycloneDx)
            }
            Content::Sbom { media_type, .. } => ["spdx", "cyclonedx"].iter().any(|it| media_type.as_str().contains(it)),
            _ => false,
        }
    }

    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        Ok(carriers::sbom(content, about, view)?.map(|_| content.to_string()))
    }
}

/// What was found in the SBOMs of one subject.
struct Inspection<'r> {
    rule: &'r Packages,
    /// Messages with the place of each, by the key of the finding: the same package in two SBOMs is found once.
    denied: BTreeMap<String, (String, Location)>,
    unclear: Option<Why>,
    packages: usize,
}

/// A package URL, as the SBOM writes it and read.
type Named<'p> = (&'p str, PackageUrl<'p>);

impl Inspection<'_> {
    fn inspect(&mut self, sbom: &Sbom, found: &carriers::Found<'_>) {
        if let Some(hiding) = &sbom.defects.hiding {
            self.unclear(&format!("{} may list more than could be read: {hiding}", found.carrier()));
        }
        for package in &sbom.packages {
            self.packages += usize::from(package.is_content);
            let purls: Vec<Named<'_>> = package
                .purls
                .iter()
                .filter_map(|text| Some((text.as_str(), PackageUrl::from_str(text).ok()?)))
                .collect();
            let is_ignored = |(_, purl): &Named<'_>| self.rule.ignore.iter().any(|pattern| pattern.matches(purl));
            // One that is ignored under one of its names is not under another, nor under one that cannot be read.
            if !purls.is_empty() && purls.len() == package.purls.len() && purls.iter().all(is_ignored) {
                continue;
            }
            for denied in &self.rule.deny {
                self.compare(denied, package, &purls, found);
            }
            self.license(package, &sbom.own_licenses, found);
        }
    }

    fn compare(&mut self, denied: &Denied, package: &Package, purls: &[Named<'_>], found: &carriers::Found<'_>) {
        let unread = purls.len() < package.purls.len();
        // A file may be called like a package, and an image like what it is for.
        let unnamed = purls.is_empty() && package.is_content;
        let may_be = |name: &str| denied.purl.may_be_called(name) || (unread && denied.purl.is_wild());
        let read = |text: &&String| purls.iter().any(|(read, _)| read == text);
        let mut unread_names = package.purls.iter().filter(|text| !read(text)).map(|text| seeming_name(text));
        if unread_names.any(may_be) || (unread || unnamed) && package.name.as_deref().map_or(unread, may_be) {
            let reason = if unread { "its package URL cannot be read" } else { "it has no package URL" };
            self.unclear(&format!("{} may be {}: {reason}", shown(package), denied.purl.as_str()));
        }
        for (text, purl) in purls.iter().filter(|(_, purl)| denied.purl.names(purl)) {
            let Some(untold) = denied.purl.untold(purl) else { continue };
            let version = version(purl, package);
            let wanted = denied.versions.as_ref();
            let is_denied = wanted.map_or(Some(true), |range| range.contains(version.as_deref()?));
            match is_denied {
                Some(false) => {}
                Some(true) if !untold.is_empty() => {
                    let reason = format!("its package URL does not tell {}", words::listed(untold));
                    self.unclear(&format!("{} may be {}: {reason}", shown_purl(text), denied.purl.as_str()));
                }
                Some(true) => {
                    let range = wanted.map_or_else(String::new, |range| format!(" {range}"));
                    let shown = shown_purl(text);
                    let told = version.filter(|version| wanted.is_some() && !shown.contains(version.as_str()));
                    let told = told.map_or_else(String::new, |version| format!(" (version {})", ImageText(&version)));
                    let message = format!(
                        "{shown}{told} is denied by `{}{range}`; {} lists it",
                        denied.purl.as_str(),
                        found.carrier()
                    );
                    let key = format!("{} {}", denied.purl.as_str(), ImageText(&purl.to_string()));
                    self.denied.entry(key).or_insert_with(|| (message, found.location()));
                }
                None => {
                    let range = wanted.map_or_else(String::new, ToString::to_string);
                    let reason = match version {
                        Some(version) => {
                            format!("its version '{}' cannot be compared with {range}", ImageText(&version))
                        }
                        None => "the SBOM tells no version of it".to_owned(),
                    };
                    self.unclear(&format!("{} may be denied: {reason}", shown_purl(text)));
                }
            }
        }
    }

    fn license(&mut self, package: &Package, own: &BTreeMap<String, String>, found: &carriers::Found<'_>) {
        let denied = &self.rule.deny_licenses;
        if denied.is_empty() {
            return;
        }
        let mut refuse = |says: String| {
            let message =
                format!("{} is denied by `deny-licenses`: {says}; {} lists it", shown(package), found.carrier());
            let key = format!("license {}", shown(package));
            self.denied.entry(key).or_insert_with(|| (message, found.location()));
        };
        let none = package.licenses.is_empty() && !package.has_more_licenses;
        if none && package.is_content && license::denies_none(denied) {
            refuse("no licence of it is known".to_owned());
        }
        let more = || format!("{}: it has licences that could not be read", shown(package));
        let mut unclear = package.has_more_licenses.then(more);
        for stated in &package.licenses {
            let text = ImageText(stated.text());
            match license::judge(stated, denied, own) {
                Answer::Allowed => {}
                Answer::Denied => refuse(format!("its licence is '{text}'")),
                Answer::Unclear => unclear = Some(format!("{}: its licence '{text}' is not clear", shown(package))),
            }
        }
        if let Some(unclear) = unclear {
            self.unclear(&unclear);
        }
    }

    fn unclear(&mut self, what: &str) {
        self.unclear.get_or_insert_with(|| Why::undecidable("judging the packages", what));
    }

    fn verdict(self, sboms: usize, view: &View<'_>) -> Fact<Verdict> {
        let mut findings = Findings::new();
        let number = self.denied.len();
        for (place, (key, (message, location))) in self.denied.into_iter().enumerate() {
            match place.cmp(&SHOWN) {
                std::cmp::Ordering::Less => findings.add_keyed(message, location, fix(view), key),
                std::cmp::Ordering::Equal => {
                    let more = words::count(number - SHOWN, "more denied package");
                    findings.add_keyed(more, location, fix(view), "more");
                }
                std::cmp::Ordering::Greater => {}
            }
        }
        let nothing = match (sboms, self.packages) {
            (0, _) => Some("no SBOM in SPDX or CycloneDX says which packages there are; the rule `sbom` asks for one"),
            (_, 0) => Some("the SBOMs list no packages"),
            _ => None,
        };
        let nothing = nothing.map(|nothing| Why::undecidable("looking for the packages", nothing));
        if let Some(why) = self.unclear.or(nothing) {
            findings.stop(why.into());
        }
        findings.verdict(|| {
            let (packages, sboms) = (words::count(self.packages, "package"), words::count(sboms, "SBOM"));
            format!("none of {packages} in {sboms} is denied; no signature was verified")
        })
    }
}

/// The version of a package, with the epoch that package URLs of RPM have beside it, and Trivy's of Debian; or that only the SBOM
/// itself tells.
fn version(purl: &PackageUrl<'_>, package: &Package) -> Option<String> {
    let Some(version) = purl.version().filter(|version| !version.is_empty()) else { return package.version.clone() };
    if version.contains(':') || !matches!(purl.ty(), "deb" | "rpm") {
        return Some(version.to_owned());
    }
    let told = || package.version.as_deref()?.split_once(':').filter(|(_, rest)| *rest == version);
    let epoch = purl.qualifiers().get("epoch").map(AsRef::as_ref).or_else(|| told().map(|(epoch, _)| epoch));
    Some(epoch.map_or_else(|| version.to_owned(), |epoch: &str| format!("{epoch}:{version}")))
}

/// What a package URL that cannot be read seems to call the package.
fn seeming_name(purl: &str) -> &str {
    let path = purl.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split('@').next().unwrap_or_default()
}

/// A package as messages name it: its package URL without qualifiers, else its name and version.
fn shown(package: &Package) -> String {
    if let Some(purl) = package.purls.first() {
        return shown_purl(purl);
    }
    let name = package.name.as_deref().unwrap_or("a package without a name");
    let named = package.version.as_deref().map_or_else(|| name.to_owned(), |version| format!("{name} {version}"));
    format!("'{}'", ImageText(&named))
}

fn shown_purl(purl: &str) -> String {
    format!("'{}'", ImageText(purl.split(['?', '#']).next().unwrap_or_default()))
}

fn fix(view: &View<'_>) -> Fix {
    words::build("docker buildx build --platform {} --pull --no-cache --sbom=true --output type=registry -t {} .", view)
}
