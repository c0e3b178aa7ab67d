//! Where redirects lead may be secret: signatures in queries, names and passwords in URLs. (Credentials and tokens are searched
//! for with the attacks of the hostile suite.)

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ocilint::cases::build::{Attestation, Image, build};

use super::taken;
use crate::program;
use crate::support::{Fault, Registry, Rule, Stop, Store, When};

const REPOSITORY: &str = "acme/app";
const SECRET: &str = "canary-signature";

/// What the address answers that a registry redirects to.
fn answers() -> Vec<Option<Fault>> {
    vec![
        None,
        Some(Fault::status(403)),
        Some(Fault::status(500)),
        Some(Fault::html()),
        Some(Fault::Unsaid(Stop::Reset)),
        Some(Fault::Redirect(302, format!("ftp://a:{SECRET}@127.0.0.2/?sig={SECRET}"))),
    ]
}

#[test]
fn no_secret_of_a_redirect_is_recorded() {
    let image = build(&Image { attestations: vec![Attestation::new("spdx")], ..Image::default() }).unwrap();
    let store = Store::default();
    for manifest in image.store.manifests.values() {
        store.put_manifest(REPOSITORY, None, manifest.bytes.clone(), &manifest.media_type);
    }
    for blob in image.store.blobs.values() {
        store.put_blob(REPOSITORY, blob.clone());
    }
    for answer in answers() {
        let storage = Registry::builder().address("127.0.0.2").start();
        if let Some(fault) = answer.clone() {
            storage.rule(Rule::new(When::any(), fault));
        }
        let registry = Registry::builder().store(&store).start();
        let (host, query) = (storage.host(), format!("X-Amz-Signature={SECRET}&token={SECRET}"));
        registry.rule(Rule::new(When::blobs(), Fault::Redirect(307, format!("http://a:{SECRET}@{host}/blob?{query}"))));
        registry.rule(Rule::new(When::referrers(), Fault::Redirect(302, format!("http://{host}/list?{query}"))));
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("auth.json"), "{}").unwrap();
        let target = registry.reference(&format!("{REPOSITORY}@{}", image.root));
        let args = ["snapshot", &target, "-v", "-o", "taken.snapshot", "--policy=ocilint:strict", "--deadline=5s"];
        let more = ["--plain-http=127.0.0.1", "--plain-http=127.0.0.2", "--registry-config=auth.json"];
        let run = program::ended(program::command(directory.path()).args(args).args(more));
        assert_eq!(run.exit, 0, "{}", run.stderr);
        assert!(run.stderr.contains("could not be known"), "{}", run.stderr);
        assert!(!storage.log().holding(SECRET).is_empty(), "the redirect was followed");
        let (header, body) = taken::open(&std::fs::read(directory.path().join("taken.snapshot")).unwrap());
        let all = [run.stderr, header.to_string(), body.to_string()].concat();
        for form in [SECRET.to_owned(), BASE64_STANDARD.encode(SECRET)] {
            assert!(!all.contains(&form), "{answer:?}: {all}");
        }
    }
}
