//! Why a question about the past has no answer.

/// Why a question about the past has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store has no repository.
    #[error("the store has no git repository, and so no history")]
    NoGit,
    /// No commit is that old.
    #[error("the history begins on {first}: there is no state of {asked}")]
    TooEarly {
        /// What was asked for.
        asked: String,
        /// The day of the first commit.
        first: String,
    },
    /// Nobody is called so, and nothing.
    #[error("`{0}` is no key, entry or commit that is known here")]
    Nothing(String),
    /// It may mean several things.
    #[error("`{name}` is {several}")]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// What it may mean.
        several: String,
    },
    /// A commit that changed no entry.
    #[error("commit {0} changed no entry")]
    NoEntries(String),
}
