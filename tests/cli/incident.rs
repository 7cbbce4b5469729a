//! `incident`: what was within reach, what was done about it, and what is told to whom.

mod life;
mod private;
mod refused;
mod report;

use std::collections::BTreeMap;

use serde_json::Value;

use super::git::Repository;

/// Returns a line that sets the time of commits.
fn at(day: &str) -> String {
    format!("export GIT_AUTHOR_DATE='{day}T12:00:00Z' GIT_COMMITTER_DATE='{day}T12:00:00Z'")
}

/// Bob worked for two clients, and could read one entry of the team's, until he was taken out; one password was changed
/// before the incident is opened. He never read what a third client has.
fn contractor() -> Repository {
    let store = Repository::new();
    // git's own upkeep comes and goes with a lock of its own, which `refused` would see.
    store.ok("git -C store config maintenance.auto false; git -C store config gc.auto 0");
    store.ok(&format!(
        "{}; pass init -p clients/acme $ALICE $BOB $DAVE; pass init -p clients/zebracorp $ALICE $BOB; pass init -p quokka $ALICE $BOB
        pass init -p clients/untouched $ALICE
        printf 'Crm-Pass-1\\nuser: crm-user-1\\nurl: https://url-user-1:Url-Pass-1@crm.acme.example/in?sid=Url-Query-1#Url-Frag-1\\nnote: Crm-Note-1\\npin: 47110815\\notpauth://totp/x?secret=JBSWY3DPEHPK3PXP\\n' | pass insert -m clients/acme/crm/admin
        printf 'Host-Pass-1\\nurl: https://hosting.example\\n' | pass insert -m clients/acme/hosting
        printf 'Shop-Pass-1\\n' | pass insert -m clients/acme/shop
        printf 'Moved-Pass-1\\nurl: https://moved.acme.example\\n' | pass insert -m clients/acme/old-crm
        printf 'Dns-Pass-1\\n' | pass insert -m clients/acme/dns
        printf 'Zebra-Pass-1\\nurl: https://stripes.example\\n' | pass insert -m clients/zebracorp/stripes
        printf 'Wiki-Pass-1\\n' | pass insert -m quokka/wiki
        printf 'Own-Pass-1\\n' | pass insert -m clients/untouched/own",
        at("2026-02-03")
    ));
    store.ok(&format!(
        "{}; for f in clients/acme clients/zebracorp quokka; do pass recipients remove $f $BOB --yes --no-rotate; done
        printf 'Host-Pass-2\\nurl: https://hosting.example\\n' | pass insert -mf clients/acme/hosting",
        at("2026-03-04")
    ));
    store
}

/// Opens the incident, and does some of what there is to do.
fn worked_on() -> Repository {
    let store = contractor();
    store.ok("pass incident open 'Wombat has left' --about bob@example.org
        git -C store config user.name Ada
        printf 'Crm-Pass-2\\nuser: crm-user-2\\nurl: https://url-user-2:Url-Pass-2@crm.acme.example/in?sid=Url-Query-2\\nnote: Crm-Note-2\\npin: 08154711\\notpauth://totp/x?secret=GEZDGNBVGY3TQOJQ\\n' | pass insert -mf clients/acme/crm/admin
        pass rm -f clients/acme/shop
        pass mv clients/acme/old-crm clients/zebracorp/legacyplace
        printf 'Moved-Pass-2\\nurl: https://moved.zebracorp.example\\n' | pass insert -mf clients/zebracorp/legacyplace
        pass rotate close clients/acme/dns --why 'echidna: as at zebracorp'
        git -C store commit -q --allow-empty -m platypus");
    store.ok(&format!("pass incident note {} 'narwhal was told by zebracorp'", id(&store)));
    store
}

/// Returns the first digits of the newest incident's name.
#[track_caller]
fn id(store: &Repository) -> String {
    let report = json(store, "pass incident list --json");
    report["incidents"][0]["id"].as_str().expect("there is one")[..8].to_owned()
}

/// Runs a line whatever its exit code, and reads what it printed.
#[track_caller]
fn json(store: &Repository, line: &str) -> Value {
    store.json(line)
}

/// Returns how each entry stands: `ENTRY=STATE`, in order.
#[track_caller]
fn states(store: &Repository) -> Vec<String> {
    let report = json(store, "pass incident show --json");
    let entries = report["entries"].as_array().expect("an array").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    entries.map(|entry| format!("{}={}", text(&entry["name"]), text(&entry["state"]))).collect()
}

/// Writes the reports, and returns them by the names of their files.
#[track_caller]
fn reports(store: &Repository, options: &str) -> BTreeMap<String, String> {
    let output = store.shell(&format!("rm -rf out; pass incident report -o out {options}"));
    assert_ne!(output.code, 1, "{}", output.err());
    let files = std::fs::read_dir(store.root().join("out")).expect("it was written");
    let read = |file: std::fs::DirEntry| {
        (file.file_name().into_string().expect("safe"), std::fs::read_to_string(file.path()).expect("a text"))
    };
    files.map(|file| read(file.expect("it can be read"))).collect()
}
