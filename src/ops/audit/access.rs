//! Who can read the entries of each folder, now or at a moment in the past.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::past::{History, day_of, short};
use super::{AuditError, Moment, Past};
use crate::crypto::RecipientError;
use crate::git::versions::{Content, Reach};
use crate::git::{Oid, Repo};
use crate::model::entry::{is_credential, is_record};
use crate::model::{Fingerprint, FolderName, GpgId, KeyId, Keyring, Shown, day};
use crate::ops::readers::{self, Reader, Tally};
use crate::ops::{Context, OpError};
use crate::store::StoreError;
use crate::store::survey::{Standing, Survey};

/// A moment that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// The second, since 1970, and how it was written.
    Time(i64, String),
    /// What git knows a commit of the store's own repository by.
    Revision(String),
}

/// Who can read what.
pub struct Access {
    /// For each repository the commit that was looked at; none where the work tree was.
    pub moments: Vec<(PathBuf, Moment)>,
    /// The newest commits of that time which the ones looked at do not stand on.
    pub beside: Vec<Moment>,
    /// The keyring.
    pub keyring: Keyring,
    /// Keys that travel with the store, and are not in the keyring.
    pub waiting: Keyring,
    /// The folders that have lists.
    pub folders: Vec<Folder>,
    /// Why the answer may lack something.
    pub gaps: Vec<String>,
}

/// The entries that one list rules.
#[derive(Debug, Default)]
pub struct Folder {
    /// The folder whose list that is; none for entries that no list rules.
    pub folder: Option<PathBuf>,
    /// How many entries there are.
    pub entries: usize,
    /// Who can read how many of them, and is named.
    pub readers: BTreeMap<Reader, Tally>,
    /// Names on the list that no key is known for. Not safe to show.
    pub unknown: Vec<String>,
    /// Entries of which nobody can tell, as they are no messages.
    pub broken: Vec<PathBuf>,
}

/// An entry and what was found of it.
struct Found {
    path: PathBuf,
    list: Option<PathBuf>,
    /// None of what is no message.
    readers: Option<Vec<KeyId>>,
}

/// What a list names.
#[derive(Default)]
struct Named {
    keys: BTreeSet<Fingerprint>,
    unknown: Vec<String>,
}

/// Returns who can read what is at and below `folder`, or the entry of that name.
pub fn access(context: &Context<'_>, path: &std::ffi::OsStr, at: Option<&At>) -> Result<Access, OpError> {
    let mut found = match at {
        None => now(context, path),
        Some(at) => then(context, path, at),
    }?;
    found.gaps.extend(broken(&found.folders));
    Ok(found)
}

/// Says how many entries are no messages; nothing if none is.
pub(super) fn broken(folders: &[Folder]) -> Option<String> {
    match folders.iter().map(|folder| folder.broken.len()).sum() {
        0 => None,
        1 => Some("1 entry is no message, so that nobody can tell who reads it".to_owned()),
        count => Some(format!("{count} entries are no messages, so that nobody can tell who reads them")),
    }
}

/// The same as it stands in the work tree.
fn now(context: &Context<'_>, path: &std::ffi::OsStr) -> Result<Access, OpError> {
    let survey = readers::survey(context, path)?;
    let waiting = readers::waiting(context, &survey);
    let folders = standing(&survey);
    Ok(Access {
        moments: Vec::new(),
        beside: Vec::new(),
        folders,
        waiting,
        keyring: survey.keyring,
        gaps: Vec::new(),
    })
}

/// Counts who can read what of the work tree.
pub(super) fn standing(survey: &Survey) -> Vec<Folder> {
    let entries = survey.entries.iter().filter(|entry| !is_record(&entry.path));
    let found = entries.map(|entry| Found {
        path: entry.path.clone(),
        list: entry.list.clone(),
        // What no list rules says all the same who can read it.
        readers: match (&entry.standing, entry.readers.is_empty()) {
            (Standing::Broken(_), true) => None,
            _ => Some(entry.readers.clone()),
        },
    });
    let named = survey.lists.iter().map(|(file, list)| {
        let unknown = list.lines.iter().filter(|line| readers::is_missing(line));
        let unknown = unknown.map(|line| line.id.clone()).collect();
        (file.clone(), Named { keys: list.named.clone(), unknown })
    });
    folders(&survey.keyring, found.collect(), &named.collect())
}

