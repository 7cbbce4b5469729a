//! The rotation list: secrets that must be changed, why, and whether they have been.
//!
//! Each item is a record of its own ([`super::records`]), which the team can read. Nothing is ticked off: an item is done
//! when the entry says something else than the version did that stood when the item was written.

mod item;
mod sources;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use item::Entry;
pub(in crate::ops) use item::is_file;
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
    #[error("nothing open is on the rotation list about `{0}`")]
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
    /// The file of the record that closed it.
    pub closing: Option<PathBuf>,
    /// Whether other lines, of which nobody can say whether they are secret, stand as they did.
    pub has_same_lines: bool,
    /// Whether the keys by which it was exposed can read what stands now.
    pub is_readable: bool,
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

/// Returns how things stand with items that are on no list.
pub fn look(context: &Context<'_>, items: Vec<Item>) -> Result<Vec<Listed>, OpError> {
    let mut looker = Looker::new(context)?;
    looker.expect(2 * items.len());
    looker.learn(items.iter());
    let found = items.into_iter().map(|item| looker.look(Path::new(""), item, None)).collect();
    looker.settle();
    found
}

fn read(context: &Context<'_>, files: &[PathBuf], looker: &mut Looker<'_, '_>) -> Result<Rotation, OpError> {
    let mut rotation = Rotation { gaps: looker.gaps(), ..Rotation::default() };
    rotation.gaps.extend(records::open_to_others(context, KIND)?);
    let (items, closings) = records_of(context, files, &mut rotation);
    looker.expect(2 * items.len());
    looker.learn(items.iter().map(|(_, item)| item));
    for (path, item) in &items {
        let name = path.file_stem().unwrap_or_default();
        // Whoever said so first; nobody can have said so before it was listed.
        let closing = closings.iter().filter(|(_, c)| name == c.of.as_str() && c.when >= item.opened);
        let closing = closing.min_by_key(|(_, closing)| closing.when);
        match looker.look(path, item.clone(), closing) {
            Ok(listed) => rotation.items.push(listed),
            Err(error) => rotation.failed.push(error),
        }
        context.progress.step(items.len());
    }
    context.progress.end();
    sort(&mut rotation.items);
    rotation.keyring = std::mem::take(&mut looker.keyring);
    Ok(rotation)
}

/// Records, each with its file.
type Filed<T> = Vec<(PathBuf, T)>;

/// Reads the records in these files; what cannot be read is noted.
fn records_of(
    context: &Context<'_>,
    files: &[PathBuf],
    rotation: &mut Rotation,
) -> (Filed<Item>, Filed<Closing>) {
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
            Ok(Some(Entry::Closing(closing))) => closings.push((path.clone(), closing)),
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

/// How often is looked again for a commit of what another passel is about to commit.
const TRIES: usize = 3;

/// Makes items of wishes; what is listed for the same reason, and open, stays as it is. The items belong to `incident`;
/// `now` is in seconds since 1970.
pub fn prepare(
    context: &Context<'_>,
    wanted: &[Wanted],
    incident: Option<&str>,
    now: i64,
) -> Result<Prepared, OpError> {
    if let Some(record) = wanted.iter().find(|wish| is_record(&wish.entry)) {
        return Err(RotateError::Record(shown_entry(&record.entry)).into());
    }
    let mut done = prepare_once(context, wanted, incident, now)?;
    for _ in 1..TRIES {
        if done.uncommitted.is_empty() {
            break;
        }
        // While another command of ours puts its files in place, they look as if nobody had committed them.
        drop(context.store.lock()?);
        done = prepare_once(context, wanted, incident, now)?;
    }
    Ok(done)
}

fn prepare_once(
    context: &Context<'_>,
    wanted: &[Wanted],
    incident: Option<&str>,
    now: i64,
) -> Result<Prepared, OpError> {
    let mut done = Prepared::default();
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
        let mut is_same = |listed: &Listed| {
            listed.entry == item.entry
                && listed.item.covers(&item)
                && looker.say_the_same(listed.item.blob, item.blob)
        };
        let is_twice = |(_, other): &(PathBuf, Item)| other.entry == item.entry && other.covers(&item);
        if known.open().any(&mut is_same) {
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

/// Closes what is open about each of these entries, or the item of that name, without the secret having changed; returns
/// how many items that were.
pub fn close(
    context: &Context<'_>,
    names: &[OsString],
    why: &str,
    now: i64,
) -> Result<(usize, Published), OpError> {
    let rotation = list(context)?;
    let mut of: BTreeSet<String> = BTreeSet::new();
    for name in names {
        let entry = EntryName::parse(name)?;
        let is_meant = |listed: &&Listed| {
            let is_entry =
                listed.entry.with_extension("") == entry.as_path() || listed.entry == entry.as_path();
            is_entry || listed.path.file_stem().is_some_and(|stem| stem == name.as_os_str())
        };
        let meant = rotation.open().filter(is_meant).filter_map(|listed| listed.path.file_stem());
        let meant: Vec<String> = meant.map(|stem| stem.to_string_lossy().into_owned()).collect();
        if meant.is_empty() {
            return Err(RotateError::NotListed(Shown::os(name).to_string()).into());
        }
        of.extend(meant);
    }
    let record = |of: &String| {
        let text = Closing { of: of.clone(), when: now, why: why.to_owned() }.to_text();
        Ok(Record { path: records::new_file(KIND)?, seen: FileState::Absent, text })
    };
    let records = of.iter().map(record).collect::<Result<Vec<Record>, OpError>>()?;
    let published =
        context.publish(|| records::plan(context, &records, "Close items of the rotation list."))?;
    Ok((of.len(), published))
}
