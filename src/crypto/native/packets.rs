//! The packets around encrypted data and inside them (RFC 9580, sections 4.2, 5.1, 5.9 and 5.13). Strict:
//! what is not exactly of the form that GnuPG and we write is left to gpg.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::crypto::openpgp::{self, Container, Length};
use crate::model::KeyId;

/// An encrypted message, taken apart.
pub struct Sealed<'m> {
    /// The public-key session-key packets, whole, with the key ID that each names.
    pub session_keys: Vec<(KeyId, &'m [u8])>,
    /// What the session key encrypts, with its modification detection code.
    pub data: Cow<'m, [u8]>,
}

/// Takes a message apart: session-key packets for keys, and one packet of data whose integrity is protected
/// by a modification detection code; nothing behind it. None for any other message.
pub fn sealed(message: &[u8]) -> Option<Sealed<'_>> {
    let parts = openpgp::parts(message).ok()?;
    if parts.container != Container::IntegrityProtected || parts.cut {
        return None;
    }
    let session_keys: Option<Vec<_>> =
        parts.session_keys.iter().map(|packet| Some((packet.key?, packet.whole))).collect();
    let pieces: Vec<&[u8]> = parts.data.collect();
    // The packet's version, 1, comes first; 2 has no modification detection code.
    let data = match &pieces[..] {
        [[1, data @ ..]] => Cow::Borrowed(data),
        [[1, ..], ..] => Cow::Owned(pieces.concat()[1..].to_vec()),
        _ => return None,
    };
    Some(Sealed { session_keys: session_keys?, data })
}

/// Hands the pieces of a packet's body to `take`; none if the packet does not end where `bytes` do.
fn pieces<'b>(mut length: Length, mut bytes: &'b [u8], mut take: impl FnMut(&'b [u8])) -> Option<()> {
    loop {
        let (share, last) = match length {
            Length::Known(share) => (share, true),
            Length::Partial(share) => (share, false),
            Length::Open => (bytes.len(), true),
        };
        let (piece, after) = bytes.split_at_checked(share)?;
        take(piece);
        if last {
            return after.is_empty().then_some(());
        }
        (length, bytes) = openpgp::new_length(after)?;
    }
}

/// What comes before the data in a literal packet: binary, no name, and a time that nobody reads (`seconds`
/// since 1970).
fn literal_header(seconds: u32) -> [u8; 6] {
    let [a, b, c, d] = seconds.to_be_bytes();
    [b'b', 0, a, b, c, d]
}

/// Returns a literal packet that holds `data`; none if they are too large for one.
pub fn literal(data: &[u8], seconds: u32) -> Option<Zeroizing<Vec<u8>>> {
    let header = literal_header(seconds);
    let length = u32::try_from(data.len().checked_add(header.len())?).ok()?;
    // Of its final size from the beginning: growing would leave copies behind.
    let mut packet = Zeroizing::new(Vec::with_capacity(6 + header.len() + data.len()));
    packet.extend([0xcb, 0xff]);
    packet.extend(length.to_be_bytes());
    packet.extend(header);
    packet.extend_from_slice(data);
    Some(packet)
}

/// Returns the data of `packets` if that is one binary literal packet and nothing else.
pub fn literal_data(packets: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let content = content(11, packets)?;
    // Text is not taken: gpg changes its line ends.
    let [b'b', name, rest @ ..] = content.as_slice() else { return None };
    let data = rest.get(usize::from(*name) + 4..)?;
    Some(Zeroizing::new(data.to_vec()))
}

/// Returns an algorithm's number and compressed data if `packets` is one compressed packet and nothing else.
pub fn compressed(packets: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    content(8, packets)
}

/// Whether the first packet says how long it is, so that it shows when its end is missing.
pub fn has_length(packets: &[u8]) -> bool {
    openpgp::header(packets).is_ok_and(|(_, length, _)| length != Length::Open)
}