/// The same as it was.
fn then(context: &Context<'_>, path: &std::ffi::OsStr, at: &At) -> Result<Access, OpError> {
    let path = FolderName::parse(path)?.as_path().to_path_buf();
    let past = Past::read(context)?;
    let mut gaps = past.gaps();
    let keys = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
    let keyring = Keyring::new(keys);
    let (mut found, mut lists) = (Vec::new(), BTreeMap::new());
    let (mut moments, mut beside) = (Vec::new(), Vec::new());
    let mut second = match at {
        At::Time(second, _) => Some(*second),
        At::Revision(_) => None,
    };
    for history in &past.histories {
        let moment = match (at, second) {
            (At::Revision(rev), None) => Some(named(history, rev)?),
            (_, second) => {
                let (moment, others) = at_second(history, second.unwrap_or(i64::MAX));
                beside.extend(others);
                moment
            }
        };
        let Some(moment) = moment else { continue };
        second.get_or_insert(moment.when);
        look(&past, history, moment.commit, &path, &mut found, &mut lists, &mut gaps)?;
        moments.push((history.repo.prefix().to_path_buf(), moment));
    }
    if moments.is_empty() {
        return Err(too_early(&past, at).into());
    }
    if found.is_empty() && !path.as_os_str().is_empty() {
        let (_, moment) = &moments[0];
        return Err(OpError::NotFound(format!("{} as of {}", Shown::os(&path), short(moment.commit))));
    }
    let named = name_all(context, &keyring, &lists)?;
    let folders = folders(&keyring, found, &named);
    let waiting = readers::all_waiting(context, &keyring);
    Ok(Access { moments, beside, folders, keyring, waiting, gaps })
}

fn too_early(past: &Past, at: &At) -> AuditError {
    let commits = past.histories.iter().flat_map(|history| &history.versions.commits);
    let first = commits.map(|commit| commit.committed).min();
    let asked = match at {
        At::Time(_, text) | At::Revision(text) => Shown::new(text).to_string(),
    };
    first.map_or(AuditError::NoGit, |first| AuditError::TooEarly { asked, first: day(first) })
}

/// Returns the commit that `rev` names.
fn named(history: &History, rev: &str) -> Result<Moment, OpError> {
    let commit = history.repo.commit_named(rev).map_err(StoreError::from)?;
    let known = history.versions.commits.iter().find(|known| known.id == commit);
    Ok(known.map_or(Moment { commit, when: i64::MAX }, Moment::from))
}

/// Returns the newest commit of HEAD's history that is not newer than `second`, as `git rev-list -1 --before` would;
/// and those of other lines of history that ran beside it then.
fn at_second(history: &History, second: i64) -> (Option<Moment>, Vec<Moment>) {
    let commits = &history.versions.commits;
    let places: HashMap<Oid, usize> =
        commits.iter().enumerate().map(|(place, commit)| (commit.id, place)).collect();
    let mut seen = HashSet::new();
    let mut open: BinaryHeap<(i64, usize)> = BinaryHeap::new();
    // The commits of HEAD's that no other of HEAD's has for a parent: HEAD itself.
    let children: HashSet<Oid> = commits
        .iter()
        .filter(|commit| commit.reach == Reach::Head)
        .flat_map(|commit| commit.parents().iter().copied())
        .collect();
    let heads = commits.iter().enumerate().filter(|(_, commit)| commit.reach == Reach::Head);
    for (place, commit) in heads.filter(|(_, commit)| !children.contains(&commit.id)) {
        open.push((commit.committed, place));
    }
    let mut tips: Vec<usize> = Vec::new();
    while let Some((when, place)) = open.pop() {
        if !seen.insert(place) {
            continue;
        }
        if when <= second {
            tips.push(place);
            continue;
        }
        let parents = commits[place].parents().iter().filter_map(|parent| places.get(parent));
        open.extend(parents.map(|parent| (commits[*parent].committed, *parent)));
    }
    let Some((first, others)) = tips.split_first() else { return (None, Vec::new()) };
    let (mut held, mut open) = (HashSet::new(), vec![*first]);
    while let Some(place) = open.pop() {
        if held.insert(place) {
            open.extend(commits[place].parents().iter().filter_map(|parent| places.get(parent)));
        }
    }
    let beside = others.iter().filter(|place| !held.contains(place));
    (Some(Moment::from(&commits[*first])), beside.map(|place| Moment::from(&commits[*place])).collect())
}

