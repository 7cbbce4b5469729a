//! What `audit health` holds passwords to: the part `health` of the store's configuration.
//!
//! ```yaml
//! health:
//!   min_length: 14            # characters; 12 if it is left out
//!   min_score: 4              # zxcvbn's, from 0 to 4; 3 if it is left out
//!   max_age: 365              # days that a password may stay as it is; any number if it is left out
//!   expires_within: 14        # days before the end that an entry names itself; 30 if it is left out
//!   skip: [no-url]             # kinds of findings that nobody wants
//!   folders:                  # the same for folders; what one does not say, the one above it says
//!     clients/acme: {min_length: 20, max_age: 90, skip: []}
//!   ignore:                   # findings that are to stay as they are, and why
//!   - entry: clients/acme/legacy-printer
//!     kinds: [weak, short]    # all if it is left out
//!     why: the device allows 8 digits
//! ```
//!
//! Kinds are `weak`, `short`, `reused`, `old`, `expiring`, `no-login`, `no-url` and `no-recovery`. Only the form is
//! checked where the configuration is read: a kind that nobody knows must not keep anybody from their recipients.
//! What it means is `ops::health`'s business. No machine has to accept it, as rules are accepted: it lets
//! nobody in. Whoever can push can make the audit say less by it; `log` tells of it, and `--ignored` shows the rest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::journal::{escape, unescape};

/// What a folder's passwords are held to. What is left out is as above.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsRule {
    /// The fewest characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// The lowest score of zxcvbn's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_score: Option<u32>,
    /// For how many days a password may stay as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// How many days before an entry's own end are soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_within: Option<u32>,
    /// The kinds of findings that are not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<Vec<String>>,
}

/// A finding that is to stay as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IgnoreRule {
    /// The entry.
    pub entry: String,
    /// The kinds of findings; all if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What passwords are held to. (Written out, as serde can either flatten or refuse what it does not know.)
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthRule {
    /// See [`LimitsRule`], as all that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// The lowest score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_score: Option<u32>,
    /// The highest age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// What is soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_within: Option<u32>,
    /// What is not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<Vec<String>>,
    /// What holds for folders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<String, LimitsRule>,
    /// What is to stay as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<IgnoreRule>,
}

impl HealthRule {
    /// Returns what holds for all folders.
    pub fn limits(&self) -> LimitsRule {
        LimitsRule {
            min_length: self.min_length,
            min_score: self.min_score,
            max_age: self.max_age,
            expires_within: self.expires_within,
            skip: self.skip.clone(),
        }
    }

    /// Takes what is said of folders and entries along when folders are moved, copied or removed: `places` says where it
    /// is to hold from then on, none if nothing becomes of that path.
    pub fn carry_along(&mut self, places: impl Fn(&Path) -> Option<Vec<PathBuf>>) {
        let places = |text: &str| {
            let found = places(&unescape(text)?)?;
            Some(found.iter().map(|path| escape(path)).collect::<Vec<_>>())
        };
        for (folder, limits) in self.folders.clone() {
            if let Some(places) = places(&folder) {
                self.folders.remove(&folder);
                self.folders.extend(places.into_iter().map(|place| (place, limits.clone())));
            }
        }
        let ignored =
            std::mem::take(&mut self.ignore).into_iter().flat_map(|rule| match places(&rule.entry) {
                None => vec![rule],
                Some(places) => {
                    let at = |entry| IgnoreRule { entry, ..rule.clone() };
                    places.into_iter().map(at).collect()
                }
            });
        self.ignore = ignored.collect();
    }

    /// Sets what holds for all folders.
    pub fn set_limits(&mut self, limits: LimitsRule) {
        let LimitsRule { min_length, min_score, max_age, expires_within, skip } = limits;
        *self = HealthRule {
            min_length,
            min_score,
            max_age,
            expires_within,
            skip,
            folders: std::mem::take(&mut self.folders),
            ignore: std::mem::take(&mut self.ignore),
        };
    }
}
