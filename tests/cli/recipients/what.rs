//! `recipients what`.

use crate::cli::git::Repository;

#[test]
fn tells_what_a_key_can_read_beside_what_the_files_say() {
    let store = Repository::new();
    store.ok(
        "pass init $ALICE $BOB; for n in a f/b c; do echo x | pass insert -m $n; done; pass init -p f $ALICE
        gpg --batch --yes -e -r $ALICE -o store/c.gpg <<<x
        gpg --batch --yes -e -r $ALICE -r $BOB -o store/f/more.gpg <<<x",
    );
    let out = store.ok("pass recipients what bob@example.org");
    let bob = store.keyring().fingerprint("bob");
    assert_eq!(
        out.lines().skip(1).collect::<Vec<_>>(),
        [
            "It can read 2 of 4 entries.",
            "  a",
            "  f/more  (not named in f/.gpg-id)",
            "It cannot read 1 entry whose recipients file names it:",
            "  c  (named in .gpg-id)",
        ]
    );
    assert!(out.starts_with(bob), "{out}");
    assert_eq!(store.ok("pass recipients what $BOB"), out);
}

#[test]
fn takes_keys_that_are_unusable_or_unknown() {
    let store = Repository::new();
    store.ok("gpg --batch --yes --faked-system-time 20240115T000000 --trust-model always -e -r $EXPIRED -o store/a.gpg <<<x
        gpg --batch --yes -e -r $BOB -o store/b.gpg <<<x; gpg --batch --yes -e -R $BOB -o store/c.gpg <<<x
        gpg --batch --list-only --status-fd 1 -d store/b.gpg 2>/dev/null | sed -n 's/.*ENC_TO \\([^ ]*\\).*/\\1/p' >id
        gpg --batch --yes --delete-secret-and-public-key $BOB");
    let out = store.ok("pass recipients what expired@example.org");
    assert!(out.contains("It can read 1 of 3 entries.\n  a  (not named in .gpg-id)"), "{out}");
    let out = store.ok("pass recipients what $(cat id)");
    assert!(out.contains("(not in the keyring)\nIt can read 1 of 3 entries.\n  b  "), "{out}");
    assert!(out.contains("It may be a hidden recipient of 1 entry:\n  c"), "{out}");
    // Of a fingerprint alone nobody knows the subkeys: silence would look like an answer.
    store.refused("pass recipients what $BOB", &["names no key", "hint: import the key"]);
    store.refused("pass recipients what nobody@example.org", &["names no key"]);
}
