//! Which words, hint and exit code an error gets.

use std::path::Path;

use crate::config::{ConfigError, FILE};
use crate::crypto::{CryptoError, RecipientError, Undecryptable};
use crate::git::GitError;
use crate::model::{Fingerprint, KeyProblem, NameError, argument};
use crate::ops::OpError;
use crate::ops::guard::Difference;
use crate::ops::init::GIVEN;
use crate::ops::rules::RuleError;
use crate::process::clipboard::ClipboardError;
use crate::store::StoreError;
use crate::store::journal::JournalError;
use crate::store::record::RecordError;
use crate::store::survey::SurveyError;

use super::error::CliError;
use super::exit;
use super::quote::quoted;
use super::scene::Scene;

/// Returns what the user is told about `error`. Texts that callers of pass look for are pass's own.
pub fn explain(error: &OpError, scene: &Scene<'_>) -> CliError {
    let program = scene.program;
    match error {
        OpError::NotFound(name) => CliError::pass(format!("Error: {name} is not in the password store.")),
        OpError::Name(NameError::Parent(_)) => sneaky(),
        OpError::NoRule(_) | OpError::Store(StoreError::NoStore { .. }) => CliError::pass(format!(
            "Error: You must run:\n    {program} init your-gpg-id\nbefore you may use the password store."
        )),
        OpError::EmptyRule(file) => {
            let folder = folder_of(file).filter(|folder| folder != "/");
            let folder = folder.map(|folder| format!(" -p {}", argument(&folder))).unwrap_or_default();
            CliError::from_error(error).hint(format!("`{program} init{folder} KEY...` names some"))
        }
        OpError::Recipient { source, place, id } => recipient(error, source, id, place, scene),
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
            let mut told: Vec<String> = errors.iter().map(|error| explain(error, scene).text()).collect();
            // Some are the same whatever the folder.
            told.dedup();
            CliError::pass(told.join("\n"))
        }
        OpError::Unconfirmed { key, .. } => {
            let name = scene.name_of(key).map(|name| format!(" with {name}")).unwrap_or_default();
            CliError::from_error(error)
                .hint(format!("compare the fingerprint{name}, then give it in place of the name: {key}"))
                .hint(format!("stock pass needs more: `gpg --quick-lsign-key {key}`"))
        }
        OpError::Encrypt { source: CryptoError::Untrusted(key), .. } => CliError::from_error(error)
            .hint(format!("compare the fingerprint with its owner, then `gpg --quick-lsign-key {key}`")),
        OpError::HeldBack(names) => {
            let name = if let [one] = &names[..] { format!(" {}", argument(one)) } else { String::new() };
            CliError::from_error(error)
                .hint(format!("`{program} recipients review{name}` shows where from, and takes your word"))
                .code(exit::NEEDS_DECISION)
        }
        OpError::NotAccepted(difference) => not_accepted(error, difference, scene),
        OpError::RulesNotAccepted(difference) => {
            let told = CliError::from_error(error).hint(format!(
                "ask whoever changed them; if it is right: `{program} recipients accept` shows them and takes your word"
            ));
            match (&difference.commit, scene.has_git()) {
                (Some(commit), true) => told.hint(format!(
                    "if it is not: `{program} git show {0}` shows the change, `{program} git revert {0}` takes it back",
                    commit.id
                )),
                _ => told,
            }
        }
        OpError::Survey(SurveyError::NotFound(name)) => explain(&OpError::NotFound(name.clone()), scene),
        OpError::Key { source: RecipientError::Ambiguous { .. }, .. } => {
            CliError::from_error(error).hint("name the key meant by its full fingerprint")
        }
        OpError::Key { id, .. } if scene.has_key(id) => CliError::from_error(error)
            .hint(format!("its public key is in the store: `{program} keys import` takes it in")),
        OpError::Key { .. } => CliError::from_error(error)
            .hint("import the key (`gpg --import FILE`), or name it as it stands in messages, by 16 digits")
            .hint(format!("`{program} recipients who /` shows all keys that can read something")),
        OpError::NoOwnList { .. } => CliError::from_error(error)
            .hint(format!("`{program} recipients list --tree` shows all recipients files")),
        OpError::NoRecipient { folder, .. } => {
            let folder = if folder == "the password store" { "/".to_owned() } else { argument(folder) };
            CliError::from_error(error)
                .hint(format!("`{program} recipients list {folder}` shows who is"))
                .hint(format!(
                    "`{program} recipients update {folder}` encrypts anew what others can read all the same"
                ))
        }
        OpError::GroupLine { .. } => CliError::from_error(error)
            .hint(format!("`{program} recipients canonicalize` writes its members out")),
        OpError::Vague { .. } => CliError::from_error(error)
            .hint("import the key, or write its full fingerprint into the file; or do it without `--prune`"),
        OpError::KeyFile { path, .. } if scene.has_git() => CliError::from_error(error).hint(format!(
            "look who put it there: `{program} git log -- {}`; then remove it",
            argument(path)
        )),
        OpError::KeyFile { .. } => CliError::from_error(error).hint("look who put it there, then remove it"),
        OpError::TooManyKeys { .. } => CliError::from_error(error)
            .hint("look who put them there, and remove what is no key of a recipient"),
        OpError::ChangedMeanwhile { name, .. } => CliError::from_error(error)
            .hint(format!("compare both, then `{program} edit {}`", argument(name))),
        OpError::Wrong { what: "a folder, not an entry", .. } => {
            CliError::from_error(error).hint("choose another name, or add the name of an entry in it")
        }
        OpError::Rule(source) => rule(source, scene),
        OpError::Store(source) => store(source, scene),
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
            let folder = name.trim_start_matches('/').rsplit_once('/').map_or("/", |(folder, _)| folder);
            told.hint(format!(
                "ask somebody who can read it to let your key in: `{program} recipients add {} KEY`",
                argument(folder)
            ))
        }
        CryptoError::Decrypt { why: Undecryptable::Cancelled | Undecryptable::Other, .. } => told,
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

