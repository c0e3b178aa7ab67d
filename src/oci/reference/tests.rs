use proptest::prelude::*;

use super::*;

const HEX: &str = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn refused(text: &str) -> (ReferenceProblem, usize) {
    let error = text.parse::<Reference>().unwrap_err();
    assert_eq!(error.text, text);
    assert!(text.is_char_boundary(error.at), "{error:?}");
    (error.problem, error.at)
}

#[test]
fn names_are_completed_as_docker_does_it() {
    for (text, registry, repository) in [
        ("alpine", "docker.io", "library/alpine"),
        ("acme/app", "docker.io", "acme/app"),
        ("library/foo/bar", "docker.io", "library/foo/bar"),
        ("docker.io/alpine", "docker.io", "library/alpine"),
        ("docker.io/acme/app", "docker.io", "acme/app"),
        ("test_com/foo", "docker.io", "test_com/foo"),
        ("ghcr.io/app", "ghcr.io", "app"),
        ("ghcr.io/acme/team/app", "ghcr.io", "acme/team/app"),
        ("localhost/app", "localhost", "app"),
        ("localhost:5000/app", "localhost:5000", "app"),
        ("registry:5000/app", "registry:5000", "app"),
        ("127.0.0.1:8000/acme/app", "127.0.0.1:8000", "acme/app"),
        ("[::1]/app", "[::1]", "app"),
        ("[fd00::1]:5000/acme/app", "[fd00::1]:5000", "acme/app"),
        ("xn--7o8h.com/app", "xn--7o8h.com", "app"),
        ("docker---rules/dock__er.x-y", "docker.io", "docker---rules/dock__er.x-y"),
        ("ghcr.io:443/app", "ghcr.io:443", "app"),
        ("ghcr.io:0443/app", "ghcr.io:443", "app"),
    ] {
        let reference = reference(text);
        assert_eq!((reference.registry(), reference.repository()), (registry, repository), "{text}");
        assert_eq!(reference.name(), format!("{registry}/{repository}"));
        assert_eq!((reference.tag(), reference.digest()), (None, None));
        assert_eq!(reference.tag_or_latest(), "latest");
    }
}

#[test]
fn all_names_of_docker_hub_are_one() {
    for text in [
        "docker.io/library/alpine",
        "index.docker.io/alpine",
        "registry.hub.docker.com/library/alpine",
        "registry-1.docker.io/library/alpine",
        "docker.io:443/alpine",
        "DOCKER.IO/alpine",
    ] {
        assert_eq!(reference(text), reference("alpine"), "{text}");
    }
    let hub = reference("alpine");
    assert!(hub.is_hub());
    assert_eq!(hub.host_for_requests(), "registry-1.docker.io");
    assert_eq!(hub.canonical_name(), "docker.io/library/alpine");

    let elsewhere = reference("docker.io:5000/alpine");
    assert!(!elsewhere.is_hub());
    assert_eq!(elsewhere.host_for_requests(), "docker.io:5000");
    assert_eq!(elsewhere.repository(), "alpine");
}

#[test]
fn tag_and_digest_are_kept_as_written() {
    let digest = format!("sha256:{HEX}");
    for (text, tag, pinned) in [
        ("ghcr.io/acme/app:1.2".into(), Some("1.2"), None),
        (format!("ghcr.io/acme/app@{digest}"), None, Some(&digest)),
        (format!("ghcr.io/acme/app:__a--B..5__@{digest}"), Some("__a--B..5__"), Some(&digest)),
    ] {
        let reference = reference(&text);
        assert_eq!(reference.tag(), tag);
        assert_eq!(reference.digest().map(Digest::as_str), pinned.map(String::as_str));
        assert_eq!(reference.to_string(), text);
        assert_eq!(reference.digest_or_tag(), pinned.map_or(tag.unwrap_or_default(), String::as_str));
    }
    assert_eq!(reference("alpine").digest_or_tag(), "latest");
    // Docker takes these for an image and a tag, too.
    assert_eq!(reference("test.com:5000").to_string(), "docker.io/library/test.com:5000");
}

