use super::layers::{self, known_size};
use super::prelude::*;
use super::size::Bytes;

declare_rule! {
    /// No single layer is larger to download than wanted.
    ///
    /// # What it checks
    ///
    /// The size that each platform's manifest gives for each of its layers: compressed, as it is downloaded.
    ///
    /// # Why
    ///
    /// Layers are downloaded side by side and each is unpacked in one go, so that the largest one decides how long a pull takes.
    /// When anything in it changes, all of it is stored and downloaded anew. Registries and proxies refuse layers beyond a size of
    /// their own.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.layer-size]
    /// max = "200MiB"
    /// ```
    ///
    /// # Parameters
    ///
    /// - `max` (size, required): the most that one layer may take, such as `"200MiB"` or `"1.5GB"`.
    ///
    /// # How to fix
    ///
    /// Find the command that made the layer: `docker history --no-trunc IMAGE` shows the commands with their sizes, unpacked, the
    /// latest first. Then remove what is not needed in that same command, because a later one cannot make a layer smaller:
    ///
    /// ```dockerfile
    /// RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// Copy what changes often apart from what does not, such as dependencies before the program, and large data files in steps of
    /// their own.
    ///
    /// # What it cannot see
    ///
    /// The size on disk after unpacking. Whether a layer has the size that its descriptor gives: none is fetched. Which layers come
    /// from the base image: all are judged. A descriptor without a size, or with size 0 for a layer that is not empty, makes the
    /// answer unknown unless another layer is too large.
    LayerSize: "layer-size"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct LayerSize {
    max: Option<Size>,
}

impl Check for LayerSize {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        let missing =
            || Problem::missing("`max` is missing: the most that one layer may take, such as `max = \"200MiB\"`");
        self.max.is_none().then(missing).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let layers = layers::of(entry, view)?;
        let mut findings = Findings::new();
        let mut sizes: Vec<(u64, usize)> = Vec::with_capacity(layers.len());
        let mut unsized_layers = Vec::new();
        for (position, layer) in layers.iter().enumerate() {
            match known_size(layer) {
                Some(size) => sizes.push((size, position)),
                None => unsized_layers.push(position),
            }
        }
        sizes.sort_by_key(|(size, position)| (std::cmp::Reverse(*size), *position));
        let shown = |(size, position): &(u64, usize)| {
            format!("{} has {}", words::layers(&[*position], layers.len()), Bytes((*size).into()))
        };
        if let Some(max) = &self.max {
            let large = sizes.iter().take_while(|(size, _)| *size > max.bytes());
            let large: Vec<_> = large.collect();
            if let [(_, largest), ..] = large[..] {
                let named = words::listed(large.into_iter().map(shown));
                let message = format!("{named}, compressed; at most {max} is wanted");
                findings.add(message, Location::manifest(entry, format!("/layers/{largest}/size")), fix(entry, view));
            }
        }
        if !unsized_layers.is_empty() {
            let detail = format!("the descriptor of {} gives no size", words::layers(&unsized_layers, layers.len()));
            findings.stop(Why::undecidable("looking at the sizes of the layers", detail).into());
        }
        findings.verdict(|| {
            sizes.first().map_or("no layers".to_owned(), |largest| format!("the largest: {}", shown(largest)))
        })
    }
}

fn fix(entry: &Entry, view: &View<'_>) -> Fix {
    Fix::new("find the command that made the layer, and remove in that same command what is not needed:")
        .or(&Fix::new("docker pull --platform {} {}").with(entry).with(&image_name(view)))
        .or(&Fix::new("docker history --no-trunc {}").with(&image_name(view)))
}
