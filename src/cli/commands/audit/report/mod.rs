//! `audit report`.

mod keys;
mod matrix;
mod party;
mod rotation;
mod timeline;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use maud::{Markup, html};

use self::party::Parties;
use super::tell_gaps;
use crate::cli::app::App;
use crate::cli::commands::now;
use crate::cli::commands::recipients::people::{counted, no_environment};
use crate::cli::error::CliError;
use crate::cli::page;
use crate::model::entry::shown_entry;
use crate::model::{FolderName, Shown};
use crate::ops::audit::report::{Report, folder_text, report};

/// Write a page on who can read the store, or a folder of it, that can be sent.
///
/// One file of HTML, which loads nothing and runs nothing, for a screen, a telephone or paper: who can read which folders,
/// by the encrypted files beside what the lists say; which commits changed that; what each key could ever read; and which
/// passwords must be changed, by the rotation list. It holds nothing of what entries say. Only where something is on the
/// rotation list is anything decrypted for it.
///
/// With --folder it holds nothing of other folders: none of their names, nobody's key who never was for this one, no number
/// that counts more than it, and no message of a commit. So it can be sent to the client whose folder it is.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// Where the page goes.
    #[command(flatten)]
    pub output: page::Output,
    /// The folder; the whole store if it is left out.
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<OsString>,
    /// Decrypt nothing: the page goes without the rotation list, and nobody is asked for a passphrase.
    #[arg(long)]
    pub no_decrypt: bool,
}

const HELP: &str = "Exit codes: 0 if the page is written, 3 if it is but may lack something (a clone without its older commits, \
a damaged history, entries that are no messages; the page says so too), 1 if it is not.

Examples:
  passel audit report -o access.html
  passel audit report --folder clients/acme -o acme.html --force
  passel audit report --no-decrypt -o - | lynx -stdin";

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let scope = FolderName::parse(args.folder.as_deref().unwrap_or_default())
        .map_err(|error| CliError::from_error(&error))?;
    let found = report(&context, &scope, !args.no_decrypt).map_err(|e| app.error(e))?;
    page::deliver(app, &args.output, &draw(&found, now()))?;
    if args.output.output != Path::new("-") {
        app.ui.say(format!("Written to `{}`.", Shown::os(&args.output.output)))?;
    }
    tell_gaps(app, &found.gaps)
}

/// Returns the page.
fn draw(found: &Report, now: i64) -> String {
    let parties = Parties::of(found);
    let place = match found.scope.is_root() {
        true => "the password store".to_owned(),
        false => folder_text(found.scope.as_path()),
    };
    let body = html! {
        (header(found, &parties, now))
        main {
            (gaps(found))
            (matrix::section(found, &parties))
            (timeline::section(found, &parties))
            (keys::section(found, &parties))
            (rotation::section(found, &parties))
        }
        footer {
            p {
                "Made by passel from the encrypted files and their history. "
                "This page is one file: it loads nothing, runs nothing and tells nobody that it was opened."
            }
        }
    };
    page::page(&format!("Access to {place}"), &body)
}

fn header(found: &Report, parties: &Parties<'_>, now: i64) -> Markup {
    let differing = found.differences.iter().map(|difference| difference.entries.len()).sum();
    let (people, keys) = parties.counts();
    html! {
        header {
            p.kind { "Access report" }
            h1 {
                @if found.scope.is_root() { "Password store" } @else { (page::path(&folder_text(found.scope.as_path()))) }
            }
            p.lead {
                "Who can read the passwords "
                @if found.scope.is_root() { "of this store" } @else { "in this folder" }
                @if found.held.is_some() { ", when that changed, and what each key could ever read" }
                ". It is told from the encrypted files themselves; no password is on this page."
            }
            p.soft.small {
                "As of " (page::minute(now))
                @if let Some(newest) = found.newest {
                    ", at commit " span.id { (newest.commit.to_string()[..crate::ops::history::SHORT]) }
                    " of " (page::date(newest.when))
                }
                "."
            }
            (page::figures(&[
                (found.entries, if found.entries == 1 { "entry" } else { "entries" }, false),
                (people, if people == 1 { "person can read" } else { "people can read" }, false),
                (keys, if keys == 1 { "key" } else { "keys" }, false),
                (differing, if differing == 1 { "entry unlike its list" } else { "entries unlike their lists" }, differing > 0),
            ]))
        }
    }
}

/// Says why the page may lack something.
fn gaps(found: &Report) -> Markup {
    html! {
        @if !found.gaps.is_empty() {
            div.note role="note" {
                p { strong { "This page may lack something." } }
                ul { @for gap in &found.gaps { li { (gap) } } }
            }
        }
    }
}

/// Returns `1 entry`, `2 entries`.
fn entries(count: usize) -> String {
    counted(count, "entry", "entries")
}

/// Returns names of entries in a row.
fn entry_names(paths: &[PathBuf]) -> Markup {
    html! {
        @for (place, path) in paths.iter().enumerate() {
            @if place > 0 { ", " }
            (page::path(&shown_entry(path)))
        }
    }
}

/// Returns a folder as the page names it.
fn folder(path: &Path) -> Markup {
    html! {
        @if path.as_os_str().is_empty() {
            "/ " span.soft.small { "(all without a list of its own)" }
        } @else {
            (page::path(path.as_os_str().as_bytes()))
        }
    }
}
