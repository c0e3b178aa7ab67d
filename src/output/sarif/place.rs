//! Where results are shown: files of the repository, as relative URIs.

use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::model::{ArtifactLocation, PhysicalLocation, Region};
use crate::report::PolicyPlace;

/// What stays as it is in a segment of a path (RFC 3986, unreserved characters).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The directory under which policies are shown that are no files of the repository.
const ELSEWHERE: &str = "ocilint-policies";
/// How large a file may be for its lines to be looked at, in bytes.
const READ: u64 = 4 << 20;

/// What SARIF wants to know besides the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SarifOptions {
    /// The root of the repository, which all URIs are relative to.
    pub root: PathBuf,
    /// The directory that relative names of files are relative to.
    pub cwd: PathBuf,
    /// Where to show all results (`--location FILE[:LINE]`): a Dockerfile, a deployment.
    pub location: Option<Place>,
    /// Tells several runs over one repository apart, in code scanning.
    pub category: Option<String>,
}

/// `FILE[:LINE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<usize>,
}

impl Place {
    /// Reads `FILE[:LINE]`: a number after the last colon is the line.
    pub fn parse(text: &str) -> Self {
        let split =
            text.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok().filter(|line| *line > 0)?)));
        match split {
            Some((file, line)) if !file.is_empty() => Self { file: PathBuf::from(file), line: Some(line) },
            _ => Self { file: PathBuf::from(text), line: None },
        }
    }
}

/// The root of the repository: what the user says, what the CI system says, the nearest directory with `.git`, else `cwd`.
pub fn repository_root(said: Option<&Path>, cwd: &Path, environment: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    if let Some(said) = said {
        return cwd.join(said);
    }
    let variables = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY"];
    let workspace = variables.iter().find_map(|name| environment(name).filter(|value| !value.is_empty()));
    let nearest = || cwd.ancestors().find(|directory| directory.join(".git").exists()).map(Path::to_owned);
    workspace.map(PathBuf::from).or_else(nearest).unwrap_or_else(|| cwd.to_owned())
}

/// Turns names of files into locations.
pub(super) struct Places {
    cwd: PathBuf,
    root: PathBuf,
    /// Where all results are shown, if the user says so.
    said: Option<PhysicalLocation>,
    /// Where results of rules are shown that no policy names.
    unnamed: PhysicalLocation,
}

impl Places {
    /// `policy` is the name of the first policy file.
    pub(super) fn new(options: &SarifOptions, policy: Option<&str>) -> Self {
        let root = real(&options.root);
        let start = location(format!("{ELSEWHERE}/ocilint.toml"), 1, 1, 2);
        let mut places = Self { cwd: options.cwd.clone(), root, said: None, unnamed: start };
        places.said = options.location.as_ref().and_then(|place| places.said(place));
        if let Some(policy) = policy {
            places.unnamed = location(places.policy_uri(policy), 1, 1, 2);
        }
        places
    }

    /// Where a result is shown.
    pub(super) fn primary(&self, policy: Option<&PolicyPlace>) -> PhysicalLocation {
        self.said.clone().or_else(|| policy.map(|place| self.policy(place))).unwrap_or_else(|| self.unnamed.clone())
    }

    /// The line of a policy.
    pub(super) fn policy(&self, place: &PolicyPlace) -> PhysicalLocation {
        let text = place.text.trim_end();
        let end = text.chars().count().max(place.column) + 1;
        location(self.policy_uri(&place.file), place.line, place.column, end)
    }

    fn policy_uri(&self, file: &str) -> String {
        if let Some(pack) = file.strip_prefix("ocilint:") {
            return format!("{ELSEWHERE}/{}.toml", segment(pack.as_bytes()));
        }
        self.uri(Path::new(file)).unwrap_or_else(|| {
            let name = Path::new(file).file_name().unwrap_or_default();
            format!("{ELSEWHERE}/{}", segment(name.as_encoded_bytes()))
        })
    }

    fn said(&self, place: &Place) -> Option<PhysicalLocation> {
        let uri = self.uri(&place.file)?;
        let line = place.line.unwrap_or(1);
        let length = line_length(&self.cwd.join(&place.file), line).unwrap_or(1);
        Some(location(uri, line, 1, length.max(1) + 1))
    }

    /// The URI of a file of the repository; `None` of any other.
    fn uri(&self, file: &Path) -> Option<String> {
        let path = real(&self.cwd.join(file));
        let relative = path.strip_prefix(&self.root).ok()?;
        let names = relative.components().map(|component| match component {
            Component::Normal(name) => Some(segment(name.as_encoded_bytes())),
            _ => None,
        });
        let uri = names.collect::<Option<Vec<_>>>()?.join("/");
        (!uri.is_empty()).then_some(uri)
    }
}

