//! What gpg finds in messages of odd forms, beside what we find: nobody may show us one message, and gpg another.

use std::collections::BTreeSet;

use crate::model::KeyId;

use super::super::{Crypto as _, CryptoError, Trust, openpgp};
use super::{Keyring, only, text};

/// A keyring with Ada's key, who reads `good`, and Bob's, to whom `hidden` is encrypted.
struct Forms {
    ring: Keyring,
    good: Vec<u8>,
    hidden: Vec<u8>,
    armored: Vec<u8>,
}

impl Forms {
    fn new() -> Self {
        let ring = Keyring::new();
        ring.good_key("Ada <ada@x>");
        ring.good_key("Bob <bob@x>");
        let good = ring.gpg("--encrypt -r ada@x", b"good\n");
        let hidden = ring.gpg("--encrypt -r bob@x", b"hidden\n");
        let armored = ring.gpg("--armor --encrypt -r bob@x", b"hidden\n");
        Forms { ring, good, hidden, armored }
    }

    /// Returns the key IDs that gpg names in a message; none if it finds nothing encrypted.
    fn seen_by_gpg(&self, message: &[u8]) -> Option<Vec<KeyId>> {
        let args = "--list-only --status-fd 1 --output /dev/null --decrypt";
        let status = self.ring.try_gpg(args.split(' '), message).1;
        let status = String::from_utf8_lossy(&status);
        let ids = status.lines().filter_map(|line| line.strip_prefix("[GNUPG:] ENC_TO "));
        let ids = ids.map(|line| KeyId(u64::from_str_radix(&line[..16], 16).unwrap())).collect();
        status.contains("BEGIN_DECRYPTION").then_some(ids)
    }

    /// Checks that `message` is refused, or that gpg sees the same in it and in its normal form; returns
    /// whether it was not refused.
    #[track_caller]
    fn agrees(&self, message: &[u8], what: &str) -> bool {
        let Ok(outline) = openpgp::outline(message) else {
            assert!(openpgp::normal(message).is_err(), "{what}");
            return false;
        };
        // gpg may find nothing, where a packet is malformed; never anything else.
        for form in [message, &openpgp::normal(message).unwrap()] {
            if let Some(seen) = self.seen_by_gpg(form) {
                assert_eq!(seen, outline.recipients, "{what}");
            }
        }
        true
    }
}

/// Returns a packet in every form that headers have.
fn framed(tag: u8, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let four = u32::try_from(body.len()).unwrap().to_be_bytes();
    let mut headers = vec![vec![0xc0 | tag, 255, four[0], four[1], four[2], four[3]]];
    match body.len() {
        0..=191 => headers.push(vec![0xc0 | tag, four[3]]),
        // This is the length less 192, and 192 in the upper octet.
        length => {
            let two = u16::try_from(length - 192).unwrap().to_be_bytes();
            headers.push(vec![0xc0 | tag, two[0] + 192, two[1]]);
        }
    }
    if tag < 16 {
        headers.push(vec![0x82 | (tag << 2), four[0], four[1], four[2], four[3]]);
        headers.push(vec![0x81 | (tag << 2), four[2], four[3]]);
        headers.push(vec![0x83 | (tag << 2)]);
    }
    let mut all: Vec<_> = headers.into_iter().map(|h| [&h[..], body].concat()).collect();
    // In pieces: the first of 1 and of 256 octets.
    all.push([&[0xc0 | tag, 0xe0, body[0], 255], &(four_less(body.len(), 1))[..], &body[1..]].concat());
    if body.len() > 256 {
        let (one, two) = body.split_at(256);
        all.push([&[0xc0 | tag, 0xe8], one, &[255], &four_less(body.len(), 256), two].concat());
    }
    all.into_iter()
        .map(|packet| (format!("tag {tag}, {:02x?}", &packet[..packet.len().min(6)]), packet))
        .collect()
}

fn four_less(length: usize, less: usize) -> [u8; 4] {
    u32::try_from(length - less).unwrap().to_be_bytes()
}

