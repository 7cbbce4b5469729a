//! Who may read each folder, as a person on this machine last accepted it.
//!
//! Anybody who can push can write a recipients file. What was accepted is therefore kept outside the work
//! tree: `passel-accepted` in the git directory that all work trees share, or, without git, in the user's
//! state folder. A YAML file, format version 1: for each folder that has recipients of its own, the full
//! fingerprints that they came down to; and what the store's configuration said of groups and rules, from which
//! changes are made.

mod kept;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::journal::{escape, unescape};
use super::recipients::Overlay;
use super::record::{self, RecordError, VERSION};
use crate::model::{Fingerprint, FolderName, GpgId, GpgIdLine};

pub use rules::Rules;

/// Full fingerprints of primary keys.
pub type Keys = BTreeSet<Fingerprint>;

/// What was accepted for one folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The keys that may read it.
    pub keys: Keys,
    /// Keys that could once read it and were taken out.
    pub former: Keys,
    /// The list that came down to these keys (SHA-256 of the file, hexadecimal): where it is the same and
    /// the keys are not, somebody else's key has taken a name.
    pub list: String,
}

/// What was accepted in a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    folders: BTreeMap<PathBuf, Memory>,
    /// What the change of ours that is under way sets, if it happens. Killed right after it, we would otherwise
    /// not know it for our own.
    expected: Option<Expected>,
    /// Keys that were about to gain access by a list from elsewhere, and have not been accepted anywhere
    /// since. Where they come up again, it is by nobody here, whatever git can still tell of it.
    refused: Keys,
    /// What groups and rules said.
    rules: Rules,
}

/// The file's form. Fingerprints stand in one line, separated by blanks: quick to read.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    folders: BTreeMap<String, Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<Expected>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    refused: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rules: rules::Written,
}

/// What a change of ours sets, of all that is accepted by that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepts {
    /// The recipients files.
    pub lists: Vec<Setting>,
    /// Of groups and rules those that change, with what they say from then on.
    pub rules: Rules,
    /// Keys that are taken out somewhere, of a list or a group.
    pub leaving: Keys,
    /// Folders that are remembered, but have no list now: where one comes back, it is without whoever leaves.
    pub vanished: Vec<FolderName>,
}

/// What a change of recipients files sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The folder.
    pub folder: FolderName,
    /// The folder's new list, with the keys that it comes down to, if it can be used; none where the list is
    /// removed.
    pub list: Option<(Vec<u8>, Option<Keys>)>,
}

/// Settings of a change, under the nonce that its journal carries too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Expected {
    nonce: String,
    set: BTreeMap<String, Line>,
    removed: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rules: rules::Written,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    leaving: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    vanished: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    accepted: String,
    #[serde(default)]
    list: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    former: String,
}

impl Memory {
    /// Whether `list` was met at first use, when it could not be used: for want of a key, say. It is accepted
    /// when it can be, if it names full fingerprints alone: whose key a shorter name will lead to, nobody
    /// could see then.
    pub fn is_pending(&self, list: &[u8]) -> bool {
        let names_key = |line: GpgIdLine| Fingerprint::of_name(&line.id).is_some();
        self.keys.is_empty()
            && self.list == hash_of(list)
            && GpgId::from_bytes(list.to_vec()).lines().into_iter().all(names_key)
    }
}

impl Accepted {
    /// Remembers a list of `folder` that cannot be used yet.
    pub fn meet(&mut self, folder: &FolderName, list: &[u8]) {
        let memory = Memory { list: hash_of(list), ..Memory::default() };
        self.folders.insert(folder.as_path().to_path_buf(), memory);
    }

    /// Remembers that nobody here has accepted the list of `folder`, which would let `keys` in: a person is to say so
    /// even where it names full fingerprints.
    pub fn withhold(&mut self, folder: &FolderName, keys: Keys) {
        self.folders.insert(folder.as_path().to_path_buf(), Memory::default());
        self.refused.extend(keys);
    }

    /// Returns what was accepted for the nearest folder, from `folder` upwards, that has a memory.
    pub fn ruling(&self, folder: &FolderName) -> Option<&Memory> {
        self.ruling_without(folder, &Overlay::new())
    }

    /// The same, without the folders whose lists `overlay` removes.
    pub fn ruling_without(&self, folder: &FolderName, overlay: &Overlay) -> Option<&Memory> {
        let stays = |path: &&Path| !matches!(overlay.get(&path.join(".gpg-id")), Some(None));
        folder.as_path().ancestors().filter(stays).find_map(|path| self.folders.get(path))
    }

