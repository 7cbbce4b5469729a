//! What lies in a folder: paths, permissions, contents with messages decrypted, links, repositories.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Keyring;

/// What a path holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A git repository's own folder or file, not looked into.
    Repository,
    /// A link and its target.
    Link(PathBuf),
    /// A file as it is.
    File(Vec<u8>),
    /// A detached signature, different each time.
    Signature,
    /// An encrypted file: its plaintext, if we can read it, and the key IDs it is encrypted to.
    Message(Option<Vec<u8>>, Vec<String>),
}

/// One path of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Relative to the folder that was looked at.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    pub kind: Kind,
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04o} {} ", self.mode, self.path)?;
        match &self.kind {
            Kind::Folder => write!(out, "(folder)"),
            Kind::Repository => write!(out, "(repository)"),
            Kind::Link(target) => write!(out, "-> {}", target.display()),
            Kind::File(bytes) => write!(out, "= {:?}", String::from_utf8_lossy(bytes)),
            Kind::Signature => write!(out, "(signature)"),
            Kind::Message(Some(text), keys) => {
                write!(out, "= {:?} for {}", String::from_utf8_lossy(text), keys.join(" "))
            }
            Kind::Message(None, keys) => write!(out, "(unreadable) for {}", keys.join(" ")),
        }
    }
}

/// Looks at everything under `root` but the link to the program, git's configuration, and what the program
/// remembers of accepted recipients and of session keys.
pub fn take(root: &Path, keyring: &Keyring) -> Vec<Node> {
    let mut nodes = Vec::new();
    walk(root, root, keyring, &mut nodes);
    nodes
}

fn walk(root: &Path, folder: &Path, keyring: &Keyring, nodes: &mut Vec<Node>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a listed file").path()).collect();
    paths.sort();
    for path in paths {
        let relative = path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned();
        if ["bin", "home/.gitconfig", "home/.local", "home/.cache"].contains(&relative.as_str()) {
            continue;
        }
        let kind = kind_of(&path, keyring);
        let descend = kind == Kind::Folder;
        nodes.push(Node { path: relative, mode: mode_of(&path), kind });
        if descend {
            walk(root, &path, keyring, nodes);
        }
    }
}

fn mode_of(path: &Path) -> u32 {
    let metadata = path.symlink_metadata().expect("a listed file");
    if metadata.is_symlink() { 0o777 } else { metadata.permissions().mode() & 0o7777 }
}

fn kind_of(path: &Path, keyring: &Keyring) -> Kind {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let metadata = path.symlink_metadata().expect("a listed file");
    if name == ".git" || path.join("HEAD").is_file() {
        Kind::Repository
    } else if metadata.is_symlink() {
        Kind::Link(fs::read_link(path).expect("a listed link"))
    } else if metadata.is_dir() {
        Kind::Folder
    } else if name.ends_with(".sig") {
        Kind::Signature
    } else if name.ends_with(".gpg") {
        let message = keyring.open(&fs::read(path).expect("a readable file"));
        Kind::Message(message.plaintext, message.recipients)
    } else {
        Kind::File(fs::read(path).expect("a readable file"))
    }
}
