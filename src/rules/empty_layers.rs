use super::layers;
use super::prelude::*;

declare_rule! {
    /// The image has no more layers that hold nothing than wanted.
    ///
    /// # What it checks
    ///
    /// Layers of a platform that unpack to no file at all: by the `diff_id` in the config, which is then that of an archive of zeros
    /// only (1,024 bytes as nearly all tools write it, GNU tar's 10,240, a single block, or none), or by the digest of the layer.
    ///
    /// # Why
    ///
    /// An empty layer is a request and a mount for nothing and counts against the limits of 125 or so layers. It does no harm
    /// otherwise, and good tools write it: BuildKit for a `WORKDIR` whose directory is there already and for a `RUN` that changes no
    /// file, and what converted Docker's schema 1 for every instruction that changed only the config. This rule is for those who
    /// want none all the same.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.empty-layers]
    /// level = "note"
    /// max = 2
    /// ```
    ///
    /// # Parameters
    ///
    /// - `max` (whole number, default 0): the most layers that may hold nothing.
    ///
    /// # How to fix
    ///
    /// `docker history --no-trunc IMAGE` shows which commands left 0 B. Of several `WORKDIR` leave the last; leave out a `RUN` that
    /// changes no file, or make it part of another one. Layers of the base image go only with another base image.
    ///
    /// # What it cannot see
    ///
    /// Which layers come from the base image: all are judged. Layers that hold only what is there already, and empty eStargz and
    /// zstd:chunked layers of tools that put their table of contents into the archive. A config whose `diff_ids` do not agree in
    /// number with the layers makes the answer unknown unless the digests show too many already.
    EmptyLayers: "empty-layers"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct EmptyLayers {
    max: usize,
}

impl Check for EmptyLayers {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let layers = layers::of(entry, view)?;
        let mut findings = Findings::new();
        // Of so few layers no more than that can be empty.
        let diff_ids =
            if layers.len() > self.max { findings.note(layers::diff_ids(entry, view, layers)) } else { None };
        let diff_id = |position: usize| diff_ids.and_then(|diff_ids| diff_ids.get(position));
        let is_empty = |(position, layer)| layers::is_empty(layer, diff_id(position)).then_some(position);
        let empty: Vec<usize> = layers.iter().enumerate().filter_map(is_empty).collect();
        if let Some(first) = empty.first().filter(|_| empty.len() > self.max) {
            let holds = if empty.len() == 1 { "holds" } else { "hold" };
            let message =
                format!("{} {holds} nothing, at most {} wanted", words::layers(&empty, layers.len()), self.max);
            findings.add(message, Location::manifest(entry, format!("/layers/{first}")), fix(view));
        }
        findings.verdict(|| format!("{}, {} of them empty", words::count(layers.len(), "layer"), empty.len()))
    }
}

fn fix(view: &View<'_>) -> Fix {
    words::mend_commands(
        "find the commands that left 0 B, such as a `WORKDIR` whose directory is there already, and leave them out:",
        view,
    )
}
