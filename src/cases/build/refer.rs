//! What hangs on an image outside its index: referrers, cosign's tags, signatures.

use std::collections::BTreeMap;

use super::builder::{Builder, Placed, manifest, notes};
use super::statement::{BUNDLE, bundle, envelope, signed_notes, stranger, wrapped};
use super::{Asked, Attestation, BuildError, ExtraEntry, Form, Home, Naming, Signature, SignatureKind, Tree};
use crate::oci::{Digest, known};

/// cosign's own type for what it signs since version 3.
const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

impl Builder<'_> {
    /// Attaches attestations and signatures to the root and the platforms.
    pub(super) fn refer(&mut self, root: &Placed, platforms: &[Placed]) -> Result<(), BuildError> {
        let image = self.image;
        let mut tagged: BTreeMap<String, Vec<Tree>> = BTreeMap::new();
        for of in std::iter::once(root).chain(platforms) {
            self.name_places(of);
            for (number, attestation) in image.attestations.iter().enumerate() {
                if matches!(attestation.home, Home::Index | Home::IndexArtifact)
                    || !Self::is_about(&attestation.of, of, platforms)?
                {
                    continue;
                }
                if attestation.home == Home::CosignTag {
                    let suffix = if attestation.form == Form::Raw { "sbom" } else { "att" };
                    let layer = self.attested_layer(attestation, of, number)?;
                    tagged.entry(of.digest.cosign_tag(suffix)).or_default().push(layer);
                } else {
                    self.attestation_referrer(attestation, of, number)?;
                }
            }
            for (number, signature) in image.signatures.iter().enumerate() {
                let default = signature.of.is_empty() && of.label == "root";
                if default || (!signature.of.is_empty() && Self::is_about(&signature.of, of, platforms)?) {
                    self.sign(signature, of, number, &mut tagged)?;
                }
            }
        }
        for (tag, layers) in tagged {
            self.cosign_tag(&tag, layers)?;
        }
        let homes: Vec<Home> = image.attestations.iter().map(|attestation| attestation.home).collect();
        if homes.contains(&Home::FallbackTag) {
            if homes.contains(&Home::Referrer) {
                return Err(BuildError::Contradiction(
                    "a registry either has the referrers API or it has not: `referrer` and `fallback-tag` exclude each other",
                ));
            }
            self.store.write_fallback_tags();
        }
        Ok(())
    }

    /// Names the places where something may hang on a manifest, so that failures can be said there.
    fn name_places(&mut self, of: &Placed) {
        self.names.add(format!("referrers {}", of.label), Asked::Referrers(of.digest.clone()));
        for suffix in ["sig", "att", "sbom"] {
            self.names.add(format!("tag {suffix} {}", of.label), Asked::Tag(of.digest.cosign_tag(suffix)));
        }
    }

    fn attested_layer(&mut self, attestation: &Attestation, of: &Placed, number: usize) -> Result<Tree, BuildError> {
        let (document, media_type, annotations) = wrapped(attestation, of)?;
        let layer = self.json(&format!("statement {} {number}", of.label), document, media_type)?;
        Ok(if attestation.silent { layer } else { layer.with_map("annotations", &annotations) })
    }

    fn attestation_referrer(
        &mut self,
        attestation: &Attestation,
        of: &Placed,
        number: usize,
    ) -> Result<(), BuildError> {
        let (document, media_type, annotations) = wrapped(attestation, of)?;
        let layer = self.json(&format!("statement {} {number}", of.label), document, media_type)?;
        let artifact_type = (!attestation.silent).then_some(media_type);
        let annotations = if attestation.silent { BTreeMap::new() } else { annotations };
        let name = format!("referrer {} {number}", of.label);
        self.referrer(&name, of, attestation.subject, artifact_type, &annotations, layer)
    }

    /// Stores a referrer and lists it.
    fn referrer(
        &mut self,
        name: &str,
        of: &Placed,
        naming: Naming,
        artifact_type: Option<&str>,
        annotations: &BTreeMap<String, String>,
        layer: Tree,
    ) -> Result<(), BuildError> {
        let document = manifest(known::OCI_MANIFEST)
            .with_some("artifactType", artifact_type)
            .with("config", self.empty_config())
            .with("layers", vec![layer])
            .with("subject", subject(of, naming))
            .with_map("annotations", annotations);
        let placed = self.manifest(name, document, known::OCI_MANIFEST)?;
        let listed = placed.descriptor.with_map("annotations", annotations).with_some("artifactType", artifact_type);
        self.store.refer(&of.digest, listed);
        Ok(())
    }

    fn sign(
        &mut self,
        signature: &Signature,
        of: &Placed,
        number: usize,
        tagged: &mut BTreeMap<String, Vec<Tree>>,
    ) -> Result<(), BuildError> {
        let name = format!("signature {} {number}", of.label);
        let carrier = format!("signature-manifest {} {number}", of.label);
        let digest = if signature.subject == Naming::Stranger { stranger() } else { of.digest.clone() };
        match signature.kind {
            SignatureKind::CosignTag => {
                let layer = self.json(&name, simple_signing(&digest), known::COSIGN_SIMPLE_SIGNING)?;
                let layer =
                    layer.with("annotations", &notes([("dev.cosignproject.cosign/signature", "bm8gc2lnbmF0dXJl")]));
                tagged.entry(of.digest.cosign_tag("sig")).or_default().push(layer);
                Ok(())
            }
            SignatureKind::CosignBundle => {
                let signed =
                    Attestation { home: Home::Referrer, subject: signature.subject, ..Attestation::new(COSIGN_SIGN) };
                let layer = self.json(&name, bundle(envelope(&signed.statement(of)?)), BUNDLE)?;
                self.referrer(&carrier, of, signature.subject, Some(BUNDLE), &signed_notes(COSIGN_SIGN), layer)
            }
            SignatureKind::Notation => {
                let layer = self.bytes(&name, b"no signature".to_vec(), "application/jose+json");
                let thumbprints = notes([("io.cncf.notary.x509chain.thumbprint#S256", "[\"00\"]")]);
                self.referrer(&carrier, of, signature.subject, Some(known::NOTATION_SIGNATURE), &thumbprints, layer)
            }
        }
    }

    /// What cosign pushes under its tags: a manifest with an image config.
    fn cosign_tag(&mut self, tag: &str, layers: Vec<Tree>) -> Result<(), BuildError> {
        let config = Tree::object()
            .with("architecture", "")
            .with("created", "0001-01-01T00:00:00Z")
            .with("history", vec![Tree::object().with("created", "0001-01-01T00:00:00Z")])
            .with("os", "")
            .with("rootfs", Tree::object().with("type", "layers").with("diff_ids", digests(&layers)))
            .with("config", Tree::object());
        let config = self.json(&format!("cosign-config {tag}"), config, known::OCI_CONFIG)?;
        let document = manifest(known::OCI_MANIFEST).with("config", config).with("layers", layers);
        let placed = self.manifest(&format!("cosign {tag}"), document, known::OCI_MANIFEST)?;
        self.store.tags.insert(tag.to_owned(), placed.digest);
        Ok(())
    }

    /// What an extra entry of the index leads to.
    pub(super) fn artifact(
        &mut self,
        number: usize,
        media_type: &str,
        entry: &ExtraEntry,
    ) -> Result<Placed, BuildError> {
        let config = match &entry.config_type {
            None => self.empty_config(),
            Some(config_type) => {
                self.json(&format!("entry-config {number}"), Tree::object().with("entry", number), config_type)?
            }
        };
        let layer =
            self.bytes(&format!("entry-layer {number}"), format!("content {number}").into_bytes(), known::OCTET_STREAM);
        let document = manifest(media_type)
            .with_some("artifactType", entry.artifact_type.clone())
            .with("config", config)
            .with("layers", vec![layer]);
        self.manifest(&format!("entry {number}"), document, media_type)
    }
}

fn subject(of: &Placed, naming: Naming) -> Tree {
    let mut subject = of.descriptor.clone();
    if naming == Naming::Stranger {
        subject.put("digest", stranger().as_str());
    }
    subject
}

fn digests(layers: &[Tree]) -> Vec<&str> {
    layers.iter().filter_map(|layer| layer.text("digest")).collect()
}

fn simple_signing(digest: &Digest) -> Tree {
    let image = Tree::object().with("docker-manifest-digest", digest.as_str());
    let critical = Tree::object()
        .with("identity", Tree::object().with("docker-reference", "registry.example/app"))
        .with("image", image)
        .with("type", "cosign container image signature");
    Tree::object().with("critical", critical).with("optional", Tree::Null)
}
