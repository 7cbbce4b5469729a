//! Whose word on recipients is taken: keys whose signature makes a question needless on this machine.

mod signed;

pub use signed::accept_signed;
pub(in crate::ops) use signed::signer;

use super::{Context, OpError};
use crate::crypto::lookup::{Name, bearers};
use crate::model::{Fingerprint, Key, KeyProblem, Shown};
use crate::store::accepted::Keys;

/// Why a key cannot be trusted, or not be distrusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// No key has that name.
    #[error("no key of the keyring is named `{id}`")]
    Unknown {
        /// The name, safe to show.
        id: String,
    },
    /// Several keys have that name.
    #[error("`{id}` could mean any of {}", .keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Several {
        /// The name, safe to show.
        id: String,
        /// The keys.
        keys: Vec<Fingerprint>,
    },
    /// Its signatures count for nothing.
    #[error("key {key} {problem}: its signature counts for nothing")]
    Useless {
        /// The key.
        key: Fingerprint,
        /// What is the matter with it.
        problem: KeyProblem,
    },
    /// The key is not trusted.
    #[error("`{id}` names no key that is trusted here")]
    NotTrusted {
        /// The name, safe to show.
        id: String,
    },
}

/// A key that is trusted here.
#[derive(Debug)]
pub struct Trusted {
    /// Its primary key's fingerprint.
    pub fingerprint: Fingerprint,
    /// What the keyring knows of it.
    pub key: Option<Key>,
}

impl Trusted {
    /// Returns why its signatures count for nothing, if they do.
    pub fn problem(&self) -> Option<String> {
        match &self.key {
            Some(key) => useless(key).map(ToString::to_string),
            None => Some("is not in the keyring".to_owned()),
        }
    }
}

/// Returns the key of the keyring that `id` names, and no other; one that has expired or was revoked is passed over
/// beside another one.
pub fn find(context: &Context<'_>, id: &str) -> Result<Key, OpError> {
    let shown = || Shown::new(id).to_string();
    let keys = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
    let named = match Name::parse(id) {
        // gpg's own patterns mean many by their nature.
        Name::Pattern(_) => Vec::new(),
        name => bearers(&name, keys),
    };
    let (bad, mut good): (Vec<Key>, Vec<Key>) = named.into_iter().partition(|key| useless(key).is_some());
    match (good.len(), bad.first()) {
        (1, _) => Ok(good.remove(0)),
        (0, None) => Err(TrustError::Unknown { id: shown() }.into()),
        (0, Some(key)) => {
            let problem = key.problem.clone().expect("it was found to have one");
            Err(TrustError::Useless { key: key.fingerprint.clone(), problem }.into())
        }
        _ => {
            let keys = good.into_iter().map(|key| key.fingerprint).collect();
            Err(TrustError::Several { id: shown(), keys }.into())
        }
    }
}

/// Trusts a key from now on; returns whether it was not trusted before.
pub fn add(context: &Context<'_>, key: &Fingerprint) -> Result<bool, OpError> {
    let mut is_new = false;
    context.store.change_trusted(|keys| is_new = keys.insert(key.clone()))?;
    Ok(is_new)
}

/// Trusts the key no more that `id` names among those that are trusted; returns it. It may be gone from the keyring.
pub fn remove(context: &Context<'_>, id: &str) -> Result<Fingerprint, OpError> {
    let shown = || Shown::new(id).to_string();
    let trusted = list(context)?;
    let whole = Fingerprint::of_name(id);
    let named: Vec<Fingerprint> = match trusted.iter().find(|one| Some(&one.fingerprint) == whole.as_ref()) {
        Some(one) => vec![one.fingerprint.clone()],
        None => {
            let keys = trusted.into_iter().filter_map(|one| one.key).collect();
            bearers(&Name::parse(id), keys).into_iter().map(|key| key.fingerprint).collect()
        }
    };
    match &named[..] {
        [] => Err(TrustError::NotTrusted { id: shown() }.into()),
        [key] => {
            context.store.change_trusted(|keys| _ = keys.remove(key))?;
            Ok(key.clone())
        }
        _ => Err(TrustError::Several { id: shown(), keys: named }.into()),
    }
}

/// Returns the keys that are trusted here.
pub fn list(context: &Context<'_>) -> Result<Vec<Trusted>, OpError> {
    let trusted = context.store.trusted()?;
    let mut keys = match trusted.is_empty() {
        true => Vec::new(),
        false => context.crypto.keys().map_err(|source| OpError::Keyring { source })?,
    };
    let mut of = |fingerprint: &Fingerprint| {
        keys.iter().position(|key| key.fingerprint == *fingerprint).map(|at| keys.swap_remove(at))
    };
    Ok(trusted.into_iter().map(|fingerprint| Trusted { key: of(&fingerprint), fingerprint }).collect())
}

/// Returns the keys whose signatures are taken now.
fn in_force(context: &Context<'_>) -> Result<Vec<Key>, OpError> {
    let good = list(context)?.into_iter().filter_map(|one| one.key);
    Ok(good.filter(|key| useless(key).is_none()).collect())
}

/// Returns why a key's signatures count for nothing, if they do. One that cannot encrypt may sign.
fn useless(key: &Key) -> Option<&KeyProblem> {
    key.problem.as_ref().filter(|problem| **problem != KeyProblem::CannotEncrypt)
}

/// Returns the fingerprints of keys.
fn fingerprints(keys: &[Key]) -> Keys {
    keys.iter().map(|key| key.fingerprint.clone()).collect()
}
