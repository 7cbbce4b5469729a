//! Where what a commit adds has come from.
//!
//! git records no moves. A file that is added where another one with the same content is removed was moved. An
//! entry that was encrypted anew on its way has other content: whether two say the same, only who can decrypt
//! both can tell, and only a few pairs are asked about. What a commit's subject says of a move helps to find
//! them, and is believed in nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use git2::Oid;

use super::history::Changed;
use crate::model::entry::is_entry;

/// So many removed entries are compared with each added one where nothing else says which it was.
const FEW: usize = 4;

/// For each path that a commit adds by a move, the one that it was moved from.
pub type Moves = BTreeMap<PathBuf, PathBuf>;

/// Whether the messages in two blobs say the same.
pub type Same<'f> = dyn FnMut(Oid, Oid) -> bool + 'f;

/// Returns for each path that a commit adds the removed one that it was moved from, if it was.
pub fn moves(changes: &[Changed], subject: &[u8], same: &mut Same<'_>) -> Moves {
    let mut free: BTreeSet<&Path> = removed(changes).map(|change| &*change.path).collect();
    let mut found = Moves::new();
    for change in changes.iter().filter(|change| change.is_added()) {
        if free.is_empty() {
            break;
        }
        if let Some(from) = moved_from(change, changes, &free, subject, same) {
            free.remove(&*from);
            found.insert(change.path.clone(), from);
        }
    }
    found
}

/// Returns the removed path that one added file was moved from, if it was.
pub fn source(path: &Path, changes: &[Changed], subject: &[u8], same: &mut Same<'_>) -> Option<PathBuf> {
    let added = changes.iter().find(|change| change.path == path)?;
    let free = removed(changes).map(|change| &*change.path).collect();
    moved_from(added, changes, &free, subject, same)
}

/// Returns the path that one added file was moved from, of those in `free`.
fn moved_from(
    added: &Changed,
    changes: &[Changed],
    free: &BTreeSet<&Path>,
    subject: &[u8],
    same: &mut Same<'_>,
) -> Option<PathBuf> {
    let blob = added.after?;
    let gone: Vec<&Changed> = removed(changes)
        .filter(|change| free.contains(&*change.path) && *change.path != *added.path)
        .collect();
    let is_named_alike = |change: &&&Changed| change.path.file_name() == added.path.file_name();
    let alike: Vec<&&Changed> = gone.iter().filter(|change| change.before() == Some(blob)).collect();
    if let Some(found) = alike.iter().find(|change| is_named_alike(change)).or(alike.first()) {
        return Some(found.path.clone());
    }
    if !is_entry(&added.path) {
        return None;
    }
    let hinted = sources(subject, "Rename ", &added.path);
    let hinted = hinted.iter().filter_map(|path| gone.iter().find(|change| change.path == *path));
    let named_alike = gone.iter().filter(is_named_alike);
    let others = gone.iter().filter(|_| gone.len() <= FEW);
    let mut asked = BTreeSet::new();
    for candidate in hinted.chain(named_alike.take(FEW)).chain(others) {
        let Some(before) = candidate.before().filter(|_| is_entry(&candidate.path)) else { continue };
        if asked.insert(&*candidate.path) && same(before, blob) {
            return Some(candidate.path.clone());
        }
    }
    None
}

/// Returns what a commit removes.
fn removed(changes: &[Changed]) -> impl Iterator<Item = &Changed> {
    changes.iter().filter(|change| change.after.is_none())
}

