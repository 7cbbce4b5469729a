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
    opened: RefCell<HashMap<Vec<u8>, Message>>,
}

impl Keyring {
    /// Imports every test key and trusts each fully.
    pub fn new() -> Rc<Self> {
        let home = temporary_folder("/tmp/pk");
        // An unknown address must not be looked up on the network.
        std::fs::write(home.path().join("gpg.conf"), "no-auto-key-locate\n").expect("the folder is ours");
        let mut made = Self { home, fingerprints: HashMap::new(), opened: RefCell::default() };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
        let files: Vec<PathBuf> = KEYS.iter().map(|name| folder.join(format!("{name}.asc"))).collect();
        made.gpg(|command| command.arg("--import").args(files), b"").good();
        let mut trust = String::new();
        for name in KEYS {
            let fingerprint = made.look_up(&format!("{name}@example.org"));
            writeln!(trust, "{fingerprint}:6:").expect("a string takes all");
            made.fingerprints.insert(name.to_owned(), fingerprint);
        }
        made.gpg(|command| command.arg("--import-ownertrust"), trust.as_bytes()).good();
        // Once now, rather than with messages in the middle of a command under test.
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

    fn look_up(&self, address: &str) -> String {
        let listing = self.gpg(|command| command.args(["--with-colons", "--list-keys", address]), b"").good();
        let listing = listing.out();
        let line = listing.lines().find(|line| line.starts_with("fpr:")).expect("a key has a fingerprint");
        line.split(':').nth(9).expect("the tenth field").to_owned()
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
