//! Writing full fingerprints in place of what can come to mean another key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::lists::{self, ListChange, Lists};
use super::reencrypt::suffix;
use super::{Context, KnownLists, OpError, shown_folder};
use crate::model::{Fingerprint, FolderName, GpgId, RecipientId, Shown};
use crate::store::beneath::State;
use crate::store::recipients::{Overlay, Rule};
use crate::store::transaction::Published;

/// A recipient that is to be named otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The recipients file.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
    /// What stands there.
    pub id: String,
    /// What it stands for.
    pub keys: Vec<RecipientId>,
}

/// The recipients files at and below a folder, in other words.
#[derive(Debug, Default)]
pub struct Canonical {
    /// What changes in them.
    pub mappings: Vec<Mapping>,
    lists: Lists,
    seen: Vec<(PathBuf, State)>,
}

/// Returns how the recipients files at and below `folder` read with full fingerprints.
///
/// Fails closed: a file of which a line changes must be usable as a whole, and accepted on this machine, or
/// whoever has slipped a key under an old name would stay.
pub fn preview(context: &Context<'_>, folder: &FolderName) -> Result<Canonical, OpError> {
    if !folder.is_root() && !context.store.folder_exists(folder)? {
        return Err(OpError::NotFound(folder.to_string()));
    }
    let mut folders = context.ruled_folders()?;
    folders.retain(|ruled| ruled.as_path().starts_with(folder.as_path()));
    if folders.is_empty() {
        return Err(OpError::NoOwnList { folder: shown_folder(folder) });
    }
    let (mut canonical, mut known) = (Canonical::default(), KnownLists::default());
    for folder in folders {
        let Some(rule) = context.store.rule(&folder, &Overlay::new())? else { continue };
        if rule.file.as_deref() != Some(&*folder.gpg_id()) {
            continue;
        }
        let file = folder.gpg_id();
        let mappings = mappings(context, &file, &rule);
        if !mappings.is_empty() {
            context.recipients_known(&folder, &Overlay::new(), &mut known)?;
        }
        canonical.seen.extend(rule.seen.iter().filter(|(path, _)| *path != file).cloned());
        if !mappings.is_empty() {
            let names: BTreeMap<usize, Vec<String>> = mappings
                .iter()
                .map(|m| (m.line, m.keys.iter().map(RecipientId::gpg_name).collect()))
                .collect();
            let new = GpgId::from_bytes(rule.gpg_id.clone()).renamed(&names);
            canonical.lists.insert(folder, Some(new.as_bytes().to_vec()));
            canonical.mappings.extend(mappings);
        }
    }
    Ok(canonical)
}

/// Writes them: in one commit, without touching an entry. Computed anew if a file changed since the preview.
pub fn canonicalize(context: &Context<'_>, folder: &FolderName) -> Result<Published, OpError> {
    lists::reword(context, || {
        let canonical = preview(context, folder)?;
        let subject = format!("Name recipients by fingerprint{}.", suffix(&folder.to_string()));
        Ok(ListChange { lists: canonical.lists, subject, seen: canonical.seen, ..ListChange::default() })
    })
}

/// Returns the recipients of a file that are to be named otherwise. What stands for
/// no usable key has a mapping to none: reading the list as a whole then tells why.
fn mappings(context: &Context<'_>, file: &Path, rule: &Rule) -> Vec<Mapping> {
    let ids: Vec<&str> = rule.lines.iter().map(|line| line.id.as_str()).collect();
    let mut found = Vec::new();
    for (line, keys) in rule.lines.iter().zip(context.crypto.resolve_all(&ids)) {
        let keys = keys.unwrap_or_default();
        let is_exact = matches!(keys.as_slice(), [key] if key.gpg_name().eq_ignore_ascii_case(&line.id));
        let is_fingerprint = keys.is_empty() && Fingerprint::parse(line.id.trim_end_matches('!')).is_some();
        if !is_exact && !is_fingerprint {
            let id = Shown::new(&line.id).to_string();
            found.push(Mapping { file: file.to_path_buf(), line: line.number, id, keys });
        }
    }
    found
}
