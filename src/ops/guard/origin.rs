//! Where a list of recipients came from: this machine, or elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::{Context, OpError, gained, key_set};
use crate::git::provenance::CommitInfo;
use crate::git::{GitError, Head, Repo};
use crate::model::{Fingerprint, FolderName, GpgId};
use crate::ops::lists;
use crate::store::StoreError;
use crate::store::accepted::{Accepted, Keys, Memory, hash_of};
use crate::store::recipients::{Overlay, Rule};

impl Context<'_> {
    /// Whether the store is shared through git.
    pub(super) fn has_remote(&self) -> Result<bool, OpError> {
        match History::of(self.store.root(), Path::new("")) {
            Some(history) => Ok(history?.repo.has_remote().map_err(StoreError::from)?),
            None => Ok(false),
        }
    }

    /// Whether `folder` came to be readable by `keys` through a change that was made on this machine: it is
    /// not committed yet, or by a commit of this clone, and it occurs in no commit that was fetched. Without
    /// git nobody can tell.
    pub(super) fn was_made_here(
        &self,
        accepted: &Accepted,
        folder: &FolderName,
        memory: Option<&Memory>,
        keys: &Keys,
        rule: &Rule,
    ) -> Result<bool, OpError> {
        // The repository that holds the list, and the one that holds the folder, where that is another one.
        let list = rule.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let mut prefixes = BTreeSet::new();
        for place in [list, folder.as_path()] {
            let Some(history) = History::of(self.store.root(), place) else { return Ok(false) };
            if Repo::prefix_of(self.store.root(), place).is_none_or(|prefix| prefixes.insert(prefix))
                && !self.was_made_in(&history?, accepted, folder, memory, keys, rule)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same, as one history has it.
    fn was_made_in(
        &self,
        history: &History,
        accepted: &Accepted,
        folder: &FolderName,
        memory: Option<&Memory>,
        keys: &Keys,
        rule: &Rule,
    ) -> Result<bool, OpError> {
        let file = rule.file.as_deref().and_then(|file| history.inside(file));
        let head = history.repo.head().map_err(StoreError::from)?;
        let committed = match &file {
            Some(file) => blob_at(&history.repo, &head, file).map_err(StoreError::from)?,
            None => None,
        };
        let is_edited = file.is_some() && committed.as_ref() != Some(&rule.gpg_id);
        if is_edited && history.repo.ignores_case() {
            // A name in other letters may have put it there.
            return Ok(false);
        }
        // A repository inside of the store may have no list of its own: then the one outside rules it,
        // whatever its history says.
        let outside = self.outer_list(history.repo.prefix())?;
        // A list of the folder's own may have hidden what others did to the one above, which rules it now; unless
        // that was accepted for the folder where it stands.
        let above = lists::folder_of(rule.file.as_deref().unwrap_or(Path::new("")))?;
        let is_known = accepted.ruling(&above).is_some_and(|memory| memory.list == hash_of(&rule.gpg_id));
        let hidden = file.as_ref().filter(|_| !is_known);
        // Nor must anybody have moved the rule to where a change of ours meets it, by moving or deleting lists.
        let is_moved = accepted.ruling_folder(folder).is_some_and(|known| known != above.as_path());
        let mut names: HashMap<String, Keys> = HashMap::new();
        let gained = gained(memory, keys);
        // git may have merged what was fetched with what was made here: any key that is gained tells.
        let mut marks = |tree: &Head<'_>| -> Result<BTreeSet<Mark>, GitError> {
            let mut marks = BTreeSet::new();
            let (place, ruling) = match history.list(tree, folder.as_path())? {
                Some((place, list)) => (Some(place), Some(list)),
                None => (None, outside.clone()),
            };
            if is_moved && place == file {
                marks.insert(Mark::Ruled);
            }
            let hidden = hidden.map(|file| blob_at(&history.repo, tree, file)).transpose()?.flatten();
            for (place, list) in [(Place::Ruling, ruling), (Place::Above, hidden)] {
                let Some(list) = list else { continue };
                if list == rule.gpg_id {
                    marks.insert(Mark::List(place));
                }
                let found = self.keys_named(&list, &mut names);
                match gained.is_empty() {
                    true if found == *keys => drop(marks.insert(Mark::Set(place))),
                    true => {}
                    false => {
                        marks.extend(found.intersection(&gained).map(|key| Mark::Key(place, key.clone())));
                    }
                }
            }
            // The bytes on disk are in no commit where git was told to turn those of one into them.
            if is_edited && file.as_ref().is_some_and(|file| recodes(&history.repo, tree, file)) {
                marks.insert(Mark::Recoded);
            }
            Ok(marks)
        };
        let was_made_here = history.repo.was_made_here(self.store.changing(), &mut marks);
        if !was_made_here.map_err(StoreError::from)? {
            return Ok(false);
        }
        if gained.is_empty() {
            return Ok(true);
        }
        // A list that others changed may have been moved here, by git or by hand.
        let brought = history.repo.lists_from_elsewhere(self.store.changing()).map_err(StoreError::from)?;
        for (path, blob) in brought {
            let Ok(list) = history.repo.blob(blob) else { return Ok(false) };
            let theirs = self.keys_named(&list, &mut names);
            let is_known = |key: &Fingerprint| {
                let path = path.strip_prefix(&history.place).unwrap_or(&path);
                let folder = lists::folder_of(&history.repo.prefix().join(path));
                folder.is_ok_and(|folder| accepted.ruling(&folder).is_some_and(|m| m.keys.contains(key)))
            };
            if theirs.intersection(&gained).any(|key| !is_known(key)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether what `marks` says of the file `path`, which the store's own repository holds, came about on this
    /// machine: as [`Context::was_made_here`]. It is given the file's bytes; none of them where it is not there.
    pub(super) fn file_was_made_here<M: Clone + Ord>(
        &self,
        path: &Path,
        marks: &mut FileMarks<'_, M>,
    ) -> Result<bool, OpError> {
        let Some(history) = History::of(self.store.root(), Path::new("")) else { return Ok(false) };
        let history = history?;
        let Some(inside) = history.inside(path) else { return Ok(false) };
        let mut of_commit = |tree: &Head<'_>| {
            let bytes = blob_at(&history.repo, tree, &inside)?;
            marks(bytes.as_deref()).ok_or(GitError::Unreadable)
        };
        Ok(history.repo.was_made_here(self.store.changing(), &mut of_commit).map_err(StoreError::from)?)
    }

    /// Returns the keys that a list names, as far as that can be told; `known` says what names stand for.
    pub(super) fn keys_named(&self, list: &[u8], known: &mut HashMap<String, Keys>) -> Keys {
        let lines = GpgId::from_bytes(list.to_vec()).lines();
        let new: BTreeSet<&str> =
            lines.iter().map(|line| line.id.as_str()).filter(|id| !known.contains_key(*id)).collect();
        let new: Vec<&str> = new.into_iter().collect();
        if !new.is_empty() {
            for (id, found) in new.iter().zip(self.crypto.resolve_all(&new)) {
                // A fingerprint says itself whose it is.
                let keys =
                    found.map_or_else(|_| Fingerprint::of_name(id).into_iter().collect(), |k| key_set(&k));
                known.insert((*id).to_owned(), keys);
            }
        }
        lines.iter().flat_map(|line| known[&line.id].iter().cloned()).collect()
    }

    /// Whether HEAD holds the list `rule` as it is on disk.
    pub(super) fn is_committed(&self, rule: &Rule) -> Result<bool, OpError> {
        let Some(file) = &rule.file else { return Ok(false) };
        let Some(Ok(history)) = History::of(self.store.root(), file.parent().unwrap_or(Path::new(""))) else {
            return Ok(false);
        };
        let Some(inside) = history.inside(file) else { return Ok(false) };
        let head = history.repo.head().map_err(StoreError::from)?;
        let committed = blob_at(&history.repo, &head, &inside).ok().flatten();
        Ok(committed.as_ref() == Some(&rule.gpg_id))
    }

    /// Returns the list that rules the folder that holds the repository at `prefix`.
    fn outer_list(&self, prefix: &Path) -> Result<Option<Vec<u8>>, OpError> {
        let Some(parent) = prefix.parent() else { return Ok(None) };
        let parent = FolderName::parse(parent.as_os_str())?;
        Ok(self.store.rule(&parent, &Overlay::new())?.map(|rule| rule.gpg_id))
    }

    /// Returns the commits that let each of `gains` into the list that rules `folder`, and took each of `loses` out.
    pub(super) fn brought_by(
        &self,
        folder: &FolderName,
        gains: &[Fingerprint],
        loses: &[Fingerprint],
    ) -> Result<BTreeMap<Fingerprint, CommitInfo>, OpError> {
        // What cannot be opened tells nothing.
        let Some(Ok(history)) = History::of(self.store.root(), folder.as_path()) else {
            return Ok(BTreeMap::new());
        };
        let mut names: HashMap<String, Keys> = HashMap::new();
        let mut marks = |tree: &Head<'_>| -> Result<BTreeSet<Fingerprint>, GitError> {
            let list = history.list(tree, folder.as_path())?.map(|(_, list)| list).unwrap_or_default();
            let named = self.keys_named(&list, &mut names);
            let gained = gains.iter().filter(|key| named.contains(*key));
            let lost = loses.iter().filter(|key| !named.contains(*key));
            Ok(gained.chain(lost).cloned().collect())
        };
        Ok(history.repo.brought_by(self.store.changing(), &mut marks).map_err(StoreError::from)?)
    }

    /// Returns the commit that last changed one of the lists that could rule `folder`.
    pub(super) fn last_change(
        &self,
        folder: &FolderName,
        rule: &Rule,
    ) -> Result<Option<CommitInfo>, OpError> {
        self.last_change_of(folder.as_path(), rule.seen.iter().map(|(path, _)| path.as_path()))
    }

    /// Returns the commit that last changed one of `files`, as the history of `folder` has it.
    pub(super) fn last_change_of<'p>(
        &self,
        folder: &Path,
        files: impl Iterator<Item = &'p Path>,
    ) -> Result<Option<CommitInfo>, OpError> {
        // What cannot be opened tells nothing.
        let Some(Ok(history)) = History::of(self.store.root(), folder) else { return Ok(None) };
        let files: Vec<_> = files.filter_map(|path| history.inside(path)).collect();
        Ok(history.repo.last_change(&files).map_err(StoreError::from)?)
    }
}

