//! `recipients review`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::crypto::CryptoError;
use crate::model::{FolderName, argument};
use crate::ops::review::{self, Review, Undecided};
use crate::ops::{Context, relocate};

/// How many entries get hints of their own.
const SHOWN: usize = 5;

/// Show entries that are held back because they were encrypted for others elsewhere, and let them pass.
///
/// Somebody who cannot read an entry can still copy its file into a folder that is encrypted to them. Whoever
/// encrypts the copy anew would hand it over, so passel does not: it leaves such entries as they are, lists
/// them, and ends with exit code 3. Entries that it never encrypts anew, as they are damaged or gpg might read
/// something else in them, are named too (exit code 1).
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  \
    passel recipients review                        what is held back, and why\n  \
    passel recipients review clients/acme/mail --accept\n                                                  \
    it is meant to be there: encrypt it anew from now on\n  \
    passel rm clients/acme/mail                     it is not")]
pub struct Args {
    /// An entry or a folder; the whole store if it is left out. --accept must be told which.
    #[arg(value_name = "PATH")]
    pub path: Option<OsString>,
    /// Let them pass: on this machine they are encrypted anew from now on, where they are.
    #[arg(long, requires = "path")]
    pub accept: bool,
    /// With --accept, do not ask.
    #[arg(long, requires = "accept")]
    pub yes: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let path = match &args.path {
        Some(name) if FolderName::parse(name).is_ok_and(|folder| folder.is_root()) => PathBuf::new(),
        Some(name) => relocate::source(&context, name).map_err(|e| app.error(e))?.0,
        None => PathBuf::new(),
    };
    // What is named is told of even if nobody would gain now: a move elsewhere may have held it back.
    let harmless = args.path.is_some();
    let Review { undecided, unclear } =
        review::review(&context, &path, harmless).map_err(|e| app.error(e))?;
    warn_of(app, &unclear);
    match undecided.is_empty() {
        true if unclear.is_empty() => app.ui.say("Nothing is held back.")?,
        true => {}
        false => {
            show(app, &undecided)?;
            if !args.accept {
                return ask_for_word(app, &undecided);
            }
            accept(app, &context, &undecided, args.yes)?;
        }
    }
    if unclear.is_empty() { Ok(()) } else { Err(CliError::silent(exit::FAILURE)) }
}

/// Names entries that are never encrypted anew.
fn warn_of(app: &App, unclear: &[(String, CryptoError)]) {
    for (name, why) in unclear {
        app.ui.warn(format!("error: `{name}` is never encrypted anew: {why}"));
    }
    let program = &app.ui.program;
    for (name, _) in unclear.iter().take(SHOWN) {
        let name = argument(name);
        app.ui.warn(format!(
            "hint: look at it (`{program} show {name}`), then store it anew (`{program} insert -m {name}`) or \
             remove it (`{program} rm {name}`)"
        ));
    }
}

/// Tells what can be done, for each: what was copied is removed, what was replaced is taken back.
fn ask_for_word(app: &App, entries: &[Undecided]) -> Result<(), CliError> {
    let program = &app.ui.program;
    for entry in entries.iter().take(SHOWN) {
        let name = argument(&entry.path.with_extension(""));
        let file = argument(&entry.path);
        app.ui.warn(format!(
            "hint: if `{}` is meant to be there: `{program} recipients review {name} --accept`",
            entry.name
        ));
        app.ui.warn(match &entry.former {
            Some(commit) => format!(
                "hint: if it is not, take the former version back: `{program} git checkout {commit} -- {file}`, \
                 then `{program} git commit -m Restored -- {file}`"
            ),
            None => format!("hint: if it is not: `{program} rm {name}`"),
        });
    }
    if entries.len() > SHOWN {
        app.ui.warn("hint: the others likewise");
    }
    Err(CliError::silent(exit::NEEDS_DECISION))
}

/// Takes the person's word.
fn accept(app: &App, context: &Context<'_>, entries: &[Undecided], yes: bool) -> Result<(), CliError> {
    let count = match entries.len() {
        1 => "this entry".to_owned(),
        count => format!("these {count} entries"),
    };
    if !yes {
        app.agree_or(&format!("Let {count} be encrypted for whoever is to read it here?"), "--yes")?;
    }
    review::accept(context, entries).map_err(|e| app.error(e))?;
    app.ui.say(format!("From now on {count} may be encrypted anew."))?;
    Ok(())
}

/// Shows entries with where they come from.
fn show(app: &App, entries: &[Undecided]) -> Result<(), CliError> {
    let named = app.key_names();
    for entry in entries {
        app.ui.say(&*entry.name)?;
        let from = crate::ops::reencrypt::shown_entry(&entry.copied.from);
        let what = if from == entry.name { " (an old version)" } else { "" };
        app.ui.say(format!("  was encrypted for others as  {from}{what}"))?;
        let commit = match &entry.copied.commit {
            Some(commit) => commit.told(),
            None => "no commit yet".to_owned(),
        };
        app.ui.say(format!("  came here with               {commit}"))?;
        for key in &entry.copied.gains {
            let name = named.get(key).cloned().unwrap_or_default();
            app.ui.say(format!("  would gain access            {key}  {name}"))?;
        }
        if entry.copied.gains.is_empty() {
            app.ui.say("  would gain access            nobody here")?;
        }
    }
    Ok(())
}
