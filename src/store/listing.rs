//! The tree of a folder's names, as `ls` and `find` show it: read as tree(1) reads it.
//!
//! Names that begin with a dot are left out. Links to folders are followed, each folder once.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::locale::Locale;
use super::pattern::Pattern;

/// The folders deep that a listing goes. Paths (4,096 bytes) end before that; only a chain of links
/// could lead further, and it must not exhaust the stack.
const MAX_DEPTH: usize = 2100;

/// Why a folder could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// The folder itself could not be read. (A folder below it is marked [`Note::Unreadable`].)
    #[error("cannot read the folder `{}`", crate::model::Shown::os(.path))]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// One name of a listing, and what is below it.
#[derive(Debug)]
pub struct Node {
    /// The name, as it is on disk; for the root, the path that was asked for.
    pub name: OsString,
    /// File type and permissions as in `st_mode`, of the link itself for a link. Permissions are 0 where
    /// they were not asked for.
    pub mode: u32,
    /// Where a link leads.
    pub link: Option<Link>,
    /// Why a folder is not shown further.
    pub note: Option<Note>,
    /// What is in a folder, in the locale's order.
    pub children: Vec<Node>,
}

/// Where a link leads.
#[derive(Debug)]
pub struct Link {
    /// The link's text.
    pub target: OsString,
    /// The target's `st_mode`, none if there is no such file.
    pub mode: Option<u32>,
}

/// Why a folder is not shown further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// A link to a folder that is shown elsewhere.
    Recursive,
    /// A folder that cannot be read.
    Unreadable,
}

/// How to list.
pub struct Listing<'a> {
    /// The order of names.
    pub locale: &'a Locale,
    /// Whether the permissions of regular files matter (to their colours). A `stat` for each is half of
    /// the time that a listing takes.
    pub permissions: bool,
}

impl Listing<'_> {
    /// Returns everything below `root`.
    pub fn list(&self, root: &Path) -> Result<Node, ListingError> {
        self.walk(root, None)
    }

    /// Returns what is found below `root`: files whose names hold any of `terms`, folders that hold such
    /// files or have such names.
    ///
    /// As tree does it: a folder right below the root with such a name shows all its files, a deeper one
    /// only if a term with a slash matches its path; and links to folders are not followed, but shown
    /// where something would be found behind them.
    pub fn find(&self, root: &Path, terms: &[OsString]) -> Result<Node, ListingError> {
        self.walk(root, Some(&Pattern::any_of(terms)))
    }

    fn walk(&self, root: &Path, pattern: Option<&Pattern>) -> Result<Node, ListingError> {
        let unreadable = |source| ListingError::Unreadable { path: root.to_path_buf(), source };
        // Of the link, if the root is one: so tree has it.
        let status = root.symlink_metadata().map_err(unreadable)?;
        let mut walk = Walk { listing: self, pattern, seen: HashSet::from([id(&status)]) };
        let path = root.as_os_str().as_bytes();
        let children = if pattern.is_some() { walk.found(path, 0) } else { walk.all(path, 0) };
        let children = children.map_err(unreadable)?;
        Ok(Node { name: root.into(), mode: status.mode(), link: None, note: None, children })
    }
}

/// A folder's device and inode number.
type FolderId = (u64, u64);

fn id(status: &Metadata) -> FolderId {
    (status.dev(), status.ino())
}

/// A name as read from a folder.
struct Item {
    node: Node,
    /// Set for folders and links to folders.
    folder: Option<FolderId>,
}

/// A walk under way.
struct Walk<'a> {
    listing: &'a Listing<'a>,
    pattern: Option<&'a Pattern>,
    /// The folders met so far.
    seen: HashSet<FolderId>,
}

