//! Stores elsewhere than at the root of a repository, machines that only read, lists that move.

use super::super::git::Repository;
use super::{eve, refuses, shared};
use crate::common::stock_pass;

/// A store that is a folder of a larger repository, with a clone where Eve works.
fn inside_a_repository() -> Repository {
    let store = Repository(crate::common::TestStore::new());
    store.ok("mkdir big; git init -q big; git init -q --bare remote; git -C big remote add origin $PWD/remote
        mkdir -p big/work/secrets; ln -s big/work/secrets store; pass init $ALICE $BOB; pass init -p web $ALICE
        echo 1 | pass insert -m web/a; echo 2 | pass insert -m free/b
        git -C big add -A; git -C big commit -qm all; git -C big push -q -u origin HEAD
        git clone -q remote evil; git -C evil config user.name Eve; git -C evil config user.email eve@example.org");
    store
}

#[test]
fn a_store_inside_a_larger_repository_has_that_ones_history() {
    for line in [
        "echo $DAVE >>work/secrets/.gpg-id",
        "mkdir -p work/secrets/free; echo $DAVE >work/secrets/free/.gpg-id",
    ] {
        let store = inside_a_repository();
        store.ok(&format!(
            "cd evil; {line}; git add -A; git commit -qm harmless; git push -q; git -C ../big pull -q"
        ));
        let output = store.shell("echo x | pass insert -m free/c");
        assert_eq!(output.code, 1, "{line}");
        for word in ["gains access", "Eve <eve@example.org>", "recipients accept"] {
            assert!(output.err().contains(word), "{line}: {}", output.err());
        }
        store.ok("echo x | pass insert -m web/c; test ! -e store/free/c.gpg");
    }
    // What is changed here needs no word, committed or not.
    for commit in ["true", "git -C big commit -qam mine"] {
        let store = inside_a_repository();
        let output =
            store.shell(&format!("echo $CAROL >>store/.gpg-id; {commit}; echo x | pass insert -m free/c"));
        assert!(output.code == 0 && output.err().contains("changed here: accepted"), "{}", output.err());
    }
    // Nor does a list above the store's root matter.
    let store = inside_a_repository();
    store.ok("cd evil; echo $DAVE >.gpg-id; git add -A; git commit -qm harmless; git push -q; git -C ../big pull -q");
    store.ok("echo x | pass insert -m free/c");
}

#[test]
fn without_git_nobody_can_tell_who_changed_a_list() {
    let store = Repository(crate::common::TestStore::new());
    store.ok("pass init $ALICE; pass init -p web $ALICE $BOB; echo 1 | pass insert -m web/a");
    store.ok("echo $DAVE >>store/.gpg-id");
    for line in ["pass insert -m b", "pass generate c 9"] {
        let output = store.shell(&format!("echo x | {line}"));
        assert_eq!(output.code, 1);
        assert!(
            output.err().contains("gains access") && output.err().contains("recipients accept"),
            "{}",
            output.err()
        );
    }
    // Not by putting the store under git either.
    store.ok("pass git init; echo x | pass insert -m web/c");
    let output = store.shell("echo x | pass insert -m b");
    assert!(output.code == 1 && output.err().contains("gains access"), "{}", output.err());
    store.ok("pass recipients accept / --expect $ALICE,$DAVE; echo x | pass insert -m b");
}

#[test]
fn reading_is_a_first_use_too() {
    for line in ["pass show web/a", "pass", "pass git log -1"] {
        let store = shared();
        store.ok("git clone -q remote second");
        let there = "export PASSWORD_STORE_DIR=$PWD/second;";
        let first = store.shell(&format!("{there} {line}"));
        assert_eq!(first.code, 0, "{line}: {}", first.err());
        assert!(first.err().contains("first use on this machine: 3 lists"), "{line}: {}", first.err());
        assert!(!store.shell(&format!("{there} {line}")).err().contains("first use"), "{line}");
        eve(&store, "echo $DAVE >>web/.gpg-id");
        store.ok("git -C second pull -q");
        let refused = store.shell(&format!("{there} echo x | pass insert -mf web/a"));
        assert!(refused.code == 1 && refused.err().contains("gains access"), "{line}: {}", refused.err());
    }
}

#[test]
fn reading_goes_on_where_nothing_can_be_remembered() {
    let store = shared();
    store.ok("git clone -q remote second; chattr +i second/.git 2>/dev/null || chmod 500 second/.git");
    let shown = store.shell("PASSWORD_STORE_DIR=$PWD/second pass show web/a");
    store.ok(
        "chattr -i second/.git 2>/dev/null || chmod 700 second/.git; test ! -e second/.git/passel-accepted",
    );
    assert_eq!((shown.code, shown.err().as_str(), shown.out().as_str()), (0, "", "1\n"));
}

#[test]
fn an_address_met_without_its_key_is_asked_about_when_the_key_comes() {
    let store = shared();
    store.ok("pass init -p web alice@example.org carol@example.org; git -C store push -q; git clone -q remote second
        gpg -q --batch --export $CAROL >carol.key; gpg -q --batch --yes --delete-secret-and-public-key $CAROL");
    let there = "export PASSWORD_STORE_DIR=$PWD/second;";
    store.ok(&format!("{there} pass show web/a; echo x | pass insert -mf free/c"));
    store.ok("gpg -q --batch --import carol.key 2>/dev/null");
    let refused = store.shell(&format!("{there} echo x | pass insert -mf web/a"));
    assert!(
        refused.code == 1 && refused.err().contains("when this machine first saw it"),
        "{}",
        refused.err()
    );
    store.ok(&format!(
        "{there} pass recipients accept web --expect $ALICE,$CAROL; echo x | pass insert -mf web/a"
    ));
}

#[test]
fn a_list_that_cannot_be_used_yet_does_not_move_with_its_folder() {
    for verb in ["mv", "cp"] {
        let store = shared();
        store.ok("gpg -q --batch --export $DAVE >dave.key; gpg -q --batch --yes --delete-secret-and-public-key $DAVE");
        eve(&store, "mkdir web/empty; printf \"$ALICE\\n$DAVE\\n\" >web/empty/.gpg-id");
        store.refused(&format!("pass {verb} web/empty free/place"), &["no public key"]);
        store.refused(&format!("pass {verb} web free/place"), &["no public key"]);
        store.ok("gpg -q --batch --import dave.key 2>/dev/null");
        refuses(&store, &format!("pass {verb} web/empty free/place"), &["gains access"]);
        store.ok(&format!(
            "pass recipients accept web/empty --expect $ALICE,$DAVE; pass {verb} web/empty free/place"
        ));
        store.ok("echo x | pass insert -m free/place/x");
    }
}

#[test]
fn stock_pass_beside_us_needs_no_word_in_a_repository() {
    let store = shared();
    let stock = stock_pass();
    let output = store
        .shell(&format!("{} init -p free $ALICE $CAROL; echo x | pass insert -mf free/c", stock.display()));
    assert!(output.code == 0 && output.err().contains("changed here: accepted"), "{}", output.err());
}

#[test]
fn a_change_made_here_stays_ours_beside_what_others_push() {
    // Merged, rebased, or built upon by others.
    for (ours, then) in [
        ("true", "git pull -q --no-rebase --no-edit"),
        // Of what a rebase makes of it, git cannot tell: noticed before, it needs no word.
        ("true", "pass git pull -q --rebase"),
        ("git push -q", "git pull -q"),
    ] {
        let store = shared();
        store.ok(&format!("cd store; echo $CAROL >>.gpg-id; git commit -qam mine; {ours}"));
        store.ok("git -C evil pull -q --rebase; cd evil; date >readme; git add -A; git commit -qm other; git push -q");
        store.ok(&format!("cd store; {then}; test -e readme"));
        let output = store.shell("echo x | pass insert -mf free/c");
        assert_eq!(output.code, 0, "{ours} {then}: {}", output.err());
    }
    // What others add to it is theirs.
    let store = shared();
    store.ok("echo $CAROL >>store/.gpg-id; git -C store commit -qam mine; git -C store push -q");
    eve(&store, "echo $DAVE >>.gpg-id");
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
    // So is who was taken out, and is brought back by a merge of theirs.
    let store = shared();
    store.ok("cd store; echo $CAROL >>.gpg-id; git commit -qam mine; git tag with; git checkout -q HEAD~1 -- .gpg-id
        git commit -qm without; git push -q; git push -q origin with; rm .git/passel-accepted; pass ls");
    store.ok("cd evil; git pull -q; git fetch -q --tags; git merge -q -s ours --no-commit with 2>/dev/null || true
        git cat-file blob with:.gpg-id >.gpg-id; git add .gpg-id
        git update-ref HEAD $(git commit-tree -p HEAD -p with -m evil $(git write-tree)); git push -q; cd ../store; git pull -q");
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
}

#[test]
fn a_folders_own_list_hides_nothing_of_the_one_above() {
    for line in [
        "pass init -p sub ''",
        "rm store/sub/.gpg-id; pass insert -mf sub/a",
        "rm -r store/sub; pass insert -m sub/a",
        "git -C store rm -rq sub; git -C store commit -qm gone; pass insert -m sub/a",
        "pass client remove acme --yes; pass client add acme $CAROL --yes",
    ] {
        let store = shared();
        store.ok("pass init -p sub $ALICE; echo 1 | pass insert -m sub/a; pass client add acme $CAROL --yes; git -C store push -q");
        eve(&store, "echo $DAVE >>.gpg-id");
        let output =
            store.shell(&format!("exec </dev/null; {}", line.replace("pass insert", "echo x | pass insert")));
        assert!(
            output.code == 1 && output.err().contains("gains access"),
            "{line}: {} {}",
            output.out(),
            output.err()
        );
    }
}

#[test]
fn who_was_taken_out_by_others_does_not_go_unseen_with_a_change_of_ours() {
    let store = shared();
    eve(&store, "echo $ALICE >.gpg-id");
    for line in ["pass recipients add / $CAROL --yes", "pass recipients remove / $CAROL --yes"] {
        let output = store.shell(line);
        assert!(output.code == 1, "{line}: {}", output.out());
    }
    refuses(&store, "pass recipients add / $CAROL --yes", &["loses it"]);
    // Bringing them back is a word; and so is taking out who was slipped in.
    store.ok("pass recipients add / $BOB --yes; echo x | pass insert -mf free/c");
    store.ok("git -C store push -q");
    eve(&store, "echo $DAVE >>.gpg-id");
    store.ok("pass recipients remove / $DAVE --yes; echo x | pass insert -mf free/c");
}

#[test]
fn a_change_that_was_abandoned_is_not_expected_later() {
    let store = shared();
    store.script("store/.git/hooks/pre-commit", "kill -9 $PPID; sleep 1; exit 1");
    store.shell("pass recipients add / $DAVE --yes");
    store.ok("rm store/.git/hooks/pre-commit; not grep -q $DAVE store/.gpg-id; pass ls");
    eve(&store, "echo $DAVE >>.gpg-id");
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
}

#[test]
fn bytes_that_git_made_of_others_are_not_an_edit_of_ours() {
    // `#` in the commit is `c` on disk: what was a comment names a key there. Then the attribute goes again.
    let store = shared();
    let dave = store.ok("echo $DAVE");
    let make = "cd evil; echo '.gpg-id working-tree-encoding=IBM278' >.gitattributes
        printf \"$ALICE\\n$BOB\\n$DAVE\\n\" >.gpg-id; git add -A; git commit -qm harmless; git push -q; cd ../store; git pull -q";
    store.ok(make);
    assert!(store.ok("cat store/.gpg-id").contains(&dave));
    store
        .ok("cd evil; git rm -q --cached .gitattributes; rm .gitattributes; git commit -qm tidy; git push -q
        cd ../store; cp .gpg-id ../list; git pull -q; cp ../list .gpg-id");
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
}
