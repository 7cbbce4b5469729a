//! `recipients check`.

use crate::cli::git::Repository;

/// Makes a key with these arguments of `--quick-generate-key`, for `NAME@example.org`.
fn make_key(store: &Repository, options: &str, name: &str, rest: &str) {
    store.ok(&format!(
        "gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' {options} --quick-generate-key {name}@example.org {rest} 2>/dev/null"
    ));
}

/// Runs the check, which must end with this code, and returns what it says.
#[track_caller]
fn check(store: &Repository, code: i32) -> String {
    let output = store.pass(&["recipients", "check"], "");
    assert_eq!(output.code, code, "{}\n{}", output.out(), output.err());
    output.out()
}

/// Checks that some line holds all of `parts`.
#[track_caller]
fn says(out: &str, parts: &[&str]) {
    let found = out.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found, "{parts:?} in\n{out}");
}

#[test]
fn finds_nothing_in_a_store_that_is_right() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; pass insert -m a <<<x");
    assert_eq!(check(&store, 0), "Nothing is wrong.\n");
}

#[test]
fn finds_recipients_that_cannot_be_encrypted_to() {
    let store = Repository::new();
    store.ok("printf '%s\\n' $ALICE expired@example.org $REVOKED mallory@example.org >store/.gpg-id");
    let out = check(&store, 4);
    says(&out, &["error: expired@example.org: ", "expired on 2024-02-01 (.gpg-id line 2)"]);
    says(&out, &["error: ", store.keyring().fingerprint("revoked"), "was revoked (.gpg-id line 3)"]);
    says(&out, &["error: mallory@example.org: no key", "(.gpg-id line 4)"]);
    store.ok("printf '%s\\n' example.org >store/.gpg-id");
    says(
        &check(&store, 4),
        &["error: example.org: could mean any of ", store.keyring().fingerprint("alice")],
    );
    store.ok(": >store/.gpg-id; mkdir store/l; ln -s ../.gpg-id store/l/.gpg-id");
    let out = check(&store, 4);
    says(&out, &["error: .gpg-id: it names no recipient"]);
    says(&out, &["error: l/.gpg-id: "]);
}

#[test]
fn finds_names_that_can_come_to_mean_another_key() {
    let store = Repository::new();
    store.ok("echo 'group us = alice@example.org bob@example.org' >>$GNUPGHOME/gpg.conf
        printf '%s\\n' bob@example.org \"${ALICE: -16}\" us Carol \"$RSA\" >store/.gpg-id; pass insert -m a <<<x");
    let out = check(&store, 0);
    let bob = store.keyring().fingerprint("bob");
    says(&out, &["warning: bob@example.org: is an e-mail address", bob, "(.gpg-id line 1)"]);
    says(&out, &["is a key ID", store.keyring().fingerprint("alice")]);
    says(&out, &["warning: us: is a group", bob]);
    assert!(!out.contains("line 5"), "a fingerprint is right: {out}");
}

#[test]
fn finds_keys_that_expire_soon_and_weak_ones() {
    let store = Repository::new();
    make_key(&store, "", "soon", "future-default default 20d");
    make_key(&store, "", "later", "future-default default 40d");
    make_key(&store, "--cert-digest-algo SHA1", "weak", "rsa1024 default never");
    store.ok("WEAK=$(gpg --with-colons --list-keys weak@example.org | sed -n '/^fpr/{s/.*:\\([0-9A-F]*\\):$/\\1/p;q}')
        gpg --batch --quiet --pinentry-mode loopback --passphrase '' --cert-digest-algo SHA1 --quick-add-key $WEAK rsa1024 encr never
        printf '%s\\n' $ALICE soon@example.org later@example.org weak@example.org >store/.gpg-id; pass insert -m a <<<x");
    let out = check(&store, 0);
    says(&out, &["warning: ", "soon@example.org): expires on 20"]);
    says(&out, &["warning: ", "weak@example.org): is weak: RSA of 1024 bits"]);
    says(&out, &["warning: ", "weak@example.org): is certified by its owner with SHA-1 only"]);
    assert!(!out.contains("later@example.org): expires"), "{out}");
    assert_eq!(out.matches("SHA-1").count(), 1, "{out}");
}

#[test]
fn finds_entries_that_differ_or_that_one_alone_can_read() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; for n in a b c d; do pass insert -m $n <<<x; done
        e() { gpg --batch --yes --trust-model always -e \"$@\" <<<x; }
        e -r $ALICE -r $BOB -r $CAROL -o store/a.gpg; e -r $ALICE -o store/b.gpg; e -r $ALICE -R $BOB -o store/c.gpg
        echo garbage >store/g.gpg; git -C store add -A; git -C store commit -qm other");
    let out = check(&store, 4);
    says(&out, &["error: .gpg-id: 1 entry can be read by keys that it does not name: a"]);
    says(&out, &["error: .gpg-id: 1 entry cannot be read by all keys that it names: b"]);
    says(&out, &["warning: .gpg-id: 1 entry with hidden recipients", ": c"]);
    says(&out, &["error: g: "]);
    says(&out, &["warning: ", "alice@example.org", "nobody else can read 1 entry: b"]);
    says(&out, &["hint: `pass recipients update`"]);
    assert!(out.ends_with("3 errors, 2 warnings.\n"), "{out}");
}

#[test]
fn finds_lists_that_were_not_accepted_and_accepts_none() {
    let store = Repository::new();
    let remote = store.bare_remote("remote.git");
    store.ok(&format!(
        "pass init -p web $ALICE $BOB; pass insert -m web/a <<<x; git -C store remote add origin {0}; git -C store push -qu origin master
        git clone -q {0} other; cd other; echo $BOB >>.gpg-id; git rm -q web/.gpg-id; git commit -qam bob; git push -q; cd ..
        git -C store pull -q; cp store/.git/passel-accepted before",
        remote.display()
    ));
    let out = check(&store, 4);
    let bob = store.keyring().fingerprint("bob");
    says(&out, &["error: the store: its recipients were not accepted on this machine", bob, "gains access"]);
    assert!(!out.contains("error: web"), "the same two keys can read it as before: {out}");
    store.ok("cmp before store/.git/passel-accepted");
    // A folder's own list that was deleted is seen as well.
    store.ok(
        "cd other; echo $CAROL >>.gpg-id; git commit -qam carol; git push -q; cd ..; git -C store pull -q",
    );
    says(&check(&store, 4), &["error: web: its recipients", store.keyring().fingerprint("carol")]);
}

#[test]
fn what_cannot_be_looked_at_is_no_clean_bill() {
    let store = Repository::new();
    store.ok("mkdir bad; printf '#!/bin/sh\\nexit 2\\n' >bad/gpg; chmod +x bad/gpg; ln -s gpg bad/gpg2");
    let output = store.shell("PATH=$PWD/bad:$PATH; pass recipients check");
    assert_eq!((output.code, output.out().as_str()), (1, ""), "{}", output.err());
}

#[test]
fn an_empty_store_is_told_how_to_begin() {
    let store = Repository::new();
    let output = store.shell("mkdir empty; PASSWORD_STORE_DIR=$PWD/empty pass recipients check");
    assert!(output.code == 4 && output.out().contains("nothing says who can read it"), "{}", output.out());
    assert!(output.out().contains("`pass init GPG-ID...`"), "{}", output.out());
}
