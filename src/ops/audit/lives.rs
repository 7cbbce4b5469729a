//! The lives of entries: what stood at a path from its coming to its going, followed through moves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::Past;
use super::past::{History, Moment};
use super::values::Values;
use crate::git::Oid;
use crate::git::versions::{Came, Content, Reach};
use crate::model::KeyId;
use crate::model::entry::is_credential;

/// A version of an entry.
#[derive(Debug, Clone)]
pub struct Version {
    /// The place of its repository in the store's histories.
    pub history: usize,
    /// Its file in the store.
    pub path: PathBuf,
    /// Its blob.
    pub blob: Oid,
    /// The commit that brought it.
    pub came: Moment,
    /// The place of that commit in its history, behind those that it stands on.
    pub order: usize,
    /// When something else took its place, in seconds since 1970; none if nothing did.
    pub until: Option<i64>,
    /// What leads to that commit.
    pub reach: Reach,
}

/// An entry, or what was one.
#[derive(Debug, Default)]
pub struct Life {
    /// Its versions, each commit's after those of its parents.
    pub versions: Vec<Version>,
    /// Where it stands in HEAD; several files after a move that two people made differently.
    pub now: BTreeSet<PathBuf>,
}

/// What is looked for in a commit: what went and what came.
#[derive(Default)]
struct Step {
    gone: Vec<(PathBuf, Option<Version>, usize)>,
    new: Vec<usize>,
}

/// Follows all entries. `values` tells whether an entry that was encrypted anew is the one that went.
pub fn lives(past: &Past, values: &mut Values<'_, '_>) -> Vec<Life> {
    let mut all: Vec<Life> = Vec::new();
    let mut parent: Vec<usize> = Vec::new();
    for (place, history) in past.histories.iter().enumerate() {
        let mut alive: HashMap<PathBuf, usize> = HashMap::new();
        let mut last: HashMap<PathBuf, usize> = HashMap::new();
        let chunks = history.versions.came.chunk_by(|one, other| one.commit == other.commit);
        for (order, came) in chunks.enumerate() {
            let mut step = Step::default();
            let commit = &history.versions.commits[came[0].commit];
            for Came { path, blob, was, .. } in came {
                let path = history.in_store(path);
                // What another line of history has removed goes on where it was not.
                let life = alive.get(&path).copied().or_else(|| last.get(&path).copied().filter(|_| *was));
                if let Some(life) = life
                    && let Some(version) = all[life].versions.last_mut()
                {
                    version.until = Some(commit.committed);
                }
                match (blob, life) {
                    (None, Some(life)) => {
                        alive.remove(&path);
                        step.gone.push((path, all[life].versions.last().cloned(), life));
                    }
                    (None, None) => {}
                    (Some(blob), life) => {
                        if let Some(life) = life {
                            alive.insert(path.clone(), life);
                        }
                        let life = life.unwrap_or_else(|| {
                            all.push(Life::default());
                            parent.push(parent.len());
                            step.new.push(all.len() - 1);
                            alive.insert(path.clone(), all.len() - 1);
                            last.insert(path.clone(), all.len() - 1);
                            all.len() - 1
                        });
                        all[life].versions.push(Version {
                            history: place,
                            path,
                            blob: *blob,
                            came: Moment::from(commit),
                            order,
                            until: None,
                            reach: commit.reach,
                        });
                    }
                }
            }
            for (new, old) in moves(past, history, &all, &step, values) {
                let (new, old) = (find(&mut parent, new), find(&mut parent, old));
                parent[new] = old;
            }
        }
        stand(history, &mut all, &last);
    }
    joined(all, parent)
}

/// Notes which files stand in HEAD.
fn stand(history: &History, all: &mut [Life], last: &HashMap<PathBuf, usize>) {
    let wanted = |path: &Path| is_credential(&history.in_store(path));
    let files = history.repo.head_files(&wanted).unwrap_or_default();
    for (path, blob) in files {
        let path = history.in_store(&path);
        if let Some(life) = last.get(&path) {
            // Another line of history may have seen it changed, or go.
            for version in &mut all[*life].versions {
                if version.blob == blob && version.path == path {
                    version.until = None;
                }
            }
            all[*life].now.insert(path);
        }
    }
}

