//! What killed commands left. Every command finishes or undoes what its journal tells of: what is still there is
//! what no journal knows of any more, or a journal that cannot be obeyed.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::report::{Kind, Mend, Report, told};
use super::scene::{Item, Scene};
use crate::git::Repo;
use crate::model::{Shown, argument};
use crate::store::StoreError;
use crate::store::journal::staged_nonce;

/// How many letters the name of an unfinished clone ends with.
const CLONE: usize = 4;

/// Looks for leftovers.
pub(super) fn look(scene: &Scene<'_>, report: &mut Report) {
    if let Err(error) = journal(scene, report).and_then(|()| orphans(scene, report)) {
        report.failed("leftovers of killed commands", &error);
    }
    if scene.is_whole() {
        clones(scene, report);
    }
}

/// Says what is the matter with a journal that stays.
fn journal(scene: &Scene<'_>, report: &mut Report) -> Result<(), StoreError> {
    let Some(stuck) = scene.context.store.stuck_journal()? else { return Ok(()) };
    let why = stuck.why.map_or_else(|| "what it tells of could not be finished".to_owned(), |why| told(&why));
    let hint = format!(
        "nothing can be changed until it is gone: look at it, and at `passel git status`, then `rm {}`",
        argument(&stuck.path)
    );
    report.error(Kind::Leftover, Shown::os(&stuck.path), &format!("an interrupted change: {why}"), &hint);
    Ok(())
}

/// Looks for files of changes that no journal tells of.
fn orphans(scene: &Scene<'_>, report: &mut Report) -> Result<(), StoreError> {
    let Some(_lock) = scene.context.store.at_rest()? else { return Ok(()) };
    let is_staged =
        |item: &&Item| rustix::fs::FileType::RegularFile == item.kind && staged_nonce(&item.path).is_some();
    for item in scene.files.iter().filter(is_staged) {
        // It may have been put in its place since we listed the folder.
        if scene.context.store.beneath().metadata(&item.path)?.is_some() {
            let what = "was staged for a change that was interrupted, and that nothing tells of any more";
            report.mendable(
                Kind::Leftover,
                Shown::os(&item.path),
                what,
                vec![Mend::Staged(item.path.clone())],
            );
        }
    }
    for prefix in &scene.repositories {
        // That it cannot be opened is said elsewhere.
        let Ok(repo) = Repo::open(scene.context.store.root(), prefix) else { continue };
        for nonce in repo.nonces()? {
            let subject =
                format!("{}/passel-{nonce}.*", Shown::os(repo.gitdir()).to_string().trim_end_matches('/'));
            let what = "belongs to a change that was interrupted, and that nothing tells of any more";
            report.mendable(Kind::Leftover, subject, what, vec![Mend::Transaction(prefix.clone(), nonce)]);
        }
    }
    Ok(())
}

/// Looks beside the store for clones that were killed: `.NAME.passel-XXXX`. A person removes them: one may be under
/// way.
fn clones(scene: &Scene<'_>, report: &mut Report) {
    let Ok(root) = scene.context.store.root().canonicalize() else { return };
    let (Some(above), Some(name)) = (root.parent(), root.file_name()) else { return };
    let before = [b".", name.as_bytes(), b".passel-"].concat();
    // What lies beside the store is not ours to be read.
    let Ok(names) = fs::read_dir(above) else { return };
    for name in names.flatten().map(|entry| entry.file_name()) {
        let rest = name.as_bytes().strip_prefix(before.as_slice());
        let is_clone =
            rest.is_some_and(|rest| rest.len() == CLONE && rest.iter().all(u8::is_ascii_alphanumeric));
        let path: &Path = &above.join(&name);
        if is_clone && path.is_dir() && !path.is_symlink() {
            let what = "is what a clone left that was interrupted";
            let hint = format!("if none is under way: `rm -rf {}`", argument(path));
            report.warning(Kind::Leftover, Shown::os(path), what, &hint);
        }
    }
}