    /// Returns the nearest folder, from `folder` upwards, that has a memory.
    pub fn ruling_folder(&self, folder: &FolderName) -> Option<&Path> {
        let known = |path: &Path| self.folders.get_key_value(path).map(|(path, _)| path.as_path());
        folder.as_path().ancestors().find_map(known)
    }

    /// Returns the folders that have a memory, with it.
    pub fn folders(&self) -> impl Iterator<Item = (&Path, &Memory)> {
        self.folders.iter().map(|(path, memory)| (path.as_path(), memory))
    }

    /// Expects what the change `nonce` sets.
    fn expect(&mut self, nonce: &str, accepts: &Accepts) {
        let (set, removed) = (BTreeMap::new(), Vec::new());
        let rules = rules::written(&accepts.rules);
        let vanished = accepts.vanished.iter().map(|folder| escape(folder.as_path())).collect();
        let leaving = line(&accepts.leaving);
        let mut expected = Expected { nonce: nonce.to_owned(), set, removed, rules, leaving, vanished };
        for setting in &accepts.lists {
            let name = escape(setting.folder.as_path());
            match &setting.list {
                Some((list, Some(keys))) => {
                    let line = Line { accepted: line(keys), list: hash_of(list), former: String::new() };
                    expected.set.insert(name, line);
                }
                // What cannot be used now has to be accepted when it can be.
                Some((_, None)) => {}
                None => expected.removed.push(name),
            }
        }
        self.expected = Some(expected);
    }

    /// Accepts what the change `nonce` has set; forgets what any other one was to set.
    fn settle(&mut self, nonce: Option<&str>) -> Result<(), String> {
        let Some(expected) = self.expected.take().filter(|expected| Some(&*expected.nonce) == nonce) else {
            return Ok(());
        };
        for (name, line) in &expected.set {
            self.set(folder_named(name)?, parse_line(&line.accepted)?, line.list.clone());
        }
        for name in &expected.removed {
            self.forget(&folder_named(name)?);
        }
        let leaving = parse_line(&expected.leaving)?;
        for name in &expected.vanished {
            let folder = folder_named(name)?;
            if let Some(memory) = self.folders.get_mut(folder.as_path()) {
                memory.former.extend(memory.keys.intersection(&leaving).cloned());
                memory.keys.retain(|key| !leaving.contains(key));
            }
        }
        if !expected.rules.is_empty() {
            self.set_rules(rules::read(expected.rules));
        }
        Ok(())
    }

    /// Returns what groups and rules said when they were accepted.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Accepts of groups and rules what `change` says; what has no words is gone.
    pub fn set_rules(&mut self, change: Rules) {
        rules::set(&mut self.rules, change);
    }

    /// Accepts what groups and rules say.
    pub fn accept_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Remembers that a list from elsewhere would have let `keys` in.
    pub fn refuse(&mut self, keys: impl IntoIterator<Item = Fingerprint>) {
        self.refused.extend(keys);
    }

    /// Whether one of `keys` was refused before.
    pub fn has_refused(&self, keys: &Keys) -> bool {
        !self.refused.is_disjoint(keys)
    }

    /// Accepts `keys`, which the recipients file `list` comes down to, for `folder`. Keys that no longer
    /// belong to them are remembered as former ones.
    pub fn accept(&mut self, folder: &FolderName, keys: Keys, list: &[u8]) {
        self.set(folder.clone(), keys, hash_of(list));
    }

    fn set(&mut self, folder: FolderName, keys: Keys, list: String) {
        // Whoever could read it by the list above was not taken out of this one.
        let inherited = || {
            let former = self.ruling(&folder).map(|above| above.former.clone()).unwrap_or_default();
            Memory { former, ..Memory::default() }
        };
        let mut memory = self.folders.get(folder.as_path()).cloned().unwrap_or_else(inherited);
        memory.former.extend(memory.keys.difference(&keys).cloned());
        memory.former.retain(|key| !keys.contains(key));
        self.refused.retain(|key| !keys.contains(key));
        memory.keys = keys;
        memory.list = list;
        self.folders.insert(folder.as_path().to_path_buf(), memory);
    }

