//! Commits: who, where, and what the reflog says.

use super::Repository;
use crate::common::TestStore;

#[test]
fn each_change_is_one_commit_and_leaves_git_content() {
    let store = Repository::new();
    let mut count = store.count();
    for line in [
        "echo x | pass insert -m web/a",
        "echo y | pass insert -mf web/a",
        "pass generate web/b 12",
        "pass generate -i web/a 12",
        "EDITOR='sed -i s/^/z/' pass edit web/a",
        "pass cp web/a web/c",
        "pass mv web/c deep/er/c",
        "pass mv web net",
        "pass init -p net $ALICE $BOB",
        "pass init -p net ''",
        "pass rm -f net/b",
        "pass rm -rf deep",
    ] {
        store.ok(line);
        count += 1;
        assert_eq!(store.count(), count, "{line}");
        store.clean();
    }
    assert_eq!(
        store.last(),
        "Remove deep from store.|Test Person|test@example.org|Test Person|test@example.org\n\nD\tdeep/er/c.gpg"
    );
}

#[test]
fn the_reflog_reads_as_gits_own() {
    let store = Repository(TestStore::new());
    // An unborn branch, so that ours is the first commit.
    store.ok("git init -q store; pass init $ALICE; echo x | pass insert -m a");
    let lines = store.ok("cd store; cut -f2 .git/logs/HEAD; cmp .git/logs/HEAD .git/logs/refs/heads/master");
    let id = store.keyring().fingerprint("alice");
    assert_eq!(
        lines,
        format!("commit (initial): Set GPG id to {id}.\ncommit: Add given password for a to store.")
    );
    let ends = store.ok("cd store; git reflog --format=%H; git rev-parse HEAD HEAD~");
    let ids: Vec<&str> = ends.lines().collect();
    assert_eq!(ids[..2], ids[2..]);
    store.clean();
    // None is started where the user wants none; what is there goes on.
    store.ok("cd store; git config core.logAllRefUpdates false; git switch -q -c other; rm -f .git/logs/refs/heads/other
        cd ..; echo x | pass insert -m b; test ! -e store/.git/logs/refs/heads/other");
    assert!(store.ok("tail -1 store/.git/logs/HEAD").ends_with("commit: Add given password for b to store."));
}

#[test]
fn names_come_from_wherever_git_takes_them() {
    let store = Repository::new();
    let person = |line: &str| {
        store.ok(line);
        store.last().lines().next().unwrap().split_once('|').unwrap().1.to_owned()
    };
    assert_eq!(
        person(
            "export GIT_AUTHOR_NAME=Ä GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@x
            GIT_AUTHOR_DATE='@1600000000 -0330' pass generate a"
        ),
        "Ä|a@x|C|c@x"
    );
    assert_eq!(store.ok("git -C store log -1 --format='%ad' --date=raw"), "1600000000 -0330");
    store.ok("git config -f home/included user.name Included
        git config --global includeIf.gitdir:$PWD/store/.path ~/included");
    assert_eq!(person("pass generate b").split('|').next(), Some("Included"));
    store.ok("git -C store config user.email local@example.org");
    assert_eq!(person("pass generate c"), "Included|local@example.org|Included|local@example.org");
    store.clean();
}

#[test]
fn nobodys_commit_is_refused() {
    let store = Repository::new();
    store.ok(": >home/.gitconfig; git config --global user.useConfigOnly true");
    for line in ["pass generate a", "echo | pass insert -m b/c", "pass init $ALICE $BOB"] {
        let output = store.refused(line, &["git does not know who you are"]);
        assert!(output.err().contains("git config"), "a hint: {}", output.err());
    }
}

#[test]
fn commits_go_to_whatever_head_stands_for() {
    let store = Repository::new();
    store.ok("cd store; git switch -q -c team/deep/branch; cd ..; pass generate a");
    assert_eq!(store.ok("git -C store rev-parse HEAD"), store.ok("git -C store rev-parse team/deep/branch"));
    // Packed, with nothing loose left of it.
    store.ok("cd store; git pack-refs --all --prune; test ! -e .git/refs/heads/team; cd ..; pass generate b");
    assert_eq!(store.ok("git -C store log -1 --format=%s team/deep/branch"), "Add generated password for b.");
    store.clean();
    let before = store.ok("git -C store rev-parse team/deep/branch");
    let shown = store.ok("cd store; git switch -q --detach; cd ..; pass generate c");
    assert!(shown.contains("[detached HEAD "), "{shown}");
    assert_eq!(store.ok("git -C store rev-parse team/deep/branch HEAD~"), format!("{before}\n{before}"));
    store.clean();
    store.ok("cd store; git switch -q --orphan empty; cd ..; pass init $ALICE");
    assert_eq!(store.count(), 1);
    assert_eq!(store.ok("git -C store symbolic-ref HEAD"), "refs/heads/empty");
    // A branch that only stands for another one.
    store.ok(
        "cd store; git symbolic-ref refs/heads/alias refs/heads/empty; git symbolic-ref HEAD refs/heads/alias
        cd ..; pass generate d",
    );
    assert_eq!(store.ok("git -C store symbolic-ref refs/heads/alias"), "refs/heads/empty");
    assert_eq!(store.ok("git -C store rev-list --count empty"), "2");
    store.clean();
}

#[test]
fn what_git_has_under_way_is_not_disturbed() {
    let store = Repository::new();
    store.ok("pass generate a; cd store; git switch -q -c side; echo 1 >f; git add f; git commit -qm side
        git switch -q master; echo 2 >f; git add f; git commit -qm main");
    store.shell("git -C store merge side");
    store.refused("pass generate b", &["in the middle of a merge"]);
    store.refused("pass rm -f a", &["in the middle of a merge"]);
    store.ok("git -C store merge --abort; git -C store cherry-pick --no-commit HEAD; pass generate b");
    store.shell("git -C store rebase side");
    store.refused("pass generate c", &["in the middle of a rebase"]);
    store.ok("git -C store rebase --abort");
    // Conflicts without any state, as `git stash pop` leaves them.
    store.ok("cd store; echo 3 >f; git stash -q; echo 4 >f; git commit -qam 4");
    store.shell("git -C store stash pop");
    store.refused("pass generate c", &["unresolved conflicts"]);
    assert!(store.ok("pass show a").len() == 25, "reading goes on");
}
