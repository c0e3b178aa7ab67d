use super::layers;
use super::prelude::*;
use crate::oci::LayerClass;

declare_rule! {
    /// The layers are compressed in an allowed way.
    ///
    /// # What it checks
    ///
    /// How every layer of every platform is compressed and laid out, by its media type and annotations. A layer may be of several
    /// classes at once:
    ///
    /// | class | layers |
    /// |---|---|
    /// | `none` | plain tar |
    /// | `gzip` | gzip, eStargz included |
    /// | `zstd` | zstd, zstd:chunked included |
    /// | `estargz` | gzip with the annotation `containerd.io/snapshot/stargz/toc.digest` |
    /// | `zstd:chunked` | zstd with the annotation `io.github.containers.zstd-chunked.manifest-checksum` (or stargz-snapshotter's) |
    /// | `nydus` | Nydus blobs, and the bootstrap, which is gzip as well |
    /// | `overlaybd` | overlaybd blobs; they call themselves uncompressed tar and are not |
    /// | `encrypted` | ocicrypt: what is under the encryption cannot be seen |
    ///
    /// Layers are judged as they are declared; whether their bytes agree is for the rule `layer-content`. Foreign layers are judged
    /// like any other. A layer whose type is none of these makes the answer unknown.
    ///
    /// # Why
    ///
    /// Uncompressed layers waste transfer and storage. zstd is smaller and faster to unpack, but clients from before image-spec 1.1
    /// refuse it. eStargz and zstd:chunked let a container start before all of it has arrived.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.layer-compression]
    /// allow = ["gzip", "zstd"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `allow` (list of classes, default all): a layer passes if any of its classes is listed.
    /// - `deny` (list of classes, default none): a layer violates if any of its classes is listed.
    ///
    /// # How to fix
    ///
    /// Build again and force it, or the base image's layers stay as they are:
    ///
    /// ```sh
    /// docker buildx build --output type=registry,oci-mediatypes=true,compression=zstd,compression-level=3,force-compression=true -t IMAGE .
    /// docker buildx build --output type=registry,oci-mediatypes=true,compression=estargz,force-compression=true -t IMAGE .
    /// ```
    ///
    /// eStargz needs OCI media types (BuildKit 0.31 and later refuses it without; older ones switch them on with a warning). An existing
    /// image is converted by `regctl image mod IMAGE --layer-compress zstd --replace`, by
    /// `skopeo copy --dest-compress-format zstd --dest-force-compress-format docker://IMAGE docker://IMAGE`, or, for zstd:chunked, by
    /// `podman push --compression-format zstd:chunked --force-compression IMAGE`. All of them change digests: sign afterwards.
    ///
    /// # What it cannot see
    ///
    /// The level of the compression, and a layer whose bytes are not what its type says.
    LayerCompression: "layer-compression"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct LayerCompression {
    allow: Vec<LayerClass>,
    deny: Vec<LayerClass>,
}

impl Check for LayerCompression {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        if self.allow.is_empty() && self.deny.is_empty() {
            return vec![Problem::missing(
                "nothing is allowed or denied: give `allow` or `deny`, such as `deny = [\"none\"]`",
            )];
        }
        let names = |classes: &[LayerClass]| classes.iter().map(ToString::to_string).collect::<Vec<_>>();
        allowed_and_denied(names(&self.allow), names(&self.deny)).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let layers = layers::of(entry, view)?;
        let mut groups: BTreeMap<BTreeSet<LayerClass>, Vec<usize>> = BTreeMap::new();
        for (position, layer) in layers.iter().enumerate() {
            groups.entry(layer.layer_classes()).or_default().push(position);
        }
        let mut findings = Findings::new();
        for (classes, positions) in &groups {
            let named = words::layers(positions, layers.len());
            let first = Location::manifest(entry, format!("/layers/{}/mediaType", positions[0]));
            if classes.is_empty() {
                let media_type = ImageText(layers[positions[0]].media_type.as_str());
                let detail = format!("{named}: the type '{media_type}' does not say how it is compressed");
                findings.stop(Why::undecidable("judging how layers are compressed", detail).into());
            } else if let Some(wanted) = self.objection(classes) {
                let message = format!("{named}: {}, {wanted}", words::listed(classes));
                findings.add_keyed(message, first, self.fix(view), words::listed(classes));
            }
        }
        findings.verdict(|| evidence(&groups))
    }
}

impl LayerCompression {
    /// What the policy wants instead of these classes, if it does.
    fn objection(&self, classes: &BTreeSet<LayerClass>) -> Option<String> {
        if let Some(denied) = self.deny.iter().find(|denied| classes.contains(denied)) {
            return Some(format!("the policy denies {denied}"));
        }
        let allowed = self.allow.is_empty() || self.allow.iter().any(|allowed| classes.contains(allowed));
        (!allowed).then(|| format!("wanted {}", words::either(&self.allow)))
    }

    /// A build that makes layers of the first class that the policy takes.
    fn fix(&self, view: &View<'_>) -> Fix {
        use LayerClass::{Estargz, Gzip, None as Plain, Zstd, ZstdChunked};
        let takes = |classes: &[LayerClass]| self.objection(&classes.iter().copied().collect()).is_none();
        let build = |command| words::build(command, view);
        if takes(&[Gzip]) {
            build(
                "docker buildx build --platform {} --output type=registry,compression=gzip,force-compression=true -t {} .",
            )
        } else if takes(&[Zstd]) {
            build(
                "docker buildx build --platform {} --output type=registry,oci-mediatypes=true,compression=zstd,force-compression=true -t {} .",
            )
        } else if takes(&[Gzip, Estargz]) {
            build(
                "docker buildx build --platform {} --output type=registry,oci-mediatypes=true,compression=estargz,force-compression=true -t {} .",
            )
        } else if takes(&[Zstd, ZstdChunked]) {
            Fix::new("podman push --compression-format zstd:chunked --force-compression {}").with(&push_name(view))
        } else if takes(&[Plain]) {
            build(
                "docker buildx build --platform {} --output type=registry,compression=uncompressed,force-compression=true -t {} .",
            )
        } else {
            Fix::new("convert the image with the tool of a format that the policy takes")
        }
    }
}

fn evidence(groups: &BTreeMap<BTreeSet<LayerClass>, Vec<usize>>) -> String {
    let parts = groups.iter().map(|(classes, positions)| format!("{} {}", positions.len(), words::listed(classes)));
    match parts.collect::<Vec<_>>() {
        none if none.is_empty() => "no layers".to_owned(),
        parts => format!("layers: {}", parts.join(", ")),
    }
}
