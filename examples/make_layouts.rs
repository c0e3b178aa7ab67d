//! Writes `examples/layouts/`: one small OCI image layout for each shape of image that `docker buildx build` produces. The
//! same input gives the same bytes, so a test can hold the files to this program.
//!
//! ```text
//! cargo run --example make_layouts
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use bytes::Bytes;
use ocilint::cases::build::{Attestation, Built, Image, Layer, Mode, Override, Places, Tree, Types, build};
use ocilint::oci::{Digest, LayerClass};

const CREATED: &str = "2026-01-01T00:00:00Z";

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/layouts");
    for (shape, files) in layouts() {
        let layout = folder.join(shape);
        if layout.exists() {
            fs::remove_dir_all(&layout)?;
        }
        for (name, bytes) in files {
            let path = layout.join(name);
            fs::create_dir_all(path.parent().expect("invariant: a file is in a folder"))?;
            fs::write(path, bytes)?;
        }
    }
    Ok(())
}

/// The files of every layout, by shape and path.
pub fn layouts() -> BTreeMap<&'static str, BTreeMap<String, Bytes>> {
    shapes().into_iter().map(|(shape, image)| (shape, layout(&image))).collect()
}

/// The shapes, with the flags of `docker buildx build` that make them.
fn shapes() -> [(&'static str, Image); 8] {
    let docker = |image: Image| Image { types: Types::Docker, annotations: Places::default(), ..image };
    [
        // --provenance=false --output type=docker,tar=false,oci-mediatypes=false
        ("docker-image", docker(image(&["amd64"], LayerClass::Gzip))),
        // --provenance=false --output type=oci,tar=false
        ("oci-image", image(&["amd64"], LayerClass::Gzip)),
        // --platform linux/amd64,linux/arm64 --provenance=false --output type=registry,oci-mediatypes=false
        ("docker-list", docker(image(&["amd64", "arm64"], LayerClass::Gzip))),
        // --platform linux/amd64,linux/arm64 --provenance=false --output type=oci,tar=false
        ("oci-list", image(&["amd64", "arm64"], LayerClass::Gzip)),
        // --platform linux/amd64,linux/arm64 --sbom=true --provenance=mode=max --output type=oci,tar=false,oci-artifact=false
        ("oci-sbom", Image { attestations: attestations(), ..image(&["amd64", "arm64"], LayerClass::Gzip) }),
        // --provenance=false --output type=oci,tar=false,compression=uncompressed,force-compression=true
        ("oci-tar", image(&["amd64"], LayerClass::None)),
        // --provenance=false --output type=oci,tar=false,compression=estargz,force-compression=true
        ("oci-estargz", image(&["amd64"], LayerClass::Estargz)),
        // --provenance=false --output type=oci,tar=false,compression=zstd,force-compression=true
        ("oci-zstd", image(&["amd64"], LayerClass::Zstd)),
    ]
}

/// A base and a program on it, for each architecture.
fn image(architectures: &[&str], compression: LayerClass) -> Image {
    let labels = [
        ("org.opencontainers.image.licenses", "Apache-2.0"),
        ("org.opencontainers.image.source", "https://git.example/acme/app"),
        ("org.opencontainers.image.title", "app"),
        ("org.opencontainers.image.version", "1.0.0"),
    ];
    let labels: BTreeMap<String, String> = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let on = |architecture: &&str| {
        let layers = Some(vec![base(compression), program(architecture, compression)]);
        (format!("linux/{architecture}"), Override { layers, ..Override::default() })
    };
    Image {
        platforms: architectures.iter().map(|architecture| format!("linux/{architecture}")).collect(),
        on: architectures.iter().map(on).collect(),
        annotations: Places { manifest: labels.clone(), ..Places::default() },
        labels,
        history: Some(history()),
        ..Image::default()
    }
}

fn base(compression: LayerClass) -> Layer {
    let files = [
        ("etc/", ""),
        ("etc/group", "root:x:0:\napp:x:65532:\n"),
        ("etc/os-release", "ID=example\nNAME=\"Example Linux\"\nVERSION_ID=3.1\n"),
        ("etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\napp:x:65532:65532:app:/:/sbin/nologin\n"),
    ];
    layer(files, compression)
}

fn program(architecture: &str, compression: LayerClass) -> Layer {
    let script = format!("#!/bin/sh\necho \"app 1.0.0 on {architecture}\"\n");
    layer([("app", script.as_str())], compression)
}

fn layer<const N: usize>(files: [(&str, &str); N], compression: LayerClass) -> Layer {
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    Layer { compression, files: Some(files), ..Layer::default() }
}

fn history() -> Vec<Tree> {
    let step = |by: &str| {
        Tree::object().with("created", CREATED).with("created_by", by).with("comment", "buildkit.dockerfile.v0")
    };
    let empty = |by: &str| step(by).with("empty_layer", true);
    vec![
        step("COPY rootfs/ / # buildkit"),
        step("COPY app /app # buildkit"),
        empty("USER 65532:65532"),
        empty("ENTRYPOINT [\"/app\"]"),
    ]
}

fn attestations() -> Vec<Attestation> {
    let base = ("pkg:docker/example/base@3.1".to_owned(), Digest::sha256(b"example/base:3.1").to_string());
    let provenance = Attestation {
        mode: Mode::Max,
        builder_id: Some("https://ci.example/acme/app/runs/1".to_owned()),
        materials: [base].into(),
        source: Some("https://git.example/acme/app".to_owned()),
        revision: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        ..Attestation::new("provenance-v1")
    };
    let packages = ["pkg:generic/app@1.0.0", "pkg:apk/example/busybox@1.37.0-r12"].map(ToOwned::to_owned).to_vec();
    vec![Attestation { packages, ..Attestation::new("spdx") }, provenance]
}

/// The layout whose `index.json` names the image as the tag 1.0.
fn layout(image: &Image) -> BTreeMap<String, Bytes> {
    let Built { store, root, .. } = build(image).expect("invariant: the descriptions above are sound");
    let stored = &store.manifests[&root];
    let annotations = Tree::object()
        .with("io.containerd.image.name", "registry.example/acme/app:1.0")
        .with("org.opencontainers.image.created", CREATED)
        .with("org.opencontainers.image.ref.name", "1.0");
    let entry = Tree::object()
        .with("mediaType", stored.media_type.as_str())
        .with("digest", root.as_str())
        .with("size", stored.bytes.len())
        .with("annotations", annotations);
    let platform = Tree::object().with("architecture", "amd64").with("os", "linux");
    let alone = image.platforms.len() == 1;
    store.layout(vec![if alone { entry.with("platform", platform) } else { entry }])
}
