//! What is refused, and what stays whole where something fails.

use super::Pair;

/// Has Eve commit with plain git and push by force if need be.
fn eve(pair: &Pair, line: &str) {
    pair.ok(&format!(
        "rm -rf evil; git clone -q remote evil; git -C evil config user.name Eve; git -C evil config user.email eve@example.org
        (cd evil; {line}; git add -A; git commit -qm harmless; git push -qf)"
    ));
}

#[test]
fn a_remote_that_goes_back_or_elsewhere_is_refused() {
    let pair = Pair::new();
    pair.ok(
        "echo 1 | pass insert -m new; pass sync; b sync; git -C remote update-ref refs/heads/master master~1",
    );
    pair.refuses(1, "b sync", &["an older state", "--accept-rewind"]);
    // Nothing is pushed over it either.
    pair.refuses(1, "b sync --push", &["an older state"]);
    pair.ok("git -C remote update-ref refs/heads/master $(git -C store rev-parse HEAD)");
    pair.says(0, "b sync", &["Up to date"]);
    eve(&pair, "git reset -q --hard HEAD~1; echo x >readme");
    pair.refuses(1, "b sync", &["another history", "Eve <eve@example.org>"]);
    // Who means it keeps what was made here since.
    pair.ok("echo mine | b insert -m mine");
    pair.says(0, "b sync --accept-rewind", &["Pushed 1 commit"]);
    assert_eq!(pair.ok("b show mine; ls b | tr '\\n' ' '"), "mine\nmine.gpg readme top.gpg web");
    pair.says(0, "b sync", &["Up to date"]);
    // What was there before is not lost.
    pair.ok("git -C b for-each-ref refs/passel/rewound | grep -q commit");
    pair.refuses(1, "git -C remote update-ref -d refs/heads/master; b sync", &["the branch is gone"]);
}

#[test]
fn what_no_store_should_hold_is_not_taken() {
    for (line, word) in [
        ("ln -s /etc/passwd link.gpg", "`link.gpg` is a symbolic link, to `/etc/passwd`"),
        ("printf x >$'bell\\a.txt'", "control characters"),
        ("echo hunter2 >plain.gpg", "`plain.gpg` is no encrypted message"),
        ("mkdir web/.passel; echo x >web/.passel/x", "belongs to passel"),
        ("truncate -s 101M large", "101 MiB"),
    ] {
        let pair = Pair::new();
        eve(&pair, line);
        pair.ok("echo 1 | b insert -m own");
        pair.refuses(1, "b sync", &[word, "Eve <eve@example.org>", "nothing of it was taken"]);
        // Once it is taken back, all is well.
        eve(&pair, "git reset -q --hard HEAD~1; echo fine >readme");
        pair.ok("git -C b update-ref -d refs/passel/seen/origin/master; b sync; b show own");
    }
}

#[test]
fn names_that_git_keeps_for_itself_are_not_taken() {
    let pair = Pair::new();
    pair.ok(
        "blob=$(echo x | git -C remote hash-object -w --stdin); old=$(git -C remote rev-parse master^{tree})
        tree=$( (git -C remote ls-tree $old; printf '100644 blob %s\\tgit~1\\n' $blob) | git -C remote mktree)
        git -C remote update-ref refs/heads/master $(git -C remote -c user.name=E -c user.email=e commit-tree -p master -m x $tree)",
    );
    pair.refuses(1, "b sync", &["`git~1` holds `.git`"]);
}

#[test]
fn swapped_and_old_messages_are_pointed_out() {
    let pair = Pair::new();
    pair.ok("echo new | put web/x; pass sync; b sync");
    eve(&pair, "cp web/x.gpg top.gpg");
    pair.says(0, "b sync", &["`top` holds the very message of `web/x`"]);
    eve(&pair, "git checkout -q HEAD~2 -- web/x.gpg");
    pair.says(0, "b sync", &["`web/x` is back at an earlier version"]);
}

