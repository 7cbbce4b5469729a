//! `sync`: what comes and goes between clones, and what is not taken.

mod basics;
mod hostile;
mod interplay;
mod killed;
mod limits;
pub mod random;
mod simulation;
mod tree;

use super::git::Repository;

/// Alice's store and Bob's clone of it, `b`, with a remote between them. Both have all keys; each remembers by itself
/// whom it has accepted.
pub struct Pair(Repository);

/// What every line of shell begins with: the program as Bob runs it.
const BOB: &str =
    "b() { PASSWORD_STORE_DIR=$PWD/b pass \"$@\"; }; entry() { printf 'pw\\nuser: u\\nurl: l\\nnote\\n'; };
    put() { tr ' ' '\\n' | pass insert -mf $1; }; bput() { tr ' ' '\\n' | b insert -mf $1; }; ";

impl Pair {
    /// Makes both, in step; `web` and `top` hold an entry each.
    pub fn new() -> Self {
        let made = Pair(Repository::new());
        made.ok(
            "pass init $ALICE $BOB; entry | pass insert -m web/x; echo top | pass insert -m top
            git init -q --bare remote; git -C store remote add origin $PWD/remote; pass sync
            git clone -q remote b; git -C b config user.name Bob; git -C b config user.email bob@example.org; b sync",
        );
        made
    }

    /// Runs a line of shell that must succeed; `b` is the program as Bob runs it.
    #[track_caller]
    pub fn ok(&self, line: &str) -> String {
        self.0.ok(&format!("{BOB}{line}"))
    }

    /// Runs a line that must end with this exit code; returns everything that it printed.
    #[track_caller]
    pub fn ends(&self, code: i32, line: &str) -> String {
        let output = self.0.shell(&format!("{BOB}{line}"));
        let all = format!("{}{}", output.out(), output.err());
        assert_eq!(output.code, code, "{line}\n{all}");
        all
    }

    /// Runs a line that must end with this exit code and print these words.
    #[track_caller]
    pub fn says(&self, code: i32, line: &str, words: &[&str]) -> String {
        let all = self.ends(code, line);
        for word in words {
            assert!(all.contains(word), "{line}: {word:?} in\n{all}");
        }
        all
    }

    /// Runs a line that must be refused with these words; nothing of the store and of Bob's clone may change, but for
    /// what was fetched.
    #[track_caller]
    pub fn refuses(&self, code: i32, line: &str, words: &[&str]) {
        let state = "for s in store b; do git -C $s rev-parse HEAD; git -C $s status --porcelain; find $s -path '*/.git' \
                     -prune -o -type f -exec sha256sum {} + | sort; done 2>&1";
        let before = self.ends(0, &format!("{state}; true"));
        self.says(code, line, words);
        assert_eq!(self.ends(0, &format!("{state}; true")), before, "{line} changed something");
    }

    /// Checks that both hold the same, that the remote holds it too, and that git sees nothing amiss.
    #[track_caller]
    pub fn in_step(&self) {
        let heads = self.ok("for s in store b remote; do git -C $s rev-parse master; done");
        let heads: Vec<&str> = heads.lines().collect();
        assert!(heads.iter().all(|head| *head == heads[0]), "{heads:?}");
        for folder in ["store", "b"] {
            self.0.clean_in(folder);
        }
    }
}
