//! The store's own configuration: `.passel.yaml` at its root, versioned with the entries.
//!
//! It holds named groups of keys, and for folders the groups and keys that their recipients are to be. What
//! is encrypted to stands in the recipients files alone, written out: this file only says how they came
//! about, and one that was edited otherwise wins. Format version 1:
//!
//! ```yaml
//! version: 1
//! clients: clients            # the folder that holds the clients' folders; this one if it is left out
//! sync:
//!   auto: true                # sync after each change; false if it is left out
//!   require_signed: true      # take only commits that a recipient has signed; false if it is left out
//! groups:
//!   team:                     # full fingerprints of primary keys
//!   - 0123456789ABCDEF0123456789ABCDEF01234567
//! rules:
//!   /:                        # the root; other folders by their path
//!     groups: [team]
//!   clients/acme:             # bytes that are not printable ASCII, and `%`, as `%XX`
//!     groups: [team]
//!     keys:                   # further keys
//!     - 0123456789ABCDEF89ABCDEF0123456789ABCDEF
//!     client:                 # those of the client whose folder it is
//!     - 89ABCDEF0123456789ABCDEF0123456789ABCDEF
//! health:                     # what `audit health` holds passwords to
//!   min_length: 14
//!   folders:
//!     clients/acme: {min_length: 20, max_age: 90}
//!   ignore:
//!   - entry: clients/acme/legacy-printer
//!     kinds: [weak, short]
//!     why: the device allows 8 digits
//! ```
//!
//! A rule without groups says only who the client is: the list is then nobody's but its own. [`health`] says more
//! of what is held to what.

pub mod health;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use health::HealthRule;

use crate::model::{Fingerprint, FolderName};
use crate::store::beneath::{Beneath, BeneathError, State};
use crate::store::journal::{escape, unescape};

/// The file, relative to the store's root.
pub const FILE: &str = ".passel.yaml";
/// The newest format that we know.
const VERSION: u32 = 1;
/// The folder that holds the clients' folders, unless the file says otherwise.
const CLIENTS: &str = "clients";
/// The largest file that is read, in bytes: thousands of keys in thousands of folders.
const MAX_FILE: usize = 8 << 20;
/// The longest name of a group, in bytes.
const MAX_GROUP: usize = 64;

/// Why the configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A later passel wrote it.
    #[error("`{FILE}` has format {0}; this passel knows formats up to {VERSION}")]
    Newer(u32),
    /// It is damaged, or was edited into something that says nothing clear.
    #[error("`{FILE}` is damaged: {0}")]
    Damaged(String),
    /// git has left both sides of a conflict in it.
    #[error("`{FILE}` holds a merge conflict")]
    Conflicted,
    /// It could not be read.
    #[error(transparent)]
    Path(#[from] BeneathError),
}

/// The name of a group: ASCII letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupName(String);

impl GroupName {
    /// Returns the group that `text` names; none if no group can have that name.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        // A leading `-` would be taken for an option.
        let right = !text.is_empty() && text.len() <= MAX_GROUP && !text.starts_with('-');
        (right && text.bytes().all(allowed)).then(|| GroupName(text.to_owned()))
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a folder's recipients are to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderRule {
    /// Groups, all of whose keys can read the folder.
    pub groups: BTreeSet<GroupName>,
    /// Further keys.
    pub keys: BTreeSet<Fingerprint>,
    /// The keys of the client whose folder it is.
    pub client: BTreeSet<Fingerprint>,
}

/// How a store is synced. What is left out is false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncRule {
    /// Whether a sync follows each change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto: Option<bool>,
    /// Whether commits are taken only if a recipient of the store has signed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_signed: Option<bool>,
}

/// The configuration of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder that holds the clients' folders.
    pub clients: FolderName,
    /// How it is synced.
    pub sync: SyncRule,
    /// The keys of each group.
    pub groups: BTreeMap<GroupName, BTreeSet<Fingerprint>>,
    /// The rules of folders.
    pub rules: BTreeMap<FolderName, FolderRule>,
    /// What passwords are held to.
    pub health: HealthRule,
}

impl Default for Config {
    fn default() -> Self {
        let clients = FolderName::parse(CLIENTS.as_ref()).expect("the name is plain");
        let sync = SyncRule::default();
        let health = HealthRule::default();
        Config { clients, sync, groups: BTreeMap::new(), rules: BTreeMap::new(), health }
    }
}

/// The file's form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clients: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sync: Option<SyncRule>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    groups: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rules: BTreeMap<String, RuleRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    health: Option<HealthRule>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleRecord {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    client: Vec<String>,
}

