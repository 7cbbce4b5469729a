//! What a store holds: entries, what they say and who can read them, and lists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use passel::crypto::openpgp::outline;

use crate::common::{KEYS, Keyring};

/// An entry as it stands in somebody's work tree.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    bytes: Vec<u8>,
    /// What it says.
    pub lines: Vec<String>,
    /// Who can read it.
    pub readers: BTreeSet<&'static str>,
}

/// Somebody's work tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// By name.
    pub entries: BTreeMap<String, Entry>,
    /// Whom each folder's own list names.
    pub lists: BTreeMap<String, BTreeSet<&'static str>>,
}

impl Tree {
    /// Reads a work tree.
    pub fn read(root: &Path, keyring: &Keyring) -> Self {
        let mut tree = Self::default();
        let files = walkdir::WalkDir::new(root).into_iter().filter_entry(|entry| entry.file_name() != ".git");
        for file in files.map(|entry| entry.expect("the store is there")) {
            if file.file_type().is_file() {
                let path = file.path().strip_prefix(root).expect("it is below");
                tree.add(path, std::fs::read(file.path()).expect("a readable file"), keyring);
            }
        }
        tree
    }

    /// Adds a file, if it is an entry or a list.
    pub fn add(&mut self, path: &Path, bytes: Vec<u8>, keyring: &Keyring) {
        if path.ends_with(".gpg-id") {
            let folder = path.parent().expect("a folder").to_str().expect("plain").to_owned();
            let text = String::from_utf8(bytes).expect("plain");
            self.lists.insert(folder, text.lines().map(|line| who(keyring, line)).collect());
        } else if path.extension().is_some_and(|suffix| suffix == "gpg") {
            let name = path.with_extension("").to_str().expect("plain").to_owned();
            let text = keyring.open(&bytes).plaintext.unwrap_or_else(|| panic!("`{name}` does not decrypt"));
            let (lines, readers) = (lines(&text), readers(&bytes, keyring));
            self.entries.insert(name, Entry { bytes, lines, readers });
        }
    }

    /// Returns whom the list that rules an entry names.
    pub fn named(&self, entry: &str) -> &BTreeSet<&'static str> {
        let mut folders = Path::new(entry).ancestors().skip(1).map(|folder| folder.to_str().expect("plain"));
        folders.find_map(|folder| self.lists.get(folder)).expect("the store has a list")
    }

    /// Returns in how many entries each line is.
    pub fn tokens(&self) -> BTreeMap<&str, usize> {
        let mut tokens = BTreeMap::new();
        for line in self.entries.values().flat_map(|entry| &entry.lines) {
            *tokens.entry(line.as_str()).or_insert(0) += 1;
        }
        tokens
    }
}

/// Returns a text's lines.
pub fn lines(text: &[u8]) -> Vec<String> {
    String::from_utf8(text.to_vec()).expect("text").lines().map(str::to_owned).collect()
}

/// Returns whose fingerprint it is.
fn who(keyring: &Keyring, fingerprint: &str) -> &'static str {
    let name = KEYS.into_iter().find(|name| keyring.fingerprint(name) == fingerprint);
    name.unwrap_or_else(|| panic!("{fingerprint}"))
}

/// Returns who can read a message, by its packets.
pub fn readers(message: &[u8], keyring: &Keyring) -> BTreeSet<&'static str> {
    let outline = outline(message).expect("a whole message");
    outline.recipients.iter().map(|id| keyring.bearer(&id.to_string())).collect()
}
