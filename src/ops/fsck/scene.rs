//! The files that are looked at.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};

use super::report::Report;
use crate::git::Repo;
use crate::model::entry::is_entry;
use crate::model::{EntryName, FolderName, Shown};
use crate::ops::{Context, OpError};
use crate::store::StoreError;
use crate::store::beneath::State;

/// A file, link or folder.
pub(super) struct Item {
    /// Its path below the root; empty for the root itself.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileType,
    /// Its metadata.
    pub stat: Stat,
}

impl Item {
    /// Whether it is an entry's file, and no link to one.
    pub fn is_entry(&self) -> bool {
        self.kind == FileType::RegularFile && is_entry(&self.path)
    }
}

/// What is looked at.
pub(super) struct Scene<'a> {
    /// What operations work with.
    pub context: &'a Context<'a>,
    /// The folder, or the entry's file.
    pub place: PathBuf,
    /// Everything but folders, in order of their paths.
    pub files: Vec<Item>,
    /// Folders, each after the one that holds it; for an entry none.
    pub folders: Vec<Item>,
    /// The repositories that hold any of it, as their work trees' paths below the root.
    pub repositories: Vec<PathBuf>,
}

impl<'a> Scene<'a> {
    /// Lists the store, or what is called `place` in it. Links are not followed.
    pub fn take(
        context: &'a Context<'a>,
        place: Option<&OsStr>,
        report: &mut Report,
    ) -> Result<Self, OpError> {
        let (place, is_folder) = find(context, place)?;
        let around = if is_folder { place.as_path() } else { place.parent().unwrap_or(Path::new("")) };
        let repositories = Repo::prefix_of(context.store.root(), around).into_iter().collect();
        let mut scene = Scene { context, place, files: Vec::new(), folders: Vec::new(), repositories };
        match is_folder {
            true => scene.walk(report),
            false => scene.add(scene.place.clone(), FileType::RegularFile, report),
        }
        Ok(scene)
    }

    /// Returns the entries' files.
    pub fn entries(&self) -> impl Iterator<Item = &Item> {
        self.files.iter().filter(|item| item.is_entry())
    }

    /// Whether a path below the root is one of those to look at.
    pub fn covers(&self, path: &Path) -> bool {
        path.starts_with(&self.place)
    }

    /// Whether all of the store is looked at.
    pub fn is_whole(&self) -> bool {
        self.place.as_os_str().is_empty()
    }

    /// Adds everything below the place; a folder that cannot be read does not keep us from the others.
    fn walk(&mut self, report: &mut Report) {
        self.add(self.place.clone(), FileType::Directory, report);
        let mut next = 0;
        while let Some(folder) = self.folders.get(next).map(|item| item.path.clone()) {
            next += 1;
            let names = match self.context.store.beneath().names(&folder) {
                Ok(names) => names,
                Err(error) => {
                    report.failed(shown_folder(&folder), &error);
                    continue;
                }
            };
            for (name, kind) in names {
                let path = folder.join(&name);
                if name != ".git" {
                    self.add(path, kind, report);
                } else if !self.repositories.contains(&folder) {
                    self.repositories.push(folder.clone());
                }
            }
        }
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
    }

    fn add(&mut self, path: PathBuf, kind: FileType, report: &mut Report) {
        let beneath = self.context.store.beneath();
        let stat = match path.as_os_str().is_empty() {
            true => beneath.root_metadata().map(Some),
            false => beneath.metadata(&path),
        };
        match stat {
            Ok(Some(stat)) if kind == FileType::Directory => self.folders.push(Item { path, kind, stat }),
            Ok(Some(stat)) => self.files.push(Item { path, kind, stat }),
            // Gone meanwhile.
            Ok(None) => {}
            Err(error) => report.failed(Shown::os(&path), &error),
        }
    }
}

/// Returns the path of an entry's file or of a folder, and whether it is a folder. The entry comes first where both
/// have the name, as in pass.
fn find(context: &Context<'_>, place: Option<&OsStr>) -> Result<(PathBuf, bool), OpError> {
    let Some(place) = place else { return Ok((PathBuf::new(), true)) };
    let state = |path: &Path| context.store.beneath().state(path).map_err(StoreError::from);
    if !place.as_bytes().ends_with(b"/")
        && let Ok(entry) = EntryName::parse(place)
        && let State::File(_) = state(&entry.file())?
    {
        return Ok((entry.file(), false));
    }
    let folder = FolderName::parse(place)?;
    match state(folder.as_path())? {
        State::Folder => Ok((folder.as_path().to_path_buf(), true)),
        _ => Err(OpError::NotFound(Shown::os(place).to_string())),
    }
}

/// Returns a folder's path for a finding.
pub(super) fn shown_folder(path: &Path) -> String {
    match path.as_os_str().is_empty() {
        true => "the store".to_owned(),
        false => Shown::os(path).to_string(),
    }
}
