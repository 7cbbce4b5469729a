//! [`Crypto`] in memory, for tests: its ciphertext says who can read it, and hides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use sha2::{Digest as _, Sha256};

use crate::model::{
    Algorithm, Fingerprint, Key, KeyId, KeyProblem, Plaintext, RecipientId, Subkey, Validity,
};

use super::gnupg::{check_recipients, sole_key};
use super::{Crypto, CryptoError, Decryptor, RecipientError, Trust, Undecryptable, openpgp};

/// Makes plaintext unlike itself, so that a test that searches files for it finds leaks only.
const MASK: u8 = 0x5a;

/// What a fake signature begins with.
const SIGNATURE: &str = "fake signature\n";

/// What a fake key block begins with; the key's name follows.
const BLOCK: &str = "fake key ";

/// A keyring in memory.
#[derive(Default)]
pub struct Fake(Mutex<State>);

#[derive(Default)]
struct State {
    keys: BTreeMap<String, Option<KeyProblem>>,
    groups: BTreeMap<String, Vec<String>>,
    ambiguous: BTreeMap<String, Vec<Fingerprint>>,
    secret: BTreeSet<KeyId>,
    broken: BTreeSet<Vec<u8>>,
    decryptions: usize,
    certified: BTreeSet<Fingerprint>,
    strict: bool,
}

impl Fake {
    /// Returns a keyring with a usable key for each of `names`; the secret keys of all are present.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let fake = Fake::default();
        for name in names {
            fake.add(name);
            fake.state().secret.insert(Fake::fingerprint(name).key_id());
        }
        fake
    }

    /// Returns the fingerprint of the key called `name`, present or not.
    pub fn fingerprint(name: &str) -> Fingerprint {
        let digits: String = Sha256::digest(name).iter().take(20).map(|b| format!("{b:02X}")).collect();
        Fingerprint::parse(&digits).expect("40 hexadecimal digits")
    }

    /// Adds a usable key whose secret part is not present.
    pub fn add(&self, name: &str) {
        self.state().keys.insert(name.to_owned(), None);
    }

    /// Takes the key `name` out of the keyring.
    pub fn remove(&self, name: &str) {
        self.state().keys.remove(name);
    }

    /// Makes the key `name` unusable.
    pub fn set_problem(&self, name: &str, problem: KeyProblem) {
        self.state().keys.insert(name.to_owned(), Some(problem));
    }

    /// Makes `name` stand for several usable keys.
    pub fn set_ambiguous(&self, name: &str, keys: Vec<Fingerprint>) {
        self.state().ambiguous.insert(name.to_owned(), keys);
    }

    /// Makes `name` a group of gpg.conf.
    pub fn add_group(&self, name: &str, members: &[&str]) {
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.state().groups.insert(name.to_owned(), members);
    }

    /// Leaves only the secret keys of `names`: from now on they are who decrypts.
    pub fn be(&self, names: &[&str]) {
        self.state().secret = names.iter().map(|name| Fake::fingerprint(name).key_id()).collect();
    }

    /// From now on, only certified keys are encrypted to where the trust database is asked.
    pub fn be_strict(&self) {
        self.state().strict = true;
    }

    /// Returns the key block of the key called `name`.
    pub fn block(name: &str) -> Vec<u8> {
        format!("{BLOCK}{name}").into_bytes()
    }

    /// Makes the decryption of exactly this message fail.
    pub fn break_message(&self, message: &[u8]) {
        self.state().broken.insert(message.to_vec());
    }

    /// Returns how many messages were decrypted.
    pub fn decryptions(&self) -> usize {
        self.state().decryptions
    }

    /// Returns the names in the keyring whose keys can read `message`.
    pub fn readers(&self, message: &[u8]) -> Vec<String> {
        let ids = self.recipients_of(message).unwrap_or_default();
        let reads = |name: &&String| ids.contains(&Fake::fingerprint(name).key_id());
        self.state().keys.keys().filter(reads).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics holding it")
    }

    /// Returns the key that `id` names: its name, or its fingerprint.
    fn key(&self, id: &str) -> Result<RecipientId, RecipientError> {
        let state = self.state();
        if let Some(keys) = state.ambiguous.get(id) {
            return Err(RecipientError::Ambiguous { id: id.to_owned(), keys: keys.clone() });
        }
        let named = |name: &str| name == id || Fake::fingerprint(name).as_str().eq_ignore_ascii_case(id);
        let Some((name, problem)) = state.keys.iter().find(|(name, _)| named(name)) else {
            return Err(RecipientError::Missing { id: id.to_owned() });
        };
        let fingerprint = Fake::fingerprint(name);
        match problem.clone() {
            Some(problem) => Err(RecipientError::Unusable { id: id.to_owned(), fingerprint, problem }),
            None => {
                let encryption_keys = vec![fingerprint.key_id()];
                Ok(RecipientId { fingerprint, subkey: None, encryption_keys })
            }
        }
    }
}

