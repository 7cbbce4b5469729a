//! Entries that say themselves when they end.

use super::rated::End;
use super::{Check, Found, Kind, Rated};
use crate::check::Severity;
use crate::model::date::DAY;
use crate::model::{argument, day};

/// The check.
pub(super) struct Expiring;

impl Check for Expiring {
    fn kind(&self) -> Kind {
        Kind::Expiring
    }

    fn find(&self, entries: &[&Rated], now: i64) -> Vec<Found> {
        let expiring = entries.iter().filter_map(|entry| {
            let soon = now.saturating_add(i64::from(entry.limits.expires_within) * DAY);
            let (severity, message, hint) = match entry.end {
                // The last second counts: a day that is over is told by its own name.
                End::At(end) if end <= now => {
                    (Severity::Error, format!("expired on {}", day(end - 1)), "renew it")
                }
                End::At(end) if end <= soon => {
                    (Severity::Warning, format!("expires on {}", day(end - 1)), "renew it")
                }
                End::Unreadable => {
                    let message = "the field `expires` holds no date that passel can read".to_owned();
                    (Severity::Warning, message, "write it as YYYY-MM-DD")
                }
                End::At(_) | End::Never => return None,
            };
            let hint = format!("{hint}: `passel edit {}`", argument(&entry.path.with_extension("")));
            Some(Found::of(Kind::Expiring, severity, entry, message, hint))
        });
        expiring.collect()
    }
}
