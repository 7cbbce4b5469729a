//! `keys export`.

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::{Fingerprint, Shown};
use crate::ops::keys::{self, Exported};

use super::tell_bad;

/// Write the public keys of all recipients into the store, so that every machine that has it can encrypt to
/// them; in one commit.
///
/// Keys that were renewed are refreshed: the keyring first takes in what the store's copies know more.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel keys export\n  passel keys export --prune")]
pub struct Args {
    /// Take out the keys that no recipients file names any more.
    #[arg(long)]
    pub prune: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let done = keys::export(&context, args.prune).map_err(|e| app.error(e))?;
    app.tell(&done.changed.published, &done.changed.reencrypted);
    for key in &done.written {
        app.ui.say(format!("Exported {key}  {}", name(&done, key)))?;
    }
    let nobodys = match &done.nobodys {
        Ok(keys) => keys.as_slice(),
        Err(error) => {
            app.ui.warn(format!("note: keys of nobody are not looked for: {error}"));
            &[]
        }
    };
    for key in nobodys {
        let told = if done.pruned { "Removed" } else { "No list names" };
        app.ui.say(format!("{told} {key}  {}", name(&done, key)))?;
    }
    if !done.pruned && !nobodys.is_empty() {
        app.ui.say(format!("`{} keys export --prune` takes them out.", app.ui.program))?;
    }
    if done.written.is_empty() && nobodys.is_empty() {
        app.ui.say("The keys in the store are up to date.")?;
    }
    done.before.files.bad.iter().for_each(|bad| tell_bad(app, bad));
    tell_absent(app, &done)
}

/// Fails if there are recipients whose keys nobody here has.
fn tell_absent(app: &App, done: &Exported) -> Result<(), CliError> {
    let absent = done.before.absent();
    for line in &absent {
        let file = line.folder.gpg_id();
        let (id, file) = (Shown::new(&line.id), Shown::os(&file));
        app.ui.warn(format!("no key for `{id}` ({file} line {}) is here to export", line.number));
    }
    match absent.is_empty() {
        true => Ok(()),
        false => Err(CliError::silent(exit::FAILURE)
            .hint(format!("on a machine that has them: `{} keys export`", app.ui.program))),
    }
}

/// Returns what a person knows a key by.
fn name(done: &Exported, key: &Fingerprint) -> String {
    let stored = done.before.files.good.get(key).map(|file| &file.key);
    let known = done.before.known(key).or(stored);
    known.map(|key| Shown::new(key.name()).to_string()).unwrap_or_default()
}
