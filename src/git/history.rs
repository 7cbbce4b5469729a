//! The history of HEAD: which commits changed what.
//!
//! Commits are read once, from their bytes; of trees, only what lies on the way to the path that is asked about,
//! and that only where the commit before had another one. Who compares whole trees reads a large store for every
//! commit.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{ObjectType, Odb, Oid};

use super::objects::{Quick, RawCommit};
use super::renames::{self, Same};
use super::signed::is_signed;
use super::trees::{Differences, Held, Trees, find};
use super::{GitError, Repo, git_error};
use crate::model::Shown;

/// All commits that HEAD leads to, as far as they are here.
pub struct History<'r> {
    odb: Odb<'r>,
    commits: Vec<Commit>,
    /// Commits that cannot be read, and why.
    pub damaged: Vec<(Oid, GitError)>,
    _quick: Quick,
}

/// A commit.
#[derive(Debug)]
pub struct Commit {
    /// Its id.
    pub id: Oid,
    /// When its author made it, in seconds since 1970; none if it does not say.
    pub when: Option<i64>,
    /// Whether older ones are missing here: it may have brought what it holds, or not.
    pub is_cut: bool,
    tree: Oid,
    /// The places of its parents in the history.
    parents: Vec<usize>,
    committed: i64,
}

/// What a commit says of itself. Nothing of it is safe to show as it is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Details {
    /// Its author's name.
    pub name: Vec<u8>,
    /// Its author's e-mail address.
    pub email: Vec<u8>,
    /// The first line of its message.
    pub subject: Vec<u8>,
    /// All else of its message.
    pub body: Vec<u8>,
    /// Whether it is signed.
    pub is_signed: bool,
}

/// A file that a commit holds otherwise than all of its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its path in the repository.
    pub path: PathBuf,
    /// Its blob in each parent; none where that has no such file.
    pub before: Vec<Option<Oid>>,
    /// Its blob; none if the commit removes it.
    pub after: Option<Oid>,
}

impl Changed {
    /// Whether no parent has the file.
    pub fn is_added(&self) -> bool {
        self.after.is_some() && self.before().is_none()
    }

    /// Returns the blob in the first parent that has the file.
    pub fn before(&self) -> Option<Oid> {
        self.before.iter().copied().flatten().next()
    }
}

/// What a commit did to the file that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Brought it.
    Added,
    /// Brought it from another path.
    Moved(PathBuf),
    /// Changed it.
    Changed,
    /// Took it away.
    Removed,
    /// Nobody can tell: it holds the file, but older commits are not here.
    Held,
    /// Nobody can tell: its folders cannot be read.
    Unreadable,
}

/// A commit that did something to the file that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The place of the commit in the history.
    pub commit: usize,
    /// The file's path in the repository.
    pub path: PathBuf,
    /// What it did.
    pub event: Event,
    /// The file's blob in each parent, at the path that it had there.
    pub before: Vec<Option<Oid>>,
    /// The file's blob; none if it was taken away, or nobody can tell.
    pub blob: Option<Oid>,
}

