//! Which entries a change of recipients files concerns: those that a list which changes rules, before or
//! afterwards. All others are none of its business, whatever is the matter with them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::guard::key_set;
use super::lists::folder_of;
use super::reencrypt::is_entry;
use super::{Context, KnownLists, OpError};
use crate::git::{GitError, Oid, Repo};
use crate::model::{FolderName, Shown};
use crate::store::StoreError;
use crate::store::accepted::{Keys, hash_of};
use crate::store::beneath::State;
use crate::store::recipients::Overlay;
use crate::store::recorded::Recorded;
use crate::store::transaction::Plan;

/// The part of the store in which a change of recipients files can concern entries.
pub struct Scope<'a> {
    overlay: &'a Overlay,
    /// The outermost folders whose list changes.
    tops: Vec<&'a Path>,
    /// The lists below them that rule on disk.
    lists: BTreeSet<PathBuf>,
    /// The entries that the change concerns.
    pub entries: Vec<PathBuf>,
    /// The other entries below the same folders.
    pub others: Vec<PathBuf>,
    /// The repositories that lie in them.
    repositories: Vec<PathBuf>,
}

impl<'a> Scope<'a> {
    /// Looks at what lies below the folders whose list `overlay` changes, and has `plan` notice what comes.
    pub fn look(context: &Context<'_>, overlay: &'a Overlay, plan: &mut Plan) -> Result<Self, OpError> {
        let mut scope = Scope {
            overlay,
            tops: outermost(overlay),
            lists: BTreeSet::new(),
            entries: Vec::new(),
            others: Vec::new(),
            repositories: Vec::new(),
        };
        let (mut files, mut folders, mut repositories) = (Vec::new(), Vec::new(), Vec::new());
        for top in &scope.tops {
            if context.store.beneath().state(top)? != State::Folder {
                continue;
            }
            // Listed first: what comes while we encrypt is found missing under the lock.
            plan.below.push((top.to_path_buf(), context.store.files_below(top)?));
            let below = context.store.beneath().below(top)?;
            repositories.extend(below.repositories.into_iter().filter(|prefix| prefix != top));
            folders.extend(below.folders);
            files.extend(below.files);
        }
        scope.lists =
            files.iter().map(|(path, _)| path).filter(|path| path.ends_with(".gpg-id")).cloned().collect();
        let mut known: HashMap<PathBuf, bool> = HashMap::new();
        for (path, kind) in files {
            // Links are left alone, as in pass: what they lead to has its own place.
            if kind != FileType::RegularFile || !is_entry(&path) {
                continue;
            }
            let folder = path.parent().unwrap_or(Path::new(""));
            let concerned = match known.get(folder) {
                Some(known) => *known,
                None => *known.entry(folder.to_path_buf()).or_insert(scope.concerns(folder)),
            };
            if concerned { scope.entries.push(path) } else { scope.others.push(path) }
        }
        // One that cannot be used is in nobody's way where nothing in it is concerned.
        let root = context.store.root();
        let within = |prefix: &PathBuf| folders.iter().any(|f| f.starts_with(prefix) && scope.concerns(f));
        repositories.retain(|prefix| within(prefix) || Repo::open(root, prefix).is_ok());
        scope.repositories = repositories;
        Ok(scope)
    }

    /// Whether the list that rules `folder` on disk is one that changes.
    fn concerns(&self, folder: &Path) -> bool {
        self.is_changing(folder, |list| self.lists.contains(list))
    }

    /// The same where `has` says which lists there are.
    fn is_changing(&self, folder: &Path, has: impl Fn(&Path) -> bool) -> bool {
        let after = self.ruling(folder, &has);
        let before = folder.ancestors().map(|above| above.join(".gpg-id")).find(|list| has(list));
        [before, after].into_iter().flatten().any(|list| self.overlay.contains_key(&list))
    }

    /// Returns the list that is going to rule `folder`, none where it stands above what was looked at.
    fn ruling(&self, folder: &Path, has: impl Fn(&Path) -> bool) -> Option<PathBuf> {
        let mut lists = folder.ancestors().map(|above| above.join(".gpg-id"));
        lists.find(|list| self.overlay.get(list).map_or_else(|| has(list), Option::is_some))
    }

    /// Refuses folders that had lists of their own when somebody last accepted who can read them, and that now
    /// fall to a list which changes: unless they were taken away here, that needs a person's word.
    pub fn refuse_vanished(&self, context: &Context<'_>) -> Result<(), OpError> {
        let accepted = context.store.accepted()?.unwrap_or_default();
        let known: BTreeSet<&Path> = accepted.folders().map(|(folder, _)| folder).collect();
        let mut looked_at = BTreeSet::new();
        let mut errors = Vec::new();
        for folder in self.entries.iter().filter_map(|path| path.parent()) {
            let Some(ruled) = folder.ancestors().find(|above| known.contains(above)) else { continue };
            let list = ruled.join(".gpg-id");
            let is_below = self.tops.iter().any(|top| ruled.starts_with(top));
            let stands = self.lists.contains(&list) || self.overlay.contains_key(&list);
            if !is_below || stands || !looked_at.insert(ruled) {
                continue;
            }
            let name = FolderName::parse(ruled.as_os_str())?;
            // Without usable recipients nothing is encrypted, and why is told then.
            if let Some(after) = readers(context, &name, self.overlay)
                && let Some(rule) = context.store.rule(&name, &Overlay::new())?
                && let before = readers(context, &name, &Overlay::new()).unwrap_or_else(|| after.clone())
                && let Err(error) = context.check_kept(&name, &before, &after, &Keys::new(), &rule)
            {
                errors.push(error);
            }
        }
        OpError::all(errors)
    }

