//! What a policy demands of one statement.

use jiff::Timestamp;

use super::super::duration::Age;
use super::super::prelude::*;
use super::super::value_type::{moment, stands_for_none};
use super::materials::climbs;
use super::{Mode, ProvenanceRule};
use crate::oci::statement::Claims;
use crate::oci::{Provenance, ProvenanceVersion, Told};

/// What a build may claim of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Claim {
    Hermetic,
    Reproducible,
    CompleteParameters,
    CompleteEnvironment,
    CompleteMaterials,
}

impl Claim {
    fn of(self, claims: &Claims) -> Told<bool> {
        match self {
            Self::Hermetic => claims.hermetic,
            Self::Reproducible => claims.reproducible,
            Self::CompleteParameters => claims.complete_parameters,
            Self::CompleteEnvironment => claims.complete_environment,
            Self::CompleteMaterials => claims.complete_materials,
        }
    }

    fn as_words(self) -> &'static str {
        match self {
            Self::Hermetic => "that it was hermetic",
            Self::Reproducible => "that it is reproducible",
            Self::CompleteParameters => "that its parameters are complete",
            Self::CompleteEnvironment => "that its environment is complete",
            Self::CompleteMaterials => "that its materials are complete",
        }
    }
}

/// What is wrong with a statement, if anything is.
type Fault = Option<String>;
type Demand = fn(&ProvenanceRule, &Provenance, Timestamp) -> Fact<Fault>;

