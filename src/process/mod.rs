//! Other programs: the only folder that starts any.

pub mod clipboard;
pub mod editor;
pub mod extension;
pub mod git;
pub mod grep;
pub mod hardening;
pub mod tmpdir;
pub mod watched;

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use command_fds::{CommandFdExt as _, FdMapping};
use zeroize::Zeroizing;

/// The descriptor on which a [`Filter`]'s program writes its status lines. A high one: the standard library
/// tells itself of a failed start through a low one, which must not be overwritten.
pub const STATUS_FD: i32 = 250;

/// The descriptor from which a [`Filter`]'s program reads its second input.
pub const SECOND_FD: i32 = 251;

/// Bytes read at once from a program's standard output.
const CHUNK: usize = 64 * 1024;

/// A program that turns bytes into other bytes. Standard error goes where ours goes.
pub struct Filter<'a> {
    command: Command,
    input: &'a [u8],
    second: Option<&'a [u8]>,
    status: bool,
    keep_stderr: bool,
    limit: Option<u64>,
}

/// What a program gave back.
pub struct Filtered {
    /// Its standard output, wiped when dropped.
    pub stdout: Zeroizing<Vec<u8>>,
    /// What it wrote on [`STATUS_FD`], if asked to.
    pub status: Vec<u8>,
    /// Its standard error, if that was kept from ours.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub exit: ExitStatus,
}

impl<'a> Filter<'a> {
    /// Takes a program that shall read `input` on its standard input.
    pub fn new(command: Command, input: &'a [u8]) -> Self {
        Filter { command, input, second: None, status: false, keep_stderr: false, limit: None }
    }

    /// Gives the program `bytes` to read on [`SECOND_FD`].
    pub fn second_input(mut self, bytes: &'a [u8]) -> Self {
        self.second = Some(bytes);
        self
    }

    /// Collects what the program writes on [`STATUS_FD`].
    pub fn status(mut self) -> Self {
        self.status = true;
        self
    }

    /// Collects standard error instead of passing it on.
    pub fn keep_stderr(mut self) -> Self {
        self.keep_stderr = true;
        self
    }

    /// Fails with [`io::ErrorKind::FileTooLarge`] where the program writes more than `bytes` on standard
    /// output.
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// Runs the program to its end. A program that stops reading early is no error: its exit status
    /// tells. (Rust's runtime ignores SIGPIPE; who sets it back to its default must not call this.)
    pub fn run(mut self) -> io::Result<Filtered> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if self.keep_stderr {
            self.command.stderr(Stdio::piped());
        }
        let mut ends = Vec::new();
        let status = self.status.then(io::pipe).transpose()?.map(|(ours, theirs)| {
            ends.push(mapping(theirs, STATUS_FD));
            ours
        });
        let second = self.second.map(|bytes| io::pipe().map(|pipe| (pipe, bytes))).transpose()?;
        let second = second.map(|((theirs, ours), bytes)| {
            ends.push(mapping(theirs, SECOND_FD));
            (ours, bytes)
        });
        self.command.fd_mappings(ends).expect("the two descriptors differ");
        let mut child = self.command.spawn()?;
        // The command holds our copies of the child's ends: the pipes would never end.
        drop(self.command);

        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let collected = thread::scope(|scope| {
            let writer = scope.spawn(|| feed(stdin, self.input));
            let second = scope.spawn(|| second.map_or(Ok(()), |(pipe, bytes)| feed(Some(pipe), bytes)));
            let status = scope.spawn(|| slurp(status));
            let stderr = scope.spawn(|| slurp(stderr));
            // Whoever writes more than is read finds the pipe closed.
            let limit = self.limit.map_or(u64::MAX, |limit| limit + 1);
            let stdout = stdout.map_or(Ok(Zeroizing::default()), |pipe| slurp_secret(pipe.take(limit)));
            writer.join().expect("does not panic")?;
            second.join().expect("does not panic")?;
            let status = status.join().expect("does not panic")?;
            let stderr = stderr.join().expect("does not panic")?;
            Ok::<_, io::Error>((stdout?, status, stderr))
        });
        // Waited for in any case: no zombie is left behind an error.
        let exit = child.wait()?;
        let (stdout, status, stderr) = collected?;
        if self.limit.is_some_and(|limit| stdout.len() as u64 > limit) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Filtered { stdout, status, stderr, exit })
    }
}

/// Returns the order to hand `end` to the child as descriptor `child_fd`.
fn mapping(end: impl Into<OwnedFd>, child_fd: i32) -> FdMapping {
    FdMapping { parent_fd: end.into(), child_fd }
}

/// Writes `bytes` and closes the pipe; a reader that is gone is no error.
fn feed(pipe: Option<impl Write>, bytes: &[u8]) -> io::Result<()> {
    match pipe.map_or(Ok(()), |mut pipe| pipe.write_all(bytes)) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Returns everything a pipe holds.
fn slurp(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut bytes))?;
    Ok(bytes)
}

/// Returns everything a pipe or the like holds, leaving no copy behind: a vector that grows would leave its
/// old allocations unwiped, so pieces of a fixed size are put together at the end.
pub fn slurp_secret(mut pipe: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut chunks: Vec<(Zeroizing<Vec<u8>>, usize)> = Vec::new();
    loop {
        if chunks.last().is_none_or(|(chunk, used)| *used == chunk.len()) {
            chunks.push((Zeroizing::new(vec![0; CHUNK]), 0));
        }
        let (chunk, used) = chunks.last_mut().expect("one was pushed");
        match pipe.read(&mut chunk[*used..]) {
            Ok(0) => break,
            Ok(count) => *used += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let length = chunks.iter().map(|(_, used)| used).sum();
    let mut whole = Zeroizing::new(Vec::with_capacity(length));
    for (chunk, used) in &chunks {
        whole.extend_from_slice(&chunk[..*used]);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_writes_without_end_is_stopped() {
        let run = |script: &str| Filter::new(shell(script), b"").at_most(5).run();
        assert_eq!(*run("printf 12345").unwrap().stdout, b"12345");
        for script in ["printf 123456", "while echo; do :; done"] {
            assert_eq!(run(script).map(|done| done.exit).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        }
    }

    #[test]
    fn passes_large_input_through() {
        let input: Vec<u8> = (0..1_000_003_u32).map(|n| n as u8).collect();
        let done = Filter::new(Command::new("cat"), &input).run().unwrap();
        assert!(done.exit.success());
        assert!(*done.stdout == input);
    }

    #[test]
    fn keeps_the_streams_apart() {
        // Not `sh`: dash knows descriptors of one digit only.
        let mut bash = Command::new("bash");
        bash.args([
            "-c",
            &format!("cat; cat <&{SECOND_FD}; echo status >&{STATUS_FD}; echo error >&2; exit 7"),
        ]);
        let filter = Filter::new(bash, b"one ").second_input(b"two").status().keep_stderr();
        let done = filter.run().unwrap();
        assert_eq!(*done.stdout, b"one two");
        assert_eq!(done.status, b"status\n");
        assert_eq!(done.stderr, b"error\n");
        assert_eq!(done.exit.code(), Some(7));
    }

    #[test]
    fn bears_a_program_that_does_not_read() {
        let input = vec![0; 1 << 20];
        let done = Filter::new(shell("exit 3"), &input).second_input(&input).run().unwrap();
        assert_eq!(done.exit.code(), Some(3));
    }

    #[test]
    fn says_that_a_program_is_missing() {
        let error = Filter::new(Command::new("/nonexistent/program"), b"").run().err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
