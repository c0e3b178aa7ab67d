use super::config_part::ConfigPart;
use super::prelude::*;
use super::shell::is_shell_form;

declare_rule! {
    /// The image says what it runs, in the wanted form.
    ///
    /// # What it checks
    ///
    /// `Entrypoint` and `Cmd` in each platform's config. One of them must be there and not be empty: a container of an image
    /// without either does not start unless it is told what to run. With `form = "exec"` neither may be in shell form, which the
    /// build writes down as a shell and its option to run a text: `["/bin/sh", "-c", "…"]`, on Windows `["cmd", "/S", "/C", "…"]`.
    ///
    /// # Why
    ///
    /// In shell form a shell is process 1, not the program. It does not pass signals on, so that `docker stop` and Kubernetes wait out
    /// their grace period and then kill the program before it has finished its work. The arguments of `docker run` are lost on an
    /// entrypoint in shell form, and an image without a shell cannot run one.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.entrypoint]
    /// form = "exec"
    /// match = '/usr/bin/tini -- .+'
    /// ```
    ///
    /// # Parameters
    ///
    /// - `form` (`"any"` by default, or `"exec"`): `exec` refuses the shell form.
    /// - `match` (regular expression, none by default): what the words of `Entrypoint` and then of `Cmd`, with a space between each
    ///   two, must match as a whole.
    ///
    /// # How to fix
    ///
    /// Write the words as a JSON list in the Dockerfile, after the last `FROM`:
    ///
    /// ```dockerfile
    /// ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/app"]
    /// CMD ["--listen", "0.0.0.0:8080"]
    /// ```
    ///
    /// Where a shell is needed, to set variables for example, let a script do it that ends with `exec "$@"`. An image that cannot be
    /// built again is changed with `crane mutate --entrypoint /usr/local/bin/app IMAGE`; that changes its digest, so sign it
    /// afterwards.
    ///
    /// # What it cannot see
    ///
    /// Whether the program is there and can be run, what a script does, and whether `["/bin/sh", "-c", "exec app"]` was written as a
    /// list on purpose: it looks like the shell form, and `form = "exec"` refuses it. Base images that are never run themselves often
    /// have neither `Entrypoint` nor `Cmd`: leave them out with `images`. What a deployment says overrules the image.
    Entrypoint: "entrypoint"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Entrypoint {
    form: Form,
    r#match: Option<Pattern>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Form {
    #[default]
    Any,
    Exec,
}

impl Check for Entrypoint {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let read = ConfigPart::read(subject.platform()?, view, &["/config/Entrypoint", "/config/Cmd"])?;
        let named = [("Entrypoint", &read.config.entrypoint), ("Cmd", &read.config.cmd)];
        let parts = named.map(|(name, words)| (name, words.as_deref().unwrap_or_default()));
        let line = parts.iter().flat_map(|(_, words)| *words).map(String::as_str).collect::<Vec<_>>().join(" ");
        let mut findings = Findings::new();
        if line.trim().is_empty() {
            let message = "the image has neither Entrypoint nor Cmd, wanted what it is to run";
            findings.add_keyed(message, read.at("/config"), fix(view), "missing");
            return findings.verdict(String::new);
        }
        for (name, words) in parts {
            if self.form == Form::Exec && is_shell_form(words) {
                let shown = ImageText(&words.join(" ")).to_string();
                let message = format!("{name} is in shell form: '{shown}', wanted the exec form");
                findings.add_keyed(message, read.at_member(&[&name]), fix(view), format!("form of {name}"));
            }
        }
        if let Some(pattern) = self.r#match.as_ref().filter(|pattern| !pattern.matches(&line)) {
            let message = format!("the image runs '{}', wanted a match of '{}'", ImageText(&line), pattern.as_str());
            let present = parts.iter().find(|(_, words)| !words.is_empty()).map_or("Cmd", |(name, _)| *name);
            findings.add_keyed(message, read.at_member(&[&present]), fix(view), "match");
        }
        findings.verdict(|| format!("runs '{}'", ImageText(&line)))
    }
}

fn fix(view: &View<'_>) -> Fix {
    Fix::new(
        "write the words as a list in the Dockerfile, such as `ENTRYPOINT [\"/usr/local/bin/app\"]`, then rebuild:",
    )
    .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}
