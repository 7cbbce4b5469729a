//! `sync.require_signed` and `sync.auto`.

use super::{ann, eve, trusting};
use crate::cli::git::Repository;

/// A store that says this about how to sync.
fn saying(what: &str) -> Repository {
    let store = trusting();
    store.ok(&format!(
        "printf 'version: 1\\nsync:\\n  {what}\\n' >store/.passel.yaml; cd store; git add -A; git commit -qm settings
        pass sync; pass recipients add mine $BOB --yes; pass sync"
    ));
    store
}

/// Syncs; what came is refused with these words, and nothing of it taken.
#[track_caller]
fn unsigned(store: &Repository, words: &[&str]) {
    let before = store.ok("git -C store rev-parse HEAD; git -C store status --porcelain; ls -A store");
    let output = store.shell("pass sync");
    assert_eq!(output.code, 1, "{}{}", output.out(), output.err());
    for word in [&["no recipient of this store has signed"], words].concat() {
        assert!(output.err().contains(word), "{word} in {}", output.err());
    }
    let after = store.ok("git -C store rev-parse HEAD; git -C store status --porcelain; ls -A store");
    assert_eq!(after, before);
}

#[test]
fn commits_that_no_recipient_signed_are_not_taken() {
    let store = saying("require_signed: true");
    ann(&store, "echo x >notes");
    store.ok("pass sync; test -e store/notes");
    // Dave's and Carol's keys read nothing here.
    for line in [
        "echo x >more",
        "git config commit.gpgSign true; git config user.signingKey $CAROL; echo y >more",
        "git config commit.gpgSign false; printf 'version: 1\\n' >.passel.yaml",
    ] {
        eve(&store, line);
        unsigned(&store, &["evil@example.org", "commit.gpgSign"]);
    }
    store.ok("not test -e store/more; cd evil; git push -q -f origin $(git log --format=%H --grep=change -1):master");
    // A merge is a commit as well.
    store.ok("cd evil; git reset -q --hard origin/master; git config commit.gpgSign true; git config user.signingKey $ALICE
        git checkout -q -b side; git commit -q --allow-empty -m side; git checkout -q master; git commit -q --allow-empty -m main
        git merge -q --no-ff --no-gpg-sign -m merged side; git push -q");
    unsigned(&store, &["evil@example.org"]);
    let signed = "cd evil; git commit -q --amend -S --no-edit; git push -q -f";
    store.ok(&format!("{signed}; cd ..; pass sync --accept-rewind"));
}

#[test]
fn nobody_else_asks_for_signatures_or_syncs_unseen() {
    let store = trusting();
    eve(&store, "printf 'version: 1\\nsync:\\n  auto: true\\n  require_signed: true\\n' >.passel.yaml");
    let output = store.shell("pass sync");
    assert_eq!(output.code, 3, "{}", output.err());
    for word in ["`sync` gains `auto`", "`sync` gains `require_signed`", "evil@example.org"] {
        assert!(output.err().contains(word), "{word} in {}", output.err());
    }
    // Not accepted: nothing is pushed by itself.
    store
        .ok("echo x | pass insert -m web/new; test $(git -C store rev-list --count origin/master..HEAD) = 1");
    store.ok("pass recipients accept --expect-rules $(sha256sum <store/.passel.yaml | cut -c -64)");
    store.ok(
        "echo x | pass insert -m web/newer; test $(git -C store rev-list --count origin/master..HEAD) = 0",
    );
}

#[test]
fn a_sync_follows_each_change_where_that_is_asked_for() {
    let store = saying("auto: true");
    store.script("editor", "#!/bin/sh\necho y >>$1\n");
    let same = "test \"$(git -C store rev-parse HEAD)\" = \"$(git -C remote rev-parse master)\"";
    for line in [
        "echo x | pass insert -m web/new",
        "EDITOR=$PWD/editor pass edit web/new",
        "pass generate web/made 9 >/dev/null",
        "pass mv web/new web/newer",
        "pass cp web/newer mine/copy",
        "pass rm -f web/newer",
        "pass recipients remove mine $BOB --yes >/dev/null",
        "pass group add team $ALICE --yes >/dev/null",
        "pass client add acme $CAROL --yes >/dev/null",
        "pass init -p sub $ALICE",
    ] {
        let output = store.shell(line);
        assert_eq!((output.code, output.err().as_str()), (0, ""), "{line}: {}", output.out());
        store.ok(&format!("{same} # {line}"));
    }
    // What others did comes as well.
    eve(&store, "echo x >notes");
    store.ok("pass generate web/made 9 >/dev/null; test -e store/notes");
    // A failure is one line, and the command's own business goes on.
    store.ok("mv remote away");
    let output = store.shell("echo x | pass insert -m web/last");
    assert_eq!(output.code, 0, "{}", output.err());
    let err = output.err();
    assert!(err.starts_with("warning: not synced: ") && err.lines().count() == 1, "{err}");
    assert_eq!(store.ok("pass show web/last 2>&1"), "x");
    store.ok("mv away remote");
    eve(&store, "echo $DAVE >>web/.gpg-id");
    let output = store.shell("echo x | pass insert -m mine/last");
    let err = output.err();
    assert!(output.code == 0 && err.contains("somebody has to decide") && err.lines().count() == 1, "{err}");
}
