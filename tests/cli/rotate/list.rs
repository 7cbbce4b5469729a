//! The list, and how items come to be done.

use super::{json, listed, states};
use crate::cli::git::Repository;
use crate::common::stock_pass;

#[test]
fn an_item_is_done_when_the_password_is_another_one_and_not_before() {
    let store = listed();
    assert_eq!(states(&store), ["ops/c=open", "web/a=open", "web/b=open"]);
    // Encrypted anew, edited beside the password, moved, by us and by hand: nothing of that changes a password.
    store.ok("pass recipients add / $CAROL --yes; printf 'two-p\\nuser: eve\\n' | pass insert -mf web/b
        pass mv web/a shop/a; pass recipients remove / $CAROL --yes --no-rotate");
    assert_eq!(states(&store), ["ops/c=open", "shop/a=open", "web/b=open"]);
    store.ok("git -C store config user.name Ada; echo new | pass insert -mf shop/a");
    assert_eq!(states(&store), ["ops/c=open", "web/b=open", "shop/a=changed"]);
    let report = json(&store, "pass rotate --json");
    let done = &report["items"][2]["done"];
    assert!(done["by"].as_str().unwrap().starts_with("Ada <"), "{report}");
    assert_eq!(done["commit"].as_str().unwrap(), store.ok("git -C store rev-parse HEAD"));
    let said = store.ok("pass rotate");
    assert!(said.starts_with("To be changed (2):") && said.contains("1 entry is done"), "{said}");
    // A later edit does not make it the editor's.
    store.ok(
        "git -C store config user.name Eve; pass show shop/a | sed '$a note: x' | pass insert -mf shop/a",
    );
    let said = store.ok("pass rotate status");
    assert!(said.contains("shop/a  changed on ") && said.contains(" by Ada <"), "{said}");
    // Who puts the old password back opens it again.
    store.ok("printf 'one-p\\n' | pass insert -mf shop/a");
    assert_eq!(states(&store), ["ops/c=open", "shop/a=open", "web/b=open"]);
}

#[test]
fn stock_pass_on_a_colleague_s_machine_does_as_well() {
    let store = listed();
    let stock = stock_pass();
    let line = format!("printf 'new\\n' | {0} insert -mf web/b; {0} init $ALICE $CAROL", stock.display());
    store.ok(&line);
    assert_eq!(states(&store), ["ops/c=open", "web/a=open", "web/b=changed"]);
    // Its `init` encrypts the records anew with all else, and its listing does not show them.
    let listing = store.ok(&format!("{} ls", stock.display()));
    assert!(!listing.contains("rotate") && listing.contains("web"), "{listing}");
    for file in store.ok("ls store/.passel.d/rotate").lines() {
        let readers =
            store.ok(&format!("pass recipients who .passel.d/rotate/{}", file.trim_end_matches(".gpg")));
        assert!(readers.contains("carol@example.org") && !readers.contains("bob@example.org"), "{readers}");
    }
}

#[test]
fn other_secrets_that_were_exposed_must_be_changed_too() {
    let store = Repository::new();
    store.ok("pass recipients add / $BOB --yes
        printf 'p\\npin: 4711\\notpauth://totp/x?secret=JBSWY3DPEHPK3PXP\\n' | pass insert -m a
        pass recipients remove / $BOB --yes; printf 'q\\npin: 4711\\notpauth://totp/x?secret=JBSWY3DPEHPK3PXP\\n' | pass insert -mf a
        pass rotate add --exposed bob@example.org");
    let left = |store: &Repository| json(store, "pass rotate --json")["items"][0]["left"].to_string();
    assert_eq!(left(&store), r#"["pin","one-time codes"]"#);
    assert!(store.ok("pass rotate").contains("as it was: one-time codes, pin"));
    store.ok("printf 'q\\npin: 1\\notpauth://totp/x?secret=JBSWY3DPEHPK3PXP\\n' | pass insert -mf a");
    assert_eq!(left(&store), r#"["one-time codes"]"#);
    store.ok("printf 'q\\npin: 1\\n' | pass insert -mf a");
    assert_eq!(states(&store), ["a=changed"]);
}

#[test]
fn an_entry_that_went_stays_open_until_somebody_says_so() {
    let store = listed();
    store.ok("pass rm -f web/a; pass rm -f web/b; echo new | pass insert -m web/b");
    // It may be another account.
    assert_eq!(states(&store), ["ops/c=open", "web/a=gone", "web/b=gone"]);
    assert!(store.ok("pass rotate").contains("Gone from the store: change or close the accounts"));
    store.ok("pass rotate close web/a --why 'the account was closed'");
    assert_eq!(states(&store), ["ops/c=open", "web/b=gone", "web/a=closed"]);
    let said = store.ok("pass rotate status");
    assert!(said.contains("web/a  closed on ") && said.contains("the account was closed"), "{said}");
    store.ok("echo two-p | pass insert -mf web/b");
    assert_eq!(states(&store)[..2], ["ops/c=open", "web/b=open"], "the same password again");
}

#[test]
fn the_same_reason_is_listed_once_and_another_one_beside_it() {
    let store = listed();
    let said = store.ok("pass rotate add --exposed bob@example.org");
    assert!(said.contains("Nothing is new on the list.") && said.contains("web/b"), "{said}");
    store.ok("pass rotate add web/b web/a --why 'mailed: in clear'; pass rotate add web/b --why 'mailed: in clear'");
    assert_eq!(json(&store, "pass rotate --json")["items"].as_array().unwrap().len(), 5);
    let said = store.ok("pass rotate");
    assert!(
        said.contains("    mailed: in clear, 20") && said.contains("    exposed to Bob <bob@example.org> ("),
        "{said}"
    );
    // What was done is no reason not to list it again.
    store.ok("pass generate -i web/b; pass rotate add web/b --why 'mailed: in clear'");
    let open: Vec<String> = states(&store).into_iter().filter(|s| s == "web/b=open").collect();
    assert_eq!(open.len(), 1, "{:?}", states(&store));
}

#[test]
fn what_leaked_and_what_is_unhealthy_is_put_on_the_list() {
    let store = Repository::new();
    store.ok("printf 'Tr4vel-quince-83-lemur\\nuser: a\\nurl: https://x.example\\n' | pass insert -m good
        echo abc | pass insert -m weak; echo same-Horse-battery-9 | pass insert -m one; echo same-Horse-battery-9 | pass insert -m two");
    store.ok("pass rotate add --exposed one --why 'stood in a ticket'; pass rotate add --health");
    let said = store.ok("pass rotate");
    for words in ["leaked: stood in a ticket", "  weak\n    ", "reused: "] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    assert!(!said.contains("good") && said.contains("  two\n"), "{said}");
    assert!(said.find("  one\n") < said.find("  weak\n"), "what leaked comes first: {said}");
}

#[test]
fn records_are_for_the_team_and_no_credentials() {
    let store = Repository::new();
    store.ok("pass client add acme $BOB --yes; echo own-p | pass insert -m clients/acme/own; pass rotate add clients/acme/own --why hush");
    let file = store.ok("ls store/.passel.d/rotate");
    let readers =
        store.ok(&format!("pass recipients who .passel.d/rotate/{}", file.trim_end_matches(".gpg")));
    assert!(readers.contains("alice@example.org") && !readers.contains("bob@example.org"), "{readers}");
    for line in [
        "pass ls",
        "pass find '*'",
        "pass audit access",
        "pass audit exposure alice@example.org",
        "pass audit health",
    ] {
        let output = store.shell(line);
        assert!(!output.out().contains(".passel.d"), "{line}: {}", output.out());
    }
    assert!(store.ok("pass audit access --json").contains("\"entries\": 1"), "the record counts for none");
    let said = store.ok("pass log -n 1");
    assert!(said.contains("\n  rotation list: 1 record\n"), "{said}");
    let then = store.ok("pass audit access --at HEAD --json");
    assert!(then.contains("\"entries\": 1") && !then.contains("\"entries\": 2"), "{then}");
}

#[test]
fn nothing_secret_is_printed_or_written_down() {
    let store = listed();
    store.ok("pass rotate add web/a --why x; pass generate -i web/b >/dev/null");
    let lines = "pass rotate; pass rotate --json; pass rotate status; pass rotate close web/a --why y; \
                 for file in store/.passel.d/rotate/*; do gpg -qd $file; done; git -C store log -p --text --no-textconv";
    let said = store.ok(lines);
    for secret in ["one-p", "two-p", "three-p", "4711-p", "JBSWY3DP", "hush", "token"] {
        assert!(!said.contains(secret), "{secret}");
    }
    assert!(said.contains("  https://a.example\n"), "{said}");
}

#[test]
fn two_who_list_and_close_at_once_do_not_collide() {
    let store = listed();
    let remote = store.bare_remote("team");
    store.ok(&format!(
        "git -C store remote add origin {0}; git -C store push -qu origin master; git clone -q {0} two",
        remote.display()
    ));
    store.ok("pass rotate add web/a --why here; pass rotate close web/b --why here
        PASSWORD_STORE_DIR=$PWD/two pass rotate add web/a --why there; PASSWORD_STORE_DIR=$PWD/two pass rotate close web/b --why there
        PASSWORD_STORE_DIR=$PWD/two pass sync; pass sync; PASSWORD_STORE_DIR=$PWD/two pass sync");
    let report = store.ok("pass rotate");
    assert!(report.contains("    here, ") && report.contains("    there, "), "{report}");
    assert!(!states(&store).iter().any(|state| state == "web/b=open"), "{:?}", states(&store));
    assert_eq!(report, store.ok("PASSWORD_STORE_DIR=$PWD/two pass rotate"));
}
