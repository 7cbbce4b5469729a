//! What the history holds.

use super::{finds, found, fsck, says, sound};

#[test]
fn finds_plain_text_that_was_removed() {
    let plain =
        "cd store; echo hello >x.gpg; git add x.gpg; git commit -qm x; git rm -q x.gpg; git commit -qm y";
    finds(plain, &["error history"], 4, &["error: x.gpg: is in the history in plain text, since commit "]);
    let file = "cd store; echo hello >notes.txt; git add -A; git commit -qm x; git rm -q notes.txt; git commit -qm y";
    finds(
        file,
        &["warning history"],
        0,
        &["warning: notes.txt: is no entry, and in the history since commit "],
    );
}

#[test]
fn finds_what_a_merge_or_another_branch_brought() {
    let branch = "cd store; git checkout -qb side; echo hello >web/x.gpg; git add -A; git commit -qm x; git checkout -q master";
    finds(branch, &["error history"], 4, &["web/x.gpg: is in the history"]);
    let merged =
        format!("{branch}; git merge -q --no-ff -m merge side; git rm -q web/x.gpg; git commit -qm gone");
    finds(&merged, &["error history"], 4, &["web/x.gpg: is in the history"]);
    let tag = format!("{branch}; git tag -a -m note kept side; git branch -qD side");
    finds(&tag, &["error history"], 4, &["web/x.gpg: is in the history"]);
    // In a merge commit itself, and in neither of its parents.
    let evil = "cd store; git checkout -qb side; git commit -qm x --allow-empty; git checkout -q master; git commit -qm y --allow-empty
        git merge -q --no-commit --no-ff side; echo hello >evil.gpg; git add -A; git commit -qm merge; git rm -q evil.gpg; git commit -qm z";
    finds(evil, &["error history"], 4, &["evil.gpg: is in the history"]);
}

#[test]
fn an_old_version_of_an_entry_counts_and_other_folders_do_not() {
    let store = sound();
    store.ok("cp store/b.gpg good; cd store; echo hello >b.gpg; git commit -qam x; cp ../good b.gpg; git commit -qam y");
    let (kinds, value) = found(&store, "", 4);
    assert_eq!(kinds, ["error history"], "{value:#}");
    says(&fsck(&store, "web", 0), &["Nothing is wrong."]);
    says(&fsck(&store, "b", 4), &["error: b.gpg: is in the history"]);
    // What other programs are known to keep there is theirs.
    let store = sound();
    store.ok(
        "cd store; mkdir .gopass; echo x >.gopass/config; echo x >.gitignore; git add -A; git commit -qm x",
    );
    says(&fsck(&store, "", 0), &["Nothing is wrong."]);
}
