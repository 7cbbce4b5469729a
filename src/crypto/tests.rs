//! [`GnuPg`] against real GnuPG, in throwaway keyrings.

mod forms;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::model::{Fingerprint, KeyId, KeyProblem, Plaintext, RecipientId};

use super::{Crypto as _, CryptoError, GnuPg, GnuPgConfig, RecipientError, Trust, Undecryptable};

/// A GnuPG home folder, removed with its agent when dropped.
pub(super) struct Keyring(TempDir);

impl Keyring {
    /// Returns an empty keyring. Its path is short: the agent's socket lies in it.
    pub(super) fn new() -> Self {
        let private = fs::Permissions::from_mode(0o700);
        Keyring(tempfile::Builder::new().prefix("p").permissions(private).tempdir_in("/tmp").unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs gpg on `input`; returns whether it succeeded, and its standard output.
    pub(super) fn try_gpg<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> (bool, Vec<u8>) {
        let mut command = Command::new("gpg");
        // Names in the tests are UTF-8, whatever the locale says.
        command.arg("--homedir").arg(self.path());
        command.args(["--batch", "--quiet", "--utf8-strings", "--passphrase", ""]);
        command.args(["--pinentry-mode", "loopback"]).args(args).stderr(Stdio::null());
        let done = crate::process::Filter::new(command, input).run().unwrap();
        (done.exit.success(), done.stdout.to_vec())
    }

    /// Runs gpg with blank-separated arguments, which must succeed.
    pub(super) fn gpg(&self, args: &str, input: &[u8]) -> Vec<u8> {
        let (success, output) = self.try_gpg(args.split(' '), input);
        assert!(success, "gpg {args}");
        output
    }

    /// Makes a key, and returns its fingerprint.
    pub(super) fn key(&self, user_id: &str, algorithm: &str, expires: &str) -> Fingerprint {
        let before = self.fingerprints();
        let args = ["--yes", "--quick-gen-key", user_id, algorithm, "default", expires];
        assert!(self.try_gpg(args, b"").0);
        self.fingerprints().into_iter().find(|fingerprint| !before.contains(fingerprint)).unwrap()
    }

    /// Makes a usable key with a cv25519 subkey.
    pub(super) fn good_key(&self, user_id: &str) -> Fingerprint {
        self.key(user_id, "future-default", "never")
    }

    /// Makes `key` expire within a second or so, and waits for it.
    pub(super) fn expire(&self, key: &Fingerprint) {
        self.gpg(&format!("--quick-set-expire {key} seconds=1"), b"");
        std::thread::sleep(std::time::Duration::from_millis(2100));
    }

    /// Revokes `key` by the certificate that gpg made with it.
    fn revoke(&self, key: &Fingerprint) {
        let file = self.path().join(format!("openpgp-revocs.d/{key}.rev"));
        let certificate = fs::read_to_string(file).unwrap().replace(":-----BEGIN", "-----BEGIN");
        self.gpg("--import", certificate.as_bytes());
    }

    /// Returns the primary keys' fingerprints.
    fn fingerprints(&self) -> Vec<Fingerprint> {
        let keys = self.try_gpg(["--with-colons", "--list-keys"], b"").1;
        let keys = super::colons::keys(&String::from_utf8(keys).unwrap());
        keys.into_iter().map(|key| key.fingerprint).collect()
    }

    /// Adds lines to gpg.conf.
    pub(super) fn configure(&self, lines: &str) {
        fs::write(self.path().join("gpg.conf"), format!("{lines}\n")).unwrap();
    }

    /// Returns the GnuPG under test, run with `options`.
    pub(super) fn crypto(&self, options: &[&str]) -> GnuPg {
        GnuPg::new(self.config(options))
    }

    /// Returns how to run GnuPG with `options`.
    pub(super) fn config(&self, options: &[&str]) -> GnuPgConfig {
        GnuPgConfig {
            home: Some(self.path().to_owned()),
            options: options.iter().map(Into::into).collect(),
            batch: true,
            ..GnuPgConfig::default()
        }
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").arg("--homedir").arg(self.path()).args(["--kill", "all"]).status();
    }
}

pub(super) fn text(text: &str) -> Plaintext {
    Plaintext::new(text.as_bytes().to_vec())
}

pub(super) fn only(crypto: &GnuPg, id: &str) -> RecipientId {
    let mut recipients = crypto.resolve(id).unwrap();
    assert_eq!(recipients.len(), 1, "{id}");
    recipients.remove(0)
}

#[test]
fn round_trips_by_gpgme_and_by_gpg() {
    let ring = Keyring::new();
    let ada = ring.good_key("Ada <ada@x>");
    let rsa = ring.key("Rsa <rsa@x>", "rsa2048", "never");
    ring.gpg(&format!("--quick-add-key {rsa} rsa2048 encr"), b"");
    ring.configure("encrypt-to ada@x");
    let large = "0123456789abcdef".repeat(20_000);
    for options in [&[][..], &["--status-fd=2", "--debug=ipc"]] {
        let crypto = ring.crypto(options);
        let rsa = only(&crypto, "rsa@x");
        let to = [only(&crypto, "ada@x"), rsa.clone(), only(&crypto, ada.as_str())];
        for content in ["", "secret\nuser: ada\n", &large] {
            let message = crypto.encrypt(&text(content), &to, Trust::Database).unwrap();
            assert!(crypto.decrypt(&message).unwrap().equals(&text(content)));
            assert_eq!(crypto.recipients_of(&message).unwrap().len(), 2);
        }
        // encrypt-to in gpg.conf adds nobody.
        let message = crypto.encrypt(&text("x"), std::slice::from_ref(&rsa), Trust::Database).unwrap();
        assert_eq!(crypto.recipients_of(&message).unwrap(), rsa.encryption_keys);
        assert!(matches!(
            crypto.encrypt(&text("x"), &[], Trust::Database),
            Err(CryptoError::WrongRecipients { .. })
        ));
    }
}

#[test]
fn finds_exactly_who_is_meant() {
    let ring = Keyring::new();
    let (short, long) = (ring.good_key("E <e1@x>"), ring.good_key("PE <pe1@x>"));
    let umlaut = ring.good_key("Jörg Ünal <j@x>");
    let crypto = ring.crypto(&[]);
    let digits = short.as_str();
    let spaced: String =
        digits.as_bytes().chunks(4).map(|c| format!("{} ", str::from_utf8(c).unwrap())).collect();
    let sub = only(&crypto, digits).encryption_keys[0].to_string();
    let lower = digits.to_lowercase();
    let names =
        ["e1@x", "<E1@X>", "E <e1@x>", "=E <e1@x>", digits, &lower, spaced.trim(), &digits[24..], &sub];
    for name in
        names.into_iter().map(str::to_owned).chain([format!("0x{digits}"), format!("0x{}", &digits[32..])])
    {
        assert_eq!(only(&crypto, &name).fingerprint, short, "{name}");
    }
    assert_eq!(only(&crypto, "pe1@x").fingerprint, long);
    // Whatever the locale: this option is what gpg takes from it.
    for options in [&[][..], &["--display-charset", "iso-8859-1"]] {
        assert_eq!(only(&ring.crypto(options), "Jörg Ünal").fingerprint, umlaut);
    }
    for name in ["1@x", "nobody", "0x12345678", "-e1@x", "--version", "=E", "", "a\0b"] {
        assert!(matches!(crypto.resolve(name), Err(RecipientError::Missing { .. })), "{name:?}");
    }
    let exact = only(&crypto, &format!("{sub}!"));
    let message = crypto.encrypt(&text("x"), std::slice::from_ref(&exact), Trust::Database).unwrap();
    assert_eq!(exact.subkey.map(|f| f.key_id()), Some(crypto.recipients_of(&message).unwrap()[0]));
    let primary = crypto.resolve(&format!("{digits}!"));
    assert!(matches!(primary, Err(RecipientError::Unusable { problem: KeyProblem::CannotEncrypt, .. })));
}

#[test]
fn refuses_unusable_and_ambiguous_keys() {
    let ring = Keyring::new();
    let (old, gone) = (ring.good_key("A <a@x>"), ring.good_key("B <b@x>"));
    let signer = ring.key("S <s@x>", "ed25519", "never");
    ring.expire(&old);
    ring.revoke(&gone);
    let disabled = ring.good_key("D <d@x>");
    ring.gpg(&format!("--edit-key {disabled} disable save"), b"");
    let crypto = ring.crypto(&[]);
    let problem = |id: &str| match crypto.resolve(id) {
        Err(RecipientError::Unusable { problem, fingerprint, .. }) => (problem, fingerprint),
        other => panic!("{id}: {other:?}"),
    };
    assert!(matches!(problem("a@x"), (KeyProblem::Expired(Some(_)), f) if f == old));
    assert!(matches!(problem(old.as_str()), (KeyProblem::Expired(Some(_)), _)));
    assert_eq!(problem("b@x"), (KeyProblem::Revoked, gone));
    assert_eq!(problem("d@x"), (KeyProblem::Disabled, disabled));
    assert_eq!(problem("s@x"), (KeyProblem::CannotEncrypt, signer));
    let renewed = ring.good_key("A <a@x>");
    assert_eq!(only(&crypto, "a@x").fingerprint, renewed);
    ring.good_key("A again <a@x>");
    assert!(matches!(crypto.resolve("a@x"), Err(RecipientError::Ambiguous { keys, .. }) if keys.len() == 2));
}

#[test]
fn understands_groups() {
    let ring = Keyring::new();
    let (ada, bob) = (ring.good_key("Ada <ada@x>"), ring.good_key("Bob <bob@x>"));
    ring.configure("group Team=ada@x\ngroup team=bob@x\ngroup bad=ada@x nobody@x\ngroup outer=team");
    let crypto = ring.crypto(&[]);
    let mut found: Vec<Fingerprint> =
        crypto.resolve("TEAM").unwrap().into_iter().map(|recipient| recipient.fingerprint).collect();
    found.sort();
    let mut wanted = vec![ada, bob];
    wanted.sort();
    assert_eq!(found, wanted);
    let error = crypto.resolve("bad").unwrap_err().to_string();
    assert!(error.contains("nobody@x (of group bad)"), "{error}");
    // As gpg has it: groups do not nest.
    assert!(matches!(crypto.resolve("outer"), Err(RecipientError::Missing { .. })));
}

#[test]
fn refuses_keys_that_gpg_does_not_trust() {
    let (ring, other) = (Keyring::new(), Keyring::new());
    ring.good_key("Me <me@x>");
    let stranger = other.good_key("Stranger <s@x>");
    ring.gpg("--import", &other.gpg("--export", b""));
    for options in [&[][..], &["--no-random-seed-file"]] {
        let crypto = ring.crypto(options);
        let error = crypto
            .encrypt(&text("x"), &[only(&crypto, "me@x"), only(&crypto, "s@x")], Trust::Database)
            .unwrap_err();
        assert!(matches!(&error, CryptoError::Untrusted(f) if *f == stranger), "{error:?}");
    }
    let trusting = ring.crypto(&["--trust-model", "always"]);
    assert!(trusting.encrypt(&text("x"), &[only(&trusting, "s@x")], Trust::Database).is_ok());
}

#[test]
fn lets_no_option_add_a_reader() {
    let ring = Keyring::new();
    ring.good_key("Ada <ada@x>");
    ring.good_key("Spy <spy@x>");
    let crypto = ring.crypto(&["--recipient", "spy@x"]);
    let result = crypto.encrypt(&text("x"), &[only(&crypto, "ada@x")], Trust::Database);
    assert!(matches!(result, Err(CryptoError::WrongRecipients { .. })));
    // Hidden recipients are counted.
    ring.configure("throw-keyids");
    let crypto = ring.crypto(&[]);
    let message = crypto.encrypt(&text("x"), &[only(&crypto, "ada@x")], Trust::Database).unwrap();
    assert_eq!(crypto.recipients_of(&message).unwrap(), [KeyId::HIDDEN]);
    assert!(crypto.decrypt(&message).unwrap().equals(&text("x")));
    ring.configure("throw-keyids\nrecipient spy@x");
    let result = crypto.encrypt(&text("x"), &[only(&crypto, "ada@x")], Trust::Database);
    assert!(matches!(result, Err(CryptoError::WrongRecipients { .. })));
}

#[test]
fn reads_ascii_armour() {
    let ring = Keyring::new();
    ring.good_key("Ada <ada@x>");
    ring.configure("armor");
    let crypto = ring.crypto(&["--armor"]);
    let ada = only(&crypto, "ada@x");
    let message = crypto.encrypt(&text("x"), std::slice::from_ref(&ada), Trust::Database).unwrap();
    assert!(message.starts_with(b"-----BEGIN"));
    assert_eq!(crypto.recipients_of(&message).unwrap(), ada.encryption_keys);
    assert!(crypto.decrypt(&message).unwrap().equals(&text("x")));
}

/// Returns why gpg could not decrypt; it must have been that.
#[track_caller]
fn why(result: Result<Plaintext, CryptoError>) -> Undecryptable {
    let Err(CryptoError::Decrypt { code: 2, why }) = result else { panic!("{result:?}") };
    why
}

#[test]
fn gives_nothing_of_a_damaged_message() {
    let ring = Keyring::new();
    ring.good_key("Ada <ada@x>");
    let crypto = ring.crypto(&[]);
    let message =
        crypto.encrypt(&text(&"secret\n".repeat(2000)), &[only(&crypto, "ada@x")], Trust::Database).unwrap();
    for length in [0, 1, 50, 97, 200, message.len() - 1] {
        let result = crypto.decrypt(&message[..length]);
        // Cut within its first packet, `gpg -d` even exits with 0.
        let refused = matches!(result, Err(CryptoError::Decrypt { code: 2, .. } | CryptoError::Unsound(_)));
        assert!(refused, "{length}: {result:?}");
    }
    for place in [message.len() - 1, message.len() / 2, 120] {
        let mut flipped = message.clone();
        flipped[place] ^= 1;
        let result = crypto.decrypt(&flipped);
        assert_eq!(why(result), Undecryptable::Damaged, "{place}");
    }
    assert_eq!(why(crypto.decrypt(b"no message")), Undecryptable::NoMessage);
    assert_eq!(why(crypto.decrypt(b"")), Undecryptable::NoMessage);
    let other = Keyring::new();
    assert_eq!(why(other.crypto(&[]).decrypt(&message)), Undecryptable::NoKey);
}

#[test]
fn refuses_what_plain_gpg_would_print() {
    let ring = Keyring::new();
    ring.good_key("Ada <ada@x>");
    let literal = ring.gpg("--store", b"forged\n");
    let signed = ring.gpg("--sign", b"forged\n");
    let good = ring.gpg("--encrypt -r ada@x", b"good\n");
    let unprotected = ring.gpg("--rfc2440 --disable-mdc --encrypt -r ada@x", b"forged\n");
    let crypto = ring.crypto(&["--ignore-mdc-error", "--allow-multiple-messages"]);
    assert!(crypto.decrypt(&good).is_ok());
    let signed_and_encrypted = ring.gpg("--sign --encrypt -r ada@x", b"good\n");
    assert!(crypto.decrypt(&signed_and_encrypted).unwrap().equals(&text("good\n")));
    let two = [good.as_slice(), &good].concat();
    let (before, behind) = ([literal.as_slice(), &good].concat(), [good.as_slice(), &literal].concat());
    for (name, message) in [
        ("literal", &literal),
        ("signed", &signed),
        ("unprotected", &unprotected),
        ("two", &two),
        ("before", &before),
        ("behind", &behind),
    ] {
        let (printed, _) = ring.try_gpg(["--ignore-mdc-error", "--allow-multiple-messages", "-d"], message);
        // GnuPG 2.2.40 refuses two messages by itself.
        assert_eq!(printed, name != "two", "{name}");
        let result = crypto.decrypt(message);
        let refused = matches!(result, Err(CryptoError::Unsound(_)));
        assert!(refused || (!printed && result.is_err()), "{name}: {result:?}");
        assert!(ring.crypto(&[]).decrypt(message).is_err(), "{name}");
    }
    // An option must not send plaintext to a file.
    let file = ring.path().join("leak");
    let crypto = ring.crypto(&["--output", file.to_str().unwrap()]);
    assert!(crypto.decrypt(&good).unwrap().equals(&text("good\n")));
    assert!(!file.exists());
}

#[test]
fn signs_and_verifies() {
    let ring = Keyring::new();
    let (ada, bob) = (ring.good_key("Ada <ada@x>"), ring.good_key("Bob <bob@x>"));
    let crypto = ring.crypto(&[]);
    let signature = crypto.sign(b"data", &[bob.to_string()]).unwrap();
    assert_eq!(crypto.verify(b"data", &signature).unwrap(), std::slice::from_ref(&bob));
    assert_eq!(crypto.verify(b"other", &signature).unwrap(), []);
    assert_eq!(crypto.verify(b"data", b"junk").unwrap(), []);
    assert!(!crypto.verify(b"data", &crypto.sign(b"data", &[]).unwrap()).unwrap().is_empty());
    // A whole signed message is no signature of other data.
    assert_eq!(crypto.verify(b"data", &ring.gpg("--sign", b"forged")).unwrap(), []);
    assert!(crypto.sign(b"data", &["A".repeat(40)]).is_err());
    let early = crypto.sign(b"data", &[ada.to_string()]).unwrap();
    assert_eq!(crypto.verify(b"data", &early).unwrap(), std::slice::from_ref(&ada));
    ring.revoke(&ada);
    // gpg vouches for it still (VALIDSIG), its signer having been good then, for all that one can know.
    assert_eq!(crypto.verify(b"data", &early).unwrap(), []);
    let both = [signature, crypto.sign(b"data", &[bob.to_string()]).unwrap()].concat();
    assert!(crypto.verify(b"data", &both).unwrap().contains(&bob));
    ring.expire(&bob);
    assert_eq!(crypto.verify(b"data", &both).unwrap(), []);
}

#[test]
fn says_why_gnupg_could_not_be_asked() {
    let ring = Keyring::new();
    let crypto = |program: &str, home: &str| {
        let config =
            GnuPgConfig { program: program.into(), home: Some(home.into()), ..GnuPgConfig::default() };
        GnuPg::new(config)
    };
    let missing = crypto("/nonexistent/gpg", ring.path().to_str().unwrap());
    assert!(matches!(missing.decrypt(b""), Err(CryptoError::NotRun { .. })));
    let homeless = crypto("gpg", "/nonexistent/home");
    let error = homeless.resolve(&"A".repeat(40)).unwrap_err();
    assert!(matches!(error, RecipientError::Lookup { .. }), "{error:?}");
}
