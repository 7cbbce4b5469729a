//! Fetch and push, through the user's own `git`: its ssh, agents, credential helpers and proxies.
//!
//! What a remote was last seen to hold is kept in refs of our own, `refs/passel/seen/REMOTE/BRANCH`: git moves its
//! remote-tracking branches wherever the remote's go, backwards too.

use std::process::{Command, Stdio};
use std::{fs, io};

use git2::Oid;
use rustix::process::{Pid, test_kill_process};

use super::provenance::without_user;
use super::publish::{sync_folder, write_synced};
use super::{GitError, Repo, git_error, io_error};
use crate::model::Shown;
use crate::process::git::GitProgram;

/// Where git puts what it fetches for us: a ref for each process.
const FETCHED: &str = "refs/passel/fetched";

/// A ref that is being written, in the git directory.
const NEW_REF: &str = "passel-new-ref";

/// The branch of a remote that a branch here goes with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote's name.
    pub remote: String,
    /// The branch there, as a ref: `refs/heads/main`.
    pub branch: String,
    /// The remote's address, without what it says of who asks.
    pub url: String,
    /// Whether git's configuration names it; otherwise the first push will write it there.
    pub is_configured: bool,
}

impl Upstream {
    /// Returns what people call it: `origin/main`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.remote, self.branch.strip_prefix("refs/heads/").unwrap_or(&self.branch))
    }

    fn own_ref(&self, kind: &str) -> String {
        format!("refs/passel/{kind}/{}", self.name())
    }
}

/// Why nothing could be fetched or pushed.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// There is no way to the remote now: no network, say.
    #[error("cannot reach {url}: {said}")]
    Unreachable {
        /// Its address.
        url: String,
        /// What git said.
        said: String,
    },
    /// The remote wants to know who asks, or lets this one not in.
    #[error("{url} refused access: {said}")]
    Refused {
        /// Its address.
        url: String,
        /// What git said.
        said: String,
    },
    /// There is no repository.
    #[error("there is no repository at {url}: {said}")]
    NoRepository {
        /// Its address.
        url: String,
        /// What git said.
        said: String,
    },
    /// A hook, here or there, or a rule of the server's refused what was pushed.
    #[error("{url} took nothing: {said}")]
    Rejected {
        /// Its address.
        url: String,
        /// What git said.
        said: String,
    },
    /// git failed otherwise.
    #[error("git failed with {url}: {said}")]
    Failed {
        /// Its address.
        url: String,
        /// What git said.
        said: String,
    },
    /// git could not be run, or a ref not be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The remote has it.
    Done,
    /// Somebody else pushed before: nothing was done.
    Overtaken,
}

impl Repo {
    /// Returns the remote branch that HEAD's branch goes with: the one that git's configuration names, or else the
    /// branch of the same name at `origin`, or at the only remote. None without a remote, or without a branch.
    pub fn upstream(&self) -> Result<Option<Upstream>, GitError> {
        let head = self.branch()?;
        let Some(short) = head.strip_prefix("refs/heads/") else { return Ok(None) };
        let config = self.repo.config().and_then(|mut config| config.snapshot());
        let config = config.map_err(git_error("read the configuration"))?;
        let text = |name: &str| config.get_string(&format!("branch.{short}.{name}")).ok();
        let names = self.repo.remotes().map_err(git_error("list the remotes"))?;
        let names: Vec<&str> = names.iter().flatten().flatten().collect();
        let configured = text("remote").filter(|name| names.contains(&name.as_str())).zip(text("merge"));
        let is_configured = configured.is_some();
        let (remote, branch) = match configured {
            Some(known) => known,
            None => match (names.iter().find(|name| **name == "origin"), &names[..]) {
                (Some(name), _) | (None, [name]) => ((*name).to_owned(), head.clone()),
                _ => return Ok(None),
            },
        };
        let found = self.repo.find_remote(&remote).map_err(git_error("look at a remote"))?;
        let url = String::from_utf8_lossy(found.url_bytes()).into_owned();
        let url = shown_url(&url);
        Ok(Some(Upstream { remote, branch, url, is_configured }))
    }

