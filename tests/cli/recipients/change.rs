//! `recipients add`, `remove` and `set`.

use crate::cli::git::Repository;

/// A store for Alice and Bob with an entry, and a folder of theirs with one more.
fn store() -> Repository {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; echo a | pass insert -e a; pass init -p web $ALICE $BOB; echo b | pass insert -e web/b");
    store
}

/// The fingerprint of a key that nobody has.
const NOBODY: &str = "1111111111111111111111111111111111111111";

/// Returns a folder's recipients file.
fn list(store: &Repository, folder: &str) -> String {
    std::fs::read_to_string(store.dir().join(folder).join(".gpg-id")).expect("the list exists")
}

/// Returns how many keys can read an entry.
fn readers(store: &Repository, entry: &str) -> usize {
    let bytes = std::fs::read(store.dir().join(format!("{entry}.gpg"))).expect("the entry exists");
    store.keyring().open(&bytes).recipients.len()
}

/// Adds a line to the store's recipients file.
fn add_line(store: &Repository, line: &str) {
    store.ok(&format!("echo '{line}' >>store/.gpg-id; git -C store commit -qam line"));
}

#[test]
fn a_line_that_stands_for_no_key_can_be_taken_out() {
    let store = store();
    for (line, name) in [
        (NOBODY, NOBODY),
        (NOBODY, &NOBODY[24..]),
        (NOBODY, "0x1111111111111111"),
        (NOBODY, "1111 1111 1111 1111 1111  1111 1111 1111 1111 1111"),
        ("0x1111111111111111 # gone", NOBODY),
        ("nobody@nowhere.example", "nobody@nowhere.example"),
    ] {
        let before = list(&store, "");
        add_line(&store, line);
        store.refused("echo x | pass insert -e n", &["no public key"]);
        let told = store.ok(&format!("pass recipients remove / '{name}' --yes"));
        assert_eq!(list(&store, ""), before, "{line} by {name}: {told}");
        let id = line.split(' ').next().expect("a word");
        assert!(told.contains("  loses  ") && told.contains(id), "{told}");
        let subject = format!("Remove recipients {id}.|");
        assert!(store.last().starts_with(&subject), "{subject} in {}", store.last());
    }
    add_line(&store, NOBODY);
    store.ok("pass recipients set / $ALICE $BOB --yes; echo x | pass insert -e n");
    store.clean();
}

#[test]
fn other_lines_and_comments_stay_as_they_are() {
    let store = store();
    store.ok("printf '# team\\n%s # Ann\\r\\n\\n%s' alice@example.org $BOB >store/.gpg-id; git -C store commit -qam team");
    store.ok("pass recipients add / $CAROL --yes");
    let key = |name| store.keyring().fingerprint(name).to_owned();
    let expected = |rest: &str| format!("# team\nalice@example.org # Ann\r\n\n{rest}");
    assert_eq!(list(&store, ""), expected(&format!("{}\n{}\n", key("bob"), key("carol"))));
    store.ok("pass recipients remove / bob@example.org --yes");
    assert_eq!(list(&store, ""), expected(&format!("{}\n", key("carol"))));
    assert_eq!(readers(&store, "a"), 2);
    let before = store.state();
    assert_eq!(store.ok("pass recipients add / $CAROL"), "Nothing to change.");
    assert_eq!(store.state(), before);
}

#[test]
fn a_dry_run_fails_where_the_change_would() {
    let store = store();
    add_line(&store, store.keyring().fingerprint("expired"));
    for line in ["remove / $BOB", "add / $CAROL"] {
        for how in ["--dry-run", "--yes"] {
            let output =
                store.refused(&format!("pass recipients {line} {how}"), &[".gpg-id line ", "expired on"]);
            assert_eq!(output.out(), "", "nothing is shown of what cannot be done");
        }
    }
    let told = store.ok("pass recipients remove / $EXPIRED $BOB --yes");
    assert_eq!(told.matches("  loses  ").count(), 2, "{told}");
    assert_eq!(list(&store, ""), format!("{}\n", store.keyring().fingerprint("alice")));
}

#[test]
fn whoever_leaves_is_told_of_where_they_read_on_and_leaves_no_key_behind() {
    let store = store();
    store.ok(
        "pass recipients add / $CAROL --yes; pass recipients add web $CAROL --yes; echo y | pass insert -e b
        test -e store/.public-keys/$CAROL",
    );
    let carol = store.keyring().fingerprint("carol").to_owned();
    let told = store.ok("pass recipients remove / $CAROL --yes");
    for words in [
        "Still read `web`, for another reason:".to_owned(),
        format!("`pass recipients remove web {carol}` takes it out there too"),
        "These entries could be read by who was removed; change their passwords:\n  a\n  b".to_owned(),
    ] {
        assert!(told.contains(&words), "{words}: {told}");
    }
    store.ok("test -e store/.public-keys/$CAROL");
    let told = store.ok("pass recipients remove web $CAROL --yes");
    assert!(
        told.contains("This entry could be read by who was removed; change its password:\n  web/b"),
        "{told}"
    );
    store.ok("not test -e store/.public-keys/$CAROL");
    store.clean();
}

