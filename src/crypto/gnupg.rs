//! The real [`Crypto`]: GnuPG through its program; where there is more than one message, what gpg would make
//! of it in-process, or through gpgme.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use crate::model::{Fingerprint, Key, KeyId, Plaintext, RecipientId};

use super::colons::Group;
use super::gpg::{GnuPgConfig, Gpg};
use super::gpgme::Engine;
use super::lookup::{self, Name};
use super::native::{Native, Unopened};
use super::openpgp::{self, Container, Outline};
use super::{
    CANCELLED, Crypto, CryptoError, Decryptor, KeySpeed, LARGEST_OF_MANY, RecipientError, Tally, Trust,
    Undecryptable, Verdict,
};

/// How long a listing of the keyring stands for the keyring.
const FRESH: Duration = Duration::from_secs(1);

/// GnuPG: the user's keyring, agent, pinentry and smartcards.
pub struct GnuPg {
    config: GnuPgConfig,
    gpg: Gpg,
    engine: Mutex<Option<Engine>>,
    native: Arc<Native>,
    bulk: Bulk,
    groups: OnceLock<Vec<Group>>,
    /// All keys of the keyring, and when they were listed.
    listing: Mutex<Option<(Instant, Arc<Vec<Key>>)>>,
    /// How many messages were encrypted.
    encrypted: AtomicUsize,
}

impl GnuPg {
    /// Takes the way to run GnuPG; starts nothing yet.
    pub fn new(config: GnuPgConfig) -> Self {
        let gpg = Gpg::new(config.clone());
        let native = Arc::new(Native::new(config.clone()));
        GnuPg {
            bulk: Bulk::new(config.clone(), Arc::clone(&native)),
            native,
            config,
            gpg,
            engine: Mutex::new(None),
            groups: OnceLock::new(),
            listing: Mutex::new(None),
            encrypted: AtomicUsize::new(0),
        }
    }

    /// Returns all keys of the keyring, as they were within the last second: work on many lists asks again
    /// and again, and each answer costs a process.
    fn all_keys(&self) -> Result<Arc<Vec<Key>>, CryptoError> {
        if let Some(keys) = self.fresh_keys() {
            return Ok(keys);
        }
        let now = Instant::now();
        let keys = Arc::new(self.gpg.keys("")?);
        *self.listing.lock().expect("nobody panics holding it") = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }

    /// Returns all keys if they were listed just now.
    fn fresh_keys(&self) -> Option<Arc<Vec<Key>>> {
        let listing = self.listing.lock().expect("nobody panics holding it");
        let (then, keys) = listing.as_ref()?;
        (then.elapsed() < FRESH).then(|| Arc::clone(keys))
    }

    /// Forgets the listing: the keyring has been changed.
    fn forget_keys(&self) {
        *self.listing.lock().expect("nobody panics holding it") = None;
    }

    /// Returns the members of the group `id`, none if there is no such group. Groups of one name are
    /// one, and gpg does not look for groups among their members.
    fn group(&self, id: &str) -> Result<Option<Vec<String>>, CryptoError> {
        let groups = match self.groups.get() {
            Some(groups) => groups,
            None => {
                let groups = self.gpg.groups()?;
                self.groups.get_or_init(|| groups)
            }
        };
        let named: Vec<&Group> = groups.iter().filter(|g| g.name.eq_ignore_ascii_case(id)).collect();
        let members = named.iter().flat_map(|group| group.members.clone()).collect();
        Ok((!named.is_empty()).then_some(members))
    }

    /// Returns the key that `id` stands for, which is no group.
    fn resolve_key(&self, id: &str, name: &Name) -> Result<RecipientId, RecipientError> {
        // No argument of a program can hold NUL, and no name does.
        if id.is_empty() || id.contains('\0') {
            return Err(RecipientError::Missing { id: id.to_owned() });
        }
        // gpg alone knows its patterns.
        let known = self.fresh_keys().filter(|_| matches!(name, Name::Hex { .. } | Name::Mailbox(_)));
        if let Some(keys) = known {
            return lookup::choose(id, name, keys.to_vec());
        }
        let keys = self.gpg.keys(&name.query());
        let keys = keys.map_err(|source| RecipientError::Lookup { id: id.to_owned(), source })?;
        lookup::choose(id, name, keys)
    }

