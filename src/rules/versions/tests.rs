use proptest::prelude::*;

use super::*;

const ALL: [Scheme; 9] = [
    Scheme::Apk,
    Scheme::Deb,
    Scheme::Gem,
    Scheme::Go,
    Scheme::Maven,
    Scheme::NuGet,
    Scheme::Python,
    Scheme::Rpm,
    Scheme::Semver,
];

/// Each is before the next, as the ecosystem's own tool has it.
#[test]
fn versions_are_ordered_as_their_ecosystem_orders_them() {
    let ordered: [(Scheme, &[&str]); 9] = [
        (
            Scheme::Deb,
            &[
                "1.0~~",
                "1.0~~a",
                "1.0~",
                "1.0~rc1",
                "1.0",
                "1.0-1",
                "1.0-1+b1",
                "1.0a",
                "1.0+dfsg",
                "1.0.1",
                "1.2",
                "1.10",
                "3.0.11-1~deb12u2",
                "3.0.11-1",
                "1:0.1",
                "2:0",
            ],
        ),
        (
            Scheme::Rpm,
            &["1.0~rc1", "1.0", "1.0^git1", "1.0.1", "1.0.1-1", "1.0.1-1.el9", "1.0.1-10.el9", "1.1", "1.10", "1:0.5"],
        ),
        (
            Scheme::Apk,
            &[
                "1.2_alpha",
                "1.2_alpha1",
                "1.2_rc1",
                "1.2",
                "1.2-r0",
                "1.2-r1",
                "1.2-r10",
                "1.2_git20200101",
                "1.2_p1",
                "1.2a",
                "1.2.0",
                "1.2.1_rc2",
                "1.2.1",
                "1.2.10",
                "1.10",
                "3.1.4-r5",
            ],
        ),
        (
            Scheme::Semver,
            &[
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1",
                "1.0.1",
                "1.2",
                "2.0.0",
            ],
        ),
        (Scheme::Go, &["v0.0.0-20230516145632-8ccac152c651", "v1.2.3-rc.1", "1.2.3", "v1.21", "v2.0.0+incompatible"]),
        (
            Scheme::Python,
            &["1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0+local", "1.0.post1", "1.1", "1.10", "1!0.1"],
        ),
        (
            Scheme::Maven,
            &[
                "1-alpha-1",
                "1-alpha2",
                "1-beta-2",
                "1-milestone3",
                "1-rc",
                "1-SNAPSHOT",
                "1",
                "1-sp",
                "1-abc",
                "1-1",
                "1.1-rc1",
                "1.1",
                "2.9",
                "2.10",
                "2.17.1",
            ],
        ),
        (Scheme::Gem, &["1.0.a", "1.0.a.2", "1.0.0.pre.1", "1.0", "1.0.1", "1.9.3", "1.10", "2.0.0.rc1", "2"]),
        (Scheme::NuGet, &["1.0.0-alpha", "1.0.0-Beta", "1.0", "1.0.0.1", "1.2", "1.10.0", "13.0.3"]),
    ];
    for (scheme, versions) in ordered {
        for (position, left) in versions.iter().enumerate() {
            for (other, right) in versions.iter().enumerate() {
                assert_eq!(scheme.compare(left, right), Some(position.cmp(&other)), "{scheme:?}: {left} and {right}");
            }
        }
    }
}

#[test]
fn what_is_written_differently_may_be_the_same() {
    for (scheme, left, right) in [
        (Scheme::Deb, "0:1.0-0", "1.0"),
        (Scheme::Deb, "1.01", "1.1"),
        (Scheme::Rpm, "0:1.0", "1.0"),
        (Scheme::Maven, "1.0.0-ga", "1"),
        (Scheme::Maven, "1.0-RC1", "1-cr1"),
        (Scheme::Maven, "1.0a1", "1-alpha-1"),
        (Scheme::Gem, "1.0.0", "1"),
        (Scheme::Semver, "1.0.0+build1", "1.0.0"),
        (Scheme::Go, "v1.2.0", "1.2"),
        (Scheme::NuGet, "1.0.0.0-RC", "1.0-rc"),
        (Scheme::Python, "1.0", "1.0.0"),
        (Scheme::Python, "1.0-rc.1", "1.0rc1"),
    ] {
        assert_eq!(scheme.compare(left, right), Some(Ordering::Equal), "{scheme:?}: {left} and {right}");
    }
}

