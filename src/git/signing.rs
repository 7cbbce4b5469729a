//! Signed commits: the user's own git signs, since it knows OpenPGP, ssh and X.509 keys.
//!
//! git writes the commit into a private folder, in memory, so that nothing is left in the
//! object database when it is killed, and nothing lies there that is not synced: we write it there.

use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::process::Stdio;

use git2::{ObjectType, Oid};

use super::commit::Prepared;
use super::settings::Settings;
use super::{GitError, Repo, git_error};
use crate::process::git::GitProgram;

/// A signed commit that is in no repository yet: the object's bytes.
pub struct SignedCommit(Vec<u8>);

impl Repo {
    /// Returns the commit, signed; this may ask for a passphrase.
    pub fn sign_commit(
        &self,
        prepared: &Prepared,
        settings: &Settings,
        git: &GitProgram,
    ) -> Result<SignedCommit, GitError> {
        let aside = git.aside().map_err(GitError::Aside)?;
        let mut command = git.command(self.workdir());
        command.env("GIT_OBJECT_DIRECTORY", aside.path());
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(&self.common().join("objects")));
        // -S: commit-tree ignores commit.gpgsign. The message comes by standard input.
        command.args(["commit-tree", "-S", "-F", "-"]);
        for parent in prepared.parent.iter().chain(&prepared.others) {
            command.args(["-p", &parent.to_string()]);
        }
        command.arg(prepared.tree.to_string());
        for (role, who) in [("AUTHOR", &settings.author), ("COMMITTER", &settings.committer)] {
            let line = who.line();
            let date = line.rsplitn(3, ' ').collect::<Vec<_>>();
            command.env(format!("GIT_{role}_NAME"), &who.name);
            command.env(format!("GIT_{role}_EMAIL"), &who.email);
            command.env(format!("GIT_{role}_DATE"), format!("@{} {}", date[1], date[0]));
        }
        let not_run = |source| GitError::NotRun { program: "git".to_owned(), source };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(not_run)?;
        {
            let mut stdin = child.stdin.take().expect("standard input is piped");
            // A git that fails early may not read it; its exit code tells.
            let _ = stdin.write_all(prepared.message.as_bytes());
        }
        let output = child.wait_with_output().map_err(not_run)?;
        let id = Oid::from_str(String::from_utf8_lossy(&output.stdout).trim());
        match id {
            Ok(id) if output.status.success() => read_from(aside.path(), id),
            _ => Err(GitError::Sign),
        }
    }

    /// Writes a signed commit into the object database.
    pub fn write_signed(&self, commit: &SignedCommit) -> Result<Oid, GitError> {
        let odb = self.repo.odb().map_err(git_error("open the object database"))?;
        odb.write(ObjectType::Commit, &commit.0).map_err(git_error("write the commit"))
    }
}

/// Returns a commit of the object folder `folder`.
fn read_from(folder: &Path, id: Oid) -> Result<SignedCommit, GitError> {
    let failed = || git_error("read the signed commit");
    let odb = git2::Odb::new().map_err(failed())?;
    odb.add_disk_alternate(&folder.to_string_lossy()).map_err(failed())?;
    let object = odb.read(id).map_err(failed())?;
    Ok(SignedCommit(object.data().to_vec()))
}

/// Returns a path for git's list of object folders, where a colon separates (git(1)).
fn quoted(path: &Path) -> std::ffi::OsString {
    let mut text = vec![b'"'];
    for byte in path.as_os_str().as_bytes() {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
    std::ffi::OsString::from_vec(text)
}
