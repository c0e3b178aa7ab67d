use super::config_part::{ConfigPart, is_windows};
use super::prelude::*;
use crate::finding::PolicyWord;

declare_rule! {
    /// The image sets the environment variables that are wanted, and no others that are refused.
    ///
    /// # What it checks
    ///
    /// `Env` in each platform's config: that some variables are set and not empty, that values match a pattern, and that others
    /// are not set. Names are compared as written, on Windows without regard to case. No value is ever shown, neither one that is
    /// found nor one that is refused.
    ///
    /// Where a name stands twice, runtimes take the last. Entries that contradict each other are no base for a gate: if some are as
    /// wanted and some are not, the answer is unknown. So it is where an entry that matters has no `=`: some runtimes unset the
    /// variable, others refuse to start.
    ///
    /// # Why
    ///
    /// Programs are told by variables where to find things (`PATH`, `JAVA_HOME`), how to behave (`DEBUG`, `NODE_ENV`) and which code to
    /// load first (`LD_PRELOAD`). What an image sets holds in every container of it, unless a deployment says otherwise.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.env]
    /// require = ["APP_VERSION"]
    /// match = { NODE_ENV = 'production' }
    /// deny = ["DEBUG", "LD_PRELOAD", "*_PROXY"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `require` (list of names, empty by default): variables that must be set and not be empty.
    /// - `match` (table of name and regular expression, empty by default): variables that must be set, the whole value matching.
    /// - `deny` (list of globs over names, empty by default): variables that must not be set.
    ///
    /// # How to fix
    ///
    /// Write `ENV NAME=value` into the Dockerfile, or take it out. What only the build needs is an `ARG`, which leaves no variable.
    /// One that a base image sets cannot be removed in a Dockerfile, only set anew. An image that cannot be built again is given a
    /// variable with `crane mutate --env NAME=value IMAGE`; that changes its digest, so sign it afterwards.
    ///
    /// # What it cannot see
    ///
    /// What an entrypoint's script or a deployment sets. Which of the variables the program reads. Whether a value is a secret: see
    /// the rule `secrets`.
    Env: "env"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Env {
    require: Vec<String>,
    r#match: BTreeMap<String, Pattern>,
    deny: Vec<Glob>,
}

impl Check for Env {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        if self.require.is_empty() && self.r#match.is_empty() && self.deny.is_empty() {
            return vec![Problem::missing(
                "nothing is required: give `require`, `match` or `deny`, such as `deny = [\"LD_PRELOAD\"]`",
            )];
        }
        let unfit = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
        let named = |parameter, names: Vec<&String>| {
            let name = names.into_iter().find(unfit)?;
            Some(Problem::with(parameter, format!("`{name}` is no name of a variable: expected one such as `PATH`")))
        };
        let denied = |name: &&str| self.deny.iter().any(|glob| glob.matches(name));
        let contradiction =
            self.wanted().into_iter().find(denied).map(|name| {
                Problem::with("deny", format!("`{name}` is wanted and denied: take it out of one of the two"))
            });
        let unfit = named("require", self.require.iter().collect())
            .into_iter()
            .chain(named("match", self.r#match.keys().collect()));
        unfit.chain(contradiction).collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let read = ConfigPart::read(entry, view, &["/config/Env"])?;
        let variables = Variables::new(&read.config.env, is_windows(entry, read.config));
        let mut findings = Findings::new();
        for name in self.wanted() {
            let pattern = self.r#match.get(name);
            match variables.judge(name, self.require.iter().any(|required| required == name), pattern) {
                Judged::Good => {}
                Judged::Unclear(detail) => findings.stop(Why::undecidable("reading Env", detail).into()),
                Judged::Bad { entry, fault } => {
                    let location = entry.map_or_else(|| variables.absent(&read), |position| at(position, &read));
                    let message = format!("the variable '{}' {fault}", ImageText(name));
                    findings.add_keyed(message, location, set(name, view), name);
                }
            }
        }
        self.forbid(&variables, &read, view, &mut findings);
        findings.verdict(|| variables.to_string())
    }
}

impl Env {
    /// The names of which something is wanted.
    fn wanted(&self) -> BTreeSet<&str> {
        self.require.iter().chain(self.r#match.keys()).map(String::as_str).collect()
    }

    fn forbid(&self, variables: &Variables<'_>, read: &ConfigPart<'_>, view: &View<'_>, findings: &mut Findings) {
        let globs: Vec<(&Glob, Glob)> = self.deny.iter().map(|glob| (glob, variables.folded_glob(glob))).collect();
        let mut reported = BTreeSet::new();
        for variable in &variables.entries {
            let Some((glob, _)) = globs.iter().find(|(_, folded)| folded.matches(&variable.name)) else { continue };
            if !reported.insert(&variable.name) {
                continue;
            }
            // Without a `=` the whole entry may be a value that went astray.
            let shown = if variable.value.is_some() {
                format!("the image sets the variable '{}'", ImageText(variable.written))
            } else {
                format!("entry {} of Env, which has no '='", variable.position + 1)
            };
            let message = format!("{shown}: refused by `deny` ('{}')", glob.as_str());
            let key = if variable.value.is_some() { variable.name.as_str() } else { "" };
            findings.add_keyed(message, at(variable.position, read), unset(view), format!("denied {key}"));
        }
    }
}

/// One entry of `Env`.
#[derive(Debug)]
struct Variable<'c> {
    position: usize,
    /// The name as written.
    written: &'c str,
    /// The name as it is compared.
    name: String,
    /// `None` where the entry has no `=`.
    value: Option<&'c str>,
}

/// The entries of `Env`, in their order.
#[derive(Debug)]
struct Variables<'c> {
    entries: Vec<Variable<'c>>,
    windows: bool,
}

