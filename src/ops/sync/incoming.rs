//! What comes is looked at before anything of it is taken.

use super::{Here, SyncError};
use crate::git::Oid;
use crate::git::compared::Deltas;
use crate::model::EntryName;
use crate::model::entry::{is_entry, shown_entry};
use crate::ops::copies::{Copies, body_of};
use crate::ops::vet::vet;
use crate::store::StoreError;

impl Here<'_, '_> {
    /// Refuses what no store should hold.
    pub(super) fn refuse_hazards(
        &self,
        ours: Option<Oid>,
        head: Option<Oid>,
        theirs: Oid,
    ) -> Result<(), SyncError> {
        let failed = StoreError::from;
        // What both sides have in common was taken already.
        let base = match head {
            Some(head) => self.repo.merge_bases(head, theirs).map_err(failed)?.first().copied(),
            None => None,
        };
        let old = base.map(|base| self.repo.tree_id(base)).transpose().map_err(failed)?.or(ours);
        let hazards = vet(self.repo, old, self.repo.tree_id(theirs).map_err(failed)?).map_err(failed)?;
        let ignores_case = self.repo.ignores_case();
        let (refused, told): (Vec<_>, Vec<_>) =
            hazards.into_iter().partition(|hazard| hazard.is_refused(ignores_case));
        told.iter().for_each(|hazard| self.context.store.note(hazard.told()));
        if refused.is_empty() {
            return Ok(());
        }
        let mut what = Vec::new();
        for hazard in refused {
            let by = self.repo.brought_to(head, theirs, &hazard.path).map_err(failed)?;
            let by = by.map(|commit| format!(" ({})", commit.told())).unwrap_or_default();
            what.push(format!("{}{by}", hazard.told()));
        }
        Err(SyncError::Hazards { remote: self.upstream.name(), what })
    }

    /// Returns what is odd about entries that came: one that is back at an earlier version, or that holds another
    /// one's message.
    pub(super) fn oddities(&self, deltas: &Deltas) -> Result<Vec<String>, SyncError> {
        let entries: Vec<_> = deltas
            .iter()
            .filter(|(path, delta)| is_entry(path) && delta.old != delta.new)
            .filter_map(|(path, delta)| Some((path, delta.new.filter(|item| item.is_file())?)))
            .collect();
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut copies = Copies::read(self.context)?;
        let mut found = Vec::new();
        for (inside, item) in entries {
            let path = self.repo.prefix().join(inside);
            let name = shown_entry(&path);
            // A version that was kept apart is somebody's by its nature.
            if EntryName::parse(path.with_extension("").as_os_str())
                .is_ok_and(|name| name.conflicted().is_some())
            {
                continue;
            }
            let message = self.repo.blob(item.id).map_err(StoreError::from)?;
            let Ok(body) = body_of(&name, &message) else { continue };
            if let Some(oddity) = copies.oddity(self.context, &path, &body)? {
                found.push(format!("`{name}` {oddity}"));
            }
        }
        Ok(found)
    }
}