#[test]
fn an_image_can_be_pinned() {
    let digest = Digest::sha256(b"manifest");
    let pinned = reference("alpine:3.20").with_digest(&digest);
    assert_eq!(pinned.to_string(), format!("docker.io/library/alpine:3.20@{digest}"));
    assert_eq!(pinned.digest_or_tag(), digest.as_str());
}

#[test]
fn host_names_have_no_case() {
    assert_eq!(reference("GHCR.io/acme/app"), reference("ghcr.io/acme/app"));
    assert_eq!(reference("[FD00::A]/app").registry(), "[fd00::a]");
    // Only upper case makes Docker read a single word as a host.
    let word = reference("Registry/app:V1");
    assert_eq!((word.registry(), word.repository()), ("registry", "app"));
    assert_eq!(word.host_for_requests(), "registry");
    assert_eq!(word.to_string(), "REGISTRY/app:V1");
    assert_eq!(word.canonical_name(), "registry/app");
    assert_ne!(word, reference("registry/app:V1"));
}

#[test]
fn policies_see_one_spelling() {
    for (text, canonical) in [
        ("GHCR.io:443/acme/app:1", "ghcr.io/acme/app"),
        ("ghcr.io:8443/acme/app", "ghcr.io:8443/acme/app"),
        ("[FD00:0:0::1]:443/app", "[fd00::1]/app"),
        ("[0:0:0:0:0:0:0:1]:5000/app", "[::1]:5000/app"),
        ("INDEX.docker.io/alpine", "docker.io/library/alpine"),
    ] {
        assert_eq!(reference(text).canonical_name(), canonical);
    }
}

#[test]
fn a_problem_has_its_place() {
    use ReferenceProblem::*;
    let long_label = format!("{}.io/app", "a".repeat(251));
    let long_path = format!("ghcr.io/{}", "a".repeat(256));
    let long_official = "a".repeat(248);
    let long_tag = format!("app:{}", "a".repeat(129));
    for (text, problem, at) in [
        ("", Empty, 0),
        ("https://ghcr.io/acme/app", Scheme, 0),
        ("oci://ghcr.io/acme/app", Scheme, 0),
        (HEX, ImageId, 0),
        ("ghcr..io/app", HostLabel, 5),
        ("ghcr.io./app", HostLabel, 8),
        ("-ghcr.io/app", HostLabel, 0),
        ("ghcr-.io/app", HostLabel, 0),
        (":5000/app", HostLabel, 0),
        ("my_host:5000/app", HostCharacter('_'), 2),
        ("ghcr.io é/app", HostCharacter(' '), 7),
        ("É/app", HostCharacter('É'), 0),
        (long_label.as_str(), HostTooLong, 0),
        ("[1::2::3]/app", Ipv6, 0),
        ("[fe80::1%eth0]:5000/app", Ipv6, 0),
        ("[::ffff:127.0.0.1]/app", Ipv6, 0),
        ("[::1/app", Ipv6, 0),
        ("[::1]5000/app", Ipv6, 0),
        ("localhost:/app", Port, 10),
        ("localhost:v1/app", Port, 10),
        ("localhost:+80/app", Port, 10),
        ("localhost:0/app", Port, 10),
        ("localhost:65536/app", Port, 10),
        ("[::1]:x/app", Port, 6),
        ("fc00::1:5000/app", Port, 5),
        ("ghcr.io/", RepositoryEmpty, 8),
        ("ghcr.io/acme//app", RepositoryEmpty, 13),
        ("/app", RepositoryEmpty, 0),
        ("app/", RepositoryEmpty, 4),
        (":tag", RepositoryEmpty, 0),
        ("ghcr.io/acme/App", RepositoryUppercase('A'), 13),
        ("Alpine:3", RepositoryUppercase('A'), 0),
        ("acme/st*r", RepositoryCharacter('*'), 7),
        ("white space", RepositoryCharacter(' '), 5),
        ("app\n", RepositoryCharacter('\n'), 3),
        ("ghcr.io/acme/../x", RepositorySeparator, 13),
        ("acme/-app", RepositorySeparator, 5),
        ("acme/app-", RepositorySeparator, 8),
        ("acme/a___b", RepositorySeparator, 6),
        ("acme/a.-b", RepositorySeparator, 6),
        ("a..b", RepositorySeparator, 1),
        (long_path.as_str(), RepositoryTooLong, 8),
        (long_official.as_str(), RepositoryTooLong, 0),
        ("app:", TagEmpty, 4),
        ("app:.1", TagStart, 4),
        ("app:-1", TagStart, 4),
        ("app:a^b", TagCharacter('^'), 5),
        ("ghcr.io/app:v1/x", TagCharacter('/'), 14),
        ("app:é", TagCharacter('é'), 4),
        (long_tag.as_str(), TagTooLong, 132),
    ] {
        assert_eq!(refused(text), (problem, at), "{text}");
    }
}

