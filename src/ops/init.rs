//! Setting, changing and removing a folder's recipients.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::lists::{self, ListChange};
use super::reencrypt::{Changed, suffix};
use super::rules::{Now, keys_of, shown};
use super::{Context, OpError};
use crate::crypto::{CryptoError, Trust};
use crate::model::{Fingerprint, FolderName, GpgId, RecipientId, Shown};
use crate::store::recipients::Rule;

/// Where a recipient stands that was given to `init`.
pub const GIVEN: &str = "the command";

/// Makes `ids` the recipients of `folder`, as they were typed, and encrypts its entries to them: in one
/// commit, or nothing at all.
pub fn init(context: &Context<'_>, folder: &FolderName, ids: &[String]) -> Result<Changed, OpError> {
    let list = GpgId::from_ids(ids.iter().map(String::as_str));
    let file = folder.gpg_id();
    let (mut reencrypted, mut before) = (Vec::new(), None);
    let published = context.publish(|| {
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
        check_validity(context, folder, ids, &keys)?;
        before = context.store.read_recipients(&file)?;
        let lists = BTreeMap::from([(folder.clone(), Some(list.as_bytes().to_vec()))]);
        let (mut plan, done) = lists::plan_anew(context, &lists)?;
        reencrypted = done;
        let listed = plan.changes.iter().any(|change| change.path == file);
        let what = Shown::new(&ids.join(", ")).to_string();
        let place = suffix(&folder.to_string());
        plan.subject = match listed {
            true => format!("Set GPG id to {what}{place}."),
            false => format!("Reencrypt password store using new GPG id {what}{place}."),
        };
        plan.folders.push(folder.as_path().to_path_buf());
        Ok(plan)
    })?;
    // Only told: it is done.
    let _ = tell_still_reading(context, folder, before, &list);
    Ok(Changed { published, reencrypted })
}

/// Tells where keys that `folder`'s list named `before`, and names no longer, are recipients all the same: of folders
/// below or beside it that have lists of their own.
fn tell_still_reading(
    context: &Context<'_>,
    folder: &FolderName,
    before: Option<Vec<u8>>,
    list: &GpgId,
) -> Result<(), OpError> {
    let now = Now::read(context)?;
    let lines = now.lines(&GpgId::from_bytes(before.unwrap_or_default()).lines());
    for key in keys_of(&lines).difference(&keys_of(&now.lines(&list.lines()))) {
        let folders: Vec<String> =
            now.naming(key)?.iter().filter(|other| *other != folder).map(shown).collect();
        if !folders.is_empty() {
            let others = folders.join(", ");
            context.store.note(format!(
                "{key} is still a recipient of {others}, by a list of its own: `passel recipients remove FOLDER {key}`"
            ));
        }
    }
    Ok(())
}

/// Removes `folder`'s own recipients and encrypts its entries to those of the folder above.
pub fn deinit(context: &Context<'_>, folder: &FolderName, subject: &str) -> Result<Changed, OpError> {
    let changed = lists::change(context, || {
        let file = folder.gpg_id();
        if context.store.read_recipients(&file)?.is_none() {
            return Err(OpError::NotFound(Shown::os(&file).to_string()));
        }
        Ok(ListChange {
            lists: BTreeMap::from([(folder.clone(), None)]),
            subject: subject.to_owned(),
            prune: folders_upwards(folder),
            ..ListChange::default()
        })
    });
    match changed {
        Err(OpError::NoRule(_)) => Err(OpError::LastList),
        changed => changed,
    }
}

/// Fails if one of `keys` was neither named by its full fingerprint nor accepted for the folder before, and
/// GnuPG does not know that it belongs to whom it names: an address leads to whatever key claims it.
fn check_validity(
    context: &Context<'_>,
    folder: &FolderName,
    ids: &[String],
    keys: &[RecipientId],
) -> Result<(), OpError> {
    let typed: Vec<Fingerprint> = ids.iter().filter_map(|id| Fingerprint::of_name(id)).collect();
    let accepted = context.store.accepted()?.and_then(|a| a.ruling(folder).cloned()).unwrap_or_default();
    let doubtful = keys.iter().filter(|key| {
        let named = typed.iter().any(|f| *f == key.fingerprint || Some(f) == key.subkey.as_ref());
        !named && !accepted.keys.contains(&key.fingerprint)
    });
    let doubtful: Vec<RecipientId> = doubtful.cloned().collect();
    match doubtful.is_empty() {
        true => context.try_encrypting(folder, keys, Trust::Accepted),
        false => context.try_encrypting(folder, &doubtful, Trust::Database).map_err(|error| match error {
            OpError::Encrypt { source: CryptoError::Untrusted(key), .. } => {
                let leads = |id: &&String| {
                    let found = context.crypto.resolve(id).unwrap_or_default();
                    found.iter().any(|found| {
                        found.fingerprint == key || found.encryption_keys.contains(&key.key_id())
                    })
                };
                let id = ids.iter().find(leads).map_or("", String::as_str);
                OpError::Unconfirmed { id: Shown::new(id).to_string(), key }
            }
            error => error,
        }),
    }
}

/// Returns a folder and those above it, innermost first, without the root.
fn folders_upwards(folder: &FolderName) -> Vec<PathBuf> {
    let above = folder.as_path().ancestors().map(PathBuf::from);
    above.filter(|path| !path.as_os_str().is_empty()).collect()
}
