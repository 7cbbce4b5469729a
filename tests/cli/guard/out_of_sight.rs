//! What came from elsewhere stays so when nothing leads to it any more, and where libgit2 does not see it.

use super::{refuses, shared};

/// What Eve pushes to a branch of hers; ours does not have it yet.
const BRANCH: &str = "cd evil; git checkout -q -b hers; echo $DAVE >>.gpg-id; git commit -qam harmless
    git push -q origin hers; cd ..;";

/// Puts the list of a commit into one of our own.
fn take(commit: &str) -> String {
    format!("git -C store show {commit}:.gpg-id >store/.gpg-id; git -C store commit -qam mine;")
}

#[test]
fn a_branch_that_is_gone_is_remembered_as_fetched() {
    let gone =
        "git -C evil push -q origin :hers; git -C store fetch -q --prune; git -C store fetch -q origin master
        git -C store reflog expire --expire=all refs/remotes/origin/master";
    for fetch in
        ["git -C store fetch -q origin", "git -C store fetch -q origin hers:refs/remotes/origin/hers"]
    {
        let store = shared();
        store.ok(&format!("{BRANCH} {fetch} 2>/dev/null; {} {gone}", take("origin/hers")));
        refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
    }
}

#[test]
fn what_another_work_tree_fetched_is_known() {
    let store = shared();
    store.ok(&format!(
        "{BRANCH} git -C store worktree add -q -b other ../other; git -C other fetch -q ../remote hers; {} \
         git -C other fetch -q ../remote master",
        take("$(git -C other rev-parse FETCH_HEAD)")
    ));
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
}

#[test]
fn a_key_that_was_refused_needs_a_word_when_git_has_forgotten_it() {
    let store = shared();
    let dave = store.ok("echo $DAVE");
    store.ok(&format!(
        "{BRANCH} git -C store fetch -q ../remote hers; git -C store checkout -q FETCH_HEAD -- .gpg-id"
    ));
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
    store.ok("git -C store reset -q --hard; echo x | pass insert -mf free/c; git -C store fetch -q ../remote master
        git -C store reflog expire --expire=all --all; git -C store gc -q --prune=now");
    assert_eq!(store.ok("git -C store log --all --format=%s | grep -c harmless || true"), "0");
    store.ok("echo $DAVE >>store/.gpg-id; git -C store commit -qam mine");
    refuses(&store, "echo x | pass insert -mf free/c", &[&format!("{dave} gains access")]);
    store.ok("pass recipients accept / --expect $ALICE,$BOB,$DAVE; echo x | pass insert -mf free/c");
}

#[test]
fn a_list_in_a_tree_that_is_out_of_order_is_seen() {
    let store = shared();
    // The first entry is found by git, which reads on; libgit2 looks in the middle, and then to the right.
    store.ok("cd evil; touch .a .b; echo $DAVE >>.gpg-id; git add -A; git commit -qm harmless
        for name in .gpg-id .gitattributes .a .b mine web; do git ls-tree HEAD $name | git mktree; done >trees
        tree=$(for one in $(cat trees); do git cat-file tree $one; done | git hash-object -w -t tree --literally --stdin)
        rm trees; git update-ref HEAD $(git commit-tree -p HEAD~1 -m malformed $tree)
        git push -q; git cat-file tree HEAD^{tree} | head -c 20 | grep -q gpg-id");
    store.ok("cd store; git fetch -q; git checkout -q origin/master -- .gpg-id; git commit -qm mine; grep -q $DAVE .gpg-id");
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
    // Where HEAD itself is such a tree, nothing is written on top of it.
    store.ok("cd store; git reset -q --hard HEAD~1; git read-tree -m -u HEAD origin/master; git update-ref HEAD origin/master");
    let line = "pass recipients accept / --expect $ALICE,$BOB,$DAVE; echo x | pass insert -mf web/new";
    store.refused(line, &["malformed tree", "git fsck"]);
}
