//! The store: lookup, listing, recipients, locking and all-or-nothing changes.

pub mod accepted;
pub mod beneath;
pub mod journal;
pub mod leftovers;
pub mod listing;
pub mod locale;
pub mod lock;
pub mod names;
pub mod pattern;
mod placing;
pub mod recipients;
pub mod record;
pub mod recorded;
pub mod recovery;
pub mod reviewed;
pub mod survey;
mod sync;
pub mod transaction;
pub mod trusted;
pub mod walked;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use beneath::{Beneath, BeneathError, State};

use crate::git::changing::Changing;
use crate::git::settings::Settings;
use crate::git::{GitError, Repo};
use crate::model::{EntryName, FolderName, Shown};
use crate::process::git::GitProgram;
use record::RecordError;

/// Why the store could not be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The root is not there, or is no folder.
    #[error("there is no password store at `{path}`")]
    NoStore {
        /// The root.
        path: String,
        /// Why it could not be opened.
        #[source]
        source: io::Error,
    },
    /// Another passel holds the store's lock.
    #[error("another passel has been writing to the store for {0} seconds")]
    Busy(u64),
    /// The locking itself failed.
    #[error("cannot lock the store")]
    Lock(#[source] io::Error),
    /// A path below the root could not be used.
    #[error(transparent)]
    Path(#[from] BeneathError),
    /// A recipients file is none.
    #[error("`{path}` cannot be a recipients file: {what}")]
    NoRecipientsFile {
        /// The file.
        path: String,
        /// What is the matter.
        what: String,
    },
    /// Git could not do its part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] journal::JournalError),
    /// What this machine has accepted could not be read or written.
    #[error(transparent)]
    Accepted(#[from] RecordError),
    /// Which copied messages were let pass could not be read or written.
    #[error(transparent)]
    Reviewed(RecordError),
    /// Whose signatures are trusted here could not be read or written.
    #[error(transparent)]
    Trusted(RecordError),
    /// No randomness for temporary names.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    /// A file could not be synced to disk.
    #[error("cannot sync `{path}` to disk")]
    Sync {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The commit was made, but the files could not all follow.
    #[error("the change is recorded but could not be finished; the next command of passel finishes it")]
    Unfinished(#[source] Box<StoreError>),
    /// The store changed again and again while the command worked.
    #[error("`{0}` keeps being changed by other programs")]
    Restless(String),
}

/// What the user is to be told, besides what was asked for.
pub type Notes = Rc<Told>;

/// What is told.
#[derive(Debug, Default)]
pub struct Told {
    /// What was found and mended on the way.
    notes: RefCell<Vec<String>>,
    /// Why each of these files was left as it is until a person decides, by its path.
    held: RefCell<BTreeMap<PathBuf, String>>,
    /// Whether a change was published.
    published: Cell<bool>,
}

impl Told {
    /// Takes the notes.
    pub fn take(&self) -> Vec<String> {
        self.notes.take()
    }

    /// Whether a change of ours was published and committed; not what was only taken from a remote.
    pub fn has_published(&self) -> bool {
        self.published.get()
    }

    /// Takes why files were left as they are.
    pub fn take_held(&self) -> Vec<String> {
        self.held.take().into_values().collect()
    }
}

/// Returns what tells a store's place from others, for the names of files elsewhere.
pub fn place_id(root: &Path) -> String {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let hash = Sha256::digest(root.as_os_str().as_encoded_bytes());
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// How a store is to be used.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file mode creation mask that new files obey.
    pub umask: u32,
    /// The user's git.
    pub git: GitProgram,
    /// The folder for what programs remember between runs (`XDG_STATE_HOME`), none without a home.
    pub state: Option<PathBuf>,
    /// Where what is found and mended on the way is told, for the user.
    pub notes: Notes,
}

/// A password store: a folder of encrypted entries.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    beneath: Beneath,
    options: Options,
    /// What is known of its history.
    changing: Changing,
}

impl Store {
    /// Opens the store at `root`, and finishes or undoes a change that was interrupted.
    pub fn open(root: &Path, options: Options) -> Result<Self, StoreError> {
        let beneath = Beneath::open(root)
            .map_err(|source| StoreError::NoStore { path: Shown::os(root).to_string(), source })?;
        let store = Store { root: root.to_path_buf(), beneath, options, changing: Changing::default() };
        // Reading goes on whatever comes of it; writing tries again, and fails if that does.
        if let Err(error) = store.recover_if_idle() {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            store.note(format!(
                "an interrupted change could not be recovered: {error}{}",
                cause.unwrap_or_default()
            ));
        }
        Ok(store)
    }

    /// Returns the root, as the user gave it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the files below the root.
    pub fn beneath(&self) -> &Beneath {
        &self.beneath
    }

    /// Returns the user's git.
    pub fn git(&self) -> &GitProgram {
        &self.options.git
    }

    /// Returns the file mode creation mask that new files obey.
    pub fn umask(&self) -> u32 {
        self.options.umask
    }

    /// Returns which commits are known to change recipients files.
    pub fn changing(&self) -> &Changing {
        &self.changing
    }

    /// Adds to what is told to the user.
    pub fn note(&self, note: impl Into<String>) {
        let (note, mut notes) = (note.into(), self.options.notes.notes.borrow_mut());
        // What is computed anew is told once.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Remembers that a change was published.
    fn has_changed(&self) {
        self.options.notes.published.set(true);
    }

    /// Tells the user, at the end, that a file is left as it is until a person decides, and why; or, with
    /// none, that it is not.
    pub fn hold_back(&self, path: &Path, why: Option<String>) {
        let mut held = self.options.notes.held.borrow_mut();
        match why {
            Some(why) => held.insert(path.to_path_buf(), why),
            None => held.remove(path),
        };
    }

    /// Whether a file is left as it is until a person decides, as far as this run has looked.
    pub fn is_held_back(&self, path: &Path) -> bool {
        self.options.notes.held.borrow().contains_key(path)
    }

    /// Whether any file is.
    pub fn holds_back(&self) -> bool {
        !self.options.notes.held.borrow().is_empty()
    }

    /// Returns what stands at the entry's file; links are not followed.
    pub fn entry_state(&self, name: &EntryName) -> Result<State, StoreError> {
        Ok(self.beneath.state(&name.file())?)
    }

    /// Whether `folder` is there, and a folder.
    pub fn folder_exists(&self, folder: &FolderName) -> Result<bool, StoreError> {
        Ok(self.beneath.state(folder.as_path())? == State::Folder)
    }

    /// Returns the work tree of the innermost repository that holds `folder`, none without git.
    pub fn work_tree(&self, folder: &FolderName) -> Option<PathBuf> {
        Repo::prefix_of(&self.root, folder.as_path()).map(|prefix| self.root.join(prefix))
    }

    /// Fails if the repository that holds `folder` could not record a change now.
    pub fn check_recordable(&self, folder: &FolderName) -> Result<(), StoreError> {
        let Some(prefix) = Repo::prefix_of(&self.root, folder.as_path()) else { return Ok(()) };
        Repo::open(&self.root, &prefix)?.refuse_unfinished()?;
        Settings::read(&self.options.git, &self.root.join(&prefix))?;
        Ok(())
    }

    /// Refuses a folder of which a part is left out by a sparse checkout: what is done to the folder would
    /// not be done to that.
    pub fn refuse_left_out(&self, folder: &Path) -> Result<(), StoreError> {
        let Some(prefix) = Repo::prefix_of(&self.root, folder) else { return Ok(()) };
        let repo = Repo::open(&self.root, &prefix)?;
        let inside = folder.strip_prefix(&prefix).expect("the repository holds the folder");
        match repo.left_out(inside)? {
            Some(path) => Err(GitError::Sparse { path: Shown::os(&prefix.join(path)).to_string() }.into()),
            None => Ok(()),
        }
    }

    /// Returns the file that says that objects are being written. It need not last: nothing has been
    /// changed yet, and after a power cut it may come out empty.
    fn preparing_path(&self) -> PathBuf {
        self.journal_path().with_extension("preparing")
    }

    /// Returns the file of the journal: beside git's own state, so that it is never committed.
    fn journal_path(&self) -> PathBuf {
        match Repo::directory(&self.root) {
            Some(gitdir) => gitdir.join("passel-journal"),
            None => self.root.join(".passel-journal"),
        }
    }
}
