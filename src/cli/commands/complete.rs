//! What completion scripts ask: names in the store, keys in the keyring. A hidden command, which cannot
//! be had under the name pass: there an entry of that name is shown, as by pass.

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::cli::app::{App, Environment};
use crate::cli::ui::Ui;
use crate::crypto::Crypto as _;
use crate::model::shown::drives_terminal;
use crate::store::names;

/// The word that asks.
pub const WORD: &str = "__complete";

/// Whether `words` ask for completions.
pub fn is_asked(program: &str, words: &[OsString]) -> bool {
    program != "pass" && words.first().is_some_and(|word| word == WORD)
}

/// Prints what was asked for, a line each; nothing if it cannot be had, since nobody could read why.
///
/// `entries`, `folders`, `names` (both) and `keys` are those that begin with the text typed so far, or all;
/// `step-entries` (with the folders on the way), `step-folders` and `enter-entries` (a lone folder is
/// entered) go folder by folder.
pub fn run(ui: Ui, words: &[OsString]) {
    let Ok(environment) = Environment::read() else { return };
    let mut words = words.iter().skip(1).filter_map(|word| word.to_str());
    let (kind, typed) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let root = environment.root.clone();
    let is_folder = |name: &String| name.ends_with('/');
    let mut found = match kind {
        "entries" | "folders" | "names" => names::all(&root),
        "step-entries" | "step-folders" => names::step(&root, typed, false),
        "enter-entries" => names::step(&root, typed, true),
        "keys" => keys(&App::new(ui, environment, WORD.to_owned()), typed),
        _ => return,
    };
    match kind {
        "entries" => found.retain(|name| !is_folder(name)),
        "folders" | "step-folders" => found.retain(is_folder),
        _ => {}
    }
    // 10,000 names keep a shell busy. Where none begins so, it may match by rules of its own.
    if found.iter().any(|name| name.starts_with(typed)) {
        found.retain(|name| name.starts_with(typed));
    }
    // Not through `Ui`: shells want the names as they are. None holds a control character.
    let text: String = found.into_iter().flat_map(|name| [name, "\n".to_owned()]).collect();
    let _ = std::io::Write::write_all(&mut std::io::stdout().lock(), text.as_bytes());
}

/// Returns how the keys that could be recipients are named: by their user IDs, and by addresses and
/// fingerprints that begin with `typed`, once something is typed.
fn keys(app: &App, typed: &str) -> Vec<String> {
    let begins = |text: &str| {
        let start = text.as_bytes().get(..typed.len());
        !typed.is_empty() && start.is_some_and(|start| start.eq_ignore_ascii_case(typed.as_bytes()))
    };
    let keys = app.crypto().keys().unwrap_or_default();
    let mut names = BTreeSet::new();
    for key in keys.into_iter().filter(|key| key.problem.is_none()) {
        names.extend(key.user_ids);
        names.extend(key.mailboxes.into_iter().filter(|address| begins(address)));
        names.extend(Some(key.fingerprint.to_string()).filter(|fingerprint| begins(fingerprint)));
    }
    names.into_iter().filter(|name| !name.is_empty() && !name.chars().any(drives_terminal)).collect()
}