impl Walk<'_> {
    /// Returns all that is below the folder at `path`.
    fn all(&mut self, path: &[u8], depth: usize) -> io::Result<Vec<Node>> {
        let items = self.read(path, depth, None)?;
        let items = self.listing.locale.sorted(items, |item| &item.node.name);
        let nodes = items.into_iter().map(|Item { mut node, folder }| {
            if let Some(folder) = folder {
                let is_new = self.seen.insert(folder);
                if node.link.is_some() && !is_new {
                    node.note = Some(Note::Recursive);
                } else {
                    let below = self.all(&path_of(path, &node), depth + 1);
                    node.take(below);
                }
            }
            node
        });
        Ok(nodes.collect())
    }

    /// Returns what is found below the folder at `path`.
    fn found(&mut self, path: &[u8], depth: usize) -> io::Result<Vec<Node>> {
        let pattern = self.pattern.filter(|pattern| {
            let name = last_parts(path, depth);
            name.is_empty() || !pattern.matches(name, true)
        });
        let mut nodes = Vec::new();
        // In the order in which they are read: so tree follows the same one of two links to a folder.
        for Item { mut node, folder } in self.read(path, depth, pattern)? {
            if let Some(folder) = folder {
                let is_new = self.seen.insert(folder);
                if node.link.is_none() || is_new {
                    let below = self.found(&path_of(path, &node), depth + 1);
                    node.take(below);
                }
                if node.children.is_empty() && !self.is_searched(&node) {
                    continue;
                }
                if node.link.is_some() {
                    node.children.clear();
                    node.note = Some(Note::Recursive);
                }
            }
            nodes.push(node);
        }
        Ok(self.listing.locale.sorted(nodes, |node| &node.name))
    }

    /// Whether a folder's name is one that is searched for.
    fn is_searched(&self, node: &Node) -> bool {
        self.pattern.is_some_and(|pattern| pattern.matches(node.name.as_bytes(), true))
    }

    /// Returns what the folder at `path` holds, unsorted; of files, only those that match.
    fn read(&self, path: &[u8], depth: usize, pattern: Option<&Pattern>) -> io::Result<Vec<Item>> {
        if depth > MAX_DEPTH {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let mut items = Vec::new();
        for entry in fs::read_dir(OsStr::from_bytes(path))? {
            let entry = entry?;
            if !entry.file_name().as_bytes().starts_with(b".") {
                // None: gone meanwhile, or its folder may be read but not searched.
                items.extend(self.item(&entry, pattern).ok().flatten());
            }
        }
        Ok(items)
    }

    /// Returns the item for one entry of a folder, none if it does not match.
    fn item(&self, entry: &DirEntry, pattern: Option<&Pattern>) -> io::Result<Option<Item>> {
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let (mode, link, folder) = if kind.is_dir() {
            let status = entry.metadata()?;
            (status.mode(), None, Some(id(&status)))
        } else if kind.is_symlink() {
            let status = fs::metadata(entry.path()).ok();
            let link = Link { target: link_target(entry), mode: status.as_ref().map(Metadata::mode) };
            (FileType::Symlink.as_raw_mode(), Some(link), status.filter(Metadata::is_dir).as_ref().map(id))
        } else {
            (raw_type(kind), None, None)
        };
        if folder.is_none() && pattern.is_some_and(|pattern| !pattern.matches(name.as_bytes(), false)) {
            return Ok(None);
        }
        // Nobody makes entries executable, and asking costs as much as all else together.
        let asked = self.listing.permissions && kind.is_file() && !name.as_bytes().ends_with(b".gpg");
        let mode = if asked { entry.metadata()?.mode() } else { mode };
        Ok(Some(Item { node: Node { name, mode, link, note: None, children: Vec::new() }, folder }))
    }
}

impl Node {
    /// Puts what was found below into a folder.
    fn take(&mut self, below: io::Result<Vec<Node>>) {
        match below {
            Ok(children) => self.children = children,
            Err(_) => self.note = Some(Note::Unreadable),
        }
    }
}

/// Returns the link's text, or what tree says if it cannot be read.
fn link_target(entry: &DirEntry) -> OsString {
    match fs::read_link(entry.path()) {
        Ok(target) => target.into_os_string(),
        Err(_) => "[Error reading symbolic link information]".into(),
    }
}

/// Returns the bits of `st_mode` for a file that is neither folder nor link.
fn raw_type(kind: fs::FileType) -> u32 {
    let kind = match kind {
        kind if kind.is_fifo() => FileType::Fifo,
        kind if kind.is_socket() => FileType::Socket,
        kind if kind.is_char_device() => FileType::CharacterDevice,
        kind if kind.is_block_device() => FileType::BlockDevice,
        _ => FileType::RegularFile,
    };
    kind.as_raw_mode()
}

/// Returns the path to read a folder of `parent` by; for a link, through its text.
fn path_of(parent: &[u8], node: &Node) -> Vec<u8> {
    let name = node.link.as_ref().map_or(&node.name, |link| &link.target).as_bytes();
    if node.link.is_some() && name.starts_with(b"/") {
        return name.to_vec();
    }
    let mut path = parent.to_vec();
    path.push(b'/');
    path.extend_from_slice(name);
    path
}

/// Returns the last `count` components of `path` as a slice of it: the path below the root of a folder
/// that deep. Slashes are counted from the end, also where a link's text brought more of them.
fn last_parts(path: &[u8], count: usize) -> &[u8] {
    let slashes = path.iter().enumerate().skip(1).rev().filter(|(_, byte)| **byte == b'/');
    match count.checked_sub(1) {
        None => &[],
        Some(earlier) => slashes.map(|(at, _)| &path[at + 1..]).nth(earlier).unwrap_or(path),
    }
}
