//! What is kept of a walk, as bytes.
//!
//! Format 1: the line `passel-versions 1`; the paths; the sets of key IDs; the blobs, each as its id, its kind (0 a
//! message without encrypted data, 1 a message, 2 something else), the beginning of its encrypted data and the number of
//! its set; the commits, each as its id, its parents' ids and its two times; what came, each as the numbers of its
//! commit, its path and its blob (counted from 1; 0 where something went), then 1 if a parent has the file as well, or 0;
//! the SHA-256 of all that. Lists and paths
//! begin with their length; numbers have 32 bits, times 64, the low ones first. What a commit brought and what a blob
//! says never changes; commits of which anything is missing are left out, as are blobs, so that nothing in here can be
//! outdated. What is damaged or of another format is as good as none.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::rc::Rc;

use git2::Oid;
use sha2::{Digest as _, Sha256};

use super::{Came, Content, Reach, Versions, Walked};
use crate::git::bytes::{Rest, number};
use crate::model::KeyId;

// What messages are taken to say is a part of the format: where that changes, so must the number.
const FIRST_LINE: &[u8] = b"passel-versions 1\n";

/// Stands for no time.
const NEVER: i64 = i64::MIN;

/// What was kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub commits: Vec<Walked>,
    pub came: Vec<Came>,
    pub blobs: HashMap<Oid, Content>,
}

/// Returns what these bytes tell; none if they are not what [`bytes`] returns.
pub(super) fn parse(bytes: &[u8]) -> Option<Kept> {
    let (content, sum) = bytes.split_last_chunk::<32>()?;
    if Sha256::digest(content)[..] != *sum {
        return None;
    }
    let mut rest = Rest(content.strip_prefix(FIRST_LINE)?);
    let paths = rest.list(Rest::path)?;
    let sets = rest.list(|rest| {
        let ids = rest.list(|rest| Some(KeyId(u64::from_le_bytes(rest.take()?))))?;
        Some(Rc::<[KeyId]>::from(ids))
    })?;
    let blobs = rest.list(|rest| {
        let (id, [kind], body) = (rest.id()?, rest.take()?, rest.take()?);
        let readers = rest.number()?;
        Some((
            id,
            match kind {
                0 | 1 => Content::Message {
                    readers: Rc::clone(sets.get(readers)?),
                    body: (kind == 1).then_some(body),
                },
                _ => Content::Other,
            },
        ))
    })?;
    let commits = rest.list(|rest| {
        let (id, parents) = (rest.id()?, rest.list(Rest::id)?);
        let (when, committed) = (i64::from_le_bytes(rest.take()?), i64::from_le_bytes(rest.take()?));
        Some(Walked {
            id,
            when: Some(when).filter(|when| *when != NEVER),
            committed,
            reach: Reach::Log,
            parents,
        })
    })?;
    let came = rest.list(|rest| {
        let (commit, path, blob, [was]) = (rest.number()?, rest.number()?, rest.number()?, rest.take()?);
        let blob = match blob.checked_sub(1) {
            Some(place) => Some(blobs.get(place)?.0),
            None => None,
        };
        commits.get(commit)?;
        Some(Came { commit, path: Rc::clone(paths.get(path)?), blob, was: was == 1 })
    })?;
    rest.0.is_empty().then(|| Kept { commits, came, blobs: blobs.into_iter().collect() })
}

