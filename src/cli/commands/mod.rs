//! One command a file: it parses, calls one operation and prints.

pub mod adopt;
pub mod audit;
pub mod cache;
pub mod client;
pub mod clone;
pub mod complete;
pub mod conflicts;
pub mod doctor;
pub mod edit;
pub mod extension;
pub mod find;
pub mod fsck;
pub mod generate;
pub mod git;
pub mod git_setup;
pub mod grep;
pub mod group;
pub mod help;
pub mod history;
pub mod incident;
pub mod init;
pub mod insert;
pub mod keys;
pub mod keys_given;
pub mod log;
pub mod merge_driver;
pub mod proposal;
pub mod recipients;
pub mod relocate;
pub mod remove;
pub mod rotate;
pub mod show;
pub mod sync;
pub mod trust;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::entry::{RECORDS, is_record};
use crate::model::{FolderName, Shown};
use crate::ops::reencrypt::Reencrypted;
use crate::store::transaction::Published;

use super::app::App;
use super::error::CliError;
use super::quote::quoted;

impl App {
    /// Tells what a change did, as pass's callers know it: folders made, what git would print.
    ///
    /// The change stands whether or not anybody reads this, so a closed standard output is no failure.
    pub fn tell(&self, published: &Published, reencrypted: &[Reencrypted]) {
        // The names of records say nothing to anybody.
        let (records, entries): (Vec<&Reencrypted>, Vec<&Reencrypted>) =
            reencrypted.iter().partition(|entry| is_record(&entry.path));
        if !records.is_empty() {
            let _ = self.ui.say(format!("{RECORDS}: reencrypting {} of passel's own", records.len()));
        }
        for entry in entries {
            let ids: Vec<String> = entry.key_ids.iter().map(ToString::to_string).collect();
            let _ = self.ui.say(format!("{}: reencrypting to {}", entry.name, ids.join(" ")));
        }
        for line in published.commits.iter().flat_map(|commit| &commit.lines) {
            let _ = self.ui.say(line.as_str());
        }
        for warning in &published.warnings {
            self.ui.warn(format!("warning: {warning}"));
        }
    }

    /// Names the entries that somebody could read who no longer can: they know them still.
    pub fn tell_exposed<'e>(&self, names: impl Iterator<Item = &'e str>) {
        let names: Vec<&str> = names.collect();
        let _ = match names.len() {
            0 => Ok(()),
            1 => self.ui.say("This entry could be read by who was removed; change its password:"),
            _ => self.ui.say("These entries could be read by who was removed; change their passwords:"),
        };
        for name in names {
            let _ = self.ui.say(format!("  {name}"));
        }
    }

    /// Tells which folders a change made, as `mkdir -v` does.
    pub fn tell_folders(&self, published: &Published) {
        for folder in &published.folders {
            let path = self.environment.root.join(folder);
            let _ = self.ui.say(format!("mkdir: created directory {}", quoted(&path)));
        }
    }
}

/// Returns the folder that was typed.
pub fn folder(app: &App, name: &std::ffi::OsStr) -> Result<FolderName, CliError> {
    FolderName::parse(name).map_err(|error| app.error(error.into()))
}

/// Returns a name as it was typed, safe to show.
pub fn typed(name: &std::ffi::OsStr) -> String {
    Shown::os(name).to_string()
}

/// Returns what pass's usage message says after the name of the command `name`.
pub fn usage(name: &str) -> &'static str {
    match name {
        "init" => init::USAGE,
        "insert" => insert::USAGE,
        "generate" => generate::USAGE,
        "rm" => remove::USAGE,
        "mv" | "cp" => relocate::USAGE,
        _ => show::USAGE,
    }
}

/// Returns the time, in seconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    now.try_into().unwrap_or(i64::MAX)
}
