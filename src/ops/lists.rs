//! Changing recipients files: with every entry that they rule, and all else that goes with them, in one
//! commit, or nothing at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::reencrypt::{Changed, Reencrypted, add_entries, is_entry};
use super::{Context, OpError, check_signature, signature_path};
use crate::model::{FolderName, Shown};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::recipients::Overlay;
use crate::store::transaction::{Change, Plan, Published};

/// New recipients files by folder; none to remove a folder's own.
pub type Lists = BTreeMap<FolderName, Option<Vec<u8>>>;

/// Other files that change with them, by path; none to remove one.
pub type Others = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// A change of recipients, computed from the store as it is.
#[derive(Debug, Default)]
pub struct ListChange {
    /// The recipients files.
    pub lists: Lists,
    /// Files that change with them: the configuration, public keys.
    pub others: Others,
    /// The commit's subject.
    pub subject: String,
    /// Folders to remove afterwards where they are empty, innermost first.
    pub prune: Vec<PathBuf>,
    /// What else it was computed from.
    pub seen: Vec<(PathBuf, State)>,
    /// Leave the entries alone: the lists are written otherwise, but name the same keys as before.
    pub keep_entries: bool,
}

/// Makes the change that `compute` returns; it is computed anew when the store changed meanwhile.
pub fn change(
    context: &Context<'_>,
    mut compute: impl FnMut() -> Result<ListChange, OpError>,
) -> Result<Changed, OpError> {
    let mut reencrypted = Vec::new();
    let published = context.publish(|| {
        let change = compute()?;
        let (mut plan, done) = match change.keep_entries {
            true => (files(context, &change.lists, &change.others)?.0, Vec::new()),
            false => plan(context, &change.lists, &change.others)?,
        };
        plan.subject = change.subject;
        plan.prune = change.prune;
        plan.seen.extend(change.seen);
        reencrypted = done;
        Ok(plan)
    })?;
    Ok(Changed { published, reencrypted })
}

/// Writes recipients files that say the same in other words: no entry is touched.
///
/// The caller has made sure of that, and that what they say was accepted here.
pub fn reword(
    context: &Context<'_>,
    mut compute: impl FnMut() -> Result<ListChange, OpError>,
) -> Result<Published, OpError> {
    context.publish(|| {
        let change = compute()?;
        let mut plan = Plan { subject: change.subject, seen: change.seen, ..Plan::default() };
        for (folder, new) in &change.lists {
            add_list(context, folder, new.as_deref(), &mut plan)?;
        }
        context.store.refuse_uncommitted(plan.changes.iter().map(|change| change.path.as_path()))?;
        Ok(plan)
    })
}

/// Returns the plan that writes or removes recipients files, with their signatures, and brings every entry
/// below in line; and the entries encrypted anew.
pub(super) fn plan(
    context: &Context<'_>,
    lists: &Lists,
    others: &Others,
) -> Result<(Plan, Vec<Reencrypted>), OpError> {
    let (mut plan, overlay) = files(context, lists, others)?;
    let done = add_entries(context, &outermost(lists), &overlay, &mut plan)?;
    let entries = plan.changes.iter().map(|change| change.path.as_path()).filter(|path| is_entry(path));
    context.store.refuse_uncommitted(entries)?;
    Ok((plan, done))
}

/// Returns the plan that writes or removes recipients files, with their signatures, and other files; and
/// what the former will be.
fn files(context: &Context<'_>, lists: &Lists, others: &Others) -> Result<(Plan, Overlay), OpError> {
    let mut plan = Plan::default();
    let mut overlay = Overlay::new();
    for (folder, new) in lists {
        add_list(context, folder, new.as_deref(), &mut plan)?;
        overlay.insert(folder.gpg_id(), new.clone());
    }
    for (path, new) in others {
        let seen = context.store.beneath().state(path).map_err(StoreError::from)?;
        if new.as_deref().map_or(State::Absent, State::of) == seen {
            plan.seen.push((path.clone(), seen));
        } else {
            plan.changes.push(Change { path: path.clone(), seen, new: new.clone() });
        }
    }
    Ok((plan, overlay))
}

/// Adds one recipients file and its signature.
fn add_list(
    context: &Context<'_>,
    folder: &FolderName,
    new: Option<&[u8]>,
    plan: &mut Plan,
) -> Result<(), OpError> {
    let file = folder.gpg_id();
    let signature = signature_path(&file);
    let old = context.store.read_recipients(&file)?;
    let seen = old.as_deref().map_or(State::Absent, State::of);
    let signed = match new {
        Some(bytes) if !context.signing_keys.is_empty() => Some(sign(context, folder, bytes)?),
        _ => None,
    };
    let same = old.as_deref() == new;
    if same {
        plan.seen.push((file, seen));
    } else {
        plan.changes.push(Change { path: file, seen, new: new.map(<[u8]>::to_vec) });
    }
    let old_signature = context.store.beneath().state(&signature).map_err(StoreError::from)?;
    // A signature of the old list would only be in the way of the new one.
    if signed.is_some() || (old_signature != State::Absent && !same) {
        plan.changes.push(Change { path: signature, seen: old_signature, new: signed });
    }
    Ok(())
}

/// Signs a recipients file with the user's signing keys, and checks that it is.
fn sign(context: &Context<'_>, folder: &FolderName, bytes: &[u8]) -> Result<Vec<u8>, OpError> {
    let file = folder.gpg_id();
    let failed = |source| OpError::Sign { path: Shown::os(&file).to_string(), source };
    let signature = context.crypto.sign(bytes, context.signing_keys).map_err(failed)?;
    check_signature(context.crypto, context.signing_keys, &file, bytes, Some(&signature))?;
    Ok(signature)
}

/// Returns the folders that lie in no other one.
fn outermost(lists: &Lists) -> Vec<&Path> {
    let mut found: Vec<&Path> = Vec::new();
    // In order, so that a folder comes before those in it.
    for folder in lists.keys().map(FolderName::as_path) {
        if found.iter().all(|outer| !folder.starts_with(outer)) {
            found.push(folder);
        }
    }
    found
}

/// Returns the folder that holds a path, as a name.
pub fn folder_of(path: &Path) -> Result<FolderName, OpError> {
    Ok(FolderName::parse(path.parent().unwrap_or(Path::new("")).as_os_str())?)
}
