//! Which words, hint and exit code an error gets.

use std::path::Path;

use crate::crypto::{CryptoError, RecipientError, Undecryptable};
use crate::model::{FolderName, NameError, argument};
use crate::ops::OpError;
use crate::ops::audit::AuditError;
use crate::ops::health::{Kind, PolicyError};
use crate::ops::history::HistoryError;
use crate::ops::incident::IncidentError;
use crate::ops::records::RecordsError;
use crate::ops::rotate::RotateError;
use crate::ops::trust::TrustError;
use crate::process::clipboard::ClipboardError;
use crate::store::StoreError;
use crate::store::survey::SurveyError;

/// So many places are told one by one.
const PLACES: usize = 5;

mod recipients;
mod store;

use recipients::{folder_of, not_accepted, recipient, rule};
use store::store;

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
        OpError::Store(StoreError::NoStore { source, .. })
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            not_permitted(CliError::from_error(error), scene)
        }
        OpError::NoRule(_) | OpError::Store(StoreError::NoStore { .. }) => CliError::pass(format!(
            "Error: You must run:\n    {program} init your-gpg-id\nbefore you may use the password store."
        )),
        OpError::LastList => CliError::from_error(error).hint(format!(
            "`{program} init GPG-ID...` says who else is to read them; `{program} rm -r NAME` removes them"
        )),
        OpError::EmptyRule(file) => {
            let folder = folder_of(file).filter(|folder| folder != "/");
            let folder = folder.map(|folder| format!(" -p {}", argument(&folder))).unwrap_or_default();
            CliError::from_error(error).hint(format!("`{program} init{folder} KEY...` names some"))
        }
        OpError::Recipient { source, place, id } => recipient(error, source, id, place, scene),
        OpError::Decrypt { name, source } => {
            let told = undecryptable(CliError::from_error(error), name, source, scene);
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
        OpError::History(reason) => history(error, reason, scene),
        OpError::Audit(reason) => audit(error, reason, scene),
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
        OpError::NoRecipient { id, elsewhere, .. } if !elsewhere.is_empty() => {
            let place = |folder: &FolderName| match folder.is_root() {
                true => "/".to_owned(),
                false => argument(folder.as_path()),
            };
            let hint = |told: CliError, folder: &FolderName| {
                told.hint(format!("`{program} recipients remove {} {}` takes it out there", place(folder), argument(id)))
            };
            elsewhere.iter().take(PLACES).fold(CliError::from_error(error), hint)
        }
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
        OpError::Incident(reason) => incident(reason, program),
        OpError::Health(source) => policy(source),
        OpError::Records(RecordsError::NoTeam) => CliError::from_error(error)
            .hint(format!("`{program} init KEY...` names the team for all that no other list rules")),
        OpError::Records(RecordsError::OwnList(file)) => CliError::from_error(error)
            .hint(format!("look who put it there (`{program} git log -- {file}`), then remove it")),
        OpError::Records(RecordsError::Overtaken(_)) => CliError::from_error(error).hint("try again"),
        OpError::Rotate(RotateError::Uncommitted(name)) => CliError::from_error(error).hint(format!(
            "`{program} git add {0}`, then `{program} git commit` records it",
            quoted_name(&format!("{name}.gpg"))
        )),
        OpError::Rule(source) => rule(source, scene),
        OpError::Trust(source) => trust(source, scene),
        OpError::Store(source) => store(source, scene),
        _ => CliError::from_error(error),
    }
}

/// Tells why there is no such incident, or why it cannot be changed.
fn incident(reason: &IncidentError, program: &str) -> CliError {
    let told = CliError::from_error(reason);
    match reason {
        IncidentError::NoneOpen => told.hint(format!(
            "`{program} incident open TITLE --about WHAT` opens one, `{program} incident list` lists all"
        )),
        IncidentError::Nothing(_) => told.hint(format!("`{program} incident list` lists them")),
        IncidentError::Ambiguous { .. } => told.hint("give more digits"),
        IncidentError::Closed(_) => told.hint("ask somebody of the team, whom the store's own list names"),
        IncidentError::StillOpen { id, .. } => told
            .hint(format!("`{program} incident show {id}` lists them"))
            .hint("--force closes it all the same"),
        IncidentError::ClosedBefore(_) => told,
    }
}