/// Returns the body of `packets` if that is one packet of this kind and nothing else.
fn content(kind: u8, packets: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, length, body) = openpgp::header(packets).ok()?;
    let mut content = Zeroizing::new(Vec::with_capacity(body.len()));
    pieces(length, body, |piece| content.extend_from_slice(piece)).filter(|()| tag == kind)?;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION_KEY: [u8; 13] = [0x84, 11, 3, 1, 2, 3, 4, 5, 6, 7, 8, 18, 0xaa];

    fn read(rest: &[u8]) -> Option<Vec<u8>> {
        let message = [&SESSION_KEY, rest].concat();
        sealed(&message).map(|sealed| {
            assert_eq!(sealed.session_keys, [(KeyId(0x0102_0304_0506_0708), &SESSION_KEY[..])]);
            sealed.data.into_owned()
        })
    }

    #[test]
    fn takes_whole_messages_apart() {
        assert_eq!(read(&[0xd2, 3, 1, 8, 9]).unwrap(), [8, 9]);
        assert_eq!(read(&[0xd2, 0xe1, 1, 8, 1, 9]).unwrap(), [8, 9]);
        assert_eq!(read(&[0xd2, 0xe0, 1, 0xff, 0, 0, 0, 2, 8, 9]).unwrap(), [8, 9]);
        assert_eq!(read(&[0xd2, 1, 1]).unwrap(), [0_u8; 0]);
    }

    #[test]
    fn takes_nothing_else() {
        for (odd, bytes) in [
            ("cut short", &[0xd2, 3, 1, 8][..]),
            ("something behind it", &[0xd2, 3, 1, 8, 9, 0]),
            ("a piece is cut short", &[0xd2, 0xe1, 1, 8, 2, 9]),
            ("the last piece is missing", &[0xd2, 0xe1, 1, 8]),
            ("version 2", &[0xd2, 3, 2, 8, 9]),
            ("no version", &[0xd2, 0]),
            ("unprotected", &[0xc9, 3, 1, 8, 9]),
            ("packet 20", &[0xd4, 3, 1, 8, 9]),
            ("a passphrase", &[0xc3, 4, 4, 9, 0, 8, 0xd2, 3, 1, 8, 9]),
        ] {
            assert_eq!(read(bytes), None, "{odd}");
        }
    }

    #[test]
    fn reads_literal_data() {
        let data = |packets: &[u8]| literal_data(packets).map(|data| data.to_vec());
        assert_eq!(data(&[0xcb, 9, b'b', 1, b'x', 0, 0, 0, 0, 7, 8]).unwrap(), [7, 8]);
        // GnuPG 2.2 writes lengths of unknown size in the old format, others in pieces.
        assert_eq!(data(&[0xaf, b'b', 0, 0, 0, 0, 0, 7, 8]).unwrap(), [7, 8]);
        assert_eq!(data(&[0xcb, 0xe3, b'b', 0, 0, 0, 0, 0, 7, 8, 1, 9]).unwrap(), [7, 8, 9]);
        for odd in [
            &[0xcb, 7, b't', 0, 0, 0, 0, 0, 7][..],
            &[0xcb, 7, b'b', 2, 0, 0, 0, 0, 7],
            &[0xcb, 7, b'b', 0, 0, 0, 0, 0, 7, 0xcb],
            &[0xcb, 8, b'b', 0, 0, 0, 0, 0, 7],
            &[0xc8, 1, 0],
            &[0xcb, 0],
            &[],
        ] {
            assert_eq!(data(odd), None, "{odd:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reads_what_it_writes(data: Vec<u8>, seconds: u32) {
            let packet = literal(&data, seconds).unwrap();
            proptest::prop_assert_eq!(literal_data(&packet).unwrap().to_vec(), data);
        }

        #[test]
        fn never_panics(bytes: Vec<u8>, start in 0..4_usize) {
            let _ = (sealed(&bytes).is_some(), literal_data(&bytes).is_some());
            let header = [&[0xd2][..], &[0xcb], &[0xd2, 0xe1], &[0xcb, 0xe9]][start];
            let framed = [header, &bytes].concat();
            let _ = (read(&framed).is_some(), literal_data(&framed).is_some());
        }
    }
}
