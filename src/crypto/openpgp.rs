//! OpenPGP packets, read in-process: who can read a message, and whether two messages hold the same
//! encrypted data (RFC 9580, sections 4.2 and 5.1).

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

/// Whether `message` is not binary: GnuPG takes everything without the top bit for ASCII armour.
pub fn is_armored(message: &[u8]) -> bool {
    message.first().is_some_and(|first| first & 0x80 == 0)
}

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

/// A message, taken apart.
pub(super) struct Parts<'m> {
    /// What they say.
    pub outline: Outline,
    /// The packets before the encrypted data, whole, with the key that a session-key packet names.
    pub packets: Vec<(&'m [u8], Option<KeyId>)>,
    /// The packet with the encrypted data and all that follows.
    rest: &'m [u8],
    /// The length of the encrypted data.
    pub length: Length,
    /// Everything from the encrypted data on.
    pub data: &'m [u8],
}

/// Returns the outline of a binary message. Reads up to the header of the encrypted data, no further:
/// whether those are whole is for gpg to say.
pub fn outline(message: &[u8]) -> Result<Outline, CryptoError> {
    Ok(parts(message)?.outline)
}

/// Returns what tells the encrypted data of `message` from all others; none if they cannot be made out.
pub fn body(message: &[u8]) -> Option<Body> {
    let binary;
    let message = match is_armored(message) {
        true => {
            binary = armor::remove(message)?;
            &binary
        }
        false => message,
    };
    let parts = parts(message).ok()?;
    // gpg takes a length of 0 for an unknown one.
    let first = if parts.length == Length::Known(0) { Length::Open } else { parts.length };
    let mut body = [0; DISTINCT];
    let (mut length, mut data, mut filled) = (first, parts.data, 0);
    loop {
        let (share, last) = match length {
            Length::Known(share) => (share, true),
            Length::Partial(share) => (share, false),
            Length::Open => (data.len(), true),
        };
        // A piece that is cut short is taken as far as it goes: so does gpg.
        let (piece, after) = data.split_at(share.min(data.len()));
        let taken = piece.len().min(DISTINCT - filled);
        body[filled..filled + taken].copy_from_slice(&piece[..taken]);
        filled += taken;
        match new_length(after) {
            Some((next, rest)) if !last && filled < DISTINCT => (length, data) = (next, rest),
            _ => return Some(Body(body)),
        }
    }
}

/// Returns a binary message without the session-key packets of those keys that `stays` says no to. The
/// encrypted data stay as they are, and so does who else can read them.
pub fn without(message: &[u8], stays: impl Fn(&KeyId) -> bool) -> Result<Vec<u8>, CryptoError> {
    let parts = parts(message)?;
    let kept = parts.packets.iter().filter(|(_, key)| key.as_ref().is_none_or(&stays));
    Ok(kept.map(|(packet, _)| *packet).chain([parts.rest]).collect::<Vec<_>>().concat())
}

/// Takes a binary message apart.
pub(super) fn parts(message: &[u8]) -> Result<Parts<'_>, CryptoError> {
    let (mut recipients, mut passphrase) = (Vec::new(), false);
    let mut packets = Vec::new();
    let mut rest = message;
    loop {
        let (tag, length, body) = header(rest)?;
        let container = match tag {
            9 => Some(Container::Unprotected),
            18 => Some(Container::IntegrityProtected),
            20 => Some(Container::Aead),
            _ => None,
        };
        if let Some(container) = container {
            let outline = Outline { recipients, passphrase, container };
            return Ok(Parts { outline, packets, rest, length, data: body });
        }
        // Only packets that hold data may be of unknown length.
        let Length::Known(length) = length else {
            return Err(CryptoError::Malformed("a packet without length precedes the data"));
        };
        let (body, after) = body.split_at_checked(length).ok_or(CryptoError::Malformed("it is cut short"))?;
        let mut key = None;
        match tag {
            1 => {
                key = Some(session_key_recipient(body)?);
                recipients.extend(key);
            }
            3 => passphrase = true,
            // Marker and padding packets mean nothing.
            10 | 21 => {}
            8 | 11 => return Err(CryptoError::Unsound("the message is not encrypted")),
            2 | 4 => return Err(CryptoError::Unsound("the message is signed, not encrypted")),
            _ => return Err(CryptoError::Malformed("it holds packets of no encrypted message")),
        }
        packets.push((&rest[..rest.len() - after.len()], key));
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
    const SHORT: CryptoError = CryptoError::Malformed("a session-key packet is cut short");
    match body {
        [2 | 3, rest @ ..] => Ok(KeyId(octets_to_id(rest).ok_or(SHORT)?)),
        [6, 0, ..] => Ok(KeyId::HIDDEN),
        [6, length, rest @ ..] => {
            let (key, _) = rest.split_at_checked(usize::from(*length)).ok_or(SHORT)?;
            match key {
                [4, fingerprint @ ..] if fingerprint.len() == 20 => octets_to_id(&fingerprint[12..]),
                [5 | 6, fingerprint @ ..] if fingerprint.len() == 32 => octets_to_id(fingerprint),
                _ => None,
            }
            .map(KeyId)
            .ok_or(CryptoError::Malformed("a session-key packet names no known kind of key"))
        }
        [] => Err(SHORT),
        _ => Err(CryptoError::Malformed("a session-key packet is of unknown version")),
    }
}

