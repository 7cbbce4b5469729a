//! Incidents: what came within reach of somebody, what was done about it, and what remains.
//!
//! An incident is a record ([`super::records`]) of what was exposed when it was opened; notes, and that it is closed, are
//! records of their own. What has been done since is kept nowhere: the rotation list and git tell.

mod case;
mod record;
mod share;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub use case::{Account, Case, Standing, case};
use record::Entry;
pub use record::{Bearer, Found, Incident, Remark, Scope};
pub use share::{Deed, How, Share, Shared, State as SharedState, shares};
pub use story::{Event, What};

use super::audit::exposure::{Exposure, Item, Kind, Question, Subject, Target, Verdict};
use super::history::{Judge, access};
use super::readers::Reader;
use super::records::{self, Read, Record};
use super::rotate::{self, Prepared, Rotation, Wanted, called};
use super::{Context, OpError};
use crate::git::blob_id;
use crate::model::{Keyring, Shown};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::transaction::Published;

/// The folder that incidents lie in, among our records.
pub const KIND: &str = "incidents";

/// So many digits of an incident's name are shown.
pub const SHORT: usize = 8;

/// Fewer digits name no incident.
const LEAST: usize = 4;

/// Incidents that were opened within so many seconds are told apart by them.
const ABREAST: i64 = 5;

/// Why there is no such incident, or it cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum IncidentError {
    /// No incident has the name.
    #[error("no incident is called `{0}`")]
    Nothing(String),
    /// None is open.
    #[error("no incident is open")]
    NoneOpen,
    /// Several have names that begin so.
    #[error("`{name}` could be any of {several}")]
    Ambiguous {
        /// What was typed.
        name: String,
        /// Their names.
        several: String,
    },
    /// It is encrypted to others.
    #[error("the incident `{0}` is encrypted to others")]
    Closed(String),
    /// It is closed already.
    #[error("the incident `{0}` is closed already")]
    ClosedBefore(String),
    /// Something of it remains to be done.
    #[error("of the incident `{id}` {open} not done")]
    StillOpen {
        /// Its name.
        id: String,
        /// How many entries, and the verb.
        open: String,
    },
}

/// An incident that could be read.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its file.
    pub path: PathBuf,
    /// Its name.
    pub id: String,
    /// What it says.
    pub incident: Incident,
    /// What was said of it later, each with its file, the oldest first.
    pub remarks: Vec<(PathBuf, Remark)>,
}

impl Known {
    /// Returns what closed it.
    pub fn closing(&self) -> Option<&Remark> {
        self.remarks.iter().map(|(_, remark)| remark).find(|remark| remark.closes)
    }

    /// Returns the first digits of its name.
    pub fn short(&self) -> &str {
        self.id.get(..SHORT).unwrap_or(&self.id)
    }
}

/// All incidents.
#[derive(Debug, Default)]
pub struct Incidents {
    /// Those that could be read, the newest first.
    pub known: Vec<Known>,
    /// The names of records that are encrypted to others.
    pub unread: Vec<String>,
    /// The names of records that could not be read for another reason, and why.
    pub failed: Vec<(String, OpError)>,
}

/// What an incident is to be about.
#[derive(Debug)]
pub struct Asked<'q> {
    /// What it is called.
    pub title: &'q str,
    /// Keys, people, entries, commits.
    pub about: &'q [&'q OsStr],
    /// Which of them, if they are to be no other.
    pub kind: Option<Kind>,
    /// Only what stood at this second or later counts.
    pub since: Option<i64>,
    /// Whether what is to be changed is put on the rotation list.
    pub rotates: bool,
}

/// An incident that was opened.
pub struct Opened {
    /// The incident.
    pub known: Known,
    /// What was put on the rotation list.
    pub prepared: Prepared,
    /// The commit.
    pub published: Published,
}

/// Opens an incident: the record and what is new on the rotation list are one commit. `now` is in seconds since 1970.
pub fn open(context: &Context<'_>, asked: &Asked<'_>, now: i64) -> Result<Opened, OpError> {
    let head = access::open(context)?.head_commit().map_err(StoreError::from)?;
    let title = asked.title.to_owned();
    // Of two that are opened in one second the later one is the newer one.
    let newest = list(context)?.known.first().map_or(i64::MIN, |known| known.incident.opened);
    let opened = if (now..now + ABREAST).contains(&newest) { newest + 1 } else { now };
    let (about, gaps) = (Vec::new(), Vec::new());
    let mut incident = Incident { title, opened, head, about, found: Vec::new(), unread: Vec::new(), gaps };
    let (mut found, mut wanted, mut unread) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    for name in asked.about {
        let what = Subject::Named(name, asked.kind);
        let question = Question { what, since: asked.since, decrypts: true };
        let (exposure, wishes) = rotate::by_exposure(context, &question, asked.title)?;
        add(context, &exposure, incident.about.len(), &mut found)?;
        incident.about.push(scope(name, &exposure));
        incident.gaps.extend(exposure.gaps);
        unread.extend(exposure.closed.into_iter().chain(exposure.perhaps));
        wanted.extend(wishes);
    }
    incident.gaps.sort();
    incident.gaps.dedup();
    incident.unread = unread.into_iter().filter(|path| !found.contains_key(path)).collect();
    incident.found = found.into_values().collect();
    incident.found.sort_by(|one, other| (one.verdict, &one.entry).cmp(&(other.verdict, &other.entry)));
    publish(context, incident, if asked.rotates { &wanted } else { &[] }, now)
}

