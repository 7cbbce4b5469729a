//! `recipients list`.

use std::collections::BTreeSet;
use std::ffi::OsString;

use serde::Serialize;

use super::people::{Person, counted, held_of, json, list_names, no_environment, path_text};
use super::refuse_absent;
use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::error::CliError;
use crate::cli::table::Table;
use crate::model::{FolderName, Keyring, Shown, argument};
use crate::ops::readers::{Reader, is_missing, reads, survey_folder, waiting, waiting_as};
use crate::ops::review::Held;
use crate::ops::{Context, OpError, rules};
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
  differs_from_rule whether the folder follows groups, and the file is not what they come to
  recipients        an array: line, id (as it stands in the file), fingerprint, subkey (where only that is
                    to be used), name, email, expires (YYYY-MM-DD), validity (unknown, marginal, full,
                    ultimate), problem (why the line gives no key to encrypt to), reads
  entries           an object: total, agree, older (encrypted to a subkey that gpg would not choose any
                    more), hidden, differ, unclear (the file names keys that are not known), broken
                    (no encrypted messages), and names: an array of those that do not agree; held:
                    those of them that are held back, as they were encrypted for others elsewhere
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
    differs_from_rule: bool,
    recipients: Vec<Row>,
    entries: Counts,
    /// Whether its keys can be encrypted to.
    #[serde(skip)]
    usable: bool,
    /// Whether keys that it names are in the store, and not in the keyring.
    #[serde(skip)]
    waiting: bool,
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
    held: Vec<String>,
    #[serde(skip)]
    kinds: Kinds,
}

/// The entries that do not agree, by what can be done about them.
#[derive(Default)]
struct Kinds {
    off: Vec<String>,
    unclear: Vec<String>,
    broken: Vec<String>,
}

/// What is looked at to describe a list.
struct Facts<'a> {
    survey: &'a Survey,
    asked: &'a FolderName,
    waiting: Keyring,
    held: Held,
    /// Folders whose lists differ from their rules.
    differing: BTreeSet<FolderName>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let asked = match &args.folder {
        Some(name) => folder(app, name)?,
        None => FolderName::root(),
    };
    refuse_absent(app, &context, &asked, "list")?;
    let survey = survey_folder(&context, &asked).map_err(|e| app.error(e))?;
    let lists = shown_lists(&survey, &asked, args.tree);
    if lists.is_empty() && survey.unusable.is_empty() {
        return Err(app.error(OpError::NoRule(asked.to_string())));
    }
    let shown = lists.iter().flat_map(|list| survey.ruled_by(list));
    let facts = Facts {
        waiting: waiting(&context, &survey),
        held: held_of(app, &context, shown),
        differing: differing(app, &context),
        survey: &survey,
        asked: &asked,
    };
    let report = Report { folders: lists.into_iter().map(|list| section(&facts, list)).collect() };
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

/// Returns the folders whose lists differ from their rules. That these cannot be read is no reason to show no
/// lists: `check` says what is the matter.
fn differing(app: &App, context: &Context<'_>) -> BTreeSet<FolderName> {
    match rules::differing(context) {
        Ok(found) => found.into_iter().map(|differing| differing.folder).collect(),
        Err(error) => {
            app.ui.warn(format!("note: lists were not compared with their rules: {error}"));
            BTreeSet::new()
        }
    }
}

/// Returns the lists to show: the one that rules the folder, and for a tree those below it.
fn shown_lists<'s>(survey: &'s Survey, asked: &FolderName, tree: bool) -> Vec<&'s List> {
    let own = survey.ruling(asked).filter(|_| !survey.unusable.contains_key(asked));
    let below = |list: &&List| list.folder.as_path().starts_with(asked.as_path()) && list.folder != *asked;
    let below = survey.lists.values().filter(|list| tree && below(list));
    own.into_iter().chain(below).collect()
}