/// Returns the folder of the recipients file that `place` tells of, as commands take it; none where it is no
/// such file.
fn folder_of(place: &str) -> Option<String> {
    let file = place.rsplit_once(" line ").map_or(place, |(file, _)| file);
    match file.strip_suffix(".gpg-id")? {
        "" => Some("/".to_owned()),
        folder => folder.strip_suffix('/').map(str::to_owned),
    }
}

/// Tells of a recipient that cannot be encrypted to. Whoever has just cloned a store lacks keys: they are
/// shown how to get them before anything else.
fn recipient(error: &OpError, source: &RecipientError, id: &str, place: &str, scene: &Scene<'_>) -> CliError {
    let program = scene.program;
    let take_out = match (place, folder_of(place)) {
        (GIVEN, _) => "leave it out".to_owned(),
        (_, Some(folder)) => {
            let (folder, id) = (argument(&folder), argument(id));
            format!("take it out: `{program} recipients remove {folder} {id}`")
        }
        _ => format!("take it out of {place}"),
    };
    let told = CliError::from_error(error);
    match source {
        RecipientError::Missing { id } if scene.has_key(id) => told.hint(format!(
            "its public key is in the store: `{program} keys import` takes it in, once you have compared the \
             fingerprint with its owner"
        )),
        RecipientError::Missing { id } => told
            .hint("ask its owner, or who let it in, for the key, and import it: `gpg --import FILE`")
            .hint(format!("`gpg --list-keys` shows which names there are for `{id}`"))
            .hint(format!("only if nobody is to encrypt to it any more, {take_out}")),
        RecipientError::Ambiguous { .. } => told.hint("name the key meant by its full fingerprint"),
        RecipientError::Unusable { fingerprint, problem, .. } => {
            let told = match scene.name_of(fingerprint) {
                // By its name it is known; the fingerprint alone tells nobody anything.
                Some(name) => {
                    CliError::new(format!("{error}\ncaused by: key {fingerprint} of {name} {problem}"))
                }
                None => told,
            };
            let renewed = matches!(problem, KeyProblem::Expired(_)) && scene.holds(fingerprint);
            match problem {
                _ if renewed => told.hint(format!(
                    "`{program} keys import` takes in what the store knows of it; if that is no newer, ask its \
                     owner for the renewed key, or {take_out}"
                )),
                KeyProblem::Expired(_) => told.hint(format!("import the renewed key, or {take_out}")),
                _ => told.hint(format!("ask its owner for a new key, or {take_out}")),
            }
        }
        RecipientError::Lookup { .. } => told,
    }
}

/// Tells of a list that nobody here has accepted: who its keys are, and what can be done either way.
fn not_accepted(error: &OpError, difference: &Difference, scene: &Scene<'_>) -> CliError {
    let program = scene.program;
    let changed = difference.gains.iter().chain(&difference.loses);
    let named = changed.filter_map(|key| Some(format!("\n  {key} is {}", scene.name_of(key)?)));
    let told = CliError::new(format!("{error}{}", named.collect::<String>()));
    let folder = match difference.folder.is_root() {
        true => String::new(),
        false => format!(" {}", argument(difference.folder.as_path())),
    };
    let told =
        told.hint(format!("ask whoever changed them; if it is right: `{program} recipients accept{folder}`"));
    if difference.gains.is_empty() {
        return match (&difference.commit, scene.has_git()) {
            (Some(commit), true) => told.hint(format!(
                "if it is not: `{program} git show {0}` shows the change, `{program} git revert {0}` takes it back",
                commit.id
            )),
            _ => told,
        };
    }
    let ruling = scene.ruling(&difference.folder);
    let ruling = if ruling.is_root() { "/".to_owned() } else { argument(ruling.as_path()) };
    let keys: Vec<&str> = difference.gains.iter().map(Fingerprint::as_str).collect();
    let what = if keys.len() == 1 { "the key" } else { "the keys" };
    told.hint(format!(
        "if it is not: `{program} recipients remove {ruling} {}` takes {what} out again",
        keys.join(" ")
    ))
}

