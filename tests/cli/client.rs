//! Clients, who read one folder each.

mod truth;

use std::process::Command;

use super::git::Repository;
use crate::common::{Output, TestStore, stock_pass};

/// Somebody else's machine: a keyring of its own, which works in a folder of the test's.
pub struct Machine<'s> {
    store: &'s Repository,
    name: &'static str,
}

impl<'s> Machine<'s> {
    /// Makes an empty keyring, and files with the keys that people send each other: `alice.key` with the
    /// secret one, `alice.pub` and so on with the public ones.
    pub fn new(store: &'s Repository, name: &'static str) -> Self {
        store.ok(&format!(
            "mkdir -m 700 {name}; echo no-auto-key-locate >{name}/gpg.conf
            gpg --batch -q --export-secret-keys $ALICE >alice.key
            for n in alice bob carol dave; do gpg --batch -q --armor --export $n@example.org >$n.pub; done"
        ));
        Machine { store, name }
    }

    /// Returns the line with this machine's keyring.
    fn line(&self, line: &str) -> String {
        format!("export GNUPGHOME=$PWD/{}; {line}", self.name)
    }

    /// Runs a line of shell that must succeed.
    #[track_caller]
    pub fn ok(&self, line: &str) -> String {
        self.store.ok(&self.line(line))
    }

    /// Runs a line of shell that must be refused.
    #[track_caller]
    pub fn refused(&self, line: &str, words: &[&str]) -> Output {
        self.store.refused(&self.line(line), words)
    }

    /// Makes a key, writes all public ones to `NAME.pub`, and returns its fingerprint.
    #[track_caller]
    pub fn generate(&self, address: &str) -> String {
        self.ok(&format!(
            "gpg --batch -q --passphrase '' --quick-gen-key {address} future-default - never 2>/dev/null
            gpg --armor --export >{}.pub; gpg --list-keys --with-colons {address} | awk -F: '/^fpr/ {{ print $10; exit }}'",
            self.name
        ))
    }

    /// Makes many keys in one go, and returns their fingerprints.
    #[track_caller]
    pub fn generate_many(&self, count: usize) -> Vec<String> {
        let told = self.ok(&format!(
            "for n in $(seq {count}); do printf '%s\\n' '%no-protection' 'Key-Type: eddsa' 'Key-Curve: ed25519' \
            'Subkey-Type: ecdh' 'Subkey-Curve: cv25519' \"Name-Email: p$n@example.org\" 'Expire-Date: 0' '%commit'; done |
            gpg --batch -q --gen-key 2>/dev/null; gpg --export >{}.pub
            gpg --list-keys --with-colons | awk -F: '/^pub/ {{ p = 1 }} /^fpr/ && p {{ print $10; p = 0 }}'",
            self.name
        ));
        told.lines().map(str::to_owned).collect()
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        let home = self.store.root().join(self.name);
        let _ = Command::new("gpgconf").arg("--homedir").arg(home).args(["--kill", "all"]).status();
    }
}

/// A store of Alice's and Bob's with a remote, and a client's machine with a key of its own.
fn shared() -> Repository {
    let store = Repository::new();
    store.ok(
        "pass init $ALICE $BOB; echo ours | pass insert -e ours
        git init -q --bare r.git; git -C store remote add origin $PWD/r.git; git -C store push -q -u origin master",
    );
    store
}

/// Returns how many keys can read an entry.
fn readers(store: &TestStore, entry: &str) -> usize {
    let bytes = std::fs::read(store.dir().join(format!("{entry}.gpg"))).expect("the entry exists");
    store.keyring().open(&bytes).recipients.len()
}

#[test]
fn a_client_clones_the_store_and_reads_exactly_their_folder() {
    let store = shared();
    let client = Machine::new(&store, "acme");
    let key = client.generate("acme@example.org");
    store.ok("pass group add --yes team $ALICE $BOB; echo early | pass insert -e clients/acme/early");
    let before = store.count();
    let told = store.ok(&format!("pass client add acme --key acme.pub --fingerprint {key} --yes"));
    assert_eq!(store.count(), before + 1, "one commit");
    for words in [
        "Recipients of `clients/acme` (1 entry):".to_owned(),
        format!("gains  {key}  acme@example.org"),
        format!("git clone {}/r.git ~/.password-store", store.root().display()),
        format!("gpg --list-secret-keys {key}"),
        "passel ls clients/acme".to_owned(),
    ] {
        assert!(told.contains(&words), "{words}: {told}");
    }
    let changed = store.last();
    assert!(changed.starts_with("Add client acme.|"), "{changed}");
    assert!(changed.contains(&format!("A\t.public-keys/{key}")), "{changed}");
    store.clean();
    // Nobody has certified the key here: what was confirmed is encrypted to all the same.
    store.ok("echo late | pass insert -e clients/acme/late; git -C store push -q");
    assert_eq!((readers(&store, "clients/acme/late"), readers(&store, "ours")), (3, 2));
    // The team's group lets somebody in: the client's folder follows.
    store.ok("pass group add --yes team $CAROL");
    assert_eq!(readers(&store, "clients/acme/late"), 4);

    let stock = stock_pass().display().to_string();
    for program in ["pass", stock.as_str()] {
        let line = |rest: &str| format!("export PASSWORD_STORE_DIR=$PWD/theirs; {program} {rest}");
        client.ok("rm -rf theirs; git clone -q r.git theirs");
        assert_eq!(client.ok(&line("show clients/acme/early")), "early");
        assert_eq!(client.ok(&line("show clients/acme/late")), "late");
        client.ok(&format!("! {{ {}; }} 2>/dev/null", line("show ours")));
    }
}

