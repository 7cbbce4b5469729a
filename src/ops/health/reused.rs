//! Passwords that several entries have: one finding for each password.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::rated::Print;
use super::{Check, Found, Kind, Rated};
use crate::check::{Finding, Severity, some_of};
use crate::model::{Shown, argument};

/// The check.
pub(super) struct Reused;

impl Check for Reused {
    fn kind(&self) -> Kind {
        Kind::Reused
    }

    fn compares(&self) -> bool {
        true
    }

    fn find(&self, entries: &[&Rated], _now: i64) -> Vec<Found> {
        let mut by_print: BTreeMap<Print, Vec<&Rated>> = BTreeMap::new();
        for entry in entries {
            if let Some(password) = &entry.password {
                by_print.entry(password.print).or_default().push(entry);
            }
        }
        // By their names, as the order of the prints is another one each time.
        let mut groups: Vec<Vec<&Rated>> = by_print.into_values().filter(|group| group.len() > 1).collect();
        groups.sort_by(|one, other| one[0].path.cmp(&other[0].path));
        groups.iter().map(|group| finding(group)).collect()
    }
}

/// Returns the finding of entries that share a password. Who finds out one client's password knows the other one's: that
/// is worse than within one client, or within the team's own.
fn finding(group: &[&Rated]) -> Found {
    let owners: BTreeSet<&Option<OsString>> = group.iter().map(|entry| &entry.client).collect();
    let clients: Vec<String> =
        owners.iter().copied().flatten().map(|name| Shown::os(name).to_string()).collect();
    let names: Vec<String> = group.iter().map(|entry| entry.name.clone()).collect();
    let count = group.len();
    let (severity, message) = match (owners.len(), clients.len()) {
        (1, _) => (Severity::Warning, format!("{count} entries have the same password")),
        (_, 1) => {
            let client = &clients[0];
            (
                Severity::Error,
                format!("{count} entries, of client {client} and others, have the same password"),
            )
        }
        _ => {
            let clients = some_of(&clients);
            (
                Severity::Error,
                format!("{count} entries of different clients ({clients}) have the same password"),
            )
        }
    };
    let command = format!("passel generate -i {}", argument(&group[0].path.with_extension("")));
    let hint =
        format!("give each a password of its own: `{command}` makes one; change it where it is used, too");
    let finding = Finding { severity, subject: some_of(&names), message, hint };
    Found { kind: Kind::Reused, finding, entries: group.iter().map(|entry| entry.path.clone()).collect() }
}
