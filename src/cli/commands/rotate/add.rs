//! `rotate add`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::without_names;
use crate::cli::app::App;
use crate::cli::commands::audit::exposure::As;
use crate::cli::commands::audit::tell_gaps;
use crate::cli::commands::now;
use crate::cli::commands::recipients::people::{counted, no_environment};
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::entry::shown_entry;
use crate::ops::audit::exposure::{Kind, Question, Subject, Verdict};
use crate::ops::rotate::{self, Prepared, Wanted};
use crate::ops::{Context, OpError};

/// Put entries on the list.
///
/// What is on it for the same reason stays as it is. Only what is committed can be put on the list: it is the version
/// that stands now that the entry is compared with later.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel rotate add ENTRY... --why TEXT\n       passel rotate add --exposed KEY|PERSON|ENTRY|COMMIT \
[--why TEXT]\n       passel rotate add --health [FOLDER]",
    after_long_help = "Examples:\n  passel rotate add web/gitlab --why 'mailed in clear'\n  passel rotate add --exposed \
anna@acme.example\n  passel rotate add --health"
)]
pub struct Args {
    /// The entries; with `--health`, the folder to look at.
    #[arg(value_name = "ENTRY", required_unless_present_any = ["exposed", "health"])]
    pub entries: Vec<OsString>,
    /// Why. The team reads it.
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    /// All that this key or person could read, or that leaked with this entry or commit, and that still has a value that
    /// was exposed or may have one (as `audit exposure` finds it).
    #[arg(long, value_name = "NAME", conflicts_with_all = ["entries", "health"])]
    pub exposed: Option<OsString>,
    /// What the name means, where it could mean several things.
    #[arg(long = "as", value_enum, value_name = "KIND", requires = "exposed")]
    pub kind: Option<As>,
    /// What `audit health` finds weak, short, reused, old or expired.
    #[arg(long, conflicts_with = "why")]
    pub health: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let failed = |error| app.error(error);
    let why = args.why.as_deref().unwrap_or_default();
    if why.trim().is_empty() && args.exposed.is_none() && !args.health {
        return Err(CliError::new("nobody will know why these must be changed").hint("--why TEXT says it"));
    }
    let store = app.store()?;
    let context = no_environment(app, &store);
    let (wanted, gaps) = wanted(app, &context, args, why).map_err(failed)?;
    let prepared = rotate::prepare(&context, &wanted, None, now()).map_err(failed)?;
    if prepared.items.is_empty()
        && prepared.known.is_empty()
        && let Some(first) = prepared.uncommitted.first()
    {
        return Err(failed(rotate::RotateError::Uncommitted(shown_entry(first)).into()));
    }
    publish(app, &context, &prepared)?;
    tell_gaps(app, &gaps)?;
    if prepared.uncommitted.is_empty() { Ok(()) } else { Err(CliError::silent(exit::INCOMPLETE)) }
}

fn wanted(
    app: &App,
    context: &Context<'_>,
    args: &Args,
    why: &str,
) -> Result<(Vec<Wanted>, Vec<String>), OpError> {
    if let Some(name) = &args.exposed {
        let what = Subject::Named(name, args.kind.map(Kind::from));
        let question = Question { what, since: None, decrypts: true };
        let (found, wanted) = rotate::by_exposure(context, &question, why)?;
        let gone = found.items.iter().filter(|item| item.verdict == Verdict::Gone).count();
        if gone > 0 {
            app.ui.warn(format!(
                "{} gone from the store, and cannot be put on the list: close the accounts (`{} audit exposure` names them)",
                counted(gone, "entry is", "entries are"),
                app.ui.program
            ));
        }
        return Ok((wanted, found.gaps));
    }
    if args.health {
        let folders: Vec<Option<&OsString>> = match args.entries.is_empty() {
            true => vec![None],
            false => args.entries.iter().map(Some).collect(),
        };
        let (mut wanted, mut gaps) = (Vec::new(), Vec::new());
        for folder in folders {
            let (found, unread) = rotate::by_health(context, folder.map(|folder| &**folder), now())?;
            wanted.extend(found);
            gaps.extend(unread);
        }
        return Ok((wanted, gaps));
    }
    let wanted = args.entries.iter().map(|name| rotate::asked(name, why));
    Ok((wanted.collect::<Result<_, _>>()?, Vec::new()))
}

/// Puts what was prepared on the list, and says what came of it.
pub fn publish(app: &App, context: &Context<'_>, prepared: &Prepared) -> Result<(), CliError> {
    if !prepared.items.is_empty() {
        let published = rotate::add(context, prepared).map_err(|error| app.error(error))?;
        app.tell(&without_names(published), &[]);
    }
    let new = prepared.entries().len();
    app.ui.say(match new {
        0 => "Nothing is new on the list.".to_owned(),
        new => format!(
            "{} put on the list: `{} rotate` shows it.",
            counted(new, "entry was", "entries were"),
            app.ui.program
        ),
    })?;
    let names =
        |paths: &BTreeSet<PathBuf>| paths.iter().map(|path| shown_entry(path)).collect::<Vec<_>>().join(", ");
    if !prepared.known.is_empty() {
        app.ui.say(format!("On it before, for the same reason: {}", names(&prepared.known)))?;
    }
    if !prepared.uncommitted.is_empty() {
        app.ui.warn(format!(
            "not put on the list, as they are not committed as they are: {}",
            names(&prepared.uncommitted)
        ));
    }
    Ok(())
}
