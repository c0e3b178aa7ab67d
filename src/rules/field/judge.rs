//! From values to a verdict.

use serde_json::Value;

use super::super::prelude::*;
use super::super::sensitive;
use super::Quantifier;
use super::comparison::{Comparison, Outcome};
use super::documents::{Documents, Part};
use super::selector::{Selector, pointers};
use super::shown::shown;

/// Findings of one subject; beyond these the rest is only counted.
const FINDINGS: usize = 10;

/// A value that was compared, or what was found instead of one.
#[derive(Debug, Clone, Copy)]
struct Compared<'d> {
    part: Part<'d>,
    /// `None`: nothing is selected there.
    value: Option<&'d Value>,
    outcome: Outcome,
}

/// Compares what is selected, and counts as the quantifier says.
pub(super) fn judge(
    documents: &Documents,
    selector: Selector<'_>,
    comparison: &Comparison<'_>,
    quantifier: Quantifier,
    fix: &dyn Fn() -> Fix,
) -> Fact<Verdict> {
    let compared: Vec<Compared<'_>> = documents.parts().flat_map(|part| compare(part, selector, comparison)).collect();
    let words = Words { documents, selector, comparison };
    let mut findings = Findings::new();
    let met = |compared: &&Compared<'_>| compared.outcome == Outcome::Met;
    match quantifier {
        Quantifier::All => {
            let failed: Vec<_> = compared.iter().filter(|compared| !met(compared)).collect();
            words.report(&failed, &format!("wanted {comparison}"), &mut findings, fix);
        }
        Quantifier::Any if compared.iter().any(|compared| met(&compared)) => {}
        Quantifier::Any => {
            let (message, location) = words.nothing_met(&compared);
            findings.add(message, location, fix());
        }
        Quantifier::None => {
            let refused: Vec<_> = compared.iter().filter(met).collect();
            words.report(&refused, &format!("`none` refuses {comparison}"), &mut findings, fix);
            if let Some((compared, kind)) = compared.iter().find_map(|compared| match compared.outcome {
                Outcome::NoSuch(kind) if compared.value.is_some() => Some((compared, kind)),
                _ => None,
            }) {
                let detail = format!("{}, which is no {kind}", words.said(compared, &words.pointers(&[compared])[0]));
                findings.stop(Why::undecidable("comparing a field", detail).into());
            }
        }
    }
    findings.verdict(|| words.evidence(&compared, quantifier))
}

/// Compares what is selected of one document. Nothing there meets only what wants nothing there.
fn compare<'d>(part: Part<'d>, selector: Selector<'_>, comparison: &Comparison<'_>) -> Vec<Compared<'d>> {
    let values = selector.select(part.value);
    if values.is_empty() {
        let outcome = if matches!(comparison, Comparison::Exists(false)) { Outcome::Met } else { Outcome::Failed };
        return vec![Compared { part, value: None, outcome }];
    }
    values.into_iter().map(|value| Compared { part, value: Some(value), outcome: comparison.of(value) }).collect()
}

/// What is said of values.
struct Words<'w> {
    documents: &'w Documents,
    selector: Selector<'w>,
    comparison: &'w Comparison<'w>,
}