impl Config {
    /// Reads the configuration of a store, and what stood there; a store without one has the default. A link
    /// is refused.
    pub fn read(beneath: &Beneath) -> Result<(Self, State), ConfigError> {
        let bytes = beneath.read(Path::new(FILE))?;
        Ok((Config::of(bytes.as_deref())?, bytes.as_deref().map_or(State::Absent, State::of)))
    }

    /// Returns what the file says: none if there is none.
    pub fn of(bytes: Option<&[u8]>) -> Result<Self, ConfigError> {
        bytes.map_or_else(|| Ok(Config::default()), Config::parse)
    }

    /// Reads the bytes of the file.
    fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        if bytes.len() > MAX_FILE {
            return Err(ConfigError::Damaged(format!("it is larger than {} MiB", MAX_FILE >> 20)));
        }
        let is_marked = bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<< "));
        if is_marked {
            return Err(ConfigError::Conflicted);
        }
        let damaged = |what: String| ConfigError::Damaged(one_line(&what));
        let text = std::str::from_utf8(bytes).map_err(|e| damaged(e.to_string()))?;
        // The version first: a newer format may look different in everything else.
        let head: Head = serde_yaml::from_str(text).map_err(|e| damaged(e.to_string()))?;
        if head.version > VERSION {
            return Err(ConfigError::Newer(head.version));
        }
        if head.version == 0 {
            return Err(ConfigError::Damaged("there is no format 0".to_owned()));
        }
        let record: Record = serde_yaml::from_str(text).map_err(|e| damaged(e.to_string()))?;
        Config::from_record(record)
    }

    fn from_record(record: Record) -> Result<Self, ConfigError> {
        let mut config = Config::default();
        if let Some(name) = &record.clients {
            config.clients = folder(name)?;
            if config.clients.is_root() {
                return Err(ConfigError::Damaged("the clients' folder cannot be the root".to_owned()));
            }
        }
        config.sync = record.sync.unwrap_or_default();
        config.health = record.health.unwrap_or_default();
        for (name, members) in &record.groups {
            config.groups.insert(group(name)?, keys(members)?);
        }
        for (name, rule) in record.rules {
            let groups = rule.groups.iter().map(|name| group(name)).collect::<Result<BTreeSet<_>, _>>()?;
            if let Some(unknown) = groups.iter().find(|group| !config.groups.contains_key(group)) {
                return Err(ConfigError::Damaged(format!(
                    "a rule names the group `{unknown}`, which is missing"
                )));
            }
            let rule = FolderRule { groups, keys: keys(&rule.keys)?, client: keys(&rule.client)? };
            if config.rules.insert(folder(&name)?, rule).is_some() {
                return Err(ConfigError::Damaged("it has two rules for one folder".to_owned()));
            }
        }
        Ok(config)
    }

    /// Returns the bytes of the file, sorted; none if it would say nothing.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        if *self == Config::default() {
            return None;
        }
        let texts = |keys: &BTreeSet<Fingerprint>| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        let standard = self.clients == Config::default().clients;
        let rules = self.rules.iter().map(|(folder, rule)| {
            let groups = rule.groups.iter().map(ToString::to_string).collect();
            (written(folder), RuleRecord { groups, keys: texts(&rule.keys), client: texts(&rule.client) })
        });
        let record = Record {
            version: VERSION,
            clients: (!standard).then(|| written(&self.clients)),
            sync: Some(self.sync).filter(|sync| *sync != SyncRule::default()),
            groups: self.groups.iter().map(|(name, keys)| (name.to_string(), texts(keys))).collect(),
            rules: rules.collect(),
            health: Some(self.health.clone()).filter(|health| *health != HealthRule::default()),
        };
        Some(serde_yaml::to_string(&record).expect("names and fingerprints are text").into_bytes())
    }

    /// Returns the keys that a rule comes down to: those of its groups in order, then its own, then the client's;
    /// none twice.
    pub fn expanded(&self, rule: &FolderRule) -> Vec<Fingerprint> {
        let members = rule.groups.iter().filter_map(|group| self.groups.get(group)).flatten();
        let mut keys: Vec<Fingerprint> = Vec::new();
        for key in members.chain(&rule.keys).chain(&rule.client) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys
    }

    /// Returns the group that lets `key` in where `rule` holds; none if none does.
    pub fn group_of<'r>(&self, rule: &'r FolderRule, key: &Fingerprint) -> Option<&'r GroupName> {
        rule.groups.iter().find(|group| self.groups.get(group).is_some_and(|keys| keys.contains(key)))
    }

    /// Whether a group or a rule names `key`.
    pub fn names(&self, key: &Fingerprint) -> bool {
        let own = self.rules.values().flat_map(|rule| [&rule.keys, &rule.client]);
        self.groups.values().chain(own).any(|keys| keys.contains(key))
    }

    /// Returns the folders whose rules name `group`.
    pub fn folders_of(&self, group: &GroupName) -> Vec<&FolderName> {
        let uses = |(folder, rule): (_, &FolderRule)| rule.groups.contains(group).then_some(folder);
        self.rules.iter().filter_map(uses).collect()
    }
}

