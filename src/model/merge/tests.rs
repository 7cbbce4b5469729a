use proptest::prelude::*;

use super::*;

fn text(bytes: impl AsRef<[u8]>) -> Plaintext {
    Plaintext::new(bytes.as_ref().to_vec())
}

/// Returns the merge, none for a conflict; fails unless it is the same the other way round.
#[track_caller]
fn both_ways(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    let one = |ours: &[u8], theirs: &[u8]| match merge(Some(&text(base)), &text(ours), &text(theirs)) {
        Merged::Clean(text) => Some(text.expose().to_vec()),
        Merged::Conflict => None,
    };
    let merged = one(ours, theirs);
    assert_eq!(merged, one(theirs, ours), "the sides are alike");
    merged
}

#[track_caller]
fn clean(base: &str, ours: &str, theirs: &str, expected: &str) {
    let merged = both_ways(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
    let merged = merged.map(|text| String::from_utf8(text).unwrap());
    assert_eq!(merged.as_deref(), Some(expected), "{base:?} {ours:?} {theirs:?}");
}

#[track_caller]
fn conflict(base: &str, ours: &str, theirs: &str) {
    let merged = both_ways(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
    let merged = merged.map(|text| String::from_utf8(text).unwrap());
    assert_eq!(merged, None, "{base:?} {ours:?} {theirs:?}");
}

#[test]
fn what_one_side_changed_is_taken() {
    clean("pw\n", "new\n", "pw\n", "new\n");
    clean("pw\n", "new\n", "new\n", "new\n");
    clean("pw\nuser: a\n", "pw\n", "pw\nuser: a\n", "pw\n");
}

#[test]
fn neighbouring_lines_are_merged() {
    clean(
        "pw\nuser: a\nurl: x\n",
        "new\nuser: a\nurl: x\n",
        "pw\nuser: b\nurl: x\n",
        "new\nuser: b\nurl: x\n",
    );
    clean("pw\none\ntwo\nthree\n", "pw\n1\ntwo\n3\n", "pw\none\n2\nthree\n", "pw\n1\n2\n3\n");
    // One is gone, its neighbour changed.
    clean("pw\none\ntwo\nthree\n", "pw\ntwo\nthree\n", "pw\none\n2\nthree\n", "pw\n2\nthree\n");
    clean("pw\na\nb\nc\n", "pw\nc\n", "pw\na\n", "pw\n");
    // An insertion beside a changed line.
    clean("pw\none\ntwo\n", "pw\n1\ntwo\n", "pw\none\nnew\ntwo\n", "pw\n1\nnew\ntwo\n");
}

#[test]
fn what_both_changed_differently_is_a_conflict() {
    conflict("pw\n", "one\n", "other\n");
    conflict("pw\nuser: a\n", "pw\nuser: b\n", "pw\nuser: c\n");
    conflict("pw\nuser: a\n", "pw\n", "pw\nuser: c\n");
    conflict("pw\ntext\n", "pw\n", "pw\nother text\n");
}

#[test]
fn the_password_is_never_matched_with_another_line() {
    // The old password is kept below a new one; the other side changes a field.
    clean("old\nuser: a\n", "new\nold\nuser: a\n", "old\nuser: b\n", "new\nold\nuser: b\n");
    // Line 1 removed is a new password, in conflict with another one.
    conflict("old\nuser: a\n", "user: a\n", "new\nuser: a\n");
    clean("", "pw", "\nuser: a\n", "pw\nuser: a\n");
}

#[test]
fn insertions_in_one_place_are_merged_if_they_are_other_fields() {
    clean("pw\n", "pw\nurl: x\n", "pw\nuser: a\n", "pw\nurl: x\nuser: a\n");
    clean("pw\n", "pw\nz: 1\nb: 1\n", "pw\nc: 1\n", "pw\nb: 1\nc: 1\nz: 1\n");
    clean("pw\n", "pw\nurl: x\n", "pw\nurl: x\n", "pw\nurl: x\n");
    clean("pw\nold: 1\n", "new\nold: 1\ntext\n", "pw\nold: 2\ntext\n", "new\nold: 2\ntext\n");
    conflict("pw\n", "pw\nurl: x\n", "pw\nurl: y\n");
    conflict("pw\n", "pw\nurl: x\n", "pw\nURL: y\n");
    conflict("pw\n", "pw\nurl: x\n", "pw\nsome text\n");
    conflict("pw\n", "pw\none text\n", "pw\nother text\n");
}

#[test]
fn no_field_comes_to_be_there_twice() {
    // Added by both in different places; renamed to what the other adds; moved by both.
    conflict("pw\na: 1\nb: 2\n", "pw\nc: 1\na: 1\nb: 2\n", "pw\na: 1\nb: 2\nc: 2\n");
    conflict("pw\na: 1\nb: 2\n", "pw\nc: 1\nb: 2\n", "pw\na: 1\nb: 2\nc: 2\n");
    conflict("pw\nx\na\nb\nc\n", "pw\na\nx\nb\nc\n", "pw\na\nb\nc\nx\n");
    conflict("pw\na\n", "pw\notpauth://totp/x\na\n", "pw\na\notpauth://totp/y\n");
    // Who had it twice has it twice.
    clean("pw\na\n", "pw\nnote: 1\nnote: 2\na\n", "pw\nb\n", "pw\nnote: 1\nnote: 2\nb\n");
}

#[test]
fn a_field_is_matched_with_itself() {
    // Its neighbour was removed in the same block of changes.
    clean("pw\na: 1\nb: 2\nc: 3\n", "pw\nb: 4\nc: 3\n", "pw\na: 1\nb: 2\nc: 5\n", "pw\nb: 4\nc: 5\n");
    conflict("pw\na: 1\nb: 2\nc: 3\n", "pw\nb: 4\nc: 3\n", "pw\na: 1\nb: 5\nc: 3\n");
    clean("pw\na: 1\n", "pw\na: 2\nb: 1\n", "pw\na: 1\nc: 1\n", "pw\na: 2\nb: 1\nc: 1\n");
    // Both put something in; the other side changed what lies between.
    clean("pw\na: 1\nb: 2\n", "pw\nx: 0\na: 2\nb: 2\n", "pw\na: 1\nb: 3\n", "pw\nx: 0\na: 2\nb: 3\n");
}

#[test]
fn nothing_is_put_into_text_that_was_replaced() {
    conflict("pw\none\ntwo\n", "pw\nall\nnew\n", "pw\none\nmore\ntwo\n");
    conflict("pw\none\ntwo\n", "pw\nshort\n", "pw\none\nmore\ntwo\n");
    conflict("pw\none\ntwo\n", "pw\n", "pw\none\nmore\ntwo\n");
    // Nobody knows on which side of it.
    conflict("pw\none\nend\n", "pw\nnew\nmore\nend\n", "pw\none\nmore\nend\n");
    clean("pw\none\ntwo\n", "pw\nall\nnew\n", "pw\none\ntwo\nmore\n", "pw\nall\nnew\nmore\n");
    clean("pw\na: 1\nb: 1\n", "pw\n", "pw\na: 1\nx: 1\nb: 1\n", "pw\nx: 1\n");
}

#[test]
fn a_key_file_is_one_unit() {
    let key = |body: &str| format!("pw\n-----BEGIN X-----\n{body}\n-----END X-----\nnote\n");
    conflict(&key("1\n2\n3"), &key("a\n2\n3"), &key("1\n2\nb"));
    clean(
        &key("1\n2"),
        &key("3\n4"),
        &key("1\n2").replace("note", "new"),
        &key("3\n4").replace("note", "new"),
    );
    // Also where the entry is nothing else.
    let bare = |body: &str| format!("-----BEGIN X-----\n{body}\n-----END X-----\n");
    conflict(&bare("1\n2\n3"), &bare("a\n2\n3"), &bare("1\n2\nb"));
    // Without an end it is text.
    let open = |body: &str| format!("pw\n-----BEGIN X-----\n{body}\n");
    clean(&open("1\n2\n3"), &open("a\n2\n3"), &open("1\n2\nb"), &open("a\n2\nb"));
}

#[test]
fn the_final_line_break_is_merged() {
    clean("pw", "pw\n", "new", "new\n");
    clean("pw\n", "pw", "new\n", "new");
    clean("pw\na: 1", "pw\na: 1\n", "pw\na: 2", "pw\na: 2\n");
    clean("pw", "pw\na: 1", "pw\nb: 1\n", "pw\na: 1\nb: 1\n");
    // An empty last line is not lost for want of one.
    clean("pw\n\nb\nc", "pw\n\nc", "pw\n\nb", "pw\n\n");
    clean("pw\r\na: 1\r\n", "new\r\na: 1\r\n", "pw\r\na: 2\r\n", "new\r\na: 2\r\n");
}

#[test]
fn without_a_base_only_equal_texts_are_merged() {
    assert!(matches!(merge(None, &text("a\n"), &text("a\n")), Merged::Clean(t) if t.expose() == b"a\n"));
    assert!(matches!(merge(None, &text("a\n"), &text("a")), Merged::Conflict));
}

#[test]
fn huge_texts_take_bounded_time() {
    let lines = |from: usize| (from..from + 100_000).map(|n| format!("{n}\n")).collect::<String>();
    let begun = std::time::Instant::now();
    conflict(&lines(0), &lines(1_000_000), &lines(2_000_000));
    conflict(&"\n".repeat(8 << 20), &"\n".repeat((8 << 20) + 1), &"\n".repeat((8 << 20) - 1));
    clean(&lines(0), &format!("{}x: 1\n", lines(0)), &lines(0).replace("\n77\n", "\n78a\n"), &{
        format!("{}x: 1\n", lines(0).replace("\n77\n", "\n78a\n"))
    });
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// A line of few words, so that lines are often the same.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]{0,2}",
        "(k|l|m): [ab]?",
        Just("-----BEGIN X-----".to_owned()),
        Just("-----END X-----".to_owned())
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    (proptest::collection::vec(line(), 0..9), any::<bool>())
        .prop_map(|(lines, ends)| lines.join("\n") + if ends { "\n" } else { "" })
}

/// A text, and what two people made of it in a few steps each.
fn versions() -> impl Strategy<Value = [String; 3]> {
    let steps = || proptest::collection::vec((any::<prop::sample::Index>(), 0..3, line()), 0..4);
    (any_text(), steps(), steps()).prop_map(|(base, one, other)| {
        let edited = |steps: Vec<(prop::sample::Index, i32, String)>| {
            let mut lines: Vec<String> = base.split('\n').map(str::to_owned).collect();
            for (at, kind, line) in steps {
                let at = at.index(lines.len());
                match kind {
                    0 => lines[at] = line,
                    1 => lines.insert(at, line),
                    _ if lines.len() > 1 => drop(lines.remove(at)),
                    _ => {}
                }
            }
            lines.join("\n")
        };
        let (one, other) = (edited(one), edited(other));
        [base, one, other]
    })
}

/// Lines that may be changed in place: text, or fields with keys of their own.
fn plain_lines() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(("[ab]{0,2}", any::<bool>()), 2..10).prop_map(|lines| {
        let line = |(at, (word, field)): (usize, (String, bool))| {
            if field { format!("k{at}: {word}") } else { word }
        };
        lines.into_iter().enumerate().map(line).collect()
    })
}

/// Returns how often a text has each of its lines.
fn lines_of(text: &[u8]) -> HashMap<&[u8], usize> {
    counts(text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n'))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn sides_are_alike_whatever_they_hold(base: Vec<u8>, ours: Vec<u8>, theirs: Vec<u8>) {
        both_ways(&base, &ours, &theirs);
    }

    #[test]
    fn nothing_added_is_lost([base, ours, theirs] in versions()) {
        let Some(merged) = both_ways(base.as_bytes(), ours.as_bytes(), theirs.as_bytes()) else { return Ok(()) };
        let [base, ours, theirs] = [&base, &ours, &theirs].map(|text| lines_of(text.as_bytes()));
        let merged = lines_of(&merged);
        let count = |text: &HashMap<&[u8], usize>, line: &[u8]| text.get(line).copied().unwrap_or(0);
        for (line, times) in ours.iter().chain(&theirs) {
            // What was there before may go, if the other side took it away.
            let least = times.saturating_sub(count(&base, line));
            prop_assert!(count(&merged, line) >= least, "{line:?} in {merged:?}");
        }
        // Nor does anything come from nowhere.
        for line in merged.keys() {
            prop_assert!(count(&ours, line) + count(&theirs, line) > 0, "{line:?}");
        }
    }

    #[test]
    fn a_side_that_changed_nothing_gives_way(base in any_text(), other in any_text()) {
        prop_assert_eq!(both_ways(base.as_bytes(), base.as_bytes(), other.as_bytes()), Some(other.into_bytes()));
    }

    #[test]
    fn changes_of_different_lines_are_merged(
        lines in plain_lines(), one: prop::sample::Index, other: prop::sample::Index, ends: bool,
    ) {
        let one = one.index(lines.len());
        let other = (one + 1 + other.index(lines.len() - 1)) % lines.len();
        let is_open = lines.last().unwrap().is_empty();
        let with = |edits: &[(usize, &str)]| {
            let mut lines = lines.clone();
            for (at, word) in edits {
                lines[*at] = match lines[*at].split_once(": ") {
                    Some((key, _)) => format!("{key}: {word}"),
                    None => (*word).to_owned(),
                };
            }
            // An empty last line needs its break to be one.
            lines.join("\n") + if ends || is_open { "\n" } else { "" }
        };
        let base = with(&[]);
        let (ours, theirs, both) = (with(&[(one, "x")]), with(&[(other, "y")]), with(&[(one, "x"), (other, "y")]));
        let merged = both_ways(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
        prop_assert_eq!(merged.map(|text| String::from_utf8(text).unwrap()), Some(both));
    }

    #[test]
    fn versions_beside_each_other_are_whole(ours in any_text(), theirs in any_text()) {
        let (ours, theirs) = (text(ours), text(theirs));
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for part in pair(&ours, &theirs) {
            match part {
                Part::Same(units) => {
                    one.extend(units.clone());
                    other.extend(units);
                }
                Part::Differs(a, b) => {
                    prop_assert_ne!(&a, &b);
                    one.extend(a);
                    other.extend(b);
                }
            }
        }
        for (units, whole) in [(one, &ours), (other, &theirs)] {
            let bytes = whole.expose();
            prop_assert_eq!(units.join(&b'\n'), bytes.strip_suffix(b"\n").unwrap_or(bytes));
        }
    }
}