    /// Tells of lists that the change does not concern, but that nobody here has accepted, or that cannot be
    /// used: who pushed one may mean to stay where the change takes keys away.
    pub fn tell_unaccepted(&self, context: &Context<'_>) -> Result<(), OpError> {
        let accepted = context.store.accepted()?.unwrap_or_default();
        for file in self.lists.iter().filter(|list| !self.overlay.contains_key(*list)) {
            let Ok(folder) = folder_of(file) else { continue };
            let list = context.store.read_recipients(file).ok().flatten();
            let known = accepted.ruling(&folder).map(|memory| memory.list.as_str());
            if list.is_some_and(|list| known == Some(&hash_of(&list))) {
                continue;
            }
            if let Err(error) = context.recipients(&folder) {
                tell_left(context, file, &error);
            }
        }
        Ok(())
    }

    /// Returns what HEAD holds where the change can concern something.
    pub fn recorded(&self, context: &Context<'_>) -> Result<Recorded, OpError> {
        let inner = self.repositories.iter().map(PathBuf::as_path);
        Ok(Recorded::read(context.store, self.tops.iter().copied(), inner)?)
    }

    /// Fails unless every entry that the change concerns is as HEAD has it: a commit must not say that a key
    /// was taken away from what still carries it. `read` has the ids of what was read from disk.
    pub fn refuse_uncommitted(
        &self,
        context: &Context<'_>,
        recorded: &Recorded,
        read: &BTreeMap<PathBuf, Oid>,
    ) -> Result<(), OpError> {
        let on_disk = |list: &Path| self.lists.contains(list);
        // A list that git ignores rules in HEAD as well, where it never is.
        let mut ignored = BTreeSet::new();
        for list in self.lists.iter().filter(|list| !recorded.files.contains_key(*list)) {
            if recorded.ignores(list)? {
                ignored.insert(list.as_path());
            }
        }
        let in_head = |list: &Path| recorded.files.contains_key(list) || ignored.contains(list);
        // What a submodule holds that is not here, nobody can bring in line.
        for path in &recorded.submodules {
            let is_here = || Repo::prefix_of(context.store.root(), path).as_ref() == Some(path);
            if self.is_changing(path, in_head) && !is_here() {
                let path = Shown::os(path).to_string();
                return Err(StoreError::from(GitError::Submodule { path }).into());
            }
        }
        // By folder: whether HEAD's lists concern it, and which list of HEAD's or ours the other lacks.
        let mut folders: HashMap<&Path, (bool, Option<PathBuf>)> = HashMap::new();
        let entries = recorded.files.iter().filter(|(path, blob)| blob.is_file() && is_entry(path));
        for (path, blob) in entries {
            let folder = path.parent().unwrap_or(Path::new(""));
            let (is_concerned, differing) = folders.entry(folder).or_insert_with(|| {
                let lists = [self.ruling(folder, on_disk), self.ruling(folder, in_head)];
                let differ = lists[0] != lists[1];
                let nearest = lists.into_iter().flatten().max_by_key(|list| list.components().count());
                (self.is_changing(folder, in_head), nearest.filter(|_| differ))
            });
            let here = read.get(path);
            if !*is_concerned && here.is_none() {
                continue;
            }
            if let Some(list) = differing {
                // What is the matter with a list that cannot be used is told first.
                context.recipients(&folder_of(path)?)?;
                return Err(context.store.differing(list).into());
            }
            if here != Some(&blob.id) {
                return Err(context.store.differing(path).into());
            }
        }
        Ok(())
    }
}

/// Tells the user that what a list rules is left as it is, and why.
pub fn tell_left(context: &Context<'_>, list: &Path, why: &OpError) {
    let cause = std::error::Error::source(why).map(|cause| format!(": {cause}")).unwrap_or_default();
    context.store.note(format!("what `{}` rules is left as it is: {why}{cause}", Shown::os(list)));
}

/// Returns who can read `folder` as it will be with `overlay`; none where that cannot be told.
fn readers(context: &Context<'_>, folder: &FolderName, overlay: &Overlay) -> Option<Keys> {
    let (recipients, _) = context.resolved(folder, overlay, &mut KnownLists::default()).ok()?;
    Some(key_set(&recipients.keys))
}

/// Fails if HEAD holds entries below `folder` that are not on disk: where a list goes from above them, they would
/// stay in the commit as they are, under another one.
pub fn refuse_missing(context: &Context<'_>, folder: &Path) -> Result<(), OpError> {
    let recorded = Recorded::read(context.store, std::iter::once(folder), std::iter::empty())?;
    for path in recorded.files.keys().filter(|path| is_entry(path)) {
        if context.store.beneath().state(path)? == State::Absent {
            return Err(context.store.differing(path).into());
        }
    }
    Ok(())
}

/// Returns the folders of changing lists that lie in no other one.
fn outermost(overlay: &Overlay) -> Vec<&Path> {
    let folders: BTreeSet<&Path> = overlay.keys().filter_map(|list| list.parent()).collect();
    let mut found: Vec<&Path> = Vec::new();
    // In order, so that a folder comes before those in it.
    for folder in folders {
        if found.iter().all(|outer| !folder.starts_with(outer)) {
            found.push(folder);
        }
    }
    found
}
