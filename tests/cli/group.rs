//! Groups of recipients, and the folders that follow them.

mod guarded;
mod large;

use super::git::Repository;
use crate::common::{TestStore, stock_pass};

/// A store of Alice's, whose root follows the group `team` of Alice and Bob, and a folder with Carol beside.
fn store() -> Repository {
    let store = Repository::new();
    store.ok(
        "pass group add --yes team $ALICE $BOB; pass group assign --yes team
        echo a | pass insert -e a; echo b | pass insert -e web/b
        pass init -p shop $ALICE $BOB $CAROL; echo c | pass insert -e shop/c; pass group assign --yes team shop",
    );
    store
}

/// Returns the names of those who can read an entry.
fn readers(store: &TestStore, entry: &str) -> Vec<&'static str> {
    let file = store.dir().join(format!("{entry}.gpg"));
    let message = store.keyring().open(&std::fs::read(file).expect("the entry exists"));
    let subkey = |name: &str| {
        let listing = store
            .run("gpg", &["--list-keys", "--with-colons", store.keyring().fingerprint(name)], b"")
            .good()
            .out();
        let line = listing.lines().find(|line| line.starts_with("sub:")).expect("a subkey").to_owned();
        line.split(':').nth(4).expect("the fifth field").to_owned()
    };
    let known = ["alice", "bob", "carol", "dave"].into_iter();
    known.filter(|name| message.recipients.contains(&subkey(name))).collect()
}

/// Returns a folder's recipients file.
fn list(store: &TestStore, folder: &str) -> String {
    std::fs::read_to_string(store.dir().join(folder).join(".gpg-id")).expect("the list exists")
}

#[test]
fn folders_follow_their_groups() {
    let store = store();
    let key = |name| store.keyring().fingerprint(name).to_owned();
    assert_eq!(readers(&store, "a"), ["alice", "bob"]);
    assert_eq!(readers(&store, "shop/c"), ["alice", "bob", "carol"]);
    let before = store.count();
    let told = store.ok("pass group add --yes team $DAVE");
    assert!(told.contains("Recipients of the store, `shop` (3 entries):"), "{told}");
    assert!(told.contains(&format!("gains  {}  Dave", key("dave"))), "{told}");
    assert_eq!(store.count(), before + 1, "one commit");
    assert_eq!(readers(&store, "web/b"), ["alice", "bob", "dave"]);
    assert_eq!(readers(&store, "shop/c"), ["alice", "bob", "carol", "dave"]);
    // Bare fingerprints: those of the group in order, then the folder's own.
    let mut team = [key("alice"), key("bob"), key("dave")];
    team.sort();
    assert_eq!(list(&store, ""), team.join("\n") + "\n");
    assert_eq!(list(&store, "shop"), team.join("\n") + "\n" + &key("carol") + "\n");
    let changed = store.last();
    for path in [".gpg-id", ".passel.yaml", "a.gpg", "web/b.gpg", "shop/.gpg-id", "shop/c.gpg"] {
        assert!(changed.lines().any(|line| line == format!("M\t{path}")), "{path} in {changed}");
    }
    assert!(changed.contains(&format!("A\t.public-keys/{}", key("dave"))), "{changed}");
    store.clean();
    let listed = store.ok("pass group list");
    assert!(listed.starts_with("team\n"), "{listed}");
    assert!(listed.ends_with("  followed by the store, `shop`"), "{listed}");
    assert_eq!(listed.lines().count(), 5, "{listed}");
}

