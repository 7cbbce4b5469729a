//! Changing recipients files: with every entry that they rule, and all else that goes with them, in one
//! commit, or nothing at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::concerned::Scope;
use super::reencrypt::{Changed, Job, Reencrypted, Reencryption, is_entry};
use super::{Context, OpError, check_signature, signature_path};
use crate::config;
use crate::git::{Oid, blob_id};
use crate::model::{FolderName, Shown};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::recipients::Overlay;
use crate::store::transaction::{Change, Plan};

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
    /// Leave the entries alone: the lists are written otherwise, but name the same keys as before. The caller has
    /// made sure of that, and that what they say was accepted here.
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
            true => (reworded(context, &change.lists, &change.others)?, Vec::new()),
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

/// Returns the plan that writes recipients files and others without touching an entry.
fn reworded(context: &Context<'_>, lists: &Lists, others: &Others) -> Result<Plan, OpError> {
    let (plan, overlay) = files(context, lists, others)?;
    refuse_uncommitted(context, &overlay, others)?;
    Ok(plan)
}

/// Returns the plan that writes or removes recipients files, with their signatures, and brings every entry
/// that they rule in line; and the entries encrypted anew.
pub(super) fn plan(
    context: &Context<'_>,
    lists: &Lists,
    others: &Others,
) -> Result<(Plan, Vec<Reencrypted>), OpError> {
    let (mut plan, overlay) = files(context, lists, others)?;
    refuse_uncommitted(context, &overlay, others)?;
    let done = bring_in_line(context, &overlay, false, &mut plan)?;
    Ok((plan, done))
}

/// The same where the lists are as somebody typed them, whatever they said before, as pass has it: entries
/// below that have other lists are brought in line with those as well, where they can be.
pub(super) fn plan_anew(context: &Context<'_>, lists: &Lists) -> Result<(Plan, Vec<Reencrypted>), OpError> {
    let (mut plan, overlay) = files(context, lists, &Others::new())?;
    let done = bring_in_line(context, &overlay, true, &mut plan)?;
    Ok((plan, done))
}

/// Refuses to build on lists or a configuration that are not as HEAD has them: the commit would hold what
/// somebody typed there, unseen.
fn refuse_uncommitted(context: &Context<'_>, overlay: &Overlay, others: &Others) -> Result<(), OpError> {
    context.store.refuse_uncommitted_lists(overlay)?;
    let config = others.keys().map(PathBuf::as_path).filter(|path| *path == Path::new(config::FILE));
    Ok(context.store.refuse_uncommitted(config)?)
}

/// Adds the entries that a change of lists concerns to `plan`, where they need encrypting anew; with
/// `others`, also the other ones below the same folders, unless that fails.
fn bring_in_line(
    context: &Context<'_>,
    overlay: &Overlay,
    others: bool,
    plan: &mut Plan,
) -> Result<Vec<Reencrypted>, OpError> {
    let scope = Scope::look(context, overlay, plan)?;
    scope.refuse_vanished(context)?;
    let recorded = scope.recorded(context)?;
    let mut work = Reencryption::new(context, overlay);
    let jobs = work.read(scope.entries.iter().cloned())?;
    let mut read = ids(&jobs);
    scope.refuse_uncommitted(context, &recorded, &read)?;
    plan.changes.extend(work.in_line(jobs)?);
    if others {
        work.refuse_failures()?;
        let jobs = work.read(scope.others.iter().cloned())?;
        read.extend(ids(&jobs));
        plan.changes.extend(work.in_line(jobs)?);
        work.leave_failures();
    } else {
        scope.tell_unaccepted(context)?;
    }
    let (done, seen) = work.finish()?;
    plan.seen.extend(seen);
    for path in plan.changes.iter().map(|change| &change.path).filter(|path| is_entry(path)) {
        recorded.refuse_differing(context.store, path, read.get(path).copied())?;
    }
    plan.recorded = recorded.parts;
    Ok(done)
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
    // One that says so already, but in no commit, is to be in this one.
    if same && !(new.is_some() && context.store.is_uncommitted(&file)?) {
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

/// Returns the ids that git gives what was read.
fn ids(jobs: &[Job]) -> BTreeMap<PathBuf, Oid> {
    jobs.iter().filter_map(|job| Some((job.path.clone(), blob_id(&job.message)?))).collect()
}

/// Returns the folder that holds a path, as a name.
pub fn folder_of(path: &Path) -> Result<FolderName, OpError> {
    Ok(FolderName::parse(path.parent().unwrap_or(Path::new("")).as_os_str())?)
}
