//! Putting staged files in their places, without losing what another program wrote there in that moment.
//!
//! A place is looked at before it is replaced, but stock pass and editors heed no lock of ours: between
//! the look and the replacing they may write. So the old file is not replaced but exchanged with ours, and
//! looked at once more where nobody else can reach it. Killed at any point, the next command goes on from
//! what it finds: the journal knows both contents, and anything else is somebody's version.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;
use sha2::{Digest as _, Sha256};

use super::beneath::State;
use super::journal::{FilePart, Journal, staged, state_text};
use super::recovery::Found;
use super::sync::sync_paths;
use super::{Store, StoreError};
use crate::git::{Oid, Repo};
use crate::model::Shown;

/// A file's place, and where its new version waits; after an exchange, its old one.
struct Place<'j> {
    path: PathBuf,
    staged: PathBuf,
    file: &'j FilePart,
}

impl Store {
    /// Puts staged files in their places, removes what is to go, and prunes empty folders; durable.
    ///
    /// A place that another program has changed meanwhile is left to it. With `repos` (recovery), a file
    /// is placed only where HEAD still says so: the journal may be older than what came after it.
    ///
    /// Returns what is to be told of places that were left to another program.
    pub(super) fn place_files(
        &self,
        journal: &Journal,
        repos: Option<&[Found]>,
    ) -> Result<Vec<String>, StoreError> {
        let mut overtaken = Vec::new();
        let mut touched = BTreeSet::new();
        for file in &journal.files {
            let path = self.path_in(&file.path)?;
            touched.insert(path.parent().unwrap_or(Path::new("")).to_path_buf());
            let place = Place { staged: staged(&path, &journal.nonce), path, file };
            if self.still_wanted(&place, repos)? {
                overtaken.extend(self.place_file(&place)?);
            }
            overtaken.extend(self.clear(&place)?);
        }
        for folder in &journal.prune {
            let path = self.path_in(folder)?;
            if self.beneath.remove_empty_folder(&path)? {
                touched.remove(&path);
                touched.insert(path.parent().unwrap_or(Path::new("")).to_path_buf());
            }
        }
        let there = touched.into_iter().map(|path| self.root.join(path)).filter(|path| path.exists());
        sync_paths(&there.collect::<Vec<_>>())?;
        Ok(overtaken)
    }

    /// Puts one file in its place or removes it; returns what is to be told if that was left undone.
    fn place_file(&self, place: &Place<'_>) -> Result<Option<String>, StoreError> {
        let now = self.beneath.state(&place.path)?;
        let is_old = state_text(&now) == place.file.old;
        match &place.file.new {
            Some(new) if *new == state_text(&now) => Ok(None),
            // Placed before we were killed, and gone since, or moved away by another program.
            Some(_) if self.beneath.state(&place.staged)? == State::Absent => Ok(None),
            // Also where another program removed the old version: it cannot have meant the new one.
            Some(_) if now == State::Absent => self.put_new(place),
            Some(_) if is_old => self.put_over(place),
            Some(_) => self.keep_both(place).map(Some),
            None if now == State::Absent => Ok(None),
            None if is_old && now != State::Folder => self.take_away(place),
            None => Ok(Some(not_removed(&place.path))),
        }
    }