/// Returns the bytes that stand for what was walked, without the commits that are `unsure`.
pub(super) fn bytes(versions: &Versions, unsure: &BTreeSet<Oid>) -> Vec<u8> {
    let is_missing = |came: &&Came| {
        came.blob.is_some_and(|blob| matches!(versions.blobs.get(&blob), None | Some(Content::Missing)))
    };
    let missing: BTreeSet<usize> = versions.came.iter().filter(is_missing).map(|came| came.commit).collect();
    let mut places: HashMap<usize, usize> = HashMap::new();
    let (mut paths, mut sets, mut blobs) = (Numbered::default(), Numbered::default(), Numbered::default());
    let (mut commits, mut came, mut contents) = (Vec::new(), Vec::new(), Vec::new());
    for (place, commit) in versions.commits.iter().enumerate() {
        if unsure.contains(&commit.id) || missing.contains(&place) {
            continue;
        }
        places.insert(place, places.len());
        commits.extend(commit.id.as_bytes());
        commits.extend(number(commit.parents.len()));
        commit.parents.iter().for_each(|parent| commits.extend(parent.as_bytes()));
        commits.extend(commit.when.unwrap_or(NEVER).to_le_bytes());
        commits.extend(commit.committed.to_le_bytes());
    }
    let mut count = 0;
    for one in &versions.came {
        let Some(commit) = places.get(&one.commit) else { continue };
        count += 1;
        let blob = one.blob.map_or(0, |blob| 1 + blobs.number(blob));
        [*commit, paths.number(&*one.path), blob].into_iter().for_each(|place| came.extend(number(place)));
        came.push(u8::from(one.was));
    }
    for blob in &blobs.all {
        let (kind, body, readers) = match &versions.blobs[blob] {
            Content::Message { readers, body } => {
                (u8::from(body.is_some()), body.unwrap_or_default(), &readers[..])
            }
            _ => (2, [0; 32], &[][..]),
        };
        contents.extend(blob.as_bytes());
        contents.push(kind);
        contents.extend(body);
        contents.extend(number(sets.number(readers)));
    }
    let mut all = FIRST_LINE.to_vec();
    all.extend(number(paths.all.len()));
    for path in &paths.all {
        let path: &Path = path;
        all.extend(number(path.as_os_str().len()));
        all.extend(path.as_os_str().as_bytes());
    }
    all.extend(number(sets.all.len()));
    for set in &sets.all {
        all.extend(number(set.len()));
        set.iter().for_each(|id| all.extend(id.0.to_le_bytes()));
    }
    for (count, bytes) in [(blobs.all.len(), contents), (places.len(), commits), (count, came)] {
        all.extend(number(count));
        all.extend(bytes);
    }
    let sum = Sha256::digest(&all);
    all.extend(sum);
    all
}

/// Things, each with a number.
struct Numbered<T> {
    all: Vec<T>,
    numbers: HashMap<T, usize>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered { all: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Numbered<T> {
    fn number(&mut self, one: T) -> usize {
        *self.numbers.entry(one).or_insert_with(|| {
            self.all.push(one);
            self.all.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> Oid {
        Oid::from_bytes(&[number; 20]).unwrap()
    }

    #[test]
    fn survives_write_and_read_and_nothing_else_does() {
        let path: Rc<Path> = Path::new("web/a.gpg").into();
        let walked =
            |number, parents, when| Walked { id: id(number), when, committed: 7, reach: Reach::Log, parents };
        let came =
            |commit, blob: Option<Oid>| Came { commit, path: Rc::clone(&path), blob, was: blob.is_none() };
        let readers: Rc<[KeyId]> = [KeyId(1), KeyId(u64::MAX)].into();
        let versions = Versions {
            commits: vec![
                walked(1, vec![], Some(-5)),
                walked(2, vec![id(1), id(9)], None),
                walked(3, vec![id(2)], Some(8)),
            ],
            came: vec![came(0, Some(id(21))), came(1, Some(id(22))), came(1, None), came(2, Some(id(23)))],
            blobs: [
                (id(21), Content::Message { readers: Rc::clone(&readers), body: Some([3; 32]) }),
                (id(22), Content::Other),
                (id(23), Content::Missing),
            ]
            .into(),
            ..Versions::default()
        };
        let bytes = bytes(&versions, &BTreeSet::new());
        let Kept { commits, came, blobs } = parse(&bytes).expect("it is whole");
        assert_eq!(commits, versions.commits[..2], "the third has a blob that is not here");
        assert_eq!(came, versions.came[..3]);
        assert_eq!(blobs.len(), 2);
        assert_eq!(blobs[&id(21)], versions.blobs[&id(21)]);
        for end in 0..bytes.len() {
            assert!(parse(&bytes[..end]).is_none());
            let mut damaged = bytes.clone();
            damaged[end] ^= 1;
            assert!(parse(&damaged).is_none());
        }
    }
}
