//! What is done to a store, and how it looks before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use super::bench::{Bench, Kill, MEMORY, Outcome, STORE};
use super::disk::{Body, Disk};

/// The entries of every store; those below `client` are for both keys.
pub const ENTRIES: [(&str, &str); 4] = [
    ("web/site", "old\nuser: fay\n"),
    ("web/mail", "letters\n"),
    ("bank", "1234\npin: 99\n"),
    ("client/wifi", "air\n"),
];

/// What an entry holds.
#[derive(Clone, Copy)]
pub enum Content {
    /// Exactly this.
    Text(&'static str),
    /// A generated password of this length, then exactly this.
    Generated(usize, &'static str),
}

impl Content {
    /// Whether the text is such a content.
    pub fn fits(self, text: &[u8]) -> bool {
        match self {
            Content::Text(expected) => text == expected.as_bytes(),
            Content::Generated(length, rest) => {
                let Some((password, after)) = text.split_at_checked(length) else { return false };
                password.iter().all(u8::is_ascii_graphic) && after == format!("\n{rest}").as_bytes()
            }
        }
    }
}

/// A command and what it does.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// For the table.
    pub name: &'static str,
    /// Whether it differs from another one in a detail.
    pub variant: bool,
    /// Whether the store is a git repository.
    pub git: bool,
    /// Whether git signs its commits.
    pub signed: bool,
    /// How many keys the store's own recipients file names.
    pub recipients: usize,
    /// How many it names afterwards, and every entry that it rules is for so many.
    pub recipients_after: usize,
    /// The command line.
    pub arguments: &'static [&'static str],
    /// Standard input.
    pub input: &'static str,
    /// Entries that are another afterwards, or gone.
    pub changes: &'static [(&'static str, Option<Content>)],
    /// Subject of the commit, or how it begins.
    pub subject: &'static str,
    /// Whether the command succeeds where it has been done already.
    pub repeatable: bool,
    /// Whether doing it again changes nothing, and commits nothing.
    pub idempotent: bool,
    /// Whether plaintext goes through /dev/shm.
    pub memory: bool,
}

const INSERT: Scenario = Scenario {
    name: "insert over",
    variant: false,
    git: true,
    signed: false,
    recipients: 1,
    recipients_after: 1,
    arguments: &["insert", "-m", "-f", "web/site"],
    input: "new\nuser: gus\n",
    changes: &[("web/site", Some(Content::Text("new\nuser: gus\n")))],
    subject: "Add given password for web/site to store.",
    repeatable: true,
    idempotent: false,
    memory: false,
};

const RECIPIENTS: Scenario = Scenario {
    name: "recipients add",
    recipients_after: 2,
    arguments: &["recipients", "add", "--yes", "/", "gus@example.org"],
    input: "",
    changes: &[
        ("web/site", Some(Content::Text("old\nuser: fay\n"))),
        ("web/mail", Some(Content::Text("letters\n"))),
        ("bank", Some(Content::Text("1234\npin: 99\n"))),
    ],
    subject: "Add recipients ",
    idempotent: true,
    ..INSERT
};

