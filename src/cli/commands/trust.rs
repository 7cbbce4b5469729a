//! `trust`: whose signature on a change of recipients is taken without a question.

use serde::Serialize;

use super::keys::state;
use super::keys_given::grouped;
use super::recipients::people::json;
use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::model::{Fingerprint, Key, Shown};
use crate::ops::trust::{self, Trusted};

/// What is said of the command at length.
pub const LONG: &str = "\
Say whose signature on a change of recipients is taken without a question.

Who else is to read a folder, and what groups and rules say, is accepted by `passel sync` without asking where each \
commit that changed it is signed by a trusted key, and nobody has changed it since by a commit that is not. (So is a \
list with a good signature of its own, `.gpg-id.sig`, in a folder that had a list before; but never one that stood \
elsewhere or earlier, nor one that lets somebody back in.) A key that has expired or was revoked counts for nothing.

Whoever signs a commit vouches for what it changes, on whatever branch: others may merge it. Trust keys whose owners \
sign what they mean, and nothing else.

The keys are kept for this store on this machine, outside of what git shares.";

/// Say whose signature on a change of recipients is taken without a question.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel trust COMMAND [OPTIONS]")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done about trusted keys.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Trust a key of the keyring, once its fingerprint is confirmed.
    Add(AddArgs),
    /// Trust a key no more.
    Remove(RemoveArgs),
    /// List the keys that are trusted here.
    List(ListArgs),
}

/// Trust a key of the keyring, once its fingerprint is confirmed.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  passel trust add ann@example.org\n  passel trust add ann@example.org \
    --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567"
)]
pub struct AddArgs {
    /// The key: its fingerprint, address, or whatever else names exactly one key of the keyring.
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Trust it without a question.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Trust it without a question if this is its full fingerprint.
    #[arg(long, value_name = "FINGERPRINT")]
    pub fingerprint: Option<String>,
}

/// Trust a key no more.
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// The key; its full fingerprint if the keyring has it no more.
    #[arg(value_name = "KEY")]
    pub key: String,
}

/// List the keys that are trusted here.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "JSON: an array with an object for each key:\n  fingerprint   of its primary key\n  \
    name          its first user ID, or null if the keyring has it no more\n  problem       why its signature counts for \
    nothing, or null\n\nExamples:\n  passel trust list\n  passel trust list --json | jq -r '.[].fingerprint'"
)]
pub struct ListArgs {
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

/// What is printed as JSON of a key. The names of fields never change.
#[derive(Serialize)]
struct Row {
    fingerprint: String,
    name: Option<String>,
    problem: Option<String>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Add(args) => add(app, args),
        Command::Remove(args) => remove(app, args),
        Command::List(args) => list(app, args),
    }
}

fn add(app: &App, args: &AddArgs) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let key = trust::find(&context, &args.key).map_err(|e| app.error(e))?;
    show(app, &key)?;
    let is_confirmed = match &args.fingerprint {
        Some(text) => confirms(text, &key)?,
        None => args.yes,
    };
    if !is_confirmed {
        let question = "Take this key's signature for changes of recipients, without asking you?";
        app.agree_or(question, &format!("`--yes` or `--fingerprint {}`", key.fingerprint))?;
    }
    let is_new = trust::add(&context, &key.fingerprint).map_err(|e| app.error(e))?;
    app.ui.say(match is_new {
        true => format!("Trusted from now on: {}.", key.fingerprint),
        false => format!("Trusted before: {}.", key.fingerprint),
    })?;
    Ok(())
}

/// Shows whose key it is: what it says of itself, and its fingerprint to compare.
fn show(app: &App, key: &Key) -> Result<(), CliError> {
    app.ui.say(format!("Key of {}", Shown::new(key.name())))?;
    for also in key.user_ids.iter().skip(1) {
        app.ui.say(format!("  also {}", Shown::new(also)))?;
    }
    app.ui.say(format!("  {}\n  {}", grouped(&key.fingerprint), state_of(key)))?;
    Ok(())
}

/// Returns when a key ends; one that cannot encrypt may sign all the same.
fn state_of(key: &Key) -> String {
    let whole = Key { problem: None, ..key.clone() };
    state(&whole)
}

/// Whether the fingerprint that was typed is the key's; fails if it is another one.
fn confirms(text: &str, key: &Key) -> Result<bool, CliError> {
    let shown = Shown::new(text);
    match Fingerprint::of_name(text) {
        None => {
            Err(CliError::new(format!("`{shown}` is no full fingerprint"))
                .hint("`gpg --list-keys` shows them"))
        }
        Some(typed) if typed != key.fingerprint => {
            Err(CliError::new(format!("the key has the fingerprint {}, not {typed}", key.fingerprint))
                .hint("compare both with its owner: it may be somebody else's key"))
        }
        Some(_) => Ok(true),
    }
}

fn remove(app: &App, args: &RemoveArgs) -> Result<(), CliError> {
    let store = app.store()?;
    let key = trust::remove(&app.context(&store), &args.key).map_err(|e| app.error(e))?;
    app.ui.say(format!("Trusted no more: {key}. What was accepted for its signature stays accepted."))?;
    Ok(())
}

fn list(app: &App, args: &ListArgs) -> Result<(), CliError> {
    let store = app.store()?;
    let trusted = trust::list(&app.context(&store)).map_err(|e| app.error(e))?;
    let name = |one: &Trusted| one.key.as_ref().map(|key| key.name().to_owned());
    if args.json {
        let row = |one: &Trusted| Row {
            fingerprint: one.fingerprint.to_string(),
            name: name(one),
            problem: one.problem(),
        };
        app.ui.say(json(&trusted.iter().map(row).collect::<Vec<_>>()))?;
        return Ok(());
    }
    if trusted.is_empty() {
        app.ui.say("No key is trusted here: changes of recipients are asked about.")?;
    }
    for one in &trusted {
        let name = name(one).map(|name| format!("  {}", Shown::new(&name))).unwrap_or_default();
        app.ui.say(format!("{}{name}", one.fingerprint))?;
        if let Some(problem) = one.problem() {
            app.ui.say(format!("    counts for nothing: it {problem}"))?;
        }
    }
    Ok(())
}
