//! What an image has of the things that are compared.

use std::borrow::Cow;

use super::super::base::{self, Named};
use super::super::carriers::{Content, Coverage, Sought, SoughtProvenance, own};
use super::super::config_part::{ConfigPart, is_windows};
use super::super::paths::cleaned;
use super::super::prelude::*;
use super::super::{exposed_ports, user};
use crate::oci::{PredicateClass, Provenance};

/// What one image has, by the names that are compared, and where each is.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) things: BTreeMap<String, Location>,
    /// Where to say that something is missing.
    pub(super) at: Location,
    /// Why there may be more.
    pub(super) doubt: Option<Why>,
}

impl Seen {
    fn new(things: impl IntoIterator<Item = (String, Location)>, at: Location) -> Self {
        Self { things: things.into_iter().collect(), at, doubt: None }
    }

    /// Nothing that could be compared.
    pub(super) fn none(entry: &Entry) -> Self {
        Self::new([], Location::entry(entry))
    }
}

/// Podman's label for the capabilities that an image needs: those of the default ones that it names are left to it, and others
/// are asked for (podman-run(1), containers/common `pkg/capabilities`).
const CAPABILITIES: &str = "io.containers.capabilities";
/// What Podman gives by default (containers.conf(5), `default_capabilities`, read in 2026).
const DEFAULT_CAPABILITIES: &str =
    "CHOWN,DAC_OVERRIDE,FOWNER,FSETID,KILL,NET_BIND_SERVICE,SETFCAP,SETGID,SETPCAP,SETUID,SYS_CHROOT";

/// Whether it runs as root; in doubt where only the base of a Windows image tells.
pub(super) fn root(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    let read = ConfigPart::read(entry, view, &["/config/User"])?;
    let at = read.at(if read.config.user.is_some() { "/config/User" } else { "/config" });
    let mut seen = Seen::new([], at.clone());
    match user::is_root(entry, read.config) {
        Some(true) => drop(seen.things.insert("root".to_owned(), at)),
        Some(false) => {}
        None => {
            let detail = "it names no user, so that its base image decides";
            seen.doubt = Some(Why::undecidable("judging the user of a Windows image", detail));
        }
    }
    Ok(seen)
}

pub(super) fn ports(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    let read = ConfigPart::read(entry, view, &["/config/ExposedPorts"])?;
    let port = |name: &String| {
        // What is no port is compared as it is written.
        let port = exposed_ports::shown(name).unwrap_or_else(|| name.clone());
        (port, read.at_member(&[&"ExposedPorts", name]))
    };
    Ok(Seen::new(read.config.exposed_ports.iter().map(port), read.at("/config")))
}

pub(super) fn volumes(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    let read = ConfigPart::read(entry, view, &["/config/Volumes"])?;
    let windows = is_windows(entry, read.config);
    let volume = |written: &String| {
        let path = cleaned(written, windows).or_else(|| cleaned(&format!("/{written}"), windows));
        (path.unwrap_or_else(|| written.clone()), read.at_member(&[&"Volumes", written]))
    };
    Ok(Seen::new(read.config.volumes.iter().map(volume), read.at("/config")))
}

pub(super) fn capabilities(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    let read = ConfigPart::read(entry, view, &["/config/Labels"])?;
    let label = read.config.labels.get(CAPABILITIES).filter(|label| !label.trim().is_empty());
    let at = if label.is_some() { read.at_member(&[&"Labels", &CAPABILITIES]) } else { read.at("/config") };
    let named = label.map_or(DEFAULT_CAPABILITIES, String::as_str).split(',').map(|name| {
        let name = name.trim().to_ascii_uppercase();
        name.strip_prefix("CAP_").map(str::to_owned).unwrap_or(name)
    });
    let named = named.filter(|name| !name.is_empty()).map(|name| (name, at.clone()));
    Ok(Seen::new(named, at.clone()))
}

pub(super) fn labels(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    let read = ConfigPart::read(entry, view, &["/config/Labels"])?;
    let filled = read.config.labels.iter().filter(|(_, value)| !value.is_empty());
    let labels = filled.map(|(name, _)| (name.clone(), read.at_member(&[&"Labels", name])));
    Ok(Seen::new(labels, read.at("/config")))
}