fn rule(error: &RuleError, scene: &Scene<'_>) -> CliError {
    let program = scene.program;
    let told = CliError::from_error(error);
    match error {
        RuleError::Config(ConfigError::Newer(_)) => told.hint("use a newer passel"),
        RuleError::Config(ConfigError::Damaged(_)) if !scene.has_git() => told.hint("mend it in an editor"),
        RuleError::Config(ConfigError::Damaged(_)) => told
            .hint(format!("`{program} git log -p {FILE}` shows how it came about; mend it in an editor"))
            .hint(format!("or take an older one back: `{program} git checkout COMMIT -- {FILE}`")),
        RuleError::NoGroup(group) => told.hint(format!(
            "`{program} group list` shows the groups; `{program} group add {group} KEY...` makes one"
        )),
        RuleError::GroupUsed { group, folders } => {
            let unassign = |folder: &String| match folder.as_str() {
                "the store" => format!("`{program} group unassign {group}`"),
                folder => {
                    format!("`{program} group unassign {group} {}`", argument(folder.trim_matches('`')))
                }
            };
            let commands: Vec<String> = folders.iter().map(unassign).collect();
            told.hint(format!("first {}; with --keep its recipients stay", commands.join(", ")))
        }
        RuleError::GroupUnused { .. } | RuleError::NotInGroup { .. } => {
            told.hint(format!("`{program} group list` shows the groups, their keys and folders"))
        }
        RuleError::Differs(_) => told
            .hint("somebody edited the list; --force writes it anew from the rule")
            .hint(format!("`{program} recipients check` shows how they differ"))
            .hint(format!(
                "or take the list as it is, which then follows the group no longer: \
                 `{program} group unassign --keep GROUP FOLDER`"
            ))
            .hint(format!(
                "or keep whom it names, and let the whole group in again: `{program} group assign GROUP FOLDER`"
            )),
        RuleError::LocksOut(_) => told.hint("--force does it all the same"),
        RuleError::NobodyElse { .. } => {
            told.hint("--keep lets those who can read it now stay, as recipients of its own")
        }
        RuleError::Brought { group, folder, key } => {
            let place = if folder.is_root() { String::new() } else { format!(" {}", quoted(folder.as_path())) };
            told.hint(format!(
                "`{program} group remove {group} {key}` takes it out of the group and of all folders that follow it"
            ))
            .hint(format!(
                "or `{program} group unassign --keep {group}{place}` first: the others stay, and the group is \
                 followed no longer"
            ))
        }
        RuleError::NoFolder(folder) => {
            let folder = quoted(folder.as_path());
            told.hint(format!("`{program} init -p {folder} KEY...` makes one"))
        }
        RuleError::Entry(entry) => told.hint(match entry.parent().filter(|folder| !folder.is_root()) {
            Some(folder) => format!("name its folder: {}", quoted(folder.as_path())),
            None => "name its folder: /".to_owned(),
        }),
        RuleError::Nobody(_) => {
            told.hint(format!("let somebody else read it first: `{program} recipients add FOLDER KEY`"))
        }
        RuleError::Subkey { .. } => told.hint("name the key itself by its fingerprint, without `!`"),
        RuleError::Overridden => told.hint("`unset PASSWORD_STORE_KEY`"),
        RuleError::NotAsShown => told.hint("nothing was changed; run the command again"),
        RuleError::ClientExists(name) => told.hint(format!("`{program} client show {name}` tells who it is")),
        RuleError::NoClient(_) => told.hint(format!("`{program} client list` shows the clients")),
        RuleError::NoStranger { .. } => told.hint(format!(
            "name the client's own key, which reads nothing else; `{program} recipients list` shows who reads the store"
        )),
        RuleError::NoClientKey(_) => told
            .hint(format!("`{program} recipients list --tree` shows who can read what"))
            .hint(format!("`{program} recipients remove FOLDER KEY` takes one of them out")),
        RuleError::Config(_) => told,
    }
}

fn store(error: &StoreError, scene: &Scene<'_>) -> CliError {
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
        StoreError::Journal(JournalError(RecordError::Newer { .. }))
        | StoreError::Accepted(RecordError::Newer { .. })
        | StoreError::Reviewed(RecordError::Newer { .. }) => told.hint("use a newer passel"),
        StoreError::Reviewed(RecordError::Damaged { path, .. }) => told.hint(format!(
            "remove it: `rm {}`; what you let pass before is asked about again",
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
