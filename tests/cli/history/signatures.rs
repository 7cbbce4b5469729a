//! Who signed.

use super::Chronicle;

/// Returns the marks of all commits, the newest first.
#[track_caller]
fn marks(store: &Chronicle) -> Vec<String> {
    let all: serde_json::Value = serde_json::from_str(&store.ok("pass log --json")).expect("it is JSON");
    let commits = all["commits"].as_array().expect("an array");
    commits.iter().map(|commit| commit["signature"]["mark"].as_str().expect("a word").to_owned()).collect()
}

#[test]
fn commits_are_marked_by_who_signed_them() {
    let store = Chronicle::new();
    store.ok("pass git config --bool pass.signcommits true
        git config --global user.signingKey $ALICE; echo a | pass insert -m a
        git config --global user.signingKey $BOB; echo b | pass insert -m b");
    assert_eq!(marks(&store), ["foreign", "signed", "unsigned", "unsigned"]);
    let told = store.ok("pass log");
    assert!(told.contains("  signed by Alice") || told.contains("  signed by alice"), "{told}");
    assert!(told.contains("  foreign (") && told.contains("  unsigned\n"), "{told}");
    // Once Bob can read something, he is one of us.
    store.ok("pass git config --unset pass.signcommits; pass init -p team $ALICE $BOB");
    assert_eq!(marks(&store)[1..3], ["signed", "signed"]);
    assert!(store.ok("pass history b").contains("signed by "));
}

#[test]
fn a_signature_of_something_else_is_bad() {
    let store = Chronicle::new();
    store.ok("pass git config --bool pass.signcommits true; git config --global user.signingKey $ALICE
        echo a | pass insert -m a; cd store
        NEW=$(git cat-file commit HEAD | sed 's/^author Test Person/author Best Person/' | git hash-object -t commit -w --stdin)
        git reset -q --soft $NEW");
    assert_eq!(marks(&store)[0], "bad");
    assert!(store.ok("pass log").contains("  BAD signature\n"));
}

#[test]
fn a_key_that_nobody_has_is_foreign_and_other_kinds_are_not_judged() {
    let store = Chronicle::new();
    store.ok("gpg --batch -q --passphrase '' --quick-gen-key eve@example.org future-default - never
        git -C store config pass.signcommits true; git config --global user.signingKey eve@example.org
        echo a | pass insert -m a
        EVE=$(gpg --with-colons --list-keys eve@example.org | awk -F: '/^fpr/{print $10; exit}')
        gpg --batch --yes --delete-secret-and-public-key $EVE
        ssh-keygen -q -t ed25519 -N '' -f home/key; git config --global gpg.format ssh
        git config --global user.signingKey ~/key.pub; echo b | pass insert -m b");
    assert_eq!(marks(&store)[..2], ["ssh", "foreign"]);
    let told = store.ok("pass log");
    assert!(told.contains("signed (ssh)") && told.contains("foreign (key not in the keyring)"), "{told}");
}

#[test]
fn a_key_that_has_expired_or_was_revoked_is_told() {
    let store = Chronicle::new();
    store.ok("gpg --batch -q --passphrase '' --quick-gen-key fay@example.org future-default - never
        FAY=$(gpg --with-colons --list-keys fay@example.org | awk -F: '/^fpr/{print $10; exit}')
        git -C store config pass.signcommits true; git config --global user.signingKey fay@example.org
        pass init -p team $ALICE $FAY; echo $FAY >fay");
    assert_eq!(marks(&store)[0], "signed");
    store.ok("FAY=$(cat fay); sed 's/^:---/---/' $(gpgconf --list-dirs homedir)/openpgp-revocs.d/$FAY.rev | gpg -q --import");
    assert_eq!(marks(&store)[0], "revoked");
    assert!(store.ok("pass log").contains("(key REVOKED)"));
}
