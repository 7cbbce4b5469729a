//! Whether what is to be changed has been: out of what the entry says now, and what its version said.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::{Closing, Item, Listed};
use crate::git::versions::{Content, Reach};
use crate::git::{Oid, blob_id};
use crate::model::{KeyId, Keyring};
use crate::ops::audit::lives::{self, Life, Version};
use crate::ops::audit::past::content_of;
use crate::ops::audit::values::{Print, Prints, Values};
use crate::ops::audit::{Moment, Past};
use crate::ops::history::own_parts;
use crate::ops::readers::{self, Reader};
use crate::ops::{Context, OpError};
use crate::store::StoreError;
use crate::store::beneath::BeneathError;

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
    /// The entry is gone, or another one has its place: whether the account is gone, nobody can tell.
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

/// Where an item's entry stands, and how things are there.
struct Found {
    entry: PathBuf,
    state: State,
    url: Option<String>,
    has_same_lines: bool,
    is_readable: bool,
}

/// Looks at items.
pub(super) struct Looker<'a, 'c> {
    context: &'a Context<'c>,
    past: Past,
    lives: Vec<Life>,
    /// The lives that a blob was a version of, and those that its encrypted data were.
    by_blob: HashMap<Oid, BTreeSet<usize>>,
    by_body: HashMap<[u8; 32], BTreeSet<usize>>,
    values: Values<'a, 'c>,
    /// What the people of a circle came to know ([`Item::circle`]).
    known: HashMap<String, BTreeSet<Print>>,
    /// The parts of the user's own keys.
    own: BTreeSet<KeyId>,
    pub(super) keyring: Keyring,
}

impl<'a, 'c> Looker<'a, 'c> {
    /// Reads the history.
    pub(super) fn new(context: &'a Context<'c>) -> Result<Self, OpError> {
        let past = Past::read(context)?;
        let mut values = Values::with_pieces(context)?;
        let lives = lives::lives(&past, &mut values);
        let mut by_blob: HashMap<Oid, BTreeSet<usize>> = HashMap::new();
        let mut by_body: HashMap<[u8; 32], BTreeSet<usize>> = HashMap::new();
        for (place, life) in lives.iter().enumerate() {
            for version in &life.versions {
                by_blob.entry(version.blob).or_default().insert(place);
                if let Some((_, body)) = lives::message(&past, version.blob) {
                    by_body.entry(body).or_default().insert(place);
                }
            }
        }
        let own = own_parts(context).unwrap_or_default();
        let keys = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
        let (known, keyring) = (HashMap::new(), Keyring::new(keys));
        Ok(Looker { context, past, lives, by_blob, by_body, values, known, own, keyring })
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

    /// Whether two versions are known to say the same.
    pub(super) fn say_the_same(&mut self, one: Oid, other: Oid) -> bool {
        let body = |looker: &Self, blob| lives::message(&looker.past, blob).map(|(_, body)| body);
        if one == other || body(self, one).is_some_and(|found| body(self, other) == Some(found)) {
            return true;
        }
        let whole = self.prints_of(one).map(|prints| prints.whole);
        whole.is_some() && self.prints_of(other).map(|prints| prints.whole) == whole
    }

    /// Learns what these items say that somebody knows: another of those values is no change for the better.
    pub(super) fn learn<'i>(&mut self, items: impl Iterator<Item = &'i Item>) {
        for item in items {
            let Some(circle) = item.circle() else { continue };
            let Some(prints) = self.prints_of(item.blob) else { continue };
            let values = prints.secrets.into_iter().flat_map(|(_, values)| values);
            self.known.entry(circle).or_default().extend(values);
        }
    }

    /// Looks at an item that stands in the file `path`, and that may have been closed.
    pub(super) fn look(
        &mut self,
        path: &Path,
        item: Item,
        closing: Option<&(PathBuf, Closing)>,
    ) -> Result<Listed, OpError> {
        let Found { entry, state, url, has_same_lines, is_readable } = self.find(&item)?;
        let state = closing.map_or(state, |(_, closing)| State::Closed(closing.when, closing.why.clone()));
        let closing = closing.map(|(path, _)| path.clone());
        Ok(Listed { path: path.to_path_buf(), item, entry, state, url, closing, has_same_lines, is_readable })
    }