#[test]
fn whoever_leaves_a_group_is_gone_in_one_commit() {
    let store = store();
    store.ok("pass group add --yes team $DAVE");
    let before = store.count();
    let told = store.ok("pass group remove --yes team dave@example.org");
    assert!(told.contains("Took 1 key out of the group `team`."), "{told}");
    assert_eq!(store.count(), before + 1);
    assert_eq!(readers(&store, "a"), ["alice", "bob"]);
    assert_eq!(readers(&store, "shop/c"), ["alice", "bob", "carol"]);
    store.refused(
        "git -C store grep -l $DAVE; test -n \"$(find store -path '*/.git' -prune -o -name $DAVE -print)\"",
        &[],
    );
    store.clean();
    // Carol's access to the shop is its own affair; Bob's goes with the group but stays where he was added.
    store.ok("pass init -p own $ALICE $BOB; pass group add --yes two $ALICE");
    let told = store.ok("pass group remove --yes team $BOB");
    assert!(told.contains("Still read `own`, for another reason:"), "{told}");
    assert_eq!(readers(&store, "shop/c"), ["alice", "carol"]);
}

#[test]
fn a_folder_stops_following() {
    let store = store();
    store.ok("pass group add --yes all $DAVE; pass group assign --yes all shop");
    assert_eq!(readers(&store, "shop/c"), ["alice", "bob", "carol", "dave"]);
    store.ok("pass group unassign --yes --keep team shop");
    assert_eq!(readers(&store, "shop/c"), ["alice", "bob", "carol", "dave"]);
    store.ok("pass group unassign --yes all shop");
    assert_eq!(readers(&store, "shop/c"), ["alice", "bob", "carol"]);
    assert!(!store.ok("cat store/.passel.yaml").contains("shop"), "a rule without groups says nothing");
    store.ok("pass group remove --yes all");
    store.refused("pass group remove --yes team", &["is used by the store", "group unassign team"]);
    store.refused("pass group unassign --yes team web", &["`web` does not use the group `team`"]);
    store.ok("pass group unassign --yes --keep team; pass group remove --yes team");
    store.ok("not test -e store/.passel.yaml");
    assert_eq!(readers(&store, "a"), ["alice", "bob"]);
    store.clean();
}

#[test]
fn a_list_that_was_edited_wins_and_is_named() {
    let store = store();
    let stock = stock_pass().display().to_string();
    store.ok(&format!("{stock} init -p shop $ALICE $DAVE"));
    let listed = store.ok("pass group list team");
    assert!(listed.contains("`shop` (whose list was edited otherwise)"), "{listed}");
    let told: serde_json::Value = serde_json::from_str(&store.ok("pass group list --json")).expect("JSON");
    assert_eq!(told["groups"][0]["name"], "team");
    assert_eq!(told["groups"][0]["keys"].as_array().map(Vec::len), Some(2));
    let folders = serde_json::json!([{"folder": "", "differs": false}, {"folder": "shop", "differs": true}]);
    assert_eq!(told["groups"][0]["folders"], folders);
    let words =
        ["the recipients of `shop` are not those of the rule in .passel.yaml", "--force", "group assign"];
    store.refused("pass group add --yes team $CAROL", &words);
    // Other groups are not concerned.
    store.ok("pass group add --yes other $CAROL");
    // Taken into the rule: Dave stays; Bob is of the team, which the folder follows.
    let told = store.ok("pass group assign --yes team shop");
    assert!(told.contains("gains") && !told.contains("loses"), "{told}");
    assert_eq!(readers(&store, "shop/c"), ["alice", "bob", "dave"]);
    store.ok(&format!("{stock} init -p shop $ALICE"));
    let told = store.ok("pass group add --yes --force team $CAROL");
    assert!(told.contains("loses") || told.contains("gains"), "{told}");
    assert_eq!(readers(&store, "shop/c"), ["alice", "bob", "carol", "dave"]);
    // A list that is gone differs as well.
    store.ok("git -C store rm -q shop/.gpg-id; git -C store commit -qm gone");
    store.refused("pass group remove --yes team $CAROL", &["`shop`"]);
}

