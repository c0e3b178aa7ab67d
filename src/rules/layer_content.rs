use std::fmt::{self, Display};

use super::layers;
use super::prelude::*;
use crate::graph::LayerHead;
use crate::oci::{Compression, LayerClass};

/// Layers of one platform beyond which none is fetched. No runtime mounts as many.
const MAX_LAYERS: usize = 1_000;

declare_rule! {
    /// The layers are compressed the way their media types say.
    ///
    /// # What it checks
    ///
    /// The first 512 bytes of every layer against its media type: gzip, zstd, or plain tar.
    ///
    /// Layers of up to 64 KiB are fetched whole and hashed; of larger ones only the beginning is asked for, whose bytes the digest
    /// does not prove. The evidence says which (`whole`, `range`). Not looked at: foreign layers, which are never fetched; encrypted
    /// layers, whose bytes look random; overlaybd and Nydus blobs, which have formats of their own; types that say nothing about the
    /// compression.
    ///
    /// # Why
    ///
    /// containerd, Docker and Podman look at the bytes and mostly cope with a wrong type. Strict clients, scanners and lazy-pulling
    /// snapshotters go by the type and fail, or skip the layer. Old versions of buildah and skopeo wrote gzip under the
    /// uncompressed type, containerd's import has written zstd under the gzip type, and proxies decompress what they pass on.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.layer-content]
    /// level = "warning"
    /// ```
    ///
    /// # Parameters
    ///
    /// None.
    ///
    /// # How to fix
    ///
    /// Compress the layers again, which writes the types anew:
    ///
    /// ```sh
    /// docker buildx build --output type=registry,compression=gzip,force-compression=true -t IMAGE .
    /// regctl image mod IMAGE --layer-compress gzip --replace
    /// ```
    ///
    /// Either changes digests: sign afterwards.
    ///
    /// # What it cannot see
    ///
    /// Anything behind the first 512 bytes: a layer that breaks off, or the table of contents of eStargz and zstd:chunked.
    LayerContent: "layer-content"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct LayerContent {}

impl Check for LayerContent {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let layers = layers::of(entry, view)?;
        if layers.len() > MAX_LAYERS {
            let what = format!("the beginnings of {MAX_LAYERS} layers; this image has {}", layers.len());
            return Err(Why::new("looking at the layers", Cause::Budget { what }).into());
        }
        let mut findings = Findings::new();
        let mut tally = Tally::default();
        let mut mismatches: BTreeMap<(Compression, Content), Vec<usize>> = BTreeMap::new();
        for (position, layer) in layers.iter().enumerate() {
            let declared = match declared(layer) {
                Ok(declared) => declared,
                Err(reason) => {
                    *tally.exempt.entry(reason).or_default() += 1;
                    continue;
                }
            };
            // Every layer is asked for before the rule waits, so that all beginnings are fetched side by side.
            let Some(head) = findings.note(view.head(layer)) else { continue };
            match Content::of(head) {
                content if content.agrees(declared) => tally.add(head),
                content => mismatches.entry((declared, content)).or_default().push(position),
            }
        }
        for ((declared, content), positions) in &mismatches {
            let named = words::layers(positions, layers.len());
            let message = format!(
                "{named}: the type '{}' means {}, the bytes are {content}",
                ImageText(layers[positions[0]].media_type.as_str()),
                meaning(*declared)
            );
            let location = Location::manifest(entry, format!("/layers/{}/mediaType", positions[0]));
            findings.add_keyed(message, location, fix(view), format!("{declared} {content}"));
        }
        findings.verdict(|| tally.to_string())
    }
}

/// How the type says that the layer is compressed, or why its bytes are not looked at.
fn declared(layer: &Descriptor) -> Result<Compression, &'static str> {
    let classes = layer.layer_classes();
    if layer.media_type.is_foreign() {
        Err("foreign")
    } else if classes.contains(&LayerClass::Encrypted) {
        Err("encrypted")
    } else if classes.contains(&LayerClass::Overlaybd) {
        Err("overlaybd")
    } else if layer.media_type.layer_class() == Some(LayerClass::Nydus) {
        Err("Nydus")
    } else {
        layer.media_type.compression().ok_or("of a type that does not say")
    }
}

fn meaning(declared: Compression) -> &'static str {
    match declared {
        Compression::None => "plain tar",
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    }
}

/// What the first bytes of a layer show it to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    Empty,
    Tar,
    Gzip,
    Zstd,
    /// Something that is no layer: its name, with the article.
    Other(&'static str),
}

