//! What conflicts left that nobody resolved.

use std::path::Path;

use rustix::fs::FileType;

use super::report::{Kind, Report};
use super::scene::{Item, Scene};
use super::strays::is_reject;
use crate::model::entry::shown_entry;
use crate::model::{EntryName, Shown, argument};

/// Files of text in which git may have written both sides of a conflict.
const TEXTS: [&str; 5] = [".gpg-id", ".passel.yaml", ".gitattributes", ".gitignore", ".gitmodules"];

/// No such file is longer.
const LONGEST: u64 = 1 << 20;

/// Looks for versions kept apart, for conflict markers, and for what merge tools leave.
pub(super) fn look(scene: &Scene<'_>, report: &mut Report) {
    for item in scene.files.iter().filter(|item| item.kind == FileType::RegularFile) {
        if item.is_entry() {
            kept_apart(&item.path, report);
        } else if is_reject(&item.path) {
            let what = "is what a merge left behind: it may hold what an entry held";
            let hint = format!("`rm {}` removes it", argument(&item.path));
            report.warning(Kind::Conflict, Shown::os(&item.path), what, &hint);
        } else if item.path.file_name().is_some_and(|name| TEXTS.iter().any(|text| name == *text)) {
            markers(scene, item, report);
        }
    }
}

fn kept_apart(path: &Path, report: &mut Report) {
    let entry = EntryName::parse(path.with_extension("").as_os_str());
    if let Some((name, _)) = entry.ok().and_then(|entry| entry.conflicted()) {
        let what = format!("is another version of `{name}`, kept apart");
        report.warning(Kind::Conflict, shown_entry(path), &what, "`passel conflicts` compares and picks");
    }
}

fn markers(scene: &Scene<'_>, item: &Item, report: &mut Report) {
    let shown = Shown::os(&item.path);
    let text = match scene.context.store.beneath().read_start(&item.path, LONGEST) {
        Ok(text) => text.unwrap_or_default(),
        Err(error) => return report.failed(shown, &error),
    };
    let is_marker = |line: &[u8]| line.starts_with(b"<<<<<<< ") || line.starts_with(b">>>>>>> ");
    if text.split(|byte| *byte == b'\n').any(is_marker) {
        let what = "holds git's conflict markers";
        let hint = format!("edit it, then `passel git add {}` and commit", argument(&item.path));
        report.error(Kind::Conflict, shown, what, &hint);
    }
}