    /// Forgets `folder`, which has no recipients of its own any more. Who was taken out of them stays known as
    /// such above.
    pub fn forget(&mut self, folder: &FolderName) {
        let Some(gone) = self.folders.remove(folder.as_path()) else { return };
        let above = folder.as_path().ancestors().find(|path| self.folders.contains_key(*path));
        if let Some(memory) = above.map(Path::to_path_buf).and_then(|path| self.folders.get_mut(&path)) {
            memory.former.extend(gone.former);
            memory.former.retain(|key| !memory.keys.contains(key));
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self, RecordError> {
        let damaged = |what: String| RecordError::damaged(path, what);
        let record: Record = record::parse(text, path)?;
        let mut folders = BTreeMap::new();
        for (name, line) in record.folders {
            let name = unescape(&name).ok_or_else(|| damaged("it names no folder".into()))?;
            let keys = |line: &str| parse_line(line).map_err(&damaged);
            let memory = Memory { keys: keys(&line.accepted)?, former: keys(&line.former)?, list: line.list };
            folders.insert(name, memory);
        }
        let refused = parse_line(&record.refused).map_err(&damaged)?;
        Ok(Accepted { folders, expected: record.expected, refused, rules: rules::read(record.rules) })
    }

    fn text(&self) -> String {
        let folders = self.folders.iter().map(|(path, memory)| {
            let list = memory.list.clone();
            (escape(path), Line { accepted: line(&memory.keys), list, former: line(&memory.former) })
        });
        let record = Record {
            version: VERSION,
            folders: folders.collect(),
            expected: self.expected.clone(),
            refused: line(&self.refused),
            rules: rules::written(&self.rules),
        };
        serde_yaml::to_string(&record).expect("names and fingerprints are text")
    }
}

/// Returns fingerprints in one line.
fn line(keys: &Keys) -> String {
    keys.iter().map(Fingerprint::as_str).collect::<Vec<_>>().join(" ")
}

/// Returns the fingerprints of a line, or what is the matter with it.
fn parse_line(line: &str) -> Result<Keys, String> {
    let parse = |word| Fingerprint::parse(word).ok_or_else(|| "it holds no fingerprint".to_owned());
    line.split_whitespace().map(parse).collect()
}

/// Returns the folder of that (escaped) name, or what is the matter with it.
fn folder_named(name: &str) -> Result<FolderName, String> {
    let path = unescape(name).ok_or("it names no folder")?;
    FolderName::parse(path.as_os_str()).map_err(|error| error.to_string())
}

/// Returns the SHA-256 of a recipients file, in hexadecimal.
pub fn hash_of(list: &[u8]) -> String {
    Sha256::digest(list).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn keys(digits: &str) -> Keys {
        digits.chars().map(|d| Fingerprint::parse(&d.to_string().repeat(40)).unwrap()).collect()
    }

    fn folder(name: &str) -> FolderName {
        FolderName::parse(OsStr::new(name)).unwrap()
    }

    #[test]
    fn the_nearest_folder_rules_and_former_keys_are_remembered() {
        let mut accepted = Accepted::default();
        assert_eq!(accepted.ruling(&folder("a/b")), None);
        accepted.accept(&folder(""), keys("AB"), b"");
        accepted.accept(&folder("a"), keys("A"), b"");
        assert_eq!(accepted.ruling(&folder("a/b")).unwrap().keys, keys("A"));
        assert_eq!(accepted.ruling(&folder("a/b")).unwrap().former, keys(""), "nobody was taken out of it");
        assert_eq!(accepted.ruling(&folder("ab")).unwrap().keys, keys("AB"));
        accepted.accept(&folder("a"), keys("ABC"), b"");
        assert_eq!(accepted.ruling(&folder("a")).unwrap().former, keys(""));
        accepted.accept(&folder("a"), keys("A"), b"");
        accepted.forget(&folder("a"));
        assert_eq!(accepted.ruling(&folder("a")).unwrap().keys, keys("AB"));
        assert_eq!(accepted.ruling(&folder("a")).unwrap().former, keys("C"), "it was taken out further down");
    }

    #[test]
    fn what_a_change_sets_counts_only_if_it_was_that_change() {
        let list = (b"x".to_vec(), Some(keys("AC")));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let settings = vec![
            Setting { folder: folder("a"), list: Some(list) },
            Setting { folder: folder("b"), list: None },
            Setting { folder: folder("c"), list: Some((b"y".to_vec(), None)) },
        ];
        for (nonce, a, b) in [(Some("n1"), "AC", "A"), (Some("n2"), "A", "B"), (None, "A", "B")] {
            let mut accepted = Accepted::default();
            accepted.accept(&folder(""), keys("A"), b"");
            accepted.accept(&folder("b"), keys("B"), b"");
            let rules = [("a", "1"), ("b", "")].map(|(of, says)| (of.to_owned(), words(says)));
            accepted
                .accept_rules([("b", "2"), ("c", "3")].map(|(of, says)| (of.to_owned(), words(says))).into());
            accepted.accept(&folder("gone"), keys("AD"), b"");
            let vanished = vec![folder("gone")];
            let accepts =
                Accepts { lists: settings.clone(), rules: rules.into(), leaving: keys("D"), vanished };
            accepted.expect("n1", &accepts);
            let mut accepted = Accepted::parse(&accepted.text(), Path::new("f")).unwrap();
            accepted.settle(nonce).unwrap();
            assert_eq!(accepted.ruling(&folder("a")).unwrap().keys, keys(a), "{nonce:?}");
            assert_eq!(accepted.ruling(&folder("b")).unwrap().keys, keys(b), "{nonce:?}");
            assert_eq!(accepted.ruling(&folder("c")).unwrap().keys, keys("A"));
            let gone = accepted.ruling(&folder("gone")).unwrap();
            let left = if nonce == Some("n1") { ("A", "D") } else { ("AD", "") };
            assert_eq!((&gone.keys, &gone.former), (&keys(left.0), &keys(left.1)), "{nonce:?}");
            let rules: Vec<&str> = accepted.rules().keys().map(String::as_str).collect();
            assert_eq!(rules, if nonce == Some("n1") { ["a", "c"] } else { ["b", "c"] });
            assert!(accepted.expected.is_none());
        }
    }

    #[test]
    fn what_was_refused_stays_so_until_it_is_accepted() {
        let mut accepted = Accepted::default();
        accepted.refuse(keys("DE"));
        assert!(accepted.has_refused(&keys("AD")) && !accepted.has_refused(&keys("A")));
        accepted.accept(&folder("a"), keys("AD"), b"");
        assert!(!accepted.has_refused(&keys("AD")) && accepted.has_refused(&keys("E")));
    }

    #[test]
    fn a_list_that_was_met_is_pending_only_if_it_names_fingerprints() {
        let full = "A".repeat(40);
        for (list, pending) in [
            (format!("{full}\n0x{full}! # Anna\n"), true),
            (format!("{full}\nanna@example.org\n"), false),
            ("AAAAAAAAAAAAAAAA\n".to_owned(), false),
        ] {
            let mut accepted = Accepted::default();
            accepted.meet(&folder("a"), list.as_bytes());
            let memory = accepted.ruling(&folder("a/b")).unwrap();
            assert_eq!(memory.is_pending(list.as_bytes()), pending, "{list}");
            assert!(!memory.is_pending(full.as_bytes()));
        }
    }

    #[test]
    fn a_list_that_is_withheld_is_not_accepted_by_itself() {
        let full = "A".repeat(40);
        let mut accepted = Accepted::default();
        accepted.withhold(&folder("a"), keys("A"));
        let read = Accepted::parse(&accepted.text(), Path::new("f")).unwrap();
        assert_eq!(read, accepted);
        assert!(
            !read.ruling(&folder("a")).unwrap().is_pending(full.as_bytes()) && read.has_refused(&keys("A"))
        );
        accepted.accept(&folder("a"), keys("A"), full.as_bytes());
        assert_eq!(accepted.ruling(&folder("a")).unwrap().keys, keys("A"));
        assert!(!accepted.has_refused(&keys("A")));
    }

    #[test]
    fn survives_write_and_read_and_refuses_a_newer_format() {
        let mut accepted = Accepted::default();
        accepted.accept(&folder(""), keys("AB"), b"");
        accepted.accept(&folder("o d\u{e9}/x: y"), keys("C"), b"");
        accepted.refuse(keys("DE"));
        let path = Path::new("f");
        assert_eq!(Accepted::parse(&accepted.text(), path).unwrap(), accepted);
        let newer = accepted.text().replace("version: 1", "version: 2");
        assert!(matches!(Accepted::parse(&newer, path), Err(RecordError::Newer { version: 2, .. })));
        assert!(matches!(Accepted::parse("version: 1", path), Err(RecordError::Damaged { .. })));
    }
}
