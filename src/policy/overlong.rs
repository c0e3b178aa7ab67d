//! Waivers that run longer than a policy admits.

use jiff::Span;
use jiff::civil::Date;

use super::{Policy, PolicyError, Waiver};

impl Policy {
    /// The waivers that end more than `max-waiver-days` after `today`, each as a mistake of the policy.
    ///
    /// Loading has no clock, so whoever judges asks this first, with the day that is judged by.
    pub fn overlong_waivers(&self, today: Date) -> Vec<PolicyError> {
        let Some(most) = &self.rulings.max_days else { return Vec::new() };
        let overlong = |waiver: &Waiver| {
            let days = waiver.days_left(today)?;
            let is_overlong = u32::try_from(days).is_ok_and(|days| days > most.value);
            let at = waiver.origin_of("expires");
            is_overlong.then(|| PolicyError {
                source: Some(at.source.clone()),
                span: Some(at.span.clone()),
                message: format!(
                    "the waiver runs for {days} days from {today}, and the policy admits at most {}",
                    most.value
                ),
                help: last_day(today, most.value).map(|day| format!("end it on {day} at the latest")),
                related: vec![(
                    most.origin.source.clone(),
                    most.origin.span.clone(),
                    "`max-waiver-days` says so".to_owned(),
                )],
            })
        };
        self.waivers.iter().filter_map(overlong).collect()
    }
}

fn last_day(today: Date, days: u32) -> Option<Date> {
    today.checked_add(Span::new().try_days(days).ok()?).ok()
}
