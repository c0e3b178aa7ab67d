//! The file format.
//!
//! ```text
//! ocilint-snapshot 1 sha256:…      the digest of everything behind this line
//! {"taken_at": …, "images": […]}   the header, one line of JSON
//! …                                the body, gzip: one JSON document with all contents and facts
//! ```
//!
//! Maps are sorted, no time but the run's clock is in it: the same content gives the same bytes.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::facts::{Contents, Facts};
use super::header::{self, Header, MAGIC};
use super::record::Shelf;
use super::{refused, sorted, unread};
use crate::graph::Known;
use crate::oci::{Digest, Hasher};

/// The content of a snapshot is at most this large when unpacked, in bytes: that of thousands of images, and little enough
/// to be held in memory whole.
pub(super) const MAX_BODY: u64 = 128 << 20;
/// All facts of a snapshot are at most this large as text, in bytes; in memory they take several times as much. Those of an
/// image are a few kilobytes.
const MAX_FACTS: usize = 16 << 20;
/// One document or blob is at most this large, in bytes: the most that is read of a statement.
const MAX_MEMBER: usize = 40 << 20;

/// The images have more content than a snapshot may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the images have more than the {} MiB of documents, or the {} MiB of facts about them, that a snapshot may hold",
    MAX_BODY >> 20,
    MAX_FACTS >> 20
)]
pub struct TooLarge;

const MEMORY: &str = "invariant: writing to memory does not fail, and every key can stand in JSON";

/// A snapshot that was read and checked.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) header: Header,
    pub(super) contents: Contents,
    /// As many as the header has images.
    pub(super) images: Vec<Arc<Facts>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(with = "sorted")]
    contents: std::collections::BTreeMap<Digest, Content>,
    /// The facts of each, not yet understood.
    images: Vec<Box<RawValue>>,
}