#[test]
fn somebody_elses_message_is_not_merged_for_others() {
    let pair = Pair::new();
    // Carol can write to `shared`, and not read `secret`.
    pair.ok("pass init -p secret $ALICE $BOB; pass init -p shared $ALICE $BOB $CAROL
        printf 'treasure\\na: 1\\n' | pass insert -m secret/x; printf 'plain\\na: 1\\n' | pass insert -m shared/y; pass sync
        b sync || true; b recipients accept secret --expect $ALICE,$BOB; b recipients accept shared --expect $ALICE,$BOB,$CAROL; b sync");
    eve(&pair, "cp secret/x.gpg shared/y.gpg");
    pair.ok("printf 'plain\\na: 2\\n' | bput shared/y");
    pair.says(3, "b sync", &["encrypted for another place or at an earlier time"]);
    let carol = pair.ok("gpg --with-colons -k $CAROL | awk -F: '/^sub/{print $5}'");
    let read = pair.ok(&format!(
        "for f in b/shared/*.gpg; do gpg --list-packets --list-only $f 2>/dev/null | grep -q {carol} && gpg -qd $f; done; true"
    ));
    assert!(read.contains("plain") && !read.contains("treasure"), "{read}");
}

#[test]
fn nothing_in_plain_is_pushed() {
    let pair = Pair::new();
    pair.ok("echo hunter2 >b/oops.gpg; git -C b add -A; git -C b commit -qm oops");
    let before = pair.ok("git -C remote rev-parse master");
    pair.says(3, "b sync", &["not pushed: `oops` is no encrypted message"]);
    assert_eq!(pair.ok("git -C remote rev-parse master"), before);
}

#[test]
fn a_repository_in_the_middle_of_something_is_left_alone() {
    let pair = Pair::new();
    pair.ok("echo 1 | pass insert -m new; pass sync");
    pair.refuses(
        1,
        "git -C b checkout -q --detach; b sync; code=$?; git -C b checkout -q master; exit $code",
        &["on no branch"],
    );
    pair.ok("echo a >b/f; git -C b add -A; git -C b commit -qm a; git -C b checkout -qb other HEAD~1; echo b >b/f; git -C b add -A; git -C b commit -qm b");
    pair.refuses(
        1,
        "git -C b rebase master >/dev/null 2>&1; b sync; code=$?; git -C b rebase --abort; exit $code",
        &["rebase"],
    );
    pair.refuses(
        1,
        "git -C b merge master >/dev/null 2>&1; b sync; code=$?; git -C b merge --abort; exit $code",
        &["merge"],
    );
}

#[test]
fn clones_without_all_history_or_files_are_refused() {
    let pair = Pair::new();
    pair.ok("git clone -q --depth 1 file://$PWD/remote c");
    pair.refuses(1, "PASSWORD_STORE_DIR=$PWD/c pass sync", &["shallow", "--unshallow"]);
    pair.refuses(
        1,
        "git -C b sparse-checkout set web; b sync; code=$?; git -C b sparse-checkout disable; exit $code",
        &["sparse"],
    );
}

#[test]
fn other_histories_and_no_remote_are_told_with_the_mend() {
    let pair = Pair::new();
    pair.ok("git init -q c; cp store/.gpg-id c; cd c; git add -A; git commit -qm other; git remote add origin ../remote");
    pair.refuses(1, "PASSWORD_STORE_DIR=$PWD/c pass sync", &["no commit in common", "clone"]);
    pair.refuses(1, "git -C b remote remove origin; b sync", &["no remote repository", "git remote add"]);
    pair.refuses(
        1,
        "rm -rf plain; cp -r store plain; rm -rf plain/.git; PASSWORD_STORE_DIR=$PWD/plain pass sync",
        &["git init"],
    );
    pair.refuses(1, "git -C b remote add origin $PWD/gone; b sync", &["there is no repository"]);
}

#[test]
fn branches_without_a_commit_are_begun() {
    let pair = Pair::new();
    // An empty remote; an empty clone.
    pair.ok("git init -q --bare empty; git -C store remote set-url origin $PWD/empty; git -C store update-ref -d refs/passel/seen/origin/master");
    pair.says(0, "pass sync", &["Pushed"]);
    pair.ok("git init -q c; git -C c remote add origin $PWD/empty");
    pair.says(0, "PASSWORD_STORE_DIR=$PWD/c pass sync", &["came", "In step"]);
    assert_eq!(pair.ok("PASSWORD_STORE_DIR=$PWD/c pass show top"), "top");
    // Nothing on either side.
    pair.ok(
        "git init -q --bare none; git init -q d; cp store/.gpg-id d; git -C d remote add origin $PWD/none",
    );
    pair.says(0, "PASSWORD_STORE_DIR=$PWD/d pass sync", &["Up to date"]);
}

#[test]
fn files_that_nobody_committed_stay_and_are_named() {
    let pair = Pair::new();
    pair.ok("echo 1 | pass insert -m new; echo changed | put top; pass sync");
    pair.ok("echo mine >b/new.gpg");
    pair.refuses(1, "b sync", &["`new.gpg` is not in git here", "mv "]);
    pair.ok("rm b/new.gpg; echo x >>b/top.gpg");
    pair.refuses(1, "b sync", &["`top.gpg` has changes that are not committed"]);
    pair.ok("rm b/top.gpg");
    pair.refuses(1, "b sync", &["was removed since"]);
    pair.ok("git -C b checkout -q -- .; b sync");
    pair.in_step();
}

#[test]
fn hooks_that_reject_are_told_and_what_is_here_waits() {
    let pair = Pair::new();
    pair.ok("printf '#!/bin/sh\\necho policy says no >&2; exit 1\\n' >remote/hooks/pre-receive; chmod +x remote/hooks/pre-receive; echo 1 | b insert -m new");
    pair.refuses(1, "b sync", &["took nothing", "policy says no", "waits"]);
    pair.ok("rm remote/hooks/pre-receive; printf '#!/bin/sh\\nexit 1\\n' >b/.git/hooks/pre-push; chmod +x b/.git/hooks/pre-push");
    pair.refuses(1, "b sync", &["pre-push"]);
    pair.ok("rm b/.git/hooks/pre-push; b sync; pass sync");
    pair.in_step();
    // A merge runs the hooks of a merge.
    pair.ok("echo 2 | pass insert -m two; pass sync; echo 3 | b insert -m three
        printf '#!/bin/sh\\nexit 1\\n' >b/.git/hooks/pre-merge-commit; chmod +x b/.git/hooks/pre-merge-commit");
    pair.refuses(1, "b sync", &["pre-merge-commit"]);
    pair.ok("rm b/.git/hooks/pre-merge-commit; printf '#!/bin/sh\\necho Signed-off >>$1\\n' >b/.git/hooks/commit-msg; chmod +x b/.git/hooks/commit-msg; b sync");
    assert!(pair.ok("git -C b log -1 --format=%B").contains("Signed-off"));
}

#[test]
fn a_damaged_remote_is_refused_whole() {
    let pair = Pair::new();
    pair.ok("echo 1 | pass insert -m new; pass sync; git -C remote unpack-objects -q <$(ls remote/objects/pack/*.pack 2>/dev/null | head -1) 2>/dev/null || true");
    pair.ok("blob=$(git -C remote rev-parse master:new.gpg); f=remote/objects/${blob%${blob#??}}/${blob#??}; chmod +w $f; echo damaged >$f");
    pair.refuses(1, "b sync", &["git failed"]);
}

#[test]
fn plaintext_in_notes_is_refused() {
    let pair = Pair::new();
    pair.refuses(1, "git -C b config diff.gpg.cachetextconv true; b sync", &["cachetextconv", "--unset"]);
}

#[test]
fn merges_are_signed_where_commits_are() {
    let pair = Pair::new();
    pair.ok("git -C b config pass.signcommits true; git -C b config user.signingkey $ALICE; echo 1 | pass insert -m one; pass sync; echo 2 | b insert -m two; b sync");
    pair.ok("git -C b log -1 --format=%P | grep -q ' '; git -C b verify-commit HEAD");
    pair.ok("pass sync");
    pair.in_step();
}
