//! `reencrypt_path`: in a commit, exactly, or not at all.

use super::{Extended, HOSTILE};

impl Extended {
    /// Adds Bob to the root's recipients behind the program's back, in a commit.
    fn add_bob(&self) {
        self.ok("printf '%s\\n' $ALICE $BOB >store/.gpg-id; git -C store commit -qam recipients");
    }

    /// Returns how many can read an entry.
    fn readers(&self, entry: &str) -> String {
        let list = "gpg --batch --list-only --status-fd=1 -d";
        self.ok(&format!("{list} store/{entry}.gpg 2>/dev/null | grep -c ENC_TO"))
    }
}

#[test]
fn entries_are_encrypted_anew_in_one_commit() {
    let store = Extended::new();
    store.ok("echo x | pass insert -m c; ln -s c.gpg store/link.gpg; git -C store add link.gpg; git -C store commit -qm link");
    let all = "set_git \"$PREFIX/\"; reencrypt_path \"$PREFIX\"; echo \"then $?\"\n\
               git_add_file \"$PREFIX\" 'Never needed.'; echo \"then $?\"";
    assert_eq!(store.says(all), "then 0\nthen 1");
    store.add_bob();
    let before = store.0.count();
    let said = store.says(all);
    assert!(said.starts_with("a/b: reencrypting to ") && said.ends_with("\nthen 0\nthen 1"), "{said}");
    assert!(
        said.contains("\nc: reencrypting to ") && said.contains(" Reencrypt password store.\n"),
        "{said}"
    );
    assert_eq!(store.0.count(), before + 1);
    assert_eq!(
        store.ok("git -C store show --format=%s --name-only"),
        "Reencrypt password store.\n\na/b.gpg\nc.gpg"
    );
    assert_eq!((store.readers("a/b"), store.readers("c")), ("2".into(), "2".into()));
    assert_eq!(store.0.decrypted("a/b"), "pw\nrest\n");
    assert_eq!(store.says(all), "then 0\nthen 1");
    assert_eq!(store.0.count(), before + 1);
    store.0.clean();
}

#[test]
fn one_entry_or_folder_may_be_meant() {
    let store = Extended::new();
    store.ok("for name in a/c d/e; do echo x | pass insert -m $name; done");
    store.add_bob();
    store.says("reencrypt_path \"$PREFIX//a/c.gpg\"");
    assert_eq!(
        store.0.last().lines().next().expect("a line").split('|').next(),
        Some("Reencrypt password store (a/c).")
    );
    assert_eq!(["a/b", "a/c", "d/e"].map(|name| store.readers(name)), ["1", "2", "1"]);
    store.says("cd \"$PREFIX\" && reencrypt_path a");
    assert_eq!(["a/b", "a/c", "d/e"].map(|name| store.readers(name)), ["2", "2", "1"]);
    // Links, and files that are no entries, are left alone.
    store.ok("ln -s ../d store/a/l; echo x >store/note");
    let before = store.0.state();
    store.says(
        "reencrypt_path \"$PREFIX/a/l\"; reencrypt_path \"$PREFIX/note\"; reencrypt_path \"$PREFIX/.gpg-id\"",
    );
    assert_eq!(store.0.state(), before);
    store.refused("reencrypt_path \"$PREFIX/none\"", "Error: none is not in the password store.");
    store.refused("reencrypt_path \"$PREFIX/a/l/e.gpg\"", "is a symbolic link");
    store.refused("reencrypt_path \"$PREFIX/../store\"", "sneaky path");
    store.refused("reencrypt_path \"$PREFIX.old\"", "is not below the password store");
}

#[test]
fn what_cannot_be_done_whole_is_not_done() {
    let store = Extended::new();
    store.ok("pass init -p theirs $DAVE; echo x | pass insert -m theirs/one; printf '%s\\n' $DAVE $BOB >store/theirs/.gpg-id");
    store.add_bob();
    store.refused("reencrypt_path \"$PREFIX\"", "cannot decrypt `theirs/one`");
    store.ok("echo expired@example.org >store/theirs/.gpg-id");
    store.refused("reencrypt_path \"$PREFIX\"", "expired on 2024-02-01");
    assert_eq!(store.readers("a/b"), "1");
    // Stock pass says nothing of the one, and does the others.
    store.ok("git -C store merge-base HEAD HEAD >store/.git/MERGE_HEAD");
    store.refused("reencrypt_path \"$PREFIX/a\"", "middle of a merge");
}

#[test]
fn a_move_of_an_extensions_own_is_recorded_whole() {
    let store = Extended::new();
    store.ok("pass init -p team $ALICE $BOB; echo x | pass insert -m a/c");
    let body = "mv \"$PREFIX/a\" \"$PREFIX/team/a\"; reencrypt_path \"$PREFIX/team/a\"
                set_git \"$PREFIX/team/a\"; git -C \"$INNER_GIT_DIR\" rm -qr \"$PREFIX/a\"
                git_add_file \"$PREFIX/team/a\" 'Move a to team/a.'; echo \"then $?\"";
    assert!(store.says(body).ends_with("then 0"));
    assert_eq!(store.readers("team/a/b"), "2");
    assert_eq!(
        store.0.subjects().split_off(store.0.count() - 2),
        ["Reencrypt password store (team/a).", "Move a to team/a."]
    );
    store.0.clean();
    // Where nothing had to be encrypted anew, what somebody else has staged is nobody's business.
    store.ok("echo x >store/note; git -C store add note");
    store.says(
        "reencrypt_path \"$PREFIX\"; set_git \"$PREFIX/\"; git_add_file \"$PREFIX/team\" 'Never needed.'",
    );
    assert_eq!(store.ok("git -C store status --porcelain"), "A  note");
}

#[test]
fn works_without_git_and_shows_names_escaped() {
    let store = Extended::new();
    store.ok(&format!("rm -rf store/.git; mv store/a/b.gpg store/a/$'{HOSTILE}'.gpg"));
    // Written by hand, where no git tells by whom: that needs a word.
    store.ok("printf '%s\\n' $ALICE $BOB >store/.gpg-id; pass recipients accept / --expect $ALICE,$BOB");
    let said = store.says(
        "reencrypt_path \"$PREFIX\"; set_git \"$PREFIX/\"; git_add_file \"$PREFIX\" x; echo \"then $?\"",
    );
    assert!(said.starts_with("a/x\\x1b]52;c;eA==\\x07\\u{202e}y: reencrypting to "), "{said}");
    assert_eq!(said.lines().collect::<Vec<_>>()[1..], ["then 1"]);
}
