//! What waivers cover, and what is to be said about the waivers themselves.

use jiff::Timestamp;
use jiff::civil::Date;

use super::cells::Plan;
use crate::finding::Finding;
use crate::oci::Digest;
use crate::policy::{self, EXPIRING_DAYS, Level, Policy, Waiver};
use crate::report::{Cell, CellVerdict, Diagnostic, PolicyPlace, SealedFinding, WaiverNote, WaiverUse};

/// The waivers that are for one image, and what came of each.
pub(super) struct Waivers<'p> {
    today: Date,
    waivers: Vec<Use<'p>>,
}

/// What came of a waiver in one image.
struct Use<'p> {
    waiver: &'p Waiver,
    /// There is something that it is for, whether or not another one covers it too.
    needed: bool,
    /// A cell that it is for was judged, and had nothing for it.
    idle: bool,
    /// Whether there is something that it is for could not be known.
    open: bool,
}

/// What can be waived of a cell, besides its verdict.
pub(super) struct Found<'f> {
    /// The findings, in the order of the cell's.
    pub(super) findings: Vec<&'f Finding>,
    /// The reason and the help for what could not be known beside them.
    pub(super) unknown: Option<(String, String)>,
}

impl<'p> Waivers<'p> {
    pub(super) fn new(policy: &'p Policy, name: Option<&str>, digest: &Digest, now: Timestamp) -> Self {
        let is_meant = |waiver: &&Waiver| name.is_some_and(|name| waiver.images.contains(name, Some(digest)));
        let of = |waiver| Use { waiver, needed: false, idle: false, open: false };
        Self { today: policy::day(now), waivers: policy.waivers.iter().filter(is_meant).map(of).collect() }
    }

    /// The day that is judged by, in UTC.
    pub(super) fn today(&self) -> Date {
        self.today
    }

    /// Waives what is covered of a cell.
    ///
    /// Every finding is covered for itself. A cell of which all are is waived, unless something beside them could not be
    /// known and no waiver for the whole cell covers that; of any other cell the findings that are covered do not count.
    pub(super) fn cover(&mut self, plan: &Plan<'_>, cell: &mut Cell, found: &Found<'_>) {
        self.observe(plan, cell, found);
        let counting: Vec<&Waiver> =
            self.of(plan).map(|of| of.waiver).filter(|waiver| !waiver.is_expired(self.today)).collect();
        let whole = counting.iter().find(|waiver| waiver.covers_cells()).map(|waiver| note(waiver));
        match cell.verdict {
            CellVerdict::Unknown if whole.is_some() => waive(cell, whole),
            CellVerdict::Violation => {
                for (sealed, finding) in cell.findings.iter_mut().zip(&found.findings) {
                    let covering = counting.iter().find(|waiver| waiver.covers(&sealed.fingerprint, finding.grave));
                    sealed.waiver = covering.map(|waiver| note(waiver));
                    sealed.baselined &= sealed.waiver.is_none();
                }
                settle(cell, found, whole);
            }
            _ => {}
        }
    }

    /// Notes what came of every waiver for a cell.
    fn observe(&mut self, plan: &Plan<'_>, cell: &Cell, found: &Found<'_>) {
        for of in self.waivers.iter_mut().filter(|of| is_for(of.waiver, plan)) {
            let covers =
                |(sealed, finding): (&SealedFinding, &&Finding)| of.waiver.covers(&sealed.fingerprint, finding.grave);
            match cell.verdict {
                CellVerdict::Unknown => of.open = true,
                CellVerdict::Violation if cell.findings.iter().zip(&found.findings).any(covers) => of.needed = true,
                CellVerdict::Violation if of.waiver.covers_cells() || found.unknown.is_some() => of.open = true,
                CellVerdict::Pass | CellVerdict::Violation => of.idle = true,
                CellVerdict::Waived | CellVerdict::Baselined | CellVerdict::NotApplicable => {}
            }
        }
    }

