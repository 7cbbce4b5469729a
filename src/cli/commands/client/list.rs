//! `client list`.

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::commands::proposal::{KeyRecord, Names, entries};
use crate::cli::commands::recipients::people::json;
use crate::cli::error::CliError;
use crate::ops::client;
use crate::ops::rules::Now;

/// List the clients.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  passel client list
  passel client list --json | jq -r '.clients[].name'")]
pub struct Args {
    /// Print JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

/// All clients.
#[derive(Serialize)]
struct Report {
    clients: Vec<Record>,
}

/// A client.
#[derive(Serialize)]
struct Record {
    name: String,
    folder: String,
    entries: usize,
    keys: Vec<KeyRecord>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let now = Now::read(&context).map_err(|e| app.error(e))?;
    let clients = client::list(&now).map_err(|e| app.error(e))?;
    let names = Names::read(app);
    if args.json {
        let clients = clients.iter().map(|client| Record {
            name: client.name.clone(),
            folder: client.folder.to_string(),
            entries: client.entries,
            keys: names.records(&client.keys),
        });
        app.ui.say(json(&Report { clients: clients.collect() }))?;
        return Ok(());
    }
    if clients.is_empty() {
        app.ui
            .warn(format!("There are no clients; `{} client add NAME --key FILE` adds one.", app.ui.program));
    }
    for client in clients {
        app.ui.say(format!("{} ({})", client.name, entries(client.entries)))?;
        for key in &client.keys {
            app.ui.say(format!("  {}", names.line(key)))?;
        }
        if client.keys.is_empty() {
            app.ui.say("  no key is known to be the client's")?;
        }
    }
    Ok(())
}
