//! What comes from elsewhere, looked at before it is taken: names and files that no store should hold.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::crypto::openpgp::body;
use crate::git::{GitError, Oid, Repo};
use crate::model::entry::is_entry;
use crate::model::shown::drives_terminal;
use crate::model::{EntryName, NameError, Shown};

/// The largest file that is taken, in bytes: no entry is larger, and every clone would have it for good.
const LARGEST: usize = 100 << 20;

/// How much of an entry is read to see that it is a message.
const START: usize = 1 << 18;

/// Something that no store should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hazard {
    /// The file, in the repository.
    pub path: PathBuf,
    /// What is the matter.
    pub kind: Kind,
}

/// What is the matter with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Its name is one of git's or passel's own, or leads out of the store.
    Name(NameError),
    /// Its name drives a terminal, or is read in another order than it is written.
    Control,
    /// It is larger than 100 MiB.
    TooLarge(usize),
    /// It is a symbolic link to this place.
    Link(String),
    /// Another file's name differs from its name in case only.
    CaseTwin(PathBuf),
    /// It is called as an entry is, and is no encrypted message.
    Plaintext,
}

impl Hazard {
    /// Returns a sentence about it.
    pub fn told(&self) -> String {
        let path = Shown::os(&self.path);
        match &self.kind {
            Kind::Name(error) => error.to_string(),
            Kind::Control => format!("`{path}` has control characters in its name"),
            Kind::TooLarge(size) => format!("`{path}` has {} MiB, more than {}", size >> 20, LARGEST >> 20),
            Kind::Link(target) => format!("`{path}` is a symbolic link, to `{target}`"),
            Kind::CaseTwin(other) => {
                format!("`{path}` and `{}` differ in case only", Shown::os(other))
            }
            Kind::Plaintext => format!("`{path}` is no encrypted message"),
        }
    }

    /// Whether it must not be taken. Names that differ in case only can be told apart here, but not everywhere.
    pub fn is_refused(&self, ignores_case: bool) -> bool {
        !matches!(self.kind, Kind::CaseTwin(_)) || ignores_case
    }
}

/// Returns what is the matter with the files that the tree `new` has and `old` has not.
pub fn vet(repo: &Repo, old: Option<Oid>, new: Oid) -> Result<Vec<Hazard>, GitError> {
    let mut found = Vec::new();
    let mut twins: BTreeMap<PathBuf, BTreeMap<String, Vec<PathBuf>>> = BTreeMap::new();
    let mut told = BTreeSet::new();
    for (path, delta) in repo.compare(old, Some(new))? {
        let Some(item) = delta.new.filter(|item| !item.is_submodule()) else { continue };
        let mut add = |kind| found.push(Hazard { path: path.clone(), kind });
        match EntryName::parse(path.as_os_str()) {
            Err(error) => add(Kind::Name(error)),
            Ok(_) if has_controls(path.as_os_str()) => add(Kind::Control),
            Ok(_) => {}
        }
        if item.is_link() {
            add(Kind::Link(Shown::new(&repo.blob(item.id)?).to_string()));
            continue;
        }
        let size = repo.blob_size(item.id)?;
        if size > LARGEST {
            add(Kind::TooLarge(size));
        } else if is_entry(&path) {
            let bytes = repo.blob(item.id)?;
            if body(&bytes[..bytes.len().min(START)]).is_none() && body(&bytes).is_none() {
                add(Kind::Plaintext);
            }
        }
        // New names alone can have new twins.
        if delta.old.is_none() {
            for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
                let folder = part.parent().unwrap_or(Path::new(""));
                if !told.insert(part.to_path_buf()) {
                    continue;
                }
                if !twins.contains_key(folder) {
                    let mut names: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
                    for name in repo.names_in(new, folder)? {
                        let path = folder.join(name);
                        names.entry(lower(&path)).or_default().push(path);
                    }
                    twins.insert(folder.to_path_buf(), names);
                }
                let same = twins[folder].get(&lower(part)).into_iter().flatten();
                if let Some(other) = same.into_iter().find(|other| *other != part) {
                    found.push(Hazard { path: part.to_path_buf(), kind: Kind::CaseTwin(other.clone()) });
                }
            }
        }
    }
    Ok(found)
}

/// Returns what the last parts of names that differ in case only have in common.
pub(super) fn lower(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// Whether a name holds what acts on a terminal. Bytes that are no UTF-8 do not.
pub(super) fn has_controls(name: &OsStr) -> bool {
    name.as_bytes().utf8_chunks().any(|chunk| chunk.valid().chars().any(drives_terminal))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Returns a repository whose tree holds these files, with the tree.
    fn repository(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Repo, Oid) {
        let dir = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            // Of an attacker, git refuses nothing.
            let lenient = ["-c", "core.protectNTFS=false"];
            let mut command = Command::new("git");
            let done = command.arg("-C").arg(dir.path()).args(lenient).args(args).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            String::from_utf8(done.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q"]);
        let repo = Repo::open(dir.path(), Path::new("")).unwrap();
        for (path, bytes) in files {
            let blob = repo.write_blob(bytes).unwrap().to_string();
            let (mode, path) = match path.strip_prefix('@') {
                Some(link) => ("120000", link),
                None => ("100644", *path),
            };
            git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{blob},{path}")]);
        }
        let tree = Oid::from_str(&git(&["write-tree"])).unwrap();
        (dir, repo, tree)
    }

    #[test]
    fn finds_what_no_store_should_hold() {
        let message: &[u8] = include_bytes!("../../tests/keys/alice.asc");
        let (_dir, repo, tree) = repository(&[
            ("a\u{7}.txt", b"x"),
            ("git~1/x.txt", b"x"),
            ("@link.gpg", b"/etc/passwd"),
            ("plain.gpg", b"hunter2\n"),
            ("empty.gpg", b""),
            ("key.gpg", message),
            ("web/One.txt", b"x"),
            ("web/one.txt", b"x"),
            ("fine/readme", b"x"),
        ]);
        let told: Vec<String> = vet(&repo, None, tree).unwrap().iter().map(Hazard::told).collect();
        for part in [
            "`a\\x07.txt` has control characters in its name",
            "`git~1/x.txt` holds `.git`",
            "`link.gpg` is a symbolic link, to `/etc/passwd`",
            "`plain.gpg` is no encrypted message",
            "`empty.gpg` is no encrypted message",
            "`key.gpg` is no encrypted message",
            "`web/One.txt` and `web/one.txt` differ in case only",
        ] {
            assert!(told.iter().any(|told| told.starts_with(part)), "{part}: {told:?}");
        }
        assert!(!told.iter().any(|told| told.contains("fine")), "{told:?}");
        assert_eq!(vet(&repo, Some(tree), tree).unwrap(), []);
    }
}