impl Repo {
    /// Returns the history of HEAD; none before the first commit.
    pub fn history(&self) -> Result<Option<History<'_>>, GitError> {
        let Some(head) = self.head_commit()? else { return Ok(None) };
        let quick = Quick::new();
        let odb = self.repo.odb().map_err(git_error("read the history"))?;
        let shallow = self.shallow();
        let mut damaged = Vec::new();
        let mut read: HashMap<Oid, (Commit, Vec<Oid>)> = HashMap::new();
        let mut open = vec![head];
        let mut missing = HashSet::new();
        while let Some(id) = open.pop() {
            if read.contains_key(&id) || missing.contains(&id) {
                continue;
            }
            match read_commit(&odb, id) {
                Ok((mut commit, mut parents)) => {
                    if shallow.contains(&id) && !parents.is_empty() {
                        commit.is_cut = true;
                        parents.clear();
                    }
                    open.extend(&parents);
                    read.insert(id, (commit, parents));
                }
                Err(error) if id == head => return Err(error),
                Err(error) => {
                    missing.insert(id);
                    damaged.push((id, error));
                }
            }
        }
        Ok(Some(History { odb, commits: newest_first(read), damaged, _quick: quick }))
    }

    /// Returns the commits whose parents were left out when the repository was cloned
    /// (gitrepository-layout(5): `shallow`).
    pub(super) fn shallow(&self) -> HashSet<Oid> {
        let text = fs::read_to_string(self.common().join("shallow")).unwrap_or_default();
        text.lines().filter_map(|line| Oid::from_str(line.trim()).ok()).collect()
    }

    /// Whether the repository was cloned without its older commits.
    pub fn is_shallow(&self) -> bool {
        !self.shallow().is_empty()
    }

    /// Returns the commit that `rev` names, in any way that git knows (gitrevisions(7)).
    pub fn commit_named(&self, rev: &str) -> Result<Oid, GitError> {
        let found = self.repo.revparse_single(rev).and_then(|object| object.peel(ObjectType::Commit));
        found
            .map(|commit| commit.id())
            .map_err(|source| GitError::NoCommit { rev: Shown::new(rev).to_string(), source })
    }
}

/// Reads a commit; the places of its parents are not known yet.
fn read_commit(odb: &Odb<'_>, id: Oid) -> Result<(Commit, Vec<Oid>), GitError> {
    let object = odb.read(id).map_err(git_error("read a commit"))?;
    let raw = (object.kind() == ObjectType::Commit).then(|| RawCommit::parse(object.data())).flatten();
    let RawCommit { tree, parents } = raw.ok_or(GitError::Unreadable)?;
    let committed = header(object.data(), b"committer ").and_then(|line| person(line).2);
    let when = header(object.data(), b"author ").and_then(|line| person(line).2).or(committed);
    let committed = committed.or(when).unwrap_or_default();
    Ok((Commit { id, when, is_cut: false, tree, parents: Vec::new(), committed }, parents))
}

/// Puts commits in order: no parent comes before its children, and of what is left the newest comes first.
fn newest_first(mut read: HashMap<Oid, (Commit, Vec<Oid>)>) -> Vec<Commit> {
    let mut children: HashMap<Oid, usize> = read.keys().map(|id| (*id, 0)).collect();
    for parent in read.values().flat_map(|(_, parents)| parents) {
        children.entry(*parent).and_modify(|count| *count += 1);
    }
    let ready = children.iter().filter(|(_, count)| **count == 0).map(|(id, _)| (read[id].0.committed, *id));
    let mut ready: BinaryHeap<(i64, Oid)> = ready.collect();
    let mut ordered = Vec::with_capacity(read.len());
    while let Some((_, id)) = ready.pop() {
        let (commit, parents) = read.remove(&id).expect("a commit is ready once");
        for parent in &parents {
            if let Some(count) = children.get_mut(parent) {
                *count -= 1;
                if *count == 0 {
                    ready.push((read[parent].0.committed, *parent));
                }
            }
        }
        ordered.push((commit, parents));
    }
    let places: HashMap<Oid, usize> = ordered.iter().map(|(commit, _)| commit.id).zip(0..).collect();
    let placed = ordered.into_iter().map(|(mut commit, parents)| {
        commit.parents = parents.iter().filter_map(|id| places.get(id).copied()).collect();
        commit.is_cut |= commit.parents.len() < parents.len();
        commit
    });
    placed.collect()
}

