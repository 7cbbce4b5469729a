//! `history restore`.

use std::ffi::OsString;

use super::read;
use crate::cli::app::App;
use crate::cli::commands::proposal::Names;
use crate::cli::error::CliError;
use crate::model::EntryName;
use crate::ops::history::Judge;
use crate::ops::history::restore::{self, Restoration};
use crate::ops::history::versions::Old;
use crate::ops::insert::{self, Permit};
use crate::store::beneath::State;

/// Put a version back, encrypted to whoever can read the entry's folder now.
///
/// That makes a new commit. An entry that was removed is there again afterwards.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel history restore web/gitlab 2\n  \
    passel history restore clients/acme/mail HEAD~3")]
pub struct Args {
    /// Do not ask: neither before the present version is replaced, nor before somebody can read the old one who
    /// could not read it then.
    #[arg(short, long)]
    pub force: bool,
    /// The entry.
    #[arg(value_name = "ENTRY")]
    pub entry: OsString,
    /// The version: its number, or a commit.
    #[arg(value_name = "REV")]
    pub rev: String,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let failed = |error| app.error(error);
    let name = EntryName::for_writing(&args.entry).map_err(|error| app.error(error.into()))?;
    let store = app.store()?;
    let context = app.context(&store);
    let past = read(app, &context, &args.entry, &mut Judge::new(&context, true))?;
    let old = past.version(&args.rev).map_err(failed)?;
    let there = insert::entry_state(&context, &name).map_err(failed)?;
    let restoration = restore::prepare(&context, &past, &old, name).map_err(failed)?;
    if there != State::Absent && restore::is_there(&context, &restoration).map_err(failed)? {
        app.ui.say(format!("{} says that already; nothing was changed.", restoration.name))?;
        return Ok(());
    }
    tell_gains(app, &restoration, &old);
    let gains = if restoration.gains.is_empty() { "" } else { " and let them read it" };
    let question = match there {
        State::Absent => format!("Put {} back as of {}{gains}?", restoration.name, old.short()),
        _ => format!("Replace {} by what it was as of {}{gains}?", restoration.name, old.short()),
    };
    let is_asked = there != State::Absent || !restoration.gains.is_empty();
    if is_asked && !args.force {
        app.agree_or(&question, "--force")?;
    }
    let permit = if there == State::Absent { Permit::Create } else { Permit::Replace };
    let published = restore::restore(&context, &restoration, &old, permit).map_err(failed)?;
    app.tell_folders(&published);
    app.tell(&published, &[]);
    Ok(())
}

/// Tells who will be able to read what they could not read before.
fn tell_gains(app: &App, restoration: &Restoration, old: &Old) {
    if let Some(told) = restore::told(restoration) {
        app.ui.warn(format!("warning: that version of {told}"));
    }
    if restoration.gains.is_empty() {
        return;
    }
    let names = Names::read(app);
    app.ui.warn(format!("The version of {} could not be read by:", old.short()));
    for key in &restoration.gains {
        app.ui.warn(format!("  {}", names.line(key)));
    }
}
