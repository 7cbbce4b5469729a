//! Runs a clipboard tool, but does not wait for it for ever.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use zeroize::Zeroizing;

/// How long a tool may take. The program that owns the clipboard may hang; the tool then does too.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most that is read from the clipboard, in bytes.
const MAX_CONTENT: usize = 32 << 20;

/// Runs `command` with `input`, returns whether it succeeded.
///
/// Its output goes nowhere: these tools leave a process behind that would hold our caller's pipe open.
pub(super) fn feed(mut command: Command, input: &[u8]) -> io::Result<bool> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(input));
    let ended = wait(&mut child, Instant::now() + PATIENCE)?;
    Ok(ended && written.is_ok())
}

/// Runs `command`, returns its output, none if it failed, hung or said too much.
pub(super) fn capture(mut command: Command) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let deadline = Instant::now() + PATIENCE;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let output = read(&mut child, deadline);
    let ended = wait(&mut child, deadline)?;
    Ok(output?.filter(|_| ended))
}

/// Reads a child's output to its end; none when the time is up or it is too long.
fn read(child: &mut Child, deadline: Instant) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut pipe = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut content = Zeroizing::new(Vec::with_capacity(4096));
    let mut chunk = Zeroizing::new([0; 4096]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match rustix::event::poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match pipe.read(&mut *chunk)? {
            0 => return Ok(Some(content)),
            count if content.len() + count > MAX_CONTENT => return Ok(None),
            count => append(&mut content, &chunk[..count]),
        }
    }
}

/// Appends without leaving copies behind: a buffer that must grow is copied by hand, and the old wiped.
fn append(content: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    if content.capacity() - content.len() < more.len() {
        let mut larger = Zeroizing::new(Vec::with_capacity(content.capacity() * 2 + more.len()));
        larger.extend_from_slice(content);
        *content = larger;
    }
    content.extend_from_slice(more);
}

/// Waits until `deadline`, then kills. Returns whether the child succeeded.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn captures_whole_output_of_successes_only() {
        let long = capture(sh("head -c 100000 /dev/zero")).expect("runs").expect("succeeds");
        assert_eq!(long.len(), 100_000);
        assert!(capture(sh("echo x; exit 1")).expect("runs").is_none());
        assert!(capture(Command::new("no-such-tool")).is_err());
    }

    #[test]
    fn gives_up_on_what_hangs() {
        let start = Instant::now();
        assert!(capture(sh("echo x; exec sleep 60")).expect("runs").is_none());
        assert!(!feed(sh("exec sleep 60"), b"x").expect("runs"));
        assert!(start.elapsed() < 3 * PATIENCE);
        assert!(feed(sh("read x; test \"$x\" = y"), b"y\n").expect("runs"));
    }
}
