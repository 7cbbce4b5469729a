//! `keys`: public keys that travel in the store.

use std::path::Path;

use super::git::Repository;
use crate::common::Output;

/// Alice's store, and Anna's machine: a clone and a keyring with nothing but Alice's keys in it.
struct Two(Repository);

impl Two {
    /// Makes a store for Alice and Bob, with a folder for Alice and Carol, and a remote.
    fn new() -> Self {
        let store = Repository::new();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
        store.ok(&format!(
            "pass init $ALICE $BOB; pass init -p web $ALICE $CAROL; echo 1 | pass insert -m a
            git init -q --bare remote; git -C store remote add origin $PWD/remote; git -C store push -q -u origin master
            git clone -q remote anna; mkdir -m 700 g; echo no-auto-key-locate >g/gpg.conf
            GNUPGHOME=$PWD/g gpg --batch --quiet --import {}/alice.asc",
            keys.display()
        ));
        Self(store)
    }

    /// Runs a line at Anna's.
    fn anna(&self, line: &str) -> Output {
        self.0.shell(&format!("export GNUPGHOME=$PWD/g PASSWORD_STORE_DIR=$PWD/anna; set -e; {line}"))
    }

    /// Runs a line at Anna's that must succeed.
    #[track_caller]
    fn anna_ok(&self, line: &str) -> String {
        self.anna(line).good().out()
    }

    /// Runs a line at Anna's that must end with code 1; returns all that it said.
    #[track_caller]
    fn anna_fails(&self, line: &str) -> String {
        let output = self.anna(line);
        assert_eq!(output.code, 1, "{line}\n{}\n{}", output.out(), output.err());
        output.out() + &output.err()
    }

    /// Returns the keys in Anna's keyring.
    fn anna_keys(&self) -> Vec<String> {
        let listing = self.anna_ok("gpg --with-colons --list-keys | awk -F: '/^pub/{getline; print $10}'");
        let mut keys: Vec<String> = listing.lines().map(str::to_owned).collect();
        keys.sort();
        keys
    }

    /// Exports at Alice's, pushes, and lets Anna pull.
    fn share(&self) {
        self.0.ok("pass keys export; git -C store push -q; git -C anna pull -q");
    }

    fn key(&self, name: &str) -> String {
        self.0.keyring().fingerprint(name).to_owned()
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        // Its agent would outlive the folder.
        self.anna("gpgconf --kill all");
    }
}

/// Checks that `text` holds all of `words`.
#[track_caller]
fn holds(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} in\n{text}");
    }
}

#[test]
fn keys_of_all_recipients_are_exported_in_one_commit() {
    let store = Repository::new();
    store.ok("pass init $ALICE bob@example.org; pass init -p web $ALICE $CAROL");
    let before = store.count();
    let said = store.ok("pass keys list");
    holds(&said, &["not in the store", &store.ok("echo $BOB"), "Carol"]);
    let said = store.ok("pass keys export");
    holds(&said, &["Exported", "Bob", "Carol"]);
    assert_eq!(store.count(), before + 1);
    assert_eq!(store.subjects().last().unwrap(), "Export 3 public keys.");
    // As gopass and prs look for them: by the recipient's fingerprint, armored.
    let listed = store.ok("cd store/.public-keys; ls; head -qn1 * | sort -u");
    let names: Vec<&str> = listed.lines().collect();
    let mut wanted = ["ALICE", "BOB", "CAROL"].map(|name| store.ok(&format!("echo ${name}")));
    wanted.sort();
    assert_eq!(names[..3], wanted);
    assert_eq!(names[3..], ["-----BEGIN PGP PUBLIC KEY BLOCK-----"]);
    assert_eq!(
        store.ok("cat store/.public-keys/* | gpg --show-keys --with-colons | grep -c ^sec || true"),
        "0"
    );
    let said = store.ok("pass keys list");
    holds(&said, &["in the keyring; does not expire; recipient of the store, web", "recipient of web"]);
    assert!(!said.contains("not in the store"), "{said}");
    // Nothing to do, then: also where another gpg wrote the same key in other bytes.
    holds(&store.ok("pass keys export"), &["up to date"]);
    store.ok(
        "gpg --armor --comment other --export $BOB >store/.public-keys/$BOB; git -C store commit -qam other",
    );
    holds(&store.ok("pass keys export"), &["up to date"]);
    assert_eq!(store.count(), before + 2);
    store.clean();
}