    /// Encrypts through gpgme.
    fn encrypt_by_gpgme(
        &self,
        text: &Plaintext,
        to: &[RecipientId],
        trust: Trust,
    ) -> Result<Vec<u8>, CryptoError> {
        let mut engine = self.engine.lock().expect("nobody panics holding it");
        let engine = match &mut *engine {
            Some(engine) => engine,
            none => none.insert(Engine::new(self.config.home.as_deref())?),
        };
        let keys: Vec<Fingerprint> = to.iter().map(|recipient| recipient.fingerprint.clone()).collect();
        engine.encrypt(text, &keys, trust)
    }
}

impl Crypto for GnuPg {
    fn resolve(&self, id: &str) -> Result<Vec<RecipientId>, RecipientError> {
        let name = Name::parse(id);
        // A group wins over a key, as in gpg; asking costs a process, and fingerprints name none.
        let members = match name.is_fingerprint() {
            true => None,
            false => self.group(id).map_err(|source| RecipientError::Lookup { id: id.to_owned(), source })?,
        };
        let Some(members) = members else {
            return Ok(vec![self.resolve_key(id, &name)?]);
        };
        if members.is_empty() {
            return Err(RecipientError::Missing { id: id.to_owned() });
        }
        let resolve = |member: &String| {
            let key = self.resolve_key(member, &Name::parse(member));
            key.map_err(|error| error.in_group(id))
        };
        members.iter().map(resolve).collect()
    }

    fn is_group(&self, id: &str) -> bool {
        !Name::parse(id).is_fingerprint() && matches!(self.group(id), Ok(Some(_)))
    }

    fn resolve_all(&self, ids: &[&str]) -> Vec<Result<Vec<RecipientId>, RecipientError>> {
        // One listing of the whole keyring instead of one for each name; gpg alone knows its patterns.
        let Ok(all) = self.all_keys() else { return ids.iter().map(|id| self.resolve(id)).collect() };
        let resolve = |id: &&str| match Name::parse(id) {
            name @ (Name::Hex { .. } | Name::Mailbox(_)) if matches!(self.group(id), Ok(None)) => {
                Ok(vec![lookup::choose(id, &name, all.to_vec())?])
            }
            _ => self.resolve(id),
        };
        ids.iter().map(resolve).collect()
    }

    fn encrypt(
        &self,
        plaintext: &Plaintext,
        to: &[RecipientId],
        trust: Trust,
    ) -> Result<Vec<u8>, CryptoError> {
        let mut seen = BTreeSet::new();
        let once = |r: &&RecipientId| seen.insert((r.fingerprint.clone(), r.subkey.clone()));
        let to: Vec<RecipientId> = to.iter().filter(once).cloned().collect();
        if to.is_empty() {
            // gpgme would ask for a passphrase to encrypt with instead.
            return Err(CryptoError::WrongRecipients { wanted: "nobody".into(), found: "nobody".into() });
        }
        // One message alone is quickest through the program (measured: 8 ms): a context of gpgme costs
        // several processes to begin with (18 ms), looking keys up and exporting them costs three.
        let first = self.encrypted.fetch_add(1, Ordering::Relaxed) == 0 && !self.bulk.is_expected();
        // Who certified a key is for gpg to say.
        let native = !first && trust == Trust::Accepted;
        let native = native.then(|| self.native.encrypt(plaintext, &to)).flatten();
        // gpgme takes neither options nor a subkey.
        let plain = self.config.options.is_empty() && to.iter().all(|r| r.subkey.is_none());
        let message = match native {
            Some(message) => message,
            None => {
                self.native.counters.count(|tally| &mut tally.encrypted_by_gpg);
                match first || !plain {
                    true => self.gpg.encrypt(plaintext, &to, trust)?,
                    false => self.encrypt_by_gpgme(plaintext, &to, trust)?,
                }
            }
        };
        let Outline { recipients, passphrase, container } = openpgp::outline(&message)?;
        if container == Container::Unprotected {
            // `rfc2440` in gpg.conf: nobody could decrypt it, as decryption asks for integrity.
            return Err(CryptoError::Unsound("gpg's options ask for messages without integrity protection"));
        }
        if passphrase {
            return Err(wrong(&to, "whoever knows a passphrase".into()));
        }
        check_recipients(&recipients, &to)?;
        Ok(message)
    }

