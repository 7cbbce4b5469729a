//! `rotate`: what must be changed, and how that comes to be done.

mod aftermath;
mod changed;
mod list;
mod refused;

use serde_json::Value;

use crate::cli::git::Repository;

/// Bob could read three entries of the team's until he was taken out; they are on the list.
fn listed() -> Repository {
    let store = Repository::new();
    store.ok("pass recipients add / $BOB --yes
        printf 'one-p\\nurl: https://ada:hush@a.example/in?token=hush#hush\\n' | pass insert -m web/a
        printf 'two-p\\nuser: ada\\n' | pass insert -m web/b
        printf 'three-p\\npin: 4711-p\\notpauth://totp/x?secret=JBSWY3DPEHPK3PXP\\n' | pass insert -m ops/c
        pass recipients remove / $BOB --yes --rotate");
    store
}

/// Runs a line whatever its exit code, and reads what it printed.
#[track_caller]
fn json(store: &Repository, line: &str) -> Value {
    store.json(line)
}

/// Returns how each entry on the list stands: `ENTRY=STATE`, in the list's order.
#[track_caller]
fn states(store: &Repository) -> Vec<String> {
    let report = json(store, "pass rotate --json");
    let items = report["items"].as_array().expect("an array").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    items.map(|item| format!("{}={}", text(&item["entry"]), text(&item["state"]))).collect()
}