#[test]
fn what_cannot_be_done_is_refused_and_says_why() {
    let store = store();
    store.refused("pass group assign --yes nobody", &["there is no group `nobody`", "group add nobody KEY"]);
    store.refused("pass group list nobody", &["there is no group `nobody`"]);
    store.refused("pass group add --yes 'a b' $BOB", &["cannot be a group's name"]);
    store.refused("pass group remove --yes team $DAVE", &["is not in the group `team`"]);
    store
        .refused("pass group add --yes team nobody@example.org", &["no public key for `nobody@example.org`"]);
    store.refused("pass group add --yes team $EXPIRED", &["expired on"]);
    let subkey = "$(gpg --list-keys --with-colons $BOB | awk -F: '/^fpr/ { f = $10 } END { print f }')!";
    store.refused(&format!("pass group add --yes team {subkey}"), &["asks for one subkey", "without `!`"]);
    store
        .refused("PASSWORD_STORE_KEY=$ALICE pass group add --yes team $CAROL", &["unset PASSWORD_STORE_KEY"]);
    store.refused("pass group add team $CAROL", &["nobody can be asked here", "--yes"]);
    store.refused("pass group assign --yes team ../y", &["sneaky"]);
}

#[test]
fn nobody_locks_themselves_out_unknowingly() {
    let store = store();
    // This keyring holds everybody's secret keys; with a public one of Dave's alone, he is somebody else.
    let machine = super::client::Machine::new(&store, "me");
    machine.ok("gpg -q --import alice.key dave.pub bob.pub carol.pub");
    machine
        .refused("pass group remove --yes team $ALICE", &["you could no longer read the store", "--force"]);
    machine.ok("pass group remove --yes --force team $ALICE");
    assert_eq!(readers(&store, "a"), ["bob"]);
    store.refused("pass group remove --yes --force team $BOB", &["nobody could read the store any more"]);
}

#[test]
fn a_dry_run_changes_nothing() {
    let store = store();
    let before = store.state();
    let told = store.ok("pass group remove --dry-run team $BOB");
    assert!(told.contains("loses") && told.ends_with("Nothing was changed."), "{told}");
    store.ok("pass group assign --dry-run team web; pass group add --dry-run x $CAROL");
    assert_eq!(store.state(), before);
    let told = store.ok("pass group add --yes team $BOB");
    assert_eq!(told, "Nothing to change.");
    assert_eq!(store.state(), before);
}

#[test]
fn people_are_shown_fingerprints_and_asked() {
    let store = store();
    let carol = store.keyring().fingerprint("carol").to_owned();
    let mut terminal = store.terminal("pass group add team carol@example.org");
    terminal.wait_for(&carol).wait_for("shall it be added? [y/N]").type_text("n\n");
    assert_eq!(terminal.finish().code, 1);
    assert_eq!(readers(&store, "a"), ["alice", "bob"]);
    let mut terminal = store.terminal("pass group add team carol@example.org");
    terminal.wait_for("shall it be added? [y/N]").type_text("y\n");
    assert_eq!(terminal.finish().code, 0);
    assert_eq!(readers(&store, "a"), ["alice", "bob", "carol"]);
}

#[test]
fn a_configuration_that_is_newer_damaged_or_a_link_is_refused() {
    let store = store();
    store.ok("sed -i 's/version: 1/version: 7/' store/.passel.yaml; git -C store commit -qam newer");
    let words = ["`.passel.yaml` has format 7; this passel knows formats up to 1", "use a newer passel"];
    store.refused("pass group add --yes team $CAROL", &words);
    store.refused("pass client list", &words);
    store.ok("echo '<<<<<<<' >store/.passel.yaml; git -C store commit -qam damaged");
    store.refused("pass group list", &["`.passel.yaml` is damaged", "git log -p .passel.yaml"]);
    store.ok("cd store; mv .passel.yaml ../c; ln -s ../c .passel.yaml; git add -A; git commit -qm link");
    store.refused("pass group list", &["is a symbolic link"]);
    // Entries do not need it.
    store.ok("pass show a; echo x | pass insert -e n");
}

