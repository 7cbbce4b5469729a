//! What a tree holds that an older one does not, read from their bytes.
//!
//! Trees that follow each other differ in an entry or two. libgit2 compares them name by name, which costs
//! minutes over the history of a folder with ten thousand entries; here, what is the same to the byte at
//! either end is passed over. Names need not be in order.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::mem;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{ObjectType, Odb, OdbObject, Oid};

use super::{GitError, git_error};

/// How many folders are read of one tree, and how many files found. A few trees that name each other again and
/// again stand for any number.
const MOST: usize = 500_000;

/// A file that a tree holds, but an older one does not hold as it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct New {
    /// Its path.
    pub path: PathBuf,
    /// Its blob.
    pub blob: Oid,
    /// The blob that the older tree has in its place; several in a tree that holds a name more than once.
    pub before: Vec<Oid>,
}

/// What two trees do not hold alike, by path: the blob in the older one, and that in the newer one.
pub(super) type Differences = BTreeMap<PathBuf, (Option<Oid>, Option<Oid>)>;

/// Reads trees; those of the last step are kept, for the next one will ask for most of them again.
pub(super) struct Trees<'o> {
    odb: &'o Odb<'o>,
    last: HashMap<Oid, Rc<OdbObject<'o>>>,
    these: HashMap<Oid, Rc<OdbObject<'o>>>,
}

/// An entry of a tree.
struct Entry<'t> {
    name: &'t [u8],
    kind: Kind,
    id: Oid,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
    Submodule,
}

impl<'o> Trees<'o> {
    pub(super) fn new(odb: &'o Odb<'o>) -> Self {
        Trees { odb, last: HashMap::new(), these: HashMap::new() }
    }

    /// Begins the next step.
    pub(super) fn step(&mut self) {
        self.last = mem::take(&mut self.these);
    }

