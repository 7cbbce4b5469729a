//! What members do in their own clones.

use super::{CLIENTS, DAVE, PEOPLE, Simulation};
use crate::cli::sync::tree::Tree;
use crate::common::Output;

/// Where entries are made.
const PLACES: [&str; 6] = ["acme", "acme/db", "zeta", "team", "team/web", "team/net"];

/// How folders are moved: into another name, into another folder, out of it.
const MOVES: [(&str, &str); 10] = [
    ("zeta", "beta"),
    ("beta", "zeta"),
    ("team/web", "team/net"),
    ("team/net", "team/web"),
    ("team/net/web", "team/web"),
    ("acme/db", "acme/sql"),
    ("acme/sql", "acme/db"),
    ("acme/sql", "zeta/sql"),
    ("zeta/sql", "team/web"),
    ("team/web", "zeta/web"),
];

/// How many entries there are at most before some are removed rather than added.
const MANY: usize = 10;

/// An address where nobody answers.
const NOWHERE: &str = "http://127.0.0.1:1/";

impl Simulation {
    /// Runs a command that writes, and notes what it replaced.
    fn write(&mut self, who: usize, args: &[&str], stdin: &str) -> Output {
        let before = self.tree(who);
        let output = self.member(who).pass(args, stdin);
        let after = self.tree(who);
        let told = output.err();
        let told = told.lines().find(|line| !line.is_empty()).unwrap_or("");
        self.tell(format!("{} {args:?} {stdin:?}: {} {told}", PEOPLE[who], output.code));
        if output.code != 0 && output.code != 3 {
            assert!(before == after, "a refused change changed something");
            self.counts.refused += 1;
        }
        self.model.wrote(&format!("{} in step {}", PEOPLE[who], self.counts.steps), &before, &after);
        output
    }

    /// Makes a line that was never written before.
    fn token(&mut self, key: &str) -> String {
        let number = self.model.next();
        match key {
            "" => format!("pw-{number}"),
            key => format!("{key}: {number}"),
        }
    }

    /// Makes a text of such lines.
    fn text(&mut self, keys: &[&str]) -> String {
        keys.iter().map(|key| self.token(key) + "\n").collect()
    }

    /// Returns an entry that the member can read, if there is any.
    fn readable(&mut self, tree: &Tree, who: usize) -> Option<String> {
        let can_read = |name: &&String| tree.entries[*name].readers.contains(PEOPLE[who]);
        let mut all: Vec<&String> = tree.entries.keys().filter(can_read).collect();
        // Those of clients as often as those that all can read.
        if self.random.below(2) == 0 {
            all.reverse();
        }
        self.random.rather(&all).map(|name| (*name).clone())
    }

    fn place(&mut self) -> String {
        let folder = *self.random.rather(&PLACES).expect("there are some");
        format!("{folder}/{}", ["a", "b", "c"][self.random.below(3)])
    }

    pub(super) fn edit(&mut self, who: usize) {
        let tree = self.tree(who);
        let Some(name) = self.readable(&tree, who) else { return self.insert(who) };
        let mut lines = tree.entries[&name].lines.clone();
        for _ in 0..[1, 1, 1, 1, 1, 2, 3][self.random.below(7)] {
            let at = self.random.below(lines.len());
            match self.random.below(8) {
                0 if at > 0 => drop(lines.remove(at)),
                1 => {
                    let key = ["note", "also", "more"][self.random.below(3)];
                    let line = self.token(key);
                    lines.insert(1.max(at), line);
                }
                _ => {
                    let key = lines[at].split_once(": ").map_or("", |(key, _)| key).to_owned();
                    lines[at] = self.token(&key);
                }
            }
        }
        self.write(who, &["insert", "-mf", &name], &(lines.join("\n") + "\n"));
    }

    pub(super) fn insert(&mut self, who: usize) {
        if self.tree(who).entries.len() >= MANY {
            return self.remove(who);
        }
        let name = self.place();
        self.insert_as(who, &name);
    }

    /// Makes an entry, or all of it anew.
    pub(super) fn insert_as(&mut self, who: usize, name: &str) {
        let text = self.text(&["", "user", "url", "note"]);
        self.write(who, &["insert", "-mf", name], &text);
    }

    pub(super) fn mv(&mut self, who: usize) {
        if self.random.below(3) == 0 {
            let (from, to) = MOVES[self.random.below(MOVES.len())];
            self.write(who, &["mv", "-f", from, to], "");
            return;
        }
        let tree = self.tree(who);
        let Some(from) = self.readable(&tree, who) else { return };
        let to = self.place();
        self.write(who, &["mv", "-f", &from, &to], "");
    }

    pub(super) fn remove(&mut self, who: usize) {
        let tree = self.tree(who);
        let Some(name) = self.readable(&tree, who) else { return };
        self.write(who, &["rm", "-f", &name], "");
    }

    pub(super) fn generate(&mut self, who: usize) {
        let tree = self.tree(who);
        match self.readable(&tree, who) {
            Some(name) if self.random.below(3) > 0 => self.write(who, &["generate", "-i", &name, "30"], ""),
            _ => {
                let name = self.place();
                self.write(who, &["generate", "-f", &name, "30"], "")
            }
        };
    }

    /// Lets Dave into a client's folder, or takes him out.
    pub(super) fn recipients(&mut self, who: usize) {
        let folder = CLIENTS[self.random.below(2)];
        let tree = self.tree(who);
        let Some(list) = tree.lists.get(folder) else { return };
        let verb = if list.contains(DAVE) { "remove" } else { "add" };
        let key = self.full.fingerprint(DAVE).to_owned();
        self.write(who, &["recipients", verb, folder, &key, "--yes"], "");
    }

    pub(super) fn resolve(&mut self, who: usize) {
        let tree = self.tree(who);
        let can_read =
            |name: &str| tree.entries.get(name).is_some_and(|entry| entry.readers.contains(PEOPLE[who]));
        let is_conflict = |name: &&String| name.contains(".conflict-") && can_read(name);
        let all: Vec<&String> = tree.entries.keys().filter(is_conflict).collect();
        let Some(beside) = self.random.of(&all).map(|name| (*name).clone()) else { return };
        let name = beside.split(".conflict-").next().expect("a first part").to_owned();
        self.counts.resolved += 1;
        match self.random.below(3) {
            0 if can_read(&name) => drop(self.write(who, &["conflicts", "pick", &beside, "--ours"], "")),
            1 => drop(self.write(who, &["conflicts", "pick", &beside, "--theirs"], "")),
            _ => {
                let text = self.text(&["", "user", "solved"]);
                if self.write(who, &["insert", "-mf", &name], &text).code == 0 {
                    self.write(who, &["rm", "-f", &beside], "");
                }
            }
        }
    }

    pub(super) fn go_offline(&mut self, who: usize) {
        self.tell(format!("{} is offline", PEOPLE[who]));
        self.member(who).ok(&format!("git -C store remote set-url origin {NOWHERE}"));
        self.offline[who] = 5 + self.random.below(15);
    }

    pub(super) fn go_online(&mut self, who: usize) {
        self.tell(format!("{} is online", PEOPLE[who]));
        self.member(who).ok("git -C store remote set-url origin $PWD/remote");
        self.offline[who] = 0;
    }
}
