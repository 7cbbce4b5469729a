//! `grep`, where the program answers by itself.

use super::git::Repository;

/// A store of two entries, and a grep that must not be asked: `PATH=$PWD/none:$PATH`.
fn store() -> Repository {
    let store = Repository::new();
    store.ok("printf 'pw\\nuser: anna\\n' | pass insert -m web/a; printf 'ü anna b\\n' | pass insert -m b");
    store.script("none/grep", "#!/bin/sh\necho asked >&2\nexit 2\n");
    store
}

#[test]
fn starts_no_grep_where_it_is_certain() {
    let store = store();
    for words in
        ["anna", "-i ANNA", "-n ann", "-oE 'a|an+'", "-v nobody", "-c anna", "-C1 anna", "-l anna", "nobody"]
    {
        let theirs = store.shell(&format!("pass grep {words}; GREP_COLORS=mt=01\\;31 pass grep {words}"));
        let ours = store.ok(&format!("PATH=$PWD/none:$PATH; pass grep {words}; pass grep {words}"));
        assert_eq!(ours, theirs.out().trim_end(), "{words}");
        assert_eq!(ours.contains("anna") || ours.contains("\u{1b}"), words != "nobody", "{words}");
    }
}

#[test]
fn asks_grep_where_the_environment_decides() {
    let store = store();
    for line in [
        "GREP_COLORS=mt=32 pass grep anna",
        "GREP_COLOR=32 pass grep anna",
        "POSIXLY_CORRECT=1 pass grep anna -n",
        "LC_ALL=xx_XX.UTF-8 pass grep -n anna",
        "LC_ALL= LANG=C.UTF-8 LC_TIME=xx_XX.UTF-8 pass grep -n anna",
        "LANGUAGE=de pass grep -l anna",
        "pass grep -w anna",
        "pass grep -q anna",
    ] {
        store.refused(&format!("PATH=$PWD/none:$PATH; {line}"), &["asked", "grep failed with exit code 2"]);
    }
    store.ok("PATH=$PWD/none:$PATH; LC_ALL= LANG=C.UTF-8 pass grep -n anna; LC_ALL=C pass grep -w anna");
    // What no entry holds is asked of none.
    store.ok("PATH=$PWD/none:$PATH; LC_ALL=xx_XX.UTF-8 pass grep nobody; LANGUAGE=de pass grep -l nobody");
}
