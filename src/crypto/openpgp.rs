//! OpenPGP packets, read in-process: who can read a message, and whether two messages hold the same
//! encrypted data (RFC 9580, sections 4.2 and 5.1).
//!
//! gpg reads more than that: text around armour, armour behind packets that it does not know, messages in
//! compressed packets, several messages. Whoever may choose a file's bytes could show us one message and gpg
//! another. So there is but one form here, [`normal`], and gpg is given what was read, put together anew.

use std::borrow::Cow;

use crate::model::KeyId;

use super::{CryptoError, armor};

/// What the packets before a message's encrypted data say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The key IDs of the public-key session-key packets, in order; [`KeyId::HIDDEN`] for hidden ones.
    pub recipients: Vec<KeyId>,
    /// Whether a passphrase opens the message as well (a symmetric-key session-key packet).
    pub passphrase: bool,
    /// What holds the encrypted data.
    pub container: Container,
}

/// The packet that holds the encrypted data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// Packet 9: without integrity protection.
    Unprotected,
    /// Packet 18.
    IntegrityProtected,
    /// Packet 20, of GnuPG 2.3 and later.
    Aead,
}

impl Container {
    /// Returns what a packet of this tag is.
    fn of(tag: u8) -> Option<Self> {
        match tag {
            9 => Some(Container::Unprotected),
            18 => Some(Container::IntegrityProtected),
            20 => Some(Container::Aead),
            _ => None,
        }
    }

    /// Returns the packet's tag.
    fn tag(self) -> u8 {
        match self {
            Container::Unprotected => 9,
            Container::IntegrityProtected => 18,
            Container::Aead => 20,
        }
    }
}

/// Why there is less than lengths say.
const CUT: CryptoError = CryptoError::Malformed("it is cut short");

/// Why a session-key packet is none.
const SESSION_KEY_CUT: CryptoError = CryptoError::Malformed("a session-key packet is cut short");

/// How many bytes of encrypted data tell one message from all others.
const DISTINCT: usize = 32;

/// The beginning of a message's encrypted data, without packet headers and armour. It is random (RFC 9580,
/// section 5.13: a random block; packet 20: a random nonce), so that no two messages share it; and nobody
/// can change it without the session key, as its integrity is protected. What comes before it (session-key
/// packets), how it is cut into pieces, and what is put behind it are anybody's to choose: none of that
/// counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Body(pub [u8; DISTINCT]);

/// The length of a packet's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes.
    Known(usize),
    /// So many bytes, then another length.
    Partial(usize),
    /// Up to the end.
    Open,
}

/// The pieces that the data of a packet come in.
#[derive(Clone)]
pub(super) struct Pieces<'m> {
    /// The length of the next one.
    next: Option<Length>,
    rest: &'m [u8],
    /// Whether the last piece is shorter than its length says, or has none behind it that should be there.
    cut: bool,
}

impl<'m> Pieces<'m> {
    /// Takes the first length and all that follows.
    fn new(first: Length, rest: &'m [u8]) -> Self {
        // gpg takes a length of 0 for an unknown one.
        let first = if first == Length::Known(0) { Length::Open } else { first };
        Pieces { next: Some(first), rest, cut: false }
    }
}

impl<'m> Iterator for Pieces<'m> {
    type Item = &'m [u8];

    fn next(&mut self) -> Option<&'m [u8]> {
        let (share, last) = match self.next.take()? {
            Length::Known(share) => (share, true),
            Length::Partial(share) => (share, false),
            Length::Open => (self.rest.len(), true),
        };
        // A piece that is cut short is taken as far as it goes: so does gpg.
        let (piece, after) = self.rest.split_at(share.min(self.rest.len()));
        self.rest = after;
        self.cut = piece.len() < share;
        if !last && !self.cut {
            match new_length(after) {
                Some((length, rest)) => (self.next, self.rest) = (Some(length), rest),
                None => (self.cut, self.rest) = (true, &[]),
            }
        }
        Some(piece)
    }
}

/// A session-key packet.
pub(super) struct SessionKey<'m> {
    tag: u8,
    /// All of it, its header included.
    pub whole: &'m [u8],
    body: &'m [u8],
    /// The key that it names; none in one for a passphrase.
    pub key: Option<KeyId>,
}

/// A message, taken apart.
pub(super) struct Parts<'m> {
    /// The packets in front of the encrypted data.
    pub session_keys: Vec<SessionKey<'m>>,
    /// What kind of packet the encrypted data are in.
    pub container: Container,
    /// The packet with the encrypted data, all of it.
    last: &'m [u8],
    /// Its encrypted data.
    pub data: Pieces<'m>,
    /// Whether they are cut short.
    pub cut: bool,
}

