use super::layers;
use super::prelude::*;

declare_rule! {
    /// The image has no more layers than wanted.
    ///
    /// # What it checks
    ///
    /// The number of layers that each platform's manifest lists, empty and repeated ones included.
    ///
    /// # Why
    ///
    /// Every layer is a request when an image is pulled and a directory when it is mounted. Docker's graph drivers refuse images of
    /// more than 125 layers, and an image that comes near leaves no room for images built on it.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.layer-count]
    /// max = 40
    /// ```
    ///
    /// # Parameters
    ///
    /// - `max` (whole number, required): the most layers that a platform may have.
    ///
    /// # How to fix
    ///
    /// Put commands that belong together into one `RUN`, and copy the result of a build stage with one `COPY --from`:
    ///
    /// ```dockerfile
    /// RUN apt-get update && apt-get install --yes ca-certificates && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// `podman build --squash -t IMAGE .` makes one layer of all that the build adds.
    ///
    /// # What it cannot see
    ///
    /// Which layers come from the base image: all are counted.
    LayerCount: "layer-count"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct LayerCount {
    max: Option<usize>,
}

impl Check for LayerCount {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        let missing =
            || Problem::missing("`max` is missing: the most layers that an image may have, such as `max = 40`");
        self.max.is_none().then(missing).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let found = layers::of(entry, view)?.len();
        let mut findings = Findings::new();
        if let Some(max) = self.max.filter(|max| found > *max) {
            let message = format!("the image has {}, at most {max} are wanted", words::count(found, "layer"));
            let fix = Fix::new(
                "join commands into one `RUN`, and copy what a build stage made with one `COPY --from`; then rebuild:",
            )
            .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view));
            findings.add(message, Location::manifest(entry, "/layers"), fix);
        }
        findings.verdict(|| words::count(found, "layer"))
    }
}