/// What came of looking for one variable.
#[derive(Debug, PartialEq, Eq)]
enum Judged {
    Good,
    Unclear(String),
    Bad { entry: Option<usize>, fault: String },
}

impl<'c> Variables<'c> {
    fn new(env: &'c [String], windows: bool) -> Self {
        let read = |(position, entry): (usize, &'c String)| {
            // A name may begin with `=`: Windows keeps the directory of each drive in `=C:`.
            let equals = entry.char_indices().skip(1).find(|(_, c)| *c == '=').map(|(at, _)| at);
            let (written, value) = match equals.and_then(|at| entry.split_at_checked(at)) {
                Some((name, value)) => (name, Some(value.strip_prefix('=').unwrap_or(value))),
                None => (entry.as_str(), None),
            };
            Variable { position, written, name: folded(written, windows), value }
        };
        Self { entries: env.iter().enumerate().map(read).collect(), windows }
    }

    fn judge(&self, name: &str, required: bool, pattern: Option<&Pattern>) -> Judged {
        let folded = folded(name, self.windows);
        let faults: Vec<(usize, Option<String>)> = self
            .entries
            .iter()
            .filter(|variable| variable.name == folded)
            .map(|variable| (variable.position, variable.fault(required, pattern)))
            .collect();
        if self.entries.iter().any(|variable| variable.name == folded && variable.value.is_none()) {
            return Judged::Unclear(format!("the entry for '{name}' has no '='"));
        }
        match faults.last() {
            None => Judged::Bad { entry: None, fault: "is not set, wanted it to be".to_owned() },
            Some(_)
                if faults.iter().any(|(_, fault)| fault.is_some())
                    && faults.iter().any(|(_, fault)| fault.is_none()) =>
            {
                Judged::Unclear(format!("'{name}' is set more than once, to what is wanted and to what is not"))
            }
            Some((position, Some(fault))) => Judged::Bad { entry: Some(*position), fault: fault.clone() },
            Some((_, None)) => Judged::Good,
        }
    }

    /// A glob that is compared with the names of entries.
    fn folded_glob(&self, glob: &Glob) -> Glob {
        Glob::new(&folded(glob.as_str(), self.windows)).unwrap_or_else(|_| glob.clone())
    }

    /// Where a variable is missing.
    fn absent(&self, read: &ConfigPart<'_>) -> Location {
        if self.entries.is_empty() { read.at("/config") } else { read.at_member(&[&"Env"]) }
    }
}

/// The names, never the values. An entry without `=` may be a value, and is only counted.
impl std::fmt::Display for Variables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = self.entries.iter().filter(|variable| variable.value.is_some());
        match self.entries.len() {
            0 => f.write_str("no variable is set"),
            _ => write!(f, "sets {}", words::listed(named.map(|variable| variable.written))),
        }
    }
}

impl Variable<'_> {
    /// What is wrong with the value, without showing it.
    fn fault(&self, required: bool, pattern: Option<&Pattern>) -> Option<String> {
        let value = self.value?;
        if required && value.is_empty() {
            return Some("is empty, wanted a value".to_owned());
        }
        let pattern = pattern.filter(|pattern| !pattern.matches(value))?;
        Some(format!("has another value than wanted: a match of '{}'", pattern.as_str()))
    }
}

fn folded(name: &str, windows: bool) -> String {
    if windows { name.to_ascii_uppercase() } else { name.to_owned() }
}

fn at(position: usize, read: &ConfigPart<'_>) -> Location {
    read.at_member(&[&"Env", &position])
}

fn set(name: &str, view: &View<'_>) -> Fix {
    let setting = format!("{name}=VALUE");
    Fix::new("say `ENV {}` in the Dockerfile, then rebuild:")
        .with(&PolicyWord(&setting))
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}

fn unset(view: &View<'_>) -> Fix {
    Fix::new("take the `ENV` out of the Dockerfile (`ARG` serves the build alone; one that the base image sets can only be set anew), then rebuild:")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}
