//! A disk in memory that knows, besides what is on it, what would still be there after a power cut.
//!
//! The rules are POSIX's, stricter than any one file system: the data of a file lasts once *the file* was
//! synced, a name in a folder once *the folder* was synced (changes of one folder last in their order; a
//! rename between two folders is one change of both).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustix::io::Errno;

/// The number of a file, folder or link.
pub type Ino = u64;
/// The number of the uppermost folder.
pub const ROOT: Ino = 1;

/// A regular file.
#[derive(Clone, Default)]
pub struct File {
    /// What a reader sees.
    pub data: Arc<Vec<u8>>,
    /// What a power cut leaves, where the file's name lasts; `None` before the first sync.
    pub synced: Option<Arc<Vec<u8>>>,
    /// The smallest length since the last sync: a new length may last without the data written after it.
    pub floor: usize,
    /// A sync failed: the kernel has dropped the pages, so that a second sync succeeds and saves nothing.
    pub poisoned: bool,
}

/// A folder: names now, and names that a power cut leaves.
#[derive(Clone, Default)]
pub struct Folder {
    /// What a reader sees.
    pub now: BTreeMap<OsString, Ino>,
    /// What a power cut leaves.
    pub durable: BTreeMap<OsString, Ino>,
}

/// What stands behind a name.
#[derive(Clone)]
pub enum Body {
    /// A regular file.
    File(File),
    /// A folder.
    Folder(Folder),
    /// A symbolic link and its target.
    Link(PathBuf),
}

/// A file, folder or link with its attributes.
#[derive(Clone)]
pub struct Node {
    /// Content.
    pub body: Body,
    /// Permission bits.
    pub mode: u16,
    /// Number of names (files and links).
    pub names: u32,
    /// Time of the last change of the content.
    pub modified: SystemTime,
}

/// One change of names that lasts or is lost as a whole: folder, name, what it names afterwards.
#[derive(Clone)]
pub struct Change(pub Vec<(Ino, OsString, Option<Ino>)>);

