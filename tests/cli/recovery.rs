//! Commands that were killed: the next one finishes or undoes them.

use super::git::Repository;
use crate::common::{TestStore, stock_pass, tool};

/// Runs a command line of ours and kills it at the first of `calls` (system calls, with commas); what it
/// starts goes its way.
#[track_caller]
fn killed_at(store: &Repository, calls: &str, line: &str) {
    tool("strace");
    let traced =
        format!("strace -qq -o /dev/null -e trace={calls} -e inject={calls}:signal=KILL:when=1 {line}");
    let output = store.shell(&traced);
    assert_eq!(output.code, 137, "{}", output.err());
}

/// The calls that put files in their places, after the branch has moved.
const PLACING: &str = "renameat,renameat2,unlinkat";

#[test]
fn what_was_committed_is_finished_by_the_next_command() {
    let store = Repository::new();
    store.ok("echo old | pass insert -m web/a");
    for (line, subject) in [
        ("pass insert -mf web/a <<<new", "Add given password for web/a to store."),
        ("pass mv web/a net/b", "Rename web/a to net/b."),
        ("pass rm -f net/b", "Remove net/b from store."),
    ] {
        let count = store.count();
        killed_at(&store, PLACING, line);
        assert_eq!(store.count(), count + 1, "{line}: the branch has moved");
        let output = store.shell("pass ls");
        assert_eq!(output.code, 0, "{}", output.err());
        assert!(
            output.err().contains(&format!("finished a change that was interrupted: {subject}")),
            "{}",
            output.err()
        );
        assert_eq!(store.ok("git -C store log -1 --format=%s"), subject);
        store.clean();
        assert_eq!(store.shell("pass ls").err(), "", "told once");
        let ends = store.ok("cd store; git rev-parse HEAD; git rev-parse HEAD@{0}; git rev-parse master@{0}");
        let ends: Vec<&str> = ends.lines().collect();
        assert!(ends.iter().all(|id| *id == ends[0]), "the reflogs know it: {ends:?}");
    }
    assert_eq!(store.ok("ls store"), "");
}

#[test]
fn what_was_not_committed_is_undone_by_the_next_command() {
    let store = Repository::new();
    store.ok("echo old | pass insert -m web/a");
    for line in [
        "pass insert -m deep/er/b <<<new",
        "pass insert -mf web/a <<<new",
        "pass mv web/a net/b",
        "pass rm -f web/a",
    ] {
        let before = store.state();
        // So git's index lock is taken.
        killed_at(&store, "linkat", line);
        let output = store.shell("pass ls");
        assert!(output.err().contains("undid a change that was interrupted"), "{line}: {}", output.err());
        assert_eq!(store.state(), before, "{line}");
        store.clean();
    }
    assert_eq!(store.decrypted("web/a"), "old\n");
}

#[test]
fn stock_pass_cannot_revert_what_is_half_way_there() {
    let store = Repository::new();
    store.ok("echo old | pass insert -m a");
    killed_at(&store, PLACING, "pass insert -mf a <<<new");
    let head = store.ok("git -C store rev-parse HEAD");
    let output = store.shell(&format!("echo x | {} insert -m b", stock_pass().display()));
    assert!(output.err().contains("index.lock"), "{}", output.err());
    assert_eq!(store.ok("git -C store rev-parse HEAD"), head, "it could not commit the old state back");
    store.ok("pass ls");
    assert_eq!(store.decrypted("a"), "new\n");
    assert_eq!(store.ok("git -C store status --porcelain"), "?? b.gpg");
}

