use proptest::prelude::*;

use super::*;

fn platform(text: &str) -> Platform {
    text.parse().unwrap()
}

fn problem(text: &str) -> PlatformProblem {
    text.parse::<Platform>().unwrap_err().problem
}

fn written(os: &str, architecture: &str, variant: &str) -> Platform {
    Platform { variant: Some(variant.into()), ..Platform::new(os, architecture) }
}

#[test]
fn names_are_normalised_as_containerd_does_it() {
    for (os, architecture, variant, expected) in [
        ("linux", "amd64", "", "linux/amd64"),
        ("linux", "amd64", "v1", "linux/amd64"),
        ("linux", "amd64", "v2", "linux/amd64/v2"),
        ("linux", "amd64", "v3", "linux/amd64/v3"),
        ("linux", "x86_64", "", "linux/amd64"),
        ("linux", "x86-64", "v1", "linux/amd64"),
        ("linux", "x86_64", "v3", "linux/amd64/v3"),
        ("linux", "i386", "", "linux/386"),
        ("linux", "386", "", "linux/386"),
        ("linux", "arm64", "", "linux/arm64"),
        ("linux", "arm64", "v8", "linux/arm64"),
        ("linux", "arm64", "8", "linux/arm64"),
        ("linux", "arm64", "v8.0", "linux/arm64"),
        ("linux", "aarch64", "", "linux/arm64"),
        ("linux", "aarch64", "V8", "linux/arm64"),
        ("linux", "aarch64", "v8.2", "linux/arm64/v8.2"),
        ("linux", "arm64", "v9", "linux/arm64/v9"),
        ("linux", "arm64", "9", "linux/arm64/v9"),
        ("linux", "arm", "", "linux/arm/v7"),
        ("linux", "arm", "7", "linux/arm/v7"),
        ("linux", "arm", "v7", "linux/arm/v7"),
        ("linux", "arm", "v6", "linux/arm/v6"),
        ("linux", "arm", "6", "linux/arm/v6"),
        ("linux", "arm", "5", "linux/arm/v5"),
        ("linux", "arm", "8", "linux/arm/v8"),
        ("linux", "armhf", "", "linux/arm/v7"),
        ("linux", "armel", "", "linux/arm/v6"),
        ("Linux", "AMD64", "", "linux/amd64"),
        ("macOS", "arm64", "", "darwin/arm64"),
        ("linux", "riscv64", "", "linux/riscv64"),
        ("wasip1", "wasm", "", "wasip1/wasm"),
    ] {
        let normalised = written(os, architecture, variant).normalised();
        assert_eq!(normalised.short(), expected, "{os}/{architecture}/{variant}");
        assert_eq!(normalised, platform(expected));
        assert_eq!(normalised.normalised(), normalised);
    }
}

