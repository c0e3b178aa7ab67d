//! Who owes what: the waivers of policies, by when they end.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{EXPIRING_DAYS, Level, Policy, Waiver};

/// A waiver on a day.
#[derive(Debug, Clone, Copy)]
pub struct Due<'p> {
    /// The waiver.
    pub waiver: &'p Waiver,
    /// Days that it still counts: 0 on its last day, less when it has expired; `None` if it never ends.
    pub days_left: Option<i32>,
    /// Whether it covers nothing because its rule is off, in every policy that has it.
    pub is_dead: bool,
}

impl Policy {
    /// Waivers that can cover nothing: their rule is off.
    pub fn dead_waivers(&self) -> impl Iterator<Item = &Waiver> {
        self.waivers.iter().filter(|waiver| self.is_dead(waiver))
    }

    fn is_dead(&self, waiver: &Waiver) -> bool {
        // The rule `document` tells of ambiguity even where it is off, and only a digest waives that.
        let judged = |rule: &str| rule == "document" && waiver.images.is_by_digest();
        let mut meant = self.instances.iter().filter(|instance| instance.name == waiver.rule);
        meant.all(|instance| instance.level == Level::Off && !judged(instance.rule.name))
    }
}

impl Due<'_> {
    /// Whether its last day has passed.
    pub fn is_expired(&self) -> bool {
        self.days_left.is_some_and(|days| days < 0)
    }

    /// Whether it ends soon.
    pub fn is_expiring(&self) -> bool {
        self.ends_within(EXPIRING_DAYS) && !self.is_expired()
    }

    /// Whether it has expired or ends within that many days.
    pub fn ends_within(&self, days: u32) -> bool {
        self.days_left.is_some_and(|left| u32::try_from(left).map_or(true, |left| left <= days))
    }
}

/// The waivers of several policies, each once, those that end first at the head; the ones that never end come last.
pub fn ledger(policies: &[Policy], today: Date) -> Vec<Due<'_>> {
    let mut dues: BTreeMap<(&str, usize), Due<'_>> = BTreeMap::new();
    for policy in policies {
        for waiver in &policy.waivers {
            let is_dead = policy.is_dead(waiver);
            let due = Due { waiver, days_left: waiver.days_left(today), is_dead };
            let place = (waiver.origin.source.name.as_str(), waiver.origin.span.start);
            dues.entry(place).and_modify(|known| known.is_dead &= is_dead).or_insert(due);
        }
    }
    let mut dues: Vec<Due<'_>> = dues.into_values().collect();
    // A stable sort: what ends on one day stays in the order of the files.
    dues.sort_by_key(|due| (due.days_left.is_none(), due.days_left));
    dues
}
