//! `incident report`.

mod client;
pub mod document;
mod files;
mod html;
mod markdown;
mod team;

use std::path::PathBuf;

use self::document::Document;
use self::files::{File, Names};
use super::words::People;
use super::{Which, end, short};
use crate::cli::app::App;
use crate::cli::commands::now;
use crate::cli::commands::recipients::people::{counted, no_environment};
use crate::cli::error::CliError;
use crate::cli::page;
use crate::model::Shown;
use crate::ops::incident::{self, Case, Share, SharedState};
use crate::ops::rules::Now;

/// Write a report for the team, and one for each client concerned.
///
/// Each is written twice: as Markdown and as a page of HTML that is one file and loads nothing. The team's holds all that
/// there is. A client's is in plain words, and tells of the accounts in that client's folder alone: no title, no note, no
/// name of anything or anybody else. None of them holds a secret. Read a client's report before you send it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// The incident.
    #[command(flatten)]
    pub which: Which,
    /// The folder to write to; it is made if it is not there. The files are readable by you alone.
    #[arg(short, long, value_name = "DIR", required = true)]
    pub output: PathBuf,
    /// Replace reports that are there already.
    #[arg(long)]
    pub force: bool,
    /// Say this to the clients as well, among what happened. All of them read it.
    #[arg(long, value_name = "TEXT")]
    pub say: Option<String>,
    /// Name to the clients who it is about; otherwise it is told that it was a person.
    #[arg(long)]
    pub name_people: bool,
}

const HELP: &str = "Files: `team.md` and `team.html`, and `CLIENT.md` and `CLIENT.html` for each folder below that of clients \
that holds an entry of the incident, or held one. What is no letter, digit, `.`, `_` or `-` in a client's name is written as `=XX`.

Exit codes: 0 if all could be looked at; 3 if the reports may lack something, which they say (a clone without its older \
commits, a damaged history); 1 if something could not be read though it is encrypted to you, or nothing was written.

Examples:
  passel incident report -o reports
  passel incident report 1a2b3c4d -o reports --force --say 'We know of no misuse.'";

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let failed = |error| app.error(error);
    page::outside(app, &args.output)?;
    let store = app.store()?;
    let context = no_environment(app, &store);
    let (known, unread) = incident::find(&context, args.which.id.as_deref()).map_err(failed)?;
    let case = incident::case(&context, known, unread).map_err(failed)?;
    let rules = Now::read(&context).map_err(failed)?;
    let shares = incident::shares(&case, &rules.config.clients, args.name_people);
    let people = People::read(app, &case.known.incident);
    let sources = team::Sources { case: &case, people: &people, clients: &rules.config.clients, now: now() };
    let mut names = Names::default();
    let mut files = Vec::from(both(&names.take("team".as_ref()), &team::team(&sources)));
    let mut told = Vec::new();
    for share in &shares {
        let name = names.take(&share.client);
        told.push(line(share, &name));
        files.extend(both(&name, &client_report(&case, share, args)));
    }
    files::write(&args.output, &files, args.force)?;
    app.ui.say(format!(
        "{} written to `{}`:",
        counted(files.len(), "file", "files"),
        Shown::os(&args.output)
    ))?;
    app.ui.say("  team.md, team.html: everything, for the team only")?;
    told.into_iter().try_for_each(|line| app.ui.say(line))?;
    end(app, case.unread, &case.failed, &case.gaps)
}

fn client_report(case: &Case, share: &Share, args: &Args) -> Document {
    let reference = short(&case.known);
    let say = args.say.as_deref();
    client::client(&client::Sources { share, reference: &reference, say, now: now() })
}

fn both(name: &str, document: &Document) -> [File; 2] {
    [
        File { name: format!("{name}.md"), text: markdown::markdown(document) },
        File { name: format!("{name}.html"), text: html::page(document) },
    ]
}

/// Returns what is told of a client's report.
fn line(share: &Share, name: &str) -> String {
    let open = share.accounts.iter().filter(|shared| !shared.state.is_done()).count();
    let count = counted(share.accounts.len(), "account", "accounts");
    let elsewhere = share.accounts.iter().filter(|shared| shared.state == SharedState::Elsewhere).count();
    let elsewhere = match elsewhere {
        0 => String::new(),
        count => format!(" ({count} in another folder by now: read it before you send it)"),
    };
    format!("  {name}.md, {name}.html: {count} of {}, {open} not done{elsewhere}", Shown::os(&share.client))
}