fn section(facts: &Facts<'_>, list: &List) -> Section {
    let Facts { survey, asked, waiting, .. } = facts;
    let inherited = asked.as_path().starts_with(list.folder.as_path()) && list.folder != **asked;
    let folder = if inherited { *asked } else { &list.folder };
    let reads = reads(survey, list);
    let row = |line: &Line| -> Vec<Row> {
        let people = Person::of_line(&survey.keyring, waiting, line);
        let row = |person: Person| Row {
            line: line.number,
            id: line.id.clone(),
            reads: person.key.as_ref().map_or(0, |key| match waiting.get(key) {
                Some(_) => {
                    let is_its =
                        |entry: &&Entry| entry.readers.iter().any(|id| waiting.bearers(*id).contains(key));
                    survey.ruled_by(list).filter(is_its).count()
                }
                None => reads.get(&Reader::Key(key.clone())).copied().unwrap_or(0),
            }),
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
        folder: path_text(folder.as_path()),
        file: path_text(&list.file),
        inherited,
        differs_from_rule: facts.differing.contains(&list.folder),
        recipients: list.lines.iter().flat_map(row).collect(),
        entries: counts(survey.ruled_by(list), &facts.held),
        usable: list.recipients().is_some(),
        waiting: list.lines.iter().any(|line| is_missing(line) && waiting_as(waiting, &line.id).is_some()),
    }
}

fn counts<'s>(entries: impl Iterator<Item = &'s Entry>, held: &Held) -> Counts {
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
        let name = path_text(&entry.path.with_extension(""));
        match entry.standing {
            Standing::Agrees => continue,
            _ if held.contains_key(&entry.path) => counts.held.push(name.clone()),
            Standing::Unclear => counts.kinds.unclear.push(name.clone()),
            Standing::Broken(_) => counts.kinds.broken.push(name.clone()),
            _ => counts.kinds.off.push(name.clone()),
        }
        counts.names.push(name);
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
        let folder = match section.folder.as_str() {
            "" => String::new(),
            folder => format!(" {}", argument(folder)),
        };
        let program = &app.ui.program;
        if section.waiting {
            app.ui
                .say(format!("  `{program} keys import{folder}` takes in the keys that are in the store."))?;
        }
        if section.differs_from_rule {
            let what = "The list is not what its groups come to";
            app.ui.say(format!("  {what}: `{program} recipients check{folder}` shows how."))?;
        }
        for line in summary(section, program, &folder) {
            app.ui.say(format!("  {line}"))?;
        }
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

/// Returns sentences on how the entries agree, and what can be done where they do not. `folder` is the
/// section's, as commands take it.
fn summary(section: &Section, program: &str, folder: &str) -> Vec<String> {
    let counts = &section.entries;
    if counts.total == 0 {
        return vec!["No entries.".to_owned()];
    }
    let all = counted(counts.total, "entry", "entries");
    if counts.agree == counts.total {
        return vec![format!("{all}: exactly these keys can read each.")];
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
    let all = format!("{all}: {}", parts.join(", "));
    let mend = match section.usable {
        true => format!("`{program} recipients update{folder}` mends that"),
        false => format!("`{program} recipients check{folder}` says what is to be mended first"),
    };
    let Kinds { off, unclear, broken } = &counts.kinds;
    if off.len() == counts.names.len() {
        return vec![format!("{all}; {mend}."), list_names(off)];
    }
    let review = format!("held back, encrypted for others elsewhere: `{program} recipients review{folder}`");
    let clear = match section.waiting {
        true => "cannot be compared before those keys are imported".to_owned(),
        false => format!("cannot be compared: `{program} recipients check{folder}` says why"),
    };
    let kinds = [
        (off, mend),
        (&counts.held, review),
        (unclear, clear),
        (broken, "no messages: take an older version back, or remove them".to_owned()),
    ];
    let kinds = kinds.into_iter().filter(|(names, _)| !names.is_empty());
    let kinds = kinds.map(|(names, what)| format!("{}: {what}.", list_names(names)));
    std::iter::once(format!("{all}.")).chain(kinds).collect()
}
