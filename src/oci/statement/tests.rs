use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(document: &Value) -> Result<Statement, StatementError> {
    Statement::read(document.to_string().as_bytes(), &MediaType::from("application/x"))
}

fn spdx() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://spdx.dev/Document",
        "subject": [{"name": "pkg:docker/a@1", "digest": {"sha256": "ab"}}],
        "predicate": {"spdxVersion": "SPDX-2.3"}
    })
}

fn provenance(predicate_type: &str, predicate: Value) -> Result<Provenance, StatementError> {
    let mut statement = spdx();
    statement["predicateType"] = json!(predicate_type);
    statement["predicate"] = predicate;
    Ok(read(&statement)?.provenance.unwrap())
}

fn envelope(payload: &str) -> Value {
    json!({"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": [{"sig": "x"}]})
}

fn said(text: &str) -> Told<String> {
    Told::Said(text.to_owned())
}

const V0_2: &str = "https://slsa.dev/provenance/v0.2";
const V1: &str = "https://slsa.dev/provenance/v1";

#[test]
fn a_statement_is_read_in_each_of_its_wrappings() {
    let bare = read(&spdx()).unwrap();
    assert_eq!(bare.predicate_type, "https://spdx.dev/Document");
    assert_eq!(bare.class(), PredicateClass::Spdx);
    assert_eq!(bare.subjects[0].digests["sha256"], "ab");
    assert_eq!((bare.wrapping, bare.has_predicate), (Wrapping::None, true));
    for payload in [BASE64_STANDARD.encode(spdx().to_string()), BASE64_URL_SAFE_NO_PAD.encode(spdx().to_string())] {
        let enveloped = read(&envelope(&payload)).unwrap();
        assert_eq!(enveloped, Statement { wrapping: Wrapping::Envelope, ..bare.clone() });
        let bundle = json!({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {},
            "dsseEnvelope": envelope(&payload)});
        assert_eq!(read(&bundle).unwrap(), Statement { wrapping: Wrapping::Bundle, ..bare.clone() });
    }
}

#[test]
fn both_base64_alphabets_are_read() {
    let mut statement = spdx();
    statement["subject"][0]["name"] = json!("??>>~~\u{fffd}");
    for engine in [&BASE64_STANDARD, &base64::prelude::BASE64_URL_SAFE] {
        let payload = engine.encode(statement.to_string());
        assert_eq!(read(&envelope(&payload)).unwrap().subjects[0].name.as_deref(), Some("??>>~~\u{fffd}"));
    }
    assert_eq!(read(&envelope("*")), Err(StatementError::Base64));
}

#[test]
fn what_is_no_statement_says_what_it_is() {
    let signature = json!({"messageSignature": {"signature": ""}, "verificationMaterial": {}});
    let simple = envelope("").as_object().cloned().map(|mut envelope| {
        envelope["payloadType"] = json!("text/plain");
        Value::from(envelope)
    });
    let mut future = spdx();
    future["_type"] = json!("https://in-toto.io/Statement/v2");
    for (document, expected) in [
        (signature, "a bundle that signs a digest"),
        (simple.unwrap(), "an envelope of type \"text/plain\""),
        (future, "an object of `_type` \"https://in-toto.io/Statement/v2\""),
        (json!({"spdxVersion": "SPDX-2.3"}), "served as \"application/x\""),
    ] {
        let error = read(&document).unwrap_err();
        assert!(matches!(&error, StatementError::NotAStatement { found } if found.contains(expected)), "{error}");
    }
}

#[test]
fn a_document_of_several_kinds_is_none_of_them() {
    let mut both = spdx();
    both["payload"] = json!("");
    for document in [json!({"messageSignature": {}, "dsseEnvelope": envelope("")}), both] {
        assert_eq!(read(&document), Err(StatementError::SeveralKinds));
    }
}

