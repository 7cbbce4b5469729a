//! Which words, hint and exit code an error gets.

use std::path::Path;

use crate::config::{ConfigError, FILE};
use crate::crypto::{CryptoError, RecipientError, Undecryptable};
use crate::git::GitError;
use crate::model::{KeyProblem, NameError};
use crate::ops::OpError;
use crate::ops::init::GIVEN;
use crate::ops::rules::RuleError;
use crate::process::clipboard::ClipboardError;
use crate::store::StoreError;
use crate::store::accepted::AcceptedError;
use crate::store::journal::JournalError;
use crate::store::survey::SurveyError;

use super::error::CliError;
use super::exit;
use super::quote::quoted;

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
        OpError::Decrypt { name, source } => {
            let told = undecryptable(CliError::from_error(error), name, source, program);
            told.code(match source {
                CryptoError::Decrypt { code, .. } => *code,
                _ => exit::CANNOT_DECRYPT,
            })
        }
        OpError::DecryptSeveral { names } => CliError::from_error(error)
            .hint("nothing was changed; ask somebody who can read these entries to do it, or remove them")
            .hint(format!(
                "`{program} show {0}` says why it cannot be decrypted, or `{program} recipients review {0}` why it \
                 is not",
                quoted_name(&names[0])
            )),
        OpError::Several(errors) => {
            let told: Vec<String> = errors.iter().map(|error| explain(error, program).text()).collect();
            CliError::pass(told.join("\n"))
        }
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
        OpError::Survey(SurveyError::NotFound(name)) => explain(&OpError::NotFound(name.clone()), program),
        OpError::Key { source: RecipientError::Ambiguous { .. }, .. } => {
            CliError::from_error(error).hint("name the key meant by its full fingerprint")
        }
        OpError::Key { .. } => CliError::from_error(error)
            .hint("import the key (`gpg --import FILE`), or name it as it stands in messages, by 16 digits")
            .hint(format!("`{program} recipients who /` shows all keys that can read something")),
        OpError::NoOwnList { .. } => CliError::from_error(error)
            .hint(format!("`{program} recipients list FOLDER` shows which file rules a folder")),
        OpError::LastRecipient(_) => CliError::from_error(error)
            .hint(format!("`{program} init -p FOLDER ''` takes a folder's own recipients away")),
        OpError::LocksOut(_) => CliError::from_error(error).hint("`--force` does it all the same"),
        OpError::GroupLine { .. } => CliError::from_error(error)
            .hint(format!("`{program} recipients canonicalize` writes its members out")),
        OpError::Vague { .. } => CliError::from_error(error)
            .hint("import the key, or write its full fingerprint into the file; or do it without `--prune`"),
        OpError::KeyFile { path, .. } => CliError::from_error(error)
            .hint(format!("look who put it there: `{program} git log -- '{path}'`; then remove it")),
        OpError::TooManyKeys { .. } => CliError::from_error(error)
            .hint("look who put them there, and remove what is no key of a recipient"),
        OpError::ChangedMeanwhile { name, .. } => {
            CliError::from_error(error).hint(format!("compare both, then `{program} edit {name}`"))
        }
        OpError::Wrong { what: "a folder, not an entry", .. } => {
            CliError::from_error(error).hint("choose another name, or add the name of an entry in it")
        }
        OpError::Rule(source) => rule(source, program),
        OpError::Store(source) => store(source, program),
        _ => CliError::from_error(error),
    }
}

/// Returns pass's answer where `generate -i` could not replace the first line of an entry, with the cause.
pub fn not_replaced(error: &OpError, program: &str) -> CliError {
    let told = CliError::pass_caused("Could not reencrypt new password.", error);
    match error {
        OpError::NotFound(name) => {
            told.hint(format!("`{program} generate {}` makes a new entry", quoted_name(name)))
        }
        OpError::Decrypt { name, source } => undecryptable(told, name, source, program),
        _ => told,
    }
}

/// Adds how the entry `name` can be had again, where that does not depend on what only gpg knows.
fn undecryptable(told: CliError, name: &str, source: &CryptoError, program: &str) -> CliError {
    match source {
        CryptoError::Decrypt { why: Undecryptable::NoKey, .. } => {
            told.hint(format!("ask somebody who can read it to let your key in: `{program} recipients add`"))
        }
        CryptoError::Decrypt { why: Undecryptable::Other, .. } => told,
        CryptoError::Decrypt { .. } | CryptoError::Malformed(_) | CryptoError::Unsound(_) => {
            let file = quoted_name(&format!("{name}.gpg"));
            let name = quoted_name(name);
            told.hint(format!(
                "`{program} git log -- {file}` lists its versions, `{program} git checkout COMMIT -- {file}` \
                 brings one back"
            ))
            .hint(format!(
                "without one, store it anew (`{program} insert -m {name}`) or remove it (`{program} rm {name}`)"
            ))
        }
        _ => told,
    }
}

/// Returns a name to put into a command: quoted, and without the slash that some clients begin with.
fn quoted_name(name: &str) -> String {
    quoted(Path::new(name.trim_start_matches('/')))
}

