use std::fmt;

use serde::de;

use super::config_part::{ConfigPart, is_windows};
use super::prelude::*;

declare_rule! {
    /// The signal that stops the image's containers is one of the wanted ones.
    ///
    /// # What it checks
    ///
    /// `StopSignal` in each platform's config; none at all means `SIGTERM`. Signals are compared by what they are: `SIGQUIT`, `QUIT`,
    /// `quit` and `3` are one. What is no signal of Linux violates, because runtimes refuse it. Windows has no signals: its images
    /// are not judged.
    ///
    /// # Why
    ///
    /// `docker stop` and Kubernetes send this signal and, after the grace period, `SIGKILL`. A signal that the program does not
    /// handle makes every stop take the whole grace period and end without cleaning up; `SIGKILL` gives it no chance at all.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.stop-signal]
    /// allow = ["SIGTERM", "SIGQUIT", "SIGRTMIN+3"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `allow` (list of signals, default all): the only signals admitted, by name or number: `"SIGTERM"`, `"TERM"`, `15`.
    /// - `deny` (list of signals, empty by default): signals that are refused, such as `"SIGKILL"`.
    ///
    /// # How to fix
    ///
    /// Say it in the Dockerfile, after the last `FROM`; what a base image says is overruled:
    ///
    /// ```dockerfile
    /// STOPSIGNAL SIGTERM
    /// ```
    ///
    /// # What it cannot see
    ///
    /// Whether the program handles the signal, and whether it gets it: a shell as process 1 does not pass it on (see the rule
    /// `entrypoint`). On MIPS most signals have other numbers, so that one which is given by number there is unknown. Nor what a
    /// deployment says: `docker run --stop-signal` and Kubernetes' `lifecycle.stopSignal` overrule the image.
    StopSignal: "stop-signal"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct StopSignal {
    allow: Vec<Signal>,
    deny: Vec<Signal>,
}

impl Check for StopSignal {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        if self.allow.is_empty() && self.deny.is_empty() {
            return vec![Problem::missing(
                "nothing is allowed or denied: give `allow` or `deny`, such as `deny = [\"SIGKILL\"]`",
            )];
        }
        let texts = |signals: &[Signal]| signals.iter().map(ToString::to_string).collect::<Vec<_>>();
        allowed_and_denied(texts(&self.allow), texts(&self.deny)).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let read = ConfigPart::read(entry, view, &["/config/StopSignal"])?;
        if is_windows(entry, read.config) {
            return Err(Stop::NotApplicable("Windows has no signals".to_owned()));
        }
        let written = read.config.stop_signal.as_deref();
        let shown = match written {
            Some(text) => format!("StopSignal is '{}'", ImageText(text)),
            None => "no StopSignal is set, which means 'SIGTERM'".to_owned(),
        };
        let wrong = match Signal::read(written.unwrap_or("SIGTERM")) {
            None => Some("wanted a signal: runtimes refuse what is none".to_owned()),
            Some(signal) if written.is_some_and(is_number) && is_mips(entry, read.config) => {
                let detail = format!("StopSignal is the number {}, which means another signal on MIPS", signal.0);
                return Err(Why::undecidable("reading the signal", detail).into());
            }
            Some(signal) => self.objection(signal),
        };
        let mut findings = Findings::new();
        if let Some(wrong) = wrong {
            let location = written.map_or_else(|| read.at("/config"), |_| read.at("/config/StopSignal"));
            findings.add(format!("{shown}; {wrong}"), location, self.fix(view));
        }
        findings.verdict(|| shown)
    }
}

impl StopSignal {
    /// What the policy has against a signal.
    fn objection(&self, signal: Signal) -> Option<String> {
        if self.deny.contains(&signal) {
            return Some(format!("the policy denies {signal}"));
        }
        let allowed = self.allow.is_empty() || self.allow.contains(&signal);
        (!allowed).then(|| format!("wanted {}", words::either(&self.allow)))
    }