#[test]
fn keys_are_exported_without_git() {
    let store = crate::common::TestStore::new();
    store.shell("pass init $ALICE $BOB && pass keys export").good();
    assert_eq!(store.shell("ls store/.public-keys | wc -l").out(), "2\n");
}

#[test]
fn a_new_key_is_imported_only_with_a_persons_word() {
    let two = Two::new();
    two.share();
    let (alice, bob, carol) = (two.key("alice"), two.key("bob"), two.key("carol"));
    let trust = two.anna_ok("gpg --export-ownertrust | (grep -v ^# || true)");
    holds(&two.anna_ok("pass keys list"), &["not in the keyring", "recipient of web"]);
    // Nobody to ask: shown, not done.
    let said = two.anna_fails("pass keys import");
    let groups = bob.as_bytes().chunks(4).map(|g| std::str::from_utf8(g).unwrap()).collect::<Vec<_>>();
    holds(&said, &["Bob <bob@example.org>", &groups.join(" "), "recipient of the store", "--fingerprint"]);
    assert_eq!(two.anna_keys(), std::slice::from_ref(&alice));
    holds(&two.anna_fails("pass keys import --fingerprint $DAVE"), &["holds no key"]);
    holds(&two.anna_fails("pass keys import --fingerprint ${BOB:24}"), &["no full fingerprint"]);
    assert_eq!(two.anna_keys(), std::slice::from_ref(&alice));
    // Exactly the key that was named.
    holds(&two.anna_ok("pass keys import --fingerprint $BOB"), &[&format!("Imported {bob}")]);
    let mut known = vec![alice.clone(), bob];
    known.sort();
    assert_eq!(two.anna_keys(), known);
    assert_eq!(two.anna_ok("gpg --export-ownertrust | (grep -v ^# || true)"), trust);
    two.anna_ok("echo 2 | pass insert -m b");
    holds(&two.anna_fails("echo 2 | pass insert -m web/b"), &[&carol]);
    holds(&two.anna_ok("pass keys import --fingerprint $CAROL"), &["Imported"]);
    holds(&two.anna_ok("pass keys import"), &["Nothing to import"]);
    // A list that could not be used at first is accepted by a person.
    two.anna_ok("pass recipients accept web --expect $ALICE,$CAROL; echo 2 | pass insert -m web/b");
}

#[test]
fn a_colleague_who_imports_the_keys_first_needs_nothing_else() {
    let two = Two::new();
    two.share();
    two.anna_ok("pass keys import --fingerprint $BOB,$CAROL; echo 2 | pass insert -m b; echo 2 | pass insert -m web/b");
    let message = std::fs::read(two.0.root().join("anna/web/b.gpg")).unwrap();
    assert_eq!(two.0.keyring().open(&message).recipients.len(), 2);
}

#[test]
fn a_terminal_asks_about_each_key_and_offers_certification() {
    let two = Two::new();
    two.share();
    let line = "export GNUPGHOME=$PWD/g PASSWORD_STORE_DIR=$PWD/anna; echo $ALICE:6: | gpg --quiet --import-ownertrust
        pass keys import";
    let mut terminal = two.0.terminal(line);
    for (question, answer) in [("another way", "y\r"), ("another way", "n\r"), ("Certify key", "y\r")] {
        terminal.wait_for(question);
        terminal.type_text(answer);
    }
    assert_eq!(terminal.finish().code, 0);
    let known = two.anna_keys();
    assert_eq!(known.len(), 2, "{known:?}");
    // Stock pass, which asks the trust database, encrypts to the certified key.
    let other = known.iter().find(|key| **key != two.key("alice")).unwrap();
    two.anna_ok(&format!("echo x | gpg --batch --encrypt -r {other} >/dev/null"));
}

#[test]
fn a_certification_stays_on_this_machine() {
    let two = Two::new();
    two.share();
    two.anna_ok("echo $ALICE:6: | gpg --import-ownertrust; pass keys import --fingerprint $BOB --certify");
    two.anna_ok("echo x | gpg --batch --encrypt -r $BOB >/dev/null");
    let sigs = two.anna_ok("gpg --export $BOB | gpg --list-packets | grep -c keyid.${ALICE:24} || true");
    assert_eq!(sigs, "0\n");
}