impl History<'_> {
    /// Returns the commits, the newest first.
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// Whether older commits are missing here.
    pub fn is_cut(&self) -> bool {
        self.commits.iter().any(|commit| commit.is_cut)
    }

    /// Returns what a commit says of itself.
    pub fn details(&self, commit: usize) -> Details {
        let object = self.odb.read(self.commits[commit].id);
        object.map(|object| details(object.data())).unwrap_or_default()
    }

    /// Returns the places of the commits that hold something else at `path` than all of their parents, the newest
    /// first; those among them of which nobody can tell. The empty path is the whole tree.
    pub fn touching(&self, path: &Path) -> Vec<usize> {
        let mut finder = Finder::new(&self.odb, path);
        let mut found = Vec::new();
        for (place, commit) in self.commits.iter().enumerate() {
            let Ok((own, theirs)) = self.look(&mut finder, commit) else {
                found.push(place);
                continue;
            };
            let is_other = match theirs.is_empty() {
                true => own.is_some(),
                false => !theirs.contains(&own),
            };
            // A folder that comes from both sides is like neither; its files may be.
            let is_folder = !matches!(own, Some(Held::File(_)));
            if is_other && (theirs.len() < 2 || !is_folder || self.is_changed(place, path)) {
                found.push(place);
            }
        }
        found
    }

    /// Whether a commit changes something at or below `path`, as far as anybody can tell.
    fn is_changed(&self, commit: usize, path: &Path) -> bool {
        self.changes(commit).map_or(true, |all| all.iter().any(|change| change.path.starts_with(path)))
    }

    /// Returns what a commit and its parents hold at a path.
    fn look(
        &self,
        finder: &mut Finder<'_>,
        commit: &Commit,
    ) -> Result<(Option<Held>, Vec<Option<Held>>), GitError> {
        let own = finder.at(commit.tree)?;
        let theirs = commit.parents.iter().map(|parent| finder.at(self.commits[*parent].tree));
        Ok((own, theirs.collect::<Result<_, _>>()?))
    }

    /// Returns all files that a commit holds otherwise than all of its parents; all that it holds if it has none.
    pub fn changes(&self, commit: usize) -> Result<Vec<Changed>, GitError> {
        let commit = &self.commits[commit];
        let mut trees = Trees::new(&self.odb);
        let sides = commit.parents.iter().map(|parent| Some(self.commits[*parent].tree));
        let sides = sides.chain(commit.parents.is_empty().then_some(None));
        let mut found: Option<BTreeMap<PathBuf, Changed>> = None;
        for side in sides {
            let differences: Differences =
                trees.differences(side, Some(commit.tree)).map_err(|error| error.in_commit(commit.id))?;
            let differences = differences.into_iter();
            found = Some(match found {
                None => {
                    let one = |(path, (before, after)): (PathBuf, _)| {
                        (path.clone(), Changed { path, before: vec![before], after })
                    };
                    differences.map(one).collect()
                }
                Some(mut earlier) => {
                    let both = differences.filter_map(|(path, (before, _))| {
                        let mut changed = earlier.remove(&path)?;
                        changed.before.push(before);
                        Some((path, changed))
                    });
                    both.collect()
                }
            });
        }
        Ok(found.unwrap_or_default().into_values().collect())
    }

    /// Returns the blob of the file at `path` in a commit's first parent that has one.
    pub fn in_parents(&self, commit: usize, path: &Path) -> Result<Option<Oid>, GitError> {
        let mut finder = Finder::new(&self.odb, path);
        for parent in &self.commits[commit].parents {
            if let Some(Held::File(blob)) = finder.at(self.commits[*parent].tree)? {
                return Ok(Some(blob));
            }
        }
        Ok(None)
    }

    /// Returns the commits that a commit has for parents.
    pub fn parents(&self, commit: usize) -> impl Iterator<Item = Oid> {
        self.commits[commit].parents.iter().map(|place| self.commits[*place].id)
    }

    /// Returns all that happened to the file at `path`, the newest first. Where it was moved, its history goes on
    /// at the path that it had before; `same` tells whether two messages say the same.
    pub fn follow(&self, path: &Path, same: &mut Same<'_>) -> Vec<Version> {
        let mut finders: HashMap<PathBuf, Finder<'_>> = HashMap::new();
        let mut names: Vec<Option<Rc<BTreeSet<PathBuf>>>> = vec![None; self.commits.len()];
        if let Some(first) = names.first_mut() {
            *first = Some(Rc::new([path.to_path_buf()].into()));
        }
        let mut found = Vec::new();
        for (place, commit) in self.commits.iter().enumerate() {
            let Some(paths) = names[place].take() else { continue };
            let mut older: Option<BTreeSet<PathBuf>> = None;
            for path in &*paths {
                let finder =
                    finders.entry(path.clone()).or_insert_with_key(|path| Finder::new(&self.odb, path));
                let Some(version) = self.version(finder, place, path, same) else { continue };
                if let Event::Moved(from) = &version.event {
                    let older = older.get_or_insert_with(|| (*paths).clone());
                    older.remove(path);
                    older.insert(from.clone());
                }
                found.push(version);
            }
            let older = older.map_or_else(|| Rc::clone(&paths), Rc::new);
            for parent in &commit.parents {
                match &mut names[*parent] {
                    Some(known) if **known == *older => {}
                    Some(known) => *known = Rc::new(&**known | &*older),
                    none => *none = Some(Rc::clone(&older)),
                }
            }
        }
        found
    }

    /// Returns what a commit did to the file at `path`; none if it is as in a parent.
    fn version(
        &self,
        finder: &mut Finder<'_>,
        place: usize,
        path: &Path,
        same: &mut Same<'_>,
    ) -> Option<Version> {
        let commit = &self.commits[place];
        let version = |event, before, blob| {
            Some(Version { commit: place, path: path.to_path_buf(), event, before, blob })
        };
        let Ok((own, theirs)) = self.look(finder, commit) else {
            return version(Event::Unreadable, Vec::new(), None);
        };
        let file = |held: Option<Held>| match held {
            Some(Held::File(blob)) => Some(blob),
            _ => None,
        };
        let (own, before) = (file(own), theirs.into_iter().map(file).collect::<Vec<_>>());
        if before.contains(&own) {
            return None;
        }
        let Some(blob) = own else {
            return if before.is_empty() { None } else { version(Event::Removed, before, None) };
        };
        if before.iter().any(Option::is_some) {
            return version(Event::Changed, before, own);
        }
        if commit.is_cut {
            return version(Event::Held, before, own);
        }
        let changes = self.changes(place).unwrap_or_default();
        let subject = self.details(place).subject;
        match renames::source(path, &changes, &subject, same) {
            Some(from) => {
                let gone = changes.into_iter().find(|change| change.path == from);
                version(Event::Moved(from), gone.map(|gone| gone.before).unwrap_or_default(), Some(blob))
            }
            None => version(Event::Added, before, own),
        }
    }
}

