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

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::FileType;

use super::guard::list_in;
use super::reencrypt::is_entry;
use super::{Context, OpError, Recipients};
use crate::crypto::openpgp::{Body, body, normal};
use crate::git::provenance::CommitInfo;
use crate::git::{Oid, Repo};
use crate::model::{EntryName, Fingerprint, FolderName, GpgId, RecipientId, Shown};
use crate::store::StoreError;
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
            Some(commit) => {
                let author = Shown::new(&commit.author);
                format!("since commit {} of {} by {author}", commit.id, commit.day)
            }
            None => "which is not committed".to_owned(),
        };
        let gains: Vec<&str> = self.gains.iter().map(Fingerprint::as_str).collect();
        format!("`{name}` {place} encrypted for others, {since}; {} would gain access", gains.join(", "))
    }
}

/// How much is read of each file in the work tree: the session-key packets of hundreds of recipients, and the
/// beginning of the encrypted data.
const START: u64 = 1 << 18;

/// A repository and its history.
struct History {
    repo: Repo,
    head: Option<Oid>,
}

/// A path at which data arrived.
#[derive(Debug, Clone)]
struct Place {
    /// Below the store's root.
    path: Rc<Path>,
    /// None for what is in the work tree only.
    when: Option<When>,
}

/// The commit that brought data to a path.
#[derive(Debug, Clone, Copy)]
struct When {
    history: usize,
    commit: Oid,
    /// In a merge that took them from one side, the parent on the other one.
    beside: Option<Oid>,
}

/// Names that a list comes down to: fingerprints where the keys are known, the lines' texts elsewhere.
type Readers = BTreeSet<String>;

/// A recipients file's bytes.
type List = Rc<Vec<u8>>;

/// Where all encrypted data that are known here have been.
pub struct Copies {
    histories: Vec<History>,
    places: HashMap<Body, Rc<Vec<Place>>>,
    /// The one list of all places of a body; none if they have several.
    sole: HashMap<Body, Option<List>>,
    /// The lists that ruled folders, at commits and now.
    lists: HashMap<(Option<Oid>, PathBuf), List>,
    readers: HashMap<List, Rc<Readers>>,
    descends: HashMap<(Oid, Oid), bool>,
    reviewed: Reviewed,
}

impl Copies {
    /// Looks through all history and the work tree.
    pub fn read(context: &Context<'_>) -> Result<Self, OpError> {
        let mut copies = Copies {
            histories: Vec::new(),
            places: HashMap::new(),
            sole: HashMap::new(),
            lists: HashMap::new(),
            readers: HashMap::new(),
            descends: HashMap::new(),
            reviewed: context.store.reviewed()?,
        };
        let mut places = HashMap::new();
        let below = context.store.beneath().below(Path::new(""))?;
        for prefix in &below.repositories {
            match Repo::open(context.store.root(), prefix) {
                Ok(repo) => copies.add_history(repo, &mut places)?,
                Err(error) if prefix.as_os_str().is_empty() => return Err(StoreError::from(error).into()),
                // A repository of another kind inside of the store: its files still count as they are.
                Err(_) => {}
            }
        }
        for (path, kind) in below.files {
            if kind == FileType::RegularFile
                && is_entry(&path)
                && let Some(start) = context.store.beneath().read_start(&path, START)?
                && let Some(body) = body(&start)
            {
                let places: &mut Vec<Place> = places.entry(body).or_default();
                if places.iter().all(|place| *place.path != *path) {
                    places.push(Place { path: path.into(), when: None });
                }
            }
        }
        copies.places = places.into_iter().map(|(body, places)| (body, Rc::new(places))).collect();
        Ok(copies)
    }

