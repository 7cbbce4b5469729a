//! `conflicts`: entries of which two versions are kept.

pub mod edit;
pub mod list;
pub mod pick;
pub mod show;

use std::ffi::OsStr;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::model::{EntryName, argument};
use crate::ops::Context;
use crate::ops::conflicts::{Conflict, ConflictError, find};

/// What is said of the command at length.
pub const LONG: &str = "\
List entries of which two versions are kept, compare them, and choose.

Where two people changed the same line of an entry, and where an entry was changed while it was edited, both versions \
are kept: one under the entry's name (ours), the other beside it as `NAME.conflict-` and eight digits (theirs). Without \
a command, or with the name of an entry or a folder instead, lists them. (What is called like a command is listed by \
`passel conflicts -- NAME`.)";

/// List entries of which two versions are kept, compare them, and choose.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel conflicts [OPTIONS] [NAME]\n       passel conflicts COMMAND [OPTIONS] NAME",
    args_conflicts_with_subcommands = true
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to list without a command.
    #[command(flatten)]
    pub list: list::Args,
}

/// What can be done about conflicts.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show in which lines two versions differ, without what they say.
    Show(show::Args),
    /// Keep one version and remove the other, in one commit.
    Pick(pick::Args),
    /// Make one text of both versions in $EDITOR.
    Edit(edit::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        None => list::run(app, &args.list),
        Some(Command::Show(args)) => show::run(app, args),
        Some(Command::Pick(args)) => pick::run(app, args),
        Some(Command::Edit(args)) => edit::run(app, args),
    }
}

/// Returns the conflict of the entry that was typed.
fn named(app: &App, context: &Context<'_>, typed: &OsStr) -> Result<Conflict, CliError> {
    let name = EntryName::for_writing(typed).map_err(|error| app.error(error.into()))?;
    find(context, &name).map_err(|error| told(app, error))
}

/// Tells why a conflict could not be shown or resolved.
fn told(app: &App, error: ConflictError) -> CliError {
    let program = &app.ui.program;
    let name = |name: &EntryName| argument(name.as_path());
    let plain = CliError::from_error(&error);
    match error {
        ConflictError::Failed(error) => app.error(error),
        ConflictError::None(_) => plain.hint(format!("`{program} conflicts` lists all there are")),
        ConflictError::Several { kept, .. } => {
            let all: Vec<String> = kept.iter().map(name).collect();
            plain.hint(format!("name the version meant: {}", all.join(", ")))
        }
        ConflictError::Alone(conflict) => {
            let kept = name(&conflict.kept);
            plain.hint(format!(
                "`{program} conflicts pick {kept} --theirs` puts it in its place, `{program} rm {kept}` removes it"
            ))
        }
    }
}
