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
        matches!(
            self,
            PredicateClass::Spdx | PredicateClass::CycloneDx | PredicateClass::OtherSbom
        )
    }
}

/// The class of a predicate type. Formats that put their version at the end of the URI are matched by its beginning.
pub fn class(predicate_type: &str) -> PredicateClass {
    const CLASSES: [(&str, PredicateClass); 14] = [
        ("https://spdx.dev/Document", PredicateClass::Spdx),
        ("https://cyclonedx.org", PredicateClass::CycloneDx),
        ("https://scout.docker.com/sbom", PredicateClass::OtherSbom),
        (
            "https://chainguard.dev/attestation/syft",
            PredicateClass::OtherSbom,
        ),
        ("https://slsa.dev/provenance", PredicateClass::Provenance),
        ("https://in-toto.io/Provenance", PredicateClass::Provenance),
        (
            "https://slsa.dev/verification_summary",
            PredicateClass::Verification,
        ),
        (
            "https://cosign.sigstore.dev/attestation/vuln",
            PredicateClass::Vulnerability,
        ),
        (
            "https://in-toto.io/attestation/vulns",
            PredicateClass::Vulnerability,
        ),
        ("https://openvex.dev/ns", PredicateClass::Vex),
        (
            "https://sigstore.dev/cosign/sign",
            PredicateClass::Signature,
        ),
        (
            "https://cosign.sigstore.dev/attestation/v1",
            PredicateClass::Custom,
        ),
        ("cosign.sigstore.dev/attestation/v1", PredicateClass::Custom),
        (
            "cosign.sigstore.dev/attestation/vuln",
            PredicateClass::Vulnerability,
        ),
    ];
    let within = |base: &str| {
        predicate_type
            .strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    CLASSES
        .iter()
        .find(|(base, _)| within(base))
        .map_or(PredicateClass::Other, |(_, class)| *class)
}
