//! Bad input: one clear error, exit code 1 (2 for what cannot be decrypted), and a store unchanged, git's
//! own files included. Disks that fill up at each write are the fault sweep's (tests/faults).

mod bulk;
mod git;
mod interrupted;
mod messages;
mod system;

use std::fs;
use std::process::Command;

pub use system::Disk;

use super::hostile::look::{Tree, look};
use crate::common::{Keyring, Output, TestStore, subject};

/// A store under git with the entries `a`, `web/b` and `bobs/c`, the last one's folder ruled by Bob.
struct Bad(TestStore);

impl Bad {
    fn new() -> Self {
        let bad = Self(TestStore::with(&subject(), &Keyring::new()));
        let key = |name: &str| bad.0.keyring().fingerprint(name).to_owned();
        bad.0.pass(&["init", &key("alice")], "").good();
        bad.0.pass(&["git", "init", "-q"], "").good();
        bad.0.pass(&["init", "-p", "bobs", &key("bob")], "").good();
        for name in ["a", "web/b", "bobs/c"] {
            bad.0.pass(&["insert", "-m", name], &format!("{name}\nmore\n")).good();
        }
        bad
    }

    fn look(&self) -> Tree {
        look(&self.0.dir())
    }

    /// Runs a command that must fail with `code`, say `text` in one error, and change nothing.
    #[track_caller]
    fn refuses_with(&self, code: i32, args: &[&str], text: &str) {
        let before = self.look();
        let output = self.0.pass(args, "new\nnew\n");
        self.check(code, &format!("{args:?}"), &output, text, &before);
    }

    #[track_caller]
    fn refuses(&self, args: &[&str], text: &str) {
        self.refuses_with(1, args, text);
    }

    /// The same, for a line of shell.
    #[track_caller]
    fn refuses_line(&self, line: &str, text: &str) {
        let before = self.look();
        self.check(1, line, &self.0.shell(line), text, &before);
    }

    #[track_caller]
    fn check(&self, code: i32, what: &str, output: &Output, text: &str, before: &Tree) {
        let err = output.err();
        assert_eq!(output.code, code, "{what}: {}{err}", output.out());
        assert!(err.contains(text), "{what} does not say {text:?}: {err}");
        let errors = err.lines().filter(|l| l.starts_with("error: ") || l.starts_with("Error: ")).count();
        assert!(errors <= 1, "{what} has more than one error: {err}");
        assert!(!err.trim().is_empty(), "{what} says why");
        assert_eq!(self.look().differences(before), Vec::<String>::new(), "{what} changed the store");
    }

    /// Replaces the root's recipients file behind the program's back.
    fn recipients(&self, text: &str) {
        fs::write(self.0.dir().join(".gpg-id"), text).expect("the store is ours");
    }
}

/// Every command that writes, for the entry `a`.
const WRITERS: [&[&str]; 5] = [
    &["insert", "-m", "a"],
    &["edit", "a"],
    &["generate", "-f", "a", "10"],
    &["insert", "-mf", "web/new"],
    &["cp", "bobs/c", "web/c"],
];

#[test]
fn without_a_store_everything_says_so() {
    let store = TestStore::new();
    let must = "Error: You must run:\n    pass init your-gpg-id\nbefore you may use the password store.";
    for (args, text) in [
        (&["ls"][..], "Error: password store is empty. Try \"pass init\"."),
        (&[], "Error: password store is empty. Try \"pass init\"."),
        (&["show", "a"], "Error: a is not in the password store."),
        (&["insert", "-m", "a"], must),
        (&["edit", "a"], must),
        (&["generate", "a"], must),
        (&["rm", "-f", "a"], ""),
        (&["mv", "a", "b"], ""),
        (&["cp", "a", "b"], ""),
        (&["find", "a"], ""),
        (&["grep", "a"], ""),
        (&["git", "log"], ""),
        (&["init", "-p", "x", ""], ""),
    ] {
        let output = store.pass(args, "x\n");
        assert_eq!(output.code, 1, "{args:?}: {}{}", output.out(), output.err());
        assert!(output.err().contains(text) && !output.err().is_empty(), "{args:?}: {}", output.err());
        assert!(!store.dir().exists(), "{args:?} made the store");
    }
}