#[test]
fn the_longest_names_are_accepted() {
    for text in [format!("ghcr.io/{}", "a".repeat(255)), "a".repeat(247), format!("app:{}", "a".repeat(128))] {
        assert!(text.parse::<Reference>().is_ok(), "{text}");
    }
    assert_eq!(reference("localhost:65535/app").registry(), "localhost:65535");
}

#[test]
fn a_digest_is_whole_and_alone() {
    let twice = format!("app@sha256:{HEX}@sha256:{HEX}");
    assert_eq!(refused(&twice), (ReferenceProblem::SeveralDigests, 75));
    for digest in ["", "sha256:b94d", &format!("sha256:{}", HEX.to_uppercase()), "md5:d41d8cd98f00b204e9800998ecf8427e"]
    {
        let (problem, at) = refused(&format!("app:1@{digest}"));
        assert_eq!(at, 6);
        assert_eq!(problem, ReferenceProblem::Digest(digest.parse::<Digest>().unwrap_err()));
    }
}

#[test]
fn common_mistakes_have_a_hint() {
    for (text, hint) in [
        ("https://ghcr.io/acme/app", "leave out the scheme"),
        ("ghcr.io/acme/App", "repository names are lower case"),
        ("app:1:sha256:abc", "a digest follows `@`"),
        (" app", "leave out the white space"),
        ("app:", "leave out the colon"),
        ("app@sha256:abc", "a digest is copied whole"),
        (HEX, "write REPOSITORY@sha256:DIGEST"),
        ("[::1]", "a registry alone is no image"),
    ] {
        let error = text.parse::<Reference>().unwrap_err();
        assert!(error.hint().is_some_and(|found| found.starts_with(hint)), "{text}: {:?}", error.hint());
    }
}

#[test]
fn messages_are_short_and_escaped() {
    let text = format!("\u{1b}[31m\u{202e}{}", "x".repeat(10_000));
    let message = text.parse::<Reference>().unwrap_err().to_string();
    assert!(message.starts_with(r"`\u{1b}[31m\u{202e}xxx"), "{message}");
    assert!(message.len() < 400, "{message}");
    assert!(!message.contains(['\u{1b}', '\u{202e}']), "{message}");
}

/// Texts that look like references, right and wrong.
fn nearly_a_reference() -> impl Strategy<Value = String> {
    let host = r"([a-zA-Z0-9.-]{1,8}|localhost|\[[0-9a-fA-F:.]{2,9}\]|docker\.io|index\.docker\.io)(:[0-9]{0,6})?/";
    let path = r"[a-z0-9A-Z]{1,3}([._/-]{1,2}[a-z0-9]{1,3}){0,3}";
    let digest = format!("(@sha256:{HEX}|@sha256:[0-9a-f]{{1,3}})");
    proptest::string::string_regex(&format!("({host})?{path}(:[a-zA-Z0-9_.-]{{0,5}})?{digest}?")).unwrap()
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(text in nearly_a_reference()) {
        if let Ok(reference) = text.parse::<Reference>() {
            prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference.clone()));
            let named = Reference::parse(&reference.name()).unwrap();
            prop_assert_eq!((named.registry(), named.repository()), (reference.registry(), reference.repository()));
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>(), near in nearly_a_reference(), at in any::<prop::sample::Index>()) {
        let mut mixed = near;
        let at = (0..=at.index(mixed.len() + 1)).rev().find(|&at| mixed.is_char_boundary(at)).unwrap_or_default();
        mixed.insert_str(at, &text);
        for text in [text, mixed] {
            match Reference::parse(&text) {
                Ok(reference) => prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference)),
                Err(error) => prop_assert!(text.is_char_boundary(error.at) && !error.to_string().is_empty()),
            }
        }
    }
}
