//! Hostile stores: each case of `tests/cli/hostile/*.txt`, run against every command that names or
//! touches entries, with its verdict.
//!
//! Whatever the verdict: nothing outside of the store changes, a refusal changes nothing at all, nothing
//! that drives a terminal is printed, nothing hangs or panics.

mod case;
pub mod look;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{Keyring, Output, TestStore, subject};
use case::{Case, Verdict};
use look::{Tree, drives_terminal, is_new_object, look};

/// Seconds after which a command counts as hung; git's and the store's locks are waited for 10.
const PATIENCE: &str = "20";

/// The commands. `N` stands for the case's name, `L` for its last part; the store has the entries `good`
/// and `web/site`. Writers follow readers.
const COMMANDS: [(&str, &[&str]); 21] = [
    ("show", &["show", "--", "N"]),
    ("ls", &["ls", "--", "N"]),
    ("ls-all", &["ls"]),
    ("find", &["find", "L"]),
    ("grep", &["grep", "nothing-holds-this"]),
    ("insert", &["insert", "-m", "-f", "--", "N"]),
    ("edit", &["edit", "N"]),
    ("generate", &["generate", "-f", "--", "N", "12"]),
    ("generate-i", &["generate", "-i", "--", "N", "12"]),
    ("insert-in", &["insert", "-m", "-f", "--", "N/new"]),
    ("rm", &["rm", "-f", "--", "N"]),
    ("rm-r", &["rm", "-rf", "--", "N"]),
    ("mv", &["mv", "-f", "--", "N", "moved"]),
    ("mv-onto", &["mv", "-f", "--", "good", "N"]),
    ("mv-into", &["mv", "-f", "--", "good", "N/"]),
    ("cp", &["cp", "-f", "--", "N", "copied"]),
    ("cp-onto", &["cp", "-f", "--", "good", "N"]),
    ("cp-into", &["cp", "-f", "--", "N", "web/"]),
    ("init", &["init", "KEY"]),
    ("init-p", &["init", "-p", "N", "KEY"]),
    ("deinit-p", &["init", "-p", "N", ""]),
];
/// How many of them only read.
const READERS: usize = 5;

/// A store, an outside folder beside it, and copies of both as a case has them.
struct Place {
    store: TestStore,
}

impl Place {
    fn new() -> Self {
        let store = TestStore::with(&subject(), &Keyring::new());
        let place = Self { store };
        place.shell(include_str!("hostile/fixture.sh"), OsStr::new(""));
        place
    }

