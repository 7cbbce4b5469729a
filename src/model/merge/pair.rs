//! Two versions of a text beside each other, for a person to choose.

use super::MOST_LINES;
use super::align::{between, common};
use super::units::{Key, Texts};
use crate::model::Plaintext;

/// A part of two versions, as they follow each other. Each unit is without its line break.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Units that both versions have.
    Same(Vec<&'a [u8]>),
    /// What stands there in one version, and in the other.
    Differs(Vec<&'a [u8]>, Vec<&'a [u8]>),
}

/// Returns two versions part by part: the password first, fields beside themselves. Versions that differ too
/// much to be looked into are one part.
pub fn pair<'a>(ours: &'a Plaintext, theirs: &'a Plaintext) -> Vec<Part<'a>> {
    let [ours, theirs] = [ours, theirs].map(Plaintext::expose);
    if [ours, theirs].iter().any(|text| super::line_breaks(text) >= MOST_LINES) {
        return vec![Part::Differs(vec![ours], vec![theirs])];
    }
    let mut known = Texts::default();
    let [ours, theirs] = [ours, theirs].map(|text| known.read(text));
    let mut parts = match ours.first == theirs.first {
        true => vec![Part::Same(vec![ours.first])],
        false => vec![Part::Differs(vec![ours.first], vec![theirs.first])],
    };
    let (one, other) = (ours.units.len(), theirs.units.len());
    let same = common(one, other, |a, b| ours.ids[a] == theirs.ids[b]);
    let mut at = 0;
    for (a, b) in between(&same.unwrap_or_default(), one, other) {
        parts.push(Part::Same(ours.units[at..a.start].to_vec()));
        at = a.end;
        let is_field = |x: usize, y: usize| {
            let key = ours.keys[a.start + x];
            key.is_some() && key == theirs.keys[b.start + y]
        };
        let fields = common(a.len(), b.len(), is_field).unwrap_or_default();
        let mut from = (a.start, b.start);
        for (x, y) in fields.into_iter().map(|(x, y)| (a.start + x, b.start + y)) {
            parts.push(Part::Differs(ours.units[from.0..x].to_vec(), theirs.units[from.1..y].to_vec()));
            parts.push(Part::Differs(vec![ours.units[x]], vec![theirs.units[y]]));
            from = (x + 1, y + 1);
        }
        parts.push(Part::Differs(ours.units[from.0..a.end].to_vec(), theirs.units[from.1..b.end].to_vec()));
    }
    parts.push(Part::Same(ours.units[at..].to_vec()));
    let is_empty = |part: &Part<'_>| match part {
        Part::Same(units) => units.is_empty(),
        Part::Differs(one, other) => one.is_empty() && other.is_empty(),
    };
    parts.retain(|part| !is_empty(part));
    parts
}

/// Returns the key of a field with its colon, and its value; none for what is no field.
pub fn field(unit: &[u8]) -> Option<(&[u8], &[u8])> {
    let key = Key::of(unit)?.bytes();
    Some(unit.split_at(key.len() + 1))
}