#[test]
fn a_colleague_who_never_certified_the_key_adds_entries_for_the_client() {
    let store = shared();
    let client = Machine::new(&store, "acme");
    let key = client.generate("acme@example.org");
    store.ok(&format!("pass client add acme --key acme.pub --fingerprint {key} --certify --yes"));
    // Stock pass too, where the key was certified.
    store.ok(&format!("echo s | {} insert -e clients/acme/s; git -C store push -q", stock_pass().display()));
    let bob = Machine::new(&store, "bob");
    store.ok("gpg --batch -q --export-secret-keys $BOB >bob.key");
    bob.ok(&format!(
        "gpg -q --import bob.key alice.pub 2>/dev/null; git clone -q r.git bobs; gpg -q --import bobs/.public-keys/{key} 2>/dev/null
        export PASSWORD_STORE_DIR=$PWD/bobs; echo b | pass insert -e clients/acme/b; git -C bobs push -q"
    ));
    client.ok("git clone -q r.git theirs; export PASSWORD_STORE_DIR=$PWD/theirs
        test \"$(pass show clients/acme/b)\" = b; test \"$(pass show clients/acme/s)\" = s");
}

#[test]
fn a_key_is_imported_only_once_its_fingerprint_is_confirmed() {
    let store = shared();
    let client = Machine::new(&store, "acme");
    let key = client.generate("acme@example.org");
    let other = store.keyring().fingerprint("bob").to_owned();
    let absent = format!("not gpg --batch -q --list-keys {key} 2>/dev/null");
    store
        .refused("pass client add acme --key acme.pub --yes", &["nobody can be asked here", "--fingerprint"]);
    store.refused(
        &format!("pass client add acme --key acme.pub --yes --fingerprint {other}"),
        &[&format!("none of the keys given has the fingerprint {other}")],
    );
    store.refused("pass client add acme --key acme.pub --yes --fingerprint ABCD", &["no full fingerprint"]);
    store.refused(&format!("pass client add acme --key acme.pub --fingerprint {key}"), &["--yes"]);
    store.ok(&format!("pass client add acme --key acme.pub --fingerprint {key} --dry-run"));
    client.ok("gpg --batch --export-secret-keys >secret; cat acme.pub bob.pub >two; echo x >none; :>empty");
    store.refused("pass client add acme --key secret", &["holds a secret key"]);
    store.refused("pass client add acme --key two", &["holds 2 keys"]);
    store.refused("pass client add acme --key none", &["`none` cannot be used as a key"]);
    store.refused("pass client add acme --key empty", &["`empty` cannot be used as a key"]);
    store.refused("pass client add acme --key missing", &["cannot read `missing`"]);
    store.refused("gpg --export $EXPIRED >old; pass client add acme --key old", &["expired"]);
    for name in ["../x", "a/b", ".x", ".git", "''"] {
        let line = format!("pass client add --key acme.pub --yes --fingerprint {key} {name}");
        let output = store.refused(&line, &[]);
        assert!(!output.err().is_empty());
    }
    store.ok(&absent);
    store.refused("pass client add acme", &["NAME <KEY|--key FILE>"]);
    store.refused("pass client add acme --yes $CAROL --key acme.pub", &["cannot be used with"]);
    store.refused(
        &format!(
            "pass client add acme --yes --key acme.pub --key bob.pub --fingerprint {key} --fingerprint $BOB"
        ),
        &["a client has one key, not 2"],
    );
    // With blanks, from standard input: as people pass fingerprints and keys on.
    let spaced = key.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
    store.ok(&format!("pass client add acme --key - --fingerprint '{spaced}' --yes <acme.pub"));
    store.ok("pass client add known --yes $CAROL; grep -q $CAROL store/clients/known/.gpg-id");
    let again = format!("pass client add acme --key acme.pub --fingerprint {key} --yes");
    store.refused(&again, &["there is a client `acme` already"]);
}

