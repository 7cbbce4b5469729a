//! `conflicts show`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::model::merge::{Part, field, pair};
use crate::model::{EntryName, Plaintext, Shown};
use crate::ops::{Context, OpError};
use crate::store::StoreError;

use super::{named, told};

/// What stands in place of passwords, values and text.
const MASK: &str = "••••";

/// Show in which lines two versions differ, without what they say.
///
/// Lines of the entry alone begin with `-`, those of the version beside it with `+`. Passwords, values and
/// text are masked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  passel conflicts show web/gitlab\n  passel conflicts show --reveal web/gitlab"
)]
pub struct Args {
    /// Show passwords, values and text too.
    #[arg(long)]
    pub reveal: bool,
    /// The entry, or the version beside it.
    #[arg(value_name = "NAME")]
    pub name: OsString,
}

/// Whose a line is.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Both,
    Ours,
    Theirs,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let conflict = named(app, &context, &args.name)?;
    conflict.refuse_alone(&context).map_err(|error| told(app, error))?;
    let read = |name: &EntryName| read(&context, name).map_err(|error| app.error(error));
    let (ours, theirs) = (read(&conflict.name)?, read(&conflict.kept)?);
    app.ui.say(format!("--- {}\n+++ {}", conflict.name, conflict.kept))?;
    let parts = pair(&ours, &theirs);
    for (number, part) in parts.iter().enumerate() {
        let sides = match part {
            Part::Same(units) => vec![(Whose::Both, units)],
            Part::Differs(one, other) => vec![(Whose::Ours, one), (Whose::Theirs, other)],
        };
        for (whose, units) in sides {
            for (place, unit) in units.iter().enumerate() {
                line(app, whose, unit, (number, place) == (0, 0), args.reveal)?;
            }
        }
    }
    if parts.iter().all(|part| matches!(part, Part::Same(_))) {
        app.ui.say(match ours.equals(&theirs) {
            true => "Both versions say the same.",
            false => "Only the line break at the end differs.",
        })?;
    }
    Ok(())
}

/// Decrypts an entry for somebody to look at.
fn read(context: &Context<'_>, name: &EntryName) -> Result<Plaintext, OpError> {
    let message = context.store.beneath().read(&name.file()).map_err(StoreError::from)?;
    context.decrypt(name, &message.ok_or_else(|| OpError::NotFound(name.to_string()))?)
}

/// Prints a unit.
fn line(app: &App, whose: Whose, unit: &[u8], is_password: bool, reveal: bool) -> Result<(), CliError> {
    let before = match (whose, is_password) {
        (Whose::Both, true) => "  (password) ",
        (Whose::Ours, true) => "- (password) ",
        (Whose::Theirs, true) => "+ (password) ",
        (Whose::Both, false) => "  ",
        (Whose::Ours, false) => "- ",
        (Whose::Theirs, false) => "+ ",
    };
    if reveal {
        for line in unit.split(|byte| *byte == b'\n') {
            app.ui.secret_line(before, line, "")?;
        }
        return Ok(());
    }
    let shown = match field(unit).filter(|_| !is_password) {
        Some((key, _)) => format!("{before}{} {MASK}", Shown::new(key)),
        None => format!("{before}{MASK}"),
    };
    Ok(app.ui.say(shown)?)
}