    fn decrypt(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        if let Ok(message) = openpgp::normal(message) {
            match self.native.decrypt_alone(&message) {
                Ok(text) => return Ok(text),
                Err(Unopened::Cancelled) => return Err(CANCELLED),
                Err(Unopened::LeftToGpg) => {}
            }
        }
        self.native.counters.count(|tally| &mut tally.decrypted_by_gpg);
        self.gpg.decrypt(message)
    }

    fn prepare(&self) {
        self.native.prepare();
    }

    fn decryptor(&self) -> &dyn Decryptor {
        &self.bulk
    }

    fn remembered_more(&self) -> Option<usize> {
        self.native.remembered_more()
    }

    fn forget_others(&self, messages: &mut dyn Iterator<Item = Vec<u8>>) {
        self.native.forget_others(messages);
    }

    fn remember(&self) {
        self.native.write_remembered();
    }

    fn is_remembered(&self, message: &[u8]) -> bool {
        openpgp::normal(message).is_ok_and(|message| self.native.is_remembered(&message))
    }

    fn key_speeds(&self) -> Vec<KeySpeed> {
        self.native.key_speeds()
    }

    fn tally(&self) -> Tally {
        self.native.counters.tally()
    }

    fn recipients_of(&self, message: &[u8]) -> Result<Vec<KeyId>, CryptoError> {
        let outline = openpgp::outline(message)?;
        let mut readers = outline.recipients;
        // Whoever knows the passphrase reads it too, and nobody can tell who that is.
        if outline.passphrase {
            readers.push(KeyId::HIDDEN);
        }
        Ok(readers)
    }

    fn sign(&self, data: &[u8], signers: &[String]) -> Result<Vec<u8>, CryptoError> {
        let signature = self.gpg.sign(data, signers)?;
        // gpg silently takes another key where it does not have the one asked for.
        let wanted: Vec<Fingerprint> = signers.iter().filter_map(|s| Fingerprint::parse(s)).collect();
        if wanted.is_empty() || self.verify(data, &signature)?.iter().any(|made| wanted.contains(made)) {
            return Ok(signature);
        }
        Err(CryptoError::Gpg("signed with another key than asked for".into()))
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<Vec<Fingerprint>, CryptoError> {
        self.gpg.verify(data, signature)
    }

    fn judge(&self, data: &[u8], signature: &[u8]) -> Result<Verdict, CryptoError> {
        self.gpg.judge(data, signature)
    }

    fn keys(&self) -> Result<Vec<Key>, CryptoError> {
        Ok(self.all_keys()?.to_vec())
    }

    fn own_keys(&self) -> Result<Vec<Fingerprint>, CryptoError> {
        self.gpg.own_keys()
    }

    fn with_old_digests(&self, keys: &[Fingerprint]) -> Result<Vec<Fingerprint>, CryptoError> {
        self.gpg.with_old_digests(keys)
    }

    fn inspect(&self, block: &[u8]) -> Result<Vec<Key>, CryptoError> {
        self.gpg.inspect(block)
    }

    fn import(&self, block: &[u8], key: &Fingerprint) -> Result<(), CryptoError> {
        sole_key(&self.gpg.inspect(block)?, key)?;
        self.forget_keys();
        self.gpg.import(block)
    }

    fn export(&self, key: &Fingerprint) -> Result<Vec<u8>, CryptoError> {
        self.gpg.export(key)
    }

    fn certify(&self, key: &Fingerprint) -> Result<(), CryptoError> {
        self.forget_keys();
        self.gpg.certify(key)
    }
}

/// Decrypts many messages.
struct Bulk {
    gpg: Gpg,
    native: Arc<Native>,
    /// Whether a message has come.
    begun: AtomicBool,
    /// Whether many are to come.
    expected: AtomicBool,
    cancelled: AtomicBool,
}

impl Bulk {
    fn new(config: GnuPgConfig, native: Arc<Native>) -> Self {
        let [begun, expected, cancelled] = [(); 3].map(|()| AtomicBool::new(false));
        Bulk { gpg: Gpg::new(config).at_most(LARGEST_OF_MANY), native, begun, expected, cancelled }
    }

    /// Whether many messages are to come.
    fn is_expected(&self) -> bool {
        self.expected.load(Ordering::Relaxed)
    }

    /// Decrypts a message in its normal form in-process where that can be done, else by gpg, which also says
    /// what is wrong. One message alone is gpg's, which is quicker then.
    fn try_decrypt(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        if !self.begun.swap(true, Ordering::Relaxed) && !self.is_expected() {
            return self.decrypt_by_gpg(message);
        }
        self.native.decrypt(message).or_else(|why| match why {
            Unopened::LeftToGpg => self.decrypt_by_gpg(message),
            Unopened::Cancelled => Err(CANCELLED),
        })
    }

