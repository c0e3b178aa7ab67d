//! Which names the Go programs that read images know at which place of a document.
//!
//! The names are those of the structs in opencontainers/image-spec, moby (`image`, `api/types/container`,
//! docker-image-spec), containers/image (`manifest`), containerd and go-containerregistry, all of them together: a name that
//! only one of these programs mistakes for a known one is ambiguous already. Where they decode into a map (annotations,
//! labels, ports, volumes) names are taken as they are.

use super::pointer_unescape;

/// What a document is expected to be, which says where names are compared with the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A manifest or an index of any kind: the known names of all of them, so that a body is checked before its kind is
    /// known.
    Manifest,
    /// An image config.
    Config,
    /// Something else: duplicate names only.
    Any,
    /// No check of names: statements and SBOMs, which no runtime decodes.
    Lenient,
}

impl Shape {
    pub(super) fn root(self) -> Place {
        match self {
            Shape::Manifest => Place::Object(MANIFEST),
            Shape::Config => Place::Object(CONFIG),
            Shape::Any | Shape::Lenient => Place::Any,
        }
    }
}

/// The first name in an RFC 6901 pointer that differs from a known one only as Go takes names for the same, and the known one.
pub(crate) fn misspelt(shape: Shape, pointer: &str) -> Option<(String, &'static str)> {
    let mut place = shape.root();
    for segment in pointer.split('/').skip(1) {
        let segment = pointer_unescape(segment);
        let Some(names) = place.names() else {
            place = place.element();
            continue;
        };
        place = match (names.exact(&segment), names.folded(&segment)) {
            (Some(place), _) => place,
            (None, Some((known, _))) => return Some((segment.into_owned(), known)),
            (None, None) => return None,
        };
    }
    None
}

/// How Go decodes what stands at a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Into a map, a plain value, or not at all: names are taken as they are.
    Any,
    /// Into a struct with these fields.
    Object(Names),
    /// Into a list of such structs.
    List(Names),
}

impl Place {
    pub(super) fn element(self) -> Place {
        match self {
            Place::List(names) => Place::Object(names),
            Place::Any | Place::Object(_) => Place::Any,
        }
    }

    pub(super) fn names(self) -> Option<Names> {
        match self {
            Place::Object(names) => Some(names),
            Place::Any | Place::List(_) => None,
        }
    }
}

/// The fields of a struct.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    /// Fields whose values hold no struct.
    plain: &'static [&'static str],
    /// Fields whose values do.
    nested: &'static [(&'static str, Place)],
}

impl Names {
    const fn plain(plain: &'static [&'static str]) -> Names {
        Names { plain, nested: &[] }
    }

    /// The place of the field of exactly this name.
    pub(super) fn exact(self, name: &str) -> Option<Place> {
        self.fields().find(|(known, _)| *known == name).map(|(_, place)| place)
    }

    /// The field that Go's `encoding/json` takes this name for.
    pub(super) fn folded(self, name: &str) -> Option<(&'static str, Place)> {
        self.fields().find(|(known, _)| folds_to(name, known))
    }

    fn fields(self) -> impl Iterator<Item = (&'static str, Place)> {
        let plain = self.plain.iter().map(|name| (*name, Place::Any));
        plain.chain(self.nested.iter().copied())
    }
}

/// Whether the name equals the ASCII name `known` under Unicode's simple folding, as Go compares: besides upper and lower
/// case, U+017F (ſ) folds to s and U+212A (the Kelvin sign) to k.
fn folds_to(name: &str, known: &str) -> bool {
    let folded = name.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    });
    folded.eq(known.chars().map(|c| c.to_ascii_lowercase()))
}

const PLATFORM: Names = Names::plain(&["architecture", "os", "os.version", "os.features", "variant", "features"]);

const DESCRIPTOR: Names = Names {
    plain: &["mediaType", "digest", "size", "urls", "annotations", "data", "artifactType"],
    nested: &[("platform", Place::Object(PLATFORM))],
};

const MANIFEST: Names = Names {
    plain: &[
        "schemaVersion",
        "mediaType",
        "artifactType",
        "annotations",
        // Schema 1:
        "name",
        "tag",
        "architecture",
        "signatures",
    ],
    nested: &[
        ("config", Place::Object(DESCRIPTOR)),
        ("layers", Place::List(DESCRIPTOR)),
        ("manifests", Place::List(DESCRIPTOR)),
        ("subject", Place::Object(DESCRIPTOR)),
        // The artifact manifests that preceded image-spec 1.1:
        ("blobs", Place::List(DESCRIPTOR)),
        ("refers", Place::Object(DESCRIPTOR)),
        // Schema 1:
        ("fsLayers", Place::List(Names::plain(&["blobSum"]))),
        ("history", Place::List(Names::plain(&["v1Compatibility"]))),
    ],
};

const CONFIG: Names = Names {
    plain: &[
        "created",
        "author",
        "architecture",
        "variant",
        "os",
        "os.version",
        "os.features",
        // Docker's:
        "id",
        "parent",
        "comment",
        "container",
        "docker_version",
        "Size",
        "throwaway",
    ],
    nested: &[
        ("config", Place::Object(RUN)),
        ("container_config", Place::Object(RUN)),
        ("rootfs", Place::Object(Names::plain(&["type", "diff_ids"]))),
        ("history", Place::List(HISTORY)),
    ],
};

const HISTORY: Names = Names::plain(&["created", "created_by", "author", "comment", "empty_layer"]);

/// What a container is run with: the object `config`.
const RUN: Names = Names {
    plain: &[
        "User",
        "ExposedPorts",
        "Env",
        "Entrypoint",
        "Cmd",
        "Volumes",
        "WorkingDir",
        "Labels",
        "StopSignal",
        "ArgsEscaped",
        // Reserved by the image-spec, or Docker's:
        "Memory",
        "MemorySwap",
        "CpuShares",
        "OnBuild",
        "Shell",
        "Hostname",
        "Domainname",
        "AttachStdin",
        "AttachStdout",
        "AttachStderr",
        "Tty",
        "OpenStdin",
        "StdinOnce",
        "Image",
        "NetworkDisabled",
        "MacAddress",
        "StopTimeout",
    ],
    nested: &[("Healthcheck", Place::Object(HEALTHCHECK))],
};

const HEALTHCHECK: Names = Names::plain(&["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"]);

#[cfg(test)]
mod tests {
    use super::{Shape, misspelt};

    #[test]
    fn names_that_go_takes_for_others_are_misspelt() {
        let of = |shape, pointer: &str| misspelt(shape, pointer).map(|(_, known)| known);
        assert_eq!(of(Shape::Config, "/config/user"), Some("User"));
        assert_eq!(of(Shape::Config, "/Config/User"), Some("config"));
        assert_eq!(of(Shape::Config, "/history/3/Created_By"), Some("created_by"));
        assert_eq!(of(Shape::Manifest, "/layers/0/mediatype"), Some("mediaType"));
        for right in ["/config/User", "/config/Labels/user", "/config/own", "/own/User", "/history/created", ""] {
            assert_eq!(of(Shape::Config, right), None, "{right}");
        }
    }
}
