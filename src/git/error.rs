//! Why git could not do its part.

use std::io;
use std::path::Path;

use crate::model::Shown;
use crate::process::tmpdir::PrivateFolderError;

/// Why git could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The repository cannot be used at all.
    #[error("cannot use the git repository at `{path}`")]
    Open {
        /// Its folder.
        path: String,
        /// Why.
        #[source]
        source: git2::Error,
    },
    /// The repository is of a kind that libgit2 does not know.
    #[error("the git repository at `{path}` {what}, which passel cannot write")]
    Unsupported {
        /// Its folder.
        path: String,
        /// `uses SHA-256 objects` and the like.
        what: &'static str,
    },
    /// It belongs to another user, and git's `safe.directory` does not name it.
    #[error("the git repository at `{path}` belongs to another user")]
    Owner {
        /// Its folder.
        path: String,
    },
    /// Its work tree is another folder.
    #[error("the git repository at `{path}` has its work tree at `{tree}` (core.worktree)")]
    Elsewhere {
        /// Its folder.
        path: String,
        /// The work tree.
        tree: String,
    },
    /// A merge, rebase or the like is under way.
    #[error("the git repository at `{path}` is in the middle of a {what}")]
    Unfinished {
        /// Its folder.
        path: String,
        /// `merge` and the like.
        what: &'static str,
    },
    /// The index holds conflicts.
    #[error("the git repository at `{path}` holds unresolved conflicts")]
    Conflicted {
        /// Its folder.
        path: String,
    },
    /// Another program holds one of git's locks.
    #[error("another program holds git's lock `{path}`, {age} s old")]
    Locked {
        /// The lock file.
        path: String,
        /// Its age in seconds.
        age: u64,
    },
    /// The file system knows no hard links, which our locks are.
    #[error("cannot lock `{path}`: this file system has no hard links")]
    NoHardLinks {
        /// The lock file.
        path: String,
    },
    /// git is told to keep what it decrypts for diffs, in notes.
    #[error("git is told to keep what it decrypts: `diff.{driver}.cachetextconv` is set")]
    CachedPlaintext {
        /// The diff driver.
        driver: String,
        /// Whose configuration sets it: `global` and the like; `command` for the command line and environment.
        scope: String,
    },
    /// Nobody to name as author.
    #[error("git does not know who you are: {0}")]
    Identity(String),
    /// A hook refused.
    #[error("the hook `{hook}` refused the change (exit code {code})")]
    Hook {
        /// The hook's file.
        hook: String,
        /// Its exit code; -1 if a signal ended it.
        code: i32,
    },
    /// A hook left no message.
    #[error("a hook made the commit's message empty")]
    NoMessage,
    /// There is no folder for what git writes aside.
    #[error("there is no folder to have a commit signed in")]
    Aside(#[source] PrivateFolderError),
    /// git could not sign.
    #[error("git could not sign the commit")]
    Sign,
    /// The entry lies outside of a sparse checkout.
    #[error("`{path}` is in the repository but outside of this sparse checkout")]
    Sparse {
        /// The path.
        path: String,
    },
    /// A file differs from what is committed, and would be swept into our commit.
    #[error("`{path}` has changes that are not committed")]
    Uncommitted {
        /// The path.
        path: String,
    },
    /// A file is committed, but not there any more.
    #[error("`{path}` is committed, but was removed since")]
    Missing {
        /// The path.
        path: String,
    },
    /// A tree names the same folders again and again.
    #[error("commit {commit} holds too much to look through")]
    TooLarge {
        /// The commit.
        commit: String,
    },
    /// What a commit holds says nothing that can be read.
    #[error("a commit cannot be read")]
    Unreadable,
    /// A text names no commit.
    #[error("`{rev}` names no commit")]
    NoCommit {
        /// The text, safe to show.
        rev: String,
        /// Why not.
        #[source]
        source: git2::Error,
    },
    /// A folder belongs to a repository that is not here.
    #[error("`{path}` is a submodule that has not been fetched")]
    Submodule {
        /// The folder.
        path: String,
    },
    /// A recipients file would be made where git is told to ignore it.
    #[error("`{path}` is ignored by git: nobody else would have these recipients")]
    IgnoredList {
        /// The file.
        path: String,
    },
    /// A tree is not in order.
    #[error("the git repository holds a malformed tree, {tree}")]
    Malformed {
        /// Its id.
        tree: String,
    },
    /// The git program could not be run.
    #[error("cannot run `{program}`")]
    NotRun {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The git program failed.
    #[error("git failed: {0}")]
    Program(String),
    /// libgit2 failed.
    #[error("git cannot {action}")]
    Libgit2 {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: git2::Error,
    },
    /// The system refused.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl GitError {
    /// Returns the error with the commit that was looked through.
    pub(super) fn in_commit(self, id: git2::Oid) -> Self {
        match self {
            GitError::TooLarge { .. } => GitError::TooLarge { commit: id.to_string() },
            other => other,
        }
    }
}

/// Turns an I/O error about `path` into a [`GitError`].
pub(super) fn io_error<'p>(action: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> GitError + 'p {
    move |source| GitError::Io { action, path: Shown::os(path).to_string(), source }
}

/// Turns an error of libgit2 into a [`GitError`].
pub(super) fn git_error(action: &'static str) -> impl FnOnce(git2::Error) -> GitError {
    move |source| GitError::Libgit2 { action, source }
}

/// Returns what libgit2's message says is not supported.
pub(super) fn unsupported(message: &str) -> Option<&'static str> {
    let message = message.to_ascii_lowercase();
    if message.contains("refstorage") || message.contains("reftable") {
        Some("keeps its refs in a reftable")
    } else if message.contains("objectformat")
        || message.contains("object format")
        || message.contains("sha256")
    {
        Some("uses SHA-256 objects")
    } else if message.contains("mandatory extension") {
        Some("has an index with extensions (a sparse or split index)")
    } else if message.contains("extension") {
        Some("uses extensions of git that are not known")
    } else {
        None
    }
}
