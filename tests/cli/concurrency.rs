//! Several writers at once: all changes land, none is taken back, readers see whole versions.

use std::time::{Duration, Instant};

use super::git::Repository;
use crate::common::stock_pass;

#[test]
fn four_writers_land_all_their_inserts() {
    let store = Repository::new();
    let before = store.count();
    store.ok("for w in 1 2 3 4; do (for n in $(seq 15); do echo $w-$n | pass insert -m w$w/e$n >/dev/null; done) & done
        for job in $(jobs -p); do wait $job; done");
    assert_eq!(store.count(), before + 60);
    store.clean();
    assert_eq!(store.ok("git -C store ls-tree -r --name-only HEAD | grep -c /e"), "60");
    assert_eq!(store.decrypted("w3/e9"), "3-9\n");
}

#[test]
fn nothing_is_taken_back_beside_stock_pass_and_readers_see_whole_versions() {
    let store = Repository::new();
    let (a, b) = ("a".repeat(3000), "b".repeat(3000));
    std::fs::write(store.root().join("home/a"), format!("{a}\n")).expect("the folder is ours");
    std::fs::write(store.root().join("home/b"), format!("{b}\n")).expect("the folder is ours");
    store.ok("pass insert -m shared <~/a");
    let stock = stock_pass();
    let line = format!(
        "(for n in $(seq 10); do echo o | pass insert -m o$n >/dev/null || echo ours failed; done) & one=$!
        (for n in $(seq 10); do echo s | {stock} insert -m s$n >/dev/null 2>&1; done) & two=$!
        (for n in 1 2 3 4; do pass insert -mf shared <~/b; pass insert -mf shared <~/a; done >/dev/null) & three=$!
        (while kill -0 $three 2>/dev/null; do pass show shared | cmp -s - ~/a || pass show shared | cmp -s - ~/b || pass show shared | cut -c-80; done) & four=$!
        wait $one; wait $two; wait $three; wait $four",
        stock = stock.display()
    );
    let said = store.ok(&line);
    assert!(!said.contains("failed"), "{said}");
    for shown in said.lines() {
        // Three readings may each meet the other version; but never half of one.
        assert!(a.starts_with(shown) || b.starts_with(shown), "{shown:?}");
    }
    // Every entry that anyone committed is in HEAD; ours all are.
    let missing = "cd store; git log --format=%s | sed -n 's/^Add given password for \\(.*\\) to store.$/\\1.gpg/p' | sort -u >../told
        git ls-tree -r --name-only HEAD | sort >../there; comm -23 ../told ../there; ls o*.gpg | sort | comm -23 - ../there";
    assert_eq!(store.ok(missing), "");
    assert_eq!(store.ok("ls store/o*.gpg | wc -l"), "10");
    // What stock pass could not commit is left as it left it; after that, all is clean.
    store.ok("cd store; git add -A; git commit -qm rest || true");
    store.clean();
}

#[test]
fn two_inserts_of_one_entry_leave_one_of_them_whole() {
    let store = Repository::new();
    store.ok("for n in 1 2; do (echo $n | pass insert -m web/a >/dev/null) & done; for job in $(jobs -p); do wait $job; done");
    assert!(["1\n", "2\n"].contains(&store.decrypted("web/a").as_str()));
    store.clean();
}

#[test]
fn a_writer_waits_for_another_but_not_for_ever() {
    let store = Repository::new();
    let start = Instant::now();
    store.ok("(flock 9; touch held; sleep 2) 9<store & while not test -e held; do sleep 0.01; done; echo x | pass insert -m a");
    assert!(start.elapsed() > Duration::from_millis(1500));
    store.clean();
    // Readers need not wait.
    let line =
        "rm held; (flock 9; touch held; sleep 12) 9<store & while not test -e held; do sleep 0.01; done
        pass show a >shown; echo x | pass insert -m b; code=$?; kill %1; exit $code";
    let output = store.refused(line, &["another passel has been writing to the store for 10 seconds"]);
    assert!(output.err().starts_with("error: "), "{}", output.err());
    assert_eq!(store.ok("cat shown"), "x");
}

#[test]
fn a_stale_lock_of_gits_is_reported_with_its_age_and_the_mend() {
    let store = Repository::new();
    store.ok("pass generate a; touch -d '1 hour ago' store/.git/index.lock");
    let output = store.refused("pass mv a b", &["index.lock", "36", "hint: "]);
    assert!(output.err().contains("rm "), "{}", output.err());
    store.ok("pass show a; rm store/.git/index.lock; pass mv a b");
    store.clean();
}

#[test]
fn a_lock_on_the_branch_stops_all_repositories_of_a_move() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE; git init -q store/team; echo team >>store/.git/info/exclude
        git -C store rm -rq --cached team; git -C store commit -qm out; git -C store/team add .; git -C store/team commit -qm team
        pass generate a; touch store/team/.git/refs/heads/master.lock");
    let inner = store.ok("git -C store/team rev-parse HEAD");
    store.refused("pass mv a team/a", &["refs/heads/master.lock"]);
    assert_eq!(store.ok("git -C store/team rev-parse HEAD; ls store/team"), inner);
    store.ok("rm store/team/.git/refs/heads/master.lock; pass mv a team/a");
    store.clean();
    store.clean_in("store/team");
}