#[test]
fn a_person_compares_the_fingerprint_and_is_offered_to_certify() {
    let store = shared();
    let client = Machine::new(&store, "acme");
    let key = client.generate("acme@example.org");
    let mut terminal = store.terminal("pass client add acme --key acme.pub");
    terminal.wait_for(&format!("{} {}", &key[..4], &key[4..8])).wait_for("[y/N]").type_text("n\n");
    assert_eq!(terminal.finish().code, 1);
    store.ok(&format!("not gpg --batch -q --list-keys {key} 2>/dev/null"));
    let mut terminal = store.terminal("pass client add acme --key acme.pub");
    terminal.wait_for("confirmed the fingerprint").wait_for("[y/N]").type_text("y\n");
    terminal.wait_for("Make this change? [y/N]").type_text("y\n");
    terminal.wait_for("Certify ").type_text("y\n");
    let output = terminal.finish();
    assert_eq!(output.code, 0, "{}", output.out());
    // The one that is never exported.
    let certified = store.ok(&format!("gpg --batch --with-colons --check-sigs {key}"));
    assert!(
        certified.lines().any(|line| line.starts_with("sig:!:") && line.contains(":10l:")),
        "{certified}"
    );
}

#[test]
fn clients_read_beside_the_groups_they_are_given() {
    let store = shared();
    let client = Machine::new(&store, "acme");
    let key = client.generate("acme@example.org");
    let add = |name: &str, rest: &str| {
        store.ok(&format!("pass client add {name} --key acme.pub --fingerprint {key} --yes {rest}"));
        store.ok(&format!("sort store/clients/{name}/.gpg-id"))
    };
    let sorted = |names: &[&str]| {
        let mut keys: Vec<&str> = names.iter().map(|name| store.keyring().fingerprint(name)).collect();
        keys.push(&key);
        keys.sort_unstable();
        keys.join("\n")
    };
    assert_eq!(add("inheriting", ""), sorted(&["alice", "bob"]));
    store.ok("not grep -q groups: store/.passel.yaml; pass group add --yes team $ALICE; pass group add --yes sales $ALICE $CAROL");
    assert_eq!(add("of-team", ""), sorted(&["alice"]));
    assert_eq!(add("of-sales", "--group sales"), sorted(&["alice", "carol"]));
    store.ok("pass init -p clients $ALICE $DAVE; pass group assign --yes sales clients");
    assert_eq!(add("of-parent", ""), sorted(&["alice", "carol", "dave"]));
    store.refused(
        &format!("pass client add x --key acme.pub --fingerprint {key} --yes --group none"),
        &["there is no group `none`"],
    );
    let listed = store.ok("pass client list");
    let names: Vec<&str> = listed.lines().filter(|line| !line.starts_with(' ')).collect();
    let expected =
        ["inheriting (0 entries)", "of-parent (0 entries)", "of-sales (0 entries)", "of-team (0 entries)"];
    assert_eq!(names, expected, "{listed}");
    assert_eq!(listed.matches(&key).count(), 4, "{listed}");
    let told = store.ok("pass client list --json");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["clients"][2]["folder"], "clients/of-sales");
    assert_eq!(told["clients"][2]["keys"][0]["fingerprint"], key.as_str());
    let shown = store.ok("pass client show of-sales");
    assert!(shown.contains(&format!("client  {key}  acme@example.org")), "{shown}");
    assert!(shown.contains("follows sales") && shown.contains("git clone"), "{shown}");
    // Another folder for clients.
    store.ok("sed -i '1a clients: customers' store/.passel.yaml; git -C store commit -qam customers");
    assert_eq!(store.ok("pass client list 2>/dev/null"), "");
    store.ok(&format!(
        "pass client add x --key acme.pub --fingerprint {key} --yes; test -e store/customers/x/.gpg-id"
    ));
}

#[test]
fn a_client_goes_with_or_without_their_entries() {
    let store = shared();
    let client = Machine::new(&store, "acme");
    let key = client.generate("acme@example.org");
    store.ok("pass group add --yes team $ALICE $BOB");
    for name in ["one", "two"] {
        store.ok(&format!(
            "pass client add {name} --key acme.pub --fingerprint {key} --yes; echo x | pass insert -e clients/{name}/x"
        ));
    }
    store.refused("pass client remove three --yes", &["there is no client `three`", "client list"]);
    store.refused("pass client remove one", &["nobody can be asked", "--yes"]);
    let told = store.ok("pass client remove one --dry-run; pass client remove one --keep-entries --dry-run");
    assert!(told.contains("with 1 entry") && told.contains(&format!("loses  {key}")), "{told}");
    let before = store.count();
    let told = store.ok("pass client remove one --keep-entries --yes");
    assert!(told.contains("Still read `clients/two`"), "{told}");
    assert_eq!((store.count(), readers(&store, "clients/one/x")), (before + 1, 2));
    store.ok(&format!("test -e store/.public-keys/{key}; not grep -q {key} store/clients/one/.gpg-id"));
    store.ok("pass client remove two --yes");
    assert_eq!(store.count(), before + 2);
    store.ok(&format!(
        "not test -e store/clients/two; not git -C store grep -q {key}; not test -e store/.public-keys/{key}"
    ));
    let changed = store.last();
    assert!(changed.starts_with("Remove client two.|"), "{changed}");
    store.clean();
    // Whoever comes back under that name starts anew.
    store.ok(&format!("pass client add two --key acme.pub --fingerprint {key} --yes"));
}
