//! Remembered session keys beside real GnuPG, whose agent's log tells what it was asked.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::own::{self, OwnKey, OwnKeys};
use super::super::tests::{cancelling_pinentry, protected};
use super::file::{self, HEAD};
use super::{Cache, CacheConfig, Digest, new_seal};
use crate::crypto::gpg::Gpg;
use crate::crypto::tests::{Keyring, only, text};
use crate::crypto::{Crypto as _, CryptoError, GnuPg, GnuPgConfig, Trust, openpgp};
use crate::model::RecipientId;

/// A keyring with a place for session keys, whose agent writes down what it is asked.
struct Ring {
    ring: Keyring,
    cards: bool,
}

impl Ring {
    fn new() -> Self {
        let ring = Keyring::new();
        let log = ring.path().join("log");
        fs::write(ring.path().join("gpg-agent.conf"), format!("log-file {}\ndebug ipc\n", log.display()))
            .unwrap();
        Ring { ring, cards: false }
    }

    fn folder(&self) -> PathBuf {
        self.ring.path().join("cache/of a store")
    }

    fn note(&self) -> PathBuf {
        self.ring.path().join("cache/own keys")
    }

    fn cache_config(&self, cards: bool) -> CacheConfig {
        CacheConfig { folder: self.folder(), note: self.note(), home: self.ring.path().to_owned(), cards }
    }

    fn config(&self) -> GnuPgConfig {
        let cache = Some(self.cache_config(self.cards));
        GnuPgConfig { cache, ..self.ring.config(&[]) }
    }

    /// Returns a run of the program.
    fn run(&self) -> GnuPg {
        GnuPg::new(self.config())
    }

    /// Returns how many private-key operations the agent has done.
    fn operations(&self) -> usize {
        // It holds bytes that are no text, too.
        let log = fs::read(self.ring.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).lines().filter(|line| line.ends_with("<- PKDECRYPT")).count()
    }

    /// Decrypts the messages, which hold their own numbers, in a run of its own; returns the number of
    /// private-key operations.
    #[track_caller]
    fn read(&self, messages: &[Vec<u8>]) -> usize {
        let before = self.operations();
        let crypto = self.run();
        crypto.decryptor().expect(messages.len());
        for (number, message) in messages.iter().enumerate() {
            let found = crypto.decryptor().decrypt_message(message).unwrap();
            assert!(found.equals(&text(&number.to_string())), "{number}");
        }
        crypto.remember();
        self.operations() - before
    }

    /// Returns the one file of session keys.
    fn file(&self) -> PathBuf {
        let all = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<_> = all.filter(|path| path.extension().is_some_and(|end| end == "pgp")).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

fn own_keys(ring: &Ring) -> OwnKeys {
    let (listing, exports) = own::ask(&Gpg::new(ring.config())).unwrap();
    own::read(&listing, &exports)
}

/// Returns the one key that can be encrypted to.
fn encrypting(own: &OwnKeys) -> &OwnKey {
    own.values().find(|key| new_seal(key).is_some()).unwrap()
}

/// Returns messages that hold their own numbers, written by gpg.
fn messages(ring: &Keyring, to: &[RecipientId], count: usize) -> Vec<Vec<u8>> {
    let encrypt =
        |number: usize| ring.crypto(&[]).encrypt(&text(&number.to_string()), to, Trust::Accepted).unwrap();
    (0..count).map(encrypt).collect()
}

#[test]
fn messages_that_were_read_cost_one_operation_in_all() {
    for (algorithm, usage) in [("future-default", "default"), ("rsa2048", "rsa2048")] {
        let ring = Ring::new();
        let key = ring.ring.key("A <a@x>", algorithm, "never");
        if usage != "default" {
            ring.ring.gpg(&format!("--quick-add-key {key} {usage} encr"), b"");
        }
        let a = [only(&ring.run(), "a@x")];
        let messages = messages(&ring.ring, &a, 5);
        assert_eq!(ring.read(&messages[..3]), 3);
        assert_eq!(ring.read(&messages[..3]), 1);
        // More of them are put behind those that stand there.
        assert_eq!(ring.read(&messages), 1 + 2);
        assert_eq!(file::pieces(&fs::read(ring.file()).unwrap()).0.len(), 2);
        assert_eq!(ring.read(&messages), 1);
        // Read by itself, a message costs what it always cost, and what is remembered is left alone.
        assert_eq!(ring.read(&messages[..1]), 1);
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(ring.file()), mode(ring.folder())), (0o600, 0o700));
    }
}

