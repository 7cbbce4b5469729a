//! What git itself says of its repositories, and which of them could not be looked at.

use std::path::Path;

use super::report::{Kind, Report};
use super::scene::{Scene, shown_folder};
use crate::git::Repo;
use crate::model::{Shown, argument};

/// How many of git's complaints are passed on: of one missing object it may make thousands.
const MOST: usize = 50;

/// Opens a repository; none if it is of a kind that we do not know.
pub(super) fn open(scene: &Scene<'_>, prefix: &Path, report: &mut Report) -> Option<Repo> {
    match Repo::open(scene.context.store.root(), prefix) {
        Ok(repo) => Some(repo),
        Err(error) => {
            report.failed(shown_folder(prefix), &error);
            None
        }
    }
}

/// Looks at a repository as a whole.
pub(super) fn look(scene: &Scene<'_>, repo: &Repo, report: &mut Report) {
    let subject = shown_folder(repo.prefix());
    if let Err(error) = repo.refuse_unfinished() {
        let hint = "`passel git status` says how to finish or abort it";
        report.error(Kind::Conflict, &subject, &error.to_string(), hint);
    }
    if repo.is_sparse() {
        report.unseen(&subject, "this is a sparse checkout: what it leaves out was not looked at");
    }
    submodules(scene, repo, report);
    git_fsck(scene, repo, report);
}

/// Names the submodules that are not here.
fn submodules(scene: &Scene<'_>, repo: &Repo, report: &mut Report) {
    // That HEAD cannot be read is said elsewhere.
    let files = repo.head().and_then(|head| head.below(Path::new(""))).unwrap_or_default();
    for (path, _, _) in files.into_iter().filter(|(_, _, mode)| mode & 0o170_000 == 0o160_000) {
        let path = repo.prefix().join(path);
        if scene.covers(&path) && !scene.repositories.contains(&path) {
            let why = "it is a submodule that has not been fetched (`git submodule update --init`)";
            report.unseen(Shown::os(&path), why);
        }
    }
}

/// Runs the user's `git fsck`.
fn git_fsck(scene: &Scene<'_>, repo: &Repo, report: &mut Report) {
    let subject = format!("git ({})", shown_folder(repo.prefix()));
    let mut command = scene.context.store.git().command(repo.workdir());
    // What is read of what it says is not translated. What nothing leads to is left for garbage collection.
    // It must not find another repository above where this one is broken.
    command.env("GIT_DIR", repo.gitdir()).env("LC_ALL", "C").args([
        "fsck",
        "--full",
        "--no-dangling",
        "--no-progress",
    ]);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return report.unseen(subject, format!("cannot run `git fsck`: {error}")),
    };
    let said = [output.stdout, output.stderr].concat();
    let lines = said.split(|byte| *byte == b'\n').filter(|line| is_complaint(line));
    let lines: Vec<&[u8]> = lines.collect();
    let hint = format!(
        "a clone that is whole has what is missing: `git -C {} fetch` from it, or clone anew",
        argument(repo.workdir())
    );
    for line in lines.iter().take(MOST) {
        let what = Shown::new(line).to_string();
        match line.starts_with(b"warning") {
            true => report.warning(Kind::Git, &subject, &what, "`git fsck` says it; git works with it"),
            false => report.error(Kind::Git, &subject, &what, &hint),
        }
    }
    if let Some(more @ 1..) = lines.len().checked_sub(MOST) {
        report.error(
            Kind::Git,
            &subject,
            &format!("git fsck finds {more} more problems"),
            "`passel git fsck`",
        );
    }
    if lines.is_empty() && !output.status.success() {
        let code = output.status.code().map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        report.error(Kind::Git, &subject, &format!("git fsck ended with {code}"), "`passel git fsck`");
    }
}

/// Whether a line of `git fsck` speaks of something that is wrong.
fn is_complaint(line: &[u8]) -> bool {
    let harmless: [&[u8]; 4] = [b"notice:", b"dangling ", b"Checking ", b"unreachable "];
    !line.is_empty() && !harmless.iter().any(|start| line.starts_with(start))
}
