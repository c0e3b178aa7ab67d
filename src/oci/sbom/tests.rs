use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn spdx() -> Value {
    json!({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "a",
        "documentNamespace": "https://example.com/a",
        "creationInfo": {"created": "2026-01-01T00:00:00Z", "creators": ["Tool: syft", "Organization: Acme"]},
        "packages": [{
            "SPDXID": "SPDXRef-a", "name": "musl", "versionInfo": "1.2.5-r9", "downloadLocation": "NOASSERTION",
            "supplier": "Organization: Alpine", "licenseDeclared": "MIT", "licenseConcluded": "NOASSERTION",
            "checksums": null,
            "externalRefs": [
                {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:b"},
                {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:apk/alpine/musl@1.2.5-r9"}
            ]
        }, {"SPDXID": "SPDXRef-root", "name": "image", "downloadLocation": "NONE", "primaryPackagePurpose": "CONTAINER"}],
        "relationships": [{"spdxElementId": "SPDXRef-root", "relatedSpdxElement": "SPDXRef-a", "relationshipType": "CONTAINS"}]
    })
}

fn cyclonedx() -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "metadata": {"timestamp": "2026-01-01T00:00:00+02:00", "tools": {"components": [{"type": "application", "name": "syft"}]},
            "component": {"type": "container", "name": "image", "components": [{"type": "library", "name": "inner"}]}},
        "components": [
            {"type": "library", "group": "org.acme", "name": "core", "version": "1", "purl": "pkg:maven/org.acme/core@1",
                "supplier": {"name": "Acme"}, "hashes": [{"alg": "SHA-256", "content": "00"}],
                "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "Some Words"}}, {"expression": "MIT OR Apache-2.0"}],
                "components": [{"type": "library", "name": "nested", "components": [{"type": "library", "name": "deep"}]}]},
            {"type": "file", "name": "/etc/passwd"}
        ],
        "dependencies": [{"ref": "a", "dependsOn": ["b"]}]
    })
}

fn spdx3() -> Value {
    json!({
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            {"type": "Relationship", "spdxId": "urn:r1", "creationInfo": "_:c", "from": "urn:p", "to": ["urn:l"],
                "relationshipType": "hasConcludedLicense"},
            {"type": "Relationship", "spdxId": "urn:r2", "creationInfo": "_:c", "from": "urn:p",
                "to": ["https://spdx.org/licenses/Zlib"], "relationshipType": "hasDeclaredLicense"},
            {"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1", "created": "2026-01-01T00:00:00Z",
                "createdBy": ["urn:o"], "createdUsing": ["urn:t"]},
            {"type": "SpdxDocument", "spdxId": "urn:d", "creationInfo": "_:c"},
            {"type": "software_Package", "spdxId": "urn:p", "creationInfo": "_:c", "name": "musl",
                "software_packageVersion": "1.2.5-r9", "software_packageUrl": "pkg:apk/alpine/musl@1.2.5-r9",
                "suppliedBy": "urn:o",
                "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": "00"}]},
            {"type": "simplelicensing_LicenseExpression", "spdxId": "urn:l", "creationInfo": "_:c",
                "simplelicensing_licenseExpression": "MIT"},
            {"type": "Organization", "spdxId": "urn:o", "creationInfo": "_:c", "name": "Alpine"},
            {"type": "Tool", "spdxId": "urn:t", "creationInfo": "_:c", "name": "syft"},
            {"type": "Relationship", "spdxId": "urn:r3", "creationInfo": "_:c", "from": "urn:d", "to": ["urn:p"],
                "relationshipType": "contains"}
        ]
    })
}

fn extract(document: &Value) -> Sbom {
    Sbom::read(document.to_string().as_bytes()).unwrap()
}

fn expression(text: &str) -> License {
    License::Expression(text.to_owned())
}

