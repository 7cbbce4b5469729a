//! The form of a file of remembered session keys: OpenPGP messages in a row, each of which gpg decrypts by
//! itself (RFC 9580, sections 5.1.1 and 5.13.1). Inside each: a line that names the form, then records.

use pgp::composed::RawSessionKey;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::super::SessionKey;
use crate::crypto::openpgp::{self, Length};
use crate::model::KeyId;

/// What begins the content of every message.
pub(super) const HEAD: &[u8] = b"passel session keys 1\n";

/// The size of a record in bytes: a digest, the cipher's number, a key with zeros behind it.
const RECORD: usize = 32 + 1 + 32;

/// What a message is known by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the SHA-256 of a message in its normal form, its session-key packets included: nobody is given
    /// what those that stand there now do not open.
    pub fn of(message: &[u8]) -> Self {
        Digest(Sha256::digest(message).into())
    }
}

/// One of the messages.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'f> {
    /// The key that its session-key packet names.
    pub key: KeyId,
    /// The session-key packet, all of it.
    pub session_key: &'f [u8],
    /// The encrypted data.
    pub data: &'f [u8],
}

/// Returns the messages in a file, and whether they are all that it holds: what was cut short, or is of
/// another form, ends them.
pub fn pieces(file: &[u8]) -> (Vec<Piece<'_>>, bool) {
    let (mut pieces, mut rest) = (Vec::new(), file);
    while !rest.is_empty() {
        let Some((piece, after)) = piece(rest) else { return (pieces, false) };
        pieces.push(piece);
        rest = after;
    }
    (pieces, true)
}

/// Returns the first message, and what follows it.
fn piece(file: &[u8]) -> Option<(Piece<'_>, &[u8])> {
    let (tag, Length::Known(length), body) = openpgp::header(file).ok()? else { return None };
    let (body, after) = body.split_at_checked(length)?;
    let session_key = &file[..file.len() - after.len()];
    let (1, [3, id @ ..]) = (tag, body) else { return None };
    let key = KeyId(u64::from_be_bytes(*id.first_chunk()?));
    let (18, Length::Known(length), body) = openpgp::header(after).ok()? else { return None };
    let (body, after) = body.split_at_checked(length)?;
    let [1, data @ ..] = body else { return None };
    Some((Piece { key, session_key, data }, after))
}

/// Returns a message that holds records: `packet` is the session-key packet of `session`.
pub fn seal(session: &SessionKey, packet: &[u8], records: &[(Digest, &SessionKey)]) -> Option<Vec<u8>> {
    // Of its final size from the beginning: growing would leave copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(HEAD.len() + RECORD * records.len()));
    content.extend_from_slice(HEAD);
    for (digest, SessionKey { cipher, key }) in records {
        content.extend_from_slice(&digest.0);
        content.push(u8::from(*cipher));
        let mut padded = Zeroizing::new([0; 32]);
        padded.get_mut(..key.as_ref().len())?.copy_from_slice(key.as_ref());
        content.extend_from_slice(&*padded);
    }
    let mut message = packet.to_vec();
    // When it was written is nobody's business.
    session.encrypt(&content, 0, &mut message)?;
    Some(message)
}

/// Returns the records in the content of a message; none if it is of another form.
pub fn records(content: &[u8]) -> Option<Vec<(Digest, SessionKey)>> {
    let (records, []) = content.strip_prefix(HEAD)?.as_chunks::<RECORD>() else { return None };
    records.iter().map(record).collect()
}

/// Reads a record.
fn record(record: &[u8; RECORD]) -> Option<(Digest, SessionKey)> {
    let (digest, [number, key @ ..]) = record.split_first_chunk()? else { return None };
    let cipher = aes(*number)?;
    let (key, zeros) = key.split_at_checked(cipher.key_size())?;
    let session = SessionKey { cipher, key: RawSessionKey::from(key) };
    zeros.iter().all(|byte| *byte == 0).then_some((Digest(*digest), session))
}

/// Returns the cipher with this number, if it is AES.
pub fn aes(number: u8) -> Option<SymmetricKeyAlgorithm> {
    match SymmetricKeyAlgorithm::from(number) {
        aes @ (SymmetricKeyAlgorithm::AES128
        | SymmetricKeyAlgorithm::AES192
        | SymmetricKeyAlgorithm::AES256) => Some(aes),
        _ => None,
    }
}
