//! What must hold of any bytes that we are given to read. The fuzz targets (`fuzz/`) try that of bytes that
//! libFuzzer makes up, the tests of those targets' seeds, among which is what was found.

use super::openpgp::{self, Body, Container, Length, Outline, Parts};
use super::{CryptoError, armor};
use crate::model::KeyId;

pub use super::native::fuzzing::{cache, content};

/// Checks what is read around a message's encrypted data.
pub fn framing(bytes: &[u8]) {
    if let Some(inside) = armor::remove(bytes) {
        assert_eq!(armor::find(bytes), Some(inside));
    }
    let armored = armored(bytes);
    assert_eq!(armor::remove(&armored).as_deref(), Some(bytes));
    // What has no top bit is read as armour itself.
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        let said = |message: &[u8]| (openpgp::outline(message).ok(), openpgp::body(message));
        assert_eq!(said(&armored), said(bytes));
    }
    check(bytes);
}

/// Returns a message, binary, with all of its session-key packets.
fn same(message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    openpgp::without(message, |_| true)
}

/// Checks what is said of a message.
fn check(message: &[u8]) {
    let body = openpgp::body(message);
    let Ok(outline) = openpgp::outline(message) else {
        // Nobody says anything of what is no message.
        assert!(openpgp::normal(message).is_err() && same(message).is_err());
        return;
    };
    let same = same(message).expect("it has an outline");
    assert!(body.is_some());
    assert_says(&same, &outline, body);
    for key in [outline.recipients.first(), outline.recipients.last()].into_iter().flatten() {
        check_without(message, key, &outline, body);
    }
    let parts = openpgp::parts(&same).expect("it has an outline");
    // Taken apart, it is no more than a small multiple of itself: every part has four octets at least.
    assert!(4 * parts.session_keys.len() < same.len());
    let normal = openpgp::normal(message);
    assert_eq!(normal.is_ok(), !parts.cut && parts.container != Container::Unprotected);
    if let Ok(normal) = normal {
        check_normal(&normal, &same, &parts);
        assert_says(&normal, &outline, body);
    }
}

/// Checks that a message is outlined as `outline`, and has the body `body`.
fn assert_says(message: &[u8], outline: &Outline, body: Option<Body>) {
    assert_eq!(&openpgp::outline(message).expect("it is a message"), outline);
    assert_eq!(openpgp::body(message), body);
}

/// Checks that of a message without the session-key packets of `key` all else is left.
fn check_without(message: &[u8], key: &KeyId, outline: &Outline, body: Option<Body>) {
    let less = openpgp::without(message, |id| id != key).expect("it has an outline");
    let recipients: Vec<KeyId> = outline.recipients.iter().filter(|id| *id != key).copied().collect();
    match recipients.is_empty() && !outline.passphrase {
        // Nobody is left who could read it.
        true => assert!(openpgp::outline(&less).is_err()),
        false => assert_says(&less, &Outline { recipients, ..outline.clone() }, body),
    }
}

/// Checks the normal form of the binary message `same`, which has these parts.
fn check_normal(normal: &[u8], same: &[u8], parts: &Parts) {
    for message in [normal, same] {
        assert_eq!(openpgp::normal(message).expect("it has a normal form"), normal);
    }
    // A header of six octets takes the place of one that has at least two, before at least two more; not so
    // the last.
    assert!(normal.len() <= 2 * same.len() + 2);
    let data = |parts: &Parts| parts.data.clone().collect::<Vec<_>>().concat();
    assert_eq!(data(&openpgp::parts(normal).expect("it is a message")), data(parts));
    check_ends(normal);
    let in_front: usize = parts.session_keys.iter().map(|packet| packet.whole.len()).sum();
    match openpgp::header(&same[in_front..]).expect("it holds data").1 {
        Length::Open | Length::Known(0) => {}
        Length::Known(_) | Length::Partial(_) => check_ends(same),
    }
}

/// Checks that a message which says where it ends has no normal form without its end, or with more behind it.
fn check_ends(message: &[u8]) {
    for end in cuts(message) {
        assert!(openpgp::normal(&message[..end]).is_err(), "cut at {end}");
    }
    for behind in [0, b'\n', 0xd2] {
        assert!(openpgp::normal(&[message, &[behind]].concat()).is_err());
    }
}

/// Returns some places before the end of `bytes`, which they choose themselves.
pub(super) fn cuts(bytes: &[u8]) -> Vec<usize> {
    let sum = bytes.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
    match bytes.len() {
        0 => Vec::new(),
        length => vec![0, length / 2, length - 1, sum % length, (sum >> 16) % length],
    }
}

/// Puts bytes in ASCII armour.
fn armored(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = b"-----BEGIN PGP MESSAGE-----\n\n".to_vec();
    for line in bytes.chunks(48) {
        for three in line.chunks(3) {
            let bits = (0..3).fold(0, |bits, at| (bits << 8) | usize::from(*three.get(at).unwrap_or(&0)));
            let digits = [18, 12, 6, 0].map(|shift| DIGITS[(bits >> shift) & 63]);
            text.extend(&digits[..=three.len()]);
            text.extend(&b"=="[..3 - three.len()]);
        }
        text.push(b'\n');
    }
    text.extend(b"-----END PGP MESSAGE-----\n");
    text
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Hands a target's seeds to `check`.
    fn each_seed(target: &str, check: impl Fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 8, "{files:?}");
        for file in files {
            // A failure is to say which.
            println!("{}", file.display());
            check(&fs::read(file).unwrap());
        }
    }

    #[test]
    fn holds_for_every_seed_of_packets() {
        each_seed("packets", framing);
        each_seed("packets", content);
    }

    #[test]
    fn holds_for_every_seed_of_the_cache() {
        each_seed("cache", cache);
    }
}
