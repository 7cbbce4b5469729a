//! A report, whatever it is written as: what is ours in it, and what is foreign.

use crate::model::{Shown, day};

/// A piece of a text. What is foreign is told apart from our own words by its type, so that nobody has to remember to escape it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Our own words.
    Ours(String),
    /// A foreign name, or other foreign words.
    Foreign(String),
    /// A foreign name that is told apart from the words around it: an entry's, an address.
    Name(String),
    /// A word for how things stand.
    Mark(Tone, &'static str),
    /// The day of a second since 1970.
    Day(i64),
    /// A second since 1970, to the minute.
    Minute(i64),
}

/// How pressing something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It is done.
    Good,
    /// Somebody has to look.
    Care,
    /// It is to be done.
    Bad,
    /// Neither.
    Plain,
}

/// A text of one paragraph.
pub type Text = Vec<Piece>;

/// A part of a section.
#[derive(Debug)]
pub enum Block {
    /// A paragraph.
    Paragraph(Text),
    /// A list.
    List(Vec<Text>),
    /// A table: its label, headings, and rows of as many cells.
    Table(&'static str, &'static [&'static str], Vec<Vec<Text>>),
    /// Numbers with what they count.
    Figures(Vec<(usize, &'static str)>),
    /// Something that must not be overlooked.
    Note(Text),
}

/// A section.
#[derive(Debug)]
pub struct Section {
    /// Its name in addresses.
    pub id: &'static str,
    /// Its heading.
    pub heading: &'static str,
    /// What stands in it.
    pub blocks: Vec<Block>,
}

/// A report.
#[derive(Debug)]
pub struct Document {
    /// What it is.
    pub kind: &'static str,
    /// Its title.
    pub title: Text,
    /// What stands below the title.
    pub lead: Vec<Block>,
    /// The sections.
    pub sections: Vec<Section>,
    /// What stands at its end.
    pub footer: Text,
}

/// Returns our own words.
pub fn ours(words: impl Into<String>) -> Piece {
    Piece::Ours(words.into())
}

/// Returns texts one after the other, with `between` between them.
pub fn joined(texts: impl IntoIterator<Item = Text>, between: &str) -> Text {
    let mut joined = Text::new();
    for text in texts {
        if !joined.is_empty() {
            joined.push(ours(between));
        }
        joined.extend(text);
    }
    joined
}

/// Returns a text for a terminal.
pub fn plain(text: &[Piece]) -> String {
    let words = text.iter().map(|piece| match piece {
        Piece::Ours(words) => words.clone(),
        Piece::Foreign(words) | Piece::Name(words) => Shown::new(words).to_string(),
        Piece::Mark(_, word) => (*word).to_owned(),
        Piece::Day(when) => day(*when),
        Piece::Minute(when) => minute(*when),
    });
    words.collect()
}

/// Returns a second since 1970, to the minute.
pub fn minute(when: i64) -> String {
    format!("{} {} UTC", day(when), &crate::model::date::moment(when)[11..16])
}
