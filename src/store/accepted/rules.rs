//! What groups and rules said when they were accepted.

use std::collections::{BTreeMap, BTreeSet};

/// What groups and rules say, in words: by what they are of. What says nothing has no words.
pub type Rules = BTreeMap<String, BTreeSet<String>>;

/// The form of the record: the words in one line, separated by blanks.
pub(super) type Written = BTreeMap<String, String>;

/// Returns rules as the record has them.
pub(super) fn written(rules: &Rules) -> Written {
    let line = |words: &BTreeSet<String>| words.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    rules.iter().map(|(of, words)| (of.clone(), line(words))).collect()
}

/// Reads rules of the record.
pub(super) fn read(written: Written) -> Rules {
    let words = |line: String| line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    written.into_iter().map(|(of, line)| (of, words(line))).collect()
}

/// Sets what changes; what has no words any more is gone.
pub(super) fn set(rules: &mut Rules, change: Rules) {
    rules.extend(change);
    rules.retain(|_, words| !words.is_empty());
}