/// Returns the outline of a message. Whether its encrypted data are whole is for gpg to say.
pub fn outline(message: &[u8]) -> Result<Outline, CryptoError> {
    let binary = binary(message)?;
    let Parts { session_keys, container, .. } = parts(&binary)?;
    let recipients = session_keys.iter().filter_map(|packet| packet.key).collect();
    Ok(Outline { recipients, passphrase: session_keys.iter().any(|packet| packet.key.is_none()), container })
}

/// Returns a message in the one form that gpg reads as we do: its session-key packets, the packet with its
/// encrypted data, nothing else; binary, each with a length of five octets. Fails for messages that cannot be
/// brought into that form, and those that are cut short or without integrity protection.
pub fn normal(message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let binary = binary(message)?;
    let parts = parts(&binary)?;
    if parts.cut {
        return Err(CUT);
    }
    if parts.container == Container::Unprotected {
        return Err(CryptoError::Unsound("the message is not protected against changes"));
    }
    // The first byte and the second tell gpg that this is no armour: a known packet of known length.
    let mut normal = Vec::with_capacity(binary.len() + 64);
    for packet in &parts.session_keys {
        add_header(&mut normal, packet.tag, packet.body.len())?;
        normal.extend_from_slice(packet.body);
    }
    add_header(&mut normal, parts.container.tag(), parts.data.clone().map(<[u8]>::len).sum())?;
    parts.data.for_each(|piece| normal.extend_from_slice(piece));
    Ok(normal)
}

/// Returns what tells the encrypted data of `message` from all others; none if there are none. So that no
/// copy of them goes unnoticed, this reads what [`normal`] does not: anything before them, behind them and
/// around armour.
pub fn body(message: &[u8]) -> Option<Body> {
    let found;
    let mut rest = message;
    if is_armored(message) {
        found = armor::find(message)?;
        rest = &found;
    }
    loop {
        let (tag, length, data) = header(rest).ok()?;
        if Container::of(tag).is_some() {
            let mut body = [0; DISTINCT];
            let beginning = Pieces::new(length, data).flatten();
            body.iter_mut().zip(beginning).for_each(|(to, from)| *to = *from);
            return Some(Body(body));
        }
        let Length::Known(length) = length else { return None };
        rest = data.get(length..)?;
    }
}

/// Returns a message, binary, without the session-key packets of those keys that `stays` says no to. The
/// encrypted data stay as they are, and so does who else can read them.
pub fn without(message: &[u8], stays: impl Fn(&KeyId) -> bool) -> Result<Vec<u8>, CryptoError> {
    let binary = binary(message)?;
    let parts = parts(&binary)?;
    let kept = parts.session_keys.iter().filter(|packet| packet.key.as_ref().is_none_or(&stays));
    Ok(kept.map(|packet| packet.whole).chain([parts.last]).collect::<Vec<_>>().concat())
}

/// Whether `message` is not binary: GnuPG takes everything without the top bit for ASCII armour.
pub fn is_armored(message: &[u8]) -> bool {
    message.first().is_some_and(|first| first & 0x80 == 0)
}

/// Takes armour off, if there is any.
fn binary(message: &[u8]) -> Result<Cow<'_, [u8]>, CryptoError> {
    match is_armored(message) {
        true => armor::remove(message)
            .map(Cow::Owned)
            .ok_or(CryptoError::Malformed("it is neither binary nor armour of the usual form")),
        false => Ok(Cow::Borrowed(message)),
    }
}

/// Adds a packet's header.
fn add_header(message: &mut Vec<u8>, tag: u8, length: usize) -> Result<(), CryptoError> {
    let length = u32::try_from(length).map_err(|_| CryptoError::Malformed("it is too long"))?;
    message.extend([0xc0 | tag, 255]);
    message.extend(length.to_be_bytes());
    Ok(())
}

