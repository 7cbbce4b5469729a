//! `recipients who`.

use crate::cli::git::Repository;

/// Returns the line of `out` that holds `word`, in words.
#[track_caller]
fn line(out: &str, word: &str) -> String {
    let line = out.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word} in\n{out}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn tells_who_can_read_an_entry_from_its_packets() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; echo x | pass insert -m a; echo x | pass insert -m f/b");
    store.ok("gpg --batch --yes -e -r $ALICE -r $CAROL -o store/a.gpg <<<x");
    let out = store.ok("pass recipients who a");
    assert!(out.starts_with("1 entry, ruled by .gpg-id:"), "{out}");
    assert!(line(&out, store.keyring().fingerprint("alice")).ends_with("1/1 1/1"), "{out}");
    assert!(
        line(&out, store.keyring().fingerprint("bob")).ends_with("0/1 1/1 is named, but cannot read"),
        "{out}"
    );
    assert!(
        line(&out, store.keyring().fingerprint("carol")).ends_with("1/1 0/1 reads, but is not named"),
        "{out}"
    );
    assert!(out.contains("Not as the recipients files say: a."), "{out}");
    let out = store.ok("pass recipients who /");
    assert!(line(&out, store.keyring().fingerprint("bob")).ends_with("1/2 2/2 differs"), "{out}");
    let out = store.ok("pass recipients who f");
    assert!(!out.contains("Not as the"), "{out}");
}

#[test]
fn names_unknown_and_hidden_keys_as_such() {
    let store = Repository::new();
    store.ok("echo x | pass insert -m a; gpg --batch --yes -e -r $ALICE -r $BOB -o store/a.gpg <<<x
        gpg --batch --yes -e -R $BOB -o store/h.gpg <<<x
        gpg --batch --armor --export-secret-keys $BOB >bob.asc; gpg --batch --yes --delete-secret-and-public-key $BOB");
    let out = store.ok("pass recipients who /");
    assert!(line(&out, "(not in the keyring)").ends_with("1/2 0/2 reads, but is not named"), "{out}");
    assert!(
        line(&out, "hidden recipient").starts_with("hidden (a hidden recipient, or a passphrase) 1/2"),
        "{out}"
    );
    store.ok("gpg --batch --quiet --import bob.asc");
}

#[test]
fn an_entry_that_is_no_message_is_an_error() {
    let store = Repository::new();
    store.ok(
        "echo x | pass insert -m a; echo garbage >store/f.gpg; mkdir store/f; cp store/a.gpg store/f/g.gpg",
    );
    let output = store.pass(&["recipients", "who", "/"], "");
    assert_eq!(output.code, 1);
    assert!(output.err().contains("error: `f`: "), "{}", output.err());
    // The entry comes before the folder of its name, and a slash asks for the folder.
    assert_eq!(store.pass(&["recipients", "who", "f"], "").code, 1);
    store.ok("pass recipients who f/");
    let output = store.pass(&["recipients", "who", "none"], "");
    assert_eq!((output.code, output.err().as_str()), (1, "Error: none is not in the password store.\n"));
}
