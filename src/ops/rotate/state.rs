//! Whether what is to be changed has been: out of what the entry says now, and what its version said.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::{Closing, Item, Listed};
use crate::git::versions::Content;
use crate::git::{Oid, blob_id};
use crate::model::{KeyId, Keyring};
use crate::ops::audit::lives::{self, Life, Version};
use crate::ops::audit::past::content_of;
use crate::ops::audit::values::{Prints, Values};
use crate::ops::audit::{Moment, Past};
use crate::ops::readers::{self, Reader};
use crate::ops::{Context, OpError};
use crate::store::StoreError;

/// A commit after which something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The commit.
    pub moment: Moment,
    /// Its author, name and address. Not safe to show.
    pub by: String,
}

/// How things stand with an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// These secrets are as they were.
    Open(Vec<String>),
    /// Nobody can tell here; these can.
    Unknown(BTreeSet<Reader>),
    /// The entry is gone: whether the account is, nobody can tell.
    Gone,
    /// All of them have changed: by which commit; none if it is not committed.
    Changed(Option<Done>),
    /// Somebody has said that it is done: when, in seconds since 1970, and why.
    Closed(i64, String),
}

impl State {
    /// Whether somebody is to do something.
    pub fn is_open(&self) -> bool {
        matches!(self, State::Open(_) | State::Unknown(_) | State::Gone)
    }
}

/// What stands in the work tree.
struct Standing {
    readers: Vec<KeyId>,
    blob: Option<Oid>,
    body: Option<[u8; 32]>,
    prints: Option<Prints>,
}

/// Looks at items.
pub(super) struct Looker<'a, 'c> {
    context: &'a Context<'c>,
    past: Past,
    lives: Vec<Life>,
    /// The lives that a blob was a version of.
    by_blob: HashMap<Oid, Vec<usize>>,
    values: Values<'a, 'c>,
    pub(super) keyring: Keyring,
}

impl<'a, 'c> Looker<'a, 'c> {
    /// Reads the history.
    pub(super) fn new(context: &'a Context<'c>) -> Result<Self, OpError> {
        let past = Past::read(context)?;
        let mut values = Values::new(context, true)?;
        let lives = lives::lives(&past, &mut values);
        let mut by_blob: HashMap<Oid, Vec<usize>> = HashMap::new();
        for (place, life) in lives.iter().enumerate() {
            for version in &life.versions {
                by_blob.entry(version.blob).or_default().push(place);
            }
        }
        let keys = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
        Ok(Looker { context, past, lives, by_blob, values, keyring: Keyring::new(keys) })
    }

    /// Returns why the answer may lack something.
    pub(super) fn gaps(&self) -> Vec<String> {
        self.past.gaps()
    }

    /// Says how many messages will be asked about.
    pub(super) fn expect(&self, count: usize) {
        self.values.expect(count);
    }

    /// Ends the work.
    pub(super) fn settle(&self) {
        self.values.settle();
    }

    /// Whether some commit holds the blob.
    pub(super) fn is_committed(&self, blob: Oid) -> bool {
        self.by_blob.contains_key(&blob)
    }

    /// Looks at an item that stands in the file `path`, and that may have been closed.
    pub(super) fn look(
        &mut self,
        path: &Path,
        item: Item,
        closing: Option<&Closing>,
    ) -> Result<Listed, OpError> {
        let life = self.life_of(&item);
        let entry = self.place_of(&item, life);
        let now = self.standing(&entry)?;
        let url = now.as_ref().and_then(|now| now.prints.as_ref()?.url.clone());
        let state = match closing {
            Some(closing) => State::Closed(closing.when, closing.why.clone()),
            None => self.state(&item, life, &entry, now),
        };
        Ok(Listed { path: path.to_path_buf(), item, entry, state, url })
    }

    /// Returns the life of the entry that the item is about: the one in which its version stood at its path; none if
    /// the history does not have it.
    fn life_of(&self, item: &Item) -> Option<usize> {
        let places = self.by_blob.get(&item.blob)?;
        let stood = |place: &&usize| self.lives[**place].versions.iter().any(|v| v.path == item.entry);
        places.iter().find(stood).or(places.first()).copied()
    }