#[test]
fn groups_work_without_git() {
    let store = Repository(TestStore::new());
    store.ok("pass init $ALICE; echo a | pass insert -e a; pass group add --yes team $ALICE $BOB");
    store.ok("pass group assign --yes team; pass group add --yes team $CAROL");
    assert_eq!(readers(&store, "a"), ["alice", "bob", "carol"]);
    let told = store.ok("pass group remove --yes team $BOB");
    assert!(told.contains("a: reencrypting to"), "{told}");
    assert_eq!(readers(&store, "a"), ["alice", "carol"]);
    store.ok("not grep -r $BOB store");
}

#[test]
fn stock_pass_works_on_in_folders_that_follow_groups() {
    let store = store();
    let stock = stock_pass().display().to_string();
    store.ok(&format!("test \"$({stock} show shop/c)\" = c; echo s | {stock} insert -e shop/s"));
    assert_eq!(readers(&store, "shop/s"), ["alice", "bob", "carol"]);
    store.ok("pass group remove --yes team $BOB");
    store.ok(&format!("test \"$({stock} show shop/s)\" = s; echo t | {stock} insert -e web/t"));
    assert_eq!(readers(&store, "shop/s"), ["alice", "carol"]);
    assert_eq!(readers(&store, "web/t"), ["alice"]);
}

#[test]
fn rules_go_along_with_their_folders() {
    let store = store();
    let before = store.count();
    store.ok("pass mv shop store-two; pass cp store-two three");
    assert_eq!(store.count(), before + 2);
    let listed = store.ok("pass group list team");
    assert!(listed.ends_with("followed by the store, `store-two`, `three`"), "{listed}");
    store.ok("pass group remove --yes team $BOB");
    assert_eq!(readers(&store, "store-two/c"), ["alice", "carol"]);
    assert_eq!(readers(&store, "three/c"), ["alice", "carol"]);
    let told = store.ok("pass rm -rf three");
    assert!(!told.contains("yaml"), "{told}");
    assert!(!store.ok("cat store/.passel.yaml").contains("three"));
    store.clean();
    // What other programs removed is nobody's rule any more.
    store.ok(&format!("{} rm -rf store-two", stock_pass().display()));
    store.ok("pass group add --yes team $DAVE");
    assert!(!store.ok("cat store/.passel.yaml").contains("store-two"));
    store.clean();
}

#[test]
fn a_folder_that_a_sparse_checkout_leaves_out_keeps_its_rule() {
    let store = store();
    store.ok("git -C store sparse-checkout set --no-cone '/*' '!/shop' 2>&1; not test -e store/shop");
    store.refused("pass group add --yes team $DAVE", &["sparse-checkout disable"]);
    assert!(store.ok("cat store/.passel.yaml").contains("shop"));
}

#[test]
fn what_was_shown_is_what_is_done() {
    let store = store();
    let before = list(&store, "");
    let mut terminal = store.terminal("pass group add team $CAROL");
    terminal.wait_for("shall it be added? [y/N]");
    store.ok("pass init -p more $ALICE; pass group assign --yes team more");
    terminal.type_text("y\n");
    let output = terminal.finish();
    assert_eq!(output.code, 1);
    assert!(output.out().contains("would no longer do what was shown"), "{}", output.out());
    assert_eq!(list(&store, ""), before);
}

#[test]
fn lists_are_signed_where_that_is_asked_for() {
    let store = Repository::new();
    store.ok("export PASSWORD_STORE_SIGNING_KEY=$ALICE; pass init $ALICE; echo a | pass insert -e a
        pass group add --yes team $ALICE $BOB; pass group assign --yes team; pass group add --yes team $CAROL
        gpg --batch -q --verify store/.gpg-id.sig store/.gpg-id 2>/dev/null; echo b | pass insert -e b");
    assert_eq!(readers(&store, "b"), ["alice", "bob", "carol"]);
    store.ok("sed -i 1d store/.gpg-id; git -C store commit -qam forged");
    let line = "PASSWORD_STORE_SIGNING_KEY=$ALICE pass group add --force --yes team $DAVE";
    store.refused(line, &["the signature of `.gpg-id` is missing"]);
}
