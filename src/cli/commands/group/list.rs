//! `group list`.

use crate::cli::app::App;
use crate::cli::commands::proposal::Names;
use crate::cli::error::CliError;
use crate::config::GroupName;
use crate::model::FolderName;
use crate::ops::rules::{Now, shown};

use super::group_name;

/// List groups, their keys and the folders that follow them.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel group list\n  passel group list team")]
pub struct Args {
    /// The group; all of them if it is left out.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let now = Now::read(&context).map_err(|e| app.error(e))?;
    let groups: Vec<GroupName> = match &args.name {
        Some(name) => vec![group_name(name)?],
        None => now.config.groups.keys().cloned().collect(),
    };
    if groups.is_empty() {
        app.ui.warn(format!("There are no groups; `{} group add NAME KEY...` makes one.", app.ui.program));
    }
    let names = Names::read(app);
    for group in &groups {
        app.ui.say(group.to_string())?;
        for key in now.members(group).map_err(|e| app.error(e))? {
            app.ui.say(format!("  {}", names.line(key)))?;
        }
        let mut folders = Vec::new();
        for folder in now.config.folders_of(group) {
            folders.push(follower(app, &now, folder)?);
        }
        app.ui.say(match folders.is_empty() {
            true => "  followed by no folder".to_owned(),
            false => format!("  followed by {}", folders.join(", ")),
        })?;
    }
    Ok(())
}

/// Returns a folder's name, and whether its list is another one than its rule says.
fn follower(app: &App, now: &Now<'_, '_>, folder: &FolderName) -> Result<String, CliError> {
    let differs = now.difference(folder).map_err(|e| app.error(e))?.is_some();
    let mark = if differs { " (whose list was edited otherwise)" } else { "" };
    Ok(format!("{}{mark}", shown(folder)))
}
