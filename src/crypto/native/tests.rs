//! [`Native`] beside real GnuPG, in throwaway keyrings.

use super::Native;
use crate::crypto::tests::{Keyring, only, text};
use crate::crypto::{Crypto as _, GnuPg, Trust};
use crate::model::{KeyId, RecipientId};

/// Returns a message that we encrypt to `to` ourselves, which gpg must decrypt, and which must name the
/// very key IDs of one that gpg encrypts; none if we leave it to gpg.
#[track_caller]
fn seal(native: &Native, gpg: &GnuPg, to: &[RecipientId]) -> Option<Vec<u8>> {
    // The first message of a run is always gpg's.
    let theirs = gpg.encrypt(&text("theirs"), to, Trust::Accepted).unwrap();
    let ours = native.encrypt(&text("ours\n\0ÿ"), to)?;
    let readers = |message: &[u8]| -> Vec<KeyId> {
        let mut readers = gpg.recipients_of(message).unwrap();
        readers.sort();
        readers
    };
    assert_eq!(readers(&ours), readers(&theirs));
    assert!(gpg.decrypt(&ours).unwrap().equals(&text("ours\n\0ÿ")));
    Some(ours)
}

#[test]
fn encrypts_to_every_usual_kind_of_key_as_gpg_does() {
    let ring = Keyring::new();
    ring.good_key("Cv <cv@x>");
    for (name, sign, encrypt) in [
        ("rsa", "rsa2048", "rsa2048"),
        ("p256", "nistp256", "nistp256"),
        ("p384", "nistp384", "nistp384"),
        ("p521", "ed25519", "nistp521"),
        ("brainpool", "ed25519", "brainpoolP256r1"),
        ("elgamal", "dsa1024", "elg1024"),
    ] {
        let key = ring.key(&format!("K <{name}@x>"), sign, "never");
        ring.gpg(&format!("--quick-add-key {key} {encrypt} encr never"), b"");
    }
    let native = Native::new(ring.config(&[]));
    let to = |name: &str| only(&ring.crypto(&[]), &format!("{name}@x"));
    let usual = ["cv", "rsa", "p256", "p384", "p521"].map(to);
    for key in &usual {
        assert!(seal(&native, &ring.crypto(&[]), std::slice::from_ref(key)).is_some(), "{key:?}");
    }
    assert!(seal(&native, &ring.crypto(&[]), &usual).is_some());
    for name in ["brainpool", "elgamal"] {
        assert!(seal(&native, &ring.crypto(&[]), &[to("cv"), to(name)]).is_none(), "{name}");
    }
}

/// Makes a key that signs alone, in 2020, and subkeys: usage, day of making, life. Returns its fingerprint.
fn with_subkeys(ring: &Keyring, name: &str, subkeys: &[(&str, &str, &str, &str)]) -> String {
    ring.gpg(&format!("--faked-system-time 20200101T000000 --quick-gen-key {name} ed25519 sign never"), b"");
    let key = only_key(ring, name);
    for (algorithm, usage, made, life) in subkeys {
        let time = format!("--faked-system-time {made}T000000");
        ring.gpg(&format!("{time} --quick-add-key {key} {algorithm} {usage} {life}"), b"");
    }
    key
}

/// Returns the fingerprint of the one key called `name`.
fn only_key(ring: &Keyring, name: &str) -> String {
    let listing = String::from_utf8(ring.gpg(&format!("--with-colons --list-keys {name}"), b"")).unwrap();
    listing
        .lines()
        .find_map(|line| line.strip_prefix("fpr:::::::::"))
        .unwrap()
        .trim_end_matches(':')
        .to_owned()
}

#[test]
fn encrypts_to_the_subkey_that_gpg_would_take() {
    let ring = Keyring::new();
    let cv = "cv25519";
    with_subkeys(&ring, "old@x", &[(cv, "encr", "20210101", "1y"), (cv, "encr", "20200201", "never")]);
    with_subkeys(&ring, "two@x", &[(cv, "encr", "20210101", "never"), (cv, "encr", "20220101", "never")]);
    with_subkeys(
        &ring,
        "sig@x",
        &[(cv, "encr", "20210101", "never"), ("ed25519", "sign", "20220101", "never")],
    );
    with_subkeys(&ring, "late@x", &[(cv, "encr", "20210101", "never"), (cv, "encr", "20450101", "never")]);
    ring.key("Rsa <rsa@x>", "rsa2048", "never");
    ring.gpg("--quick-gen-key primary@x rsa2048 sign,encr never", b"");
    let native = Native::new(ring.config(&[]));
    let crypto = || ring.crypto(&[]);
    for name in ["old@x", "two@x", "sig@x", "primary@x"] {
        assert!(seal(&native, &crypto(), &[only(&crypto(), name)]).is_some(), "{name}");
    }
    // A subkey that is not valid yet: which one gpg takes then is for gpg to say.
    assert!(seal(&native, &crypto(), &[only(&crypto(), "late@x")]).is_none());
    // The subkeys asked for, both at once, then with the key itself: one of them is gpg's choice anyway.
    let two = only(&crypto(), "two@x");
    let exact: Vec<RecipientId> =
        two.encryption_keys.iter().map(|id| only(&crypto(), &format!("{id}!"))).collect();
    for to in [&exact[..1], &exact[1..], &exact, &[two, exact[0].clone(), exact[1].clone()]] {
        assert!(seal(&native, &crypto(), to).is_some());
    }
}

#[test]
fn leaves_to_gpg_what_the_owner_or_the_user_wants_otherwise() {
    let ring = Keyring::new();
    ring.good_key("A <a@x>");
    let b = ring.good_key("B <b@x>");
    let crypto = ring.crypto(&[]);
    let [a, b] = [only(&crypto, "a@x"), only(&crypto, b.as_str())];
    assert!(seal(&Native::new(ring.config(&[])), &crypto, &[a.clone(), b.clone()]).is_some());
    let tried = |options: &[&str], to: &[&RecipientId]| {
        let to: Vec<RecipientId> = to.iter().copied().cloned().collect();
        Native::new(ring.config(options)).encrypt(&text("x"), &to).is_some()
    };
    assert!(!tried(&["--quiet"], &[&a]));
    for (lines, ours) in [("throw-keyids", false), ("armor", false), ("encrypt-to b@x", true)] {
        ring.configure(lines);
        assert_eq!(tried(&[], &[&a]), ours, "{lines}");
    }
    ring.configure("");
    let off = crate::crypto::GnuPgConfig { in_process: false, ..ring.config(&[]) };
    assert!(Native::new(off).encrypt(&text("x"), std::slice::from_ref(&a)).is_none());
    let (done, _) = ring.try_gpg(
        ["--yes", "--command-fd", "0", "--edit-key", "b@x", "setpref AES CAST5 SHA512 Uncompressed", "save"],
        b"y\n",
    );
    assert!(done);
    assert!(tried(&[], &[&a]));
    assert!(!tried(&[], &[&a, &b]));
    // Known before, gone or revoked since.
    let stranger = RecipientId { encryption_keys: vec![KeyId(7)], ..a.clone() };
    assert!(!tried(&[], &[&stranger]));
    ring.gpg(&format!("--yes --delete-secret-and-public-key {}", a.fingerprint), b"");
    assert!(!tried(&[], &[&a]));
}
