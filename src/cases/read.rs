//! Reading case files: strict, every mistake at its place and all of them at once.

mod raw;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::build::Image;
use super::expect::Expectation;
use super::format::{Case, CaseImage, CasePolicy, PolicyText, Suite, Written};
use super::source::{CAUSES, cause};
use crate::graph::Cause;
use crate::judge::Options;
use crate::oci::{Platform, Reference};
use crate::policy::strict::{self, Span, Strict, kind, place_of};
use crate::policy::{self, PolicyErrors, TESTS};
use crate::target::{Target, TargetKind};

use raw::{RawCase, RawFile, RawImage};

/// What an inline image is called if the case does not say.
const TARGET: &str = "registry.example/app:1.0";
/// Size beyond which a file is refused, in bytes.
const FILE_SIZE: u64 = 10 << 20;
const HELP: &str = "`ocilint policy test --help` shows the format";
const CASES: &str = "each case begins with `[[case]]`, in double brackets";

impl Suite {
    /// Reads a file of cases. `NAME.test.toml` tests the policy `NAME.toml` beside it, where it names none itself.
    pub fn read(path: &Path) -> Result<Self, PolicyErrors> {
        let file = path.to_string_lossy().into_owned();
        let text = text_of(path).map_err(|(message, help)| {
            PolicyErrors(vec![strict::nowhere(&format!("cannot read the tests in `{file}`: {message}"), help)])
        })?;
        Self::make(&file, &text, path.parent().unwrap_or(Path::new("")), neighbour(path).as_deref())
    }

    /// Reads cases from text, which is shown as `file`; paths in it are seen from `directory`.
    pub fn parse(file: &str, text: &str, directory: &Path) -> Result<Self, PolicyErrors> {
        Self::make(file, text, directory, None)
    }

    fn make(file: &str, text: &str, directory: &Path, neighbour: Option<&Path>) -> Result<Self, PolicyErrors> {
        strict::read(file, text, |table, strict| {
            let (policies, names) = (BTreeMap::new(), BTreeMap::new());
            let mut reader = Reader { directory, neighbour, strict, policies, names, counted: (0, 1), is_sound: true };
            reader.suite(file, table)
        })
    }
}

/// The policy that a file of tests is beside.
fn neighbour(path: &Path) -> Option<std::path::PathBuf> {
    let name = path.file_name()?.to_str()?.strip_suffix(TESTS)?;
    Some(path.with_file_name(format!("{name}.toml")))
}

fn text_of(path: &Path) -> Result<String, (String, Option<&'static str>)> {
    let unread = |error: io::Error| (error.to_string(), None);
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_SIZE + 1).read_to_end(&mut bytes)).map_err(unread)?;
    if bytes.len() as u64 > FILE_SIZE {
        return Err(("it is larger than 10 MiB".to_owned(), Some("split it into several files")));
    }
    let text = String::from_utf8(bytes);
    text.map_err(|_| ("it is not UTF-8".to_owned(), Some("save the file as UTF-8")))
}

struct Reader<'r> {
    directory: &'r Path,
    /// The policy that the file tests if it names none.
    neighbour: Option<&'r Path>,
    strict: &'r mut Strict,
    /// The policies met so far: what several cases share is loaded once.
    policies: BTreeMap<PolicyText, Arc<CasePolicy>>,
    /// The names of the cases so far, and where they are.
    names: BTreeMap<String, Span>,
    /// A position and the number of its line, from which the next one is counted.
    counted: (usize, usize),
    /// Whether nothing is wrong above the cases.
    is_sound: bool,
}

