//! How the page names those who can read.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::cli::commands::recipients::people::Person;
use crate::cli::page;
use crate::model::{Fingerprint, Key, KeyProblem};
use crate::ops::audit::report::{Party, Report, party};

/// How many digits of a fingerprint a group has.
const GROUP: usize = 4;

/// Everybody on the page.
pub struct Parties<'r> {
    /// What is told.
    pub report: &'r Report,
    /// Who can read something now, with the number of entries.
    pub now: BTreeMap<Party, usize>,
    /// What tells those apart whose name others have as well.
    apart: BTreeMap<Party, Markup>,
}

impl<'r> Parties<'r> {
    /// Collects those who can read now.
    pub fn of(report: &'r Report) -> Self {
        let mut now: BTreeMap<Party, usize> = BTreeMap::new();
        for (reader, tally) in report.folders.iter().flat_map(|folder| &folder.readers) {
            if tally.reads > 0 {
                *now.entry(party(&report.waiting, reader)).or_default() += tally.reads;
            }
        }
        let mut parties = Parties { report, now, apart: BTreeMap::new() };
        parties.apart = parties.namesakes();
        parties
    }

    /// Returns what tells namesakes apart: their addresses, or where those are the same, as with somebody's new key, the
    /// keys' IDs.
    fn namesakes(&self) -> BTreeMap<Party, Markup> {
        let mut by_name: BTreeMap<String, Vec<&Party>> = BTreeMap::new();
        for party in self.all() {
            by_name.entry(self.name(party).into_string()).or_default().push(party);
        }
        let mut apart = BTreeMap::new();
        for same in by_name.into_values().filter(|same| same.len() > 1) {
            for party in &same {
                let address = self.address(party).into_string();
                let others = same.iter().filter(|other| self.address(other).into_string() == address).count();
                let mark = match party {
                    Party::Key(key) if others > 1 || address.is_empty() => {
                        html! { span.id { (key.key_id()) } }
                    }
                    _ => self.address(party),
                };
                apart.insert((*party).clone(), mark);
            }
        }
        apart
    }

    /// Returns everybody on the page.
    fn all(&self) -> BTreeSet<&Party> {
        let events = self.report.timeline.iter().flatten();
        let changes = events.flat_map(|event| &event.folders);
        let changed = changes.flat_map(|change| change.gained.keys().chain(change.lost.keys()));
        let held = self.report.held.iter().flatten().map(|held| &held.party);
        let differing = self.report.differences.iter().flat_map(|one| one.extra.iter().chain(&one.missing));
        self.now.keys().chain(changed).chain(held).chain(differing).collect()
    }

    /// Returns how many people can read something, by their addresses, and how many keys.
    pub fn counts(&self) -> (usize, usize) {
        let keys: Vec<&Party> = self.now.keys().filter(|party| **party != Party::Hidden).collect();
        let person = |party: &&Party| match party {
            Party::Key(key) => {
                self.person(key).email.map_or_else(|| key.to_string(), |mail| mail.to_lowercase())
            }
            other => format!("{other:?}"),
        };
        (keys.iter().map(person).collect::<BTreeSet<_>>().len(), keys.len())
    }

    fn key(&self, key: &Fingerprint) -> Option<&'r Key> {
        self.report.keyring.get(key).or_else(|| self.report.waiting.get(key))
    }

    fn person(&self, key: &Fingerprint) -> Person {
        match self.report.keyring.get(key) {
            Some(_) => Person::of_key(&self.report.keyring, key),
            None => Person::of_key(&self.report.waiting, key),
        }
    }

    /// Returns what somebody is called, as short as can be.
    pub fn name(&self, party: &Party) -> Markup {
        let name = self.own_name(party);
        match self.apart.get(party) {
            Some(mark) => html! { (name) " " span.soft.small { (mark) } },
            None => name,
        }
    }

    fn own_name(&self, party: &Party) -> Markup {
        match party {
            Party::Key(key) => {
                let person = self.person(key);
                match person.name.or(person.email) {
                    Some(name) => page::name(&name),
                    None => html! { "Key " span.id { (key.key_id()) } },
                }
            }
            Party::Id(id) => html! { "Key " span.id { (id) } },
            Party::Name(name) => page::name(name),
            Party::Hidden => html! { "Hidden recipient" },
        }
    }

    /// Returns what tells somebody from others of the same name.
    pub fn address(&self, party: &Party) -> Markup {
        match party {
            Party::Key(key) => {
                let person = self.person(key);
                html! { @if let (Some(_), Some(email)) = (person.name, person.email) { (page::name(&email)) } }
            }
            Party::Hidden => html! { "a hidden recipient, or a passphrase" },
            Party::Id(_) | Party::Name(_) => html! {},
        }
    }

    /// Returns a key's fingerprint in groups, as people compare it.
    pub fn fingerprint(&self, party: &Party) -> Markup {
        let Party::Key(key) = party else { return html! {} };
        let groups =
            key.as_str().as_bytes().chunks(GROUP).map(|group| String::from_utf8_lossy(group).into_owned());
        html! { span.id { (groups.collect::<Vec<_>>().join(" ")) } }
    }

    /// Returns what is the matter with a key.
    pub fn marks(&self, party: &Party) -> Markup {
        let unknown = match party {
            Party::Key(key) if self.report.keyring.get(key).is_some() => None,
            Party::Key(key) if self.key(key).is_some() => Some("not imported: the name is a claim"),
            Party::Key(_) | Party::Id(_) => Some("not known here"),
            Party::Name(_) => Some("no key is known for it"),
            Party::Hidden => Some("could be anybody"),
        };
        let problem = match party {
            Party::Key(key) => self.key(key).and_then(|key| key.problem.as_ref()),
            _ => None,
        };
        html! {
            @if let Some(problem) = problem {
                " " span.chip.bad[*problem == KeyProblem::Revoked].care[*problem != KeyProblem::Revoked] { (problem) }
            }
            @if let Some(unknown) = unknown { " " span.chip.care { (unknown) } }
        }
    }
}
