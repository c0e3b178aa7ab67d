mod habits;
mod script;
mod step;

use super::base;
use super::config_part::ConfigPart;
use super::prelude::*;
use crate::oci;
use habits::Habit;
use step::Step;

/// Steps that are looked through; images have a few dozen.
const MOST: usize = 10_000;
/// Steps that are reported one by one; the rest is counted.
const REPORTED: usize = 50;

declare_rule! {
    /// The steps that made the image do nothing that is refused.
    ///
    /// # What it checks
    ///
    /// `history` in each platform's config: what the builder wrote down of each step in `created_by`. The policy refuses habits by
    /// name, or texts by regular expression:
    ///
    /// | name | what a step does |
    /// |---|---|
    /// | `add-url` | `ADD` of a URL: nobody checks what comes |
    /// | `sudo` | `sudo` runs, which a build does not need and an image should not have |
    /// | `pipe-to-shell` | what is downloaded runs at once: it is piped into a shell, or `sh -c "$(curl …)"`, `bash <(wget …)` |
    /// | `dist-upgrade` | the whole distribution is upgraded: `apt-get dist-upgrade`, `apt full-upgrade`, `zypper dup` |
    /// | `insecure-download` | nobody checks whom it comes from: `curl -k`, `wget --no-check-certificate`, `git -c http.sslVerify=false`, `pip --trusted-host`, `apt-get --allow-unauthenticated`, `apk --allow-untrusted`, `dnf --nogpgcheck`, `zypper --no-gpg-checks` |
    /// | `apt-cache-left` | `apt-get update` without `rm -rf /var/lib/apt/lists/*` in the same step |
    /// | `apk-cache-left` | `apk add` without `--no-cache` |
    ///
    /// Scripts are read as a POSIX shell reads them: `echo 'curl x | sh'` and `apt-get install sudo` are none of these. What a shell is
    /// given to run is read too: `bash -c '…'`, `bash <<EOF`. Findings name
    /// the step and the programs, not the arguments, which may be secret.
    ///
    /// # Why
    ///
    /// A program that is piped into a shell is whatever its server sends at that moment, to that builder. What a step leaves in a
    /// layer stays in the image, even if a later step deletes it. An upgrade in place gives an image that nobody can build again.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.history]
    /// deny = ["pipe-to-shell", "add-url", "sudo"]
    /// deny-matching = ['.*chmod (-R )?777 .*']
    /// ```
    ///
    /// # Parameters
    ///
    /// - `deny` (list of names from the table above, empty by default): habits that are refused.
    /// - `deny-matching` (list of regular expressions, empty by default): refuses steps whose whole text matches; the text is what
    ///   `docker history --no-trunc` shows. A text may have several lines: `(?s).*` crosses them.
    /// - `own-layers-only` (true or false, default false): whether the steps of the base image are left out. The base is found and
    ///   proven as the rule `base-image` does it; unknown where it cannot be.
    /// - `unrecorded` (`"pass"` by default, `"unknown"` or `"fail"`): what becomes of an image with more layers than steps that
    ///   say how they made one. Of such layers the history tells nothing.
    ///
    /// # How to fix
    ///
    /// Change the step in the Dockerfile; each finding says how. A base image brings its own steps: start from one that was made
    /// otherwise, leave them out with `own-layers-only`, or waive the finding with its fingerprint.
    ///
    /// # What it cannot see
    ///
    /// The history is what the builder says, and no proof. ko, Jib, Bazel and Nix write no commands, a squashed image has none left,
    /// and steps of earlier stages never show; with `unrecorded = "pass"` such an image passes. The classic builder keeps no URL of
    /// an `ADD`, and BuildKit neither a cache mount (so that `apt-cache-left` may be wrong there) nor an `ADD --checksum`. What
    /// scripts do that are copied in, and what Windows' shells run. A history of more than 10,000 steps is not looked through: unknown.
    History: "history"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct History {
    deny: Vec<Habit>,
    deny_matching: Vec<Pattern>,
    own_layers_only: bool,
    unrecorded: Unrecorded,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Unrecorded {
    #[default]
    Pass,
    Unknown,
    Fail,
}

impl Check for History {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        if self.deny.is_empty() && self.deny_matching.is_empty() && self.unrecorded == Unrecorded::Pass {
            return vec![Problem::missing(
                "nothing is denied: give `deny` or `deny-matching`, such as `deny = [\"pipe-to-shell\"]`",
            )];
        }
        Vec::new()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let read = ConfigPart::read(entry, view, &["/history", "/rootfs/diff_ids"])?;
        let history = &read.config.history;
        if history.len() > MOST {
            let detail = format!("it lists {} steps, and no more than {MOST} are looked through", history.len());
            return Err(Why::undecidable("reading the history", detail).into());
        }
        let inherited = if self.own_layers_only { inherited(entry, view)? } else { 0 };
        let mut findings = Findings::new();
        let mut refused = 0;
        for (position, entry) in history.iter().enumerate().skip(inherited) {
            let Some(text) = entry.created_by.as_deref() else { continue };
            for objection in self.objections(text) {
                refused += 1;
                if refused <= REPORTED {
                    let message = format!("step {} of {} {}", position + 1, history.len(), objection.message);
                    let location = read.at(format!("/history/{position}/created_by"));
                    findings.add_keyed(message, location, objection.fix.or(&rebuild(view)), objection.key);
                }
            }
        }
        if refused > REPORTED {
            let message = format!("{} more steps are refused", refused - REPORTED);
            findings.add_keyed(message, read.at("/history"), rebuild(view), "more");
        }
        let layers = read.config.diff_ids.len();
        let told = |entry: &&oci::History| !entry.empty_layer && entry.created_by.is_some();
        let recorded = history.iter().filter(told).count();
        if recorded < layers {
            self.miss(layers - recorded, &read, view, &mut findings);
        }
        findings.verdict(|| {
            let steps = match inherited {
                0 => format!("{}, none that is denied", words::count(history.len(), "step")),
                base => {
                    let own = words::count(history.len() - base, "step");
                    format!("{own} after those of the base, none that is denied")
                }
            };
            match layers.saturating_sub(recorded) {
                0 => steps,
                missing => format!("{steps}; the history does not say how {} made", were(missing)),
            }
        })
    }
}

/// What a policy has against a step.
struct Objection {
    message: String,
    fix: Fix,
    key: String,
}

impl History {
    fn objections(&self, text: &str) -> Vec<Objection> {
        let step = if self.deny.is_empty() { Step::Other } else { Step::read(text) };
        let denied: BTreeSet<Habit> = self.deny.iter().copied().collect();
        let habits = denied.into_iter().filter_map(|habit| {
            let found = habit.found(&step)?;
            let message = format!("{}: '{found}', which `deny` refuses as {}", habit.does(), habit.name());
            Some(Objection { message, fix: habit.instead(), key: habit.name().to_owned() })
        });
        let patterns = self.deny_matching.iter().filter(|pattern| pattern.matches(text)).map(|pattern| Objection {
            message: format!("matches '{}', which `deny-matching` refuses", pattern.as_str()),
            fix: Fix::new("change the step in the Dockerfile, then rebuild:"),
            key: pattern.as_str().to_owned(),
        });
        habits.chain(patterns).collect()
    }

    /// Some layers have no step that says how they were made.
    fn miss(&self, missing: usize, read: &ConfigPart<'_>, view: &View<'_>, findings: &mut Findings) {
        let message = format!("the history does not say how {} made", were(missing));
        match self.unrecorded {
            Unrecorded::Pass => {}
            Unrecorded::Unknown => findings.stop(Why::undecidable("reading the history", message).into()),
            Unrecorded::Fail => {
                let location = read.at(if read.config.history.is_empty() { "" } else { "/history" });
                let fix = Fix::new("build without squashing, with a builder that writes a history:").or(&rebuild(view));
                findings.add_keyed(format!("{message}, wanted a step for each layer"), location, fix, "unrecorded");
            }
        }
    }
}

/// How many steps of the history are those of the base.
fn inherited(entry: &Entry, view: &View<'_>) -> Fact<usize> {
    let Some(base) = base::proven(entry, view)? else { return Ok(0) };
    base.steps.ok_or_else(|| {
        let detail = "the history of the image does not begin with that of its base";
        Why::undecidable("telling the steps of the image from those of its base", detail).into()
    })
}

/// `1 layer was`, `3 layers were`.
fn were(layers: usize) -> String {
    format!("{} {}", words::count(layers, "layer"), if layers == 1 { "was" } else { "were" })
}

fn rebuild(view: &View<'_>) -> Fix {
    words::build("docker buildx build --platform {} --output type=registry -t {} .", view)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{OCI_GZIP, OCI_MANIFEST, Store, config, layer};
    use super::MOST;

    #[test]
    fn a_history_beyond_measure_is_not_looked_through() {
        let mut store = Store::default();
        let mut config = config("linux", "amd64");
        config["history"] = json!(vec![json!({}); MOST + 1]);
        let image = store.image_of(OCI_MANIFEST, &config, &json!([layer(OCI_GZIP, "x")]));
        let cell = store.judge(&image, "history", "deny = ['sudo']").cell("linux/amd64");
        assert!(cell.starts_with("unknown") && cell.contains("10001 steps"), "{cell}");
    }
}