    fn find(&mut self, item: &Item) -> Result<Found, OpError> {
        let own = self.life_of(item);
        let stands = own.and_then(|life| place_in(&self.lives[life], &item.entry));
        let first = stands.clone().unwrap_or_else(|| item.entry.clone());
        let now = self.standing(&first)?;
        let is_overtaken = stands.is_none() || own.is_some_and(|life| self.is_overtaken(life, item, &now));
        let mut found = self.judge(item, own, &first, now);
        if !is_overtaken || matches!(found.state, State::Open(_)) {
            return Ok(found);
        }
        // What was copied, exchanged or overwritten goes on where its data went.
        let body = lives::message(&self.past, item.blob).map(|(_, body)| body);
        let others = body.and_then(|body| self.by_body.get(&body)).cloned().unwrap_or_default();
        for other in others.into_iter().filter(|other| Some(*other) != own) {
            let Some(path) = place_in(&self.lives[other], &item.entry) else { continue };
            let now = self.standing(&path)?;
            let there = self.judge(item, Some(other), &path, now);
            let is_it = match &there.state {
                State::Open(_) | State::Unknown(_) => true,
                State::Changed(Some(done)) => done.moment.when >= item.opened,
                _ => false,
            };
            if is_it {
                return Ok(there);
            }
        }
        found.state = State::Gone;
        Ok(found)
    }

    /// Whether another entry has taken the place of this one since the item was written.
    fn is_overtaken(&self, life: usize, item: &Item, now: &Option<Standing>) -> bool {
        let after = self.lives[life].versions.iter().skip_while(|version| version.blob != item.blob);
        let bodies =
            after.filter_map(|version| lives::message(&self.past, version.blob)).map(|(_, body)| body);
        let own = lives::message(&self.past, item.blob).map(|(_, body)| body);
        let mut bodies =
            bodies.chain(now.as_ref().and_then(|now| now.body)).filter(|body| Some(*body) != own);
        bodies.any(|body| self.is_foreign(life, body))
    }

    /// Returns the life of the entry that the item is about: the one in which its version stood at its path, and that goes
    /// on if there are several; none if the history does not have it.
    fn life_of(&self, item: &Item) -> Option<usize> {
        let places = self.by_blob.get(&item.blob)?;
        let rank = |place: &&usize| {
            let life = &self.lives[**place];
            (!life.versions.iter().any(|version| version.path == item.entry), life.now.is_empty())
        };
        places.iter().min_by_key(rank).copied()
    }

    /// Whether these data came to an entry from another one: that had them before.
    fn is_foreign(&self, own: usize, body: [u8; 32]) -> bool {
        let first = |place: usize| {
            let same = self.lives[place].versions.iter().filter(|version| {
                lives::message(&self.past, version.blob).is_some_and(|(_, found)| found == body)
            });
            same.map(|version| (version.history, version.order)).min()
        };
        let others = self.by_body.get(&body).into_iter().flatten().filter(|place| **place != own);
        let mut others = others.filter_map(|place| first(*place)).peekable();
        // Most have none: then nothing is looked for.
        if others.peek().is_none() {
            return false;
        }
        let Some(here) = first(own) else { return true };
        others.any(|there| there.0 == here.0 && there.1 < here.1)
    }

