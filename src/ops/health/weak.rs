//! Passwords that can be guessed.

use super::{Check, Found, Kind, Rated};
use crate::check::Severity;
use crate::model::argument;

/// The check.
pub(super) struct Weak;

/// The highest score of what is guessed at once: in a million tries (zxcvbn's `very guessable`).
const AT_ONCE: u32 = 1;

impl Check for Weak {
    fn kind(&self) -> Kind {
        Kind::Weak
    }

    fn find(&self, entries: &[&Rated], _now: i64) -> Vec<Found> {
        let weak = entries.iter().filter_map(|entry| {
            let score = entry.password.as_ref()?.score;
            let least = entry.limits.min_score;
            let severity = if score <= AT_ONCE { Severity::Error } else { Severity::Warning };
            let told = if score <= AT_ONCE { "is easily guessed" } else { "can be guessed" };
            let message = format!("the password {told} (zxcvbn gives {score} of 4, not {least})");
            (score < least).then(|| Found::of(Kind::Weak, severity, entry, message, new_password(entry)))
        });
        weak.collect()
    }
}

/// Returns what to do about a password that is to be another one.
pub(super) fn new_password(entry: &Rated) -> String {
    let name = argument(&entry.path.with_extension(""));
    format!("`passel generate -i {name}` makes a new one; change it where it is used, too")
}
