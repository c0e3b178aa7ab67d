use super::config_part::ConfigPart;
use super::prelude::*;

declare_rule! {
    /// What an index declares of a platform agrees with the image's own config.
    ///
    /// # What it checks
    ///
    /// That the os and the architecture of an index entry equal those in the config of the image it names, and the variant as well
    /// where both state one. Names are compared as containerd compares them (`x86_64` is `amd64`, `arm64/v8` is `arm64`).
    /// `os.version` and `os.features` are not compared. An entry that declares a platform and leads to no image violates the rule too,
    /// except for WebAssembly, which has configs of its own.
    ///
    /// # Why
    ///
    /// A runtime selects by the index and runs what it finds. An entry for `linux/arm64` that holds an amd64 image starts with
    /// `exec format error`, and scanners that read the config judge it for the wrong architecture. It happens when an image is
    /// cross-built without `--platform`, or put into an index by hand.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.platform-agreement]
    /// level = "error"
    /// ```
    ///
    /// # Parameters
    ///
    /// None.
    ///
    /// # How to fix
    ///
    /// Build the platform again, and compile for it: in a Dockerfile `ARG TARGETOS TARGETARCH` say what for.
    ///
    /// ```sh
    /// docker buildx build --platform linux/amd64,linux/arm64 --output type=registry -t IMAGE .
    /// ```
    ///
    /// Where the image is right and the index wrong, make the index again from the images' digests:
    /// `docker buildx imagetools create -t IMAGE IMAGE@sha256:… IMAGE@sha256:…`.
    ///
    /// # What it cannot see
    ///
    /// What the programs in the layers were compiled for. Index and config may agree and both be wrong.
    PlatformAgreement: "platform-agreement"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct PlatformAgreement {}

impl Check for PlatformAgreement {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let Some(declared) = &entry.descriptor.platform else {
            return Ok(Verdict::Pass("no platform is declared besides the config's own".to_owned()));
        };
        let read = match ConfigPart::read(entry, view, &[]) {
            Err(Stop::NotApplicable(reason)) if !is_wasm(declared) => return no_image(entry, &reason, view),
            read => read?,
        };
        let missing = || Why::undecidable("comparing the platform", "the config names no os or no architecture");
        let stated = read.config.platform().ok_or_else(missing)?;
        let mut findings = Findings::new();
        for (field, declared, stated) in differences(declared, &stated) {
            let message = format!(
                "the index declares {field} '{}', the config says '{}'",
                ImageText(&declared),
                ImageText(&stated)
            );
            findings.add_keyed(message, read.at(format!("/{field}")), fix(view), field);
        }
        findings.verdict(|| format!("index and config agree on {}", declared.short()))
    }
}

/// A WebAssembly module is declared like a platform, and run, and has a config of its own.
fn is_wasm(declared: &Platform) -> bool {
    declared.architecture == "wasm" || declared.os.starts_with("wasi")
}

/// A runtime selects the entry by what it declares, and cannot run what it finds.
fn no_image(entry: &Entry, reason: &str, view: &View<'_>) -> Fact<Verdict> {
    let mut findings = Findings::new();
    let message = format!("the index declares {}, and the manifest is no image: {}", entry.label, ImageText(reason));
    findings.add_keyed(message, Location::entry(entry), fix(view), "no image");
    findings.verdict(String::new)
}

/// Where two platforms differ: the field, and what either says.
fn differences(declared: &Platform, stated: &Platform) -> Vec<(&'static str, String, String)> {
    let both = declared.variant.is_some() && stated.variant.is_some();
    let (declared, stated) = (declared.normalised(), stated.normalised());
    let text = |variant: Option<String>| variant.unwrap_or_else(|| "(default)".to_owned());
    let variants = both.then(|| ("variant", text(declared.variant), text(stated.variant)));
    let names = [("os", declared.os, stated.os), ("architecture", declared.architecture, stated.architecture)];
    names.into_iter().chain(variants).filter(|(_, declared, stated)| declared != stated).collect()
}

fn fix(view: &View<'_>) -> Fix {
    Fix::new("compile for the platform that is built (`ARG TARGETOS TARGETARCH`), and build again:")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(os: &str, architecture: &str, variant: Option<&str>) -> Platform {
        Platform { variant: variant.map(Into::into), ..Platform::new(os, architecture) }
    }

    fn fields(declared: &Platform, stated: &Platform) -> Vec<&'static str> {
        differences(declared, stated).into_iter().map(|(field, ..)| field).collect()
    }

    #[test]
    fn names_are_compared_as_runtimes_do() {
        let arm64 = platform("linux", "arm64", Some("v8"));
        assert_eq!(fields(&arm64, &platform("linux", "aarch64", None)), [""; 0]);
        assert_eq!(fields(&arm64, &platform("linux", "arm64", Some("8"))), [""; 0]);
        assert_eq!(fields(&arm64, &platform("linux", "amd64", None)), ["architecture"]);
        assert_eq!(fields(&arm64, &platform("windows", "amd64", None)), ["os", "architecture"]);
    }

    #[test]
    fn a_variant_counts_only_where_both_state_one() {
        let v6 = platform("linux", "arm", Some("v6"));
        assert_eq!(fields(&v6, &platform("linux", "arm", None)), [""; 0]);
        assert_eq!(fields(&v6, &platform("linux", "arm", Some("v7"))), ["variant"]);
    }
}