impl Decryptor for Fake {
    fn decrypt_message(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        openpgp::normal(message)?;
        Crypto::decrypt(self, message)
    }
}

impl Crypto for Fake {
    fn resolve(&self, id: &str) -> Result<Vec<RecipientId>, RecipientError> {
        let members = self.state().groups.get(id).cloned();
        match members {
            Some(members) => {
                members.iter().map(|m| self.key(m).map_err(|error| error.in_group(id))).collect()
            }
            None => Ok(vec![self.key(id)?]),
        }
    }

    /// The message: one public-key session-key packet for each recipient, then a packet 18 with the
    /// masked plaintext.
    fn encrypt(
        &self,
        plaintext: &Plaintext,
        to: &[RecipientId],
        trust: Trust,
    ) -> Result<Vec<u8>, CryptoError> {
        {
            let state = self.state();
            let doubted = |r: &&RecipientId| !state.certified.contains(&r.fingerprint);
            if trust == Trust::Database
                && state.strict
                && let Some(doubted) = to.iter().find(doubted)
            {
                return Err(CryptoError::Untrusted(doubted.fingerprint.clone()));
            }
        }
        let ids: BTreeSet<KeyId> = to.iter().flat_map(|r| r.encryption_keys.first().copied()).collect();
        check_recipients(&ids.iter().copied().collect::<Vec<_>>(), to)?;
        let mut message = Vec::new();
        for id in ids {
            message.extend([0xc1, 10, 3]);
            message.extend(id.0.to_be_bytes());
            message.push(18);
        }
        message.extend([0xd2, 255]);
        let length = u32::try_from(plaintext.expose().len() + 1);
        message.extend(length.expect("a test's plaintext is small").to_be_bytes());
        message.push(1);
        message.extend(plaintext.expose().iter().map(|byte| byte ^ MASK));
        Ok(message)
    }

    fn decrypt(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        let ids = self.recipients_of(message)?;
        let mut state = self.state();
        if state.broken.contains(message) || !ids.iter().any(|id| state.secret.contains(id)) {
            return Err(CryptoError::Decrypt { code: 2, why: Undecryptable::NoKey });
        }
        // 12 bytes for each recipient, then tag, length and version.
        let start = ids.len() * 12;
        let head: Option<&[u8; 4]> = message.get(start + 2..).and_then(<[u8]>::first_chunk);
        let body = message.get(start + 7..);
        match (head, body) {
            (Some(length), Some(body)) if u32::from_be_bytes(*length) as usize == body.len() + 1 => {
                state.decryptions += 1;
                Ok(Plaintext::new(body.iter().map(|byte| byte ^ MASK).collect()))
            }
            _ => Err(CryptoError::Decrypt { code: 2, why: Undecryptable::Damaged }),
        }
    }

    fn is_group(&self, id: &str) -> bool {
        self.state().groups.contains_key(id)
    }

    fn decryptor(&self) -> &dyn Decryptor {
        self
    }

    fn recipients_of(&self, message: &[u8]) -> Result<Vec<KeyId>, CryptoError> {
        Ok(openpgp::outline(message)?.recipients)
    }

