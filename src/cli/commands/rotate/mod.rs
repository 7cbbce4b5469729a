//! `rotate`: what must be changed, why, and whether it has been.

pub mod add;
pub mod close;
pub mod list;
pub mod status;

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::store::transaction::Published;

/// What is said of the command at length.
pub const LONG: &str = "\
List what must be changed, and why.

The list says which passwords somebody knows who should not (any more), which leaked, and which are weak, reused or old; \
`rotate add` puts entries on it, as do `recipients remove` and `incident open`. An item is done by itself once the entry \
says something else than it did when it was put on the list: to change the password with any program that writes the \
store is enough, and to encrypt the entry anew is not. Of an entry that holds other secrets besides (one-time codes, \
tokens), those are to be changed as well, if they were exposed. What the same people \
can still read, or knew from another entry, is no change, nor is a secret that stands elsewhere in the entry. Of lines of which nobody can say whether they are secret, it is told that they are as they were.

The list lies in the store, in the hidden folder `.passel.d`, encrypted for whom the store's own list of recipients names: \
the team, and not for clients who are named for a folder of their own. It needs git, out of which it tells what has \
changed since, and by whom.";

/// List what must be changed, and why.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel rotate [OPTIONS]\n       passel rotate COMMAND [OPTIONS] [ENTRY...]",
    args_conflicts_with_subcommands = true,
    after_long_help = HELP
)]
pub struct Args {
    /// What to do; without, what is to be changed is listed.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What is asked for.
    #[command(flatten)]
    pub asked: Asked,
}

/// What of the list is asked for, and how it is printed.
#[derive(Debug, clap::Args)]
pub struct Asked {
    /// Only entries in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<OsString>,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "Exit codes: 0 if all could be looked at, 3 if the answer may lack something (items that are encrypted to others, a clone \
without its older commits, a damaged history), 1 if an item could not be read though it is encrypted to you, or something else failed.

JSON: an object with
  items   an array, what is to be changed first in front, those that are done last: id, entry, state (open; unknown: it \
cannot be decrypted here; gone: there is no such entry any more; changed; closed: somebody said so), reason (exposed, \
leaked, reused, weak, short, old, asked), who (an array), why, left (the secrets that are as they were), ask (who can tell), \
opened, incident, done (when, commit and by: of `changed`), same_lines (whether other lines are as they were), closed (when \
and why), url
  unread  how many items are encrypted to others
  gaps    why the answer may lack something

Examples:
  passel rotate
  passel rotate status
  passel rotate add web/gitlab --why 'mailed in clear'
  passel rotate --folder clients/acme
  passel rotate --json | jq -r '.items[] | select(.state == \"open\") | .entry' | sort -u";

/// What can be done about the list.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Put entries on the list.
    Add(add::Args),
    /// Tell how far it has come: what is to be changed in each folder, and what has been, by whom.
    Status(status::Args),
    /// Take entries off the list whose secrets need not be changed, or were changed elsewhere.
    Close(close::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        None => list::run(app, &args.asked, list::tell),
        Some(Command::Add(args)) => add::run(app, args),
        Some(Command::Status(args)) => list::run(app, &args.asked, status::tell),
        Some(Command::Close(args)) => close::run(app, args),
    }
}

/// Returns what was published without the names of records, which say nothing to anybody.
pub fn without_names(mut published: Published) -> Published {
    for commit in &mut published.commits {
        commit.lines.retain(|line| !line.starts_with(" create mode"));
    }
    published
}
