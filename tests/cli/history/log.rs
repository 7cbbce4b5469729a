//! What is told of commits.

use super::Chronicle;
use crate::common::{TestStore, stock_pass};

#[test]
fn tells_each_kind_of_change_apart() {
    let store = Chronicle::new();
    store.insert("web/a", "one\nuser: x\n");
    assert_eq!(store.newest(""), "added web/a");
    store.insert("web/a", "one\nuser: y\n");
    assert_eq!(store.newest(""), "edited web/a");
    store.insert("web/a", "two\nuser: y\n");
    assert_eq!(store.newest(""), "password changed of web/a");
    assert_eq!(store.told("pass log -n 1 --no-decrypt"), "changed web/a");
    store.insert("web/a", "two\nuser: y\n");
    assert_eq!(store.newest(""), "re-encrypted web/a");
    store.ok("pass mv web/a b");
    assert_eq!(store.newest(""), "moved b from web/a");
    assert_eq!(store.newest("web"), "moved web/a to b");
    assert_eq!(store.newest("web/a"), "moved web/a to b");
    store.ok("pass cp b c");
    assert_eq!(store.newest(""), "copied c from b");
    store.ok("pass rm -f c");
    assert_eq!(store.newest(""), "removed c");
    store.ok("git -C store revert --no-edit HEAD");
    let before = store.ok("git -C store rev-parse HEAD~2 | cut -c -10");
    assert_eq!(store.newest(""), format!("restored c as of {before}"));
    store.ok("echo x >store/notes; cd store; git add notes; git commit -qm n");
    assert_eq!(store.newest(""), "file added: notes");
}

#[test]
fn what_a_subject_says_is_not_believed() {
    let store = Chronicle::new();
    store.insert("a", "one\n");
    store.insert("b", "one\n");
    let commit = |subject: &str| store.ok(&format!("cd store; git add -A; git commit -qm '{subject}'"));
    store.ok("echo other | gpg -qer $ALICE >store/c.gpg; rm store/a.gpg");
    commit("Rename a to c.");
    assert_eq!(store.newest(""), "added c\nremoved a");
    store.ok("echo other2 | gpg -qer $ALICE >store/d.gpg");
    commit("Copy b to d.");
    assert_eq!(store.newest(""), "added d");
    let id = store.ok("git -C store rev-parse HEAD~1");
    store.ok("echo three | gpg -qer $ALICE >store/c.gpg");
    commit(&format!("Restore c as of {id}."));
    assert_eq!(store.newest(""), "password changed of c");
    // A move that no subject names.
    store.ok("echo one | gpg -qer $ALICE >store/x.gpg; rm store/b.gpg");
    commit("tidied up");
    assert_eq!(store.newest(""), "moved x from b, re-encrypted");
    assert_eq!(store.told("pass log -n 1 --no-decrypt"), "added x\nremoved b");
}

#[test]
fn a_move_that_encrypts_anew_is_told() {
    let store = Chronicle::new();
    store.ok("pass init -p team $ALICE $BOB");
    let gained = store.newest("");
    assert!(
        gained.starts_with("recipients of team changed\ngained  ") && gained.contains("bob@example.org"),
        "{gained}"
    );
    assert!(!gained.contains("alice"), "{gained}");
    store.insert("a", "one\n");
    store.ok("pass mv a team/a");
    assert_eq!(store.newest(""), "moved team/a from a, re-encrypted");
    store.ok("pass cp team/a b");
    assert_eq!(store.newest(""), "copied b from team/a, re-encrypted");
}

#[test]
fn who_gained_and_lost_is_told_and_not_how_it_is_written() {
    let store = Chronicle::new();
    for name in ["a", "b"] {
        store.insert(name, "one\n");
    }
    store.ok("pass recipients add / $BOB --yes");
    let told = store.newest("");
    assert!(
        told.contains("re-encrypted a\nre-encrypted b\nrecipients of the store changed\ngained"),
        "{told}"
    );
    assert!(told.contains(&format!("{}  ", store.keyring().fingerprint("bob"))), "{told}");
    store.ok("pass recipients set / $CAROL $ALICE --yes");
    let told = store.newest("");
    let who = |word: &str| told.lines().find(|line| line.starts_with(word)).unwrap_or_default().to_owned();
    assert!(who("gained").contains("carol@") && who("lost").contains("bob@"), "{told}");
    store.ok("cd store; echo alice@example.org >.gpg-id; echo $CAROL >>.gpg-id; git commit -qam x");
    assert_eq!(store.newest(""), "recipients of the store written otherwise: the same keys");
    store.ok("pass init -p sub $ALICE; echo y | pass insert -m sub/y; pass init -p sub ''");
    let told = store.newest("");
    assert!(told.contains("recipients of sub changed: its own list was removed\ngained"), "{told}");
}

#[test]
fn groups_rules_and_public_keys_are_told() {
    let store = Chronicle::new();
    store.ok("pass group add team $ALICE $BOB --yes");
    let told = store.newest("");
    assert!(told.contains("group team changed\ngained") && told.contains("bob@example.org"), "{told}");
    store.ok("mkdir store/web; pass group assign team web --yes");
    let told = store.newest("");
    assert!(told.contains("rule for web changed") && told.contains("recipients of web"), "{told}");
    store.ok("pass keys export");
    let told = store.newest("");
    assert!(told.contains(&format!("public key added: {}", store.keyring().fingerprint("alice"))), "{told}");
    store.ok("echo '%' >store/.passel.yaml; git -C store commit -qam x");
    assert_eq!(store.newest(""), "groups and rules changed");
}

