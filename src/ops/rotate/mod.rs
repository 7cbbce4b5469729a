//! The rotation list: secrets that must be changed, why, and whether they have been.
//!
//! Each item is a record of its own ([`super::records`]), which the team can read. Nothing is ticked off: an item is done
//! when the entry says something else than the version did that stood when the item was written.

mod item;
mod sources;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use item::Entry;
pub use item::{Closing, Item, Reason};
pub use sources::{Removal, Wanted, asked, by_exposure, by_health, by_removal, called};
pub use state::{Done, State};

use self::state::Looker;
use super::history::Judge;
use super::records::{self, Read, Record};
use super::{Context, OpError};
use crate::git::blob_id;
use crate::model::entry::{is_record, shown_entry};
use crate::model::{EntryName, Keyring, Shown};
use crate::store::StoreError;
use crate::store::beneath::State as FileState;
use crate::store::transaction::Published;

/// The folder that the items lie in, among our records.
pub const KIND: &str = "rotate";

/// Why the list could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Without git there is nothing to compare with.
    #[error("the store has no git repository: nobody could tell when a password has changed")]
    NoGit,
    /// The file is not in any commit as it is.
    #[error("`{0}` is not committed as it is")]
    Uncommitted(String),
    /// It is a record of ours.
    #[error("`{0}` is no entry: passel keeps its own records there")]
    Record(String),
    /// Nothing open is listed about the entry.
    #[error("nothing is on the rotation list about `{0}`")]
    NotListed(String),
}

/// An item, and how things stand.
#[derive(Debug)]
pub struct Listed {
    /// The item's own file.
    pub path: PathBuf,
    /// What it says.
    pub item: Item,
    /// The entry's file now, or the last one that it had.
    pub entry: PathBuf,
    /// How things stand.
    pub state: State,
    /// Where the account is, without what may be secret in it. Not safe to show.
    pub url: Option<String>,
}

/// The list.
#[derive(Default)]
pub struct Rotation {
    /// The items: those to be changed first in front, and all about one entry together.
    pub items: Vec<Listed>,
    /// How many items are encrypted to others.
    pub unread: usize,
    /// Items that could not be read for another reason.
    pub failed: Vec<OpError>,
    /// The keyring.
    pub keyring: Keyring,
    /// Why the answer may lack something.
    pub gaps: Vec<String>,
}

impl Rotation {
    /// Returns the items that are to be done.
    pub fn open(&self) -> impl Iterator<Item = &Listed> {
        self.items.iter().filter(|listed| listed.state.is_open())
    }
}

/// Returns the list.
pub fn list(context: &Context<'_>) -> Result<Rotation, OpError> {
    let files = records::files(context, KIND)?;
    // Most stores have none: then no history is read.
    if files.is_empty() {
        return Ok(Rotation::default());
    }
    let mut looker = Looker::new(context)?;
    let rotation = read(context, &files, &mut looker)?;
    looker.settle();
    Ok(rotation)
}

fn read(context: &Context<'_>, files: &[PathBuf], looker: &mut Looker<'_, '_>) -> Result<Rotation, OpError> {
    let mut rotation = Rotation { gaps: looker.gaps(), ..Rotation::default() };
    let (items, closings) = records_of(context, files, &mut rotation);
    looker.expect(2 * items.len());
    for (path, item) in &items {
        let name = path.file_stem().unwrap_or_default();
        // Whoever said so first.
        let closing = closings.iter().filter(|closing| name == closing.of.as_str());
        let closing = closing.min_by_key(|closing| closing.when);
        rotation.items.push(looker.look(path, item.clone(), closing)?);
        context.progress.step(items.len());
    }
    context.progress.end();
    sort(&mut rotation.items);
    rotation.keyring = std::mem::take(&mut looker.keyring);
    Ok(rotation)
}

/// Reads the records in these files; what cannot be read is noted.
fn records_of(
    context: &Context<'_>,
    files: &[PathBuf],
    rotation: &mut Rotation,
) -> (Vec<(PathBuf, Item)>, Vec<Closing>) {
    let mut judge = Judge::new(context, true);
    context.crypto.decryptor().expect(files.len());
    let (mut items, mut closings) = (Vec::new(), Vec::new());
    for path in files {
        let read = records::read(context, &mut judge, path).and_then(|read| match read {
            Read::Text(text) => Ok(Some(Entry::parse(&text, path)?)),
            Read::Gone => Ok(None),
            Read::Closed => {
                rotation.unread += 1;
                Ok(None)
            }
        });
        match read {
            Ok(Some(Entry::Item(item))) => items.push((path.clone(), item)),
            Ok(Some(Entry::Closing(closing))) => closings.push(closing),
            Ok(None) => {}
            Err(error) => rotation.failed.push(error),
        }
        context.progress.step(files.len());
    }
    context.progress.end();
    (items, closings)
}