/// Returns pass's answer to `..`.
pub fn sneaky() -> CliError {
    CliError::pass("Error: You've attempted to pass a sneaky path to pass. Go home.")
}

/// Returns what the user is told where `name` could not be copied.
pub fn clipboard(error: &ClipboardError, name: &str) -> CliError {
    let told = match error {
        // pass's own words, to begin with.
        ClipboardError::NoDisplay => CliError::pass(error.to_string()),
        _ => CliError::caused(format!("cannot copy `{name}` to the clipboard"), error),
    };
    match error {
        ClipboardError::NoDisplay => told
            .hint(format!("`{name}` was not copied: neither DISPLAY (X11) nor WAYLAND_DISPLAY is set"))
            .hint("over ssh, `ssh -X` sets DISPLAY; without a display, leave out `-c`"),
        ClipboardError::Missing(program) if program.starts_with("wl-") => told.hint(
            "install the package wl-clipboard, or unset WAYLAND_DISPLAY to copy to DISPLAY (X11) instead",
        ),
        ClipboardError::Missing(_) => told.hint("install the package xclip"),
        ClipboardError::NoSelection(_) => {
            told.hint("PASSWORD_STORE_X_SELECTION takes clipboard, primary or secondary")
        }
        ClipboardError::Unreachable { variable, .. } => {
            told.hint(format!("set {variable} to a display that is there and lets you in, or leave out `-c`"))
        }
        ClipboardError::Failed(_) | ClipboardError::Keeper(_) => told.hint("try again, or leave out `-c`"),
    }
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

fn rule(error: &RuleError, program: &str) -> CliError {
    let told = CliError::from_error(error);
    match error {
        RuleError::Config(ConfigError::Newer(_)) => told.hint("use a newer passel"),
        RuleError::Config(ConfigError::Damaged(_)) => told
            .hint(format!("`{program} git log -p {FILE}` shows how it came about; mend it in an editor"))
            .hint(format!("or take an older one back: `{program} git checkout COMMIT -- {FILE}`")),
        RuleError::NoGroup(group) => told.hint(format!(
            "`{program} group list` shows the groups; `{program} group add {group} KEY...` makes one"
        )),
        RuleError::GroupUsed { group, .. } => told.hint(format!(
            "first `{program} group unassign {group} FOLDER` for each; with --keep its recipients stay"
        )),
        RuleError::GroupUnused { .. } | RuleError::NotInGroup { .. } => {
            told.hint(format!("`{program} group list` shows the groups, their keys and folders"))
        }
        RuleError::Differs(_) => told
            .hint("somebody edited the list; --force writes it anew from the rule")
            .hint(format!("or take it into the rule as it is: `{program} group assign GROUP FOLDER`")),
        RuleError::LocksOut(_) => told.hint("--force does it all the same"),
        RuleError::Nobody(_) => told.hint("let somebody else read it first, or remove it"),
        RuleError::Subkey { .. } => told.hint("name the key itself by its fingerprint, without `!`"),
        RuleError::Overridden => told.hint("`unset PASSWORD_STORE_KEY`"),
        RuleError::NotAsShown => told.hint("nothing was changed; run the command again"),
        RuleError::ClientExists(name) => told.hint(format!("`{program} client show {name}` tells who it is")),
        RuleError::NoClient(_) => told.hint(format!("`{program} client list` shows the clients")),
        RuleError::NoClientKey(_) => {
            told.hint(format!("`{program} recipients list FOLDER` shows who can read it"))
        }
        RuleError::Config(_) | RuleError::OwnKeys(_) => told,
    }
}

fn store(error: &StoreError, program: &str) -> CliError {
    let told = CliError::from_error(error);
    match error {
        StoreError::Busy(_) => told.hint("wait for the other command to end, then try again"),
        StoreError::NoRecipientsFile { path, .. } => {
            let folder = path.strip_suffix("/.gpg-id").map(|folder| format!("-p '{folder}' "));
            let init = format!("{program} init {}GPG-ID...", folder.unwrap_or_default());
            told.hint(format!("move it out of the store; then `{init}` says who is to read the folder"))
        }
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
        GitError::NoHardLinks { .. } => {
            told.hint("keep the store on a file system that has them (not FAT or exFAT), or without git")
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
        GitError::Missing { path } => told.hint(format!(
            "commit that first: `{program} git rm '{path}'`, `{program} git commit`; or take it back: \
             `{program} git checkout -- '{path}'`"
        )),
        GitError::Owner { path } => {
            told.hint(format!("if you trust it: `git config --global --add safe.directory '{path}'`"))
        }
        GitError::Submodule { path } => {
            told.hint(format!("`{program} git submodule update --init '{path}'`"))
        }
        GitError::Elsewhere { .. } => told.hint(format!("`{program} git config --unset core.worktree`")),
        GitError::Malformed { .. } => told
            .hint(format!("`{program} git fsck` tells more, `{program} git log` who may have written it"))
            .hint(
                "git writes a folder anew when something in it is committed: check the folder's files first",
            ),
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