#[test]
fn no_packet_in_front_hides_a_message_from_us() {
    let forms = Forms::new();
    let session_key = [&[3, 1, 2, 3, 4, 5, 6, 7, 8, 18, 0, 1, 1][..]];
    let (mut refused, mut good) = (0, BTreeSet::new());
    for tag in 0..64 {
        for before in session_key.into_iter().chain([&b""[..], b"PGP", &[4, 9, 0, 8]]) {
            let hiding = [before, b"\n", &forms.armored, b"\n"].concat();
            let short = [before, b"\n"].concat();
            for (what, packet) in framed(tag, &hiding).into_iter().chain(framed(tag, &short)) {
                for message in [[&packet[..], &forms.good].concat(), [&packet[..], &forms.armored].concat()] {
                    match forms.agrees(&message, &what) {
                        true => drop(good.insert(tag)),
                        false => refused += 1,
                    }
                }
            }
        }
    }
    assert!(refused > 3000, "{refused}");
    // Of all packets, only those with session keys.
    assert_eq!(good.into_iter().collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn gpg_takes_hidden_armour_for_the_message_where_we_refuse() {
    // What this is all about: without it the tests above would show nothing.
    let forms = Forms::new();
    let crypto = forms.ring.crypto(&[]);
    let bob = only(&crypto, "bob@x").encryption_keys;
    for tag in [20, 21, 40] {
        let body = [b"\n", &forms.armored[..], b"\n"].concat();
        let message = [&framed(tag, &body)[0].1[..], &forms.good].concat();
        assert_eq!(forms.seen_by_gpg(&message), Some(bob.clone()), "{tag}");
        assert!(matches!(crypto.recipients_of(&message), Err(CryptoError::Malformed(_))), "{tag}");
        let anew = crypto.decryptor().decrypt_message(&message);
        assert!(matches!(anew, Err(CryptoError::Malformed(_))), "{tag}");
        // To look at it, as pass does, is another matter.
        assert!(crypto.decrypt(&message).unwrap().equals(&text("hidden\n")), "{tag}");
    }
}

#[test]
fn lengths_of_all_forms_mean_the_same_to_gpg() {
    let forms = Forms::new();
    let crypto = forms.ring.crypto(&[]);
    let start = 2 + usize::from(forms.good[1]);
    let (key, data) = (&forms.good[2..start], &forms.good[start + 2..]);
    let mut read = 0;
    for (first, session_key) in framed(1, key) {
        for (second, data) in framed(18, data) {
            let message = [&session_key[..], &data].concat();
            let what = format!("{first}; {second}");
            if forms.agrees(&message, &what) {
                let found = crypto.decryptor().decrypt_message(&message);
                assert!(found.unwrap().equals(&text("good\n")), "{what}");
                read += 1;
            }
        }
    }
    assert_eq!(read, 4 * 3);
}

#[test]
fn other_odd_forms_are_refused() {
    let forms = Forms::new();
    let crypto = forms.ring.crypto(&[]);
    let compressed = forms.ring.gpg("--compress-algo none --store", b"x");
    let wrapped = [&[0xc8, 255], &four_less(forms.hidden.len() + 1, 0)[..], &[0], &forms.hidden].concat();
    let armored = String::from_utf8(forms.armored.clone()).unwrap();
    let crlf = armored.replace('\n', "\r\n");
    let start = 2 + usize::from(forms.good[1]);
    let (session_key, data) = forms.good.split_at(start);
    let no_session_key = session_key.iter().enumerate().map(|(at, b)| if at == 2 { 9 } else { *b }).collect();
    let odd: [(&str, Vec<u8>); 14] = [
        ("two messages", [&forms.good[..], &forms.hidden].concat()),
        ("two armored messages", armored.repeat(2).into_bytes()),
        ("armour behind a message", [&forms.good[..], &forms.armored].concat()),
        ("a newline behind it", [&forms.good[..], b"\n"].concat()),
        ("a literal packet behind it", [&forms.good[..], &compressed].concat()),
        ("a literal packet before it", [&compressed[..], &forms.good].concat()),
        ("a compressed packet around it", wrapped),
        ("no session-key packet", data.to_vec()),
        ("a session-key packet of another version", [no_session_key, data.to_vec()].concat()),
        ("text before armour", [b"x\n", &forms.armored[..]].concat()),
        ("text behind armour", [&forms.armored[..], b"x\n"].concat()),
        ("armour without an empty line", armored.replacen("\n\n", "\n", 1).into_bytes()),
        ("an odd header", armored.replacen("\n\n", "\nno header\n\n", 1).into_bytes()),
        ("escaped armour", armored.replace("-----B", "- -----B").into_bytes()),
    ];
    for (what, message) in odd {
        assert!(!forms.agrees(&message, what), "{what}");
        assert!(crypto.decryptor().decrypt_message(&message).is_err(), "{what}");
    }
    assert!(forms.agrees(crlf.as_bytes(), "CRLF"));
    let headers = armored.replacen("\n\n", "\nVersion: 1\nComment: -----BEGIN PGP MESSAGE-----\n\n", 1);
    assert!(forms.agrees(headers.as_bytes(), "headers"));
    assert!(forms.agrees(&[&[0xca, 3, b'P', b'G', b'P'][..], &forms.good].concat(), "a marker"));
    assert!(forms.agrees(&[session_key, &[0xca, 3, b'P', b'G', b'P'], data].concat(), "a marker within"));
}

#[test]
fn armour_costs_no_gpg() {
    let forms = Forms::new();
    let crypto = forms.ring.crypto(&["--comment", "\u{fc} = x: y", "--emit-version", "--armor"]);
    let ada = only(&crypto, "ada@x");
    let message = crypto.encrypt(&text("x"), std::slice::from_ref(&ada), Trust::Database).unwrap();
    assert!(message.starts_with(b"-----BEGIN"), "{}", String::from_utf8_lossy(&message));
    let without_gpg = super::GnuPg::new(super::GnuPgConfig {
        program: "/nonexistent/gpg".into(),
        ..super::GnuPgConfig::default()
    });
    assert_eq!(without_gpg.recipients_of(&message).unwrap(), ada.encryption_keys);
    assert!(crypto.decryptor().decrypt_message(&message).unwrap().equals(&text("x")));
}
