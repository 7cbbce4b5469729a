//! Removing an entry or a folder.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::concerned::refuse_missing;
use super::rules::carry_along;
use super::{Context, OpError};
use crate::model::{EntryName, FolderName, Shown};
use crate::store::beneath::State;
use crate::store::transaction::{Change, Plan, Published};

/// What a name to remove stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An entry.
    Entry(EntryName),
    /// A folder with everything in it.
    Folder(FolderName),
}

/// What was removed.
#[derive(Debug)]
pub struct Removed {
    /// What was published.
    pub published: Published,
    /// The files, as they went.
    pub files: Vec<PathBuf>,
    /// The folders, innermost first.
    pub folders: Vec<PathBuf>,
}

/// Returns what `text` stands for: an entry before a folder of the same name, unless it ends in a slash.
pub fn target(context: &Context<'_>, text: &OsStr) -> Result<Target, OpError> {
    let not_found = || OpError::NotFound(Shown::os(text).to_string());
    let folder = FolderName::parse(text)?;
    if folder.is_root() {
        // pass would remove the whole store, its history included.
        return Err(OpError::Wrong { name: Shown::os(text).to_string(), what: "the whole store" });
    }
    let is_folder = context.store.beneath().state(folder.as_path())? == State::Folder;
    let entry = EntryName::parse(text)?;
    let slash = text.as_bytes().ends_with(b"/");
    match context.store.entry_state(&entry)? {
        // With a slash pass asks for the folder, and finds the entry only where no folder is.
        _ if slash && is_folder => Ok(Target::Folder(folder)),
        State::File(_) if !slash => Ok(Target::Entry(entry)),
        State::Link(_) if !slash => {
            let what = "a symbolic link, which is not removed: remove it with rm and git";
            Err(OpError::Wrong { name: format!("{entry}.gpg"), what })
        }
        _ if is_folder => Ok(Target::Folder(folder)),
        _ => Err(not_found()),
    }
}

/// Removes `target`.
pub fn remove(context: &Context<'_>, target: &Target, subject: &str) -> Result<Removed, OpError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    let published = context.publish(|| {
        let mut plan = Plan { subject: subject.to_owned(), ..Plan::default() };
        match target {
            Target::Entry(name) => {
                let seen = context.store.entry_state(name)?;
                if seen == State::Absent {
                    return Err(OpError::NotFound(name.to_string()));
                }
                plan.changes.push(Change { path: name.file(), seen, new: None });
                // Folders that are left empty go with their last entry, as in pass.
                let above = name.as_path().ancestors().skip(1).map(PathBuf::from);
                plan.prune = above.filter(|path| !path.as_os_str().is_empty()).collect();
                folders = Vec::new();
                files = paths(&plan);
            }
            Target::Folder(folder) => {
                context.store.refuse_left_out(folder.as_path())?;
                plan.below
                    .push((folder.as_path().to_path_buf(), context.store.files_below(folder.as_path())?));
                let below = context.store.beneath().below(folder.as_path())?;
                if let Some(path) = below.repositories.first() {
                    let what = "a git repository of its own, which only git may remove";
                    return Err(OpError::Wrong { name: Shown::os(path).to_string(), what });
                }
                for (path, _) in below.files {
                    let seen = context.store.beneath().state(&path)?;
                    plan.changes.push(Change { path, seen, new: None });
                }
                files = paths(&plan);
                if files.iter().any(|path| path.ends_with(".gpg-id")) {
                    refuse_missing(context, folder.as_path())?;
                }
                plan.prune = below.folders.into_iter().rev().collect();
                folders = plan.prune.clone();
                let within = |path: &Path| path.starts_with(folder.as_path());
                carry_along(context, &mut plan, |path| within(path).then(Vec::new))?;
            }
        }
        Ok(plan)
    })?;
    Ok(Removed { published, files, folders })
}

/// Returns the files that a plan changes.
fn paths(plan: &Plan) -> Vec<PathBuf> {
    plan.changes.iter().map(|change| change.path.clone()).collect()
}
