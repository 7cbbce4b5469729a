//! `edit`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::variables::variable;
use crate::model::{EntryName, Plaintext};
use crate::ops::{OpError, edit};
use crate::process::editor::{self, Edited, EditorError};
use crate::process::tmpdir::{PrivateFolder, PrivateFolderError};
use crate::store::transaction::Published;

use super::typed;

/// Edit an entry, or write a new one, in $EDITOR.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel edit NAME", disable_help_flag = true)]
pub struct Args {
    /// The entry.
    #[arg(value_name = "NAME")]
    pub name: OsString,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let typed_name = &args.name;
    let name = EntryName::for_writing(typed_name).map_err(|e| app.error(e.into()))?;
    let shown = typed(typed_name).trim_end_matches('/').to_owned();
    let store = app.store()?;
    let context = app.context(&store);
    app.check_writable(&context, &name.folder())?;
    let opened = edit::open(&context, &name).map_err(|e| app.error(e))?;
    let text = edit_text(app, &name, opened.text.as_ref())?;
    let verb = if opened.text.is_some() { "Edit" } else { "Add" };
    let subject = format!("{verb} password for {shown} using {}.", typed(&app.environment.editor));
    let published = save(app, || edit::save(&context, &name, &opened, &text, &subject))?;
    app.tell_folders(&published);
    app.tell(&published, &[]);
    Ok(())
}

/// Stores an edited text by `save`; where somebody can be asked, as often as they want to try.
pub fn save(app: &App, save: impl Fn() -> Result<Published, OpError>) -> Result<Published, CliError> {
    loop {
        match save() {
            Ok(published) => return Ok(published),
            Err(error @ OpError::ChangedMeanwhile { .. }) => return Err(app.error(error)),
            Err(error) if app.interactive => {
                // The text exists nowhere else: it is not given up for what can be mended meanwhile.
                app.ui.warn(app.error(error).text());
                app.agree("The edited text is not stored yet. Would you like to try again?")?;
            }
            Err(error) => return Err(app.error(error)),
        }
    }
}

/// Runs the editor on `text`; returns what it saved, if that is anything new.
pub fn edit_text(app: &App, name: &EntryName, text: Option<&Plaintext>) -> Result<Plaintext, CliError> {
    let folder = private_folder(app)?;
    let failed = |error: PrivateFolderError| CliError::from_error(&error);
    let file = folder.file_for(name.as_path()).map_err(failed)?;
    if let Some(text) = text {
        folder.write(&file, text).map_err(failed)?;
    }
    let search = std::env::var_os("PATH").unwrap_or_default();
    let edited = editor::edit(&app.environment.editor, &search, &folder, &file).map_err(|error| {
        let told = CliError::from_error(&error);
        match error {
            EditorError::Failed { .. } | EditorError::Killed { .. } => told.hint("the entry is as it was"),
            _ => told.hint("the entry is as it was; set EDITOR to an editor that works"),
        }
    })?;
    match edited {
        Edited::NotSaved => Err(CliError::pass("New password not saved.")),
        Edited::Saved(new) if text.is_some_and(|old| old.equals(&new)) => {
            Err(CliError::pass("Password unchanged."))
        }
        Edited::Saved(new) => Ok(new),
    }
}

/// Returns a folder in memory; where there is none, one on disk if the user agrees at the terminal.
fn private_folder(app: &App) -> Result<PrivateFolder, CliError> {
    match PrivateFolder::in_memory(&memory_folders()) {
        Err(PrivateFolderError::NotInMemory) if app.interactive => {
            app.agree(
                "Your system does not have /dev/shm, which means that it may\n\
                 be difficult to entirely erase the temporary non-encrypted\n\
                 password file after editing.\n\n\
                 Are you sure you would like to continue?",
            )?;
            PrivateFolder::on_disk(&std::env::temp_dir()).map_err(|e| CliError::from_error(&e))
        }
        Err(error @ PrivateFolderError::NotInMemory) => Err(CliError::from_error(&error)
            .hint("set XDG_RUNTIME_DIR to a folder in memory, or edit at a terminal")),
        result => result.map_err(|e| CliError::from_error(&e)),
    }
}

/// Returns where private folders are made: pass's place first, which vim plugins know.
pub fn memory_folders() -> Vec<PathBuf> {
    let runtime = variable("XDG_RUNTIME_DIR");
    std::iter::once(PathBuf::from("/dev/shm")).chain(runtime.map(PathBuf::from)).collect()
}
