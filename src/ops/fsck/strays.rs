//! Files in the work tree that are no entries and belong to no program that is known to keep files in stores.

use std::path::Path;

use rustix::fs::FileType;

use super::report::{Kind, Report, told};
use super::scene::{Item, Scene};
use crate::crypto::openpgp::body;
use crate::model::{Shown, argument};
use crate::ops::foreign::is_plain;
use crate::store::journal::{is_own, staged_nonce};

/// How much of a file is read to see whether it is a message.
const START: u64 = 1 << 18;

/// How names end that editors give to what they put aside.
const EDITORS: [&str; 8] = ["~", ".swp", ".swo", ".swx", ".bak", ".tmp", ".save", "#"];

/// Looks at all that is no entry.
pub(super) fn look(scene: &Scene<'_>, report: &mut Report) {
    for item in &scene.files {
        match item.kind {
            FileType::Symlink => link(scene, &item.path, report),
            FileType::RegularFile if is_ours(&item.path) || is_reject(&item.path) => {}
            FileType::RegularFile if is_plain(&item.path, item.kind) || is_own(&item.path) => {
                plain(scene, item, report);
            }
            FileType::RegularFile => {}
            _ => {
                let what = "is neither a file nor a folder: nothing of it is stored or synced";
                report.warning(Kind::Stray, Shown::os(&item.path), what, "move it elsewhere");
            }
        }
    }
}

/// Whether a file waits for a change of ours, or tells of one.
fn is_ours(path: &Path) -> bool {
    let journals = [".passel-journal", ".passel-journal.new", ".passel-journal.preparing"];
    staged_nonce(path).is_some() || journals.iter().any(|name| path == Path::new(name))
}

/// Whether a file is what `patch` and merge tools leave: a conflict.
pub(super) fn is_reject(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "orig" || end == "rej")
}

fn plain(scene: &Scene<'_>, item: &Item, report: &mut Report) {
    let shown = Shown::os(&item.path);
    let start = match scene.context.store.beneath().read_start(&item.path, START) {
        Ok(start) => start.unwrap_or_default(),
        Err(error) => return report.failed(shown, &error),
    };
    let name = item.path.file_name().unwrap_or_default().to_string_lossy();
    let path = argument(&item.path);
    if body(&start).is_some() {
        let what = "is an encrypted message, but no entry: no change of recipients reaches it";
        report.warning(Kind::Stray, shown, what, &format!("if it is not needed: `rm {path}`"));
    } else if EDITORS.iter().any(|end| name.ends_with(end)) {
        let what = "is what an editor puts aside, and not encrypted: it may hold what an entry held";
        let hint = format!("remove it (`rm {path}`), and change the passwords that it holds");
        report.warning(Kind::Stray, shown, what, &hint);
    } else {
        let what = "is not encrypted: everybody who has the store can read it";
        let hint = format!(
            "if that is not meant: `passel insert -m NAME <{path}`, then `rm {path}`, and change the passwords in it"
        );
        report.warning(Kind::Stray, shown, what, &hint);
    }
}

/// Looks where a link leads, without reading what is there.
fn link(scene: &Scene<'_>, path: &Path, report: &mut Report) {
    let root = scene.context.store.root();
    let (shown, full) = (Shown::os(path), root.join(path));
    let target = std::fs::read_link(&full).unwrap_or_default();
    let target = Shown::os(&target).to_string();
    match (full.canonicalize(), root.canonicalize()) {
        (Ok(found), Ok(root)) if found.starts_with(&root) => {}
        (Ok(_), Ok(_)) => {
            let what = format!("is a link that leads out of the store, to `{target}`: not followed");
            report.warning(Kind::Link, shown, &what, "put an entry in its place");
        }
        (Err(error), _) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            report.unseen(shown, format!("it cannot be told where the link leads: {}", told(&error)));
        }
        _ => {
            let what = format!("is a link that leads nowhere, to `{target}`");
            report.warning(Kind::Link, shown, &what, &format!("`rm {}` removes it", argument(path)));
        }
    }
}
