//! Where reports go.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::files::given::{self, GivenError};
use crate::model::Shown;

/// The longest name before the dot: file systems take 255 bytes, and people read names.
const LONGEST: usize = 100;

/// A file to write.
pub struct File {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// Names of files that are taken.
#[derive(Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// Returns a name for a file about `what`, which no other one has, even where case does not count.
    pub fn take(&mut self, what: &OsStr) -> String {
        let safe = safe(what);
        let numbered = (2..).map(|number| format!("{safe}={number}"));
        let mut free = std::iter::once(safe.clone()).chain(numbered);
        free.find(|name| self.0.insert(name.to_ascii_lowercase())).expect("numbers do not end")
    }
}

/// Returns a name in characters that no program takes for anything else: what is none of them is `=XX`.
fn safe(what: &OsStr) -> String {
    let mut name = String::new();
    for byte in what.as_bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        // Neither hidden nor an option.
        match is_plain && !(name.is_empty() && b".-".contains(byte)) {
            true => name.push(char::from(*byte)),
            false => name.push_str(&format!("={byte:02X}")),
        }
    }
    name.truncate(LONGEST);
    name
}

/// Writes all files into `folder`, or none: those that were there are kept, unless `replaces` says otherwise.
pub fn write(folder: &Path, files: &[File], replaces: bool) -> Result<(), CliError> {
    if folder == Path::new("-") {
        return Err(CliError::new("several files cannot go to standard output").hint("name a folder"));
    }
    let failed = |source: std::io::Error| {
        CliError::caused(format!("cannot make the folder `{}`", Shown::os(folder)), &source)
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(&file.name)).collect();
    let is_there = |path: &&PathBuf| path.symlink_metadata().is_ok();
    // What cannot be replaced is found before anything is.
    let is_other = |path: &&PathBuf| path.symlink_metadata().is_ok_and(|found| !found.is_file());
    if let Some(path) = paths.iter().find(is_other) {
        return Err(told(&GivenError::NoFile(Shown::os(path).to_string())));
    }
    if let Some(path) = paths.iter().find(is_there).filter(|_| !replaces) {
        return Err(told(&GivenError::Exists(Shown::os(path).to_string())));
    }
    let new: Vec<&PathBuf> = paths.iter().filter(|path| !is_there(path)).collect();
    for (path, file) in paths.iter().zip(files) {
        if let Err(error) = given::write(path, file.text.as_bytes(), replaces) {
            // Some reports without the others would pass for all.
            new.iter().take_while(|made| **made != path).for_each(|made| _ = fs::remove_file(made));
            return Err(told(&error));
        }
    }
    Ok(())
}

fn told(error: &GivenError) -> CliError {
    let text = CliError::from_error(error);
    match error {
        GivenError::Exists(_) => text.hint("--force replaces what is there; or name another folder"),
        GivenError::NoFile(_) => text.hint("name another folder"),
        GivenError::Write { .. } => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_taken_once() {
        let mut names = Names::default();
        let mut take = |name: &[u8]| names.take(OsStr::from_bytes(name));
        assert_eq!(take(b"team"), "team");
        assert_eq!(take(b"Team"), "Team=2");
        assert_eq!(take(b"acme_co.uk-1"), "acme_co.uk-1");
        assert_eq!(take(b"a b/..=\n\xff"), "a=20b=2F..=3D=0A=FF");
        assert_eq!(take(b"-rf"), "=2Drf");
        assert_eq!(take(b"..."), "=2E..");
        let long = take(&[b'x'; 250]);
        assert_eq!((long.len(), take(&[b'x'; 251]).as_str()), (LONGEST, &*format!("{long}=2")));
    }

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a/b");
        let files = ["one", "two"].map(|name| File { name: name.to_owned(), text: name.to_owned() });
        write(&to, &files, false).unwrap();
        assert!(write(&to, &files, false).unwrap_err().text().contains("--force"));
        write(&to, &files, true).unwrap();
        fs::remove_file(to.join("one")).unwrap();
        fs::remove_file(to.join("two")).unwrap();
        fs::create_dir(to.join("two")).unwrap();
        write(&to, &files, true).unwrap_err();
        assert!(!to.join("one").exists(), "one report without the other");
    }
}
