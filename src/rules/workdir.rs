use super::config_part::{ConfigPart, is_windows};
use super::paths::{Paths, cleaned};
use super::prelude::*;

declare_rule! {
    /// The working directory of the image is one of the wanted ones.
    ///
    /// # What it checks
    ///
    /// `WorkingDir` in each platform's config; none at all means `/`. It is compared as runtimes take it: `/srv/../app/` is `/app`. On
    /// Windows it is compared in lower case, with `/` for each `\` and without the drive `C:`. A relative one violates, because
    /// runtimes refuse to start such a container.
    ///
    /// # Why
    ///
    /// A process that reads and writes relative paths does so in its working directory. At `/` that is the root of the file system,
    /// under `/tmp` a place that others write to; a directory of its own can be given to a user who is not root.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.workdir]
    /// allow = ["/app", "/srv/**"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `allow` (list of globs over paths, default all): the only directories admitted; `*` stays between two `/`, `**` crosses them.
    /// - `deny` (list of globs over paths, empty by default): directories that are refused, such as `"/"`.
    ///
    /// # How to fix
    ///
    /// Say it in the Dockerfile; the directory is made if it is not there:
    ///
    /// ```dockerfile
    /// WORKDIR /app
    /// ```
    ///
    /// An image that cannot be built again is changed with `crane mutate --workdir /app IMAGE` (not with old versions); that changes its
    /// digest, so sign it afterwards.
    ///
    /// # What it cannot see
    ///
    /// Whether the directory is there and who may write to it, since that stands in the layers; symbolic links, for the same reason.
    /// Nor what a deployment says: `docker run --workdir` and Kubernetes' `workingDir` overrule the image.
    Workdir: "workdir"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Workdir {
    allow: Vec<Glob>,
    deny: Vec<Glob>,
}

impl Workdir {
    fn paths(&self) -> Paths<'_> {
        Paths { allow: &self.allow, deny: &self.deny }
    }
}

impl Check for Workdir {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        self.paths().problems("deny = [\"/\"]")
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let read = ConfigPart::read(entry, view, &["/config/WorkingDir"])?;
        let written = read.config.working_dir.as_deref();
        let shown = match written {
            Some(path) => format!("WorkingDir is '{}'", ImageText(path)),
            None => "no WorkingDir is set, which means '/'".to_owned(),
        };
        let wrong = match cleaned(written.unwrap_or("/"), is_windows(entry, read.config)) {
            None => Some("wanted an absolute path: runtimes refuse a relative one".to_owned()),
            Some(path) => self.paths().objection(&path),
        };
        let mut findings = Findings::new();
        if let Some(wrong) = wrong {
            let location = written.map_or_else(|| read.at("/config"), |_| read.at("/config/WorkingDir"));
            findings.add(format!("{shown}; {wrong}"), location, fix(view));
        }
        findings.verdict(|| shown)
    }
}

fn fix(view: &View<'_>) -> Fix {
    Fix::new("name a directory that the policy admits with `WORKDIR` in the Dockerfile, then rebuild:")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}
