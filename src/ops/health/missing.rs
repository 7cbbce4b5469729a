//! Passwords of which nobody says whose they are, or what for: one finding for each folder, as it is many or none.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Check, Found, Kind, Rated};
use crate::check::{Finding, Severity, some_of};
use crate::model::{Shown, argument};

/// The check.
pub(super) struct Missing {
    kind: Kind,
    field: &'static str,
    has: fn(&Rated) -> bool,
}

/// Who logs in.
pub(super) const NO_LOGIN: Missing =
    Missing { kind: Kind::NoLogin, field: "login", has: |entry| entry.has_login };
/// Where.
pub(super) const NO_URL: Missing = Missing { kind: Kind::NoUrl, field: "url", has: |entry| entry.has_url };

impl Check for Missing {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn find(&self, entries: &[&Rated], _now: i64) -> Vec<Found> {
        let mut by_folder: BTreeMap<&Path, Vec<&Rated>> = BTreeMap::new();
        // A text without password needs neither.
        for entry in entries.iter().filter(|entry| entry.password.is_some() && !(self.has)(entry)) {
            by_folder.entry(entry.path.parent().unwrap_or(Path::new(""))).or_default().push(entry);
        }
        by_folder.into_iter().map(|(folder, without)| self.finding(folder, &without)).collect()
    }
}

impl Missing {
    fn finding(&self, folder: &Path, without: &[&Rated]) -> Found {
        let Missing { kind, field, .. } = self;
        let edit = format!("passel edit {}", argument(&without[0].path.with_extension("")));
        let (subject, message) = match without {
            [one] => (one.name.clone(), format!("it has no field `{field}`")),
            several => {
                let last = |entry: &&Rated| {
                    let name = entry.path.with_extension("");
                    Shown::os(name.file_name().unwrap_or_default()).to_string()
                };
                let names: Vec<String> = several.iter().map(last).collect();
                let names = some_of(&names);
                let subject =
                    if folder == Path::new("") { "/".to_owned() } else { Shown::os(folder).to_string() };
                (subject, format!("{} entries have no field `{field}`: {names}", several.len()))
            }
        };
        let hint =
            format!("add a line `{field}: ...`, with `{edit}`; `skip: [{kind}]` in the policy asks for none");
        let finding = Finding { severity: Severity::Warning, subject, message, hint };
        Found { kind: *kind, finding, entries: without.iter().map(|entry| entry.path.clone()).collect() }
    }
}