/// Every scenario.
pub const ALL: [Scenario; 13] = [
    INSERT,
    Scenario {
        name: "insert new, deep",
        variant: true,
        arguments: &["insert", "-m", "-f", "shop/eu/till"],
        changes: &[("shop/eu/till", Some(Content::Text("new\nuser: gus\n")))],
        subject: "Add given password for shop/eu/till to store.",
        ..INSERT
    },
    Scenario { name: "insert, no git", variant: true, git: false, ..INSERT },
    Scenario { name: "insert, two keys", variant: true, recipients: 2, recipients_after: 2, ..INSERT },
    Scenario { name: "insert, signed", variant: true, signed: true, ..INSERT },
    Scenario {
        name: "edit",
        arguments: &["edit", "web/site"],
        input: "",
        changes: &[("web/site", Some(Content::Text("edited\nuser: fay\n")))],
        subject: "Edit password for web/site using retype.",
        repeatable: false,
        memory: true,
        ..INSERT
    },
    Scenario {
        name: "generate -i",
        arguments: &["generate", "-i", "web/site", "30"],
        input: "",
        changes: &[("web/site", Some(Content::Generated(30, "user: fay\n")))],
        subject: "Replace generated password for web/site.",
        ..INSERT
    },
    Scenario {
        name: "rm",
        arguments: &["rm", "-f", "web/site"],
        input: "",
        changes: &[("web/site", None)],
        subject: "Remove web/site from store.",
        repeatable: false,
        ..INSERT
    },
    Scenario {
        name: "mv, other keys",
        arguments: &["mv", "-f", "web/site", "client/site"],
        input: "",
        changes: &[("web/site", None), ("client/site", Some(Content::Text("old\nuser: fay\n")))],
        subject: "Rename web/site to client/site.",
        repeatable: false,
        ..INSERT
    },
    Scenario {
        name: "mv folder",
        variant: true,
        arguments: &["mv", "-f", "web", "archive"],
        input: "",
        changes: &[
            ("web/site", None),
            ("web/mail", None),
            ("archive/site", Some(Content::Text("old\nuser: fay\n"))),
            ("archive/mail", Some(Content::Text("letters\n"))),
        ],
        subject: "Rename web to archive.",
        repeatable: false,
        ..INSERT
    },
    RECIPIENTS,
    Scenario { name: "recipients add, no git", variant: true, git: false, ..RECIPIENTS },
    Scenario {
        name: "rm, no git",
        variant: true,
        git: false,
        arguments: &["rm", "-f", "web/site"],
        input: "",
        changes: &[("web/site", None)],
        repeatable: false,
        ..INSERT
    },
];

/// A scenario with its store, and with what a run without failure leaves.
pub struct Prepared {
    /// The scenario.
    pub scenario: Scenario,
    /// The disk before the command.
    pub disk: Disk,
    /// Every path before.
    pub before: BTreeSet<PathBuf>,
    /// Every path after the command and the next one.
    pub after: BTreeSet<PathBuf>,
    /// Ciphertexts before.
    pub entries: BTreeMap<String, Arc<Vec<u8>>>,
    /// Commit subjects before, newest first.
    pub subjects: Vec<String>,
    /// The disk before each operation, what the operation was, and the disk when the command had ended.
    pub steps: Vec<(Disk, String)>,
    /// How long the command took.
    pub took: std::time::Duration,
}

impl Prepared {
    /// Builds the store and runs the command once without failure, recording its operations.
    pub fn new(bench: &Bench, scenario: Scenario) -> Self {
        bench.clear_memory();
        build(bench, &scenario);
        let disk = bench.mount.disk();
        let subjects = subjects(bench);
        bench.mount.load(&disk);
        let (outcome, steps) = record(bench, &scenario);
        assert_eq!(outcome.code, Some(0), "{} without a failure: {}", scenario.name, outcome.output);
        let listed = bench.run(&["ls"], "", scenario.memory, Kill::No);
        assert_eq!(listed.code, Some(0), "ls after {}: {}", scenario.name, listed.output);
        let after = bench.mount.disk().walk().into_keys().collect();
        let before = disk.walk().into_keys().collect();
        let entries = entries(&disk);
        Prepared { scenario, disk, before, after, entries, subjects, steps, took: outcome.took }
    }

    /// What every entry holds afterwards.
    pub fn new_entries(&self) -> BTreeMap<&'static str, Content> {
        let mut entries: BTreeMap<_, _> =
            ENTRIES.iter().map(|(name, text)| (*name, Content::Text(text))).collect();
        for (name, content) in self.scenario.changes {
            match content {
                Some(content) => entries.insert(name, *content),
                None => entries.remove(name),
            };
        }
        entries
    }

    /// How many keys an entry is for afterwards.
    pub fn recipients(&self, name: &str) -> usize {
        if name.starts_with("client/") { 2 } else { self.scenario.recipients_after }
    }
}

