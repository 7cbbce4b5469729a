//! When who gained or lost access: by lists, and by entries that were encrypted for others than before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Party, Source, is_of_access};
use crate::git::history::{Changed, History};
use crate::git::versions::Content;
use crate::git::{GitError, Oid, Repo};
use crate::model::entry::is_record;
use crate::ops::OpError;
use crate::ops::audit::Past;
use crate::ops::audit::past::short;
use crate::ops::guard::list_below;
use crate::ops::history::Lists;
use crate::store::StoreError;

/// A commit that changed who can read. What its message says is left out: it may speak of others.
#[derive(Debug)]
pub struct Event {
    /// Its id.
    pub commit: Oid,
    /// When its author made it, in seconds since 1970; none if it does not say.
    pub when: Option<i64>,
    /// Its author's name. Not safe to show.
    pub author: String,
    /// Whether older commits are missing here: what it is said to bring may have been before.
    pub is_cut: bool,
    /// What it changed, folder by folder.
    pub folders: Vec<FolderChange>,
}

/// A change of who can read what a list rules.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FolderChange {
    /// The folder.
    pub folder: PathBuf,
    /// Who can read it since.
    pub gained: BTreeMap<Party, Gain>,
    /// Who no longer can.
    pub lost: BTreeMap<Party, Gain>,
}

/// How somebody gained or lost access.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Gain {
    /// Whether the list says so.
    pub is_listed: bool,
    /// How many entries were encrypted so that it is true, beside new ones and those that went.
    pub entries: usize,
}

/// Changes by folder.
type Changes = BTreeMap<PathBuf, FolderChange>;

/// What a walk through one history goes by.
struct Walk<'s, 'h> {
    source: &'s Source<'s>,
    past: &'s Past,
    repo: &'h Repo,
    history: &'h History<'h>,
    lists: Lists<'s, 's>,
}

impl Source<'_> {
    /// Returns the commits that changed who can read, the newest first.
    pub(super) fn timeline(&self, past: &Past, gaps: &mut Vec<String>) -> Result<Vec<Event>, OpError> {
        let mut events = Vec::new();
        for one in &past.histories {
            let repo = &one.repo;
            let Some(history) = repo.history().map_err(StoreError::from)? else { continue };
            let lists = Lists::new(self.context);
            let mut walk = Walk { source: self, past, repo, history: &history, lists };
            for place in walk.places() {
                match walk.event(place) {
                    Ok(event) => events.extend(event),
                    Err(_) => {
                        let commit = short(history.commits()[place].id);
                        let gap = format!("commit {commit} cannot be read");
                        if !gaps.contains(&gap) {
                            gaps.push(gap);
                        }
                    }
                }
            }
        }
        // Histories are in order themselves; several of them are put together by their dates.
        if past.histories.len() > 1 {
            events.sort_by_key(|event| std::cmp::Reverse(event.when));
        }
        Ok(events)
    }
}

impl Walk<'_, '_> {
    /// Returns the places of the commits that may say something of what is asked about.
    fn places(&self) -> BTreeSet<usize> {
        let prefix = self.repo.prefix();
        let Ok(inside) = self.source.scope.strip_prefix(prefix) else {
            return self.history.touching(Path::new("")).into_iter().collect();
        };
        let mut places: BTreeSet<usize> = self.history.touching(inside).into_iter().collect();
        for above in inside.ancestors().skip(1) {
            places.extend(self.history.touching(&above.join(".gpg-id")));
        }
        places
    }

    fn event(&mut self, place: usize) -> Result<Option<Event>, GitError> {
        let changes = self.history.changes(place)?;
        let mut found = Changes::new();
        self.by_lists(place, &changes, &mut found)?;
        self.by_entries(place, &changes, &mut found)?;
        found.retain(|_, change| !change.gained.is_empty() || !change.lost.is_empty());
        let commit = &self.history.commits()[place];
        Ok((!found.is_empty()).then(|| Event {
            commit: commit.id,
            when: commit.when,
            author: String::from_utf8_lossy(&self.history.details(place).name).into_owned(),
            is_cut: commit.is_cut,
            folders: found.into_values().collect(),
        }))
    }

