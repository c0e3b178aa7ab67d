//! The head of a snapshot's file: what is in it and what came of it, in plain text.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::Glob;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{doing, refused, unread};
use crate::graph::{Cause, Known, Why};
use crate::oci::{Digest, Reference};
use crate::source::registry::RegistryWarning;
use crate::target::{Recorded, Target, TargetKind};

/// The word and the version that every snapshot begins with.
pub(super) const MAGIC: &str = "ocilint-snapshot 1 ";
/// The same without the version.
const MAGIC_OF_ANY: &str = "ocilint-snapshot ";
/// The files of a directory that are snapshots.
const ALL: &str = "*.snapshot";
/// The first line is no longer, in bytes.
const MAX_FIRST_LINE: u64 = 256;
/// The header is no larger, in bytes: tens of thousands of images.
const MAX_HEADER: u64 = 32 << 20;

/// What is in a snapshot, and what came of it when it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The clock of the run that took it.
    pub taken_at: Timestamp,
    /// The version of ocilint that took it.
    pub ocilint: String,
    /// The policy files that the images were judged by.
    pub policies: Vec<PolicyNote>,
    /// What registries wanted people to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<RegistryWarning>,
    /// The images, in the order named.
    pub images: Vec<ImageNote>,
    /// The size of the content when unpacked, in bytes.
    pub body: u64,
}

/// A policy file, by name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyNote {
    /// The path as it was named, or `ocilint:NAME`.
    pub source: String,
    /// sha256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// An image, and what came of judging it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageNote {
    /// The target as it was written.
    pub target: String,
    /// The name it was judged under.
    pub name: Option<String>,
    /// The digest that was judged.
    pub digest: Option<Digest>,
    /// The exit status of a run over this image alone.
    pub exit: u8,
    /// The rules of level `error` that were violated, by their names in the policy; sorted.
    pub failing: Vec<String>,
    /// The rules of level `error` of which something could not be known; sorted.
    pub unknown: Vec<String>,
}

/// An image of a snapshot, as something to judge.
#[derive(Debug, Clone)]
pub struct RecordedImage {
    /// The target as it was written when the snapshot was taken, to be read from the snapshot.
    pub target: Target,
    /// What came of it then.
    pub note: ImageNote,
    /// When that was.
    pub taken_at: Timestamp,
    /// The policy files it was judged by.
    pub policies: Arc<[PolicyNote]>,
}

/// The images that a target of the form `snapshot:PATH` stands for: those in a file, in all files `*.snapshot` of a directory,
/// or in all that a pattern such as `fleet/*.snapshot` names, sorted by name. Only the heads of the files are read; each file that
/// cannot be used has its path and reason in its place.
pub fn images(path: &Path) -> Vec<Result<RecordedImage, (PathBuf, Why)>> {
    let found = match pattern(path) {
        _ if path.is_dir() => files(path, ALL),
        Some((directory, names)) if !path.exists() => files(directory, names),
        _ => Ok(vec![path.to_owned()]),
    };
    match found {
        Ok(files) => {
            files.into_iter().flat_map(|file| images_of(&file).unwrap_or_else(|why| vec![Err((file, why))])).collect()
        }
        Err(why) => vec![Err((path.to_owned(), why))],
    }
}

/// The directory and the pattern of names in it, if the path ends with one: no shell expands it behind `snapshot:`.
fn pattern(path: &Path) -> Option<(&Path, &str)> {
    let names = path.file_name()?.to_str().filter(|name| name.contains(['*', '?', '[']))?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Some((directory.unwrap_or(Path::new(".")), names))
}

/// The files in a directory whose names match a pattern, sorted.
fn files(directory: &Path, names: &str) -> Known<Vec<PathBuf>> {
    let none = |detail: String| Why::new(doing(directory), Cause::File { detail });
    let glob = Glob::new(names).map_err(|error| none(error.to_string()))?.compile_matcher();
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| unread(directory, &error))?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.file_name().is_some_and(|name| glob.is_match(name))).collect();
    files.sort();
    if files.is_empty() {
        return Err(none(format!("none is named `{names}`")));
    }
    Ok(files)
}

fn images_of(path: &Path) -> Known<Vec<Result<RecordedImage, (PathBuf, Why)>>> {
    let header = read(path)?;
    let policies: Arc<[PolicyNote]> = header.policies.into();
    let image = |(image, note): (usize, ImageNote)| {
        let mut target = named(&note).map_err(|detail| refused(path, detail))?;
        target.recorded = Some(Recorded { path: path.to_owned(), image });
        Ok(Ok(RecordedImage { target, note, taken_at: header.taken_at, policies: Arc::clone(&policies) }))
    };
    header.images.into_iter().enumerate().map(image).collect()
}

/// The target as it was when the snapshot was taken.
fn named(note: &ImageNote) -> Result<Target, String> {
    let target = Target::parse(&note.target).map_err(|error| format!("it names no image: {error}"))?;
    if matches!(target.kind, TargetKind::Snapshot { .. }) {
        return Err("it names another snapshot as an image".to_owned());
    }
    match &note.name {
        None => Ok(target),
        Some(name) => match Reference::parse(name) {
            Ok(name) => Ok(target.named(name)),
            Err(error) => Err(format!("it holds an image under a name that is none: {error}")),
        },
    }
}

/// Reads the head of a file. Whether it belongs to the rest is found out when that is read.
pub(super) fn read(path: &Path) -> Known<Header> {
    let file = open(path)?;
    let mut input = BufReader::new(file);
    let first = first_line(&mut input).map_err(|error| unread(path, &error))?;
    checksum(&first).map_err(|detail| refused(path, detail))?;
    let second = second_line(&mut input).map_err(|error| unread(path, &error))?;
    parse(&second).map_err(|detail| refused(path, detail))
}

/// Opens a regular file; reading anything else might never end.
pub(super) fn open(path: &Path) -> Known<File> {
    let metadata = fs::metadata(path).map_err(|error| unread(path, &error))?;
    if !metadata.is_file() {
        return Err(Why::new(doing(path), Cause::File { detail: "it is no regular file".to_owned() }));
    }
    File::open(path).map_err(|error| unread(path, &error))
}

/// The line that names the digest of the rest, with its end.
pub(super) fn first_line(input: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    line(input, MAX_FIRST_LINE)
}

/// The line that holds the header, with its end.
pub(super) fn second_line(input: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    line(input, MAX_HEADER)
}

fn line(input: &mut impl BufRead, most: u64) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input.take(most).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// The digest in the first line, of all that follows it.
pub(super) fn checksum(line: &[u8]) -> Result<Digest, String> {
    let text = str::from_utf8(line).unwrap_or_default();
    if !text.starts_with(MAGIC_OF_ANY) {
        return Err("this is no snapshot that `ocilint snapshot` wrote".to_owned());
    }
    let Some(digest) = text.strip_prefix(MAGIC) else {
        return Err("it is of another version than this ocilint reads (1)".to_owned());
    };
    let digest = digest.strip_suffix('\n').and_then(|digest| digest.parse().ok());
    digest.ok_or_else(|| "it was cut short or altered: its first line is not whole".to_owned())
}

/// The header in the second line.
pub(super) fn parse(line: &[u8]) -> Result<Header, String> {
    let Some(text) = line.strip_suffix(b"\n") else {
        return Err("it was cut short or altered: its second line is not whole".to_owned());
    };
    let header: Header = serde_json::from_slice(text).map_err(|error| format!("it was altered: {error}"))?;
    if header.images.is_empty() {
        return Err("it holds no image".to_owned());
    }
    Ok(header)
}