impl ProvenanceRule {
    /// Whether the statement itself has to be read.
    pub(super) fn looks_inside(&self) -> bool {
        let wanted = &self.r#match;
        let matches =
            [&wanted.source, &wanted.revision, &wanted.workflow, &wanted.r#ref, &wanted.event, &wanted.runner];
        self.mode == Mode::Max
            || !self.builders.is_empty()
            || !self.build_types.is_empty()
            || matches.iter().any(|pattern| pattern.is_some())
            || self.materials.asks()
            || !self.claims.is_empty()
            || self.asks_for_arguments()
            || self.max_age.is_some()
    }

    fn asks_for_arguments(&self) -> bool {
        !self.allow_args.is_empty() || !self.deny_args.is_empty()
    }

    /// The first demand that the statement does not meet. Unknown only if it meets all the others: what is wrong is wrong, whatever
    /// else cannot be read.
    pub(super) fn fault(&self, provenance: &Provenance, now: Timestamp) -> Fact<Fault> {
        if provenance.version == ProvenanceVersion::Other {
            let detail = "it is of another version than SLSA 0.2 and 1, of which only the presence is known";
            return Err(Why::undecidable("reading the provenance", detail).into());
        }
        let demands: [Demand; 7] = [
            |rule, provenance, _| Ok(rule.mode_fault(provenance)),
            |rule, provenance, _| Ok(rule.builder_fault(provenance)),
            |rule, provenance, _| rule.match_fault(provenance),
            |rule, provenance, _| Ok(rule.materials.fault(&provenance.materials)),
            |rule, provenance, _| rule.claim_fault(provenance),
            |rule, provenance, _| rule.argument_fault(provenance),
            Self::age_fault,
        ];
        let mut unknown = None;
        for demand in demands {
            match demand(self, provenance, now) {
                Ok(None) => {}
                Err(stop) => unknown = unknown.or(Some(stop)),
                fault => return fault,
            }
        }
        unknown.map_or(Ok(None), Err)
    }

    fn mode_fault(&self, provenance: &Provenance) -> Fault {
        (self.mode == Mode::Max && !provenance.mode_max).then(|| "its mode is not max".to_owned())
    }

    fn builder_fault(&self, provenance: &Provenance) -> Fault {
        let builder = provenance.builder_id.as_deref();
        let known = |id: &str| self.builders.iter().any(|pattern| pattern.matches(id));
        if !self.builders.is_empty() && !builder.is_some_and(known) {
            return Some(format!("its builder is {}", quoted(builder)));
        }
        let kind = provenance.build_type.as_deref();
        let known = |kind: &str| self.build_types.iter().any(|glob| glob.matches(kind));
        let wrong = !self.build_types.is_empty() && !kind.is_some_and(known);
        let wanted = || words::either(self.build_types.iter().map(Glob::as_str));
        wrong.then(|| format!("its build type is {}, wanted {}", quoted(kind), wanted()))
    }

    fn match_fault(&self, provenance: &Provenance) -> Fact<Fault> {
        let (matched, workflow) = (&self.r#match, &provenance.workflow);
        let parts = [
            ("source", &matched.source, &provenance.source),
            ("revision", &matched.revision, &provenance.revision),
            ("workflow", &matched.workflow, &workflow.path),
            ("ref", &matched.r#ref, &workflow.git_ref),
            ("event", &matched.event, &workflow.event),
            ("runner", &matched.runner, &workflow.runner),
        ];
        let mut garbled = None;
        for (name, pattern, found) in parts {
            let Some(pattern) = pattern else { continue };
            match found {
                Told::Said(text) if climbs(text) => {
                    return Ok(Some(format!("its {name} is {found}, which leads out of what it begins with")));
                }
                Told::Said(text) if pattern.matches(text) => {}
                Told::Garbled => garbled = garbled.or(Some(name)),
                _ => return Ok(Some(format!("its {name} is {found}, wanted a match of '{}'", pattern.as_str()))),
            }
        }
        garbled.map_or(Ok(None), |name| Err(unreadable(name)))
    }

    fn claim_fault(&self, provenance: &Provenance) -> Fact<Fault> {
        let mut garbled = None;
        for claim in &self.claims {
            match claim.of(&provenance.claims) {
                Told::Said(true) => {}
                Told::Said(false) => return Ok(Some(format!("it denies {}", claim.as_words()))),
                Told::Nothing => return Ok(Some(format!("it does not claim {}", claim.as_words()))),
                Told::Garbled => garbled = garbled.or(Some(claim.as_words())),
            }
        }
        garbled.map_or(Ok(None), |claim| Err(unreadable(&format!("claim {claim}"))))
    }

    fn argument_fault(&self, provenance: &Provenance) -> Fact<Fault> {
        if !self.asks_for_arguments() {
            return Ok(None);
        }
        let arguments = match &provenance.arguments {
            Told::Said(arguments) => arguments,
            Told::Nothing => return Ok(Some("it does not tell the arguments of the build".to_owned())),
            Told::Garbled => return Err(unreadable("list of arguments")),
        };
        for name in arguments.keys() {
            let shown = ImageText(name);
            if let Some(glob) = self.deny_args.iter().find(|glob| glob.matches(name)) {
                return Ok(Some(format!("the build had the argument '{shown}', refused by '{}'", glob.as_str())));
            }
            if !self.allow_args.is_empty() && !self.allow_args.iter().any(|glob| glob.matches(name)) {
                let wanted = words::either(self.allow_args.iter().map(Glob::as_str));
                return Ok(Some(format!("the build had the argument '{shown}', wanted {wanted}")));
            }
        }
        match provenance.claims.complete_parameters {
            Told::Said(false) => Ok(Some("it leaves out arguments of the build".to_owned())),
            Told::Garbled => Err(unreadable("claim that its parameters are complete")),
            Told::Said(true) | Told::Nothing => Ok(None),
        }
    }

    fn age_fault(&self, provenance: &Provenance, now: Timestamp) -> Fact<Fault> {
        let Some(wanted) = &self.max_age else { return Ok(None) };
        let finished = match &provenance.finished {
            Told::Said(finished) => Some(moment(finished).ok_or_else(|| unreadable("time of the build's end"))?),
            Told::Nothing => None,
            Told::Garbled => return Err(unreadable("time of the build's end")),
        };
        let Some(finished) = finished.filter(|at| !stands_for_none(*at)) else {
            return Ok(Some("it does not tell when the build ended".to_owned()));
        };
        let age = Age::of(finished, now);
        Ok(if age.is_future() {
            Some("its build ended in the future".to_owned())
        } else {
            age.exceeds(wanted).then(|| format!("its build ended {age} ago, wanted no more than {wanted}"))
        })
    }
}

fn unreadable(what: &str) -> Stop {
    let detail = format!("its {what} is not of the type that it must have");
    Why::undecidable("reading the provenance", detail).into()
}

pub(super) fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "not named".to_owned(), |text| format!("'{}'", ImageText(text)))
}
