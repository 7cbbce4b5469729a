//! The patterns of `find`: those of tree(1) 2.1.0, ignoring the case of ASCII letters.
//!
//! `*` any characters, `?` one, `[a-z]` and `[^a-z]` one of a class, `\` takes the next as it is, `a|b`
//! either, a final `/` folders only. Kept on purpose, since the output is to be the same: a malformed
//! pattern (`[` without `]`, an empty side of `|`) matches, and after `**` names match only from their
//! beginning.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

/// What names are searched for.
pub struct Pattern(Vec<u8>);

/// How a text compares with a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    No,
    Yes,
    /// The pattern is malformed at the place reached.
    Malformed,
}

use Outcome::{Malformed, No, Yes};

impl From<bool> for Outcome {
    fn from(yes: bool) -> Self {
        if yes { Yes } else { No }
    }
}

impl Pattern {
    /// Returns the pattern for names that hold any of `terms`, composed as pass does: `*a*|*b*`.
    pub fn any_of(terms: &[OsString]) -> Self {
        let parts: Vec<Vec<u8>> = terms.iter().map(|term| [b"*", term.as_bytes(), b"*"].concat()).collect();
        Pattern(parts.join(&b'|'))
    }

    /// Whether `name` matches; `folder` says whether it is a folder's.
    pub fn matches(&self, name: &[u8], folder: bool) -> bool {
        either(name, &self.0, folder) != No
    }
}

/// Compares with the alternatives of `pattern`, from the left.
fn either(text: &[u8], pattern: &[u8], folder: bool) -> Outcome {
    let Some(bar) = pattern.iter().position(|b| *b == b'|') else {
        return one(text, pattern, folder);
    };
    if bar == 0 || bar + 1 == pattern.len() {
        return Malformed;
    }
    match one(text, &pattern[..bar], folder) {
        No => either(text, &pattern[bar + 1..], folder),
        found => found,
    }
}

/// Compares with a pattern without alternatives.
fn one(text: &[u8], pattern: &[u8], folder: bool) -> Outcome {
    let (mut t, mut p, mut before) = (0, 0, 0);
    while let Some(&byte) = pattern.get(p) {
        let fits = match byte {
            b'*' => return star(text.get(t..).unwrap_or_default(), &pattern[p + 1..], before, folder),
            b'?' => t < text.len(),
            b'/' if p + 1 == pattern.len() && t >= text.len() => return folder.into(),
            b'/' => at(text, t) == b'/',
            b'[' => match class(at(text, t), pattern, p + 1) {
                Some((end, fits)) => {
                    p = end;
                    fits
                }
                None => return Malformed,
            },
            b'\\' => {
                p += 1;
                p < pattern.len() && same(at(text, t), pattern[p])
            }
            byte => same(at(text, t), byte),
        };
        if !fits {
            return No;
        }
        before = at(pattern, p);
        (t, p) = (t + 1, p + 1);
    }
    (t >= text.len()).into()
}

/// Compares with `*` or `**` and what follows; `before` is the pattern's byte in front of the star.
fn star(text: &[u8], rest: &[u8], before: u8, folder: bool) -> Outcome {
    match rest {
        [] => (!text.contains(&b'/')).into(),
        [b'*'] => Yes,
        [b'*', rest @ ..] => double_star(text, rest, before, folder),
        rest => {
            let end = text.iter().skip(1).position(|b| *b == b'/').map_or(text.len(), |slash| slash + 1);
            let found = (0..=end).map(|start| one(&text[start..], rest, folder));
            found.into_iter().find(|outcome| *outcome != No).unwrap_or(No)
        }
    }
}

/// Compares with `**` and what follows, at the text's beginning and then at every slash.
fn double_star(text: &[u8], rest: &[u8], before: u8, folder: bool) -> Outcome {
    let mut start = 0;
    loop {
        let outcome = one(&text[start..], rest, folder);
        if outcome != No || start == text.len() {
            return outcome;
        }
        // Between two slashes it may also stand for nothing.
        if let ([b'/', nothing @ ..], b'/', false) = (rest, before, rest.len() == 1) {
            let outcome = one(&text[start..], nothing, folder);
            if outcome != No {
                return outcome;
            }
        }
        let skipped = text[start + 1..].iter().position(|b| *b == b'/');
        start = skipped.map_or(text.len(), |slash| start + 1 + slash);
    }
}

/// Returns where the class that begins at `p` (behind its `[`) ends, and whether `byte` is of it; none if
/// it does not end. Ranges compare signed bytes, as C does on most machines.
fn class(byte: u8, pattern: &[u8], mut p: usize) -> Option<(usize, bool)> {
    let inside = at(pattern, p) != b'^';
    p += usize::from(!inside);
    let mut fits = !inside;
    while at(pattern, p) != b']' {
        p += usize::from(at(pattern, p) == b'\\');
        let first = *pattern.get(p)?;
        if at(pattern, p + 1) == b'-' {
            p += 2;
            p += usize::from(at(pattern, p) == b'\\');
            let within = (lower(first)..=lower(*pattern.get(p)?)).contains(&lower(byte));
            fits = if within { inside } else { fits };
        } else if same(first, byte) {
            fits = inside;
        }
        p += 1;
    }
    Some((p, fits))
}

/// Returns the byte at `index`, 0 behind the end, as C strings have it.
fn at(bytes: &[u8], index: usize) -> u8 {
    bytes.get(index).copied().unwrap_or(0)
}

fn lower(byte: u8) -> i8 {
    byte.to_ascii_lowercase().cast_signed()
}

fn same(a: u8, b: u8) -> bool {
    a.eq_ignore_ascii_case(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(term: &str, name: &str) -> bool {
        Pattern::any_of(&[OsString::from(term)]).matches(name.as_bytes(), false)
    }

    #[test]
    fn finds_parts_of_names_in_any_case() {
        for (term, name) in
            [("b", "aBc"), ("", "x"), ("a?c", "xabcx"), ("[a-c]2", "B2"), ("[^x]", "xy"), ("a|z", "za")]
        {
            assert!(matches(term, name), "{term} {name}");
        }
        for (term, name) in [("b", "acd"), ("a?c", "ac"), ("[a-c]2", "d2"), ("\\*", "a"), ("*x", "ax")] {
            assert!(!matches(term, name), "{term} {name}");
        }
    }

    #[test]
    fn malformed_patterns_match() {
        for term in ["[", "[a-", "a||b"] {
            assert!(matches(term, "zzz"), "{term}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_pattern(term in "[]\\[*?^|/\\\\ab-]{0,12}", name in "[ab/-]{0,12}") {
            Pattern::any_of(&[term.into()]).matches(name.as_bytes(), true);
        }
    }
}
