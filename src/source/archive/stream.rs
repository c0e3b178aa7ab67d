//! The bytes of a tar file, unpacked on the way if it is compressed, and never more than is reasonable.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::graph::Cause;

/// An archive may unpack to so many times its compressed size …
const MAX_RATIO: u64 = 200;

/// … and this many bytes on top, so that small archives of zeros are still read.
const RATIO_SLACK: u64 = 64 << 20;

/// No archive unpacks to more, in bytes.
const MAX_UNPACKED: u64 = 256 << 30;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// Tells from the file's first bytes how it is packed.
    pub(super) fn of(start: &[u8]) -> Result<Self, Cause> {
        let refuse = |name: &str| Cause::Unreadable {
            detail: format!("it is packed with {name}: unpack it first, or pack it with gzip or zstd"),
        };
        match start {
            [0x1f, 0x8b, ..] => Ok(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Err(refuse("xz")),
            [b'B', b'Z', b'h', ..] => Err(refuse("bzip2")),
            [b'P', b'K', 3, 4, ..] => Err(refuse("zip")),
            _ => Ok(Self::Plain),
        }
    }
}

/// What is known about a stream while others read from it.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// Where in the unpacked bytes the stream stands.
    position: Cell<u64>,
    /// How many bytes may still be read before [`Gauge::allow`] is called again.
    allowance: Cell<u64>,
    /// How many bytes of the compressed file were read.
    packed: Cell<u64>,
    /// Whether more bytes were wanted than there are.
    ended: Cell<bool>,
    /// Whether more bytes of the compressed file were wanted than there are, which is as it should be at its end.
    starved: Cell<bool>,
    /// Why reading was refused.
    refusal: RefCell<Option<Cause>>,
}

impl Gauge {
    pub(super) fn position(&self) -> u64 {
        self.position.get()
    }

    /// Allows so many bytes to be read; skipping is free.
    pub(super) fn allow(&self, bytes: u64) {
        self.allowance.set(bytes);
    }

    /// What an error of the stream, or of something that reads from it, amounts to.
    pub(super) fn cause(&self, error: &io::Error) -> Cause {
        if let Some(cause) = self.refusal.borrow().clone() {
            return cause;
        }
        if self.ended.get() || self.starved.get() || error.kind() == io::ErrorKind::UnexpectedEof {
            return self.truncated();
        }
        Cause::Unreadable { detail: format!("{error}, {} bytes into the tar", self.position()) }
    }

    /// Whether more bytes were wanted than there are.
    pub(super) fn ended(&self) -> bool {
        self.ended.get()
    }

    pub(super) fn truncated(&self) -> Cause {
        Cause::Truncated { got: self.position() }
    }

    fn refuse(&self, cause: Cause) -> io::Error {
        *self.refusal.borrow_mut() = Some(cause);
        io::Error::other("refused")
    }
}

/// The unpacked bytes of a file, read forwards.
pub(super) struct Stream {
    source: Source,
    gauge: Rc<Gauge>,
}

enum Source {
    Plain { file: BufReader<File>, size: u64 },
    Packed(Box<dyn Read>),
}

impl Stream {
    /// The bytes from the file's start on.
    pub(super) fn new(file: &File, packing: Packing) -> Result<Self, Cause> {
        let gauge = Rc::<Gauge>::default();
        let source = Source::open(file, packing, &gauge);
        let source = source.map_err(|error| Cause::File { detail: error.to_string() })?;
        Ok(Self { source, gauge })
    }

    pub(super) fn gauge(&self) -> Rc<Gauge> {
        Rc::clone(&self.gauge)
    }

    fn advance(&self, bytes: u64) -> io::Result<()> {
        let position = self.gauge.position().saturating_add(bytes);
        self.gauge.position.set(position);
        if matches!(self.source, Source::Plain { .. }) {
            return Ok(());
        }
        let fair = self.gauge.packed.get().saturating_mul(MAX_RATIO).saturating_add(RATIO_SLACK);
        if position > fair {
            let what = format!("an archive that unpacks to more than {MAX_RATIO} times its size");
            return Err(self.gauge.refuse(Cause::Budget { what }));
        }
        if position > MAX_UNPACKED {
            return Err(self.gauge.refuse(Cause::Budget { what: "256 GiB of an unpacked archive".to_owned() }));
        }
        Ok(())
    }

    fn take_in(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.source {
            Source::Plain { file, .. } => file.read(buffer)?,
            Source::Packed(unpacked) => unpacked.read(buffer)?,
        };
        if count == 0 && !buffer.is_empty() {
            self.gauge.ended.set(true);
        }
        self.advance(count as u64)?;
        Ok(count)
    }
}

impl Source {
    fn open(file: &File, packing: Packing, gauge: &Rc<Gauge>) -> io::Result<Self> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let size = file.metadata()?.len();
        let counted = |file| BufReader::with_capacity(1 << 16, Counted { file, gauge: Rc::clone(gauge) });
        Ok(match packing {
            Packing::Plain => Self::Plain { file: BufReader::with_capacity(1 << 14, file), size },
            Packing::Gzip => Self::Packed(Box::new(MultiGzDecoder::new(counted(file)))),
            Packing::Zstd => Self::Packed(Box::new(Frames::new(counted(file)))),
        })
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowance = self.gauge.allowance.get();
        if allowance == 0 && !buffer.is_empty() {
            let detail = format!("a member's header at {} is longer than any that is in use", self.gauge.position());
            return Err(self.gauge.refuse(Cause::Unreadable { detail }));
        }
        let length = buffer.len().min(usize::try_from(allowance).unwrap_or(usize::MAX));
        let count = self.take_in(&mut buffer[..length])?;
        self.gauge.allowance.set(allowance.saturating_sub(count as u64));
        Ok(count)
    }
}

/// Goes forwards only: what [`tar`] skips. Bytes that are not there are an error, as they are when they are read.
impl Seek for Stream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Current(forwards) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        let mut left = u64::try_from(forwards).map_err(|_| io::ErrorKind::Unsupported)?;
        if let Source::Plain { file, size } = &mut self.source {
            let there = size.saturating_sub(self.gauge.position());
            file.seek_relative(i64::try_from(left.min(there)).unwrap_or(i64::MAX))?;
            self.advance(left.min(there))?;
            left -= left.min(there);
        } else {
            let mut discarded = [0; 1 << 14];
            while left > 0 {
                let length = discarded.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let count = self.take_in(&mut discarded[..length])?;
                if count == 0 {
                    break;
                }
                left -= count as u64;
            }
        }
        if left > 0 {
            self.gauge.ended.set(true);
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.gauge.position())
    }
}

/// Counts what is read of the compressed file.
struct Counted {
    file: File,
    gauge: Rc<Gauge>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count == 0 {
            self.gauge.starved.set(true);
        }
        self.gauge.packed.set(self.gauge.packed.get().saturating_add(count as u64));
        Ok(count)
    }
}

/// The frames of a zstd file, one after the other; what pzstd and others write between them is skipped.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    within: bool,
}

impl<R: BufRead> Frames<R> {
    fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), within: false }
    }

    /// Enters the next frame, if there is one.
    fn enter(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut self.source.by_ref().take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.within {
                self.within = self.enter()?;
                if !self.within {
                    return Ok(0);
                }
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                self.within = false;
            } else {
                let blocks = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
                blocks.map_err(io::Error::other)?;
            }
        }
    }
}
