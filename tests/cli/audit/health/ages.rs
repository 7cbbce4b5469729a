//! How old passwords are: out of the history, by what the versions say.

use serde_json::Value;

use super::{GOOD, WHO, Ward};

/// A store that lets passwords stay for 90 days.
fn strict() -> Ward {
    let store = Ward::new();
    store.policy("  max_age: 90\n");
    store
}

impl Ward {
    /// Returns what is said of an entry's age: the message of the finding, or the day as of which it is known at least
    /// with the reason; nothing of one that is young enough.
    #[track_caller]
    fn age(&self, entry: &str) -> String {
        let output = self.shell(&format!("pass audit health --json {entry}"));
        let all: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", output.err()));
        let rows = |name: &str| all[name].as_array().expect("an array").clone();
        let message = |row: &Value| row["message"].as_str().expect("text").to_owned();
        let old = rows("findings").iter().filter(|row| row["kind"] == "old").map(message).collect::<String>();
        let unknown = |row: &Value| format!("{} {}", row["reason"].as_str().unwrap(), row["since"]);
        old + &rows("unknown_ages").iter().map(unknown).collect::<String>()
    }
}

/// What is said of a password that has been the same since a day.
fn since(day: &str) -> String {
    format!("the password has been the same since {day}, for more than 90 days")
}

#[test]
fn a_password_is_as_old_as_its_value() {
    let store = strict();
    store.insert_on("2019-01-01", "web/a", "something else", WHO);
    store.insert_on("2020-01-01", "web/a", GOOD, WHO);
    store.insert_on("2021-01-01", "web/a", GOOD, "user: other\nurl: y\n");
    store.insert("web/a", GOOD, "user: third\nurl: y\n");
    store.insert("web/b", &format!("{GOOD}2"), WHO);
    assert_eq!(store.age("web/a"), since("2020-01-01"));
    assert_eq!(store.age("web/b"), "");
    assert_eq!(store.found(""), ["old warning web/a"]);
    // What was the password once and is it again is as old as that.
    store.insert_on("2022-01-01", "web/a", "between", WHO);
    store.insert_on("2022-02-01", "web/a", GOOD, WHO);
    assert_eq!(store.age("web/a"), since("2022-02-01"));
    store.insert("web/a", "a new one of today", WHO);
    assert_eq!(store.age("web/a"), "");
}