/// Returns how a folder is written: `/` for the root.
fn written(folder: &FolderName) -> String {
    if folder.is_root() { "/".to_owned() } else { escape(folder.as_path()) }
}

/// Reads a folder.
fn folder(text: &str) -> Result<FolderName, ConfigError> {
    let path = unescape(text).and_then(|path| FolderName::parse(path.as_os_str()).ok());
    path.ok_or_else(|| ConfigError::Damaged(format!("`{}` names no folder", one_line(text))))
}

/// Reads the name of a group.
fn group(text: &str) -> Result<GroupName, ConfigError> {
    let name = GroupName::parse(text);
    name.ok_or_else(|| ConfigError::Damaged(format!("`{}` cannot be a group's name", one_line(text))))
}

/// Reads full fingerprints.
fn keys(texts: &[String]) -> Result<BTreeSet<Fingerprint>, ConfigError> {
    let parse = |text: &String| {
        let damaged = || ConfigError::Damaged(format!("`{}` is no full fingerprint", one_line(text)));
        Fingerprint::parse(text).ok_or_else(damaged)
    };
    texts.iter().map(parse).collect()
}

/// Returns what a message may quote of a foreign text: its first line, not too much of it, and nothing that
/// drives a terminal.
fn one_line(text: &str) -> String {
    let line: String = text.lines().next().unwrap_or_default().chars().take(200).collect();
    crate::model::Shown::new(&line).to_string()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    fn key(digit: &str) -> Fingerprint {
        Fingerprint::parse(&digit.repeat(40)).unwrap()
    }

    fn name(text: &[u8]) -> FolderName {
        FolderName::parse(OsStr::from_bytes(text)).unwrap()
    }

    fn team() -> GroupName {
        GroupName::parse("team").unwrap()
    }

    /// A team of two at the root, and a client.
    fn example() -> Config {
        let mut config = Config::default();
        config.groups.insert(team(), BTreeSet::from([key("B"), key("A")]));
        let groups = BTreeSet::from([team()]);
        config.rules.insert(name(b""), FolderRule { groups: groups.clone(), ..FolderRule::default() });
        let (keys, client) = (BTreeSet::from([key("A"), key("9")]), BTreeSet::from([key("C")]));
        config.rules.insert(name(b"clients/acme"), FolderRule { groups, keys, client });
        config
    }

    #[test]
    fn writes_a_tidy_file() {
        let text = String::from_utf8(example().to_bytes().unwrap()).unwrap();
        let (a, b, c, nine) = (key("A"), key("B"), key("C"), key("9"));
        assert_eq!(
            text,
            format!(
                "version: 1\ngroups:\n  team:\n  - {a}\n  - {b}\nrules:\n  /:\n    groups:\n    - team\n  \
                 clients/acme:\n    groups:\n    - team\n    keys:\n    - \"{nine}\"\n    - {a}\n    \
                 client:\n    - {c}\n"
            )
        );
    }

    #[test]
    fn survives_write_and_read() {
        let mut config = example();
        config.clients = name(b"customers");
        for folder in [&b"o d\xff/x: y%#"[..], b"123", b"true", b"'q\"", b"- a", b"\n"] {
            let (groups, keys) = (BTreeSet::from([team()]), BTreeSet::from([key("1")]));
            let rule = FolderRule { groups, keys, ..FolderRule::default() };
            config.rules.insert(name(folder), rule);
        }
        config.groups.insert(GroupName::parse("12").unwrap(), BTreeSet::new());
        config.groups.insert(GroupName::parse("null").unwrap(), BTreeSet::from([key("0")]));
        let bytes = config.to_bytes().unwrap();
        assert_eq!(Config::parse(&bytes).unwrap(), config);
        assert_eq!(Config::parse(&bytes).unwrap().to_bytes(), Some(bytes));
    }

    #[test]
    fn says_how_to_sync_as_it_was_said() {
        let group = format!("groups:\n  team:\n  - {}\n", key("A"));
        for sync in ["auto: true", "require_signed: false", "auto: false\n  require_signed: true"] {
            let text = format!("version: 1\nsync:\n  {sync}\n{group}");
            let config = Config::parse(text.as_bytes()).unwrap();
            assert_eq!(config.to_bytes().unwrap(), text.as_bytes());
        }
        for wrong in ["sync: {auto: yes please}", "sync: {other: true}", "sync: true"] {
            let read = Config::parse(format!("version: 1\n{wrong}\n").as_bytes());
            assert!(matches!(read, Err(ConfigError::Damaged(_))), "{wrong}: {read:?}");
        }
    }

    #[test]
    fn says_what_passwords_are_held_to_as_it_was_said() {
        let text = "version: 1\nhealth:\n  min_length: 14\n  max_age: 365\n  folders:\n    /:\n      skip:\n      - \
                    no-url\n    clients/acme:\n      min_score: 4\n  ignore:\n  - entry: clients/acme/printer\n    \
                    kinds:\n    - weak\n    why: the device allows 8 digits\n  - entry: web\n";
        let config = Config::parse(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(config.to_bytes().unwrap()).unwrap(), text);
        for wrong in
            ["{min_length: many}", "{min_length: -1}", "{other: 1}", "{folders: {web: {ignore: []}}}", "14"]
        {
            let read = Config::parse(format!("version: 1\nhealth: {wrong}\n").as_bytes());
            assert!(matches!(read, Err(ConfigError::Damaged(_))), "{wrong}: {read:?}");
        }
    }

    #[test]
    fn says_nothing_where_there_is_nothing_to_say() {
        assert_eq!(Config::default().to_bytes(), None);
        assert_eq!(Config::parse(b"version: 1\n").unwrap(), Config::default());
    }

    #[test]
    fn refuses_a_newer_format_and_damage() {
        let conflict = "<<<<<<< HEAD\nversion: 1\n=======";
        assert!(matches!(Config::parse(conflict.as_bytes()), Err(ConfigError::Conflicted)));
        let newer = Config::parse(b"version: 2\ngroups: something else\n");
        assert!(matches!(newer, Err(ConfigError::Newer(2))));
        for text in [
            "",
            "version: 0",
            "groups: {}",
            "version: 1\nother: x",
            "version: 1\ngroups: {a b: []}",
            "version: 1\ngroups: {team: [alice@example.org]}",
            "version: 1\ngroups: {team: [ABCD]}",
            "version: 1\nrules: {web: {groups: [team]}}",
            "version: 1\nrules: {../web: {keys: []}}",
            "version: 1\nrules: {web: {keys: []}, web/: {keys: []}}",
            "version: 1\nclients: /",
            "version: 1\nversion: 1",
        ] {
            let read = Config::parse(text.as_bytes());
            assert!(matches!(read, Err(ConfigError::Damaged(_))), "{text:?}: {read:?}");
        }
    }

    #[test]
    fn expands_groups_before_keys_and_nothing_twice() {
        let config = example();
        assert_eq!(
            config.expanded(&config.rules[&name(b"clients/acme")]),
            [key("A"), key("B"), key("9"), key("C")]
        );
        assert!(config.names(&key("9")) && config.names(&key("B")) && !config.names(&key("D")));
        let rule = &config.rules[&name(b"clients/acme")];
        assert_eq!(
            (config.group_of(rule, &key("B")), config.group_of(rule, &key("9"))),
            (Some(&team()), None)
        );
        assert_eq!(config.folders_of(&team()), [&name(b""), &name(b"clients/acme")]);
        assert!(config.folders_of(&GroupName::parse("x").unwrap()).is_empty());
    }

    #[test]
    fn names_groups_plainly() {
        for name in ["team", "Team-2", "_", "0"] {
            assert!(GroupName::parse(name).is_some(), "{name}");
        }
        for name in ["", "-x", "a b", "ä", "a/b", "a.b", "a\n", &"x".repeat(65)] {
            assert!(GroupName::parse(name).is_none(), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Config::parse(&bytes);
        }

        #[test]
        fn any_folder_survives(bytes: Vec<u8>) {
            if let Ok(folder) = FolderName::parse(OsStr::from_bytes(&bytes)) {
                let mut config = example();
                config.rules.insert(folder, FolderRule::default());
                assert_eq!(Config::parse(&config.to_bytes().unwrap()).unwrap(), config);
            }
        }
    }
}