/// Looks up one path in many trees.
struct Finder<'o> {
    odb: &'o Odb<'o>,
    parts: Vec<Vec<u8>>,
    /// What was found so far: for each part of the path, by the tree in which it was looked up.
    known: Vec<HashMap<Oid, Option<Held>>>,
}

impl<'o> Finder<'o> {
    fn new(odb: &'o Odb<'o>, path: &Path) -> Self {
        let parts: Vec<Vec<u8>> = path.iter().map(|part| part.as_bytes().to_vec()).collect();
        Finder { odb, known: vec![HashMap::new(); parts.len()], parts }
    }

    /// Returns what stands at the path below a tree.
    fn at(&mut self, tree: Oid) -> Result<Option<Held>, GitError> {
        let mut here = Some(Held::Folder(tree));
        for (part, known) in self.parts.iter().zip(&mut self.known) {
            let Some(Held::Folder(tree)) = here else { return Ok(None) };
            here = match known.get(&tree) {
                Some(found) => *found,
                None => {
                    let object = self.odb.read(tree).map_err(git_error("read a tree"))?;
                    let malformed = || GitError::Malformed { tree: tree.to_string() };
                    if object.kind() != ObjectType::Tree {
                        return Err(malformed());
                    }
                    let found = find(object.data(), part).map_err(|()| malformed())?;
                    known.insert(tree, found);
                    found
                }
            };
        }
        Ok(here)
    }
}

/// Returns the first header of a commit that begins so, without that beginning.
fn header<'b>(commit: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
    let lines = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    lines.into_iter().find_map(|line| line.strip_prefix(name))
}

