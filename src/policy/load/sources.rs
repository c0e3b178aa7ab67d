//! The files of a load, in one address space.
//!
//! A rule may take its parameters from several files (`extends`), so every span that the loader handles counts from the start
//! of the first file through the last: a number says by itself which file it is in.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::mistake::{Mistake, Span};
use super::suggest::{any_of, did_you_mean};
use crate::oci::Digest;
use crate::policy::{Origin, PolicySource};

/// Files that one load reads.
pub(super) const FILES: usize = 100;
/// Size beyond which a policy file is refused, in bytes.
const FILE_SIZE: usize = 10 << 20;
/// What the name of a policy in a registry begins with.
const REGISTRY: &str = "oci://";

/// The built-in policies.
const PACKS: &[Pack] = &[
    Pack { name: "ocilint:baseline", text: include_str!("../../../policies/baseline.toml") },
    Pack { name: "ocilint:strict", text: include_str!("../../../policies/strict.toml") },
    Pack { name: "ocilint:supply-chain", text: include_str!("../../../policies/supply-chain.toml") },
    Pack { name: "ocilint:kubernetes", text: include_str!("../../../policies/kubernetes.toml") },
    Pack { name: "ocilint:reproducible", text: include_str!("../../../policies/reproducible.toml") },
    Pack { name: "ocilint:oci-conformance", text: include_str!("../../../policies/oci-conformance.toml") },
    Pack { name: "ocilint:docker-official", text: include_str!("../../../policies/docker-official.toml") },
];

#[derive(Debug)]
struct Pack {
    name: &'static str,
    text: &'static str,
}

/// Where a policy is: the path or pack that an argument or an entry of `extends` names.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// As it is shown.
    shown: String,
    /// Where it is opened; what else names it as it is.
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    File,
    Pack(&'static Pack),
    /// A policy that stands in no file of its own.
    Text(Arc<str>),
    /// In a registry: it has to be fetched.
    Remote,
}

impl Place {
    /// What a text names, seen from a directory.
    pub(super) fn new(text: &str, directory: &Path) -> Result<Self, Mistake> {
        let named = |kind| Self { shown: text.to_owned(), path: PathBuf::from(text), kind };
        if text.starts_with(REGISTRY) {
            return Ok(named(Kind::Remote));
        }
        if text.starts_with("ocilint:") {
            return pack(text).map(|pack| named(Kind::Pack(pack)));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            let message =
                format!("a policy cannot be named by a `{scheme}` address, expected a path or `ocilint:NAME`");
            return Err(Mistake::nowhere(message).help("save the policy as a file, and name that"));
        }
        Ok(Self { path: directory.join(text), ..named(Kind::File) })
    }

    /// A policy that stands in no file of its own.
    pub(super) fn of_text(name: &str, text: &str, directory: &Path) -> Self {
        Self { shown: name.to_owned(), path: directory.join("policy"), kind: Kind::Text(text.into()) }
    }

    /// What an entry of this file's `extends` names: a built-in policy, a path beside this file, or a policy in a registry.
    pub(super) fn beside(&self, text: &str) -> Result<Self, Mistake> {
        let directory = self.path.parent().unwrap_or(Path::new(""));
        let mut place = Self::new(text, directory)?;
        match (&self.kind, &place.kind) {
            (Kind::Pack(_), Kind::File | Kind::Remote) => {
                return Err(Mistake::nowhere("a built-in policy extends built-in policies only"));
            }
            (Kind::Remote, Kind::File) => {
                let message = format!("a policy from a registry cannot extend the file `{text}`");
                return Err(Mistake::nowhere(message).help("it extends built-in policies, and policies in registries"));
            }
            (_, Kind::File) => {
                let directory = Path::new(&self.shown).parent().unwrap_or(Path::new(""));
                place.shown = directory.join(text).to_string_lossy().into_owned();
            }
            _ => {}
        }
        Ok(place)
    }

    /// As it is shown.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether it has to be fetched.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.kind, Kind::Remote)
    }

    /// The same for two ways of writing one file.
    pub(super) fn identity(&self) -> PathBuf {
        match self.kind {
            Kind::Pack(_) | Kind::Remote => self.path.clone(),
            Kind::File | Kind::Text(_) => self.path.canonicalize().unwrap_or_else(|_| self.path.clone()),
        }
    }

    fn read(&self, fetched: Option<&[u8]>) -> Result<Vec<u8>, Mistake> {
        let too_large = || {
            let message = format!("the policy `{}` is larger than 10 MiB", self.shown);
            Mistake::nowhere(message).help("split it, and name each part")
        };
        match (&self.kind, fetched) {
            (_, Some(bytes)) if bytes.len() > FILE_SIZE => return Err(too_large()),
            (_, Some(bytes)) => return Ok(bytes.to_vec()),
            (Kind::Text(text), _) => return Ok(text.as_bytes().to_vec()),
            (Kind::Pack(pack), _) => return Ok(pack.text.as_bytes().to_vec()),
            (Kind::File | Kind::Remote, None) => {}
        }
        let unread = |error: io::Error| {
            let mistake = Mistake::nowhere(format!("cannot read the policy `{}`: {error}", self.shown));
            mistake.help("a policy is named by its path, seen from the file that extends it, or is `ocilint:NAME`")
        };
        let mut bytes = Vec::new();
        let file = File::open(&self.path).map_err(unread)?;
        file.take(FILE_SIZE as u64 + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() > FILE_SIZE {
            return Err(too_large());
        }
        Ok(bytes)
    }
}

