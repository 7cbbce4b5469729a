//! Signed commits, in both formats that people use.

use super::Repository;

#[test]
fn commits_are_signed_with_openpgp_where_either_setting_says_so() {
    let store = Repository::new();
    store.ok("git config --global user.signingKey $ALICE; pass generate a");
    assert_ne!(store.shell("git -C store verify-commit HEAD").code, 0);
    store
        .ok("pass git config --bool pass.signcommits true; pass mv a web/a; git -C store verify-commit HEAD");
    store.ok("pass git config --unset pass.signcommits; git config --global commit.gpgSign true; pass generate b; git -C store verify-commit HEAD");
    store.clean();
}

#[test]
fn commits_are_signed_with_ssh() {
    let store = Repository::new();
    store.ok("ssh-keygen -q -t ed25519 -N '' -f home/key; git config --global gpg.format ssh
        git config --global user.signingKey ~/key.pub; git config --global commit.gpgSign true
        echo \"test@example.org $(cat home/key.pub)\" >home/allowed; git config --global gpg.ssh.allowedSignersFile ~/allowed
        pass generate a; git -C store verify-commit HEAD; pass mv a b; git -C store verify-commit HEAD");
    assert_eq!(
        store.last(),
        "Rename a to b.|Test Person|test@example.org|Test Person|test@example.org\n\nD\ta.gpg\nA\tb.gpg"
    );
    store.clean();
}

#[test]
fn a_signer_that_fails_changes_nothing() {
    let store = Repository::new();
    store.ok("pass generate a; git config --global commit.gpgSign true; git config --global user.signingKey 0000000000000000");
    for line in ["pass generate b/c", "pass generate -f a", "pass mv a b", "pass rm -f a"] {
        store.refused(line, &["could not sign the commit"]);
    }
    store.ok("git config --global gpg.program false");
    store.refused("pass generate b", &["could not sign the commit"]);
    store.ok("git config --global commit.gpgSign false; pass generate b");
    store.clean();
}