impl Words<'_> {
    /// Adds a finding for each of these, up to a number of them.
    fn report(&self, wrong: &[&Compared<'_>], wanted: &str, findings: &mut Findings, fix: &dyn Fn() -> Fix) {
        let shown = &wrong[..wrong.len().min(FINDINGS)];
        for (compared, pointer) in shown.iter().zip(self.pointers(shown)) {
            let kind = match compared.outcome {
                Outcome::NoSuch(kind) => format!(", which is no {kind}"),
                Outcome::Met | Outcome::Failed => String::new(),
            };
            let message = format!("{}{kind}; {wanted}", self.said(compared, &pointer));
            findings.add(message, self.documents.at(compared.part, &pointer), fix());
        }
        if let Some(next) = wrong.get(FINDINGS) {
            let message =
                format!("{} like that in {}", words::count(wrong.len() - FINDINGS, "more value"), self.documents.noun);
            findings.add_keyed(message, self.documents.at(next.part, ""), fix(), "more");
        }
    }

    /// What to say where no value meets the comparison.
    fn nothing_met(&self, compared: &[Compared<'_>]) -> (String, Location) {
        let wanted = format!("wanted {}", self.comparison);
        let values: Vec<&Compared<'_>> = compared.iter().filter(|compared| compared.value.is_some()).collect();
        match (&values[..], compared.first()) {
            ([first, rest @ ..], _) => {
                let pointer = self.pointers(&[first]).remove(0);
                let others = match rest.len() {
                    0 => String::new(),
                    number => format!(", and {} no better", words::count(number, "other value")),
                };
                let location = self.documents.at(first.part, &pointer);
                (format!("{}{others}; {wanted}", self.said(first, &pointer)), location)
            }
            ([], Some(absent)) => {
                let message = format!("{} has nothing at {}; {wanted}", self.documents.noun, self.name(""));
                (message, self.documents.at(absent.part, ""))
            }
            ([], None) => (format!("the image has no layers; {wanted}"), self.documents.root()),
        }
    }

    /// The pointers of values in their documents; where there is none, that of what the pointer leads through.
    fn pointers(&self, compared: &[&Compared<'_>]) -> Vec<String> {
        let absent =
            |part: Part<'_>| self.selector.pointer().map_or(String::new(), |wanted| nearest(part.value, wanted));
        let one = |compared: &&Compared<'_>| match (compared.value, self.selector.pointer()) {
            (None, _) => absent(compared.part),
            (Some(_), Some(pointer)) => pointer.to_owned(),
            (Some(value), None) => pointers(compared.part.value, &[value]).remove(0),
        };
        compared.iter().map(one).collect()
    }

    /// `/config/User in the config is 'root'`.
    fn said(&self, compared: &Compared<'_>, pointer: &str) -> String {
        let name = compared.part.name;
        match compared.value {
            None => format!("{name} has nothing at {}", self.name("")),
            Some(value) => {
                let place = format!("{}{pointer}", compared.part.pointer);
                format!("{} in {name} is {}", self.name(pointer), shown(value, &place, Self::beside(compared, pointer)))
            }
        }
    }

    /// The list or object that holds the value at a pointer.
    fn beside<'c>(compared: &Compared<'c>, pointer: &str) -> Option<&'c Value> {
        pointer.rsplit_once('/').and_then(|(outer, _)| compared.part.value.pointer(outer))
    }

    /// The field as it is named: by its pointer where that is known, else as the policy selects it.
    fn name(&self, pointer: &str) -> String {
        match (self.selector.pointer(), pointer) {
            (Some(own), _) => own.to_owned(),
            (None, "") => self.selector.to_string(),
            (None, found) => ImageText(&sensitive::veiled_pointer(found)).to_string(),
        }
    }

    fn evidence(&self, compared: &[Compared<'_>], quantifier: Quantifier) -> String {
        let values: Vec<&Compared<'_>> = compared.iter().filter(|compared| compared.value.is_some()).collect();
        let met = values.iter().copied().find(|compared| compared.outcome == Outcome::Met);
        match (quantifier, &values[..], met) {
            (_, [], _) if compared.is_empty() => "the image has no layers".to_owned(),
            (_, [], _) => format!("{} has nothing at {}", self.documents.noun, self.name("")),
            (Quantifier::Any, _, Some(met)) | (_, &[met], _) => self.said(met, &self.pointers(&[met])[0]),
            (Quantifier::None, values, _) => {
                format!("none of {} at {} is {}", words::count(values.len(), "value"), self.name(""), self.comparison)
            }
            (_, values, _) => format!("all {} at {} as wanted", words::count(values.len(), "value"), self.name("")),
        }
    }
}

/// The longest beginning of a pointer that leads somewhere.
fn nearest(document: &Value, pointer: &str) -> String {
    let ends = pointer.char_indices().filter(|(_, c)| *c == '/').map(|(at, _)| &pointer[..at]);
    ends.take_while(|beginning| document.pointer(beginning).is_some()).last().unwrap_or_default().to_owned()
}