/// Returns the paths that the entry at `path` may have come from, by a subject of pass's: `Rename A to B.`, or
/// `Copy A to B.`; entries or folders, B the new name or the folder to put them in.
pub fn sources(subject: &[u8], verb: &str, path: &Path) -> Vec<PathBuf> {
    let named = subject.strip_prefix(verb.as_bytes()).and_then(|rest| rest.strip_suffix(b"."));
    let Some(named) = named else { return Vec::new() };
    let name = path.with_extension("");
    let mut found = Vec::new();
    // A name may hold ` to ` itself.
    for at in 0..named.len() {
        let Some(to) = named[at..].strip_prefix(b" to ") else { continue };
        let (from, to) = (plain(&named[..at]), plain(to));
        let Some(last) = from.file_name() else { continue };
        for top in [to.clone(), to.join(last)] {
            let Ok(rest) = name.strip_prefix(&top) else { continue };
            let mut file =
                if rest.as_os_str().is_empty() { from.clone() } else { from.join(rest) }.into_os_string();
            file.push(".gpg");
            found.push(file.into());
        }
    }
    found
}

/// Returns a name as it was typed without needless slashes and dots.
fn plain(name: &[u8]) -> PathBuf {
    Path::new(OsStr::from_bytes(name.trim_ascii_start())).components().filter(is_name).collect()
}

fn is_name(part: &std::path::Component<'_>) -> bool {
    matches!(part, std::path::Component::Normal(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> Oid {
        Oid::from_bytes(&[byte; 20]).unwrap()
    }

    fn change(path: &str, before: u8, after: u8) -> Changed {
        let blob = |byte| (byte != 0).then(|| id(byte));
        Changed { path: path.into(), before: vec![blob(before)], after: blob(after) }
    }

    #[test]
    fn what_is_the_same_to_the_byte_was_moved() {
        let changes = [
            change("a/x.gpg", 1, 0),
            change("a/y.gpg", 1, 0),
            change("b/y.gpg", 0, 1),
            change("c.gpg", 0, 1),
            change("d.gpg", 0, 1),
            change("e.gpg", 2, 1),
        ];
        let found = moves(&changes, b"", &mut |_, _| panic!("nothing is decrypted"));
        let paths = |from: &str, to: &str| (PathBuf::from(to), PathBuf::from(from));
        assert_eq!(found, [paths("a/y.gpg", "b/y.gpg"), paths("a/x.gpg", "c.gpg")].into());
    }

    #[test]
    fn what_was_encrypted_anew_is_compared_and_a_subject_not_believed() {
        let changes = [change("a.gpg", 1, 0), change("b.gpg", 2, 0), change("c.gpg", 0, 3)];
        let found = |equal: u8, subject: &str| {
            let found = moves(&changes, subject.as_bytes(), &mut |old, _| old == id(equal));
            found.into_values().next()
        };
        assert_eq!(found(2, "Rename a to c."), Some("b.gpg".into()));
        assert_eq!(found(9, "Rename a to c."), None);
        let mut many: Vec<Changed> = (10..20).map(|n| change(&format!("{n}.gpg"), n, 0)).collect();
        many.push(change("c/x.gpg", 0, 3));
        let mut asked = Vec::new();
        moves(&many, b"Rename 12 to c/x.", &mut |old, _| {
            asked.push(old);
            false
        });
        assert_eq!(asked, [id(12)]);
    }

    #[test]
    fn subjects_name_entries_and_folders() {
        let sources = |subject: &str, path: &str| {
            let found = sources(subject.as_bytes(), "Rename ", Path::new(path));
            found.into_iter().map(|path| path.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(sources("Rename a to b.", "b.gpg"), ["a.gpg"]);
        assert_eq!(sources("Rename web/a to new/.", "new/a.gpg"), ["web/a/a.gpg", "web/a.gpg"]);
        assert_eq!(sources("Rename web to new.", "new/x/y.gpg"), ["web/x/y.gpg"]);
        assert_eq!(sources("Rename a to b to c.", "c.gpg"), ["a to b.gpg"]);
        assert!(sources("Rename a to b", "b.gpg").is_empty() && sources("Copy a to b.", "b.gpg").is_empty());
        assert_eq!(sources("Rename ../../a to b.", "b.gpg"), ["a.gpg"]);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_subjects_do_no_harm(subject: Vec<u8>, path: Vec<u8>) {
            sources(&[b"Rename ", &subject[..], b"."].concat(), "Rename ", Path::new(OsStr::from_bytes(&path)));
        }
    }
}
