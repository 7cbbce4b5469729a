//! A generated store of which all is known: who joined and left what, what was moved, copied, changed, removed. What
//! `audit access --at` and `audit exposure` answer must be that, exactly.

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use model::{Expected, Size, World};
use serde_json::Value;

use super::with;
use crate::cli::git::Repository;
use crate::common::TestStore;

/// Makes the world's store.
fn store(world: &mut World) -> Repository {
    let store = Repository(TestStore::new());
    let people = world.size.people;
    // Other people's secret keys are not here: they are made in another keyring.
    store.ok(&format!(
        "mkdir -m 700 others; export GNUPGHOME=$PWD/others
        for n in $(seq 1 {people}); do gpg -q --batch --passphrase '' --quick-gen-key p$n@example.org future-default default never 2>/dev/null; done
        gpg -q --export >people.gpg; gpgconf --kill all"
    ));
    store.ok("gpg -q --import people.gpg; gpg --export alice@example.org >alice.gpg");
    let listing = store.ok("gpg --with-colons --list-keys --with-subkey-fingerprint");
    world.read_keys(&listing);
    world.admin(&std::fs::read(store.root().join("alice.gpg")).expect("it was exported"));
    let stream = world.live();
    std::fs::write(store.root().join("stream"), stream).expect("the folder is ours");
    store.ok("git init -q store; cd store; git fast-import --quiet <../stream; git checkout -q master; rm ../stream");
    store
}

fn ask(store: &Repository, line: &str) -> Value {
    let output = store.shell(line);
    assert_eq!(output.code, 0, "{line}: {}", output.err());
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// Returns the matrix: folder, person, reads, named.
fn matrix(report: &Value) -> BTreeMap<(String, String), (u64, u64)> {
    let mut found = BTreeMap::new();
    for folder in report["folders"].as_array().expect("an array") {
        for reader in folder["readers"].as_array().expect("an array") {
            let of = |value: &Value| value.as_str().expect("a text").to_owned();
            let count = |name: &str| reader[name].as_u64().expect("a number");
            found.insert((of(&folder["folder"]), of(&reader["email"])), (count("reads"), count("named")));
        }
    }
    found
}

fn hold(size: Size, questions: usize) {
    let begun = Instant::now();
    let mut world = World::new(size);
    let store = store(&mut world);
    println!("{}, made in {:.1} s", world.told(), begun.elapsed().as_secs_f32());
    let begun = Instant::now();
    for question in 0..questions {
        let (commit, second, truth) = &world.moments[question * world.moments.len() / questions];
        let at = if question % 2 == 0 {
            model::moment(*second)
        } else {
            store.ok(&format!("git -C store rev-parse master~{commit}"))
        };
        let report = ask(&store, &format!("pass audit access --at {at} --json"));
        assert_eq!(matrix(&report), *truth, "at {at}");
    }
    println!("{questions} questions about access: {:.1} s", begun.elapsed().as_secs_f32());
    let begun = Instant::now();
    let (mut valid, mut changed, mut gone) = (0, 0, 0);
    for question in 0..questions {
        let person = 1 + question % world.size.people;
        let since = (question >= world.size.people).then(|| world.some_second());
        let Expected { valid: v, changed: c, gone: g } = world.expected(person, since);
        let since = since.map(|second| format!("--since {}", model::moment(second))).unwrap_or_default();
        let report = ask(&store, &format!("pass audit exposure p{person}@example.org {since} --json"));
        let found = |verdict: &str| with(&report, verdict).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(found("valid"), v, "p{person} {since}");
        assert_eq!(found("changed"), c, "p{person} {since}");
        // Of what is gone, nothing but its number in its name is left.
        let number = |name: &String| name.rsplit_once("/e").expect("a number").1.parse().expect("a number");
        assert_eq!(found("gone").iter().map(number).collect::<BTreeSet<usize>>(), g, "p{person} {since}");
        assert!(found("unknown").is_empty());
        (valid, changed, gone) = (valid + v.len(), changed + c.len(), gone + g.len());
    }
    println!(
        "{questions} questions about exposure: {:.1} s; {valid} entries still valid, {changed} changed, {gone} gone",
        begun.elapsed().as_secs_f32()
    );
    assert!(valid > 0 && changed > 0 && gone > 0, "the questions are about something");
}

#[test]
fn a_small_history_is_told_exactly() {
    hold(Size { people: 4, clients: 4, entries: 40, commits: 200, seed: 1 }, 8);
}

#[test]
#[ignore = "long: make test-long"]
fn a_history_of_ten_thousand_commits_is_told_exactly() {
    hold(Size { people: 30, clients: 100, entries: 5_000, commits: 10_000, seed: 7 }, 50);
}
