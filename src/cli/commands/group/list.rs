//! `group list`.

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::commands::proposal::{KeyRecord, Names};
use crate::cli::commands::recipients::people::json;
use crate::cli::error::CliError;
use crate::config::GroupName;
use crate::ops::rules::{Now, shown};

use super::group_name;

/// List groups, their keys and the folders that follow them.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  passel group list
  passel group list team
  passel group list --json | jq -r '.groups[].name'")]
pub struct Args {
    /// The group; all of them if it is left out.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Print JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

/// All groups that were asked for.
#[derive(Serialize)]
struct Report {
    groups: Vec<Group>,
}

/// A group.
#[derive(Serialize)]
struct Group {
    name: String,
    keys: Vec<KeyRecord>,
    folders: Vec<Follower>,
}

/// A folder that follows a group.
#[derive(Serialize)]
struct Follower {
    /// Its name; empty for the root.
    folder: String,
    /// Whether its list is another one than its rule says.
    differs: bool,
    #[serde(skip)]
    shown: String,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let now = Now::read(&context).map_err(|e| app.error(e))?;
    let wanted: Vec<GroupName> = match &args.name {
        Some(name) => vec![group_name(name)?],
        None => now.config.groups.keys().cloned().collect(),
    };
    let names = Names::read(app);
    let groups = wanted.iter().map(|group| describe(app, &now, &names, group)).collect::<Result<_, _>>()?;
    let report = Report { groups };
    if args.json {
        app.ui.say(json(&report))?;
        return Ok(());
    }
    if wanted.is_empty() {
        app.ui.warn(format!("There are no groups; `{} group add NAME KEY...` makes one.", app.ui.program));
    }
    for (group, told) in wanted.iter().zip(&report.groups) {
        app.ui.say(told.name.as_str())?;
        for key in now.members(group).map_err(|e| app.error(e))? {
            app.ui.say(format!("  {}", names.line(key)))?;
        }
        let mark =
            |follower: &Follower| if follower.differs { " (whose list was edited otherwise)" } else { "" };
        let folders: Vec<String> = told.folders.iter().map(|f| format!("{}{}", f.shown, mark(f))).collect();
        app.ui.say(match folders.is_empty() {
            true => "  followed by no folder".to_owned(),
            false => format!("  followed by {}", folders.join(", ")),
        })?;
    }
    Ok(())
}

/// Returns what there is to tell of a group.
fn describe(app: &App, now: &Now<'_, '_>, names: &Names, group: &GroupName) -> Result<Group, CliError> {
    let keys = names.records(now.members(group).map_err(|e| app.error(e))?);
    let mut folders = Vec::new();
    for folder in now.config.folders_of(group) {
        let differs = now.difference(folder).map_err(|e| app.error(e))?.is_some();
        folders.push(Follower { folder: folder.to_string(), differs, shown: shown(folder) });
    }
    Ok(Group { name: group.to_string(), keys, folders })
}
