//! What is said of files that other programs keep in a store. All of them are left alone.

use std::path::Path;

use rustix::fs::FileType;

use super::{Finding, Kind};
use crate::model::Shown;
use crate::ops::foreign::{KNOWN, is_plain};
use crate::ops::reencrypt::is_entry;
use crate::ops::{Context, OpError};
use crate::store::StoreError;

/// Returns whose files are found.
pub fn findings(context: &Context<'_>) -> Result<Vec<Finding>, OpError> {
    let below = context.store.beneath().below(Path::new("")).map_err(StoreError::from)?;
    let files = below.files.iter().map(|(path, _)| path.as_path());
    let mut findings = Vec::new();
    let all: Vec<&Path> = files.chain(below.folders.iter().map(|path| path.as_path())).collect();
    for (name, at_root, what) in KNOWN {
        let is_it = |path: &&&Path| match at_root {
            true => **path == Path::new(name),
            false => path.file_name().is_some_and(|own| own == name),
        };
        let mut found = all.iter().filter(is_it);
        if let Some(first) = found.next() {
            let place = match found.count() {
                0 => Shown::os(first).to_string(),
                more => format!("{} and {more} more", Shown::os(first)),
            };
            findings.push(Finding::new(Kind::Note, place, what));
        }
    }
    let plain: Vec<String> =
        below.files.iter().filter(|(path, kind)| is_plain(path, *kind)).map(shown).collect();
    if let Some((first, more)) = plain.split_first() {
        let what = match more.len() {
            0 => "it is not encrypted: everybody who has the store can read it".to_owned(),
            more => format!(
                "it and {more} more files are not encrypted: everybody who has the store can read them"
            ),
        };
        findings.push(Finding::new(Kind::Note, first, what));
    }
    let links = below.files.iter().filter(|(path, kind)| *kind == FileType::Symlink && is_entry(path));
    let links = links.count();
    if links > 0 {
        let what =
            format!("{links} entries are links (aliases of prs's): read as in pass, never written through");
        findings.push(Finding::new(Kind::Note, "links", what));
    }
    let age = below.files.iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "age"));
    let age = age.count();
    if age > 0 {
        let what = format!("{age} entries are encrypted with age, which passel does not read");
        findings.push(
            Finding::new(Kind::Person, "*.age", what)
                .words("store them anew: `gopass show`, or `passage show`, and `insert -m`"),
        );
    }
    Ok(findings)
}

/// Returns a file's path, safe to show.
fn shown((path, _): &(std::path::PathBuf, FileType)) -> String {
    Shown::os(path).to_string()
}
