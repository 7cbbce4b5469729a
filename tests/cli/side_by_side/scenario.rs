//! The scenarios of `*.txt` beside this file: sequences of command lines that both programs are given.
//!
//! ```text
//! # a comment
//! = name of a scenario (git)     starts one: (git), (plain): without git, (bare): without a store
//! % mkdir store/a                arranges something, without comparing what it prints
//! $ pass ls                      runs a line of bash without a terminal, and compares
//! @ pass insert a                runs it on a terminal, and compares; then, in order:
//! ? Enter password               … waits for this text
//! ! secret                       … types a line; ^C and ^D stand for themselves
//! ```

/// The store that a scenario begins with; stock pass makes it, for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// None.
    Bare,
    /// One of Alice's, without git.
    Plain,
    /// One of Alice's, with git.
    Git,
}

/// A turn in a conversation on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    Await(String),
    Type(String),
}

/// One line of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Arranges something for the lines that follow.
    Arrange(String),
    /// A command line to compare, its standard input empty.
    Piped(String),
    /// A command line to compare, on a terminal.
    Typed(String, Vec<Turn>),
}

impl Step {
    /// Returns the line of shell.
    pub fn line(&self) -> &str {
        match self {
            Self::Arrange(line) | Self::Piped(line) | Self::Typed(line, _) => line,
        }
    }
}

/// A sequence of steps on a fresh store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    pub name: String,
    pub start: Start,
    pub steps: Vec<Step>,
}

impl Scenario {
    /// Returns the command lines that are compared.
    pub fn compared(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| !matches!(step, Step::Arrange(_)))
    }
}

/// Reads a file of scenarios; panics, naming the line, where it is not one.
pub fn parse(text: &str) -> Vec<Scenario> {
    let mut all: Vec<Scenario> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((mark, rest)) = line.split_at_checked(1) else { continue };
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match mark {
            "#" => {}
            "=" => all.push(heading(rest)),
            _ => {
                let scenario = all.last_mut().expect("a scenario begins with its name");
                let fits = add(&mut scenario.steps, mark, rest);
                assert!(fits, "line {}: {line}", number + 1);
            }
        }
    }
    all
}

fn heading(text: &str) -> Scenario {
    let (name, start) = text.rsplit_once(" (").expect("a heading ends in (git), (plain) or (bare)");
    let start = match start {
        "bare)" => Start::Bare,
        "plain)" => Start::Plain,
        "git)" => Start::Git,
        other => panic!("no such store: ({other}"),
    };
    Scenario { name: name.to_owned(), start, steps: Vec::new() }
}

fn add(steps: &mut Vec<Step>, mark: &str, rest: &str) -> bool {
    match (mark, steps.last_mut()) {
        ("%", _) => steps.push(Step::Arrange(rest.to_owned())),
        ("$", _) => steps.push(Step::Piped(rest.to_owned())),
        ("@", _) => steps.push(Step::Typed(rest.to_owned(), Vec::new())),
        ("?", Some(Step::Typed(_, turns))) => turns.push(Turn::Await(rest.to_owned())),
        ("!", Some(Step::Typed(_, turns))) => turns.push(Turn::Type(typed(rest))),
        _ => return false,
    }
    true
}

fn typed(text: &str) -> String {
    match text {
        "^C" => "\x03".to_owned(),
        "^D" => "\x04".to_owned(),
        line => format!("{line}\r"),
    }
}

#[test]
fn reads_a_scenario() {
    let read = parse("# x\n= a b (git)\n% mkdir x\n$ pass ls\n\n@ pass rm x\n? [y/N]\n! n\n! ^C\n");
    let dialogue = vec![Turn::Await("[y/N]".into()), Turn::Type("n\r".into()), Turn::Type("\x03".into())];
    assert_eq!(read.len(), 1);
    assert_eq!((read[0].name.as_str(), read[0].start), ("a b", Start::Git));
    assert_eq!(read[0].steps[2], Step::Typed("pass rm x".into(), dialogue));
    assert_eq!(read[0].compared().count(), 2);
}
