//! Records of our own that travel with the store: the rotation list, incidents.
//!
//! Each is a file of its own below a hidden folder, so that thirty people do not collide; encrypted as an entry there
//! would be, for whom the store's own list names (the team), and not for clients, who are named for folders of theirs.
//! They are encrypted anew with all else when that list changes, by stock pass as well.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::history::Judge;
use super::reencrypt::entries_below;
use super::{Context, OpError};
use crate::model::entry::{RECORDS, shown_entry};
use crate::model::{EntryName, FolderName, Plaintext, Shown, date};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::transaction::{Change, Plan};

/// How many random bytes a record's name has.
const NAME: usize = 8;

/// Why records could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// A record is none.
    #[error("`{path}` is no record of passel's: {what}")]
    Damaged {
        /// Its file.
        path: String,
        /// What is the matter. It repeats nothing of what stands there.
        what: String,
    },
    /// A list of its own lets others than the team read the records.
    #[error("`{0}` would let others than the team read the records")]
    OwnList(String),
    /// Somebody else changed it meanwhile.
    #[error("`{0}` was changed meanwhile by another program")]
    Overtaken(String),
    /// Nobody is named for the whole store.
    #[error("the store has no recipients of its own, and so no team that could be told what must be changed")]
    NoTeam,
}

/// A record that is to be written.
pub struct Record {
    /// Its file.
    pub path: PathBuf,
    /// What stood there when it was thought of.
    pub seen: State,
    /// What it says.
    pub text: Plaintext,
}

/// What came of an attempt to read a record.
pub enum Read {
    /// What it says.
    Text(Plaintext),
    /// It is encrypted to others.
    Closed,
    /// It is gone.
    Gone,
}

/// Returns the files of the records of a kind: those in the folder `kind`. Links are none.
pub fn files(context: &Context<'_>, kind: &str) -> Result<Vec<PathBuf>, OpError> {
    let folder = Path::new(RECORDS).join(kind);
    match context.store.beneath().state(&folder).map_err(StoreError::from)? {
        State::Absent => return Ok(Vec::new()),
        State::Folder => {}
        _ => {
            let what = "it is no folder".to_owned();
            return Err(RecordsError::Damaged { path: Shown::os(&folder).to_string(), what }.into());
        }
    }
    let mut files = entries_below(context, &folder)?;
    files.sort();
    Ok(files)
}

/// Returns the lists of recipients that would let others than the team read records of a kind.
fn own_lists(context: &Context<'_>, kind: &str) -> Result<Vec<PathBuf>, OpError> {
    let folder = Path::new(RECORDS);
    let mut found = Vec::new();
    for list in [folder.join(".gpg-id"), folder.join(kind).join(".gpg-id")] {
        if context.store.beneath().state(&list).map_err(StoreError::from)? != State::Absent {
            found.push(list);
        }
    }
    Ok(found)
}

/// Says who else may read records of a kind than those on the store's own list.
pub fn open_to_others(context: &Context<'_>, kind: &str) -> Result<Vec<String>, OpError> {
    let told = |list: &PathBuf| {
        format!("`{}` says who reads the records, and not the store's own list", Shown::os(list))
    };
    Ok(own_lists(context, kind)?.iter().map(told).collect())
}

/// Returns the file of a new record of that kind.
pub fn new_file(kind: &str) -> Result<PathBuf, OpError> {
    let mut bytes = [0; NAME];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Random(error.to_string()))?;
    let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Path::new(RECORDS).join(kind).join(name + ".gpg"))
}

/// Reads a record. Of those that are encrypted to others gpg is not asked.
pub fn read(context: &Context<'_>, judge: &mut Judge<'_, '_>, path: &Path) -> Result<Read, OpError> {
    let Some(message) = context.store.beneath().read(path).map_err(StoreError::from)? else {
        return Ok(Read::Gone);
    };
    if !judge.may_be_ours(&message) {
        return Ok(Read::Closed);
    }
    context.decrypt_one_of_many(shown_entry(path), &message).map(Read::Text)
}

/// Returns the plan that writes records, encrypted for the team, in one commit.
pub fn plan(context: &Context<'_>, records: &[Record], subject: &str) -> Result<Plan, OpError> {
    for record in records {
        let kind = record.path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        if let Some(list) = own_lists(context, &kind)?.first() {
            return Err(RecordsError::OwnList(Shown::os(list).to_string()).into());
        }
    }
    let folder = FolderName::parse(RECORDS.as_ref())?;
    let recipients = context.recipients(&folder).map_err(|error| match error {
        OpError::NoRule(_) => RecordsError::NoTeam.into(),
        error => error,
    })?;
    let mut plan =
        Plan { seen: recipients.rule.seen.clone(), subject: subject.to_owned(), ..Plan::default() };
    for Record { path, seen, text } in records {
        // A colleague was quicker: what was thought of is no longer what stands there.
        if context.store.beneath().state(path).map_err(StoreError::from)? != *seen {
            return Err(RecordsError::Overtaken(shown_entry(path)).into());
        }
        let name = EntryName::parse(path.with_extension("").as_os_str())?;
        let message = context.encrypt(&name, text, &recipients)?;
        plan.changes.push(Change { path: path.clone(), seen: seen.clone(), new: Some(message) });
    }
    Ok(plan)
}

/// The last second of the year 9999, since 1970.
const LATEST: i64 = 253_402_300_799;

/// The newest format of records that we know.
pub const FORMAT: u32 = 1;

/// Returns what is written as YAML, to be encrypted.
pub fn yaml(written: &impl Serialize) -> Plaintext {
    let text = serde_yaml::to_string(written).expect("texts and numbers can be written as YAML");
    Plaintext::new(text.into_bytes())
}

/// The text of a record that is read. Errors repeat nothing of it.
pub struct Written<'t> {
    text: &'t str,
    path: &'t Path,
    /// What it should be, in words.
    kind: &'static str,
}

impl<'t> Written<'t> {
    /// Begins to read what stands in the file `path`: it is to be a `kind`.
    pub fn new(text: &'t Plaintext, path: &'t Path, kind: &'static str) -> Result<Self, RecordsError> {
        let written = Written { text: str::from_utf8(text.expose()).unwrap_or_default(), path, kind };
        if written.text.is_empty() { Err(written.none()) } else { Ok(written) }
    }

    /// Returns the error that says what is the matter with it.
    pub fn broken(&self, what: impl Into<String>) -> RecordsError {
        RecordsError::Damaged { path: Shown::os(self.path).to_string(), what: what.into() }
    }

    fn none(&self) -> RecordsError {
        self.broken(format!("it is no {}", self.kind))
    }

    /// Returns what it says. What the YAML library has to say may repeat what stands there.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, RecordsError> {
        serde_yaml::from_str(self.text).map_err(|_| self.none())
    }

    /// Refuses what a later passel wrote.
    pub fn check(&self, format: u32) -> Result<(), RecordsError> {
        match format > FORMAT {
            true => {
                Err(self.broken(format!("it has format {format}; this passel knows formats up to {FORMAT}")))
            }
            false => Ok(()),
        }
    }

    /// Returns a moment, in seconds since 1970.
    pub fn moment(&self, text: &str) -> Result<i64, RecordsError> {
        // Later than any calendar has it, nobody wrote it in good faith.
        let moment = date::end(text).filter(|moment| *moment <= LATEST);
        moment.ok_or_else(|| self.broken("its date is none"))
    }
}
