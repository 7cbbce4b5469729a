//! What the rotation list says of an entry: one small record for each reason, encrypted for the team.
//!
//! A record is YAML. It names the version of the entry that stood when it was written by its blob: whether a secret has
//! changed since is found out by comparing what both say, and nothing of the secret is kept here, nor a hash of it, since
//! not everybody who reads the list reads the entry.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::git::Oid;
use crate::model::entry::is_credential;
use crate::model::{EntryName, Plaintext, date};
use crate::ops::records::{self, FORMAT, RecordsError, yaml};
use crate::store::journal::{escape, unescape};

/// Why something must be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Somebody could read it who should not know it any more.
    Exposed,
    /// It came into the open.
    Leaked,
    /// Other entries have the same.
    Reused,
    /// It can be guessed.
    Weak,
    /// It has few characters.
    Short,
    /// It is older than the store's policy allows.
    Old,
    /// Somebody says so.
    Asked,
}

impl Reason {
    /// Returns its name in records and JSON. Names never change.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Exposed => "exposed",
            Reason::Leaked => "leaked",
            Reason::Reused => "reused",
            Reason::Weak => "weak",
            Reason::Short => "short",
            Reason::Old => "old",
            Reason::Asked => "asked",
        }
    }
}

/// What is said of an item that is done, or need not be, without the secret having changed here. It is a record of its
/// own: two who say so at once do not collide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The item's name.
    pub of: String,
    /// When, in seconds since 1970.
    pub when: i64,
    /// Why.
    pub why: String,
}

/// A record of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Something is to be changed.
    Item(Item),
    /// Something is done.
    Closing(Closing),
}

/// An item of the list. What stands in it was written by colleagues: nothing of it is safe to show as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The entry's file, when the item was written.
    pub entry: PathBuf,
    /// The blob that the file was.
    pub blob: Oid,
    /// The secrets that are to be changed, as they are called; all of them if none is named.
    pub secrets: Vec<String>,
    /// Why.
    pub reason: Reason,
    /// Who could read it: people and keys.
    pub who: Vec<String>,
    /// The keys by which it could be read: fingerprints, or the IDs by which messages call them.
    pub keys: Vec<String>,
    /// What else there is to say; one line.
    pub why: String,
    /// When it was written, in seconds since 1970.
    pub opened: i64,
    /// The incident that it belongs to.
    pub incident: Option<String>,
}

/// An item as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    rotation: u32,
    entry: String,
    version: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<String>,
    reason: Reason,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    who: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
    opened: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incident: Option<String>,
}

/// A closing as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenClosing {
    rotation: u32,
    closes: String,
    when: String,
    why: String,
}

/// What all of them have.
#[derive(Deserialize)]
struct Head {
    rotation: u32,
    closes: Option<String>,
}

impl Item {
    /// Returns the item as it is encrypted.
    pub fn to_text(&self) -> Plaintext {
        let written = Written {
            rotation: FORMAT,
            entry: escape(&self.entry),
            version: self.blob.to_string(),
            secrets: self.secrets.clone(),
            reason: self.reason,
            who: self.who.clone(),
            keys: self.keys.clone(),
            why: self.why.clone(),
            opened: date::moment(self.opened),
            incident: self.incident.clone(),
        };
        yaml(&written)
    }

    /// Returns what groups items whose secrets the same people came to know.
    pub(super) fn circle(&self) -> Option<String> {
        match self.keys.is_empty() {
            true => self.incident.clone(),
            false => Some(self.keys.join(" ")),
        }
    }

    /// Whether this is listed for the reason that `other` would be, with all that `other` is about; of the same value, if
    /// the versions say the same.
    pub fn covers(&self, other: &Item) -> bool {
        let reason = |item: &Item| {
            // What else is said of a person or a finding may change with every run.
            let why = matches!(item.reason, Reason::Asked | Reason::Leaked).then(|| item.why.clone());
            (item.reason, item.who.clone(), why, item.incident.clone())
        };
        let has_all = other.secrets.iter().all(|secret| self.secrets.contains(secret));
        reason(self) == reason(other) && (self.secrets.is_empty() || (has_all && !other.secrets.is_empty()))
    }
}