/// Collects the entries and lists of a commit.
fn look(
    past: &Past,
    history: &History,
    commit: Oid,
    path: &Path,
    found: &mut Vec<Found>,
    lists: &mut BTreeMap<PathBuf, Vec<String>>,
    gaps: &mut Vec<String>,
) -> Result<(), OpError> {
    let tree = history.repo.tree_of(commit).map_err(StoreError::from)?;
    let files = tree.below(Path::new("")).map_err(StoreError::from)?;
    let regular = files.iter().filter(|(_, _, mode)| (0o100_000..0o120_000).contains(mode));
    let mut entries = Vec::new();
    for (file, blob, _) in regular {
        if file.file_name().is_some_and(|name| name == ".gpg-id") {
            let lines = match history.repo.blob(*blob) {
                Ok(bytes) => GpgId::from_bytes(bytes).lines(),
                Err(_) => {
                    gaps.push(format!("`{}` cannot be read as it was", Shown::os(&history.in_store(file))));
                    Vec::new()
                }
            };
            lists.insert(history.in_store(file), lines.into_iter().map(|line| line.id).collect());
        } else if is_credential(&history.in_store(file)) {
            entries.push((history.in_store(file), *blob));
        }
    }
    for (file, blob) in entries {
        if !file.starts_with(path) && file.with_extension("") != path {
            continue;
        }
        let content = match past.content(blob) {
            Some(content) => content.clone(),
            None => read(&history.repo, blob),
        };
        let readers = match content {
            Content::Message { readers, .. } => Some(readers.to_vec()),
            Content::Other => None,
            Content::Missing => {
                gaps.push(format!("`{}` cannot be read as it was", Shown::os(&file.with_extension(""))));
                None
            }
        };
        let list = file.ancestors().skip(1).map(|folder| folder.join(".gpg-id"));
        let list = list.into_iter().find(|list| lists.contains_key(list));
        found.push(Found { path: file, list, readers });
    }
    Ok(())
}

/// Reads a blob that no ref leads to any more.
fn read(repo: &Repo, blob: Oid) -> Content {
    repo.blob(blob).map_or(Content::Missing, |bytes| super::past::content_of(&bytes))
}

/// Returns whom the lists name.
fn name_all(
    context: &Context<'_>,
    keyring: &Keyring,
    lists: &BTreeMap<PathBuf, Vec<String>>,
) -> Result<BTreeMap<PathBuf, Named>, OpError> {
    let ids: BTreeSet<&str> = lists.values().flatten().map(String::as_str).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut found = BTreeMap::new();
    for (id, keys) in ids.iter().zip(context.crypto.resolve_all(&ids)) {
        found.insert(
            *id,
            match keys {
                Ok(keys) => keys.into_iter().map(|key| key.fingerprint).collect(),
                Err(RecipientError::Unusable { fingerprint, .. }) => {
                    vec![keyring.primary_of(&fingerprint).cloned().unwrap_or(fingerprint)]
                }
                // That we could not look says nothing about the recipient.
                Err(source @ RecipientError::Lookup { .. }) => {
                    return Err(OpError::Key { id: Shown::new(*id).to_string(), source });
                }
                Err(_) => Vec::new(),
            },
        );
    }
    let named = lists.iter().map(|(file, ids)| {
        let mut named = Named::default();
        for id in ids {
            match &found[id.as_str()][..] {
                [] => named.unknown.push(id.clone()),
                keys => named.keys.extend(keys.iter().cloned()),
            }
        }
        (file.clone(), named)
    });
    Ok(named.collect())
}

/// Counts who can read what, list by list.
fn folders(keyring: &Keyring, found: Vec<Found>, lists: &BTreeMap<PathBuf, Named>) -> Vec<Folder> {
    let mut folders: BTreeMap<Option<PathBuf>, Folder> = BTreeMap::new();
    for entry in found {
        let of = entry.list.as_deref().and_then(Path::parent).map(Path::to_path_buf);
        let folder = folders.entry(of.clone()).or_insert_with(|| Folder { folder: of, ..Folder::default() });
        folder.entries += 1;
        if let Some(named) = entry.list.as_ref().and_then(|list| lists.get(list)) {
            for key in &named.keys {
                folder.readers.entry(Reader::Key(key.clone())).or_default().named += 1;
            }
            if folder.unknown.is_empty() {
                folder.unknown.clone_from(&named.unknown);
            }
        }
        match entry.readers {
            Some(ids) => {
                let readers: BTreeSet<Reader> =
                    ids.iter().flat_map(|id| readers::of_id(keyring, *id)).collect();
                for reader in readers {
                    folder.readers.entry(reader).or_default().reads += 1;
                }
            }
            None => folder.broken.push(entry.path),
        }
    }
    folders.into_values().collect()
}

/// Returns a moment, as people write it.
pub fn shown(moment: Moment) -> String {
    match moment.when {
        i64::MAX => short(moment.commit),
        _ => format!("{} ({})", short(moment.commit), day_of(moment)),
    }
}
