//! Writing full fingerprints in place of what can come to mean another key.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::lists::{self, ListChange, Lists};
use super::reencrypt::suffix;
use super::{Context, OpError, Recipients, shown_folder};
use crate::crypto::Trust;
use crate::model::{Fingerprint, FolderName, GpgId, RecipientId, Shown};
use crate::store::StoreError;
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
    let mut rules = Vec::new();
    for folder in folders {
        let rule = context.store.rule(&folder, &Overlay::new())?;
        rules.extend(rule.filter(|rule| rule.file == Some(folder.gpg_id())).map(|rule| (folder, rule)));
    }
    let keys = look_up(context, rules.iter().map(|(_, rule)| rule));
    let mut canonical = Canonical::default();
    for (folder, rule) in rules {
        let file = folder.gpg_id();
        let mappings = mappings(&file, &rule, &keys);
        canonical.seen.extend(rule.seen.iter().filter(|(path, _)| *path != file).cloned());
        if !mappings.is_empty() {
            let names = mappings.iter().map(|m| (m.line, m.keys.iter().map(RecipientId::gpg_name).collect()));
            let new = GpgId::from_bytes(rule.gpg_id.clone()).renamed(&names.collect());
            refuse_unaccepted(context, &folder, &file, rule, &keys)?;
            canonical.lists.insert(folder, Some(new.as_bytes().to_vec()));
            canonical.mappings.extend(mappings);
        }
    }
    Ok(canonical)
}

/// What the recipients of many files stand for; nothing for those that stand for no usable key.
type Known = BTreeMap<String, Vec<RecipientId>>;

/// Looks up all recipients of `rules` at once.
fn look_up<'r>(context: &Context<'_>, rules: impl Iterator<Item = &'r Rule>) -> Known {
    let ids: BTreeSet<&str> = rules.flat_map(|rule| &rule.lines).map(|line| line.id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let found = context.crypto.resolve_all(&ids).into_iter().map(Result::unwrap_or_default);
    ids.iter().map(|id| (*id).to_owned()).zip(found).collect()
}

/// Refuses a list that is not usable as a whole, not signed where it has to be, or not accepted here.
fn refuse_unaccepted(
    context: &Context<'_>,
    folder: &FolderName,
    file: &Path,
    rule: Rule,
    known: &Known,
) -> Result<(), OpError> {
    context.verify(file, &rule.gpg_id)?;
    let keys = match rule.lines.iter().all(|line| !known[&line.id].is_empty()) {
        true => rule.lines.iter().flat_map(|line| known[&line.id].clone()).collect(),
        // Looked up anew, for the error that says what is the matter.
        false => context.resolve(&rule)?,
    };
    let recipients = Recipients { rule, keys, trust: Trust::Accepted };
    match context.check_accepted(folder, &recipients, &Overlay::new())? {
        true => Ok(()),
        false => Err(StoreError::Restless(Shown::os(file).to_string()).into()),
    }
}

/// Writes them: in one commit, without touching an entry. Computed anew if a file changed since the preview.
pub fn canonicalize(context: &Context<'_>, folder: &FolderName) -> Result<Published, OpError> {
    let changed = lists::change(context, || {
        let Canonical { lists, seen, .. } = preview(context, folder)?;
        let subject = format!("Name recipients by fingerprint{}.", suffix(&folder.to_string()));
        Ok(ListChange { lists, subject, seen, keep_entries: true, ..ListChange::default() })
    })?;
    Ok(changed.published)
}

/// Returns the recipients of a file that are to be named otherwise. What stands for
/// no usable key has a mapping to none: looking at the list as a whole then tells why.
fn mappings(file: &Path, rule: &Rule, known: &Known) -> Vec<Mapping> {
    let mut found = Vec::new();
    for line in &rule.lines {
        let keys = known[&line.id].clone();
        let is_exact = matches!(keys.as_slice(), [key] if key.gpg_name().eq_ignore_ascii_case(&line.id));
        let is_fingerprint = keys.is_empty() && Fingerprint::parse(line.id.trim_end_matches('!')).is_some();
        if !is_exact && !is_fingerprint {
            let id = Shown::new(&line.id).to_string();
            found.push(Mapping { file: file.to_path_buf(), line: line.number, id, keys });
        }
    }
    found
}
