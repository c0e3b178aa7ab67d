use super::prelude::*;
use crate::oci::PlatformPattern;

declare_rule! {
    /// The image has the platforms that are wanted, and no others.
    ///
    /// # What it checks
    ///
    /// The platforms that a runtime could select: of an index what its entries declare, so that one request is enough; of a plain
    /// manifest, and of an entry without a platform, what the config says. Entries with the platform `unknown/unknown`
    /// (attestations) and artifacts are no platforms. The evidence says where the platforms come from: `declared` or `config`.
    ///
    /// # Why
    ///
    /// An index that lost a platform fails on the machines that need it, long after the push. One with an unexpected platform ships
    /// what nobody tested.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.platforms]
    /// require = ["linux/amd64", "linux/arm64"]
    /// deny = ["windows/*"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `require` (list of platforms): each must be there. `linux/*` asks for at least one of that kind.
    /// - `allow` (list of platforms): no others may be there.
    /// - `deny` (list of platforms): none of these may be there.
    /// - `allow-duplicates` (true or false, default true): whether one platform may occur more than once without a reason. The
    ///   specification allows it and runtimes take the first; with `false` it is a violation. Entries that differ in `os.version` or
    ///   `os.features` are never duplicates, and neither are an image, its zstd twin (annotated
    ///   `io.github.containers.compression.zstd: "true"`) and entries with an artifact type of their own (Nydus), each of which may
    ///   be there once.
    ///
    /// A platform is `os/architecture` or `os/architecture/variant`, `*` for any; at least one parameter must require something. Names
    /// are compared as containerd compares them: `aarch64` is `arm64`, `linux/arm` is `linux/arm/v7`, `arm64/v8` is `arm64`. So
    /// `linux/arm` says nothing of `linux/arm/v6`; `linux/arm/*` is every variant.
    ///
    /// # How to fix
    ///
    /// ```sh
    /// docker buildx build --platform linux/amd64,linux/arm64 --output type=registry -t IMAGE .
    /// ```
    ///
    /// or join images that were built one by one: `docker buildx imagetools create -t IMAGE IMAGE-amd64 IMAGE-arm64`,
    /// `regctl index add`, `crane index append`, `podman manifest add`. `docker manifest create` drops the annotations that link
    /// attestations to platforms.
    ///
    /// # What it cannot see
    ///
    /// Whether an entry holds what it declares (rules `platform-agreement` and `children`), and what the programs in it were
    /// compiled for.
    Platforms: "platforms"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Platforms {
    require: Vec<PlatformPattern>,
    allow: Vec<PlatformPattern>,
    deny: Vec<PlatformPattern>,
    allow_duplicates: Option<bool>,
}

impl Check for Platforms {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn problems(&self) -> Vec<Problem> {
        let no_patterns = self.require.is_empty() && self.allow.is_empty() && self.deny.is_empty();
        if no_patterns && self.allow_duplicates != Some(false) {
            return vec![Problem::missing(
                "nothing is required: give `require`, `allow` or `deny`, such as `require = [\"linux/amd64\"]`",
            )];
        }
        let texts = |patterns: &[PlatformPattern]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>();
        let barred = self
            .require
            .iter()
            .find(|wanted| wanted.as_platform().is_some_and(|platform| self.objection(&platform).is_some()));
        let barred = barred.map(|wanted| {
            Problem::with("require", format!("`{wanted}` is required, and `allow` or `deny` forbids it"))
        });
        barred.into_iter().chain(allowed_and_denied(texts(&self.allow), texts(&self.deny))).collect()
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let mut findings = Findings::new();
        self.check_required(view, &mut findings);
        self.check_allowed(view, &mut findings)?;
        let duplicates = duplicates(view);
        if self.allow_duplicates == Some(false) {
            report_duplicates(&duplicates, view, &mut findings);
        }
        findings.verdict(|| evidence(&duplicates, view))
    }
}

impl Platforms {
    fn check_required(&self, view: &View<'_>, findings: &mut Findings) {
        let subjects = view.subjects();
        let has =
            |wanted: &&PlatformPattern| subjects.entries.iter().filter_map(known).any(|found| wanted.matches(found));
        for wanted in self.require.iter().filter(|wanted| !has(wanted)) {
            if let Some(why) = open_entries(view)
                .find_map(|(platform, why)| platform.is_none_or(|found| wanted.matches(found)).then_some(why))
            {
                findings.stop(why.clone().into());
                continue;
            }
            let found = words::listed(subjects.entries.iter().filter_map(known));
            let message = format!("the image has no {wanted}; it has {found}");
            findings.add_keyed(
                message,
                Location::root(view, pointer_to_entries(view)),
                self.fix(view),
                wanted.to_string(),
            );
        }
    }

    fn check_allowed(&self, view: &View<'_>, findings: &mut Findings) -> Fact<()> {
        for entry in &view.subjects().entries {
            if let Some(objection) = known(entry).and_then(|platform| self.objection(platform)) {
                let location = where_stated(entry, view)?;
                let message = format!("the image has {}, {objection}", ImageText(&entry.label));
                findings.add_keyed(message, location, self.fix(view), format!("unwanted {}", entry.label));
            }
        }
        let judged = !self.allow.is_empty() || !self.deny.is_empty();
        let unwanted =
            |platform: Option<&Platform>| judged && platform.is_none_or(|platform| self.objection(platform).is_some());
        if let Some((_, why)) = open_entries(view).find(|(platform, _)| unwanted(*platform)) {
            findings.stop(why.clone().into());
        }
        Ok(())
    }

    /// What the policy has against a platform.
    fn objection(&self, platform: &Platform) -> Option<String> {
        if let Some(denied) = self.deny.iter().find(|denied| denied.matches(platform)) {
            return Some(format!("the policy denies {denied}"));
        }
        let allowed = self.allow.is_empty() || self.allow.iter().any(|allowed| allowed.matches(platform));
        (!allowed).then(|| format!("only {} may be there", words::listed(&self.allow)))
    }

    /// A build of all platforms at once: those there that may stay, and those that are missing.
    fn fix(&self, view: &View<'_>) -> Fix {
        let there = view
            .subjects()
            .entries
            .iter()
            .filter_map(known)
            .filter(|platform| self.objection(platform).is_none())
            .cloned();
        let required = self.require.iter().filter_map(PlatformPattern::as_platform);
        let wanted: Vec<Platform> = there
            .chain(required)
            .map(|platform| (platform.short(), platform))
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .collect();
        if wanted.is_empty() {
            return Fix::new(
                "build the wanted platforms: docker buildx build --platform linux/amd64 --output type=registry -t {} .",
            )
            .with(&push_name(view));
        }
        Fix::new("docker buildx build --platform {} --output type=registry -t {} .")
            .with(&wanted)
            .with(&push_name(view))
    }
}

fn known(entry: &Entry) -> Option<&Platform> {
    entry.platform.as_ref().ok()
}

/// What may be a platform and could not be looked at: the platform, if it is known, and the reason.
fn open_entries<'g>(view: &View<'g>) -> impl Iterator<Item = (Option<&'g Platform>, &'g Why)> {
    let subjects = view.subjects();
    let undetermined = subjects.undetermined.iter().map(|(entry, why)| (entry.platform(), why));
    undetermined.chain(subjects.entries.iter().filter_map(|entry| Some((None, entry.platform.as_ref().err()?))))
}

