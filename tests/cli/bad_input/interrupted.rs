//! Ctrl-C and signals at each prompt, on a real terminal: the store stays as it was, the terminal echoes
//! again.

use super::Bad;

/// Says whether the terminal is as a shell wants it.
const ASK_TERMINAL: &str = "case \"$(stty -a)\" in *' -echo '* | *'-icanon'* | *'-isig'*) echo broken;; \
                            *) echo restored;; esac";

/// Runs `line` on a terminal, answers what `typed` says, presses Ctrl-C at the last prompt.
///
/// `typed` holds prompts, each with what is typed at it.
#[track_caller]
fn interrupted(bad: &Bad, line: &str, typed: &[(&str, &str)]) {
    let before = bad.look();
    // The shell outlives the Ctrl-C that reaches the whole group where a program leaves signals on.
    let line = format!("trap : INT; {line}; echo \"code=$?\"; {ASK_TERMINAL}");
    let mut terminal = bad.0.terminal(&line);
    for (prompt, answer) in typed {
        terminal.wait_for(prompt).type_text(answer);
    }
    let screen = terminal.finish().out();
    assert!(screen.contains("code=1\n") || screen.contains("code=130\n"), "{line}: {screen}");
    assert!(screen.contains("\nrestored\n"), "{line}: {screen}");
    assert!(!screen.contains("panicked"), "{line}: {screen}");
    assert!(!screen.contains("hidden"), "{line} showed a password: {screen}");
    assert_eq!(bad.look().differences(&before), Vec::<String>::new(), "{line} changed the store");
}

#[test]
fn at_every_question_of_insert() {
    let bad = Bad::new();
    interrupted(&bad, "pass insert a", &[("Overwrite it? [y/N]", "\x03")]);
    interrupted(&bad, "pass insert new", &[("Enter password", "\x03")]);
    interrupted(&bad, "pass insert new", &[("Enter password", "hidden\x03")]);
    interrupted(
        &bad,
        "pass insert new",
        &[("Enter password", "hidden\r"), ("Retype password", "hidden\x03")],
    );
    interrupted(&bad, "pass insert a", &[("Overwrite it?", "y\r"), ("Enter password", "\x03")]);
    interrupted(&bad, "pass insert -e new", &[("Enter password", "seen\x03")]);
    interrupted(&bad, "pass insert -m new", &[("Ctrl+D when finished", "one\rtwo\x03")]);
}

#[test]
fn at_every_other_question() {
    let bad = Bad::new();
    interrupted(&bad, "pass generate a", &[("Overwrite it?", "\x03")]);
    interrupted(&bad, "pass rm a", &[("Are you sure", "\x03")]);
    interrupted(&bad, "pass rm -r web", &[("Are you sure", "\x03")]);
    interrupted(&bad, "pass mv a web/b", &[("overwrite", "\x03")]);
    interrupted(&bad, "pass cp a web/b", &[("overwrite", "y\x03")]);
}

#[test]
fn in_the_editor() {
    let bad = Bad::new();
    std::fs::write(
        bad.0.root().join("bin/slow-editor"),
        "#!/bin/sh\nreadlink -f \"$1\" >\"$HOME/where\"\necho changed >>\"$1\"\necho ready\nexec sleep 30\n",
    )
    .expect("the folder is ours");
    bad.0.shell("chmod +x bin/slow-editor").good();
    interrupted(&bad, "EDITOR=slow-editor pass edit a", &[("ready", "\x03")]);
    let place = std::fs::read_to_string(bad.0.root().join("home/where")).expect("the editor ran");
    assert!(!std::path::Path::new(place.trim()).exists(), "{place} is left");
    let folder = std::path::Path::new(place.trim()).parent().expect("it lies in a folder");
    assert!(folder.starts_with("/dev/shm") && !folder.exists(), "{place} is left");
}

#[test]
fn by_a_signal_it_dies_of_it_and_the_terminal_echoes_again() {
    let bad = Bad::new();
    let before = bad.look();
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        for (command, question) in [("insert new", "Enter password"), ("insert a", "Overwrite it?")] {
            let line = format!("sh -c 'echo $$ >pid; exec pass {command}'; echo \"code=$?\"; {ASK_TERMINAL}");
            let mut terminal = bad.0.terminal(&line);
            terminal.wait_for(question).type_text(if command == "insert new" { "hidden" } else { "" });
            bad.0.shell(&format!("kill -{signal} $(cat pid)")).good();
            let screen = terminal.finish().out();
            assert!(screen.contains(&format!("code={code}\n")), "{signal} {command}: {screen}");
            assert!(screen.contains("\nrestored\n"), "{signal} {command}: {screen}");
            assert!(!screen.contains("hidden"), "{signal} {command} showed a password: {screen}");
        }
    }
    assert_eq!(bad.look().differences(&before), Vec::<String>::new());
}
