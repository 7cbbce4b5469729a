//! Repositories of all kinds: they work, or are refused clearly with nothing changed.

use super::Repository;
use crate::common::TestStore;

#[test]
fn a_repository_of_sha256_objects_is_refused() {
    let store = Repository(TestStore::new());
    store.ok("pass init $ALICE; pass generate a; git init -q --object-format=sha256 store; cd store; git add .; git commit -qm all");
    for line in ["pass generate b", "pass generate -f a", "pass mv a b", "pass rm -f a", "pass init $BOB"] {
        store.refused(line, &["uses SHA-256 objects"]);
    }
    store.ok("pass show a; pass ls; pass find a");
}

#[test]
fn refs_in_a_reftable_are_refused() {
    let store = Repository::new();
    store.ok("pass generate a");
    let config = "git -C store config core.repositoryFormatVersion 1; git -C store config extensions.refStorage reftable";
    let head = store.ok("cat store/.git/refs/heads/master; sha256sum store/.git/index; ls store");
    // By this git itself, if it knows them.
    if store.shell("git init -q --ref-format=reftable real").code == 0 {
        store.ok("mv real/.git kept; mv store/.git old; mv kept store/.git; git -C store add .; git -C store commit -qm all");
        store.refused("pass generate b", &["keeps its refs in a reftable"]);
        store.refused("pass rm -f a", &["keeps its refs in a reftable"]);
        store.ok("pass show a; rm -rf store/.git; mv old store/.git");
    }
    store.ok(config);
    for line in ["pass generate b", "pass rm -f a"] {
        let output = store.shell(line);
        assert!(
            output.code == 1 && output.err().contains("keeps its refs in a reftable"),
            "{}",
            output.err()
        );
    }
    assert_eq!(store.ok("cat store/.git/refs/heads/master; sha256sum store/.git/index; ls store"), head);
}

#[test]
fn unknown_extensions_are_refused() {
    let store = Repository::new();
    store
        .ok("cd store; git config core.repositoryFormatVersion 1; git config extensions.partialClone origin");
    store.refused("pass generate b", &["extensions"]);
}

#[test]
fn objects_may_come_from_elsewhere() {
    let store = Repository::new();
    store.ok("pass generate a; pass generate web/b; mv store origin; git clone -q --shared origin store
        pass mv a c; pass mv web net; pass cp net/b d");
    store.clean();
    let store = Repository::new();
    store.ok("pass generate a; mv store origin; git clone -q --depth 1 file://$PWD/origin store; pass mv a c; pass generate b");
    assert_eq!(store.count(), 3);
    store.clean();
}

#[test]
fn a_store_in_a_linked_work_tree_works() {
    let store = Repository::new();
    store.ok("pass generate a; mv store main; git -C main worktree add -q -b side ../store; echo x | pass insert -m b
        pass mv a web/a");
    store.clean();
    store.clean_in("main");
    assert_eq!(store.ok("git -C main log -1 --format=%s side"), "Rename a to web/a.");
    assert_eq!(store.ok("git -C main rev-list --count master..side"), "2");
    store.ok(
        "git -C store switch -q --detach; pass generate c; git -C store symbolic-ref HEAD refs/heads/new",
    );
    store.ok("pass generate d");
    assert_eq!(store.ok("git -C main log --format=%s new"), "Add generated password for d.");
}

#[test]
fn a_git_folder_elsewhere_is_followed() {
    let store = Repository::new();
    store.ok("git init -q --separate-git-dir=$PWD/real store; test -f store/.git
        pass generate a; pass mv a b");
    store.clean();
    store.ok("cd store; rm .git; ln -s ../real .git; cd ..; pass generate c");
    assert_eq!(store.ok("git -C store log -1 --format=%s"), "Add generated password for c.");
}

#[test]
fn a_work_tree_elsewhere_is_refused() {
    let store = Repository::new();
    store.ok("mkdir other; git -C store config core.worktree ../../other");
    let output = store.shell("pass generate a");
    assert_eq!(output.code, 1, "{}", output.err());
    assert!(output.err().contains("other"), "{}", output.err());
    assert_eq!(
        store.ok("ls store other; git -C store log -1 --format=%s"),
        "other:\n\nstore:\nConfigure git repository for gpg file diff."
    );
    // The same folder said in full is no other.
    store.ok("git -C store config core.worktree $PWD/store; pass generate a");
    store.clean();
}

#[test]
fn a_bare_repository_is_refused() {
    let store = Repository::new();
    store.ok("git -C store config core.bare true");
    let output = store.shell("pass generate a");
    assert!(output.code == 1 && output.err().contains("is bare"), "{}", output.err());
    assert_eq!(store.ok("ls store"), "");
}

#[test]
fn a_damaged_repository_is_named() {
    let store = Repository::new();
    store.ok("pass generate a; rm store/.git/HEAD");
    let output = store.shell("pass generate b");
    assert!(output.code == 1 && output.err().contains("git repository"), "{}", output.err());
    store.ok("test ! -e store/b.gpg; pass show a");
    store.ok("rm -rf store/.git; echo gitdir: /nowhere >store/.git");
    let output = store.shell("pass generate b");
    assert!(output.code == 1 && output.err().contains("git repository"), "{}", output.err());
    store.ok("test ! -e store/b.gpg; pass show a");
}

#[test]
fn a_store_inside_a_bigger_repository_is_not_recorded_there() {
    let store = Repository(TestStore::new());
    store.ok("git init -q .; git commit -q --allow-empty -m bigger; pass init $ALICE; pass generate web/a; pass mv web/a b; pass rm -f b");
    assert_eq!(store.ok("git log --format=%s"), "bigger");
    assert_eq!(
        store.ok("find . -name '*passel*' -not -path './bin/*' -not -path './home/.local/*'; ls store"),
        ""
    );
}

#[test]
fn a_repository_of_somebody_else_is_refused_as_git_refuses_it() {
    let store = Repository::new();
    store.ok("pass generate a");
    // Only root can give files away.
    if store.shell("chown -R 65534 store").code != 0 {
        return;
    }
    let output = store.shell("pass generate b");
    assert_eq!(output.code, 1, "{}", output.out());
    assert!(output.err().contains("safe.directory"), "{}", output.err());
    store.ok("test ! -e store/b.gpg; git config --global safe.directory \"$(realpath store)\"; git -C store status; pass generate b");
    store.clean();
    store.ok("git config --global safe.directory '*'; pass generate c");
}

#[test]
fn a_file_system_without_hard_links_is_refused_clearly() {
    let store = Repository::new();
    crate::common::tool("strace");
    let line =
        "strace -f -qq -o /dev/null -e trace=link,linkat -e inject=link,linkat:error=EPERM pass generate a";
    store.refused(line, &["no hard links", "hint:"]);
    store.ok("pass generate a");
    store.clean();
}
