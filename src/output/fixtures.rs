//! Reports made by hand.

use std::sync::Arc;

use crate::finding::NodeRole;
use crate::graph::{Cause, Why};
use crate::oci::{Digest, MediaType};
use crate::policy::{Level, PolicySource};
use crate::report::{
    Against, Cell, CellVerdict, Diagnostic, Excerpt, Fate, Fetched, ImageReport, InstanceNote, JudgedPlatform, Outcome,
    PolicyPlace, Reference, ReferencePolicy, Report, Run, SealedFinding, SealedLocation, TargetFailure, WaiverNote,
    WaiverUse,
};

pub(super) const CONFIG: &str = concat!(
    r#"{"architecture":"amd64","config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"],"Cmd":["/app"],"User":"0","#,
    r#""Labels":{"org.opencontainers.image.title":"app"}},"os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#
);
pub(super) const PLATFORMS: [&str; 3] = ["linux/amd64", "linux/arm64", "linux/arm/v7"];

const RULES: [(&str, &str, &str); 5] = [
    ("document", "document", "documents can be read in one way only"),
    ("labels", "labels", "the config has the labels that are asked for"),
    ("platforms", "platforms", "the image is there for the platforms that are asked for"),
    ("sbom", "sbom", "the image has a software bill of materials"),
    ("user", "user", "the image does not run as root"),
];

pub(super) fn digest(seed: &str) -> Digest {
    Digest::sha256(seed.as_bytes())
}

pub(super) fn place(line: usize, text: &str) -> PolicyPlace {
    PolicyPlace { file: "policies/strict.toml".to_owned(), line, column: 1, text: text.to_owned() }
}

pub(super) fn cell(rule: &str, level: Level, subject: &str, verdict: CellVerdict) -> Cell {
    let kind = RULES.iter().find(|(name, ..)| *name == rule).map_or("labels", |(_, kind, _)| *kind);
    Cell {
        rule: rule.to_owned(),
        kind,
        level,
        effective_from: None,
        subject: subject.to_owned(),
        verdict,
        reason: None,
        help: None,
        evidence: (verdict == CellVerdict::Pass).then(|| "it is there".to_owned()),
        waiver: None,
        findings: Vec::new(),
    }
}

pub(super) fn pass(rule: &str, subject: &str) -> Cell {
    cell(rule, Level::Error, subject, CellVerdict::Pass)
}

/// The image runs as root on a platform.
pub(super) fn root_user(subject: &str) -> Cell {
    let location = SealedLocation {
        node: NodeRole::Config,
        digest: Some(digest(subject)),
        platform: Some(subject.to_owned()),
        pointer: "/config/User".to_owned(),
        bytes: Some([100, 103]),
        excerpt: Excerpt::of(CONFIG.as_bytes(), "/config/User"),
    };
    let finding = SealedFinding {
        message: "the user is '0', which is root; wanted a user other than root".to_owned(),
        fix: "add `USER 65532` to the Dockerfile and rebuild:\ndocker buildx build --push -t ghcr.io/acme/app:1.2 ."
            .to_owned(),
        fingerprint: format!("v1:{}", &digest(&format!("user {subject}")).hex()[..16]),
        location,
        waiver: None,
        baselined: false,
        policy: Some(place(12, "[rules.user]")),
    };
    Cell { findings: vec![finding], ..cell("user", Level::Error, subject, CellVerdict::Violation) }
}

/// The image lacks a platform.
pub(super) fn lacks_platform(level: Level) -> Cell {
    let finding = SealedFinding {
        message: "there is no linux/s390x; the policy asks for it".to_owned(),
        fix: "docker buildx build --platform linux/amd64,linux/arm64,linux/s390x --push -t ghcr.io/acme/app:1.2 ."
            .to_owned(),
        fingerprint: "v1:00112233445566aa".to_owned(),
        location: SealedLocation {
            node: NodeRole::Index,
            digest: Some(digest("index")),
            platform: None,
            pointer: "/manifests".to_owned(),
            bytes: None,
            excerpt: None,
        },
        waiver: None,
        baselined: false,
        policy: Some(place(20, "require = [\"linux/amd64\", \"linux/arm64\", \"linux/s390x\"]")),
    };
    Cell { findings: vec![finding], ..cell("platforms", level, "root", CellVerdict::Violation) }
}

pub(super) fn forbidden() -> Why {
    Why::new(
        "reading the referrers of ghcr.io/acme/app",
        Cause::Forbidden { detail: "denied: requested access".to_owned() },
    )
}

pub(super) fn unknown(rule: &str, level: Level, subject: &str) -> Cell {
    let why = forbidden();
    Cell {
        reason: Some(why.to_string()),
        help: Some(why.help().to_owned()),
        ..cell(rule, level, subject, CellVerdict::Unknown)
    }
}

pub(super) fn waived(subject: &str) -> Cell {
    let waiver = WaiverNote {
        reason: "Rebuild planned, see issue 1234".to_owned(),
        expires: Some("2027-01-31".to_owned()),
        owner: None,
        link: None,
        place: place(40, "[[waivers]]"),
    };
    Cell { waiver: Some(waiver), verdict: CellVerdict::Waived, ..root_user(subject) }
}

