use super::*;
use crate::oci::MediaType;
use crate::output::fixtures::digest;

fn node(role: &str, media_type: &str, seed: &str, size: u64) -> GraphNode {
    GraphNode {
        role: role.to_owned(),
        media_type: Some(MediaType::from(media_type)),
        digest: Some(digest(seed)),
        size: Some(size),
        ..GraphNode::default()
    }
}

fn manifest(platform: &str, layers: &[(&str, u64)]) -> GraphNode {
    let layer = |(number, (media_type, size)): (usize, &(&str, u64))| {
        node("layer", media_type, &format!("{platform} {number}"), *size)
    };
    let config = node("config", "application/vnd.oci.image.config.v1+json", &format!("{platform} config"), 3_277);
    GraphNode {
        platform: Some(platform.to_owned()),
        children: std::iter::once(config).chain(layers.iter().enumerate().map(layer)).collect(),
        ..node("manifest", "application/vnd.oci.image.manifest.v1+json", platform, 1_126)
    }
}

fn graph() -> GraphNode {
    const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    let attestation = GraphNode {
        platform: Some("unknown/unknown".to_owned()),
        notes: vec!["attestation for linux/amd64".to_owned()],
        children: vec![GraphNode {
            annotations: [("in-toto.io/predicate-type".to_owned(), "https://spdx.dev/Document".to_owned())].into(),
            ..node("statement", "application/vnd.in-toto+json", "statement", 91_234)
        }],
        ..node("manifest", "application/vnd.oci.image.manifest.v1+json", "attestation", 841)
    };
    let referrers = GraphNode {
        role: "referrers".to_owned(),
        notes: vec!["listed by the fallback tag".to_owned()],
        children: vec![GraphNode {
            notes: vec!["could not be read: the registry limits the rate of requests (429)".to_owned()],
            ..node("referrer", "application/vnd.example.thing+json", "referrer", 700)
        }],
        ..GraphNode::default()
    };
    GraphNode {
        children: vec![
            manifest("linux/amd64", &[(GZIP, 31_457_280), (GZIP, 56_832_819)]),
            manifest("linux/arm64", &[(GZIP, 31_457_280), (ZSTD, 2_097_152), (ZSTD, 10)]),
            manifest("linux/arm/v7", &[(GZIP, 5)]),
            attestation,
            referrers,
        ],
        ..node("index", "application/vnd.oci.image.index.v1+json", "index", 1_609)
    }
}

fn drawn(root: &GraphNode, width: usize, unicode: bool) -> String {
    let mut out = Vec::new();
    write_tree("ghcr.io/acme/app:1.2", root, Style { unicode, width, ..Style::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_graph_is_a_tree() {
    insta::assert_snapshot!(drawn(&graph(), 120, true));
}

#[test]
fn a_narrow_tree_in_ascii() {
    let text = drawn(&graph(), 60, false);
    assert!(text.is_ascii());
    // The root's digest stays whole, so that it can be copied.
    assert!(text.lines().all(|line| line.len() <= 60 || line.contains(digest("index").as_str())), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn hostile_text_stays_on_its_line() {
    let mut root = graph();
    root.children[0].platform = Some("linux/\u{1b}[2J\n::error::x".to_owned());
    root.children[0].annotations.insert("a\n::warning::".to_owned(), "\u{202e}##[error]".to_owned());
    root.children[1].media_type = Some(MediaType::from("x/\r\n::error::y"));
    let text = drawn(&root, 40, true);
    assert!(!text.chars().any(|c| c != '\n' && crate::oci::is_unsafe(c)));
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::") || line.contains("##[")), "{text}");
}

#[test]
fn as_json_it_is_whole() {
    let mut out = Vec::new();
    write_json("ghcr.io/acme/app:1.2", &graph(), &mut out).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value["schema"], "ocilint/graph/v1");
    assert_eq!(value["root"]["children"][1]["children"].as_array().unwrap().len(), 4);
    assert_eq!(
        value["root"]["children"][3]["children"][0]["annotations"]["in-toto.io/predicate-type"],
        "https://spdx.dev/Document"
    );
}

#[test]
fn a_deep_or_empty_graph_is_drawn() {
    let deep = (0..40)
        .fold(GraphNode::default(), |child, _| GraphNode { children: vec![child], ..node("index", "x/y", "deep", 1) });
    assert!(drawn(&deep, 40, true).lines().count() > 40);
    assert_eq!(
        drawn(&GraphNode { role: "index".to_owned(), ..GraphNode::default() }, 40, true),
        "ghcr.io/acme/app:1.2\nindex\nin all: 0 documents, 0 B\n"
    );
}

#[test]
fn no_secret_is_drawn() {
    let root = GraphNode {
        annotations: [("org.opencontainers.image.source".to_owned(), "https://app:hunter2@example.com/a".to_owned())]
            .into(),
        ..graph()
    };
    let root = GraphNode { children: vec![root], ..graph() };
    let (mut tree, mut json) = (Vec::new(), Vec::new());
    write_tree("x", &root, Style::default(), &mut tree).unwrap();
    write_json("x", &root, &mut json).unwrap();
    for drawn in [tree, json].map(|drawn| String::from_utf8(drawn).unwrap()) {
        assert!(drawn.contains("https://app:") && !drawn.contains("hunter2"), "{drawn}");
    }
}
