//! Why something could not be known.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::oci::{Escaped, SbomError, StatementError, StatementTextError, Untrusted};

/// Why a fact could not be known: what was being done, on what, and what stood in the way.
///
/// A closed vocabulary, clonable and serialisable, never holding a secret: it goes into reports as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// What was being done, on what: "reading manifest sha256:… of ghcr.io/acme/app".
    pub doing: String,
    /// What stood in the way.
    pub cause: Cause,
}

/// What stood in the way of knowing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cause {
    /// No connection: name, address, TLS, reset.
    Unreachable {
        /// What the network said.
        detail: String,
    },
    /// No answer, or not the whole of it, within the time for one request.
    Timeout {
        /// The limit that ran out, in seconds.
        seconds: u64,
    },
    /// The time for the image or for the run (`--deadline`) ran out.
    Deadline,
    /// The run was interrupted.
    Cancelled,
    /// The registry wants credentials, or refused those it was given (401).
    Unauthorized {
        /// What the registry or the token server said.
        detail: String,
    },
    /// The registry refuses access (403).
    Forbidden {
        /// What the registry said.
        detail: String,
    },
    /// Credentials could not be obtained: a helper failed, a file is unreadable.
    Credentials {
        /// What failed, without any secret.
        detail: String,
    },
    /// It is not there (404, a missing blob file).
    NotFound {
        /// What the registry said, or which names there are.
        detail: String,
    },
    /// The registry limits the rate (429) and went on doing so.
    RateLimited,
    /// The registry answered with an unexpected status.
    Status {
        /// The HTTP status.
        code: u16,
        /// What the registry said.
        detail: String,
    },
    /// A redirect that must not be followed.
    Redirect {
        /// Where to, and why not.
        detail: String,
    },
    /// The answer is no document of the kind that was asked for: HTML, empty, a login page, the wrong `Content-Type`.
    NotTheDocument {
        /// What came instead.
        detail: String,
    },
    /// The answer is encoded (gzip, br) although identity was asked for.
    Encoded {
        /// The `Content-Encoding`.
        encoding: String,
    },
    /// The body ended before its announced end.
    Truncated {
        /// Bytes that came.
        got: u64,
    },
    /// Larger than what is read of such a thing.
    TooLarge {
        /// The limit, in bytes.
        cap: u64,
    },
    /// A limit for the whole image was reached.
    Budget {
        /// Which limit.
        what: String,
    },
    /// The bytes do not have the digest that was asked for.
    DigestMismatch {
        /// The digest asked for.
        wanted: String,
        /// The digest of the bytes, or the one that the registry announced.
        got: String,
    },
    /// The size differs from the descriptor's.
    SizeMismatch {
        /// The descriptor's size, in bytes.
        wanted: u64,
        /// The size of what came, in bytes.
        got: u64,
    },
    /// A descriptor's digest is malformed or of an algorithm that cannot be checked here.
    BadDigest {
        /// What is wrong with it.
        detail: String,
    },
    /// The document can be read in more than one way; the rule `document` says how.
    Ambiguous {
        /// The first ambiguity.
        detail: String,
    },
    /// The bytes have the digest asked for, and are no such document.
    Unreadable {
        /// What is wrong with them.
        detail: String,
    },
    /// The bytes have the digest asked for and can be read, and are a document of another kind.
    OtherDocument {
        /// What they are.
        detail: String,
    },
    /// A list that goes on for ever, or pages that lead elsewhere.
    Paging {
        /// What is wrong with the pages.
        detail: String,
    },
    /// A classic `docker save` archive holds no manifest.
    NoManifest,
    /// The image has no such platform.
    PlatformAbsent {
        /// The platform asked for.
        platform: String,
        /// The platforms there are.
        has: String,
    },
    /// The reference is no runnable image.
    NotAnImage {
        /// What it is.
        detail: String,
    },
    /// A file could not be read.
    File {
        /// What the system said.
        detail: String,
    },
    /// A snapshot that is cut short, altered, or of another version.
    Snapshot {
        /// What is wrong with it.
        detail: String,
    },
    /// The snapshot does not hold it: nobody asked for it when the snapshot was taken.
    NotInSnapshot,
    /// The facts led to ever more facts.
    Rounds,
    /// The facts are known, and do not decide the question.
    Undecidable {
        /// Why not.
        detail: String,
    },
}

