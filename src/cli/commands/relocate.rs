//! `mv` and `cp`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::explain;
use crate::cli::quote::quoted;
use crate::model::entry::is_sneaky;
use crate::ops::relocate::{self, Mode, Relocated, Replace, Route};

use super::typed;

/// Move or copy an entry or a folder; what lands under other recipients is encrypted anew.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Replace an entry without asking.
    #[arg(short, long)]
    pub force: bool,
    /// The entry or folder.
    #[arg(value_name = "OLD-NAME")]
    pub from: OsString,
    /// Its new name, or the folder to put it in.
    #[arg(value_name = "NEW-NAME")]
    pub to: OsString,
}

/// What pass's usage message says after the command's name.
pub const USAGE: &str = "[--force,-f] old-path new-path";

/// Runs the command.
pub fn run(app: &App, args: &Args, mode: Mode) -> Result<(), CliError> {
    let (from, to) = (&args.from, &args.to);
    if is_sneaky(from) || is_sneaky(to) {
        return Err(explain::sneaky());
    }
    let store = app.store()?;
    let context = app.context(&store);
    let (source, _) = relocate::source(&context, from).map_err(|e| app.error(e))?;
    app.ui.say(typed(store.root().join(source).as_os_str()))?;
    let route = relocate::route(&context, mode, from, to).map_err(|e| app.error(e))?;
    let mut route = route;
    if !args.force && app.interactive {
        let occupied = relocate::occupied(&context, &route).map_err(|e| app.error(e))?;
        for path in &occupied {
            app.agree(&format!("{}: overwrite {}?", app.command, quoted(&store.root().join(path))))?;
        }
        route.replace = Replace::Only(occupied);
    }
    let verb = if mode == Mode::Move { "Rename" } else { "Copy" };
    let subject = format!("{verb} {} to {}.", typed(from), typed(to));
    let removal = format!("Remove {}.", typed(from));
    let done = relocate::relocate(&context, &route, &subject, &removal).map_err(|e| app.error(e))?;
    // Folders that are moved or copied themselves are not news.
    let mut published = done.published.clone();
    published.folders.retain(|folder| !(route.folder && folder.starts_with(&route.to)));
    app.tell_folders(&published);
    tell_files(app, &route, &done);
    app.tell(&done.published, &done.reencrypted);
    Ok(())
}

/// Tells what went where, as `mv -v` and `cp -v` do.
fn tell_files(app: &App, route: &Route, done: &Relocated) {
    let root = &app.environment.root;
    let pair = |from, to| format!("{} -> {}", quoted(&root.join(from)), quoted(&root.join(to)));
    match route.mode {
        Mode::Move => {
            let _ = app.ui.say(format!("renamed {}", pair(&route.from, &route.to)));
        }
        Mode::Copy => {
            if route.folder {
                let _ = app.ui.say(pair(&route.from, &route.to));
            }
            for (from, to) in &done.files {
                let _ = app.ui.say(pair(from, to));
            }
        }
    }
}
