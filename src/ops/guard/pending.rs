//! Which folders there are to ask about, before a person accepts changed recipients.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Context, OpError};
use crate::model::FolderName;
use crate::store::recipients::Overlay;

impl Context<'_> {
    /// Returns the folders whose memories and lists decide who `folder` is encrypted to, the outermost first:
    /// the one whose list rules it, itself, and those between them that once had a list. Whoever accepts one of
    /// them must have accepted those before it.
    pub fn deciding(&self, folder: &FolderName) -> Result<BTreeSet<FolderName>, OpError> {
        let mut folders = BTreeSet::from([folder.clone()]);
        let Some(ruling) = self.ruling(folder)? else { return Ok(folders) };
        let accepted = self.accepted()?;
        for (path, _) in accepted.folders() {
            if path.starts_with(ruling.as_path()) && folder.as_path().starts_with(path) {
                folders.insert(FolderName::parse(path.as_os_str())?);
            }
        }
        folders.insert(ruling);
        Ok(folders)
    }

    /// Returns the folders at and below `folder` that have recipients of their own, and those that are there
    /// and had some when they were accepted, the outermost first.
    pub fn with_recipients(&self, folder: &FolderName) -> Result<BTreeSet<FolderName>, OpError> {
        let mut folders: BTreeSet<FolderName> = self.ruled_folders()?.into_iter().collect();
        folders.retain(|own| own.as_path().starts_with(folder.as_path()));
        for (path, _) in self.accepted()?.folders() {
            if path.starts_with(folder.as_path())
                && let Ok(name) = FolderName::parse(path.as_os_str())
                && self.store.folder_exists(&name)?
            {
                folders.insert(name);
            }
        }
        Ok(folders)
    }

    /// Returns the folder whose list rules `folder`; none if nothing does.
    pub fn ruling(&self, folder: &FolderName) -> Result<Option<FolderName>, OpError> {
        let rule = self.store.rule(folder, &Overlay::new())?;
        let file = rule.and_then(|rule| rule.file);
        let folder = file.as_deref().map(|file| file.parent().unwrap_or(Path::new("")).as_os_str());
        Ok(folder.map(FolderName::parse).transpose()?)
    }

    /// Whether something was accepted on this machine for `folder` itself.
    pub fn remembers(&self, folder: &FolderName) -> Result<bool, OpError> {
        Ok(self.accepted()?.folders().any(|(path, _)| path == folder.as_path()))
    }
}
