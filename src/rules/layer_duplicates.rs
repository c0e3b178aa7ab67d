use super::layers;
use super::prelude::*;
use crate::oci::DigestError;

declare_rule! {
    /// No layer is in the image more than once.
    ///
    /// # What it checks
    ///
    /// Layers of a platform that repeat an earlier one of the same manifest: the same digest, or the same content in another
    /// compression (the same `diff_id` in the config). Empty layers do not count: many commands leave the same one. They are for the
    /// rule `empty-layers`.
    ///
    /// # Why
    ///
    /// A layer that is there twice is unpacked twice and takes its place on disk twice, and it hides what lay between. Mostly a file
    /// is copied again by a later stage, or a tool appended the same archive a second time.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.layer-duplicates]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `max` (whole number, default 0): the most layers that may repeat an earlier one.
    ///
    /// # How to fix
    ///
    /// `docker history --no-trunc IMAGE` shows the commands that made the layers; the empty ones among them have 0 B. Leave out the
    /// `COPY` or `ADD` that is there twice, or copy into the last stage only what it does not have from its base. After
    /// `crane append`, build from the image that it was appended to.
    ///
    /// # What it cannot see
    ///
    /// Layers with the same files whose archives differ, for example in a time stamp. A config whose `diff_ids` do not agree in number
    /// with the layers makes the answer unknown unless the digests show too many already.
    LayerDuplicates: "layer-duplicates"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct LayerDuplicates {
    max: usize,
}

impl Check for LayerDuplicates {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let layers = layers::of(entry, view)?;
        let mut findings = Findings::new();
        // Of so few layers no more than that can repeat another.
        let diff_ids = if layers.len() > self.max.saturating_add(1) {
            findings.note(layers::diff_ids(entry, view, layers))
        } else {
            None
        };
        let repeats = repeats(layers, diff_ids.unwrap_or_default());
        if let Some((first, _)) = repeats.first().filter(|_| repeats.len() > self.max) {
            let pairs = repeats.iter().map(|(again, before)| format!("layer {} is layer {}", again + 1, before + 1));
            let message = format!(
                "{} of {} {} an earlier one ({}), at most {} wanted",
                words::count(repeats.len(), "layer"),
                layers.len(),
                if repeats.len() == 1 { "repeats" } else { "repeat" },
                words::listed(pairs),
                self.max
            );
            findings.add(message, Location::manifest(entry, format!("/layers/{first}")), fix(view));
        }
        findings.verdict(|| format!("{}, {} of them repeated", words::count(layers.len(), "layer"), repeats.len()))
    }
}

/// The layers that repeat an earlier one, and that one.
fn repeats(layers: &[Descriptor], diff_ids: &[String]) -> Vec<(usize, usize)> {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut repeats = Vec::new();
    for (position, layer) in layers.iter().enumerate() {
        let diff_id = diff_ids.get(position);
        if layers::is_empty(layer, diff_id) {
            continue;
        }
        // A digest of an algorithm that is not known here tells two layers apart as well as any.
        let digest = match &layer.digest {
            Ok(digest) => Some(digest.as_str()),
            Err(DigestError::UnsupportedAlgorithm { text }) => Some(text.as_str()),
            Err(DigestError::Malformed { .. }) => None,
        };
        let names = || digest.into_iter().chain(diff_id.map(String::as_str));
        match names().find_map(|name| known.get(name)) {
            Some(before) => repeats.push((position, *before)),
            None => known.extend(names().map(|name| (name, position))),
        }
    }
    repeats
}

fn fix(view: &View<'_>) -> Fix {
    words::mend_commands("find the commands that made the layers, and leave out the second:", view)
}
