//! What attestations say: in-toto statements as `BuildKit` and cosign write them, and what they are wrapped in.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::builder::Placed;
use super::{Attestation, BuildError, Edit, Form, Home, Mode, Naming, Tree};
use crate::oci::{Digest, known};

/// When everything was built.
const BUILT: &str = "2026-01-01T00:00:00Z";
/// The media type of the Sigstore bundles that cosign writes.
pub(super) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The kind of build that `BuildKit` names in SLSA provenance of version 1.
const BUILD_TYPE: &str = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md";
/// The package of an SBOM that names none.
const PACKAGE: &str = "pkg:apk/alpine/musl@1.2.5-r9";

impl Attestation {
    /// The URI of the predicate's type.
    pub fn predicate_type(&self) -> &str {
        match self.predicate.as_str() {
            "spdx" | "spdx-3" => "https://spdx.dev/Document",
            "cyclonedx" => "https://cyclonedx.org/bom",
            "provenance-v1" => "https://slsa.dev/provenance/v1",
            "provenance-v0.2" => "https://slsa.dev/provenance/v0.2",
            "vex" => "https://openvex.dev/ns/v0.2.0",
            "vulnerabilities" => "https://cosign.sigstore.dev/attestation/vuln/v1",
            "verification" => "https://slsa.dev/verification_summary/v1",
            uri => uri,
        }
    }

    /// The media type of the predicate as a file.
    pub(super) fn raw_type(&self) -> &'static str {
        match self.predicate.as_str() {
            "spdx" | "spdx-3" => "application/spdx+json",
            "cyclonedx" => "application/vnd.cyclonedx+json",
            _ => known::JSON,
        }
    }

    /// The statement about `of`.
    pub(super) fn statement(&self, of: &Placed) -> Result<Tree, BuildError> {
        let predicate = self.predicate(of)?;
        let old = matches!(self.home, Home::Index | Home::CosignTag);
        let statement = Tree::object()
            .with("_type", if old { "https://in-toto.io/Statement/v0.1" } else { "https://in-toto.io/Statement/v1" })
            .with("predicateType", self.predicate_type())
            .with("subject", subjects(self.subject, of))
            .with("predicate", predicate);
        Ok(statement)
    }

    /// The predicate alone.
    pub(super) fn predicate(&self, of: &Placed) -> Result<Tree, BuildError> {
        let mut predicate = self.made_up(of);
        for (pointer, value) in &self.put {
            Edit::make(&mut predicate, "predicate", pointer, Some(value))?;
        }
        for pointer in &self.take {
            Edit::make(&mut predicate, "predicate", pointer, None)?;
        }
        Ok(predicate)
    }

    fn made_up(&self, of: &Placed) -> Tree {
        if let Some(body) = &self.body {
            return body.clone();
        }
        match self.predicate.as_str() {
            "spdx" => spdx(&self.listed()),
            "spdx-3" => spdx3(&self.listed()),
            "cyclonedx" => cyclonedx(&self.listed()),
            "provenance-v1" => self.provenance_v1(of),
            "provenance-v0.2" => self.provenance_v0(of),
            "vex" => Tree::object()
                .with("@context", "https://openvex.dev/ns/v0.2.0")
                .with("statements", Tree::List(Vec::new())),
            _ => Tree::object(),
        }
    }

    fn listed(&self) -> Vec<&str> {
        let named: Vec<&str> = self.packages.iter().map(String::as_str).collect();
        let named = if named.is_empty() { vec![PACKAGE] } else { named };
        named.into_iter().chain(std::iter::repeat_n(PACKAGE, self.more_packages)).collect()
    }

    fn builder(&self) -> Tree {
        Tree::object().with("id", self.builder_id.as_deref().unwrap_or_default())
    }

    fn materials(&self) -> Tree {
        let one = |(uri, digest): (&String, &String)| {
            let (algorithm, hex) = digest.split_once(':').unwrap_or(("sha256", digest));
            Tree::object().with("uri", uri.as_str()).with("digest", Tree::object().with(algorithm, hex))
        };
        Tree::List(self.materials.iter().map(one).collect())
    }

    fn vcs(&self) -> Option<Tree> {
        let told = self.source.is_some() || self.revision.is_some();
        told.then(|| {
            Tree::object().with_some("source", self.source.as_deref()).with_some("revision", self.revision.as_deref())
        })
    }

    fn request(&self) -> Tree {
        Tree::object().with("frontend", "dockerfile.v0").with_map("args", &self.args).with("locals", locals())
    }

    fn build_config(&self) -> Option<Tree> {
        let step = || Tree::object().with("id", "step0").with("op", Tree::object());
        (self.mode == Mode::Max).then(|| Tree::object().with("llbDefinition", vec![step()]))
    }

    fn provenance_v1(&self, of: &Placed) -> Tree {
        let request = self.request();
        let outer =
            Tree::object().with("configSource", Tree::object().with("path", "Dockerfile")).with("request", request);
        let inner =
            Tree::object().with("builderPlatform", builder_platform(of)).with_some("buildConfig", self.build_config());
        let definition = Tree::object()
            .with("buildType", BUILD_TYPE)
            .with("externalParameters", outer)
            .with("internalParameters", inner)
            .with("resolvedDependencies", self.materials());
        let complete = Tree::object().with("request", self.mode == Mode::Max).with("resolvedDependencies", false);
        let metadata = Tree::object()
            .with("invocationId", invocation(of))
            .with("startedOn", BUILT)
            .with("finishedOn", BUILT)
            .with("buildkit_reproducible", false)
            .with("buildkit_completeness", complete)
            .with("buildkit_metadata", Tree::object().with_some("vcs", self.vcs()));
        let run = Tree::object().with("builder", self.builder()).with("metadata", metadata);
        Tree::object().with("buildDefinition", definition).with("runDetails", run)
    }

    fn provenance_v0(&self, of: &Placed) -> Tree {
        let invocation_of = Tree::object()
            .with("configSource", Tree::object().with("entryPoint", "Dockerfile"))
            .with("parameters", self.request())
            .with("environment", Tree::object().with("platform", builder_platform(of)));
        let complete = Tree::object()
            .with("parameters", self.mode == Mode::Max)
            .with("environment", true)
            .with("materials", false);
        let buildkit = Tree::object().with_some("vcs", self.vcs());
        let metadata = Tree::object()
            .with("buildInvocationID", invocation(of))
            .with("buildStartedOn", BUILT)
            .with("buildFinishedOn", BUILT)
            .with("completeness", complete)
            .with("reproducible", false)
            .with("https://mobyproject.org/buildkit@v1#metadata", buildkit);
        Tree::object()
            .with("builder", self.builder())
            .with("buildType", "https://mobyproject.org/buildkit@v1")
            .with("materials", self.materials())
            .with("invocation", invocation_of)
            .with_some("buildConfig", self.build_config())
            .with("metadata", metadata)
    }
}

