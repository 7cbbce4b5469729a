//! With real extensions of Debian's, real gpg and git, and the real pass in place of our program, which is
//! called back by the same commands.

use std::fs;
use std::process::{Output, Stdio};

use super::*;

/// A store with one key, one repository and one entry, and a private keyring.
struct Scene {
    root: tempfile::TempDir,
}

/// A second user of the same keyring; both are without passphrase.
const USERS: [&str; 2] = ["anna@example.com", "bert@example.com"];

impl Scene {
    fn new() -> Self {
        let root = tempfile::Builder::new().prefix("pe").tempdir_in("/tmp").expect("made");
        let scene = Scene { root };
        for folder in ["gpg", "store", "ext", "home"] {
            fs::create_dir(scene.path(folder)).expect("made");
        }
        scene.shell("chmod 700 $GNUPGHOME");
        for user in USERS {
            scene.shell(&format!("gpg --batch -q --passphrase '' --quick-gen-key {user} default default"));
        }
        scene.shell("pass init anna@example.com; pass git init; printf 'pw\\nrest\\n' | pass insert -m a/b");
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Prepares a command to see this store and nothing else.
    fn prepare(&self, command: &mut Command) {
        command.env_clear().env("PATH", std::env::var_os("PATH").expect("PATH is set"));
        command.env("HOME", self.path("home")).env("GNUPGHOME", self.path("gpg"));
        command.env("PASSWORD_STORE_DIR", self.path("store"));
        command.env("PASSWORD_STORE_EXTENSIONS_DIR", self.path("ext"));
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "T").env(format!("GIT_{role}_EMAIL"), "t@example.com");
        }
        command.stdin(Stdio::null()).current_dir("/");
    }

    /// Runs commands that must succeed; returns what they print.
    fn shell(&self, script: &str) -> String {
        let mut command = Command::new("bash");
        self.prepare(command.args(["-ec", script]));
        let output = command.output().expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Writes an extension of the user's.
    fn extension(&self, name: &str, body: &str) {
        let file = self.path("ext").join(format!("{name}.bash"));
        fs::write(&file, body).expect("written");
        self.shell(&format!("chmod 755 '{}'", file.display()));
    }

    /// Runs an extension, ours or one of the system's, called as `pass NAME ARGUMENTS`.
    fn run_with(&self, own: &Path, words: &[&str], prepare: impl Fn(&mut Command)) -> Output {
        let user = self.path("ext");
        let found = Extension::find(OsStr::new(words[0]), Some(&user), Path::new(SYSTEM_FOLDER));
        let arguments: Vec<_> = words[1..].iter().map(OsString::from).collect();
        let found = found.expect("the extension is installed");
        let mut bash = found.bash(own, OsStr::new("/x/pass"), OsStr::new(words[0]), &arguments);
        self.prepare(&mut bash);
        prepare(&mut bash);
        bash.output().expect("bash runs")
    }

    fn run(&self, words: &[&str]) -> Output {
        self.run_with(Path::new("/usr/bin/pass"), words, |_| {})
    }

    /// Runs an extension that must succeed; returns what it prints.
    fn says(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success() && error.is_empty(), "{words:?}: {out}{error}");
        out
    }

    fn subject(&self) -> String {
        self.shell("git -C $PASSWORD_STORE_DIR log -1 --format=%s")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.shell("gpgconf --kill all");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn finds_executable_files_of_user_and_system() {
    let folder = tempfile::tempdir().expect("made");
    let [user, system] = ["user", "system"].map(|name| folder.path().join(name));
    for (place, name, mode) in
        [(&user, "both", "755"), (&system, "both", "755"), (&user, "plain", "644"), (&system, "sys", "755")]
    {
        fs::create_dir_all(place).expect("made");
        let file = place.join(format!("{name}.bash"));
        fs::write(&file, "").expect("written");
        assert!(Command::new("chmod").arg(mode).arg(file).status().expect("chmod runs").success());
    }
    fs::create_dir(user.join("folder.bash")).expect("made");
    let find = |name: &str, user: Option<&Path>| Extension::find(OsStr::new(name), user, &system);
    let origin = |found: Option<Extension>| found.map(|extension| extension.origin);
    assert_eq!(origin(find("both", Some(&user))), Some(Origin::User));
    assert_eq!(origin(find("/both", Some(&user))), Some(Origin::User));
    assert_eq!(origin(find("both", None)), Some(Origin::System));
    assert_eq!(origin(find("sys", Some(&user))), Some(Origin::System));
    for name in ["plain", "folder", "none", ""] {
        assert_eq!(find(name, Some(&user)), None, "{name}");
    }
}

#[test]
fn pass_otp_works() {
    let scene = Scene::new();
    let uri = "otpauth://totp/Site:me?secret=JBSWY3DPEHPK3PXP&issuer=Site";
    scene.extension("feed", "cmd_insert -m -f web/site; die never");
    let insert = scene.run_with(Path::new("/usr/bin/pass"), &["otp", "insert", "web/site"], |bash| {
        let file = scene.path("uri");
        fs::write(&file, format!("{uri}\n")).expect("written");
        bash.stdin(fs::File::open(file).expect("open"));
    });
    assert!(insert.status.success(), "{}", text(&insert.stderr));
    assert_eq!(scene.subject(), "Add OTP secret for web/site to store.\n");
    assert_eq!(scene.shell("pass show web/site"), format!("{uri}\n"));
    let code = scene.says(&["otp", "web/site"]);
    assert!(code.len() == 7 && code.trim_end().bytes().all(|b| b.is_ascii_digit()), "{code}");
    assert_eq!(scene.says(&["otp", "uri", "web/site"]), format!("{uri}\n"));
    assert_eq!(scene.run(&["otp", "validate", "nonsense"]).status.code(), Some(1));
    let missing = scene.run(&["otp", "web/none"]);
    assert_eq!((missing.status.code(), text(&missing.stderr).contains("not found")), (Some(1), true));
    // A hotp code counts: read, written and committed.
    scene.shell("printf 'otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP&counter=1\\n' | pass insert -m -f h");
    scene.run(&["otp", "h"]);
    assert!(scene.shell("pass show h").contains("counter=2"));
    assert_eq!(scene.subject(), "Increment HOTP counter for h.\n");
}

#[test]
fn pass_tail_and_tailedit_work() {
    let scene = Scene::new();
    assert_eq!(scene.says(&["tail", "a/b"]), "rest\n");
    let editor = scene.path("ed");
    scene.shell(&format!("printf '#!/bin/sh\\necho more >>$1\\n' >'{0}'; chmod 755 '{0}'", editor.display()));
    let edited = scene.run_with(Path::new("/usr/bin/pass"), &["tailedit", "a/b"], |bash| {
        bash.env("EDITOR", &editor);
    });
    assert!(edited.status.success(), "{}", text(&edited.stderr));
    assert_eq!(scene.shell("pass show a/b"), "pw\nrest\nmore\n");
    assert!(scene.subject().starts_with("Edit password for a/b using "));
}

#[test]
fn only_an_explicit_exit_reaches_the_caller() {
    let scene = Scene::new();
    for (body, code) in [
        ("false", 0),
        ("return 3", 0),
        ("exit 7", 7),
        ("die gone", 1),
        ("cmd_show no/such >/dev/null", 1),
        ("cmd_git no-such-command", 0),
        (
            "local x=1; [[ $# == 2 && $1 == 'a b' && $COMMAND == try && $PROGRAM == pass && $0 == /x/pass ]] || exit 9",
            0,
        ),
        ("check_sneaky_paths a/b ..c/d; check_sneaky_paths ok a/../b; exit 0", 1),
        ("yesno 'Sure?'; exit 4", 4),
    ] {
        scene.extension("try", body);
        let output = scene.run(&["try", "a b", "c"]);
        assert_eq!(output.status.code(), Some(code), "{body}: {}", text(&output.stderr));
    }
}

#[test]
fn offers_what_pass_offers() {
    let scene = Scene::new();
    // Every name of pass's interface, by the same question put to pass itself.
    let names = "die yesno check_sneaky_paths set_git git_add_file git_commit set_gpg_recipients \
                 reencrypt_path verify_file clip qrcode tmpdir cmd_version cmd_usage cmd_init cmd_show \
                 cmd_find cmd_grep cmd_insert cmd_edit cmd_generate cmd_delete cmd_copy_move cmd_git \
                 cmd_extension_or_show";
    scene.extension(
        "try",
        &format!(
            "declare -F {names}\nprintf '%s\\n' \"$PREFIX\" \"$EXTENSIONS\" \
         \"$GPG\" \"${{GPG_OPTS[@]}}\" \"$PROGRAM\" \"$COMMAND\" \"$CLIP_TIME\" \"$X_SELECTION\" \
         \"$GENERATED_LENGTH\" \"$CHARACTER_SET\" \"$CHARACTER_SET_NO_SYMBOLS\" \"$GETOPT\" \"$SHRED\" \
         \"$BASE64\" \"${{SECURE_TMPDIR-unset}}\" \"$SYSTEM_EXTENSION_DIR\" \"$GIT_CEILING_DIRECTORIES\" $-\n\
         set_git \"$PREFIX/new/folder/x.gpg\"; echo \"$INNER_GIT_DIR\"\n\
         set_gpg_recipients a/b; echo \"${{GPG_RECIPIENTS[@]}} ${{GPG_RECIPIENT_ARGS[@]}}\"\n\
         shopt -o pipefail; cmd_show a/b; cmd_find b; cmd_copy_move copy a/b c; cmd_copy_move move c d"
        ),
    );
    let ours = scene.says(&["try"]).replace(" c\n", "\n").replace("hBc", "hB");
    scene.shell("pass rm -f d");
    let theirs = scene.shell("PASSWORD_STORE_ENABLE_EXTENSIONS=true pass try");
    let strip = |text: &str| {
        // git names its commits: `[master 1234567] Copy a/b to c.`
        let differs = |line: &&str| line.starts_with("[ma");
        text.lines().filter(|line| !differs(line)).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(strip(&ours), strip(&theirs));
}

#[test]
fn clip_and_qrcode_call_us_back_through_a_pipe() {
    let scene = Scene::new();
    scene.extension("try", "clip 'se cret' 'the label'; qrcode 'se cret' other; clip x y; exit 5");
    let own = scene.path("own");
    let stub = "#!/bin/sh\nif [ \"$2\" = y ]; then exit 3; fi\n\
                printf '%s|%s|%s|%s\\n' \"$1\" \"$2\" \"$(cat)\" \"$PASSWORD_STORE_CLIP_TIME\"\n";
    fs::write(scene.path("text"), stub).expect("written");
    scene.shell(&format!("install -m755 '{}' '{}'", scene.path("text").display(), own.display()));
    let output = scene.run_with(&own, &["try"], |_| {});
    let expected = "--internal-clip|the label|se cret|45\n--internal-qrcode|other|se cret|45\n";
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn re_encrypts_what_has_other_keys() {
    let scene = Scene::new();
    scene.extension("try", "reencrypt_path \"$PREFIX\"; echo \"status $?\"");
    assert_eq!(scene.says(&["try"]), "status 0\n");
    // The recipients change behind pass's back; the last line has no line break.
    scene.shell("printf 'anna@example.com # first\\nbert@example.com' >$PASSWORD_STORE_DIR/.gpg-id");
    let said = scene.says(&["try"]);
    assert!(said.starts_with("a/b: reencrypting to ") && said.ends_with("status 0\n"), "{said}");
    let keys = "gpg --batch --list-only --status-fd=1 -d $PASSWORD_STORE_DIR/a/b.gpg 2>/dev/null";
    assert_eq!(scene.shell(keys).matches("ENC_TO").count(), 2);
    assert_eq!(scene.shell("pass show a/b"), "pw\nrest\n");
    assert_eq!(scene.says(&["try"]), "status 0\n");
    scene.shell("echo nobody@example.com >$PASSWORD_STORE_DIR/.gpg-id");
    let output = scene.run(&["try"]);
    assert!(text(&output.stdout).ends_with("status 1\n"));
    assert!(text(&output.stderr).contains("could not be encrypted anew"));
    assert_eq!(scene.shell("pass show a/b"), "pw\nrest\n");
    assert_eq!(scene.shell("find $PASSWORD_STORE_DIR -name '*.tmp*'"), "");
}

#[test]
fn follows_gpg_groups_and_refuses_links_as_recipients_files() {
    let scene = Scene::new();
    scene.extension("try", "reencrypt_path \"$PREFIX\"; echo \"status $?\"");
    scene.shell("echo 'group team = anna@example.com bert@example.com' >$GNUPGHOME/gpg.conf");
    scene.shell("echo team >$PASSWORD_STORE_DIR/.gpg-id");
    assert!(scene.says(&["try"]).starts_with("a/b: reencrypting to "));
    assert_eq!(scene.says(&["try"]), "status 0\n");
    scene.shell("cd $PASSWORD_STORE_DIR; mv .gpg-id ids; ln -s ids .gpg-id");
    let output = scene.run(&["try"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("is a symbolic link"));
}

#[test]
fn checks_signatures_of_user_extensions() {
    let scene = Scene::new();
    scene.extension("try", "echo ran");
    let key =
        scene.shell("gpg --list-keys --with-colons anna@example.com | awk -F: '/^fpr/{print $10; exit}'");
    let key = key.trim();
    let run = |key: &str| {
        scene.run_with(Path::new("/usr/bin/pass"), &["try"], |bash| {
            bash.env("PASSWORD_STORE_SIGNING_KEY", key);
        })
    };
    assert_eq!(run(key).status.code(), Some(1), "unsigned");
    scene.shell(&format!(
        "gpg --batch -q --local-user anna@example.com --detach-sign {}/try.bash",
        scene.path("ext").display()
    ));
    assert_eq!(text(&run(key).stdout), "ran\n");
    assert_eq!(text(&run(&format!("{} {key}", "A".repeat(40))).stdout), "ran\n");
    for wrong in ["A".repeat(40), key[1..].to_string(), key.to_lowercase()] {
        assert_eq!(run(&wrong).status.code(), Some(1), "{wrong}");
    }
    scene.extension("try", "echo changed");
    let changed = run(key);
    assert_eq!((changed.status.code(), text(&changed.stdout)), (Some(1), String::new()));
}

#[test]
fn a_killed_extensions_folder_is_swept() {
    let scene = Scene::new();
    scene.extension("try", "tmpdir; echo secret >\"$SECURE_TMPDIR/x\"; echo \"$SECURE_TMPDIR\"; kill -9 $$");
    let folder = PathBuf::from(text(&scene.run(&["try"]).stdout).trim());
    assert!(folder.join("x").exists());
    super::super::tmpdir::sweep(&[PathBuf::from("/dev/shm")]);
    assert!(!folder.exists());
    scene.extension("try", "tmpdir; tmpdir; stat -c %a \"$SECURE_TMPDIR\"; echo \"$SECURE_TMPDIR\"");
    let said = scene.says(&["try"]);
    let (mode, folder) = said.split_once('\n').expect("two lines");
    assert_eq!(mode, "700");
    assert!(!Path::new(folder.trim()).exists());
}