#[test]
fn spdx_2_is_read() {
    let sbom = extract(&spdx());
    assert_eq!((sbom.format, sbom.version.as_str()), (SbomFormat::Spdx, "2.3"));
    assert_eq!(sbom.created.as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(sbom.creators, ["Tool: syft", "Organization: Acme"]);
    assert_eq!(sbom.identity.as_deref(), Some("https://example.com/a"));
    assert_eq!(sbom.defects, Defects::default());
    assert!(sbom.has_relationships);
    let [musl, image] = &sbom.packages[..] else { panic!("{sbom:?}") };
    assert_eq!((musl.name.as_deref(), musl.version.as_deref()), (Some("musl"), Some("1.2.5-r9")));
    assert_eq!(musl.purls, ["pkg:apk/alpine/musl@1.2.5-r9"]);
    assert_eq!(musl.licenses, [expression("MIT")]);
    assert_eq!(musl.supplier.as_deref(), Some("Organization: Alpine"));
    assert!(musl.is_content && musl.is_identified && !musl.has_hash);
    assert!(!image.is_content && !image.is_identified);
}

#[test]
fn cyclonedx_is_read_with_the_components_within() {
    let sbom = extract(&cyclonedx());
    assert_eq!((sbom.format, sbom.version.as_str()), (SbomFormat::CycloneDx, "1.6"));
    assert_eq!(sbom.creators, ["syft"]);
    assert_eq!(sbom.defects, Defects::default());
    assert!(sbom.has_relationships);
    let names: Vec<_> = sbom.packages.iter().map(|package| package.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["org.acme/core", "/etc/passwd", "nested", "inner", "deep"]);
    let core = &sbom.packages[0];
    assert_eq!(
        core.licenses,
        [expression("MIT"), License::Name("Some Words".to_owned()), expression("MIT OR Apache-2.0")]
    );
    assert_eq!(core.supplier.as_deref(), Some("Acme"));
    assert!(core.has_hash && core.is_content && !sbom.packages[1].is_content);
    let mut old = cyclonedx();
    old["specVersion"] = json!("1.4");
    old["metadata"]["tools"] = json!([{"vendor": "aquasecurity", "name": "trivy"}]);
    assert_eq!(extract(&old).creators, ["trivy"]);
}

#[test]
fn spdx_3_is_read_in_whatever_order() {
    let sbom = extract(&spdx3());
    assert_eq!((sbom.format, sbom.version.as_str()), (SbomFormat::Spdx, "3.0.1"));
    assert_eq!(sbom.creators, ["Alpine", "syft"]);
    assert_eq!(sbom.identity.as_deref(), Some("urn:d"));
    assert_eq!(sbom.defects, Defects::default());
    assert!(sbom.has_relationships);
    let [musl] = &sbom.packages[..] else { panic!("{sbom:?}") };
    assert_eq!(musl.licenses, [expression("MIT"), expression("Zlib")]);
    assert_eq!(musl.supplier.as_deref(), Some("Alpine"));
    assert!(musl.has_hash && musl.is_identified);
}

/// An element behind which a package may hide is told, so that no rule takes its absence for proof.
#[test]
fn a_type_that_is_written_in_another_way_hides_what_it_is_of() {
    for kind in [json!("https://spdx.org/rdf/3.0.1/terms/Software/Package"), json!("spdx:Package"), json!(null)] {
        let mut document = spdx3();
        document["@graph"][4]["type"] = kind;
        let sbom = extract(&document);
        assert!(sbom.packages.is_empty() && sbom.defects.hiding.is_some_and(|hiding| hiding.contains("@graph/4/type")));
    }
}

#[test]
fn a_document_of_spdx_3_was_created_as_it_says() {
    let mut document = spdx3();
    let other = json!({"type": "CreationInfo", "@id": "_:other", "specVersion": "3.0.1", "created": "2020-01-01T00:00:00Z",
        "createdBy": ["urn:t"]});
    document["@graph"].as_array_mut().unwrap().insert(0, other);
    let sbom = extract(&document);
    assert_eq!((sbom.created.as_deref(), sbom.creators.len()), (Some("2026-01-01T00:00:00Z"), 2));
    document["@graph"][4]["creationInfo"] = json!("_:nowhere");
    let sbom = extract(&document);
    assert_eq!((sbom.created, sbom.defects.first.len()), (None, 1));
}

/// Each change to a valid document makes exactly one defect.
#[test]
fn every_check_of_validity_bites() {
    let spdx_2 = [
        ("/spdxVersion", json!("SPDX-9"), "spdxVersion"),
        ("/dataLicense", json!("MIT"), "dataLicense is 'MIT'"),
        ("/SPDXID", json!(null), "SPDXID is missing"),
        ("/name", json!(7), "name is no text"),
        ("/documentNamespace", json!(""), "documentNamespace is empty"),
        ("/creationInfo", json!([]), "creationInfo is missing"),
        ("/creationInfo/created", json!("yesterday"), "creationInfo/created is 'yesterday'"),
        ("/creationInfo/creators", json!([]), "creators is missing"),
        ("/creationInfo/creators", json!([{"Person": "Harry"}]), "creators names one"),
        ("/packages", json!({}), "packages is no list"),
        ("/packages/0", json!(1), "packages/0 is no object"),
        ("/packages/0/name", json!(null), "packages/0/name is missing"),
        ("/packages/0/SPDXID", json!("SPDXRef-a_b"), "packages/0/SPDXID is 'SPDXRef-a_b'"),
        ("/packages/0/downloadLocation", json!(null), "packages/0/downloadLocation is missing"),
        ("/packages/0/versionInfo", json!(1), "packages/0/versionInfo is no text"),
        ("/packages/0/supplier", json!("Alpine"), "packages/0/supplier is 'Alpine'"),
        ("/packages/0/checksums", json!("x"), "packages/0/checksums is no list"),
        ("/packages/0/checksums", json!([{"algorithm": "SHA1"}]), "packages/0/checksums holds one without"),
        ("/packages/0/externalRefs", json!("x"), "packages/0/externalRefs is no list"),
        ("/packages/0/externalRefs/0/referenceLocator", json!(null), "packages/0/externalRefs holds a reference"),
        ("/relationships", json!(1), "relationships is no list"),
        ("/relationships/0/relationshipType", json!(1), "relationships/0 lacks"),
    ];
    let spdx_3 = [
        ("/@graph/2/created", json!("x"), "@graph/2/created is 'x'"),
        ("/@graph/2/specVersion", json!("2.3"), "specVersion is '2.3'"),
        ("/@graph/2/createdBy", json!([]), "@graph/2/createdBy is missing"),
        ("/@graph/3/type", json!("Sbom"), "no SpdxDocument"),
        ("/@graph/4/name", json!(null), "@graph/4/name is missing"),
        ("/@graph/4/spdxId", json!(null), "@graph/4/spdxId is missing"),
        ("/@graph/4/software_packageVersion", json!(1), "software_packageVersion is no text"),
        ("/@graph/5/simplelicensing_licenseExpression", json!(1), "simplelicensing_licenseExpression is no text"),
        ("/@graph/8/to", json!([]), "@graph/8 lacks"),
        ("/@graph/8", json!(1), "@graph/8 is no object"),
        ("/@graph/4/verifiedUsing", json!(1), "@graph/4/verifiedUsing is no list"),
        ("/@graph/8/type", json!(1), "@graph/8/type is missing"),
    ];
    let of_cyclonedx = [
        ("/specVersion", json!("2.0"), "specVersion is '2.0'"),
        ("/version", json!("1"), "version is no whole number"),
        ("/serialNumber", json!("urn:uuid:f4-f715"), "serialNumber is 'urn:uuid:f4-f715'"),
        ("/serialNumber", json!(1), "serialNumber is no text"),
        ("/metadata/timestamp", json!("2026"), "metadata/timestamp is '2026'"),
        ("/metadata/tools", json!("syft"), "metadata/tools is neither"),
        ("/components/0/name", json!(null), "components/0/name is missing"),
        ("/components/0/type", json!("thing"), "components/0/type is 'thing'"),
        ("/components/0/purl", json!([]), "components/0/purl is no text"),
        ("/components/0/hashes", json!({}), "components/0/hashes is no list"),
        ("/components/0/hashes", json!([1]), "components/0/hashes holds one without"),
        ("/components/0/supplier", json!("Acme"), "components/0/supplier is no object"),
        ("/components/0/licenses", json!("MIT"), "components/0/licenses is no list"),
        ("/components/0/licenses/0", json!({}), "components/0/licenses holds"),
        ("/components/0/components", json!({}), "components within a component is no list"),
        ("/components", json!(1), "components is no list"),
        ("/dependencies", json!(1), "dependencies is no list"),
        ("/dependencies/0/ref", json!(1), "dependencies/0/ref is no text"),
        ("/dependencies/0/dependsOn", json!([1]), "dependencies/0/dependsOn is no list"),
    ];
    let all = [(spdx(), &spdx_2[..]), (spdx3(), &spdx_3[..]), (cyclonedx(), &of_cyclonedx[..])];
    for (valid, changes) in all {
        for (pointer, value, expected) in changes {
            let mut changed = valid.clone();
            *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone();
            let defects = extract(&changed).defects;
            assert!(defects.count >= 1 && defects.first[0].contains(expected), "{pointer}: {defects:?}");
        }
    }
}

#[test]
fn a_version_is_required_where_the_version_of_cyclonedx_wants_one() {
    for (version, wanted) in [("1.2", 3), ("1.4", 1), ("1.5", 0)] {
        let mut sbom = cyclonedx();
        sbom["specVersion"] = json!(version);
        sbom.as_object_mut().unwrap().remove("version");
        sbom["metadata"]["component"] = json!(null);
        sbom["components"][0]["components"] = json!(null);
        sbom["components"][1]["version"] = if version == "1.2" { json!(null) } else { json!("1") };
        let expected = usize::from(wanted > 0) + usize::from(wanted > 1);
        assert_eq!(extract(&sbom).defects.count, expected, "{version}");
    }
}

#[test]
fn what_cosign_wraps_is_unwrapped_once() {
    let wrapped = |data: Value| Sbom::read(json!({"Data": data, "Timestamp": ""}).to_string().as_bytes());
    assert_eq!(wrapped(cyclonedx()).unwrap(), extract(&cyclonedx()));
    assert_eq!(wrapped(json!(cyclonedx().to_string())).unwrap(), extract(&cyclonedx()));
    assert_eq!(wrapped(json!("SPDXVersion: SPDX-2.2\n")), Err(SbomError::NotJson("in SPDX's tag-value format")));
    assert!(matches!(wrapped(json!({"Data": spdx()})), Err(SbomError::NotAnSbom(_))));
    let text = serde_json::value::to_raw_value(&spdx().to_string()).unwrap();
    assert_eq!(Sbom::of_predicate(&text).unwrap(), extract(&spdx()));
}

#[test]
fn what_is_no_sbom_says_what_it_is() {
    for (bytes, expected) in [
        (&b"\x1f\x8b\x08\x00"[..], "compressed with gzip"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
        (b" <?xml version='1.0'?><bom/>", "XML"),
        (b"SPDXVersion: SPDX-2.3\n", "tag-value"),
        (b"{", "not readable"),
        (b"", "not readable"),
        (b"\xff\xfe", "not readable"),
        (b"[]", "no object"),
        (b"7", "no object"),
        (b"{}", "without `spdxVersion`"),
        (br#"{"spdxVersion":2}"#, "no version of SPDX"),
        (br#"{"bomFormat":"SBOM"}"#, "`bomFormat` is 'SBOM'"),
        (br#"{"@graph":[]}"#, "without the context of SPDX 3"),
        (br#"{"spdxVersion":"SPDX-2.3","bomFormat":"CycloneDX"}"#, "several formats"),
        (br#"{"spdxVersion":"SPDX-2.3","spdxVersion":"SPDX-2.2"}"#, "duplicate field"),
        (br#"{"spdxVersion":"SPDX-2.3"} {}"#, "trailing characters"),
    ] {
        let error = Sbom::read(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_is_too_large_is_refused_and_not_cut() {
    let lists = |number: usize| {
        let mut sbom = cyclonedx();
        sbom["metadata"]["component"] = json!(null);
        sbom["components"] = Value::Array(vec![json!({"type": "library", "name": "a"}); number]);
        Sbom::read(sbom.to_string().as_bytes())
    };
    assert_eq!(lists(MOST_PACKAGES).unwrap().packages.len(), MOST_PACKAGES);
    assert_eq!(lists(MOST_PACKAGES + 1), Err(SbomError::TooLarge));
    let mut wide = spdx();
    wide["packages"][0]["name"] = json!("a".repeat(40 << 20));
    assert_eq!(Sbom::read(wide.to_string().as_bytes()), Err(SbomError::TooLarge));
    // One expression for many packages.
    let mut repeated = spdx3();
    let graph = repeated["@graph"].as_array_mut().unwrap();
    graph[5]["simplelicensing_licenseExpression"] = json!("MIT AND ".repeat(100_000));
    for number in 0..100 {
        graph.push(json!({"type": "software_Package", "spdxId": format!("urn:{number}"), "name": "a"}));
        graph.push(json!({"type": "Relationship", "spdxId": "urn:r", "from": format!("urn:{number}"), "to": "urn:l",
            "relationshipType": "hasDeclaredLicense"}));
    }
    assert_eq!(Sbom::read(repeated.to_string().as_bytes()), Err(SbomError::TooLarge));
}

/// What is beyond the bounds of one package makes the answer open, not shorter.
#[test]
fn what_is_left_out_of_a_package_is_told() {
    let purl = |number| json!({"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": format!("pkg:a/b@{number}")});
    for (number, hides) in [(16, false), (17, true)] {
        let mut document = spdx();
        document["packages"][0]["externalRefs"] = (0..number).map(purl).collect();
        assert_eq!(extract(&document).defects.hiding.is_some(), hides, "{number}");
    }
    let license = |number| json!({"license": {"name": format!("License {number}")}});
    for (number, more) in [(256, false), (257, true)] {
        let mut document = cyclonedx();
        document["components"] =
            json!([{"type": "library", "name": "a", "licenses": (0..number).map(license).collect::<Vec<_>>()}]);
        assert_eq!(extract(&document).packages[0].has_more_licenses, more, "{number}");
    }
    let own = |number| json!({"licenseId": format!("LicenseRef-{number}"), "extractedText": "x".repeat(1_000)});
    for (number, hides) in [(8_192, false), (8_193, true)] {
        let mut document = spdx();
        document["hasExtractedLicensingInfos"] = (0..number).map(own).collect();
        let sbom = extract(&document);
        assert_eq!((sbom.defects.hiding.is_some(), sbom.own_licenses.len()), (hides, 8_192));
        assert!(sbom.own_licenses.values().all(|told| told.len() <= 512));
    }
}

#[test]
fn deep_nesting_ends_in_an_error_and_not_in_the_stack() {
    let nested = |depth: usize| {
        let inner = r#"[{"type":"library","name":"a","components":"#.repeat(depth);
        let text =
            format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":{inner}[]{}}}"#, "}]".repeat(depth));
        Sbom::read(text.as_bytes())
    };
    assert_eq!(nested(16).unwrap().packages.len(), 16);
    assert_eq!(nested(17), Err(SbomError::TooLarge));
    assert_eq!(nested(100_000), Err(SbomError::TooLarge));
    let ignored =
        format!(r#"{{"spdxVersion":"SPDX-2.3","annotations":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(Sbom::read(ignored.as_bytes()).is_ok());
    let typed = format!(r#"{{"spdxVersion":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(Sbom::read(typed.as_bytes()).is_err());
}

#[test]
fn defects_are_bounded_and_escaped() {
    let mut many = spdx();
    many["packages"] = Value::Array(vec![json!({"name": "a", "SPDXID": "\u{1b}[31m", "downloadLocation": "a"}); 1_000]);
    let defects = extract(&many).defects;
    assert_eq!((defects.count, defects.first.len()), (1_000, MOST_DEFECTS));
    assert!(defects.first.iter().all(|defect| !defect.contains('\u{1b}') && defect.len() < 500));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Sbom::read(&bytes);
    }

    /// Whatever stands where in a document, it is read or refused.
    #[test]
    fn values_of_any_type_never_panic(which in 0..3_usize, at in any::<prop::sample::Index>(), kind in 0..6_usize) {
        let mut document = [spdx(), spdx3(), cyclonedx()][which].clone();
        let odd = [json!(null), json!(7), json!(-1.5), json!("x"), json!([[]]), json!({"a": {}})][kind].clone();
        let pointers = pointers(&document, "");
        *document.pointer_mut(&pointers[at.index(pointers.len())]).unwrap() = odd;
        let _ = Sbom::read(document.to_string().as_bytes());
    }
}

fn pointers(value: &Value, at: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(values) => values.iter().enumerate().map(|(n, value)| (format!("{at}/{n}"), value)).collect(),
        _ => Vec::new(),
    };
    let mut all = vec![at.to_owned()];
    for (pointer, value) in children {
        all.extend(pointers(value, &pointer));
    }
    all
}