/// Sorts items: by the most pressing reason of those that are open for the entry, then by its name.
fn sort(items: &mut [Listed]) {
    let mut pressing: BTreeMap<PathBuf, (bool, Reason)> = BTreeMap::new();
    for listed in items.iter() {
        let rank = (!listed.state.is_open(), listed.item.reason);
        let known = pressing.entry(listed.entry.clone()).or_insert(rank);
        *known = rank.min(*known);
    }
    items.sort_by_cached_key(|listed| {
        let Listed { path, item, entry, state, .. } = listed;
        (pressing[entry], entry.clone(), !state.is_open(), item.reason, item.opened, path.clone())
    });
}

/// Items that are to be put on the list.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The items, each with its file.
    pub items: Vec<(PathBuf, Item)>,
    /// The files of the entries that were listed for the same reason.
    pub known: BTreeSet<PathBuf>,
    /// Those that are in no commit as they are, so that nobody could tell when they have changed.
    pub uncommitted: BTreeSet<PathBuf>,
}

impl Prepared {
    /// Returns the files of the entries that are new on the list.
    pub fn entries(&self) -> BTreeSet<&Path> {
        self.items.iter().map(|(_, item)| &*item.entry).collect()
    }

    /// Returns the items as records.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let record = |(path, item): &(PathBuf, Item)| Record {
            path: path.clone(),
            seen: FileState::Absent,
            text: item.to_text(),
        };
        self.items.iter().map(record)
    }
}

/// Makes items of wishes; what is listed for the same reason, and open, stays as it is. The items belong to `incident`;
/// `now` is in seconds since 1970.
pub fn prepare(
    context: &Context<'_>,
    wanted: &[Wanted],
    incident: Option<&str>,
    now: i64,
) -> Result<Prepared, OpError> {
    let mut done = Prepared::default();
    if let Some(record) = wanted.iter().find(|wish| is_record(&wish.entry)) {
        return Err(RotateError::Record(shown_entry(&record.entry)).into());
    }
    let mut looker = Looker::new(context)?;
    let known = read(context, &records::files(context, KIND)?, &mut looker)?;
    for wish in wanted {
        let bytes = context.store.beneath().read(&wish.entry).map_err(StoreError::from)?;
        let bytes = bytes.ok_or_else(|| OpError::NotFound(shown_entry(&wish.entry)))?;
        let Some(blob) = blob_id(&bytes).filter(|blob| looker.is_committed(*blob)) else {
            done.uncommitted.insert(wish.entry.clone());
            continue;
        };
        let item = wish.item(blob, incident, now);
        let is_same = |listed: &Listed| listed.entry == item.entry && listed.item.covers(&item);
        let is_twice = |(_, other): &(PathBuf, Item)| other.entry == item.entry && other.covers(&item);
        if known.open().any(is_same) {
            done.known.insert(wish.entry.clone());
        } else if !done.items.iter().any(is_twice) {
            done.items.push((records::new_file(KIND)?, item));
        }
    }
    looker.settle();
    Ok(done)
}

/// Puts prepared items on the list, in one commit.
pub fn add(context: &Context<'_>, prepared: &Prepared) -> Result<Published, OpError> {
    let subject = match prepared.items.len() {
        1 => "Add an item to the rotation list.".to_owned(),
        count => format!("Add {count} items to the rotation list."),
    };
    let records: Vec<Record> = prepared.records().collect();
    context.publish(|| records::plan(context, &records, &subject))
}

/// Closes what is open about an entry, or the item of that name, without the secret having changed; returns how many
/// items that were.
pub fn close(
    context: &Context<'_>,
    name: &std::ffi::OsStr,
    why: &str,
    now: i64,
) -> Result<(usize, Published), OpError> {
    let rotation = list(context)?;
    let entry = EntryName::parse(name)?.file();
    let is_meant =
        |listed: &&Listed| listed.entry == entry || listed.path.file_stem().is_some_and(|stem| stem == name);
    let meant: Vec<&Listed> = rotation.open().filter(is_meant).collect();
    if meant.is_empty() {
        return Err(RotateError::NotListed(Shown::os(name).to_string()).into());
    }
    let mut records = Vec::new();
    for listed in &meant {
        let of = listed.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = Closing { of, when: now, why: why.to_owned() }.to_text();
        records.push(Record { path: records::new_file(KIND)?, seen: FileState::Absent, text });
    }
    let published =
        context.publish(|| records::plan(context, &records, "Close items of the rotation list."))?;
    Ok((meant.len(), published))
}
