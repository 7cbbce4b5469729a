//! `recipients list`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::Serialize;

use super::people::{Person, counted, json, list_names, no_environment};
use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::error::CliError;
use crate::cli::table::Table;
use crate::model::{FolderName, Shown};
use crate::ops::OpError;
use crate::ops::readers::{Reader, reads, survey_folder};
use crate::store::survey::{Entry, Line, List, Standing, Survey};

/// List who can read a folder: the keys that its recipients file names, and whether its entries agree.
#[derive(Debug, Clone, clap::Args)]
#[command(after_long_help = HELP)]
// Beside the arguments that it is flattened into, which are called so too.
#[group(id = "list")]
pub struct Args {
    /// The folder; the whole store's recipients if it is left out.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<OsString>,
    /// Show every recipients file at and below the folder.
    #[arg(long, short = 't')]
    pub tree: bool,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "READS counts the entries with a session-key packet for the key, of all that the file \
rules at and below the folder.

JSON: an object with `folders`, an array of objects:
  folder, file      their names in the store; `folder` is empty for the root
  inherited         whether the file is a folder's above
  recipients        an array: line, id (as it stands in the file), fingerprint, subkey (where only that is
                    to be used), name, email, expires (YYYY-MM-DD), validity (unknown, marginal, full,
                    ultimate), problem (why the line gives no key to encrypt to), reads
  entries           an object: total, agree, older (encrypted to a subkey that gpg would not choose any
                    more), hidden, differ, unclear (the file names keys that are not known), broken
                    (no encrypted messages), and names: an array of those that do not agree
What is not known is null.

Examples:
  passel recipients
  passel recipients list clients/acme
  passel recipients list --tree
  passel recipients list --json | jq -r '.folders[].recipients[].fingerprint'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    folders: Vec<Section>,
}

/// One recipients file, as seen from a folder.
#[derive(Serialize)]
struct Section {
    folder: String,
    file: String,
    inherited: bool,
    recipients: Vec<Row>,
    entries: Counts,
}

/// One recipient.
#[derive(Serialize)]
struct Row {
    line: usize,
    id: String,
    fingerprint: Option<String>,
    subkey: Option<String>,
    name: Option<String>,
    email: Option<String>,
    expires: Option<String>,
    validity: Option<String>,
    problem: Option<String>,
    reads: usize,
}

/// How the entries agree.
#[derive(Serialize, Default)]
struct Counts {
    total: usize,
    agree: usize,
    older: usize,
    hidden: usize,
    differ: usize,
    unclear: usize,
    broken: usize,
    names: Vec<String>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let asked = match &args.folder {
        Some(name) => folder(app, name)?,
        None => FolderName::root(),
    };
    let survey = survey_folder(&context, &asked).map_err(|e| app.error(e))?;
    let lists = shown_lists(&survey, &asked, args.tree);
    if lists.is_empty() && survey.unusable.is_empty() {
        return Err(app.error(OpError::NoRule(asked.to_string())));
    }
    let sections = lists.into_iter().map(|list| section(&survey, list, &asked)).collect();
    let report = Report { folders: sections };
    match args.json {
        true => app.ui.say(json(&report))?,
        false => draw(app, &report)?,
    }
    // A file that can be none must not pass for a folder without recipients.
    let unusable = survey.unusable.iter().filter(|(folder, _)| args.tree || **folder == asked);
    let unusable: Vec<_> = unusable.collect();
    for (_, why) in &unusable {
        app.ui.warn(format!("error: {why}"));
    }
    if unusable.is_empty() { Ok(()) } else { Err(CliError::silent(crate::cli::exit::FAILURE)) }
}

/// Returns the lists to show: the one that rules the folder, and for a tree those below it.
fn shown_lists<'s>(survey: &'s Survey, asked: &FolderName, tree: bool) -> Vec<&'s List> {
    let own = survey.ruling(asked).filter(|_| !survey.unusable.contains_key(asked));
    let below = |list: &&List| list.folder.as_path().starts_with(asked.as_path()) && list.folder != *asked;
    let below = survey.lists.values().filter(|list| tree && below(list));
    own.into_iter().chain(below).collect()
}

