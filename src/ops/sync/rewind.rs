//! Remotes that go back, or elsewhere.
//!
//! A server, or whoever can force a push, can show an older state, or another history: recipients who were taken out
//! would be back, and passwords that were changed. So what a remote was seen to hold is remembered on this machine.

use super::{Here, SyncError};
use crate::git::Oid;
use crate::store::StoreError;

impl Here<'_, '_> {
    /// Refuses a remote that no longer holds what it was seen to hold; returns that commit where the user takes what
    /// is there now all the same.
    pub(super) fn refuse_rewind(&self, theirs: Option<Oid>) -> Result<Option<Oid>, SyncError> {
        let failed = StoreError::from;
        let Some(seen) = self.repo.seen(&self.upstream).map_err(failed)? else { return Ok(None) };
        let what = match theirs {
            Some(theirs) if self.repo.descends(theirs, seen).map_err(failed)? => return Ok(None),
            Some(theirs) if self.repo.descends(seen, theirs).map_err(failed)? => {
                "an older state, without what came after"
            }
            Some(_) => "another history",
            None => "the branch is gone",
        };
        if self.options.accept_rewind {
            return Ok(theirs.and(Some(seen)));
        }
        let told = |commit: Oid| self.repo.commit_info(commit).map(|info| info.told());
        let came = theirs.map_or_else(|| Ok("nothing".to_owned()), told).map_err(failed)?;
        let seen = told(seen).map_err(failed)?;
        Err(SyncError::Rewound { remote: self.upstream.name(), seen, came, what })
    }

    /// Remembers what the remote was seen to hold. Where that replaces what it held before, HEAD as it is now is kept
    /// as well, as `refs/passel/rewound/ID`.
    pub(super) fn remember(&self, theirs: Oid, rewound: Option<Oid>) -> Result<(), SyncError> {
        let keep = |commit: Oid| -> Result<(), StoreError> {
            self.keep(&format!("refs/passel/rewound/{}", &commit.to_string()[..10]), commit)
        };
        if let Some(seen) = rewound {
            keep(seen)?;
            if let Some(head) = self.repo.head_commit().map_err(StoreError::from)? {
                keep(head)?;
            }
            // Seen only once it is taken: killed before, the next run is asked again.
            return Ok(());
        }
        Ok(self.see(theirs)?)
    }
}
