//! All that there is to say of who can read a store, or one folder of it, in one go: for a page that can be sent.
//!
//! Of a folder, nothing of others is said: no name, no key that never was for it, no number that counts more than it,
//! no message of a commit. Nothing is decrypted but for the rotation list.

mod matrix;
mod reach;
mod rotation;
mod timeline;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use matrix::Difference;
pub use reach::Held;
pub use rotation::{Item, Rotation, Standing};
pub use timeline::{Event, FolderChange, Gain};

use super::access::{self, Folder};
use super::past::{History, short};
use super::{AuditError, Moment, Past};
use crate::git::versions::Content;
use crate::model::entry::{is_credential, is_entry, is_record};
use crate::model::{Fingerprint, FolderName, KeyId, Keyring, Shown};
use crate::ops::history::Who;
use crate::ops::readers::{self, Reader};
use crate::ops::{Context, OpError};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::survey::Survey;

/// Somebody who can read, could, or is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A key of which more than its ID is known.
    Key(Fingerprint),
    /// A key of which messages tell no more than its ID.
    Id(KeyId),
    /// A name on a list that leads to no key here; not safe to show.
    Name(String),
    /// A hidden recipient, or whoever knows a passphrase: it could be anybody.
    Hidden,
}

/// What is said of a store or a folder.
pub struct Report {
    /// The folder; the root for the whole store.
    pub scope: FolderName,
    /// The newest commit of the repository that holds it; none without git.
    pub newest: Option<Moment>,
    /// The keyring.
    pub keyring: Keyring,
    /// Keys that travel with the store, and are not in the keyring.
    pub waiting: Keyring,
    /// How many entries there are.
    pub entries: usize,
    /// Who can read which folders now, list by list.
    pub folders: Vec<Folder>,
    /// Where entries and lists differ.
    pub differences: Vec<Difference>,
    /// Commits that changed who can read, the newest first; none without git.
    pub timeline: Option<Vec<Event>>,
    /// What each key could ever read; none without git.
    pub held: Option<Vec<Held>>,
    /// What must be changed, and has been; none without git, or where it was not asked for.
    pub rotation: Option<Rotation>,
    /// Key IDs that several keys have: which of them it is, only their owners can tell.
    pub shared: BTreeSet<KeyId>,
    /// Why something may be missing.
    pub gaps: Vec<String>,
}

/// What the parts of a report are made from.
struct Source<'a> {
    context: &'a Context<'a>,
    scope: &'a Path,
    survey: &'a Survey,
    waiting: &'a Keyring,
}

/// Tells of the store, or of `scope`; with `decrypts`, also of the rotation list.
pub fn report(context: &Context<'_>, scope: &FolderName, decrypts: bool) -> Result<Report, OpError> {
    let past = past(context, scope.as_path())?;
    let mut survey = survey(context, scope, past.as_ref())?;
    survey.entries.retain(|entry| !is_record(&entry.path));
    let waiting = readers::all_waiting(context, &survey.keyring);
    let source = Source { context, scope: scope.as_path(), survey: &survey, waiting: &waiting };
    let folders = access::standing(&survey);
    let mut gaps = source.gaps(&folders, past.as_ref());
    let (mut timeline, mut held, mut rotation) = (None, None, None);
    if let Some(past) = &past {
        let mut events = source.timeline(past, &mut gaps)?;
        if !scope.is_root() {
            // A colleague, or another client's person who could write to the store's own list.
            events.iter_mut().for_each(|event| event.author.clear());
        }
        timeline = Some(events);
        let could = held.insert(source.held(past)?);
        if decrypts {
            rotation = Some(source.rotation(could, &mut gaps)?);
        }
    }
    Ok(Report {
        // Of a folder it would tell that something happened elsewhere.
        newest: past.as_ref().and_then(|past| newest(past, scope.as_path())).filter(|_| scope.is_root()),
        entries: survey.entries.len(),
        differences: source.differences(),
        shared: source.shared(past.as_ref()),
        scope: scope.clone(),
        keyring: survey.keyring,
        folders,
        timeline,
        held,
        rotation,
        waiting,
        gaps,
    })
}

