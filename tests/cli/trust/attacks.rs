//! What somebody who can push, and has no trusted key, may try.

use super::{accepts, ann, asks, eve, trusting};

#[test]
fn what_is_not_signed_by_a_trusted_key_is_asked_about() {
    for line in [
        "echo $DAVE >>web/.gpg-id",
        // By a key that nobody trusts.
        "git config commit.gpgSign true; git config user.signingKey $CAROL; echo $DAVE >>web/.gpg-id",
        // Under a name that somebody else's key may bear.
        "git config commit.gpgSign true; git config user.signingKey $BOB; echo dave@example.org >>web/.gpg-id",
    ] {
        let store = trusting();
        eve(&store, line);
        asks(&store, "web/a", line);
    }
}

#[test]
fn the_signature_of_another_commit_is_none() {
    let store = trusting();
    ann(&store, "echo $DAVE >>web/.gpg-id");
    // Ann's commit with another tree.
    store.ok("cd evil; git fetch -q; git read-tree origin/master; printf \"$ALICE\\n$BOB\\n$CAROL\\n\" >list
        git update-index --cacheinfo 100644,$(git hash-object -w list),web/.gpg-id; tree=$(git write-tree)
        new=$(git cat-file commit origin/master | sed \"s/^tree .*/tree $tree/\" | git hash-object -w -t commit --stdin)
        git push -q -f origin $new:master");
    asks(&store, "web/a", "a stolen signature");
}

#[test]
fn what_was_signed_once_is_not_brought_back() {
    brings_back(false);
}

#[test]
#[ignore = "long: make test-long"]
fn what_was_signed_and_accepted_once_is_not_brought_back() {
    brings_back(true);
}

/// Tries to bring a key back that a signed commit let in and another one took out, which this machine `saw` or not.
fn brings_back(saw: bool) {
    let old = "old=$(git log --format=%H --grep=change origin/master | tail -1)";
    for line in [
        // The file as it was.
        format!("{old}; git checkout -q $old -- web/.gpg-id"),
        // The removal reverted.
        "git revert --no-edit --no-commit $(git log --format=%H --grep=change -1)".to_owned(),
        // A merge that takes the side that was overruled.
        format!(
            "{old}; git checkout -q -b side $old; git commit -q --allow-empty -m side
            git merge -q -s ours --no-edit origin/master; git push -q origin side:master; git checkout -q master
            git pull -q"
        ),
        // And one that changes nothing but that.
        format!(
            "{old}; new=$(git commit-tree -p origin/master -p $old -m m $old^{{tree}}); git reset -q --hard $new"
        ),
    ] {
        let store = trusting();
        for (change, words) in
            [("echo $DAVE >>web/.gpg-id", "recipients of web"), ("printf \"$ALICE\\n$BOB\\n\" >web/.gpg-id", "")]
        {
            ann(&store, change);
            if saw {
                accepts(&store, &[words]);
            }
        }
        eve(&store, &line);
        asks(&store, "web/a", &line);
    }
}

#[test]
#[ignore = "long: make test-long"]
fn a_remote_that_goes_back_lets_nobody_in_again() {
    let store = trusting();
    ann(&store, "echo $DAVE >>web/.gpg-id");
    accepts(&store, &["recipients of web"]);
    ann(&store, "printf \"$ALICE\\n$BOB\\n\" >web/.gpg-id");
    accepts(&store, &["recipients of web"]);
    store.ok(
        "cd evil; git pull -q; git push -q -f origin $(git log --format=%H --grep=change | tail -1):master",
    );
    let output = store.shell("pass sync --accept-rewind");
    assert!(output.code == 3 && !output.out().contains("Accepted"), "{}{}", output.out(), output.err());
    assert!(output.err().contains("gains access again, after it was removed"), "{}", output.err());
}

#[test]
#[ignore = "long: make test-long"]
fn a_signed_list_is_for_its_own_folder() {
    for (line, entry) in [
        ("cp web/.gpg-id mine/", "mine/b"),
        ("git mv -f web/.gpg-id mine/.gpg-id", "mine/b"),
        ("git rm -q --cached web/.gpg-id; mv web/.gpg-id free/", "free/c"),
        // The list goes, so that the signed one above rules.
        ("git rm -q mine/.gpg-id", "mine/b"),
    ] {
        let store = trusting();
        ann(&store, "echo $DAVE >>web/.gpg-id; echo $CAROL >>.gpg-id");
        accepts(&store, &["recipients of web", "recipients of the store"]);
        eve(&store, line);
        asks(&store, entry, line);
    }
}

#[test]
#[ignore = "long: make test-long"]
fn a_list_that_was_taken_away_before_the_one_above_was_signed() {
    let store = trusting();
    // `web` and the store have the same recipients: nobody gains by it yet.
    eve(&store, "git rm -q web/.gpg-id");
    ann(&store, "echo $DAVE >>.gpg-id");
    let output = store.shell("pass sync");
    assert_eq!(output.code, 3, "{}{}", output.out(), output.err());
    assert!(output.out().contains("Accepted: recipients of the store,"), "{}", output.out());
    assert!(!output.out().contains("recipients of web"), "{}", output.out());
    let output = store.shell("echo x | pass insert -mf web/a");
    assert!(output.code == 1 && output.err().contains("have changed"), "{}", output.err());
}

#[test]
#[ignore = "long: make test-long"]
fn what_is_accepted_for_a_folder_is_not_accepted_for_the_one_above() {
    let store = trusting();
    store.ok("pass init -p web/sub $ALICE; echo 4 | pass insert -m web/sub/s; pass sync");
    eve(&store, "echo $DAVE >>web/.gpg-id");
    // For `web/sub`, it is this commit that lets Dave in.
    ann(&store, "git rm -q web/sub/.gpg-id");
    asks(&store, "web/a", "the list above was changed by another one");
    asks(&store, "web/sub/s", "and rules");
}

#[test]
#[ignore = "long: make test-long"]
fn a_signed_commit_answers_for_its_own_change_alone() {
    let store = trusting();
    ann(&store, "echo $DAVE >>web/.gpg-id");
    eve(&store, "echo $CAROL >>web/.gpg-id");
    asks(&store, "web/a", "changed again by another one");
    let store = trusting();
    eve(&store, "echo $DAVE >>web/.gpg-id");
    ann(&store, "echo x >notes");
    asks(&store, "web/a", "on top of what somebody else did");
    let store = trusting();
    eve(&store, "echo $DAVE >>web/.gpg-id");
    store.ok("cd ann; echo x >notes; git add -A; git commit -qS -m notes; git pull -q --no-commit --no-ff 2>/dev/null || true
        git commit -qS -m merged; git push -q");
    asks(&store, "web/a", "a signed merge of what somebody else did");
}

#[test]
fn a_merge_brings_nothing_of_its_own() {
    let store = trusting();
    ann(&store, "echo $DAVE >>web/.gpg-id");
    store.ok("cd evil; echo x >notes; git add -A; git commit -qm notes; git pull -q --no-commit --no-ff
        echo $CAROL >>web/.gpg-id; git add -A; git commit -qm merged; git push -q");
    asks(&store, "web/a", "a merge that adds a key itself");
    // Two lists that are signed, each for itself; and what was taken out on one side stays out.
    let store = trusting();
    store.ok("cd ann; git checkout -q -b draft; echo $DAVE >>web/.gpg-id; git commit -qaS -m draft; git push -q origin draft; git checkout -q master");
    eve(&store, "git fetch -q; git cherry-pick origin/draft >/dev/null");
    asks(&store, "web/a", "a signed draft, picked");
}

#[test]
fn another_history_answers_for_nothing_here() {
    let store = trusting();
    // Ann's other store, in which Dave reads everything.
    store.ok("git init -q other; cd other; git config user.signingKey $BOB; git config user.name ann; git config user.email a@b
        printf \"$ALICE\\n$BOB\\n\" >.gpg-id; git add -A; git commit -qS -m one; echo $DAVE >>.gpg-id; git commit -qaS -m change");
    eve(
        &store,
        "git pull -q ../other master --allow-unrelated-histories --no-edit -s ours; git checkout -q FETCH_HEAD -- .gpg-id
        git add -A; git commit -q --amend --no-edit",
    );
    asks(&store, "free/c", "another store's history");
    // Even where nothing but the merge itself is to be told apart.
    let store = trusting();
    store.ok("git init -q other; cd other; git config user.signingKey $BOB; git config user.name ann; git config user.email a@b
        mkdir web; printf \"$ALICE\\n$BOB\\n$DAVE\\n\" >web/.gpg-id; git add -A; git commit -qS -m one");
    eve(&store, "git fetch -q ../other master; git rm -q --cached web/.gpg-id; git commit -qm gone
        git merge -q --allow-unrelated-histories --no-edit FETCH_HEAD 2>/dev/null || { git checkout -q FETCH_HEAD -- web/.gpg-id; git add -A; git commit -qm m; }");
    asks(&store, "web/a", "another store's first commit");
}