/// The built-in policy of that name.
fn pack(name: &str) -> Result<&'static Pack, Mistake> {
    let names: Vec<&str> = PACKS.iter().map(|pack| pack.name).collect();
    PACKS.iter().find(|pack| pack.name == name).ok_or_else(|| {
        let message = format!("there is no built-in policy `{name}`, expected {}", any_of(&names));
        Mistake::nowhere(message).help_if(did_you_mean(name, &names))
    })
}

/// A file and where its bytes begin in the address space.
#[derive(Debug)]
pub(super) struct Kept {
    source: Arc<PolicySource>,
    base: usize,
}

impl Kept {
    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.source.text
    }

    /// Where its bytes begin in the address space.
    pub(super) fn base(&self) -> usize {
        self.base
    }

    /// The addresses of its bytes.
    pub(super) fn range(&self) -> Span {
        self.base..self.base + self.text().len()
    }
}

/// The files of a load. Files are added while parsed tables borrow from those read before.
#[derive(Debug)]
pub(super) struct Sources {
    slots: Vec<OnceCell<Kept>>,
}

impl Sources {
    /// No file yet.
    pub(super) fn new() -> Self {
        Self { slots: std::iter::repeat_with(OnceCell::new).take(FILES).collect() }
    }

    /// Reads a file, or takes what was fetched. The second part says what is wrong with its encoding, if anything is.
    pub(super) fn read(&self, place: &Place, fetched: Option<&[u8]>) -> Result<(&Kept, Option<Mistake>), Mistake> {
        let slot = self.slots.iter().find(|slot| slot.get().is_none());
        let slot = slot.ok_or_else(|| {
            let message = format!("a policy is made of at most {FILES} files");
            Mistake::nowhere(message).help("put files together")
        })?;
        let bytes = place.read(fetched)?;
        let base = self.kept().last().map_or(0, |kept| kept.base + kept.text().len() + 1);
        let sha256 = Digest::sha256(&bytes).hex().to_owned();
        let (text, mistake) = match String::from_utf8(bytes) {
            Ok(text) if is_utf16(text.as_bytes()) => utf16(base),
            Ok(text) => (text, None),
            Err(error) => not_utf8(error.as_bytes(), base),
        };
        let source = Arc::new(PolicySource { name: place.shown.clone(), text, sha256 });
        Ok((slot.get_or_init(|| Kept { source, base }), mistake))
    }

    fn kept(&self) -> impl DoubleEndedIterator<Item = &Kept> {
        self.slots.iter().filter_map(OnceCell::get)
    }

    fn of(&self, position: usize) -> Option<&Kept> {
        self.kept().rev().find(|kept| kept.base <= position)
    }

    /// The file that a span is in, and the bytes of it.
    pub(super) fn resolve(&self, span: &Span) -> Option<(Arc<PolicySource>, Range<usize>)> {
        let kept = self.of(span.start)?;
        let text = kept.text();
        let start = text.floor_char_boundary(span.start - kept.base);
        let end = text.ceil_char_boundary(span.end.saturating_sub(kept.base).max(start));
        Some((kept.source.clone(), start..end))
    }

    /// The file of a position: where it starts.
    pub(super) fn file(&self, position: usize) -> Option<usize> {
        self.of(position).map(|kept| kept.base)
    }

    /// The file and line of a position: the start of each.
    pub(super) fn line(&self, position: usize) -> Option<(usize, usize)> {
        let kept = self.of(position)?;
        let before = kept.text().as_bytes().get(..position - kept.base)?;
        let line = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        Some((kept.base, line))
    }

    /// The same as an origin.
    pub(super) fn origin(&self, span: &Span) -> Origin {
        let (source, span) = self.resolve(span).expect("invariant: a span is within a file that was read");
        Origin { source, span }
    }

    /// Every file, in the order read.
    pub(super) fn files(&self) -> Vec<Arc<PolicySource>> {
        self.kept().map(|kept| kept.source.clone()).collect()
    }
}

/// What can be shown of a file that is not UTF-8, and where it stops being so.
fn not_utf8(bytes: &[u8], base: usize) -> (String, Option<Mistake>) {
    if is_utf16(bytes) {
        return utf16(base);
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let valid = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
    let span = base + valid..base + valid + char::REPLACEMENT_CHARACTER.len_utf8();
    let mistake = Mistake::at(span, "this byte is not UTF-8, a policy is UTF-8").unreadable();
    (text, Some(mistake.help("save the file as UTF-8")))
}

/// Whether the bytes are UTF-16: they say so, or every second byte of the first characters is zero.
fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || matches!(bytes, [0, 1..=255, 0, 1..=255, ..] | [1..=255, 0, 1..=255, 0, ..])
}

fn utf16(base: usize) -> (String, Option<Mistake>) {
    let mistake = Mistake::file(base, "the file is UTF-16, a policy is UTF-8").unreadable();
    (String::new(), Some(mistake.help("save the file as UTF-8")))
}