    /// Fetches the branch; returns its commit there, none if the remote has no such branch. Without somebody to ask,
    /// nobody is asked for anything.
    pub fn fetch(
        &self,
        git: &GitProgram,
        upstream: &Upstream,
        interactive: bool,
    ) -> Result<Option<Oid>, RemoteError> {
        // A ref of this process alone: a lock that git leaves when it is killed is in nobody's way.
        let own = format!("{FETCHED}/{}", std::process::id());
        // That of the remote-tracking branch is left by a push that was killed, and in the way of git's own commands.
        self.drop_stale_lock(&format!("refs/remotes/{}", upstream.name()))?;
        let mut command = git.network_command(self.workdir(), interactive);
        // --no-tags, --no-recurse-submodules: nothing else is wanted; each repository is synced by itself.
        // Without automatic maintenance, which might take longer than all the rest.
        command.args(["-c", "maintenance.auto=false", "-c", "gc.auto=0"]);
        // --refmap=: nor is the remote-tracking branch git's to write; it follows below.
        command.args(["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"]);
        command.arg("--refmap=");
        command.arg(&upstream.remote).arg(format!("+{}:{own}", upstream.branch));
        let said = match run(command)? {
            (true, _, _) => {
                let odb = self.repo.odb().map_err(git_error("open the object database"))?;
                // What git has just written in packs is not known here yet.
                odb.refresh().map_err(git_error("open the object database"))?;
                return Ok(self.target(&own)?);
            }
            (false, _, said) => said,
        };
        if said.contains("couldn't find remote ref") {
            return Ok(None);
        }
        Err(failure(&upstream.url, &said))
    }

    /// Pushes `commit` to the branch, never over what it does not hold.
    pub fn push(
        &self,
        git: &GitProgram,
        upstream: &Upstream,
        commit: Oid,
        interactive: bool,
    ) -> Result<Pushed, RemoteError> {
        let mut command = git.network_command(self.workdir(), interactive);
        // --no-follow-tags, --recurse-submodules=no: this commit and nothing else, whatever the user's
        // configuration says of `git push` alone.
        command.args(["push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no"]);
        if !upstream.is_configured && self.head_commit()? == Some(commit) {
            command.arg("--set-upstream");
            command.arg(&upstream.remote).arg(format!("{}:{}", self.branch()?, upstream.branch));
        } else {
            command.arg(&upstream.remote).arg(format!("{commit}:{}", upstream.branch));
        }
        let (done, out, said) = run(command)?;
        if done {
            return Ok(Pushed::Done);
        }
        // git-push(1), --porcelain: `! FROM:TO [rejected] (fetch first)`.
        let line = out.lines().find(|line| line.starts_with('!')).unwrap_or_default();
        if line.contains("[rejected]")
            || line.contains("(cannot lock ref")
            || line.contains("(failed to update ref")
        {
            return Ok(Pushed::Overtaken);
        }
        if line.contains("[remote rejected]") || said.contains("pre-push") {
            let reason = line.rsplit_once("rejected] ").map(|(_, reason)| reason.to_owned());
            let said = lines(&said).chain(reason).collect::<Vec<_>>().join("; ");
            return Err(RemoteError::Rejected { url: upstream.url.clone(), said });
        }
        Err(match failure(&upstream.url, &said) {
            // A hook of the user's own says what it likes.
            RemoteError::Failed { url, said } if line.is_empty() && self.has_hook("pre-push") => {
                RemoteError::Rejected { url, said: format!("the hook pre-push refused; {said}") }
            }
            other => other,
        })
    }

    fn has_hook(&self, name: &str) -> bool {
        self.common().join("hooks").join(name).exists()
    }

    /// Returns the commit that the remote branch was last seen at.
    pub fn seen(&self, upstream: &Upstream) -> Result<Option<Oid>, GitError> {
        self.target(&upstream.own_ref("seen"))
    }

    /// Remembers that the remote branch was seen at `commit`.
    pub fn see(&self, upstream: &Upstream, commit: Oid) -> Result<(), GitError> {
        self.keep(&upstream.own_ref("seen"), commit)
    }

    /// Points the remote-tracking branch at `commit`, as git does after a fetch.
    pub fn track(&self, upstream: &Upstream, commit: Oid) -> Result<(), GitError> {
        self.keep(&format!("refs/remotes/{}", upstream.name()), commit)
    }

    /// Points a ref of ours at a commit, which then stays whatever becomes of branches. The caller has the store's
    /// lock. Not by way of git's own locks: one that is left by whoever is killed would be in the way for good.
    pub fn keep(&self, name: &str, commit: Oid) -> Result<(), GitError> {
        if self.target(name)? == Some(commit) {
            return Ok(());
        }
        let (new, file) = (self.common().join(NEW_REF), self.common().join(name));
        let folder = file.parent().expect("a ref's file lies in the git directory");
        fs::create_dir_all(folder).map_err(io_error("make", folder))?;
        write_synced(&new, format!("{commit}\n").as_bytes())?;
        fs::rename(&new, &file).map_err(io_error("write the ref", &file))?;
        sync_folder(folder)
    }