/// Returns what the bytes of a file in a commit tell; none if they cannot be read. It may not be there.
pub(super) type FileMarks<'a, M> = dyn FnMut(Option<&[u8]>) -> Option<BTreeSet<M>> + 'a;

/// Which list of a commit tells something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// The one that ruled the folder.
    Ruling,
    /// The one that stood where the list stands that rules it now.
    Above,
}

/// What tells in a commit that a change was there already.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// The list names a key that is gained.
    Key(Place, Fingerprint),
    /// The list names exactly those who can read the folder now.
    Set(Place),
    /// The list is the one that rules now.
    List(Place),
    /// The list that rules the folder now ruled it then.
    Ruled,
    /// Files may be others on disk than in the commit.
    Recoded,
}

/// The history of the repository that records a part of the store.
pub(super) struct History {
    pub repo: Repo,
    /// Where the store lies in the repository; empty unless the store is a folder of it.
    place: PathBuf,
}

impl History {
    /// Opens the history of `folder`; none if it has none. A store that is a folder of a larger repository has
    /// that one's: whoever commits there changes lists as well.
    pub fn of(root: &Path, folder: &Path) -> Option<Result<Self, OpError>> {
        let opened = match Repo::prefix_of(root, folder) {
            Some(prefix) => Repo::open(root, &prefix).map(|repo| (repo, PathBuf::new())),
            None => Repo::around(root)?,
        };
        Some(opened.map(|(repo, place)| History { repo, place }).map_err(|e| StoreError::from(e).into()))
    }

