//! Where a page goes.

use std::path::{Path, PathBuf};

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::files::given::{self, GivenError};

/// Where a page goes.
#[derive(Debug, clap::Args)]
pub struct Output {
    /// The file to write, readable by you alone; `-` is standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it is there already.
    #[arg(long)]
    pub force: bool,
}

/// Writes a page to where it is to go, whole or not at all.
pub fn deliver(app: &App, output: &Output, page: &str) -> Result<(), CliError> {
    if output.output == Path::new("-") {
        return Ok(app.ui.page(page)?);
    }
    given::write(&output.output, page.as_bytes(), output.force).map_err(|error| {
        let told = CliError::from_error(&error);
        match error {
            GivenError::Exists(_) => told.hint("--force replaces it"),
            GivenError::NoFile(_) => told.hint("name another file"),
            GivenError::Write { .. } => told,
        }
    })
}
