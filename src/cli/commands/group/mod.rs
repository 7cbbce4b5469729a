//! `group`: named groups of recipients.

pub mod add;
pub mod assign;
pub mod list;
pub mod remove;
pub mod unassign;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::config::GroupName;
use crate::model::Shown;
use crate::store::accepted::Keys;

use super::proposal::Names;

/// Show or change groups of recipients, and the folders that follow them.
///
/// A group is a name for some keys, kept in the store. Folders that follow it are readable by all of its keys;
/// a change of the group changes all of them, in one commit. Their recipients files are written out with every
/// fingerprint, so that pass and other programs go on working.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel group COMMAND [OPTIONS] [NAME] [KEY...|FOLDER]",
    after_long_help = "Examples:\n  passel group add team alice@example.org bob@example.org\n  passel group assign team\n  passel group remove team bob@example.org"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done about groups.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add keys to a group, which is made if there is none.
    Add(add::Args),
    /// Take keys out of a group, or remove the group.
    Remove(remove::Args),
    /// List groups, their keys and the folders that follow them.
    List(list::Args),
    /// Let a folder follow a group.
    Assign(assign::Args),
    /// Let a folder no longer follow a group.
    Unassign(unassign::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Add(args) => add::run(app, args),
        Command::Remove(args) => remove::run(app, args),
        Command::List(args) => list::run(app, args),
        Command::Assign(args) => assign::run(app, args),
        Command::Unassign(args) => unassign::run(app, args),
    }
}

/// Returns the group that was typed.
pub fn group_name(text: &str) -> Result<GroupName, CliError> {
    GroupName::parse(text).ok_or_else(|| {
        let text = Shown::new(text);
        CliError::new(format!("`{text}` cannot be a group's name")).hint("use letters, digits, `-` and `_`")
    })
}

/// Returns what tells keys in a commit's subject: their fingerprints, or how many they are.
fn subject_keys(keys: &Keys) -> String {
    match keys.len() {
        1..=3 => keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        count => format!("{count} keys"),
    }
}

/// Returns what is told before keys join or leave a group.
fn heading(keys: &Keys, what: &str, names: &Names) -> Vec<String> {
    let one = if keys.len() == 1 { "Key" } else { "Keys" };
    let mut lines = vec![format!("{one} {what}:")];
    lines.extend(keys.iter().map(|key| format!("  {}", names.line(key))));
    lines
}
