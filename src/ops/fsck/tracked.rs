//! Entries and recipients files that no commit holds: they never reach anybody else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::report::{Kind, Report};
use super::scene::{Item, Scene, shown_folder};
use crate::check::some_of;
use crate::git::{GitError, Repo};
use crate::model::Shown;

/// Looks for what git ignores or does not track.
pub(super) fn look(scene: &Scene<'_>, repo: &Repo, report: &mut Report) {
    let (mut ignored, mut untracked) = (Vec::new(), Vec::new());
    if let Err(error) = find(scene, repo, &mut ignored, &mut untracked) {
        return report.failed(shown_folder(repo.prefix()), &error);
    }
    let subject = shown_folder(repo.prefix());
    if !ignored.is_empty() {
        let what = format!("git ignores entries, so that nobody else gets them: {}", some_of(&ignored));
        let hint = "`passel git check-ignore -v FILE` names the line to take out of .gitignore";
        report.warning(Kind::Untracked, &subject, &what, hint);
    }
    if !untracked.is_empty() {
        let what = format!("no commit holds entries, so that nobody else gets them: {}", some_of(&untracked));
        report.warning(Kind::Untracked, &subject, &what, "`passel git add FILE`, then `passel git commit`");
    }
}

fn find(
    scene: &Scene<'_>,
    repo: &Repo,
    ignored: &mut Vec<String>,
    untracked: &mut Vec<String>,
) -> Result<(), GitError> {
    let head = repo.head()?;
    let committed: BTreeSet<PathBuf> = head.below(Path::new(""))?.into_iter().map(|file| file.0).collect();
    let counts = |item: &&Item| item.is_entry() || item.path.ends_with(".gpg-id");
    for item in scene.files.iter().filter(counts) {
        let Ok(inside) = item.path.strip_prefix(repo.prefix()) else { continue };
        // What lies in a repository of its own is that one's.
        if committed.contains(inside) || !is_in(scene, repo, &item.path) {
            continue;
        }
        let list = if repo.ignores(&head, inside)? { &mut *ignored } else { &mut *untracked };
        list.push(Shown::os(&item.path).to_string());
    }
    Ok(())
}

/// Whether a file is in this repository and in none below it.
fn is_in(scene: &Scene<'_>, repo: &Repo, path: &Path) -> bool {
    let inner = path.ancestors().skip(1).find(|folder| scene.repositories.iter().any(|one| one == folder));
    inner == Some(repo.prefix())
}