#[test]
fn broken_documents_are_errors() {
    let twice = spdx().to_string().replacen('{', r#"{"predicateType":"https://example.com/a","#, 1);
    for (text, part) in [
        ("", "document"),
        ("[]", "document"),
        ("\u{feff}{}", "document"),
        (twice.as_str(), "document"),
        (r#"{"dsseEnvelope":7}"#, "envelope"),
        (r#"{"predicateType":7}"#, "statement"),
        (r#"{"predicateType":"a","subject":7}"#, "statement"),
        (r#"{"predicateType":"a","subject":[["name",{}]]}"#, "statement"),
        (r#"{"predicateType":"a","subject":[{"digest":{"sha256":7}}]}"#, "statement"),
        (r#"{"predicateType":"a","subject":[{"digest":{"sha256":"00","sha256":"01"}}]}"#, "statement"),
    ] {
        let error = Statement::read(text.as_bytes(), &MediaType::from("")).unwrap_err();
        assert!(matches!(error, StatementError::Json { part: at, .. } if at == part), "{text}: {error}");
    }
}

#[test]
fn what_is_wrong_in_a_statement_is_told_by_the_name_of_its_member() {
    let error = read(&json!({"predicateType": "a", "subject": [7]})).unwrap_err().to_string();
    assert!(error.ends_with("`subject`: invalid type: integer `7`, expected an object"), "{error}");
}

#[test]
fn predicates_that_are_not_read_may_be_anything() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    for predicate in ["null", "\"SPDXVersion: SPDX-2.2\"", r#"{"a":1,"a":2,"A":3}"#, deep.as_str()] {
        let text = spdx().to_string().replace(r#"{"spdxVersion":"SPDX-2.3"}"#, predicate);
        let statement = Statement::read(text.as_bytes(), &MediaType::from("")).unwrap();
        assert_eq!(statement.has_predicate, predicate != "null");
        assert_eq!(statement.provenance, None);
    }
}

#[test]
fn a_statement_may_name_no_subject_but_not_too_many() {
    let mut statement = spdx();
    statement["subject"] = json!(null);
    assert_eq!(read(&statement).unwrap().subjects, []);
    statement["subject"] = Value::Array(vec![json!({}); bounded::MOST]);
    assert_eq!(read(&statement).unwrap().subjects.len(), bounded::MOST);
    statement["subject"] = Value::Array(vec![json!({}); bounded::MOST + 1]);
    assert!(matches!(read(&statement), Err(StatementError::Json { .. })));
}

#[test]
fn buildkit_provenance_0_2_is_read() {
    let read = provenance(V0_2, json!({
        "builder": {"id": ""}, "buildType": "https://mobyproject.org/buildkit@v1", "buildConfig": {"llbDefinition": []},
        "materials": [{"uri": "pkg:docker/alpine@3.20", "digest": {"sha256": "cd"}}],
        "invocation": {"configSource": {"entryPoint": "Dockerfile"},
            "parameters": {"frontend": "dockerfile.v0", "args": {"build-arg:TOKEN": "t", "odd": 1}}},
        "metadata": {"https://mobyproject.org/buildkit@v1#metadata": {"vcs": {"source": "git@host:a/b", "revision": "12"}}}
    }))
    .unwrap();
    assert_eq!((read.version, read.builder_id, read.mode_max), (ProvenanceVersion::V0_2, None, true));
    assert_eq!((read.source, read.revision), (said("git@host:a/b"), said("12")));
    assert_eq!(read.materials[0].digests["sha256"], "cd");
    let arguments = [("build-arg:TOKEN", "t"), ("odd", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(read.arguments, Told::Said(BTreeMap::from(arguments)));
}

#[test]
fn buildkit_provenance_1_is_read() {
    let build = |internal: Value| {
        json!({
            "buildDefinition": {
                "buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
                "externalParameters": {"configSource": {"uri": "https://host/a/b.git#main", "digest": {"sha1": "34"}},
                    "request": {"args": {"target": "release"}}},
                "internalParameters": internal,
                "resolvedDependencies": [{"uri": "pkg:docker/alpine@3.20"}]
            },
            "runDetails": {"builder": {"id": "https://builder"}, "metadata": {"buildkit_metadata": {}}}
        })
    };
    let read = provenance(V1, build(json!({"buildConfig": {}}))).unwrap();
    assert_eq!((read.version, read.builder_id.as_deref()), (ProvenanceVersion::V1, Some("https://builder")));
    assert_eq!((read.source, read.revision), (said("https://host/a/b.git#main"), said("34")));
    assert_eq!((read.arguments.said().unwrap()["target"].as_str(), read.materials.len()), ("release", 1));
    assert!(read.mode_max);
    for minimal in [json!({}), json!(null), json!({"buildConfig": null})] {
        assert!(!provenance(V1, build(minimal)).unwrap().mode_max);
    }
}

#[test]
fn the_end_of_the_build_is_read_as_it_is_written() {
    let finished = |kind, predicate| provenance(kind, predicate).unwrap().finished;
    let at = "2026-01-01T00:00:00Z";
    assert_eq!(finished(V1, json!({"runDetails": {"metadata": {"finishedOn": at}}})), said(at));
    assert_eq!(finished(V0_2, json!({"metadata": {"buildFinishedOn": at}})), said(at));
    assert_eq!(finished(V0_2, json!({"metadata": {"buildStartedOn": at}})), Told::Nothing);
    assert_eq!(finished(V0_2, json!({"metadata": {"buildFinishedOn": 1, "completeness": {}}})), Told::Garbled);
}

#[test]
fn a_github_workflow_names_its_repository_and_commit() {
    let read = provenance(
        V1,
        json!({"buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {"ref": "refs/heads/main", "repository": "https://github.com/a/b"}},
            "resolvedDependencies": [
                {"uri": "git+https://github.com/a/bc@refs/heads/main", "digest": {"gitCommit": "00"}},
                {"uri": "git+https://github.com/a/b@refs/heads/main", "digest": {"gitCommit": "56"}}
            ]
        }}),
    )
    .unwrap();
    assert_eq!((read.source, read.revision), (said("https://github.com/a/b"), said("56")));
}

#[test]
fn what_a_builder_fills_as_it_likes_never_breaks_reading() {
    for odd in [json!(7), json!("x"), json!([1]), json!({"configSource": 7, "request": [], "workflow": "w"})] {
        let read =
            provenance(V1, json!({"buildDefinition": {"externalParameters": odd}, "runDetails": {"metadata": odd}}))
                .unwrap();
        assert_eq!((read.source, read.arguments), (Told::Garbled, Told::Garbled));
        assert!(provenance(V0_2, json!({"invocation": odd, "metadata": odd})).is_ok());
    }
    assert!(provenance(V1, json!({"buildDefinition": {"resolvedDependencies": 7}})).is_err());
    assert!(provenance(V1, json!("x")).is_err());
}

#[test]
fn what_is_compressed_is_called_so() {
    let error = Statement::read(b"\x1f\x8b\x08\x00", &MediaType::from("application/vnd.in-toto+json")).unwrap_err();
    assert_eq!(error.to_string(), "the document is not readable: it is compressed with gzip and not JSON");
}

#[test]
fn a_list_is_never_read_as_an_object() {
    for list in [json!([]), json!(["https://builder"])] {
        assert!(provenance(V0_2, json!({"builder": list})).is_err());
        assert!(provenance(V1, json!({"runDetails": {"builder": list}})).is_err());
    }
    assert!(provenance(V1, json!({"runDetails": [{"id": "https://builder"}, null]})).is_err());
    assert!(provenance(V1, json!({"buildDefinition": ["https://type", null, null, []]})).is_err());
    assert!(provenance(V1, json!({"buildDefinition": {"internalParameters": [{}, null]}})).is_err());
}

#[test]
fn claims_are_read_in_the_forms_of_both_versions() {
    let old = json!({
        "https://mobyproject.org/buildkit@v1#hermetic": true, "reproducible": false,
        "completeness": {"parameters": true, "environment": true, "materials": "yes"}, "buildFinishedOn": "2026-01-01T00:00:00Z"
    });
    let read = provenance(V0_2, json!({"metadata": old})).unwrap();
    let wanted = Claims {
        hermetic: Told::Said(true),
        reproducible: Told::Said(false),
        complete_parameters: Told::Said(true),
        complete_environment: Told::Said(true),
        complete_materials: Told::Garbled,
    };
    assert_eq!((read.claims, read.finished), (wanted, said("2026-01-01T00:00:00Z")));
    let new = json!({
        "buildkit_hermetic": true, "buildkit_completeness": {"request": true, "resolvedDependencies": false}, "finishedOn": 7
    });
    let read = provenance(V1, json!({"runDetails": {"metadata": new}})).unwrap();
    let wanted = Claims {
        hermetic: Told::Said(true),
        complete_parameters: Told::Said(true),
        complete_materials: Told::Said(false),
        ..Claims::default()
    };
    assert_eq!((read.claims, read.finished), (wanted, Told::Garbled));
}

#[test]
fn workflows_are_read_in_the_forms_of_both_versions() {
    let old = json!({"invocation": {
        "configSource": {"uri": "git+https://github.com/a/b@refs/tags/v1", "digest": {"sha1": "12"}, "entryPoint": ".github/workflows/r.yml"},
        "environment": {"github_event_name": "push"}
    }});
    let read = provenance(V0_2, old).unwrap();
    let wanted = Workflow {
        path: said(".github/workflows/r.yml"),
        git_ref: said("refs/tags/v1"),
        event: said("push"),
        runner: Told::Nothing,
    };
    assert_eq!((read.workflow, read.revision), (wanted, said("12")));
    let new = json!({"buildDefinition": {
        "externalParameters": {"workflow": {"ref": "refs/heads/main", "path": ".github/workflows/r.yml"}, "inputs": {"a": 1}},
        "internalParameters": {"github": {"event_name": "push", "runner_environment": "github-hosted"}}
    }});
    let read = provenance(V1, new).unwrap();
    let wanted = Workflow {
        path: said(".github/workflows/r.yml"),
        git_ref: said("refs/heads/main"),
        event: said("push"),
        runner: said("github-hosted"),
    };
    assert_eq!(read.workflow, wanted);
    assert_eq!(read.arguments.said().unwrap().keys().collect::<Vec<_>>(), ["inputs.a"]);
}

#[test]
fn parameters_in_an_object_have_its_name_before_theirs() {
    let arguments = |external: Value| {
        provenance(V1, json!({"buildDefinition": {"externalParameters": external}})).unwrap().arguments
    };
    let read = arguments(json!({"inputs": {"TOKEN": "t", "deep": {"a": 1}}, "vars": {}, "list": [1], "n": null}));
    let wanted = [("inputs.TOKEN", "t"), ("inputs.deep", r#"{"a":1}"#), ("list", "[1]"), ("n", "null")];
    assert_eq!(read, Told::Said(wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).into()));
    let long = "n".repeat(65);
    assert_eq!(arguments(json!({long: {"a": 1}})), Told::Garbled);
    let many = |outer: &str| (outer.to_owned(), (0..40_000).map(|n| (n.to_string(), json!(1))).collect::<Value>());
    assert_eq!(arguments([many("a"), many("b")].into_iter().collect::<Value>()), Told::Garbled);
}

#[test]
fn what_the_builder_fetched_goes_before_what_its_client_says() {
    let told = |configured: Value| {
        let vcs = json!({"vcs": {"source": "https://host/acme/app", "revision": "12"}});
        let read = provenance(
            V1,
            json!({
                "buildDefinition": {"externalParameters": {"configSource": configured}},
                "runDetails": {"metadata": {"buildkit_metadata": vcs}}
            }),
        )
        .unwrap();
        (read.source, read.revision)
    };
    let evil = "https://host/evil/app.git#main";
    assert_eq!(told(json!({"uri": evil, "digest": {"sha1": "34"}})), (said(evil), said("34")));
    assert_eq!(told(json!({"uri": evil})), (said(evil), Told::Nothing));
    assert_eq!(told(json!({"path": "Dockerfile"})), (said("https://host/acme/app"), said("12")));
    assert_eq!(told(json!({"uri": 7})), (Told::Garbled, Told::Garbled));
}

#[test]
fn a_material_is_pinned_by_a_digest_of_the_right_length() {
    let pinned = |algorithm: &str, hex: &str| {
        let digests = BTreeMap::from([(algorithm.to_owned(), hex.to_owned())]);
        Material { uri: None, digests }.is_pinned()
    };
    assert!(
        pinned("sha256", &"0a".repeat(32)) && pinned("sha1", &"0a".repeat(20)) && pinned("gitCommit", &"0a".repeat(20))
    );
    assert!(!pinned("sha256", "0a") && !pinned("sha256", &"0g".repeat(32)) && !pinned("md5", &"0a".repeat(16)));
}

#[test]
fn too_many_arguments_are_an_error_and_not_none() {
    let arguments: serde_json::Map<_, _> = (0..=bounded::MOST).map(|n| (n.to_string(), json!(""))).collect();
    let read = provenance(V0_2, json!({"invocation": {"parameters": {"args": arguments}}})).unwrap();
    assert_eq!(read.arguments, Told::Garbled);
}

#[test]
fn an_argument_that_is_there_twice_hides_nothing() {
    let text = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","predicate":
        {"buildDefinition":{"externalParameters":{"request":{"args":{"build-arg:A":"hunter2","build-arg:A":""}}}}}}"#;
    let statement = Statement::read(text.as_bytes(), &MediaType::from("")).unwrap();
    assert_eq!(statement.provenance.unwrap().arguments, Told::Garbled);
}

#[test]
fn predicate_types_have_classes() {
    use PredicateClass::{
        Custom, CycloneDx, Other, OtherSbom, Provenance, Signature, Spdx, Verification, Vex, Vulnerability,
    };
    for (predicate_type, expected) in [
        ("https://spdx.dev/Document", Spdx),
        ("https://spdx.dev/Document/v2.3", Spdx),
        ("https://spdx.dev/Documents", Other),
        ("https://cyclonedx.org/bom", CycloneDx),
        ("https://cyclonedx.org/bom/v1.6", CycloneDx),
        ("https://cyclonedx.org/schema", CycloneDx),
        ("https://cyclonedx.org.attacker.test/bom", Other),
        ("https://scout.docker.com/sbom/v0.1", OtherSbom),
        ("https://chainguard.dev/attestation/syft/v1", OtherSbom),
        (V0_2, Provenance),
        (V1, Provenance),
        ("https://in-toto.io/Provenance/v0.1", Provenance),
        ("https://slsa.dev/verification_summary/v1", Verification),
        ("https://cosign.sigstore.dev/attestation/vuln/v1", Vulnerability),
        ("https://in-toto.io/attestation/vulns/v0.1", Vulnerability),
        ("https://openvex.dev/ns/v0.2.0", Vex),
        ("https://sigstore.dev/cosign/sign/v1", Signature),
        ("https://cosign.sigstore.dev/attestation/v1", Custom),
        ("cosign.sigstore.dev/attestation/v1", Custom),
        ("https://in-toto.io/attestation/release/v0.1", Other),
        ("https://apko.dev/image-configuration", Other),
        ("", Other),
    ] {
        assert_eq!(predicate::class(predicate_type), expected, "{predicate_type}");
    }
    assert!(Spdx.is_sbom() && CycloneDx.is_sbom() && OtherSbom.is_sbom());
    assert!(!Vulnerability.is_sbom() && !Vex.is_sbom() && !Custom.is_sbom());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Statement::read(&bytes, &MediaType::from(""));
        let _ = read(&envelope(&BASE64_STANDARD.encode(bytes)));
    }
}
