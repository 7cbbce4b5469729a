//! Who can read and write the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};

use super::report::{Kind, Mend, Report};
use super::scene::{Item, Scene, shown_folder};
use crate::check::some_of;
use crate::model::Shown;

/// Everything that group and others may do.
const OTHERS: u32 = 0o077;

/// To pass through a folder, for group and others.
const PASS: u32 = 0o011;

/// What is the same for many files.
#[derive(Default)]
struct Group {
    names: Vec<String>,
    mends: Vec<Mend>,
}

/// Looks at the permissions of files and folders.
pub(super) fn look(scene: &Scene<'_>, user: u32, report: &mut Report) {
    let (mut open, mut executable, mut fixed) = (Group::default(), Group::default(), Group::default());
    let mut foreign: BTreeMap<u32, Group> = BTreeMap::new();
    // What the user's own umask gives to others is not ours to take.
    let denied = OTHERS & scene.context.store.umask();
    // Nobody gets to what lies below a closed folder.
    let mut passable: BTreeMap<&Path, bool> = BTreeMap::new();
    let git = git_folders(scene);
    for item in scene.folders.iter().chain(&git).chain(&scene.files) {
        if item.kind == FileType::Symlink {
            continue;
        }
        let mode = mode(&item.stat);
        let above = item.path.parent().and_then(|folder| passable.get(folder)).copied().unwrap_or(true);
        if item.kind == FileType::Directory {
            passable.insert(&item.path, above && mode & denied & PASS != 0);
        }
        let mut wanted = mode;
        if above && mode & denied != 0 {
            wanted &= !denied;
            open.names.push(shown_folder(&item.path));
        }
        if item.is_entry() && mode & 0o111 != 0 {
            wanted &= !0o111;
            executable.names.push(Shown::os(&item.path).to_string());
            executable.mends.push(Mend::Mode(item.path.clone(), wanted));
        } else if wanted != mode {
            open.mends.push(Mend::Mode(item.path.clone(), wanted));
        }
        if item.stat.st_uid != user {
            foreign.entry(item.stat.st_uid).or_default().names.push(shown_folder(&item.path));
        } else if mode & 0o200 == 0 && item.kind == FileType::Directory {
            fixed.names.push(shown_folder(&item.path));
        }
    }
    tell(scene, open, executable, fixed, foreign, report);
}

fn tell(
    scene: &Scene<'_>,
    mut open: Group,
    executable: Group,
    fixed: Group,
    foreign: BTreeMap<u32, Group>,
    report: &mut Report,
) {
    let subject = shown_folder(&scene.place);
    let counted = |group: &Group, what: &str| format!("{what}: {}", some_of(&group.names));
    if !open.names.is_empty() {
        let what = counted(&open, "other users of this machine can get at files and folders");
        // An entry that is executable as well gets all of its permissions at once.
        if open.mends.is_empty() {
            open.mends.clone_from(&executable.mends);
        }
        report.mendable(Kind::Permissions, &subject, &what, open.mends);
    }
    if !executable.names.is_empty() {
        let what = counted(&executable, "entries can be executed");
        report.mendable(Kind::Permissions, &subject, &what, executable.mends);
    }
    if !fixed.names.is_empty() {
        let what = counted(&fixed, "nothing can be written to folders");
        report.warning(Kind::Permissions, &subject, &what, "`chmod u+w` lets you write to them");
    }
    for (user, group) in foreign {
        let what = counted(&group, &format!("user {user} owns files and folders"));
        report.warning(Kind::Permissions, &subject, &what, "`chown` makes them yours, if they are to be");
    }
}

/// Returns the git directories that lie in the store.
fn git_folders(scene: &Scene<'_>) -> Vec<Item> {
    let places = scene.repositories.iter().filter(|prefix| scene.covers(prefix));
    let item = |path: PathBuf| {
        let stat = scene.context.store.beneath().metadata(&path).ok()??;
        let kind = FileType::from_raw_mode(stat.st_mode);
        (kind == FileType::Directory).then_some(Item { path, kind, stat })
    };
    places.filter_map(|prefix| item(prefix.join(".git"))).collect()
}

/// Returns the permissions alone.
fn mode(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}
