//! Whoever was taken out here, or let into one folder, gets no further by what git makes of others' commits.

use super::{eve, refuses, shared};

#[test]
#[ignore = "long: make test-long"]
fn a_key_that_was_taken_out_here_comes_back_by_no_change_of_gits() {
    // Eve writes Bob's line once more while he is taken out here; or puts the state before that back.
    for (hers, then) in [
        ("echo $BOB >>.gpg-id; git commit -qam again; git push -q", "git pull -q --rebase"),
        (
            "echo $BOB >>.gpg-id; git commit -qam again; git push -q",
            "git fetch -q; git merge -q --squash origin/master; git commit -qm squashed",
        ),
        (
            "echo $BOB >>.gpg-id; git commit -qam again; git push -q",
            "git fetch -q; git cherry-pick -n origin/master; git commit -qm picked",
        ),
        (
            "date >readme; git add .; git commit -qm readme; git push -q",
            "git fetch -q; git reset -q --hard origin/master",
        ),
    ] {
        let store = shared();
        // Made here, line by line, so that both changes apply.
        store.ok("pass init $BOB $ALICE $CAROL; git -C store push -q; git -C evil pull -q");
        store.ok("pass recipients remove / $BOB --yes");
        store.ok(&format!("cd evil; {hers}"));
        store.shell(&format!("cd store; {then}"));
        if store.shell("grep -q $BOB store/.gpg-id").code == 0 {
            refuses(&store, "echo x | pass insert -mf free/c", &["gains access again, after it was removed"]);
        } else {
            panic!("{then}: the line did not come back");
        }
    }
}

#[test]
fn a_change_made_here_is_noticed_before_others_are_fetched() {
    let store = shared();
    store.ok("echo $ALICE >store/.gpg-id; git -C store commit -qam mine; pass git push -q");
    eve(&store, "echo $BOB >>.gpg-id");
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
}

#[test]
fn a_list_that_others_moved_lets_nobody_into_another_folder() {
    for then in
        ["git pull -q --rebase", "git fetch -q; git merge -q --squash origin/master; git commit -qm squashed"]
    {
        let store = shared();
        store.ok("pass init -p acme $ALICE $BOB; echo x | pass insert -m acme/x; echo y | pass insert -m secret/y; git -C store push -q");
        store.ok(
            "cd evil; git pull -q; git mv acme/.gpg-id secret/.gpg-id; git commit -qm harmless; git push -q",
        );
        store.ok(&format!("pass recipients add acme $CAROL --yes; cd store; {then}"));
        if store.shell("grep -q $CAROL store/secret/.gpg-id").code == 0 {
            refuses(&store, "echo x | pass insert -mf secret/y", &["gains access"]);
        } else {
            panic!("{then}: the line did not move");
        }
    }
}

#[test]
fn a_folder_whose_list_others_took_away_is_not_opened_by_a_change_above() {
    for change in [
        "pass recipients add / $CAROL --yes",
        "pass group add team $ALICE $CAROL --yes; pass group assign team --yes",
        "echo $CAROL >>store/.gpg-id; echo x | pass insert -m sec/z",
    ] {
        let store = shared();
        store.ok(
            "pass init $ALICE; pass init -p sec $ALICE; echo x | pass insert -m sec/y; git -C store push -q",
        );
        eve(&store, "git rm -q sec/.gpg-id");
        let output = store.shell(change);
        assert!(
            output.code == 1 && output.err().contains("recipients of sec have changed"),
            "{change}: {}",
            output.err()
        );
        store.ok("git -C store checkout -q .; pass recipients accept sec --expect $ALICE");
        store.ok("pass recipients add / $CAROL --yes; echo x | pass insert -m sec/z");
    }
}

#[test]
fn who_leaves_a_group_is_told_of_where_no_folder_follows_it() {
    let store = shared();
    store.ok("pass group add team $ALICE $BOB --yes; pass group assign team --yes; git -C store push -q");
    eve(&store, "sed -i '/^rules:/,$d' .passel.yaml");
    store.refused("pass group remove team $BOB --yes", &["the rule of the store loses group `team`"]);
    store.ok("pass recipients accept --expect-rules $(sha256sum <store/.passel.yaml | cut -c -64)");
    let said = store.ok("pass group remove team $BOB --yes");
    assert!(said.contains("Still read") && said.contains("Bob"), "{said}");
}

#[test]
fn a_list_does_not_come_to_rule_entries_that_do_not_go_with_it() {
    let store = shared();
    store.ok("pass init -p a $ALICE; echo x | pass insert -m a/x; mkdir -p store/b/a; echo y | pass insert -m b/a/old");
    store.refused("pass cp a b", &["`b/a/old`"]);
    // Nor does one go from above an entry that only HEAD holds.
    store.ok("echo x | pass insert -m a/ghost; rm store/a/ghost.gpg");
    for line in ["pass mv a elsewhere", "pass rm -rf a"] {
        store.refused(line, &["`a/ghost.gpg` is committed, but was removed"]);
    }
    // Nor is one left behind by what git is told to ignore.
    store.ok("git -C store checkout -q a/ghost.gpg; echo vault/.gpg-id >store/.gitignore; git -C store add .; git -C store commit -qm ignore");
    store.refused("pass mv a vault", &["`vault/.gpg-id` is ignored by git"]);
}

#[test]
fn put_under_git_by_others_a_store_stays_the_one_that_was_met() {
    let store = crate::cli::git::Repository(crate::common::TestStore::new());
    store.ok("pass init $ALICE; echo x | pass insert -m a; echo $DAVE >>store/.gpg-id");
    assert_eq!(store.shell("echo x | pass insert -m b").code, 1);
    store.ok("git init -q store; git -C store add .; git -C store commit -qm all");
    let output = store.shell("echo x | pass insert -m b");
    assert!(output.code == 1 && output.err().contains("gains access"), "{}", output.err());
}

#[test]
fn who_was_taken_out_while_the_folder_was_away_does_not_come_back_with_it() {
    for (away, taken_out, back) in [
        (
            "git mv web site",
            "pass recipients remove site $BOB --yes",
            "git mv site web; printf \"$ALICE\\n$BOB\\n\" >web/.gpg-id",
        ),
        ("git rm -rq web", "pass group remove team $BOB --yes", "git checkout -q HEAD~2 -- web"),
    ] {
        let store = shared();
        store.ok(
            "pass group add team $ALICE $BOB --yes; pass group assign team web --yes; git -C store push -q",
        );
        eve(&store, away);
        store.ok(&format!("pass recipients accept >/dev/null 2>&1; pass recipients accept --expect-rules $(sha256sum <store/.passel.yaml | cut -c -64) >/dev/null; {taken_out}; git -C store push -q"));
        eve(&store, back);
        let bob = store.ok("echo $BOB");
        store.refused(
            "echo x | pass insert -m web/new",
            &[&format!("{bob} gains access again, after it was removed")],
        );
    }
}
