//! Mending what is safe: who can get at the files, and what killed commands of ours left. No entry's content is
//! touched, and nothing is removed that anybody else may have made.

use super::report::{Mend, Report, told};
use super::scene::Scene;
use crate::git::Repo;
use crate::store::StoreError;

/// Mends what can be mended; says of the rest why not.
pub(super) fn repair(scene: &Scene<'_>, report: &mut Report) {
    if !report.findings.iter().any(|found| !found.mends.is_empty()) {
        return;
    }
    // Nobody's staged file may be taken for a leftover.
    let lock = match scene.context.store.lock() {
        Ok(lock) => lock,
        Err(error) => return report.failed("the repair", &error),
    };
    let mut failed = Vec::new();
    for found in report.findings.iter_mut().filter(|found| !found.mends.is_empty()) {
        let done: Result<(), StoreError> = found.mends.iter().try_for_each(|mend| apply(scene, mend));
        match done {
            Ok(()) => found.repaired = true,
            Err(error) => failed.push((found.finding.subject.clone(), told(&error))),
        }
    }
    drop(lock);
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
    }
}