#[test]
fn whoever_lacks_a_key_is_shown_where_it_waits() {
    let two = Two::new();
    // As long as it is nowhere, nobody is led to drop a colleague before asking for the key.
    let said = two.anna_fails("echo 2 | pass insert -m b");
    holds(&said, &["ask its owner", "only if nobody is to encrypt to it any more"]);
    two.share();
    let said = two.anna_fails("echo 2 | pass insert -m b");
    holds(&said, &["its public key is in the store: `pass keys import`"]);
    assert!(!said.contains("recipients remove"), "{said}");
    let said = two.anna_ok("pass recipients who a; pass recipients list web; pass keys list");
    holds(&said, &["(in the store, not imported: Bob <bob@example.org>)", "its key is not imported yet"]);
    holds(
        &said,
        &["Carol", "`pass keys import web` takes in the keys", "`pass keys import` takes in the keys"],
    );
    let said = two.anna("pass recipients check || true; pass adopt || true").out();
    holds(&said, &["it is in the store: `pass keys import`", "hint: `pass keys import`"]);
    let json: serde_json::Value =
        serde_json::from_str(&two.anna_ok("pass keys list --json")).expect("it is JSON");
    let bob =
        json["keys"].as_array().unwrap().iter().find(|row| row["fingerprint"] == two.key("bob")).unwrap();
    assert_eq!((&bob["keyring"], &bob["folders"]), (&"no".into(), &serde_json::json!([""])));
}

