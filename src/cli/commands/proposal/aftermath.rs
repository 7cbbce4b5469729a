//! What follows when somebody has lost access: removal is not retroactive.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Aftermath, MANY};
use crate::cli::app::App;
use crate::cli::commands::now;
use crate::cli::commands::recipients::people::{counted, no_environment};
use crate::cli::commands::rotate::add;
use crate::cli::error::CliError;
use crate::git::Repo;
use crate::ops::Context;
use crate::ops::readers::Reader;
use crate::ops::rotate::{self, Removal};

/// Says how much the keys `leaving` could read, and offers to put what was encrypted `anew` without them on the list of
/// what must be changed. The removal itself is done by then, and stands whatever comes of this.
pub fn follow(
    app: &App,
    context: &Context<'_>,
    leaving: &[Reader],
    anew: &BTreeSet<PathBuf>,
    aftermath: &Aftermath,
    is_agreed: bool,
) -> Result<(), CliError> {
    let context = no_environment(app, context.store);
    // Without a history there is nothing to count, and nothing to compare with later.
    if Repo::prefix_of(context.store.root(), Path::new("")).is_none() {
        return Ok(());
    }
    let found = match rotate::by_removal(&context, leaving, anew) {
        Ok(found) => found,
        Err(error) if aftermath.rotate => return Err(app.error(error)),
        Err(error) => {
            app.ui.warn(format!("what they could read could not be told: {}", app.error(error).text()));
            return Ok(());
        }
    };
    tell(app, leaving, &found)?;
    if !found.wanted.is_empty() && is_wanted(app, aftermath, is_agreed, found.wanted.len())? {
        let prepared =
            rotate::prepare(&context, &found.wanted, None, now()).map_err(|error| app.error(error))?;
        return add::publish(app, &context, &prepared);
    }
    if aftermath.no_rotate { Ok(()) } else { hint(app, leaving) }
}

/// Whether the entries are to be put on the list: by a flag, or by a person's word.
fn is_wanted(app: &App, aftermath: &Aftermath, is_agreed: bool, entries: usize) -> Result<bool, CliError> {
    if aftermath.rotate || aftermath.no_rotate || is_agreed || !app.interactive {
        return Ok(aftermath.rotate);
    }
    let (count, program) = (counted(entries, "entry", "entries"), &app.ui.program);
    let question = format!("Put {count} on the list of what must be changed (`{program} rotate`)?");
    Ok(app.prompt.borrow_mut().confirm(&question)?)
}

fn tell(app: &App, leaving: &[Reader], found: &Removal) -> Result<(), CliError> {
    let (versions, entries) =
        (counted(found.versions, "version", "versions"), counted(found.entries, "entry", "entries"));
    let (keys, owner) = match leaving.len() {
        1 => ("the key".to_owned(), "its owner"),
        count => (format!("the {count} keys"), "their owners"),
    };
    app.ui.say(format!(
        "Removal is not retroactive: {keys} could read {versions} of {entries} until now, and {owner} may have kept them."
    ))?;
    for gap in &found.gaps {
        app.ui.warn(format!("incomplete: {gap}"));
    }
    Ok(())
}

/// Says what helps: for each key, unless they are many.
fn hint(app: &App, leaving: &[Reader]) -> Result<(), CliError> {
    let keys = leaving.iter().filter_map(|reader| match reader {
        Reader::Key(key) => Some(key.to_string()),
        _ => None,
    });
    let keys: Vec<String> = keys.collect();
    let keys = if keys.len() > MANY { vec!["KEY".to_owned()] } else { keys };
    let program = &app.ui.program;
    for key in keys {
        app.ui.say(format!(
            "`{program} audit exposure {key}` tells what of it still holds, `{program} rotate add --exposed {key}` puts \
             that on the list of what must be changed."
        ))?;
    }
    Ok(())
}