    /// Returns where a path of the store lies in the repository; none if it does not.
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
        Some(self.place.join(path.strip_prefix(self.repo.prefix()).ok()?))
    }

    /// Returns the list that rules `folder` in a commit, with its path there; none if it has none.
    pub fn list(&self, tree: &Head<'_>, folder: &Path) -> Result<Option<(PathBuf, Vec<u8>)>, GitError> {
        let inside = self.inside(folder).unwrap_or_else(|| self.place.clone());
        list_below(&self.repo, tree, &self.place, &inside)
    }
}

/// Returns the list that rules `folder` in a commit of the repository `repo`; none if it has none.
pub(in crate::ops) fn list_in(
    repo: &Repo,
    tree: &Head<'_>,
    folder: &Path,
) -> Result<Option<Vec<u8>>, GitError> {
    let inside = folder.strip_prefix(repo.prefix()).unwrap_or(Path::new(""));
    Ok(list_below(repo, tree, Path::new(""), inside)?.map(|(_, list)| list))
}

/// Returns the list that is nearest to `folder` of those from there up to `top`, paths of the repository.
pub(in crate::ops) fn list_below(
    repo: &Repo,
    tree: &Head<'_>,
    top: &Path,
    folder: &Path,
) -> Result<Option<(PathBuf, Vec<u8>)>, GitError> {
    for above in folder.ancestors().take_while(|above| above.starts_with(top)) {
        let path = above.join(".gpg-id");
        if let Some(list) = blob_at(repo, tree, &path)? {
            return Ok(Some((path, list)));
        }
    }
    Ok(None)
}

/// Returns the file at `path` in a commit. A folder of that name (or a submodule) is none, as in pass.
pub(super) fn blob_at(repo: &Repo, tree: &Head<'_>, path: &Path) -> Result<Option<Vec<u8>>, GitError> {
    match tree.entry(path)? {
        Some((blob, mode)) if !matches!(mode & 0o170_000, 0o040_000 | 0o160_000) => repo.blob(blob).map(Some),
        _ => Ok(None),
    }
}

/// Whether a commit's `.gitattributes`, as far as they may concern `file`, speak of turning its bytes into
/// others on disk (gitattributes(5)). Line ends, which may become others too, do not matter in a list.
fn recodes(repo: &Repo, tree: &Head<'_>, file: &Path) -> bool {
    const WORDS: [&[u8]; 3] = [b"working-tree-encoding", b"filter", b"ident"];
    let attributes = file.ancestors().skip(1).map(|above| blob_at(repo, tree, &above.join(".gitattributes")));
    let speaks = |text: Vec<u8>| WORDS.iter().any(|word| text.windows(word.len()).any(|part| part == *word));
    attributes.into_iter().any(|found| found.map_or(true, |text| text.is_some_and(speaks)))
}
