//! What a text consists of: the password, fields, lines and enclosed blocks.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// The number of the empty line.
pub const BLANK: u32 = 0;

/// What begins and ends a block that is one unit (RFC 7468 and its like: SSH keys, PGP armour).
const BEGIN: &[u8] = b"-----BEGIN";
const END: &[u8] = b"-----END";

/// The longest key of a field; what is longer is a sentence with a colon in it.
const LONGEST_KEY: usize = 64;

/// A text as units. All of them lie in the text itself: nothing is copied.
pub struct Text<'a> {
    /// The password, or the block that begins the text.
    pub first: &'a [u8],
    /// What follows, each without its last line break.
    pub units: Vec<&'a [u8]>,
    /// Equal numbers stand for equal units, in all texts that were read together.
    pub ids: Vec<u32>,
    /// Likewise for the keys of fields.
    pub keys: Vec<Option<u32>>,
    /// Whether the text ends in a line break.
    pub ends: bool,
}

impl<'a> Text<'a> {
    /// Whether `own` and those of the other text are all fields, of which no two have the same key.
    pub fn are_other_fields(&self, own: Range<usize>, other: &Text<'_>, others: Range<usize>) -> bool {
        let (own, others) = (&self.keys[own], &other.keys[others]);
        let all = own.iter().chain(others).all(Option::is_some);
        // Both are short, or their owner would wait: what is compared is bounded by the cap on changes.
        all && !own.iter().any(|key| others.contains(key))
    }
}

/// Reads texts that are to be compared.
#[derive(Default)]
pub struct Texts<'a> {
    ids: HashMap<&'a [u8], u32>,
    keys: HashMap<Key<'a>, u32>,
}

impl<'a> Texts<'a> {
    /// Reads a text.
    pub fn read(&mut self, text: &'a [u8]) -> Text<'a> {
        self.ids.entry(b"").or_insert(BLANK);
        let ends = text.ends_with(b"\n");
        let lines = lines(text.strip_suffix(b"\n").unwrap_or(text));
        let mut units = units(text, &lines);
        let first = units.remove(0);
        let ids = units.iter().map(|unit| number(&mut self.ids, *unit)).collect();
        let keys = units.iter().map(|unit| Some(number(&mut self.keys, Key::of(unit)?))).collect();
        Text { first, units, ids, keys, ends }
    }
}

/// Returns the number of a thing, a new one for a new thing.
fn number<K: Eq + Hash>(known: &mut HashMap<K, u32>, thing: K) -> u32 {
    let next = u32::try_from(known.len()).expect("texts of so many lines are not read");
    *known.entry(thing).or_insert(next)
}

/// Returns where lines are, without their breaks; there is at least one.
fn lines(text: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let line = |line: &[u8]| {
        let range = start..start + line.len();
        start = range.end + 1;
        range
    };
    text.split(|byte| *byte == b'\n').map(line).collect()
}

/// Returns lines as units: those of a block as one.
fn units<'a>(text: &'a [u8], lines: &[Range<usize>]) -> Vec<&'a [u8]> {
    let begins = |line: &Range<usize>, with: &[u8]| text[line.clone()].trim_ascii_start().starts_with(with);
    let last_end = lines.iter().rposition(|line| begins(line, END)).unwrap_or(0);
    let mut units = Vec::with_capacity(lines.len());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let mut last = at;
        // A block without end is none.
        if at < last_end && begins(line, BEGIN) {
            last = (at..).find(|line| begins(&lines[*line], END)).expect("there is one further down");
        }
        units.push(&text[line.start..lines[last].end]);
        at = last + 1;
    }
    units
}

/// The key of a field; upper and lower case are the same.
#[derive(Clone, Copy)]
pub struct Key<'a>(&'a [u8]);

impl<'a> Key<'a> {
    /// Returns the key of a unit that is a field: `key: value`, `key:`, or the address that one-time passwords
    /// are made from, of which an entry has one.
    pub fn of(unit: &'a [u8]) -> Option<Self> {
        if unit.starts_with(BEGIN) {
            return None;
        }
        let colon = unit.iter().take(LONGEST_KEY + 1).position(|byte| *byte == b':')?;
        let (key, rest) = (&unit[..colon], &unit[colon + 1..]);
        let spaced = matches!(rest.first(), None | Some(b' ' | b'\t' | b'\r'));
        let is_key = !key.is_empty() && key.trim_ascii() == key && (spaced || is_otp(unit));
        is_key.then_some(Key(key))
    }

    /// Returns its bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Whether a line is an address of one-time passwords, as pass-otp keeps them.
fn is_otp(line: &[u8]) -> bool {
    line.starts_with(b"otpauth://")
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Key<'_> {}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0 {
            byte.to_ascii_lowercase().hash(state);
        }
    }
}
