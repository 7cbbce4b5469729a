//! Changes of recipients where the work tree is not as HEAD has it: no commit drops a key from a list that
//! entries in it still carry, or holds what somebody typed into a list, unseen.

use crate::cli::git::Repository;
use crate::common::TestStore;

/// A store of Alice's and Bob's.
fn store() -> Repository {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; for n in a web/a web/b; do echo $n | pass insert -m $n; done
        pass init -p shop $ALICE $BOB; echo s | pass insert -m shop/s");
    store
}

/// Replaces Bob's and Alice's entry by one of Alice's alone.
const ALONE: &str = "echo x | gpg -q --batch --yes -e -r $ALICE -o store/web/a.gpg";

/// What takes Bob out.
const REMOVES: [&str; 3] =
    ["pass recipients remove / $BOB --yes", "pass init $ALICE", "pass recipients set / $ALICE --yes"];

#[test]
fn an_entry_that_is_not_as_it_was_committed_stops_a_change() {
    let store = store();
    for (line, words) in [
        ("rm store/web/a.gpg", ["`web/a.gpg` is committed, but was removed", "git rm 'web/a.gpg'"]),
        ("rm -r store/web", ["is committed, but was removed", "git checkout -- 'web/"]),
        ("mv store/web store/net", ["is committed, but was removed", "git checkout -- 'web/"]),
        (ALONE, ["`web/a.gpg` has changes", "git add 'web/a.gpg'"]),
        ("ln -sf ../a.gpg store/web/a.gpg", ["`web/a.gpg` has changes", "git add 'web/a.gpg'"]),
    ] {
        store.ok(line);
        for command in REMOVES {
            store.refused(command, &words);
        }
        store.ok("rm -rf store/net; git -C store checkout -q -- .");
    }
    // What is named mends it.
    store.ok("rm store/web/a.gpg; cd store; pass git rm -q web/a.gpg; pass git commit -qm gone");
    store.ok(REMOVES[0]);
    store.clean();
}

#[test]
fn what_other_lists_rule_may_be_as_it_likes() {
    let store = store();
    store.ok("rm store/shop/s.gpg; echo $CAROL >>store/shop/.gpg-id; echo note >store/note");
    store.ok(REMOVES[0]);
    assert_eq!(store.ok("cd store; git status --porcelain"), " M shop/.gpg-id\n D shop/s.gpg\n?? note");
    assert_eq!(store.ok("git -C store show --format= --name-only"), ".gpg-id\na.gpg\nweb/a.gpg\nweb/b.gpg");
    // With all that it has, it is not there for git's HEAD either.
    store.ok("rm -r store/shop; pass recipients add / $CAROL --yes");
}

#[test]
fn a_list_that_is_not_committed_decides_about_nothing_that_is() {
    let store = store();
    store.ok("echo $ALICE >store/web/.gpg-id");
    for command in REMOVES {
        store.refused(command, &["`web/.gpg-id` has changes", "git add 'web/.gpg-id'"]);
    }
    store.ok("rm store/web/.gpg-id store/shop/.gpg-id");
    for command in REMOVES {
        store.refused(command, &["`shop/.gpg-id` is committed, but was removed"]);
    }
    // Where git ignores it, it never will be.
    store.ok("git -C store checkout -q shop; echo $ALICE $BOB | tr ' ' '\\n' >store/web/.gpg-id
        echo /web/.gpg-id >store/.git/info/exclude; pass recipients remove / $BOB --yes");
    assert_eq!(store.ok("git -C store show --format= --name-only"), ".gpg-id\na.gpg");
}

#[test]
fn entries_of_repositories_inside_are_looked_at_as_well() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; echo a | pass insert -m a; mkdir store/team; git init -q store/team
        echo /team/ >store/.gitignore; git -C store add .gitignore; git -C store commit -qm ignore
        echo x | pass insert -m team/x; rm store/team/x.gpg");
    store.refused(REMOVES[0], &["`team/x.gpg` is committed, but was removed"]);
    store.ok("git -C store/team checkout -q -- x.gpg; pass recipients remove / $BOB --yes");
    store.clean_in("store/team");
    store.clean();
}

