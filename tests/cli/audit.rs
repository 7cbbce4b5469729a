//! `audit`: who could read what, what was exposed, and what people should look after.

mod access;
mod exposure;
mod health;
mod report;
mod truth;

use serde_json::Value;

use super::git::Repository;

/// Returns what a command prints as JSON, whatever its exit code.
#[track_caller]
fn json(store: &Repository, line: &str) -> Value {
    store.json(line)
}

/// Returns the names of the entries with this verdict.
fn with(report: &Value, verdict: &str) -> Vec<String> {
    let entries = report["entries"].as_array().expect("an array").iter();
    let found = entries.filter(|entry| entry["verdict"] == verdict);
    found.map(|entry| entry["name"].as_str().expect("a name").to_owned()).collect()
}
