//! Nobody else's ciphertext.
//!
//! Somebody who can write to the repository, but not read a folder, can copy an entry out of it, or bring back
//! an old one, into a folder that is encrypted to them; with a session-key packet forged for themselves in
//! front it even looks right. Whoever encrypts that copy anew decrypts it with their own key, and hands it
//! over. So, before an entry is encrypted anew, its encrypted data ([`Body`]) are looked for in all history
//! that is known here, and in the work tree.
//!
//! An entry is held back if its data arrived at another path, or at an earlier time at this one, under other
//! recipients, and somebody would gain by the re-encryption who could not read them there. What counts:
//! - of the origin, the list that ruled it at the commit that brought the data there: nobody who comes later
//!   can change that. Those count as well who can read its folder now, if it still stands there and this
//!   machine has accepted them;
//! - what is not committed was put there on this machine, unless a commit that was fetched has it there;
//! - of the copy, both the list at the commit that brought it and the one that rules it now: either could have
//!   been set for one commit only, so as to look alike.
//!
//! Honest moves and copies leave no trace of this kind: among the same recipients both lists are the same, and
//! between different ones pass and we encrypt anew, which makes other data. Not seen is a copy between folders
//! that had the same recipients at the time, one of which is opened to more people later.

mod places;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use places::{Place, Places, When};

use super::lists::folder_of;
use super::{Context, KnownLists, OpError, Recipients};
use crate::crypto::openpgp::{Body, body, normal};
use crate::git::Oid;
use crate::git::provenance::CommitInfo;
use crate::model::{EntryName, Fingerprint, GpgId, RecipientId};
use crate::store::beneath::State;
use crate::store::recipients::Overlay;
use crate::store::reviewed::Reviewed;

/// An entry whose encrypted data come from elsewhere.
#[derive(Debug, Clone)]
pub struct Copied {
    /// Where they were under other recipients.
    pub from: PathBuf,
    /// The commit that brought them here; none if that is not committed.
    pub commit: Option<CommitInfo>,
    /// Who could not read them there.
    pub gains: Vec<Fingerprint>,
}

impl Copied {
    /// Returns a sentence about the entry called `name`.
    pub fn told(&self, name: &str) -> String {
        let from = super::reencrypt::shown_entry(&self.from);
        let place = match from == name {
            true => "holds an old version that was".to_owned(),
            false => format!("holds what stood at `{from}`,"),
        };
        let since = match &self.commit {
            Some(commit) => format!("since {}", commit.told()),
            None => "which is not committed".to_owned(),
        };
        let gains: Vec<&str> = self.gains.iter().map(Fingerprint::as_str).collect();
        format!("`{name}` {place} encrypted for others, {since}; {} would gain access", gains.join(", "))
    }
}

/// Names that a list comes down to: fingerprints where the keys are known, the lines' texts elsewhere.
type Readers = BTreeSet<String>;

/// A recipients file's bytes.
type List = Rc<Vec<u8>>;

/// What is known of where encrypted data come from.
pub struct Copies {
    places: Places,
    /// The one list of all places of a body; none if they have several.
    sole: HashMap<Body, Option<List>>,
    /// The lists that ruled folders, at commits and now.
    lists: HashMap<(Option<Oid>, PathBuf), List>,
    readers: HashMap<List, Rc<Readers>>,
    /// Who can read folders now, as accepted here.
    accepted: HashMap<PathBuf, Rc<Readers>>,
    looked_up: KnownLists,
    reviewed: Reviewed,
}

impl Copies {
    /// Looks through all history.
    pub fn read(context: &Context<'_>) -> Result<Self, OpError> {
        Ok(Copies {
            places: Places::read(context)?,
            sole: HashMap::new(),
            lists: HashMap::new(),
            readers: HashMap::new(),
            accepted: HashMap::new(),
            looked_up: KnownLists::default(),
            reviewed: context.store.reviewed()?,
        })
    }