#[test]
fn many_entries_are_summed_up() {
    let store = Chronicle::new();
    store.ok("mkdir -p store/c/acme/x; for n in $(seq 9); do echo $n | gpg -qer $ALICE >store/c/acme/x/$n.gpg; done
        cd store; git add .; git commit -qm new");
    assert_eq!(store.newest(""), "added 9 entries in c/acme/x");
    store.ok("pass recipients add c/acme $BOB --yes");
    let told = store.newest("c");
    assert!(told.starts_with("re-encrypted 9 entries in c/acme/x\nrecipients of c/acme changed"), "{told}");
    store.ok("pass mv c/acme c/new");
    assert!(
        store.newest("").starts_with("moved 9 entries in c/new/x from c/acme/x\n"),
        "{}",
        store.newest("")
    );
    let all = store.ok("pass log --json -n 1");
    assert_eq!(all.matches("\"moved\"").count(), 9);
}

#[test]
fn a_merge_is_told_for_what_it_changes_itself() {
    let store = Chronicle::new();
    store.insert("web/a", "one\n");
    store.ok("git -C store checkout -qb side");
    store.insert("web/b", "two\n");
    store.ok("git -C store checkout -q master");
    store.insert("web/c", "three\n");
    store.ok("git -C store merge -q --no-edit side");
    let told = store.told("pass log web");
    let mut lines: Vec<&str> = told.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["added web/a", "added web/b", "added web/c"]);
    assert_eq!(store.ok("pass log web").matches("  unsigned").count(), 3, "the merge is not told of");
    // A merge that says something of its own.
    store.ok("cd store; git checkout -q side");
    store.insert("web/a", "left\n");
    store.ok("git -C store checkout -q master");
    store.insert("web/a", "right\n");
    store.ok("cd store; git merge -q side >/dev/null 2>&1 || true; echo both | gpg -qer $ALICE >web/a.gpg
        git add web/a.gpg; git commit -qm merged");
    assert_eq!(store.newest("web"), "password changed of web/a");
    assert_eq!(store.versions("web/a")[0], "1 password-changed");
}

#[test]
fn the_number_and_the_days_are_limits() {
    let store = Chronicle::new();
    for (name, day) in [("a", "2024-02-28"), ("b", "2024-02-29"), ("c", "2024-03-01")] {
        store.ok(&format!("echo x | GIT_AUTHOR_DATE={day}T23:59:59Z pass insert -m {name}"));
    }
    let told = store.ok("pass log -n 2");
    assert!(
        told.contains("added c") && told.contains("3 more commits: `pass log -n 0` tells of all."),
        "{told}"
    );
    assert!(told.contains("2024-03-01 23:59  Test Person <test@example.org>  "), "{told}");
    assert_eq!(store.ok("pass log -n 0").matches("unsigned").count(), 5);
    assert_eq!(store.told("pass log --since 2024-02-29 --until 2024-02-29"), "added b");
    assert_eq!(store.told("pass log --until 2024-02-28"), "added a");
    store.refused("pass log --since 2024-02-30", &[]);
}

#[test]
fn programs_get_json() {
    let store = Chronicle::new();
    store.insert("web/a", "one\n");
    store.ok("pass mv web/a b");
    let all: serde_json::Value = serde_json::from_str(&store.ok("pass log --json -n 1")).expect("it is JSON");
    let commit = &all["commits"][0];
    assert_eq!(all["more"], 3);
    assert_eq!((&all["shallow"], &commit["error"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(commit["id"].as_str(), Some(&*store.ok("git -C store rev-parse HEAD")));
    assert_eq!(
        commit["date"],
        store.ok("TZ=UTC git -C store log -1 --date=format-local:%FT%TZ --format=%ad")
    );
    assert_eq!(
        (&commit["author"]["name"], &commit["subject"]),
        (&"Test Person".into(), &"Rename web/a to b.".into())
    );
    assert_eq!(commit["signature"]["mark"], "unsigned");
    let change = serde_json::json!({"kind": "moved", "entry": "b", "from": "web/a", "reencrypted": false});
    assert_eq!(commit["changes"], serde_json::json!([change]));
}

#[test]
fn commits_of_stock_pass_are_told() {
    let store = Chronicle(crate::cli::git::Repository(TestStore::with(
        &stock_pass(),
        &crate::common::Keyring::new(),
    )));
    store
        .ok("pass init $ALICE; pass git init; echo one | pass insert -m web/a; pass init -p team $ALICE $BOB
        pass mv web/a team/b; pass cp team/b c; pass generate -i team/b 9 >/dev/null; pass rm -f c");
    let store = store.0.0;
    let passel = crate::common::subject();
    let passel = passel.to_str().expect("text");
    let told = |line: &str| {
        let output = store.run(passel, &line.split(' ').collect::<Vec<_>>(), b"").good();
        let lines =
            output.out().lines().filter(|line| line.starts_with("  ")).map(str::to_owned).collect::<Vec<_>>();
        lines.join("\n")
    };
    let all = told("log");
    for line in [
        "  removed c\n  password changed of team/b",
        "  copied c from team/b, re-encrypted\n  moved team/b from web/a, re-encrypted\n  recipients of team changed\n",
        "  added web/a",
    ] {
        assert!(all.contains(line), "{line} in\n{all}");
    }
    let output = store.run(passel, &["history", "team/b", "--show", "2"], b"").good();
    assert_eq!(output.out(), "one\n");
}
