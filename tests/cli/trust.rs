//! Changes of recipients that a trusted key has signed, and those that only look so.

mod attacks;
mod files;
mod settings;

use super::git::Repository;

/// A store with a remote, where Ann signs with Bob's key, which is trusted, and Eve does not; `web` and `mine` have
/// lists of their own.
fn trusting() -> Repository {
    let store = Repository::new();
    store.ok(
        "pass init $ALICE $BOB; pass init -p web $ALICE $BOB; pass init -p mine $ALICE
        echo 1 | pass insert -m web/a; echo 2 | pass insert -m mine/b; echo 3 | pass insert -m free/c
        git init -q --bare remote; git -C store remote add origin $PWD/remote; git -C store push -q -u origin master
        for who in ann evil; do git clone -q remote $who; git -C $who config user.name $who
            git -C $who config user.email $who@example.org; git -C $who config pull.rebase false; done
        git -C ann config user.signingKey $BOB; pass trust add $BOB --yes; pass sync",
    );
    store
}

/// Lets Ann run a line in her clone and push it, signed.
fn ann(store: &Repository, line: &str) {
    store.ok(&format!(
        "cd ann; git pull -q; {line}; git add -A; git commit -q --allow-empty -S -m change; git push -q"
    ));
}

/// Lets Eve run a line in her clone and push it, not signed.
fn eve(store: &Repository, line: &str) {
    store.ok(&format!(
        "cd evil; git pull -q; {line}; git add -A; git commit -q --allow-empty -m harmless; git push -q"
    ));
}

/// Syncs; all must be accepted without a question, with these words.
#[track_caller]
fn accepts(store: &Repository, words: &[&str]) {
    let said = store.ok("pass sync");
    for word in words {
        assert!(said.contains(word), "{word:?} in\n{said}");
    }
    store.ok("for entry in web/a mine/b free/c; do echo x | pass insert -mf $entry; done; pass sync");
}

/// Syncs; nothing of it is accepted, and nothing is encrypted to `entry`'s recipients. `told` says what to look for.
#[track_caller]
fn asks(store: &Repository, entry: &str, told: &str) {
    let output = store.shell("pass sync");
    assert_eq!(output.code, 3, "{told}: stdout:\n{}\nstderr:\n{}", output.out(), output.err());
    assert!(!output.out().contains("Accepted"), "{told}: {}", output.out());
    assert!(output.err().contains("locked"), "{told}: {}", output.err());
    let output = store.shell(&format!("echo x | pass insert -mf {entry}"));
    assert!(output.code == 1 && output.err().contains("have changed"), "{told}: {}", output.err());
}

#[test]
fn a_signed_change_is_accepted_without_a_question() {
    let store = trusting();
    ann(&store, "echo $DAVE >>web/.gpg-id");
    let bob = store.ok("echo $BOB");
    let id = store.ok("git -C ann rev-parse HEAD");
    let words = format!("Accepted: recipients of web, in commit {} of 20", &id[..10]);
    accepts(&store, &[&words, "by ann <ann@example.org>, signed by", &format!("signed by {bob} (")]);
    let readers = |entry: &str| {
        let bytes = std::fs::read(store.dir().join(format!("{entry}.gpg"))).unwrap();
        store.keyring().open(&bytes).recipients.len()
    };
    assert_eq!((readers("web/a"), readers("mine/b")), (3, 1));
    // Somebody goes, another list comes, and each of two commits has its share.
    ann(
        &store,
        "printf \"$ALICE\\n$DAVE\\n\" >web/.gpg-id; mkdir mine/new; echo $BOB >mine/new/.gpg-id
        echo x | gpg -q --batch --trust-model always -e -r $BOB >mine/new/x.gpg",
    );
    ann(&store, "echo $CAROL >>web/.gpg-id");
    accepts(
        &store,
        &["recipients of web, in commit", "; and in commit", "recipients of mine/new, in commit"],
    );
    assert_eq!(readers("web/a"), 3);
    // Merged with what others did meanwhile, by somebody who signs nothing.
    store.ok("cd evil; git pull -q; echo x >notes; git add -A; git commit -qm notes");
    ann(&store, "echo $BOB >>mine/.gpg-id");
    store.ok("cd evil; git pull -q --no-edit; git push -q");
    accepts(&store, &["recipients of mine, in commit"]);
    // Whoever comes back by a signed commit was let in again.
    ann(&store, "echo $ALICE >mine/.gpg-id");
    accepts(&store, &["recipients of mine, in commit"]);
    ann(&store, "echo $BOB >>mine/.gpg-id");
    accepts(&store, &["recipients of mine, in commit"]);
    assert_eq!(readers("mine/b"), 2);
}

