//! Extensions of pass: Debian's own, and small ones that look at what they find around them.

mod recipients;
mod reencrypting;
mod signatures;

use super::git::Repository;
use crate::common::{Output, stock_pass};

/// A store with one repository and the entry `a/b`, and a folder for extensions.
struct Extended(Repository);

impl Extended {
    fn new() -> Self {
        let made = Self(Repository::new());
        made.ok("printf 'pw\\nrest\\n' | pass insert -m a/b");
        made
    }

    /// Runs a line of shell in which extensions are switched on.
    fn shell(&self, line: &str) -> Output {
        let switch = "export PASSWORD_STORE_ENABLE_EXTENSIONS=true PASSWORD_STORE_EXTENSIONS_DIR=$PWD/ext";
        self.0.shell(&format!("{switch}; {line}"))
    }

    /// Runs a line that must succeed; returns what it printed, without the last newline.
    #[track_caller]
    fn ok(&self, line: &str) -> String {
        let output = self.shell(&format!("set -e; {line}"));
        assert_eq!(output.code, 0, "{line}\nstdout:\n{}\nstderr:\n{}", output.out(), output.err());
        output.out().trim_end().to_owned()
    }

    /// Writes the extension `try`.
    fn extension(&self, body: &str) {
        self.0.script("ext/try.bash", body);
    }

    /// Runs an extension that is this text; it must succeed.
    #[track_caller]
    fn says(&self, body: &str) -> String {
        self.extension(body);
        self.ok("pass try")
    }

    /// Runs an extension that is this text and that must be ended with 1 by the last of its lines, for this
    /// reason, with nothing changed.
    #[track_caller]
    fn refused(&self, body: &str, reason: &str) -> Output {
        self.extension(&format!("{body}\necho went on"));
        let before = self.0.state();
        let output = self.shell("pass try");
        let (out, err) = (output.out(), output.err());
        assert_eq!(output.code, 1, "{body}: {out}{err}");
        assert!(err.contains(reason) && !out.contains("went on"), "{body}: {out}{err}");
        assert_eq!(self.0.state(), before, "{body}");
        output
    }
}

#[test]
fn pass_otp_works() {
    let store = Extended::new();
    let uri = "otpauth://totp/Site:me?secret=JBSWY3DPEHPK3PXP&issuer=Site";
    store.ok(&format!("pass otp insert web/site <<<'{uri}'"));
    assert_eq!(store.0.subjects().last().expect("a commit"), "Add OTP secret for web/site to store.");
    assert_eq!(store.ok("pass show web/site"), uri);
    let code = store.ok("pass otp web/site");
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    assert_eq!(store.ok("pass otp uri web/site"), uri);
    assert_eq!(store.shell("pass otp validate nonsense").code, 1);
    let missing = store.shell("pass otp web/none");
    assert_eq!((missing.code, missing.err().contains("not found")), (1, true));
    // A hotp code counts: read, written and committed; by the name that front ends give it too. (Twice, its
    // own `${uri/&…}` fails under bash 5.2.)
    for (entry, name) in [("web/h", "web/h"), ("web/i", "/web/i")] {
        let uri = "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP&counter=1";
        store.ok(&format!("echo '{uri}' | pass insert -m -f {entry}; pass otp {name}"));
        assert!(store.ok(&format!("pass show {entry}")).contains("counter=2"));
        let subject = format!("Increment HOTP counter for {name}.");
        assert_eq!(store.0.subjects().last(), Some(&subject));
    }
    store.0.clean();
}

#[test]
fn pass_tail_and_tailedit_work() {
    let store = Extended::new();
    assert_eq!(store.ok("pass tail a/b"), "rest");
    store.0.script("editor", "#!/bin/sh\necho more >>$1\n");
    store.ok("EDITOR=$PWD/editor pass tailedit a/b");
    assert_eq!(store.0.decrypted("a/b"), "pw\nrest\nmore\n");
    assert!(store.0.subjects().last().expect("a commit").starts_with("Edit password for a/b using "));
    store.0.clean();
}

#[test]
fn only_an_explicit_exit_reaches_the_caller() {
    let store = Extended::new();
    for (body, code) in [
        ("false", 0),
        ("return 3", 0),
        ("exit 7", 7),
        ("die gone", 1),
        ("cmd_show no/such >/dev/null", 1),
        ("cmd_git no-such-command", 0),
        ("local x=1; [[ $# == 2 && $1 == 'a b' && $COMMAND == try && $PROGRAM == pass ]] || exit 9", 0),
        ("check_sneaky_paths a/b ..c/d; check_sneaky_paths ok a/../b; exit 0", 1),
        ("yesno 'Sure?'; exit 4", 4),
    ] {
        store.extension(body);
        let output = store.shell("pass try 'a b' c");
        assert_eq!(output.code, code, "{body}: {}", output.err());
    }
}

