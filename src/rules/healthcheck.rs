use super::config_part::ConfigPart;
use super::prelude::*;

declare_rule! {
    /// The image has a health check, or has none.
    ///
    /// # What it checks
    ///
    /// `Healthcheck` in each platform's config, Docker's extension of it. An empty `Test` and `["NONE"]` are no health check; one
    /// begins with `CMD` or `CMD-SHELL` and names a command. Any other `Test` makes the answer unknown, because runtimes differ in
    /// what they do with it.
    ///
    /// # Why
    ///
    /// Docker, Docker Compose and Swarm start what depends on a container when its check succeeds, and replace a container whose check
    /// fails. Where something else watches over the containers, such as Kubernetes' probes, a check in the image is work for nothing.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.healthcheck]
    /// must-be = "present"
    /// ```
    ///
    /// # Parameters
    ///
    /// - `must-be` (`"present"` by default, or `"absent"`): whether there must be a health check, or must not be one.
    ///
    /// # How to fix
    ///
    /// Say it in the Dockerfile; `HEALTHCHECK NONE` switches off what a base image brings:
    ///
    /// ```dockerfile
    /// HEALTHCHECK --interval=30s --timeout=3s CMD ["/usr/local/bin/app", "health"]
    /// ```
    ///
    /// buildah and Podman leave the instruction out of an image in the OCI format, their default; they keep it with
    /// `podman build --format docker …`. BuildKit keeps it in either.
    ///
    /// # What it cannot see
    ///
    /// Whether the command is there and says anything about health. Kubernetes ignores health checks of images; its probes stand
    /// in the deployment.
    Healthcheck: "healthcheck"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Healthcheck {
    must_be: MustBe,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum MustBe {
    #[default]
    Present,
    Absent,
}

impl Check for Healthcheck {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let read = ConfigPart::read(subject.platform()?, view, &["/config/Healthcheck"])?;
        let check = Probe::of(read.config.healthcheck.as_deref())?;
        let mut findings = Findings::new();
        match (self.must_be, &check) {
            (MustBe::Present, Probe::None { said }) => {
                let location = if *said { read.at_member(&[&"Healthcheck"]) } else { read.at("/config") };
                let message = format!("the image has no health check: {check}, wanted one");
                findings.add_keyed(message, location, fix_absent(view), "missing");
            }
            (MustBe::Absent, Probe::Command(_)) => {
                let message = format!("the image has a health check: {check}, wanted none");
                findings.add_keyed(message, read.at_member(&[&"Healthcheck"]), fix_present(view), "present");
            }
            _ => {}
        }
        findings.verdict(|| check.to_string())
    }
}

/// What a config says of health.
#[derive(Debug, PartialEq, Eq)]
enum Probe {
    /// There is no check; whether the config says so.
    None { said: bool },
    /// This is run.
    Command(String),
}

impl Probe {
    fn of(test: Option<&[String]>) -> Result<Self, Why> {
        let undecidable = |detail: String| Err(Why::undecidable("reading the health check", detail));
        let Some(test) = test else { return Ok(Self::None { said: false }) };
        match test {
            [] => Ok(Self::None { said: true }),
            [none] if none == "NONE" => Ok(Self::None { said: true }),
            [form, command @ ..] if matches!(form.as_str(), "CMD" | "CMD-SHELL") => {
                if command.iter().all(|word| word.trim().is_empty()) {
                    return undecidable(format!("its Test is {form} without a command"));
                }
                Ok(Self::Command(command.join(" ")))
            }
            [form, ..] => undecidable(format!(
                "its Test begins with '{}': expected CMD, CMD-SHELL or NONE alone",
                ImageText(form)
            )),
        }
    }
}

impl std::fmt::Display for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None { said: false } => f.write_str("no Healthcheck is set"),
            Self::None { said: true } => f.write_str("Healthcheck is switched off"),
            Self::Command(command) => write!(f, "Healthcheck runs '{}'", ImageText(command)),
        }
    }
}

fn fix_absent(view: &View<'_>) -> Fix {
    Fix::new("say `HEALTHCHECK CMD [\"PROGRAM\", \"ARGUMENT\"]` in the Dockerfile, then rebuild (with Podman: `--format docker`):")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}

fn fix_present(view: &View<'_>) -> Fix {
    Fix::new("say `HEALTHCHECK NONE` in the Dockerfile, which also switches off that of the base image, then rebuild:")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}

#[cfg(test)]
mod tests {
    use super::Probe;

    #[test]
    fn what_is_no_check_is_told_from_what_runtimes_read_differently() {
        let probe = |test: &[&str]| Probe::of(Some(&test.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()));
        assert_eq!(Probe::of(None).unwrap(), Probe::None { said: false });
        assert_eq!(probe(&[]).unwrap(), Probe::None { said: true });
        assert_eq!(probe(&["NONE"]).unwrap(), Probe::None { said: true });
        assert_eq!(probe(&["CMD", "/app", "health"]).unwrap(), Probe::Command("/app health".to_owned()));
        assert_eq!(probe(&["CMD-SHELL", "curl -f localhost"]).unwrap(), Probe::Command("curl -f localhost".to_owned()));
        for unclear in [&["CMD"][..], &["CMD-SHELL", ""], &["NONE", "x"], &["none"], &["curl", "-f"], &[""]] {
            assert!(probe(unclear).is_err(), "{unclear:?}");
        }
    }
}