    /// Returns where the message at `path`, of this body, comes from if it was under other recipients there;
    /// who of `readers` would gain by that may be nobody.
    pub fn origin(
        &mut self,
        context: &Context<'_>,
        path: &Path,
        body: &Body,
        readers: &[RecipientId],
    ) -> Result<Option<Copied>, OpError> {
        let places = self.places.of(context, path, body)?;
        if let [Place { path: only, when }] = &places[..]
            && **only == *path
            && when.is_none_or(|when| self.places.stands_in_head(when, path, body).unwrap_or(false))
        {
            return Ok(None);
        }
        let now = self.list_of(context, None, path)?;
        if self.sole_list(context, body, &places)?.is_some_and(|list| list == now)
            && places.iter().any(|place| *place.path == *path)
        {
            return Ok(None);
        }
        let mut harmless = None;
        for here in self.places.arrivals_here(context, path, body, &places)? {
            let list = self.list(context, &here)?;
            // The oldest first: that is most likely the one that a person knows.
            for place in &places {
                if !self.places.may_be_origin(place, &here, &places) {
                    continue;
                }
                let there = self.list(context, place)?;
                if self.same(context, &list, &there) && self.same(context, &now, &there) {
                    continue;
                }
                let known = self.known_readers(context, place, body, &there);
                let gains: BTreeSet<&Fingerprint> =
                    readers.iter().map(|reader| &reader.fingerprint).collect();
                let gains = gains.into_iter().filter(|key| !known.contains(key.as_str())).cloned().collect();
                let commit = here.when.map(|when| self.places.commit_info(when)).transpose()?;
                let copied = Copied { from: place.path.to_path_buf(), commit, gains };
                if !copied.gains.is_empty() {
                    return Ok(Some(copied));
                }
                harmless.get_or_insert(copied);
            }
        }
        Ok(harmless)
    }

    /// Returns the same, unless nobody gains or a person here has let it pass.
    pub fn undecided(
        &mut self,
        context: &Context<'_>,
        path: &Path,
        body: &Body,
        readers: &[RecipientId],
    ) -> Result<Option<Copied>, OpError> {
        let found = self.origin(context, path, body, readers)?;
        Ok(found.filter(|copied| !copied.gains.is_empty() && !self.reviewed.holds(body, path)))
    }

    /// Whether a message of this body has been at `path` alone, and came there but once: as far as history tells, it
    /// was encrypted for that place, and is no older version that somebody brought back.
    pub fn is_at_home(&mut self, context: &Context<'_>, path: &Path, body: &Body) -> Result<bool, OpError> {
        let places = self.places.of(context, path, body)?;
        let came = places.iter().filter(|place| place.came_anew()).count();
        Ok(came <= 1 && places.iter().all(|place| *place.path == *path))
    }

    /// Returns what is odd about a message of this body that has just come to `path`, as a sentence's end: it stood
    /// here before, or it stands elsewhere as well. What was moved is not odd.
    pub fn oddity(
        &mut self,
        context: &Context<'_>,
        path: &Path,
        body: &Body,
    ) -> Result<Option<String>, OpError> {
        let places = self.places.of(context, path, body)?;
        let came: Vec<&Place> = places.iter().filter(|place| place.came_anew()).collect();
        let here: Vec<&&Place> = came.iter().filter(|place| *place.path == *path).collect();
        if let [first, .., _] = here[..]
            && let Some(when) = first.when
        {
            let first = self.places.commit_info(when)?.told();
            return Ok(Some(format!("is back at an earlier version, that of {first}")));
        }
        let stands = |place: &&&Place| {
            let state = context.store.beneath().state(&place.path);
            *place.path != *path && matches!(state, Ok(State::File(_)))
        };
        let other = came.iter().find(stands);
        Ok(other.map(|place| {
            format!("holds the very message of `{}`", super::reencrypt::shown_entry(&place.path))
        }))
    }

    /// Whether a person here has let the message pass.
    pub fn is_reviewed(&self, path: &Path, body: &Body) -> bool {
        self.reviewed.holds(body, path)
    }

    /// Returns the list that ruled all places of a body when it arrived there: that of nearly every body.
    fn sole_list(
        &mut self,
        context: &Context<'_>,
        body: &Body,
        places: &[Place],
    ) -> Result<Option<List>, OpError> {
        if let Some(known) = self.sole.get(body) {
            return Ok(known.clone());
        }
        let mut sole = None;
        for place in places {
            let list = self.list(context, place)?;
            if sole.get_or_insert_with(|| Rc::clone(&list)) != &list {
                sole = None;
                break;
            }
        }
        self.sole.insert(*body, sole.clone());
        Ok(sole)
    }

    /// Returns the list that ruled a place when data arrived there.
    fn list(&mut self, context: &Context<'_>, place: &Place) -> Result<List, OpError> {
        self.list_of(context, place.when, &place.path)
    }

