//! `client list`.

use crate::cli::app::App;
use crate::cli::commands::proposal::{Names, entries};
use crate::cli::error::CliError;
use crate::ops::client;
use crate::ops::rules::Now;

/// List the clients.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel client list")]
pub struct Args {}

/// Runs the command.
pub fn run(app: &App, _args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let now = Now::read(&context).map_err(|e| app.error(e))?;
    let clients = client::list(&now).map_err(|e| app.error(e))?;
    if clients.is_empty() {
        app.ui
            .warn(format!("There are no clients; `{} client add NAME --key FILE` adds one.", app.ui.program));
    }
    let names = Names::read(app);
    for client in clients {
        app.ui.say(format!("{} ({})", client.name, entries(client.entries)))?;
        for key in &client.keys {
            app.ui.say(format!("  {}", names.line(key)))?;
        }
        if client.keys.is_empty() {
            app.ui.say("  no key of its own")?;
        }
    }
    Ok(())
}