    /// Removes what a killed sync left of refs that it was writing. The caller has the store's lock.
    pub fn sweep_refs(&self) {
        let _ = fs::remove_file(self.common().join(NEW_REF));
        for entry in fs::read_dir(self.common().join(FETCHED)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.trim_end_matches(".lock").parse().ok().and_then(Pid::from_raw);
            if process.is_none_or(|process| test_kill_process(process).is_err()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Removes the ref that this process has fetched to.
    pub fn forget_fetched(&self) {
        let _ = fs::remove_file(self.common().join(FETCHED).join(std::process::id().to_string()));
    }

    /// Returns the branches that remotes have, as they were fetched: `origin/main`.
    pub fn remote_branches(&self) -> Result<Vec<String>, GitError> {
        let failed = || git_error("list the branches");
        let found = self.repo.references_glob("refs/remotes/*").map_err(failed())?;
        let mut names = Vec::new();
        for found in found {
            let found = found.map_err(failed())?;
            // `origin/HEAD` stands for one of them.
            if found.target().is_some() {
                let name = String::from_utf8_lossy(found.name_bytes()).into_owned();
                names.extend(name.strip_prefix("refs/remotes/").map(|name| Shown::new(name).to_string()));
            }
        }
        Ok(names)
    }
}

/// Returns a remote's address for messages, without what it says of who asks.
pub fn shown_url(url: &str) -> String {
    Shown::new(&without_user(url)).to_string()
}

/// Runs git to its end; returns whether it succeeded, and what it said.
fn run(mut command: Command) -> Result<(bool, String, String), GitError> {
    // What is read here is not translated.
    command.env("LC_ALL", "C").stdin(Stdio::null());
    let output = command.output().map_err(not_run)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status.success(), text(&output.stdout), text(&output.stderr)))
}

fn not_run(source: io::Error) -> GitError {
    GitError::NotRun { program: "git".to_owned(), source }
}

/// Returns what git said, without what it says of it.
fn lines(said: &str) -> impl Iterator<Item = String> {
    let hidden = [
        "hint:",
        "To ",
        "error: failed to push",
        "Please make sure",
        "and the repository exists",
        // How far it came, of no use where it failed.
        "Cloning into ",
        "remote: Enumerating ",
        "remote: Counting ",
        "remote: Compressing ",
        "remote: Total ",
        "Receiving objects: ",
        "Resolving deltas: ",
        "Updating files: ",
    ];
    let told = said
        .lines()
        .map(str::trim)
        .filter(move |line| !line.is_empty() && hidden.iter().all(|start| !line.starts_with(start)));
    let plain = told.map(|line| {
        let line = ["fatal: ", "error: ", "remote: "]
            .iter()
            .fold(line, |line, start| line.trim_start_matches(start));
        Shown::new(line.trim()).to_string()
    });
    plain.filter(|line| !line.is_empty()).collect::<Vec<_>>().into_iter()
}

/// Returns what stands for what git said when it failed with the remote at `url`, which is shown.
pub fn failure(url: &str, said: &str) -> RemoteError {
    let (url, told) = (url.to_owned(), lines(said).collect::<Vec<_>>().join("; "));
    let said_one_of = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let no_access = [
        "Permission denied",
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "Host key verification failed",
        "error: 401",
        "error: 403",
        "access denied",
    ];
    let no_network = [
        "Could not resolve host",
        "Could not resolve proxy",
        "Connection refused",
        "Connection timed out",
        "Operation timed out",
        "Connection reset",
        "Connection closed",
        "Network is unreachable",
        "No route to host",
        "Failed to connect",
        "unable to connect",
        "unable to look up",
        "Name or service not known",
        "Temporary failure in name resolution",
        "timed out",
        "unexpected disconnect",
        "early EOF",
    ];
    let nothing_there = [
        "does not appear to be a git repository",
        "' does not exist",
        "Repository not found",
        "repository not found",
        "not found",
    ];
    // git adds `Could not read from remote repository` to each of these.
    if said_one_of(&no_access) {
        RemoteError::Refused { url, said: told }
    } else if said_one_of(&no_network) {
        RemoteError::Unreachable { url, said: told }
    } else if said_one_of(&nothing_there) {
        RemoteError::NoRepository { url, said: told }
    } else {
        RemoteError::Failed { url, said: told }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_why_git_failed() {
        let url = "host:x.git";
        let ending = "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access \
                      rights\nand the repository exists.\n";
        for (said, wanted) in [
            ("ssh: Could not resolve hostname host: Name or service not known\n", "cannot reach"),
            ("ssh: connect to host x port 22: Connection refused\n", "cannot reach"),
            ("git@host: Permission denied (publickey).\n", "refused access"),
            ("fatal: '/srv/x.git' does not appear to be a git repository\n", "there is no repository"),
            (
                "Cloning into 'x'...\nfatal: repository '/srv/x.git' does not exist\n",
                "there is no repository",
            ),
            ("fatal: pack has bad object at offset 12: inflate returned -3\n", "git failed"),
        ] {
            let told = failure(url, &format!("{said}{ending}")).to_string();
            assert!(told.contains(wanted), "{told}");
            let hidden = ["fatal", "Please make sure", "Cloning into"];
            assert!(hidden.iter().all(|text| !told.contains(text)), "{told}");
        }
        let said = "fatal: could not read Username for 'https://x': terminal prompts disabled\n";
        assert!(matches!(failure(url, said), RemoteError::Refused { .. }));
    }
}
