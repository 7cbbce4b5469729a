//! `audit exposure`.

use super::{json, with};
use crate::cli::git::Repository;

/// Bob could read the folder `team` until he was taken out.
fn left() -> Repository {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE $BOB
        printf 'one\\nurl: https://a.example\\n' | pass insert -m team/a; echo two | pass insert -m team/b; echo three | pass insert -m team/c
        printf 'four\\npin: 1\\notpauth://totp/x?secret=S\\n' | pass insert -m team/d; echo five | pass insert -m team/gone
        echo own | pass insert -m web/own; echo two | pass insert -m web/same
        pass init -p team $ALICE");
    store
}

#[test]
fn what_was_encrypted_anew_is_as_exposed_as_before() {
    let store = left();
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(with(&report, "valid"), ["team/a", "team/b", "team/c", "team/d", "team/gone", "web/same"]);
    assert_eq!(report["versions"], 5);
    assert_eq!(report["entries"][0]["url"], "https://a.example");
    assert_eq!(report["entries"][0]["reads_now"], false);
    assert_eq!(report["entries"][5]["elsewhere"][0], "team/b", "the same password in another entry");

    // Changed, edited beside the password, removed, moved and then changed, one secret of three changed.
    store.ok("echo new | pass insert -mf team/a; printf 'two\\nnote: x\\n' | pass insert -mf team/b; pass rm -f team/gone; pass mv team/c web/c
        printf 'four\\npin: 2\\notpauth://totp/x?secret=S\\n' | pass insert -mf team/d");
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(with(&report, "valid"), ["team/b", "team/d", "web/c", "web/same"]);
    assert_eq!(with(&report, "changed"), ["team/a"]);
    assert_eq!(with(&report, "gone"), ["team/gone"]);
    let entries = report["entries"].as_array().unwrap();
    let of = |name: &str| entries.iter().find(|entry| entry["name"] == name).unwrap().clone();
    let secrets = |name: &str| {
        of(name)["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| format!("{}={}", s["name"], s["verdict"]))
            .collect::<Vec<_>>()
            .join(" ")
            .replace('"', "")
    };
    assert_eq!(secrets("team/d"), "password=valid pin=changed one-time codes=valid");
    assert_eq!(of("web/c")["former"][0], "team/c");
    store.ok("echo new | pass insert -mf web/c");
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(with(&report, "changed"), ["team/a", "web/c"], "followed through the move");
}

#[test]
fn nothing_that_is_secret_is_printed() {
    let store = left();
    let said = store.shell("pass audit exposure bob@example.org; pass audit exposure bob@example.org --json; pass audit exposure team/d; pass audit access; pass audit exposure nobody");
    let said = format!("{}{}", said.out(), said.err());
    for secret in ["one", "two", "three", "four", "five", "secret=S"] {
        let words = said.split(|c: char| !c.is_alphanumeric() && c != '=');
        let found = words.filter(|word| *word == secret).count();
        // "one-time codes" is a name.
        assert!(
            found == 0 || (secret == "one" && said.matches("one-time").count() == found),
            "{secret} in\n{said}"
        );
    }
}

#[test]
fn without_decrypting_only_what_is_the_same_data_is_known() {
    let store = left();
    let report = json(&store, "pass audit exposure bob@example.org --no-decrypt --json");
    assert_eq!(with(&report, "unknown"), ["team/a", "team/b", "team/c", "team/d", "team/gone"]);
    let report = json(&store, "pass audit exposure alice@example.org --no-decrypt --json");
    assert_eq!(with(&report, "valid").len(), 7);
}

#[test]
fn what_cannot_be_decrypted_here_is_unknown_and_says_who_can_tell() {
    let store = Repository::new();
    store.ok("pass init -p dave $DAVE $BOB; echo x | pass insert -m dave/a; echo y | pass insert -m dave/b");
    // Encrypted to Dave alone, whose secret key is not here.
    store.ok("cd store; for n in a b; do gpg -q --trust-model always --yes -e -r $DAVE -o dave/$n.gpg <<<x; done; git commit -qam dave");
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(with(&report, "unknown"), ["dave/a", "dave/b"]);
    assert_eq!(report["entries"][0]["ask"][0]["email"], "dave@example.org");
    let said = store.ok("pass audit exposure bob@example.org");
    assert!(said.contains("dave@example.org> can tell"), "{said}");
}

#[test]
fn other_branches_count_and_reflogs_are_said_apart() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE $BOB; cd store; git checkout -qb side; echo s | pass insert -m team/side; git checkout -q master
        git checkout -qb lost; echo l | pass insert -m team/lost; git checkout -q master; git branch -qD lost");
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(with(&report, "gone"), ["team/lost", "team/side"]);
    let only: Vec<&serde_json::Value> =
        report["entries"].as_array().unwrap().iter().map(|entry| &entry["reflog_only"]).collect();
    assert_eq!(only, [&serde_json::Value::Bool(true), &serde_json::Value::Bool(false)]);
    assert!(store.ok("pass audit exposure bob@example.org").contains("only this machine's reflog has it"));
}

#[test]
fn an_entry_or_a_commit_that_leaked_tells_who_had_it_and_what_else_falls() {
    let store = left();
    store.ok("printf 'mail\\nlogin: Ada@x.example\\n' | pass insert -m mail/ada; printf 'q\\nrecovery email: ada@x.example\\n' | pass insert -m shop");
    let report = json(&store, "pass audit exposure team/b --json");
    let who: Vec<&str> = report["readers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reader| reader["email"].as_str().unwrap())
        .collect();
    assert_eq!(report["versions"], 2);
    assert!(
        who.contains(&"alice@example.org") && who.contains(&"bob@example.org") && who.len() == 2,
        "{who:?}"
    );
    assert_eq!(with(&report, "valid"), ["team/b", "web/same"]);
    let report = json(&store, "pass audit exposure mail/ada --json");
    assert_eq!(report["recover"][0], "shop");
    let commit = store.ok("git -C store log --format=%h --grep='Add given password for team/b' | tail -1");
    let report = json(&store, &format!("pass audit exposure {commit} --json"));
    assert_eq!(with(&report, "valid"), ["team/b", "web/same"]);
    store.ok("echo new | pass insert -mf team/b");
    let report = json(&store, &format!("pass audit exposure {commit} --json"));
    assert_eq!(
        (with(&report, "valid"), with(&report, "changed")),
        (vec!["web/same".to_owned()], vec!["team/b".to_owned()])
    );
    // What is gone can have leaked as well.
    store.ok("pass rm -f team/gone");
    assert_eq!(with(&json(&store, "pass audit exposure team/gone --json"), "gone"), ["team/gone"]);
}

#[test]
fn since_a_day_only_what_stood_then_counts() {
    let store = Repository::new();
    let at =
        |day: &str| format!("export GIT_AUTHOR_DATE='{day}T12:00:00Z' GIT_COMMITTER_DATE='{day}T12:00:00Z'");
    store.ok(&format!("pass init -p team $ALICE $BOB; {}; echo old | pass insert -m team/a; echo stays | pass insert -m team/b", at("2026-01-01")));
    store.ok(&format!("{}; echo new | pass insert -mf team/a", at("2026-02-01")));
    store.ok("pass init -p team $ALICE; echo newest | pass insert -mf team/a");
    let versions = |since: &str| {
        json(&store, &format!("pass audit exposure bob@example.org --json {since}"))["versions"].as_u64()
    };
    assert_eq!(versions(""), Some(3));
    assert_eq!(versions("--since 2026-01-15"), Some(3));
    assert_eq!(versions("--since 2026-02-02"), Some(2), "the first version of one was replaced before");
    let output = store.shell("pass audit exposure bob@example.org --since yesterday");
    assert!(output.err().contains("hint: write a day as 2026-03-01"), "{}", output.err());
}

#[test]
fn names_that_mean_nothing_or_several_things_are_refused() {
    let store = left();
    for (line, words) in [
        ("pass audit exposure no-such-thing", "no key, entry or commit"),
        ("pass audit exposure nobody@example.org", "nobody@example.org"),
        ("pass audit exposure team/a --as commit", "team/a"),
    ] {
        store.refused(line, &[words]);
    }
    store.ok("echo x | pass insert -m bob@example.org");
    store.refused("pass audit exposure bob@example.org", &["an entry and a key", "--as"]);
    assert_eq!(json(&store, "pass audit exposure bob@example.org --as key --json")["versions"], 5);
    // A key that nobody here has, and that reads nothing.
    let output = store.shell("pass audit exposure 0123456789ABCDEF");
    assert_eq!(output.code, 3, "{}", output.err());
    assert!(output.err().contains("no message names this key"), "{}", output.err());
    assert!(
        output.out().contains("Could read 0 versions of 0 entries; the history holds"),
        "{}",
        output.out()
    );
}

#[test]
fn hidden_recipients_could_be_anyone() {
    let store = Repository::new();
    store.ok("cd store; gpg -q --trust-model always -R $ALICE -e -o hidden.gpg <<<x; git add .; git commit -qm hidden");
    let said = store.ok("pass audit exposure bob@example.org");
    assert!(said.contains("hidden recipients, who could be anyone: hidden."), "{said}");
}

#[test]
fn a_history_that_is_not_all_here_is_said_to_be_incomplete() {
    let store = left();
    store.ok("git clone -q --depth 1 file://$PWD/store shallow");
    let output = store.shell("PASSWORD_STORE_DIR=$PWD/shallow pass audit exposure bob@example.org");
    assert_eq!(output.code, 3);
    assert!(output.err().contains("incomplete: the history is cut off"), "{}", output.err());
    let damaged = store.shell("cd store; c=$(git rev-parse HEAD~3); rm -f .git/objects/$(echo $c | cut -c-2)/$(echo $c | cut -c3-); pass audit exposure bob@example.org");
    assert_eq!(damaged.code, 3, "{}", damaged.err());
    assert!(damaged.err().contains("incomplete: commit "), "{}", damaged.err());
}

#[test]
fn what_is_kept_of_the_history_changes_no_answer() {
    let store = left();
    let ask = || json(&store, "pass audit exposure bob@example.org --json");
    let first = ask();
    assert!(store.root().join("store/.git/passel-versions").exists());
    assert_eq!(ask(), first);
    store.ok("echo new | pass insert -mf team/a; git -C store gc -q --prune=now");
    let second = ask();
    assert_eq!(with(&second, "changed"), ["team/a"]);
    store.ok("printf x >>store/.git/passel-versions");
    assert_eq!(ask(), second, "damaged, it is made anew");
    // What was rewritten away, and is in no reflog, is no more.
    store.ok("cd store; git checkout -q --orphan new; git commit -qm new; git branch -qD master; git branch -qm master; rm -rf .git/logs");
    let third = ask();
    assert_eq!((third["versions"].as_u64(), with(&third, "valid").len()), (Some(0), 0));
    store.clean();
}

#[test]
fn merges_of_gits_and_moves_of_stock_pass_are_followed() {
    let store = Repository::new();
    let stock = crate::common::stock_pass();
    let stock = stock.display();
    store.ok(&format!("pass init -p team $ALICE $BOB; echo p | {stock} insert -m team/a; cd store; git checkout -qb side; echo q | {stock} insert -m team/b
        git checkout -q master; {stock} mv team/a web/a; git merge -q --no-edit side; cd ..; {stock} init -p team $ALICE >/dev/null 2>&1; {stock} cp web/a web/copy"));
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(with(&report, "valid"), ["team/b", "web/a", "web/copy"]);
    store.ok(&format!("echo r | {stock} insert -mf web/a"));
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(
        (with(&report, "valid"), with(&report, "changed")),
        (vec!["team/b".to_owned(), "web/copy".to_owned()], vec!["web/a".to_owned()])
    );
}

#[test]
fn what_one_line_of_history_removed_and_another_edited_is_one_entry() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE $BOB; echo old | pass insert -m team/a; cd store; git checkout -qb side; pass rm -f team/a
        git checkout -q master; echo new | pass insert -mf team/a; git merge -q side || true; git add team/a.gpg; git commit -qm merged
        pass init -p team $ALICE");
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!((with(&report, "valid"), with(&report, "gone").len()), (vec!["team/a".to_owned()], 0));
    assert_eq!(report["entries"][0]["versions"], 2);
    store.ok("echo newest | pass insert -mf team/a");
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!((with(&report, "changed"), with(&report, "gone").len()), (vec!["team/a".to_owned()], 0));
}

#[test]
fn a_name_that_is_used_again_is_another_entry() {
    let store = left();
    store.ok("pass rm -f team/gone; echo other | pass insert -m team/gone");
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(with(&report, "gone"), ["team/gone"]);
    assert!(!with(&report, "valid").contains(&"team/gone".to_owned()));
    // Whoever asks about the name means both.
    let report = json(&store, "pass audit exposure team/gone --json");
    assert_eq!(report["versions"], 3);
    assert_eq!(
        (with(&report, "valid"), with(&report, "gone")),
        (vec!["team/gone".to_owned()], vec!["team/gone".to_owned()])
    );
}

#[test]
fn addresses_are_told_without_the_password_in_them() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE $BOB; printf 'x\\nurl: https://ada:hunter2@x.example/a?token=hunter3\\n' | pass insert -m team/a");
    let output = store.ok("pass audit exposure bob@example.org; pass audit exposure bob@example.org --json");
    assert!(output.contains("https://x.example") && !output.contains("hunter"), "{output}");
}

#[test]
fn nested_repositories_are_looked_at_too() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE $BOB; git init -q store/team; echo team >>store/.git/info/exclude
        git -C store rm -rq --cached team; git -C store commit -qm out; git -C store/team add .; git -C store/team commit -qm team
        echo x | pass insert -m team/a; echo x | pass insert -m own");
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(with(&report, "valid"), ["own", "team/a"]);
    assert_eq!(report["versions"], 1);
    let commit = store.ok("git -C store/team rev-parse HEAD");
    assert_eq!(
        with(&json(&store, &format!("pass audit exposure {commit} --json")), "valid"),
        ["own", "team/a"]
    );
}

#[test]
fn what_is_not_committed_counts() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE $BOB; echo x | pass insert -m team/a; pass init -p team $ALICE; cd store
        gpg -q --trust-model always -e -r $ALICE -r $BOB -o new.gpg <<<y; gpg -q --trust-model always --yes -e -r $ALICE -r $BOB -o team/a.gpg <<<z");
    let report = json(&store, "pass audit exposure bob@example.org --json");
    assert_eq!(
        (with(&report, "valid"), report["versions"].as_u64()),
        (vec!["new".to_owned(), "team/a".to_owned()], Some(3))
    );
    let said = store.ok("pass audit exposure new");
    assert!(said.contains("Bob <bob@example.org>") && said.contains("not committed"), "{said}");
    store.ok("cd store; git rm -q --cached team/a.gpg; git commit -qm out");
    assert_eq!(
        with(&json(&store, "pass audit exposure bob@example.org --json"), "gone").len(),
        0,
        "it stands"
    );
}

