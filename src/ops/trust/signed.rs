//! Accepting what trusted keys have signed.

use std::collections::{BTreeSet, HashMap};

use super::{fingerprints, in_force};
use crate::crypto::Crypto;
use crate::git::{Oid, Repo};
use crate::model::{Fingerprint, FolderName, Key};
use crate::ops::guard::{Difference, Judge};
use crate::ops::{Context, OpError};
use crate::store::accepted::Keys;

/// Accepts every change of recipients, and that of groups and rules, for which trusted keys answer with their
/// signatures, without a question. Returns what was accepted: sentences without their beginning, safe to show.
///
/// Whatever fails on the way is left to be asked about.
pub fn accept_signed(context: &Context<'_>) -> Result<Vec<String>, OpError> {
    // What the environment overrides is no list's business.
    let context = &Context { keys: None, ..*context };
    let keys = in_force(context)?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut trusted =
        TrustedKeys { crypto: context.crypto, keys: fingerprints(&keys), known: HashMap::new() };
    let name = |wanted: &Fingerprint| {
        let key = keys.iter().find(|key: &&Key| key.fingerprint == *wanted);
        key.map(|key| key.name().to_owned())
    };
    let mut told = Vec::new();
    // The outermost first: what rules others is accepted before them.
    for folder in context.with_recipients(&FolderName::root())? {
        let Ok(Some(difference)) = context.unaccepted(&folder) else { continue };
        if !stands_alone(context, &difference) {
            continue;
        }
        if let Ok(Some(vouched)) = context.vouched(&difference, &mut trusted)
            && context.accept(&difference).is_ok()
        {
            let folder = if folder.is_root() { "the store".to_owned() } else { folder.to_string() };
            told.push(format!("recipients of {folder}, {}", vouched.told(&name)));
        }
    }
    if let Ok(Some((difference, vouched))) = context.vouched_rules(&mut trusted)
        && context.accept_rules(&difference.hash).is_ok()
    {
        told.push(format!("groups and rules, {}", vouched.told(&name)));
    }
    Ok(told)
}

/// Whether accepting the recipients of a folder accepts nothing else: those of the list that rules it, and of the
/// folders between that once had lists, are accepted already.
fn stands_alone(context: &Context<'_>, difference: &Difference) -> bool {
    let is_accepted = |folder: &FolderName| matches!(context.unaccepted(folder), Ok(None));
    let deciding = context.deciding(&difference.folder).unwrap_or_else(|_| BTreeSet::new());
    !deciding.is_empty() && deciding.iter().all(|folder| *folder == difference.folder || is_accepted(folder))
}

/// The keys whose signatures are taken.
struct TrustedKeys<'a> {
    crypto: &'a dyn Crypto,
    keys: Keys,
    known: HashMap<Oid, Option<Fingerprint>>,
}

impl Judge for TrustedKeys<'_> {
    fn signer_of(&mut self, repo: &Repo, commit: Oid) -> Option<Fingerprint> {
        let (crypto, keys) = (self.crypto, &self.keys);
        self.known.entry(commit).or_insert_with(|| signer(crypto, keys, repo, commit)).clone()
    }

    fn signer_of_file(&mut self, bytes: &[u8], signature: &[u8]) -> Option<Fingerprint> {
        good(self.crypto, &self.keys, bytes, signature)
    }
}

/// Returns which of `keys` has signed a commit; none if none of them has.
pub(in crate::ops) fn signer(
    crypto: &dyn Crypto,
    keys: &Keys,
    repo: &Repo,
    commit: Oid,
) -> Option<Fingerprint> {
    let (signature, signed) = repo.signed_parts(commit)?;
    good(crypto, keys, &signed, &signature)
}

/// Returns which of `keys` has made a good signature of `data`. What cannot be verified is none.
fn good(crypto: &dyn Crypto, keys: &Keys, data: &[u8], signature: &[u8]) -> Option<Fingerprint> {
    crypto.verify(data, signature).ok()?.into_iter().find(|signer| keys.contains(signer))
}
