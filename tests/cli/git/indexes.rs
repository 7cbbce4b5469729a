//! Indexes of all versions and extensions; sparse checkouts.

use super::Repository;

#[test]
fn an_index_of_version_4_stays_one() {
    let store = Repository::new();
    store.ok("git -C store update-index --index-version 4; pass generate web/a; pass generate web/b; pass mv web net; pass rm -f net/a");
    assert_eq!(store.ok("od -An -tu1 -j7 -N1 store/.git/index").trim(), "4");
    store.clean();
}

#[test]
fn git_extensions_of_the_index_do_no_harm() {
    let store = Repository::new();
    store.ok("pass generate a; cd store; git config core.untrackedCache true; git config index.threads 2
        git update-index --untracked-cache; git status; git write-tree; cd ..; pass generate web/b; pass mv web net");
    store.clean();
}

#[test]
fn a_split_index_works_or_is_refused_clearly() {
    let store = Repository::new();
    store.ok("pass generate a; git -C store update-index --split-index; ls store/.git/sharedindex.*");
    store.refused("pass generate b", &["a sparse or split index"]);
    store.refused("pass mv a b", &["a sparse or split index"]);
    store.ok("pass show a");
}

/// Makes a store whose checkout leaves `far/` out.
fn sparse(line: &str) -> Repository {
    let store = Repository::new();
    store.ok("pass generate near/a; pass generate far/a; pass generate far/deep/b; pass generate mixed/far/c; pass generate mixed/d");
    store.ok(&format!("cd store; {line}; test -e near/a.gpg; test ! -e far; test ! -e mixed/far"));
    store
}

fn works_within_and_refuses_outside(store: &Repository) {
    store.ok("pass generate near/b; pass mv near/b near/c; pass generate -f near/a; pass rm -f near/c; pass mv near close");
    store.clean();
    assert_eq!(
        store.ok("git -C store ls-tree -r --name-only HEAD"),
        ".gitattributes\n.gpg-id\nclose/a.gpg\nfar/a.gpg\nfar/deep/b.gpg\nmixed/d.gpg\nmixed/far/c.gpg"
    );
    for line in [
        "echo x | pass insert -m far/a",
        "pass generate -f far/deep/b",
        "pass cp close/a far/a",
        // Folders of which a part is not here: what is missing would be left behind, or readable to those
        // who were just taken off the list.
        "pass mv mixed elsewhere",
        "pass rm -rf mixed",
        "pass init $ALICE $BOB",
        "pass init -p mixed $BOB",
    ] {
        store.refused(line, &["outside of this sparse checkout"]);
    }
    store.clean();
}

#[test]
fn a_sparse_checkout_by_folders_works_for_what_is_there() {
    let store = sparse("git sparse-checkout set --cone near close");
    store.ok("cd store; git sparse-checkout add mixed; git sparse-checkout set --no-cone '/*' '!/far/' '!/mixed/far/'; test -e mixed/d.gpg");
    works_within_and_refuses_outside(&store);
}

#[test]
fn a_sparse_checkout_in_cones_refuses_what_is_outside() {
    let store = sparse("git sparse-checkout set --cone near");
    store.ok("pass generate near/b");
    store.refused("echo x | pass insert -m far/a", &["outside of this sparse checkout"]);
    store.refused("pass init $ALICE $BOB", &["outside of this sparse checkout"]);
    store.clean();
    store.ok("git -C store sparse-checkout disable");
    store.ok("pass show far/deep/b");
    store.clean();
}

#[test]
fn a_sparse_index_is_refused_clearly() {
    let store = sparse("git sparse-checkout set --cone --sparse-index near");
    store.refused("pass generate near/b", &["a sparse or split index"]);
    store.ok("pass show near/a");
}