impl Reader<'_> {
    fn suite(&mut self, file: &str, mut table: DeTable<'_>) -> Option<Suite> {
        if table.contains_key("rules") && !table.contains_key("case") {
            let help =
                "the tests of `production.toml` are in `production.test.toml`; `ocilint policy check` checks policies";
            self.strict.tell_whole("this is a policy, not a file of tests", help);
            return None;
        }
        let entry = table.remove("case");
        let raw: RawFile = self.strict.fill("a file of tests", &(0..0), &table, CASES)?;
        let span = place_of(&table, &["policy"]).or_else(|| place_of(&table, &["policy-file"])).unwrap_or(0..0);
        let shared = self.policy(raw.policy, raw.policy_file, span).or_else(|| self.default_policy());
        self.is_sound = self.strict.count() == 0;
        let mut cases = Vec::new();
        for (span, table) in self.tables(entry) {
            cases.extend(self.case(span, &table, shared.as_ref()));
        }
        Some(Suite { file: file.to_owned(), cases })
    }

    /// The tables of the cases.
    fn tables<'a>(&mut self, entry: Option<Spanned<DeValue<'a>>>) -> Vec<(Span, DeTable<'a>)> {
        let mut tables = Vec::new();
        match entry.map(|entry| (entry.span(), entry.into_inner())) {
            Some((_, DeValue::Array(array))) if !array.is_empty() => {
                for element in array {
                    let span = element.span();
                    match element.into_inner() {
                        DeValue::Table(table) => tables.push((span, table)),
                        other => self.strict.tell(span, format!("a case is a table, found {}", kind(&other)), CASES),
                    }
                }
            }
            None | Some((_, DeValue::Array(_))) if !self.is_sound => {}
            None | Some((_, DeValue::Array(_))) => {
                self.strict.tell_whole("the file tests nothing: it has no case", CASES);
            }
            Some((span, other)) => {
                let message = format!("`case`: expected a list of tables, found {}", kind(&other));
                self.strict.tell(span, message, CASES);
            }
        }
        tables
    }

    fn policy(&mut self, text: Option<String>, file: Option<String>, span: Span) -> Option<Arc<CasePolicy>> {
        let text = match (text, file) {
            (Some(_), Some(_)) => {
                let help = "keep the one that is meant";
                self.strict.tell(span, "`policy` and `policy-file` exclude each other", help);
                return None;
            }
            (Some(text), None) => PolicyText::Inline { text, directory: self.directory.to_owned() },
            (None, Some(path)) if path.starts_with("ocilint:") => PolicyText::File { path },
            (None, Some(path)) => PolicyText::File { path: self.directory.join(path).to_string_lossy().into_owned() },
            (None, None) => return None,
        };
        Some(self.known(text, span))
    }

    /// The policy beside the file.
    fn default_policy(&mut self) -> Option<Arc<CasePolicy>> {
        let path = self.neighbour.filter(|path| path.exists())?.to_string_lossy().into_owned();
        Some(self.known(PolicyText::File { path }, 0..0))
    }

    fn known(&mut self, text: PolicyText, span: Span) -> Arc<CasePolicy> {
        let source = &self.strict.source;
        let made = |text: &PolicyText| Arc::new(CasePolicy::new(text.clone(), source.clone(), span));
        let found = self.policies.get(&text).cloned();
        found.unwrap_or_else(|| {
            let policy = made(&text);
            self.policies.insert(text, policy.clone());
            policy
        })
    }

    /// One case; `None` if something in it is wrong that leaves nothing to go on with.
    fn case(&mut self, span: Span, table: &DeTable<'_>, shared: Option<&Arc<CasePolicy>>) -> Option<Case> {
        let before = self.strict.count();
        let raw: RawCase = self.strict.fill("the case", &span, table, HELP)?;
        let is_whole = self.strict.count() == before;
        let at = |path: &[&str]| place_of(table, path).unwrap_or_else(|| span.clone());
        self.name(&raw.name, at(&["name"]));
        if is_whole && raw.expect.is_empty() && raw.refused.is_none() && raw.exit.is_none() {
            let message = format!("the case `{}` expects nothing", raw.name);
            self.strict.tell_missing(
                span.clone(),
                message,
                "say what is to come of it: `expect.user = \"pass\"`, or `exit = 0`",
            );
        }
        let own = if raw.policy.is_some() { "policy" } else { "policy-file" };
        let names_policy = raw.policy.is_some() || raw.policy_file.is_some();
        let policy = self.policy(raw.policy, raw.policy_file, at(&[own]));
        if !names_policy && shared.is_none() && is_whole && self.is_sound {
            self.miss_policy(&span);
        }
        let image = self.image(raw.image, raw.target.as_deref(), raw.named.as_deref(), &at);
        let platforms = raw.platform.iter().map(|text| {
            let parsed = Platform::parse(text);
            parsed.map_err(|error| self.strict.tell(at(&["platform"]), error.to_string(), "write `linux/arm64`"))
        });
        let platforms: Vec<_> = platforms.collect();
        let now = self.now(raw.at, at(&["at"]));
        let failures = self.failures(raw.failures, &at);
        let against = raw.against.map(|text| self.target(&text, at(&["against"])));
        let elsewhere = self.elsewhere(raw.elsewhere, &at);
        let (image, target) = image?;
        let expect = raw.expect.into_iter().map(|(key, expected)| {
            let span = at(&["expect", &key]);
            Expectation::new(&key, expected, span)
        });
        let asks = raw.asks.into_iter().map(|ask| Written { span: at(&["asks", &ask.0]), value: ask });
        Some(Case {
            line: self.line(span.start),
            source: self.strict.source.clone(),
            policy: policy.or_else(|| shared.cloned())?,
            image,
            image_span: at(&["image"]),
            target,
            elsewhere,
            options: Options {
                platforms: platforms.into_iter().collect::<Result<_, ()>>().ok()?,
                deny_warnings: raw.deny_warnings,
                against: against.map(|target| target.map(Arc::new).ok_or(())).transpose().ok()?,
                baseline: None,
            },
            now: now.ok()?,
            failures,
            expect: expect.collect(),
            others: raw.others,
            asks: asks.collect(),
            exit: raw.exit.map(|value| Written { value, span: at(&["exit"]) }),
            refused: raw.refused.map(|value| Written { value, span: at(&["refused"]) }),
            name: raw.name,
            span,
        })
    }

    /// The number of the line of a position behind the last one that was asked for.
    fn line(&mut self, at: usize) -> usize {
        let (from, line) = self.counted;
        let between = self.strict.source.text.get(from..at).unwrap_or_default();
        self.counted = (at, line + between.matches('\n').count());
        self.counted.1
    }

    fn name(&mut self, name: &str, span: Span) {
        if name.trim().is_empty() {
            self.strict.tell(span, "a case needs a name", "say what it shows: `name = \"root is refused\"`");
        } else if let Some(first) = self.names.get(name) {
            let message = format!("a second case is called `{name}`");
            self.strict.tell_both(span, message, "give it a name of its own", first.clone(), "the first one is here");
        } else {
            self.names.insert(name.to_owned(), span);
        }
    }

    fn miss_policy(&mut self, span: &Span) {
        let help = match self.neighbour.and_then(Path::file_name) {
            Some(name) => format!(
                "there is no `{}` beside the file either: name the policy with `policy-file = \"…\"`, above the first case",
                name.to_string_lossy()
            ),
            None => "name it with `policy-file = \"…\"`, above the first case for all of them".to_owned(),
        };
        self.strict.tell_missing(span.clone(), "the case has no policy", help);
    }

    fn image(
        &mut self,
        raw: Option<RawImage>,
        target: Option<&str>,
        named: Option<&str>,
        at: &dyn Fn(&[&str]) -> Span,
    ) -> Option<(CaseImage, Target)> {
        let (image, parsed) = match raw {
            Some(RawImage::Stored(text)) if text.starts_with("snapshot:") => {
                (CaseImage::Recorded(target.map(ToOwned::to_owned)), self.stored(&text, at(&["image"])))
            }
            Some(RawImage::Stored(_)) if target.is_some() => {
                let help = "leave out `target`; `as` gives the image a name";
                self.strict.tell(at(&["target"]), "an image in a layout or archive is its own target", help);
                return None;
            }
            Some(RawImage::Stored(text)) => (CaseImage::Stored, self.stored(&text, at(&["image"]))),
            Some(RawImage::Inline(image)) => {
                (CaseImage::Inline(image), self.target(target.unwrap_or(TARGET), at(&["target"])))
            }
            None => (CaseImage::Inline(Box::default()), self.target(target.unwrap_or(TARGET), at(&["target"]))),
        };
        let Some(name) = named else { return Some((image, parsed?)) };
        let name = match Reference::parse(name) {
            Ok(name) => name,
            Err(error) => {
                self.strict.tell(at(&["as"]), format!("`as`: {error}"), "write `as = \"ghcr.io/acme/app:1.2\"`");
                return None;
            }
        };
        let parsed = parsed?;
        if !parsed.is_local() {
            let help = "an image in a registry is named by `target = \"ghcr.io/acme/app:1.2\"`";
            self.strict.tell(at(&["as"]), "`as` names a layout or an archive, and the image is in a registry", help);
        }
        Some((image, parsed.named(name)))
    }

    /// The other images of a case, by their references in full.
    fn elsewhere(&mut self, raw: BTreeMap<String, Image>, at: &dyn Fn(&[&str]) -> Span) -> BTreeMap<Reference, Image> {
        let mut images = BTreeMap::new();
        for (name, image) in raw {
            match Reference::parse(&name) {
                Ok(reference) => drop(images.insert(reference, image)),
                Err(error) => {
                    let help = error.hint().unwrap_or("write it as `registry/repository:tag`");
                    self.strict.tell(at(&["elsewhere", &name]), format!("`{name}`: {error}"), help);
                }
            }
        }
        images
    }

    fn target(&mut self, text: &str, span: Span) -> Option<Target> {
        let parsed = Target::parse(text);
        parsed.map_err(|error| self.strict.tell(span, error.to_string(), error.help())).ok()
    }

    /// A layout or archive, its path seen from the case file.
    fn stored(&mut self, text: &str, span: Span) -> Option<Target> {
        let mut target = self.target(text, span.clone())?;
        match &mut target.kind {
            TargetKind::Layout { path, .. }
            | TargetKind::OciArchive { path, .. }
            | TargetKind::DockerArchive { path, .. }
            | TargetKind::Snapshot { path } => {
                *path = self.directory.join(&*path);
                Some(target)
            }
            TargetKind::Registry(_) => {
                let help =
                    "a case judges an image that is described, or a layout, archive or snapshot such as `oci:DIR`";
                self.strict.tell(span, format!("`{text}` is in a registry, and tests are made offline"), help);
                None
            }
        }
    }

    /// The clock that the case says, if it is one: a date is its first moment in UTC.
    fn now(&mut self, at: Option<toml::value::Datetime>, span: Span) -> Result<Option<Timestamp>, ()> {
        let Some(at) = at else { return Ok(None) };
        let text = at.to_string();
        let message = || format!("`at` is a date or a time with its offset, not `{text}`");
        let moment = policy::moment(&text).map(Some);
        moment.ok_or_else(|| self.strict.tell(span, message(), "write `at = 2027-01-31`"))
    }

    fn failures(
        &mut self,
        raw: BTreeMap<String, String>,
        at: &dyn Fn(&[&str]) -> Span,
    ) -> Vec<Written<(String, Cause)>> {
        let mut failures = Vec::new();
        for (place, name) in raw {
            let span = at(&["failures", &place]);
            if let Some(cause) = cause(&name) {
                failures.push(Written { value: (place, cause), span });
            } else {
                let known: Vec<&str> = CAUSES.split(", ").collect();
                self.strict.tell_unknown(span, format!("there is no failure `{name}`"), &name, &known);
            }
        }
        failures
    }
}
