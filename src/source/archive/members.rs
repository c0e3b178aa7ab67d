//! What a tar file holds, found in one pass from its start to its end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tar::{Archive, Entry, EntryType};

use super::stream::{Gauge, Packing, Stream};
use crate::graph::Cause;
use crate::oci::Untrusted;
use crate::source::layout::{MAX_DOCUMENT, Place, Start, Tree};

/// Members up to this size, in bytes, are kept in memory …
const MAX_KEPT: u64 = MAX_DOCUMENT;

/// … as long as all of them together have no more bytes than this. The rest is read again when it is asked for.
const KEPT_IN_ALL: u64 = 64 << 20;

/// How much of every other member is kept, in bytes: enough to tell what it is.
const HEAD: u64 = 1028;

/// What may be read between two members, in bytes: the headers and long names of one.
const MAX_HEADER: u64 = 1 << 20;

/// How many members an archive may have.
const MAX_MEMBERS: usize = 50_000;

/// The files in a tar file.
pub(super) struct Members {
    file: Mutex<File>,
    packing: Packing,
    files: BTreeMap<String, Member>,
    cut_at: Option<u64>,
}

struct Member {
    /// Where its content starts in the unpacked archive, in bytes.
    offset: u64,
    /// In bytes.
    size: u64,
    /// All of it, or its start.
    kept: Bytes,
}

impl Members {
    /// Goes through the file once.
    pub(super) fn scan(mut file: File) -> Result<Self, Cause> {
        let mut magic = [0; 8];
        let read = read_up_to(&mut file, &mut magic).map_err(|error| Cause::File { detail: error.to_string() })?;
        let packing = Packing::of(&magic[..read])?;
        let stream = Stream::new(&file, packing)?;
        let mut scan = Scan { gauge: stream.gauge(), members: BTreeMap::new(), kept: 0 };
        scan.run(&mut Archive::new(stream))?;
        let cut_at = scan.gauge.ended().then(|| scan.gauge.position());
        Ok(Self { file: Mutex::new(file), packing, files: scan.members, cut_at })
    }

    /// Where the file ends, in bytes, if it ends without the mark that every tar file has at its end. Some tools leave it
    /// out, so that alone is no error.
    pub(super) fn cut_at(&self) -> Option<u64> {
        self.cut_at
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// All of a member, unless it has more than `cap` bytes.
    pub(super) fn whole(&self, path: &str, cap: u64) -> Result<Option<Bytes>, Cause> {
        match self.files.get(path) {
            None => Ok(None),
            Some(member) if member.size > cap => Err(Cause::TooLarge { cap }),
            Some(member) => self.first(member, member.size).map(Some),
        }
    }

    fn first(&self, member: &Member, length: u64) -> Result<Bytes, Cause> {
        let kept = usize::try_from(length).ok().filter(|length| *length <= member.kept.len());
        match kept {
            Some(length) => Ok(member.kept.slice(..length)),
            None => self.read_again(member.offset, length),
        }
    }

    fn read_again(&self, offset: u64, length: u64) -> Result<Bytes, Cause> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stream = Stream::new(&file, self.packing)?;
        let gauge = stream.gauge();
        let skipped = stream.seek(SeekFrom::Current(i64::try_from(offset).unwrap_or(i64::MAX)));
        skipped.map_err(|error| gauge.cause(&error))?;
        gauge.allow(length);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        stream.read_exact(&mut bytes).map_err(|error| gauge.cause(&error))?;
        Ok(bytes.into())
    }
}

impl Tree for Members {
    fn read(&self, place: Place<'_>, cap: u64) -> Result<Option<Bytes>, Cause> {
        self.whole(&place.to_string(), cap)
    }

    fn start(&self, place: Place<'_>, length: u64) -> Result<Option<Start>, Cause> {
        let Some(member) = self.files.get(&place.to_string()) else { return Ok(None) };
        let bytes = self.first(member, member.size.min(length))?;
        Ok(Some(Start { bytes, size: member.size }))
    }
}

/// The pass through the file.
struct Scan {
    gauge: Rc<Gauge>,
    members: BTreeMap<String, Member>,
    /// Bytes of members that are kept whole.
    kept: u64,
}

