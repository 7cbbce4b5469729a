//! What recipients, group and client commands end with: removal is not retroactive.

use super::{json, states};
use crate::cli::git::Repository;
use crate::common::TestStore;

fn with_bob() -> Repository {
    let store = Repository::new();
    store.ok("pass recipients add / $BOB --yes; echo p | pass insert -m web/a; echo q | pass insert -m web/b; echo r | pass insert -mf web/b");
    store
}

#[test]
fn it_says_how_much_the_key_could_read_and_what_helps() {
    let store = with_bob();
    let said = store.ok("pass recipients remove / $BOB --yes");
    let told = "Removal is not retroactive: the key could read 3 versions of 2 entries until now";
    assert!(said.contains(told) && said.contains("rotate add --exposed"), "{said}");
    assert!(states(&store).is_empty());
    // Who gains loses nothing.
    let said = store.ok("pass recipients add / $CAROL --yes");
    assert!(!said.contains("retroactive"), "{said}");
    let said = store.ok("pass recipients set / $ALICE --yes --no-rotate");
    assert!(said.contains("Removal is not retroactive") && !said.contains("rotate add"), "{said}");
}

#[test]
fn a_flag_puts_what_was_encrypted_anew_on_the_list() {
    let store = with_bob();
    store.ok("pass init -p own $ALICE; echo s | pass insert -m own/x; pass recipients remove / $BOB --yes --rotate");
    assert_eq!(states(&store), ["web/a=open", "web/b=open"], "what the key could never read is not on it");
    let report = json(&store, "pass rotate --json");
    assert_eq!(report["items"][0]["reason"], "exposed");
    assert!(
        report["items"][0]["who"][0].as_str().unwrap().starts_with("Bob <bob@example.org> ("),
        "{report}"
    );
    assert!(!store.ok("pass recipients add / $CAROL --yes").contains("retroactive"));
    store.ok("pass group add team $ALICE $CAROL --yes; pass group assign team --yes; pass group remove team $CAROL --yes --rotate");
    assert_eq!(states(&store).len(), 4);
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    let store = with_bob();
    let mut terminal = store.terminal("pass recipients remove / $BOB");
    terminal.wait_for("Change the recipients? [y/N]").type_text("y\n");
    terminal
        .wait_for("Put 2 entries on the list of what must be changed (`pass rotate`)? [y/N]")
        .type_text("y\n");
    let output = terminal.finish();
    assert!(output.code == 0 && output.out().contains("2 entries were put on the list"), "{}", output.out());
    assert_eq!(states(&store), ["web/a=open", "web/b=open"]);

    let store = with_bob();
    let mut terminal = store.terminal("pass recipients remove / $BOB");
    terminal.wait_for("Change the recipients? [y/N]").type_text("y\n");
    terminal.wait_for("on the list").type_text("n\n");
    let output = terminal.finish();
    assert!(output.code == 0 && output.out().contains("rotate add --exposed"), "{}", output.out());
    assert!(states(&store).is_empty());
}

#[test]
fn the_records_that_are_encrypted_anew_are_no_entries_to_change() {
    let store = with_bob();
    store.ok("pass rotate add web/a --why x");
    let said = store.ok("pass recipients remove / $BOB --yes --rotate");
    let told = said.split("change their passwords:").nth(1).expect("they are listed");
    assert!(!told.split("Removal").next().unwrap().contains(".passel.d"), "{said}");
    assert_eq!(states(&store), ["web/a=open", "web/a=open", "web/b=open"]);
}

#[test]
fn a_client_s_key_that_is_taken_out_ends_with_it_as_well() {
    let store = Repository::new();
    store.ok("pass client add acme $BOB --yes; echo p | pass insert -m clients/acme/a");
    let said = store.ok("pass client remove acme --keep-entries --yes --rotate");
    assert!(said.contains("1 version of 1 entry") && said.contains("1 entry was put on the list"), "{said}");
}

#[test]
fn without_git_nothing_is_counted() {
    let store = TestStore::new();
    let output = store.shell(
        "pass init $ALICE $BOB >/dev/null; echo p | pass insert -m a; pass recipients remove / $BOB --yes",
    );
    assert!(
        output.code == 0 && output.out().contains("change its password"),
        "{}{}",
        output.out(),
        output.err()
    );
    assert!(!output.out().contains("retroactive"), "{}", output.out());
}