    /// The same, unless somebody has said no: they are not asked again for every entry.
    fn decrypt_normal(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(CANCELLED);
        }
        let result = self.try_decrypt(message);
        if let Err(CryptoError::Decrypt { why: Undecryptable::Cancelled, .. }) = result {
            self.cancelled.store(true, Ordering::Relaxed);
        }
        result
    }

    fn decrypt_by_gpg(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        self.native.counters.count(|tally| &mut tally.decrypted_by_gpg);
        self.gpg.decrypt(message)
    }
}

impl Decryptor for Bulk {
    fn expect(&self, messages: usize) {
        if messages > 1 {
            self.expected.store(true, Ordering::Relaxed);
            self.native.remember();
        }
    }

    fn decrypt_message(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        self.decrypt_normal(&openpgp::normal(message)?)
    }

    fn read_message(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        // gpg reads forms that nothing is encrypted anew from.
        match openpgp::normal(message) {
            Ok(normal) => self.decrypt_normal(&normal),
            Err(_) => self.decrypt_by_gpg(message),
        }
    }
}

/// Returns an error unless a key block, which holds `found`, is the public key `wanted` alone.
pub(super) fn sole_key(found: &[Key], wanted: &Fingerprint) -> Result<(), CryptoError> {
    match found {
        [key] if key.secret => Err(CryptoError::Unsound("it holds a secret key, which nobody should send")),
        [key] if key.fingerprint == *wanted => Ok(()),
        [_] => Err(CryptoError::Unsound("it holds another key")),
        [] => Err(CryptoError::Unsound("it holds no key")),
        _ => Err(CryptoError::Unsound("it holds more than one key")),
    }
}

/// Returns an error unless the key IDs `found` in a message are those of `wanted`: each recipient, and
/// nobody else. Where gpg.conf hides recipients (`throw-keyids`), their number must be right.
pub(super) fn check_recipients(found: &[KeyId], wanted: &[RecipientId]) -> Result<(), CryptoError> {
    let named: BTreeSet<KeyId> = found.iter().copied().filter(|id| *id != KeyId::HIDDEN).collect();
    let hidden = found.iter().filter(|id| **id == KeyId::HIDDEN).count();
    let belongs = |id: &KeyId| wanted.iter().any(|r| r.encryption_keys.contains(id));
    let is_missing = |r: &&RecipientId| !r.encryption_keys.iter().any(|id| named.contains(id));
    let missing = wanted.iter().filter(is_missing).count();
    // Two recipients may be parts of one key, and share a session-key packet; none may have two.
    let counts = named.len() + hidden == found.len() && found.len() <= wanted.len() && missing <= hidden;
    match counts && named.iter().all(belongs) {
        true => Ok(()),
        false => Err(wrong(wanted, found.iter().map(KeyId::to_string).collect::<Vec<_>>().join(", "))),
    }
}

/// Returns the error for a message that `found` could read.
fn wrong(wanted: &[RecipientId], found: String) -> CryptoError {
    let wanted: Vec<&str> = wanted.iter().map(|recipient| recipient.fingerprint.as_str()).collect();
    CryptoError::WrongRecipients { wanted: wanted.join(", "), found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_nobody_else_read() {
        let recipient = |digit: char, ids: &[u64]| RecipientId {
            fingerprint: Fingerprint::parse(&digit.to_string().repeat(40)).unwrap(),
            subkey: None,
            encryption_keys: ids.iter().copied().map(KeyId).collect(),
        };
        let wanted = [recipient('A', &[1, 2]), recipient('B', &[3])];
        let check = |found: &[u64]| {
            let found: Vec<KeyId> = found.iter().copied().map(KeyId).collect();
            check_recipients(&found, &wanted).is_ok()
        };
        // 0 is a hidden recipient.
        for good in [&[1, 3][..], &[3, 2], &[0, 0], &[0, 3]] {
            assert!(check(good), "{good:?}");
        }
        for bad in [&[1][..], &[], &[1, 2], &[1, 3, 4], &[1, 4], &[1, 3, 0], &[0], &[1, 1], &[1, 2, 3]] {
            assert!(!check(bad), "{bad:?}");
        }
    }
}
