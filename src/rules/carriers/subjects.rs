//! What a statement says that it is about.

use super::super::prelude::*;
use crate::oci::{Statement, StatementSubject};

/// How many digests a message names.
const NAMED: usize = 2;

/// Why a statement says nothing of the manifest that it is attached to: it names what it is about, and that is not there.
pub(in super::super) fn is_about_another(statement: &Statement, about: &Digest) -> Option<String> {
    are_others(&statement.subjects, about)
}

/// The same of the subjects of a statement.
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
    format!("{}:{}", Untrusted(algorithm), Untrusted(&start))
}