/// The disk.
#[derive(Clone)]
pub struct Disk {
    nodes: BTreeMap<Ino, Node>,
    next: Ino,
    /// Changes of names that no sync has saved yet, oldest first.
    pub pending: Vec<Change>,
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        let mut disk = Disk { nodes: BTreeMap::new(), next: ROOT, pending: Vec::new() };
        disk.add(Body::Folder(Folder::default()), 0o700);
        disk
    }

    fn add(&mut self, body: Body, mode: u16) -> Ino {
        let ino = self.next;
        self.next += 1;
        self.nodes.insert(ino, Node { body, mode, names: 1, modified: SystemTime::now() });
        ino
    }

    /// The node of that number; a number from an earlier disk is stale.
    pub fn node(&self, ino: Ino) -> Result<&Node, Errno> {
        self.nodes.get(&ino).ok_or(Errno::STALE)
    }

    fn node_mut(&mut self, ino: Ino) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&ino).ok_or(Errno::STALE)
    }

    /// The folder of that number.
    pub fn folder(&self, ino: Ino) -> Result<&Folder, Errno> {
        match &self.node(ino)?.body {
            Body::Folder(folder) => Ok(folder),
            _ => Err(Errno::NOTDIR),
        }
    }

    fn folder_mut(&mut self, ino: Ino) -> Result<&mut Folder, Errno> {
        let node = self.node_mut(ino)?;
        node.modified = SystemTime::now();
        match &mut node.body {
            Body::Folder(folder) => Ok(folder),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// The file of that number.
    pub fn file(&self, ino: Ino) -> Result<&File, Errno> {
        match &self.node(ino)?.body {
            Body::File(file) => Ok(file),
            _ => Err(Errno::INVAL),
        }
    }

    /// What the name stands for in that folder.
    pub fn lookup(&self, parent: Ino, name: &OsStr) -> Result<Ino, Errno> {
        self.folder(parent)?.now.get(name).copied().ok_or(Errno::NOENT)
    }

    /// The number of what the path names, counted from the root.
    pub fn find(&self, path: &Path) -> Result<Ino, Errno> {
        path.iter().try_fold(ROOT, |folder, name| self.lookup(folder, name))
    }

    /// The path of a node, for messages; its number where no name is left.
    pub fn path_of(&self, ino: Ino) -> PathBuf {
        let named = self.walk().into_iter().find(|(_, number)| *number == ino);
        named.map_or_else(|| PathBuf::from(format!("(nameless {ino})")), |(path, _)| path)
    }

    /// Every path below the root, with its number.
    pub fn walk(&self) -> BTreeMap<PathBuf, Ino> {
        let mut found = BTreeMap::new();
        let mut open = vec![(PathBuf::new(), ROOT)];
        while let Some((path, ino)) = open.pop() {
            if let Ok(folder) = self.folder(ino) {
                open.extend(folder.now.iter().map(|(name, ino)| (path.join(name), *ino)));
            }
            if ino != ROOT {
                found.insert(path, ino);
            }
        }
        found
    }

    /// Makes a file, folder or link with a new name.
    pub fn create(&mut self, parent: Ino, name: &OsStr, body: Body, mode: u16) -> Result<Ino, Errno> {
        if self.folder(parent)?.now.contains_key(name) {
            return Err(Errno::EXIST);
        }
        let ino = self.add(body, mode);
        self.rename_all(Change(vec![(parent, name.to_owned(), Some(ino))]))?;
        Ok(ino)
    }

    /// Gives a file one more name.
    pub fn link(&mut self, ino: Ino, parent: Ino, name: &OsStr) -> Result<(), Errno> {
        if self.folder(parent)?.now.contains_key(name) {
            return Err(Errno::EXIST);
        }
        self.node_mut(ino)?.names += 1;
        self.rename_all(Change(vec![(parent, name.to_owned(), Some(ino))]))
    }

    /// Removes a name; `folder` says which kind is meant.
    pub fn remove(&mut self, parent: Ino, name: &OsStr, folder: bool) -> Result<(), Errno> {
        let ino = self.lookup(parent, name)?;
        match (&self.node(ino)?.body, folder) {
            (Body::Folder(inner), true) if !inner.now.is_empty() => return Err(Errno::NOTEMPTY),
            (Body::Folder(_), false) => return Err(Errno::ISDIR),
            (Body::File(_) | Body::Link(_), true) => return Err(Errno::NOTDIR),
            _ => self.node_mut(ino)?.names -= 1,
        }
        self.rename_all(Change(vec![(parent, name.to_owned(), None)]))
    }

    /// Renames, replacing what stands there unless told otherwise; or swaps the two.
    pub fn rename(&mut self, from: (Ino, &OsStr), to: (Ino, &OsStr), how: Rename) -> Result<(), Errno> {
        let moved = self.lookup(from.0, from.1)?;
        let there = self.lookup(to.0, to.1).ok();
        let left = match (how, there) {
            (Rename::NoReplace, Some(_)) => return Err(Errno::EXIST),
            (Rename::Exchange, None) => return Err(Errno::NOENT),
            (Rename::Exchange, Some(other)) => Some(other),
            (_, Some(other)) if other == moved => return Ok(()),
            (_, Some(other)) => {
                if self.folder(other).is_ok_and(|inner| !inner.now.is_empty()) {
                    return Err(Errno::NOTEMPTY);
                }
                self.node_mut(other)?.names -= 1;
                None
            }
            (_, None) => None,
        };
        let source = (from.0, from.1.to_owned(), left);
        self.rename_all(Change(vec![source, (to.0, to.1.to_owned(), Some(moved))]))
    }

    fn rename_all(&mut self, change: Change) -> Result<(), Errno> {
        for (folder, name, ino) in &change.0 {
            set(&mut self.folder_mut(*folder)?.now, name, *ino);
        }
        self.pending.push(change);
        Ok(())
    }

    /// Replaces bytes of a file from an offset on, growing it where needed.
    pub fn write(&mut self, ino: Ino, offset: usize, bytes: &[u8]) -> Result<(), Errno> {
        self.edit(ino, |data| {
            let end = offset + bytes.len();
            data.resize(data.len().max(end), 0);
            data[offset..end].copy_from_slice(bytes);
        })
    }

    /// Cuts or extends a file to a length.
    pub fn resize(&mut self, ino: Ino, length: usize) -> Result<(), Errno> {
        self.edit(ino, |data| data.resize(length, 0))
    }

    fn edit(&mut self, ino: Ino, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), Errno> {
        let node = self.node_mut(ino)?;
        node.modified = SystemTime::now();
        let Body::File(file) = &mut node.body else { return Err(Errno::INVAL) };
        file.poisoned = false;
        change(Arc::make_mut(&mut file.data));
        file.floor = file.floor.min(file.data.len());
        Ok(())
    }

    /// Sets permission bits and modification time, where given.
    pub fn set(&mut self, ino: Ino, mode: Option<u16>, modified: Option<SystemTime>) -> Result<(), Errno> {
        let node = self.node_mut(ino)?;
        node.mode = mode.unwrap_or(node.mode);
        node.modified = modified.unwrap_or(node.modified);
        Ok(())
    }

    /// Syncs a file's data; a failure loses what was not yet synced, for good.
    pub fn sync_file(&mut self, ino: Ino, fails: bool) -> Result<(), Errno> {
        if let Body::File(file) = &mut self.node_mut(ino)?.body {
            file.poisoned |= fails;
            if !file.poisoned {
                file.synced = Some(Arc::clone(&file.data));
                file.floor = file.data.len();
            }
        }
        Ok(())
    }

    /// Syncs a folder's names, with every earlier change of the folders that its renames reached into.
    pub fn sync_folder(&mut self, ino: Ino) {
        let mut synced = BTreeSet::from([ino]);
        let mut lasting = Vec::new();
        for index in (0..self.pending.len()).rev() {
            if self.pending[index].0.iter().any(|(folder, ..)| synced.contains(folder)) {
                let change = self.pending.remove(index);
                synced.extend(change.0.iter().map(|(folder, ..)| *folder));
                lasting.push(change);
            }
        }
        lasting.reverse();
        self.make_durable(lasting);
    }

    /// Makes changes last, in the order given.
    pub fn make_durable(&mut self, changes: Vec<Change>) {
        for (folder, name, ino) in changes.into_iter().flat_map(|change| change.0) {
            if let Some(Node { body: Body::Folder(folder), .. }) = self.nodes.get_mut(&folder) {
                set(&mut folder.durable, &name, ino);
            }
        }
    }

    /// A copy in which names and data are what the two functions choose: all of it synced, numbered from
    /// `first` on (the root keeps its number), without what nothing names.
    pub fn rebuilt(
        &self,
        first: Ino,
        names: impl Fn(Ino, &Folder) -> BTreeMap<OsString, Ino>,
        mut data: impl FnMut(&File) -> Arc<Vec<u8>>,
    ) -> Disk {
        let mut copy = Disk::new();
        copy.next = first.max(ROOT + 1);
        let mut known = BTreeMap::from([(ROOT, ROOT)]);
        let mut open = vec![ROOT];
        while let Some(old) = open.pop() {
            let Ok(folder) = self.folder(old) else { continue };
            for (name, inner) in names(old, folder) {
                let number = *known.entry(inner).or_insert_with(|| {
                    open.push(inner);
                    copy.take_over(&self.nodes[&inner], &mut data)
                });
                copy.nodes.get_mut(&number).expect("it was just added").names += 1;
                copy.folder_mut(known[&old]).expect("folders stay folders").now.insert(name, number);
            }
        }
        for (old, new) in &known {
            let modified = self.nodes[old].modified;
            copy.nodes.get_mut(new).expect("known nodes were added").modified = modified;
        }
        for node in copy.nodes.values_mut() {
            if let Body::Folder(folder) = &mut node.body {
                folder.durable = folder.now.clone();
            }
        }
        copy
    }

    fn take_over(&mut self, node: &Node, data: &mut impl FnMut(&File) -> Arc<Vec<u8>>) -> Ino {
        let body = match &node.body {
            Body::Folder(_) => Body::Folder(Folder::default()),
            Body::Link(target) => Body::Link(target.clone()),
            Body::File(file) => {
                let data = data(file);
                let (synced, floor) = (Some(Arc::clone(&data)), data.len());
                Body::File(File { data, synced, floor, poisoned: false })
            }
        };
        let ino = self.add(body, node.mode);
        self.nodes.get_mut(&ino).expect("it was just added").names = 0;
        ino
    }

    /// The disk as it is seen, all of it synced, numbered from `first` on.
    pub fn settled(&self, first: Ino) -> Disk {
        self.rebuilt(first, |_, folder| folder.now.clone(), |file| Arc::clone(&file.data))
    }

    /// One more than the highest number in use.
    pub fn next_number(&self) -> Ino {
        self.next
    }
}

/// How to rename where something stands at the new name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rename {
    /// It is replaced.
    Replace,
    /// The call fails.
    NoReplace,
    /// The two change places.
    Exchange,
}

fn set(names: &mut BTreeMap<OsString, Ino>, name: &OsStr, ino: Option<Ino>) {
    match ino {
        Some(ino) => names.insert(name.to_owned(), ino),
        None => names.remove(name),
    };
}
