//! Who can read which folders now, and where that is not what the lists say.

use maud::{Markup, html};

use super::party::Parties;
use super::{entries, entry_names, folder};
use crate::cli::page;
use crate::model::Shown;
use crate::ops::audit::access::Folder;
use crate::ops::audit::report::{Difference, Party, Report, party};
use crate::ops::readers::{Reader, Tally};

/// How many people stand side by side: as many as paper takes.
const COLUMNS: usize = 8;

/// Up to so many folders stand side by side, and people below each other.
const FEW: usize = 3;

/// Draws the section.
pub fn section(found: &Report, parties: &Parties<'_>) -> Markup {
    let mut people: Vec<Party> = Vec::new();
    for reader in found.folders.iter().flat_map(|folder| folder.readers.keys()) {
        let party = party(&found.waiting, reader);
        if !people.contains(&party) {
            people.push(party);
        }
    }
    people.sort_by_cached_key(|party| {
        (std::cmp::Reverse(parties.now.get(party).copied()), parties.name(party).into_string())
    });
    let matrix = Matrix { found, parties, people };
    page::section(
        "who",
        "Who can read what",
        &html! {
            @if found.folders.is_empty() {
                p { "There is no entry." }
            } @else {
                p {
                    "Counted are the entries that a key can read, by the encrypted files themselves. Where that is not what the "
                    "list of the folder says, it is marked."
                }
                @if found.folders.len() <= FEW { (matrix.by_person()) } @else { (matrix.by_folder()) }
                p.soft.small aria-hidden="true" {
                    span.mark.all { "●" } " all entries  " span.mark.some { "◐" } " some of them  " span.mark { "–" } " none"
                }
                (differences(found, parties))
                (unknown(found))
            }
        },
    )
}

/// Who can read what.
struct Matrix<'m> {
    found: &'m Report,
    parties: &'m Parties<'m>,
    people: Vec<Party>,
}

impl Matrix<'_> {
    /// Draws people below each other.
    fn by_person(&self) -> Markup {
        let folders = &self.found.folders;
        page::wide(
            "Who can read what",
            &html! {
                table.matrix {
                    thead {
                        tr {
                            th scope="col" { "Key" }
                            @for one in folders {
                                th scope="col" {
                                    (self.folder(one))
                                    div.soft { (entries(one.entries)) }
                                }
                            }
                        }
                    }
                    tbody {
                        @for party in &self.people {
                            tr {
                                th scope="row" { (self.person(party)) }
                                @for one in folders { (self.cell(one, party)) }
                            }
                        }
                    }
                }
            },
        )
    }

    /// Draws folders below each other; where people are many, in several tables.
    fn by_folder(&self) -> Markup {
        html! {
            @for people in self.people.chunks(COLUMNS) {
                (page::wide("Who can read what", &html! {
                    table.matrix.folders {
                        thead {
                            tr {
                                th scope="col" { "Folder" }
                                th.number scope="col" { "Entries" }
                                @for party in people { th.person scope="col" { (self.person(party)) } }
                            }
                        }
                        tbody {
                            @for one in &self.found.folders {
                                tr {
                                    th scope="row" { (self.folder(one)) }
                                    td.number { (one.entries) }
                                    @for party in people { (self.cell(one, party)) }
                                }
                            }
                        }
                    }
                }))
            }
        }
    }

    fn person(&self, party: &Party) -> Markup {
        html! {
            (self.parties.name(party))
            (self.parties.marks(party))
        }
    }

    /// Names the folder whose list that is: of a list above what is told of, that is all it rules here.
    fn folder(&self, one: &Folder) -> Markup {
        match &one.folder {
            Some(path) if path.starts_with(self.found.scope.as_path()) => folder(path),
            Some(_) => folder(self.found.scope.as_path()),
            None => html! { "(no list)" },
        }
    }

    fn cell(&self, one: &Folder, party: &Party) -> Markup {
        let (reader, tally) = self.tally(one, party);
        let (class, mark, words) = match tally.reads {
            0 => ("", "–", "none".to_owned()),
            reads if reads == one.entries => ("all", "●", format!("all {reads}")),
            reads => ("some", "◐", format!("{reads} of {}", one.entries)),
        };
        html! {
            td {
                span.mark.(class) aria-hidden="true" { (mark) }
                " "
                @if tally.reads > 0 && tally.reads < one.entries { (tally.reads) span.sr { " of " (one.entries) } }
                @else { span.sr { (words) } }
                @if let Some(remark) = remark(&tally, reader) { div { span.chip.care { (remark) } } }
            }
        }
    }

    /// Returns what a party reads of a folder; of a key that several IDs stand for, the most that one of them does.
    fn tally<'f>(&self, one: &'f Folder, wanted: &Party) -> (Option<&'f Reader>, Tally) {
        let own = one.readers.iter().filter(|(reader, _)| party(&self.found.waiting, reader) == *wanted);
        let most = own.max_by_key(|(_, tally)| tally.reads);
        most.map_or((None, Tally::default()), |(reader, tally)| (Some(reader), *tally))
    }
}