/// Returns the histories that have something to say of `scope`; none without git.
fn past(context: &Context<'_>, scope: &Path) -> Result<Option<Past>, OpError> {
    let mut past = match Past::read(context) {
        Ok(past) => past,
        Err(OpError::Audit(AuditError::NoGit)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let concerns = |prefix: &Path| prefix.starts_with(scope) || scope.starts_with(prefix);
    past.histories.retain(|history| concerns(history.repo.prefix()));
    past.closed.retain(|(prefix, _)| concerns(prefix));
    Ok(Some(past).filter(|past| !past.histories.is_empty() || !past.closed.is_empty()))
}

/// Looks at the folder as it stands; of one that is gone, history tells.
fn survey(context: &Context<'_>, scope: &FolderName, past: Option<&Past>) -> Result<Survey, OpError> {
    let state = context.store.beneath().state(scope.as_path()).map_err(StoreError::from)?;
    let was = |past: &Past| {
        past.histories.iter().any(|history| {
            let mut came = history.versions.came.iter();
            came.any(|came| history.in_store(&came.path).starts_with(scope.as_path()))
        })
    };
    if state == State::Absent && past.is_some_and(was) {
        let keys = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
        return Ok(Survey {
            keyring: Keyring::new(keys),
            lists: Default::default(),
            unusable: Default::default(),
            entries: Vec::new(),
        });
    }
    readers::survey_folder(context, scope)
}

/// Returns the newest commit of the innermost repository that holds `scope`.
fn newest(past: &Past, scope: &Path) -> Option<Moment> {
    let holding = past.histories.iter().filter(|history| scope.starts_with(history.repo.prefix()));
    let history = holding.max_by_key(|history| history.repo.prefix().iter().count())?;
    let head = history.repo.head_commit().ok()??;
    history.versions.commits.iter().find(|commit| commit.id == head).map(Moment::from)
}

impl Source<'_> {
    /// Whether a file is an entry of what is asked about.
    fn holds(&self, path: &Path) -> bool {
        path.starts_with(self.scope) && is_credential(path)
    }

    /// Returns a folder that something is said of: of a list above what is asked about, only what it is to that.
    fn within<'p>(&'p self, folder: &'p Path) -> &'p Path {
        if folder.starts_with(self.scope) { folder } else { self.scope }
    }

    /// Returns whom key IDs stand for.
    fn parties(&self, ids: &[KeyId]) -> BTreeSet<Party> {
        let readers = ids.iter().flat_map(|id| readers::of_id(&self.survey.keyring, *id));
        readers.map(|reader| party(self.waiting, &reader)).collect()
    }

    /// Returns whom a name on a list stands for.
    fn named(&self, who: Who) -> Party {
        match who {
            Who::Key(key) => {
                let primary =
                    [&self.survey.keyring, self.waiting].into_iter().find_map(|ring| ring.primary_of(&key));
                Party::Key(primary.cloned().unwrap_or(key))
            }
            Who::Name(name) => Party::Name(name),
        }
    }

    /// Returns the key IDs that several keys have.
    fn shared(&self, past: Option<&Past>) -> BTreeSet<KeyId> {
        let now = self.survey.entries.iter().flat_map(|entry| &entry.readers).copied();
        let then = past.iter().flat_map(|past| self.came(past)).filter_map(|(_, content)| match content? {
            Content::Message { readers, .. } => Some(readers.iter().copied()),
            _ => None,
        });
        let ids: BTreeSet<KeyId> = now.chain(then.flatten()).collect();
        ids.into_iter().filter(|id| self.survey.keyring.bearers(*id).len() > 1).collect()
    }

    /// Returns the files of all versions of what is asked about, and what they say of themselves.
    fn came<'p>(&self, past: &'p Past) -> impl Iterator<Item = (PathBuf, Option<&'p Content>)> {
        let all = past.histories.iter().flat_map(|history| {
            let came = history.versions.came.iter().filter_map(|came| Some((&came.path, came.blob?)));
            came.map(|(path, blob)| (history.in_store(path), history.versions.blobs.get(&blob)))
        });
        all.filter(|(path, _)| self.holds(path))
    }

    /// Says why something may be missing. What the system said of it is left out: it names places of this machine.
    fn gaps(&self, folders: &[Folder], past: Option<&Past>) -> Vec<String> {
        let mut gaps: Vec<String> = access::broken(folders).into_iter().collect();
        for folder in self.survey.unusable.keys() {
            let folder = folder_text(self.within(folder.as_path()));
            gaps.push(format!("the recipients file that rules `{folder}` cannot be used"));
        }
        let Some(past) = past else { return gaps };
        if past.histories.iter().any(|history| history.versions.is_shallow) {
            gaps.push("the history is cut off: the repository was cloned without older commits".to_owned());
        }
        for (commit, _) in past.histories.iter().flat_map(|History { versions, .. }| &versions.damaged) {
            gaps.push(format!("commit {} cannot be read", short(*commit)));
        }
        match self.came(past).filter(|(_, content)| content.is_none_or(|c| *c == Content::Missing)).count() {
            0 => {}
            1 => gaps.push("1 version cannot be read, or is not here".to_owned()),
            count => gaps.push(format!("{count} versions cannot be read, or are not here")),
        }
        for (prefix, _) in &past.closed {
            let prefix = folder_text(self.within(prefix));
            gaps.push(format!("the repository that holds `{prefix}` was not looked at"));
        }
        gaps
    }
}

/// Returns somebody who can read as somebody who is told of.
pub fn party(waiting: &Keyring, reader: &Reader) -> Party {
    match reader {
        Reader::Key(key) => Party::Key(key.clone()),
        Reader::Unknown(id) => match readers::waiting_for(waiting, *id) {
            Some(key) => Party::Key(key.fingerprint.clone()),
            None => Party::Id(*id),
        },
        Reader::Hidden => Party::Hidden,
    }
}

/// Returns a folder's path, safe to show; `/` for the store itself.
pub fn folder_text(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { "/".to_owned() } else { Shown::os(folder).to_string() }
}

/// Whether a file decides who can read entries, or is one.
fn is_of_access(path: &Path) -> bool {
    is_entry(path) || path.ends_with(".gpg-id")
}