/// The digest of an image that is not there.
pub(super) fn stranger() -> Digest {
    Digest::sha256(b"some other image")
}

fn subjects(naming: Naming, of: &Placed) -> Tree {
    let digest = match naming {
        Naming::Own => of.digest.clone(),
        Naming::Stranger => stranger(),
        Naming::Nobody => return Tree::List(Vec::new()),
    };
    let platform = of.label.replace('/', "%2F");
    let name = match of.label.as_str() {
        "root" => "pkg:docker/registry.example/app@1.0".to_owned(),
        _ => format!("pkg:docker/registry.example/app@1.0?platform={platform}"),
    };
    let digests = Tree::object().with(digest.algorithm().as_str(), digest.hex());
    Tree::List(vec![Tree::object().with("name", name).with("digest", digests)])
}

fn locals() -> Tree {
    ["context", "dockerfile"].map(|name| Tree::object().with("name", name)).into()
}

fn builder_platform(of: &Placed) -> &str {
    if of.label == "root" { "linux/amd64" } else { &of.label }
}

/// As random as `BuildKit`'s, and always the same.
fn invocation(of: &Placed) -> String {
    Digest::sha256(of.label.as_bytes()).hex().chars().take(25).collect()
}

/// A package URL's name and version.
fn name_and_version(purl: &str) -> (&str, &str) {
    let plain = purl.split(['?', '#']).next().unwrap_or_default();
    let (path, version) = plain.rsplit_once('@').unwrap_or((plain, ""));
    (path.rsplit('/').next().unwrap_or_default(), version)
}

fn spdx(purls: &[&str]) -> Tree {
    let package = |(number, purl): (usize, &&str)| {
        let (name, version) = name_and_version(purl);
        let reference = Tree::object()
            .with("referenceCategory", "PACKAGE-MANAGER")
            .with("referenceType", "purl")
            .with("referenceLocator", *purl);
        Tree::object()
            .with("name", name)
            .with("SPDXID", format!("SPDXRef-Package-{number}"))
            .with("versionInfo", version)
            .with("downloadLocation", "NOASSERTION")
            .with("licenseConcluded", "NOASSERTION")
            .with("externalRefs", vec![reference])
    };
    let packages: Vec<Tree> = purls.iter().enumerate().map(package).collect();
    let made = Tree::object()
        .with("creators", ["Organization: Anchore, Inc", "Tool: syft", "Tool: buildkit-v0.31.0"])
        .with("created", BUILT);
    let described = Tree::object()
        .with("spdxElementId", "SPDXRef-DOCUMENT")
        .with("relatedSpdxElement", "SPDXRef-Package-0")
        .with("relationshipType", "DESCRIBES");
    Tree::object()
        .with("spdxVersion", "SPDX-2.3")
        .with("dataLicense", "CC0-1.0")
        .with("SPDXID", "SPDXRef-DOCUMENT")
        .with("name", "sbom")
        .with("documentNamespace", "https://anchore.com/syft/dir/sbom")
        .with("creationInfo", made)
        .with("packages", packages)
        .with("relationships", vec![described])
}

