//! Putting an old version of an entry back.

use std::collections::BTreeSet;
use std::path::Path;

use super::Who;
use super::lists::Lists;
use super::versions::{Old, Past};
use crate::crypto::CryptoError;
use crate::crypto::openpgp::normal;
use crate::git::GitError;
use crate::model::entry::shown_entry;
use crate::model::{EntryName, Fingerprint, Plaintext};
use crate::ops::copies::{Copied, Copies, body_of};
use crate::ops::guard::list_in;
use crate::ops::insert::{self, Permit};
use crate::ops::{Context, KnownLists, OpError, Recipients};
use crate::store::StoreError;
use crate::store::recipients::Overlay;
use crate::store::transaction::Published;

/// An old version that is to be put back.
pub struct Restoration {
    /// What it says.
    text: Plaintext,
    /// Where it goes.
    pub name: EntryName,
    /// Who will be able to read it, but could not read it then.
    pub gains: Vec<Fingerprint>,
    /// Where it came from, if it is no version of this entry but was put in its place from elsewhere.
    pub copied: Option<Copied>,
}

/// Gets a version ready. Nothing is written.
///
/// Somebody who could not read it may have committed it here: it is looked where its data come from, as before
/// every re-encryption ([`crate::ops::copies`]).
pub fn prepare(
    context: &Context<'_>,
    past: &Past,
    old: &Old,
    name: EntryName,
) -> Result<Restoration, OpError> {
    let recipients = context.recipients(&name.folder())?;
    let called = past.called(old);
    let message = past.message(old)?;
    let body = body_of(&called, &message)?;
    let copied = Copies::read(context)?.undecided(context, &old.path, &body, &recipients.keys)?;
    let mut gains = gains(context, past, old, &recipients)?;
    if let Some(copied) = &copied {
        gains.extend(copied.gains.iter().cloned());
    }
    let text = decrypt(context, &message).map_err(|source| OpError::Decrypt { name: called, source })?;
    Ok(Restoration { text, name, gains: gains.into_iter().collect(), copied })
}

/// Decrypts what is to be encrypted anew: of what tells where the data come from, and of nothing else.
fn decrypt(context: &Context<'_>, message: &[u8]) -> Result<Plaintext, CryptoError> {
    context.crypto.decryptor().decrypt_message(&normal(message)?)
}

/// Returns who can read the entry's folder now, but is not named by the list that ruled the version.
fn gains(
    context: &Context<'_>,
    past: &Past,
    old: &Old,
    recipients: &Recipients,
) -> Result<BTreeSet<Fingerprint>, OpError> {
    let then = match list_then(past, old).map_err(StoreError::from)? {
        Some(list) => list,
        // Lists that are not in the repository have no history.
        None => {
            let folder = crate::ops::lists::folder_of(&old.path)?;
            context.store.rule(&folder, &Overlay::new())?.map(|rule| rule.gpg_id).unwrap_or_default()
        }
    };
    let readers = Lists::new(context).readers(then);
    let now = recipients.keys.iter().map(|key| &key.fingerprint);
    Ok(now.filter(|key| !readers.contains(&Who::Key((*key).clone()))).cloned().collect())
}

/// Returns the list that ruled a version in the commit that made it; none if that had none.
fn list_then(past: &Past, old: &Old) -> Result<Option<Vec<u8>>, GitError> {
    // As of a later commit, more people may be named, and the entry not have followed yet.
    let made = past.versions().into_iter().rev().find(|version| version.blob == old.blob);
    let commit = made.map_or(old.commit, |version| version.commit);
    let folder = old.path.parent().unwrap_or(Path::new(""));
    list_in(&past.repo, &past.repo.tree_of(commit)?, folder)
}

/// Whether the entry says already what is to be restored.
pub fn is_there(context: &Context<'_>, restoration: &Restoration) -> Result<bool, OpError> {
    let message = context.store.beneath().read(&restoration.name.file()).map_err(StoreError::from)?;
    let now = message.and_then(|message| context.crypto.decryptor().read_message(&message).ok());
    Ok(now.is_some_and(|text| text.equals(&restoration.text)))
}

/// Puts the version back, encrypted to whoever can read the entry's folder now.
pub fn restore(
    context: &Context<'_>,
    restoration: &Restoration,
    old: &Old,
    permit: Permit,
) -> Result<Published, OpError> {
    let subject = format!("Restore {} as of {}.", restoration.name, old.short());
    insert::insert(context, &restoration.name, &restoration.text, permit, &subject, KnownLists::default())
}

/// Returns what a person is told of a version that came from elsewhere.
pub fn told(restoration: &Restoration) -> Option<String> {
    let copied = restoration.copied.as_ref()?;
    Some(copied.told(&shown_entry(&restoration.name.file())))
}
