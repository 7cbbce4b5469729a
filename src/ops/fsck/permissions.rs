//! Who can read and write the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};

use super::report::{Kind, Mend, Report};
use super::scene::{Item, Scene, shown_folder};
use crate::check::some_of;

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

/// What was found so far.
#[derive(Default)]
struct Look {
    /// What others can get at.
    open: Group,
    /// Entries that can be executed.
    executable: Group,
    /// Folders that cannot be written to.
    fixed: Group,
    /// What others own, by their user IDs.
    foreign: BTreeMap<u32, Group>,
}

/// Looks at the permissions of files and folders.
pub(super) fn look(scene: &Scene<'_>, user: u32, report: &mut Report) {
    // What the user's own umask gives to others is not ours to take.
    let denied = OTHERS & scene.context.store.umask();
    // Nobody gets to what lies below a closed folder.
    let mut passable: BTreeMap<&Path, bool> = BTreeMap::new();
    let (git, mut look) = (git_folders(scene), Look::default());
    let all = scene.folders.iter().chain(&git).chain(&scene.files);
    // A link has no permissions of its own.
    for item in all.filter(|item| item.kind != FileType::Symlink) {
        let above = item.path.parent().and_then(|folder| passable.get(folder)).copied().unwrap_or(true);
        if item.kind == FileType::Directory {
            passable.insert(&item.path, above && mode(&item.stat) & denied & PASS != 0);
        }
        look.permissions(item, if above { denied } else { 0 });
        look.owner(item, user);
    }
    look.tell(&shown_folder(&scene.place), report);
}

impl Look {
    /// Looks who can get at an item; `denied` are the permissions that nobody should have.
    fn permissions(&mut self, item: &Item, denied: u32) {
        let mode = mode(&item.stat);
        let mut wanted = mode & !denied;
        if wanted != mode {
            self.open.names.push(shown_folder(&item.path));
        }
        // All at once, where both are wrong.
        let group = match item.is_entry() && mode & 0o111 != 0 {
            true => {
                wanted &= !0o111;
                self.executable.names.push(shown_folder(&item.path));
                &mut self.executable
            }
            false => &mut self.open,
        };
        if wanted != mode {
            group.mends.push(Mend::Mode(item.path.clone(), wanted));
        }
    }

    /// Looks whether an item is the user's, and can be changed.
    fn owner(&mut self, item: &Item, user: u32) {
        if item.stat.st_uid != user {
            self.foreign.entry(item.stat.st_uid).or_default().names.push(shown_folder(&item.path));
        } else if mode(&item.stat) & 0o200 == 0 && item.kind == FileType::Directory {
            self.fixed.names.push(shown_folder(&item.path));
        }
    }

    /// Adds the findings.
    fn tell(mut self, subject: &str, report: &mut Report) {
        let named = |group: &Group, what: &str| format!("{what}: {}", some_of(&group.names));
        let kind = Kind::Permissions;
        if !self.open.names.is_empty() {
            let what = named(&self.open, "other users of this machine can get at files and folders");
            // Some that are executable as well are mended there.
            if self.open.mends.is_empty() {
                self.open.mends.clone_from(&self.executable.mends);
            }
            report.mendable(kind, subject, &what, self.open.mends);
        }
        if !self.executable.names.is_empty() {
            let what = named(&self.executable, "entries can be executed");
            report.mendable(kind, subject, &what, self.executable.mends);
        }
        if !self.fixed.names.is_empty() {
            let what = named(&self.fixed, "nothing can be written to folders");
            report.warning(kind, subject, &what, "`chmod u+w` lets you write to them");
        }
        for (user, group) in self.foreign {
            let what = named(&group, &format!("user {user} owns files and folders"));
            report.warning(kind, subject, &what, "`chown` makes them yours, if they are to be");
        }
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