    /// Adds the history of a repository.
    fn add_history(&mut self, repo: Repo, places: &mut HashMap<Body, Vec<Place>>) -> Result<(), OpError> {
        let mark = |bytes: &[u8]| body(bytes).map(|body| body.0);
        let arrivals = repo.arrivals(&is_entry, &mark).map_err(StoreError::from)?;
        let history = self.histories.len();
        for arrival in arrivals {
            let path = match repo.prefix().as_os_str().is_empty() {
                true => arrival.path,
                false => repo.prefix().join(&arrival.path).into(),
            };
            let when = Some(When { history, commit: arrival.commit, beside: arrival.beside });
            places.entry(Body(arrival.mark)).or_default().push(Place { path, when });
        }
        let head = repo.head_commit().map_err(StoreError::from)?;
        self.histories.push(History { repo, head });
        Ok(())
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
        let places = self.places.get(body).cloned().unwrap_or_default();
        if let [Place { path: only, when }] = &places[..]
            && **only == *path
            && when.is_none_or(|when| self.stands_in_head(when.history, path, body).unwrap_or(false))
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
        for here in self.arrivals_here(context, path, body, &places)? {
            let list = self.list(context, &here)?;
            // The oldest first: that is most likely the one that a person knows.
            for place in places.iter().rev() {
                if !self.may_be_origin(place, &here, &places)? {
                    continue;
                }
                let there = self.list(context, place)?;
                if self.same(context, &list, &there) && self.same(context, &now, &there) {
                    continue;
                }
                let known = self.known_readers(context, place, body, &there)?;
                let gains: BTreeSet<&Fingerprint> =
                    readers.iter().map(|reader| &reader.fingerprint).collect();
                let gains = gains.into_iter().filter(|key| !known.contains(key.as_str())).cloned().collect();
                let commit = here.when.map(|when| self.histories[when.history].repo.commit_info(when.commit));
                let commit = commit.transpose().map_err(StoreError::from)?;
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

    /// Whether a person here has let the message pass.
    pub fn is_reviewed(&self, path: &Path, body: &Body) -> bool {
        self.reviewed.holds(body, path)
    }

    /// Returns how what stands at `path` now came there: the latest arrivals that HEAD knows, or else any.
    fn arrivals_here(
        &mut self,
        context: &Context<'_>,
        path: &Path,
        body: &Body,
        places: &[Place],
    ) -> Result<Vec<Place>, OpError> {
        let mut found: Vec<(When, Place)> = Vec::new();
        for place in places.iter().filter(|place| *place.path == *path) {
            let Some(when) = place.when else { continue };
            let Some(head) = self.histories[when.history].head else { continue };
            if self.is_in(when.history, head, when.commit)? && self.counts(place, places)? {
                found.push((when, place.clone()));
            }
        }
        let mut latest = Vec::new();
        for (when, place) in &found {
            let mut overtaken = false;
            for (other, _) in &found {
                overtaken |= other.commit != when.commit && self.follows(other, when)?;
            }
            if !overtaken {
                latest.push(place.clone());
            }
        }
        let committed = match latest.first().and_then(|place| place.when) {
            Some(when) => self.stands_in_head(when.history, path, body)?,
            None => false,
        };
        if committed {
            return Ok(latest);
        }
        if Repo::prefix_of(context.store.root(), path.parent().unwrap_or(Path::new(""))).is_none() {
            return Ok(vec![Place { path: path.into(), when: None }]);
        }
        // What is not committed was put there on this machine: an extension moves entries so. But it may have
        // been taken out of a commit that was fetched (`git checkout origin/main -- FILE`).
        Ok(places.iter().filter(|place| *place.path == *path && place.when.is_some()).cloned().collect())
    }

    /// Whether the data can have come from `place` to where `here` is.
    fn may_be_origin(&mut self, place: &Place, here: &Place, places: &[Place]) -> Result<bool, OpError> {
        if !self.counts(place, places)? {
            return Ok(false);
        }
        match (place.when, here.when) {
            // What is in the work tree only is newer than all that is committed.
            (None, Some(_)) => Ok(false),
            (None, None) => Ok(place.path != here.path),
            (Some(when), None) => match (place.path == here.path, self.histories[when.history].head) {
                (true, Some(head)) => self.is_in(when.history, head, when.commit),
                (true, None) => Ok(false),
                (false, _) => Ok(true),
            },
            // An old version of the same entry must be one from before. Elsewhere it must not be from after;
            // on branches side by side nobody can tell.
            (Some(when), Some(then)) => match place.path == here.path {
                true => Ok(when.commit != then.commit && self.follows(&then, &when)?),
                false => Ok(when.commit == then.commit || !self.follows(&when, &then)?),
            },
        }
    }

    /// Whether data arrived here at all: a merge that takes them from one side brings them back only where
    /// the other side had known and replaced them.
    fn counts(&mut self, place: &Place, places: &[Place]) -> Result<bool, OpError> {
        let Some(When { history, beside: Some(beside), .. }) = place.when else { return Ok(true) };
        for other in places.iter().filter(|other| other.path == place.path) {
            if let Some(when) = other.when
                && when.beside.is_none()
                && when.history == history
                && self.is_in(history, beside, when.commit)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the commit of `later` comes after, or is, that of `earlier`.
    fn follows(&mut self, later: &When, earlier: &When) -> Result<bool, OpError> {
        Ok(later.history == earlier.history && self.is_in(later.history, later.commit, earlier.commit)?)
    }

    /// Whether the history that ends in `commit` holds `ancestor`.
    fn is_in(&mut self, history: usize, commit: Oid, ancestor: Oid) -> Result<bool, OpError> {
        if let Some(known) = self.descends.get(&(commit, ancestor)) {
            return Ok(*known);
        }
        let found = self.histories[history].repo.descends(commit, ancestor).map_err(StoreError::from)?;
        self.descends.insert((commit, ancestor), found);
        Ok(found)
    }

    /// Whether HEAD holds a message of this body at `path`.
    fn stands_in_head(&self, history: usize, path: &Path, wanted: &Body) -> Result<bool, OpError> {
        let repo = &self.histories[history].repo;
        let inside = path.strip_prefix(repo.prefix()).unwrap_or(path);
        let Some((blob, _)) = repo.head_entry(inside).map_err(StoreError::from)? else { return Ok(false) };
        Ok(body(&repo.blob(blob).map_err(StoreError::from)?).as_ref() == Some(wanted))
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
            Some(when) => {
                let repo = &self.histories[when.history].repo;
                let tree = repo.tree_of(when.commit);
                tree.and_then(|tree| list_in(repo, &tree, folder)).map_err(StoreError::from)?
            }
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
    fn known_readers(
        &mut self,
        context: &Context<'_>,
        place: &Place,
        wanted: &Body,
        list: &List,
    ) -> Result<Readers, OpError> {
        let mut known = (*self.readers(context, list)).clone();
        let standing = context.store.beneath().read(&place.path).ok().flatten();
        if standing.as_deref().and_then(body).as_ref() == Some(wanted)
            && let Ok(folder) = folder(&place.path)
            && let Ok(recipients) = context.recipients(&folder)
        {
            known.extend(recipients.keys.iter().map(|key| key.fingerprint.to_string()));
        }
        Ok(known)
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
pub(super) fn body_of(name: &str, message: &[u8]) -> Result<Body, OpError> {
    let normal = normal(message).map_err(|source| OpError::Decrypt { name: name.to_owned(), source })?;
    Ok(body(&normal).expect("a normal message ends with its encrypted data"))
}

/// Returns the list that rules a file's folder now; an empty one if there is none that could be used.
fn current_list(context: &Context<'_>, path: &Path) -> Vec<u8> {
    let rule = folder(path).ok().and_then(|folder| context.store.rule(&folder, &Overlay::new()).ok());
    rule.flatten().map(|rule| rule.gpg_id).unwrap_or_default()
}

/// Returns the folder that holds a file.
fn folder(path: &Path) -> Result<FolderName, OpError> {
    Ok(FolderName::parse(path.parent().unwrap_or(Path::new("")).as_os_str())?)
}
