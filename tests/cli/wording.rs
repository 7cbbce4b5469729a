//! What is said to those who mistype, or ask for help.

use super::git::Repository;

#[test]
fn a_command_that_is_nearly_one_is_suggested() {
    let store = Repository::new();
    for (line, meant) in [
        ("pass recipients ad / x", "`pass recipients add`"),
        ("pass recipients remvoe / x", "`pass recipients remove`"),
        ("pass keys improt", "`pass keys import`"),
    ] {
        store.refused(line, &[meant]);
    }
    let said = store.shell("pass recipients whatever / x").err();
    assert!(!said.contains("did you mean"), "{said}");
}

#[test]
fn help_knows_the_commands_of_a_command() {
    let store = Repository::new();
    let said = store.ok("pass help recipients add");
    assert!(said.contains("Let keys read a folder") && said.contains("Usage: pass recipients add"), "{said}");
    assert_eq!(store.ok("pass help recipients nothing"), store.ok("pass help recipients"));
}

#[test]
fn an_address_that_nobody_vouches_for_is_named_with_its_key() {
    let store = Repository::new();
    store.ok("gpg --batch -q --passphrase '' --quick-gen-key eve@example.org future-default - never
        gpg --export eve@example.org >eve; EVE=$(gpg --with-colons --list-keys eve@example.org | awk -F: '/^fpr/{print $10; exit}')
        gpg --batch --yes --delete-secret-and-public-key $EVE; gpg -q --import eve; echo $EVE >fpr");
    let eve = store.ok("cat fpr");
    store.refused(
        "pass init alice@example.org eve@example.org",
        &["`eve@example.org` leads to key ", &format!("give it in place of the name: {eve}")],
    );
    store.ok(&format!("pass init alice@example.org {eve}"));
}

#[test]
fn a_list_that_git_does_not_know_is_not_taken_back_from_it() {
    let store = Repository::new();
    store.ok("echo x | pass insert -m em/a; echo alice@example.org >store/em/.gpg-id");
    let said = store.refused("pass recipients canonicalize em --yes", &["not committed"]);
    assert!(!said.err().contains("git checkout") && said.err().contains("remove it: `rm "), "{}", said.err());
}
