//! Why there is no history to show.

/// Why there is no history to show.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The store has no repository.
    #[error("the store has no git repository, and so no history")]
    NoGit,
    /// There is something at the path, but no commit has it.
    #[error("`{0}` is in no commit yet")]
    Uncommitted(String),
    /// Only entries have versions.
    #[error("`{0}` is a folder, not an entry")]
    Folder(String),
    /// Nothing was ever at the path.
    #[error("`{0}` is not in the password store, and never was as far as its history goes back")]
    Never(String),
    /// The list has no such number.
    #[error("`{name}` has no version {number}: {}", counted(*.count))]
    NoNumber {
        /// The entry.
        name: String,
        /// The number.
        number: usize,
        /// How many versions there are.
        count: usize,
    },
    /// The entry was not there.
    #[error("there was no `{name}` as of {rev}")]
    NotThen {
        /// The entry.
        name: String,
        /// What was asked for, safe to show.
        rev: String,
    },
    /// There is nothing to compare a version with.
    #[error("`{0}` has only one version")]
    OnlyOne(String),
}

fn counted(count: usize) -> String {
    match count {
        1 => "there is only 1".to_owned(),
        count => format!("there are {count}"),
    }
}
