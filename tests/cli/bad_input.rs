//! Bad input: one clear error, exit code 1 (2 for what cannot be decrypted), and a store unchanged, git's
//! own files included. Disks that fill up at each write are the fault sweep's (tests/faults).

mod git;
mod interrupted;
mod system;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

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
fn an_empty_store_says_how_to_begin_under_the_name_it_was_asked_by() {
    let store = TestStore::new();
    symlink(subject(), store.root().join("bin/passel")).expect("the folder is ours");
    for program in ["passel", "pass"] {
        for line in ["ls", "show", ""] {
            let err = store.shell(&format!("{program} {line}")).err();
            assert_eq!(err, format!("Error: password store is empty. Try \"{program} init\".\n"));
        }
    }
}

/// Returns the line of `text` that calls the program `pass` or `passel`, if there is one.
fn misnamed(text: &str) -> Option<&str> {
    let is_name = |c: char| c.is_alphanumeric() || "-_./(".contains(c);
    text.lines().find(|line| line.split(|c| !is_name(c)).any(|word| ["pass", "passel"].contains(&word)))
}

#[test]
fn every_message_names_the_program_as_it_was_called() {
    let bad = Bad::new();
    symlink(subject(), bad.0.root().join("bin/vault")).expect("the folder is ours");
    bad.0
        .shell("mkdir store/web/.gpg-id; ln -s a.gpg store/l.gpg; git -C store config user.name ''; : >store/bobs/.gpg-id")
        .good();
    let commands = "init show find grep insert edit generate rm mv cp git";
    for line in commands.split(' ').map(|command| format!("vault {command} --help")).chain(
        [
            "vault init",
            "vault find",
            "vault grep",
            "vault insert",
            "vault edit",
            "vault generate",
            "vault rm",
            "vault mv",
            "vault cp",
            "vault show -x",
            "vault init mallory",
            "vault insert -m web/x",
            "vault insert -m bobs/x",
            "vault insert -m new",
            "vault rm -f web",
            "vault rm -f l",
            "vault mv l k",
            "vault generate -i nothing",
            "vault show -c a",
            "PASSWORD_STORE_DIR=nowhere vault",
            "PASSWORD_STORE_DIR=nowhere vault insert -m a",
            "PASSWORD_STORE_DIR=nowhere vault git init",
            "PASSWORD_STORE_DIR=nowhere vault git log",
            "PASSWORD_STORE_DIR=nowhere vault init -p x ''",
            "rm -rf store/.git; vault git log",
        ]
        .map(str::to_owned),
    ) {
        let output = bad.0.shell(&line);
        let said = output.out() + &output.err();
        assert!(!said.trim().is_empty(), "{line} says nothing");
        assert_eq!(misnamed(&said), None, "{line}");
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
fn a_damaged_entry_is_named_with_the_cause_and_the_mend() {
    let bad = Bad::new();
    let file = bad.0.dir().join("web/b.gpg");
    let whole = fs::read(&file).expect("it is there");
    let mend = "hint: `pass git log -- 'web/b.gpg'` lists its versions, \
                `pass git checkout COMMIT -- 'web/b.gpg'` brings one back\n\
                hint: without one, store it anew (`pass insert -m 'web/b'`) or remove it (`pass rm 'web/b'`)\n";
    for (bytes, cause) in [
        (Vec::new(), "not an OpenPGP message: the file is empty"),
        (b"\xa3\x07\x00\xff\x12".repeat(30), "it is no OpenPGP message"),
        (b"sesame\n".to_vec(), "it is no OpenPGP message"),
        (whole[..whole.len() - 1].to_vec(), "the message is damaged"),
        (whole[..whole.len() / 3].to_vec(), ""),
    ] {
        fs::write(&file, bytes).expect("the store is ours");
        for name in ["web/b", "/web/b"] {
            let err = bad.0.pass(&["show", name], "").err();
            assert!(err.contains(&format!("error: cannot decrypt `{name}`\ncaused by: {cause}")), "{err}");
            assert!(err.ends_with(mend), "{err}");
        }
        let err = bad.0.pass(&["generate", "-i", "web/b"], "").err();
        let told = format!(
            "Could not reencrypt new password.\ncaused by: cannot decrypt `web/b`\ncaused by: {cause}"
        );
        assert!(err.contains(&told) && err.ends_with(mend), "{err}");
        bad.refuses_with(2, &["edit", "web/b"], mend);
        bad.refuses(&["mv", "web/b", "bobs/b"], "hint: `pass show 'web/b'` says why");
    }
    bad.0.shell("cd store; git checkout HEAD -- 'web/b.gpg'").good();
    assert_eq!(bad.0.pass(&["show", "web/b"], "").good().out(), "web/b\nmore\n");
}

#[test]
fn what_others_keys_open_says_whom_to_ask() {
    let bad = Bad::new();
    let line = "echo x | gpg --batch -q --trust-model always -e -r dave@example.org >store/daves.gpg";
    bad.0.shell(line).good();
    let told = "caused by: none of your secret keys can read it\n\
                hint: ask somebody who can read it to name your key to `pass init` as well\n";
    bad.refuses_with(2, &["show", "daves"], told);
}

#[test]
fn an_entry_whose_password_cannot_be_replaced_is_named() {
    let bad = Bad::new();
    let told = |name: &str| {
        format!(
            "Could not reencrypt new password.\ncaused by: `{name}` is not in the password store\n\
             hint: `pass generate '{name}'` makes a new entry\n"
        )
    };
    bad.refuses(&["generate", "-i", "nope"], &told("nope"));
    bad.refuses(&["generate", "-i", "web"], &told("web"));
}

#[test]
fn a_clipboard_that_is_not_there_is_named_with_the_mend() {
    let bad = Bad::new();
    // Nothing but what decrypts.
    bad.0.shell("mkdir few; ln -s $(command -v gpg) few/; ln -s /bin/true few/wl-copy").good();
    for (line, text) in [
        (
            "pass show -c a",
            "Error: No X11 or Wayland display detected\n\
             hint: `a` was not copied: neither DISPLAY (X11) nor WAYLAND_DISPLAY is set\n",
        ),
        (
            "DISPLAY=:4711 pass show -c a",
            "error: cannot copy `a` to the clipboard\n\
             caused by: there is no display `:4711`, which DISPLAY names\nhint: set DISPLAY to",
        ),
        (
            "WAYLAND_DISPLAY=none PATH=few:$PATH pass show -c a",
            "caused by: there is no display `none`, which WAYLAND_DISPLAY names\nhint: set WAYLAND_DISPLAY to",
        ),
        (
            "DISPLAY=:1 PATH=few bin/pass show -c a",
            "caused by: the clipboard needs xclip or xsel, which is not installed\n\
             hint: install the package xclip\n",
        ),
        (
            "rm few/wl-copy; WAYLAND_DISPLAY=none PATH=few bin/pass show -c a",
            "caused by: the clipboard needs wl-copy, which is not installed\n\
             hint: install the package wl-clipboard",
        ),
        (
            "DISPLAY=:1 PASSWORD_STORE_X_SELECTION=nowhere pass show -c a",
            "caused by: there is no selection `nowhere`\nhint: PASSWORD_STORE_X_SELECTION takes clipboard,",
        ),
    ] {
        bad.refuses_line(line, text);
    }
}

#[test]
fn a_password_that_cannot_be_copied_is_not_generated() {
    let bad = Bad::new();
    for command in ["generate -c new", "generate -cf a", "generate -ci a 30", "generate -cn web/b"] {
        bad.refuses_line(&format!("pass {command}"), "Error: No X11 or Wayland display detected\nhint: ");
        bad.refuses_line(&format!("DISPLAY=:4711 pass {command}"), "there is no display `:4711`");
        bad.refuses_line(
            &format!("PASSWORD_STORE_CLIP_TIME=soon DISPLAY=:4711 pass {command}"),
            "PASSWORD_STORE_CLIP_TIME is `soon`",
        );
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
