//! [`Native`] beside real GnuPG, in throwaway keyrings.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::{Native, Unopened};
use crate::crypto::tests::{Keyring, only, text};
use crate::crypto::{Crypto as _, CryptoError, GnuPg, Trust, Undecryptable};
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
    make_keys(&ring);
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

/// Kinds of keys: the address, the primary key's algorithm, the subkey's.
const KINDS: [(&str, &str, &str); 6] = [
    ("rsa", "rsa2048", "rsa2048"),
    ("p256", "nistp256", "nistp256"),
    ("p384", "nistp384", "nistp384"),
    ("p521", "ed25519", "nistp521"),
    ("brainpool", "ed25519", "brainpoolP256r1"),
    ("elgamal", "dsa1024", "elg1024"),
];

/// Makes a key with a subkey of every kind.
fn make_keys(ring: &Keyring) {
    ring.good_key("Cv <cv@x>");
    for (name, sign, encrypt) in KINDS {
        let key = ring.key(&format!("K <{name}@x>"), sign, "never");
        ring.gpg(&format!("--quick-add-key {key} {encrypt} encr never"), b"");
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

#[test]
fn reads_what_gpg_writes() {
    let ring = Keyring::new();
    make_keys(&ring);
    let native = Native::new(ring.config(&[]));
    let content = b"pass\0word\r\nuser: \xff\n".repeat(500);
    let encrypt = |options: &str| ring.gpg(&format!("{options} --trust-model always --encrypt"), &content);
    for name in ["cv", "rsa", "p256", "p384", "p521"] {
        for options in
            ["--compress-algo none", "--compress-algo none --cipher-algo AES128", "-z 0 --force-mdc"]
        {
            let message = encrypt(&format!("{options} -r {name}@x"));
            assert_eq!(native.decrypt(&message).unwrap().expose(), content, "{name} {options}");
        }
    }
    for length in [0, 1, 255, 8191, 70_000] {
        let content = "x".repeat(length);
        let message = ring.gpg("-z 0 --trust-model always --encrypt -r cv@x -r rsa@x", content.as_bytes());
        assert!(native.decrypt(&message).unwrap().equals(&text(&content)), "{length}");
    }
    let file = ring.path().join("named");
    fs::write(&file, &content).unwrap();
    let message =
        ring.gpg(&format!("-z 0 --trust-model always --output - -r cv@x --encrypt {}", file.display()), b"");
    assert_eq!(native.decrypt(&message).unwrap().expose(), content);
    let mine = only(&ring.crypto(&[]), "p521@x");
    let message = native.encrypt(&text("own"), &[mine]).unwrap();
    assert!(native.decrypt(&message).unwrap().equals(&text("own")));
    for options in ["-r cv@x", "--compress-algo zip -r cv@x", "--compress-algo zlib -r rsa@x"] {
        assert_eq!(native.decrypt(&encrypt(options)).unwrap().expose(), content, "{options}");
    }
    // All else is for gpg.
    let bomb = "0".repeat(17 << 20);
    let bomb = ring.gpg("--compress-algo zlib --trust-model always --encrypt -r cv@x", bomb.as_bytes());
    assert!(bomb.len() < 100_000);
    assert_eq!(native.decrypt(&bomb).err(), Some(Unopened::LeftToGpg));
    for options in [
        "--compress-algo bzip2 -r cv@x",
        "-z 0 -r brainpool@x",
        "-z 0 -r elgamal@x",
        "-z 0 -R cv@x",
        "-z 0 --textmode -r cv@x",
        "-z 0 --armor -r cv@x",
        "-z 0 --sign -r cv@x",
        "-z 0 --cipher-algo 3DES -r cv@x",
        "-z 0 --cipher-algo CAMELLIA256 -r cv@x",
        "-z 0 --cipher-algo TWOFISH -r cv@x",
        "-z 0 --passphrase pw -c -r cv@x",
        "-z 0 --rfc2440 --disable-mdc -r cv@x",
    ] {
        let message = encrypt(options);
        assert_eq!(native.decrypt(&message).err(), Some(Unopened::LeftToGpg), "{options}");
    }
}

#[test]
fn gives_nothing_of_what_was_changed() {
    let ring = Keyring::new();
    ring.good_key("A <a@x>");
    ring.good_key("B <b@x>");
    let crypto = ring.crypto(&[]);
    let native = Native::new(ring.config(&[]));
    let content = text(&"secret\n".repeat(20));
    let [a, b] = ["a@x", "b@x"].map(|name| only(&crypto, name));
    let message = native.encrypt(&content, std::slice::from_ref(&a)).unwrap();
    assert!(native.decrypt(&message).is_ok());
    let other = native.encrypt(&text("other"), std::slice::from_ref(&a)).unwrap();
    let start = message.len() - packets_data(&message).len();
    let refused = |name: &str, changed: &[u8]| {
        assert_eq!(native.decrypt(changed).err(), Some(Unopened::LeftToGpg), "{name}");
    };
    for place in (0..message.len()).step_by(7).chain([message.len() - 1, start, start + 17, start + 18]) {
        let mut flipped = message.clone();
        flipped[place] ^= 0x10;
        refused(&format!("flipped at {place}"), &flipped);
    }
    for length in (0..message.len()).step_by(11).chain([message.len() - 1]) {
        refused(&format!("cut at {length}"), &message[..length]);
    }
    refused("more behind", &[message.as_slice(), b"\xcb"].concat());
    refused("two", &[message.as_slice(), &other].concat());
    let literal = super::packets::literal(b"forged", 0).unwrap();
    refused("plain before", &[&literal[..], &message].concat());
    refused("plain behind", &[&message[..], &literal].concat());
    // Another message's session key, a packet that lies about its key, and one too many beside the good one.
    let (key, data) = message.split_at(start - 3);
    let (foreign, _) = other.split_at(other.len() - packets_data(&other).len() - 3);
    refused("another key", &[foreign, data].concat());
    let mut lying = native.encrypt(&text("for b"), std::slice::from_ref(&b)).unwrap();
    lying[3..11].copy_from_slice(&a.encryption_keys[0].0.to_be_bytes());
    refused("lying", &lying);
    // Beside a session key that opens something else, whichever comes first, as gpg does.
    let beside = [[foreign, key, data].concat(), [key, foreign, data].concat()];
    for message in &beside {
        let theirs = crypto.decrypt(message);
        assert_eq!(native.decrypt(message).is_ok(), theirs.is_ok(), "{theirs:?}");
    }
    refused("too many forged", &[&foreign.repeat(4), key, data].concat());
    assert!(crypto.decrypt(&message).unwrap().equals(&content));
}

/// Returns the encrypted data of a message, without their packet's header and version.
fn packets_data(message: &[u8]) -> Vec<u8> {
    super::packets::sealed(message).unwrap().data.into_owned()
}

/// Makes a pinentry that cancels, and counts how often it was asked.
pub(super) fn cancelling_pinentry(ring: &Keyring) -> PathBuf {
    let (program, count) = (ring.path().join("pinentry"), ring.path().join("asked"));
    let script = format!(
        "#!/bin/sh\necho OK\nwhile read -r word rest; do case $word in\n\
         GETPIN) echo \"$rest\" >>{0}; echo ERR 83886179 cancelled;;\nBYE) echo OK; exit;;\n\
         SETDESC) echo \"$rest\" >>{0}.desc; echo OK;;\n*) echo OK;; esac; done\n",
        count.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let agent = format!("pinentry-program {}\n", program.display());
    fs::write(ring.path().join("gpg-agent.conf"), agent).unwrap();
    count
}

/// Returns a key with a passphrase, and three messages for it.
pub(super) fn protected(ring: &Keyring) -> Vec<Vec<u8>> {
    let kill = || {
        let mut gpgconf = std::process::Command::new("gpgconf");
        gpgconf.arg("--homedir").arg(ring.path()).args(["--kill", "gpg-agent"]);
        assert!(gpgconf.status().unwrap().success());
    };
    // As much derivation as there can be would take seconds.
    let conf = ring.path().join("gpg-agent.conf");
    let options = fs::read_to_string(&conf).unwrap_or_default();
    fs::write(conf, format!("{options}s2k-count 65536\n")).unwrap();
    kill();
    let args = ["--passphrase", "secret", "--quick-gen-key", "P <p@x>", "future-default", "default", "never"];
    assert!(ring.try_gpg(args, b"").0);
    // The agent knows the passphrase now: it must forget.
    kill();
    let crypto = ring.crypto(&[]);
    let to = [only(&crypto, "p@x")];
    ["one", "two", "three"].map(|word| crypto.encrypt(&text(word), &to, Trust::Accepted).unwrap()).to_vec()
}

#[test]
fn asks_nobody_again_who_has_cancelled() {
    let ring = Keyring::new();
    let asked = cancelling_pinentry(&ring);
    let messages = protected(&ring);
    let times = || fs::read_to_string(&asked).map_or(0, |text| text.lines().count());
    let native = Native::new(ring.config(&[]));
    for message in &messages {
        assert_eq!(native.decrypt(message).err(), Some(Unopened::Cancelled));
    }
    assert_eq!(times(), 1);
    let shown = fs::read_to_string(asked.with_extension("desc")).unwrap();
    assert!(shown.contains("P <p@x>") && shown.contains("255-bit ECDH key, ID"), "{shown}");
    // Nor is it asked again where gpg asked first.
    let crypto = ring.crypto(&[]);
    for message in &messages {
        let result = crypto.decryptor().decrypt_message(message);
        assert!(
            matches!(result, Err(CryptoError::Decrypt { code: 2, why: Undecryptable::Cancelled })),
            "{result:?}"
        );
    }
    assert_eq!(times(), 2);
    // Alone, an entry is asked for as ever.
    assert!(crypto.decrypt(&messages[0]).is_err());
    assert_eq!(times(), 3);
}

#[test]
fn starts_the_agent_and_does_without() {
    let ring = Keyring::new();
    ring.good_key("A <a@x>");
    let crypto = ring.crypto(&[]);
    let message = crypto.encrypt(&text("x"), &[only(&crypto, "a@x")], Trust::Accepted).unwrap();
    let kill = || {
        let mut gpgconf = std::process::Command::new("gpgconf");
        gpgconf.arg("--homedir").arg(ring.path()).args(["--kill", "gpg-agent"]);
        assert!(gpgconf.status().unwrap().success());
    };
    let native = Native::new(ring.config(&[]));
    assert!(native.decrypt(&message).is_ok());
    kill();
    assert_eq!(native.decrypt(&message).err(), Some(Unopened::LeftToGpg), "its line is dead");
    assert!(native.decrypt(&message).is_ok(), "it was started again");
    // Somebody else's secret, and none.
    let other = Keyring::new();
    assert_eq!(Native::new(other.config(&[])).decrypt(&message).err(), Some(Unopened::LeftToGpg));
    other.configure("pinentry-mode loopback");
    assert_eq!(Native::new(other.config(&[])).decrypt(&message).err(), Some(Unopened::LeftToGpg));
}
