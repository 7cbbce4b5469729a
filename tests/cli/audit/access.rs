//! `audit access`.

use super::json;
use crate::cli::git::Repository;

/// Who reads how many of a folder's entries: `NAME READS NAMED`, folder by folder.
fn matrix(store: &Repository, line: &str) -> Vec<String> {
    let report = json(store, line);
    let mut rows = Vec::new();
    for folder in report["folders"].as_array().expect("an array") {
        for reader in folder["readers"].as_array().expect("an array") {
            let name = reader["email"].as_str().or(reader["key_id"].as_str()).unwrap_or("hidden");
            let name = name.split('@').next().expect("a part");
            rows.push(format!(
                "{} {name} {} {}",
                folder["folder"].as_str().unwrap_or("-"),
                reader["reads"],
                reader["named"]
            ));
        }
    }
    rows.sort();
    rows
}

fn store() -> Repository {
    let store = Repository::new();
    store.ok("export GIT_AUTHOR_DATE='2026-01-01T12:00:00Z' GIT_COMMITTER_DATE='2026-01-01T12:00:00Z'
        echo 1 | pass insert -m web/a; echo 1 | pass insert -m web/b; pass init -p team $ALICE $BOB; echo 1 | pass insert -m team/c");
    store.ok("export GIT_AUTHOR_DATE='2026-02-01T12:00:00Z' GIT_COMMITTER_DATE='2026-02-01T12:00:00Z'
        pass init -p team $ALICE $CAROL; pass rm -f web/b");
    store
}

#[test]
fn tells_who_reads_what_now_and_at_any_moment() {
    let store = store();
    let now = ["/ alice 1 1", "team alice 1 1", "team carol 1 1"];
    assert_eq!(matrix(&store, "pass audit access --json"), now);
    let then = ["/ alice 2 2", "team alice 1 1", "team bob 1 1"];
    for at in ["2026-01-01", "2026-01-31", "2026-02-01T11:59:59Z", "HEAD~2"] {
        assert_eq!(matrix(&store, &format!("pass audit access --at {at} --json")), then, "{at}");
    }
    assert_eq!(matrix(&store, "pass audit access --at 2026-02-01 --json"), now);
    assert_eq!(matrix(&store, "pass audit access team --at 2026-01-01 --json"), then[1..]);
    assert_eq!(matrix(&store, "pass audit access web/b --at HEAD~2 --json"), ["/ alice 1 1"]);
    let refused = store.shell("pass audit access --at 2025-12-31");
    assert_eq!(refused.code, 1);
    assert!(refused.err().contains("the history begins on 2026-01-01"), "{}", refused.err());
    assert!(store.shell("pass audit access --at nonsense").err().contains("nonsense"));
    assert!(store.shell("pass audit access web/b").err().contains("is not in the password store"));
}

#[test]
fn what_the_files_say_counts_and_not_what_the_lists_say() {
    let store = store();
    // A list that somebody changed by hand, and an entry that somebody encrypted to more.
    store.ok("cd store; echo $BOB >>team/.gpg-id; gpg -q --trust-model always -e -r $ALICE -r $RSA -o x.gpg <<<x; mv x.gpg web/a.gpg
        git add .; git commit -qm odd");
    let rows = matrix(&store, "pass audit access --json");
    assert_eq!(rows, ["/ alice 1 1", "/ rsa 1 0", "team alice 1 1", "team bob 0 1", "team carol 1 1"]);
    let said = store.ok("pass audit access");
    for words in [
        "rsa@example.org>     1/1    0/1    reads, but is not named",
        "0/1    1/1    is named, but cannot read",
    ] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    let said = store.ok("pass audit access --by person");
    assert!(said.contains("rsa@example.org>: 1 entry\n  FOLDER"), "{said}");
}

#[test]
fn spreadsheets_and_odd_files() {
    let store = store();
    store.ok("cd store; echo plain >web/plain.gpg; gpg -q --trust-model always -R $ALICE -e -o web/hidden.gpg <<<x; git add .; git commit -qm odd");
    let output = store.shell("pass audit access --csv");
    assert_eq!(output.code, 3);
    assert!(output.err().contains("incomplete: 1 entry is no message"), "{}", output.err());
    let csv = output.out();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0].trim_end(), "folder,entries,kind,fingerprint,key_id,name,email,reads,named");
    assert!(csv.contains("/,3,hidden,,,,,1,0"), "{csv}");
    assert!(lines.iter().all(|line| line.trim_end().split(',').count() == 9), "{csv}");
    assert!(csv.contains("/,3,broken,,,web/plain,,,"), "{csv}");
    let said = store.shell("pass audit access").out();
    assert!(said.contains("No messages, so that nobody can tell who reads them: web/plain."), "{said}");
    for at in ["", "--at HEAD"] {
        assert_eq!(
            json(&store, &format!("pass audit access {at} --json"))["folders"][0]["broken"][0],
            "web/plain"
        );
    }
}

#[test]
fn an_answer_that_lacks_something_says_so() {
    let store = store();
    store.ok("git clone -q --depth 2 file://$PWD/store shallow");
    let output = store.shell("PASSWORD_STORE_DIR=$PWD/shallow pass audit access --at HEAD~1");
    assert_eq!(output.code, 3, "{}", output.err());
    assert!(output.err().contains("incomplete: the history is cut off"), "{}", output.err());
    // A version that is missing: what is there is told.
    store.ok("cd store; b=$(git rev-parse HEAD~2:team/c.gpg); rm -f .git/objects/$(echo $b | cut -c-2)/$(echo $b | cut -c3-)");
    let output = store.shell("pass audit access --at HEAD~2 --json");
    assert_eq!(output.code, 3, "{}", output.err());
    assert!(output.err().contains("team/c"), "{}", output.err());
    assert_eq!(
        matrix(&store, "pass audit access --at HEAD~2 --json"),
        ["/ alice 2 2", "team alice 0 1", "team bob 0 1"]
    );
    assert_eq!(store.shell("pass audit access").code, 0);
}

#[test]
fn other_lines_of_history_are_named() {
    let store = store();
    store.ok("cd store; git checkout -qb side HEAD~1
        GIT_COMMITTER_DATE='2026-03-01T00:00:00Z' git commit -q --allow-empty -m side; git checkout -q master
        GIT_COMMITTER_DATE='2026-03-02T00:00:00Z' git commit -q --allow-empty -m main
        GIT_COMMITTER_DATE='2026-03-03T00:00:00Z' git merge -q --no-edit side");
    let said = store.ok("pass audit access --at 2026-03-02");
    let side = store.ok("git -C store rev-parse --short=10 side");
    assert!(said.contains(&format!("Others worked beside it, and had {side} (2026-03-01) then.")), "{said}");
}
