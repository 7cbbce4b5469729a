//! `recipients`: who can read a folder.

pub mod accept;
pub mod canonicalize;
pub mod change;
pub mod check;
pub mod list;
pub mod people;
pub mod review;
pub mod update;
pub mod what;
pub mod who;

use std::path::Path;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::model::{EntryName, FolderName, argument};
use crate::ops::{Context, OpError};
use crate::store::beneath::State;

/// Show or change who can read a folder.
///
/// Without a command, or with the name of a folder instead, lists the recipients. (A folder that is called
/// like a command is listed by `recipients list FOLDER`.)
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel recipients [OPTIONS] [FOLDER]\n       passel recipients COMMAND [OPTIONS] [FOLDER] [KEY...]",
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

/// What can be done about recipients.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List who can read a folder: the keys that its recipients file names, and whether its entries agree.
    List(list::Args),
    /// Let keys read a folder: add them to its recipients and encrypt its entries to them.
    Add(change::AddArgs),
    /// Take keys out of a folder's recipients, and encrypt its entries to the others only.
    Remove(change::RemoveArgs),
    /// Let exactly these keys read a folder.
    Set(change::SetArgs),
    /// Tell who can read an entry or a folder: from the entries themselves, beside what the recipients files
    /// say.
    Who(who::Args),
    /// Tell which entries a key can read: from the entries themselves, beside what the recipients files say.
    What(what::Args),
    /// Bring entries back in line with their recipients files.
    Update(update::Args),
    /// Look for what is wrong with recipients and entries.
    Check(check::Args),
    /// Write full fingerprints in place of e-mail addresses, key IDs, user IDs and groups.
    Canonicalize(canonicalize::Args),
    /// Accept changed recipients: from now on this machine encrypts to them.
    Accept(accept::Args),
    /// Show entries that are held back because they were encrypted for others elsewhere, and let them pass.
    Review(review::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let Some(command) = &args.command else { return list::run(app, &args.list) };
    match command {
        Command::List(args) => list::run(app, args),
        Command::Add(args) => change::add(app, args),
        Command::Remove(args) => change::remove(app, args),
        Command::Set(args) => change::set(app, args),
        Command::Who(args) => who::run(app, args),
        Command::What(args) => what::run(app, args),
        Command::Update(args) => update::run(app, args),
        Command::Check(args) => check::run(app, args),
        Command::Canonicalize(args) => canonicalize::run(app, args),
        Command::Accept(args) => accept::run(app, args),
        Command::Review(args) => review::run(app, args),
    }
}

/// Fails unless the folder is there. Of an entry, says which folder it is in: `command` takes folders alone.
pub fn refuse_absent(
    app: &App,
    context: &Context<'_>,
    folder: &FolderName,
    command: &str,
) -> Result<(), CliError> {
    if context.store.folder_exists(folder).map_err(|e| app.error(e.into()))? {
        return Ok(());
    }
    let entry = EntryName::parse(folder.as_path().as_os_str());
    match entry.map(|entry| context.store.beneath().state(&entry.file())) {
        Ok(Ok(State::File(_))) => {
            let program = &app.ui.program;
            let above = folder.as_path().parent().filter(|path| *path != Path::new(""));
            let above = above.map(|path| format!(" {}", argument(path))).unwrap_or_default();
            let name = argument(folder.as_path());
            Err(CliError::new(format!("`{folder}` is an entry, not a folder"))
                .hint(format!("`{program} recipients {command}{above}` is about the folder that it is in"))
                .hint(format!("`{program} recipients who {name}` tells who can read the entry")))
        }
        _ => Err(app.error(OpError::NotFound(folder.to_string()))),
    }
}