#[test]
fn offers_what_pass_offers() {
    let store = Extended::new();
    // Every name of pass's interface, by the same question put to pass itself.
    let names = "die yesno check_sneaky_paths set_git git_add_file git_commit set_gpg_recipients \
                 reencrypt_path verify_file clip qrcode tmpdir cmd_version cmd_usage cmd_init cmd_show \
                 cmd_find cmd_grep cmd_insert cmd_edit cmd_generate cmd_delete cmd_copy_move cmd_git \
                 cmd_extension_or_show";
    store.extension(&format!(
        "declare -F {names}\nprintf '%s\\n' \"$PREFIX\" \"$EXTENSIONS\" \"$GPG\" \"${{GPG_OPTS[@]}}\" \
         \"$PROGRAM\" \"$COMMAND\" \"$CLIP_TIME\" \"$X_SELECTION\" \"$GENERATED_LENGTH\" \
         \"$CHARACTER_SET\" \"$CHARACTER_SET_NO_SYMBOLS\" \"$GETOPT\" \"$SHRED\" \"$BASE64\" \
         \"${{SECURE_TMPDIR-unset}}\" \"$SYSTEM_EXTENSION_DIR\" \"$GIT_CEILING_DIRECTORIES\" $-\n\
         set_git \"$PREFIX/new/folder/x.gpg\"; echo \"$INNER_GIT_DIR\"\n\
         set_gpg_recipients a/b; echo \"${{GPG_RECIPIENTS[@]}} ${{GPG_RECIPIENT_ARGS[@]}}\"\n\
         shopt -o pipefail; cmd_show a/b; cmd_find b; cmd_copy_move copy a/b c; cmd_copy_move move c d"
    ));
    // Ours is read by `bash -c`.
    let ours = store.ok("pass try").replace("\nhBc\n", "\nhB\n");
    store.ok("pass rm -f d");
    let theirs = store.ok(&format!("{} try", stock_pass().display()));
    // git names its commits: `[master 1234567] Copy a/b to c.`
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("[ma")).map(str::to_owned).collect()
    };
    assert_eq!(lines(&ours), lines(&theirs));
}

#[test]
fn a_killed_extensions_folder_is_swept() {
    let store = Extended::new();
    // Any passel may sweep it, those of other tests too, as soon as it is killed.
    let body = "tmpdir; cd \"$SECURE_TMPDIR\"; echo secret >x; cat x; echo \"$SECURE_TMPDIR\"; kill -9 $$";
    store.extension(body);
    let killed = store.shell("pass try").out();
    let folder = killed.strip_prefix("secret\n").expect("it was killed after that").trim();
    store.ok(&format!("pass version >/dev/null; not test -e {folder}"));
    let said = store.says("tmpdir; tmpdir; stat -c %a \"$SECURE_TMPDIR\"; echo \"$SECURE_TMPDIR\"");
    let (mode, folder) = said.split_once('\n').expect("two lines");
    assert_eq!(mode, "700");
    store.ok(&format!("not test -e {folder}"));
}

/// A name that writes into the clipboard of some terminals.
const HOSTILE: &str = "x\u{1b}]52;c;eA==\u{7}\u{202e}y";

#[test]
fn no_name_drives_the_terminal() {
    let store = Extended::new();
    let name = format!("name=$'{HOSTILE}'; ");
    let body = "die \"No $name here,\nsorry.\"";
    store.extension(&format!("{name}{body}"));
    let switch = "export PASSWORD_STORE_ENABLE_EXTENSIONS=true PASSWORD_STORE_EXTENSIONS_DIR=$PWD/ext; ";
    let dead = store.0.terminal(&format!("{switch}pass try")).finish();
    assert_eq!(dead.out(), "No x\\x1b]52;c;eA==\\x07\\u{202e}y here,\nsorry.\n");
    assert_eq!(dead.code, 1);
    // Into a pipe, where no terminal is, the text goes as it is.
    let piped = store.shell("pass try");
    assert_eq!((piped.code, piped.err()), (1, format!("No {HOSTILE} here,\nsorry.\n")));

    store.extension(&format!(
        "{name}yesno \"Write $name?\"; set_git \"$PREFIX/a/\"; echo x >\"$PREFIX/new\"
         git_add_file \"$PREFIX/new\" \"Add $name.\""
    ));
    let mut terminal = store.0.terminal(&format!("{switch}pass try"));
    terminal.wait_for("Write x\\x1b]52;c;eA==\\x07\\u{202e}y? [y/N] ").type_text("y\r");
    let asked = terminal.finish();
    assert_eq!(asked.code, 0, "{}", asked.out());
    assert!(!asked.out().contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", asked.out());
    let subject = store.0.subjects().pop().expect("a commit");
    assert_eq!(subject, "Add x\\x1b]52;c;eA==\\x07\\u{202e}y.");
    store.0.clean();
}