/// Returns which of the new files of a commit are files that went with it.
fn moves(
    past: &Past,
    history: &History,
    all: &[Life],
    step: &Step,
    values: &mut Values<'_, '_>,
) -> Vec<(usize, usize)> {
    let mut left: Vec<&(PathBuf, Option<Version>, usize)> = step.gone.iter().collect();
    let mut found = Vec::new();
    for new in &step.new {
        let Some(version) = all[*new].versions.last() else { continue };
        let matching = |left: &[&(PathBuf, Option<Version>, usize)],
                        same: &mut dyn FnMut(&Version) -> bool| {
            left.iter().position(|(_, old, _)| old.as_ref().is_some_and(&mut *same))
        };
        let mut place = matching(&left, &mut |old| same_data(history, old.blob, version.blob));
        if place.is_none() && !left.is_empty() {
            let print = whole(past, version, values);
            place =
                print.and_then(|print| matching(&left, &mut |old| whole(past, old, values) == Some(print)));
            // Where nobody can tell here: a file of the same name, or the only one.
            let mut untold = |old: &Version| print.is_none() || whole(past, old, values).is_none();
            if place.is_none() {
                let name = version.path.file_name();
                place = matching(&left, &mut |old| old.path.file_name() == name && untold(old));
            }
            if place.is_none() && left.len() == 1 && step.new.len() == 1 {
                place = matching(&left, &mut untold);
            }
        }
        if let Some(place) = place {
            found.push((*new, left.remove(place).2));
        }
    }
    found
}

/// Whether two blobs hold the same encrypted data.
fn same_data(history: &History, one: Oid, other: Oid) -> bool {
    let body = |blob: Oid| match history.versions.blobs.get(&blob) {
        Some(Content::Message { body, .. }) => *body,
        _ => None,
    };
    one == other || body(one).is_some_and(|found| body(other) == Some(found))
}

/// Returns the print of all that a version says; none if it cannot be read here.
fn whole(past: &Past, version: &Version, values: &mut Values<'_, '_>) -> Option<[u8; 32]> {
    let (readers, body) = message(past, version.blob)?;
    values
        .of(&version.path, body, readers, || past.blob(version.history, version.blob))
        .map(|prints| prints.whole)
}

/// Returns who can read a message, and what its encrypted data are known by.
pub fn message(past: &Past, blob: Oid) -> Option<(&[KeyId], [u8; 32])> {
    match past.content(blob)? {
        Content::Message { readers, body: Some(body) } => Some((readers, *body)),
        _ => None,
    }
}

fn find(parent: &mut [usize], mut one: usize) -> usize {
    while parent[one] != one {
        parent[one] = parent[parent[one]];
        one = parent[one];
    }
    one
}

/// Puts together what was moved.
fn joined(all: Vec<Life>, mut parent: Vec<usize>) -> Vec<Life> {
    let mut found: BTreeMap<usize, Life> = BTreeMap::new();
    for (place, life) in all.into_iter().enumerate() {
        let whole = found.entry(find(&mut parent, place)).or_default();
        whole.versions.extend(life.versions);
        whole.now.extend(life.now);
    }
    found.into_values().collect()
}

/// Whether the life is that of an entry whose file is `path`: the one that stands there, and what once stood there and is
/// no more.
pub fn is_of(life: &Life, path: &Path) -> bool {
    let stood = || life.versions.iter().any(|version| version.path == path);
    life.now.contains(path) || (life.now.is_empty() && stood())
}

/// Whether there is or was an entry whose file is `path`.
pub fn is_known(lives: &[Life], path: &Path) -> bool {
    lives.iter().any(|life| is_of(life, path))
}
