//! The real pass and our program are given the same command lines on stores of their own; after each,
//! exit code, output, files, recipients and commits must be equal, or listed in `DIFFERENCES`.

mod differences;
mod normal;
mod scenario;
mod side;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::common::{Keyring, stock_pass, subject, tool};
use differences::{Aspect, DIFFERENCES, Difference, Mark, Place};
use scenario::{Scenario, parse};
use side::{Seen, Side};

/// Fewer compared command lines than this would be no comparison.
const AT_LEAST: usize = 150;

macro_rules! scenarios {
    ($($file:literal: $first:ident $(, $more:ident)*;)*) => {
        /// Every file of scenarios.
        const FILES: &[&str] = &[$(include_str!(concat!("side_by_side/", $file))),*];
        $(scenarios!(@tests $file, [$first $($more)*], $first $($more)*);)*
    };
    (@tests $file:literal, $all:tt, $($test:ident)*) => {
        $(#[test] fn $test() {
            check(&share(include_str!(concat!("side_by_side/", $file)), stringify!($test), stringify!($all)));
        })*
    };
}

// A file's scenarios are dealt out to its tests, so that these run side by side.
scenarios! {
    "copy.txt": copies_like_pass, copies_like_pass_too;
    "delete.txt": deletes_like_pass, deletes_like_pass_too;
    "edit.txt": edits_like_pass;
    "find.txt": finds_like_pass;
    "generate.txt": generates_like_pass, generates_like_pass_too;
    "grep.txt": greps_like_pass;
    "init.txt": initialises_like_pass, initialises_like_pass_too, initialises_like_pass_again;
    "insert.txt": inserts_like_pass, inserts_like_pass_too, inserts_like_pass_again;
    "move.txt": moves_like_pass, moves_like_pass_too, moves_like_pass_again;
    "names.txt": names_entries_like_pass, names_entries_like_pass_too;
    "git.txt": runs_git_like_pass, runs_git_like_pass_too;
    "show.txt": shows_like_pass, shows_like_pass_too, shows_like_pass_again;
    "terminal.txt": talks_on_a_terminal_like_pass, talks_on_a_terminal_like_pass_too;
    "environment.txt": understands_the_environment_like_pass, understands_the_environment_like_pass_too;
    "options.txt": understands_options_like_pass, understands_options_like_pass_too;
}

/// Returns the scenarios of a file that fall to `test`, one of `tests`.
fn share(text: &str, test: &str, tests: &str) -> Vec<Scenario> {
    let tests: Vec<&str> = tests.trim_matches(['[', ']']).split_whitespace().collect();
    let own = tests.iter().position(|one| *one == test).expect("the test is among them");
    let all = parse(text).into_iter().enumerate();
    all.filter(|(number, _)| number % tests.len() == own).map(|(_, scenario)| scenario).collect()
}

#[test]
fn deals_out_every_scenario() {
    let all = "= a (bare)\n= b (bare)\n= c (bare)\n";
    let names = |test| share(all, test, "[x y]").into_iter().map(|one| one.name).collect::<Vec<_>>();
    assert_eq!((names("x"), names("y")), (vec!["a".into(), "c".into()], vec!["b".to_owned()]));
}

#[test]
fn compares_enough_command_lines() {
    let scenarios: Vec<Scenario> = FILES.iter().flat_map(|text| parse(text)).collect();
    let lines: usize = scenarios.iter().map(|scenario| scenario.compared().count()).sum();
    println!("{lines} command lines compared, in {} scenarios", scenarios.len());
    assert!(lines >= AT_LEAST, "only {lines} command lines are compared");
    let names: BTreeSet<&str> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names.len(), scenarios.len(), "two scenarios have the same name");
    for listed in DIFFERENCES {
        assert!(!listed.why.is_empty(), "why? {listed:?}");
        for place in listed.places {
            let mut named = scenarios.iter().filter(|scenario| scenario.name == place.scenario);
            let found = named.any(|scenario| scenario.compared().any(|step| step.line() == place.line));
            assert!(found, "no scenario has the line of this difference: {place:?}");
        }
    }
    let places: usize = DIFFERENCES.iter().map(|listed| listed.places.len()).sum();
    println!("{places} of them differ, for {} reasons", DIFFERENCES.len());
}

#[test]
fn notices_a_program_that_differs() {
    let scenarios = parse("= x (git)\n$ pass nosuch\n$ printf 'b\\n' | pass insert -m a\n$ pass rm -f a\n");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let crooked = folder.path().join("pass");
    let keyring = Keyring::new();
    let cases = [
        ("exit 7", vec![Aspect::Code, Aspect::Stderr]),
        ("echo more; exec pass-stock \"$@\"", vec![Aspect::Stdout]),
        ("pass-stock \"$@\"; exit 3", vec![Aspect::Code]),
        ("pass-stock \"$@\" 2>&1", vec![Aspect::Stdout, Aspect::Stderr]),
        ("pass-stock \"$@\" && chmod -f 640 store/a.gpg; true", vec![Aspect::Files]),
        ("pass-stock \"$@\" && git -C store commit -q --amend -m x; true", vec![Aspect::Commits]),
    ];
    for (script, expected) in cases {
        let script = script.replace("pass-stock", &stock_pass().to_string_lossy());
        std::fs::write(&crooked, format!("#!/bin/bash\n{script}\n")).expect("the folder is ours");
        make_executable(&crooked);
        let found = compare(&scenarios[0], &crooked, &keyring);
        for aspect in expected {
            assert!(found.iter().any(|one| one.aspect == aspect), "{script}: {aspect:?} not noticed");
        }
    }
}

