//! Errors about recipients: who cannot be encrypted to, who has changed, what rules forbid.

use crate::cli::error::CliError;
use crate::cli::quote::quoted;
use crate::cli::scene::Scene;
use crate::config::{ConfigError, FILE};
use crate::crypto::RecipientError;
use crate::model::{Fingerprint, KeyProblem, argument};
use crate::ops::OpError;
use crate::ops::guard::Difference;
use crate::ops::init::GIVEN;
use crate::ops::rules::RuleError;

/// Returns the folder of the recipients file that `place` tells of, as commands take it; none where it is no
/// such file.
pub(super) fn folder_of(place: &str) -> Option<String> {
    let file = place.rsplit_once(" line ").map_or(place, |(file, _)| file);
    match file.strip_suffix(".gpg-id")? {
        "" => Some("/".to_owned()),
        folder => folder.strip_suffix('/').map(str::to_owned),
    }
}

/// Tells of a recipient that cannot be encrypted to. Whoever has just cloned a store lacks keys: they are
/// shown how to get them before anything else.
pub(super) fn recipient(
    error: &OpError,
    source: &RecipientError,
    id: &str,
    place: &str,
    scene: &Scene<'_>,
) -> CliError {
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
pub(super) fn not_accepted(error: &OpError, difference: &Difference, scene: &Scene<'_>) -> CliError {
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
    // To take a subkey out would be to take its owner out.
    if difference.gains.iter().all(|key| scene.is_subkey(key)) {
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
    let told = match difference.on_the_way {
        true => told.hint(format!("or the same command with `--fingerprint {}`", keys.join(","))),
        false => told,
    };
    told.hint(format!(
        "if it is not: `{program} recipients remove {ruling} {}` takes {what} out again",
        keys.join(" ")
    ))
}

/// Tells why recipients, groups, rules or clients could not be changed.
pub(super) fn rule(error: &RuleError, scene: &Scene<'_>) -> CliError {
    let program = scene.program;
    let told = CliError::from_error(error);
    match error {
        RuleError::Config(ConfigError::Newer(_)) => told.hint("use a newer passel"),
        RuleError::Config(ConfigError::Conflicted) => told.hint(format!(
            "keep what both sides say in an editor, without the lines `<<<<<<<`, `=======` and `>>>>>>>`; then \
             `{program} git add {FILE}`, `{program} git commit`"
        )),
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
