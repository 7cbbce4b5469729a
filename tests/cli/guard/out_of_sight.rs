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

#[test]
fn a_list_in_a_tree_that_names_it_with_its_folder_lets_nobody_in() {
    let store = shared();
    store.ok(r#"cd evil; git pull -q; blob=$(printf "$ALICE\n$BOB\n$DAVE\n" | git hash-object -w --stdin)
        { git ls-tree HEAD | grep -v '\sweb$'; printf "100644 blob $blob\tweb/.gpg-id\n"; } >listing
        python3 - <<'EOF' >tree
import sys
entries = []
for line in open("listing"):
    head, name = line.rstrip("\n").split("\t")
    mode, kind, id = head.split()
    entries.append((name + ("/" if kind == "tree" else ""), mode.lstrip("0"), name, id))
for _, mode, name, id in sorted(entries):
    sys.stdout.buffer.write((mode + " " + name).encode() + b"\0" + bytes.fromhex(id))
EOF
        tree=$(git hash-object -w -t tree --literally tree); rm tree listing
        git push -q origin $(git commit-tree -p HEAD -m x $tree):master; git -C ../store pull -q"#);
    let output = store.shell("echo x | pass insert -m web/new");
    assert_eq!(output.code, 1, "{}", output.err());
    store.ok("not test -e store/web/new.gpg");
}

#[test]
fn a_list_that_others_changed_and_that_is_then_moved_here_lets_nobody_in() {
    for moved in [
        "git -C store pull -q; git -C store mv web site; git -C store commit -qm moved",
        "pass mv web site >/dev/null; cd store; git fetch -q; git merge --squash origin/master; git commit -qm sync",
    ] {
        let store = shared();
        store.ok("cd evil; git pull -q; echo $DAVE >>web/.gpg-id; git commit -qam harmless; git push -q");
        store.ok(moved);
        store.refused(
            "echo x | pass insert -m site/new",
            &["recipients of site have changed", "gains access"],
        );
    }
    // Who was accepted where the list came from may be let in elsewhere by hand.
    let store = shared();
    store.ok("cd evil; git pull -q; echo $DAVE >>web/.gpg-id; git commit -qam harmless; git push -q; cd ..; git -C store pull -q
        pass recipients accept web --expect $ALICE,$BOB,$DAVE; echo $DAVE >>store/mine/.gpg-id; git -C store commit -qam ours
        echo x | pass insert -m mine/new");
}

#[test]
fn a_commit_that_only_git_can_read_stops_nothing() {
    let store = shared();
    store.ok("cd evil; git pull -q; git push -q origin $(printf 'tree %s\\nparent %s\\nauthor Eve\\ncommitter Eve\\n\\nx\\n' \
        $(git rev-parse HEAD^{tree}) $(git rev-parse HEAD) | git hash-object -w -t commit --literally --stdin):refs/heads/x
        git -C ../store pull -q");
    store
        .ok("EDITOR=$PWD/editor pass edit web/a; pass recipients check; pass recipients add web $CAROL --yes
        echo $DAVE >>store/mine/.gpg-id; git -C store commit -qam mine; echo x | pass insert -m mine/new");
}

#[test]
fn a_tree_without_end_is_named_and_harms_nothing() {
    let store = shared();
    store.ok("cd evil; git pull -q; blob=$(echo x | git hash-object -w --stdin)
        tree=$(for i in $(seq 16); do printf \"100644 blob $blob\\tf$i.gpg\\n\"; done | git mktree)
        for l in $(seq 12); do tree=$(for i in $(seq 16); do printf \"040000 tree $tree\\td$i\\n\"; done | git mktree); done
        git push -q origin $(git commit-tree -m bomb $tree):refs/heads/x; git -C ../store pull -q");
    store.refused(
        "EDITOR=$PWD/editor pass edit web/a",
        &["holds too much to look through", "git gc --prune=now"],
    );
    store.ok("echo x | pass insert -m web/new; git -C store update-ref -d refs/remotes/origin/x; git -C store reflog expire --expire=now --all
        git -C store gc -q --prune=now; EDITOR=$PWD/editor pass edit web/a");
}

#[test]
fn a_commit_whose_tree_a_power_cut_took_stops_nothing() {
    let store = shared();
    store.ok("cd store; echo x >x; blob=$(git hash-object -w x); rm x
        inner=$(printf \"100644 blob $blob\\tx.gpg\\n\" | git mktree); tree=$(printf \"040000 tree $inner\\td\\n\" | git mktree)
        git commit-tree -m lost $tree >/dev/null; git commit-tree -m 'lost too' $inner >/dev/null; rm -f .git/objects/$(echo $inner | cut -c -2)/$(echo $inner | cut -c 3-)");
    store
        .ok("EDITOR=$PWD/editor pass edit web/a; pass recipients add web $CAROL --yes; pass recipients check
        echo x | pass insert -m web/new");
}