    fn of(&self, plan: &Plan<'_>) -> impl Iterator<Item = &Use<'p>> {
        self.waivers.iter().filter(|of| is_for(of.waiver, plan))
    }

    /// Remarks about the waivers that have expired, or will soon and are needed.
    pub(super) fn remarks(&self) -> Vec<Diagnostic> {
        self.waivers.iter().filter_map(|of| of.remark(self.today)).collect()
    }

    /// Which of the waivers that still count the image needs.
    pub(super) fn uses(&self) -> WaiverUse {
        let mut uses = WaiverUse::default();
        for of in self.waivers.iter().filter(|of| !of.waiver.is_expired(self.today)) {
            if of.needed || of.open {
                uses.needed.push(PolicyPlace::from(&of.waiver.origin));
            } else if of.idle {
                uses.unneeded.push(of.unneeded());
            }
        }
        uses
    }
}

/// Whether a waiver is for a cell.
fn is_for(waiver: &Waiver, plan: &Plan<'_>) -> bool {
    waiver.rule == plan.instance.name && waiver.is_for_platform(plan.platform.as_deref())
}

/// Ends a cell with findings as waived, in the baseline, unknown, or still a violation.
fn settle(cell: &mut Cell, found: &Found<'_>, whole: Option<WaiverNote>) {
    if cell.findings.iter().any(SealedFinding::counts) {
        return;
    }
    match &found.unknown {
        Some((reason, help)) if whole.is_none() => {
            cell.verdict = CellVerdict::Unknown;
            cell.reason = Some(reason.clone());
            cell.help = Some(help.clone());
        }
        _ if cell.findings.iter().any(|finding| finding.baselined) => cell.verdict = CellVerdict::Baselined,
        _ => {
            let first = cell.findings.first().and_then(|finding| finding.waiver.clone());
            waive(cell, whole.or(first));
        }
    }
}

fn waive(cell: &mut Cell, waiver: Option<WaiverNote>) {
    cell.verdict = CellVerdict::Waived;
    cell.waiver = waiver;
}

fn note(waiver: &Waiver) -> WaiverNote {
    WaiverNote {
        reason: waiver.reason.clone(),
        expires: waiver.expires.map(|date| date.to_string()),
        owner: waiver.owner.clone(),
        link: waiver.link.clone(),
        place: PolicyPlace::from(&waiver.origin),
    }
}

impl Use<'_> {
    fn remark(&self, today: Date) -> Option<Diagnostic> {
        let (date, days) = (self.waiver.expires?, self.waiver.days_left(today)?);
        let rule = &self.waiver.rule;
        if days < 0 {
            let message = format!("the waiver for `{rule}` expired on {date} and no longer counts");
            return Some(self.about(message, "renew or remove it"));
        }
        let is_expiring = days.unsigned_abs() <= EXPIRING_DAYS && (self.needed || self.open);
        let message = || format!("the waiver for `{rule}` expires {}, on {date}", in_days(days));
        is_expiring.then(|| self.about(message(), "mend what it covers, or renew it"))
    }

    fn unneeded(&self) -> Diagnostic {
        let why = if self.waiver.covers_cells() { "the rule passes" } else { "none of its findings is there" };
        self.about(format!("the waiver for `{}` is not needed: {why}", self.waiver.rule), "remove it")
    }

    fn about(&self, message: String, help: &str) -> Diagnostic {
        let owner = self.waiver.owner.as_ref().map(|owner| format!("; its owner is {owner}"));
        Diagnostic {
            level: Level::Warning,
            message,
            help: Some(format!("{help}{}", owner.unwrap_or_default())),
            place: Some(PolicyPlace::from(&self.waiver.origin)),
        }
    }
}

/// `today`, `in 1 day`, `in 12 days`.
fn in_days(days: i32) -> String {
    match days {
        0 => "today".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    }
}