/// Returns the first 8 bytes as a number.
fn octets_to_id(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|id| u64::from_be_bytes(*id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

    fn pkesk(header: &[u8]) -> Vec<u8> {
        [header, &[3], &ID, &[18, 0xaa]].concat()
    }

    fn one(message: &[u8]) -> Outline {
        let outline = outline(message).unwrap();
        assert_eq!(outline.recipients, [KeyId(0x0102_0304_0506_0708)]);
        outline
    }

    #[test]
    fn reads_every_form_of_length() {
        let old = [&[0x84, 11][..], &[0x85, 0, 11], &[0x86, 0, 0, 0, 11]];
        let new = [&[0xc1, 11][..], &[0xc1, 255, 0, 0, 0, 11]];
        for header in old.into_iter().chain(new) {
            // The container's own length: partial, one octet, indeterminate.
            for container in [&[0xd2, 0xe9][..], &[0xd2, 5], &[0xc9, 5], &[0xd4, 5], &[0xa7]] {
                one(&[&pkesk(header), container].concat());
            }
        }
    }

    #[test]
    fn reads_two_octet_lengths() {
        let mut message = vec![0xc1, 192, 8, 3];
        message.extend(ID);
        message.resize(3 + 200, 0);
        message.extend([0xd2, 5]);
        assert_eq!(one(&message).container, Container::IntegrityProtected);
    }

    #[test]
    fn reads_version_6_packets() {
        let v4 = [&[0xc1, 23, 6, 21, 4][..], &[9; 12], &ID].concat();
        let v6 = [&[0xc1, 35, 6, 33, 6][..], &ID, &[9; 24]].concat();
        let hidden = vec![0xc1, 3, 6, 0, 25];
        one(&[v4, vec![0xd2, 1]].concat());
        one(&[v6, vec![0xd2, 1]].concat());
        assert_eq!(outline(&[hidden, vec![0xd2, 1]].concat()).unwrap().recipients, [KeyId::HIDDEN]);
    }

    #[test]
    fn sees_passphrases_and_skips_markers() {
        let message = [&pkesk(&[0x84, 11])[..], &[0xca, 3, b'P', b'G', b'P', 0xc3, 1, 4, 0xd2, 9]].concat();
        assert!(one(&message).passphrase);
    }

    #[test]
    fn names_what_is_wrong() {
        let cases: [(&[u8], &str); 9] = [
            (b"", "ends before"),
            (b"hello", "begin with a packet"),
            (&[0x84], "ends before"),
            (&[0x84, 11, 3, 1], "cut short"),
            (&[0x84, 3, 3, 1, 2], "session-key packet is cut short"),
            (&[0x84, 3, 9, 1, 2], "unknown version"),
            (&[0xc1, 0xe1, 3, 3], "without length"),
            (&[0xcb, 1, b'b'], "not encrypted"),
            (&[0x90, 1, 3], "signed"),
        ];
        for (message, expected) in cases {
            let error = outline(message).unwrap_err().to_string();
            assert!(error.contains(expected), "{message:02x?}: {error}");
        }
    }

    #[test]
    fn tells_encrypted_data_by_their_beginning_however_they_are_framed() {
        let data: Vec<u8> = (1..=60).collect();
        let framed = |header: &[u8]| [&pkesk(&[0x84, 11])[..], header, &data].concat();
        let plain = framed(&[0xd2, 60]);
        let expected = Body(data[..32].try_into().unwrap());
        assert_eq!(body(&plain), Some(expected));
        // Five octets, longer than there is, unknown as gpg takes it; something behind it.
        for header in [&[0xd2, 255, 0, 0, 0, 60][..], &[0xd2, 255, 0, 1, 0, 0], &[0xd2, 0], &[0xd2, 40]] {
            assert_eq!(body(&framed(header)), Some(expected), "{header:02x?}");
        }
        // In pieces, the first of them of one byte.
        let pieces = [&[0xd2, 0xe0][..], &data[..1], &[0xe4], &data[1..17], &[43], &data[17..]].concat();
        assert_eq!(body(&pieces), Some(expected));
        // Other session-key packets, armour.
        let other = [&pkesk(&[0x84, 11])[..], &plain].concat();
        assert_eq!(body(&other), Some(expected));
        let differs = [&[0xd2, 60][..], &data[1..], &[9]].concat();
        assert_ne!(body(&differs), Some(expected));
        assert_eq!(body(b"none"), None);
    }

    #[test]
    fn takes_session_key_packets_out() {
        let other = [&[0x84, 11, 3][..], &[9; 8], &[18, 0xaa]].concat();
        let message = [&other[..], &pkesk(&[0xc1, 11]), &[0xd2, 2, 7, 7]].concat();
        let kept = without(&message, |key| key.0 != 0x0909_0909_0909_0909).unwrap();
        assert_eq!(kept, [&pkesk(&[0xc1, 11])[..], &[0xd2, 2, 7, 7]].concat());
        assert_eq!(without(&message, |_| true).unwrap(), message);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = (outline(&bytes), body(&bytes), without(&bytes, |_| false));
        }

        #[test]
        fn never_panics_behind_headers(first in 0x80u8.., bytes: Vec<u8>) {
            let bytes = [&[first][..], &bytes].concat();
            let _ = (outline(&bytes), body(&bytes), without(&bytes, |_| false));
        }
    }
}