    /// Returns where the entry stands now: it may have been moved; or removed, and made anew.
    fn place_of(&self, item: &Item, life: Option<usize>) -> PathBuf {
        let Some(life) = life.map(|place| &self.lives[place]) else { return item.entry.clone() };
        match life.now.first() {
            Some(first) if !life.now.contains(&item.entry) => first.clone(),
            _ => item.entry.clone(),
        }
    }

    fn standing(&mut self, entry: &Path) -> Result<Option<Standing>, OpError> {
        let Some(bytes) = self.context.store.beneath().read(entry).map_err(StoreError::from)? else {
            return Ok(None);
        };
        let blob = blob_id(&bytes);
        let mut found = Standing { readers: Vec::new(), blob, body: None, prints: None };
        if let Content::Message { readers, body } = content_of(&bytes) {
            found.readers = readers.to_vec();
            found.body = body;
            if let Some(body) = body {
                found.prints = self.values.of(entry, body, &readers, || Ok(bytes)).cloned();
            }
        }
        Ok(Some(found))
    }

    fn state(&mut self, item: &Item, life: Option<usize>, entry: &Path, now: Option<Standing>) -> State {
        let Some(now) = now else { return State::Gone };
        let version = life.and_then(|place| self.lives[place].versions.iter().find(|v| v.blob == item.blob));
        let version = version.cloned();
        let then = version.as_ref().and_then(|version| self.prints(version));
        let body = lives::message(&self.past, item.blob).map(|(_, body)| body);
        let is_the_same = now.blob == Some(item.blob) || (body.is_some() && now.body == body);
        match (&then, &now.prints) {
            (Some(then), Some(prints)) => match left(item, then, prints) {
                left if left.is_empty() => State::Changed(self.done(item, life, entry, then, now.blob)),
                left => State::Open(left),
            },
            // The same encrypted data say the same, whoever reads them.
            _ if is_the_same => State::Open(item.secrets.clone()),
            _ => {
                // Whoever could read the version can read what stands now, or cannot tell either.
                let ids = now.readers.iter().flat_map(|id| readers::of_id(&self.keyring, *id));
                State::Unknown(ids.collect())
            }
        }
    }

    fn prints(&mut self, version: &Version) -> Option<Prints> {
        let (readers, body) = lives::message(&self.past, version.blob)?;
        let past = &self.past;
        self.values.of(&version.path, body, readers, || past.blob(version.history, version.blob)).cloned()
    }

    /// Returns the commit since which all that was to be changed has been another one; none if that is not committed.
    fn done(
        &mut self,
        item: &Item,
        life: Option<usize>,
        entry: &Path,
        then: &Prints,
        now: Option<Oid>,
    ) -> Option<Done> {
        let own = life.map(|place| self.lives[place].versions.clone()).unwrap_or_default();
        // What was removed and made anew is another life.
        let other = self.lives.iter().enumerate();
        let other = other.filter(|(place, found)| Some(*place) != life && found.now.contains(entry));
        let other: Vec<Version> = other.flat_map(|(_, found)| found.versions.clone()).collect();
        let after = own.iter().skip_while(|version| version.blob != item.blob).chain(&other);
        let after: Vec<&Version> = after.collect();
        after.iter().rev().find(|version| Some(version.blob) == now)?;
        let mut since = None;
        for version in after.into_iter().rev() {
            match self.prints(version) {
                Some(prints) if left(item, then, &prints).is_empty() => since = Some(version),
                _ => break,
            }
        }
        let since = since?;
        let repo = &self.past.histories[since.history].repo;
        let by = repo.commit_info(since.came.commit).map(|info| info.author).unwrap_or_default();
        Some(Done { moment: since.came, by })
    }
}

/// Returns which of the secrets that are to be changed stand in `now` as they did `then`.
fn left(item: &Item, then: &Prints, now: &Prints) -> Vec<String> {
    let is_meant = |name: &String| item.secrets.is_empty() || item.secrets.contains(name);
    let values: BTreeSet<&[u8; 32]> = now.secrets.iter().flat_map(|(_, values)| values).collect();
    let then = then.secrets.iter().map(|(secret, values)| (secret.to_string(), values));
    let left = then.filter(|(name, old)| is_meant(name) && old.iter().any(|value| values.contains(value)));
    left.map(|(name, _)| name).collect()
}