    fn fix(&self, view: &View<'_>) -> Fix {
        let build = words::build("docker buildx build --platform {} --output type=registry -t {} .", view);
        let wanted = self.allow.iter().find(|signal| self.objection(**signal).is_none());
        let line = match wanted {
            Some(signal) => {
                Fix::new("say `STOPSIGNAL {}` in the Dockerfile, then rebuild:").with(&PolicyWord(&signal.to_string()))
            }
            None => Fix::new("name a signal that the policy admits with `STOPSIGNAL` in the Dockerfile, then rebuild:"),
        };
        line.or(&build)
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the index or the config calls the platform one of MIPS.
fn is_mips(entry: &Entry, config: &ImageConfig) -> bool {
    let declared = entry.platform.as_ref().is_ok_and(|platform| platform.architecture.starts_with("mips"));
    declared || config.architecture.as_deref().is_some_and(|architecture| architecture.starts_with("mips"))
}

/// A signal of Linux, by the number that it has on every architecture but MIPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Signal(u8);

/// The names of the signals from 1 on.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];
/// Other names of them.
const ALIASES: [(&str, u8); 4] = [("IOT", 6), ("CLD", 17), ("POLL", 29), ("UNUSED", 31)];
/// The signals without names of their own; the C library keeps the two before them.
const REAL_TIME: std::ops::RangeInclusive<u8> = 34..=64;

impl Signal {
    /// Reads a name, with or without `SIG`, in any case, or a number.
    fn read(text: &str) -> Option<Self> {
        if is_number(text) {
            return text.parse().ok().filter(|number| (1..=64).contains(number)).map(Self);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some(position) = NAMES.iter().position(|known| *known == name) {
            return u8::try_from(position + 1).ok().map(Self);
        }
        let alias = ALIASES.iter().find(|(known, _)| *known == name).map(|(_, number)| Self(*number));
        alias.or_else(|| Self::real_time(name))
    }

    /// Reads `RTMIN`, `RTMIN+3`, `RTMAX-1`.
    fn real_time(name: &str) -> Option<Self> {
        let (first, last) = (*REAL_TIME.start(), *REAL_TIME.end());
        let by = |text: &str, sign: char| match text {
            "" => Some(0),
            text => text.strip_prefix(sign).filter(|digits| is_number(digits))?.parse::<u8>().ok(),
        };
        let number = match name.strip_prefix("RTMIN") {
            Some(rest) => first.checked_add(by(rest, '+')?)?,
            None => last.checked_sub(by(name.strip_prefix("RTMAX")?, '-')?)?,
        };
        REAL_TIME.contains(&number).then_some(Self(number))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0).wrapping_sub(1)) {
            Some(name) => write!(f, "SIG{name}"),
            None if self.0 == *REAL_TIME.start() => f.write_str("SIGRTMIN"),
            None if REAL_TIME.contains(&self.0) => write!(f, "SIGRTMIN+{}", self.0 - REAL_TIME.start()),
            None => write!(f, "{}", self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Signal {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Text {
            fn read<E: de::Error>(text: &str) -> Result<Signal, E> {
                Signal::read(text).ok_or_else(|| E::custom("expected a signal: \"SIGTERM\", \"SIGRTMIN+3\", 15"))
            }
        }
        impl de::Visitor<'_> for Text {
            type Value = Signal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a signal such as \"SIGTERM\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Signal, E> {
                Self::read(text)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Signal, E> {
                Self::read(&number.to_string())
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for Signal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Signal".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": 64 },
            { "type": "string", "pattern": r"^([A-Za-z0-9]+|[A-Za-z]+[+-][0-9]+)$" },
        ] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_many_names() {
        for (text, shown) in [
            ("SIGTERM", "SIGTERM"),
            ("term", "SIGTERM"),
            ("15", "SIGTERM"),
            ("SigQuit", "SIGQUIT"),
            ("CLD", "SIGCHLD"),
            ("31", "SIGSYS"),
            ("34", "SIGRTMIN"),
            ("SIGRTMIN+3", "SIGRTMIN+3"),
            ("RTMAX", "SIGRTMIN+30"),
            ("RTMAX-30", "SIGRTMIN"),
            ("33", "33"),
        ] {
            let signal = Signal::read(text).unwrap();
            assert_eq!(signal.to_string(), shown, "{text}");
            assert_eq!(Signal::read(shown), Some(signal));
        }
        for wrong in [
            "",
            "0",
            "65",
            "-9",
            "+9",
            "SIG",
            "SIGNAL",
            "SIGSIGTERM",
            "RTMIN+31",
            "RTMIN-1",
            "RTMAX-31",
            "RTMIN+",
            "RTMIN++1",
        ] {
            assert_eq!(Signal::read(wrong), None, "{wrong}");
        }
    }
}
