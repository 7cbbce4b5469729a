//! What two versions of an entry say differently, line by line.

use std::ops::Range;

use crate::model::Plaintext;

/// So many pairs of lines are compared; beyond, all lines count as replaced.
const MOST: usize = 1 << 22;
/// The longest name of a field, in bytes.
const FIELD: usize = 32;

/// What a line is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label<'t> {
    /// The first line.
    Password,
    /// A line `NAME: VALUE`.
    Field(&'t [u8]),
    /// The line of this number, in the version that has it.
    Line(usize),
}

/// A line that changed. Never print it as it is: it is a secret.
pub struct Difference<'t> {
    /// What it is known by.
    pub label: Label<'t>,
    /// What it said; none if it is new.
    pub old: Option<&'t [u8]>,
    /// What it says; none if it is gone.
    pub new: Option<&'t [u8]>,
}

/// Returns the lines that two texts do not have in common, in order.
pub fn differences<'t>(old: &'t Plaintext, new: &'t Plaintext) -> Vec<Difference<'t>> {
    let (before, after) = (lines(old), lines(new));
    let (gone, come) = uncommon(&before, &after);
    let mut gone: Vec<(Label<'t>, usize)> = gone.into_iter().map(|at| (label(before[at], at), at)).collect();
    let mut found: Vec<(usize, Difference<'t>)> = Vec::new();
    for at in come {
        let label = label(after[at], at);
        let was = gone.iter().position(|(other, _)| *other == label).map(|place| gone.remove(place).1);
        found.push((at, Difference { label, old: was.map(|was| before[was]), new: Some(after[at]) }));
    }
    found.extend(
        gone.into_iter().map(|(label, at)| (at, Difference { label, old: Some(before[at]), new: None })),
    );
    found.sort_by_key(|(at, difference)| (*at, difference.new.is_some()));
    found.into_iter().map(|(_, difference)| difference).collect()
}

/// Returns the lines of a text without their line breaks.
fn lines(text: &Plaintext) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = text.expose().split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

/// Returns what the line at a place (from 0) is known by. A field's name is no secret; what only looks like one,
/// such as the first half of `1234:5678`, may be.
fn label(line: &[u8], at: usize) -> Label<'_> {
    if at == 0 {
        return Label::Password;
    }
    let end = line.iter().position(|byte| *byte == b':').filter(|end| (1..=FIELD).contains(end));
    let is_name = |name: &[u8]| {
        name[0].is_ascii_alphabetic()
            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b" _.-".contains(byte))
    };
    match end {
        Some(end) if is_name(&line[..end]) && matches!(line.get(end + 1), None | Some(b' ')) => {
            Label::Field(&line[..end])
        }
        _ => Label::Line(at + 1),
    }
}

/// Returns the places of lines that only either has, by a longest common subsequence.
fn uncommon(before: &[&[u8]], after: &[&[u8]]) -> (Vec<usize>, Vec<usize>) {
    let start = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let rest = before[start..].iter().rev().zip(after[start..].iter().rev());
    let end = rest.take_while(|(one, other)| one == other).count();
    let (rows, columns) = (start..before.len() - end, start..after.len() - end);
    if rows.len().saturating_mul(columns.len()) > MOST {
        return (rows.collect(), columns.collect());
    }
    let lengths = common_lengths(&before[rows.clone()], &after[columns.clone()]);
    let at = |row: usize, column: usize| lengths[row * (columns.len() + 1) + column];
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let (mut row, mut column) = (0, 0);
    while row < rows.len() && column < columns.len() {
        if before[start + row] == after[start + column] {
            (row, column) = (row + 1, column + 1);
        } else if at(row + 1, column) >= at(row, column + 1) {
            gone.push(start + row);
            row += 1;
        } else {
            come.push(start + column);
            column += 1;
        }
    }
    let left = |range: Range<usize>, done: usize| range.start + done..range.end;
    gone.extend(left(rows, row));
    come.extend(left(columns, column));
    (gone, come)
}

/// Returns how many lines the rests of both have in common, for every pair of rests.
fn common_lengths(before: &[&[u8]], after: &[&[u8]]) -> Vec<u32> {
    let width = after.len() + 1;
    let mut lengths = vec![0; (before.len() + 1) * width];
    for row in (0..before.len()).rev() {
        for column in (0..after.len()).rev() {
            lengths[row * width + column] = match before[row] == after[column] {
                true => lengths[(row + 1) * width + column + 1] + 1,
                false => lengths[(row + 1) * width + column].max(lengths[row * width + column + 1]),
            };
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: &str, new: &str) -> Vec<String> {
        let (old, new) = (Plaintext::new(old.into()), Plaintext::new(new.into()));
        let text =
            |line: Option<&[u8]>| line.map_or("-".into(), |line| String::from_utf8_lossy(line).into_owned());
        let one = |difference: &Difference<'_>| {
            let label = match difference.label {
                Label::Password => "password".to_owned(),
                Label::Field(name) => text(Some(name)),
                Label::Line(number) => number.to_string(),
            };
            format!("{label}|{}|{}", text(difference.old), text(difference.new))
        };
        differences(&old, &new).iter().map(one).collect()
    }

    #[test]
    fn names_what_changed() {
        assert_eq!(told("a\nuser: x\nz\n", "b\nuser: y\nz\n"), ["password|a|b", "user|user: x|user: y"]);
        assert_eq!(told("a\nx\ny\n", "a\ny\nurl: u\n"), ["2|x|-", "url|-|url: u"]);
        assert_eq!(told("a\n", "a"), [""; 0]);
        assert_eq!(told("", "a\n"), ["password|-|a"]);
        assert_eq!(told("a\n1234:5678\n", "a\n12:3\n"), ["2|1234:5678|12:3"]);
        assert_eq!(told("a\notpauth://x?s=1\n", "a\notpauth://x?s=2\n").len(), 1);
        assert_eq!(told("u: 1\n", "u: 2\n"), ["password|u: 1|u: 2"]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_in_common_is_in_both(old in "([a-c]:? ?\n){0,8}", new in "([a-c]:? ?\n?){0,8}") {
            let (old, new) = (Plaintext::new(old.into_bytes()), Plaintext::new(new.into_bytes()));
            let (before, after) = (lines(&old), lines(&new));
            let (gone, come) = uncommon(&before, &after);
            let rest = |lines: &[&[u8]], without: &[usize]| -> Vec<Vec<u8>> {
                let kept = lines.iter().enumerate().filter(|(at, _)| !without.contains(at));
                kept.map(|(_, line)| line.to_vec()).collect()
            };
            proptest::prop_assert_eq!(rest(&before, &gone), rest(&after, &come));
        }
    }
}
