//! Old versions put back.

use super::Chronicle;

#[test]
fn a_version_is_put_back_as_a_new_commit() {
    let store = Chronicle::new();
    store.insert("web/a", "one\nuser: x\n");
    store.insert("web/a", "two\n");
    let id = store.ok("git -C store rev-parse HEAD~1 | cut -c -10");
    store.refused("pass history restore web/a 2", &["nobody can be asked here", "--force"]);
    store.ok("pass history restore --force web/a 2");
    assert_eq!(store.ok("pass show web/a"), "one\nuser: x");
    assert!(store.last().starts_with(&format!("Restore web/a as of {id}.|")), "{}", store.last());
    assert_eq!(store.newest(""), format!("restored web/a as of {id}"));
    assert_eq!(store.versions("web/a")[0], "1 restored");
    let before = store.count();
    assert!(store.ok("pass history restore web/a 1").contains("says that already"));
    assert_eq!(store.count(), before);
    store.clean();
}

#[test]
fn a_person_is_asked_before_a_version_is_replaced() {
    let store = Chronicle::new();
    store.insert("a", "one\n");
    store.insert("a", "two\n");
    let mut terminal = store.terminal("pass history restore a 2");
    terminal.wait_for("Replace a by what it was as of").type_text("n\r");
    assert_eq!(terminal.finish().code, 1);
    assert_eq!(store.ok("pass show a"), "two");
    let mut terminal = store.terminal("pass history restore a 2");
    terminal.wait_for("[y/N]").type_text("y\r");
    assert_eq!(terminal.finish().code, 0);
    assert_eq!(store.ok("pass show a"), "one");
}

#[test]
fn what_was_removed_comes_back() {
    let store = Chronicle::new();
    store.insert("deep/er/a", "one\n");
    store.ok("pass rm -f deep/er/a; not test -e store/deep");
    assert_eq!(store.versions("deep/er/a"), ["- removed", "1 added"]);
    store.ok("pass history restore deep/er/a 1");
    assert_eq!(store.ok("pass show deep/er/a"), "one");
    store.clean();
}

#[test]
fn what_stood_under_another_name_comes_back_under_the_present_one() {
    let store = Chronicle::new();
    store.insert("old", "one\n");
    store.insert("old", "two\n");
    store.ok("pass mv old new; pass history restore -f new HEAD~2");
    assert_eq!(store.ok("pass show new; not test -e store/old.gpg"), "one");
}

#[test]
fn it_is_encrypted_to_the_present_recipients_and_who_gains_is_told() {
    let store = Chronicle::new();
    store.insert("web/a", "one\n");
    store.insert("web/a", "two\n");
    store.ok("pass init $ALICE $BOB");
    let bob = store.keyring().fingerprint("bob").to_owned();
    let refused = store.refused("pass history restore web/a 3", &["could not be read by", &bob, "--force"]);
    assert!(refused.err().contains("let them read it"), "{}", refused.err());
    let output = store.shell("pass history restore -f web/a 3");
    assert!(output.code == 0 && output.err().contains(&bob), "{}", output.err());
    let bytes = std::fs::read(store.dir().join("web/a.gpg")).expect("it is there");
    assert_eq!(store.keyring().open(&bytes).recipients.len(), 2);
    // Removed since: nothing is replaced, yet somebody gains.
    store.ok("pass rm -f web/a");
    store.refused("pass history restore web/a 4", &[&bob, "--force"]);
}

#[test]
fn a_foreign_message_in_the_history_is_held_back() {
    let store = Chronicle::new();
    store.ok("pass init -p secret $ALICE; pass init -p dave $ALICE $DAVE");
    store.insert("secret/x", "treasure\n");
    store.insert("dave/x", "harmless\n");
    store.ok("cd store; cp dave/x.gpg ..; cp secret/x.gpg dave/x.gpg; git commit -qam 'Edit.'
        cp ../x.gpg dave/x.gpg; git commit -qam 'Edit again.'");
    let dave = store.keyring().fingerprint("dave").to_owned();
    store.refused(
        "pass history restore dave/x 2",
        &["what stood at `secret/x`", &dave, "let them read it", "--force"],
    );
    assert!(!store.ok("pass show dave/x").contains("treasure"));
}

#[test]
fn nothing_is_restored_where_nothing_may_be_written() {
    let store = Chronicle::new();
    store.insert("a", "one\n");
    store.insert("a", "two\n");
    store.ok("echo broken@example.org >store/.gpg-id; git -C store commit -qam x");
    store.refused("pass history restore -f a 2", &["broken@example.org"]);
    store.refused("pass history restore a", &["<REV>"]);
    store.refused("pass history restore ../a 1", &["sneaky"]);
    store.refused("pass history", &["no entry was named"]);
}
