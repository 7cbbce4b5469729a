//! What our program does in git repositories of all kinds, with the real git looking on.

mod bulk;
mod bystanders;
mod commits;
mod hooks;
mod indexes;
mod kinds;
mod nested;
mod signing;

use std::ops::Deref;

use crate::common::{Output, TestStore};

/// A store that is a git repository.
pub struct Repository(pub TestStore);

impl Deref for Repository {
    type Target = TestStore;

    fn deref(&self) -> &TestStore {
        &self.0
    }
}

impl Repository {
    /// Makes a store for Alice with a repository of one branch, `master`, and two commits.
    pub fn new() -> Self {
        let made = Self(TestStore::new());
        made.ok("pass init $ALICE && pass git init");
        made
    }

    /// Runs a line of shell that must succeed, and returns what it printed, without the last newline.
    #[track_caller]
    pub fn ok(&self, line: &str) -> String {
        let output = self.shell(&format!("set -e; {line}"));
        assert_eq!(output.code, 0, "{line}\nstdout:\n{}\nstderr:\n{}", output.out(), output.err());
        output.out().trim_end().to_owned()
    }

    /// Runs a line whatever its exit code, and reads the JSON that it printed.
    #[track_caller]
    pub fn json(&self, line: &str) -> serde_json::Value {
        let output = self.shell(line);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}\n{}", output.err()))
    }

    /// Runs a line of shell that must be refused with exit code 1 and these words, all unchanged.
    #[track_caller]
    pub fn refused(&self, line: &str, words: &[&str]) -> Output {
        let before = self.state();
        let output = self.shell(line);
        assert_eq!(output.code, 1, "{line}\nstdout:\n{}\nstderr:\n{}", output.out(), output.err());
        for word in words {
            assert!(output.err().contains(word), "{line}: {word:?} in\n{}", output.err());
        }
        assert_eq!(self.state(), before, "{line} changed something");
        output
    }

    /// Describes everything that a refused command must leave as it is: refs, index, files, locks.
    pub fn state(&self) -> String {
        let line = "cd store; git symbolic-ref HEAD; git for-each-ref; git ls-files -s; git status --porcelain;
            find . -name .git -prune -o -print | sort; find . -name .git -prune -o -type f -exec sha256sum {} + | sort;
            find $(git rev-parse --git-dir) -name 'passel*' ! -name passel-accepted ! -name passel-arrivals ! -name passel-versions ! -name passel -o -name '*.lock'; git log -g --format=%H 2>&1";
        self.shell(line).out()
    }

    /// Checks that git sees nothing amiss: nothing to commit, no file to look at again, no damage, and
    /// none of our temporary files anywhere.
    #[track_caller]
    pub fn clean(&self) {
        self.clean_in("store");
    }

    /// Checks the same in another folder.
    #[track_caller]
    pub fn clean_in(&self, folder: &str) {
        let line = format!(
            "cd {folder}; git diff-files --quiet || echo stat data; git diff-index --cached --quiet HEAD || echo index;
            git status --porcelain; git fsck --strict 2>&1 | grep -v -e ^dangling -e ^notice:;
            find . \\( -name '*passel*' ! -name passel-accepted ! -name passel-arrivals ! -name passel-versions ! -name passel-reviewed ! -name passel ! -name .passel.yaml -o -name '*.lock' -o -name 'tmp_*' -o -name 'pack_git2_*' \\);
            find $(git rev-parse --git-dir) \\( -name 'passel*' ! -name passel-accepted ! -name passel-arrivals ! -name passel-versions ! -name passel-reviewed ! -name passel -o -name '*.lock' \\)"
        );
        assert_eq!(self.shell(&line).out(), "", "in {folder}");
    }

    /// Returns the newest commit's subject, author, committer and changed paths.
    #[track_caller]
    pub fn last(&self) -> String {
        self.ok("git -C store log -1 --format='%s|%an|%ae|%cn|%ce' --name-status --no-renames")
    }

    /// Returns the number of commits.
    #[track_caller]
    pub fn count(&self) -> usize {
        self.ok("git -C store rev-list --count HEAD").parse().expect("a number")
    }

    /// Writes an executable script into the temporary folder.
    pub fn script(&self, path: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is ours");
        std::fs::write(&path, text).expect("the folder is ours");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
    }
}
