//! A program that may run for long, and that ends when we are told to end: what it leaves can be cleared away then.

use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How often it is looked whether a signal has come.
const POLL: Duration = Duration::from_millis(20);
/// How long a program gets to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// How long its standard error is read on once it has ended: something it has started may keep that open.
const REST: Duration = Duration::from_secs(1);

/// While this lives, SIGINT, SIGTERM and SIGHUP are noted, and do not end this process. Dropped, they do again what
/// they do by default.
pub struct Interrupts {
    came: Arc<AtomicUsize>,
    by_default: Arc<AtomicBool>,
}

impl Interrupts {
    /// Begins to note them.
    pub fn begin() -> io::Result<Self> {
        let (came, by_default) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // By handlers, not by ignoring them: a child would inherit that.
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&by_default))?;
            let number = usize::try_from(signal).expect("signals have small numbers");
            signal_hook::flag::register_usize(signal, Arc::clone(&came), number)?;
        }
        Ok(Interrupts { came, by_default })
    }

    /// Returns the signal that came last, if one has come.
    pub fn seen(&self) -> Option<u8> {
        u8::try_from(self.came.load(Ordering::SeqCst)).ok().filter(|signal| *signal > 0)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.by_default.store(true, Ordering::SeqCst);
    }
}

/// Runs a program to its end; returns how it ended and what it wrote on standard error, each line of which (or part
/// of one that is written over, as git does to show how far it is) goes to `said` when it comes. Whoever has the
/// terminal (`interactive`) lets the program have it too; otherwise it reads nothing.
///
/// A signal that comes meanwhile ends the program.
pub fn run_watched(
    mut command: Command,
    interrupts: &Interrupts,
    interactive: bool,
    said: &dyn Fn(&str),
) -> io::Result<(ExitStatus, String)> {
    command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    if !interactive {
        // So that what it has started can be ended with it. With a terminal it could not ask there for anything
        // then; but that sends its signals to all.
        command.process_group(0);
    }
    let mut child = command.spawn()?;
    let mut pipe = child.stderr.take().expect("it is piped");
    let (sender, receiver) = channel();
    // Not joined: it ends with the pipe.
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            if sender.send(chunk[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut text = Lines { all: Vec::new(), told: 0 };
    let (mut told_to_end, mut ended): (Option<Instant>, Option<(ExitStatus, Instant)>) = (None, None);
    loop {
        match receiver.recv_timeout(POLL) {
            Ok(bytes) => text.take(&bytes, said),
            Err(RecvTimeoutError::Disconnected) if ended.is_some() => break,
            Err(RecvTimeoutError::Disconnected) => thread::sleep(POLL),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if ended.is_none() {
            ended = child.try_wait()?.map(|status| (status, Instant::now()));
        }
        if ended.is_some_and(|(_, at)| at.elapsed() > REST) {
            break;
        }
        match told_to_end {
            None if interrupts.seen().is_some() => {
                end(&child, Signal::TERM, interactive);
                told_to_end = Some(Instant::now());
            }
            Some(at) if at.elapsed() > GRACE && ended.is_none() => end(&child, Signal::KILL, interactive),
            _ => {}
        }
    }
    let (status, _) = ended.expect("the loop ends when it has");
    Ok((status, text.all()))
}

/// Sends a signal to a program, and to what it has started where that is a group of its own.
fn end(child: &Child, signal: Signal, interactive: bool) {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return };
    // It may have ended already.
    let _ = if interactive { kill_process(pid, signal) } else { kill_process_group(pid, signal) };
}

/// What a program has said.
struct Lines {
    all: Vec<u8>,
    /// How much of it was told.
    told: usize,
}

impl Lines {
    fn take(&mut self, bytes: &[u8], said: &dyn Fn(&str)) {
        self.all.extend_from_slice(bytes);
        let rest = &self.all[self.told..];
        let Some(end) = rest.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')) else { return };
        for piece in rest[..=end].split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            said(&String::from_utf8_lossy(piece));
        }
        self.told += end + 1;
    }

    /// Returns the lines as they stood in the end.
    fn all(&self) -> String {
        let text = String::from_utf8_lossy(&self.all);
        let last =
            |line: &str| line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_owned();
        text.split('\n').map(last).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn tells_lines_when_they_come_and_keeps_what_stood_in_the_end() {
        let interrupts = Interrupts::begin().unwrap();
        let told = RefCell::new(Vec::new());
        let said = |piece: &str| told.borrow_mut().push(piece.to_owned());
        let command = shell("printf '10%%\\r50%%\\r100%%\\nfatal: so\\nrest' >&2; exit 3");
        let (status, text) = run_watched(command, &interrupts, false, &said).unwrap();
        assert_eq!((status.code(), text.as_str()), (Some(3), "100%\nfatal: so\nrest"));
        assert_eq!(told.into_inner(), ["10%\r", "50%\r", "100%\n", "fatal: so\n"]);
    }

    #[test]
    fn something_left_behind_does_not_keep_us_waiting() {
        let interrupts = Interrupts::begin().unwrap();
        let begun = Instant::now();
        let (status, _) = run_watched(shell("sleep 20 & true"), &interrupts, false, &|_| ()).unwrap();
        assert!(status.success() && begun.elapsed() < Duration::from_secs(10));
    }
}
