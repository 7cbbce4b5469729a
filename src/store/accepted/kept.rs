//! Where what was accepted is kept, and when it is written.

use std::path::PathBuf;

use super::{Accepted, Accepts};
use crate::files::whole;
use crate::git::Repo;
use crate::store::record::{RecordError, read, write};
use crate::store::{Store, StoreError, place_id};

impl Store {
    /// Returns what this machine has accepted; none if it has never written to this store.
    pub fn accepted(&self) -> Result<Option<Accepted>, StoreError> {
        let path = self.memory("accepted")?;
        if let Some(text) = read(&path)? {
            return Ok(Some(Accepted::parse(&text, &path)?));
        }
        // Put under git by another program, a store is no other one.
        match self.memory_without_git("accepted") {
            Ok(path) => Ok(read(&path)?.map(|text| Accepted::parse(&text, &path)).transpose()?),
            Err(_) => Ok(None),
        }
    }

    /// Changes what this machine has accepted, under the store's lock.
    pub fn change_accepted(&self, change: impl FnOnce(&mut Accepted)) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        self.write_accepted(change)
    }

    /// The same if nobody else has the lock; for commands that only read, and must not wait.
    pub fn change_accepted_if_idle(&self, change: impl FnOnce(&mut Accepted)) -> Result<(), StoreError> {
        match self.try_lock()? {
            Some(_lock) => self.write_accepted(change),
            None => Ok(()),
        }
    }

    fn write_accepted(&self, change: impl FnOnce(&mut Accepted)) -> Result<(), StoreError> {
        let before = self.accepted()?;
        let mut accepted = before.clone().unwrap_or_default();
        change(&mut accepted);
        if before.as_ref() == Some(&accepted) {
            return Ok(());
        }
        Ok(write(&self.memory("accepted")?, &accepted.text(), true)?)
    }

    /// Remembers what the change `nonce` is about to set; the caller has the lock.
    pub(in crate::store) fn expect(&self, nonce: &str, accepts: &Accepts) -> Result<(), StoreError> {
        if *accepts == Accepts::default() {
            return Ok(());
        }
        self.write_accepted(|accepted| accepted.expect(nonce, accepts))
    }

    /// Accepts what the change `nonce` has set, and forgets what others were to set that have not happened;
    /// the caller has the lock.
    pub(in crate::store) fn settle(&self, nonce: Option<&str>) -> Result<(), StoreError> {
        // Asked whenever the lock is taken: where nothing is expected, the record need not be parsed. Where
        // there is no place for it, nothing can be.
        let Ok(path) = self.memory("accepted") else { return Ok(()) };
        if !read(&path)?.is_some_and(|text| text.contains("\nexpected:")) {
            return Ok(());
        }
        let mut settled = Ok(());
        self.write_accepted(|accepted| settled = accepted.settle(nonce))?;
        Ok(settled.map_err(|what| RecordError::damaged(&path, what))?)
    }

    /// Whether this machine has met the store before.
    pub fn is_known(&self) -> bool {
        let places = [self.memory("accepted"), self.memory_without_git("accepted")];
        places.into_iter().flatten().any(|path| path.symlink_metadata().is_ok())
    }

    /// Whether this machine can remember anything of the store: there is a place for it that can be written
    /// to.
    pub fn can_be_known(&self) -> bool {
        let Ok(path) = self.memory("accepted") else { return false };
        let folder = path.ancestors().skip(1).find(|above| above.symlink_metadata().is_ok());
        folder.is_some_and(|folder| rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok())
    }

    /// Takes what was remembered of a store without git along into its new repository. The caller has the
    /// lock.
    pub fn take_memory_into_git(&self) -> Result<(), StoreError> {
        for name in ["accepted", "reviewed", "trusted"] {
            let (old, new) = (self.memory_without_git(name)?, self.memory(name)?);
            if let Some(text) = read(&old)?
                && new != old
                && read(&new)?.is_none()
            {
                write(&new, &text, true)?;
            }
        }
        Ok(())
    }

    /// Returns what a killed command left of a record that it was writing.
    pub(in crate::store) fn half_written_acceptance(&self) -> Option<PathBuf> {
        let path = whole::beside(&self.memory("accepted").ok()?);
        path.symlink_metadata().is_ok().then_some(path)
    }

    /// Returns the file in which this machine remembers what it has accepted, by its name.
    pub(in crate::store) fn memory(&self, name: &str) -> Result<PathBuf, RecordError> {
        if let Some(common) = Repo::common_directory(&self.root) {
            return Ok(common.join(format!("passel-{name}")));
        }
        self.memory_without_git(name)
    }

    fn memory_without_git(&self, name: &str) -> Result<PathBuf, RecordError> {
        let state = self.options.state.as_ref().ok_or(RecordError::NoPlace)?;
        Ok(state.join("passel").join(format!("{name}-{}", place_id(&self.root))))
    }
}
