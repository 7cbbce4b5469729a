//! What each key could ever read.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::party::Parties;
use crate::cli::page;
use crate::model::day;
use crate::ops::audit::report::{Held, Report};

/// Draws the section; nothing without git.
pub fn section(found: &Report, parties: &Parties<'_>) -> Markup {
    let Some(held) = &found.held else { return html! {} };
    page::section(
        "keys",
        "What each key could ever read",
        &html! {
            p {
                "Git keeps every version of an entry, and each names the keys that can read it. Whoever could read a version may "
                "have kept it: a password that somebody knew is theirs until it is changed."
            }
            @if held.is_empty() {
                p { "No key could read anything." }
            } @else {
                (page::wide("What each key could ever read", &table(held, parties)))
                @for id in &found.shared {
                    p.small {
                        "Several keys have the ID " span.id { (id) } ": which of them can read, only their owners can tell."
                    }
                }
            }
        },
    )
}

fn table(held: &[Held], parties: &Parties<'_>) -> Markup {
    // Who reads most now in front, and who no longer reads anything last.
    let mut held: Vec<&Held> = held.iter().collect();
    held.sort_by_cached_key(|one| {
        (
            Reverse(one.now),
            Reverse(one.entries),
            Reverse(one.versions),
            parties.name(&one.party).into_string(),
        )
    });
    html! {
        table.cards {
            thead {
                tr {
                    th scope="col" { "Key" }
                    th.number scope="col" { "Reads now" }
                    th.number scope="col" { "Entries ever" }
                    th.number scope="col" { "Versions" }
                    th scope="col" { "First version" }
                    th scope="col" { "Last version" }
                }
            }
            tbody {
                @for one in held {
                    tr {
                        th scope="row" {
                            (parties.name(&one.party)) (parties.marks(&one.party))
                            @if one.now == 0 { " " span.chip { "former" } }
                            div.soft.small { (parties.address(&one.party)) }
                            div.soft.small { (parties.fingerprint(&one.party)) }
                        }
                        td.number data-label="Reads now" { (one.now) }
                        td.number data-label="Entries ever" { (one.entries) }
                        td.number data-label="Versions" { (one.versions) }
                        (dates(one))
                    }
                }
            }
        }
    }
}

fn dates(one: &Held) -> Markup {
    html! {
        @match one.between {
            Some((first, last)) => {
                td data-label="First version" { (page::date(first.when)) }
                td data-label="Last version" {
                    (page::date(last.when))
                    @if day(first.when) == day(last.when) && one.versions == 1 { span.sr { " (the same)" } }
                }
            }
            None => {
                td data-label="First version" { "not committed" }
                td data-label="Last version" { "not committed" }
            }
        }
    }
}
