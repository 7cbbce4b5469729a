//! What must hold in the end.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{DAVE, FOLDERS, PEOPLE, Simulation};
use crate::cli::sync::tree::{Entry, Tree, readers};

impl Simulation {
    /// Checks what must hold in the end, and prints what happened.
    pub(super) fn check(&mut self) {
        self.team.agree();
        let tree = self.tree(0);
        self.model.in_step(&tree);
        self.entries_are_for_their_lists(&tree);
        let read = self.daves_blobs();
        self.lists_are_merged();
        let (counts, count) = (&self.counts, |line: &str| self.member(0).ok(line));
        println!(
            "seed {}: {} steps ({} refused), {} syncs ({} offline), {} races ({} times overtaken)",
            self.seed, counts.steps, counts.refused, counts.syncs, counts.offline, counts.races, counts.lost
        );
        println!(
            "  {} commits, {} merges, {} entries merged, {} conflicts ({} resolved), {} entries encrypted anew, \
             {} lists accepted, {} times held back",
            count("git -C remote rev-list --count master"),
            count("git -C remote rev-list --count --merges master"),
            counts.merged,
            counts.conflicts,
            counts.resolved,
            counts.reencrypted,
            counts.accepted,
            counts.reviewed
        );
        println!(
            "  {} values written, {} taken out, {} entries in the end, of {} messages Dave can read {}",
            self.model.written(),
            self.model.replaced(),
            tree.entries.len(),
            read.1,
            read.0
        );
    }

    /// Every entry is encrypted for whom its folder's list names, and passel says so too.
    fn entries_are_for_their_lists(&self, tree: &Tree) {
        let said = self.member(0).pass(&["recipients", "who", "/", "--json"], "").good().out();
        let said: Value = serde_json::from_str(&said).expect("JSON");
        for part in ["off", "held", "unclear", "broken"] {
            assert_eq!(said[part], serde_json::json!([]), "{part}");
        }
        for (name, entry) in &tree.entries {
            assert_eq!(&entry.readers, tree.named(name), "readers of {name}");
        }
    }

    /// Dave can read nothing that he must not, in anything that ever reached the remote; returns of how many messages
    /// he can read how many.
    fn daves_blobs(&self) -> (usize, usize) {
        let member = self.member(0);
        let blobs = member.ok("git -C remote rev-list --objects --all | grep '\\.gpg$'");
        let blobs: BTreeSet<(&str, &str)> = blobs.lines().filter_map(|line| line.split_once(' ')).collect();
        let mut read = BTreeSet::new();
        for (blob, path) in &blobs {
            let message = member.run("git", &["-C", "remote", "cat-file", "blob", blob], b"").good().stdout;
            // He tries, whatever the message says of who can read it.
            let opened = self.dave.open(&message).plaintext;
            assert_eq!(opened.is_some(), readers(&message, &self.full).contains(DAVE), "{blob}");
            let Some(text) = opened else { continue };
            read.insert(*blob);
            for line in self.model.secret_from(DAVE, &text) {
                let when = self.commits_that_let_him(&line);
                assert!(!when.is_empty(), "Dave can read {blob}, {path}, with {}", self.model.told(&line));
                println!("  Dave was let in again within a sync: {path}, {when}");
            }
        }
        let all: BTreeSet<&str> = blobs.iter().map(|(blob, _)| *blob).collect();
        (read.len(), all.len())
    }

    /// Returns a commit that has a line in a folder whose list names Dave; empty if there is none. What a sync made,
    /// and made anew as another one was quicker, was never in anybody's work tree for long.
    fn commits_that_let_him(&self, line: &str) -> String {
        let member = self.member(0);
        let commits = member.ok("git -C remote rev-list --all");
        let lets = |commit: &&str| {
            let mut tree = Tree::default();
            for path in member.ok(&format!("git -C remote ls-tree -r --name-only {commit}")).lines() {
                let bytes = member.run("git", &["-C", "remote", "show", &format!("{commit}:{path}")], b"");
                tree.add(Path::new(path), bytes.good().stdout, &self.full);
            }
            let holds = |(name, entry): (&String, &Entry)| {
                entry.lines.iter().any(|other| other == line) && tree.named(name).contains(DAVE)
            };
            tree.entries.iter().any(holds)
        };
        commits.lines().find(lets).unwrap_or_default().to_owned()
    }

    /// No merge let somebody in whom neither side had let in, or kept one whom either had taken out.
    fn lists_are_merged(&self) {
        let member = self.member(0);
        let list = |commit: &str, folder: &str| -> Option<BTreeSet<String>> {
            let output =
                member.run("git", &["-C", "store", "show", &format!("{commit}:{folder}/.gpg-id")], b"");
            (output.code == 0).then(|| output.out().lines().map(str::to_owned).collect())
        };
        for line in member.ok("git -C store log --merges --format='%H %P'").lines() {
            let commits: Vec<&str> = line.split(' ').collect();
            let bases = member.ok(&format!("git -C store merge-base --all {} {}", commits[1], commits[2]));
            for (folder, _) in FOLDERS {
                let all = [commits[0], commits[1], commits[2]].map(|commit| list(commit, folder));
                let [Some(merged), Some(ours), Some(theirs)] = all else { continue };
                for key in PEOPLE.map(|name| self.full.fingerprint(name)) {
                    let of = |list: &BTreeSet<String>| list.contains(key);
                    let in_all_bases =
                        bases.lines().all(|base| list(base, folder).is_some_and(|list| of(&list)));
                    match (of(&ours), of(&theirs)) {
                        (true, true) => assert!(of(&merged), "{line} takes {key} out of {folder}"),
                        (false, false) => assert!(!of(&merged), "{line} lets {key} into {folder}"),
                        _ if in_all_bases => assert!(!of(&merged), "{line} keeps {key} in {folder}"),
                        _ => {}
                    }
                }
            }
        }
    }
}
