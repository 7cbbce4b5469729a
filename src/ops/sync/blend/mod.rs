//! Two states of a store that come from a third, put together.
//!
//! Files that only one side changed are taken from that side. Where both did, entries are merged in plaintext
//! ([`entries`]), lists of recipients and the configuration by what they say ([`lists`]), and what cannot be merged is
//! kept in both versions. Nothing of this changes the store: what comes of it is a tree in the repository.

mod entries;
mod health;
mod lists;
mod renames;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::SyncError;
use crate::git::compared::{Deltas, Edits, Item};
use crate::git::{Oid, Repo};
use crate::model::entry::{is_entry, shown_entry};
use crate::model::{FolderName, Shown};
use crate::ops::Context;
use crate::ops::copies::Copies;
use crate::store::StoreError;
use crate::store::recipients::Overlay;

/// The three trees of a merge.
#[derive(Debug, Clone, Copy)]
pub struct Trees {
    /// What both come from; none if they have nothing in common.
    pub base: Option<Oid>,
    /// What is here.
    pub ours: Oid,
    /// What comes.
    pub theirs: Oid,
}

/// A version that is kept apart, as it could not be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptApart {
    /// The file that both changed, in the store.
    pub path: PathBuf,
    /// Where the other side's version is.
    pub beside: PathBuf,
    /// Why they were not merged, for a sentence.
    pub why: &'static str,
}

/// What came of putting two trees together.
#[derive(Debug, Default)]
pub struct Blended {
    /// How the new tree differs from ours.
    pub edits: Edits,
    /// Entries of which both sides' changes were merged.
    pub merged: Vec<PathBuf>,
    /// Versions that are kept apart.
    pub kept: Vec<KeptApart>,
    /// What else is to be told.
    pub notes: Vec<String>,
}

/// Puts two trees together.
pub fn blend(context: &Context<'_>, repo: &Repo, trees: Trees) -> Result<Blended, SyncError> {
    let mut ours = repo.compare(trees.base, Some(trees.ours)).map_err(StoreError::from)?;
    let mut theirs = repo.compare(trees.base, Some(trees.theirs)).map_err(StoreError::from)?;
    let before: Vec<PathBuf> = ours.keys().cloned().collect();
    let is_left = |tree: Oid| move |folder: &Path| repo.holds(tree, folder);
    renames::follow(&mut ours, &mut theirs, &is_left(trees.ours));
    renames::follow(&mut theirs, &mut ours, &is_left(trees.theirs));
    let mut blend = Blend {
        context,
        repo,
        trees,
        ours,
        theirs,
        found: Blended::default(),
        overlay: Overlay::new(),
        copies: None,
        decided: BTreeSet::new(),
    };
    // What goes along with a folder that they moved is not where it was.
    let gone = before.into_iter().filter(|path| !blend.ours.contains_key(path));
    blend.found.edits.extend(gone.map(|path| (path, None)));
    blend.run()?;
    Ok(blend.found)
}

/// Returns the tree that two others come from, put together of several: where histories cross, there are several best
/// common ancestors. What two of them changed differently is in none of them; of lists it is all keys of both, so
/// that who was taken out on one side since stays out.
pub fn common(repo: &Repo, bases: &[Oid]) -> Result<Option<Oid>, SyncError> {
    let Some((first, others)) = bases.split_first() else { return Ok(None) };
    let tree = |commit: Oid| repo.tree_id(commit).map_err(StoreError::from);
    let mut whole = tree(*first)?;
    for other in others {
        let below = repo.merge_bases(*first, *other).map_err(StoreError::from)?;
        let below = below.first().map(|commit| tree(*commit)).transpose()?;
        let one = repo.compare(below, Some(whole)).map_err(StoreError::from)?;
        let mut edits = Edits::new();
        for (path, delta) in repo.compare(below, Some(tree(*other)?)).map_err(StoreError::from)? {
            let new = match one.get(&path) {
                None => delta.new,
                Some(same) if same.new == delta.new => continue,
                Some(differing) if path.ends_with(".gpg-id") => {
                    lists::union(repo, [differing.new, delta.new].into_iter().flatten())?
                }
                Some(_) => None,
            };
            edits.insert(path, new);
        }
        whole = repo.edited(Some(whole), &edits).map_err(StoreError::from)?;
    }
    Ok(Some(whole))
}

