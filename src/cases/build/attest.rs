//! Attestations that stand in the index, as `BuildKit` writes them.

use std::collections::BTreeMap;

use super::builder::{Builder, Placed, empty_config, manifest, notes, platform};
use super::statement::stranger;
use super::{Attestation, BuildError, Home, Naming, Tree};
use crate::oci::known;

impl Builder<'_> {
    /// The entries for the attestations of every platform: one manifest a platform, form and naming.
    pub(super) fn attestations_in_index(&mut self, platforms: &[Placed]) -> Result<Vec<Tree>, BuildError> {
        let mut entries = Vec::new();
        for of in platforms {
            let mut groups: BTreeMap<(Home, bool), Vec<(usize, &Attestation)>> = BTreeMap::new();
            for (number, attestation) in self.image.attestations.iter().enumerate() {
                let in_index = matches!(attestation.home, Home::Index | Home::IndexArtifact);
                if in_index && Self::is_about(&attestation.of, of, platforms)? {
                    let strange = attestation.subject == Naming::Stranger;
                    groups.entry((attestation.home, strange)).or_default().push((number, attestation));
                }
            }
            for ((home, strange), group) in groups {
                entries.push(self.attestation_manifest(of, home, strange, &group)?);
            }
        }
        Ok(entries)
    }

    /// Whether something with this `of` is about that platform; `root` is not.
    pub(super) fn is_about(named: &[String], of: &Placed, platforms: &[Placed]) -> Result<bool, BuildError> {
        let known = |name: &String| {
            matches!(name.as_str(), "root" | "each-platform") || platforms.iter().any(|it| it.label == *name)
        };
        if let Some(name) = named.iter().find(|name| !known(name)) {
            return Err(BuildError::NoPlatform(name.clone()));
        }
        if of.label == "root" {
            return Ok(named.iter().any(|name| name == "root"));
        }
        Ok(named.is_empty() || named.iter().any(|name| *name == of.label || name == "each-platform"))
    }

    fn attestation_manifest(
        &mut self,
        of: &Placed,
        home: Home,
        strange: bool,
        group: &[(usize, &Attestation)],
    ) -> Result<Tree, BuildError> {
        let name = if strange { format!("stranger {}", of.label) } else { of.label.clone() };
        let mut layers = Vec::new();
        for (number, attestation) in group {
            let statement =
                self.json(&format!("statement {name} {number}"), attestation.statement(of)?, known::IN_TOTO)?;
            let predicate_type = notes([("in-toto.io/predicate-type", attestation.predicate_type())]);
            layers.push(if attestation.silent { statement } else { statement.with("annotations", &predicate_type) });
        }
        let digest = if strange { stranger() } else { of.digest.clone() };
        let document = manifest(known::OCI_MANIFEST);
        let document = if home == Home::IndexArtifact {
            let mut subject = of.descriptor.clone();
            subject.put("digest", digest.as_str());
            document
                .with("artifactType", known::BUILDKIT_ATTESTATION)
                .with("config", self.empty_config())
                .with("layers", layers)
                .with("subject", subject)
        } else {
            let config =
                self.json(&format!("attestation-config {name}"), attestation_config(&layers), known::OCI_CONFIG)?;
            document.with("config", config).with("layers", layers)
        };
        let placed = self.manifest(&format!("attestation {name}"), document, known::OCI_MANIFEST)?;
        let annotations = notes([
            ("vnd.docker.reference.digest", digest.as_str()),
            ("vnd.docker.reference.type", "attestation-manifest"),
        ]);
        let entry =
            placed.descriptor.clone().with("annotations", &annotations).with("platform", platform("unknown/unknown")?);
        if home == Home::IndexArtifact {
            // A registry lists whatever has a subject.
            let listed = placed.descriptor.with("artifactType", known::BUILDKIT_ATTESTATION);
            self.store.refer(&digest, listed);
        }
        Ok(entry)
    }

    /// Stores the empty config and names it.
    pub(super) fn empty_config(&mut self) -> Tree {
        self.store.put_blob(b"{}".as_slice());
        empty_config()
    }
}

/// The config of an attestation manifest of the old form.
fn attestation_config(layers: &[Tree]) -> Tree {
    let digests: Vec<&str> = layers.iter().filter_map(|layer| layer.text("digest")).collect();
    Tree::object()
        .with("architecture", "unknown")
        .with("os", "unknown")
        .with("config", Tree::object())
        .with("rootfs", Tree::object().with("type", "layers").with("diff_ids", digests))
}