fn publish(
    context: &Context<'_>,
    incident: Incident,
    wanted: &[Wanted],
    now: i64,
) -> Result<Opened, OpError> {
    let path = records::new_file(KIND)?;
    let id = id_of(&path);
    let prepared = match wanted {
        [] => Prepared::default(),
        wanted => rotate::prepare(context, wanted, Some(&id), now)?,
    };
    let known = Known { path: path.clone(), id, incident, remarks: Vec::new() };
    let mut all: Vec<Record> = prepared.records().collect();
    all.push(Record { path, seen: State::Absent, text: known.incident.to_text() });
    // What git keeps in clear tells nobody what happened.
    let subject = format!("Open incident {}.", known.short());
    let published = context.publish(|| records::plan(context, &all, &subject))?;
    Ok(Opened { known, prepared, published })
}

/// Returns what was asked about, as it is written down.
fn scope(name: &OsStr, exposure: &Exposure) -> Scope {
    let bearer = |reader: &Reader| bearer(&exposure.keyring, reader);
    let readers = || exposure.readers.keys().map(bearer).collect();
    match &exposure.target {
        Target::Keys(keys) => Scope::Keys {
            called: name.to_string_lossy().into_owned(),
            keys: keys.iter().map(bearer).collect(),
        },
        Target::Entry(file) => Scope::Entry { entry: file.clone(), readers: readers() },
        Target::Commit(commit) => Scope::Commit { commit: commit.to_string(), readers: readers() },
    }
}

fn bearer(keyring: &Keyring, reader: &Reader) -> Bearer {
    match reader {
        Reader::Key(key) => {
            let name = keyring.get(key).map(|key| key.name().to_owned()).unwrap_or_default();
            Bearer { key: key.to_string(), name }
        }
        other => Bearer { key: called(keyring, other), name: String::new() },
    }
}

/// Adds what the scope at `place` has exposed; an entry that several exposed is listed once, as it stands worst.
fn add(
    context: &Context<'_>,
    exposure: &Exposure,
    place: usize,
    all: &mut BTreeMap<PathBuf, Found>,
) -> Result<(), OpError> {
    for item in &exposure.items {
        let new = found(context, item, place)?;
        let merged = match all.remove(&item.path) {
            Some(known) => known.merged(new),
            None => new,
        };
        all.insert(item.path.clone(), merged);
    }
    Ok(())
}

fn found(context: &Context<'_>, item: &Item, place: usize) -> Result<Found, OpError> {
    let bytes = context.store.beneath().read(&item.path).map_err(StoreError::from)?;
    let is_open = |verdict: Verdict| matches!(verdict, Verdict::Valid | Verdict::Unknown);
    let meant = |verdict: Verdict| !is_open(item.verdict) || is_open(verdict);
    let secrets = item.secrets.iter().filter(|(_, verdict)| meant(*verdict));
    let secrets: BTreeSet<String> = secrets.map(|(secret, _)| secret.to_string()).collect();
    Ok(Found {
        entry: item.path.clone(),
        blob: bytes.and_then(|bytes| blob_id(&bytes)),
        verdict: item.verdict,
        secrets: secrets.into_iter().collect(),
        versions: item.versions,
        reads_now: item.reads_now,
        former: item.former.iter().cloned().collect(),
        scopes: vec![place],
    })
}

fn id_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns all incidents.
pub fn list(context: &Context<'_>) -> Result<Incidents, OpError> {
    let mut all = Incidents::default();
    let mut remarks = Vec::new();
    let mut judge = Judge::new(context, true);
    for path in records::files(context, KIND)? {
        let id = id_of(&path);
        let read = records::read(context, &mut judge, &path).and_then(|read| match read {
            Read::Text(text) => Ok(Some(Entry::parse(&text, &path)?)),
            Read::Gone => Ok(None),
            Read::Closed => {
                all.unread.push(id.clone());
                Ok(None)
            }
        });
        match read {
            Ok(Some(Entry::Incident(incident))) => {
                all.known.push(Known { path, id, incident, remarks: Vec::new() });
            }
            Ok(Some(Entry::Remark(remark))) => remarks.push((path, remark)),
            Ok(None) => {}
            Err(error) => all.failed.push((id, error)),
        }
    }
    remarks.sort_by_key(|(_, remark)| remark.when);
    for known in &mut all.known {
        known.remarks = remarks.extract_if(.., |(_, remark)| remark.of == known.id).collect();
    }
    all.known.sort_by(|one, other| (other.incident.opened, &one.id).cmp(&(one.incident.opened, &other.id)));
    Ok(all)
}