fn spdx3(purls: &[&str]) -> Tree {
    let element = |kind: &str, id: &str| Tree::object().with("type", kind).with("spdxId", format!("urn:sbom:{id}"));
    let made = Tree::object()
        .with("type", "CreationInfo")
        .with("@id", "_:made")
        .with("specVersion", "3.0.1")
        .with("created", BUILT)
        .with("createdBy", ["urn:sbom:agent"]);
    let package = |(number, purl): (usize, &&str)| {
        let (name, version) = name_and_version(purl);
        element("software_Package", &format!("package-{number}"))
            .with("creationInfo", "_:made")
            .with("name", name)
            .with("software_packageVersion", version)
            .with("software_packageUrl", *purl)
    };
    let mut graph = vec![
        made,
        element("SpdxDocument", "document").with("creationInfo", "_:made").with("name", "sbom"),
        element("Organization", "agent").with("creationInfo", "_:made").with("name", "Acme"),
    ];
    graph.extend(purls.iter().enumerate().map(package));
    Tree::object().with("@context", "https://spdx.org/rdf/3.0.1/spdx-context.jsonld").with("@graph", graph)
}

fn cyclonedx(purls: &[&str]) -> Tree {
    let component = |purl: &&str| {
        let (name, version) = name_and_version(purl);
        Tree::object().with("type", "library").with("name", name).with("version", version).with("purl", *purl)
    };
    Tree::object()
        .with("bomFormat", "CycloneDX")
        .with("specVersion", "1.6")
        .with("version", 1_u64)
        .with("metadata", Tree::object().with("timestamp", BUILT))
        .with("components", purls.iter().map(component).collect::<Vec<_>>())
}

/// A DSSE envelope; the signature is none.
pub(super) fn envelope(statement: &Tree) -> Tree {
    let signature = Tree::object().with("keyid", "").with("sig", BASE64_STANDARD.encode("no signature"));
    Tree::object()
        .with("payloadType", known::IN_TOTO)
        .with("payload", BASE64_STANDARD.encode(statement.to_bytes()))
        .with("signatures", vec![signature])
}

/// A Sigstore bundle around an envelope.
pub(super) fn bundle(envelope: Tree) -> Tree {
    Tree::object()
        .with("mediaType", BUNDLE)
        .with(
            "verificationMaterial",
            Tree::object()
                .with("publicKey", Tree::object().with("hint", ""))
                .with("tlogEntries", Tree::List(Vec::new())),
        )
        .with("dsseEnvelope", envelope)
}

/// An attestation in its form: the document, its media type, and the annotations that tell what it is.
pub(super) fn wrapped(
    attestation: &Attestation,
    of: &Placed,
) -> Result<(Tree, &'static str, BTreeMap<String, String>), BuildError> {
    let statement = attestation.statement(of)?;
    let predicate_type = attestation.predicate_type();
    let note = |name: &str| BTreeMap::from([(name.to_owned(), predicate_type.to_owned())]);
    Ok(match (attestation.form, attestation.home) {
        (Form::Raw, _) => (attestation.predicate(of)?, attestation.raw_type(), BTreeMap::new()),
        (Form::Statement, _) => (statement, known::IN_TOTO, note("in-toto.io/predicate-type")),
        (Form::Envelope, _) | (Form::Bundle, Home::CosignTag) => {
            (envelope(&statement), known::DSSE_ENVELOPE, note("predicateType"))
        }
        (Form::Bundle, _) => (bundle(envelope(&statement)), BUNDLE, signed_notes(predicate_type)),
    })
}

/// What cosign writes beside a bundle.
pub(super) fn signed_notes(predicate_type: &str) -> BTreeMap<String, String> {
    super::builder::notes([
        ("dev.sigstore.bundle.content", "dsse-envelope"),
        ("dev.sigstore.bundle.predicateType", predicate_type),
        ("org.opencontainers.image.created", BUILT),
    ])
}