#[test]
fn what_is_written_is_kept() {
    let written = written("Linux", "aarch64", "v8");
    assert_eq!(written.architecture, "aarch64");
    assert_ne!(written, written.normalised());
    assert_eq!(written.to_string(), "linux/arm64");
    assert_eq!(serde_json::to_string(&written).unwrap(), r#""linux/arm64""#);
}

#[test]
fn versions_and_features_tell_platforms_apart() {
    let build = platform("windows(10.0.20348.1)/amd64");
    assert_eq!(build.os_version.as_deref(), Some("10.0.20348.1"));
    assert_eq!(build.to_string(), "windows/amd64 (10.0.20348.1)");
    assert_eq!(build.short(), "windows/amd64");
    assert_ne!(build, platform("windows/amd64"));
    assert_eq!(platform("windows/amd64 (10.0.20348.1)"), build);

    let features = platform("windows(10.0.17763%2Bbuild.42+win32k+a)/amd64");
    assert_eq!(features.os_version.as_deref(), Some("10.0.17763+build.42"));
    assert_eq!(features.os_features, ["a", "win32k"]);
    assert_eq!(features.to_string(), "windows/amd64 (10.0.17763%2Bbuild.42+a+win32k)");
    assert_eq!(platform("linux(+gpu)/amd64").to_string(), "linux/amd64 (+gpu)");
    assert_eq!(platform("windows()/amd64"), platform("windows/amd64"));
}

#[test]
fn features_are_a_set() {
    let with = |features: &[&str]| Platform {
        os_features: features.iter().map(ToString::to_string).collect(),
        ..Platform::new("linux", "amd64")
    };
    assert_eq!(with(&["b", "a", "b"]).normalised(), with(&["a", "b"]));
}

#[test]
fn entries_that_no_runtime_selects_are_unknown() {
    assert!(platform("unknown/unknown").is_unknown());
    assert!(platform("linux/unknown").is_unknown());
    assert!(platform("unknown/amd64").is_unknown());
    assert!(!platform("linux/amd64").is_unknown());
}

#[test]
fn a_text_that_is_no_platform_is_told_why() {
    use PlatformProblem::{Character, Empty, Parentheses, Parts};
    for (text, expected) in [
        ("", Parts),
        ("linux", Parts),
        ("armhf", Parts),
        ("linux/arm/foo/bar", Parts),
        ("/linux/arm", Empty),
        ("linux/", Empty),
        ("linux/arm/", Empty),
        ("linux/&arm", Character('&')),
        ("linux/*", Character('*')),
        ("linux/amd64 ", Character(' ')),
        ("linux,amd64/x", Character(',')),
        ("windows(10/amd64", Parentheses),
        ("windows/amd64(10)/v1", Parentheses),
        ("windows(10)x/amd64", Parentheses),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
    let message = "\u{1b}[31m".parse::<Platform>().unwrap_err().to_string();
    assert!(message.is_ascii() && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn what_an_image_says_never_reaches_a_terminal_or_a_shell() {
    let hostile = Platform {
        os_version: Some("1) \u{202e}".into()),
        os_features: vec!["a+b".into()],
        ..written("linux;reboot", "amd\n64", "$(x)")
    };
    assert_eq!(hostile.short(), "linux%3Breboot/amd%0A64/%24%28x%29");
    assert_eq!(hostile.to_string(), "linux%3Breboot/amd%0A64/%24%28x%29 (1%29%20%E2%80%AE+a%2Bb)");
}

#[test]
fn patterns_match_normalised_platforms() {
    for (pattern, inside, outside) in [
        ("*", vec!["linux/amd64", "windows/arm64", "linux/arm/v5"], vec![]),
        ("linux/*", vec!["linux/amd64", "linux/arm64/v9", "linux/arm/v6"], vec!["windows/amd64"]),
        ("*/arm64", vec!["linux/arm64", "windows/arm64"], vec!["linux/arm64/v9", "linux/amd64"]),
        ("linux/arm64", vec!["linux/aarch64", "linux/arm64/v8"], vec!["linux/arm64/v9", "linux/arm"]),
        ("linux/arm64/v8", vec!["linux/arm64"], vec!["linux/arm64/v9"]),
        ("linux/arm", vec!["linux/arm/v7", "linux/armhf"], vec!["linux/arm/v6", "linux/arm64"]),
        ("linux/arm/*", vec!["linux/arm", "linux/arm/v5", "linux/armel"], vec!["linux/arm64"]),
        ("linux/amd64", vec!["linux/amd64/v1", "linux/x86_64"], vec!["linux/amd64/v2"]),
        ("Linux/x86_64/v2", vec!["linux/amd64/v2"], vec!["linux/amd64"]),
        ("windows/amd64", vec!["windows(10.0.17763)/amd64"], vec!["linux/amd64"]),
    ] {
        let pattern: PlatformPattern = pattern.parse().unwrap();
        for text in inside {
            assert!(pattern.matches(&platform(text)), "{pattern} {text}");
        }
        for text in outside {
            assert!(!pattern.matches(&platform(text)), "{pattern} {text}");
        }
    }
    let raw: PlatformPattern = "linux/arm".parse().unwrap();
    assert!(raw.matches(&Platform::new("linux", "arm")), "a platform need not be normalised before");
}

#[test]
fn patterns_show_what_they_match() {
    for (text, shown) in [
        ("*", "*"),
        ("*/*", "*"),
        ("*/*/*", "*"),
        ("linux/*", "linux/*"),
        ("linux/*/*", "linux/*"),
        ("*/arm64", "*/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/*", "linux/arm/*"),
        ("macos/arm64/v9", "darwin/arm64/v9"),
    ] {
        let pattern: PlatformPattern = text.parse().unwrap();
        assert_eq!(pattern.to_string(), shown);
        assert_eq!(shown.parse(), Ok(pattern));
    }
}

#[test]
fn a_pattern_without_a_star_is_one_platform() {
    let one = |text: &str| text.parse::<PlatformPattern>().unwrap().as_platform();
    assert_eq!(one("linux/arm"), Some(platform("linux/arm/v7")));
    for several in ["*", "linux/*", "*/amd64", "linux/arm/*"] {
        assert_eq!(one(several), None);
    }
}

#[test]
fn a_text_that_is_no_pattern_is_told_why() {
    use PlatformProblem::{Character, Empty, Parts, VariantOfAny};
    for (text, expected) in [
        ("", Parts),
        ("linux", Parts),
        ("linux/", Empty),
        ("linux/a*", Character('*')),
        ("linux/**", Character('*')),
        ("linux/*/v8", VariantOfAny),
        ("windows(10)/amd64", Character('(')),
    ] {
        assert_eq!(text.parse::<PlatformPattern>().unwrap_err().problem, expected, "{text}");
    }
}

#[test]
fn platforms_and_patterns_read_from_a_policy() {
    assert_eq!(serde_json::from_str::<Platform>(r#""linux/aarch64""#).unwrap(), platform("linux/arm64"));
    assert!(serde_json::from_str::<Platform>(r#""linux""#).is_err());
    let pattern: PlatformPattern = serde_json::from_str(r#""linux/*""#).unwrap();
    assert_eq!(serde_json::to_string(&pattern).unwrap(), r#""linux/*""#);
    assert!(serde_json::from_str::<PlatformPattern>(r#""linux""#).is_err());
}

proptest! {
    #[test]
    fn parsing_never_panics_and_what_is_shown_reads_back(
        text in r"\PC*|[a-zA-Z0-9*]{1,6}(\([a-z0-9.+%()]{0,6}\))?/[a-zA-Z0-9*]{1,6}(/[a-z0-9*]{1,3})?( ?\([a-z0-9.+%/]{0,6}\))?"
    ) {
        if let Ok(platform) = text.parse::<Platform>() {
            prop_assert_eq!(platform.to_string().parse(), Ok(platform));
        }
        if let Ok(pattern) = text.parse::<PlatformPattern>() {
            prop_assert_eq!(pattern.to_string().parse(), Ok(pattern));
        }
    }

    #[test]
    fn any_platform_is_shown_in_safe_characters(os in ".*", architecture in ".*", variant in ".*", version in ".*") {
        let platform = Platform { os_version: Some(version), ..written(&os, &architecture, &variant) };
        let safe = |c: char| c.is_ascii_alphanumeric() || "_.-/%".contains(c);
        prop_assert!(platform.short().chars().all(safe));
        prop_assert!(platform.to_string().chars().all(|c| safe(c) || " ()+".contains(c)));
    }
}
