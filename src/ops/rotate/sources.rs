//! What there is to put on the list: what somebody could read, what leaked, what `audit health` finds, what somebody says.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Item, Reason};
use crate::git::Oid;
use crate::model::entry::shown_entry;
use crate::model::{EntryName, Keyring, Secret};
use crate::ops::audit::exposure::{self, Exposure, Question, Subject, Target, Verdict};
use crate::ops::health::{self, Kind};
use crate::ops::readers::Reader;
use crate::ops::{Context, OpError};

/// An entry that is to be put on the list.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its file.
    pub entry: PathBuf,
    /// The secrets that are to be changed, as they are called; all if none is named.
    pub secrets: Vec<String>,
    /// Why.
    pub reason: Reason,
    /// Who could read it.
    pub who: Vec<String>,
    /// The keys by which it could be read.
    pub keys: Vec<String>,
    /// What else there is to say.
    pub why: String,
}

impl Wanted {
    /// Returns the item for the version that stands now.
    pub(super) fn item(&self, blob: Oid, incident: Option<&str>, now: i64) -> Item {
        Item {
            entry: self.entry.clone(),
            blob,
            secrets: self.secrets.clone(),
            reason: self.reason,
            who: self.who.clone(),
            keys: self.keys.clone(),
            why: self.why.clone(),
            opened: now,
            incident: incident.map(str::to_owned),
        }
    }
}

/// Returns the wish that an entry be changed because somebody says so.
pub fn asked(name: &std::ffi::OsStr, why: &str) -> Result<Wanted, OpError> {
    let entry = EntryName::parse(name)?.file();
    let (reason, why) = (Reason::Asked, why.to_owned());
    Ok(Wanted { entry, secrets: Vec::new(), reason, who: Vec::new(), keys: Vec::new(), why })
}

/// Returns what is to be changed after an exposure, and the exposure itself: what still has a value that was exposed,
/// and what nobody can tell of here. `why` says more.
pub fn by_exposure(
    context: &Context<'_>,
    question: &Question<'_>,
    why: &str,
) -> Result<(Exposure, Vec<Wanted>), OpError> {
    let found = exposure::exposure(context, question)?;
    let wanted = wanted(&found, why);
    Ok((found, wanted))
}

fn wanted(found: &Exposure, why: &str) -> Vec<Wanted> {
    let (reason, who, keys) = match &found.target {
        Target::Keys(keys) => (Reason::Exposed, all_called(&found.keyring, keys), names_of(keys)),
        Target::Entry(_) | Target::Commit(_) => (Reason::Leaked, Vec::new(), Vec::new()),
    };
    let open = |verdict: Verdict| matches!(verdict, Verdict::Valid | Verdict::Unknown);
    let items = found.items.iter().filter(|item| open(item.verdict));
    let wish = |item: &exposure::Item| {
        let secrets = item.secrets.iter().filter(|(_, verdict)| open(*verdict));
        Wanted {
            entry: item.path.clone(),
            secrets: secrets.map(|(secret, _)| secret.to_string()).collect(),
            reason,
            who: who.clone(),
            keys: keys.clone(),
            why: told(item, why),
        }
    };
    items.map(wish).collect()
}

/// Returns what is said of an item besides: where it was exposed, if that was elsewhere.
fn told(item: &exposure::Item, why: &str) -> String {
    let elsewhere = item.elsewhere.iter().map(|path| shown_entry(path)).collect::<Vec<_>>().join(", ");
    match (item.versions == 0 && !elsewhere.is_empty(), why.is_empty()) {
        (false, _) => why.to_owned(),
        (true, true) => format!("the same as in {elsewhere}"),
        (true, false) => format!("{why}; the same as in {elsewhere}"),
    }
}

fn all_called(keyring: &Keyring, keys: &[Reader]) -> Vec<String> {
    keys.iter().map(|key| called(keyring, key)).collect()
}

/// Returns what keys are known by, whoever has them.
fn names_of(keys: &[Reader]) -> Vec<String> {
    let mut names: Vec<String> = keys
        .iter()
        .filter_map(|key| match key {
            Reader::Key(key) => Some(key.to_string()),
            Reader::Unknown(id) => Some(id.to_string()),
            Reader::Hidden => None,
        })
        .collect();
    names.sort();
    names
}

/// What somebody could read who has just lost access.
#[derive(Debug)]
pub struct Removal {
    /// How many versions.
    pub versions: usize,
    /// Of how many entries.
    pub entries: usize,
    /// What of it is as it was: it has only been encrypted anew.
    pub wanted: Vec<Wanted>,
    /// Why the answer may lack something.
    pub gaps: Vec<String>,
}

/// Returns what `keys` could read until the entries `anew` were encrypted without them. Nothing is decrypted for it.
pub fn by_removal(
    context: &Context<'_>,
    keys: &[Reader],
    anew: &BTreeSet<PathBuf>,
) -> Result<Removal, OpError> {
    let question = Question { what: Subject::Keys(keys), since: None, decrypts: false };
    let found = exposure::exposure(context, &question)?;
    let (who, names) = (all_called(&found.keyring, keys), names_of(keys));
    let known = found.items.iter().filter(|item| item.versions > 0);
    let wanted = known.clone().filter(|item| anew.contains(&item.path)).map(|item| Wanted {
        entry: item.path.clone(),
        secrets: Vec::new(),
        reason: Reason::Exposed,
        who: who.clone(),
        keys: names.clone(),
        why: String::new(),
    });
    Ok(Removal {
        versions: found.versions,
        entries: known.clone().count(),
        wanted: wanted.collect(),
        gaps: found.gaps,
    })
}

/// Returns what a key is called on the list: whose it is, and its fingerprint.
pub fn called(keyring: &Keyring, reader: &Reader) -> String {
    match reader {
        Reader::Key(key) => match keyring.get(key) {
            Some(known) => format!("{} ({key})", known.name()),
            None => key.to_string(),
        },
        Reader::Unknown(id) => id.to_string(),
        Reader::Hidden => "a hidden recipient".to_owned(),
    }
}

/// Returns what is to be changed after `audit health` at and below `name`: what is weak, short, reused or old; and why
/// that may not be all.
pub fn by_health(
    context: &Context<'_>,
    name: Option<&std::ffi::OsStr>,
    now: i64,
) -> Result<(Vec<Wanted>, Vec<String>), OpError> {
    let mut wanted = Vec::new();
    let health = health::health(context, name, now)?;
    let unread = health.strangers.iter().chain(health.failed.iter().map(|(path, _)| path));
    let gaps = unread.map(|path| format!("`{}` cannot be decrypted here", shown_entry(path))).collect();
    for found in health.findings {
        let reason = match found.kind {
            Kind::Weak => Reason::Weak,
            Kind::Short => Reason::Short,
            Kind::Reused => Reason::Reused,
            Kind::Old | Kind::Expiring => Reason::Old,
            Kind::NoLogin | Kind::NoUrl | Kind::NoRecovery => continue,
        };
        for entry in found.entries {
            wanted.push(Wanted {
                entry,
                secrets: vec![Secret::Password.to_string()],
                reason,
                who: Vec::new(),
                keys: Vec::new(),
                why: found.finding.message.clone(),
            });
        }
    }
    Ok((wanted, gaps))
}
