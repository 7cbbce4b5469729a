//! What the history holds that should never have been there. Taking it out of the work tree does not take it back.

use std::path::Path;

use rustix::fs::FileType;

use super::report::{Kind, Report, told};
use super::scene::{Scene, shown_folder};
use crate::crypto::openpgp::body;
use crate::git::Repo;
use crate::git::contents::{Held, Suspicion};
use crate::model::entry::is_entry;
use crate::model::{Shown, argument};
use crate::ops::foreign::is_plain;

/// How many commits and objects that could not be read are named.
const NAMED: usize = 3;

/// Looks through the history of a repository.
pub(super) fn look(scene: &Scene<'_>, repo: &Repo, report: &mut Report) {
    let subject = shown_folder(repo.prefix());
    if repo.is_shallow() {
        let why = "this is a shallow clone: what older commits hold cannot be seen (`git fetch --unshallow`)";
        report.unseen(&subject, why);
    }
    let suspicion = |path: &Path| match path {
        path if !scene.covers(&repo.prefix().join(path)) => Suspicion::None,
        path if is_entry(path) => Suspicion::Content,
        path if is_plain(path, FileType::RegularFile) => Suspicion::Always,
        _ => Suspicion::None,
    };
    // An empty file tells nobody anything.
    let contents = match repo.contents(&suspicion, &|bytes| bytes.is_empty() || body(bytes).is_some()) {
        Ok(contents) => contents,
        Err(error) => return report.failed(subject, &error),
    };
    report.commits += contents.commits;
    if !contents.unread.is_empty() {
        let first = contents.unread.iter().take(NAMED).map(|(id, error)| format!("{id} ({})", told(error)));
        let first = first.collect::<Vec<_>>().join(", ");
        let count = match contents.unread.len() {
            1 => "1 object".to_owned(),
            count => format!("{count} objects"),
        };
        report.unseen(&subject, format!("{count} of the history cannot be read: {first}"));
    }
    contents.held.iter().for_each(|held| tell(repo, held, report));
}

fn tell(repo: &Repo, held: &Held, report: &mut Report) {
    let path = repo.prefix().join(&held.path);
    let commit = &held.commit.to_string()[..10];
    let hint = format!(
        "it cannot be unseen: change the passwords in it; `git filter-repo --invert-paths --path {}` takes every version \
         of it out of the history, today's too (keep a copy), and every clone has to be made anew",
        argument(&held.path)
    );
    let shown = Shown::os(&path);
    match is_entry(&path) {
        true => {
            let what = format!("is in the history in plain text, since commit {commit}");
            report.error(Kind::History, shown, &what, &hint);
        }
        false => {
            let what = format!("is no entry, and in the history since commit {commit}, unencrypted");
            report.warning(Kind::History, shown, &what, &hint);
        }
    }
}
