//! What a predicate type says about a statement.

use serde::Serialize;

/// What a statement's predicate is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredicateClass {
    /// A bill of materials in SPDX.
    Spdx,
    /// A bill of materials in CycloneDX.
    CycloneDx,
    /// A bill of materials in another format (Docker Scout, Syft).
    OtherSbom,
    /// SLSA provenance.
    Provenance,
    /// A vulnerability scan.
    Vulnerability,
    /// VEX: which vulnerabilities do not matter.
    Vex,
    /// A signature in the form of a statement (cosign), which attests nothing.
    Signature,
    /// A verification summary (SLSA VSA).
    Verification,
    /// cosign's wrapper for content of an unknown kind.
    Custom,
    /// Anything else.
    Other,
}

impl PredicateClass {
    /// Whether this is a bill of materials in any format.
    pub fn is_sbom(self) -> bool {
        matches!(self, PredicateClass::Spdx | PredicateClass::CycloneDx | PredicateClass::OtherSbom)
    }
}

/// The class of a predicate type. A type is known by its beginning, what follows a `/` is its version.
pub fn class(predicate_type: &str) -> PredicateClass {
    let within = |base: &str| {
        let rest = predicate_type.strip_prefix(base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let row = CLASSES.iter().find(|(_, bases)| bases.iter().any(|base| within(base)));
    row.map_or(PredicateClass::Other, |(class, _)| *class)
}

const CLASSES: [(PredicateClass, &[&str]); 9] = [
    (PredicateClass::Spdx, &["https://spdx.dev/Document"]),
    (PredicateClass::CycloneDx, &["https://cyclonedx.org"]),
    (
        PredicateClass::OtherSbom,
        &["https://scout.docker.com/sbom", "https://chainguard.dev/attestation/syft", "https://syft.dev/bom"],
    ),
    (PredicateClass::Provenance, &["https://slsa.dev/provenance", "https://in-toto.io/Provenance"]),
    (PredicateClass::Verification, &["https://slsa.dev/verification_summary"]),
    (
        PredicateClass::Vulnerability,
        &[
            "https://cosign.sigstore.dev/attestation/vuln",
            // As cosign wrote it until 2.0:
            "cosign.sigstore.dev/attestation/vuln",
            "https://in-toto.io/attestation/vulns",
        ],
    ),
    (PredicateClass::Vex, &["https://openvex.dev/ns"]),
    (PredicateClass::Signature, &["https://sigstore.dev/cosign/sign"]),
    (PredicateClass::Custom, &["https://cosign.sigstore.dev/attestation/v1", "cosign.sigstore.dev/attestation/v1"]),
];
