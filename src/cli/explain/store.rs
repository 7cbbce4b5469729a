//! Errors of the store and of git.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::quote::quoted;
use crate::cli::scene::Scene;
use crate::git::GitError;
use crate::model::argument;
use crate::store::StoreError;
use crate::store::beneath::BeneathError;
use crate::store::journal::JournalError;
use crate::store::record::RecordError;

/// Tells why the store could not be used or changed.
pub(super) fn store(error: &StoreError, scene: &Scene<'_>) -> CliError {
    let program = scene.program;
    let told = CliError::from_error(error);
    match error {
        StoreError::Busy(_) => told.hint("wait for the other command to end, then try again"),
        StoreError::NoRecipientsFile { path, .. } => {
            let folder = path.strip_suffix("/.gpg-id").map(|folder| format!("-p {} ", argument(folder)));
            let init = format!("{program} init {}GPG-ID...", folder.unwrap_or_default());
            told.hint(format!("move it out of the store; then `{init}` says who is to read the folder"))
        }
        StoreError::Git(error) => git(told, error, scene),
        StoreError::Path(BeneathError::Io { source, .. })
        | StoreError::Journal(JournalError(RecordError::Io { source, .. }))
        | StoreError::Accepted(RecordError::Io { source, .. })
        | StoreError::Lock(source)
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            super::not_permitted(told, scene)
        }
        StoreError::Unfinished(_) => told.hint("if the disk is full, make room first"),
        StoreError::Journal(JournalError(RecordError::Newer { .. }))
        | StoreError::Accepted(RecordError::Newer { .. })
        | StoreError::Reviewed(RecordError::Newer { .. })
        | StoreError::Trusted(RecordError::Newer { .. }) => told.hint("use a newer passel"),
        StoreError::Reviewed(RecordError::Damaged { path, .. }) => told.hint(format!(
            "remove it: `rm {}`; what you let pass before is asked about again",
            argument(path)
        )),
        StoreError::Trusted(RecordError::Damaged { path, .. }) => told.hint(format!(
            "remove it: `rm {}`; then `{program} trust add KEY` for each key to trust",
            argument(path)
        )),
        StoreError::Accepted(RecordError::Damaged { path, .. }) => told.hint(format!(
            "compare the recipients files with what you know, then remove it: `rm {}`; the next command \
             accepts what it finds",
            argument(path)
        )),
        StoreError::Journal(JournalError(RecordError::Damaged { path, .. })) => told.hint(format!(
            "it tells of a change that was interrupted; look at what is there, then remove it: `rm {}`",
            argument(path)
        )),
        _ => told,
    }
}

/// Tells why git could not do its part.
fn git(told: CliError, error: &GitError, scene: &Scene<'_>) -> CliError {
    let program = scene.program;
    match error {
        GitError::Locked { path, .. } => {
            told.hint(format!("if no git is at work any more, remove it: `rm {}`", argument(path)))
        }
        GitError::NoHardLinks { .. } => {
            told.hint("keep the store on a file system that has them (not FAT or exFAT), or without git")
        }
        GitError::Unfinished { what: "merge", .. } => told.hint(format!(
            "finish it: `{program} git status` lists what is left, then `{program} git add`, `{program} git commit`; \
             or give it up: `{program} git merge --abort`"
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
        GitError::CachedPlaintext { driver, scope } => {
            let setting = argument(&format!("diff.{driver}.cachetextconv"));
            let unset = match &**scope {
                "command" => format!("take `{setting}` out of GIT_CONFIG_PARAMETERS or GIT_CONFIG_COUNT"),
                scope => format!("unset it: `{program} git config --{scope} --unset {setting}`"),
            };
            told.hint(unset).hint(format!(
                "then remove what was kept: `{program} git update-ref -d {}`",
                argument(&format!("refs/notes/textconv/{driver}"))
            ))
        }
        GitError::Sparse { .. } => told.hint(format!("`{program} git sparse-checkout disable`")),
        GitError::Uncommitted { path } => {
            // What git has never seen it cannot bring back.
            let back = match scene.is_committed(path) {
                true => format!("take them back: `{program} git checkout -- {}`", quoted(Path::new(path))),
                false => format!("remove it: `rm {}`", argument(&scene.root.join(path))),
            };
            let path = quoted(Path::new(path));
            told.hint(format!(
                "commit them first: `{program} git add {path}`, `{program} git commit`; or {back}"
            ))
        }
        GitError::Missing { path } => {
            let path = quoted(Path::new(path));
            told.hint(format!(
                "commit that first: `{program} git rm {path}`, `{program} git commit`; or take it back: \
                 `{program} git checkout -- {path}`"
            ))
        }
        GitError::Owner { path } => told
            .hint(format!("if you trust it: `git config --global --add safe.directory {}`", argument(path))),
        GitError::Submodule { path } => {
            told.hint(format!("`{program} git submodule update --init {}`", argument(path)))
        }
        GitError::Elsewhere { .. } => told.hint(format!("`{program} git config --unset core.worktree`")),
        GitError::IgnoredList { path } => told.hint(format!(
            "`{program} git check-ignore -v {}` shows what says so: take that out first",
            quoted(Path::new(path))
        )),
        GitError::TooLarge { commit } => told.hint(format!(
            "whoever pushed it means no good: `{program} git branch -a --contains {commit}` shows where it is; \
             without those branches, `{program} git gc --prune=now` removes it"
        )),
        GitError::Malformed { .. } => told
            .hint(format!("`{program} git fsck` tells more, `{program} git log` who may have written it"))
            .hint(
                "git writes a folder anew when something in it is committed: check the folder's files first",
            ),
        GitError::NoCommit { .. } => told.hint(format!(
            "name a commit as git does (`HEAD~3`, the beginning of its id), or a version by its number in \
             `{program} history`"
        )),
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
