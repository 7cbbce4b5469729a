//! `cache`: session keys that are remembered between runs.

pub mod clear;

use crate::cli::app::App;
use crate::cli::error::CliError;

/// Forget the session keys that are remembered for speed.
///
/// Work on many entries (`grep`, changes of recipients) asks the agent to open each of them, which takes 0.02
/// to 0.5 seconds where the key is RSA or has a passphrase. What the agent answered, the session key of that
/// one message, is remembered, encrypted to your own key: when the entry is read again, that spares asking.
/// It lets nobody read what they could not read already, with your key. It does not outlast a message: an
/// entry that is encrypted anew has a new session key. Who was removed from a list could keep the old ones,
/// as they could keep a clone of the store: change what they could read.
///
/// The files are in `$XDG_CACHE_HOME/passel/session-keys` (`~/.cache`), readable by you alone.
/// `PASSEL_CACHE=off` remembers and reads nothing; `PASSEL_CACHE=cards` includes keys on smartcards, which
/// are left out otherwise: a card that wants a touch for each entry would be asked once for all.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel cache COMMAND [OPTIONS]")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done about remembered session keys.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Forget what is remembered of this store's entries.
    Clear(clear::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Clear(args) => clear::run(app, args),
    }
}