    /// Runs a script of the corpus; it must succeed.
    fn shell(&self, script: &str, name: &OsStr) {
        let mut command = self.store.command("bash");
        let functions = include_str!("hostile/functions.sh");
        command.args(["-euc", &format!("{functions}\n{script}")]).env("N", name);
        let output = command.output().expect("bash runs");
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    fn look(&self) -> Tree {
        look(&self.store.dir())
    }

    fn outside(&self) -> Tree {
        look(&self.store.root().join("outside"))
    }

    /// Runs a command of the table on a case's name.
    fn run(&self, words: &[&str], name: &OsStr) -> Output {
        let last = name.as_bytes().rsplit(|b| *b == b'/').next().unwrap_or_default();
        let words = words.iter().map(|word| match *word {
            "N" => name.to_owned(),
            "N/" => joined(name, "/"),
            "N/new" => joined(name, "/new"),
            "L" => OsStr::from_bytes(last).to_owned(),
            "KEY" => self.store.keyring().fingerprint("bob").into(),
            word => word.into(),
        });
        let mut command = self.store.command("timeout");
        command.args(["--kill-after=5", PATIENCE]).arg(self.store.root().join("bin/pass")).args(words);
        command.env("EDITOR", self.store.root().join("bin/changing-editor"));
        // Patient for as long as needed, with something to read.
        let input = self.store.root().join("input");
        command.stdin(fs::File::open(input).expect("the fixture has it"));
        let output = command.output().expect("timeout runs");
        let code = output.status.code().unwrap_or(128);
        Output { code, stdout: output.stdout, stderr: output.stderr }
    }
}

fn joined(name: &OsStr, tail: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(tail);
    name
}

/// Runs every case of a file; prints what was run; panics with everything that went wrong.
fn corpus(file: &str) {
    let begun = Instant::now();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/hostile").join(file);
    let text = fs::read_to_string(&path).expect("the corpus is part of the source");
    let only = std::env::var("HOSTILE_ONLY").unwrap_or_default();
    let (mut wrong, mut pairs, mut cases) = (Vec::new(), 0, 0);
    let place = Place::new();
    for case in case::parse(&text).iter().filter(|case| case.title.contains(&only)) {
        cases += 1;
        pairs += run_case(&place, case, &mut wrong);
    }
    println!("{file}: {cases} hostile stores, {pairs} pairs of store and command, {:?}", begun.elapsed());
    assert!(pairs > 0 && wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Runs all commands on one case; returns how many.
fn run_case(place: &Place, case: &Case, wrong: &mut Vec<String>) -> usize {
    place.shell("cp -aT template store; rm -rf outside; cp -aT template-outside outside", OsStr::new(""));
    place.shell(&case.setup, &case.name);
    place.shell("rm -rf pristine; cp -aT store pristine", OsStr::new(""));
    let (before, outside) = (place.look(), place.outside());
    let mut pairs = 0;
    for (index, (label, words)) in COMMANDS.iter().enumerate() {
        let Some(verdict) = case.verdict(label, index < READERS) else { continue };
        pairs += 1;
        let begun = Instant::now();
        let output = place.run(words, &case.name);
        let took = begun.elapsed();
        let after = place.look();
        let mut changed = after.differences(&before);
        // What was accepted at first use lies beside the store, not in it.
        changed.retain(|difference| difference != "+.git/passel-accepted");
        if case.patient {
            // The commit was made before git's lock could not be had, as git makes it.
            changed.retain(|difference| !is_new_object(difference));
        }
        let mut faults = faults(verdict, index < READERS, &output, &changed);
        let beyond = place.outside().differences(&outside);
        if !beyond.is_empty() {
            faults.push(format!("changed outside of the store: {beyond:?}"));
        }
        if !case.patient && took > Duration::from_secs(9) {
            faults.push(format!("took {took:?}"));
        }
        if !faults.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr).escape_debug().to_string();
            wrong.push(format!("{} / {label}: {}\n    stderr: {said}", case.title, faults.join("; ")));
        }
        if !changed.is_empty() || case.patient {
            place.shell("rm -rf store; cp -aT pristine store", OsStr::new(""));
        }
        if !beyond.is_empty() {
            place.shell("rm -rf outside; cp -aT template-outside outside", OsStr::new(""));
            place.shell(&case.setup_outside, &case.name);
        }
    }
    place.shell("rm -rf store pristine", OsStr::new(""));
    pairs
}

/// Returns what is wrong with what a command did.
fn faults(verdict: &Verdict, reads: bool, output: &Output, changed: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    let err = output.err();
    if output.code != verdict.code {
        faults.push(format!("exit code {}, expected {}", output.code, verdict.code));
    }
    if verdict.code != 0 {
        let errors = err.lines().filter(|l| l.starts_with("error: ") || l.starts_with("Error: ")).count();
        // What gpg itself says is no error of ours; pass's own texts may lack the word.
        if (errors > 1 && !verdict.several) || (errors == 0 && !verdict.bare) {
            faults.push(format!("{errors} errors instead of one"));
        }
    }
    if !err.contains(&verdict.says) {
        faults.push(format!("does not say {:?}", verdict.says));
    }
    if (reads || verdict.code != 0) && !changed.is_empty() {
        faults.push(format!("changed the store: {changed:?}"));
    }
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if let Some(what) = drives_terminal(bytes) {
            faults.push(format!("{stream} drives the terminal: {what}"));
        }
    }
    if err.contains("panicked") {
        faults.push("panicked".to_owned());
    }
    let stray = |path: &&String| path.contains(".passel-") || path.contains("passel-journal");
    if let Some(path) = changed.iter().filter(|path| path.starts_with('+')).find(stray) {
        faults.push(format!("left {path}"));
    }
    faults
}

#[test]
fn links_lead_nowhere() {
    corpus("links.txt");
}

#[test]
#[ignore = "long: make test-long"]
fn recipients_files_fail_closed() {
    corpus("recipients.txt");
}

#[test]
#[ignore = "long: make test-long"]
fn names_drive_no_terminal_and_stay_inside() {
    corpus("names.txt");
}

#[test]
#[ignore = "long: make test-long"]
fn special_files_sizes_and_depths_are_survived() {
    corpus("shapes.txt");
}

#[test]
#[ignore = "long: make test-long"]
fn forged_messages_are_refused() {
    corpus("messages.txt");
}

#[test]
#[ignore = "long: make test-long"]
fn planted_files_are_not_obeyed() {
    corpus("planted.txt");
}

/// These wait for a lock: 10 seconds a command.
#[test]
#[ignore = "long: make test-long"]
fn stale_locks_are_named() {
    corpus("locks.txt");
}
