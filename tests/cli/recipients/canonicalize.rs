//! `recipients canonicalize`.

use crate::cli::git::Repository;

/// A store whose lists name keys in every way, with an entry each.
fn store() -> Repository {
    let store = Repository::new();
    store.ok("echo 'group us = carol@example.org dave@example.org' >>$GNUPGHOME/gpg.conf
        mkdir store/web
        printf '# team\\n  bob@example.org\\t# Bob\\r\\n%s\\nus # all\\n%s' ${ALICE: -16} $RSA >store/.gpg-id
        printf '%s\\nAlice\\n' $BOB >store/web/.gpg-id
        git -C store add -A; git -C store commit -qm lists; for n in a web/b; do pass insert -m $n <<<x; done");
    store
}

#[test]
fn writes_fingerprints_and_leaves_all_else() {
    let store = store();
    let key = |name: &str| store.keyring().fingerprint(name).to_owned();
    let before = store.ok("sha256sum store/*.gpg store/*/*.gpg");
    let (count, out) = (store.count(), store.ok("pass recipients canonicalize --dry-run"));
    assert!(
        out.starts_with(&format!(".gpg-id line 2: bob@example.org\n  becomes {}  ", key("bob"))),
        "{out}"
    );
    assert!(out.contains(&format!("web/.gpg-id line 2: Alice\n  becomes {}  ", key("alice"))), "{out}");
    assert!(!out.contains(&key("rsa")), "a fingerprint stays: {out}");
    assert_eq!(store.count(), count);
    store.refused("pass recipients canonicalize", &["nobody can be asked here", "hint: --yes"]);
    store.ok("pass recipients canonicalize --yes");
    let [alice, bob, carol, dave, rsa] = ["alice", "bob", "carol", "dave", "rsa"].map(key);
    assert_eq!(
        std::fs::read_to_string(store.dir().join(".gpg-id")).unwrap(),
        format!("# team\n  {bob}\t# Bob\r\n{alice}\n{dave} # all\n{carol}\n{rsa}"),
        "gpg tells the members of a group from the last to the first"
    );
    assert_eq!(
        std::fs::read_to_string(store.dir().join("web/.gpg-id")).unwrap(),
        format!("{bob}\n{alice}\n")
    );
    assert_eq!(store.ok("sha256sum store/*.gpg store/*/*.gpg"), before, "no entry is touched");
    assert_eq!(store.count(), count + 1);
    assert!(store.ok("pass recipients canonicalize").starts_with("Nothing to change"));
    store.ok("pass insert -mf a <<<y; pass recipients check");
    store.clean();
}

#[test]
fn changes_one_folder_and_keeps_the_subkey_asked_for() {
    let store = store();
    let subkey =
        store.ok("gpg --with-colons --list-keys $BOB | sed -n '/^sub/,$s/^fpr:*\\([0-9A-F]*\\):/\\1/p'");
    store.ok(&format!("echo 0x{}! >store/web/.gpg-id; git -C store commit -qam sub", &subkey[24..]));
    store.ok("pass recipients canonicalize web --yes");
    assert_eq!(std::fs::read_to_string(store.dir().join("web/.gpg-id")).unwrap(), format!("{subkey}!\n"));
    store.ok("grep -q bob@example.org store/.gpg-id; mkdir store/none; pass recipients canonicalize web | grep Nothing");
    store.refused("pass recipients canonicalize none", &["a recipients file of its own"]);
}

#[test]
fn refuses_names_that_stand_for_no_usable_key() {
    let store = store();
    store.ok("echo mallory@example.org >>store/web/.gpg-id; git -C store commit -qam m");
    store.refused("pass recipients canonicalize --yes", &["mallory@example.org", "web/.gpg-id line 3"]);
}

#[test]
fn does_not_make_an_impostor_permanent() {
    let store = store();
    // The address comes to mean another key: Alice's own is taken away, and somebody else has her name.
    store.ok("printf 'alice@example.org\\n' >store/web/.gpg-id; git -C store commit -qam a; pass insert -mf web/b <<<x
        gpg --batch --yes --delete-secret-and-public-key $ALICE
        gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' --quick-generate-key alice@example.org future-default");
    store.refused("pass recipients canonicalize web --yes", &["have changed", "gains access"]);
}

#[test]
fn refuses_lists_that_are_not_committed() {
    let store = store();
    store.ok("echo carol@example.org >>store/web/.gpg-id");
    store.refused("pass recipients canonicalize web --yes", &["web/.gpg-id"]);
}
