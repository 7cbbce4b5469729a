//! From its opening to its end.

use super::{contractor, id, json, states, worked_on};
use crate::cli::git::Repository;
use crate::common::{Keyring, TestStore, subject};

#[test]
fn opening_writes_down_what_was_within_reach_in_one_commit() {
    let store = contractor();
    let before = store.count();
    let said = store.ok("pass incident open 'Wombat has left' --about bob@example.org");
    assert_eq!(store.count(), before + 1);
    let id = id(&store);
    assert!(said.contains(&format!("Incident {id} is open: Wombat has left")), "{said}");
    assert!(
        said.contains("7 entries were within reach: 6 unchanged, 0 unknown, 1 changed since, 0 gone."),
        "{said}"
    );
    assert!(said.contains("6 entries are on the rotation list for it."), "{said}");
    assert!(said.contains("clients/acme       5        4"), "{said}");
    assert!(said.contains(&format!("incident report {id} -o DIR")), "{said}");
    // git keeps the message in clear.
    assert!(store.last().starts_with(&format!("Open incident {id}.|")), "{}", store.last());
    let items = json(&store, "pass rotate --json");
    for item in items["items"].as_array().unwrap() {
        assert!(
            item["incident"].as_str().unwrap().starts_with(&id) && item["why"] == "Wombat has left",
            "{item}"
        );
    }
    // The team reads the record, and clients do not.
    let record = store.ok("cd store; ls .passel.d/incidents | sed 's/.gpg$//'");
    let readers = store.ok(&format!("pass recipients who .passel.d/incidents/{record}"));
    assert!(readers.contains("alice@example.org") && !readers.contains("dave@example.org"), "{readers}");
    assert_eq!(store.ok("git -C store status --porcelain"), "");
}

#[test]
fn what_is_done_is_seen_without_being_told() {
    let store = worked_on();
    assert_eq!(
        states(&store),
        [
            "clients/zebracorp/stripes=open",
            "quokka/wiki=open",
            "clients/acme/shop=gone",
            "clients/acme/crm/admin=changed",
            "clients/zebracorp/legacyplace=changed",
            "clients/acme/dns=closed",
            "clients/acme/hosting=changed-before",
        ]
    );
    let list = store.ok("pass incident list");
    assert!(list.contains("open   3 of 7         Wombat has left"), "{list}");
    let report = json(&store, "pass incident show --json");
    let log: Vec<String> = report["log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let by = event["by"].as_str().unwrap().split(' ').next().unwrap();
            let about = ["folder", "entry", "text"].map(|name| event[name].as_str().unwrap_or_default());
            format!("{by} {} {}", event["what"].as_str().unwrap(), about.join(" ")).trim_end().to_owned()
        })
        .collect();
    assert_eq!(
        log,
        [
            "Test access-changed clients/acme",
            "Test access-changed clients/zebracorp",
            "Test access-changed quokka",
            "Test opened",
            "Ada changed  clients/acme/crm/admin",
            "Ada changed  clients/zebracorp/legacyplace",
            "Ada entry-closed  clients/acme/dns echidna: as at zebracorp",
            "Ada note   narwhal was told by zebracorp",
        ]
    );
    assert_eq!(report["log"][0]["lost"][0], "Bob <bob@example.org>");
    assert_eq!(report["log"][0]["when"], "2026-03-04T12:00:00Z");
    let said = store.ok("pass incident show");
    assert!(said.contains("changed who can read clients/acme: no longer Bob <bob@example.org>"), "{said}");
    assert!(said.contains(store.keyring().fingerprint("bob")), "{said}");
}