#[test]
fn what_is_no_version_has_no_order() {
    for (scheme, text) in [
        (Scheme::Deb, "a:1"),
        (Scheme::Deb, "1.0 beta"),
        (Scheme::Deb, "-1"),
        (Scheme::Rpm, "x:1"),
        (Scheme::Rpm, "-1"),
        (Scheme::Apk, "edge"),
        (Scheme::Apk, "1.2_foo"),
        (Scheme::Apk, "1.2-rx"),
        (Scheme::Semver, "latest"),
        (Scheme::Semver, "^1.2.3"),
        (Scheme::Semver, "v1.2.3"),
        (Scheme::Go, "(devel)"),
        (Scheme::Python, "1.0-whatever-else"),
        (Scheme::Maven, "${project.version}"),
        (Scheme::Gem, "beta"),
        (Scheme::NuGet, "1.2.3.4.5"),
    ] {
        assert_eq!(scheme.compare(text, text), None, "{scheme:?}: {text}");
    }
    for scheme in ALL {
        assert_eq!(scheme.compare("", "1"), None);
        assert_eq!(scheme.compare("1", "é"), None);
        assert_eq!(scheme.compare("1", &"1".repeat(257)), None);
    }
}

#[test]
fn a_range_holds_what_lies_within_its_bounds() {
    let range = Range::new(Scheme::Deb, ">=3.0.0, <3.0.11 || =1.1.1n-0 || >4, !=4.1").unwrap();
    for (version, expected) in [
        ("3.0.11-1", Some(false)),
        ("3.0.10-1", Some(true)),
        ("3.0.0", Some(true)),
        ("2.9", Some(false)),
        ("1.1.1n-0", Some(true)),
        ("4.1", Some(false)),
        ("4.2", Some(true)),
        ("none of it", None),
    ] {
        assert_eq!(range.contains(version), expected, "{version}");
    }
    for wrong in ["", "3.0", "<", "<3,", "<3 || ", "~>1.0", "==1.0 2"] {
        assert!(Range::new(Scheme::Deb, wrong).is_err(), "{wrong}");
    }
    let boundaries = [("<2", [true, false, false]), ("<=2", [true, true, false]), (">2", [false, false, true])];
    let others = [(">=2", [false, true, true]), ("=2", [false, true, false]), ("!=2", [true, false, true])];
    for (text, expected) in boundaries.into_iter().chain(others) {
        let range = Range::new(Scheme::Semver, text).unwrap();
        assert_eq!(["1.9.9", "2.0.0", "2.0.1"].map(|version| range.contains(version).unwrap()), expected, "{text}");
    }
}

#[test]
fn a_build_of_a_python_version_is_that_version() {
    for (range, version, expected) in [
        ("<=2.0.0", "2.0.0+cu117", Some(true)),
        ("=2.0.0", "2.0.0+cu117", Some(true)),
        (">2.0.0", "2.0.0+cu117", Some(false)),
        ("=2.0.0+cu118", "2.0.0+cu117", Some(false)),
        ("<=2.0.0", "2.0.0+", None),
        ("<=2.0.0", "2.0.0+a b", None),
    ] {
        assert_eq!(Range::new(Scheme::Python, range).unwrap().contains(version), expected, "{range}: {version}");
    }
}

proptest! {
    /// The order is one: the other way round it is the reverse, and what is between is between.
    #[test]
    fn every_order_is_an_order(
        scheme in 0..ALL.len(),
        versions in prop::array::uniform3("[0-9]{1,2}([.~_+-]?(0|1|10|a|rc|p|r|alpha|x|:|pre)){0,5}"),
    ) {
        let scheme = ALL[scheme];
        let [a, b, c] = &versions;
        let (Some(ab), Some(bc), Some(ac)) = (scheme.compare(a, b), scheme.compare(b, c), scheme.compare(a, c)) else {
            return Ok(());
        };
        prop_assert_eq!(scheme.compare(b, a), Some(ab.reverse()), "{:?}: {} {}", scheme, a, b);
        if ab == bc {
            prop_assert_eq!(ab, ac, "{:?}: {} {} {}", scheme, a, b, c);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(left in ".{0,60}", right in "[ -~]{0,60}") {
        for scheme in ALL {
            let _ = scheme.compare(&left, &right);
            let _ = Range::new(scheme, &right);
        }
    }
}