#[test]
fn without_a_recipients_file_nothing_is_written() {
    let bad = Bad::new();
    fs::remove_file(bad.0.dir().join(".gpg-id")).expect("it is there");
    for args in WRITERS {
        bad.refuses(args, "before you may use the password store.");
    }
}

#[test]
fn a_bad_recipient_stops_every_writer() {
    let bad = Bad::new();
    let key = |name: &str| bad.0.keyring().fingerprint(name).to_owned();
    for (second, text) in [
        ("mallory@example.org".to_owned(), "no public key"),
        (key("expired"), "expired"),
        (key("revoked"), "revoked"),
        ("0000000000000000000000000000000000000000".to_owned(), "no public key"),
    ] {
        bad.recipients(&format!("{}\n{second}\n", key("alice")));
        for args in WRITERS {
            bad.refuses(args, text);
            bad.refuses(args, ".gpg-id line 2");
        }
        bad.refuses(&["init", &key("alice"), &second], text);
        bad.refuses(&["init", "-p", "bobs", &second], text);
    }
}

#[test]
fn an_ambiguous_recipient_stops_every_writer() {
    let bad = Bad::new();
    let mut gpg = Command::new("gpg");
    gpg.args(["--batch", "--quiet", "--passphrase", "", "--yes", "--quick-generate-key"]);
    gpg.args(["Bob the Second <bob@example.org>", "future-default", "default", "never"]);
    let made = gpg.env("GNUPGHOME", bad.0.keyring().path()).output().expect("gpg runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    bad.recipients("bob@example.org\n");
    for args in WRITERS {
        bad.refuses(args, "could mean any of");
    }
    bad.refuses(&["init", "bob@example.org"], "could mean any of");
}

#[test]
fn what_cannot_be_decrypted_exits_with_2() {
    let bad = Bad::new();
    let file = bad.0.dir().join("a.gpg");
    let whole = fs::read(&file).expect("it is there");
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let for_dave = bad.0.shell("echo x | gpg --batch -q --trust-model always -e -r dave@example.org").good();
    for (what, bytes) in [
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("truncated by a byte", whole[..whole.len() - 1].to_vec()),
        ("empty", Vec::new()),
        ("changed in its body", flipped(whole.len() - 30)),
        ("changed at its end", flipped(whole.len() - 1)),
        ("text", b"not a message\n".to_vec()),
        ("for somebody else", for_dave.stdout),
    ] {
        fs::write(&file, bytes).expect("the store is ours");
        println!("{what}");
        let output = bad.0.pass(&["show", "a"], "");
        assert_eq!(output.out(), "", "{what}: nothing is printed");
        bad.refuses_with(2, &["show", "a"], "cannot decrypt `a`");
        bad.refuses_with(2, &["show", "-c", "a"], "cannot decrypt `a`");
        bad.refuses_with(2, &["edit", "a"], "cannot decrypt `a`");
        bad.refuses(&["generate", "-i", "a"], "Could not reencrypt new password.");
    }
}

#[test]
fn a_name_that_leaves_the_store_or_is_empty_is_refused() {
    let bad = Bad::new();
    for name in ["..", "../x", "web/../../x", "web/..", "../store/x"] {
        for args in [
            &["show", name][..],
            &["insert", "-mf", name],
            &["edit", name],
            &["generate", "-f", name],
            &["rm", "-rf", name],
            &["mv", "-f", "a", name],
            &["cp", "-f", name, "b"],
            &["init", "-p", name, "alice@example.org"],
        ] {
            bad.refuses(args, "sneaky path");
        }
    }
    for name in ["/x", "/etc/passwd", "", ".git/config", ".GIT/x", ".passel/x"] {
        for args in [
            &["insert", "-mf", name][..],
            &["edit", name],
            &["generate", "-f", name],
            &["rm", "-rf", name],
            &["mv", "-f", name, "b"],
            &["cp", "-f", name, "b"],
        ] {
            bad.refuses(args, "");
        }
    }
}

#[test]
fn a_folder_is_no_entry_and_an_entry_no_folder() {
    let bad = Bad::new();
    bad.refuses(&["rm", "-f", "web"], "is a folder");
    bad.refuses(&["generate", "-i", "web"], "Could not reencrypt");
    bad.refuses(&["rm", "-rf", "nothing"], "nothing is not in the password store");
    bad.refuses(&["show", "web/b/"], "is not in the password store");
    bad.refuses(&["rm", "-rf", "a/"], "is not in the password store");
    bad.refuses(&["mv", "nothing", "b"], "is not in the password store");
    bad.refuses(&["mv", "web", "web/inside"], "inside of the folder");
    bad.refuses(&["init", "-p", "a.gpg", "alice@example.org"], "exists but is not a directory");
    bad.refuses(&["insert", "-m", "a.gpg/b"], "not a folder");
    fs::create_dir(bad.0.dir().join("folder.gpg")).expect("the store is ours");
    for args in [&["insert", "-mf", "folder"][..], &["edit", "folder"], &["mv", "-f", "a", "folder"]] {
        bad.refuses(args, "a folder");
    }
}

#[test]
fn a_length_must_be_a_number_that_makes_sense() {
    let bad = Bad::new();
    for (length, text) in [
        ("0", "Error: pass-length must be greater than zero."),
        ("abc", "Error: pass-length \"abc\" must be a number."),
        ("1000000000", "Error: pass-length \"1000000000\" must be at most"),
        ("99999999999999999999999", "must be at most"),
        ("12 ", "must be a number"),
    ] {
        bad.refuses(&["generate", "-f", "new", length], text);
        bad.refuses(&["generate", "-f", "a", length], text);
    }
    // An option to getopt, as in pass.
    bad.refuses(&["generate", "-f", "new", "-1"], "Usage: pass generate");
    bad.refuses(&["generate", "-f", "--", "new", "-1"], "must be a number");
}

#[test]
fn a_character_set_must_hold_something() {
    let bad = Bad::new();
    for set in ["[:nope:]", "z-a", "a\\n"] {
        let line = format!("PASSWORD_STORE_CHARACTER_SET='{set}' pass generate -f a");
        bad.refuses_line(&line, "PASSWORD_STORE_CHARACTER_SET");
        let line = format!("PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS='{set}' pass generate -fn a");
        bad.refuses_line(&line, "PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS");
    }
}

#[test]
fn an_editor_that_is_missing_fails_or_changes_nothing_stores_nothing() {
    let bad = Bad::new();
    for (editor, text) in [
        ("no-such-editor", "no-such-editor"),
        ("false", "false"),
        ("kill -9 $$ #", ""),
        ("true", "Password unchanged."),
    ] {
        bad.refuses_line(&format!("EDITOR='{editor}' pass edit a"), text);
    }
    bad.refuses_line("EDITOR=true pass edit new", "New password not saved.");
    bad.refuses_line("EDITOR=rm pass edit a", "New password not saved.");
}

#[test]
fn a_standard_output_that_nobody_reads_ends_the_listing_quietly() {
    let bad = Bad::new();
    for folder in 0..60 {
        let folder = bad.0.dir().join(format!("many-{folder}"));
        fs::create_dir(&folder).expect("the store is ours");
        for entry in 0..60 {
            fs::write(folder.join(format!("a-rather-long-name-{entry}.gpg")), "").expect("the store is ours");
        }
    }
    let before = bad.look();
    let output = bad.0.shell("pass ls | head -1; echo ${PIPESTATUS[0]}");
    assert!(output.out().starts_with("Password Store\n"), "{}", output.out());
    assert!(["", "\n"].contains(&output.err().as_str()), "{}", output.err());
    bad.refuses_line("pass ls >/dev/full", "cannot write to standard output");
    bad.refuses_line("pass show a >/dev/full", "cannot write to standard output");
    bad.refuses_line("pass find a >/dev/full", "cannot write to standard output");
    assert_eq!(bad.look().differences(&before), Vec::<String>::new());
}
