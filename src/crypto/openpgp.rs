//! OpenPGP packet headers, read in-process: who can read a message (RFC 9580, sections 4.2 and 5.1).

use crate::model::KeyId;

use super::CryptoError;

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

/// Returns the outline of a binary message. Reads up to the header of the encrypted data, no further:
/// whether those are whole is for gpg to say.
pub fn outline(message: &[u8]) -> Result<Outline, CryptoError> {
    let (mut recipients, mut passphrase) = (Vec::new(), false);
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
            return Ok(Outline { recipients, passphrase, container });
        }
        // Only packets that hold data may be of unknown length.
        let length = length.ok_or(CryptoError::Malformed("a packet without length precedes the data"))?;
        let body = body.split_at_checked(length).ok_or(CryptoError::Malformed("it is cut short"))?;
        match tag {
            1 => recipients.push(session_key_recipient(body.0)?),
            3 => passphrase = true,
            // Marker and padding packets mean nothing.
            10 | 21 => {}
            8 | 11 => return Err(CryptoError::Unsound("the message is not encrypted")),
            2 | 4 => return Err(CryptoError::Unsound("the message is signed, not encrypted")),
            _ => return Err(CryptoError::Malformed("it holds packets of no encrypted message")),
        }
        rest = body.1;
    }
}

/// Returns the first packet's tag, the length of its body (none if partial or indeterminate), and
/// everything from its body on.
fn header(bytes: &[u8]) -> Result<(u8, Option<usize>, &[u8]), CryptoError> {
    const SHORT: CryptoError = CryptoError::Malformed("it ends before its encrypted data");
    let (first, rest) = bytes.split_first().ok_or(SHORT)?;
    if first & 0x80 == 0 {
        return Err(CryptoError::Malformed("it does not begin with a packet"));
    }
    if first & 0x40 == 0 {
        let (length, rest) = match first & 3 {
            3 => (None, rest),
            kind => take_number(rest, 1 << kind).map(|(n, rest)| (Some(n), rest)).ok_or(SHORT)?,
        };
        return Ok(((first >> 2) & 0xf, length, rest));
    }
    let (octet, after) = take_number(rest, 1).ok_or(SHORT)?;
    let (length, rest) = match octet {
        0..=191 => (Some(octet), after),
        192..=223 => {
            let (low, after) = take_number(after, 1).ok_or(SHORT)?;
            (Some(((octet - 192) << 8) + low + 192), after)
        }
        224..=254 => (None, after),
        _ => take_number(after, 4).map(|(n, after)| (Some(n), after)).ok_or(SHORT)?,
    };
    Ok((first & 0x3f, length, rest))
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

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = outline(&bytes);
        }

        #[test]
        fn never_panics_behind_headers(first in 0x80u8.., bytes: Vec<u8>) {
            let _ = outline(&[&[first][..], &bytes].concat());
        }
    }
}