/// Takes a binary message apart, strictly.
pub(super) fn parts(message: &[u8]) -> Result<Parts<'_>, CryptoError> {
    let mut session_keys = Vec::new();
    let mut rest = message;
    loop {
        let (tag, length, body) = header(rest)?;
        if let Some(container) = Container::of(tag) {
            if session_keys.is_empty() {
                return Err(CryptoError::Malformed("no session-key packet precedes the data"));
            }
            let data = Pieces::new(length, body);
            let mut walked = data.clone();
            let length: usize = walked.by_ref().map(<[u8]>::len).sum();
            if !walked.rest.is_empty() {
                return Err(CryptoError::Malformed("something follows the encrypted data"));
            }
            // Without any data, no length says that there are none: 0 is an unknown one.
            let cut = walked.cut || length == 0;
            return Ok(Parts { session_keys, container, last: rest, data, cut });
        }
        // Only packets that hold data may be of unknown length.
        let Length::Known(length) = length else {
            return Err(CryptoError::Malformed("a packet without length precedes the data"));
        };
        let (body, after) = body.split_at_checked(length).ok_or(CUT)?;
        let whole = &rest[..rest.len() - after.len()];
        match tag {
            1 => {
                let key = Some(session_key_recipient(body)?);
                session_keys.push(SessionKey { tag, whole, body, key });
            }
            // A version, a cipher, and how the key is derived take four octets; gpg refuses less, too.
            3 if body.len() < 4 => return Err(SESSION_KEY_CUT),
            3 => session_keys.push(SessionKey { tag, whole, body, key: None }),
            // A marker packet means nothing (RFC 9580, section 5.8).
            10 if body == b"PGP" => {}
            8 | 11 => return Err(CryptoError::Unsound("the message is not encrypted")),
            2 | 4 => return Err(CryptoError::Unsound("the message is signed, not encrypted")),
            _ => return Err(CryptoError::Malformed("it holds packets of no encrypted message")),
        }
        rest = after;
    }
}

/// Returns the first packet's tag, the length of its body, and everything from its body on.
pub(super) fn header(bytes: &[u8]) -> Result<(u8, Length, &[u8]), CryptoError> {
    const SHORT: CryptoError = CryptoError::Malformed("it ends before its encrypted data");
    let (first, rest) = bytes.split_first().ok_or(SHORT)?;
    if first & 0x80 == 0 {
        return Err(CryptoError::Malformed("it does not begin with a packet"));
    }
    if first & 0x40 == 0 {
        let (length, rest) = match first & 3 {
            3 => (Length::Open, rest),
            kind => take_number(rest, 1 << kind).map(|(n, rest)| (Length::Known(n), rest)).ok_or(SHORT)?,
        };
        return Ok(((first >> 2) & 0xf, length, rest));
    }
    let (length, rest) = new_length(rest).ok_or(SHORT)?;
    Ok((first & 0x3f, length, rest))
}

/// Returns a length in the new format, and what follows it.
pub(super) fn new_length(bytes: &[u8]) -> Option<(Length, &[u8])> {
    let (octet, after) = take_number(bytes, 1)?;
    Some(match octet {
        0..=191 => (Length::Known(octet), after),
        192..=223 => {
            let (low, after) = take_number(after, 1)?;
            (Length::Known(((octet - 192) << 8) + low + 192), after)
        }
        224..=254 => (Length::Partial(1 << (octet & 0x1f)), after),
        _ => take_number(after, 4).map(|(n, after)| (Length::Known(n), after))?,
    })
}

/// Takes a big-endian number of `octets` (at most 4) from the front.
fn take_number(bytes: &[u8], octets: usize) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_at_checked(octets)?;
    Some((number.iter().fold(0, |n, octet| (n << 8) | usize::from(*octet)), rest))
}

/// Returns the key ID of a public-key session-key packet (RFC 9580, section 5.1; version 2 is an old
/// number of version 3, which GnuPG reads too).
fn session_key_recipient(body: &[u8]) -> Result<KeyId, CryptoError> {
    match body {
        [2 | 3, rest @ ..] => Ok(KeyId(octets_to_id(rest).ok_or(SESSION_KEY_CUT)?)),
        [6, 0, ..] => Ok(KeyId::HIDDEN),
        [6, length, rest @ ..] => {
            let (key, _) = rest.split_at_checked(usize::from(*length)).ok_or(SESSION_KEY_CUT)?;
            match key {
                [4, fingerprint @ ..] if fingerprint.len() == 20 => octets_to_id(&fingerprint[12..]),
                [5 | 6, fingerprint @ ..] if fingerprint.len() == 32 => octets_to_id(fingerprint),
                _ => None,
            }
            .map(KeyId)
            .ok_or(CryptoError::Malformed("a session-key packet names no known kind of key"))
        }
        [] => Err(SESSION_KEY_CUT),
        _ => Err(CryptoError::Malformed("a session-key packet is of unknown version")),
    }
}

/// Returns the first 8 bytes as a number.
fn octets_to_id(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|id| u64::from_be_bytes(*id))
}

#[cfg(test)]
#[path = "openpgp_tests.rs"]
mod tests;
