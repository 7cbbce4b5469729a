//! Reports as pages of HTML that are one file.

use maud::{Markup, html};

use super::document::{Block, Document, Piece, Section, Text, Tone, plain};
use crate::cli::page;

/// Returns a report as a page.
pub fn page(document: &Document) -> String {
    let body = html! {
        header {
            p.kind { (document.kind) }
            h1 { (line(&document.title)) }
            @for block in &document.lead { (drawn(block)) }
        }
        main {
            @for Section { id, heading, blocks } in &document.sections {
                (page::section(id, heading, &html! { @for block in blocks { (drawn(block)) } }))
            }
        }
        footer { p { (line(&document.footer)) } }
    };
    page::page(&plain(&document.title), &body)
}

fn drawn(block: &Block) -> Markup {
    match block {
        Block::Paragraph(text) => html! { p { (line(text)) } },
        Block::Note(text) => html! { div.note role="note" { p { (line(text)) } } },
        Block::List(items) => html! { ul.plain { @for item in items { li { (line(item)) } } } },
        Block::Figures(figures) => {
            let figures = figures
                .iter()
                .map(|(count, what)| (*count, *what, *count > 0 && what.ends_with("to be changed")));
            page::figures(&figures.collect::<Vec<_>>())
        }
        Block::Table(label, headings, rows) => {
            let table = html! {
                table.cards {
                    thead { tr { @for heading in *headings { th scope="col" { (heading) } } } }
                    tbody { @for row in rows { tr { (cells(headings, row)) } } }
                }
            };
            page::wide(label, &table)
        }
    }
}

/// Returns the cells of a row, the first of which says what it is about.
fn cells(headings: &[&str], row: &[Text]) -> Markup {
    html! {
        @for (place, (heading, cell)) in headings.iter().zip(row).enumerate() {
            @if place == 0 { th scope="row" { (line(cell)) } }
            @else { td data-label=(heading) { @if !cell.is_empty() { span { (line(cell)) } } } }
        }
    }
}

fn line(text: &Text) -> Markup {
    html! { @for piece in text { (drawn_piece(piece)) } }
}

fn drawn_piece(piece: &Piece) -> Markup {
    match piece {
        Piece::Ours(words) => html! { (words) },
        Piece::Foreign(words) => page::name(words),
        Piece::Name(words) => html! { code { (page::name(words)) } },
        Piece::Mark(Tone::Good, word) => html! { span.chip.good { (word) } },
        Piece::Mark(Tone::Care, word) => html! { span.chip.care { (word) } },
        Piece::Mark(Tone::Bad, word) => html! { span.chip.bad { (word) } },
        Piece::Mark(Tone::Plain, word) => html! { span.chip { (word) } },
        Piece::Day(when) => page::date(*when),
        Piece::Minute(when) => page::minute(*when),
    }
}
