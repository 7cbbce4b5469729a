//! Groups and rules that others have changed: no change of recipients is made from them.

use super::{eve, shared};
use crate::cli::git::Repository;

/// A shared store with a group that two folders follow, and a client.
fn ruled() -> Repository {
    let store = shared();
    store.ok("pass group add team $ALICE $BOB --yes; pass group assign team --yes; pass group assign team web --yes
        pass client add acme $CAROL --yes; echo x | pass insert -m clients/acme/x; git -C store push -q");
    store
}

/// Accepts the groups and rules as they are.
fn accept(store: &Repository) {
    store.ok("pass recipients accept --expect-rules $(sha256sum <store/.passel.yaml | cut -c -64)");
}

#[test]
fn a_rule_that_was_slipped_in_opens_no_folder() {
    let store = ruled();
    // `mine` would follow the group that has Bob.
    eve(&store, "sed -i 's/^rules:/rules:\\n  mine:\\n    groups: [team]/' .passel.yaml");
    let words = ["the rule of `mine` gains group `team`", "Eve <eve@example.org>", "recipients accept"];
    for line in [
        "pass group add team $DAVE --yes --force",
        "pass group remove team $BOB --yes --force",
        "pass recipients add mine $CAROL --yes",
        "pass mv mine yours",
        "pass cp mine yours",
    ] {
        store.refused(line, &words);
    }
    // It stops nothing that is not made from it.
    store.ok("pass client add other $DAVE --yes; pass recipients add web $CAROL --yes; pass mv web site
        echo y | pass insert -m mine/new; pass rm -rf site");
    assert_eq!(store.ok("wc -l <store/mine/.gpg-id").trim(), "1");
    accept(&store);
    store.ok("pass mv mine yours");
}

#[test]
fn a_rule_that_was_taken_out_keeps_nobody_in() {
    let store = ruled();
    eve(
        &store,
        "sed -i '/^  web:/,/team/d' .passel.yaml; grep -q '^rules:' .passel.yaml; not grep -q web .passel.yaml",
    );
    store.refused("pass group remove team $BOB --yes", &["the rule of `web` loses group `team`"]);
    // Whoever removed the folder as well left nobody in.
    eve(&store, "git rm -rq web");
    store.ok("pass group remove team $BOB --yes; not grep -rq --include=.gpg-id $BOB store");
}

#[test]
fn a_group_that_others_filled_brings_nobody_into_another_folder() {
    let store = ruled();
    // Dave is nobody's stranger: he is a client.
    store.ok("pass client add dave $DAVE --yes; git -C store push -q");
    eve(&store, "sed -i \"s/^  team:/  team:\\n  - $DAVE/\" .passel.yaml");
    for line in [
        "pass group assign team mine --yes",
        "pass client add other $CAROL --yes --force",
        "pass client add other $CAROL --group team --yes",
        "pass recipients add free $CAROL --yes",
    ] {
        store.refused(line, &["group `team` gains key"]);
    }
    // What takes it back needs no word.
    store.ok("pass group remove team $DAVE --yes; pass client add other $CAROL --group team --yes");
    assert!(store.ok("pass recipients accept").contains("Nothing to accept"));
}

#[test]
fn a_rule_that_was_slipped_in_above_is_not_taken_over_below() {
    let store = ruled();
    store.ok("pass group add contractors $CAROL --yes; git -C store push -q");
    eve(&store, "sed -i '/^  \\/:/,/groups:/ s/groups:/groups:\\n    - contractors/' .passel.yaml");
    let words = ["the rule of the store gains group `contractors`"];
    store.refused("pass recipients add free $DAVE --yes", &words);
    store.refused("pass group assign team free --yes", &words);
    store.refused("pass client add other $DAVE --yes", &words);
}

#[test]
fn rules_that_were_committed_here_are_ours() {
    let store = ruled();
    store.ok("sed -i \"s/^  team:/  team:\\n  - $DAVE/\" store/.passel.yaml; git -C store commit -qam ours
        pass recipients check >/dev/null; pass group assign team mine --yes; grep -q $DAVE store/mine/.gpg-id");
    // Without a remote, what was pulled is somebody else's all the same.
    let store = Repository::new();
    store.ok("pass init $ALICE; pass group add team $ALICE --yes; git clone -q store evil; git -C evil config user.email eve@x
        git -C evil config user.name Eve; cd evil; sed -i \"s/^  team:/  team:\\n  - $DAVE/\" .passel.yaml; git commit -qam eve
        git -C ../store pull -q ../evil master");
    store.refused("pass group assign team --yes", &["group `team` gains key", "Eve <eve@x>"]);
}

#[test]
fn rules_that_others_took_away_altogether_can_be_accepted() {
    let store = ruled();
    eve(&store, "git rm -q .passel.yaml");
    let told = store.refused("pass recipients accept", &["--expect-rules none"]);
    assert!(told.out().contains("group `team` is gone"), "{}", told.out());
    store.refused(
        &format!("pass recipients accept --expect-rules {}", "0".repeat(64)),
        &["there is no such file"],
    );
    store.ok("pass recipients accept --expect-rules none; pass recipients accept --expect-rules none");
    store.refused("pass recipients accept --expect-rules 1", &["is not the file expected"]);
}

#[test]
fn whose_client_is_whose_is_not_for_others_to_say() {
    let store = ruled();
    store.ok("pass recipients add clients/acme $DAVE --yes; git -C store push -q");
    eve(&store, "sed -i \"/client:/,+1 s/$CAROL/$DAVE/\" .passel.yaml");
    store.refused(
        "pass client remove acme --keep-entries --yes",
        &["the rule of `clients/acme` gains client", "loses client"],
    );
    store.ok("grep -q $DAVE store/clients/acme/.gpg-id");
}

#[test]
fn groups_and_rules_are_asked_about_and_shown() {
    let store = ruled();
    let asks = |answer: &str| {
        let mut terminal = store.terminal("pass recipients accept");
        terminal.wait_for("Accept these groups and rules?");
        terminal.type_text(answer);
        let output = terminal.finish();
        (output.code, output.out())
    };
    eve(&store, "sed -i \"s/^  team:/  team:\\n  - $DAVE/\" .passel.yaml");
    let dave = store.ok("echo $DAVE");
    let (code, said) = asks("n\r");
    assert!(code == 1 && said.contains("not accepted: the groups and rules"), "{said}");
    assert!(said.contains(&format!("group `team` gains key {dave}")) && said.contains("by Eve"), "{said}");
    let (code, said) = asks("y\r");
    assert!(code == 0 && said.contains("Accepted the groups and rules."), "{said}");
    assert!(store.ok("pass recipients accept").contains("Nothing to accept"));
}

#[test]
fn a_store_of_one_machine_has_rules_of_its_own() {
    let store = Repository::new();
    store.ok("pass init $ALICE; pass group add team $ALICE $BOB --yes
        sed -i \"s/^  team:/  team:\\n  - $CAROL/\" store/.passel.yaml; git -C store commit -qam carol
        pass group assign team --yes; pass recipients accept; pass recipients check; grep -q $CAROL store/.gpg-id");
}

#[test]
fn changes_of_our_own_are_accepted_by_that() {
    let store = ruled();
    store.ok("pass group add team $DAVE --yes; pass group remove team $DAVE --yes; pass recipients check >/dev/null");
    assert!(store.ok("pass recipients accept").contains("Nothing to accept"));
}

#[test]
fn where_the_clients_are_is_not_for_others_to_say() {
    let store = ruled();
    eve(
        &store,
        "mkdir -p fake/acme; cp .gpg-id fake/acme/; sed -i 's/^version: 1/version: 1\\nclients: fake/' .passel.yaml",
    );
    for line in [
        "pass client remove acme --yes",
        "pass client remove acme --keep-entries --yes",
        "pass client add new $DAVE --yes",
    ] {
        store.refused(line, &["the place of the clients' folders gains `fake`"]);
    }
    store.ok("test -f store/clients/acme/x.gpg");
}

#[test]
fn rules_that_came_before_the_first_change_of_ours_are_not_ours() {
    let store = shared();
    eve(
        &store,
        "printf \"version: 1\\ngroups:\\n  team: [$ALICE, $DAVE]\\nrules:\\n  web: {groups: [team]}\\n\" >.passel.yaml",
    );
    store.refused(
        "pass group add team $CAROL --yes --force",
        &["group `team` is new", "the rule of `web` is new"],
    );
}

#[test]
fn a_rule_that_says_nothing_hides_none() {
    let store = ruled();
    eve(&store, "sed -i 's/^rules:/rules:\\n  free: {}/' .passel.yaml");
    store.refused("pass recipients add free $CAROL --yes", &["the rule of `free` is new"]);
}

#[test]
fn a_rule_that_was_taken_out_stays_behind_no_folder_that_moves() {
    let store = ruled();
    eve(&store, "sed -i '/^  web:/,/team/d' .passel.yaml");
    store.refused("pass mv web site", &["the rule of `web` loses group `team`"]);
    store.ok("pass rm -rf web");
}
