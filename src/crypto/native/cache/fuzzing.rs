//! What must hold of any bytes in place of the file of session keys.

use std::cell::Cell;

use super::super::fuzzing::{OWN_KEYS, session};
use super::super::open::decrypt;
use super::super::packets;
use super::file::{self, HEAD, Piece};
use super::*;
use crate::crypto::fuzzing::cuts;

/// Checks what is read in a file of session keys.
pub fn cache(bytes: &[u8]) {
    check_pieces(bytes);
    check_records(&[HEAD, bytes].concat());
    check_records(bytes);
    check_shelf(bytes);
}

/// Checks the messages in a file.
fn check_pieces(bytes: &[u8]) {
    let (pieces, whole) = file::pieces(bytes);
    let mut end = 0;
    let mut ends = Vec::new();
    for piece in &pieces {
        let start = end;
        assert_eq!(place(bytes, piece.session_key), start);
        end = place(bytes, piece.data) + piece.data.len();
        // Each is a message like others.
        let sealed = packets::sealed(&bytes[start..end]).expect("it is a message");
        assert_eq!(sealed.session_keys, [(piece.key, piece.session_key)]);
        assert_eq!(sealed.data, piece.data);
        ends.push(end);
    }
    assert_eq!(whole, end == bytes.len());
    for cut in cuts(bytes) {
        let before = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(file::pieces(&bytes[..cut]).0, pieces[..before], "cut at {cut}");
    }
    check_beside(bytes, &pieces, whole);
}

/// Returns where `part` is in `bytes`.
fn place(bytes: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr() - bytes.as_ptr().addr()
}

/// Checks the messages in a file that has one more in front, or behind.
fn check_beside(bytes: &[u8], pieces: &[Piece], whole: bool) {
    let message = file::seal(&session(), b"\x84\x0a\x03********!", &[]).expect("memory takes everything");
    let (one, _) = file::pieces(&message);
    assert_eq!(one.len(), 1);
    let behind = [&message[..], bytes].concat();
    let (found, all) = file::pieces(&behind);
    assert_eq!((&found[0], &found[1..], all), (&one[0], pieces, whole));
    if whole {
        let in_front = [bytes, &message].concat();
        assert_eq!(
            file::pieces(&in_front),
            ([pieces, &one].into_iter().flatten().map(again).collect(), true)
        );
    }
}

/// Returns the same piece.
fn again<'f>(Piece { key, session_key, data }: &Piece<'f>) -> Piece<'f> {
    Piece { key: *key, session_key, data }
}

/// Checks the records in the content of a message: written, they are that content.
fn check_records(content: &[u8]) {
    let Some(records) = file::records(content) else { return };
    let records: Vec<_> = records.iter().map(|(digest, session)| (*digest, session)).collect();
    let message = file::seal(&session(), b"\x84\x09\x03********", &records).expect("their keys are short");
    let (pieces, whole) = file::pieces(&message);
    assert!(pieces.len() == 1 && whole);
    let read = decrypt(&session(), pieces[0].data).expect("it is the session key");
    assert_eq!(read.expose(), content);
}

/// Checks what is remembered of a file: where messages hold their content as it is, and where it is
/// encrypted.
fn check_shelf(bytes: &[u8]) {
    let key = &OWN_KEYS[0];
    let asked = Cell::new(0);
    let open = |_: &OwnKey, packet: &[u8]| {
        asked.set(asked.get() + 1);
        match packet.last() {
            Some(b'C') => Err(Unopened::Cancelled),
            Some(b'N') => Ok(None),
            _ => Ok(Some(session())),
        }
    };
    let plain = |_: &SessionKey, data: &[u8]| Some(Plaintext::new(data.to_vec()));
    let sealed = |session: &SessionKey, data: &[u8]| decrypt(session, data);
    let ways = [&plain as &dyn Fn(&SessionKey, &[u8]) -> Option<Plaintext>, &sealed];
    // Where there are no messages, one way is as good as the other: encrypting to a key takes most of the
    // time.
    let ways = if file::pieces(bytes).0.is_empty() { &ways[..1] } else { &ways };
    for decrypt in ways {
        asked.set(0);
        let shelf = Shelf::read(bytes, key, open, decrypt);
        assert!(asked.get() <= OPENED);
        match shelf {
            Ok(shelf) => check_known(bytes, key, &shelf.expect("it can be encrypted to"), decrypt),
            Err(error) => assert_eq!(error, Unopened::Cancelled),
        }
    }
}

/// Checks that what is known stands in the file, and is known again once it is written.
fn check_known(
    bytes: &[u8],
    key: &OwnKey,
    shelf: &Shelf,
    decrypt: impl Fn(&SessionKey, &[u8]) -> Option<Plaintext>,
) {
    let (pieces, whole) = file::pieces(bytes);
    assert!(whole || shelf.stale);
    let ours = pieces.iter().filter(|piece| piece.key == key.fingerprint.key_id());
    let content = |piece: &Piece| file::records(decrypt(&session(), piece.data)?.expose());
    let records: Vec<_> = ours.filter_map(content).flatten().collect();
    for (digest, found) in &shelf.known {
        assert!(records.iter().any(|(known, session)| known == digest && same(session, found)));
    }
    let written = shelf.sealed(shelf.known.keys()).expect("memory takes everything");
    let open = |_: &OwnKey, packet: &[u8]| {
        assert_eq!(packet, shelf.packet);
        Ok(Some(SessionKey { cipher: shelf.seal.cipher, key: shelf.seal.key.as_ref().into() }))
    };
    let again = Shelf::read(&written, key, open, super::super::open::decrypt).expect("nobody cancels");
    let again = again.expect("it can be encrypted to");
    assert!(!again.stale && again.packet == shelf.packet && again.known.len() == shelf.known.len());
    assert!(shelf.known.iter().all(|(digest, session)| same(&again.known[digest], session)));
}

/// Whether two session keys are the same.
fn same(one: &SessionKey, other: &SessionKey) -> bool {
    one.cipher == other.cipher && one.key.as_ref() == other.key.as_ref()
}

#[cfg(test)]
#[test]
fn seeds_are_remembered() {
    let key = &OWN_KEYS[0];
    let known = |seed: &[u8]| {
        let shelf = Shelf::read(seed, key, |_, _| Ok(Some(session())), decrypt).unwrap().unwrap();
        (shelf.known.len(), shelf.stale)
    };
    assert_eq!(known(include_bytes!("../../../../fuzz/corpus/cache/one-message")), (3, false));
    assert_eq!(
        known(include_bytes!("../../../../fuzz/corpus/cache/two-messages-of-one-session-key")),
        (2, false)
    );
    assert_eq!(known(include_bytes!("../../../../fuzz/corpus/cache/of-another-key")), (1, true));
    assert_eq!(known(include_bytes!("../../../../fuzz/corpus/cache/cut")), (1, true));
}