impl Scan {
    fn run(&mut self, archive: &mut Archive<Stream>) -> Result<(), Cause> {
        let gauge = Rc::clone(&self.gauge);
        gauge.allow(MAX_HEADER);
        let entries = archive.entries_with_seek().map_err(|error| gauge.cause(&error))?;
        for entry in entries {
            let mut entry = entry.map_err(|error| self.cause(&error))?;
            self.enter(&mut entry)?;
            gauge.allow(MAX_HEADER);
        }
        Ok(())
    }

    fn cause(&self, error: &std::io::Error) -> Cause {
        match self.gauge.cause(error) {
            Cause::Unreadable { detail } if self.members.is_empty() => {
                Cause::Unreadable { detail: format!("this is no tar file: {detail}") }
            }
            cause => cause,
        }
    }

    fn enter(&mut self, entry: &mut Entry<'_, Stream>) -> Result<(), Cause> {
        let name = name_of(entry)?;
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous if !entry.path_bytes().ends_with(b"/") => {}
            EntryType::Regular | EntryType::Directory | EntryType::XGlobalHeader => return Ok(()),
            // Older versions of `docker save` write a layer that several images share once, and links to it.
            EntryType::Symlink | EntryType::Link if name.ends_with("/layer.tar") => return Ok(()),
            other => return Err(refused(&name, kind_of(other))),
        }
        if self.members.len() == MAX_MEMBERS {
            return Err(Cause::Budget { what: format!("{MAX_MEMBERS} members of an archive") });
        }
        let offset = entry.raw_file_position();
        let size = entry.size();
        let kept = self.keep(entry, size)?;
        match self.members.insert(name.clone(), Member { offset, size, kept }) {
            None => Ok(()),
            Some(_) => Err(refused(&name, "there twice")),
        }
    }

    fn keep(&mut self, entry: &mut Entry<'_, Stream>, size: u64) -> Result<Bytes, Cause> {
        let whole = size <= MAX_KEPT && self.kept + size <= KEPT_IN_ALL;
        let length = if whole { size } else { size.min(HEAD) };
        self.kept += if whole { size } else { 0 };
        self.gauge.allow(length);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        entry.read_exact(&mut bytes).map_err(|error| self.gauge.cause(&error))?;
        Ok(bytes.into())
    }
}

/// The path of a member, without `.` and doubled slashes. It stays in memory, but a path that leads elsewhere on disk is a
/// trap for whoever unpacks the archive.
fn name_of(entry: &mut Entry<'_, Stream>) -> Result<String, Cause> {
    check_extensions(entry)?;
    let bytes = entry.path_bytes();
    let Ok(path) = std::str::from_utf8(&bytes) else {
        return Err(refused(&String::from_utf8_lossy(&bytes), "not named in UTF-8"));
    };
    if path.starts_with('/') {
        return Err(refused(path, "an absolute path"));
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err(refused(path, "a path that leads upwards"));
    }
    Ok(parts.join("/"))
}

/// Refuses extended headers that programs read differently: what says the same thing twice, and sparse files.
fn check_extensions(entry: &mut Entry<'_, Stream>) -> Result<(), Cause> {
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let Ok(Some(extensions)) = entry.pax_extensions() else { return Ok(()) };
    let mut seen: Vec<String> = Vec::new();
    for extension in extensions {
        let extension = extension.map_err(|_| refused(&path, "described by a malformed extended header"))?;
        let key = String::from_utf8_lossy(extension.key_bytes()).into_owned();
        if key == "path" && extension.value_bytes() != path.as_bytes() {
            return Err(refused(&path, "named twice, differently"));
        }
        if key.starts_with("GNU.sparse") {
            return Err(refused(&path, "a sparse file"));
        }
        if matches!(&*key, "path" | "linkpath" | "size") && seen.contains(&key) {
            return Err(refused(&path, "described twice"));
        }
        seen.push(key);
    }
    Ok(())
}

fn kind_of(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link => "a hard link",
        EntryType::Symlink => "a symbolic link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a named pipe",
        EntryType::GNUSparse => "a sparse file",
        _ => "of an unknown type",
    }
}

fn refused(name: &str, what: &str) -> Cause {
    Cause::Unreadable { detail: format!("the member `{}` is {what}, which no image archive has", Untrusted(name)) }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..])? {
            0 => break,
            count => read += count,
        }
    }
    Ok(read)
}