#[test]
fn it_is_closed_when_all_is_done_or_by_force_and_can_still_be_shown() {
    let store = worked_on();
    let id = id(&store);
    store.refused(&format!("pass incident close {id} --why done"), &["3 entries are not done", "--force"]);
    store.ok(&format!("pass incident close {id} --why 'the rest is closed down' --force"));
    store.refused(&format!("pass incident close {id} --why again"), &["closed already"]);
    store.refused("pass incident show", &["no incident is open", "incident open TITLE"]);
    let said = store.ok(&format!("pass incident show {id}; pass incident list"));
    assert!(
        said.contains("closed the incident: the rest is closed down") && said.contains("  closed  "),
        "{said}"
    );
    // A new one asks for what has not changed since, and was closed by hand in the other.
    store.ok("pass incident open again --about bob@example.org; printf 'n\\n' | pass insert -mf quokka/wiki; printf 'n\\n' | pass insert -mf clients/acme/dns
        printf 'n\\n' | pass insert -mf clients/zebracorp/stripes");
    let second = super::id(&store);
    assert_ne!(id, second);
    store.ok(&format!("pass incident close {second} --why done"));
}

#[test]
fn without_the_rotation_list_it_is_still_known_what_is_done() {
    let store = contractor();
    let said = store.ok("pass incident open quiet --about quokka/wiki --no-rotate");
    assert!(!said.contains("rotation list") && !store.dir().join(".passel.d/rotate").exists(), "{said}");
    assert_eq!(states(&store), ["quokka/wiki=open"]);
    assert!(store.ok("pass incident list").contains("1 of 1"), "an entry that is on no list");
    store.ok("printf 'n\\n' | pass insert -mf quokka/wiki");
    assert_eq!(states(&store), ["quokka/wiki=changed"]);
    let report = json(&store, "pass incident show --json");
    assert_eq!(report["about"][0]["kind"], "entry");
    assert_eq!(report["about"][0]["keys"].as_array().unwrap().len(), 2, "who could read it");
}

#[test]
fn it_may_be_about_several_things() {
    let store = contractor();
    let commit =
        store.ok("git -C store log --format=%h --grep='Add given password for clients/untouched/own'");
    store
        .ok(&format!("pass incident open both --about bob@example.org --about {commit} --about quokka/wiki"));
    let report = json(&store, "pass incident show --json");
    let kinds: Vec<&str> =
        report["about"].as_array().unwrap().iter().map(|scope| scope["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["key", "commit", "entry"]);
    let states = states(&store);
    assert_eq!(states.len(), 8, "each entry once: {states:?}");
    // Its own record asks for each reason; it is done when the secret is another one.
    store.ok("printf 'n\\n' | pass insert -mf quokka/wiki");
    assert!(super::states(&store).contains(&"quokka/wiki=changed".to_owned()));
}

#[test]
#[ignore = "long: make test-long"]
fn a_colleague_sees_the_same_and_both_may_say_something_at_once() {
    let store = worked_on();
    let id = id(&store);
    store.ok(&format!("git clone -q store other; git -C other config user.name Eve; git -C other config user.email eve@example.org
        PASSWORD_STORE_DIR=$PWD/other pass incident note {id} there; pass incident note {id} here
        cd store; git pull -q --no-rebase ../other master"));
    let log = json(&store, "pass incident show --json")["log"].to_string();
    assert!(
        log.contains(r#""text":"there""#) && log.contains(r#""text":"here""#) && log.contains("Eve <"),
        "{log}"
    );
}

#[test]
#[ignore = "long: make test-long"]
fn stock_pass_encrypts_the_records_anew_and_nothing_is_taken_for_its_doing() {
    let store = worked_on();
    let before = json(&store, "pass incident show --json");
    store.ok(&format!(
        "git -C store config user.name Stock; {} init $ALICE $CAROL",
        crate::common::stock_pass().display()
    ));
    let after = json(&store, "pass incident show --json");
    let by = |report: &serde_json::Value, what: &str| {
        let log = report["log"].as_array().unwrap();
        log.iter().filter(|event| event["what"] == what).map(|event| event["by"].clone()).collect::<Vec<_>>()
    };
    for what in ["opened", "note", "entry-closed", "changed"] {
        assert_eq!(by(&before, what), by(&after, what), "{what}");
    }
}

#[test]
fn who_is_not_of_the_team_is_told_that_it_is_for_others() {
    let store = worked_on();
    let id = id(&store);
    let dave =
        Repository(TestStore::with(&subject(), &Keyring::of("dave", &["dave", "alice"], store.keyring())));
    dave.ok(&format!("git clone -q {} store", store.dir().display()));
    let listed = dave.shell("pass incident list");
    assert!(listed.err().contains("2 records are encrypted to others"), "{}", listed.err());
    assert!(!format!("{}{}", listed.out(), listed.err()).contains("Wombat"));
    dave.refused(
        &format!("pass incident show {id}"),
        &["is encrypted to others", "hint: ask somebody of the team"],
    );
    dave.refused("pass incident report -o out", &["is encrypted to others"]);
    assert!(!dave.root().join("out").exists());
}
