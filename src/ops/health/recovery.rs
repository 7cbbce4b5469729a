//! Second factors without recovery codes: who loses the telephone is locked out.

use super::{Check, Found, Kind, Rated};
use crate::check::Severity;
use crate::model::argument;

/// The check.
pub(super) struct NoRecovery;

impl Check for NoRecovery {
    fn kind(&self) -> Kind {
        Kind::NoRecovery
    }

    fn find(&self, entries: &[&Rated], _now: i64) -> Vec<Found> {
        let without = entries.iter().filter(|entry| entry.has_second_factor && !entry.has_recovery);
        let found = without.map(|entry| {
            let hint = format!(
                "add them as a field `recovery codes:`, with `passel edit {}`",
                argument(&entry.path.with_extension(""))
            );
            let message = "it has a second factor and no recovery codes";
            Found::of(Kind::NoRecovery, Severity::Warning, entry, message, hint)
        });
        found.collect()
    }
}