/// Tells why what passwords are held to means nothing.
fn policy(error: &PolicyError) -> CliError {
    let told = CliError::from_error(error);
    match error {
        PolicyError::NoReason(_) => told.hint("add a line to it: `why: ...`, for whoever wonders in a year"),
        PolicyError::Kind(_) => told.hint(format!("the kinds are {}", Kind::names())),
        PolicyError::Name(..) => told.hint("write its path from the root of the store, as `clients/acme`"),
        PolicyError::Number { .. } => told.hint("mend it in an editor"),
    }
}

/// Tells why a key cannot be trusted, or not be distrusted.
fn trust(error: &TrustError, scene: &Scene<'_>) -> CliError {
    let (told, program) = (CliError::from_error(error), scene.program);
    match error {
        TrustError::Unknown { .. } => told.hint("import the key (`gpg --import FILE`); `gpg --list-keys` shows all"),
        TrustError::Several { .. } => told.hint("name the key meant by its full fingerprint"),
        TrustError::Useless { key, .. } => told.hint(format!(
            "ask its owner for the renewed key, or another one; after `gpg --import FILE`, `gpg --list-keys {key}` shows it"
        )),
        TrustError::NotTrusted { .. } => told.hint(format!("`{program} trust list` shows those that are")),
    }
}

/// Returns pass's answer where `generate -i` could not replace the first line of an entry, with the cause.
pub fn not_replaced(error: &OpError, scene: &Scene<'_>) -> CliError {
    let program = scene.program;
    let told = CliError::pass_caused("Could not reencrypt new password.", error);
    match error {
        OpError::NotFound(name) => {
            told.hint(format!("`{program} generate {}` makes a new entry", quoted_name(name)))
        }
        OpError::Decrypt { name, source } => undecryptable(told, name, source, scene),
        _ => told,
    }
}

/// Tells why a question about the past has no answer.
fn audit(error: &OpError, reason: &AuditError, scene: &Scene<'_>) -> CliError {
    let (told, program) = (CliError::from_error(error), scene.program);
    match reason {
        AuditError::NoGit => told.hint(format!("`{program} git init` makes one: it begins with what is there now")),
        AuditError::TooEarly { .. } => told.hint(format!("`{program} log` shows what there was when")),
        AuditError::Nothing(_) => told.hint(format!(
            "`{program} recipients list` shows the keys, `{program} ls` the entries, `{program} log` the commits; of a key \
             that is not in the keyring, give the ID of 16 digits that messages name"
        )),
        AuditError::Ambiguous { .. } => told.hint("`--as key`, `--as entry` or `--as commit` says which is meant"),
        AuditError::NoEntries(_) => told.hint(format!("`{program} log` shows what commits changed")),
    }
}

/// Tells why there is no history to show.
fn history(error: &OpError, reason: &HistoryError, scene: &Scene<'_>) -> CliError {
    let (told, program) = (CliError::from_error(error), scene.program);
    match reason {
        HistoryError::NoGit => told.hint(format!("`{program} git init` makes one: it begins with what is there now")),
        HistoryError::Uncommitted(_) => told.hint(format!(
            "`{program} git status` shows what is not committed; `{program} git add -A` and `{program} git commit` \
             commit it"
        )),
        HistoryError::Folder(name) => {
            told.hint(format!("`{program} log {}` tells what changed in it", quoted_name(name)))
        }
        HistoryError::Never(_) => told.hint(format!("`{program} log` shows what names there were")),
        HistoryError::NoNumber { name, .. } | HistoryError::NotThen { name, .. } => {
            told.hint(format!("`{program} history {}` lists its versions", quoted_name(name)))
        }
        HistoryError::OnlyOne(_) => told,
    }
}

/// Adds how the entry `name` can be had again, where that does not depend on what only gpg knows.
fn undecryptable(told: CliError, name: &str, source: &CryptoError, scene: &Scene<'_>) -> CliError {
    let program = scene.program;
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
            let told = match scene.has_git() {
                true => told.hint(format!(
                    "`{program} git log -- {file}` lists its versions, `{program} git checkout COMMIT -- {file}` \
                     brings one back"
                )),
                false => told,
            };
            told.hint(format!(
                "without one, store it anew (`{program} insert -m {name}`) or remove it (`{program} rm {name}`)"
            ))
        }
        _ => told,
    }
}

/// Adds what to look at where the system lets us do nothing.
fn not_permitted(told: CliError, scene: &Scene<'_>) -> CliError {
    told.hint(format!("look at owner and mode: `ls -ld {}`", argument(scene.root)))
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
