//! What cannot be looked at is no clean bill, and keeps nobody from looking at the rest.

use super::{found, fsck, says, sound};

#[test]
fn a_shallow_clone_is_not_looked_at_whole() {
    let store = sound();
    store.ok("git clone -q --depth 1 file://$PWD/store other; chmod 700 other; cp store/.git/passel-accepted other/.git; rm -rf store; mv other store");
    let (kinds, value) = found(&store, "", 3);
    assert_eq!(kinds, Vec::<String>::new(), "{value:#}");
    says(&fsck(&store, "", 3), &["not looked at: the store: this is a shallow clone"]);
}

#[test]
fn a_partial_clone_is_not_looked_at_whole() {
    let store = sound();
    store.ok("echo z | pass insert -mf b; git -C store config uploadpack.allowFilter true; git clone -q --filter=blob:none file://$PWD/store other
        chmod 700 other; cp store/.git/passel-accepted other/.git; rm -rf store; mv other store");
    let (kinds, value) = found(&store, "", 3);
    assert_eq!(kinds, Vec::<String>::new(), "{value:#}");
    says(&fsck(&store, "", 3), &["not looked at: the store: ", "of the history cannot be read"]);
}

#[test]
fn missing_objects_are_found_and_the_rest_is_looked_at() {
    let store = sound();
    // An object of the history, then a tree of HEAD.
    store.ok("cd store; echo x >password.txt; echo z | pass insert -mf b; id=$(git rev-parse HEAD~1:b.gpg)
        rm -f .git/objects/${id:0:2}/${id:2}");
    let (kinds, value) = found(&store, "", 4);
    assert!(
        kinds.contains(&"error git".to_owned()) && kinds.contains(&"warning stray".to_owned()),
        "{value:#}"
    );
    let said = fsck(&store, "", 4);
    says(&said, &["error: git (the store): missing blob"]);
    says(&said, &["not looked at: the store: 1 object of the history cannot be read"]);
    store.ok("cd store; id=$(git rev-parse HEAD:web); rm -f .git/objects/${id:0:2}/${id:2}");
    says(&fsck(&store, "", 4), &["missing tree"]);
}

#[test]
fn a_store_without_recipients_and_with_a_broken_repository_is_reported() {
    let store = sound();
    store.ok("rm store/.gpg-id; echo nonsense >store/.git/HEAD; echo x >store/password.txt");
    let said = fsck(&store, "", 4);
    says(&said, &["error: the store: nothing says who can read it"]);
    says(&said, &["not looked at: the store: git cannot read HEAD"]);
    says(&said, &["warning: password.txt: is not encrypted"]);
    says(&said, &["2 entries: 2 decrypted here"]);
}

#[test]
fn nested_repositories_are_looked_at_and_submodules_that_are_missing_named() {
    let store = sound();
    store.ok(
        "git init -q store/inner; cd store/inner; echo hello >x.gpg; git add -A; git commit -qm x; git rm -q x.gpg; git commit -qm y",
    );
    let (kinds, value) = found(&store, "", 4);
    assert_eq!(kinds, ["error history"], "{value:#}");
    says(&fsck(&store, "", 4), &["error: inner/x.gpg: is in the history"]);
    let store = sound();
    store.ok("git init -q sub; git -C sub commit -q --allow-empty -m x; cd store
        git -c protocol.file.allow=always submodule -q add ../sub sub; git commit -qm sub; git submodule -q deinit -f sub");
    says(&fsck(&store, "", 3), &["not looked at: sub: it is a submodule that has not been fetched"]);
}

#[test]
fn a_keyring_that_cannot_be_listed_is_said() {
    let store = sound();
    store.ok("mkdir bad; printf '#!/bin/sh\\nexit 2\\n' >bad/gpg; chmod +x bad/gpg; ln -s gpg bad/gpg2; echo x >store/password.txt");
    let output = store.shell("PATH=$PWD/bad:$PATH; pass fsck");
    assert_eq!(output.code, 3, "{}{}", output.out(), output.err());
    says(&output.out(), &["not looked at: the keyring: "]);
    says(&output.out(), &["not looked at: the recipients: "]);
    says(&output.out(), &["warning: password.txt"]);
}

#[test]
fn folders_and_files_that_cannot_be_read_are_said() {
    // Nothing is kept from root.
    if rustix::process::geteuid().is_root() {
        return;
    }
    let store = sound();
    store.ok("chmod 0 store/web store/b.gpg; echo x >store/password.txt");
    let output = store.shell("pass fsck --no-decrypt");
    store.ok("chmod 700 store/web; chmod 600 store/b.gpg");
    says(&output.out(), &["not looked at: web: cannot open `web`"]);
    says(&output.out(), &["not looked at: b: cannot open `b.gpg`"]);
    says(&output.out(), &["warning: password.txt"]);
    assert_eq!(output.code, 3, "{}", output.out());
}

#[test]
fn entries_whose_key_nobody_unlocks_are_not_called_damaged() {
    let store = sound();
    store.ok(
        "gpg --batch -q --pinentry-mode loopback --passphrase sesame --quick-gen-key locked@example.org future-default default never
        LOCKED=$(gpg --with-colons --list-keys locked@example.org | awk -F: '/^fpr/{print $10; exit}')
        echo x | pass insert -m other; pass init -p locked $LOCKED $BOB; echo x | pass insert -m locked/a
        gpg --batch --yes --delete-secret-keys $BOB; printf '#!/bin/sh\\nexit 1\\n' >pinentry; chmod +x pinentry
        echo pinentry-program $PWD/pinentry >>$GNUPGHOME/gpg-agent.conf; gpgconf --kill gpg-agent",
    );
    let (kinds, value) = found(&store, "", 3);
    assert!(!kinds.iter().any(|kind| kind.starts_with("error")), "{value:#}");
    assert_eq!(value["decrypted"], 3, "the others are opened: {value:#}");
    says(&fsck(&store, "", 3), &["not looked at: 1 entry: ", ": locked/a"]);
}