impl Why {
    /// A reason from what was being done and what stood in the way.
    pub fn new(doing: impl Into<String>, cause: Cause) -> Self {
        Self { doing: doing.into(), cause }
    }

    /// Why there is no statement. That a document is another one is known of it; what cannot be read may hold one all the same,
    /// for other readers.
    pub fn statement(doing: impl Into<String>, error: &StatementError) -> Self {
        let detail = error.to_string();
        match error {
            StatementError::NotAStatement { .. } => Self::new(doing, Cause::OtherDocument { detail }),
            _ => Self::new(doing, Cause::Unreadable { detail }),
        }
    }

    /// Why a statement is not read as a whole.
    pub fn statement_text(doing: impl Into<String>, error: &StatementTextError) -> Self {
        let detail = error.to_string();
        match error {
            StatementTextError::TooLarge => Self::new(doing, Cause::Budget { what: detail }),
            StatementTextError::Ambiguous(_) => Self::new(doing, Cause::Ambiguous { detail }),
            StatementTextError::Unreadable(_) => Self::new(doing, Cause::Unreadable { detail }),
        }
    }

    /// Why a document was not read as a bill of materials.
    pub fn sbom(doing: impl Into<String>, error: &SbomError) -> Self {
        let detail = error.to_string();
        match error {
            SbomError::TooLarge => Self::new(doing, Cause::Budget { what: detail }),
            SbomError::NotAnSbom(_) => Self::new(doing, Cause::OtherDocument { detail }),
            _ => Self::new(doing, Cause::Unreadable { detail }),
        }
    }

    /// The known facts do not decide the question.
    pub fn undecidable(doing: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(doing, Cause::Undecidable { detail: detail.into() })
    }

    /// The same reason, with what it was done for.
    #[must_use]
    pub fn within(self, purpose: &str) -> Self {
        Self::new(format!("{purpose}: {}", self.doing), self.cause)
    }

    /// The same reason, where it does not say what was being done with that said by whoever asked.
    #[must_use]
    pub fn or_doing(self, doing: impl Into<String>) -> Self {
        if self.doing.is_empty() { Self::new(doing, self.cause) } else { self }
    }

    /// What to do next, as one sentence.
    pub fn help(&self) -> &'static str {
        self.cause.help()
    }
}

impl Display for Why {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Escaped(&self.doing), self.cause)
    }
}

impl std::error::Error for Why {}

impl Display for Cause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let said = |f: &mut Formatter<'_>, what: &str, detail: &str| {
            if detail.is_empty() { f.write_str(what) } else { write!(f, "{what}: {}", Escaped(detail)) }
        };
        match self {
            Self::Unreachable { detail } => said(f, "no connection", detail),
            Self::Timeout { seconds } => write!(f, "no complete answer within {seconds} s"),
            Self::Deadline => f.write_str("the deadline passed"),
            Self::Cancelled => f.write_str("interrupted"),
            Self::Unauthorized { detail } => said(f, "the registry wants other credentials (401)", detail),
            Self::Forbidden { detail } => said(f, "the registry refuses access (403)", detail),
            Self::Credentials { detail } => said(f, "no credentials could be obtained", detail),
            Self::NotFound { detail } => said(f, "not found", detail),
            Self::RateLimited => f.write_str("the registry limits the rate of requests (429)"),
            Self::Status { code, detail } => said(f, &format!("the registry answered with status {code}"), detail),
            Self::Redirect { detail } => said(f, "a redirect that is not followed", detail),
            Self::NotTheDocument { detail } => said(f, "the answer is no such document", detail),
            Self::Encoded { encoding } => said(f, "the answer is encoded although it was asked for plain", encoding),
            Self::Truncated { got } => write!(f, "it broke off after {got} bytes"),
            Self::TooLarge { cap } => write!(f, "larger than the {} that are read of such a thing", size(*cap)),
            Self::Budget { what } => said(f, "a limit for one image was reached", what),
            Self::DigestMismatch { wanted, got } => {
                write!(f, "asked for {}, got {}", Untrusted(wanted), Untrusted(got))
            }
            Self::SizeMismatch { wanted, got } => {
                write!(f, "the descriptor says {wanted} bytes, the document has {got}")
            }
            Self::BadDigest { detail } => said(f, "the digest cannot be used", detail),
            Self::Ambiguous { detail } => said(f, "the document can be read in more than one way", detail),
            Self::Unreadable { detail } => said(f, "the bytes are no such document", detail),
            Self::OtherDocument { detail } => said(f, "the bytes are another document", detail),
            Self::Paging { detail } => said(f, "the pages of the list do not end properly", detail),
            Self::NoManifest => f.write_str("a `docker save` archive in the classic form holds no manifest"),
            Self::PlatformAbsent { platform, has } => {
                write!(f, "the image has no {platform}; it has {}", Untrusted(has))
            }
            Self::NotAnImage { detail } => said(f, "this is no runnable image", detail),
            Self::File { detail } => said(f, "the file cannot be read", detail),
            Self::Snapshot { detail } => said(f, "the snapshot cannot be used", detail),
            Self::NotInSnapshot => f.write_str("not in the snapshot"),
            Self::Rounds => f.write_str("the facts led to more facts sixteen times over"),
            Self::Undecidable { detail } => Display::fmt(&Escaped(detail), f),
        }
    }
}

