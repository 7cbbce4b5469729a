//! A program on a pseudo-terminal, talked to as expect(1) does: wait for a text, type an answer.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{Output, exit_code};

/// How long to wait for a text or for the end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a program that printed its prompt gets to switch the echo off.
const SETTLE: Duration = Duration::from_millis(60);
const POLL: Duration = Duration::from_millis(5);

/// A running program and the terminal it runs on.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: Option<std::thread::JoinHandle<()>>,
    /// How much of the screen `wait_for` has passed.
    seen: usize,
}

impl Terminal {
    /// Starts a command with its three streams on a new terminal, 200 columns wide.
    ///
    /// The command should begin with `setsid --ctty`, which makes the terminal the controlling one.
    pub fn start(mut command: Command) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is ours");
        tcsetwinsize(&master, Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 })
            .expect("a size");
        let slave = open_slave(&master);
        let stdio = || Stdio::from(slave.try_clone().expect("a file descriptor"));
        command.stdin(stdio()).stdout(stdio()).stderr(stdio());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        // The command holds the slave's descriptors as well; with all closed the reader sees the end.
        drop(command);
        drop(slave);
        let keyboard = File::from(master);
        let screen = Arc::new(Mutex::new(Vec::new()));
        let reader = read_all(keyboard.try_clone().expect("a file descriptor"), Arc::clone(&screen));
        Self { child, keyboard, screen, reader: Some(reader), seen: 0 }
    }

    /// Waits until `text` appears after what was waited for before; panics if it does not.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.reader.as_ref().is_none_or(std::thread::JoinHandle::is_finished);
            let screen = self.screen.lock().expect("the reader does not panic").clone();
            let fresh = &screen[self.seen..];
            if let Some(at) = fresh.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.seen += at + text.len();
                return self;
            }
            let shown = String::from_utf8_lossy(&screen);
            assert!(!ended, "it ended without {text:?}; the screen:\n{shown}");
            assert!(Instant::now() < deadline, "waited in vain for {text:?}; the screen:\n{shown}");
            std::thread::sleep(POLL);
        }
    }

    /// Types a text as it is; end a line with `\r`, press Ctrl-C with `\x03`, Ctrl-D with `\x04`.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        std::thread::sleep(SETTLE);
        self.keyboard.write_all(text.as_bytes()).expect("the terminal is ours");
        self
    }

    /// Waits for the end; standard output is all that the screen showed, with `\n` for `\r\n`.
    #[track_caller]
    pub fn finish(mut self) -> Output {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                break status;
            }
            let shown = self.screen.lock().expect("the reader does not panic").clone();
            let shown = String::from_utf8_lossy(&shown).into_owned();
            assert!(Instant::now() < deadline, "it does not end; the screen:\n{shown}");
            std::thread::sleep(POLL);
        };
        // A helper in the background may keep the terminal open: do not wait for it.
        let reader = self.reader.take().expect("it is taken only here");
        let deadline = Instant::now() + Duration::from_secs(1);
        while !reader.is_finished() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        let screen = self.screen.lock().expect("the reader does not panic").clone();
        let text = String::from_utf8_lossy(&screen).replace("\r\n", "\n");
        Output { code: exit_code(status), stdout: text.into_bytes(), stderr: Vec::new() }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After a failed test it may still run; once it has ended this does nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open_slave(master: &OwnedFd) -> File {
    let name = ptsname(master, Vec::new()).expect("a terminal has a name");
    // Not ours: setsid makes it the controlling terminal of the program.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    File::from(open(name.as_c_str(), flags, Mode::empty()).expect("the terminal is ours"))
}

fn read_all(mut master: File, screen: Arc<Mutex<Vec<u8>>>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // An error means that nobody holds the other side any more.
        while let Ok(count @ 1..) = master.read(&mut buffer) {
            screen.lock().expect("nobody panics with it").extend_from_slice(&buffer[..count]);
        }
    })
}
