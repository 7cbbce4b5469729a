//! Where a page goes.

use std::path::{Path, PathBuf};

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::files::given::{self, GivenError};
use crate::model::Shown;

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
    outside(app, &output.output)?;
    given::write(&output.output, page.as_bytes(), output.force).map_err(|error| {
        let told = CliError::from_error(&error);
        match error {
            GivenError::Exists(_) => told.hint("--force replaces it"),
            GivenError::NoFile(_) => told.hint("name another file"),
            GivenError::Write { .. } => told,
        }
    })
}

/// Refuses a place in the store: what is written there would travel with it, in clear.
pub fn outside(app: &App, path: &Path) -> Result<(), CliError> {
    let root = app.environment.root.canonicalize();
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let there = path.ancestors().find_map(|above| above.canonicalize().ok());
    match (root, there) {
        (Ok(root), Some(there)) if there.starts_with(&root) => {
            Err(CliError::new(format!("`{}` lies in the password store", Shown::os(&path)))
                .hint("name a place outside it: what is in the store is for its readers, and encrypted"))
        }
        _ => Ok(()),
    }
}
