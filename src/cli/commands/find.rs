//! `find`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::error::CliError;

use super::typed;

/// List entries and folders whose names match.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel find TERM...", disable_help_flag = true)]
pub struct Args {
    /// Parts of names; `*`, `?` and `[...]` match as in a shell, letter case does not matter.
    #[arg(value_name = "TERM", required = true, allow_hyphen_values = true, trailing_var_arg = true)]
    pub terms: Vec<OsString>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if args.terms.is_empty() {
        return Err(app.usage("pass-names..."));
    }
    let terms: Vec<String> = args.terms.iter().map(|term| typed(term)).collect();
    let store = app.store()?;
    app.tree(format!("Search Terms: {}", terms.join(",")), |listing| listing.find(store.root(), &args.terms))
}
