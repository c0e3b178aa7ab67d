use super::layers::{self, known_size};
use super::prelude::*;
use super::size::Bytes;

declare_rule! {
    /// The image is no larger to download than wanted.
    ///
    /// # What it checks
    ///
    /// The sum of the sizes that each platform's manifest gives for its layers: compressed, as they are downloaded. A layer that
    /// is listed twice counts twice. The config and the manifest, a few kilobytes, do not count.
    ///
    /// # Why
    ///
    /// Large images are slow to start where they are not cached yet, cost storage and transfer in every registry and node, and
    /// mostly carry what only the build needed.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.image-size]
    /// max = "500MiB"
    /// ```
    ///
    /// # Parameters
    ///
    /// - `max` (size, required): the most that the layers of a platform may take, such as `"500MiB"` or `"1.5GB"`.
    ///
    /// # How to fix
    ///
    /// Build in stages and copy only what runs into the last one; keep the build context small with a `.dockerignore`; start from a
    /// smaller base image. To see which layers are large:
    ///
    /// ```sh
    /// crane manifest --platform linux/amd64 IMAGE | jq '.layers[].size'
    /// docker history --no-trunc IMAGE
    /// ```
    ///
    /// zstd is some percent smaller than gzip at the same speed:
    /// `docker buildx build --output type=registry,oci-mediatypes=true,compression=zstd,force-compression=true -t IMAGE .`
    ///
    /// # What it cannot see
    ///
    /// The size on disk after unpacking, and whether layers have the sizes that their descriptors give: none is fetched. A
    /// descriptor without a size, or with size 0 for a layer that is not empty, makes the answer unknown unless the other layers
    /// are too large already.
    ImageSize: "image-size"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ImageSize {
    max: Option<Size>,
}

impl Check for ImageSize {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        let missing =
            || Problem::missing("`max` is missing: the most that the layers may take, such as `max = \"500MiB\"`");
        self.max.is_none().then(missing).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let layers = layers::of(entry, view)?;
        let known: u128 = layers.iter().filter_map(known_size).map(u128::from).sum();
        let mut findings = Findings::new();
        if let Some(max) = self.max.as_ref().filter(|max| known > u128::from(max.bytes())) {
            findings.add(too_large(layers, known, max), Location::manifest(entry, "/layers"), fix(entry, view));
        }
        if let Some(position) = layers.iter().position(|layer| known_size(layer).is_none()) {
            let doing = "adding up the sizes of the layers";
            let detail = format!("the descriptor of {} gives no size", words::layers(&[position], layers.len()));
            findings.stop(Why::undecidable(doing, detail).into());
        }
        findings.verdict(|| format!("{} in {}, compressed", Bytes(known), words::count(layers.len(), "layer")))
    }
}

fn too_large(layers: &[Descriptor], known: u128, max: &Size) -> String {
    let found = format!("the layers take {} compressed, at most {max} is wanted", Bytes(known));
    let sizes = layers.iter().enumerate().filter_map(|(position, layer)| Some((known_size(layer)?, position)));
    match sizes.max() {
        Some((size, position)) if layers.len() > 1 => {
            format!("{found}; the largest is {} with {}", words::layers(&[position], layers.len()), Bytes(size.into()))
        }
        _ => found,
    }
}

fn fix(entry: &Entry, view: &View<'_>) -> Fix {
    Fix::new("build in stages and copy only what runs into the last one; to see which layers are large:")
        .or(&Fix::new("crane manifest --platform {} {} | jq '.layers[].size'").with(entry).with(&image_name(view)))
        .or(&words::build(
            "zstd makes layers smaller: docker buildx build --platform {} --output type=registry,oci-mediatypes=true,compression=zstd,force-compression=true -t {} .",
            view,
        ))
}
