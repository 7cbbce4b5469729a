//! What is refused, and what is said to be incomplete.

use super::{json, listed, states};
use crate::cli::git::Repository;
use crate::common::TestStore;

#[test]
fn what_cannot_be_listed_is_refused() {
    let store = listed();
    for (line, words) in [
        ("pass rotate add nope --why x", "nope is not in the password store"),
        ("pass rotate add web --why x", "web is not in the password store"),
        ("pass rotate add web/a", "--why TEXT says it"),
        ("pass rotate add web/a --why ' '", "--why TEXT says it"),
        ("pass rotate add ../a --why x", "sneaky"),
        ("pass rotate add web/a nope --why x", "nope is not in the password store"),
        ("pass rotate add .passel.d/rotate/x --why x", "keeps its own records there"),
        ("pass rotate add --exposed nobody@example.org", "nobody@example.org"),
        ("pass rotate add --health nope", "nope is not in the password store"),
        ("pass rotate close nope --why x", "nothing open is on the rotation list about `nope`"),
        ("pass rotate close web/a --why ''", "--why TEXT says it"),
    ] {
        store.refused(line, &[words]);
    }
    store.ok("gpg -q --yes -e -r $ALICE -o store/web/a.gpg <<<typed");
    store.refused("pass rotate add web/a --why x", &["`web/a` is not committed as it is"]);
}

#[test]
fn without_git_or_a_team_there_is_no_list() {
    let store = TestStore::new();
    let output = store.shell(
        "pass init $ALICE >/dev/null; echo x | pass insert -m a; pass rotate; pass rotate add a --why x",
    );
    assert!(output.out().contains("Nothing is on the list."), "{}", output.out());
    assert!(output.code == 1 && output.err().contains("no git repository"), "{}", output.err());
    let store = Repository(TestStore::new());
    store.ok("pass init -p web $ALICE; pass git init; echo x | pass insert -m web/a");
    store.refused("pass rotate add web/a --why x", &["the store has no recipients of its own", "pass init"]);
}

#[test]
fn items_that_cannot_be_read_are_said_and_the_others_shown() {
    let store = listed();
    store.ok("cd store; gpg -q --trust-model always -e -r $DAVE -o .passel.d/rotate/dave.gpg <<<x
        gpg -q -e -r $ALICE -o .passel.d/rotate/odd.gpg <<<'hunter2: x'; echo junk >.passel.d/rotate/junk.gpg; ln -s ../x .passel.d/rotate/link.gpg
        git add -A; git commit -qm odd");
    let output = store.shell("pass rotate");
    assert_eq!(output.code, 1);
    assert!(output.out().contains("To be changed (3):"), "{}", output.out());
    let told = output.err();
    assert!(
        told.contains("1 item is encrypted to others")
            && told.contains("rotate/odd.gpg")
            && told.contains("rotate/junk"),
        "{told}"
    );
    assert!(!told.contains("hunter2") && !told.contains("link"), "{told}");
}

#[test]
fn what_cannot_be_decrypted_here_is_unknown_and_says_who_can_tell() {
    let store = listed();
    let write = |text: &str, keys: &str| {
        let to = keys.split(' ').map(|key| format!("-r {key} ")).collect::<String>();
        format!(
            "gpg -q --trust-model always --yes -e {to} -o store/web/new.gpg <<<{text}; git -C store add -A; git -C store commit -qm x"
        )
    };
    store.ok(&write("w", "$DAVE $ALICE"));
    store.ok(&format!("pass rotate add web/new --why x; {}", write("x", "$DAVE")));
    assert!(states(&store).contains(&"web/new=unknown".to_owned()), "{:?}", states(&store));
    let said = store.ok("pass rotate");
    assert!(said.contains("dave@example.org> can tell"), "{said}");
}

#[test]
fn a_clone_without_the_older_commits_says_that_its_answer_may_lack_something() {
    let store = listed();
    store.ok("git clone -q --depth 1 file://$PWD/store shallow");
    let output = store.shell("PASSWORD_STORE_DIR=$PWD/shallow pass rotate");
    assert_eq!(output.code, 3, "{}", output.err());
    assert!(output.err().contains("incomplete:") && output.out().contains("web/b"), "{}", output.out());
    let report = json(&store, "PASSWORD_STORE_DIR=$PWD/shallow pass rotate --json");
    assert_eq!(report["gaps"].as_array().unwrap().len(), 1);
}

#[test]
fn what_stands_in_the_way_of_one_item_hides_no_other() {
    let store = listed();
    store.ok(
        "pass rm -f web/a; echo b | pass insert -m web/a.gpg/x; pass rm -f web/b; ln -s x store/web/b.gpg",
    );
    assert_eq!(states(&store), ["ops/c=open", "web/a=gone", "web/b=gone"]);
    store.ok("cd store; git rm -rqf .passel.d; rm -rf .passel.d/rotate; mkdir -p .passel.d x; ln -s ../x .passel.d/rotate");
    store.refused("pass rotate", &["`.passel.d/rotate`", "it is no folder"]);
}

#[test]
fn a_list_that_would_let_others_read_the_records_stops_them() {
    let store = listed();
    store.ok("cd store; echo $BOB >.passel.d/.gpg-id; git add -A; git commit -qm sly");
    store.refused(
        "pass rotate add web/a --why x",
        &["`.passel.d/.gpg-id` would let others than the team read the records"],
    );
    let output = store.shell("pass rotate");
    assert!(output.code == 3 && output.err().contains("incomplete: `.passel.d/.gpg-id`"), "{}", output.err());
}

#[test]
fn what_is_not_put_on_the_list_is_said_with_an_exit_code() {
    let store = listed();
    store.ok("echo x | pass insert -m web/new; gpg -q --yes -e -r $ALICE -o store/web/a.gpg <<<typed");
    let output = store.shell("pass rotate add web/a web/new --why x");
    assert!(
        output.code == 3 && output.err().contains("not committed as they are: web/a"),
        "{}",
        output.err()
    );
    store.ok("git -C store commit -qam typed; pass rm -f web/b");
    let output = store.shell("pass rotate add --exposed bob@example.org");
    assert!(output.err().contains("1 entry is gone from the store"), "{}", output.err());
    store.refused("pass rotate close ops/c nope --why x", &["about `nope`"]);
}