/// The annotations of the index, of the entry in it and of the manifest, as one.
pub(super) fn annotations(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    let at = Location::entry(entry);
    let manifest = &view.image(entry)?.annotations;
    let of_index = match view.root_manifest()? {
        Manifest::Index(index) => Some(&index.annotations),
        _ => None,
    };
    let all = [manifest, &entry.descriptor.annotations].into_iter().chain(of_index).flatten();
    let filled = all.filter(|(_, value)| !value.is_empty()).map(|(name, _)| (name.clone(), at.clone()));
    Ok(Seen::new(filled, at.clone()))
}

/// `Entrypoint` and `Cmd`, as one.
pub(super) fn command(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    let read = ConfigPart::read(entry, view, &["/config/Entrypoint", "/config/Cmd"])?;
    let (entrypoint, cmd) = (&read.config.entrypoint, &read.config.cmd);
    let shown = |words: &Option<Vec<String>>| serde_json::json!(words.as_deref().unwrap_or_default()).to_string();
    let command = format!("Entrypoint {}, Cmd {}", shown(entrypoint), shown(cmd));
    Ok(Seen::new([(command, read.at("/config"))], read.at("/config")))
}

/// The repository of the base image.
pub(super) fn base(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    let undecidable = |detail: String| {
        Stop::from(Why::undecidable(format!("looking for the base of {}", view.root().target), detail))
    };
    let mut seen = Seen::none(entry);
    for claim in base::claims(entry, view)? {
        let name = match &claim.named {
            Named::Image(reference) => reference.canonical_name(),
            Named::Scratch => base::SCRATCH.to_owned(),
            Named::Nothing | Named::Unreadable(_) => return Err(undecidable(format!("the base is {claim}"))),
        };
        seen.things.insert(name, claim.location);
    }
    if seen.things.len() > 1 {
        let listed = words::listed(seen.things.keys());
        let detail = format!("its provenance lists {listed}, and does not tell which is the base");
        seen.doubt = Some(Why::undecidable("comparing the base images", detail));
    }
    Ok(seen)
}

pub(super) fn builders(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    attached(&SoughtProvenance { called: builder, ..SoughtProvenance::ANY }, entry, view)
}

pub(super) fn attestations(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    attached(&Attestations, entry, view)
}

pub(super) fn signatures(entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    attached(&Signatures, entry, view)
}

/// What is attached to a platform or to the image as a whole, by what the search calls it.
fn attached(sought: &dyn Sought, entry: &Entry, view: &View<'_>) -> Fact<Seen> {
    let subject = Subject::Platform(entry);
    let (found, doubt) = Coverage::Either.search(sought, subject, view)?.all()?;
    let things = found.iter().map(|found| (found.what().to_owned(), found.location()));
    Ok(Seen { doubt, ..Seen::new(things, Location::entry(entry)) })
}

/// What the builder of some provenance is called.
fn builder(provenance: &Provenance) -> Result<Option<String>, String> {
    let builder = provenance.builder_id.as_ref().ok_or("it names no builder")?;
    Ok(Some(lasting(builder).into_owned()))
}

/// The part of a builder's id that stays from run to run and from version to version: without GitHub's run, GitLab's
/// runner, and what follows an `@`.
fn lasting(builder: &str) -> Cow<'_, str> {
    let scheme = builder.find("://").map_or(0, |at| at + 3);
    let path = builder[scheme..].find('/').map_or(builder.len(), |at| scheme + at);
    let id = builder.rfind('@').filter(|at| *at > path).map_or(builder, |at| &builder[..at]);
    let cut = ["/actions/runs/", "/-/runners/"].into_iter().find_map(|part| id.find(part));
    Cow::Borrowed(cut.map_or(id, |at| &id[..at]))
}

struct Attestations;

impl Sought for Attestations {
    fn noun(&self) -> String {
        "attestation".to_owned()
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att", "sbom"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        matches!(content, Content::Sbom { .. })
            || content.class().is_some_and(|class| class != PredicateClass::Signature)
    }

    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        let called = match (content, content.class()) {
            (Content::Statement { .. }, Some(PredicateClass::Provenance)) => "provenance".to_owned(),
            (Content::Statement { predicate_type, .. }, Some(class)) if !class.is_sbom() => {
                format!("statement of type {}", unversioned(predicate_type))
            }
            _ => "SBOM".to_owned(),
        };
        Ok(own(content, about, view)?.map(|()| called))
    }
}

