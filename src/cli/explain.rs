//! Which words, hint and exit code an error gets.

use crate::crypto::{CryptoError, RecipientError};
use crate::git::GitError;
use crate::model::{KeyProblem, NameError};
use crate::ops::OpError;
use crate::ops::init::GIVEN;
use crate::store::StoreError;
use crate::store::accepted::AcceptedError;
use crate::store::journal::JournalError;

use super::error::CliError;
use super::exit;

/// Returns what the user is told about `error`; `program` is our name. Texts that callers of pass look
/// for are pass's own.
pub fn explain(error: &OpError, program: &str) -> CliError {
    match error {
        OpError::NotFound(name) => CliError::pass(format!("Error: {name} is not in the password store.")),
        OpError::Name(NameError::Parent(_)) => sneaky(),
        OpError::NoRule(_) | OpError::Store(StoreError::NoStore { .. }) => CliError::pass(format!(
            "Error: You must run:\n    {program} init your-gpg-id\nbefore you may use the password store."
        )),
        OpError::EmptyRule(_) => CliError::from_error(error)
            .hint(format!("`{program} init` with the recipients' key fingerprints")),
        OpError::Recipient { source, place, .. } => recipient(error, source, place, program),
        OpError::Decrypt { source, .. } => CliError::from_error(error).code(match source {
            CryptoError::Decrypt { code } => *code,
            _ => exit::CANNOT_DECRYPT,
        }),
        OpError::DecryptSeveral { .. } => CliError::from_error(error)
            .hint("nothing was changed; ask somebody who can read these entries to do it, or remove them"),
        OpError::Encrypt { source: CryptoError::Untrusted(key), .. } => CliError::from_error(error)
            .hint(format!("compare the fingerprint with its owner, then `gpg --quick-lsign-key {key}`")),
        OpError::HeldBack(_) => CliError::from_error(error)
            .hint(format!("`{program} recipients review` shows where from, and takes your word"))
            .code(exit::NEEDS_DECISION),
        OpError::NotAccepted(difference) => {
            let folder = match difference.folder.is_root() {
                true => String::new(),
                false => format!(" {}", difference.folder),
            };
            CliError::from_error(error).hint(format!(
                "ask whoever changed them; if it is right: `{program} recipients accept{folder}`"
            ))
        }
        OpError::ChangedMeanwhile { name, .. } => {
            CliError::from_error(error).hint(format!("compare both, then `{program} edit {name}`"))
        }
        OpError::Wrong { what: "a folder, not an entry", .. } => {
            CliError::from_error(error).hint("choose another name, or add the name of an entry in it")
        }
        OpError::Store(source) => store(source, program),
        _ => CliError::from_error(error),
    }
}

/// Returns pass's answer to `..`.
pub fn sneaky() -> CliError {
    CliError::pass("Error: You've attempted to pass a sneaky path to pass. Go home.")
}

fn recipient(error: &OpError, source: &RecipientError, place: &str, program: &str) -> CliError {
    let told = CliError::from_error(error);
    let replace = match place {
        GIVEN => "or leave it out".to_owned(),
        _ => format!("or take the line out and run `{program} init` with the remaining recipients"),
    };
    match source {
        RecipientError::Missing { id } => told
            .hint(format!("import the key (`gpg --import FILE`), {replace}"))
            .hint(format!("`gpg --list-keys` shows which names there are for `{id}`")),
        RecipientError::Ambiguous { .. } => told.hint("name the key meant by its full fingerprint"),
        RecipientError::Unusable { problem: KeyProblem::Expired(_), .. } => {
            told.hint(format!("import the renewed key, {replace}"))
        }
        RecipientError::Unusable { .. } => told.hint(format!("ask its owner for a new key, {replace}")),
        RecipientError::Lookup { .. } => told,
    }
}

fn store(error: &StoreError, program: &str) -> CliError {
    let told = CliError::from_error(error);
    match error {
        StoreError::Busy(_) => told.hint("wait for the other command to end, then try again"),
        StoreError::Git(error) => git(told, error, program),
        StoreError::Journal(JournalError::Newer { .. })
        | StoreError::Accepted(AcceptedError::Newer { .. })
        | StoreError::Reviewed(AcceptedError::Newer { .. }) => told.hint("use a newer passel"),
        StoreError::Reviewed(AcceptedError::Damaged { path, .. }) => {
            told.hint(format!("remove it: `rm '{path}'`; what you let pass before is asked about again"))
        }
        StoreError::Accepted(AcceptedError::Damaged { path, .. }) => told.hint(format!(
            "compare the recipients files with what you know, then remove it: `rm '{path}'`; the next command \
             accepts what it finds"
        )),
        StoreError::Journal(JournalError::Damaged { path, .. }) => told.hint(format!(
            "it tells of a change that was interrupted; look at what is there, then remove it: `rm '{path}'`"
        )),
        _ => told,
    }
}

fn git(told: CliError, error: &GitError, program: &str) -> CliError {
    match error {
        GitError::Locked { path, .. } => {
            told.hint(format!("if no git is at work any more, remove it: `rm '{path}'`"))
        }
        GitError::Unfinished { what: "merge", .. } => told.hint(format!(
            "finish it with `{program} git commit`, or give it up with `{program} git merge --abort`"
        )),
        GitError::Unfinished { what, .. } => {
            told.hint(format!("finish or abort the {what} first: `{program} git status` says how"))
        }
        GitError::Conflicted { .. } => {
            told.hint(format!("resolve them: `{program} git status` lists the files"))
        }
        GitError::Identity(_) => told
            .hint(format!("`{program} git config user.name \"Your Name\"`"))
            .hint(format!("`{program} git config user.email you@example.org`")),
        GitError::Sparse { .. } => told.hint(format!("`{program} git sparse-checkout disable`")),
        GitError::Uncommitted { path } => told.hint(format!(
            "commit them first: `{program} git add '{path}'`, `{program} git commit`; or take them back: \
             `{program} git checkout -- '{path}'`"
        )),
        GitError::Owner { path } => {
            told.hint(format!("if you trust it: `git config --global --add safe.directory '{path}'`"))
        }
        GitError::Submodule { path } => {
            told.hint(format!("`{program} git submodule update --init '{path}'`"))
        }
        GitError::Elsewhere { .. } => told.hint(format!("`{program} git config --unset core.worktree`")),
        GitError::NoMessage => told.hint("the hooks prepare-commit-msg and commit-msg write it"),
        GitError::Sign => {
            told.hint("git has said why above; `pass.signcommits` and `commit.gpgsign` ask for signatures")
        }
        GitError::Unsupported { .. } => {
            told.hint("use a repository with SHA-1 objects, ordinary refs and an ordinary index")
        }
        _ => told,
    }
}
