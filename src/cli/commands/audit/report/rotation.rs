//! What must be changed, and what has been.

use std::collections::BTreeMap;
use std::path::Path;

use maud::{Markup, html};

use super::party::Parties;
use super::{entries, folder};
use crate::cli::page;
use crate::model::entry::shown_entry;
use crate::ops::audit::report::{Item, Report, Rotation, Standing};
use crate::ops::rotate::Reason;

/// Draws the section; nothing where the list was not asked for.
pub fn section(found: &Report, parties: &Parties<'_>) -> Markup {
    let Some(rotation) = &found.rotation else { return html! {} };
    page::section(
        "rotation",
        "What must be changed",
        &html! {
            p {
                "Passwords that somebody knows who should not, or that are no good, stay so until they are changed. Whether they "
                "have been is told by what the entries say, and not by anybody's word."
            }
            @if rotation.items.is_empty() && rotation.has_unread {
                p.verdict { "Nothing is listed in what could be looked at." }
            } @else if rotation.items.is_empty() {
                p.verdict { span.chip.good { "✓ Nothing is listed" } " No password is known here that must be changed." }
            } @else {
                (counts(rotation))
                (items(rotation, parties))
            }
            @if rotation.has_unread {
                p.soft.small { "The list holds more that is encrypted to others, and was not looked at for this page." }
            }
        },
    )
}

/// Draws how many entries are open and done, folder by folder.
fn counts(rotation: &Rotation) -> Markup {
    // An entry is open as long as one of the reasons to change it is.
    let mut open: BTreeMap<(&Path, &Path), bool> = BTreeMap::new();
    for item in &rotation.items {
        *open.entry((&item.folder, &item.entry)).or_default() |= item.standing.is_open();
    }
    let mut folders: BTreeMap<&Path, (usize, usize)> = BTreeMap::new();
    for ((of, _), is_open) in open {
        let (open, done) = folders.entry(of).or_default();
        *if is_open { open } else { done } += 1;
    }
    html! {
        ul.meters {
            @for (of, (open, done)) in folders {
                li {
                    span.where { (folder(of)) }
                    // Its text says the same; it is a picture alone.
                    span.meter aria-hidden="true" {
                        span.done data-part=(tenths(done, open + done)) {}
                    }
                    span {
                        @if open > 0 { strong { (open) " open" } } @else { strong { "all done" } }
                        span.soft { ", " (done) " of " (entries(open + done)) " changed" }
                    }
                }
            }
        }
    }
}

/// Returns how many tenths are done; not all as long as anything is left.
fn tenths(done: usize, all: usize) -> usize {
    done * 10 / all.max(1)
}

/// Draws the entries, those that are open in front, each with all reasons.
fn items(rotation: &Rotation, parties: &Parties<'_>) -> Markup {
    let mut entries: Vec<(&Path, Vec<&Item>)> = Vec::new();
    for item in &rotation.items {
        match entries.iter_mut().find(|(entry, _)| *entry == item.entry) {
            Some((_, items)) => items.push(item),
            None => entries.push((&item.entry, vec![item])),
        }
    }
    entries.sort_by_key(|(_, items)| !items.iter().any(|item| item.standing.is_open()));
    page::wide(
        "What must be changed",
        &html! {
            table.cards.items {
                thead {
                    tr {
                        th scope="col" { "Entry" }
                        th scope="col" { "Why" }
                        th scope="col" { "Listed" }
                        th scope="col" { "State" }
                    }
                }
                tbody {
                    @for (entry, items) in entries {
                        tr {
                            th scope="row" { (page::path(&shown_entry(entry))) }
                            td data-label="Why" { @for item in &items { div { (reason(item, parties)) } } }
                            td data-label="Listed" { @for item in &items { div { (page::date(item.opened)) } } }
                            td data-label="State" { @for item in &items { div { (standing(item.standing)) } } }
                        }
                    }
                }
            }
        },
    )
}

/// Says why: who could read it only where that may be told, and nothing in anybody's own words.
fn reason(item: &Item, parties: &Parties<'_>) -> Markup {
    // On the page of a folder, where else the same stands is another's matter.
    let is_part = !parties.report.scope.is_root();
    html! {
        @match item.reason {
            Reason::Exposed if item.who.is_empty() => "known to somebody who can no longer read it",
            Reason::Exposed => {
                "known to "
                @for (place, who) in item.who.iter().enumerate() {
                    @if place > 0 { ", " }
                    (parties.name(who))
                }
            },
            Reason::Leaked => "came into the open",
            Reason::Reused if is_part => "not good enough any more",
            Reason::Reused => "used more than once",
            Reason::Weak => "easily guessed",
            Reason::Short => "too short",
            Reason::Old => "too old",
            Reason::Asked => "somebody asked for it",
        }
    }
}

fn standing(standing: Standing) -> Markup {
    html! {
        @match standing {
            Standing::Open => span.chip.bad { "open" },
            Standing::Unknown => span.chip.care { "unknown here" },
            Standing::Gone => span.chip.care { "entry gone" },
            Standing::Changed(Some(when)) => { span.chip.good { "✓ changed" } " " span.small { (page::date(when)) } },
            Standing::Changed(None) => span.chip.good { "✓ changed" },
            Standing::Closed(when) => { span.chip { "closed" } " " span.small { (page::date(when)) } },
        }
    }
}
