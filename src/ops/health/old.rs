//! Passwords that have been the same for longer than they may.

use super::age::Age;
use super::policy::Policy;
use super::weak::new_password;
use super::{Check, Found, Kind, Rated, UnknownAge};
use crate::check::Severity;
use crate::model::date::DAY;
use crate::model::day;

/// The check.
pub(super) struct Old;

impl Check for Old {
    fn kind(&self) -> Kind {
        Kind::Old
    }

    fn find(&self, entries: &[&Rated], now: i64) -> Vec<Found> {
        let old = entries.iter().filter_map(|entry| {
            let (password, max_age) = entry.limited_age()?;
            let (since, least) = match password.age {
                Some(Age::Since(since)) => (since, ""),
                Some(Age::AtLeast(Some(since))) => (since, "at least "),
                _ => return None,
            };
            let message = format!(
                "the password has been the same {least}since {}, for more than {max_age} days",
                day(since)
            );
            is_older(since, max_age, now)
                .then(|| Found::of(Kind::Old, Severity::Warning, entry, message, new_password(entry)))
        });
        old.collect()
    }
}

/// Whether what is the same since then is older than so many days.
fn is_older(since: i64, days: u32, now: i64) -> bool {
    now.saturating_sub(since) > i64::from(days) * DAY
}

/// Returns the entries whose passwords may be too old, or not.
pub(super) fn unknown(entries: &[&Rated], policy: &Policy, now: i64) -> Vec<UnknownAge> {
    let unknown = entries.iter().filter_map(|entry| {
        let (password, max_age) = entry.limited_age()?;
        let age = password.age.filter(|_| policy.ignored(&entry.path, Kind::Old).is_none())?;
        let is_known = match age {
            Age::Since(_) => true,
            Age::AtLeast(since) => since.is_some_and(|since| is_older(since, max_age, now)),
            Age::Uncommitted | Age::NoGit => false,
        };
        (!is_known).then(|| UnknownAge { entry: entry.path.clone(), age })
    });
    unknown.collect()
}
