//! `client show`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use crate::cli::app::App;
use crate::cli::commands::proposal::{Names, entries, listed};
use crate::cli::error::CliError;
use crate::git::Repo;
use crate::model::{FolderName, argument};
use crate::ops::client::{self, Client};
use crate::ops::rules::Now;

/// Show who can read a client's folder, and what the client must do to read it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel client show acme")]
pub struct Args {
    /// The client's name.
    #[arg(value_name = "NAME")]
    pub name: OsString,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let failed = |error| app.error(error);
    let now = Now::read(&context).map_err(failed)?;
    let client = client::find(&now, &args.name).map_err(failed)?;
    let names = Names::read(app);
    app.ui.say(format!("{}: {} in {}", client.name, entries(client.entries), client.folder))?;
    for key in &client.keys {
        app.ui.say(format!("  client  {}", names.line(key)))?;
    }
    for key in client.readers.difference(&client.keys) {
        app.ui.say(format!("  reader  {}", names.line(key)))?;
    }
    if let Some(rule) = now.config.rules.get(&client.folder) {
        let groups: Vec<String> = rule.groups.iter().map(ToString::to_string).collect();
        if !groups.is_empty() {
            app.ui.say(format!("  follows {}", groups.join(", ")))?;
        }
    }
    if now.difference(&client.folder).map_err(failed)?.is_some() {
        app.ui.warn("warning: the folder's list differs from its rule: somebody edited it");
    }
    tell_what_to_do(app, &now, &client)
}

/// Tells what the client must do to read their folder.
pub fn tell_what_to_do(app: &App, now: &Now<'_, '_>, client: &Client) -> Result<(), CliError> {
    let store = now.context.store;
    let prefix = Repo::prefix_of(store.root(), Path::new(""));
    let url = prefix.and_then(|prefix| Repo::open(store.root(), &prefix).ok());
    let url = url.and_then(|repo| repo.remote_url().ok().flatten());
    let folder = &client.folder;
    let clone = match &url {
        Some(url) => format!("git clone {} ~/.password-store", argument(url)),
        None => "copy the store to ~/.password-store (it has no git remote to clone from)".to_owned(),
    };
    let key = match client.keys.first() {
        Some(key) => format!("gpg --list-secret-keys {key}"),
        None => "gpg --list-secret-keys".to_owned(),
    };
    let lines = [
        String::new(),
        format!("What {} does to read {folder}, once it was pushed:", client.name),
        "  1. install gpg, git, and passel or pass".to_owned(),
        format!("  2. have the secret key in the keyring: {key}"),
        format!("  3. {clone}"),
        format!(
            "  4. passel ls {}; passel show {} (or pass, in its place)",
            argument(folder.as_path()),
            argument(&folder.as_path().join("NAME"))
        ),
        format!("They see the names of all entries, and can read {}.", readable(app, now, client)?),
    ];
    for line in lines {
        app.ui.say(line)?;
    }
    Ok(())
}

/// Returns what the client can read, in words.
fn readable(app: &App, now: &Now<'_, '_>, client: &Client) -> Result<String, CliError> {
    let mut more = BTreeSet::new();
    for key in &client.keys {
        let naming = now.naming(key).map_err(|e| app.error(e))?.into_iter();
        more.extend(naming.filter(|folder| !folder.as_path().starts_with(client.folder.as_path())));
    }
    Ok(match more.is_empty() {
        true => "those of their own folder only".to_owned(),
        false => {
            let more: Vec<FolderName> = more.into_iter().collect();
            format!("those of their own folder, and of {}", listed(&more))
        }
    })
}
