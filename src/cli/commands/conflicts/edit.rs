//! `conflicts edit`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::edit::{edit_text, save};
use crate::cli::error::CliError;
use crate::model::merge::Marks;
use crate::model::{EntryName, Plaintext, argument};
use crate::ops::{OpError, edit};

use super::{named, told};

/// Make one text of both versions in $EDITOR.
///
/// What differs stands between marks, as git makes them; everything else is there once. What is saved without
/// marks becomes the entry, and the version beside it goes, in one commit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  passel conflicts edit web/gitlab")]
pub struct Args {
    /// The entry; where several versions are beside it, the version.
    #[arg(value_name = "NAME")]
    pub name: OsString,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let conflict = named(app, &context, &args.name)?;
    conflict.refuse_alone(&context).map_err(|error| told(app, error))?;
    app.check_writable(&context, &conflict.name.folder())?;
    let open = |name: &EntryName| edit::open(&context, name).map_err(|error| app.error(error));
    let (ours, theirs) = (open(&conflict.name)?, open(&conflict.kept)?);
    let missing = |name: &EntryName| app.error(OpError::NotFound(name.to_string()));
    let one = ours.text.as_ref().ok_or_else(|| missing(&conflict.name))?;
    let other = theirs.text.as_ref().ok_or_else(|| missing(&conflict.kept))?;
    let marks = Marks::between(one, other);
    let names = [conflict.name.to_string(), conflict.kept.to_string()];
    let both = marks.text(one, other, names.each_ref().map(String::as_str));
    if !marks.are_in(&both) {
        let name = argument(conflict.kept.as_path());
        return Err(CliError::new(format!("both versions of `{}` say the same", conflict.name))
            .hint(format!("`{} conflicts pick {name} --ours` removes the one beside it", app.ui.program)));
    }
    let text = without_marks(app, &conflict.name, &marks, both)?;
    let also = Some((&conflict.kept, &theirs));
    let subject = conflict.subject();
    let published = save(app, || edit::save_for(&context, &conflict.name, &ours, also, &text, &subject))?;
    app.tell(&published, &[]);
    Ok(())
}

/// Runs the editor until no marks are left.
fn without_marks(app: &App, name: &EntryName, marks: &Marks, both: Plaintext) -> Result<Plaintext, CliError> {
    let mut text = both;
    loop {
        text = edit_text(app, name, Some(&text))?;
        if !marks.are_in(&text) {
            return Ok(text);
        }
        let left = format!("`{name}` still has marks between versions: nothing was stored");
        if !app.interactive {
            return Err(CliError::new(left).hint("both versions are as they were"));
        }
        app.ui.warn(format!("error: {left}"));
        app.agree("Would you like to go on editing?")?;
    }
}