impl Closing {
    /// Returns the closing as it is encrypted.
    pub fn to_text(&self) -> Plaintext {
        let (closes, why) = (self.of.clone(), self.why.clone());
        yaml(&WrittenClosing { rotation: FORMAT, closes, when: date::moment(self.when), why })
    }
}

impl Entry {
    /// Reads a record, which stands in the file `path`.
    pub fn parse(text: &Plaintext, path: &Path) -> Result<Self, RecordsError> {
        let text = records::Written::new(text, path, "record of the rotation list")?;
        let head: Head = text.read()?;
        text.check(head.rotation)?;
        if head.closes.is_some() {
            let WrittenClosing { closes, when, why, .. } = text.read()?;
            return Ok(Entry::Closing(Closing { of: closes, when: text.moment(&when)?, why }));
        }
        let written: Written = text.read()?;
        let entry = unescape(&written.entry).filter(|path| is_file(path));
        let blob = written.version.parse();
        Ok(Entry::Item(Item {
            entry: entry.ok_or_else(|| text.broken("its entry's name is none"))?,
            blob: blob.map_err(|_| text.broken("its version is no object of git's"))?,
            opened: text.moment(&written.opened)?,
            secrets: written.secrets,
            reason: written.reason,
            who: written.who,
            keys: written.keys,
            why: written.why,
            incident: written.incident,
        }))
    }
}

/// Whether a path can be an entry's file: one within the store.
pub(in crate::ops) fn is_file(path: &Path) -> bool {
    is_credential(path) && EntryName::parse(path.with_extension("").as_os_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        Item {
            entry: "clients/a: #b\n/ä.gpg".into(),
            blob: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
            secrets: vec!["password".to_owned()],
            reason: Reason::Exposed,
            who: vec!["Anna: \"x\" <a@b.example> 'y'".to_owned()],
            keys: vec!["0123456789ABCDEF".to_owned()],
            why: "it - was: {mailed}".to_owned(),
            opened: 1_790_000_000,
            incident: Some("0123456789abcdef".to_owned()),
        }
    }

    fn parsed(text: &Plaintext) -> Result<Entry, RecordsError> {
        Entry::parse(text, Path::new(".passel.d/rotate/a.gpg"))
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        assert_eq!(parsed(&item().to_text()).unwrap(), Entry::Item(item()));
        let bare =
            Item { secrets: Vec::new(), who: Vec::new(), why: String::new(), incident: None, ..item() };
        assert_eq!(parsed(&bare.to_text()).unwrap(), Entry::Item(bare));
        let closing = Closing { of: "a".to_owned(), when: 1_790_000_000, why: "gone: #1".to_owned() };
        assert_eq!(parsed(&closing.to_text()).unwrap(), Entry::Closing(closing));
    }

    #[test]
    fn what_is_no_item_is_refused_without_repeating_it() {
        let good = String::from_utf8(item().to_text().expose().to_vec()).unwrap();
        for text in [
            String::new(),
            "hunter2\n".to_owned(),
            good.replace("rotation: 1", "rotation: 2"),
            good.replace("reason: exposed", "reason: hunter2"),
            good.replace("0123456789abcdef0123456789abcdef01234567", "hunter2"),
            good.replace("clients/a", "../clients/hunter2"),
            good.replace("clients/a", "/hunter2"),
            good.replace("opened:", "closes: hunter2\nopened:"),
        ] {
            let error = parsed(&Plaintext::new(text.clone().into_bytes())).unwrap_err();
            let told = error.to_string();
            assert!(told.contains(".passel.d/rotate/a.gpg") && !told.contains("hunter2"), "{text}: {told}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_words_are_read_back(who: Vec<String>, why: String) {
            let item = Item { who, why, ..item() };
            proptest::prop_assert_eq!(parsed(&item.to_text()).unwrap(), Entry::Item(item));
        }
    }
}