/// Returns all incidents, and of each that could be read how many entries are to be changed; and the rotation list, for what
/// could not be read of it.
pub fn overview(context: &Context<'_>) -> Result<(Incidents, Vec<usize>, Rotation), OpError> {
    let all = list(context)?;
    let mut rotation = rotate::list(context)?;
    let mut open = Vec::new();
    for known in &all.known {
        let accounts = case::accounts(context, known, &mut rotation.items)?;
        open.push(accounts.iter().filter(|account| account.standing.is_open()).count());
    }
    Ok((all, open, rotation))
}

/// Returns the incident whose name begins with `name`; without one, the newest that is open. What could not be read is
/// returned beside it: it may be about that one.
pub fn find(context: &Context<'_>, name: Option<&OsStr>) -> Result<(Known, Vec<OpError>), OpError> {
    let mut all = list(context)?;
    let Some(name) = name else {
        let open = all.known.into_iter().find(|known| known.closing().is_none());
        let mut failed: Vec<OpError> = all.failed.into_iter().map(|(_, error)| error).collect();
        return match open {
            Some(open) => Ok((open, failed)),
            None => Err(failed.pop().unwrap_or_else(|| match all.unread.first() {
                Some(id) => IncidentError::Closed(Shown::new(id).to_string()).into(),
                None => IncidentError::NoneOpen.into(),
            })),
        };
    };
    let wanted = name.to_string_lossy().to_ascii_lowercase();
    let is_meant = |id: &str| wanted.len() >= LEAST && id.starts_with(&wanted);
    let mut meant: Vec<Known> = all.known.extract_if(.., |known| is_meant(&known.id)).collect();
    if meant.len() > 1 {
        let several: Vec<&str> = meant.iter().map(|known| &*known.id).collect();
        let several = Shown::new(&several.join(", ")).to_string();
        return Err(IncidentError::Ambiguous { name: Shown::os(name).to_string(), several }.into());
    }
    if let Some(known) = meant.pop() {
        return Ok((known, all.failed.into_iter().map(|(_, error)| error).collect()));
    }
    Err(match all.failed.into_iter().find(|(id, _)| is_meant(id)) {
        Some((_, error)) => error,
        None => match all.unread.iter().find(|id| is_meant(id)) {
            Some(id) => IncidentError::Closed(Shown::new(id).to_string()).into(),
            None => IncidentError::Nothing(Shown::os(name).to_string()).into(),
        },
    })
}

/// Adds a note to an incident. `now` is in seconds since 1970.
pub fn note(
    context: &Context<'_>,
    name: Option<&OsStr>,
    text: &str,
    now: i64,
) -> Result<(Known, Published), OpError> {
    let (known, _) = find(context, name)?;
    let subject = format!("Add a note to incident {}.", known.short());
    let published = remark(context, &known, text, false, &subject, now)?;
    Ok((known, published))
}

/// Closes an incident; with `force`, also where something remains to be done. `now` is in seconds since 1970.
pub fn close(
    context: &Context<'_>,
    name: Option<&OsStr>,
    why: &str,
    force: bool,
    now: i64,
) -> Result<(Known, Published), OpError> {
    let (known, failed) = find(context, name)?;
    let id = Shown::new(known.short()).to_string();
    if known.closing().is_some() {
        return Err(IncidentError::ClosedBefore(id).into());
    }
    let subject = format!("Close incident {}.", known.short());
    let known = match force {
        true => known,
        false => {
            let case = case(context, known, failed)?;
            let open = case.accounts.iter().filter(|account| account.standing.is_open()).count();
            if open > 0 {
                let open = if open == 1 { "1 entry is".to_owned() } else { format!("{open} entries are") };
                return Err(IncidentError::StillOpen { id, open }.into());
            }
            case.known
        }
    };
    let published = remark(context, &known, why, true, &subject, now)?;
    Ok((known, published))
}

/// Writes down what somebody has to say.
fn remark(
    context: &Context<'_>,
    known: &Known,
    text: &str,
    closes: bool,
    subject: &str,
    now: i64,
) -> Result<Published, OpError> {
    let remark = Remark { of: known.id.clone(), when: now, closes, text: text.to_owned() };
    let record = Record { path: records::new_file(KIND)?, seen: State::Absent, text: remark.to_text() };
    context.publish(|| records::plan(context, std::slice::from_ref(&record), subject))
}