fn location(uri: String, line: usize, start: usize, end: usize) -> PhysicalLocation {
    PhysicalLocation {
        artifact_location: ArtifactLocation { uri, uri_base_id: super::ROOT },
        region: Region { start_line: line, start_column: start, end_line: line, end_column: end },
    }
}

fn segment(name: &[u8]) -> String {
    percent_encode(name, SEGMENT).to_string()
}

/// The path behind links, which viewers do not follow; of a file that is not there, the path without `.` and `..`.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        let mut plain = PathBuf::new();
        for component in path.components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => {
                    plain.pop();
                }
                other => plain.push(other),
            }
        }
        // The directory may be there, and lead elsewhere, although the file is not.
        match (plain.parent().and_then(|parent| fs::canonicalize(parent).ok()), plain.file_name()) {
            (Some(parent), Some(name)) => parent.join(name),
            _ => plain,
        }
    })
}

fn line_length(file: &Path, line: usize) -> Option<usize> {
    let about = fs::metadata(file).ok().filter(|about| about.is_file() && about.len() <= READ);
    let text = about.and_then(|_| fs::read_to_string(file).ok())?;
    text.lines().nth(line - 1).map(|line| line.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> (tempfile::TempDir, SarifOptions) {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("deploy dir")).unwrap();
        fs::write(directory.path().join("deploy dir/a:b.yaml"), "kind: Pod\nimage: x\n").unwrap();
        let root = directory.path().to_owned();
        let cwd = root.join("deploy dir");
        (directory, SarifOptions { root, cwd, ..SarifOptions::default() })
    }

    fn policy(file: &str) -> PolicyPlace {
        PolicyPlace { file: file.to_owned(), line: 3, column: 2, text: " [rules.user]  ".to_owned() }
    }

    #[test]
    fn uris_are_relative_to_the_root_and_encoded() {
        let (_directory, options) = repository();
        let places = Places::new(&options, None);
        let uri = |file: &str| places.policy(&policy(file)).artifact_location.uri;
        assert_eq!(uri("a:b.yaml"), "deploy%20dir/a%3Ab.yaml");
        assert_eq!(uri("../strict.toml"), "strict.toml");
        assert_eq!(uri("./x/../../strict.toml"), "strict.toml");
        assert_eq!(uri("../../outside.toml"), "ocilint-policies/outside.toml");
        assert_eq!(uri("/etc/ocilint/strict.toml"), "ocilint-policies/strict.toml");
        assert_eq!(uri("ocilint:baseline"), "ocilint-policies/baseline.toml");
        let region = places.policy(&policy("x")).region;
        assert_eq!((region.start_line, region.start_column, region.end_column), (3, 2, 14));
    }

    #[test]
    fn what_the_user_says_comes_first() {
        let (_directory, options) = repository();
        let said = |text: &str| {
            let options = SarifOptions { location: Some(Place::parse(text)), ..options.clone() };
            let place = Places::new(&options, Some("ocilint:strict")).primary(None);
            (place.artifact_location.uri, place.region.start_line, place.region.end_column)
        };
        assert_eq!(said("a:b.yaml:2"), ("deploy%20dir/a%3Ab.yaml".to_owned(), 2, 9));
        assert_eq!(said("Dockerfile"), ("deploy%20dir/Dockerfile".to_owned(), 1, 2));
        assert_eq!(said("/etc/passwd:7"), ("ocilint-policies/strict.toml".to_owned(), 1, 2));
    }

    #[test]
    fn the_root_is_what_the_user_or_the_ci_system_says() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let none = |_: &str| None;
        assert_eq!(repository_root(None, &inner, none), inner);
        fs::create_dir(directory.path().join(".git")).unwrap();
        assert_eq!(repository_root(None, &inner, none), directory.path());
        let gitlab = |name: &str| (name == "CI_PROJECT_DIR").then(|| OsString::from("/builds/x"));
        assert_eq!(repository_root(None, &inner, gitlab), Path::new("/builds/x"));
        let empty = |name: &str| (name == "GITHUB_WORKSPACE").then(OsString::new);
        assert_eq!(repository_root(None, &inner, empty), directory.path());
        assert_eq!(repository_root(Some(Path::new("..")), &inner, gitlab), inner.join(".."));
    }

    #[test]
    fn places_may_have_a_line() {
        let place = Place::parse;
        assert_eq!(place("a/Dockerfile:12"), Place { file: "a/Dockerfile".into(), line: Some(12) });
        assert_eq!(place("a:b"), Place { file: "a:b".into(), line: None });
        assert_eq!(place("a:0"), Place { file: "a:0".into(), line: None });
        assert_eq!(place(":3"), Place { file: ":3".into(), line: None });
    }
}
