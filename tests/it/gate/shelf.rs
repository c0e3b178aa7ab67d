//! Documents as text that refer to each other, so that a hostile byte stands in the data as it is.
//!
//! `${name}` in a text becomes the members of the descriptor of the document `name` (media type, digest and size, without
//! the braces), so that a changed config changes the manifest and the index above it. Further:
//!
//! | text | becomes |
//! |---|---|
//! | `${name.digest}` `${name.hex}` `${name.size}` `${name.type}` | one of these |
//! | `${name.text}` `${name.base64}` | the document itself |
//! | `${many:300:name}` | 300 copies of the text of `name` with commas between them, `#` in it counting up |
//! | `${spaces:9}` `${long:9}` `${nest:9}` `${byte:ff}` `${gzip:text}` | filler: blanks, letters, nested lists, one raw byte, compressed text |
//! | `${host}` and so on | a word that the scenario knows |

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;

use crate::support::sha256;

/// A document with its digest.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) bytes: Bytes,
    pub(crate) digest: String,
    pub(crate) media_type: String,
}

impl Built {
    pub(crate) fn is_manifest(&self) -> bool {
        ["manifest", "index", "prettyjws"].iter().any(|word| self.media_type.contains(word))
    }
}

/// Texts by name, and what was made of those that were asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf {
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) words: BTreeMap<String, String>,
    built: BTreeMap<String, Built>,
    under_way: BTreeSet<String>,
}

impl Shelf {
    pub(crate) fn new(texts: BTreeMap<String, String>, types: BTreeMap<String, String>) -> Self {
        Self { texts, types, ..Self::default() }
    }

    /// Everything that was asked for so far, and what that led to.
    pub(crate) fn built(&self) -> &BTreeMap<String, Built> {
        &self.built
    }

    /// The document of that name.
    pub(crate) fn build(&mut self, name: &str) -> Built {
        if let Some(built) = self.built.get(name) {
            return built.clone();
        }
        assert!(self.under_way.insert(name.to_owned()), "`{name}` refers to itself");
        let text = self.text(name);
        let bytes = Bytes::from(self.expand(&text));
        let built = Built { digest: sha256(&bytes), bytes, media_type: self.media_type(name) };
        self.under_way.remove(name);
        self.built.insert(name.to_owned(), built.clone());
        built
    }

    /// A text with everything in it replaced.
    pub(crate) fn expand(&mut self, text: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            let (what, after) = behind.split_once('}').unwrap_or_else(|| panic!("`${{` without an end: {behind:.60}"));
            out.extend_from_slice(before.as_bytes());
            out.extend(self.replacement(what));
            rest = after;
        }
        out.extend_from_slice(rest.as_bytes());
        out
    }

    /// The same of a text that stays text.
    pub(crate) fn expand_text(&mut self, text: &str) -> String {
        String::from_utf8(self.expand(text)).expect("a text")
    }

    fn replacement(&mut self, what: &str) -> Vec<u8> {
        if let Some(word) = self.words.get(what) {
            return word.clone().into_bytes();
        }
        if let Some((kind, argument)) = what.split_once(':') {
            return self.filler(kind, argument);
        }
        let (name, part) = what.split_once('.').unwrap_or((what, ""));
        let built = self.build(name);
        let Built { bytes, digest, media_type } = &built;
        match part {
            "" => format!(r#""mediaType":"{media_type}","digest":"{digest}","size":{}"#, bytes.len()).into_bytes(),
            "digest" => digest.clone().into_bytes(),
            "hex" => digest.replace("sha256:", "").into_bytes(),
            "size" => bytes.len().to_string().into_bytes(),
            "type" => media_type.clone().into_bytes(),
            "text" => bytes.to_vec(),
            "base64" => BASE64_STANDARD.encode(bytes).into_bytes(),
            other => panic!("`{other}` is no part of a document"),
        }
    }

    fn filler(&mut self, kind: &str, argument: &str) -> Vec<u8> {
        let number = |text: &str| text.parse::<usize>().unwrap_or_else(|_| panic!("`{text}` is no number"));
        match kind {
            "spaces" => vec![b' '; number(argument)],
            "long" => vec![b'x'; number(argument)],
            "nest" => ["[", "]"].map(|bracket| bracket.repeat(number(argument))).concat().into_bytes(),
            "byte" => vec![u8::from_str_radix(argument, 16).expect("two hexadecimal digits")],
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder
                    .write_all(argument.as_bytes())
                    .and_then(|()| encoder.finish())
                    .expect("a vector takes all bytes")
            }
            "many" => {
                let (count, name) = argument.split_once(':').expect("`many:COUNT:NAME`");
                let text = self.text(name);
                let copies = (0..number(count)).map(|at| self.expand(&text.replace('#', &at.to_string())));
                copies.collect::<Vec<_>>().join(&b','.to_owned())
            }
            other => panic!("`{other}` is no filler"),
        }
    }

    fn text(&self, name: &str) -> String {
        self.texts.get(name).unwrap_or_else(|| panic!("there is no document `{name}`")).clone()
    }

    /// The type under the longest name that `name` begins with: `config-root` is a `config`.
    fn media_type(&self, name: &str) -> String {
        let mut fitting =
            self.types.iter().filter(|(prefix, _)| name == prefix.as_str() || name.starts_with(&format!("{prefix}-")));
        let longest = fitting.by_ref().max_by_key(|(prefix, _)| prefix.len());
        longest.unwrap_or_else(|| panic!("no media type for `{name}`")).1.clone()
    }
}
