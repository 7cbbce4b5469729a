//! A throwaway GnuPG home holding the keys of `tests/keys`, and what gpg reads out of messages with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use super::{KEYS, Output, run_to_end, temporary_folder};

/// A message as gpg sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it says; `None` if it cannot be decrypted with our keys.
    pub plaintext: Option<Vec<u8>>,
    /// Key IDs of the subkeys it is encrypted to, sorted.
    pub recipients: Vec<String>,
}

/// A keyring in a temporary folder, whose agent ends with it.
pub struct Keyring {
    home: tempfile::TempDir,
    fingerprints: HashMap<String, String>,
    /// Whose part each key ID means.
    parts: HashMap<String, &'static str>,
    opened: RefCell<HashMap<Vec<u8>, Message>>,
}

impl Keyring {
    /// Imports every test key and trusts each fully.
    pub fn new() -> Rc<Self> {
        let home = temporary_folder("/tmp/pk");
        // An unknown address must not be looked up on the network.
        std::fs::write(home.path().join("gpg.conf"), "no-auto-key-locate\n").expect("the folder is ours");
        let mut made =
            Self { home, fingerprints: HashMap::new(), parts: HashMap::new(), opened: RefCell::default() };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
        let files: Vec<PathBuf> = KEYS.iter().map(|name| folder.join(format!("{name}.asc"))).collect();
        made.gpg(|command| command.arg("--import").args(files), b"").good();
        let mut trust = String::new();
        for name in KEYS {
            let (fingerprint, parts) = made.look_up(&format!("{name}@example.org"));
            made.parts.extend(parts.into_iter().map(|part| (part, name)));
            writeln!(trust, "{fingerprint}:6:").expect("a string takes all");
            made.fingerprints.insert(name.to_owned(), fingerprint);
        }
        made.gpg(|command| command.arg("--import-ownertrust"), trust.as_bytes()).good();
        // Once now, rather than with messages in the middle of a command under test.
        made.gpg(|command| command.arg("--check-trustdb"), b"").good();
        Rc::new(made)
    }

    /// Makes the keyring of one person: their secret key, and the public keys of `names`, as they are in `full`.
    pub fn of(owner: &str, names: &[&str], full: &Self) -> Rc<Self> {
        let home = temporary_folder("/tmp/pk");
        std::fs::write(home.path().join("gpg.conf"), "no-auto-key-locate\n").expect("the folder is ours");
        let made = Self {
            home,
            fingerprints: full.fingerprints.clone(),
            parts: full.parts.clone(),
            opened: RefCell::default(),
        };
        let wanted: Vec<&str> = names.iter().map(|name| full.fingerprint(name)).collect();
        let public = full.gpg(|command| command.arg("--export").args(&wanted), b"").good();
        made.gpg(|command| command.arg("--import"), &public.stdout).good();
        let secret = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/keys/{owner}.asc"));
        made.gpg(|command| command.arg("--import").arg(secret), b"").good();
        let mut trust = String::new();
        for fingerprint in wanted {
            writeln!(trust, "{fingerprint}:6:").expect("a string takes all");
        }
        made.gpg(|command| command.arg("--import-ownertrust"), trust.as_bytes()).good();
        made.gpg(|command| command.arg("--check-trustdb"), b"").good();
        Rc::new(made)
    }

    /// Returns the GnuPG home.
    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// Returns the fingerprint of one of `KEYS`.
    pub fn fingerprint(&self, name: &str) -> &str {
        &self.fingerprints[name]
    }

    /// Decrypts a message and lists who can read it; remembers the answer.
    pub fn open(&self, message: &[u8]) -> Message {
        if let Some(known) = self.opened.borrow().get(message) {
            return known.clone();
        }
        let output = self.gpg(|command| command.args(["--status-fd", "2", "--decrypt"]), message);
        let status = output.err();
        let mut recipients: Vec<String> = status
            .lines()
            .filter_map(|line| line.strip_prefix("[GNUPG:] ENC_TO "))
            .filter_map(|rest| rest.split(' ').next())
            .map(str::to_owned)
            .collect();
        recipients.sort();
        let plaintext = (output.code == 0).then_some(output.stdout);
        let opened = Message { plaintext, recipients };
        self.opened.borrow_mut().insert(message.to_vec(), opened.clone());
        opened
    }

    /// Returns whose key a key ID means.
    pub fn bearer(&self, id: &str) -> &'static str {
        self.parts.get(id.trim_start_matches("0x")).unwrap_or_else(|| panic!("nobody has {id}"))
    }

    /// Returns a key's fingerprint and the key IDs of its subkeys.
    fn look_up(&self, address: &str) -> (String, Vec<String>) {
        let listing = self.gpg(|command| command.args(["--with-colons", "--list-keys", address]), b"").good();
        let listing = listing.out();
        let line = listing.lines().find(|line| line.starts_with("fpr:")).expect("a key has a fingerprint");
        let field = |line: &str, number| line.split(':').nth(number).expect("a field").to_owned();
        let parts = listing.lines().filter(|line| line.starts_with("sub:")).map(|line| field(line, 4));
        (field(line, 9), parts.collect())
    }

    fn gpg(&self, arguments: impl FnOnce(&mut Command) -> &mut Command, stdin: &[u8]) -> Output {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--quiet", "--no-tty"]).env("GNUPGHOME", self.path()).env("LC_ALL", "C");
        arguments(&mut command);
        run_to_end(command, stdin)
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        // Its agent would outlive the folder; a failure here must not hide the test's own.
        let _ = Command::new("gpgconf").arg("--homedir").arg(self.path()).args(["--kill", "all"]).status();
    }
}