/// A predicate type without its version: `https://openvex.dev/ns/v0.2.0` as `https://openvex.dev/ns`.
fn unversioned(predicate_type: &str) -> &str {
    let is_version = |last: &str| last.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    predicate_type.rsplit_once('/').filter(|(_, last)| is_version(last)).map_or(predicate_type, |(first, _)| first)
}

struct Signatures;

impl Sought for Signatures {
    fn noun(&self) -> String {
        "signature".to_owned()
    }

    fn tags(&self) -> &'static [&'static str] {
        &["sig"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        matches!(content, Content::Signature(_) | Content::OpaqueBundle(_))
            || content.class() == Some(PredicateClass::Signature)
    }

    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        Ok(own(content, about, view)?.map(|()| "signature".to_owned()))
    }
}

/// The name under which platforms of two images are the same: of Windows the build counts, and not its revision, which is another
/// every month.
fn name(platform: &Platform) -> String {
    let build = platform.os_version.as_deref().filter(|_| platform.os.eq_ignore_ascii_case("windows"));
    match build {
        Some(version) => {
            let build: Vec<&str> = version.split('.').take(3).collect();
            format!("{} ({})", platform.short(), build.join("."))
        }
        None => platform.short(),
    }
}

/// The platforms of an image, and why there may be more.
pub(super) fn platforms(view: &View<'_>) -> (BTreeSet<String>, Option<Why>) {
    let subjects = view.subjects();
    let names = subjects.entries.iter().filter_map(|entry| entry.platform.as_ref().ok()).map(name).collect();
    (names, doubt(view))
}

fn doubt(view: &View<'_>) -> Option<Why> {
    let subjects = view.subjects();
    let unknown = subjects.entries.iter().find_map(|entry| entry.platform.as_ref().err());
    unknown.or_else(|| subjects.undetermined.first().map(|(_, why)| why)).cloned()
}

/// The entry for a platform; `None` is proof that there is none.
pub(super) fn same_platform<'v>(platform: &Platform, view: &'v View<'_>) -> Fact<Option<&'v Entry>> {
    let wanted = platform.normalised();
    let of = |same: &dyn Fn(&Platform) -> bool| {
        view.subjects().entries.iter().find(|entry| entry.platform.as_ref().is_ok_and(same))
    };
    let found =
        of(&|platform| platform.normalised() == wanted).or_else(|| of(&|platform| name(platform) == name(&wanted)));
    match (found, doubt(view)) {
        (None, Some(why)) => Err(why.into()),
        (found, _) => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_with_each_run_is_left_out_of_a_builder() {
        for (builder, stays) in [
            ("https://github.com/acme/app/actions/runs/1/attempts/2", "https://github.com/acme/app"),
            (
                "https://github.com/acme/app/.github/workflows/x.yml@refs/tags/v1",
                "https://github.com/acme/app/.github/workflows/x.yml",
            ),
            ("https://gitlab.com/acme/app/-/runners/1234", "https://gitlab.com/acme/app"),
            ("https://user@ci.example/build", "https://user@ci.example/build"),
            ("https://ci.example/build", "https://ci.example/build"),
            ("@", "@"),
            ("", ""),
        ] {
            assert_eq!(lasting(builder), stays, "{builder}");
        }
    }

    #[test]
    fn a_version_of_a_predicate_is_no_other_kind() {
        assert_eq!(unversioned("https://openvex.dev/ns/v0.2.0"), "https://openvex.dev/ns");
        assert_eq!(unversioned("https://example.com/test"), "https://example.com/test");
    }

    #[test]
    fn windows_platforms_are_the_same_if_the_build_is() {
        let name = |text: &str| name(&text.parse().unwrap());
        assert_eq!(name("windows/amd64 (10.0.20348.1)"), name("windows/amd64 (10.0.20348.2)"));
        assert_ne!(name("windows/amd64 (10.0.20348.1)"), name("windows/amd64 (10.0.17763.1)"));
        assert_eq!(name("linux/arm64/v8"), name("linux/arm64"));
    }
}
