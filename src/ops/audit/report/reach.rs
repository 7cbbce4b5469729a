//! What each key could ever read, also those that no list names any more.

use std::collections::{BTreeMap, BTreeSet};

use super::{Party, Source};
use crate::ops::OpError;
use crate::ops::audit::values::Values;
use crate::ops::audit::{Moment, Past, lives};

/// What somebody could ever read.
#[derive(Debug)]
pub struct Held {
    /// Who.
    pub party: Party,
    /// How many versions of entries.
    pub versions: usize,
    /// Of how many entries, under whatever names.
    pub entries: usize,
    /// The commits that brought the first and the last of those versions; none if they are in no commit.
    pub between: Option<(Moment, Moment)>,
    /// How many entries they can read as those stand now.
    pub now: usize,
}

#[derive(Default)]
struct Tally {
    versions: usize,
    /// The places of lives.
    entries: BTreeSet<usize>,
    between: Option<(Moment, Moment)>,
    now: usize,
}

impl Tally {
    fn add(&mut self, life: usize, came: Moment) {
        self.versions += 1;
        self.entries.insert(life);
        let (first, last) = self.between.get_or_insert((came, came));
        if came.when < first.when {
            *first = came;
        }
        if came.when >= last.when {
            *last = came;
        }
    }
}

impl Source<'_> {
    /// Returns what each key could ever read.
    pub(super) fn held(&self, past: &Past) -> Result<Vec<Held>, OpError> {
        let lives = lives::lives(past, &mut Values::new(self.context, false)?);
        let mut all: BTreeMap<Party, Tally> = BTreeMap::new();
        for (place, life) in lives.iter().enumerate() {
            // What it was called elsewhere, and who read it there, is no matter of this folder's.
            for version in life.versions.iter().filter(|version| self.holds(&version.path)) {
                let ids = lives::message(past, version.blob).map_or(&[][..], |(readers, _)| readers);
                for party in self.parties(ids) {
                    all.entry(party).or_default().add(place, version.came);
                }
            }
        }
        for entry in &self.survey.entries {
            for party in self.parties(&entry.readers) {
                all.entry(party).or_default().now += 1;
            }
        }
        let held = |(party, tally): (Party, Tally)| Held {
            party,
            versions: tally.versions,
            entries: tally.entries.len(),
            between: tally.between,
            now: tally.now,
        };
        Ok(all.into_iter().map(held).collect())
    }
}
