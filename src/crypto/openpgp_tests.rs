//! Messages in bytes, good and bad.

use super::*;
use crate::crypto::fuzzing::framing;

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
    let message =
        [&pkesk(&[0x84, 11])[..], &[0xca, 3, b'P', b'G', b'P', 0xc3, 4, 4, 9, 0, 8, 0xd2, 9]].concat();
    assert!(one(&message).passphrase);
}

#[test]
fn names_what_is_wrong() {
    let cases: [(&[u8], &str); 16] = [
        (b"", "ends before"),
        (b"hello", "neither binary nor armour"),
        (&[0x84, 0, 10, b'a'], "session-key packet is cut short"),
        (&[0xd2, 2, 1, 1], "no session-key packet"),
        (&[0xd4, 2, 1, 1], "no session-key packet"),
        (&[0xd5, 1, 1], "no encrypted message"),
        (&[0xca, 3, b'P', b'G', b'Q'], "no encrypted message"),
        (&[0xc3, 4, 4, 9, 0, 8, 0xd2, 2, 1, 1, b'\n'], "follows"),
        (&[0xc3, 3, 4, 9, 0, 0xd2, 2, 1, 1], "session-key packet is cut short"),
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
fn brings_messages_into_one_form() {
    let pkesk_body = &pkesk(&[0x84, 11])[2..];
    let expected = [&[0xc1, 255, 0, 0, 0, 11][..], pkesk_body, &[0xd2, 255, 0, 0, 0, 3, 1, 7, 8]].concat();
    let marker = [0xca, 3, b'P', b'G', b'P'];
    for data in [
        &[0xd2, 3, 1, 7, 8][..],
        &[0xd2, 0, 1, 7, 8],
        &[0xd2, 0xe1, 1, 7, 1, 8],
        &[0xd2, 0xe0, 1, 0xe1, 7, 8, 0],
    ] {
        assert_eq!(normal(&[&pkesk(&[0x84, 11]), data].concat()).unwrap(), expected);
        assert_eq!(normal(&[&marker[..], &pkesk(&[0x85, 0, 11]), &marker, data].concat()).unwrap(), expected);
    }
    assert_eq!(normal(&expected).unwrap(), expected);
    assert_eq!(body(&expected), body(&[0xd2, 3, 1, 7, 8]));
    for (data, why) in [
        (&[0xd2, 4, 1, 7, 8][..], "cut short"),
        (&[0xd2, 0], "cut short"),
        (&[0xd2, 255, 0, 0, 0, 0], "cut short"),
        (&[0xd2, 0xe1, 1, 7], "cut short"),
        (&[0xd2, 0xe1, 1, 7, 192], "cut short"),
        (&[0xd2, 0xe2, 1, 7, 8], "cut short"),
        (&[0xc9, 3, 1, 7, 8], "not protected"),
        (&[0xd2, 3, 1, 7, 8, 0], "follows"),
        (&[0xd2, 0xe1, 1, 7, 0, 0], "follows"),
    ] {
        let error = normal(&[&pkesk(&[0x84, 11]), data].concat()).unwrap_err().to_string();
        assert!(error.contains(why), "{data:02x?}: {error}");
    }
    // Of the last packet alone, less may be there: who could read it is known all the same.
    assert!(outline(&expected[..expected.len() - 1]).is_ok());
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
    // What no message of ours begins with, and what it does not end with.
    for odd in [&[0xd5, 1, 9][..], &[0xca, 1, 9]] {
        assert_eq!(body(&[odd, &plain, odd].concat()), Some(expected));
    }
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
        framing(&bytes);
    }

    #[test]
    fn never_panics_behind_headers(first in 0x80u8.., bytes: Vec<u8>) {
        framing(&[&[first][..], &bytes].concat());
        framing(&[&pkesk(&[0x84, 11])[..], &[first], &bytes].concat());
        framing(&[&pkesk(&[0x84, 11])[..], &[0xd2, first], &bytes].concat());
    }
}