#[test]
fn who_lost_their_key_from_the_keyring_is_named_and_what_they_could_read_listed() {
    let store = store();
    store.ok("pass recipients add / $CAROL --yes; gpg --batch --yes --delete-secret-and-public-key $CAROL");
    let carol = store.keyring().fingerprint("carol").to_owned();
    let told = store.ok("pass recipients remove / $CAROL --yes");
    assert!(told.contains(&format!("loses  {carol}  (not in the keyring)")), "{told}");
    assert!(told.contains("change its password:\n  a"), "{told}");
    assert!(store.last().starts_with(&format!("Remove recipients {carol}.|")), "{}", store.last());
    assert_eq!(readers(&store, "a"), 2);
}

#[test]
fn names_that_others_bear_too_mean_the_recipient() {
    let store = store();
    let sender = crate::cli::client::Machine::new(&store, "sender");
    sender.generate("bob@example.org");
    store.ok("gpg -q --import sender.pub 2>/dev/null");
    store.ok("pass recipients remove / bob@example.org --yes; pass group add team $ALICE $BOB --yes");
    assert_eq!(readers(&store, "a"), 1);
    store.ok("pass group remove team bob@example.org --yes");
    let spaced = "$(echo $BOB | sed 's/..../& /g')";
    store.ok(&format!(
        "pass recipients add / \"{spaced}\" --yes; pass recipients remove / \"{spaced}\" --yes"
    ));
    store.refused("pass recipients remove / carol@example.org", &["is no recipient of"]);
    store.refused("pass recipients remove / @example.org", &["is no recipient of"]);
    // A group of gpg.conf goes whole, or not at all.
    store.ok("echo 'group us = alice@example.org dave@example.org' >>$GNUPGHOME/gpg.conf
        printf '%s\\n' us $CAROL >store/.gpg-id; git -C store commit -qam us");
    store.refused("pass recipients remove / $DAVE", &["line 1", "names the group `us`", "canonicalize"]);
    store.ok("pass recipients remove / us --yes");
    assert_eq!(list(&store, ""), format!("{}\n", store.keyring().fingerprint("carol")));
    // Two of one name, both of them recipients: nobody can tell who is meant.
    store.ok("printf '%s\\n' $ALICE $BOB $(gpg --list-keys --with-colons bob@example.org | awk -F: '/^pub/ { p = 1 } /^fpr/ && p { print $10; p = 0 }') >store/web/.gpg-id
        sort -u store/web/.gpg-id -o store/web/.gpg-id; git -C store commit -qam bobs");
    store.refused("pass recipients remove web bob@example.org", &["could mean any of", "full fingerprint"]);
}

#[test]
fn what_cannot_be_done_is_refused_and_says_why() {
    let store = store();
    for line in ["remove / $BOB", "add / $CAROL", "set / $ALICE"] {
        let line = format!("PASSWORD_STORE_KEY=\"$ALICE $BOB\" pass recipients {line} --yes");
        store.refused(&line, &["unset PASSWORD_STORE_KEY"]);
    }
    store.refused("pass recipients add web/b $CAROL", &["`web/b` is an entry", "name its folder: 'web'"]);
    store.refused("pass recipients add a $CAROL", &["`a` is an entry", "name its folder: /"]);
    store.refused("pass recipients add none $CAROL", &["there is no folder `none`", "init -p 'none'"]);
    store.refused("pass recipients remove / $ALICE $BOB --yes", &["nobody could read the store any more"]);
    store.refused("pass recipients add / $CAROL", &["nobody can be asked here", "--yes"]);
    store.ok("gpg --armor --export $CAROL >carol.asc");
    store.refused(
        "pass recipients add / carol.asc",
        &["no public key", "`--key 'carol.asc'` takes a key from a file"],
    );
    let carol = store.keyring().fingerprint("carol").to_owned();
    store.refused(
        "pass recipients add / --key carol.asc --fingerprint $DAVE",
        &["none of the keys given has", &format!("the key in `carol.asc` has {carol}")],
    );
    let told = store.ok("pass recipients add / --key carol.asc --dry-run");
    assert!(told.contains("gains") && told.ends_with("Nothing was changed."), "{told}");
    let machine = crate::cli::client::Machine::new(&store, "me");
    machine.ok("gpg -q --import alice.key bob.pub carol.pub");
    machine.refused("pass recipients set / $BOB --yes", &["you could no longer read the store", "--force"]);
    machine.ok("pass recipients set / $BOB --yes --force");
    assert_eq!(readers(&store, "a"), 1);
}

#[test]
fn what_was_shown_is_what_is_done() {
    let store = store();
    let mut terminal = store.terminal("pass recipients remove / $BOB");
    terminal.wait_for("Change the recipients? [y/N]");
    store.ok("pass recipients add / $CAROL --yes");
    let before = list(&store, "");
    terminal.type_text("y\n");
    let output = terminal.finish();
    assert!(output.code == 1 && output.out().contains("no longer do what was shown"), "{}", output.out());
    assert_eq!(list(&store, ""), before);
}

#[test]
fn who_is_no_recipient_here_is_said_to_be_one_elsewhere() {
    let store = Repository::new();
    store.ok("pass init -p web $ALICE $BOB; pass init -p ops $ALICE $BOB");
    let output = store.refused("pass recipients remove / bob@example.org --yes", &["is no recipient of"]);
    for folder in ["web", "ops"] {
        let hint = format!("`pass recipients remove {folder} bob@example.org` takes it out there");
        assert!(output.err().contains(&hint), "{}", output.err());
    }
}
