//! People with a keyring, a home and a clone each, and the bare remote that they sync with.

use std::fs;
use std::rc::Rc;

use crate::cli::git::Repository;
use crate::common::{Keyring, TestStore, subject};

/// Several people with a clone each. In everybody's folder, `remote` is the remote of all.
pub struct Team {
    members: Vec<(&'static str, Repository)>,
}

impl Team {
    /// Makes everybody's folder, and an empty remote. Nobody has a store yet.
    pub fn new(people: impl IntoIterator<Item = (&'static str, Rc<Keyring>)>) -> Self {
        let mut members: Vec<(&'static str, Repository)> = Vec::new();
        for (name, keyring) in people {
            let store = Repository(TestStore::with(&subject(), &keyring));
            let settings = format!(
                "[user]\n\tname = {name}\n\temail = {name}@example.org\n[init]\n\tdefaultBranch = master\n\
                [maintenance]\n\tauto = false\n[gc]\n\tauto = 0\n"
            );
            fs::write(store.root().join("home/.gitconfig"), settings).expect("the folder is ours");
            let remote = match members.first() {
                None => store.bare_remote("remote.git"),
                Some((_, first)) => first.root().join("remote.git"),
            };
            std::os::unix::fs::symlink(remote, store.root().join("remote")).expect("the folder is ours");
            members.push((name, store));
        }
        Self { members }
    }

    /// Makes the store at the first member's by a line of shell, pushes it, and has all others clone it.
    #[track_caller]
    pub fn found(&self, line: &str) {
        let push = "git -C store remote add origin $PWD/remote; git -C store push -q -u origin master";
        self.first().ok(&format!("{line}; {push}"));
        for (_, member) in &self.members[1..] {
            member.ok("git clone -q $PWD/remote store");
        }
    }

    /// Returns the member in whose folder the remote lies.
    pub fn first(&self) -> &Repository {
        &self.members[0].1
    }

    /// Returns a member by number.
    pub fn member(&self, who: usize) -> &Repository {
        &self.members[who].1
    }

    /// Checks that everybody holds what the remote holds, and that nothing is uncommitted or left about.
    #[track_caller]
    pub fn agree(&self) {
        let there = self.first().ok("git -C remote rev-parse master");
        for (name, member) in &self.members {
            assert_eq!(member.ok("git -C store rev-parse HEAD"), there, "{name}");
            member.clean();
        }
    }
}
