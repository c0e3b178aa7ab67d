use std::borrow::Cow;

use super::config_part::{ConfigPart, is_windows};
use super::paths::cleaned;
use super::prelude::*;
use super::sensitive::{self, veiled_words};

/// Differences that are reported one by one; the rest is counted.
const REPORTED: usize = 50;
/// Values that one finding names.
const VALUES: usize = 4;

declare_rule! {
    /// The platforms of the image are configured alike.
    ///
    /// # What it checks
    ///
    /// That the configs of all platforms of one operating system say the same of some fields; Windows and Linux are never compared.
    /// Paths and ports are compared as runtimes take them (`80` is `80/tcp`, no `WorkingDir` is `/`), variables by name alone. Each
    /// finding names what most platforms say and which say otherwise; no value of a variable is shown.
    ///
    /// # Why
    ///
    /// An image that is put together from builds on several machines, or whose Dockerfile branches by architecture, can lose its
    /// user, its entrypoint or a variable on one of them. It is seen where that platform runs, which is mostly not where it was
    /// tested.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.platform-parity]
    /// fields = ["user", "entrypoint", "cmd", "env", "ports", "labels"]
    /// ignore = ["GOARM*", "org.opencontainers.image.created"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `fields` (list, default all but the last two): what must be alike: `"user"`, `"entrypoint"`, `"cmd"`, `"env"` (names),
    ///   `"ports"`, `"volumes"`, `"workdir"`, `"stop-signal"`, `"healthcheck"`, `"labels"` (names and values) and `"layer-count"`.
    /// - `ignore` (list of globs, empty by default): names of variables, labels, ports and volumes that may differ.
    ///
    /// Labels and layers differ in many healthy images: dates, machines and architectures stand in labels, and a platform that has no
    /// package of some kind has a layer less.
    ///
    /// # How to fix
    ///
    /// Build all platforms from one Dockerfile in one build:
    ///
    /// ```sh
    /// docker buildx build --platform linux/amd64,linux/arm64 --output type=registry -t IMAGE .
    /// ```
    ///
    /// # What it cannot see
    ///
    /// What is in the layers. Whether a difference is meant: say so with `ignore`, or leave the field out of `fields`.
    PlatformParity: "platform-parity"
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct PlatformParity {
    fields: BTreeSet<Field>,
    ignore: Vec<Glob>,
}

impl Default for PlatformParity {
    fn default() -> Self {
        let fields =
            Field::ALL.into_iter().filter(|field| !matches!(field, Field::Labels | Field::LayerCount)).collect();
        Self { fields, ignore: Vec::new() }
    }
}

/// What platforms may differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Field {
    User,
    Entrypoint,
    Cmd,
    Env,
    Ports,
    Volumes,
    Workdir,
    StopSignal,
    Healthcheck,
    Labels,
    LayerCount,
}

impl Field {
    const ALL: [Self; 11] = [
        Self::User,
        Self::Entrypoint,
        Self::Cmd,
        Self::Env,
        Self::Ports,
        Self::Volumes,
        Self::Workdir,
        Self::StopSignal,
        Self::Healthcheck,
        Self::Labels,
        Self::LayerCount,
    ];

    /// The pointer of what holds it in the config, and what one thing in it is called.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::User => ("/config/User", "User"),
            Self::Entrypoint => ("/config/Entrypoint", "Entrypoint"),
            Self::Cmd => ("/config/Cmd", "Cmd"),
            Self::Env => ("/config/Env", "the variable"),
            Self::Ports => ("/config/ExposedPorts", "the port"),
            Self::Volumes => ("/config/Volumes", "the volume"),
            Self::Workdir => ("/config/WorkingDir", "WorkingDir"),
            Self::StopSignal => ("/config/StopSignal", "StopSignal"),
            Self::Healthcheck => ("/config/Healthcheck", "Healthcheck"),
            Self::Labels => ("/config/Labels", "the label"),
            Self::LayerCount => ("", "the number of layers"),
        }
    }

    /// Whether it holds named things, which a policy can ignore one by one.
    fn has_names(self) -> bool {
        matches!(self, Self::Env | Self::Ports | Self::Volumes | Self::Labels)
    }

    /// What a config says of it: names, of which a field that has none has the empty one, and what is said of each.
    fn read<'g>(self, part: &Part<'g>) -> Said<'g> {
        let config = part.read.config;
        let alone =
            |value: Option<String>| value.map(|value| (Cow::Borrowed(""), Cow::Owned(value))).into_iter().collect();
        let quoted = |value: &str| Some(format!("'{value}'"));
        let line = |words: &Option<Vec<String>>| {
            let words = words.as_ref().filter(|words| !words.is_empty())?;
            serde_json::to_string(words).ok()
        };
        match self {
            Self::User => alone(config.user.as_deref().filter(|user| !user.is_empty()).and_then(quoted)),
            Self::Entrypoint => alone(line(&config.entrypoint)),
            Self::Cmd => alone(line(&config.cmd)),
            Self::Env => there(config.env.iter().map(|entry| variable(entry, part.windows))),
            Self::Ports => there(config.exposed_ports.iter().map(|port| full_port(port).into())),
            Self::Volumes => there(config.volumes.iter().map(|path| path_of(path, part.windows).into())),
            Self::Workdir => alone(quoted(&path_of(config.working_dir.as_deref().unwrap_or("/"), part.windows))),
            Self::StopSignal => alone(config.stop_signal.as_deref().and_then(quoted)),
            Self::Healthcheck => {
                let none = |test: &&Vec<String>| test.iter().all(|word| word == "NONE");
                alone(line(&config.healthcheck.as_ref().filter(|test| !none(test)).cloned()))
            }
            Self::Labels => config.labels.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            Self::LayerCount => alone(Some(part.layers.to_string())),
        }
    }
}