    /// Returns what stands at a path; none if that is no regular file.
    fn standing(&mut self, entry: &Path) -> Result<Option<Standing>, OpError> {
        let bytes = match self.context.store.beneath().read(entry) {
            Ok(Some(bytes)) => bytes,
            // A folder or a link has taken its place.
            Ok(None) | Err(BeneathError::Link(_) | BeneathError::Kind(..)) => return Ok(None),
            Err(error) => return Err(StoreError::from(error).into()),
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

    /// Returns how things are with an item at a place.
    fn judge(&mut self, item: &Item, life: Option<usize>, entry: &Path, now: Option<Standing>) -> Found {
        let mut found = Found {
            entry: entry.to_path_buf(),
            state: State::Gone,
            url: None,
            has_same_lines: false,
            is_readable: false,
        };
        let Some(now) = now else { return found };
        let then = self.prints_of(item.blob);
        let message = lives::message(&self.past, item.blob).map(|(ids, body)| (ids.to_vec(), body));
        let is_the_same =
            now.blob == Some(item.blob) || message.as_ref().is_some_and(|(_, body)| now.body == Some(*body));
        found.is_readable = self.reads(item, &now.readers);
        found.url = now.prints.as_ref().and_then(|prints| prints.url.clone());
        found.state = match (&then, &now.prints) {
            (Some(then), Some(prints)) => {
                found.has_same_lines = then.others.iter().any(|line| prints.others.contains(line));
                match left(item, then, prints).or_else(|| self.learnt(item, life, &now, prints)) {
                    Some(left) => State::Open(left),
                    None => State::Changed(self.done(item, life, entry, then, now.blob)),
                }
            }
            // The same encrypted data say the same, whoever reads them.
            _ if is_the_same => State::Open(item.secrets.clone()),
            _ => State::Unknown(self.who_can_tell(&message.unwrap_or_default().0, &now.readers)),
        };
        found
    }

    /// Whether one of the keys by which an item was exposed is among `ids`.
    fn reads(&self, item: &Item, ids: &[KeyId]) -> bool {
        let readers = || ids.iter().flat_map(|id| readers::of_id(&self.keyring, *id));
        let is_one = |reader: Reader| match reader {
            Reader::Key(key) => item.keys.iter().any(|known| *known == key.to_string()),
            Reader::Unknown(id) => item.keys.iter().any(|known| *known == id.to_string()),
            Reader::Hidden => false,
        };
        !item.keys.is_empty() && readers().any(is_one)
    }

    /// Returns which secrets that have changed are known to the same people all the same: their keys can read what stands
    /// now, or could read a version that said the same, or it is a value that they knew from elsewhere.
    fn learnt(
        &mut self,
        item: &Item,
        life: Option<usize>,
        now: &Standing,
        prints: &Prints,
    ) -> Option<Vec<String>> {
        let mut theirs: BTreeSet<Print> = BTreeSet::new();
        let versions = life.map(|life| self.lives[life].versions.clone()).unwrap_or_default();
        for version in versions.iter().filter(|_| !item.keys.is_empty()) {
            let is_theirs =
                lives::message(&self.past, version.blob).is_some_and(|(ids, _)| self.reads(item, ids));
            let prints = if is_theirs { self.prints(version) } else { None };
            theirs
                .extend(prints.into_iter().flat_map(|prints| prints.secrets).flat_map(|(_, values)| values));
        }
        let elsewhere = item.circle().and_then(|circle| self.known.get(&circle));
        let is_known =
            |value: &Print| theirs.contains(value) || elsewhere.is_some_and(|known| known.contains(value));
        let is_readable = self.reads(item, &now.readers);
        let secrets = prints.secrets.iter().map(|(secret, values)| (secret.to_string(), values));
        let meant = secrets.filter(|(name, _)| item.secrets.is_empty() || item.secrets.contains(name));
        let left = meant.filter(|(_, values)| is_readable || values.iter().any(is_known));
        let left: Vec<String> = left.map(|(name, _)| name).collect();
        (!left.is_empty()).then_some(left)
    }

    /// Returns who can decrypt both, what stood and what stands; not the user, who has tried.
    fn who_can_tell(&self, then: &[KeyId], now: &[KeyId]) -> BTreeSet<Reader> {
        let of = |ids: &[KeyId]| -> BTreeSet<Reader> {
            let others = ids.iter().filter(|id| !self.own.contains(id));
            others.flat_map(|id| readers::of_id(&self.keyring, *id)).collect()
        };
        of(then).intersection(&of(now)).cloned().collect()
    }

    /// Returns what is kept of a version; none if it cannot be decrypted here, or is not here.
    fn prints_of(&mut self, blob: Oid) -> Option<Prints> {
        let place = *self.by_blob.get(&blob)?.first()?;
        let version = self.lives[place].versions.iter().find(|version| version.blob == blob)?.clone();
        self.prints(&version)
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
        let versions = self.lives[life?].versions.iter().filter(|version| version.reach == Reach::Head);
        let versions: Vec<Version> = versions.cloned().collect();
        let last = versions.iter().rposition(|version| Some(version.blob) == now && version.path == entry)?;
        let mut since = None;
        for version in versions[..=last].iter().rev() {
            let readers = lives::message(&self.past, version.blob).map(|(ids, _)| ids).unwrap_or_default();
            if self.reads(item, readers) {
                break;
            }
            match self.prints(version) {
                Some(prints) if left(item, then, &prints).is_none() => since = Some(version),
                _ => break,
            }
        }
        let since = since?;
        let repo = &self.past.histories[since.history].repo;
        let by = repo.commit_info(since.came.commit).map(|info| info.author).unwrap_or_default();
        Some(Done { moment: since.came, by })
    }
}

/// Returns where an entry stands: at `path` if it does, which it may at several places.
fn place_in(life: &Life, path: &Path) -> Option<PathBuf> {
    life.now.get(path).or(life.now.first()).cloned()
}

/// Returns which of the secrets that are to be changed stand in `now` as they did `then`, under whatever name; none if
/// they have all changed.
fn left(item: &Item, then: &Prints, now: &Prints) -> Option<Vec<String>> {
    let is_meant = |name: &String| item.secrets.is_empty() || item.secrets.contains(name);
    let values: BTreeSet<&Print> = now.secrets.iter().flat_map(|(_, values)| values).collect();
    let count = |prints: &Prints, value: &Print| prints.pieces.get(value).copied().unwrap_or_default();
    // What stood beside the secret as well, as the login say, may stay.
    let stands = |value: &Print| {
        let before = count(then, value);
        values.contains(value) || (before > 0 && count(now, value) >= before)
    };
    let meant: Vec<(String, &Vec<Print>)> = then
        .secrets
        .iter()
        .map(|(secret, all)| (secret.to_string(), all))
        .filter(|(n, _)| is_meant(n))
        .collect();
    // Where nothing in it can be told to be a secret, all of it may be.
    if meant.is_empty() {
        return (then.whole == now.whole).then(Vec::new);
    }
    let left = meant.into_iter().filter(|(_, old)| old.iter().any(stands)).map(|(name, _)| name);
    let left: Vec<String> = left.collect();
    (!left.is_empty()).then_some(left)
}
