//! Bringing entries in line with their recipients files, where these have not changed.
//!
//! Entries fall out of line when another program forgets to re-encrypt them, when somebody commits one
//! encrypted for others, and when a key gets a new subkey: gpg encrypts to the newest usable one, and the
//! owner may be about to give up the older. All of them are encrypted anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::reencrypt::{Changed, Reencryption, shown_entry, suffix};
use super::{Context, OpError};
use crate::model::{FolderName, KeyId, Shown};
use crate::store::recipients::Overlay;
use crate::store::survey::{Entry, Standing, Survey};
use crate::store::transaction::Plan;

/// What is to be brought in line.
#[derive(Debug, Default)]
pub struct Work {
    /// The entries to encrypt anew.
    pub entries: Vec<PathBuf>,
    /// Entries that must stay as they are, and why.
    pub left: BTreeMap<PathBuf, Why>,
}

/// Why an entry stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// None of the user's keys can read it.
    NotYours,
    /// A line of its recipients file gives no key to encrypt to.
    Unusable {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// What is the matter.
        what: String,
    },
    /// It is no encrypted message, or nothing rules it.
    Broken(String),
}

/// Returns what there is to do in the part of the store that was looked at.
pub fn work(context: &Context<'_>, survey: &Survey) -> Result<Work, OpError> {
    let own = context.crypto.own_keys().map_err(|source| OpError::OwnKeys { source })?;
    let mine = |id: &KeyId| {
        // Whose a hidden one is, only trying tells.
        *id == KeyId::HIDDEN || survey.keyring.bearers(*id).iter().any(|key| own.contains(key))
    };
    let mut work = Work::default();
    for entry in &survey.entries {
        match why_left(survey, entry) {
            Some(why) => drop(work.left.insert(entry.path.clone(), why)),
            None if !entry.standing.is_off() => {}
            None if entry.readers.iter().any(mine) => work.entries.push(entry.path.clone()),
            None => drop(work.left.insert(entry.path.clone(), Why::NotYours)),
        }
    }
    Ok(work)
}

/// Returns why an entry cannot be judged, or not be encrypted to its recipients.
fn why_left(survey: &Survey, entry: &Entry) -> Option<Why> {
    if let Standing::Broken(why) = &entry.standing {
        return Some(Why::Broken(why.clone()));
    }
    let list = survey.lists.get(entry.list.as_ref()?)?;
    let file = Shown::os(&list.file).to_string();
    if list.lines.is_empty() {
        return Some(Why::Unusable { file, line: 0, what: "it names no recipient".to_owned() });
    }
    // An entry that is right as far as one can see needs nothing.
    let needs = entry.standing.is_off() || entry.standing == Standing::Unclear;
    let line = list.lines.iter().find(|line| needs && line.found.is_err())?;
    let what = line.found.as_ref().as_ref().err()?.to_string();
    Some(Why::Unusable { file, line: line.number, what })
}

/// Encrypts `entries` anew, where they still need it: in one commit, or not at all.
pub fn update(
    context: &Context<'_>,
    survey: &Survey,
    folder: &FolderName,
    entries: &[PathBuf],
) -> Result<Changed, OpError> {
    let mut reencrypted = Vec::new();
    let published = context.publish(|| {
        let folders: BTreeSet<&Path> = entries.iter().filter_map(|path| path.parent()).collect();
        for folder in folders {
            context.store.refuse_left_out(folder)?;
        }
        let overlay = Overlay::new();
        let mut work = Reencryption::new(context, &overlay);
        work.to_newest(&survey.keyring);
        let changes = work.entries(entries.iter().cloned())?;
        context.store.refuse_uncommitted(changes.iter().map(|change| change.path.as_path()))?;
        let (done, seen) = work.finish()?;
        reencrypted = done;
        let subject = format!("Reencrypt password store{}.", suffix(&shown_entry(folder.as_path())));
        Ok(Plan { subject, changes, seen, ..Plan::default() })
    })?;
    Ok(Changed { published, reencrypted })
}
