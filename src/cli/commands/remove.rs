//! `rm`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::explain;
use crate::cli::quote::quoted;
use crate::model::entry::is_sneaky;
use crate::ops::remove::{self, Target};

use super::typed;

/// Remove an entry or a folder.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel rm [OPTIONS] NAME")]
pub struct Args {
    /// Remove a folder with everything in it.
    #[arg(short, long)]
    pub recursive: bool,
    /// Do not ask.
    #[arg(short, long)]
    pub force: bool,
    /// An entry or a folder.
    #[arg(value_name = "NAME")]
    pub name: OsString,
}

/// What pass's usage message says after the command's name.
pub const USAGE: &str = "[--recursive,-r] [--force,-f] pass-name";

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let name = &args.name;
    if is_sneaky(name) {
        return Err(explain::sneaky());
    }
    let store = app.store()?;
    let context = app.context(&store);
    let target = remove::target(&context, name).map_err(|e| app.error(e))?;
    let shown = typed(name);
    if let Target::Folder(_) = target
        && !args.recursive
    {
        return Err(CliError::new(format!("`{shown}` is a folder"))
            .hint(format!("`{} rm -r` removes it with everything in it", app.ui.program)));
    }
    if !args.force {
        app.agree(&format!("Are you sure you would like to delete {shown}?"))?;
    }
    let removed = remove::remove(&context, &target, &format!("Remove {shown} from store."))
        .map_err(|e| app.error(e))?;
    for file in &removed.files {
        let _ = app.ui.say(format!("removed {}", quoted(&store.root().join(file))));
    }
    for folder in &removed.folders {
        // As rm prints the folder that it was given: with its slash.
        let slash = matches!(&target, Target::Folder(named) if named.as_path() == folder);
        let path = store.root().join(folder).join(if slash { "" } else { "." });
        let path = if slash { path } else { store.root().join(folder) };
        let _ = app.ui.say(format!("removed directory {}", quoted(&path)));
    }
    app.tell(&removed.published, &[]);
    Ok(())
}