/// `git commit` reads the branch, then the index, and only then takes the lock: whatever it meets in between.
#[test]
fn a_commit_of_gits_that_began_half_way_takes_nothing_back() {
    let store = Repository::new();
    store.ok("echo old | pass insert -m a");
    tool("strace");
    for (line, expected) in [("rm -f a", ""), ("insert -m a <<<new", "a.gpg")] {
        // Ours waits once the branch has moved; git's commit begins then, and waits before it takes the lock.
        store.ok(&format!(
            "before=$(git -C store rev-parse HEAD)
            strace -qq -o /dev/null -e trace=renameat2,unlinkat -e inject=renameat2,unlinkat:delay_enter=1000000:when=1 pass {line} & ours=$!
            while [ $(git -C store rev-parse HEAD) = $before ]; do sleep 0.01; done
            cd store; strace -qq -o /dev/null -P $PWD/.git/index.lock -e trace=openat -e inject=openat:delay_enter=3000000:when=1 \\
                git commit -q --allow-empty -m theirs
            wait $ours"
        ));
        assert_eq!(store.ok("git -C store log -1 --format=%s"), "theirs", "{line}");
        assert_eq!(
            store.ok("git -C store ls-tree -r --name-only HEAD | grep gpg$ || true"),
            expected,
            "{line}"
        );
        store.clean();
    }
    assert_eq!(store.decrypted("a"), "new\n");
}

#[test]
fn an_index_that_was_put_in_place_is_taken_back() {
    let store = Repository::new();
    store.ok("echo old | pass insert -m web/a");
    tool("strace");
    // Killed before the branch moves; then, where there has been no index before, too.
    let traced = "strace -qq -o /dev/null -P $PWD/store/.git/refs/heads/master.lock -e trace=rename -e inject=rename:signal=KILL:when=1 pass";
    for (before, line) in [
        ("true", "insert -m b <<<new"),
        ("true", "rm -f web/a"),
        ("rm -rf store/.git store/web; git init -q store", "insert -m b <<<new"),
    ] {
        store.ok(before);
        let index = "cat store/.git/index 2>/dev/null | sha256sum; ls store/.git";
        let before = store.ok(index);
        let output = store.shell(&format!("{traced} {line}"));
        assert_eq!(output.code, 137, "{line}: {}", output.err());
        assert_ne!(store.ok("sha256sum <store/.git/index"), before.lines().next().expect("there is one"));
        let output = store.shell("pass ls");
        assert!(output.err().contains("undid a change that was interrupted"), "{line}: {}", output.err());
        assert_eq!(store.ok(index), before, "{line}");
    }
}

#[test]
fn what_a_hook_added_is_finished_as_well() {
    let store = Repository::new();
    store.script("store/.git/hooks/pre-commit", "#!/bin/sh\necho listed >listing\ngit add listing\n");
    killed_at(&store, PLACING, "pass insert -m a <<<new");
    // Of its own accord git looks at the hook's file once more.
    store.ok("pass ls; git -C store status");
    store.clean();
    assert!(store.last().ends_with("A\ta.gpg\nA\tlisting"), "{}", store.last());
}

#[test]
fn what_came_after_is_not_overwritten() {
    let store = Repository::new();
    store.ok("echo old | pass insert -m a");
    killed_at(&store, PLACING, "pass insert -mf a <<<new");
    // The user helps themselves with git, and goes on with stock pass.
    store.ok(&format!(
        "cd store; rm .git/index.lock; git reset -q --hard; cd ..; echo newer | {} insert -mf a",
        stock_pass().display()
    ));
    store.ok("pass ls");
    assert_eq!(store.decrypted("a"), "newer\n");
    store.clean();
    // Or takes it back.
    killed_at(&store, PLACING, "pass insert -mf a <<<newest");
    store.ok("cd store; rm .git/index.lock; git reset -q --hard HEAD~; cd ..; pass ls");
    assert_eq!(store.decrypted("a"), "newer\n");
    store.clean();
}

