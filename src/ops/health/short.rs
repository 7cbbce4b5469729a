//! Passwords of few characters.

use super::weak::new_password;
use super::{Check, Found, Kind, Rated};
use crate::check::Severity;

/// The check.
pub(super) struct Short;

impl Check for Short {
    fn kind(&self) -> Kind {
        Kind::Short
    }

    fn find(&self, entries: &[&Rated], _now: i64) -> Vec<Found> {
        let short =
            entries.iter().filter(|entry| entry.password.as_ref().is_some_and(|password| password.is_short));
        let found = short.map(|entry| {
            // How many it has is nobody's business.
            let message = format!("the password is shorter than {} characters", entry.limits.min_length);
            Found::of(Kind::Short, Severity::Warning, entry, message, new_password(entry))
        });
        found.collect()
    }
}