    /// Adds what changes of lists come to.
    fn by_lists(&mut self, place: usize, changes: &[Changed], found: &mut Changes) -> Result<(), GitError> {
        let lists = changes.iter().filter(|change| change.path.ends_with(".gpg-id"));
        let folders: BTreeSet<PathBuf> = lists.filter_map(|change| self.concerned(&change.path)).collect();
        for folder in folders {
            let now = self.named(Some(self.history.commits()[place].id), &folder)?;
            let then = self.named(self.history.parents(place).next(), &folder)?;
            for party in now.difference(&then) {
                entry(found, &folder).gained.entry(party.clone()).or_default().is_listed = true;
            }
            for party in then.difference(&now) {
                entry(found, &folder).lost.entry(party.clone()).or_default().is_listed = true;
            }
        }
        Ok(())
    }

    /// Returns the folder, of what is asked about, that a change of a list says something of.
    fn concerned(&self, list: &Path) -> Option<PathBuf> {
        let folder = self.repo.prefix().join(list.parent()?);
        let scope = self.source.scope;
        let is_concerned = (folder.starts_with(scope) || scope.starts_with(&folder)) && !is_record(&folder);
        is_concerned.then(|| self.source.within(&folder).to_path_buf())
    }

    /// Returns whom a commit names for a folder: nobody where it has no such folder, whatever a list above says of others.
    fn named(&mut self, commit: Option<Oid>, folder: &Path) -> Result<BTreeSet<Party>, GitError> {
        let Some(commit) = commit else { return Ok(BTreeSet::new()) };
        let tree = self.repo.tree_of(commit)?;
        let inside = self.inside(folder);
        if !tree.below(inside)?.iter().any(|(path, _, _)| is_of_access(path)) {
            return Ok(BTreeSet::new());
        }
        let list = list_below(self.repo, &tree, Path::new(""), inside)?;
        let named = list.map(|(_, list)| self.lists.readers(list)).unwrap_or_default();
        Ok(named.into_iter().map(|who| self.source.named(who)).collect())
    }

    /// Adds what entries come to that were encrypted for others than before.
    fn by_entries(&self, place: usize, changes: &[Changed], found: &mut Changes) -> Result<(), GitError> {
        let holds = |change: &&Changed| self.source.holds(&self.repo.prefix().join(&change.path));
        for change in changes.iter().filter(holds) {
            let Some(now) = change.after.and_then(|blob| self.parties(blob)) else { continue };
            let then: Option<Vec<_>> =
                change.before.iter().flatten().map(|blob| self.parties(*blob)).collect();
            let Some(then) = then.filter(|then| !then.is_empty()) else { continue };
            let gained: Vec<&Party> = now.iter().filter(|p| !then.iter().any(|t| t.contains(p))).collect();
            let lost: Vec<&Party> =
                then[0].iter().filter(|p| then.iter().all(|t| t.contains(p)) && !now.contains(p)).collect();
            if gained.is_empty() && lost.is_empty() {
                continue;
            }
            let folder = self.ruling(place, &change.path)?;
            let change = entry(found, &folder);
            for party in gained {
                change.gained.entry(party.clone()).or_default().entries += 1;
            }
            for party in lost {
                change.lost.entry(party.clone()).or_default().entries += 1;
            }
        }
        Ok(())
    }

    /// Returns who can read a blob; none if it is no message, or nobody can tell.
    fn parties(&self, blob: Oid) -> Option<BTreeSet<Party>> {
        match self.past.content(blob)? {
            Content::Message { readers, .. } => Some(self.source.parties(readers)),
            _ => None,
        }
    }

    /// Returns the folder whose list rules the file `path` in a commit.
    fn ruling(&self, place: usize, path: &Path) -> Result<PathBuf, GitError> {
        let tree = self.repo.tree_of(self.history.commits()[place].id)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let list = list_below(self.repo, &tree, Path::new(""), folder)?;
        let folder = list.as_ref().and_then(|(list, _)| list.parent()).unwrap_or(Path::new(""));
        let folder = match folder.as_os_str().is_empty() {
            true => self.repo.prefix().to_path_buf(),
            false => self.repo.prefix().join(folder),
        };
        Ok(self.source.within(&folder).to_path_buf())
    }

    /// Returns a folder of the store as one of the repository.
    fn inside<'f>(&self, folder: &'f Path) -> &'f Path {
        folder.strip_prefix(self.repo.prefix()).unwrap_or(Path::new(""))
    }
}

fn entry<'c>(found: &'c mut Changes, folder: &Path) -> &'c mut FolderChange {
    found
        .entry(folder.to_path_buf())
        .or_insert_with(|| FolderChange { folder: folder.to_path_buf(), ..FolderChange::default() })
}