#[test]
fn a_move_between_repositories_is_finished_in_both() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE; git init -q store/team; echo team >>store/.git/info/exclude
        git -C store rm -rq --cached team; git -C store commit -qm out; git -C store/team add .; git -C store/team commit -qm team
        echo x | pass insert -m a");
    killed_at(&store, PLACING, "pass mv a team/a");
    store.ok("pass ls");
    store.clean();
    store.clean_in("store/team");
    assert_eq!(store.decrypted("team/a"), "x\n");
    assert_eq!(
        store.ok("git -C store/team log -1 --format=%s; git -C store log -1 --format=%s; ls store"),
        "Rename a to team/a.\nRemove a.\nteam"
    );
}

#[test]
fn a_store_without_git_is_recovered_too() {
    let store = Repository(TestStore::new());
    store.ok("pass init $ALICE; echo old | pass insert -m a");
    killed_at(&store, "renameat,renameat2", "pass insert -mf a <<<new");
    assert!(store.shell("pass ls").err().contains("finished a change"));
    assert_eq!(store.decrypted("a"), "new\n");
    assert_eq!(store.ok("find store | sort"), "store\nstore/.gpg-id\nstore/a.gpg");
}

/// Runs a command line of ours that waits for 3 s before it puts the first file in its place; meanwhile,
/// once the branch has moved, another program writes over the entry `a`.
fn overtaken_in_the_last_moment(store: &Repository, line: &str) -> crate::common::Output {
    tool("strace");
    store.shell(&format!(
        "echo theirs | gpg -q --trust-model always -e -r $ALICE -o theirs.gpg; before=$(git -C store rev-parse HEAD)
        strace -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=3000000:when=1 {line} & ours=$!
        while [ $(git -C store rev-parse HEAD) = $before ]; do sleep 0.01; done
        cp theirs.gpg store/a.gpg; rm theirs.gpg; wait $ours"
    ))
}

#[test]
fn what_is_written_between_our_last_look_and_the_replacing_is_kept() {
    let store = Repository::new();
    store.ok("echo old | pass insert -m a");
    let output = overtaken_in_the_last_moment(&store, "pass insert -mf a <<<new");
    assert_eq!(output.code, 1, "{}", output.err());
    assert!(output.err().contains("its version stays"), "{}", output.err());
    assert_eq!(store.decrypted("a"), "theirs\n");
    let kept = store.ok("cd store; ls | grep conflict");
    assert_eq!(store.decrypted(kept.trim_end_matches(".gpg")), "new\n");
    store.ok(&format!("rm store/{kept}; git -C store add -A; git -C store commit -qm theirs"));

    let output = overtaken_in_the_last_moment(&store, "pass rm -f a");
    assert_eq!(output.code, 1, "{}", output.err());
    assert!(output.err().contains("it was not removed"), "{}", output.err());
    assert_eq!(store.decrypted("a"), "theirs\n");
    assert_eq!(store.ok("ls -A store"), ".git\n.gitattributes\n.gpg-id\na.gpg", "nothing else is left");
}

#[test]
fn a_move_to_a_repository_that_went_on_is_not_lost() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE; git init -q store/team; echo team >>store/.git/info/exclude
        git -C store rm -rq --cached team; git -C store commit -qm out; git -C store/team add .; git -C store/team commit -qm team
        echo x | pass insert -m a");
    // Killed between the two branches, which move by the seventh and the eighth renaming.
    tool("strace");
    let output = store.shell(
        "strace -qq -o /dev/null -e trace=rename -e inject=rename:signal=KILL:when=8 pass mv a team/a",
    );
    assert_eq!(output.code, 137, "{}", output.err());
    let moved = store.ok("git -C store log -1 --format=%s; git -C store/team log -1 --format=%s");
    assert_eq!(moved, "Remove a.\nteam", "the scene is set");
    store.ok("cd store/team; rm -f .git/index.lock .git/refs/heads/master.lock; git commit -q --allow-empty -m meanwhile");
    let output = store.shell("pass ls");
    assert!(output.err().contains("stored, but not committed there"), "{}", output.err());
    assert_eq!(store.decrypted("team/a"), "x\n");
}