#[test]
fn a_list_that_somebody_edited_is_not_committed_under_another_name() {
    let store = store();
    store.ok(
        "pass group add --yes team $ALICE; pass group assign --yes team shop; echo $DAVE >>store/.gpg-id",
    );
    for command in [
        "pass recipients add / $CAROL --yes",
        "pass recipients remove / $BOB --yes",
        "pass recipients add web $CAROL --yes",
        "pass group assign --yes team",
        "pass group assign --yes team web",
        "pass init -p shop ''",
    ] {
        store.refused(command, &["`.gpg-id` has changes", "git add '.gpg-id'"]);
    }
    // An address of Bob's is all that could be written otherwise.
    store.ok("git -C store checkout -q .gpg-id; sed -i \"s/$BOB/bob@example.org/\" store/.gpg-id; git -C store commit -qam list
        sed -i /bob@/d store/.gpg-id; echo alice@example.org >>store/.gpg-id");
    store.refused("pass adopt --fix", &["`.gpg-id` has changes"]);
    store.refused("pass recipients canonicalize --yes", &["`.gpg-id` has changes"]);
    store
        .ok("git -C store checkout -q .gpg-id; sed -i \"s/  team:/  team:\\n  - $DAVE/\" store/.passel.yaml");
    store.refused("pass group add --force --yes team $CAROL", &["`.passel.yaml` has changes"]);
}

#[test]
fn init_goes_on_as_it_says_who_is_to_read() {
    let store = store();
    for edit in ["echo $DAVE >>store/.gpg-id", "rm store/.gpg-id", "echo $ALICE >store/.gpg-id"] {
        store.ok(&format!("{edit}; pass init $ALICE"));
        assert_eq!(store.ok("git -C store show HEAD:.gpg-id"), store.ok("echo $ALICE"), "{edit}");
        store.clean();
        store.ok("pass init $ALICE $BOB");
    }
    // Typed by hand before, it is committed with the entries.
    store.ok("echo $ALICE >store/web/.gpg-id; pass init -p web $ALICE");
    assert_eq!(store.ok("git -C store show --format= --name-only"), "web/.gpg-id\nweb/a.gpg\nweb/b.gpg");
    store.clean();
    store.ok("echo $DAVE >>store/web/.gpg-id; pass init -p web ''");
    store.clean();
}

#[test]
fn the_first_list_of_a_store_may_be_new() {
    for (command, list) in [
        ("pass recipients add / $BOB --yes", "$ALICE\\n$BOB"),
        ("pass recipients add / $ALICE --yes; pass recipients add / $BOB --yes", "$ALICE\\n$BOB"),
        ("pass group add --yes team $ALICE $BOB; pass group assign --yes team", "$ALICE\\n$BOB"),
        ("pass recipients canonicalize --yes; pass init $ALICE", "$ALICE"),
    ] {
        let store = Repository(TestStore::new());
        store.ok("mkdir store; echo $ALICE >store/.gpg-id; git init -q store; echo x | pass insert -m a");
        store.ok(command);
        let sorted =
            |text: String| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        let wanted = store.ok(&format!("printf \"{list}\""));
        assert_eq!(sorted(store.ok("git -C store show HEAD:.gpg-id")), sorted(wanted), "{command}");
        store.clean();
    }
}

#[test]
fn a_list_that_is_not_committed_is_told_of_where_entries_follow_it() {
    let store = store();
    store.ok("mkdir store/newh; echo $ALICE >store/newh/.gpg-id");
    let told = store.shell("echo x | pass insert -m newh/x").good().err();
    assert!(
        told.contains("`newh/.gpg-id` is not committed") && told.contains("git add 'newh/.gpg-id'"),
        "{told}"
    );
    assert_eq!(store.ok("git -C store show --format= --name-only"), "newh/x.gpg", "as with pass");
    let told = store.shell("pass mv web/a newh/a").good().err();
    assert!(told.contains("`newh/.gpg-id` is not committed"), "{told}");
    store.ok("git -C store add newh; git -C store commit -qm list");
    assert_eq!(store.shell("echo x | pass insert -m newh/y").good().err(), "");
    store.clean();
}
