//! What `doctor` and `--verbose` tell of work on many entries.

use serde_json::Value;

use crate::common::TestStore;

fn store() -> TestStore {
    let store = TestStore::as_shipped();
    store.shell("pass init $ALICE; for n in 1 2 3; do echo secret-$n | pass insert -m team/$n; done").good();
    store
}

/// Returns what `doctor --json` tells.
fn told(store: &TestStore, line: &str) -> Value {
    serde_json::from_str(&store.shell(line).good().out()).unwrap()
}

#[test]
fn predicts_what_all_entries_cost() {
    let store = store();
    // Another person's, in the same keyring as all of them; one that nobody can read, and no message.
    store.shell("pass init -p theirs $BOB; echo x | pass insert -m theirs/a; echo no message >store/team/none.gpg").good();
    let cold = told(&store, "pass doctor --json");
    assert_eq!((&cold["entries"], &cold["opened"], &cold["remembered"]), (&5.into(), &4.into(), &0.into()));
    assert_eq!(cold["remembering"], "on");
    let keys = cold["keys"].as_array().unwrap();
    let alice = keys.iter().find(|key| key["name"].as_str().unwrap().starts_with("Alice")).unwrap();
    assert_eq!((&alice["card"], &alice["derivation"]), (&false.into(), &Value::Null));
    let operation = alice["operation_seconds"].as_f64().unwrap();
    let seconds = |found: &Value, name: &str| found[name].as_f64().unwrap();
    assert!(operation > 0.0 && seconds(&cold, "cold_seconds") > 3.0 * operation, "{cold}");
    assert!((seconds(&cold, "cold_seconds") - seconds(&cold, "warm_seconds")).abs() < 1e-9, "{cold}");
    store.shell("pass grep secret || true").good();
    let warm = told(&store, "pass doctor -j");
    assert_eq!(warm["remembered"], 4);
    let gain = seconds(&warm, "cold_seconds") - seconds(&warm, "warm_seconds");
    assert!(gain > 0.0, "{warm}");
    let off = told(&store, "PASSEL_CACHE=off pass doctor -j");
    assert_eq!((&off["remembered"], &off["remembering"]), (&0.into(), &"off".into()));
    let text = store.shell("pass doctor").good().out();
    assert!(text.contains("Entries: 5. Yours to open: 4. Session keys remembered: 4.\n"), "{text}");
    assert!(!text.contains("passphrase"), "{text}");
    let none = store.shell("PASSEL_CRYPTO=gpgme pass doctor").good().out();
    assert!(none.starts_with("gpg opens the 5 entries of this store, one at a time"), "{none}");
}

#[test]
fn explains_a_slow_passphrase_and_what_helps() {
    let store = store();
    // The agent is to be gone before the next one takes its options; it goes when it has time.
    let passphrase = "set -e; gpg --batch --pinentry-mode loopback --passphrase '' --quick-gen-key slow@x future-default default never
        echo allow-preset-passphrase >>$GNUPGHOME/gpg-agent.conf; echo 's2k-count 65011712' >>$GNUPGHOME/gpg-agent.conf
        gpgconf --kill gpg-agent; for try in $(seq 100); do gpg-connect-agent --no-autostart /bye >/dev/null 2>&1 || break; sleep 0.05; done
        printf 'secret\\nsecret\\n' | gpg --batch --pinentry-mode loopback --passphrase-fd 0 --change-passphrase slow@x
        for grip in $(gpg --with-colons --with-keygrip -K slow@x | awk -F: '$1==\"grp\" {print $10}'); do
        echo -n secret | /usr/lib/gnupg/gpg-preset-passphrase --preset $grip; done";
    store.shell(passphrase).good();
    let found = told(&store, "pass doctor --json");
    let keys = found["keys"].as_array().unwrap();
    let slow = keys.iter().find(|key| key["name"] == "slow@x").unwrap();
    assert_eq!(slow["derivation"], 65_011_712);
    let text = store.shell("pass doctor").good().out();
    let fingerprint = slow["fingerprint"].as_str().unwrap();
    for part in
        ["derives the key from its passphrase", "in all: on.", &format!("`gpg --passwd {fingerprint}`")]
    {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn verbose_counts_what_gpg_had_to_do() {
    let store = store();
    let counted = |line: &str| {
        let done = store.shell(line);
        done.err().lines().filter(|line| line.starts_with("decrypted:")).collect::<String>()
    };
    let none = "encrypted: 0 (0 by gpg)";
    assert_eq!(
        counted("pass --verbose grep secret"),
        format!("decrypted: 3 (0 with remembered session keys, 0 by gpg); {none}")
    );
    store.shell("echo x | gpg --batch -z 0 --hidden-recipient $ALICE -o store/team/hidden.gpg -e").good();
    assert_eq!(
        counted("pass --verbose grep secret"),
        format!("decrypted: 4 (3 with remembered session keys, 1 by gpg); {none}")
    );
    store.shell("rm store/team/hidden.gpg").good();
    assert_eq!(
        counted("pass --verbose init -p team $ALICE $BOB"),
        "decrypted: 3 (3 with remembered session keys, 0 by gpg); encrypted: 4 (1 by gpg)"
    );
    assert_eq!(
        counted("pass --verbose ls"),
        format!("decrypted: 0 (0 with remembered session keys, 0 by gpg); {none}")
    );
    assert_eq!(counted("pass grep secret"), "");
}
