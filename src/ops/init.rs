//! Setting, changing and removing a folder's recipients.

use std::path::PathBuf;

use super::reencrypt::{Changed, add_entries, suffix};
use super::{Context, OpError, check_signature, signature_path};
use crate::model::{FolderName, GpgId, Shown};
use crate::store::beneath::State;
use crate::store::recipients::{Overlay, Rule};
use crate::store::transaction::{Change, Plan};

/// Where a recipient stands that was given to `init`.
pub const GIVEN: &str = "the command";

/// Makes `ids` the recipients of `folder`, as they were typed, and encrypts its entries to them: in one
/// commit, or nothing at all.
pub fn init(context: &Context<'_>, folder: &FolderName, ids: &[String]) -> Result<Changed, OpError> {
    let list = GpgId::from_ids(ids.iter().map(String::as_str));
    let file = folder.gpg_id();
    let mut reencrypted = Vec::new();
    let published = context.publish(|| {
        let overlay = Overlay::from([(file.clone(), Some(list.as_bytes().to_vec()))]);
        // The new recipients must be usable even where there is nothing to encrypt yet, or where
        // PASSWORD_STORE_KEY overrides them.
        let rule =
            Rule { file: Some(file.clone()), gpg_id: Vec::new(), lines: list.lines(), seen: Vec::new() };
        let keys = context.resolve(&rule).map_err(|error| match error {
            OpError::Recipient { id, source, .. } => {
                OpError::Recipient { id, place: GIVEN.to_owned(), source }
            }
            error => error,
        })?;
        context.try_encrypting(folder, &keys)?;
        let mut plan = change_list(context, folder, Some(list.as_bytes().to_vec()))?;
        let listed = plan.changes.iter().any(|change| change.path == file);
        let what = Shown::new(&ids.join(", ")).to_string();
        let place = suffix(&folder.to_string());
        plan.subject = match listed {
            true => format!("Set GPG id to {what}{place}."),
            false => format!("Reencrypt password store using new GPG id {what}{place}."),
        };
        plan.folders.push(folder.as_path().to_path_buf());
        reencrypted = add_entries(context, folder.as_path(), &overlay, &mut plan)?;
        Ok(plan)
    })?;
    Ok(Changed { published, reencrypted })
}

/// Removes `folder`'s own recipients and encrypts its entries to those of the folder above.
pub fn deinit(context: &Context<'_>, folder: &FolderName, subject: &str) -> Result<Changed, OpError> {
    let file = folder.gpg_id();
    let mut reencrypted = Vec::new();
    let published = context.publish(|| {
        let overlay = Overlay::from([(file.clone(), None)]);
        let mut plan = change_list(context, folder, None)?;
        plan.subject = subject.to_owned();
        plan.prune = folders_upwards(folder);
        reencrypted = add_entries(context, folder.as_path(), &overlay, &mut plan)?;
        Ok(plan)
    })?;
    Ok(Changed { published, reencrypted })
}

/// Returns the plan that writes or removes the recipients file and its signature.
fn change_list(context: &Context<'_>, folder: &FolderName, new: Option<Vec<u8>>) -> Result<Plan, OpError> {
    let file = folder.gpg_id();
    let signature = signature_path(&file);
    let mut plan = Plan::default();
    let old = context.store.read_recipients(&file)?;
    let seen = old.as_deref().map_or(State::Absent, State::of);
    if new.is_none() && old.is_none() {
        return Err(OpError::NotFound(Shown::os(&file).to_string()));
    }
    let signed = match &new {
        Some(bytes) if !context.signing_keys.is_empty() => Some(sign(context, folder, bytes)?),
        _ => None,
    };
    if old == new {
        plan.seen.push((file, seen));
    } else {
        plan.changes.push(Change { path: file, seen, new });
    }
    let old_signature = context.store.beneath().state(&signature)?;
    // A signature of the old list would only be in the way of the new one.
    if signed.is_some() || (old_signature != State::Absent && !plan.changes.is_empty()) {
        plan.changes.push(Change { path: signature, seen: old_signature, new: signed });
    }
    Ok(plan)
}

/// Signs a recipients file with the user's signing keys, and checks that it is.
fn sign(context: &Context<'_>, folder: &FolderName, bytes: &[u8]) -> Result<Vec<u8>, OpError> {
    let file = folder.gpg_id();
    let failed = |source| OpError::Sign { path: Shown::os(&file).to_string(), source };
    let signature = context.crypto.sign(bytes, context.signing_keys).map_err(failed)?;
    check_signature(context.crypto, context.signing_keys, &file, bytes, Some(&signature))?;
    Ok(signature)
}

/// Returns a folder and those above it, innermost first, without the root.
fn folders_upwards(folder: &FolderName) -> Vec<PathBuf> {
    let above = folder.as_path().ancestors().map(PathBuf::from);
    above.filter(|path| !path.as_os_str().is_empty()).collect()
}