#[test]
fn a_branch_switched_while_we_wait_gets_the_commit() {
    let store = Repository::new();
    store.ok("pass generate a; git -C store branch other; touch store/.git/index.lock");
    let master = store.ok("git -C store rev-parse master");
    store.ok("pass generate b >/dev/null & job=$!; while ! ls store/.git/passel-*.index >/dev/null 2>&1; do sleep 0.01; done
        git -C store symbolic-ref HEAD refs/heads/other; rm store/.git/index.lock; wait $job");
    assert_eq!(store.ok("git -C store rev-parse master"), master);
    assert_eq!(store.ok("git -C store log -1 --format=%s other"), "Add generated password for b.");
    store.clean();
}

#[test]
fn what_stock_pass_commits_while_we_wait_is_built_upon() {
    let store = Repository::new();
    store.ok("printf 'old\\nuser: ann\\n' | pass insert -m a");
    let line = format!(
        "(flock 9; touch held; sleep 1; printf 'old\\nuser: bob\\n' | {} insert -mf a >/dev/null) 9<store &
        while not test -e held; do sleep 0.01; done; pass generate -i a 12; wait",
        stock_pass().display()
    );
    store.ok(&line);
    let text = store.decrypted("a");
    assert_eq!((text.lines().next().unwrap().len(), text.lines().nth(1)), (12, Some("user: bob")));
    store.clean();
}

#[test]
fn an_edit_keeps_both_versions_when_the_entry_changed_meanwhile() {
    let store = Repository::new();
    for (during, left) in [
        ("echo theirs | pass insert -mf web/a", "theirs\n"),
        (&*format!("echo theirs | {} insert -mf web/a", stock_pass().display()), "theirs\n"),
        ("pass rm -f web/a", ""),
    ] {
        store.ok("echo mine | pass insert -mf web/a");
        store.script("editor", &format!("#!/bin/sh\n{{ {during}; }} >/dev/null\necho edited >>\"$1\"\n"));
        let output = store.shell("EDITOR=$PWD/editor pass edit web/a");
        assert_eq!(output.code, 1, "{}", output.err());
        let beside = store.ok("cd store; ls web/*conflict*");
        let beside = beside.strip_suffix(".gpg").unwrap();
        let tag = beside.strip_prefix("web/a.conflict-").expect("it is named after the entry");
        assert!(tag.len() == 8 && tag.bytes().all(|b| b.is_ascii_hexdigit()), "{tag}");
        assert!(output.err().contains(beside), "{}", output.err());
        assert_eq!(store.decrypted(beside), "mine\nedited\n");
        if !left.is_empty() {
            assert_eq!(store.decrypted("web/a"), left);
        }
        store.clean();
        store.ok("pass rm -rf web");
    }
}

#[test]
fn a_list_that_another_command_is_putting_in_place_is_read_again() {
    let store = Repository::new();
    // As it is in the middle of a removal: committed and remembered, and the file not in its place yet.
    store.ok("pass recipients add / $CAROL --yes; cp store/.gpg-id before; pass recipients remove / $CAROL --yes; cp before store/.gpg-id
        flock -o store bash -c 'echo x | pass insert -m new >out 2>&1 & sleep 2; test ! -e store/new.gpg; git -C store checkout -q .gpg-id'
        for i in $(seq 100); do test -e store/new.gpg && break; sleep 0.1; done; cat out; test -e store/new.gpg");
    let readers = store.ok("pass recipients who new");
    assert!(readers.contains("alice@example.org") && !readers.contains("carol@example.org"), "{readers}");
}