impl Content {
    /// Formats that a layer is not made of, by how they start.
    const OTHERS: [(&'static [u8], &'static str); 8] = [
        (b"\xfd7zXZ\x00", "xz"),
        (b"BZh", "bzip2"),
        (b"\x04\x22\x4d\x18", "lz4"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x7fELF", "an ELF program"),
        (b"\x00asm", "WebAssembly"),
        (b"{", "JSON"),
        (b"<", "a web page or XML"),
    ];

    fn of(head: &LayerHead) -> Self {
        let bytes = &head.bytes[..];
        if bytes.is_empty() {
            Self::Empty
        } else if bytes.starts_with(b"\x1f\x8b\x08") {
            Self::Gzip
        } else if bytes.starts_with(b"\x28\xb5\x2f\xfd") || is_skippable_frame(bytes) {
            Self::Zstd
        // A tar header may start with any name, `{` for example, so it is looked for before the others.
        } else if is_tar(bytes) {
            Self::Tar
        } else {
            let known = Self::OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic));
            Self::Other(known.map_or("of no known format", |(_, name)| name))
        }
    }

    /// Whether this is what the type says. An empty blob has nothing that could disagree; runtimes take it for an empty layer.
    fn agrees(self, declared: Compression) -> bool {
        match self {
            Self::Empty => true,
            Self::Tar => declared == Compression::None,
            Self::Gzip => declared == Compression::Gzip,
            Self::Zstd => declared == Compression::Zstd,
            Self::Other(_) => false,
        }
    }
}

impl Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Tar => "plain tar",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Other(name) => name,
        })
    }
}

/// A frame that zstd decoders skip (RFC 8878, section 3.1.2); a stream may start with one.
fn is_skippable_frame(bytes: &[u8]) -> bool {
    matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Whether the bytes start with a tar header, or with the zeros that end an archive: an empty one has nothing else.
///
/// The header is known by its checksum: the sum of its bytes, those of the checksum taken as spaces. The oldest tar files have
/// no other mark.
fn is_tar(bytes: &[u8]) -> bool {
    let Some(header) = bytes.first_chunk::<512>() else { return false };
    if header.iter().all(|byte| *byte == 0) {
        return true;
    }
    let field = 148..156;
    let digits = header[field.clone()]
        .iter()
        .copied()
        .skip_while(|byte| *byte == b' ')
        .take_while(|byte| matches!(byte, b'0'..=b'7'));
    let stated = digits.fold(0_u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
    let sum: u32 =
        header.iter().enumerate().map(|(at, byte)| if field.contains(&at) { 32 } else { u32::from(*byte) }).sum();
    stated == sum
}

/// What a pass rests on.
#[derive(Default)]
struct Tally {
    whole: usize,
    range: usize,
    exempt: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn add(&mut self, head: &LayerHead) {
        *(if head.whole { &mut self.whole } else { &mut self.range }) += 1;
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looked_at = self.whole + self.range;
        let agree = if looked_at == 1 { "agrees" } else { "agree" };
        write!(f, "{} {agree} (whole {}, range {})", words::count(looked_at, "layer"), self.whole, self.range)?;
        self.exempt.iter().try_for_each(|(reason, count)| write!(f, "; {count} {reason}, not looked at"))
    }
}

fn fix(view: &View<'_>) -> Fix {
    words::build(
        "docker buildx build --platform {} --output type=registry,compression=gzip,force-compression=true -t {} .",
        view,
    )
    .or(&Fix::new("regctl image mod {} --layer-compress gzip --replace").with(&push_name(view)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &[u8]) -> Content {
        Content::of(&LayerHead { bytes: bytes.to_vec().into(), whole: true })
    }

    fn tar_header(magic: &[u8]) -> Vec<u8> {
        let mut header = vec![0; 512];
        header[..5].copy_from_slice(b"{name");
        header[257..257 + magic.len()].copy_from_slice(magic);
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    }

    #[test]
    fn compression_is_known_by_the_first_bytes() {
        assert_eq!(content(b"\x1f\x8b\x08\x00rest"), Content::Gzip);
        assert_eq!(content(b"\x28\xb5\x2f\xfdrest"), Content::Zstd);
        assert_eq!(content(b"\x5a\x2a\x4d\x18rest"), Content::Zstd);
        assert_eq!(content(b"\xfd7zXZ\x00rest"), Content::Other("xz"));
        assert_eq!(content(b"\x1f\x8b"), Content::Other("of no known format"));
        assert_eq!(content(b"{}"), Content::Other("JSON"));
    }

    #[test]
    fn tar_is_known_by_its_checksum() {
        for magic in [&b"ustar\x0000"[..], b"ustar  \0", b""] {
            assert_eq!(content(&tar_header(magic)), Content::Tar);
        }
        let mut damaged = tar_header(b"ustar\x0000");
        damaged[0] = b'!';
        assert_eq!(content(&damaged), Content::Other("of no known format"));
    }

    #[test]
    fn an_empty_archive_is_tar_and_an_empty_blob_agrees_with_any_type() {
        assert_eq!(content(&[0; 512]), Content::Tar);
        assert_eq!(content(&[0; 511]), Content::Other("of no known format"));
        assert!(content(b"").agrees(Compression::Gzip));
        assert!(!content(&[0; 512]).agrees(Compression::Gzip));
    }
}