/// Says how what a key can read is not what the list says.
fn remark(tally: &Tally, reader: Option<&Reader>) -> Option<String> {
    match (reader?, tally.reads, tally.named) {
        // Whose key that is, and whether it is named, only the key itself can tell.
        (Reader::Unknown(_) | Reader::Hidden, ..) => None,
        (_, _, 0) => Some("not on the list".to_owned()),
        (_, 0, _) => Some("on the list, cannot read".to_owned()),
        (_, reads, named) if reads != named => Some(format!("on the list for {named}")),
        _ => None,
    }
}

/// Says in words where entries and lists differ.
fn differences(found: &Report, parties: &Parties<'_>) -> Markup {
    let names = |all: &std::collections::BTreeSet<Party>| {
        html! {
            @for (place, party) in all.iter().enumerate() {
                @if place > 0 && place + 1 == all.len() { " and " } @else if place > 0 { ", " }
                strong { (parties.name(party)) }
            }
        }
    };
    let words = |one: &Difference| {
        html! {
            @if one.is_hidden() {
                (entries(one.entries.len())) (if one.entries.len() == 1 { " has" } else { " have" })
                " hidden recipients, as many as the list names: they may be those, or anybody"
            } @else if !one.extra.is_empty() {
                (names(&one.extra)) " can read " (entries(one.entries.len()))
                @match one.folder { Some(_) => " without being on the list", None => ", which no list rules" }
            }
            @if !one.extra.is_empty() && !one.missing.is_empty() { "; " }
            @if !one.missing.is_empty() {
                (names(&one.missing)) (if one.missing.len() == 1 { " is" } else { " are" })
                " on the list, but cannot read " (entries(one.entries.len()))
            }
            ": " (entry_names(&one.entries)) "."
        }
    };
    html! {
        @if found.differences.is_empty() && found.folders.iter().all(|one| one.broken.is_empty() && one.unknown.is_empty()) {
            p.verdict { span.chip.good { "✓ As it should be" } " Every entry can be read by exactly those whom its list names." }
        } @else if !found.differences.is_empty() {
            h3 { "Where entries differ from their lists" }
            ul.plain { @for one in &found.differences { li { (words(one)) } } }
        }
    }
}

/// Names what is on a list and leads to no key, and what is no message.
fn unknown(found: &Report) -> Markup {
    let broken: Vec<std::path::PathBuf> =
        found.folders.iter().flat_map(|one| one.broken.iter().cloned()).collect();
    let unknown = |one: &Folder| {
        let names: Vec<String> = one.unknown.iter().map(|name| Shown::new(name).to_string()).collect();
        names.join(", ")
    };
    html! {
        @for one in found.folders.iter().filter(|one| !one.unknown.is_empty()) {
            p {
                "The list of "
                @match &one.folder {
                    Some(path) if path.starts_with(found.scope.as_path()) => (folder(path)),
                    _ => "this folder",
                }
                " names keys that are not known here: " bdi.id { (unknown(one)) } "."
            }
        }
        @if !broken.is_empty() {
            p { "No messages, so that nobody can tell who reads them: " (entry_names(&broken)) "." }
        }
    }
}
