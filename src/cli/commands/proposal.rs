//! Showing what a change of recipients comes to, and asking for it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::commands::recipients::people::counted;
use crate::cli::error::CliError;
use crate::model::{Fingerprint, FolderName};
use crate::ops::rules::{FolderChange, Proposal, shown};
use crate::store::accepted::Keys;

/// How a change is agreed to.
#[derive(Debug, clap::Args)]
pub struct Consent {
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// A key, for programs; none for the name if the keyring does not have it.
#[derive(Debug, Serialize)]
pub struct KeyRecord {
    fingerprint: String,
    name: Option<String>,
}

/// The names of keys, as people know them.
pub struct Names(BTreeMap<Fingerprint, String>);

impl Names {
    /// Reads the keyring.
    pub fn read(app: &App) -> Self {
        Names(app.key_names())
    }

    /// Adds a key that is not in the keyring yet.
    pub fn add(&mut self, key: &Fingerprint, name: &str) {
        self.0.insert(key.clone(), crate::model::Shown::new(name).to_string());
    }

    /// Returns keys for programs.
    pub fn records<'k>(&self, keys: impl IntoIterator<Item = &'k Fingerprint>) -> Vec<KeyRecord> {
        let record =
            |key: &Fingerprint| KeyRecord { fingerprint: key.to_string(), name: self.0.get(key).cloned() };
        keys.into_iter().map(record).collect()
    }

    /// Returns a key's fingerprint and name, safe to show.
    pub fn line(&self, key: &Fingerprint) -> String {
        format!("{key}  {}", self.0.get(key).map_or("(not in the keyring)", String::as_str))
    }
}

/// Shows who gains and loses access to what.
pub fn show(app: &App, proposal: &Proposal, names: &Names) -> Result<(), CliError> {
    // Many folders often change in the same way.
    let mut alike: BTreeMap<(&Keys, &Keys), Vec<&FolderChange>> = BTreeMap::new();
    for change in &proposal.folders {
        alike.entry((&change.gains, &change.loses)).or_default().push(change);
    }
    for ((gains, loses), changes) in alike {
        let folders: Vec<FolderName> = changes.iter().map(|change| change.folder.clone()).collect();
        let count = entries(changes.iter().map(|change| change.entries).sum());
        app.ui.say(format!("Recipients of {} ({count}):", listed(&folders)))?;
        for key in gains {
            app.ui.say(format!("  gains  {}", names.line(key)))?;
        }
        for key in loses {
            app.ui.say(format!("  loses  {}", names.line(key)))?;
        }
        if gains.is_empty() && loses.is_empty() {
            app.ui.say("  stay the same")?;
        }
    }
    for (key, folders) in &proposal.still {
        app.ui.say(format!("Still read {}, for another reason:", listed(folders)))?;
        app.ui.say(format!("  {}", names.line(key)))?;
    }
    Ok(())
}

impl Consent {
    /// Asks for the change that was shown; returns whether it is to be made.
    pub fn agree(&self, app: &App, question: &str) -> Result<bool, CliError> {
        if self.dry_run {
            app.ui.say("Nothing was changed.")?;
            return Ok(false);
        }
        if !self.yes {
            app.agree_or(question, "--yes")?;
        }
        Ok(true)
    }
}

/// Returns the names of folders: all of them, since whoever is asked must know.
pub fn listed(folders: &[FolderName]) -> String {
    let names = folders.iter().map(shown).collect::<Vec<_>>().join(", ");
    if folders.len() > 3 { format!("{} folders: {names}", folders.len()) } else { names }
}

/// Returns a number of entries in words.
pub fn entries(count: usize) -> String {
    counted(count, "entry", "entries")
}

/// Returns a number of keys in words.
pub fn keys(count: usize) -> String {
    counted(count, "key", "keys")
}