#[test]
fn notices_a_listed_difference_that_no_longer_occurs() {
    let scenarios = parse("= x (plain)\n$ pass ls\n");
    const PLACES: &[Place] = &[Place { scenario: "x", line: "pass ls", marks: &[Mark::Exits("1")] }];
    let listed = Difference { why: "made up for this test", places: PLACES };
    let report = judge(&scenarios, &stock_pass(), &[listed]);
    assert!(report.contains("no longer differs"), "{report}");
}

fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
}

/// Fails unless our program does what pass does in all of these scenarios.
fn check(scenarios: &[Scenario]) {
    tool("tree");
    tool("qrencode");
    // Nothing differs when the tests themselves are tried, with pass standing in for our program.
    let same = subject().canonicalize().ok() == stock_pass().canonicalize().ok();
    let report = judge(scenarios, &subject(), if same { &[] } else { DIFFERENCES });
    assert!(report.is_empty(), "{report}");
}

/// Something that differed.
struct Found {
    line: String,
    aspect: Aspect,
    pass: String,
    ours: String,
}

/// Compares all scenarios, and reports what is not as listed.
fn judge(scenarios: &[Scenario], program: &Path, listed: &[Difference]) -> String {
    let keyring = Keyring::new();
    let mut report = String::new();
    for scenario in scenarios {
        let places = listed.iter().flat_map(|one| one.places).filter(|one| one.scenario == scenario.name);
        let mut expected: Vec<(&str, &Mark)> =
            places.flat_map(|one| one.marks.iter().map(|mark| (one.line, mark))).collect();
        for found in compare(scenario, program, &keyring) {
            match expected.iter().position(|(line, mark)| *line == found.line && covers(mark, &found)) {
                Some(place) => drop(expected.remove(place)),
                None => report += &describe(&scenario.name, &found),
            }
        }
        for (line, mark) in expected {
            writeln!(report, "--- {}: $ {line}\nno longer differs as listed: {mark:?}", scenario.name)
                .expect("a string");
        }
    }
    report
}

fn covers(mark: &Mark, found: &Found) -> bool {
    let shows = match mark {
        Mark::Exits(code) => found.ours == *code,
        Mark::Ours(_, text) => found.ours.contains(text) && !found.pass.contains(text),
        Mark::Stock(_, text) => found.pass.contains(text) && !found.ours.contains(text),
    };
    shows && mark.aspect() == found.aspect
}

fn describe(scenario: &str, found: &Found) -> String {
    let Found { line, aspect, pass, ours } = found;
    format!("--- {scenario}: $ {line}\n{aspect:?} of pass:\n{pass}\n{aspect:?} of ours:\n{ours}\n")
}

/// Runs one scenario with both programs.
fn compare(scenario: &Scenario, program: &Path, keyring: &std::rc::Rc<Keyring>) -> Vec<Found> {
    let mut pass = Side::new(&stock_pass(), keyring, scenario.start);
    let mut ours = Side::new(program, keyring, scenario.start);
    let mut found = Vec::new();
    let mut files_before = (String::new(), String::new());
    for step in &scenario.steps {
        if let scenario::Step::Arrange(line) = step {
            pass.arrange(line);
            ours.arrange(line);
            continue;
        }
        let (left, right) = (pass.run(step), ours.run(step));
        for (aspect, pass, ours) in differing(&left, &right, &mut files_before) {
            found.push(Found { line: step.line().to_owned(), aspect, pass, ours });
        }
    }
    found
}

/// Lists what differs, each with both sides' text. Files that differed before count once.
fn differing(pass: &Seen, ours: &Seen, files_before: &mut (String, String)) -> Vec<(Aspect, String, String)> {
    let mut all = Vec::new();
    let mut note = |aspect, pass: &str, ours: &str| {
        if pass != ours {
            all.push((aspect, pass.to_owned(), ours.to_owned()));
        }
    };
    note(Aspect::Code, &pass.code, &ours.code);
    note(Aspect::Stdout, &pass.stdout, &ours.stdout);
    // Where only gpg or git explained a failure, we may explain it in our own words.
    if !(pass.stderr.trim().is_empty() && pass.others_spoke) {
        note(Aspect::Stderr, &pass.stderr, &ours.stderr);
    }
    let files = (lines_only_in(&pass.files, &ours.files), lines_only_in(&ours.files, &pass.files));
    if files != *files_before {
        note(Aspect::Files, &files.0, &files.1);
    }
    *files_before = files;
    note(Aspect::Commits, &pass.commits, &ours.commits);
    all
}

fn lines_only_in(text: &str, other: &str) -> String {
    let known: BTreeSet<&str> = other.lines().collect();
    text.lines().filter(|line| !known.contains(line)).map(|line| format!("{line}\n")).collect()
}
