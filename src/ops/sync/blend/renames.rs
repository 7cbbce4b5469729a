//! What one side moved, the other side's changes follow.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::git::compared::{Delta, Deltas, Item};

/// Moves those changes of the `other` side that concern files which `side` moved, unchanged, to where these are now;
/// and files that the other one added to a folder that was moved as a whole: nothing `is_left` of it.
pub fn follow(side: &mut Deltas, other: &mut Deltas, is_left: &dyn Fn(&Path) -> bool) {
    let moves = moves(side);
    if moves.is_empty() {
        return;
    }
    let mut folders = moved_folders(side, &moves);
    folders.retain(|folder, _| !is_left(folder));
    for (from, to) in &moves {
        let Some(changed) = other.get(from).copied() else { continue };
        if changed.new.is_none() || changed.new == changed.old || other.contains_key(to) {
            continue;
        }
        // As if both had found it at its new place.
        other.insert(to.clone(), changed);
        other.insert(from.clone(), Delta { old: changed.old, new: None });
        side.insert(to.clone(), Delta { old: changed.old, new: changed.old });
    }
    let added: Vec<(PathBuf, Delta)> = other
        .iter()
        .filter(|(_, delta)| delta.old.is_none() && delta.new.is_some())
        .map(|(path, delta)| (path.clone(), *delta))
        .collect();
    for (path, delta) in added {
        let moved = path.ancestors().skip(1).find_map(|folder| Some((folder, folders.get(folder)?)));
        let Some((from, to)) = moved else { continue };
        let place = to.join(path.strip_prefix(from).expect("it is an ancestor"));
        if !side.contains_key(&place) && !other.contains_key(&place) {
            other.remove(&path);
            other.insert(place, delta);
        }
    }
}

/// Returns the files that were moved as they are: by what stood at one path alone and stands at one other path alone.
fn moves(side: &Deltas) -> BTreeMap<PathBuf, PathBuf> {
    let mut gone: HashMap<Item, Vec<&PathBuf>> = HashMap::new();
    let mut come: HashMap<Item, Vec<&PathBuf>> = HashMap::new();
    for (path, delta) in side {
        match (delta.old, delta.new) {
            (Some(item), None) => gone.entry(item).or_default().push(path),
            (None, Some(item)) => come.entry(item).or_default().push(path),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    for (item, from) in gone {
        let to = come.get(&item).map_or(&[][..], Vec::as_slice);
        for from in &from {
            // Of several files that are the same, lists say, those go together whose folders do.
            let name = from.file_name();
            let same: Vec<&&PathBuf> = match to {
                [only] => vec![only],
                several => several.iter().filter(|to| to.file_name() == name).collect(),
            };
            if let [to] = same[..] {
                found.insert((*from).clone(), (*to).clone());
            }
        }
    }
    // Two files that are the same cannot both have become one.
    let mut targets: BTreeMap<&PathBuf, usize> = BTreeMap::new();
    found.values().for_each(|to| *targets.entry(to).or_default() += 1);
    let unclear: BTreeSet<PathBuf> =
        targets.into_iter().filter(|(_, count)| *count > 1).map(|(to, _)| to.clone()).collect();
    found.retain(|_, to| !unclear.contains(to));
    found
}

/// Returns the folders of which everything that `side` moved went to the same other folder, and nothing was removed.
fn moved_folders(side: &Deltas, moves: &BTreeMap<PathBuf, PathBuf>) -> HashMap<PathBuf, PathBuf> {
    let mut found: HashMap<PathBuf, Option<PathBuf>> = HashMap::new();
    for (from, to) in moves {
        // `a/b/x` that became `c/b/x` says that `a/b` became `c/b`, and `a` became `c`.
        let (mut from, mut to): (&Path, &Path) = (from, to);
        while from.file_name() == to.file_name() {
            let (Some(above), Some(above_to)) = (from.parent(), to.parent()) else { break };
            if above.as_os_str().is_empty() || above == above_to {
                break;
            }
            let known = found.entry(above.to_path_buf()).or_insert_with(|| Some(above_to.to_path_buf()));
            if known.as_deref() != Some(above_to) {
                *known = None;
            }
            (from, to) = (above, above_to);
        }
    }
    // A folder in which something stays, or comes, has not moved.
    let stays = |folder: &Path| {
        side.iter().any(|(path, delta)| {
            path.starts_with(folder) && (delta.new.is_some() || !moves.contains_key(path))
        })
    };
    found.into_iter().filter_map(|(from, to)| Some((from, to?))).filter(|(from, _)| !stays(from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Oid;

    fn item(id: u8) -> Item {
        Item { id: Oid::from_bytes(&[id; 20]).unwrap(), mode: 0o100_644 }
    }

    fn deltas(all: &[(&str, u8, u8)]) -> Deltas {
        let some = |id| (id > 0).then(|| item(id));
        all.iter().map(|(path, old, new)| (path.into(), Delta { old: some(*old), new: some(*new) })).collect()
    }

    #[test]
    fn a_change_follows_the_file_that_was_moved() {
        let mut side = deltas(&[("a.gpg", 1, 0), ("b.gpg", 0, 1)]);
        let mut other = deltas(&[("a.gpg", 1, 2)]);
        follow(&mut side, &mut other, &|_| false);
        assert_eq!(other, deltas(&[("a.gpg", 1, 0), ("b.gpg", 1, 2)]));
        assert_eq!(side, deltas(&[("a.gpg", 1, 0), ("b.gpg", 1, 1)]));
    }

    #[test]
    fn what_is_added_to_a_folder_that_was_moved_goes_along() {
        let mut side =
            deltas(&[("c/x/.gpg-id", 9, 0), ("c/x/a.gpg", 1, 0), ("d/x/.gpg-id", 0, 9), ("d/x/a.gpg", 0, 1)]);
        let before = side.clone();
        let mut other = deltas(&[("c/x/new.gpg", 0, 3), ("c/y.gpg", 0, 4)]);
        follow(&mut side, &mut other, &|_| false);
        assert_eq!(other, deltas(&[("d/x/new.gpg", 0, 3), ("d/y.gpg", 0, 4)]));
        assert_eq!(side, before);
    }

    #[test]
    fn a_folder_in_which_something_is_removed_or_changed_has_not_moved() {
        for stays in [("c/z.gpg", 5, 0), ("c/z.gpg", 5, 6), ("c/z.gpg", 0, 6)] {
            let mut side = deltas(&[("c/a.gpg", 1, 0), ("d/a.gpg", 0, 1), stays]);
            let mut other = deltas(&[("c/new.gpg", 0, 3)]);
            follow(&mut side, &mut other, &|_| false);
            assert_eq!(other, deltas(&[("c/new.gpg", 0, 3)]));
        }
    }

    #[test]
    fn files_that_are_the_same_are_told_apart_by_name_or_not_at_all() {
        let mut side = deltas(&[("a.gpg", 1, 0), ("b.gpg", 1, 0), ("x/a.gpg", 0, 1), ("y/b.gpg", 0, 1)]);
        let mut other = deltas(&[("a.gpg", 1, 2)]);
        follow(&mut side, &mut other, &|_| false);
        assert!(other.contains_key(Path::new("x/a.gpg")));
        let mut side = deltas(&[("a.gpg", 1, 0), ("b.gpg", 1, 0), ("c.gpg", 0, 1)]);
        let mut other = deltas(&[("a.gpg", 1, 2)]);
        follow(&mut side, &mut other, &|_| false);
        assert_eq!(other, deltas(&[("a.gpg", 1, 2)]));
    }
}