    fn sign(&self, data: &[u8], signers: &[String]) -> Result<Vec<u8>, CryptoError> {
        let digest: String = Sha256::digest(data).iter().map(|b| format!("{b:02x}")).collect();
        Ok(format!("{SIGNATURE}{digest}\n{}", signers.join("\n")).into_bytes())
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<Vec<Fingerprint>, CryptoError> {
        let unsigned = self.sign(data, &[])?;
        let Some(signers) = signature.strip_prefix(unsigned.as_slice()) else {
            return Ok(Vec::new());
        };
        Ok(String::from_utf8_lossy(signers).lines().filter_map(Fingerprint::parse).collect())
    }

    fn keys(&self) -> Result<Vec<Key>, CryptoError> {
        let state = self.state();
        Ok(state.keys.iter().map(|(name, problem)| listed(name, problem.clone())).collect())
    }

    fn own_keys(&self) -> Result<Vec<Fingerprint>, CryptoError> {
        let state = self.state();
        let prints = state.keys.keys().map(|name| Fake::fingerprint(name));
        Ok(prints.filter(|print| state.secret.contains(&print.key_id())).collect())
    }

    fn with_old_digests(&self, _keys: &[Fingerprint]) -> Result<Vec<Fingerprint>, CryptoError> {
        Ok(Vec::new())
    }

    fn inspect(&self, block: &[u8]) -> Result<Vec<Key>, CryptoError> {
        let name = std::str::from_utf8(block).ok().and_then(|text| text.strip_prefix(BLOCK));
        let name = name.ok_or(CryptoError::Unsound("it holds no OpenPGP key"))?;
        Ok(vec![listed(name, None)])
    }

    fn import(&self, block: &[u8], key: &Fingerprint) -> Result<(), CryptoError> {
        let found = self.inspect(block)?;
        sole_key(&found, key)?;
        self.state().keys.entry(found[0].user_ids[0].clone()).or_insert(None);
        Ok(())
    }

    fn export(&self, key: &Fingerprint) -> Result<Vec<u8>, CryptoError> {
        let state = self.state();
        let name = state.keys.keys().find(|name| Fake::fingerprint(name) == *key);
        let name = name.ok_or_else(|| CryptoError::Gpg(format!("there is no key {key}")))?;
        Ok(Fake::block(name))
    }

    fn certify(&self, key: &Fingerprint) -> Result<(), CryptoError> {
        self.state().certified.insert(key.clone());
        Ok(())
    }
}

/// Returns the key called `name`, as a keyring lists it.
fn listed(name: &str, problem: Option<KeyProblem>) -> Key {
    let fingerprint = Fake::fingerprint(name);
    Key {
        fingerprint: fingerprint.clone(),
        user_ids: vec![name.to_owned()],
        mailboxes: name.contains('@').then(|| name.to_owned()).into_iter().collect(),
        subkeys: vec![Subkey {
            fingerprint,
            can_encrypt: problem.is_none(),
            created: 0,
            expires: None,
            algorithm: Algorithm { number: 18, bits: 255 },
        }],
        problem,
        expires: None,
        validity: Validity::Full,
        secret: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(fake: &Fake, names: &[&str]) -> Vec<RecipientId> {
        names.iter().flat_map(|name| fake.resolve(name).unwrap()).collect()
    }

    #[test]
    fn lets_recipients_read_and_nobody_else() {
        let fake = Fake::new(["ada", "bob", "eve"]);
        fake.add_group("us", &["ada", "bob"]);
        let text = Plaintext::new(b"secret\n".to_vec());
        let message = fake.encrypt(&text, &resolved(&fake, &["us"]), Trust::Database).unwrap();
        assert_eq!(fake.readers(&message), ["ada", "bob"]);
        assert!(fake.decrypt(&message).unwrap().equals(&text));
        assert!(!message.windows(6).any(|window| window == b"secret"));
        fake.be(&["eve"]);
        assert!(matches!(fake.decrypt(&message), Err(CryptoError::Decrypt { code: 2, .. })));
        fake.be(&["bob"]);
        assert!(fake.decrypt(&message).is_ok());
        assert!(fake.decrypt(&message[..message.len() - 1]).is_err());
        fake.break_message(&message);
        assert!(fake.decrypt(&message).is_err());
        assert_eq!(fake.decryptions(), 2);
    }

    #[test]
    fn refuses_what_it_was_told_to() {
        let fake = Fake::new(["ada", "bob"]);
        fake.set_problem("ada", KeyProblem::Expired(Some(0)));
        fake.remove("bob");
        assert!(matches!(fake.resolve("ada"), Err(RecipientError::Unusable { .. })));
        assert!(matches!(fake.resolve("bob"), Err(RecipientError::Missing { .. })));
    }

    #[test]
    fn signs() {
        let fake = Fake::new(["ada"]);
        let ada = Fake::fingerprint("ada");
        let signature = fake.sign(b"data", &[ada.to_string()]).unwrap();
        assert_eq!(fake.verify(b"data", &signature).unwrap(), [ada]);
        assert!(fake.verify(b"other", &signature).unwrap().is_empty());
    }
}