/// Runs the command without failure and keeps the disk before each of its operations, and after the last.
fn record(bench: &Bench, scenario: &Scenario) -> (Outcome, Vec<(Disk, String)>) {
    {
        let mut state = bench.mount.state();
        state.armed = true;
        state.recording = true;
    }
    let outcome = bench.run(scenario.arguments, scenario.input, scenario.memory, Kill::No);
    let mut state = bench.mount.state();
    state.armed = false;
    let disks = std::mem::take(&mut state.before);
    let names = state.operations.iter().map(|operation| operation.to_string());
    let mut steps: Vec<_> = disks.into_iter().zip(names).collect();
    steps.push((state.disk.clone(), "the end".to_owned()));
    (outcome, steps)
}

/// The entries' ciphertexts, by name.
pub fn entries(disk: &Disk) -> BTreeMap<String, Arc<Vec<u8>>> {
    let mut entries = BTreeMap::new();
    for (path, ino) in disk.walk() {
        let Ok(inside) = path.strip_prefix(STORE) else { continue };
        if let (Some(name), false) = (inside.to_string_lossy().strip_suffix(".gpg"), in_git(inside))
            && let Ok(file) = disk.file(ino)
        {
            entries.insert(name.to_owned(), Arc::clone(&file.data));
        }
    }
    entries
}

/// Whether a path of the store is git's own.
pub fn in_git(inside: &Path) -> bool {
    inside.starts_with(".git")
}

/// The commit subjects, newest first; none without a repository.
pub fn subjects(bench: &Bench) -> Vec<String> {
    if !bench.store().join(".git").exists() {
        return Vec::new();
    }
    bench.git(&["log", "--format=%s"]).output.lines().map(str::to_owned).collect()
}

fn build(bench: &Bench, scenario: &Scenario) {
    let mut disk = Disk::new();
    for name in MEMORY.iter().chain([&STORE]) {
        let body = Body::Folder(Default::default());
        disk.create(super::disk::ROOT, OsStr::new(name), body, 0o700).expect("the disk is empty");
    }
    bench.mount.load(&disk);
    let keys = &bench.home.keys;
    let recipients = |count: usize| keys[..count].iter().map(|key| format!("{key}\n")).collect::<String>();
    let file = |name: &str, content: &[u8]| {
        let path = bench.store().join(name);
        fs::create_dir_all(path.parent().expect("it is in the store")).expect("nothing fails yet");
        fs::write(path, content).expect("nothing fails yet");
    };
    file(".gpg-id", recipients(scenario.recipients).as_bytes());
    file("client/.gpg-id", recipients(2).as_bytes());
    for (name, text) in ENTRIES {
        let count = if name.starts_with("client/") { 2 } else { scenario.recipients };
        file(&format!("{name}.gpg"), &encrypt(bench, &keys[..count], text));
    }
    if scenario.git {
        let signed = if scenario.signed { "true" } else { "false" };
        let commands = [
            &["init", "-q"][..],
            &["config", "user.signingKey", &keys[0]],
            &["config", "commit.gpgSign", signed],
            &["add", "-A"],
            &["commit", "-q", "-m", "Start."],
        ];
        for arguments in commands {
            let outcome = bench.git(arguments);
            assert_eq!(outcome.code, Some(0), "git {arguments:?}: {}", outcome.output);
        }
    }
}

fn encrypt(bench: &Bench, keys: &[String], text: &str) -> Vec<u8> {
    let mut command = bench.home.command(OsStr::new("gpg"));
    command.args(["--batch", "--quiet", "--no-encrypt-to", "-e"]);
    command.args(keys.iter().flat_map(|key| ["-r", key]));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("gpg is installed");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin.write_all(text.as_bytes()).expect("gpg reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it is our child");
    assert!(output.status.success(), "gpg encrypts");
    output.stdout
}
