//! What the rotation list says of an entry: one small record for each reason, encrypted for the team.
//!
//! A record is YAML. It names the version of the entry that stood when it was written by its blob: whether a secret has
//! changed since is found out by comparing what both say, and nothing of the secret is kept here, nor a hash of it, since
//! not everybody who reads the list reads the entry.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::git::Oid;
use crate::model::{Plaintext, Shown, date};
use crate::ops::records::RecordsError;
use crate::store::journal::{escape, unescape};

/// The newest format that we know.
const FORMAT: u32 = 1;

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

/// Who closed an item without the secret having changed here, and why is in its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When, as RFC 3339 has it.
    pub when: String,
    /// Why.
    pub why: String,
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
    /// What else there is to say; one line.
    pub why: String,
    /// When it was written, in seconds since 1970.
    pub opened: i64,
    /// The incident that it belongs to.
    pub incident: Option<String>,
    /// Set where somebody said that it is done, or need not be.
    pub closed: Option<Closing>,
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
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
    opened: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incident: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<Closing>,
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
            why: self.why.clone(),
            opened: date::moment(self.opened),
            incident: self.incident.clone(),
            closed: self.closed.clone(),
        };
        let text = serde_yaml::to_string(&written).expect("texts and numbers can be written as YAML");
        Plaintext::new(text.into_bytes())
    }

    /// Reads an item, which stands in the file `path`.
    pub fn parse(text: &Plaintext, path: &Path) -> Result<Self, RecordsError> {
        let broken =
            |what: &str| RecordsError::Damaged { path: Shown::os(path).to_string(), what: what.to_owned() };
        let text = std::str::from_utf8(text.expose()).map_err(|_| broken("it is no text"))?;
        // What the YAML library says may repeat what stands there.
        let written: Written = serde_yaml::from_str(text).map_err(|_| broken("it is no item of the list"))?;
        if written.rotation > FORMAT {
            return Err(broken(&format!(
                "it has format {}; this passel knows formats up to {FORMAT}",
                written.rotation
            )));
        }
        Ok(Item {
            entry: unescape(&written.entry).ok_or_else(|| broken("its entry's name is none"))?,
            blob: written.version.parse().map_err(|_| broken("its version is no object of git's"))?,
            secrets: written.secrets,
            reason: written.reason,
            who: written.who,
            why: written.why,
            opened: date::end(&written.opened).ok_or_else(|| broken("its date is none"))?,
            incident: written.incident,
            closed: written.closed,
        })
    }

    /// Whether both are listed for the same reason.
    pub fn has_same_reason(&self, other: &Item) -> bool {
        let key = |item: &Item| {
            let why = item.why.clone();
            // What else is said of a person or a finding changes with every run.
            let why = Some(why).filter(|_| matches!(item.reason, Reason::Asked | Reason::Leaked));
            (item.reason, item.who.clone(), why, item.incident.clone(), item.secrets.clone())
        };
        key(self) == key(other)
    }
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
            why: "it - was: {mailed}".to_owned(),
            opened: 1_790_000_000,
            incident: None,
            closed: Some(Closing { when: "2026-01-01T00:00:00Z".to_owned(), why: "gone: #1".to_owned() }),
        }
    }

    #[test]
    fn an_item_is_read_back_as_it_was_written() {
        let path = Path::new(".passel.d/rotate/a.gpg");
        assert_eq!(Item::parse(&item().to_text(), path).unwrap(), item());
        let bare = Item { secrets: Vec::new(), who: Vec::new(), why: String::new(), closed: None, ..item() };
        assert_eq!(Item::parse(&bare.to_text(), path).unwrap(), bare);
    }

    #[test]
    fn what_is_no_item_is_refused_without_repeating_it() {
        let path = Path::new(".passel.d/rotate/a.gpg");
        let good = String::from_utf8(item().to_text().expose().to_vec()).unwrap();
        for text in [
            String::new(),
            "hunter2\n".to_owned(),
            good.replace("rotation: 1", "rotation: 2"),
            good.replace("reason: exposed", "reason: hunter2"),
            good.replace("0123456789abcdef0123456789abcdef01234567", "hunter2"),
        ] {
            let error = Item::parse(&Plaintext::new(text.clone().into_bytes()), path).unwrap_err();
            let told = error.to_string();
            assert!(told.contains(".passel.d/rotate/a.gpg") && !told.contains("hunter2"), "{text}: {told}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_words_are_read_back(who: Vec<String>, why: String) {
            let item = Item { who, why, ..item() };
            proptest::prop_assert_eq!(Item::parse(&item.to_text(), Path::new("a")).unwrap(), item);
        }
    }
}
