//! What is refused, and what is said to be incomplete.

use super::{contractor, id, json, worked_on};
use crate::cli::git::Repository;
use crate::common::TestStore;

#[test]
fn what_cannot_be_opened_is_refused_before_anything_is_written() {
    let store = contractor();
    for (line, words) in [
        ("pass incident open x --about nobody@example.org", "nobody@example.org"),
        ("pass incident open x --about quokka/wiki --about no-such-thing", "no key, entry or commit"),
        ("pass incident open ' ' --about quokka/wiki", "TITLE"),
        ("pass incident open x --about quokka/wiki --since soon", "write a day as"),
        ("pass incident note 0123 x", "no incident is called `0123`"),
        ("pass incident show", "no incident is open"),
        ("pass incident close 0123 --why ''", "--why TEXT says it"),
    ] {
        store.refused(line, &[words]);
    }
    store.refused("pass incident open x", &["--about"]);
    assert_eq!(store.ok("pass incident list"), "There is no incident.");
}

#[test]
fn without_git_or_a_team_there_is_no_incident() {
    let store = TestStore::new();
    let output =
        store.shell("pass init $ALICE >/dev/null; echo x | pass insert -m a; pass incident open x --about a");
    assert!(output.code == 1 && output.err().contains("no git repository"), "{}", output.err());
    let store = Repository(TestStore::new());
    store.ok("pass init -p web $ALICE; pass git init; echo x | pass insert -m web/a");
    store.refused("pass incident open x --about web/a", &["the store has no recipients of its own"]);
}

#[test]
fn digits_that_several_have_name_none() {
    let store = contractor();
    store.ok("pass incident open one --about quokka/wiki --no-rotate
        cd store/.passel.d/incidents; f=$(ls); cp $f 0123456789abcdef.gpg; cp $f 0123456789abcdee.gpg; git add -A; git commit -qm twins");
    let twins = ["0123456789abcdee", "0123456789abcdef"];
    store.refused("pass incident show 01234567", &[twins[0], twins[1], "hint: give more digits"]);
    store.refused("pass incident show 012", &["no incident is called `012`"]);
    for twin in twins {
        assert_eq!(json(&store, &format!("pass incident show {} --json", twin.to_uppercase()))["id"], twin);
    }
}

#[test]
fn records_that_cannot_be_read_are_said_and_repeat_nothing() {
    let store = worked_on();
    store.ok("cd store/.passel.d/incidents; gpg -q -e -r $ALICE -o aaaabbbbccccdddd.gpg <<<'hunter2: x'; echo junk >eeee.gpg; git add -A; git commit -qm odd");
    for line in ["pass incident list", "pass incident show", "pass incident report -o out"] {
        let output = store.shell(line);
        assert_eq!(output.code, 1, "{line}");
        assert!(output.out().contains("Wombat") || line.contains("report"), "{line}: {}", output.out());
        assert!(
            output.err().contains("aaaabbbbccccdddd") && output.err().contains("eeee"),
            "{}",
            output.err()
        );
        assert!(!output.err().contains("hunter2"), "{}", output.err());
    }
    let team = std::fs::read_to_string(store.root().join("out/team.md")).unwrap();
    assert!(team.contains("2 records could not be read."), "{team}");
    store.refused("pass incident show aaaabbbb", &["is no record of passel's"]);
}

#[test]
fn a_history_that_is_not_all_here_is_said_and_the_incident_is_open() {
    let store = contractor();
    store.ok("git clone -q --depth 3 file://$PWD/store shallow");
    let output =
        store.shell("export PASSWORD_STORE_DIR=$PWD/shallow; pass incident open x --about bob@example.org");
    assert_eq!(output.code, 3, "{}", output.err());
    assert!(output.out().contains(" is open: x") && output.err().contains("incomplete:"), "{}", output.out());
    let output = store.shell("export PASSWORD_STORE_DIR=$PWD/shallow; pass incident open y --about quokka/wiki; pass incident report -o out");
    assert_eq!(output.code, 3, "{}", output.err());
    let team = std::fs::read_to_string(store.root().join("out/team.md")).unwrap();
    assert!(
        team.contains("## What this report may lack") && team.contains("the history is cut off"),
        "{team}"
    );
}

#[test]
#[ignore = "long: make test-long"]
fn reports_that_are_there_are_kept() {
    let store = worked_on();
    let id = id(&store);
    store.ok(
        "pass incident report -o new/out; echo mine >new/out/acme.md; rm new/out/team.md; ls new/out >before",
    );
    store.refused(&format!("pass incident report {id} -o new/out"), &["is there already", "--force"]);
    assert_eq!(
        store.ok("ls new/out | cmp - before; cat new/out/acme.md"),
        "mine",
        "nothing is written, then"
    );
    store.ok(&format!("pass incident report {id} -o new/out --force"));
    let modes = store.ok("stat -c %a new/out new/out/* | sort -u");
    assert_eq!(modes, "600\n700");
    store.ok("rm new/out/acme.md; ln -s ../precious new/out/acme.md; echo precious >new/precious");
    store.refused(&format!("pass incident report {id} -o new/out --force"), &["no ordinary file"]);
    assert_eq!(store.ok("cat new/precious"), "precious");
    store.ok("echo file >plain");
    store.refused("pass incident report -o plain", &["cannot make the folder `plain`"]);
}
