//! Configs, annotations, labels.

use super::{Probe, each};

pub(super) const PROBES: &[Probe] = &[
    Probe { rule: "user", parameters: "", meets: |labels| Some(!is_root(labels.optional("user")?)) },
    Probe {
        rule: "exposed-ports",
        parameters: "allow = [80]",
        meets: |labels| Some(labels.listed("exposed_ports")?.iter().all(|port| *port == "80/tcp")),
    },
    Probe {
        rule: "env",
        parameters: "require = ['PATH']",
        meets: |labels| Some(labels.listed("env_names")?.contains(&"PATH")),
    },
    Probe { rule: "healthcheck", parameters: "must-be = 'present'", meets: |labels| labels.flag("healthcheck") },
    Probe {
        rule: "secrets",
        parameters: "places = ['env']",
        // Names that promise nothing are no secret; what becomes of the others is for people to say.
        meets: |labels| {
            let promises = ["PASS", "PWD", "SECRET", "TOKEN", "KEY", "AUTH", "CRED", "URL", "DSN"];
            let names = labels.listed("env_names")?;
            (!names.iter().any(|name| promises.iter().any(|it| name.to_uppercase().contains(it)))).then_some(true)
        },
    },
    Probe {
        rule: "entrypoint",
        parameters: "form = 'exec'",
        meets: |labels| {
            each(labels, |platform| {
                let words = |name: &str| platform.member(name).as_array().cloned().unwrap_or_default();
                let (entrypoint, command) = (words("Entrypoint"), words("Cmd"));
                let is_shell =
                    |words: &[serde_json::Value]| words.len() > 1 && words[0] == "/bin/sh" && words[1] == "-c";
                let says_nothing = entrypoint.is_empty() && command.is_empty();
                !(says_nothing || is_shell(&entrypoint) || is_shell(&command))
            })
        },
    },
    Probe {
        rule: "workdir",
        parameters: "deny = ['/']",
        meets: |labels| each(labels, |platform| !["", "/"].contains(&platform.text("WorkingDir"))),
    },
    Probe {
        rule: "volumes",
        parameters: "deny = ['**']",
        meets: |labels| {
            each(labels, |platform| platform.member("Volumes").as_object().is_none_or(serde_json::Map::is_empty))
        },
    },
    Probe {
        rule: "stop-signal",
        parameters: "allow = ['SIGTERM']",
        meets: |labels| each(labels, |platform| ["", "SIGTERM", "15"].contains(&platform.text("StopSignal"))),
    },
    Probe {
        rule: "labels",
        parameters: "require = ['maintainer']",
        meets: |labels| Some(labels.listed("labels")?.contains(&"maintainer")),
    },
    Probe {
        rule: "annotations",
        parameters: "require = ['org.opencontainers.image.title']\non = ['manifest']",
        meets: |labels| Some(labels.list("annotations")?.contains(&"org.opencontainers.image.title")),
    },
    Probe {
        rule: "created",
        parameters: "max-age = '1461d'",
        meets: |labels| {
            let created = labels.text("created")?;
            // Four years before the clock of the test; 1980 and before stand for no date.
            (created > "1981").then(|| created > "2022-11-24")
        },
    },
    Probe {
        rule: "history",
        parameters: "deny = ['dist-upgrade']",
        meets: |labels| no_finding(labels, "AvoidDistUpgrade"),
    },
    Probe { rule: "history", parameters: "deny = ['sudo']", meets: |labels| no_finding(labels, "AvoidSudo") },
    Probe {
        rule: "history",
        parameters: "deny = ['apk-cache-left']",
        meets: |labels| no_finding(labels, "UseApkAddNoCache"),
    },
    Probe {
        rule: "history",
        parameters: "deny = ['apt-cache-left']",
        meets: |labels| no_finding(labels, "MinimizeAptGet"),
    },
    Probe {
        rule: "field",
        parameters: "of = 'config'\npointer = '/architecture'\nequals = 'amd64'",
        meets: |labels| Some(labels.text("platform")?.split('/').nth(1)? == "amd64"),
    },
    Probe {
        rule: "field",
        parameters: "of = 'manifest'\npath = '$.layers[*].size'\nmax = 2097152",
        // Where there is nothing, nothing meets it.
        meets: |labels| {
            each(labels, |platform| {
                let sizes = platform.layers().into_iter().map(|layer| layer["size"].as_u64());
                sizes.clone().count() > 0 && sizes.into_iter().all(|size| size <= Some(2 << 20))
            })
        },
    },
];

/// Whether dockle finds nothing of a kind.
fn no_finding(labels: &crate::labels::Labels, kind: &str) -> Option<bool> {
    let findings = labels.upstream("dockle_findings")?.as_array()?;
    Some(!findings.iter().any(|finding| finding == kind))
}

fn is_root(user: Option<&str>) -> bool {
    let name = user.unwrap_or_default().split(':').next().unwrap_or_default();
    name.is_empty() || name == "root" || name.parse() == Ok(0)
}
