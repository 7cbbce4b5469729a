//! Changes of recipients that are killed at random, or made while others write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use passel::crypto::openpgp::outline;

use super::git::Repository;
use crate::common::stock_pass;

/// Makes a store of `count` entries in ten folders, for Alice and Bob.
fn filled(count: usize) -> Repository {
    let store = Repository::new();
    store.ok(&format!(
        "pass init $ALICE $BOB; cd store; for i in $(seq {count}); do mkdir -p c$((i % 10))
        echo pw$i | gpg -q --batch --no-encrypt-to -e -r $ALICE -r $BOB -o c$((i % 10))/e$i.gpg; done
        git add -A; git commit -qm entries"
    ));
    store
}

/// Returns how many keys each entry is for, from the files themselves.
fn readers(folder: &Path, found: &mut BTreeMap<PathBuf, usize>) {
    for entry in std::fs::read_dir(folder).expect("the store is there") {
        let path = entry.expect("a listed file").path();
        if path.is_dir() && !path.ends_with(".git") {
            readers(&path, found);
        } else if path.extension().is_some_and(|suffix| suffix == "gpg") {
            let message = outline(&std::fs::read(&path).expect("a readable file")).expect("a whole message");
            found.insert(path, message.recipients.len());
        }
    }
}

/// Checks that list and entries say the same, that nothing is uncommitted, and that all entries are there;
/// returns how many recipients the list names.
#[track_caller]
fn agree(store: &Repository, count: usize) -> usize {
    let list = std::fs::read_to_string(store.dir().join(".gpg-id")).expect("the list is there");
    let listed = list.lines().count();
    let mut found = BTreeMap::new();
    readers(&store.dir(), &mut found);
    assert_eq!(found.len(), count, "entries");
    let other: Vec<_> = found.iter().filter(|(_, readers)| **readers != listed).collect();
    assert!(other.is_empty(), "{listed} recipients, but {other:?}");
    assert_eq!(store.ok("git -C store status --porcelain"), "");
    listed
}

#[test]
#[ignore = "long: make test-long"]
fn killed_at_any_moment_list_and_entries_agree() {
    const ENTRIES: usize = 200;
    const KILLS: u32 = 200;
    let store = filled(ENTRIES);
    let line = |three: bool| if three { "remove" } else { "add" };
    let begun = Instant::now();
    store.ok("pass recipients add --yes / $CAROL");
    let took = begun.elapsed();
    let (mut old, mut new, mut exited) = (0, 0, 0);
    let mut three = true;
    for kill in 0..KILLS {
        let command = format!("exec pass recipients {} --yes / $CAROL", line(three));
        let mut child = store
            .command("bash")
            .args(["-c", &command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("bash is there");
        // Spread evenly over the whole command, most of them where it changes files: at the end.
        let part = if kill % 2 == 0 { kill * 1000 / KILLS } else { 700 + kill * 500 / KILLS };
        let until = Instant::now() + took * part / 1000;
        while Instant::now() < until && child.try_wait().expect("it is ours").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        let done = child.wait().expect("it is ours").code() == Some(0);
        store.ok("pass ls >/dev/null");
        let now = agree(&store, ENTRIES) == 3;
        assert!(!done || now != three, "exit 0 means done");
        exited += u32::from(done);
        if now == three {
            old += 1
        } else {
            new += 1
        }
        three = now;
    }
    println!("{KILLS} kills in the re-encryption of {ENTRIES} entries ({took:?}): {old} undone, {new} done");
    println!("{exited} of them had ended before; no entry lost, list and entries agree after each");
    store.ok("git -C store fsck --strict; for e in store/c*/*.gpg; do gpg -q -d $e >/dev/null; done");
}

#[test]
fn changes_of_recipients_and_inserts_at_once_all_land() {
    let rounds = 8;
    recipients_and_inserts(rounds);
}

#[test]
#[ignore = "long: make test-long"]
fn changes_of_recipients_and_inserts_at_once_all_land_a_hundred_times() {
    recipients_and_inserts(100);
}

/// Changes the recipients of a folder while another process inserts entries into it.
fn recipients_and_inserts(rounds: usize) {
    let store = filled(3);
    let line = format!(
        "set -e; change() {{ for i in $(seq {rounds}); do
            if [ $((i % 2)) = 1 ]; then pass recipients add --yes / $CAROL; else pass recipients remove --yes / $CAROL; fi
        done; }}
        insert() {{ for i in $(seq {rounds}); do echo $i | pass insert -m new/n$i; done; }}
        change >/dev/null & one=$!; insert >/dev/null & other=$!; wait $one; wait $other"
    );
    let patience = store.command("timeout").arg("900").args(["bash", "-c", &line]).output().expect("it runs");
    assert!(patience.status.success(), "{}", String::from_utf8_lossy(&patience.stderr));
    agree(&store, 3 + rounds);
    let subjects = store.subjects();
    let count = |start: &str| subjects.iter().filter(|subject| subject.starts_with(start)).count();
    assert_eq!((count("Add recipients "), count("Remove recipients ")), (rounds.div_ceil(2), rounds / 2));
    assert_eq!(count("Add given password for new/n"), rounds);
    // None of the last commits holds an entry for other keys than its own list names.
    let stale = store.ok(
        "cd store; for c in $(git rev-list -n 20 HEAD); do keys=$(git show $c:.gpg-id | grep -c .)
        git ls-tree -r --name-only $c | grep 'gpg$' | while read -r f; do
            n=$(git cat-file blob $c:$f | gpg --batch --list-only --status-fd 1 -d 2>/dev/null | grep -c ENC_TO)
            [ $n = $keys ] || echo $c $f $n of $keys; done; done | head -5",
    );
    assert_eq!(stale, "");
}

#[test]
fn a_change_that_fails_for_one_entry_changes_nothing_and_names_all() {
    let store = filled(4);
    // Two that only Dave can read, whose secret key is not here.
    store.ok("cd store; for f in c1/e1 c2/e2; do echo x | gpg -q --batch --yes --trust-model always -e -r $DAVE -o $f.gpg; done; git commit -qam dave");
    let output = store.refused("pass recipients add --yes / $CAROL", &["2 entries", "c1/e1", "c2/e2"]);
    assert!(output.err().contains("nothing was changed"), "{}", output.err());
}

#[test]
fn an_entry_that_is_not_committed_stops_a_change() {
    let store = filled(2);
    store.ok("echo x | gpg -q --batch -e -r $ALICE -r $BOB -o store/c1/mine.gpg");
    store.refused(
        "pass recipients add --yes / $CAROL",
        &["`c1/mine.gpg` has changes that are not committed", "git add"],
    );
    store.ok("echo note >store/note.txt; rm store/c1/mine.gpg; pass recipients add --yes / $CAROL");
    assert_eq!(store.ok("git -C store status --porcelain"), "?? note.txt");
}

#[test]
fn stock_pass_reads_and_writes_what_comes_of_it() {
    let store = filled(3);
    store.ok(&format!(
        "pass recipients add --yes c1 $CAROL; {0} show c1/e1; echo x | {0} insert -m c1/new; pass show c1/new; {0} git log -1 >/dev/null",
        stock_pass().display()
    ));
    let mut found = BTreeMap::new();
    readers(&store.dir(), &mut found);
    assert_eq!(found[&store.dir().join("c1/new.gpg")], 3);
    assert_eq!(found[&store.dir().join("c2/e2.gpg")], 2);
}
