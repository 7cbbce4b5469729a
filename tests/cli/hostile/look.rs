//! What lies in a folder, git's own files included, byte for byte; and what bytes do to a terminal.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

/// Everything below a folder: mode and content by path.
pub struct Tree(BTreeMap<Vec<u8>, (u32, Vec<u8>)>);

/// Looks at everything below `root`; links are not followed.
pub fn look(root: &Path) -> Tree {
    let mut tree = Tree(BTreeMap::new());
    let walk = walkdir::WalkDir::new(root).min_depth(1);
    for entry in walk.into_iter().map(|entry| entry.expect("the folder is ours")) {
        let path = entry.path();
        let metadata = path.symlink_metadata().expect("a listed file");
        let kind = metadata.file_type();
        let content = if kind.is_symlink() {
            fs::read_link(path).expect("a listed link").into_os_string().as_bytes().to_vec()
        } else if kind.is_file() {
            fs::read(path).expect("a readable file")
        } else if kind.is_fifo() {
            b"(fifo)".to_vec()
        } else {
            Vec::new()
        };
        let name = path.strip_prefix(root).expect("it lies below").as_os_str().as_bytes().to_vec();
        tree.0.insert(name, (metadata.permissions().mode(), content));
    }
    tree
}

impl Tree {
    /// Returns the paths that differ: `+` new, `-` gone, `~` changed.
    pub fn differences(&self, before: &Tree) -> Vec<String> {
        let shown = |mark: char, path: &[u8]| format!("{mark}{}", path.escape_ascii());
        let mut all = Vec::new();
        for (path, what) in &self.0 {
            match before.0.get(path) {
                None => all.push(shown('+', path)),
                Some(old) if old != what => all.push(shown('~', path)),
                Some(_) => {}
            }
        }
        all.extend(before.0.keys().filter(|path| !self.0.contains_key(*path)).map(|path| shown('-', path)));
        all
    }
}

/// Whether a difference is a new object of git's: nothing names it, and git's own gc removes it.
pub fn is_new_object(difference: &str) -> bool {
    difference.starts_with("+.git/objects/")
}

/// Returns the first thing in `bytes` that a terminal could act on, besides line breaks, tabs and colours.
pub fn drives_terminal(bytes: &[u8]) -> Option<String> {
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(c) = rest.chars().next() {
            if let Some(length) = colour(rest) {
                rest = &rest[length..];
                continue;
            }
            let bad = match c {
                '\n' | '\t' => false,
                '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => true,
                '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => true,
                _ => false,
            };
            if bad {
                return Some(rest.chars().take(20).collect::<String>().escape_unicode().to_string());
            }
            rest = &rest[c.len_utf8()..];
        }
        if !chunk.invalid().is_empty() {
            return Some(format!("{:x?}", chunk.invalid()));
        }
    }
    None
}

/// Returns the length of the colour sequence that `text` begins with: `ESC [ digits ; m`.
fn colour(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\x1b[")?;
    let digits = body.bytes().take_while(|b| b.is_ascii_digit() || *b == b';').count();
    (body.as_bytes().get(digits) == Some(&b'm')).then_some(digits + 3)
}
