//! `doctor`.

use std::time::Duration;

use serde::Serialize;

use super::recipients::people::json;
use crate::cli::app::{App, Remember};
use crate::cli::error::CliError;
use crate::crypto::KeySpeed;
use crate::model::Shown;
use crate::ops::doctor::{Diagnosis, examine};

/// An operation that takes longer is worth a word about what makes it so.
const SLOW: Duration = Duration::from_millis(50);

/// What is said of the command at length.
pub const LONG: &str = "\
Tell how long work on many entries takes here, and what would make it quicker.

Times a private-key operation of each of your keys, for which you may be asked for its passphrase, and says what that \
comes to for all entries of the store, with remembered session keys (`passel cache`) and without.";

/// Tell how long work on many entries takes here, and what would make it quicker.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "JSON: an object with
  keys          an array: fingerprint (of the part that opens messages), name, card (true or false), derivation (the \
agent's present s2k-count, null for a key without passphrase), operation_seconds (null where the key cannot be used now)
  entries       how many there are
  opened        how many of them your keys open
  remembered    of how many of those the session key is remembered
  remembering   on, off or cards
  cold_seconds  how long it takes to open all of them with nothing remembered
  warm_seconds  how long it takes now";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    keys: Vec<Row>,
    entries: usize,
    opened: usize,
    remembered: usize,
    remembering: &'static str,
    cold_seconds: f64,
    warm_seconds: f64,
}

/// A key.
#[derive(Serialize)]
struct Row {
    fingerprint: String,
    name: String,
    card: bool,
    derivation: Option<u64>,
    operation_seconds: Option<f64>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let found = examine(&app.context(&store)).map_err(|error| app.error(error))?;
    if args.json {
        return Ok(app.ui.say(json(&report(app, &found)))?);
    }
    for line in lines(app, &found) {
        app.ui.say(line)?;
    }
    Ok(())
}

/// Returns what is printed for people.
fn lines(app: &App, found: &Diagnosis) -> Vec<String> {
    let (entries, opened) = (found.entries, found.opened);
    if found.keys.is_empty() {
        return vec![
            format!(
                "gpg opens the {entries} entries of this store, one at a time: none of your keys is of a kind that"
            ),
            "passel opens messages with itself, or options of yours are in the way.".into(),
        ];
    }
    let mut lines = vec!["Private keys, and how long the agent takes for one operation:".to_owned()];
    for key in &found.keys {
        let card = if key.on_card { " (on a card)" } else { "" };
        let (id, name) = (key.fingerprint.key_id(), Shown::new(&key.name));
        let operation = key.operation.map_or_else(|| "-".to_owned(), told);
        lines.push(format!("  {id}  {operation:>7}  {name}{card}"));
    }
    lines.push(format!(
        "Entries: {entries}. Yours to open: {opened}. Session keys remembered: {}.",
        found.remembered
    ));
    lines.push(format!(
        "To read all of them, as `{0} grep` and a change of recipients do, takes about {1}; with nothing remembered, {2}.",
        app.ui.program,
        told(found.warm),
        told(found.cold)
    ));
    if found.keys.iter().any(|key| key.operation.is_none()) {
        lines.push("-: the agent cannot use it now, for want of its passphrase or card.".to_owned());
    }
    lines.extend(remedies(app, &found.keys));
    lines
}

/// Returns what is said of what makes a key slow, if one is.
fn remedies(app: &App, keys: &[KeySpeed]) -> Vec<String> {
    let is_slow = |key: &&KeySpeed| key.operation >= Some(SLOW) && key.derivation.is_some();
    let Some(key) = keys.iter().find(is_slow) else { return Vec::new() };
    let own = match app.environment.remember {
        Remember::Nothing => "off here (PASSEL_CACHE=off)",
        _ => "on",
    };
    let text = format!(
        "The agent derives the key from its passphrase anew for each operation: that is what takes so long. What helps:
- Remembered session keys, with which what was read once costs one operation in all: {own}.
- Fewer rounds of that derivation, if your passphrase is long: whoever steals the key's file can try more
  passphrases in the same time. Put `s2k-count 65536` into gpg-agent.conf in GnuPG's home folder, end the
  agent (`gpgconf --kill gpg-agent`), and store the key anew: `gpg --passwd {}`.",
        key.fingerprint
    );
    text.lines().map(str::to_owned).collect()
}

/// Returns a duration in words.
fn told(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        ..0.01 => format!("{:.1} ms", seconds * 1e3),
        ..1.0 => format!("{:.0} ms", seconds * 1e3),
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

fn report(app: &App, found: &Diagnosis) -> Report {
    let row = |key: &KeySpeed| Row {
        fingerprint: key.fingerprint.to_string(),
        name: key.name.clone(),
        card: key.on_card,
        derivation: key.derivation,
        operation_seconds: key.operation.map(|operation| operation.as_secs_f64()),
    };
    Report {
        keys: found.keys.iter().map(row).collect(),
        entries: found.entries,
        opened: found.opened,
        remembered: found.remembered,
        remembering: match app.environment.remember {
            Remember::Nothing => "off",
            Remember::Keys => "on",
            Remember::Cards => "cards",
        },
        cold_seconds: found.cold.as_secs_f64(),
        warm_seconds: found.warm.as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_durations_in_fitting_units() {
        for (seconds, text) in [
            (0.000_16, "0.2 ms"),
            (0.021, "21 ms"),
            (0.43, "430 ms"),
            (8.4, "8 s"),
            (4300.0, "72 min"),
            (10_000.0, "3 h"),
        ] {
            assert_eq!(told(Duration::from_secs_f64(seconds)), text);
        }
    }
}