pub(super) fn image(name: &str, mut cells: Vec<Cell>) -> ImageReport {
    cells.sort_by(|a, b| a.rule.cmp(&b.rule));
    let platform = |name: &&str| JudgedPlatform {
        platform: (*name).to_owned(),
        digest: Some(digest(&format!("manifest {name}"))),
    };
    ImageReport {
        target: name.to_owned(),
        name: Some(name.to_owned()),
        repository: Some(name.rsplit_once(':').map_or(name, |(name, _)| name).to_owned()),
        identity: name.rsplit_once(':').map_or(name, |(name, _)| name).to_owned(),
        digest: Some(digest("index")),
        kind: Some("index"),
        media_type: Some(MediaType::from("application/vnd.oci.image.index.v1+json")),
        platforms: PLATFORMS.iter().map(platform).collect(),
        error: None,
        cells,
        remarks: Vec::new(),
        waivers: WaiverUse::default(),
        fetched: Fetched { requests: 9, bytes: 24_301 },
        before: None,
    }
}

/// An image on which every rule passes.
pub(super) fn passing(name: &str) -> ImageReport {
    let each = |rule: &'static str| PLATFORMS.iter().map(move |platform| pass(rule, platform));
    image(name, each("user").chain(each("labels")).chain([pass("platforms", "root")]).collect())
}

/// A target that could not be judged.
pub(super) fn failed(name: &str, error: TargetFailure) -> ImageReport {
    let kept = ImageReport { error: Some(error), cells: Vec::new(), platforms: Vec::new(), ..image(name, Vec::new()) };
    ImageReport { digest: None, kind: None, media_type: None, ..kept }
}

pub(super) fn remark() -> Diagnostic {
    Diagnostic {
        level: Level::Warning,
        message: "the waiver for `labels` expired on 2026-10-31 and no longer counts".to_owned(),
        help: Some("renew or remove it".to_owned()),
        place: Some(place(44, "[[waivers]]")),
    }
}

pub(super) fn report(images: Vec<ImageReport>) -> Report {
    let instance =
        |(number, (name, rule, summary)): (usize, &(&'static str, &'static str, &'static str))| InstanceNote {
            name: (*name).to_owned(),
            rule,
            summary,
            docs: " Judges what it says.\n\n # Why\n\n Because.",
            level: Level::Error,
            help: (*name == "labels").then(|| "Ask the platform team.".to_owned()),
            url: (*name == "labels").then(|| "https://example.com/labels".to_owned()),
            place: (*name != "document").then(|| place(4 * number, "[rules.x]")),
        };
    let run = Run {
        observed_at: "2026-11-23T12:00:00Z".to_owned(),
        policies: vec![Arc::new(PolicySource {
            name: "policies/strict.toml".to_owned(),
            text: "[rules.user]\n".to_owned(),
            sha256: digest("policy").hex().to_owned(),
        })],
        fallback: false,
        is_present: true,
        remarks: Vec::new(),
        instances: RULES.iter().enumerate().map(instance).collect(),
        reference: None,
    };
    Report { run: Arc::new(run), images }
}

/// A run over snapshots: one image newly fails, one newly passes, one could be checked before, one is as it was, and of one
/// nothing is known.
pub(super) fn compared() -> Report {
    let outcome = |fate, failing: &[&str]| {
        let failing = failing.iter().map(ToString::to_string).collect();
        Some(Outcome { fate, failing, unknown: Vec::new() })
    };
    let failing = |name: &str| image(name, vec![root_user("linux/amd64")]);
    let unchecked = image("ghcr.io/acme/c:1", vec![unknown("sbom", Level::Error, "linux/arm64")]);
    let report = report(vec![
        ImageReport { before: outcome(Fate::Passed, &[]), ..failing("ghcr.io/acme/a:1") },
        ImageReport { before: outcome(Fate::Failed, &["labels"]), ..passing("ghcr.io/acme/b:1") },
        ImageReport { before: outcome(Fate::Passed, &[]), ..unchecked },
        ImageReport { before: outcome(Fate::Passed, &[]), ..passing("ghcr.io/acme/d:1") },
        failed("snapshot:e.snapshot", TargetFailure::Unread(forbidden())),
    ]);
    let policy = ReferencePolicy { source: "old.toml".to_owned(), sha256: digest("old").hex().to_owned() };
    let reference = Reference { against: Against::Record, policies: vec![policy] };
    Report { run: Arc::new(Run { reference: Some(reference), ..(*report.run).clone() }), ..report }
}

/// A run that has one of everything.
pub(super) fn everything() -> Report {
    let mut mixed = vec![lacks_platform(Level::Warning), waived("linux/s390x")];
    mixed.extend(PLATFORMS.iter().map(|platform| root_user(platform)));
    mixed.extend(PLATFORMS.iter().map(|platform| unknown("sbom", Level::Error, platform)));
    mixed.extend(PLATFORMS.iter().map(|platform| pass("labels", platform)));
    let usage = TargetFailure::Usage {
        message: "no rule of the policy is for this image".to_owned(),
        help: "widen the `images` of a rule, or leave the image out".to_owned(),
    };
    let mut report = report(vec![
        passing("ghcr.io/acme/base:1.0"),
        image("ghcr.io/acme/app:1.2", mixed),
        failed("ghcr.io/acme/secret:1", TargetFailure::Unread(forbidden())),
        failed("docker.io/library/alpine:latest", usage),
    ]);
    report.images[1].remarks.push(remark());
    report
}
