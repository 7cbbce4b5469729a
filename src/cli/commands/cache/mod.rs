//! `cache`: session keys that are remembered between runs.

pub mod clear;

use crate::cli::app::App;
use crate::cli::error::CliError;

/// What is said of the command at length.
pub const LONG: &str = "\
Forget the session keys that are remembered for speed.

To read many entries (`grep`, a change of recipients), the agent must be asked for each of them, which takes it \
0.02 seconds with an RSA key and half a second with a key that has a passphrase. What it answers, the session key of \
that one message, is remembered, encrypted to your own key: when the entry is read again among many, the agent is \
asked once in all. It lets nobody read what they could not read with your key anyway, and an entry that is encrypted \
anew has a new session key. Who was removed from a list could have kept what was remembered for them, as they could \
have kept the entries: change what they could read.

The files are in `$XDG_CACHE_HOME/passel/session-keys` (`~/.cache` if that is not set), for you alone. \
`PASSEL_CACHE=off` remembers and reads nothing, and notes nothing of your keys (`own-keys`, with which `show` needs no \
gpg). `PASSEL_CACHE=cards` includes keys on smartcards, which are left out otherwise: a card that wants a touch for \
each entry would be asked once for all.";

/// Forget the session keys that are remembered for speed.
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