    /// Puts a file where there is none.
    fn put_new(&self, place: &Place<'_>) -> Result<Option<String>, StoreError> {
        match self.beneath.rename(&place.staged, &place.path, true) {
            Ok(()) => Ok(None),
            Err(error) if error.is_taken() => self.keep_both(place).map(Some),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a file over the one that it replaces.
    fn put_over(&self, place: &Place<'_>) -> Result<Option<String>, StoreError> {
        if !self.beneath.exchange(&place.staged, &place.path)? {
            self.beneath.rename(&place.staged, &place.path, false)?;
            return Ok(None);
        }
        if state_text(&self.beneath.state(&place.staged)?) == place.file.old {
            return Ok(None);
        }
        // Written between our look and the exchange: back with it.
        self.beneath.exchange(&place.staged, &place.path)?;
        self.keep_both(place).map(Some)
    }

    /// Removes a file: out of everybody's reach first, to see that it is the one that is to go.
    fn take_away(&self, place: &Place<'_>) -> Result<Option<String>, StoreError> {
        self.beneath.rename(&place.path, &place.staged, true)?;
        if state_text(&self.beneath.state(&place.staged)?) == place.file.old {
            return Ok(None);
        }
        self.put_back(place).map(Some)
    }

    /// Returns another program's version to its place, or beside it if there is one again.
    fn put_back(&self, place: &Place<'_>) -> Result<String, StoreError> {
        match self.beneath.rename(&place.staged, &place.path, true) {
            Ok(()) => Ok(not_removed(&place.path)),
            Err(error) if error.is_taken() => self.keep_both(place),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what is left at the staged file's name: our new version where it is not wanted, or the old
    /// one after an exchange. Anything else is another program's, from an exchange that was interrupted.
    fn clear(&self, place: &Place<'_>) -> Result<Option<String>, StoreError> {
        let left = state_text(&self.beneath.state(&place.staged)?);
        if left == place.file.old || Some(&left) == place.file.new.as_ref() {
            self.beneath.remove(&place.staged)?;
            return Ok(None);
        }
        match self.beneath.state(&place.staged)? {
            State::Absent => Ok(None),
            _ if place.file.new.is_none() => self.put_back(place).map(Some),
            _ => {
                self.beneath.exchange(&place.staged, &place.path)?;
                self.keep_both(place).map(Some)
            }
        }
    }

    /// Whether HEAD still holds what the journal wants. Without a repository, or at the moment of
    /// publication, it does.
    fn still_wanted(&self, place: &Place<'_>, repos: Option<&[Found]>) -> Result<bool, StoreError> {
        let Some(repos) = repos else { return Ok(true) };
        let prefix = Repo::prefix_of(&self.root, place.path.parent().unwrap_or(Path::new("")));
        let Some(found) = repos.iter().find(|found| Some(found.repo.prefix()) == prefix.as_deref()) else {
            return Ok(true);
        };
        // Its branch could not follow another repository's: what was moved there must not get lost.
        if !found.moved {
            return Ok(true);
        }
        let inside = place.path.strip_prefix(found.repo.prefix()).expect("the path lies in its repository");
        let Some((blob, _)) = found.repo.head_entry(inside)? else {
            // An ignored file is in no commit: then there is nothing newer than the journal.
            return Ok(place.file.new.is_none() || found.repo.ignores(&found.repo.head()?, inside)?);
        };
        let head = state_text(&State::of(&found.repo.blob(blob)?));
        Ok(place.file.new.as_deref() == Some(head.as_str()))
    }

    /// Returns the metadata of the file `path` if it holds `blob`, for git's index.
    pub(super) fn stat_of(&self, path: &Path, blob: Oid) -> Option<Stat> {
        // In this order: what is written after the look has another time.
        let stat = self.beneath.metadata(path).ok()??;
        let bytes = self.beneath.read(path).ok()??;
        (crate::git::blob_id(&bytes) == Some(blob)).then_some(stat)
    }

    /// Another program wrote a file in the very moment of publication. Its version stays; ours goes beside.
    fn keep_both(&self, place: &Place<'_>) -> Result<String, StoreError> {
        let path = &place.path;
        let Some(bytes) = self.beneath.read(&place.staged)? else { return Ok(not_removed(path)) };
        let tag: String = Sha256::digest(&bytes)[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let mut name = path.with_extension("").file_name().unwrap_or_default().to_owned();
        name.push(format!(".conflict-{tag}.gpg"));
        let beside = path.with_file_name(name);
        match self.beneath.rename(&place.staged, &beside, true) {
            // The name tells the content: it is there already.
            Err(error) if error.is_taken() => drop(self.beneath.remove(&place.staged)?),
            other => other?,
        }
        Ok(format!("{}: its version stays, this one is kept as `{}`", overtaken(path), Shown::os(&beside)))
    }
}

fn overtaken(path: &Path) -> String {
    format!("`{}` was changed by another program at the same moment", Shown::os(path))
}

fn not_removed(path: &Path) -> String {
    format!("{}: it was not removed", overtaken(path))
}