#[test]
fn only_keys_that_are_needed_are_offered() {
    let two = Two::new();
    two.0.ok("gpg --armor --export $DAVE >store/.public-keys/$DAVE 2>/dev/null ||
        { mkdir store/.public-keys; gpg --armor --export $DAVE >store/.public-keys/$DAVE; }
        git -C store add -A; git -C store commit -qm dave");
    two.share();
    let said = two.anna_fails("pass keys import web");
    holds(&said, &["Carol", "2 keys are left out", "keys import --fingerprint"]);
    assert!(!said.contains("New key of Bob") && !said.contains("New key of Dave"), "{said}");
    let said = two.anna_ok("pass keys import --fingerprint $BOB");
    assert!(!said.contains("Carol") && !said.contains("Dave"), "{said}");
    let said = two.anna_fails("pass keys import");
    assert!(said.contains("New key of Carol") && !said.contains("New key of Dave"), "{said}");
    holds(&two.anna_ok("pass keys import --fingerprint $DAVE"), &["Imported"]);
    // What the keyring has already can be certified too.
    two.anna_ok(
        "echo $ALICE:6: | gpg --import-ownertrust; pass keys import --fingerprint $BOB --certify
        echo x | gpg --batch --encrypt -r $BOB >/dev/null",
    );
}

#[test]
fn a_renewed_key_is_refreshed_here_and_there_without_a_question() {
    let two = Two::new();
    two.share();
    two.anna_ok("pass keys import --fingerprint $BOB,$CAROL");
    two.0.ok("gpg --batch --quiet --passphrase '' --quick-set-expire $BOB 2031-01-01
        gpg --batch --quiet --passphrase '' --quick-set-expire $BOB 2031-01-01 '*'");
    let said = two.0.ok("pass keys export");
    holds(&said, &["Exported", "Bob"]);
    assert!(!said.contains("Carol"), "{said}");
    two.0.ok("git -C store push -q; git -C anna pull -q");
    holds(&two.anna_ok("pass keys list"), &["in the keyring in another form; expires on 20"]);
    let said = two.anna_ok("pass keys import");
    holds(&said, &["Renewed", "Bob", "expires on 20"]);
    holds(&two.anna_ok("pass keys import"), &["Nothing to import"]);
    // Whoever has the older form does not put it back, but takes in the newer one.
    two.0.ok("gpg --batch --quiet --passphrase '' --quick-set-expire $BOB 2032-01-01
        pass keys export; git -C store push -q; git -C anna pull -q");
    let said = two.anna_ok("pass keys export; gpg --with-colons --list-keys $BOB | grep ^pub");
    holds(&said, &["up to date", ":19"]);
    assert_eq!(two.anna_ok("git -C anna status --short; git -C anna log @{u}.."), "");
}

#[test]
fn files_that_are_not_the_key_they_are_named_by_are_refused() {
    let two = Two::new();
    two.share();
    // Eve can push, and puts in Bob's place: her key, a second key, a secret key, a link, ...
    let cases = [
        ("gpg --export $DAVE >$f", "fingerprint of the key in it"),
        ("gpg --export $BOB $DAVE >$f", "it holds 2 keys"),
        ("gpg --export-secret-keys $BOB >$f", "it holds a secret key"),
        ("echo junk >$f", "gpg finds no key in it"),
        ("ln -sf /etc/passwd $f", "symbolic link"),
        ("rm $f; mkdir $f", "folder"),
        ("head -c 300000 /dev/zero >$f", "more than 256 KiB"),
        ("mv $f anna/.public-keys/0x${BOB:24}", "not named by the fingerprint"),
        ("mkfifo $f.pipe; rm $f; mv $f.pipe $f", "special file"),
    ];
    for (line, why) in cases {
        two.0.ok(&format!("f=anna/.public-keys/$BOB; {line}"));
        let said = two.anna_fails("pass keys import --fingerprint $CAROL");
        holds(&said, &["is not used", why]);
        assert!(!two.anna_keys().contains(&two.key("bob")), "{line}");
        assert!(!two.anna_keys().contains(&two.key("dave")), "{line}");
        holds(&two.anna("pass keys list").err(), &["is not used", why]);
        two.0.ok("rm -rf anna/.public-keys; git -C anna checkout -q .");
    }
    // The folder itself.
    two.0.ok("mv anna/.public-keys keys; ln -s $PWD/keys anna/.public-keys");
    holds(&two.anna_fails("pass keys import --fingerprint $BOB"), &["symbolic link"]);
    holds(&two.anna_fails("pass keys export"), &["symbolic link"]);
}

#[test]
fn export_mends_a_wrong_file_but_replaces_no_link() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; pass keys export");
    store.ok("gpg --export $DAVE >store/.public-keys/$BOB; git -C store commit -qam wrong; pass keys export");
    assert!(store.ok("gpg --show-keys store/.public-keys/$BOB").contains("Bob"));
    store.ok("ln -sf /etc/passwd store/.public-keys/$BOB; git -C store commit -qam link");
    store.refused("pass keys export", &["symbolic link"]);
}

#[test]
fn keys_of_nobody_are_taken_out_when_asked() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB $CAROL; pass keys export; pass init $ALICE carol@example.org");
    let bob = store.ok("echo $BOB");
    let said = store.ok("pass keys export");
    holds(&said, &[&format!("No list names {bob}  Bob"), "--prune"]);
    assert!(store.dir().join(".public-keys").join(&bob).exists());
    holds(&store.ok("pass keys export --prune"), &[&format!("Removed {bob}")]);
    assert_eq!(store.subjects().last().unwrap(), "Remove public keys of nobody.");
    assert_eq!(store.ok("ls store/.public-keys | wc -l"), "2");
    // A key that the keyring lacks is somebody's, if a list names it in any way.
    store.ok("gpg --batch --yes --delete-secret-and-public-key $CAROL; pass keys export --prune");
    assert_eq!(store.ok("ls store/.public-keys | wc -l"), "2");
    // Whom this line means, nobody can tell: a group of somebody's gpg.conf perhaps.
    store.ok("echo team >>store/.gpg-id; git -C store commit -qam team");
    store.refused("pass keys export --prune", &["nobody can tell whose key `team`"]);
    let said = store.shell("pass keys export");
    assert_eq!(said.code, 1);
    holds(&said.err(), &["no key for `team` (.gpg-id line 3) is here"]);
}

#[test]
fn an_expired_recipients_key_travels_too() {
    let store = Repository::new();
    store.ok("echo $EXPIRED >>store/.gpg-id; git -C store commit -qam expired; pass keys export");
    let key = store.ok("echo $EXPIRED");
    assert!(store.dir().join(".public-keys").join(&key).exists());
    holds(&store.ok("pass keys list"), &[&key, "expired on 2024-02-01; recipient of the store"]);
}

#[test]
fn names_in_keys_cannot_drive_the_terminal() {
    let store = Repository::new();
    store.ok(
        "gpg --batch --quiet --passphrase '' --quick-gen-key $'Eve\\e[2J <eve@example.org>' ed25519 cert never
        gpg --export eve@example.org >key; gpg --batch --yes --delete-secret-and-public-key $(gpg --with-colons \
        --list-keys eve@example.org | awk -F: '/^fpr/{print $10; exit}')
        mkdir store/.public-keys; cp key store/.public-keys/$(gpg --with-colons --show-keys key | awk -F: '/^fpr/{print $10; exit}')",
    );
    for line in ["pass keys list", "pass keys import --fingerprint $(ls store/.public-keys)"] {
        let output = store.shell(line);
        let said = output.out() + &output.err();
        assert!(said.contains("Eve") && !said.contains('\x1b'), "{said:?}");
    }
}
