//! `recipients add`, `remove` and `set` in folders that follow groups.

use crate::cli::git::Repository;

/// A store of Alice's and Bob's team, with an entry in a folder.
fn store() -> Repository {
    let store = Repository::new();
    store.ok(
        "pass group add --yes team $ALICE $BOB; pass group assign --yes team; echo b | pass insert -e web/b",
    );
    store
}

/// Returns how many keys can read the entry.
fn readers(store: &Repository) -> usize {
    let bytes = std::fs::read(store.dir().join("web/b.gpg")).expect("the entry exists");
    store.keyring().open(&bytes).recipients.len()
}

/// Checks that no list differs from its rule.
#[track_caller]
fn agrees(store: &Repository) {
    let listed = store.ok("pass group list");
    assert!(!listed.contains("edited otherwise"), "{listed}");
    store.clean();
}

#[test]
fn a_key_that_is_added_or_taken_out_becomes_part_of_the_rule() {
    let store = store();
    let before = store.count();
    store.ok("pass recipients add / $CAROL --yes");
    assert_eq!((store.count(), readers(&store)), (before + 1, 3));
    agrees(&store);
    store.ok("pass group add team $DAVE --yes");
    assert_eq!(readers(&store), 4);
    store.ok("pass recipients remove / $CAROL --yes");
    assert_eq!(readers(&store), 3);
    agrees(&store);
    store.ok("pass group remove team $DAVE --yes; not git -C store grep -q -e $CAROL -e $DAVE");
    assert_eq!(readers(&store), 2);
    let subkey = "$(gpg --list-keys --with-colons $CAROL | awk -F: '/^fpr/ { f = $10 } END { print f }')!";
    store.refused(&format!("pass recipients add / {subkey} --yes"), &["asks for one subkey"]);
}

#[test]
fn a_folder_that_inherits_goes_on_following() {
    let store = store();
    let told = store.ok("pass recipients add web $CAROL --yes");
    assert!(
        told.contains("(a list of its own from now on, in place of .gpg-id; it follows `team`)"),
        "{told}"
    );
    store.ok("pass group add team $DAVE --yes");
    assert_eq!(readers(&store), 4);
    agrees(&store);
}

#[test]
fn what_a_group_brings_only_the_group_takes_out() {
    let store = store();
    let bob = store.keyring().fingerprint("bob").to_owned();
    let words = [
        "the group `team`, which `web` follows, lets key".to_owned(),
        format!("pass group remove team {bob}"),
        "pass group unassign --keep team 'web'".to_owned(),
    ];
    store.refused("pass recipients remove web $BOB --yes", &words.each_ref().map(String::as_str));
    store.refused("pass recipients remove / $BOB --yes", &["which the store follows", "--keep team`"]);
    let told = store.ok("pass group unassign --keep team web --yes");
    assert!(told.contains("stay the same") && told.contains("follows `team` no longer"), "{told}");
    let told = store.ok("pass recipients remove web $BOB --yes");
    assert!(
        told.contains("Still read the store") && told.contains(&format!("`pass group remove team {bob}`")),
        "{told}"
    );
    assert_eq!(readers(&store), 1);
    agrees(&store);
    // Whoever joins the group does not come to the folder any more.
    store.ok("pass group add team $DAVE --yes");
    assert_eq!(readers(&store), 1);
}

#[test]
fn exactly_these_keys_follow_no_group() {
    let store = store();
    store.ok("pass group assign team web --yes");
    let told = store.ok("pass recipients set web $ALICE $CAROL --yes");
    assert!(told.contains("(follows `team` no longer)"), "{told}");
    assert_eq!(readers(&store), 2);
    store.ok("not grep -q web: store/.passel.yaml; pass group add team $DAVE --yes");
    assert_eq!(readers(&store), 2);
    agrees(&store);
}

#[test]
fn a_list_that_lost_keys_or_gained_some_can_be_taken_as_it_is() {
    let store = store();
    store.ok("pass group add two $ALICE $CAROL --yes; pass group assign team web --yes; pass group assign two web --yes
        echo $ALICE >store/web/.gpg-id; echo $DAVE >>store/web/.gpg-id; git -C store commit -qam edited; pass recipients update --yes");
    let words =
        ["somebody edited", "pass group unassign --keep GROUP FOLDER", "let the whole group in again"];
    store.refused("pass group remove team $BOB --yes", &words);
    let list = store.ok("cat store/web/.gpg-id");
    for group in ["team", "two"] {
        let told = store.ok(&format!("pass group unassign --keep {group} web --yes"));
        assert!(!told.contains("gains") && !told.contains("loses"), "{told}");
    }
    assert_eq!((store.ok("cat store/web/.gpg-id"), readers(&store)), (list, 2));
    store.ok("pass group remove team $BOB --yes");
    assert_eq!(readers(&store), 2);
    agrees(&store);
}

#[test]
fn folders_that_are_not_there_follow_nothing() {
    let store = store();
    store.refused("pass group assign team none --yes", &["there is no folder `none`", "init -p 'none'"]);
    store.refused("pass group assign team web/b --yes", &["`web/b` is an entry", "name its folder: 'web'"]);
    store.refused(
        "pass group unassign team --yes",
        &["nobody but the group `team` can read the store", "--keep"],
    );
}
