//! `set_gpg_recipients`: the program's own answer, whole fingerprints or nothing.

use super::Extended;

/// Prints what an extension then encrypts with.
const TELL: &str = "echo \"${GPG_RECIPIENTS[*]}|${GPG_RECIPIENT_ARGS[*]}\"";

/// Encrypts as extensions do, into the entry `new`.
const ENCRYPT: &str =
    "echo secret | $GPG -e \"${GPG_RECIPIENT_ARGS[@]}\" -o \"$PREFIX/new.gpg\" \"${GPG_OPTS[@]}\" || die no";

impl Extended {
    /// Replaces the root's recipients file behind the program's back.
    fn recipients(&self, lines: &str) {
        self.ok(&format!("printf '{lines}' >store/.gpg-id; git -C store commit -qam recipients"));
    }

    fn fingerprint(&self, name: &str) -> &str {
        self.0.keyring().fingerprint(name)
    }
}

#[test]
fn an_address_is_no_part_of_a_longer_one() {
    let store = Extended::new();
    let make = |address: &str| {
        store.ok(&format!("gpg --batch -q --passphrase '' --quick-gen-key {address} future-default - never"));
    };
    make("pe1@x.org");
    store.recipients("e1@x.org\\n");
    store.refused("set_gpg_recipients a", "no public key for `e1@x.org`");
    make("e1@x.org");
    let key = store.ok("gpg --list-keys --with-colons =e1@x.org | awk -F: '/^fpr/ { print $10 }'");
    let (primary, subkey) = key.split_once('\n').expect("two fingerprints");
    assert_eq!(store.says(&format!("set_gpg_recipients a; {TELL}")), format!("{primary}|-r {primary}"));
    store.says(&format!("set_gpg_recipients a; {ENCRYPT}"));
    // What plain gpg does with the line, and so pass's extensions with it, is what we are here for.
    store.ok("gpg --batch -q --list-keys e1@x.org | grep -q pe1@x.org");
    let readers =
        "gpg --batch --list-only --status-fd=1 -d store/new.gpg 2>/dev/null | awk '/ENC_TO/ { print $3 }'";
    assert_eq!(store.ok(readers), &subkey[24..]);
}

#[test]
fn recipients_that_cannot_be_encrypted_to_end_the_extension() {
    let store = Extended::new();
    let alice = store.fingerprint("alice").to_owned();
    for (line, reason) in [
        ("expired@example.org", "expired on 2024-02-01"),
        ("revoked@example.org", "was revoked"),
        ("mallory@example.org", "no public key"),
    ] {
        store.recipients(&format!("{alice}\\n{line}\\n"));
        let output = store.refused("set_gpg_recipients .", reason);
        let place = format!("error: recipient `{line}` in .gpg-id line 2 cannot be encrypted to");
        assert!(output.err().starts_with(&place) && output.err().contains("hint: "), "{}", output.err());
    }
    store.recipients("# nobody\\n");
    store.refused("set_gpg_recipients a", "`.gpg-id` names no recipient");
    store.ok("cd store; mv .gpg-id ids; ln -s ids .gpg-id");
    store.refused("set_gpg_recipients a", "is a symbolic link");
    store.refused("set_gpg_recipients a/../b", "sneaky path");
}

#[test]
fn a_store_without_recipients_gets_passs_answer() {
    let store = Extended::new();
    let expected =
        "Error: You must run:\n    pass init your-gpg-id\nbefore you may use the password store.\n";
    store.ok("git -C store rm -q .gpg-id");
    assert_eq!(store.refused("set_gpg_recipients a", "").err(), expected);
    store.extension("set_gpg_recipients .; echo never");
    let output = store.shell("PASSWORD_STORE_DIR=$PWD/nowhere pass try");
    assert_eq!((output.code, output.out(), output.err()), (1, String::new(), expected.to_owned()));
}

#[test]
fn the_nearest_list_counts_with_groups_subkeys_and_a_last_line_without_break() {
    let store = Extended::new();
    let [alice, bob, rsa] = ["alice", "bob", "rsa"].map(|name| store.fingerprint(name).to_owned());
    let subkey = store
        .ok("gpg --list-keys --with-colons alice@example.org | awk -F: '/^fpr/ { print $10 }' | tail -n1");
    // gpg tells a group's members from the last to the first.
    store.ok("echo 'group team = rsa@example.org bob@example.org' >>$GNUPGHOME/gpg.conf");
    store.ok(&format!(
        "mkdir -p store/web/deep; printf '{}! # hers\\nTeam' >store/web/.gpg-id",
        subkey.to_lowercase()
    ));
    let team = format!("{subkey}! {bob} {rsa}|-r {subkey}! -r {bob} -r {rsa}");
    for folder in ["web", "web/deep/new", "/web/", "./web//deep"] {
        assert_eq!(store.says(&format!("set_gpg_recipients {folder}; {TELL}")), team, "{folder}");
    }
    for folder in [".", "''", "a", "/"] {
        let body = format!("set_gpg_recipients {folder}; {TELL}");
        assert_eq!(store.says(&body), format!("{alice}|-r {alice}"), "{folder}");
    }
    // Whatever the files say, the environment overrides them, and an extension's own setting too.
    let body = format!("PASSWORD_STORE_KEY='bob@example.org'; set_gpg_recipients web; {TELL}");
    assert_eq!(store.says(&body), format!("{bob}|-r {bob}"));
    store.extension(&format!("set_gpg_recipients web; {TELL}"));
    assert_eq!(
        store.ok("PASSWORD_STORE_KEY=\"$RSA bob@example.org\" pass try"),
        format!("{rsa} {bob}|-r {rsa} -r {bob}")
    );
}