    /// Returns the list that ruled a file's folder at a commit, or that does now; an empty one if there is
    /// none that could be used.
    fn list_of(&mut self, context: &Context<'_>, when: Option<When>, path: &Path) -> Result<List, OpError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let known_as = (when.map(|when| when.commit), folder.to_path_buf());
        if let Some(known) = self.lists.get(&known_as) {
            return Ok(Rc::clone(known));
        }
        let found = match when {
            Some(when) => self.places.list(when, folder)?,
            None => None,
        };
        // Lists that are not in the repository have no history.
        let list = Rc::new(found.unwrap_or_else(|| current_list(context, path)));
        self.lists.insert(known_as, Rc::clone(&list));
        Ok(list)
    }

    /// Whether two lists come down to the same readers.
    fn same(&mut self, context: &Context<'_>, one: &List, other: &List) -> bool {
        one == other || self.readers(context, one) == self.readers(context, other)
    }

    /// Returns what a list comes down to.
    fn readers(&mut self, context: &Context<'_>, list: &List) -> Rc<Readers> {
        if let Some(known) = self.readers.get(list) {
            return Rc::clone(known);
        }
        let lines = GpgId::from_bytes(list.to_vec()).lines();
        let ids: Vec<&str> = lines.iter().map(|line| line.id.as_str()).collect();
        let mut readers = Readers::new();
        for (id, found) in ids.iter().zip(context.crypto.resolve_all(&ids)) {
            match found {
                Ok(keys) => readers.extend(keys.into_iter().map(|key| key.fingerprint.to_string())),
                // The keys of people who have left may be gone, or have expired.
                Err(_) => {
                    let name = Fingerprint::of_name(id).map_or_else(|| (*id).to_owned(), |f| f.to_string());
                    readers.insert(name);
                }
            }
        }
        let readers = Rc::new(readers);
        self.readers.insert(Rc::clone(list), Rc::clone(&readers));
        readers
    }

    /// Returns who can read the data at the place they come from.
    fn known_readers(&mut self, context: &Context<'_>, place: &Place, wanted: &Body, list: &List) -> Readers {
        let mut known = (*self.readers(context, list)).clone();
        let standing = context.store.beneath().read(&place.path).ok().flatten();
        if standing.as_deref().and_then(body).as_ref() == Some(wanted) {
            known.extend(self.accepted(context, &place.path).iter().cloned());
        }
        known
    }

    /// Returns who can read the file at `path` now; nobody unless this machine has accepted them.
    fn accepted(&mut self, context: &Context<'_>, path: &Path) -> Rc<Readers> {
        let place = path.parent().unwrap_or(Path::new(""));
        if let Some(known) = self.accepted.get(place) {
            return Rc::clone(known);
        }
        let recipients =
            folder_of(path).and_then(|folder| context.recipients_known(&folder, &mut self.looked_up));
        let keys = recipients.map(|recipients| recipients.keys).unwrap_or_default();
        let readers: Rc<Readers> = Rc::new(keys.iter().map(|key| key.fingerprint.to_string()).collect());
        self.accepted.insert(place.to_path_buf(), Rc::clone(&readers));
        readers
    }
}

impl Context<'_> {
    /// Fails if `message`, the entry `name`, must not be decrypted to be encrypted anew.
    pub fn refuse_held_back(
        &self,
        name: &EntryName,
        message: &[u8],
        recipients: &Recipients,
    ) -> Result<(), OpError> {
        let body = body_of(&name.to_string(), message)?;
        let path = name.file();
        match Copies::read(self)?.undecided(self, &path, &body, &recipients.keys)? {
            None => Ok(()),
            Some(copied) => {
                self.store.hold_back(&path, Some(copied.told(&name.to_string())));
                Err(OpError::HeldBack(vec![name.to_string()]))
            }
        }
    }
}

/// Returns the body of the message called `name`, the one that is decrypted. What gpg might read otherwise
/// than we do is refused.
pub fn body_of(name: &str, message: &[u8]) -> Result<Body, OpError> {
    let normal = normal(message).map_err(|source| OpError::Decrypt { name: name.to_owned(), source })?;
    Ok(body(&normal).expect("a normal message ends with its encrypted data"))
}

/// Returns the list that rules a file's folder now; an empty one if there is none that could be used.
fn current_list(context: &Context<'_>, path: &Path) -> Vec<u8> {
    let rule = folder_of(path).ok().and_then(|folder| context.store.rule(&folder, &Overlay::new()).ok());
    rule.flatten().map(|rule| rule.gpg_id).unwrap_or_default()
}