#[test]
fn what_is_encrypted_to_an_own_key_is_remembered_and_nothing_else() {
    let ring = Ring::new();
    let other = Keyring::new();
    let b = other.good_key("B <b@x>");
    ring.ring.good_key("A <a@x>");
    ring.ring.gpg("--import", &other.gpg(&format!("--export {b}"), b""));
    let (a, b) = (only(&ring.run(), "a@x"), only(&ring.run(), "b@x"));
    let before = messages(&ring.ring, std::slice::from_ref(&a), 2);
    let crypto = ring.run();
    crypto.decryptor().expect(2);
    for message in &before {
        crypto.decryptor().decrypt_message(message).unwrap();
    }
    assert_eq!(crypto.remembered_more(), Some(2));
    let encrypt = |word: &str, to: &[RecipientId]| crypto.encrypt(&text(word), to, Trust::Accepted).unwrap();
    let anew = [encrypt("0", &[b.clone(), a.clone()]), encrypt("1", &[a])];
    assert_eq!(crypto.remembered_more(), Some(4));
    encrypt("theirs", &[b]);
    assert_eq!(crypto.remembered_more(), Some(4));
    drop(crypto);
    assert_eq!(ring.read(&anew), 1);
}

#[test]
fn gpg_reads_the_file() {
    let ring = Ring::new();
    ring.ring.good_key("A <a@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 2);
    ring.read(&messages);
    let content = ring.ring.try_gpg(["--decrypt".as_ref(), ring.file().as_os_str()], b"").1;
    assert!(content.starts_with(HEAD));
    assert_eq!(file::records(&content).unwrap().len(), 2);
}

#[test]
fn a_damaged_file_is_ignored_and_written_anew() {
    let ring = Ring::new();
    ring.ring.good_key("A <a@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 3);
    ring.read(&messages);
    let good = fs::read(ring.file()).unwrap();
    let path = ring.file();
    let flipped = |place: usize| {
        let mut bytes = good.clone();
        bytes[place] ^= 0x04;
        bytes
    };
    let mut damaged: Vec<(String, Vec<u8>)> = [0, 1, 2, 5, 20, 60, 100, 120, good.len() - 1]
        .map(|at| (format!("flipped at {at}"), flipped(at)))
        .into();
    for length in [0, 1, 50, 94, 96, 120, good.len() - 1] {
        damaged.push((format!("cut at {length}"), good[..length].to_vec()));
    }
    damaged.push(("text".into(), b"no session keys\n".repeat(100)));
    damaged.push(("more behind".into(), [&good[..], b"\xc1\x03"].concat()));
    for (what, bytes) in damaged {
        fs::write(&path, bytes).unwrap();
        ring.read(&messages);
        assert_eq!(ring.read(&messages), 1, "{what}");
    }
    // What is no file at all is replaced, or left alone; it costs the time alone.
    fs::remove_file(&path).unwrap();
    let elsewhere = ring.ring.path().join("elsewhere");
    fs::write(&elsewhere, &good).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert_eq!(ring.read(&messages), 3, "a link");
    assert_eq!(fs::read(&elsewhere).unwrap(), good);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(ring.read(&messages), 3, "a folder");
    fs::remove_dir_all(ring.folder()).unwrap();
    fs::write(ring.folder(), "").unwrap();
    assert_eq!(ring.read(&messages), 3, "no place");
}

#[test]
fn anothers_file_and_wrong_keys_mislead_nobody() {
    let ring = Ring::new();
    let other = Ring::new();
    ring.ring.good_key("A <a@x>");
    other.ring.good_key("B <b@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 3);
    let theirs = self::messages(&other.ring, &[only(&other.run(), "b@x")], 2);
    ring.read(&messages);
    other.read(&theirs);
    let path = ring.file();
    fs::copy(other.file(), &path).unwrap();
    assert_eq!(ring.read(&messages), 3);
    assert_eq!(ring.read(&messages), 1);
    // Anybody can encrypt to the key: here, the keys of other messages, and a random one.
    let own = own_keys(&ring);
    let key = encrypting(&own);
    let ((seal, packet), (random, _)) = (new_seal(key).unwrap(), new_seal(key).unwrap());
    let digests: Vec<Digest> =
        messages.iter().map(|message| Digest::of(&openpgp::normal(message).unwrap())).collect();
    let wrong: Vec<_> = digests.iter().map(|digest| (*digest, &*random)).collect();
    fs::write(&path, file::seal(&seal, &packet, &wrong).unwrap()).unwrap();
    assert_eq!(ring.read(&messages), 1 + 3, "wrong keys");
    assert_eq!(ring.read(&messages), 1, "they are gone");
    // A file with a session key of its own for every message costs a few operations, and is put right.
    let many: Vec<u8> = (0..20)
        .flat_map(|_| {
            let (seal, packet) = new_seal(key).unwrap();
            file::seal(&seal, &packet, &wrong).unwrap()
        })
        .collect();
    fs::write(&path, many).unwrap();
    assert_eq!(ring.read(&messages), super::OPENED + 3, "many");
    assert_eq!(ring.read(&messages), 1);
}

#[test]
fn two_runs_at_once_keep_what_both_learn() {
    let ring = Ring::new();
    ring.ring.good_key("A <a@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 6);
    ring.read(&messages[..2]);
    let (one, two) = (ring.run(), ring.run());
    for (run, part) in [(&one, &messages[2..4]), (&two, &messages[4..])] {
        run.decryptor().expect(2);
        for message in part {
            run.decryptor().decrypt_message(message).unwrap();
        }
    }
    one.remember();
    two.remember();
    assert_eq!(ring.read(&messages), 1);
    // Two that both find nothing do not know each other's session key: it costs one more, once.
    fs::remove_dir_all(ring.folder()).unwrap();
    let (one, two) = (ring.run(), ring.run());
    for (run, part) in [(&one, &messages[..3]), (&two, &messages[3..])] {
        run.decryptor().expect(3);
        for message in part {
            run.decryptor().decrypt_message(message).unwrap();
        }
    }
    one.remember();
    two.remember();
    assert_eq!(ring.read(&messages), 2);
    assert_eq!(ring.read(&messages), 1);
}

#[test]
fn forgets_what_is_gone_and_was_not_met() {
    let ring = Ring::new();
    ring.ring.good_key("A <a@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 4);
    ring.read(&messages);
    let crypto = ring.run();
    crypto.decryptor().expect(2);
    // Behind a link to another folder, say.
    crypto.decryptor().decrypt_message(&messages[3]).unwrap();
    assert_eq!(crypto.remembered_more(), None);
    crypto.forget_others(&mut messages[..1].iter().cloned());
    assert_eq!(crypto.remembered_more(), Some(2));
    drop(crypto);
    assert_eq!(ring.read(&messages), 1 + 2);
}

#[test]
fn what_cannot_be_opened_now_is_kept() {
    let ring = Ring::new();
    ring.ring.good_key("A <a@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 3);
    ring.read(&messages);
    let good = fs::read(ring.file()).unwrap();
    let grip = own_keys(&ring).values().find(|key| new_seal(key).is_some()).unwrap().keygrip.clone();
    let secret = ring.ring.path().join(format!("private-keys-v1.d/{grip}.key"));
    // As without the card: it was listed, and is gone.
    let crypto = ring.run();
    crypto.decryptor().expect(3);
    assert!(crypto.decryptor().decrypt_message(&messages[0]).is_ok());
    drop(crypto);
    let kept = secret.with_extension("kept");
    let crypto = ring.run();
    crypto.decryptor().expect(3);
    crypto.keys().unwrap();
    fs::rename(&secret, &kept).unwrap();
    for message in &messages {
        assert!(crypto.decryptor().decrypt_message(message).is_err());
    }
    drop(crypto);
    assert_eq!(fs::read(ring.file()).unwrap(), good);
    fs::rename(&kept, &secret).unwrap();
    assert_eq!(ring.read(&messages), 1);
}

#[test]
fn a_key_that_no_message_names_is_left_in_peace() {
    let ring = Ring::new();
    let theirs = protected(&ring.ring);
    let asked = cancelling_pinentry(&ring.ring);
    ring.ring.good_key("A <a@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 3);
    ring.read(&messages);
    // Something is remembered for the key with the passphrase, too.
    let own = own_keys(&ring);
    let p = only(&ring.run(), "p@x").encryption_keys[0];
    let (seal, packet) = new_seal(&own[&p]).unwrap();
    let file = ring.folder().join(format!("{}.pgp", own[&p].fingerprint));
    let content = file::seal(&seal, &packet, &[]).unwrap();
    fs::copy(ring.file(), &file).unwrap();
    fs::write(&file, content).unwrap();
    ring.read(&messages);
    assert!(!asked.exists(), "nobody was asked");
    let crypto = ring.run();
    crypto.decryptor().expect(2);
    assert!(crypto.decryptor().decrypt_message(&theirs[0]).is_err());
    assert_eq!(fs::read_to_string(asked).unwrap().lines().count(), 1);
}

#[test]
fn files_of_others_are_not_read_and_loose_ones_are_mended() {
    let ring = Ring::new();
    ring.ring.good_key("A <a@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 3);
    ring.read(&messages);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (path, loose) in [(ring.file(), 0o644), (ring.folder(), 0o777)] {
        fs::set_permissions(path, fs::Permissions::from_mode(loose)).unwrap();
    }
    assert_eq!(ring.read(&messages), 3);
    assert_eq!((mode(ring.file()), mode(ring.folder())), (0o600, 0o700));
    assert_eq!(ring.read(&messages), 1);
    // The tests run as root, who may read and write everything.
    std::os::unix::fs::chown(ring.file(), Some(65_534), None).unwrap();
    assert_eq!(ring.read(&messages), 3);
    assert_eq!(ring.read(&messages), 1, "it was replaced");
    std::os::unix::fs::chown(ring.folder(), Some(65_534), None).unwrap();
    let before = fs::read(ring.file()).unwrap();
    fs::remove_file(ring.file()).unwrap();
    assert_eq!(ring.read(&messages), 3);
    assert!(fs::read_dir(ring.folder()).unwrap().all(|entry| entry.unwrap().file_name() == "lock"));
    assert!(!before.is_empty());
}

#[test]
fn a_lock_that_is_held_costs_no_more_than_what_was_learnt() {
    let ring = Ring::new();
    ring.ring.good_key("A <a@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 3);
    let held = super::lock(&ring.folder()).unwrap();
    assert_eq!(ring.read(&messages), 3);
    assert_eq!(fs::read_dir(ring.folder()).unwrap().count(), 1, "the lock alone");
    drop(held);
    assert_eq!(ring.read(&messages), 3);
    assert_eq!(ring.read(&messages), 1);
}

#[test]
fn cards_are_left_out_unless_they_are_asked_for() {
    let ring = Ring::new();
    ring.ring.good_key("A <a@x>");
    let mut own = own_keys(&ring);
    own.values_mut().for_each(|key| key.on_card = true);
    for cards in [false, true] {
        let cache = Cache::new(Some(ring.cache_config(cards)));
        cache.enable();
        let key = encrypting(&own);
        assert!(cache.find(key, &Digest::of(b"x"), |_, _| Ok(None), |_, _| None).unwrap().is_none());
        let session = Arc::into_inner(new_seal(key).unwrap().0).unwrap();
        cache.learn(key, Digest::of(b"x"), session);
        assert_eq!(cache.grown(), cards.then_some(1));
        cache.write();
        assert_eq!(ring.folder().exists(), cards);
    }
}

#[test]
fn nothing_is_remembered_where_it_is_switched_off() {
    let ring = Ring::new();
    ring.ring.good_key("A <a@x>");
    let messages = messages(&ring.ring, &[only(&ring.run(), "a@x")], 3);
    let crypto = ring.ring.crypto(&[]);
    for _ in 0..2 {
        crypto.decryptor().expect(3);
        for message in &messages {
            crypto.decryptor().decrypt_message(message).unwrap();
        }
        assert_eq!(crypto.remembered_more(), None);
        crypto.remember();
    }
    assert!(!ring.folder().exists());
    assert_eq!(ring.read(&messages), 3);
    // Nor is what was remembered used by who switched it off.
    let before = ring.operations();
    let crypto = ring.ring.crypto(&[]);
    crypto.decryptor().expect(3);
    messages.iter().for_each(|message| drop(crypto.decryptor().decrypt_message(message).unwrap()));
    assert_eq!(ring.operations() - before, 3);
}

#[test]
fn who_cancels_is_asked_once() {
    let ring = Ring::new();
    let messages = protected(&ring.ring);
    let asked = cancelling_pinentry(&ring.ring);
    let own = own_keys(&ring);
    let key = encrypting(&own);
    let (seal, packet) = new_seal(key).unwrap();
    fs::create_dir_all(ring.folder()).unwrap();
    let empty = file::seal(&seal, &packet, &[]).unwrap();
    fs::write(ring.folder().join(format!("{}.pgp", key.fingerprint)), &empty).unwrap();
    let crypto = ring.run();
    crypto.decryptor().expect(3);
    for message in &messages {
        let found = crypto.decryptor().decrypt_message(message);
        assert!(matches!(found, Err(CryptoError::Decrypt { .. })), "{found:?}");
    }
    assert_eq!(fs::read_to_string(asked).unwrap().lines().count(), 1);
    drop(crypto);
    assert_eq!(fs::read(ring.file()).unwrap(), empty);
}

/// Returns a file of some messages.
fn some_file() -> Vec<u8> {
    let packet = [&[0xc1, 12, 3][..], &[7; 8], &[18, 0, 0]].concat();
    [&packet[..], &[0xd2, 4, 1, 1, 2, 3], &packet, &[0xd2, 2, 1, 9]].concat()
}

#[test]
fn reads_messages_in_a_row() {
    let file = some_file();
    let (pieces, whole) = file::pieces(&file);
    assert!(whole);
    assert_eq!(pieces.iter().map(|piece| piece.data.to_vec()).collect::<Vec<_>>(), [vec![1, 2, 3], vec![9]]);
    assert!(
        pieces.iter().all(|piece| piece.session_key == &file[..14] && piece.key.0 == 0x0707_0707_0707_0707)
    );
    for end in 0..file.len() {
        let (pieces, whole) = file::pieces(&file[..end]);
        assert_eq!((pieces.len(), whole), (usize::from(end >= 20), end == 0 || end == 20), "{end}");
    }
}

#[test]
fn reads_records_of_its_own_form_alone() {
    let record = |cipher: u8, key: &[u8]| [&[1; 32], &[cipher][..], key, &vec![0; 32 - key.len()]].concat();
    let read = |records: &[u8]| file::records(&[HEAD, records].concat());
    assert!(read(&[]).unwrap().is_empty());
    let found: HashMap<_, _> =
        read(&[record(9, &[2; 32]), record(7, &[3; 16])].concat()).unwrap().into_iter().collect();
    assert_eq!(found.len(), 1);
    for bad in [&record(9, &[2; 32])[1..], &record(2, &[2; 24]), &record(7, &[2; 17]), &[0][..]] {
        assert!(read(bad).is_none(), "{bad:?}");
    }
    assert!(file::records(b"passel session keys 2\n").is_none());
}

proptest::proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, place in 0..34_usize) {
        let mut file = some_file();
        file.splice(place.., bytes.iter().copied());
        let _ = (file::pieces(&file), file::pieces(&bytes), file::records(&bytes).is_some());
        let _ = file::records(&[HEAD, &bytes].concat()).is_some();
    }
}