    fn read(&mut self, id: Oid) -> Result<Rc<OdbObject<'o>>, GitError> {
        if let Some(tree) = self.these.get(&id) {
            return Ok(Rc::clone(tree));
        }
        let tree = match self.last.remove(&id) {
            Some(tree) => tree,
            None => Rc::new(self.odb.read(id).map_err(git_error("read a tree"))?),
        };
        if tree.kind() != ObjectType::Tree {
            return Err(malformed(id));
        }
        self.these.insert(id, Rc::clone(&tree));
        Ok(tree)
    }

    /// Returns the files in the tree `new` that `wanted` says yes to and that `old`, if there is an older tree,
    /// does not hold at the same path.
    pub(super) fn new_files(
        &mut self,
        old: Option<Oid>,
        new: Oid,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<New>, GitError> {
        self.new_of(&[Kind::File], old, new, wanted)
    }

    /// Whether two trees hold other files or links of those that `wanted` says yes to.
    pub(super) fn have_others(
        &mut self,
        old: Oid,
        new: Oid,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> Result<bool, GitError> {
        let kinds = [Kind::File, Kind::Link];
        Ok(!self.new_of(&kinds, Some(old), new, wanted)?.is_empty()
            || !self.new_of(&kinds, Some(new), old, wanted)?.is_empty())
    }

    /// Returns the files and links that two trees do not hold alike, each with what the older one has in its place
    /// and what the newer one has.
    pub(super) fn differences(
        &mut self,
        old: Option<Oid>,
        new: Option<Oid>,
    ) -> Result<Differences, GitError> {
        let kinds = [Kind::File, Kind::Link];
        let mut found = Differences::new();
        if let Some(new) = new {
            for file in self.new_of(&kinds, old, new, &|_| true)? {
                found.insert(file.path, (file.before.first().copied(), Some(file.blob)));
            }
        }
        if let Some(old) = old {
            for file in self.new_of(&kinds, new, old, &|_| true)? {
                found.entry(file.path).or_insert((None, None)).0 = Some(file.blob);
            }
        }
        Ok(found)
    }

    /// Returns the regular files that two trees do not hold alike, and which of them the older one holds too.
    pub(super) fn file_changes(
        &mut self,
        old: Option<Oid>,
        new: Oid,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> Result<BTreeMap<PathBuf, (bool, Option<Oid>)>, GitError> {
        let mut found = BTreeMap::new();
        for file in self.new_of(&[Kind::File], old, new, wanted)? {
            found.insert(file.path, (!file.before.is_empty(), Some(file.blob)));
        }
        if let Some(old) = old {
            for file in self.new_of(&[Kind::File], Some(new), old, wanted)? {
                found.entry(file.path).or_insert((true, None)).0 = true;
            }
        }
        Ok(found)
    }

    /// The same as [`Trees::new_files`] for whatever is of one of these kinds.
    fn new_of(
        &mut self,
        kinds: &[Kind],
        old: Option<Oid>,
        new: Oid,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<New>, GitError> {
        let (mut found, mut read) = (Vec::new(), 0);
        let mut open = vec![(Vec::new(), old, new)];
        while let Some((folder, old, new)) = open.pop() {
            read += 1;
            if read > MOST || found.len() > MOST {
                return Err(GitError::TooLarge { commit: String::new() });
            }
            if old == Some(new) {
                continue;
            }
            let tree = self.read(new)?;
            let older = old.map(|old| self.read(old)).transpose()?;
            let older = older.as_deref().map_or(&[][..], OdbObject::data);
            let (changed, instead) = middles(tree.data(), older).ok_or_else(|| malformed(new))?;
            let mut before: HashMap<&[u8], Vec<Entry<'_>>> = HashMap::new();
            for entry in entries(instead) {
                before.entry(entry.name).or_default().push(entry);
            }
            for entry in entries(changed) {
                let path = match folder.is_empty() {
                    true => entry.name.to_vec(),
                    false => [&folder, &b"/"[..], entry.name].concat(),
                };
                let before = before.get(entry.name).map_or(&[][..], Vec::as_slice);
                let mut before = before.iter().filter(|old| old.kind == entry.kind).map(|old| old.id);
                match entry.kind {
                    Kind::Folder => open.push((path, before.next(), entry.id)),
                    kind if kinds.contains(&kind) && wanted(Path::new(OsStr::from_bytes(&path))) => {
                        let before: Vec<Oid> = before.collect();
                        if !before.contains(&entry.id) {
                            let path = OsStr::from_bytes(&path).into();
                            found.push(New { path, blob: entry.id, before });
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(found)
    }
}

fn malformed(tree: Oid) -> GitError {
    GitError::Malformed { tree: tree.to_string() }
}

/// Returns what is left of two trees without the entries that both begin and end with; none if one is
/// malformed.
fn middles<'t>(one: &'t [u8], other: &'t [u8]) -> Option<(&'t [u8], &'t [u8])> {
    let same = same_start(one, other);
    let mut start = 0;
    while start < same {
        let end = start + length(&one[start..])?;
        if end > same {
            break;
        }
        start = end;
    }
    let (one, other) = (&one[start..], &other[start..]);
    let same = same_end(one, other);
    // As far from the end as both have the beginning of an entry there.
    let (mut a, mut b) = (0, 0);
    loop {
        let (left, left_other) = (one.len() - a, other.len() - b);
        if left == left_other && left <= same {
            return Some((&one[..a], &other[..b]));
        }
        match left >= left_other {
            true => a += length(&one[a..])?,
            false => b += length(&other[b..])?,
        }
    }
}

/// How much is compared at once.
const CHUNK: usize = 1024;

/// Returns how many bytes both begin with.
fn same_start(one: &[u8], other: &[u8]) -> usize {
    let chunks = one.chunks_exact(CHUNK).zip(other.chunks_exact(CHUNK));
    let start = CHUNK * chunks.take_while(|(a, b)| a == b).count();
    let rest = one[start..].iter().zip(&other[start..]);
    start + rest.take_while(|(a, b)| a == b).count()
}

/// Returns how many bytes both end with.
fn same_end(one: &[u8], other: &[u8]) -> usize {
    let chunks = one.rchunks_exact(CHUNK).zip(other.rchunks_exact(CHUNK));
    let end = CHUNK * chunks.take_while(|(a, b)| a == b).count();
    let rest = one[..one.len() - end].iter().rev().zip(other[..other.len() - end].iter().rev());
    end + rest.take_while(|(a, b)| a == b).count()
}

/// How many bytes an object's id has.
const ID: usize = 20;

/// Returns the length of the entry that a tree begins with (`MODE NAME\0ID`); none if it is malformed.
fn length(tree: &[u8]) -> Option<usize> {
    let end = tree.iter().position(|byte| *byte == 0)? + 1 + ID;
    (end <= tree.len()).then_some(end)
}

/// What a tree holds under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// A folder: its tree.
    Folder(Oid),
    /// A file or link: its blob.
    File(Oid),
    /// A submodule: its commit.
    Submodule(Oid),
}

/// Returns the first entry of that name in a tree's bytes; fails if they are malformed on the way to it.
pub(super) fn find(tree: &[u8], name: &[u8]) -> Result<Option<Held>, ()> {
    let mut read = 0;
    for entry in entries(tree) {
        if entry.name == name {
            return Ok(Some(match entry.kind {
                Kind::Folder => Held::Folder(entry.id),
                Kind::Submodule => Held::Submodule(entry.id),
                Kind::File | Kind::Link => Held::File(entry.id),
            }));
        }
        read += length(&tree[read..]).ok_or(())?;
    }
    if read == tree.len() { Ok(None) } else { Err(()) }
}

/// Returns the entries of a part of a tree, of whose lengths all are right.
fn entries(mut tree: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let (entry, rest) = tree.split_at(length(tree)?);
        tree = rest;
        let (head, id) = entry.split_at(entry.len() - ID);
        let head = &head[..head.len() - 1];
        let space = head.iter().position(|byte| *byte == b' ').unwrap_or(head.len());
        let digits = head[..space].iter().map(|digit| u32::from(digit & 7));
        // As in git, what is none of the other kinds is a submodule; here it is better taken for a file.
        let kind = match digits.fold(0, |mode: u32, digit| mode << 3 | digit) & 0o170_000 {
            0o040_000 => Kind::Folder,
            0o120_000 => Kind::Link,
            0o160_000 => Kind::Submodule,
            _ => Kind::File,
        };
        let name = head.get(space + 1..).unwrap_or_default();
        Some(Entry { name, kind, id: Oid::from_bytes(id).expect("it has the length of one") })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(entries: &[(u16, u8)]) -> Vec<u8> {
        let entry = |(name, id): &(u16, u8)| [format!("100644 {name}.gpg\0").as_bytes(), &[*id; ID]].concat();
        entries.iter().map(entry).collect::<Vec<_>>().concat()
    }

    proptest! {
        #[test]
        fn what_is_passed_over_is_the_same_in_both(
            start in proptest::collection::vec((0..2000u16, 0..3u8), 0..90),
            one in proptest::collection::vec((0..2000u16, 0..3u8), 0..3),
            other in proptest::collection::vec((0..2000u16, 0..3u8), 0..3),
            end in proptest::collection::vec((0..2000u16, 0..3u8), 0..90),
        ) {
            let whole = |middle: &[(u16, u8)]| tree(&[&start, middle, &end].concat());
            let (first, second) = (whole(&one), whole(&other));
            let (a, b) = middles(&first, &second).unwrap();
            prop_assert!(entries(a).count() <= one.len() && entries(b).count() <= other.len());
            let around = |whole: &[u8], middle: &[u8]| {
                let at = middle.as_ptr().addr() - whole.as_ptr().addr();
                (whole[..at].to_vec(), whole[at + middle.len()..].to_vec())
            };
            prop_assert_eq!(around(&first, a), around(&second, b));
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(one: Vec<u8>, other: Vec<u8>) {
            if let Some((a, b)) = middles(&one, &other) {
                prop_assert!(entries(a).count() + entries(b).count() <= one.len() + other.len());
            }
        }
    }

    #[test]
    fn malformed_trees_are_refused() {
        let good = tree(&[(1, 1)]);
        assert_eq!(middles(&good, &good[..good.len() - 1]), None);
        assert_eq!(middles(b"100644 x", &good), None);
        assert_eq!(middles(&good, &[]), Some((&good[..], &[][..])));
    }
}