#[test]
fn what_only_gpg_can_read_could_be_anyones() {
    let store = Repository::new();
    store.ok("cd store; gpg -q --trust-model always -e -r $BOB -r $ALICE -o a.gpg <<<x; printf x >>a.gpg; git add .; git commit -qm odd");
    let said = store.ok("pass audit exposure bob@example.org");
    assert!(said.contains("could be anyone: a."), "{said}");
}

#[test]
fn a_version_that_another_branch_replaced_still_stands() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE $BOB
        export GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'; echo x | pass insert -m team/a; cd store; git checkout -qb side
        gpg -q --trust-model always --yes -e -r $ALICE -o team/a.gpg <<<x; GIT_COMMITTER_DATE='2026-02-01T00:00:00Z' git commit -qam side; git checkout -q master");
    let report = json(&store, "pass audit exposure bob@example.org --since 2026-03-01 --json");
    assert_eq!(with(&report, "valid"), ["team/a"]);
}

#[test]
fn all_keys_of_a_person_count() {
    let store = Repository::new();
    // The first one has expired by now.
    store.ok("mkdir -m 700 other; export GNUPGHOME=$PWD/other
        for n in 1 2; do gpg -q --batch --passphrase '' --faked-system-time 2026010${n}T000000! --quick-gen-key \"Fay $n <fay@example.org>\" future-default default $((n * n * 10))d 2>/dev/null; done
        gpg -q --export >keys; gpgconf --kill all");
    store.ok("gpg -q --import keys; cd store; gpg -q --faked-system-time 20260105T000000 --trust-model always -e -r '=Fay 1 <fay@example.org>' -r $ALICE -o a.gpg <<<x; git add .; git commit -qm a");
    let report = json(&store, "pass audit exposure fay@example.org --json");
    assert_eq!((report["keys"].as_array().unwrap().len(), with(&report, "valid")), (2, vec!["a".to_owned()]));
}

#[test]
fn a_changed_password_beside_other_lines_says_so() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE $BOB; printf 'x\\nthe gate opens with 4711\\n' | pass insert -m team/a; pass init -p team $ALICE
        printf 'y\\nthe gate opens with 4711\\n' | pass insert -mf team/a");
    let said = store.ok("pass audit exposure bob@example.org");
    assert!(said.contains("Changed since (1):\n  team/a  other lines in it are as they were; "), "{said}");
}
