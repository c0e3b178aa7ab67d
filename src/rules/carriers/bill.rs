//! The bills of materials in carriers, read.

use super::super::prelude::*;
use super::{Content, statement};
use crate::oci::{PredicateClass, Sbom, SbomFormat, predicate};

/// The SBOM in a content, in a carrier that is bound to `about`; or why it is none of that manifest.
///
/// Unknown when it cannot be read, or is in a format that is not read here.
pub(in super::super) fn sbom<'g>(
    content: &Content<'_>,
    about: &Digest,
    view: &View<'g>,
) -> Fact<Result<&'g Sbom, String>> {
    let (found, said) = match content {
        Content::Statement { layer, predicate_type } => {
            let statement = match statement(content, about, view)? {
                Ok(statement) => statement,
                Err(reason) => return Ok(Err(reason)),
            };
            let found = match &statement.sbom {
                Some(Ok(sbom)) => sbom,
                Some(Err(error)) => return Err(Why::sbom(reading(layer), error).into()),
                None if !statement.has_predicate => return Ok(Err("its statement says nothing".to_owned())),
                None => return Err(unread(layer)),
            };
            let said = match predicate::class(predicate_type) {
                PredicateClass::CycloneDx => SbomFormat::CycloneDx,
                _ => SbomFormat::Spdx,
            };
            (found, said)
        }
        Content::Sbom { media_type, layer } => {
            let said = match media_type.as_str() {
                name if name.contains("spdx") => SbomFormat::Spdx,
                name if name.contains("cyclonedx") => SbomFormat::CycloneDx,
                _ => return Err(unread(layer)),
            };
            (view.sbom(layer)?, said)
        }
        other => return Ok(Err(format!("it holds {other}"))),
    };
    let agrees = found.format == said;
    Ok(if agrees { Ok(found) } else { Err(format!("it is called {said} and holds {}", found.format)) })
}

fn reading(layer: &Descriptor) -> String {
    format!("reading SBOM {}", super::index::short(layer))
}

fn unread(layer: &Descriptor) -> Stop {
    Why::undecidable(
        reading(layer),
        "only SPDX and CycloneDX are looked into, not the formats of Syft and Docker Scout",
    )
    .into()
}