/// A merge under way.
struct Blend<'a, 'c> {
    context: &'a Context<'c>,
    repo: &'a Repo,
    trees: Trees,
    /// What each side changed.
    ours: Deltas,
    theirs: Deltas,
    found: Blended,
    /// The recipients files that will be others than those here, by their path in the store.
    overlay: Overlay,
    /// Where encrypted data have been, once that was asked for.
    copies: Option<Copies>,
    /// Where entries were moved to that the other side changed, and where versions are kept apart: that is decided.
    decided: BTreeSet<PathBuf>,
}

/// What both sides made of a file.
#[derive(Debug, Clone, Copy)]
struct Both {
    base: Option<Item>,
    ours: Item,
    theirs: Item,
}

impl Blend<'_, '_> {
    fn run(&mut self) -> Result<(), SyncError> {
        let paths: BTreeSet<PathBuf> = self.ours.keys().chain(self.theirs.keys()).cloned().collect();
        // Lists first: they say who the entries are for.
        let (lists, others): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.ends_with(".gpg-id"));
        for path in &lists {
            self.take(path)?;
        }
        self.keep_lists(&others)?;
        self.note_lists()?;
        for path in &others {
            self.take(path)?;
        }
        self.tidy();
        Ok(())
    }

    /// Decides about one path.
    fn take(&mut self, path: &Path) -> Result<(), SyncError> {
        if self.decided.contains(path) {
            return Ok(());
        }
        let (ours, theirs) = (self.ours.get(path).copied(), self.theirs.get(path).copied());
        let (ours, theirs) = match (ours, theirs) {
            (None, None) => return Ok(()),
            (Some(ours), None) => {
                self.set(path, ours.new);
                return Ok(());
            }
            (None, Some(theirs)) => {
                self.set(path, theirs.new);
                return Ok(());
            }
            (Some(ours), Some(theirs)) => (ours, theirs),
        };
        match (ours.new, theirs.new) {
            (one, other) if one == other => self.set(path, one),
            // What was only moved on one side has changed on the other alone.
            (one, other) if one == ours.old => self.set(path, other),
            (one, other) if other == theirs.old => self.set(path, one),
            (Some(kept), None) => self.survives(path, ours.old, kept, "there")?,
            (None, Some(kept)) => self.survives(path, ours.old, kept, "here")?,
            (Some(one), Some(other)) => {
                self.both(path, Both { base: ours.old, ours: one, theirs: other })?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// One side removed what the other one changed: it stays, with the change; or goes where it was moved to.
    fn survives(
        &mut self,
        path: &Path,
        base: Option<Item>,
        kept: Item,
        removed: &'static str,
    ) -> Result<(), SyncError> {
        if is_entry(path) && kept.is_file() && self.moved(path, base, kept, removed)? {
            return Ok(());
        }
        self.set(path, Some(kept));
        let name = self.name(path);
        self.found
            .notes
            .push(format!("`{name}` was removed {removed} and changed by somebody else: it stays"));
        Ok(())
    }

    /// Both sides changed a file, or made one of that name.
    fn both(&mut self, path: &Path, both: Both) -> Result<(), SyncError> {
        let is_list = path.ends_with(".gpg-id");
        if !both.ours.is_file() || !both.theirs.is_file() {
            let name = Shown::os(path);
            self.found.notes.push(format!(
                "`{name}` is a link or a submodule, changed here and there: it stays as it is here"
            ));
            return Ok(());
        }
        match path {
            _ if is_list => self.list(path, both),
            path if path.ends_with(".gpg-id.sig") => self.signature(path, both),
            path if path == Path::new(crate::config::FILE) => self.configuration(path, both),
            path if path.starts_with(".public-keys") => {
                // Both are somebody's export of one key; what they lack, `keys import` and `keys export` add.
                let size = |item: Item| self.repo.blob_size(item.id).map_err(StoreError::from);
                let key = [(size(both.ours)?, both.ours.id), (size(both.theirs)?, both.theirs.id)];
                self.set(path, Some(if key[0] >= key[1] { both.ours } else { both.theirs }));
                Ok(())
            }
            path if is_entry(path) => self.entry(path, both),
            path => self.text(path, both),
        }
    }

    /// Both changed a file that is no entry.
    fn text(&mut self, path: &Path, both: Both) -> Result<(), SyncError> {
        let merged = self.repo.merge_texts(both.base, both.ours, both.theirs).map_err(StoreError::from)?;
        match merged {
            Some(text) => {
                let id = self.repo.write_blob(&text).map_err(StoreError::from)?;
                self.set(path, Some(Item { id, mode: both.ours.mode }));
            }
            None => self.keep_apart(path, both.theirs, "both changed the same lines")?,
        }
        Ok(())
    }

    /// Keeps ours, and theirs beside it.
    fn keep_apart(&mut self, path: &Path, theirs: Item, why: &'static str) -> Result<(), SyncError> {
        let mut place = beside(path, theirs.id, 0);
        // What was kept there before, somebody may have edited since.
        for part in 1..DIGITS {
            if self.is_free(&place, theirs)? {
                break;
            }
            place = beside(path, theirs.id, part);
        }
        self.set(&place, Some(theirs));
        self.decided.insert(place.clone());
        let (path, beside) = (self.store_path(path), self.store_path(&place));
        self.found.kept.push(KeptApart { path, beside, why });
        Ok(())
    }

    /// Whether nothing else than `item` stands at `path`, on either side or in the end.
    fn is_free(&self, path: &Path, item: Item) -> Result<bool, SyncError> {
        let sides = [self.in_tree(self.trees.ours, path)?, self.in_tree(self.trees.theirs, path)?];
        let known = sides.into_iter().chain([self.found.edits.get(path).copied().flatten()]);
        Ok(known.flatten().all(|other| other == item))
    }

    /// Sets what stands at `path` in the end.
    fn set(&mut self, path: &Path, item: Option<Item>) {
        self.found.edits.insert(path.to_path_buf(), item);
    }

    /// Returns what stands at `path` in the end, as far as that is decided.
    fn finally(&self, path: &Path) -> Result<Option<Item>, SyncError> {
        match self.found.edits.get(path) {
            Some(item) => Ok(*item),
            None => self.in_tree(self.trees.ours, path),
        }
    }

    fn in_tree(&self, tree: Oid, path: &Path) -> Result<Option<Item>, SyncError> {
        Ok(self.repo.item_in(Some(tree), path).map_err(StoreError::from)?)
    }

    fn store_path(&self, path: &Path) -> PathBuf {
        self.repo.prefix().join(path)
    }

    fn name(&self, path: &Path) -> String {
        shown_entry(&self.store_path(path))
    }

    fn folder(&self, path: &Path) -> Result<FolderName, SyncError> {
        let path = self.store_path(path);
        Ok(FolderName::parse(path.parent().unwrap_or(Path::new("")).as_os_str())?)
    }

    /// Drops versions that were kept apart, and are what stands under the name itself now: both sides came to the
    /// same in different ways.
    fn tidy(&mut self) {
        let finally: BTreeMap<&PathBuf, Item> =
            self.found.edits.iter().filter_map(|(path, item)| Some((path, (*item)?))).collect();
        let same = self.found.kept.iter().filter(|kept| {
            let inside = |path: &Path| path.strip_prefix(self.repo.prefix()).map(Path::to_path_buf);
            let item = |path: &Path| inside(path).ok().and_then(|path| finally.get(&path).copied());
            item(&kept.path).is_some() && item(&kept.path) == item(&kept.beside)
        });
        let same: Vec<KeptApart> = same.cloned().collect();
        for kept in same {
            if let Ok(inside) = kept.beside.strip_prefix(self.repo.prefix()) {
                self.found.edits.insert(inside.to_path_buf(), None);
            }
            self.found.kept.retain(|other| *other != kept);
        }
    }
}

/// How many names there are for a version that is kept apart.
const DIGITS: usize = 5;

/// Returns where the other side's version of a file is kept: `NAME.conflict-<8 hex>.gpg`, the digits being the first
/// of its blob's id; the next ones where those before are taken. Other files have them at their end.
fn beside(path: &Path, id: Oid, part: usize) -> PathBuf {
    let digits = &id.to_string()[8 * part..][..8];
    if is_entry(path)
        && let Ok(name) = crate::model::EntryName::parse(path.with_extension("").as_os_str())
    {
        // Another version of what was kept apart itself is one more of the same entry.
        let name = name.conflicted().map_or(name, |(name, _)| name);
        return name.conflict(digits).file();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".conflict-{digits}"));
    name.into()
}
