//! `help` and `version`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::error::CliError;

/// Show the commands, or how to use one.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel help [COMMAND...]", disable_help_flag = true)]
pub struct Args {
    /// A command, and a command of that one.
    #[arg(value_name = "COMMAND")]
    pub topic: Vec<OsString>,
}

/// The release of pass whose behaviour is ours.
const PASS_VERSION: &str = "v1.7.4";

/// Prints the version. The first lines are what programs look for to recognise pass.
pub fn version(app: &App) -> Result<(), CliError> {
    Ok(app.ui.say(version_text())?)
}

/// Prints every command with its arguments, or how to use one.
pub fn run(app: &App, definitions: &clap::Command, args: &Args) -> Result<(), CliError> {
    let text = match named(definitions, &args.topic) {
        Some(command) => of_command(command, &app.ui.program),
        None => of_all(definitions, &app.ui.program),
    };
    Ok(app.ui.say(text)?)
}

/// Returns the command that words name, as far as they name one; none if already the first is no command.
fn named<'c>(definitions: &'c clap::Command, words: &[OsString]) -> Option<&'c clap::Command> {
    let next = |command: &'c clap::Command, word: &OsString| command.find_subcommand(word.to_str()?);
    let (first, rest) = words.split_first()?;
    let mut command = next(definitions, first)?;
    for word in rest {
        match next(command, word) {
            Some(nested) => command = nested,
            None => break,
        }
    }
    Some(command)
}

/// Returns how to use one command.
fn of_command(command: &clap::Command, program: &str) -> String {
    let text = command.clone().render_help().to_string();
    text.trim_end().replacen("Usage: passel ", &format!("Usage: {program} "), 1)
}

/// Returns all commands with their usage.
fn of_all(definitions: &clap::Command, program: &str) -> String {
    let mut text = version_text();
    text.push_str("\n\nUsage:\n");
    for command in definitions.get_subcommands().filter(|command| !command.is_hide_set()) {
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim_start_matches("passel").trim();
        text.push_str(&format!("    {program} {usage}\n"));
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("        {about}\n"));
        let aliases: Vec<&str> = command.get_visible_aliases().collect();
        if !aliases.is_empty() {
            text.push_str(&format!("        Also: {}.\n", aliases.join(", ")));
        }
    }
    text.push_str(&format!(
        "\n    {program} [OPTIONS] NAME is short for `{program} show`.\n    \
         {program} help COMMAND lists a command's options; more in passel(1)."
    ));
    text
}

/// Returns the banner.
fn version_text() -> String {
    let own = format!("passel {}", env!("CARGO_PKG_VERSION"));
    let lines =
        ["pass: the standard unix password manager", "", PASS_VERSION, "", &format!("as spoken by {own}")];
    let rule = "=".repeat(44);
    let body = lines.map(|line| format!("= {line:^40} =")).join("\n");
    format!("{rule}\n{body}\n{rule}")
}
