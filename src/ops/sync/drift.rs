//! Entries that do not agree with their recipients after a merge.
//!
//! Where one person changed a list and another one added entries, the merge holds entries that were encrypted for the
//! old list: whoever was taken out would go on reading. They are encrypted anew, in a commit of their own.
//!
//! Up to which commit all was found to be in line is kept in a ref of ours, `refs/passel/in-line/BRANCH`: from there
//! on, only what changed since is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Here, SyncError};
use crate::git::Oid;
use crate::model::Shown;
use crate::ops::OpError;
use crate::ops::reencrypt::{Reencryption, entries_below, is_entry, shown_entry};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::recipients::Overlay;
use crate::store::transaction::{Change, Plan, Published};

/// What was brought in line.
#[derive(Debug, Default)]
pub struct Mended {
    /// The entries that were encrypted anew, safe to show.
    pub reencrypted: Vec<String>,
    /// Those of them that somebody could read before who cannot now: as they were, history keeps them.
    pub exposed: Vec<String>,
    /// Entries that only others can encrypt anew, safe to show.
    pub left: Vec<String>,
    /// Lists that nothing can be encrypted to yet, and why.
    pub refused: BTreeMap<PathBuf, OpError>,
}

impl Here<'_, '_> {
    /// Brings what changed since all was in line, or since `before`, back in line.
    pub(super) fn mend(&self, before: Option<Oid>) -> Result<Mended, SyncError> {
        let failed = StoreError::from;
        let Some(head) = self.repo.head_commit().map_err(failed)? else { return Ok(Mended::default()) };
        let mark = self.in_line_ref()?;
        let known = self.repo.target(&mark).map_err(failed)?;
        // One that is no ancestor any more tells nothing: the branch went elsewhere.
        let known = known.filter(|known| self.repo.descends(head, *known).unwrap_or(false)).or(before);
        if known == Some(head) {
            self.keep(&mark, head)?;
            return Ok(Mended::default());
        }
        let tree = |commit: Oid| self.repo.tree_id(commit).map_err(failed);
        let deltas = self.repo.compare(known.map(tree).transpose()?, Some(tree(head)?)).map_err(failed)?;
        let mut wanted = BTreeSet::new();
        for (inside, delta) in &deltas {
            let path = self.repo.prefix().join(inside);
            if path.ends_with(".gpg-id") {
                let folder = path.parent().unwrap_or(Path::new(""));
                if self.context.store.beneath().state(folder).map_err(failed_path)? == State::Folder {
                    wanted.extend(self.ruled_by(folder)?);
                }
            } else if is_entry(&path) && delta.new.is_some_and(|item| item.is_file()) {
                wanted.insert(path);
            }
        }
        let (mended, is_whole) = self.reencrypt(wanted)?;
        if is_whole && let Some(head) = self.repo.head_commit().map_err(failed)? {
            self.keep(&mark, head)?;
        }
        Ok(mended)
    }

    fn in_line_ref(&self) -> Result<String, SyncError> {
        let branch = self.repo.branch().map_err(StoreError::from)?;
        Ok(format!("refs/passel/in-line/{}", branch.trim_start_matches("refs/heads/")))
    }

    /// Returns the entries below `folder` that no list further below rules.
    fn ruled_by(&self, folder: &Path) -> Result<Vec<PathBuf>, SyncError> {
        let mut entries = entries_below(self.context, folder)?;
        let mut lists: BTreeMap<PathBuf, bool> = BTreeMap::new();
        entries.retain(|path| {
            let mut between = path.ancestors().skip(1).take_while(|above| *above != folder);
            !between.any(|above| {
                let has_list = || self.context.store.beneath().state(&above.join(".gpg-id"));
                *lists
                    .entry(above.to_path_buf())
                    .or_insert_with(|| has_list().is_ok_and(|state| state != State::Absent))
            })
        });
        Ok(entries)
    }

    /// Encrypts those of `wanted` anew that need it, in one commit; also returns whether all are in line now.
    fn reencrypt(&self, wanted: BTreeSet<PathBuf>) -> Result<(Mended, bool), SyncError> {
        let mut mended = Mended::default();
        if wanted.is_empty() {
            return Ok((mended, true));
        }
        let published = self.context.publish(|| {
            let overlay = Overlay::new();
            let mut work = Reencryption::new(self.context, &overlay);
            let there = wanted
                .iter()
                .filter(|path| matches!(self.context.store.beneath().state(path), Ok(State::File(_))));
            let changes = work.entries(there.cloned())?;
            self.context.store.refuse_uncommitted(changes.iter().map(|change| change.path.as_path()))?;
            let (refused, left) = work.take_failures();
            let (done, seen) = work.finish()?;
            let reencrypted = done.into_iter().map(|entry| entry.name).collect();
            let exposed = changes.iter().filter(|change| self.loses_reader(change));
            let exposed = exposed.map(|change| shown_entry(&change.path)).collect();
            mended = Mended { reencrypted, exposed, left, refused };
            let subject = match mended.reencrypted.len() {
                1 => format!("Reencrypt {} for its recipients.", mended.reencrypted[0]),
                count => format!("Reencrypt {count} entries for their recipients."),
            };
            Ok(Plan { subject, changes, seen, ..Plan::default() })
        })?;
        let Published { warnings, .. } = published;
        warnings.into_iter().for_each(|warning| self.context.store.note(warning));
        let is_whole =
            mended.left.is_empty() && mended.refused.is_empty() && !self.context.store.holds_back();
        Ok((mended, is_whole))
    }
}

impl Here<'_, '_> {
    /// Whether somebody can read the file as it stands who could not read what replaces it.
    fn loses_reader(&self, change: &Change) -> bool {
        let readers = |message: &[u8]| self.context.crypto.recipients_of(message).unwrap_or_default();
        let before = self.context.store.beneath().read(&change.path).ok().flatten().unwrap_or_default();
        let after = readers(change.new.as_deref().unwrap_or_default());
        readers(&before).iter().any(|reader| !after.contains(reader))
    }
}

fn failed_path(error: crate::store::beneath::BeneathError) -> SyncError {
    StoreError::from(error).into()
}

/// Returns a list's name for a message.
pub fn shown_list(path: &Path) -> String {
    Shown::os(path).to_string()
}
