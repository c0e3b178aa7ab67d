use super::config_part::{ConfigPart, is_windows};
use super::paths::{Paths, cleaned};
use super::prelude::*;

declare_rule! {
    /// The image declares only the volumes that are wanted.
    ///
    /// # What it checks
    ///
    /// The paths in `Volumes` in each platform's config. They are compared as runtimes take them: `/srv/../data/` is `/data`, and what
    /// does not begin with `/` is taken from the root. On Windows they are compared in lower case, with `/` for each `\` and without the
    /// drive `C:`. An image without volumes passes.
    ///
    /// # Why
    ///
    /// For every declared volume Docker and Podman make an anonymous one with each container, which stays behind when the container is
    /// removed without `--volumes`. What a later build step writes below a volume is lost with Docker's old builder. containerd
    /// and CRI-O mount a directory of the node there, which no storage class and no quota governs. A volume at a path such as `/proc`,
    /// `/etc` or `/` hides what the image has there.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.volumes]
    /// allow = ["/var/lib/app", "/cache/**"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `allow` (list of globs over paths, default all): the only volumes admitted; `*` stays between two `/`, `**` crosses them.
    /// - `deny` (list of globs over paths, empty by default): volumes that are refused; `deny = ["**"]` refuses all.
    ///
    /// # How to fix
    ///
    /// Take the `VOLUME` out of the Dockerfile and mount what is needed where the container is run: `docker run --volume data:/data IMAGE`.
    /// One that a base image brings cannot be taken back in a Dockerfile; it is removed from the image that was built, which changes
    /// its digest, so sign it afterwards:
    ///
    /// ```sh
    /// regctl image mod --replace --volume-rm /data IMAGE
    /// ```
    ///
    /// # What it cannot see
    ///
    /// What is mounted where the container is run, and whether the program needs the volume.
    Volumes: "volumes"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Volumes {
    allow: Vec<Glob>,
    deny: Vec<Glob>,
}

impl Volumes {
    fn paths(&self) -> Paths<'_> {
        Paths { allow: &self.allow, deny: &self.deny }
    }
}

impl Check for Volumes {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        self.paths().problems("deny = [\"**\"]")
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let read = ConfigPart::read(entry, view, &["/config/Volumes"])?;
        let (volumes, windows) = (&read.config.volumes, is_windows(entry, read.config));
        let mut findings = Findings::new();
        for written in volumes {
            let path = cleaned(written, windows).or_else(|| cleaned(&format!("/{written}"), windows));
            if let Some(wrong) = self.paths().objection(&path.unwrap_or_default()) {
                let message = format!("the image declares the volume '{}'; {wrong}", ImageText(written));
                findings.add_keyed(message, read.at_member(&[&"Volumes", written]), fix(view), written);
            }
        }
        findings.verdict(|| {
            if volumes.is_empty() {
                "no volume is declared".to_owned()
            } else {
                format!("declares {}", words::listed(volumes.iter().map(|volume| ImageText(volume))))
            }
        })
    }
}

fn fix(view: &View<'_>) -> Fix {
    Fix::new("take its `VOLUME` out of the Dockerfile and rebuild; one that the base image brings is removed from the image:")
        .or(&Fix::new("regctl image mod --replace --volume-rm PATH {}").with(&push_name(view)))
}
