//! Why a store could not be synced.

use crate::git::remote::RemoteError;
use crate::model::NameError;
use crate::ops::OpError;
use crate::store::StoreError;

/// Why a store could not be synced. What was here is as it was, but for what was taken before.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The store has no repository.
    #[error("the password store is not a git repository")]
    NoGit,
    /// There is nothing to sync with.
    #[error("{place} has no remote repository to sync with")]
    NoRemote {
        /// The store, or a repository in it.
        place: String,
    },
    /// HEAD is no branch.
    #[error("{place} is on no branch (a detached HEAD)")]
    Detached {
        /// The store, or a repository in it.
        place: String,
    },
    /// History was cut off.
    #[error("{place} is a shallow clone: what its older commits brought cannot be seen")]
    Shallow {
        /// The store, or a repository in it.
        place: String,
    },
    /// Part of the work tree was left out.
    #[error("{place} is a sparse checkout")]
    Sparse {
        /// The store, or a repository in it.
        place: String,
    },
    /// The histories have nothing in common.
    #[error("{remote} has another history than {place}: they have no commit in common")]
    Unrelated {
        /// The store, or a repository in it.
        place: String,
        /// The remote branch.
        remote: String,
    },
    /// The remote is behind what it was seen to hold, or holds something else.
    #[error("{remote} was at {seen}, and has {came} now: {what}")]
    Rewound {
        /// The remote branch.
        remote: String,
        /// The commit that was seen there.
        seen: String,
        /// What is there now.
        came: String,
        /// What that means.
        what: &'static str,
    },
    /// What came must not be taken.
    #[error("{remote} holds what is not taken: {}", .what.join("; "))]
    Hazards {
        /// The remote branch.
        remote: String,
        /// Each thing, with the commit where that is known.
        what: Vec<String>,
    },
    /// Commits came that no recipient has signed.
    #[error("{remote} holds commits that no recipient of this store has signed: {}", .what.join("; "))]
    Unsigned {
        /// The remote branch.
        remote: String,
        /// The commits, safe to show.
        what: Vec<String>,
    },
    /// A file here is in the way of one that comes.
    #[error("`{path}` is not in git here, and one of that name comes from {remote}")]
    InTheWay {
        /// The file.
        path: String,
        /// The remote branch.
        remote: String,
    },
    /// Others pushed again and again.
    #[error("{remote} was changed by somebody else each time, {attempts} times")]
    Overtaken {
        /// The remote branch.
        remote: String,
        /// How often it was tried.
        attempts: usize,
    },
    /// The remote could not be used.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The store could not be used or changed.
    #[error(transparent)]
    Op(#[from] OpError),
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        SyncError::Op(error.into())
    }
}

impl From<NameError> for SyncError {
    fn from(error: NameError) -> Self {
        SyncError::Op(error.into())
    }
}