fn section(survey: &Survey, list: &List, asked: &FolderName) -> Section {
    let inherited = asked.as_path().starts_with(list.folder.as_path()) && list.folder != *asked;
    let folder = if inherited { asked } else { &list.folder };
    let reads = reads(survey, list);
    let row = |line: &Line| -> Vec<Row> {
        let people = Person::of_line(&survey.keyring, line);
        let row = |person: Person| Row {
            line: line.number,
            id: line.id.clone(),
            reads: person
                .key
                .as_ref()
                .map_or(0, |key| reads.get(&Reader::Key(key.clone())).copied().unwrap_or(0)),
            fingerprint: person.key.map(|key| key.to_string()),
            subkey: person.subkey.map(|key| key.to_string()),
            name: person.name,
            email: person.email,
            expires: person.expires,
            validity: person.validity,
            problem: person.problem,
        };
        people.into_iter().map(row).collect()
    };
    Section {
        folder: text(folder.as_path()),
        file: text(&list.file),
        inherited,
        recipients: list.lines.iter().flat_map(row).collect(),
        entries: counts(survey.ruled_by(list)),
    }
}

fn counts<'s>(entries: impl Iterator<Item = &'s Entry>) -> Counts {
    let mut counts = Counts::default();
    for entry in entries {
        counts.total += 1;
        *match entry.standing {
            Standing::Agrees => &mut counts.agree,
            Standing::Older => &mut counts.older,
            Standing::Hidden => &mut counts.hidden,
            Standing::Differs { .. } => &mut counts.differ,
            Standing::Unclear => &mut counts.unclear,
            Standing::Broken(_) => &mut counts.broken,
        } += 1;
        if entry.standing != Standing::Agrees {
            counts.names.push(text(&entry.path.with_extension("")));
        }
    }
    counts
}

/// Draws the tables.
fn draw(app: &App, report: &Report) -> Result<(), CliError> {
    for (index, section) in report.folders.iter().enumerate() {
        if index > 0 {
            app.ui.say("")?;
        }
        let place = if section.folder.is_empty() { "the store" } else { &section.folder };
        let inherited = if section.inherited { ", a folder above" } else { "" };
        app.ui.say(format!(
            "Recipients of {}, from {}{inherited}:",
            Shown::new(place),
            Shown::new(&section.file)
        ))?;
        let mut table =
            Table::new(&["NAME", "E-MAIL", "FINGERPRINT", "EXPIRES", "VALIDITY", "READS", "FROM"]);
        for row in &section.recipients {
            table.row(cells(row, section));
        }
        for line in table.lines(2) {
            app.ui.say(line)?;
        }
        let problems = section.recipients.iter().filter_map(|row| Some((row.line, row.problem.as_ref()?)));
        for (line, problem) in problems {
            app.ui.say(format!("  line {line}: {}", Shown::new(problem)))?;
        }
        app.ui.say(format!("  {}", summary(section, &app.ui.program)))?;
    }
    Ok(())
}

fn cells(row: &Row, section: &Section) -> [String; 7] {
    let shown =
        |text: &Option<String>| text.as_ref().map(|text| Shown::new(text).to_string()).unwrap_or_default();
    // A line that gives no key is at least known by what stands in it.
    let unknown = || format!("({})", Shown::new(&row.id));
    let subkey = row.subkey.as_ref().map(|subkey| format!("{subkey}!"));
    [
        shown(&row.name),
        shown(&row.email),
        subkey.or_else(|| row.fingerprint.clone()).unwrap_or_else(unknown),
        row.expires
            .clone()
            .unwrap_or_else(|| if row.fingerprint.is_some() { "never".into() } else { String::new() }),
        shown(&row.validity),
        format!("{}/{}", row.reads, section.entries.total),
        format!("{} line {}", Shown::new(&section.file), row.line),
    ]
}

/// Returns a sentence on how the entries agree.
fn summary(section: &Section, program: &str) -> String {
    let counts = &section.entries;
    if counts.total == 0 {
        return "No entries.".to_owned();
    }
    let all = counted(counts.total, "entry", "entries");
    if counts.agree == counts.total {
        return format!("{all}: exactly these keys can read each.");
    }
    let parts = [
        (counts.differ, "can be read by other keys"),
        (counts.older, "encrypted to an older subkey"),
        (counts.hidden, "with hidden recipients"),
        (counts.unclear, "that cannot be compared"),
        (counts.broken, "that cannot be read as a message"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let folder =
        if section.folder.is_empty() { String::new() } else { format!(" {}", Shown::new(&section.folder)) };
    let mend = match counts.differ + counts.older + counts.hidden {
        0 => String::new(),
        _ => format!("; `{program} recipients update{folder}` mends that"),
    };
    format!("{all}: {}{mend}.\n  {}", parts.join(", "), list_names(&counts.names))
}

/// Returns a path for JSON: as it is, or with what is no UTF-8 replaced.
fn text(path: &Path) -> String {
    String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned()
}