/// What a config says of a field.
type Said<'g> = BTreeMap<Cow<'g, str>, Cow<'g, str>>;

/// Names of which nothing is said but that they are there.
fn there<'g>(names: impl Iterator<Item = Cow<'g, str>>) -> Said<'g> {
    names.map(|name| (name, Cow::Borrowed("there"))).collect()
}

impl Field {
    /// Whether two configs have the same written there, which says the same of platforms of one kind.
    fn is_same(self, one: &Part<'_>, other: &Part<'_>) -> bool {
        let (a, b) = (one.read.config, other.read.config);
        match self {
            Self::User => a.user == b.user,
            Self::Entrypoint => a.entrypoint == b.entrypoint,
            Self::Cmd => a.cmd == b.cmd,
            Self::Env => a.env == b.env,
            Self::Ports => a.exposed_ports == b.exposed_ports,
            Self::Volumes => a.volumes == b.volumes,
            Self::Workdir => a.working_dir == b.working_dir,
            Self::StopSignal => a.stop_signal == b.stop_signal,
            Self::Healthcheck => a.healthcheck == b.healthcheck,
            Self::Labels => a.labels == b.labels,
            Self::LayerCount => one.layers == other.layers,
        }
    }

    /// A value for a message, without what looks like a secret in it.
    fn shown(self, name: &str, value: &str) -> String {
        match self {
            Self::Labels => format!("'{}'", sensitive::shown(name, value)),
            Self::Entrypoint | Self::Cmd | Self::Healthcheck => {
                let words: Vec<String> = serde_json::from_str(value).unwrap_or_default();
                serde_json::to_string(&veiled_words(&words)).unwrap_or_default()
            }
            _ => sensitive::veiled(value).into_owned(),
        }
    }
}

/// The name in an entry of `Env`; an entry without `=` may be a value, and is only counted.
fn variable(entry: &str, windows: bool) -> Cow<'_, str> {
    match entry.split_once('=') {
        Some((name, _)) if windows => name.to_ascii_uppercase().into(),
        Some((name, _)) => name.into(),
        None => "(an entry without '=')".into(),
    }
}

fn full_port(port: &str) -> String {
    if port.contains('/') { port.to_ascii_lowercase() } else { format!("{port}/tcp") }
}

fn path_of(path: &str, windows: bool) -> String {
    cleaned(path, windows).unwrap_or_else(|| path.to_owned())
}

/// What is compared of one platform.
struct Part<'g> {
    label: &'g str,
    read: ConfigPart<'g>,
    os: String,
    windows: bool,
    layers: usize,
}

impl<'g> Part<'g> {
    fn read(entry: &'g Entry, fields: &BTreeSet<Field>, view: &View<'g>) -> Fact<Self> {
        let parts = fields.iter().map(|field| field.names().0).filter(|pointer| !pointer.is_empty());
        let read = ConfigPart::read(entry, view, &parts.collect::<Vec<_>>())?;
        let os = entry.platform.as_ref().map(|platform| platform.os.clone()).map_err(Clone::clone)?;
        let layers = if fields.contains(&Field::LayerCount) { view.image(entry)?.layers.len() } else { 0 };
        let windows = is_windows(entry, read.config);
        Ok(Self { label: &entry.label, read, os, windows, layers })
    }
}

