//! Files in which gpg finds another message than we do: Dave puts a secret's armour into a packet that gpg does
//! not know, and a message to its readers behind it.

use super::Attacked;

/// Every way to have an entry encrypted anew, and those that look who can read it.
const WAYS: [&str; 6] = [
    "pass recipients update --yes",
    "pass recipients add dave $CAROL --yes",
    "pass init -p dave $ALICE $DAVE $CAROL",
    "pass generate -i dave/x",
    "pass mv dave/x team/x",
    "pass recipients who dave/x",
];

/// Returns a store in which `dave/x` holds a packet of this tag with the armour of `secret/x` in it, then a
/// message for these recipients.
fn smuggled(tag: u8, to: &str) -> Attacked {
    let store = Attacked::before();
    store.ok(&format!(
        "pass init -p team $ALICE $CAROL; gpg --enarmor <store/secret/x.gpg | sed 's/ARMORED FILE/MESSAGE/' >armour
        : >decoy; echo decoy | gpg --batch --quiet --yes --trust-model always {to} -o decoy -e || test -z '{to}'"
    ));
    let read = |name: &str| std::fs::read(store.root().join(name)).expect("it was made");
    let hidden = [b"\n", &read("armour")[..], b"\n"].concat();
    let length = u32::try_from(hidden.len()).expect("it is short").to_be_bytes();
    store.commit("dave/x", &[&[0xc0 | tag, 255], &length[..], &hidden, &read("decoy")].concat());
    store
}

impl Attacked {
    /// Checks that the secret is readable by Alice alone, wherever it stands.
    #[track_caller]
    fn kept_secret(&self, what: &str) {
        for file in self.ok("find store -name '*.gpg'").lines() {
            let bytes = std::fs::read(self.root().join(file)).expect("it was listed");
            let found = self.keyring().open(&bytes);
            if found.plaintext.as_deref() == Some(b"topsecret\n") {
                assert_eq!(found.recipients.len(), 1, "{what}: {file} is readable by others");
            }
        }
    }
}

#[test]
fn a_message_that_gpg_alone_sees_is_encrypted_anew_by_no_command() {
    // The message behind it is for one of the readers, for both, or missing.
    for (tag, to) in
        [(21, "-r alice@example.org"), (40, "-r alice@example.org -r dave@example.org"), (20, "")]
    {
        let store = smuggled(tag, to);
        // So it is: gpg prints the secret.
        assert_eq!(store.decrypted("dave/x"), "topsecret\n");
        let ways = if tag == 21 { WAYS.len() } else { 2 };
        for line in &WAYS[..ways] {
            let output = store.shell(line);
            assert!([1, 2].contains(&output.code), "{line}: {}\n{}", output.code, output.err());
            assert!(output.err().contains("dave/x"), "{line}\n{}", output.err());
            assert_eq!(
                store.ok("git -C store status --porcelain; git -C store log -1 --format=%s"),
                "Add a note.",
                "{line}"
            );
            store.kept_secret(line);
        }
    }
}

#[test]
fn review_names_what_is_never_encrypted_anew() {
    let store = smuggled(21, "-r alice@example.org");
    let told = store.pass(&["recipients", "review"], "");
    assert_eq!((told.code, told.out().as_str()), (1, ""), "{}", told.err());
    assert_eq!(
        told.err(),
        "error: `dave/x` is never encrypted anew: not an OpenPGP message: it holds packets of no encrypted message\n\
         hint: look at it (`pass show dave/x`), then store it anew (`pass insert -m dave/x`) or remove it (`pass rm \
         dave/x`)\n"
    );
    let told = store.pass(&["recipients", "review", "dave/x", "--accept", "--yes"], "");
    assert_eq!(told.code, 1, "{}", told.out());
    // What is held back is told of beside it.
    store.commit("dave/y", &store.forged(&store.read("secret/x")));
    let told = store.pass(&["recipients", "review"], "");
    assert_eq!(told.code, 3, "{}", told.err());
    assert!(told.out().starts_with("dave/y\n  was encrypted for others as  secret/x\n"), "{}", told.out());
    assert!(told.err().starts_with("error: `dave/x` is never"), "{}", told.err());
}

#[test]
fn a_copy_of_an_oddly_armored_entry_is_known() {
    let store = Attacked::before();
    store.ok(
        "gpg --enarmor <store/secret/x.gpg | sed 's/ARMORED FILE/MESSAGE/; 1i before' >odd; cp store/secret/x.gpg binary",
    );
    store.ok("cp odd store/secret/x.gpg; git -C store checkout -q --orphan new; git -C store add .; git -C store commit -qm odd
        git -C store branch -qD master; git -C store branch -qm master; git -C store reflog expire --expire=now --all; git -C store gc -q --prune=now");
    let binary = std::fs::read(store.root().join("binary")).expect("it was copied");
    store.commit("dave/x", &store.forged(&binary));
    let output = store.shell("pass init -p dave $ALICE $DAVE $CAROL");
    assert_eq!(output.code, 3, "{}", output.err());
    assert!(output.err().contains("`dave/x` holds what stood at `secret/x`"), "{}", output.err());
}