#[test]
fn groups_and_rules_that_are_signed_are_accepted_and_others_are_shown() {
    let store = trusting();
    store.ok("pass group add team $ALICE $BOB --yes; pass group assign team web --yes; pass sync");
    ann(&store, "sed -i \"s/^  team:/  team:\\n  - $DAVE/\" .passel.yaml");
    let said = store.ok("pass sync; pass recipients accept");
    assert!(said.contains("Accepted: groups and rules, in commit") && said.contains("signed by"), "{said}");
    assert!(said.contains("Nothing to accept"), "{said}");
    // No list is refused for it, and yet it is said.
    eve(&store, "sed -i \"s/^  team:/  team:\\n  - $CAROL/\" .passel.yaml");
    let output = store.shell("pass sync");
    assert_eq!(output.code, 3, "{}", output.err());
    let words = "locked: no change of recipients is made from `.passel.yaml`";
    assert!(output.err().contains(words) && output.err().contains("evil@example.org"), "{}", output.err());
    let carol = store.ok("echo $CAROL");
    store.refused("pass recipients accept", &["nobody can be asked here"]);
    // On a terminal it is asked about.
    eve(&store, "sed -i 's/^version: 1/version: 1\\nclients: customers/' .passel.yaml");
    let mut terminal = store.terminal("pass sync");
    terminal.wait_for(&carol).wait_for("Accept these groups and rules? [y/N] ").type_text("y\r");
    let output = terminal.finish();
    assert_eq!(output.code, 0, "{}", output.out());
    // What is signed does not stand for what was changed again.
    ann(&store, "sed -i \"s/^  team:/  team:\\n  - $(printf 'A%.0s' $(seq 40))/\" .passel.yaml");
    eve(&store, "sed -i \"s/^  team:/  team:\\n  - $(printf 'B%.0s' $(seq 40))/\" .passel.yaml");
    let output = store.shell("pass sync");
    assert!(output.code == 3 && !output.out().contains("Accepted"), "{}{}", output.out(), output.err());
}

#[test]
fn keys_are_trusted_and_distrusted_by_a_person() {
    let store = trusting();
    let (bob, carol) = (store.ok("echo $BOB"), store.ok("echo $CAROL"));
    assert!(store.ok("pass trust list").contains(&bob));
    let json = store.ok("pass trust list --json");
    assert!(
        json.contains(&format!("\"fingerprint\": \"{bob}\"")) && json.contains("\"problem\": null"),
        "{json}"
    );
    let flag = format!("--fingerprint {carol}");
    store.refused("pass trust add carol@example.org", &["nobody can be asked", "--yes", &flag]);
    store.refused("pass trust add carol@example.org --fingerprint $DAVE", &["has the fingerprint", &carol]);
    store.refused("pass trust add carol@example.org --fingerprint 123", &["no full fingerprint"]);
    store.refused("pass trust add nobody@example.org --yes", &["no key of the keyring", "gpg --import"]);
    store.refused("pass trust add example --yes", &["could mean any of", "full fingerprint"]);
    store.refused("pass trust add $EXPIRED --yes", &["expired on 2024-02-01", "renewed key"]);
    store.refused("pass trust add revoked@example.org --yes", &["was revoked", "renewed key"]);
    store.refused("pass trust remove $CAROL", &["no key that is trusted here", "trust list"]);
    let said = store.ok("pass trust add carol@example.org --fingerprint $CAROL; pass trust add $CAROL --yes");
    assert!(
        said.contains(&format!("Trusted from now on: {carol}")) && said.contains("Trusted before"),
        "{said}"
    );
    let file = store.ok("cat store/.git/passel-trusted");
    assert!(
        file.starts_with("version: 1\nkeys:\n") && file.contains(&carol) && file.contains(&bob),
        "{file}"
    );
    store.ok("pass trust remove bob@example.org; pass trust remove $CAROL; test -z \"$(git -C store status --porcelain)\"");
    assert!(store.ok("pass trust list").contains("No key is trusted here"));
    let mut terminal = store.terminal("pass trust add bob@example.org");
    terminal.wait_for("bob@example.org").wait_for("[y/N] ").type_text("n\r");
    assert_ne!(terminal.finish().code, 0);
    assert_eq!(store.ok("pass trust list --json"), "[]");
    ann(&store, "echo $DAVE >>web/.gpg-id");
    asks(&store, "web/a", "nobody is trusted any more");
    store.ok("printf 'version: 2\\nkeys: []\\n' >store/.git/passel-trusted");
    store.refused("pass trust list", &["format 2", "newer passel"]);
}

#[test]
fn a_trusted_key_that_was_revoked_counts_for_nothing() {
    let store = trusting();
    store.ok(
        "gpg -q --batch --passphrase '' --quick-gen-key erin@example.org ed25519 sign never
        ERIN=$(gpg --with-colons --list-keys erin@example.org | awk -F: '/^fpr/ {print $10; exit}')
        pass trust add erin@example.org --yes; pass trust remove $BOB; git -C ann config user.signingKey $ERIN; echo $ERIN >erin",
    );
    ann(&store, "echo $DAVE >>web/.gpg-id");
    accepts(&store, &["recipients of web"]);
    ann(&store, "echo $CAROL >>web/.gpg-id");
    store.ok("sed 's/^:---/---/' $GNUPGHOME/openpgp-revocs.d/$(cat erin).rev | gpg -q --batch --import");
    asks(&store, "web/a", "revoked");
    assert!(store.ok("pass trust list").contains("counts for nothing: it was revoked"));
    store.ok("gpg --batch --yes --delete-secret-and-public-key $(cat erin)");
    assert!(store.ok("pass trust list").contains("is not in the keyring"));
    store.ok("pass trust remove $(cat erin)");
}