impl Check for PlatformParity {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn problems(&self) -> Vec<Problem> {
        if self.fields.is_empty() {
            return vec![Problem::with("fields", "nothing is compared: name a field, or leave `fields` out")];
        }
        let named = self.fields.iter().any(|field| field.has_names());
        let useless = !self.ignore.is_empty() && !named;
        useless
            .then(|| Problem::with("ignore", "none of the `fields` holds names that could be ignored"))
            .into_iter()
            .collect()
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entries = &view.subjects().entries;
        if entries.len() < 2 {
            return Ok(Verdict::Pass("there is one platform, and nothing to compare it with".to_owned()));
        }
        let mut findings = Findings::new();
        let mut by_os: BTreeMap<String, Vec<Part<'_>>> = BTreeMap::new();
        for entry in entries {
            match Part::read(entry, &self.fields, view) {
                // An entry that turns out to be no image is judged by other rules.
                Err(Stop::NotApplicable(_)) => {}
                part => {
                    if let Some(part) = findings.note(part) {
                        by_os.entry(part.os.clone()).or_default().push(part);
                    }
                }
            }
        }
        let mut found = 0;
        for parts in by_os.values().filter(|parts| parts.len() > 1) {
            for difference in self.fields.iter().flat_map(|field| self.differences(*field, parts)) {
                found += 1;
                if found <= REPORTED {
                    findings.add_keyed(difference.message, difference.location, fix(view), difference.key);
                }
            }
        }
        if found > REPORTED {
            let message = format!("{} more differences between the platforms", found - REPORTED);
            findings.add_keyed(message, Location::root(view, ""), fix(view), "more");
        }
        findings.verdict(|| evidence(&by_os))
    }
}

/// Something that platforms say differently.
struct Difference {
    message: String,
    location: Location,
    key: String,
}

impl PlatformParity {
    fn differences(&self, field: Field, parts: &[Part<'_>]) -> Vec<Difference> {
        if parts.iter().all(|part| part.windows == parts[0].windows && field.is_same(part, &parts[0])) {
            return Vec::new();
        }
        let said: Vec<Said<'_>> = parts.iter().map(|part| field.read(part)).collect();
        if said.iter().all(|one| *one == said[0]) {
            return Vec::new();
        }
        let names: BTreeSet<&Cow<'_, str>> = said.iter().flat_map(BTreeMap::keys).collect();
        let ignored = |name: &str| field.has_names() && self.ignore.iter().any(|glob| glob.matches(name));
        let wanted = names.into_iter().filter(|name| !ignored(name));
        wanted.filter_map(|name| difference(field, name, &said, parts)).collect()
    }
}

/// What platforms say differently of one name in a field.
fn difference(field: Field, name: &str, said: &[Said<'_>], parts: &[Part<'_>]) -> Option<Difference> {
    let mut by_value: BTreeMap<Option<&Cow<'_, str>>, Vec<usize>> = BTreeMap::new();
    for (position, said) in said.iter().enumerate() {
        by_value.entry(said.get(name)).or_default().push(position);
    }
    let mut values: Vec<(Option<&Cow<'_, str>>, Vec<usize>)> = by_value.into_iter().collect();
    // What most platforms say comes first, and of equals what the first platform says.
    values.sort_by_key(|(_, positions)| (std::cmp::Reverse(positions.len()), positions.first().copied()));
    let (_, odd) = values.get(1)?;
    let part = parts.get(*odd.first()?)?;
    let label = |position: &usize| parts.get(*position).map_or("", |part| part.label);
    let phrase = |(value, positions): &(Option<&Cow<'_, str>>, Vec<usize>)| {
        let value = value.map_or_else(|| "none".to_owned(), |value| field.shown(name, value));
        format!("{} on {}", ImageText(&value), words::listed(positions.iter().map(label)))
    };
    let mut phrases: Vec<String> = values.iter().take(VALUES).map(phrase).collect();
    if values.len() > VALUES {
        phrases.push(words::count(values.len() - VALUES, "other value"));
    }
    let (pointer, noun) = field.names();
    let named = if name.is_empty() { String::new() } else { format!(" '{}'", ImageText(name)) };
    let there = said.get(*odd.first()?)?.contains_key(name);
    let location = match field {
        Field::LayerCount => part.read.at(""),
        // An excerpt is of what differs, and not of the values of variables.
        _ if there && field != Field::Env => part.read.at(pointer),
        _ => part.read.at("/config"),
    };
    let odd_ones = values.iter().skip(1).flat_map(|(_, positions)| positions).map(label);
    Some(Difference {
        message: format!("the platforms differ in {noun}{named}: {}", phrases.join("; ")),
        location,
        key: format!("{noun}{name} {}", odd_ones.collect::<Vec<_>>().join(" ")),
    })
}

fn evidence(by_os: &BTreeMap<String, Vec<Part<'_>>>) -> String {
    let groups = by_os.values().map(|parts| match parts.as_slice() {
        [alone] => format!("{} has none to compare with", ImageText(alone.label)),
        parts => format!("{} are alike", words::listed(parts.iter().map(|part| part.label))),
    });
    let groups: Vec<String> = groups.collect();
    if groups.is_empty() { "there is no image to compare".to_owned() } else { groups.join("; ") }
}

fn fix(view: &View<'_>) -> Fix {
    Fix::new("build all platforms from one Dockerfile in one build:")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}
