//! What a power cut leaves of a disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::disk::{Change, Disk, File, Folder, Ino, ROOT};
use super::random::Random;

/// What is lost besides the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Everything that was not synced.
    Unsynced,
    /// No name and no length that a file was cut to, but all data written since its last sync: files that
    /// are new or were emptied are empty (delayed allocation).
    Data,
    /// Something of both, chosen by this seed: of each folder's changes the last ones; of each file's data
    /// all, nothing, or a part.
    Some(u64),
}

/// The disk as the next boot finds it; folders of the root named in `volatile` are memory and come empty.
pub fn cut(disk: &Disk, cut: Cut, volatile: &[&str]) -> Disk {
    let mut left = disk.clone();
    let mut random = Random::new(if let Cut::Some(seed) = cut { seed } else { 0 });
    let lasting = match cut {
        Cut::Unsynced => Vec::new(),
        Cut::Data => left.pending.clone(),
        Cut::Some(_) => some_changes(&left.pending, &mut random),
    };
    left.make_durable(lasting);
    let memory: BTreeSet<Ino> = volatile.iter().filter_map(|name| left.find(Path::new(name)).ok()).collect();
    let names = |ino: Ino, folder: &Folder| match memory.contains(&ino) {
        true => BTreeMap::new(),
        false => folder.durable.clone(),
    };
    left.rebuilt(ROOT + 1, names, |file| data_left(file, cut, &mut random))
}

/// Of each folder's changes a leading part; a change of two folders waits for both.
fn some_changes(pending: &[Change], random: &mut Random) -> Vec<Change> {
    let mut stopped = BTreeSet::new();
    let mut lasting = Vec::new();
    for change in pending {
        let folders = change.0.iter().map(|(folder, ..)| *folder);
        if folders.clone().any(|folder| stopped.contains(&folder)) || random.below(4) == 0 {
            stopped.extend(folders);
        } else {
            lasting.push(change.clone());
        }
    }
    lasting
}

fn data_left(file: &File, cut: Cut, random: &mut Random) -> Arc<Vec<u8>> {
    let synced = || file.synced.clone().unwrap_or_default();
    let cut_short = || Arc::new(synced()[..file.floor.min(synced().len())].to_vec());
    match cut {
        _ if file.synced.as_ref() == Some(&file.data) => return synced(),
        Cut::Unsynced => return synced(),
        Cut::Data => return cut_short(),
        Cut::Some(_) => (),
    }
    match random.below(6) {
        0 => synced(),
        5 => cut_short(),
        1 => Arc::clone(&file.data),
        2 => Arc::default(),
        3 => Arc::new(vec![0; file.data.len()]),
        _ => Arc::new(file.data[..file.data.len() / 2].to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::super::disk::{Body, Rename};
    use super::*;

    fn holds(disk: &Disk, path: &str) -> Option<Vec<u8>> {
        let ino = disk.find(Path::new(path)).ok()?;
        Some(disk.file(ino).expect("a file").data.to_vec())
    }

    fn with_file(name: &str, text: &[u8]) -> (Disk, Ino) {
        let mut disk = Disk::new();
        let ino = disk.create(ROOT, OsStr::new(name), Body::File(File::default()), 0o600).unwrap();
        disk.write(ino, 0, text).unwrap();
        (disk, ino)
    }

    #[test]
    fn data_lasts_with_the_file_and_names_with_the_folder() {
        let (mut disk, file) = with_file("a", b"text");
        assert_eq!(holds(&cut(&disk, Cut::Unsynced, &[]), "a"), None);
        assert_eq!(holds(&cut(&disk, Cut::Data, &[]), "a"), Some(vec![]));
        disk.sync_folder(ROOT);
        assert_eq!(holds(&cut(&disk, Cut::Unsynced, &[]), "a"), Some(vec![]));
        disk.sync_file(file, false).unwrap();
        assert_eq!(holds(&cut(&disk, Cut::Unsynced, &[]), "a"), Some(b"text".to_vec()));
    }

    #[test]
    fn a_file_that_was_emptied_and_written_again_may_be_empty() {
        let (mut disk, file) = with_file("a", b"text");
        disk.sync_folder(ROOT);
        disk.sync_file(file, false).unwrap();
        disk.resize(file, 0).unwrap();
        disk.write(file, 0, b"more").unwrap();
        assert_eq!(holds(&cut(&disk, Cut::Unsynced, &[]), "a"), Some(b"text".to_vec()));
        assert_eq!(holds(&cut(&disk, Cut::Data, &[]), "a"), Some(vec![]));
    }

    #[test]
    fn a_rename_lasts_whole_once_one_folder_is_synced() {
        let (mut disk, file) = with_file("a", b"text");
        let folder = disk.create(ROOT, OsStr::new("f"), Body::Folder(Folder::default()), 0o700).unwrap();
        disk.sync_file(file, false).unwrap();
        disk.sync_folder(ROOT);
        disk.rename((ROOT, OsStr::new("a")), (folder, OsStr::new("b")), Rename::Replace).unwrap();
        assert_eq!(holds(&cut(&disk, Cut::Unsynced, &[]), "a"), Some(b"text".to_vec()));
        disk.sync_folder(folder);
        let left = cut(&disk, Cut::Unsynced, &[]);
        assert_eq!((holds(&left, "a"), holds(&left, "f/b")), (None, Some(b"text".to_vec())));
    }

    #[test]
    fn a_second_sync_does_not_save_what_the_first_one_lost() {
        let (mut disk, file) = with_file("a", b"text");
        disk.sync_folder(ROOT);
        disk.sync_file(file, true).unwrap();
        disk.sync_file(file, false).unwrap();
        assert_eq!(holds(&cut(&disk, Cut::Unsynced, &[]), "a"), Some(vec![]));
        disk.write(file, 0, b"text").unwrap();
        disk.sync_file(file, false).unwrap();
        assert_eq!(holds(&cut(&disk, Cut::Unsynced, &[]), "a"), Some(b"text".to_vec()));
    }
}
