//! What a statement says that it is about.

use super::super::prelude::*;
use super::Content;
use crate::oci::{Statement, StatementSubject};

/// How many digests a message names.
const NAMED: usize = 2;

/// The statement in a content, in a carrier that is bound to `about`; or why it is none of that manifest: what the manifest and
/// the index say of a statement are copies, and a statement that was made for another image can be attached to this one.
pub(in super::super) fn statement<'g>(
    content: &Content<'_>,
    about: &Digest,
    view: &View<'g>,
) -> Fact<Result<&'g Statement, String>> {
    let Content::Statement { layer, predicate_type } = content else { return Ok(Err(format!("it holds {content}"))) };
    let statement = view.statement(layer)?;
    if let Some(reason) = is_called_otherwise(predicate_type, &statement.predicate_type) {
        return Ok(Err(reason));
    }
    Ok(are_others(&statement.subjects, about).map_or(Ok(statement), Err))
}

/// Why a content is none of the manifest that its carrier is bound to, which only a statement tells.
pub(in super::super) fn own(content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<(), String>> {
    match content {
        Content::Statement { .. } => Ok(statement(content, about, view)?.map(drop)),
        _ => Ok(Ok(())),
    }
}

/// Why a statement is not what its manifest says.
pub(in super::super) fn is_called_otherwise(said: &str, own: &str) -> Option<String> {
    let (said_shown, own_shown) = (ImageText(said), ImageText(own));
    (said != own).then(|| format!("it says '{said_shown}' of a statement of type '{own_shown}'"))
}

/// Why a statement with these subjects says nothing of the manifest that it is attached to: it names what it is about, and that
/// is not there.
pub(in super::super) fn are_others(subjects: &[StatementSubject], about: &Digest) -> Option<String> {
    let strangers = strangers(subjects, about)?;
    Some(format!("its statement is about {strangers}, not about {}", about.short()))
}

/// The digests that a statement is about, if it names any and not this one.
fn strangers(subjects: &[StatementSubject], about: &Digest) -> Option<String> {
    let named = subjects.iter().flat_map(|subject| &subject.digests);
    let own = (about.algorithm().as_str(), about.hex());
    if named.clone().any(|(algorithm, hex)| algorithm == own.0 && hex.eq_ignore_ascii_case(own.1)) {
        return None;
    }
    let mut shown: Vec<String> = named.clone().take(NAMED).map(|(algorithm, hex)| shortened(algorithm, hex)).collect();
    let more = named.count() - shown.len();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    (!shown.is_empty()).then(|| words::listed(shown))
}

fn shortened(algorithm: &str, hex: &str) -> String {
    let start: String = hex.chars().take(12).collect();
    format!("{}:{}", ImageText(algorithm), ImageText(&start))
}
