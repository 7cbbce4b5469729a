//! `recipients update`.

use crate::cli::git::Repository;

/// Makes a key for Erin whose first encryption subkey is older than its second.
const ERIN: &str =
    "gpg() { command gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' \"$@\"; }
    gpg --faked-system-time 20240101T000000! --quick-generate-key 'Erin <erin@example.org>' ed25519 cert never
    ERIN=$(gpg --with-colons --list-keys erin@example.org | sed -n '/^fpr/{s/.*:\\([0-9A-F]*\\):$/\\1/p;q}')
    gpg --faked-system-time 20240102T000000! --quick-add-key $ERIN cv25519 encr never";
const RENEW: &str = "gpg --faked-system-time 20240103T000000! --quick-add-key $ERIN cv25519 encr never";

#[test]
fn brings_entries_in_line_and_touches_no_other() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; for n in a b f/c; do echo $n | pass insert -m $n; done
        gpg --batch --yes -e -r $ALICE -r $CAROL -o store/a.gpg <<<a; git -C store commit -qam other");
    let (count, out) = (store.count(), store.ok("pass recipients update --dry-run"));
    let key = |name: &str| store.keyring().fingerprint(name).to_owned();
    for line in [
        "1 entry to encrypt anew:\n  a\n".to_owned(),
        format!("    gains  {}  bob", key("bob")),
        format!("    loses  {}  carol", key("carol")),
    ] {
        assert!(out.to_lowercase().contains(&line.to_lowercase()), "{line} in\n{out}");
    }
    assert_eq!(store.count(), count, "a dry run changes nothing");
    store.refused("pass recipients update", &["nobody can be asked here", "hint: --yes"]);
    let out = store.ok("pass recipients update --yes");
    assert!(out.contains("a: reencrypting to "), "{out}");
    assert_eq!(store.count(), count + 1);
    assert_eq!(store.last().lines().filter(|line| line.starts_with("M\t")).collect::<Vec<_>>(), ["M\ta.gpg"]);
    assert_eq!(store.decrypted("a"), "a\n");
    assert!(store.ok("pass recipients").contains("3 entries: exactly these keys can read each."));
    assert!(store.ok("pass recipients update").starts_with("Nothing to update"), "nobody needs to be asked");
    store.clean();
}

#[test]
fn encrypts_to_renewed_subkeys() {
    let store = Repository::new();
    store.ok(&format!(
        "{ERIN}; pass init $ERIN; echo x | pass insert -m a; pass recipients update | grep Nothing"
    ));
    let erin = store.ok(
        "gpg --with-colons --list-keys erin@example.org | sed -n '/^fpr/{s/.*:\\([0-9A-F]*\\):$/\\1/p;q}'",
    );
    store.ok(&format!("ERIN={erin}; gpg() {{ command gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' \"$@\"; }}; {RENEW}"));
    assert!(store.ok("pass recipients").contains("1 encrypted to an older subkey"), "it is told");
    assert!(store.ok("pass recipients update --yes").contains("through their newest subkeys"));
    assert!(store.ok("pass recipients").contains("exactly these keys can read each"));
    assert!(store.ok("pass recipients update").starts_with("Nothing to update"), "once is enough");
    // gpg itself now chooses the subkey that the entry is encrypted to.
    let readers = |file: &str| {
        store.ok(&format!("gpg --batch --list-only --status-fd 1 -d {file} 2>/dev/null | grep ENC_TO"))
    };
    store.ok("gpg --batch --trust-model always -e -r erin@example.org -o own.gpg <<<x");
    assert_eq!(readers("store/a.gpg"), readers("own.gpg"));
}

#[test]
fn leaves_what_it_cannot_read_and_says_so() {
    let store = Repository::new();
    store.ok("pass init $ALICE $DAVE; for n in a b; do echo $n | pass insert -m $n; done
        gpg --batch --yes --trust-model always -e -r $DAVE -o store/a.gpg <<<a
        gpg --batch --yes -e -r $ALICE -o store/b.gpg <<<b
        pass init -p x $ALICE; pass insert -m x/c <<<c; echo $EXPIRED >>store/x/.gpg-id
        gpg --batch --yes -e -r $BOB -o store/x/c.gpg <<<c
        echo garbage >store/g.gpg; git -C store add -A; git -C store commit -qm other");
    let output = store.pass(&["recipients", "update", "--yes"], "");
    assert_eq!(output.code, 1);
    for line in [
        "error: `a` stays as it is: none of your keys can read it\n",
        "error: `x/c` stays as it is: x/.gpg-id line 2: key ",
        "error: `g` stays as it is: ",
        "hint: ",
    ] {
        assert!(output.err().contains(line), "{line} in\n{}", output.err());
    }
    assert!(output.out().contains("b: reencrypting to "), "{}", output.out());
    store.clean();
    store.ok("pass recipients who b | grep $DAVE.*1/1.*1/1");
}

#[test]
fn refuses_recipients_that_were_not_accepted() {
    let store = Repository::new();
    let remote = store.bare_remote("remote.git");
    store.ok(&format!(
        "pass insert -m a <<<x; git -C store remote add origin {0}; git -C store push -qu origin master
        git clone -q {0} other; echo $BOB >>other/.gpg-id; git -C other commit -qam bob; git -C other push -q
        pass git pull -q",
        remote.display()
    ));
    let refused = store.refused("pass recipients update --yes", &["have changed", "gains access"]);
    assert!(refused.err().contains("recipients accept"), "{}", refused.err());
}

#[test]
fn refuses_entries_that_are_not_committed() {
    let store = Repository::new();
    store.ok("pass insert -m a <<<x; gpg --batch --yes -e -r $BOB -o store/a.gpg <<<y");
    store.refused("pass recipients update --yes", &["a.gpg"]);
}

#[test]
fn works_without_git_and_in_one_folder() {
    let store = crate::common::TestStore::new();
    let ok = |line: &str| store.shell(&format!("set -e; {line}")).good().out();
    ok(
        "pass init $ALICE; for n in a f/b; do pass insert -m $n <<<x; gpg --batch --yes -e -r $BOB -o store/$n.gpg <<<x; done",
    );
    ok("pass recipients update f --yes");
    assert!(ok("pass recipients").contains("2 entries: 1 can be read by other keys"));
}