/// Bytes: as text where they are one, else in base64.
struct Content(Bytes);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form<'a> {
    Text(Cow<'a, str>),
    Base64(Cow<'a, str>),
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match str::from_utf8(&self.0) {
            Ok(text) => Form::Text(Cow::Borrowed(text)),
            Err(_) => Form::Base64(Cow::Owned(BASE64_STANDARD.encode(&self.0))),
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = match Form::deserialize(deserializer)? {
            Form::Text(text) => text.into_owned().into_bytes(),
            Form::Base64(text) => BASE64_STANDARD.decode(&*text).map_err(serde::de::Error::custom)?,
        };
        Ok(Self(bytes.into()))
    }
}

/// The file with these images; `header.body` is filled in.
pub fn encode(mut header: Header, shelf: &Shelf, images: &[Facts]) -> Result<Vec<u8>, TooLarge> {
    if shelf.bytes() > MAX_BODY {
        return Err(TooLarge);
    }
    let contents = shelf.contents().into_iter().map(|(digest, bytes)| (digest, Content(bytes))).collect();
    let raw = |facts: &Facts| serde_json::value::to_raw_value(facts).expect(MEMORY);
    let images: Vec<Box<RawValue>> = images.iter().map(raw).collect();
    if size(&images) > MAX_FACTS {
        return Err(TooLarge);
    }
    let mut packed = Counting { inner: GzEncoder::new(Vec::new(), Compression::default()), bytes: 0 };
    serde_json::to_writer(&mut packed, &Body { contents, images }).expect(MEMORY);
    header.body = packed.bytes;
    if header.body > MAX_BODY {
        return Err(TooLarge);
    }
    let mut rest = serde_json::to_vec(&header).expect(MEMORY);
    rest.push(b'\n');
    rest.extend(packed.inner.finish().expect(MEMORY));
    let mut file = format!("{MAGIC}{}\n", Digest::sha256(&rest)).into_bytes();
    file.extend(rest);
    Ok(file)
}

/// How large facts are as text, in bytes.
fn size(facts: &[Box<RawValue>]) -> usize {
    facts.iter().map(|facts| facts.get().len()).sum()
}

/// Counts what passes through.
struct Counting<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes = self.bytes.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads a file whose header was read before: all of it, with every digest checked again. The file itself is never held in
/// memory, only what it holds.
pub(super) fn load(path: &Path, expected: &Header) -> Known<Loaded> {
    let file = header::open(path)?;
    // Content hardly ever grows by packing.
    let most = MAX_BODY + (64 << 20);
    let size = file.metadata().map_err(|error| unread(path, &error))?.len();
    if size > most {
        return Err(refused(path, "it is larger than any snapshot that `ocilint snapshot` writes"));
    }
    let loaded = decode(BufReader::new(file.take(most))).map_err(|detail| refused(path, detail))?;
    if loaded.header != *expected {
        return Err(refused(path, "it changed while it was read"));
    }
    Ok(loaded)
}

fn decode(mut file: impl BufRead) -> Result<Loaded, String> {
    let failed = |error: io::Error| error.to_string();
    let wanted = header::checksum(&header::first_line(&mut file).map_err(failed)?)?;
    let mut rest = Hashed { inner: file, hasher: wanted.hasher() };
    let read = read_rest(&mut rest);
    // What is wrong with the whole file is said before what is wrong in it.
    io::copy(&mut rest, &mut io::sink()).map_err(failed)?;
    if rest.hasher.finish() != wanted {
        return Err("it was cut short or altered: it does not have the digest that its first line names".to_owned());
    }
    read
}

/// The header and the body behind it.
fn read_rest(file: &mut impl BufRead) -> Result<Loaded, String> {
    let header = header::parse(&header::second_line(file).map_err(|error| error.to_string())?)?;
    let body = unpack(file, header.body)?;
    let mut contents = Contents::new();
    for (digest, Content(bytes)) in body.contents {
        if bytes.len() > MAX_MEMBER {
            return Err(format!("it holds more than the {MAX_MEMBER} bytes that are read of a document"));
        }
        if !digest.matches(&bytes) {
            return Err(format!("it was altered: the bytes under {digest} do not have that digest"));
        }
        contents.insert(digest, bytes);
    }
    if body.images.len() != header.images.len() {
        return Err("it was altered: it holds another number of images than it says".to_owned());
    }
    if size(&body.images) > MAX_FACTS {
        return Err(format!("it holds more than the {MAX_FACTS} bytes of facts that are read of a snapshot"));
    }
    let images = body.images.iter().map(|raw| understood(raw, &contents)).collect::<Result<_, _>>()?;
    Ok(Loaded { header, contents, images })
}

/// The facts about one image, if they agree with the contents.
fn understood(raw: &RawValue, contents: &Contents) -> Result<Arc<Facts>, String> {
    let facts: Facts = serde_json::from_str(raw.get()).map_err(|error| format!("it was altered: {error}"))?;
    facts.check(contents)?;
    Ok(Arc::new(facts))
}

/// The body, read as it is unpacked, if it is of just the size that the header says and nothing follows it.
fn unpack(packed: &mut impl BufRead, size: u64) -> Result<Body, String> {
    if size > MAX_BODY {
        return Err(format!("its content is larger than {MAX_BODY} bytes"));
    }
    let mut unpacked = BufReader::new(GzDecoder::new(&mut *packed).take(size + 1));
    let body = serde_json::from_reader(&mut unpacked);
    let got = size + 1 - unpacked.into_inner().limit();
    let body = body.map_err(|error| format!("it was altered: {error}"))?;
    let more = packed.fill_buf().map_err(|error| error.to_string())?;
    if got != size || !more.is_empty() {
        return Err("it was altered: its content is of another size than it says".to_owned());
    }
    Ok(body)
}

/// Hashes what passes through.
struct Hashed<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: BufRead> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Hashed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Ok(buffered) = self.inner.fill_buf() {
            self.hasher.update(&buffered[..count.min(buffered.len())]);
        }
        self.inner.consume(count);
    }
}
