//! One of the two programs with a store of its own, and everything that can be seen of a command.

use std::path::Path;
use std::rc::Rc;

use super::normal::{self, Generated};
use super::scenario::{Start, Step, Turn};
use crate::common::{Keyring, Kind, Node, Output, TestStore, stock_pass};

/// What a command line did, made comparable.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Seen {
    pub code: String,
    pub stdout: String,
    /// Pass's own lines on standard error.
    pub stderr: String,
    /// Whether other programs wrote to standard error as well.
    pub others_spoke: bool,
    /// All files: one line each.
    pub files: String,
    /// The commits made, and what git calls uncommitted.
    pub commits: String,
}

/// A program and its store.
pub struct Side {
    store: TestStore,
    generated: Generated,
    nodes: Vec<Node>,
    log: String,
}

impl Side {
    /// Prepares a fresh store for `program`.
    pub fn new(program: &Path, keyring: &Rc<Keyring>, start: Start) -> Self {
        let store = TestStore::with(program, keyring);
        if start != Start::Bare {
            store.run(stock_pass(), &["init", store.keyring().fingerprint("alice")], b"").good();
        }
        if start == Start::Git {
            store.run(stock_pass(), &["git", "init"], b"").good();
        }
        let mut side = Self { store, generated: Generated::default(), nodes: Vec::new(), log: String::new() };
        side.look();
        side
    }

    /// Runs a line whose outcome is not compared.
    pub fn arrange(&mut self, line: &str) {
        let output = self.store.shell(line);
        assert_eq!(output.code, 0, "arranging failed: {line}\n{}{}", output.out(), output.err());
        self.look();
    }

    /// Runs a line and says what it did.
    pub fn run(&mut self, step: &Step) -> Seen {
        let output = match step {
            Step::Arrange(line) | Step::Piped(line) => self.store.shell(line),
            Step::Typed(line, turns) => self.converse(line, turns),
        };
        let (before, log_before) = (std::mem::take(&mut self.nodes), std::mem::take(&mut self.log));
        self.look();
        if step.line().contains("generate") {
            self.remember_generated(&before);
        }
        let root = self.store.root().to_string_lossy().into_owned();
        if std::env::var_os("PASSEL_TEST_SHOW").is_some() {
            // For whoever wants to see what pass says: cargo test … -- --nocapture
            eprintln!("$ {}\n{}{}[{}]\n", step.line(), output.out(), output.err(), output.code);
        }
        let (stderr, others_spoke) = normal::stderr(&output.err(), &root);
        let fresh = self.log.strip_prefix(&log_before).unwrap_or(&self.log);
        Seen {
            code: output.code.to_string(),
            stdout: self.generated.mask(&normal::stdout(&output.out(), &root)),
            stderr,
            others_spoke,
            files: self.files().replace(&root, "ROOT"),
            commits: format!("{fresh}{}", self.uncommitted()).replace(&root, "ROOT"),
        }
    }

    fn converse(&self, line: &str, turns: &[Turn]) -> Output {
        let mut terminal = self.store.terminal(line);
        for turn in turns {
            match turn {
                Turn::Await(text) => terminal.wait_for(text),
                Turn::Type(text) => terminal.type_text(text),
            };
        }
        terminal.finish()
    }

    fn look(&mut self) {
        self.nodes = self.store.snapshot();
        let format = "--format=commit %an <%ae>: %s%n%b";
        self.log = self.in_repositories(&["log", "--reverse", "--no-renames", "--name-status", format]);
    }

    fn uncommitted(&self) -> String {
        self.in_repositories(&["status", "--porcelain", "--untracked-files=all"])
    }

    /// Runs git in every repository of the store, and joins what it prints.
    fn in_repositories(&self, args: &[&str]) -> String {
        let repositories = self.nodes.iter().filter(|node| node.kind == Kind::Repository);
        let mut text = String::new();
        for folder in repositories.filter_map(|node| node.path.strip_suffix("/.git")) {
            let mut all = vec!["-C", folder];
            all.extend(args);
            let output = self.store.run("git", &all, b"").out();
            // The body of a revert names a commit, which differs from run to run.
            let lines = output.lines().filter(|line| !line.starts_with("This reverts commit "));
            lines.for_each(|line| text += &format!("{line}\n"));
        }
        text
    }

    /// Takes the first line of every entry that a command changed for a password it generated.
    fn remember_generated(&mut self, before: &[Node]) {
        for node in self.nodes.iter().filter(|node| !before.contains(node)) {
            if let Kind::Message(Some(text), _) = &node.kind {
                let text = String::from_utf8_lossy(text);
                self.generated.add(text.lines().next().unwrap_or_default());
            }
        }
    }

    fn files(&self) -> String {
        let mut text = String::new();
        for node in &self.nodes {
            let mut node = node.clone();
            if let Kind::Message(Some(plaintext), _) = &mut node.kind {
                *plaintext = self.generated.mask(&String::from_utf8_lossy(plaintext)).into_bytes();
            }
            text += &format!("{node}\n");
        }
        text
    }
}