/// A limit: most are whole mebibytes.
fn size(bytes: u64) -> String {
    match (bytes >> 20, bytes % (1 << 20)) {
        (1.., 0) => format!("{} MiB", bytes >> 20),
        _ => format!("{bytes} bytes"),
    }
}

impl Cause {
    /// What to do next, as one sentence.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => {
                "check the host name, the network and proxies; for a registry without TLS say `--plain-http=HOST`, for a private CA `--ca-file`"
            }
            Self::Timeout { .. } | Self::Status { .. } => "try again; if it stays so, ask whoever runs the registry",
            Self::Truncated { .. } => {
                "try again; if it stays so, write the file again, or ask whoever runs the registry"
            }
            Self::Deadline => "give more time with `--deadline`, or check fewer images in one run",
            Self::Cancelled => "run again",
            Self::Unauthorized { .. } | Self::Forbidden { .. } => {
                "log in with `docker login` or `podman login`, or name the file that holds the credentials with `--registry-config`"
            }
            Self::Credentials { .. } => "mend the credential helper or the file; `docker login` writes a new entry",
            Self::NotFound { .. } => {
                "check the name; in a registry log in first, since a private repository may look as if it were not there"
            }
            Self::RateLimited => "wait, log in for a higher limit, or lower `--jobs`",
            Self::Redirect { .. } => "name the registry by the host that serves it",
            Self::NotTheDocument { .. } => {
                "look at what the registry answers there; a login page or a proxy often stands in between"
            }
            Self::Encoded { .. } => "a proxy alters the answers: go past it, or turn its compression off",
            Self::TooLarge { .. } | Self::Budget { .. } => "the document is unusually large: look at it by hand",
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } => {
                "the image is damaged or was tampered with: push it again, and look at whoever stands between you and the registry"
            }
            Self::BadDigest { .. } => {
                "push the image again with a current tool: only sha256 and sha512 in lower case can be checked"
            }
            Self::Ambiguous { .. } => {
                "rebuild the image with a current tool, and find out who wrote the document: two readers see two images in it"
            }
            Self::Unreadable { .. } | Self::OtherDocument { .. } => {
                "write it again with a current tool: the image, or what was attached to it"
            }
            Self::Paging { .. } => "ask whoever runs the registry",
            Self::NoManifest => {
                "save the image with `docker buildx build --output type=oci,dest=FILE`, or push it and check the reference"
            }
            Self::PlatformAbsent { .. } => {
                "name a platform that the image has, or build it: `docker buildx build --platform …`"
            }
            Self::NotAnImage { .. } => "name an image, or allow the type with `[rules.artifact-type] allow = [\"…\"]`",
            Self::File { .. } => "check the path and its permissions",
            Self::Snapshot { .. } => "take it again with `ocilint snapshot`",
            Self::NotInSnapshot => "take the snapshot again with this policy: `ocilint snapshot … --policy …`",
            Self::Rounds => "the image is unusually deep: check one of its platforms by digest",
            Self::Undecidable { .. } => {
                "scope the rule to images and platforms for which it can be decided, or waive it with a reason"
            }
        }
    }
}
