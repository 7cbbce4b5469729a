//! Public keys that gpg exported, as the library reads them.

use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{
    Packet, PacketParser, PublicKey, PublicKeyEncryptedSessionKey, PublicSubkey, Signature, SignatureType,
};
use pgp::types::{KeyDetails, KeyVersion, PublicParams};
use rand_core::OsRng;

use super::SessionKey;
use crate::model::Fingerprint;

/// A public key: its parts, and what its owner says of ciphers.
pub struct PublicParts {
    /// The primary key first, then the subkeys; without parts of a kind that the library does not know.
    parts: Vec<Part>,
    /// Whether every certification by the owner puts AES-256 first.
    pub prefers_aes256: bool,
}

impl PublicParts {
    /// Whether its primary key has this fingerprint.
    pub fn is(&self, fingerprint: &Fingerprint) -> bool {
        self.parts.first().and_then(Part::fingerprint).as_ref() == Some(fingerprint)
    }

    /// Returns the part with this fingerprint.
    pub fn part(&self, fingerprint: &Fingerprint) -> Option<Part> {
        self.parts.iter().find(|part| part.fingerprint().as_ref() == Some(fingerprint)).cloned()
    }
}

/// A primary key or subkey.
#[derive(Clone)]
pub enum Part {
    /// The primary key.
    Primary(PublicKey),
    /// A subkey.
    Subkey(PublicSubkey),
}

impl Part {
    /// Returns its fingerprint, computed from its numbers; none unless it is of version 4, GnuPG 2.2's one.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let key: &dyn KeyDetails = match self {
            Part::Primary(key) => key,
            Part::Subkey(key) => key,
        };
        (key.version() == KeyVersion::V4).then(|| Fingerprint::parse(&key.fingerprint().to_string()))?
    }

    /// Returns its numbers.
    pub fn params(&self) -> &PublicParams {
        match self {
            Part::Primary(key) => key.public_params(),
            Part::Subkey(key) => key.public_params(),
        }
    }

    /// Returns the fingerprint's bytes.
    pub fn fingerprint_bytes(&self) -> Vec<u8> {
        match self {
            Part::Primary(key) => key.fingerprint().as_bytes().to_vec(),
            Part::Subkey(key) => key.fingerprint().as_bytes().to_vec(),
        }
    }

    /// Returns a session-key packet of version 3 for this part, which names it.
    pub fn seal(&self, key: &SessionKey) -> pgp::errors::Result<PublicKeyEncryptedSessionKey> {
        let SessionKey { cipher, key } = key;
        match self {
            Part::Primary(part) => {
                PublicKeyEncryptedSessionKey::from_session_key_v3(OsRng, key, *cipher, part)
            }
            Part::Subkey(part) => {
                PublicKeyEncryptedSessionKey::from_session_key_v3(OsRng, key, *cipher, part)
            }
        }
    }
}

/// Returns the keys in gpg's binary export; none if the library finds fault with any of it.
pub fn read(block: &[u8]) -> Option<Vec<PublicParts>> {
    let mut keys: Vec<Draft> = Vec::new();
    for packet in PacketParser::new(block) {
        match packet.ok()? {
            Packet::PublicKey(primary) => keys.push(Draft::new(primary)),
            Packet::PublicSubkey(subkey) => keys.last_mut()?.parts.push(Part::Subkey(subkey)),
            Packet::Signature(signature) => keys.last_mut()?.hear(&signature),
            Packet::UserId(_) | Packet::UserAttribute(_) | Packet::Trust(_) => {}
            _ => return None,
        }
    }
    Some(keys.into_iter().map(Draft::finish).collect())
}

/// A key while its packets are read.
struct Draft {
    parts: Vec<Part>,
    certifications: usize,
    others_first: usize,
}

impl Draft {
    fn new(primary: PublicKey) -> Self {
        Draft { parts: vec![Part::Primary(primary)], certifications: 0, others_first: 0 }
    }

    /// Takes note of what the owner's certifications of user IDs say of ciphers. gpg has checked them when
    /// the key came in; which of several user IDs' word it takes depends on how the key was named, so that
    /// all must say the same. Certifications of other people say nothing, and a minimal export holds none.
    fn hear(&mut self, signature: &Signature) {
        let certifies = matches!(
            signature.typ(),
            Some(
                SignatureType::CertGeneric
                    | SignatureType::CertPersona
                    | SignatureType::CertCasual
                    | SignatureType::CertPositive
            )
        );
        if certifies {
            self.certifications += 1;
            let first = signature.preferred_symmetric_algs().first();
            self.others_first += usize::from(first != Some(&SymmetricKeyAlgorithm::AES256));
        }
    }

    fn finish(self) -> PublicParts {
        PublicParts { prefers_aes256: self.certifications > 0 && self.others_first == 0, parts: self.parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = read(&bytes).is_some();
        }
    }
}
