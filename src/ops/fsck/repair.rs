//! Mending what is safe: who can get at the files, what killed commands of ours left, and how the lines of recipients
//! files end. No entry's content is
//! touched, and nothing is removed that anybody else may have made.

use super::report::{Found, Mend, Report, told};
use super::scene::Scene;
use crate::git::Repo;
use crate::model::FolderName;
use crate::ops::{OpError, adopt};
use crate::store::StoreError;

/// Mends what can be mended; says of the rest why not.
pub(super) fn repair(scene: &Scene<'_>, report: &mut Report) {
    // Takes the lock itself, as any change that is committed.
    mend(report, is_list, |mends| {
        let folder =
            |mend: &Mend| if let Mend::LineEnds(folder) = mend { Some(folder.clone()) } else { None };
        let folders: Vec<FolderName> = mends.iter().filter_map(folder).collect();
        adopt::fix_line_ends(scene.context, &folders).map(|_| ())
    });
    if !report.findings.iter().any(|found| found.is_mendable() && !is_list(found)) {
        return;
    }
    // Nobody's staged file may be taken for a leftover.
    match scene.context.store.lock() {
        Ok(_lock) => mend(
            report,
            |found| !is_list(found),
            |mends| Ok(mends.iter().try_for_each(|mend| apply(scene, mend))?),
        ),
        Err(error) => report.failed("the repair", &error),
    }
}

/// Whether the finding is about a recipients file.
fn is_list(found: &Found) -> bool {
    found.mends.iter().any(|mend| matches!(mend, Mend::LineEnds(_)))
}

/// Mends the findings that `wanted` says yes to, each by itself.
fn mend(
    report: &mut Report,
    wanted: impl Fn(&Found) -> bool,
    apply: impl Fn(&[Mend]) -> Result<(), OpError>,
) {
    let mut failed = Vec::new();
    for found in report.findings.iter_mut().filter(|found| found.is_mendable() && wanted(found)) {
        match apply(&found.mends) {
            Ok(()) => found.repaired = true,
            Err(error) => failed.push((found.finding.subject.clone(), told(&error))),
        }
    }
    for (subject, why) in failed {
        report.unseen(subject, format!("it could not be repaired: {why}"));
    }
}

fn apply(scene: &Scene<'_>, mend: &Mend) -> Result<(), StoreError> {
    let store = scene.context.store;
    match mend {
        Mend::Mode(path, mode) => Ok(store.beneath().set_mode(path, *mode)?),
        Mend::Staged(path) => Ok(store.beneath().remove(path).map(|_| ())?),
        Mend::Transaction(prefix, nonce) => {
            let repo = Repo::open(store.root(), prefix)?;
            Ok(repo.sweep(nonce, &repo.branch()?)?)
        }
        // It is committed, and so not done under this lock.
        Mend::LineEnds(_) => Ok(()),
    }
}