fn pointer_to_entries(view: &View<'_>) -> &'static str {
    if view.subjects().indexes.is_empty() { "" } else { "/manifests" }
}

/// Where the platform of an entry is written.
fn where_stated(entry: &Entry, view: &View<'_>) -> Fact<Location> {
    match &entry.place {
        Place::Index { digest, pointer } if entry.declared => {
            Ok(Location::new(NodeRole::Index, digest, format!("{pointer}/platform")))
        }
        _ => Ok(Location::new(NodeRole::Config, &view.config_digest(entry)?, "/architecture")),
    }
}

/// Entries that a runtime cannot tell from an earlier one.
fn duplicates<'g>(view: &View<'g>) -> Vec<&'g Entry> {
    let mut seen = BTreeSet::new();
    let entries = view.subjects().entries.iter();
    entries.filter(|entry| known(entry).is_some_and(|platform| !seen.insert((platform, kind(entry))))).collect()
}

/// What tells an entry from another one for the same platform: whether it is the zstd twin, as Podman knows it, and the type of
/// what it is for others (Nydus).
fn kind(entry: &Entry) -> (bool, Option<&str>) {
    let Descriptor { annotations, artifact_type, .. } = &entry.descriptor;
    let is_zstd = annotations.get("io.github.containers.compression.zstd").is_some_and(|value| value == "true");
    (is_zstd, artifact_type.as_ref().map(MediaType::as_str).filter(|text| !text.is_empty()))
}

fn report_duplicates(duplicates: &[&Entry], view: &View<'_>, findings: &mut Findings) {
    for entry in duplicates {
        let Some(platform) = known(entry) else { continue };
        let message = format!("{} occurs more than once; runtimes take the first", ImageText(&platform.to_string()));
        let fix = Fix::new(
            "make the index again with one image for each platform: docker buildx imagetools create -t {} {}-amd64 {}-arm64",
        )
        .with(&push_name(view))
        .with(&push_name(view))
        .with(&push_name(view));
        findings.add_keyed(message, Location::entry(entry), fix, format!("duplicate {}", entry.label));
    }
    if let Some((_, why)) = open_entries(view).next() {
        findings.stop(why.clone().into());
    }
}

fn evidence(duplicates: &[&Entry], view: &View<'_>) -> String {
    let entries = &view.subjects().entries;
    let source = match (entries.iter().all(|entry| entry.declared), entries.iter().any(|entry| entry.declared)) {
        (true, _) => "declared",
        (false, true) => "declared and config",
        (false, false) => "config",
    };
    let found = words::listed(entries.iter().map(|entry| &entry.label));
    match duplicates {
        [] => format!("{found} ({source})"),
        some => {
            let again = words::listed(some.iter().map(|entry| &entry.label));
            format!("{found} ({source}); note: runtimes take the first of duplicates, not {again}")
        }
    }
}
