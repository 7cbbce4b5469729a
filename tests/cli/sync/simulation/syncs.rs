//! Members sync, and accept what somebody must decide about.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::{PEOPLE, Simulation};
use crate::cli::sync::tree::Tree;

/// After how many rounds all must have come to the same.
const ROUNDS: usize = 8;

/// What a sync asks somebody to decide.
struct Told {
    /// The lists to accept, among other words; two empty arrays if there are none.
    lists: String,
    /// The folders to accept.
    folders: Vec<String>,
    /// Whether entries wait to be reviewed.
    is_held_back: bool,
}

impl Simulation {
    /// Lets members sync, all at once; those who are told that they have to accept a list may do so.
    pub(super) fn sync(&mut self, who: &[usize]) {
        self.counts.races += usize::from(who.len() > 1);
        for (who, told) in self.started_at_once(who) {
            if self.random.below(3) > 0 {
                self.decide(who, &told);
            }
        }
    }

    /// Lets members sync, all at once; returns what each was told.
    fn started_at_once(&mut self, who: &[usize]) -> Vec<(usize, Told)> {
        let before: Vec<Tree> = who.iter().map(|who| self.tree(*who)).collect();
        let start = |who: &usize| {
            let mut command = self.member(*who).command("timeout");
            command.args(["60", "bin/pass", "sync", "--json"]).stdin(Stdio::null());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
        };
        let started: Vec<_> = who.iter().map(start).collect();
        let ended: Vec<_> =
            started.into_iter().map(|child| child.wait_with_output().expect("it is ours")).collect();
        let mut rows = Vec::new();
        for ((who, before), output) in who.iter().zip(before).zip(ended) {
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let code = output.status.code().expect("no signal ended it");
            let name = PEOPLE[*who];
            self.tell(format!("{name} sync: {code}"));
            let wanted: &[i32] = if self.offline[*who] > 0 { &[5] } else { &[0, 3] };
            assert!(wanted.contains(&code), "{name}'s sync exits with {code}: {out}\n{err}");
            let mut all: Value = serde_json::from_str(&out).expect("JSON");
            let row = all[0].take();
            self.count(&row, &err);
            assert_eq!(self.member(*who).ok("git -C store status --porcelain"), "", "{out}\n{err}");
            let after = self.tree(*who);
            self.model.synced(name, &before, &after);
            let lists = format!("{}{}", row["locked"], row["objections"]);
            let folders = row["to_accept"].as_array().expect("a list").iter();
            let folders = folders.map(|folder| folder.as_str().expect("a name").to_owned()).collect();
            rows.push((*who, Told { lists, folders, is_held_back: err.contains("held back: ") }));
        }
        self.are_in_step();
        rows
    }

    fn count(&mut self, row: &Value, err: &str) {
        let length = |name: &str| row[name].as_array().expect("a list").len();
        self.counts.syncs += 1;
        self.counts.offline += usize::from(!row["offline"].is_null());
        self.counts.merged += length("merged");
        self.counts.conflicts += length("kept");
        self.counts.reencrypted += length("reencrypted");
        self.counts.lost += err.matches("once more").count();
        for part in ["merged", "kept", "notes", "reencrypted", "left", "locked", "objections"] {
            if length(part) > 0 {
                self.tell(format!("  {part}: {}", row[part]));
            }
        }
    }

    /// Returns the commits at which the members and the remote are.
    fn heads(&self) -> [String; 4] {
        // Without git, which would take most of the time; nothing packs refs here.
        let head = |who: usize, git: &str| {
            let file = self.member(who).root().join(git).join("refs/heads/master");
            std::fs::read_to_string(file).expect("the branch is there")
        };
        [head(0, "store/.git"), head(1, "store/.git"), head(2, "store/.git"), head(0, "remote")]
    }

    /// What all have, and the remote too, is what there is from now on: whatever is missing later, somebody takes out
    /// later.
    fn are_in_step(&mut self) {
        let heads = self.heads();
        if heads.iter().all(|head| *head == heads[0]) {
            let tree = self.tree(0);
            self.model.in_step(&tree);
        }
    }

    /// Lets a member accept the lists that `sync` told them to, and let pass what is held back; returns whether there
    /// was any of it.
    fn decide(&mut self, who: usize, told: &Told) -> bool {
        let tree = self.tree(who);
        let mut any = false;
        for (folder, list) in &tree.lists {
            let folder = if folder.is_empty() { "/" } else { folder };
            let file = Path::new(folder.trim_start_matches('/')).join(".gpg-id");
            if ![format!("\"{}\"", file.display()), format!("`{}`", file.display())]
                .iter()
                .any(|file| told.lists.contains(file))
            {
                continue;
            }
            let keys: Vec<&str> = list.iter().map(|name| self.full.fingerprint(name)).collect();
            self.word(who, &["accept", folder, "--expect", &keys.join(",")]);
            self.counts.accepted += 1;
            any = true;
        }
        // Folders that lost lists of their own follow the one above.
        for folder in
            told.folders.iter().filter(|folder| !tree.lists.contains_key(folder.trim_start_matches('/')))
        {
            let above = Path::new(folder).ancestors().find_map(|above| tree.lists.get(above.to_str()?));
            let keys: Vec<&str> =
                above.expect("the root has one").iter().map(|name| self.full.fingerprint(name)).collect();
            self.word(who, &["accept", folder, "--expect", &keys.join(",")]);
            any = true;
        }
        assert!(any || told.lists == "[][]", "nobody can tell what to do: {}", told.lists);
        if told.is_held_back {
            self.word(who, &["review", "/", "--accept", "--yes"]);
            self.counts.reviewed += 1;
        }
        any || told.is_held_back
    }

    /// Gives a member's word about recipients.
    fn word(&mut self, who: usize, args: &[&str]) {
        let output = self.member(who).pass(&[&["recipients"], args].concat(), "");
        let said = output.out() + &output.err();
        self.tell(format!(
            "{} {}: {} {}",
            PEOPLE[who],
            args.join(" "),
            output.code,
            said.replace('\n', " | ")
        ));
        assert_eq!(output.code, 0, "{said}");
    }

    /// Lets everybody sync and accept until nothing changes any more.
    pub(super) fn settle(&mut self) {
        for who in 0..3 {
            if self.offline[who] > 0 {
                self.go_online(who);
            }
        }
        for round in 1.. {
            assert!(round <= ROUNDS, "no end after {round} rounds");
            let before = self.heads();
            let mut any = false;
            for who in 0..3 {
                for (_, told) in self.started_at_once(&[who]) {
                    any |= self.decide(who, &told);
                }
            }
            if !any && self.heads() == before {
                return;
            }
        }
    }
}
