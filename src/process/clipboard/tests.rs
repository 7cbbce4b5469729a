//! On a real X server of our own (Xvfb), with the real tools and the real pass.

use std::fs;
use std::io::BufRead as _;
use std::process::Child;
use std::time::{Duration, Instant};

use super::*;

const SECRET: &str = "sesame-f7Qk-1903";

/// An X server on a display of its own, ended when dropped.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "64x64x8", "-nolisten", "tcp"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().expect("Xvfb is installed");
        let mut number = String::new();
        let out = server.stdout.as_mut().expect("piped");
        io::BufReader::new(out).read_line(&mut number).expect("Xvfb tells its display");
        Display { server, name: format!(":{}", number.trim()) }
    }

    fn options(&self, selection: &str, seconds: u64) -> ClipboardOptions {
        let display = Some(self.name.clone().into());
        ClipboardOptions { wayland: None, display, selection: selection.into(), seconds }
    }

    /// Copies through a keeper that is this test program.
    fn copy(&self, secret: &str, seconds: u64) {
        self.copy_to("clipboard", secret, seconds).expect("copied");
    }

    fn copy_to(&self, selection: &str, secret: &str, seconds: u64) -> Result<(), ClipboardError> {
        copy_with(&self.options(selection, seconds), secret, &[])
    }

    fn run(&self, shell: &str) -> String {
        let mut command = Command::new("bash");
        command.args(["-c", shell]).env("DISPLAY", &self.name).env_remove("WAYLAND_DISPLAY");
        let output = command.stderr(Stdio::null()).output().expect("bash runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn content(&self) -> String {
        self.run("xclip -o -selection clipboard")
    }

    fn put(&self, text: &str) {
        self.run(&format!("printf %s '{text}' | xclip -selection clipboard >/dev/null"));
        assert_eq!(self.content(), text);
    }

    /// Waits until the clipboard holds `text`.
    fn comes_to_hold(&self, text: &str, within: Duration) {
        let start = Instant::now();
        while self.content() != text {
            assert!(start.elapsed() < within, "still `{}`, not `{text}`", self.content());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The processes whose name is a keeper's, for this display.
    fn keepers(&self) -> Vec<i32> {
        let pids = self.run("pgrep -f \"^password store sleep on display $DISPLAY\"");
        pids.lines().map(|pid| pid.parse().expect("a number")).collect()
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn copy_with(
    options: &ClipboardOptions,
    secret: &str,
    variables: &[(&str, &str)],
) -> Result<(), ClipboardError> {
    let mut program = Command::new(std::env::current_exe().expect("known"));
    program.args(["--exact", "--ignored", "--nocapture", "process::clipboard::tests::keeper"]);
    program.env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY").envs(variables.iter().copied());
    // The test harness says a line before the test begins; the answer comes after it.
    match copy_through(program, &Plaintext::new(secret.into()), options) {
        Err(ClipboardError::Failed(text)) if text.starts_with("running 1 test\n") => {
            match text["running 1 test\n".len()..].as_bytes().split_first() {
                Some((&keeper::DONE, _)) => Ok(()),
                Some((&keeper::MISSING, tool)) => Err(ClipboardError::Missing(super::text(tool))),
                other => Err(ClipboardError::Failed(format!("{other:?}"))),
            }
        }
        other => other,
    }
}

/// What [`copy_with`] runs.
#[test]
#[ignore = "run by the other tests, as the background process"]
fn keeper() {
    assert!(is_keeper(&std::env::args_os().next().expect("named")));
    assert!(crate::process::hardening::harden().is_empty());
    std::process::exit(if restore_main() == std::process::ExitCode::SUCCESS { 0 } else { 1 });
}

#[test]
fn copies_and_restores() {
    let display = Display::start();
    display.put("before\n");
    let start = Instant::now();
    display.copy(SECRET, 2);
    assert_eq!(display.content(), SECRET);
    assert_eq!(display.keepers().len(), 1);
    display.comes_to_hold("before\n", Duration::from_secs(4));
    assert!(start.elapsed() >= Duration::from_secs(2));
}