/// Returns name, address and time out of `NAME <ADDRESS> SECONDS ZONE`; of what is written otherwise, as much as
/// can be made out.
fn person(line: &[u8]) -> (&[u8], &[u8], Option<i64>) {
    let close = line.iter().rposition(|byte| *byte == b'>');
    let (who, rest) = line.split_at(close.unwrap_or(line.len()));
    let (name, email) = match who.iter().position(|byte| *byte == b'<') {
        Some(at) => (&who[..at], &who[at + 1..]),
        None => (who, &b""[..]),
    };
    let seconds = rest.strip_prefix(b">").and_then(|rest| {
        let word = rest.trim_ascii_start().split(|byte| *byte == b' ').next()?;
        str::from_utf8(word).ok()?.parse().ok()
    });
    // No calendar reaches further: up to the year 9999.
    (name.trim_ascii(), email.trim_ascii(), seconds.filter(|at| (0..253_402_300_800).contains(at)))
}

/// Returns what a commit's bytes say.
fn details(commit: &[u8]) -> Details {
    let (name, email, _) = header(commit, b"author ").map(person).unwrap_or_default();
    let end = commit.windows(2).position(|two| two == b"\n\n").map_or(commit.len(), |at| at + 2);
    let message = commit[end..].trim_ascii_start();
    let line = message.iter().position(|byte| *byte == b'\n').unwrap_or(message.len());
    let (subject, body) = message.split_at(line);
    Details {
        name: name.to_vec(),
        email: email.to_vec(),
        subject: subject.trim_ascii_end().to_vec(),
        body: body.to_vec(),
        is_signed: is_signed(commit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_authors_as_far_as_they_can_be_made_out() {
        for (line, name, email, when) in [
            ("A B <a@b> 12 +0100", "A B", "a@b", Some(12)),
            ("<a@b> 12 +0000", "", "a@b", Some(12)),
            ("A <a <x>> 12 +0000", "A", "a <x>", Some(12)),
            ("A", "A", "", None),
            ("A <a> many +0000", "A", "a", None),
            ("A <a> -5 +0000", "A", "a", None),
            ("A <a> 99999999999999 +0000", "A", "a", None),
            ("A <a>", "A", "a", None),
            ("", "", "", None),
        ] {
            assert_eq!(person(line.as_bytes()), (name.as_bytes(), email.as_bytes(), when), "{line}");
        }
    }

    #[test]
    fn reads_a_commit() {
        let read =
            details(b"tree 1\nauthor A <a> 1 +0000\ncommitter C <c> 2 +0000\n\n\nOne.\n\nauthor B <b> 1\n");
        assert_eq!((&*read.name, &*read.email, &*read.subject), (&b"A"[..], &b"a"[..], &b"One."[..]));
        assert_eq!((&*read.body, read.is_signed), (&b"\n\nauthor B <b> 1\n"[..], false));
        assert_eq!(details(b""), Details::default());
    }

    #[test]
    fn no_parent_comes_before_its_children() {
        let id = |number: u8| Oid::from_bytes(&[number; 20]).unwrap();
        let commit = |number: u8, committed: i64, parents: &[u8]| {
            let parents = parents.iter().map(|number| id(*number)).collect::<Vec<_>>();
            let commit =
                Commit { id: id(number), when: None, is_cut: false, tree: id(0), parents: vec![], committed };
            (commit.id, (commit, parents))
        };
        // 2 claims to be the newest; 9 is not here.
        let read = [commit(4, 40, &[3, 2]), commit(3, 30, &[1]), commit(2, 90, &[1]), commit(1, 35, &[9])];
        let ordered = newest_first(read.into_iter().collect());
        let order: Vec<(Oid, Vec<usize>, bool)> =
            ordered.into_iter().map(|commit| (commit.id, commit.parents, commit.is_cut)).collect();
        assert_eq!(
            order,
            [
                (id(4), vec![2, 1], false),
                (id(2), vec![3], false),
                (id(3), vec![3], false),
                (id(1), vec![], true)
            ]
        );
    }
}
