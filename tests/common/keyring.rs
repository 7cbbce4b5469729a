//! A throwaway GnuPG home holding the keys of `tests/keys`, and what gpg reads out of messages with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::DirBuilderExt as _;
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
    /// Returns a keyring with every test key, each fully trusted.
    pub fn new() -> Rc<Self> {
        let template = template();
        let home = temporary_folder("pk");
        copy_files(&template.join("home"), home.path());
        let mut made =
            Self { home, fingerprints: HashMap::new(), parts: HashMap::new(), opened: RefCell::default() };
        for name in KEYS {
            let known = std::fs::read_to_string(template.join(name)).expect("the template is whole");
            let mut ids = known.lines().map(str::to_owned);
            made.fingerprints.insert(name.to_owned(), ids.next().expect("a key has a fingerprint"));
            made.parts.extend(ids.map(|part| (part, name)));
        }
        Rc::new(made)
    }

    /// Imports every test key and trusts each fully.
    fn import() -> Self {
        let home = temporary_folder("pk");
        // An unknown address must not be looked up on the network.
        std::fs::write(home.path().join("gpg.conf"), "no-auto-key-locate\n").expect("the folder is ours");
        let made =
            Self { home, fingerprints: HashMap::new(), parts: HashMap::new(), opened: RefCell::default() };
        made.gpg(|command| command.arg("--import").args(KEYS.map(key_file)), b"").good();
        let mut trust = String::new();
        for name in KEYS {
            writeln!(trust, "{}:6:", made.look_up(name)[0]).expect("a string takes all");
        }
        made.gpg(|command| command.arg("--import-ownertrust"), trust.as_bytes()).good();
        // Once now, rather than with messages in the middle of a command under test.
        made.gpg(|command| command.arg("--check-trustdb"), b"").good();
        made
    }

    /// Makes the keyring of one person: their secret key, and the public keys of `names`, as they are in `full`.
    pub fn of(owner: &str, names: &[&str], full: &Self) -> Rc<Self> {
        let home = temporary_folder("pk");
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
        made.gpg(|command| command.arg("--import").arg(key_file(owner)), b"").good();
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

    /// Returns a key's fingerprint, then the key IDs of its subkeys.
    fn look_up(&self, name: &str) -> Vec<String> {
        let address = format!("{name}@example.org");
        let listing =
            self.gpg(|command| command.args(["--with-colons", "--list-keys", &address]), b"").good();
        let listing = listing.out();
        let field = |line: &str, number| line.split(':').nth(number).expect("a field").to_owned();
        let first = listing.lines().find(|line| line.starts_with("fpr:")).expect("a key has a fingerprint");
        let parts = listing.lines().filter(|line| line.starts_with("sub:")).map(|line| field(line, 4));
        std::iter::once(field(first, 9)).chain(parts).collect()
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

fn key_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/keys/{name}.asc"))
}

/// Returns a folder with a GnuPG home to copy, and with a file for each key that lists its IDs. Made once, since importing the keys
/// takes longer than many a test.
fn template() -> PathBuf {
    let mut made_of = DefaultHasher::new();
    for name in KEYS {
        std::fs::read(key_file(name)).expect("the key is there").hash(&mut made_of);
    }
    Command::new("gpg").arg("--version").output().expect("gpg is installed").stdout.hash(&mut made_of);
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let template = kept.join(format!("keyring-{:016x}", made_of.finish()));
    if !template.exists() {
        let imported = Keyring::import();
        let whole = tempfile::tempdir_in(kept).expect("cargo's folder takes another");
        for name in KEYS {
            let ids = imported.look_up(name).join("\n");
            std::fs::write(whole.path().join(name), ids).expect("the folder is ours");
        }
        let home = whole.path().join("home");
        std::fs::create_dir(&home).expect("the folder is ours");
        copy_files(imported.path(), &home);
        // Another test may have been quicker: one is as good as the other.
        if std::fs::rename(whole.path(), &template).is_ok() {
            let _ = whole.keep();
        }
        assert!(template.exists(), "the keyring is kept for the other tests");
    }
    template
}

/// Copies what lasts of a GnuPG home: no sockets, no locks.
fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("the folder can be read");
        let (kind, name) = (entry.file_type().expect("it is there"), entry.file_name());
        let target = to.join(&name);
        if kind.is_dir() {
            std::fs::DirBuilder::new().mode(0o700).create(&target).expect("the folder is ours");
            copy_files(&entry.path(), &target);
        } else if kind.is_file()
            && !name.to_string_lossy().contains("lock")
            && !name.as_encoded_bytes().starts_with(b".#")
        {
            std::fs::copy(entry.path(), target).expect("the folder is ours");
        }
    }
}
