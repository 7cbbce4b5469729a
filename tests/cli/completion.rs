//! Completions in the real shells, typed on a terminal where that differs from asking.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::{Keyring, Terminal, TestStore, subject};

/// Entries with what shells take amiss: blanks, quotes, word breaks, variables; and what must not be shown.
const ENTRIES: [&str; 12] = [
    "a b/it's",
    "a b/say \"hi\"",
    "web/user@example.com",
    "web/user@example.org",
    "web/x:y=z",
    "web/größe",
    "web/do$lar",
    "one/two/three",
    "top",
    "src",
    "bad\x1b[2J",
    "two\nlines",
];

/// Returns a store of empty files, with links of both names and a folder that is named as an entry is.
fn store() -> TestStore {
    let store = TestStore::with(&subject(), &Keyring::new());
    for entry in ENTRIES {
        let file = store.dir().join(format!("{entry}.gpg"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    symlink(subject(), store.root().join("bin/passel")).unwrap();
    fs::create_dir(store.root().join("src")).unwrap();
    store
}

/// Returns the path of a committed completion script.
fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name).to_str().unwrap().to_owned()
}

/// Types a line that ends in a tab, and waits until the shell calls the program with these words.
fn types(terminal: &mut Terminal, line: &str, words: &[&str]) {
    let called: String = words.iter().map(|word| format!("<{word}>")).collect();
    terminal.type_text(line);
    terminal.type_text("\r").wait_for(&called).wait_for("ready");
}

#[test]
fn bash_completes_names_as_they_must_be_typed() {
    let store = store();
    let alice = store.keyring().fingerprint("alice").to_owned();
    let mut terminal = store.terminal("INPUTRC=/dev/null exec bash --norc --noprofile -i");
    for program in ["passel", "pass"] {
        let print = format!("{program}() {{ printf '<%s>' \"$@\"; echo; }}");
        terminal.type_text(&format!("PS1='rea''dy '; {print}; source {}.bash\r", script(program)));
        terminal.wait_for("ready");
        for (line, words) in [
            ("a\\ \t", &["a b/"][..]),
            ("show one\t", &["show", "one/two/three"]),
            ("show a\\ b/i\t", &["show", "a b/it's"]),
            ("show \"a b/i\t", &["show", "a b/it's"]),
            ("show 'a b/s\t", &["show", "a b/say \"hi\""]),
            ("-c web/user@\t", &["-c", "web/user@example."]),
            ("edit web/user@example.c\t", &["edit", "web/user@example.com"]),
            ("rm web/x:y=\t", &["rm", "web/x:y=z"]),
            ("rm web/gr\t", &["rm", "web/größe"]),
            ("show web/do\t", &["show", "web/do$lar"]),
            ("show \"web/do\t", &["show", "web/do$lar"]),
            ("show sr\t", &["show", "src"]),
            ("show ba\t", &["show", "ba"]),
            ("gen\t", &["generate"]),
            ("mv one/\t", &["mv", "one/two/"]),
            ("show --cl\t", &["show", "--clip"]),
            ("show -- --cl\t", &["show", "--", "--cl"]),
            ("init alice@e\t", &["init", "alice@example.org"]),
            (&format!("init {}\t", &alice[..12]), &["init", &alice]),
            ("init -p o\t", &["init", "-p", "one/"]),
            ("init --path=o\t", &["init", "--path=one/"]),
            ("git pul\t", &["git", "pull"]),
        ] {
            types(&mut terminal, &format!("{program} {line}"), words);
        }
    }
    terminal.type_text("PASSWORD_STORE_EXTENSION_COMMANDS=(otp); ");
    terminal.type_text("__password_store_extension_complete_otp() { _pass_complete_entries 1; }\r");
    terminal.wait_for("ready");
    types(&mut terminal, "pass ot\t", &["otp"]);
    types(&mut terminal, "pass otp one\t", &["otp", "one/two/three"]);
    terminal.type_text("exit\r");
    terminal.finish().good();
}

#[test]
fn zsh_completes_names_as_they_must_be_typed() {
    let store = store();
    let alice = store.keyring().fingerprint("alice").to_owned();
    let mut terminal = store.terminal("exec zsh -f -i");
    terminal.type_text("autoload -Uz compinit; compinit -u -D; PS1='rea''dy '\r");
    terminal.wait_for("ready");
    for program in ["passel", "pass"] {
        let print = format!("{program}() {{ printf '<%s>' \"$@\"; echo }}");
        terminal.type_text(&format!("{print}; source {}\r", script(&format!("_{program}"))));
        terminal.wait_for("ready");
        for (line, words) in [
            ("show one/two/t\t", &["show", "one/two/three"][..]),
            ("show a\\ b/i\t", &["show", "a b/it's"]),
            ("edit \"a b/s\t", &["edit", "a b/say \"hi\""]),
            ("show web/user@example.c\t", &["show", "web/user@example.com"]),
            ("rm -f web/x:\t", &["rm", "-f", "web/x:y=z"]),
            ("web/gr\t", &["web/größe"]),
            ("-c web/do\t", &["-c", "web/do$lar"]),
            ("show ba\t", &["show", "ba"]),
            ("gen\t", &["generate"]),
            ("insert --mul\t", &["insert", "--multiline"]),
            ("mv one/tw\t", &["mv", "one/two/"]),
            ("init --path=one/t\t", &["init", "--path=one/two/"]),
            ("init alice@e\t", &["init", "alice@example.org"]),
            (&format!("init {}\t", &alice[..12]), &["init", &alice]),
        ] {
            types(&mut terminal, &format!("{program} {line}"), words);
        }
    }
    terminal.type_text("exit\r");
    terminal.finish().good();
}

#[test]
fn fish_completes_names_and_options() {
    let store = store();
    let alice = store.keyring().fingerprint("alice").to_owned();
    // Where fish looks before it takes what stock pass installed.
    let folder = store.root().join("home/.config/fish/completions");
    fs::create_dir_all(&folder).unwrap();
    for program in ["passel", "pass"] {
        symlink(script(&format!("{program}.fish")), folder.join(format!("{program}.fish"))).unwrap();
        let ask = |line: &str| {
            let words = ["-c", "complete -C \"$argv[1]\"", &format!("{program} {line}")];
            store.run("fish", &words, b"").good().out()
        };
        let names = |line: &str| -> Vec<String> {
            ask(line).lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
        };
        assert_eq!(names("show a"), ["a b/it's", "a b/say \"hi\""]);
        assert_eq!(names("-c web/do"), ["web/do$lar"]);
        assert_eq!(names("rm web/user@example.c"), ["web/user@example.com"]);
        assert_eq!(names("init -p o"), ["one/", "one/two/"]);
        assert_eq!(names("init alice@e"), ["alice@example.org"]);
        assert_eq!(names(&format!("init {}", &alice[..12])), [alice.as_str()]);
        assert_eq!(names("gen"), ["generate"]);
        assert_eq!(names("rm --rec"), ["--recursive"]);
        assert!(names("git pul").contains(&"pull".to_owned()));
        assert!(!ask("show ").contains('\x1b') && !ask("show ").contains("lines"));
    }
}

#[test]
fn asks_the_keyring_for_recipients() {
    let store = store();
    let found = store.run(store.root().join("bin/passel"), &["__complete", "keys"], b"").good().out();
    assert!(found.contains("alice@example.org") && found.contains("bob@example.org"), "{found}");
    assert!(!found.contains("expired@example.org"), "{found}");
    // Addresses and fingerprints are offered to who begins to type them, in either case.
    let alice = store.keyring().fingerprint("alice").to_owned();
    assert!(!found.contains(&alice) && !found.lines().any(|line| line == "alice@example.org"), "{found}");
    let asked = |typed: &str| {
        store.run(store.root().join("bin/passel"), &["__complete", "keys", typed], b"").good().out()
    };
    assert_eq!(asked("alice@"), "alice@example.org\n");
    assert_eq!(asked(&alice[..6]), format!("{alice}\n"));
    assert!(asked(&alice[..6].to_lowercase()).contains(&alice));
    let expired = store.keyring().fingerprint("expired").to_owned();
    assert!(!asked(&expired[..6]).contains(&expired) && !asked("expired@").contains("expired@"));
}

#[test]
fn nothing_is_asked_under_the_name_pass() {
    let store = store();
    let shown = store.pass(&["__complete", "names"], "");
    assert_eq!((shown.code, shown.err().as_str()), (1, "Error: __complete is not in the password store.\n"));
}
