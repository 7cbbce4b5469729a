//! `help` and `version`.

use crate::cli::app::App;
use crate::cli::args;
use crate::cli::error::CliError;

/// The release of pass whose behaviour is ours.
const PASS_VERSION: &str = "v1.7.4";

/// Prints the version. The first lines are what programs look for to recognise pass.
pub fn version(app: &App) -> Result<(), CliError> {
    Ok(app.ui.say(version_text())?)
}

/// Prints every command with its arguments.
pub fn help(app: &App) -> Result<(), CliError> {
    let mut text = version_text();
    text.push_str("\n\nUsage:\n");
    for command in args::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim_start_matches("passel").trim();
        text.push_str(&format!("    {} {usage}\n", app.ui.program));
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("        {about}\n"));
        let aliases: Vec<&str> = command.get_visible_aliases().collect();
        if !aliases.is_empty() {
            text.push_str(&format!("        Also: {}.\n", aliases.join(", ")));
        }
    }
    text.push_str(&format!("\n    {} NAME shows that entry or folder. More in passel(1).", app.ui.program));
    Ok(app.ui.say(text)?)
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
