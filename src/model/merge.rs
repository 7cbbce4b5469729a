//! Three-way merge of an entry's text, by line and field. Without I/O: whoever calls decrypts and encrypts.
//!
//! The first line is the password, a unit of its own; what follows are `key: value` fields and free text, and
//! what `-----BEGIN` and `-----END` enclose is one unit. Each side is aligned to the base by itself
//! (`align`), and the changes of both are put together: what only one side changed is taken from it,
//! though the other changed the very next line. The result is the same whichever side is called ours, so that
//! two people who merge the same come to the same text.

mod align;
mod marks;
mod pair;
mod units;

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use zeroize::Zeroizing;

use super::Plaintext;
use align::{Alignment, Change, align};
use units::{Text, Texts};

pub use marks::Marks;
pub use pair::{Part, field, pair};

/// The most lines of a text that is looked into: beyond, people must decide. Bounds time and memory.
const MOST_LINES: usize = 1 << 18;

/// What came of a merge.
#[derive(Debug)]
pub enum Merged {
    /// One text with the changes of both sides.
    Clean(Plaintext),
    /// Only a person can tell what the text should be.
    Conflict,
}

/// Merges what both sides made of `base`. Without a base, only equal texts are merged.
///
/// The result does not depend on which side is `ours`. No line that one side added is missing from it; one
/// that a side removed is, unless the other changed it, which is a conflict.
pub fn merge(base: Option<&Plaintext>, ours: &Plaintext, theirs: &Plaintext) -> Merged {
    let copy = |text: &Plaintext| Merged::Clean(Plaintext::new(text.expose().to_vec()));
    if ours.equals(theirs) {
        return copy(ours);
    }
    match base {
        None => Merged::Conflict,
        Some(base) if base.equals(ours) => copy(theirs),
        Some(base) if base.equals(theirs) => copy(ours),
        Some(base) => match merged([base, ours, theirs]) {
            Some(text) => Merged::Clean(text),
            None => Merged::Conflict,
        },
    }
}

/// Returns the merge of the base, ours and theirs, none for a conflict.
fn merged(texts: [&Plaintext; 3]) -> Option<Plaintext> {
    let bytes = texts.map(Plaintext::expose);
    if bytes.iter().any(|text| line_breaks(text) >= MOST_LINES) {
        return None;
    }
    let mut known = Texts::default();
    let [base, ours, theirs] = bytes.map(|text| known.read(text));
    let first = three_way(&base.first, &ours.first, &theirs.first)?;
    let ends = *three_way(&base.ends, &ours.ends, &theirs.ends)?;
    let mut joint = Joint {
        base: &base,
        sides: [
            Side { text: &ours, changes: align(&base, &ours)? },
            Side { text: &theirs, changes: align(&base, &theirs)? },
        ],
        out: Vec::new(),
    };
    joint.walk()?;
    let out = joint.out;
    let merged: Vec<Unit<'_>> = out.iter().map(|(text, unit)| (text.ids[*unit], text.keys[*unit])).collect();
    if is_doubled(&base, &ours, &theirs, &merged) {
        return None;
    }
    let units = std::iter::once(*first).chain(out.iter().map(|(text, unit)| text.units[*unit]));
    Some(joined(&units.collect::<Vec<_>>(), ends))
}

/// Returns what both sides made of a value; none if they made different things of it.
fn three_way<'v, V: PartialEq>(base: &'v V, ours: &'v V, theirs: &'v V) -> Option<&'v V> {
    match () {
        () if ours == theirs || base == theirs => Some(ours),
        () if base == ours => Some(theirs),
        () => None,
    }
}

/// Returns units as one text; with a final line break if it `ends` in one.
fn joined(units: &[&[u8]], ends: bool) -> Plaintext {
    // As no text without final line break ends in an empty line, that would be lost without one.
    let ends = ends || (units.len() > 1 && units.last().is_some_and(|unit| unit.is_empty()));
    let length = units.iter().map(|unit| unit.len() + 1).sum();
    // Of its full size from the start: growing would leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    for (number, unit) in units.iter().enumerate() {
        if number > 0 {
            text.push(b'\n');
        }
        text.extend_from_slice(unit);
    }
    if ends {
        text.push(b'\n');
    }
    Plaintext::from_zeroizing(text)
}

