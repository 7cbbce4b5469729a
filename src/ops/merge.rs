//! Merging two versions of an entry, as git meets them.
//!
//! What is decrypted here is encrypted again, to whoever the list names now: so nobody may gain by it. Whoever
//! is on the list must have been able to read both versions, and neither may be what was encrypted for others
//! elsewhere ([`super::copies`]). All else is left to a person, and nothing waits for the store's lock: git,
//! which calls for this, may have been called by who holds it.

use std::path::{Path, PathBuf};

use super::copies::{Copies, body_of};
use super::reencrypt::{is_in_line, refuse_too_large};
use super::{Context, OpError, Recipients};
use crate::git::blob_id;
use crate::model::merge::{Merged, merge};
use crate::model::{EntryName, KeyId, Plaintext};
use crate::store::StoreError;
use crate::store::beneath::State;

/// Why two versions of an entry were not merged.
#[derive(Debug, thiserror::Error)]
pub enum NotMerged {
    /// Both sides changed the same.
    #[error("both sides changed the same lines")]
    Differ,
    /// Both sides made an entry of that name.
    #[error("both sides added it, each with another text")]
    BothAdded,
    /// Somebody would be able to read what they could not read before.
    #[error("{0} could read one of the versions only, and would gain access to the other")]
    Gains(String),
    /// A version was encrypted for others elsewhere.
    #[error("{0}")]
    Copied(String),
    /// Something failed.
    #[error(transparent)]
    Failed(#[from] OpError),
}

/// A message that stands for both versions.
#[derive(Debug)]
pub struct MergedMessage {
    /// The message.
    pub message: Vec<u8>,
    /// Whether others could read a version than those who are on the list now.
    pub is_out_of_line: bool,
}

/// Merges two versions of the entry `name`, given as the messages that they are encrypted in; `base` is what
/// both were made from.
///
/// Where one of them says already what the merge comes to, it is taken as it is: so that whoever merges the
/// same takes the same.
pub fn merge_messages(
    context: &Context<'_>,
    name: &EntryName,
    base: Option<&[u8]>,
    ours: &[u8],
    theirs: &[u8],
) -> Result<MergedMessage, NotMerged> {
    let recipients = context.recipients_at_once(&name.folder())?;
    context.crypto.decryptor().expect(3);
    let read = |message: &[u8]| read(context, name, message);
    let readers_of = |message: &[u8]| {
        let failed = |source| OpError::Decrypt { name: name.to_string(), source };
        context.crypto.recipients_of(message).map_err(failed)
    };
    let readers = [readers_of(ours)?, readers_of(theirs)?];
    let [ours_right, theirs_right] = readers.each_ref().map(|readers| is_in_line(readers, &recipients.keys));
    let done = |message: Vec<u8>| MergedMessage { message, is_out_of_line: !(ours_right && theirs_right) };
    let texts = [read(ours)?, read(theirs)?];
    if texts[0].equals(&texts[1]) {
        return Ok(done(better((ours, ours_right), (theirs, theirs_right)).to_vec()));
    }
    let base = base.ok_or(NotMerged::BothAdded)?;
    let Merged::Clean(text) = merge(Some(&read(base)?), &texts[0], &texts[1]) else {
        return Err(NotMerged::Differ);
    };
    if ours_right && text.equals(&texts[0]) {
        return Ok(done(ours.to_vec()));
    }
    if theirs_right && text.equals(&texts[1]) {
        return Ok(done(theirs.to_vec()));
    }
    refuse_gains(&recipients, &readers)?;
    refuse_copied(context, name, &recipients, [ours, theirs])?;
    Ok(done(context.encrypt(name, &text, &recipients)?))
}

/// Of two messages of the same text, returns the one that is right: encrypted to exactly whom its list names. Where both
/// are, or neither, it is the same one whoever merges, and whichever side is theirs.
pub fn better<T: Ord>((ours, ours_right): (T, bool), (theirs, theirs_right): (T, bool)) -> T {
    match (ours_right, theirs_right) {
        (true, false) => ours,
        (false, true) => theirs,
        _ => ours.max(theirs),
    }
}

/// Returns the plaintext of a message that is to be encrypted anew.
fn read(context: &Context<'_>, name: &EntryName, message: &[u8]) -> Result<Plaintext, OpError> {
    refuse_too_large(message, || name.to_string())?;
    body_of(&name.to_string(), message)?;
    let failed = |source| OpError::Decrypt { name: name.to_string(), source };
    context.crypto.decryptor().decrypt_message(message).map_err(failed)
}

/// Fails unless everybody on the list could read both versions. A list that git is about to merge is not the
/// one that this is encrypted to, but where it differs, so does who can read that side's entries.
fn refuse_gains(recipients: &Recipients, readers: &[Vec<KeyId>; 2]) -> Result<(), NotMerged> {
    let reads = |readers: &Vec<KeyId>, keys: &[KeyId]| keys.iter().any(|key| readers.contains(key));
    let all = recipients.keys.iter();
    let gains = all.filter(|key| readers.iter().any(|readers| !reads(readers, &key.encryption_keys)));
    let gains: Vec<&str> = gains.map(|key| key.fingerprint.as_str()).collect();
    if gains.is_empty() { Ok(()) } else { Err(NotMerged::Gains(gains.join(", "))) }
}

/// Fails if a version was encrypted for others elsewhere.
fn refuse_copied(
    context: &Context<'_>,
    name: &EntryName,
    recipients: &Recipients,
    messages: [&[u8]; 2],
) -> Result<(), NotMerged> {
    let mut copies = Copies::read(context)?;
    for message in messages {
        let body = body_of(&name.to_string(), message)?;
        if let Some(copied) = copies.undecided(context, &name.file(), &body, &recipients.keys)? {
            return Err(NotMerged::Copied(copied.told(&name.to_string())));
        }
    }
    Ok(())
}

/// Puts a version of the entry `name` beside it, where nothing stands or the same; returns under which name.
/// Nothing is committed: git is in the middle of a merge.
pub fn keep_apart(context: &Context<'_>, name: &EntryName, message: &[u8]) -> Result<EntryName, OpError> {
    let id = blob_id(message).expect("SHA-1 takes any bytes").to_string();
    let kept = name.conflict(&id[..8]);
    let (path, beneath) = (kept.file(), context.store.beneath());
    match beneath.state(&path)? {
        State::Absent => {}
        state if state == State::of(message) => return Ok(kept),
        _ => return Err(OpError::Occupied(kept.to_string())),
    }
    beneath.create_folders(path.parent().unwrap_or(Path::new("")))?;
    let mut beside = path.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // Of a driver that was killed.
    beneath.remove(&beside)?;
    let file = beneath.write_new(&beside, message, 0o600)?;
    file.sync_all().map_err(|source| StoreError::Sync { path: kept.to_string(), source })?;
    if let Err(error) = beneath.rename(&beside, &path, true) {
        let _ = beneath.remove(&beside);
        return Err(error.about(&path).into());
    }
    Ok(kept)
}
