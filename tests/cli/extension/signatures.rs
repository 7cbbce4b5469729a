//! `verify_file`, for the user's extensions and for recipients files.

use super::Extended;

/// A day on which the key below was still good.
const THEN: &str = "--faked-system-time 20240115T120000";

#[test]
fn extensions_run_if_signed_by_one_of_the_keys() {
    let store = Extended::new();
    store.extension("echo ran");
    let ran = |keys: &str| {
        let output = store.shell(&format!("PASSWORD_STORE_SIGNING_KEY=\"{keys}\" pass try"));
        match output.code {
            0 => assert_eq!(output.out(), "ran\n"),
            1 => assert!(output.out().is_empty() && output.err().starts_with("error: "), "{}", output.err()),
            code => panic!("{keys}: {code}"),
        }
        output.code == 0
    };
    assert!(ran(""));
    assert!(!ran("$ALICE"), "unsigned");
    store.ok("gpg --batch -q -u $ALICE --detach-sign ext/try.bash");
    assert!(ran("$ALICE") && ran("$BOB $ALICE"));
    for wrong in ["$BOB", "${ALICE#?}", "${ALICE: -16}", "alice@example.org", " "] {
        assert!(!ran(wrong), "{wrong}");
    }
    store.ok("echo 'echo changed' >>ext/try.bash");
    assert!(!ran("$ALICE"));
    // What pass may call itself is not asked for: the administrator has put it there.
    store.ok("PASSWORD_STORE_SIGNING_KEY=$ALICE pass tail a/b");
}

#[test]
fn signatures_of_revoked_and_expired_keys_do_not_count() {
    let store = Extended::new();
    let make = |address: &str, expires: &str| {
        let user = format!("{address} ed25519 sign {expires}");
        store.ok(&format!("gpg {THEN} --batch -q --passphrase '' --quick-gen-key {user} 2>&1"));
        let list =
            format!("gpg --list-keys --with-colons {address} | awk -F: '/^fpr/ {{ print $10; exit }}'");
        let key = store.ok(&list);
        store.ok(&format!("gpg {THEN} --batch -q -u {key} -o {address}.sig --detach-sign ext/try.bash"));
        key
    };
    store.extension("echo ran");
    let (revoked, expired) = (make("gone@x.org", "never"), make("late@x.org", "20d"));
    let run = |key: &str, address: &str| {
        let put = format!("cp {address}.sig ext/try.bash.sig");
        store.shell(&format!("{put}; PASSWORD_STORE_SIGNING_KEY={key} pass try"))
    };
    assert_eq!(run(&revoked, "gone@x.org").out(), "ran\n");
    store.ok(&format!("sed 's/^:-/-/' $GNUPGHOME/openpgp-revocs.d/{revoked}.rev | gpg -q --import"));
    for (key, address) in [(&revoked, "gone@x.org"), (&expired, "late@x.org")] {
        let output = run(key, address);
        assert_eq!((output.code, output.out()), (1, String::new()), "{address}");
        assert!(output.err().contains("not by a key in PASSWORD_STORE_SIGNING_KEY"), "{}", output.err());
    }
}

#[test]
fn verify_file_ends_the_extension_and_recipients_files_are_checked() {
    let store = Extended::new();
    let keyed = |body: &str| format!("PASSWORD_STORE_SIGNING_KEY=$ALICE\n{body}");
    store.refused(&keyed("verify_file \"$PREFIX/.gpg-id\""), ".gpg-id` is missing or not by a key");
    store.refused(&keyed("set_gpg_recipients a"), "the signature of `.gpg-id` is missing or not by a key");
    store.refused(&keyed("verify_file nothing"), "there is no `nothing`");
    store.ok("PASSWORD_STORE_SIGNING_KEY=$ALICE pass init $ALICE");
    let said = store.says(&keyed("verify_file \"$PREFIX/.gpg-id\"; set_gpg_recipients a; echo good"));
    assert_eq!(said, "good");
    // Without a key nothing is asked for.
    assert_eq!(store.says("verify_file nothing; echo good"), "good");
}
