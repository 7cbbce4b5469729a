//! The names in a store, for completion: read quickly, changing nothing.
//!
//! Hidden names are left out, and so are names that hold control characters or are no UTF-8: a shell
//! would show them raw.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::model::shown::drives_terminal;

/// The folders deep that names are looked for.
const MAX_DEPTH: usize = 200;

/// A name, relative to the store: an entry without `.gpg`, or a folder with a slash behind it.
pub type Name = String;

/// Returns every entry and folder below `root`, sorted; what cannot be read is left out.
pub fn all(root: &Path) -> Vec<Name> {
    let mut walk = Walk { names: Vec::new(), seen: HashSet::new() };
    walk.folder(root, "", 0);
    walk.names.sort_unstable();
    walk.names
}

/// Returns the entries and folders of one folder that begin with `typed`, with the folders' names before
/// them as typed. With `enter`, a folder that is the only one to fit and holds but one name gives way to
/// that name.
pub fn step(root: &Path, typed: &str, enter: bool) -> Vec<Name> {
    let (folder, start) = typed.rsplit_once('/').map_or(("", typed), |(folder, start)| (folder, start));
    if folder.split('/').any(|part| part.starts_with('.')) {
        return Vec::new();
    }
    let before = &typed[..typed.len() - start.len()];
    let read = |prefix: &str| -> Vec<Name> {
        let names = children(&root.join(prefix.trim_matches('/')));
        names.into_iter().map(|name| format!("{prefix}{name}")).collect()
    };
    let mut found = read(before);
    found.retain(|name| name.starts_with(typed));
    for _ in 0..MAX_DEPTH {
        let [only] = found.as_slice() else { break };
        if !enter || !only.ends_with('/') {
            break;
        }
        let below = read(only);
        if below.len() != 1 {
            break;
        }
        found = below;
    }
    found.sort_unstable();
    found
}

/// Returns the names in one folder, without those before it.
fn children(folder: &Path) -> Vec<Name> {
    let Ok(items) = fs::read_dir(folder) else { return Vec::new() };
    let mut names = Vec::new();
    for item in items.flatten() {
        let Some(name) = item.file_name().into_string().ok().filter(|name| is_offered(name)) else {
            continue;
        };
        let is_folder = match item.file_type() {
            Ok(kind) if kind.is_symlink() => item.path().is_dir(),
            Ok(kind) => kind.is_dir(),
            Err(_) => continue,
        };
        if is_folder {
            names.push(name + "/");
        } else if let Some(entry) = name.strip_suffix(".gpg") {
            names.push(entry.to_owned());
        }
    }
    names
}

/// Whether a name may be shown by a shell.
fn is_offered(name: &str) -> bool {
    !name.starts_with('.') && !name.chars().any(drives_terminal)
}

/// A walk under way.
struct Walk {
    names: Vec<Name>,
    /// Device and inode number of the folders met: links may lead round in a circle.
    seen: HashSet<(u64, u64)>,
}

impl Walk {
    fn folder(&mut self, path: &Path, prefix: &str, depth: usize) {
        let Ok(status) = path.metadata() else { return };
        if depth > MAX_DEPTH || !self.seen.insert((status.dev(), status.ino())) {
            return;
        }
        for name in children(path) {
            let full = format!("{prefix}{name}");
            if name.ends_with('/') {
                self.folder(&path.join(&name), &full, depth + 1);
            }
            self.names.push(full);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for entry in ["a b/it's.gpg", "a b/ä:x@y.gpg", "one/two/three.gpg", ".git/x.gpg", "top.gpg"] {
            fs::create_dir_all(root.path().join(entry).parent().unwrap()).unwrap();
            fs::write(root.path().join(entry), "").unwrap();
        }
        for other in [".gpg-id", "note.txt", "bad\x1b[2J.gpg", "two\nlines.gpg", "turned\u{202e}.gpg"] {
            fs::write(root.path().join(other), "").unwrap();
        }
        std::os::unix::fs::symlink("..", root.path().join("one/circle")).unwrap();
        root
    }

    #[test]
    fn finds_all_that_may_be_shown() {
        let root = store();
        let wanted =
            ["a b/", "a b/it's", "a b/ä:x@y", "one/", "one/circle/", "one/two/", "one/two/three", "top"];
        assert_eq!(all(root.path()), wanted);
    }

    #[test]
    fn goes_folder_by_folder() {
        let root = store();
        let step = |typed, enter| step(root.path(), typed, enter);
        assert_eq!(step("", false), ["a b/", "one/", "top"]);
        assert_eq!(step("o", false), ["one/"]);
        assert_eq!(step("one/t", true), ["one/two/three"]);
        assert_eq!(step("/to", false), ["/top"]);
        assert_eq!(step("a b/i", true), ["a b/it's"]);
        assert!(step("../", false).is_empty() && step(".git/", false).is_empty());
        assert!(step("nothing/", true).is_empty());
    }
}
