//! When who gained or lost access.

use std::collections::BTreeMap;
use std::path::Path;

use maud::{Markup, html};

use super::party::Parties;
use super::{entries, folder};
use crate::cli::page;
use crate::model::day;
use crate::ops::audit::report::{Event, FolderChange, Gain, Party, Report};

/// Draws the section.
pub fn section(found: &Report, parties: &Parties<'_>) -> Markup {
    page::section(
        "changes",
        "Changes of access",
        &html! {
            @match &found.timeline {
                None => p { "This store is kept without git: nothing tells who could read it before." },
                Some(events) if events.is_empty() => p { "Its history knows of no change." },
                Some(events) => {
                    p { "Who gained and who lost access, by the store's history, the newest first." }
                    ol.timeline {
                    @for events in events.chunk_by(are_together) { (draw(events, parties)) }
                }
                }
            }
        },
    )
}

/// Whether two commits are told of as one: what somebody did on one day.
fn are_together(one: &Event, other: &Event) -> bool {
    one.author == other.author && one.when.map(day) == other.when.map(day) && one.is_cut == other.is_cut
}

fn draw(events: &[Event], parties: &Parties<'_>) -> Markup {
    let event = &events[0];
    html! {
        li {
            div.when {
                @match event.when { Some(when) => (page::date(when)), None => "undated" }
                @if !event.author.is_empty() { div.soft.small { "by " (page::name(&event.author)) } }
            }
            div.what {
                @for (folders, change) in together(events.iter().flat_map(|event| &event.folders)) {
                    div.change {
                        p.where {
                            @for (place, path) in folders.iter().enumerate() {
                                @if place > 0 { ", " }
                                (folder(path))
                            }
                        }
                        ul {
                            @for (party, gain) in in_order(parties, &change.gained) { (line(parties, party, gain, true)) }
                            @for (party, gain) in in_order(parties, &change.lost) { (line(parties, party, gain, false)) }
                        }
                    }
                }
                @if event.is_cut {
                    p.soft.small { "Older history is not here: this may have been so before." }
                }
            }
        }
    }
}

/// Returns parties by their names.
fn in_order<'g>(parties: &Parties<'_>, all: &'g BTreeMap<Party, Gain>) -> Vec<(&'g Party, &'g Gain)> {
    let mut all: Vec<(&Party, &Gain)> = all.iter().collect();
    all.sort_by_cached_key(|(party, _)| parties.name(party).into_string());
    all
}

fn line(parties: &Parties<'_>, party: &Party, gain: &Gain, gained: bool) -> Markup {
    html! {
        li.gained[gained].lost[!gained] {
            span.sign aria-hidden="true" { (if gained { "+" } else { "−" }) }
            span.sr { (if gained { "gained: " } else { "lost: " }) }
            strong { (parties.name(party)) }
            @if gain.entries > 0 { span.soft.small { " " (entries(gain.entries)) } }
            // Of a key that is not known, nobody can tell whether a list names it.
            @if !gain.is_listed && matches!(party, Party::Key(_)) { " " span.chip.care { "not by the list" } }
        }
    }
}

/// Puts together folders that were changed alike.
fn together<'c>(changes: impl Iterator<Item = &'c FolderChange>) -> Vec<(Vec<&'c Path>, FolderChange)> {
    let who = |all: &BTreeMap<Party, Gain>| -> Vec<(Party, bool)> {
        all.iter().map(|(party, gain)| (party.clone(), gain.is_listed)).collect()
    };
    let add = |whole: &mut BTreeMap<Party, Gain>, more: &BTreeMap<Party, Gain>| {
        for (party, gain) in more {
            whole.get_mut(party).expect("the same parties").entries += gain.entries;
        }
    };
    let mut found: Vec<(Vec<&'c Path>, FolderChange)> = Vec::new();
    for change in changes {
        let alike = |(folders, whole): &&mut (Vec<&Path>, FolderChange)| {
            // What came to one folder twice is told of twice.
            !folders.contains(&&*change.folder)
                && who(&whole.gained) == who(&change.gained)
                && who(&whole.lost) == who(&change.lost)
        };
        match found.iter_mut().find(alike) {
            Some((folders, whole)) => {
                folders.push(&change.folder);
                add(&mut whole.gained, &change.gained);
                add(&mut whole.lost, &change.lost);
            }
            None => found.push((vec![&change.folder], change.clone())),
        }
    }
    found.iter_mut().for_each(|(folders, _)| folders.sort());
    found
}