#[test]
fn encrypting_anew_moving_and_copying_make_no_password_young() {
    let store = strict();
    store.insert_on("2020-01-01", "web/a", GOOD, WHO);
    store.insert_on("2020-01-02", "web/b", &format!("{GOOD}2"), WHO);
    store.insert_on("2020-01-03", "far/c", &format!("{GOOD}3"), WHO);
    store.ok("pass init $ALICE $BOB");
    assert_eq!(store.age("web/a"), since("2020-01-01"));
    store.ok("pass mv web/a web/moved; pass init -p team $ALICE; pass mv web/moved team/a; pass mv web/b team/deep/b");
    assert_eq!(store.age("team/a"), since("2020-01-01"));
    assert_eq!(store.age("team/deep/b"), since("2020-01-02"));
    // A whole folder, to where it is encrypted anew.
    store.ok("pass mv far team/far; pass init -p team $ALICE $BOB; pass cp team/a copy");
    assert_eq!(store.age("team/far/c"), since("2020-01-03"));
    assert_eq!(store.age("copy"), since("2020-01-01"));
    // Moved and changed in one commit by somebody who uses git alone.
    store.ok("cd store; git mv team/a.gpg x.gpg; printf 'zr8Kq2vTbN4w\\nuser: z\\nurl: z\\n' | gpg --batch --yes --trust-model always -q -e -r $ALICE -r $BOB -o x.gpg;
        git add -A; git commit -qm 'by hand'");
    assert_eq!(store.age("x"), since("2020-01-01"));
    // Removed, and there again: that is a new one.
    store.ok("pass rm -f team/deep/b");
    store.insert("team/deep/b", &format!("{GOOD}2"), WHO);
    assert_eq!(store.age("team/deep/b"), "");
}

#[test]
fn merges_go_on_on_the_side_that_has_the_password() {
    let store = strict();
    store.insert_on("2019-01-01", "web/a", "something else", WHO);
    store.insert_on("2019-01-01", "web/b", &format!("{GOOD}2"), WHO);
    store.ok("git -C store checkout -q -b side");
    store.insert_on("2020-01-01", "web/a", GOOD, WHO);
    store.ok("pass mv web/b web/c");
    store.ok("git -C store checkout -q master");
    store.insert_on("2021-01-01", "other", &format!("{GOOD}3"), WHO);
    store.ok("git -C store merge -q --no-edit side");
    store.insert("web/a", GOOD, "user: new\nurl: y\n");
    assert_eq!(store.age("web/a"), since("2020-01-01"));
    assert_eq!(store.age("web/c"), since("2019-01-01"));
    assert_eq!(store.age("other"), since("2021-01-01"));
}

#[test]
fn what_cannot_be_known_is_not_guessed() {
    let store = strict();
    store.ok("pass init -p team $BOB");
    store.insert_on("2019-01-01", "team/a", GOOD, WHO);
    store.insert_on("2019-01-01", "team/b", &format!("{GOOD}2"), WHO);
    store.ok("GIT_AUTHOR_DATE=2020-01-01T12:00:00Z pass recipients add team $ALICE --yes");
    store.ok("GIT_AUTHOR_DATE=2020-01-02T12:00:00Z pass mv team/b team/moved");
    store.ok("gpg -q --batch --yes --delete-secret-keys $BOB");
    let least = "the password has been the same at least since 2020-01-01, for more than 90 days";
    assert_eq!(store.age("team/a"), least);
    assert_eq!(store.age("team/moved"), least);
    // Nobody knows what was before yesterday.
    store.policy("  max_age: 36500\n");
    assert_eq!(store.age("team/a"), "history \"2020-01-01\"");
    let told = store.audit("team/a", 3).out();
    let wanted = "The age of 1 password is not known, as older versions are not here, or cannot be read here: team/a (at \
                  least since 2020-01-01)\n";
    assert!(told.starts_with(wanted), "{told}");
    store.ok("git clone -q --depth 1 file://$PWD/store shallow; mv store full; mv shallow store");
    assert!(store.age("team/a").starts_with("history \""), "{}", store.age("team/a"));
}

#[test]
fn what_is_not_committed_has_no_age() {
    let store = strict();
    store.insert_on("2020-01-01", "web/a", GOOD, WHO);
    let encrypt = |text: &str, name: &str| {
        let line = format!(
            "printf '{text}' | gpg --batch --yes --trust-model always -q -e -r $ALICE -o store/{name}.gpg"
        );
        store.ok(&line);
    };
    // The same password is as old as the one that git knows.
    encrypt("zr8Kq2vTbN4w\\nuser: b\\nurl: x\\n", "web/a");
    assert_eq!(store.age("web/a"), since("2020-01-01"));
    encrypt("Wn4bTv2qK8rz\\nuser: b\\nurl: x\\n", "web/a");
    encrypt("Wn4bTv2qK8rz3\\nuser: b\\nurl: x\\n", "new");
    assert_eq!(store.age("web/a"), "uncommitted null");
    assert_eq!(store.age("new"), "uncommitted null");
    let told = store.audit("", 3).out();
    let wanted =
        "The age of 2 passwords is not known, as git has no version with that password: new, web/a\n";
    assert!(told.starts_with(wanted), "{told}");
}

#[test]
fn a_repository_within_the_store_has_its_own_history() {
    let store = strict();
    store.ok("mkdir store/inner; cp store/.gpg-id store/inner/; cd store/inner; git init -q; git add .; git commit -qm x");
    store.insert_on("2020-01-01", "inner/a", GOOD, WHO);
    store.insert_on("2021-01-01", "b", &format!("{GOOD}2"), WHO);
    assert_eq!(store.age("inner/a"), since("2020-01-01"));
    assert_eq!(store.age("b"), since("2021-01-01"));
}
