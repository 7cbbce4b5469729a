//! `keys list`.

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::model::Shown;
use crate::ops::keys::{KeyFile, Overview};

use super::{folders, state, tell_bad};

/// List the keys in the store, and recipients whose keys are not there.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  passel keys list")]
pub struct Args {}

/// Runs the command.
pub fn run(app: &App) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let overview = Overview::read(&context).map_err(|e| app.error(e))?;
    for file in overview.files.good.values() {
        app.ui.say(format!(
            "{}  {}\n    {}; {}; {}",
            file.key.fingerprint,
            Shown::new(file.key.name()),
            in_keyring(&overview, file),
            state(&file.key),
            reads(&overview, file),
        ))?;
    }
    let stored = |key| overview.files.good.contains_key(key);
    let wanted = overview.everyone.keys(&overview.keyring);
    let missing: Vec<_> = wanted.iter().filter(|key| !stored(key)).collect();
    let absent = overview.absent();
    if !missing.is_empty() || !absent.is_empty() {
        app.ui.say("Recipients whose keys are not in the store:")?;
    }
    for key in missing {
        let name = overview.known(key).map(|key| Shown::new(key.name()).to_string()).unwrap_or_default();
        app.ui.say(format!("  {key}  {name}"))?;
    }
    for line in absent {
        let file = line.folder.gpg_id();
        let (id, file) = (Shown::new(&line.id), Shown::os(&file));
        app.ui.say(format!("  {id}  ({file} line {}; not in the keyring either)", line.number))?;
    }
    overview.files.bad.iter().for_each(|bad| tell_bad(app, bad));
    Ok(())
}

/// Returns how the keyring knows a key.
fn in_keyring(overview: &Overview, file: &KeyFile) -> &'static str {
    match overview.known(&file.key.fingerprint) {
        None => "not in the keyring",
        Some(_) if overview.differs(file) => "in the keyring in another form",
        Some(_) => "in the keyring",
    }
}

/// Returns what a key is a recipient of.
pub fn reads(overview: &Overview, file: &KeyFile) -> String {
    let named = overview.everyone.folders_of(&file.key, &overview.keyring);
    match named.is_empty() {
        true => "recipient of nothing".to_owned(),
        false => format!("recipient of {}", folders(named)),
    }
}