/// Returns how many line breaks there are.
fn line_breaks(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

/// A side with its changes.
struct Side<'t, 'a> {
    text: &'t Text<'a>,
    changes: Alignment,
}

/// Both sides' changes being put together.
struct Joint<'t, 'a> {
    base: &'t Text<'a>,
    sides: [Side<'t, 'a>; 2],
    /// The units of the result, each by its text.
    out: Vec<(&'t Text<'a>, usize)>,
}

impl<'t, 'a> Joint<'t, 'a> {
    /// Goes through the base; none for a conflict.
    fn walk(&mut self) -> Option<()> {
        let mut unit = 0;
        loop {
            self.gap(unit)?;
            if unit == self.base.units.len() {
                return Some(());
            }
            let next = self.unit(unit)?;
            for inside in unit + 1..next {
                self.gap(inside)?;
            }
            unit = next;
        }
    }

    /// Takes what was inserted before the unit `gap`.
    fn gap(&mut self, gap: usize) -> Option<()> {
        let [ours, theirs] = &self.sides;
        let [mine, other] = [ours, theirs].map(|side| side.changes.inserts[gap].clone());
        match (mine.is_empty(), other.is_empty()) {
            (true, true) => {}
            (false, true) if !theirs.changes.closed[gap] => self.take(ours.text, mine),
            (true, false) if !ours.changes.closed[gap] => self.take(theirs.text, other),
            (false, false) if ours.text.ids[mine.clone()] == theirs.text.ids[other.clone()] => {
                self.take(ours.text, mine);
            }
            (false, false) => {
                let (ours, theirs) = (ours.text, theirs.text);
                if !ours.are_other_fields(mine.clone(), theirs, other.clone()) {
                    return None;
                }
                let mut both: Vec<(&'t Text<'a>, usize)> =
                    mine.map(|unit| (ours, unit)).chain(other.map(|unit| (theirs, unit))).collect();
                both.sort_by_key(|(text, unit)| text.units[*unit]);
                self.out.append(&mut both);
            }
            _ => return None,
        }
        Some(())
    }

    /// Takes what became of the unit `unit`, and of those that were replaced together with it; returns the
    /// next one.
    fn unit(&mut self, unit: usize) -> Option<usize> {
        let [ours, theirs] = &self.sides;
        let is_alone = |change: &Change, other: &Side<'_, '_>| {
            change.base.clone().all(|unit| other.changes.of(unit).is_none())
        };
        let (text, change) = match (ours.changes.of(unit), theirs.changes.of(unit)) {
            (None, None) => {
                self.out.push((self.base, unit));
                return Some(unit + 1);
            }
            (Some(one), Some(other)) => {
                let texts = [(ours.text, &one.side), (theirs.text, &other.side)];
                let [mine, others] = texts.map(|(text, units)| &text.ids[units.clone()]);
                (one.base == other.base && mine == others).then_some((ours.text, one))?
            }
            (Some(change), None) => is_alone(change, theirs).then_some((ours.text, change))?,
            (None, Some(change)) => is_alone(change, ours).then_some((theirs.text, change))?,
        };
        let Change { base, side } = change.clone();
        self.take(text, side);
        Some(base.end)
    }

    fn take(&mut self, text: &'t Text<'a>, units: Range<usize>) {
        self.out.extend(units.map(|unit| (text, unit)));
    }
}

/// A unit of the result: what it says, and which field it is.
type Unit<'a> = (u32, Option<u32>);

/// Whether something is in the result more often than the sides account for: a field that both added in
/// different places, a line that each moved elsewhere.
fn is_doubled(base: &Text<'_>, ours: &Text<'_>, theirs: &Text<'_>, merged: &[Unit<'_>]) -> bool {
    let lines = [base, ours, theirs].map(|text| counts(text.ids.iter().copied()));
    let keys = [ours, theirs].map(|text| counts(text.keys.iter().flatten().copied()));
    let of = |counts: &HashMap<u32, usize>, id: &u32| counts.get(id).copied().unwrap_or(0);
    let most_lines = |id: &u32| {
        let [base, ours, theirs] = [0, 1, 2].map(|text: usize| of(&lines[text], id));
        ours.max(theirs).max((ours + theirs).saturating_sub(base))
    };
    counts(merged.iter().map(|(id, _)| *id)).iter().any(|(id, count)| {
        // Blank lines are put in and taken out without meaning anything by it.
        *id != units::BLANK && *count > most_lines(id)
    }) || counts(merged.iter().filter_map(|(_, key)| *key))
        .iter()
        .any(|(key, count)| *count > of(&keys[0], key).max(of(&keys[1], key)))
}

/// Returns how often each of `all` is there.
fn counts<T: Eq + Hash>(all: impl Iterator<Item = T>) -> HashMap<T, usize> {
    let mut counts = HashMap::new();
    for one in all {
        *counts.entry(one).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
