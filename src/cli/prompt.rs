//! Questions to the person at the terminal.
//!
//! Operations take a [`Prompt`], so that tests can answer in a person's place.

mod modes;

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::termios::{SpecialCodeIndex, isatty, tcgetattr};
use zeroize::Zeroizing;

use crate::model::Plaintext;
use modes::Modes;

/// The longest line that a terminal passes on, in bytes without its end; it drops what is typed beyond.
const TERMINAL_LINE: usize = if cfg!(target_os = "linux") { 4095 } else { 1023 };
/// The longest line taken from a pipe or file, in bytes.
const PIPE_LINE: usize = 1 << 20;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The input ended: Ctrl-D, or the end of a pipe or file.
    #[error("the input ended before an answer")]
    Closed,
    /// Ctrl-C (or Ctrl-\).
    #[error("interrupted")]
    Interrupted,
    /// The answer holds a NUL byte.
    #[error("the answer holds a NUL byte")]
    Nul,
    /// The answer is longer than a terminal passes on, or than anybody's password.
    #[error("the answer is too long: a line may have {max} bytes", max = .0)]
    TooLong(usize),
    /// Standard input or the terminal failed.
    #[error("cannot read the answer")]
    Io(#[from] io::Error),
}

impl From<Errno> for PromptError {
    fn from(errno: Errno) -> Self {
        PromptError::Io(errno.into())
    }
}

/// Asks questions. Texts are shown as they are: foreign names in them must be escaped.
pub trait Prompt {
    /// Asks a yes/no question of pass's own; without a terminal the answer is yes, as pass has it.
    fn confirm(&mut self, question: &str) -> Result<bool, PromptError>;

    /// Asks for a line that is not shown while it is typed; it must end in a line break.
    fn secret(&mut self, prompt: &str) -> Result<Plaintext, PromptError>;

    /// Takes lines until the end of the input, Ctrl-D on a terminal.
    fn text(&mut self) -> Result<Plaintext, PromptError>;

    /// Asks for a line. Without a terminal, the last one of the input may lack its line break.
    fn line(&mut self, prompt: &str) -> Result<Plaintext, PromptError>;
}

/// Asks on `output` (standard error), and only if `input` (standard input) is a terminal; reads answers
/// from `input`, never more than a line.
pub struct Terminal<I, O> {
    input: I,
    output: O,
}

impl Terminal<io::Stdin, io::Stderr> {
    /// Returns the process's own terminal.
    pub fn standard() -> Self {
        Terminal { input: io::stdin(), output: io::stderr() }
    }
}

impl<I: AsFd, O: Write> Terminal<I, O> {
    /// Returns a terminal on these files.
    pub fn new(input: I, output: O) -> Self {
        Terminal { input, output }
    }

    /// Whether there is somebody to ask.
    pub fn is_interactive(&self) -> bool {
        isatty(&self.input)
    }

    fn say(&mut self, text: &str) -> Result<(), PromptError> {
        self.output.write_all(text.as_bytes())?;
        Ok(self.output.flush()?)
    }

    /// Asks on the terminal; `echo` says whether the answer is shown.
    fn ask(&mut self, prompt: &str, echo: bool) -> Result<Buffer, PromptError> {
        let modes = Modes::set(self.input.as_fd(), echo)?;
        // Only now: what is typed once the prompt is seen must not be shown.
        self.output.write_all(prompt.as_bytes())?;
        self.output.flush()?;
        let answer = read_typed(self.input.as_fd());
        drop(modes);
        if !echo || matches!(answer, Err(PromptError::Interrupted)) {
            // The line break was not shown either.
            self.say("\n")?;
        }
        answer
    }
}

impl<I: AsFd, O: Write> Prompt for Terminal<I, O> {
    fn confirm(&mut self, question: &str) -> Result<bool, PromptError> {
        if !self.is_interactive() {
            return Ok(true);
        }
        let answer = self.ask(&format!("{question} [y/N] "), true)?;
        Ok(matches!(answer.trim_ascii(), b"y" | b"Y"))
    }

    fn secret(&mut self, prompt: &str) -> Result<Plaintext, PromptError> {
        if self.is_interactive() {
            return self.ask(prompt, false)?.into_plaintext();
        }
        let (line, is_whole) = read_line(self.input.as_fd())?;
        if is_whole { line.into_plaintext() } else { Err(PromptError::Closed) }
    }

    fn line(&mut self, prompt: &str) -> Result<Plaintext, PromptError> {
        if self.is_interactive() {
            return self.ask(prompt, true)?.into_plaintext();
        }
        let (line, is_whole) = read_line(self.input.as_fd())?;
        if is_whole || !line.is_empty() { line.into_plaintext() } else { Err(PromptError::Closed) }
    }

    fn text(&mut self) -> Result<Plaintext, PromptError> {
        // Ctrl-C ends the question, as it does every other one, and not us.
        let modes = self.is_interactive().then(|| Modes::set(self.input.as_fd(), true)).transpose()?;
        let text = read_text(self.input.as_fd(), modes.is_some());
        drop(modes);
        if matches!(text, Err(PromptError::Interrupted)) {
            self.say("\n")?;
        }
        Ok(Plaintext::from_zeroizing(text?.0))
    }
}

/// Bytes that are wiped, also where they were before the buffer grew.
struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    fn new() -> Self {
        Buffer(Zeroizing::new(Vec::with_capacity(TERMINAL_LINE + 1)))
    }

    fn extend(&mut self, bytes: &[u8]) {
        let length = self.0.len() + bytes.len();
        if length > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(length * 2));
            larger.extend_from_slice(&self.0);
            // The old one is wiped as it is dropped.
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    fn into_plaintext(self) -> Result<Plaintext, PromptError> {
        if self.contains(&0) { Err(PromptError::Nul) } else { Ok(Plaintext::from_zeroizing(self.0)) }
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Returns what ends a line in place of a signal ([`Modes::set`]); 0 is none.
fn interrupts(input: BorrowedFd<'_>) -> Result<[u8; 2], PromptError> {
    let codes = tcgetattr(input)?.special_codes;
    Ok([codes[SpecialCodeIndex::VEOL], codes[SpecialCodeIndex::VEOL2]])
}

/// Reads a line that a person types. Canonical mode: each `read` returns one line, or what was typed
/// before Ctrl-D or, since [`Modes::set`] makes them end a line, Ctrl-C and Ctrl-\.
fn read_typed(input: BorrowedFd<'_>) -> Result<Buffer, PromptError> {
    let ends = interrupts(input)?;
    let mut line = Buffer::new();
    let mut chunk = Zeroizing::new([0u8; TERMINAL_LINE + 1]);
    loop {
        let length = read(input, &mut chunk[..])?;
        let Some((last, typed)) = chunk[..length].split_last() else { return Err(PromptError::Closed) };
        if *last != 0 && ends.contains(last) {
            return Err(PromptError::Interrupted);
        }
        if *last == b'\n' {
            // So long a line may have been longer: the terminal drops what does not fit.
            if typed.len() >= TERMINAL_LINE || line.len() > PIPE_LINE {
                return Err(PromptError::TooLong(TERMINAL_LINE - 1));
            }
            line.extend(typed);
            return Ok(line);
        }
        // Ctrl-D behind some text: the line goes on.
        line.extend(&chunk[..length]);
    }
}

/// Reads until the end of the input; with `typed`, until somebody ends it or interrupts.
fn read_text(input: BorrowedFd<'_>, typed: bool) -> Result<Buffer, PromptError> {
    let ends = typed.then(|| interrupts(input)).transpose()?.unwrap_or_default();
    let mut text = Buffer::new();
    let mut chunk = Zeroizing::new([0u8; 8192]);
    loop {
        let length = read(input, &mut chunk[..])?;
        let Some(last) = chunk[..length].last() else { return Ok(text) };
        if *last != 0 && ends.contains(last) {
            return Err(PromptError::Interrupted);
        }
        text.extend(&chunk[..length]);
    }
}

/// Reads a line from a pipe or file, a byte at a time: what follows belongs to the next question. Returns
/// it without its line break, and whether it had one.
fn read_line(input: BorrowedFd<'_>) -> Result<(Buffer, bool), PromptError> {
    let mut line = Buffer::new();
    let mut byte = Zeroizing::new([0u8; 1]);
    while read(input, &mut byte[..])? == 1 {
        match byte[0] {
            b'\n' => return Ok((line, true)),
            0 => return Err(PromptError::Nul),
            _ if line.len() >= PIPE_LINE => return Err(PromptError::TooLong(PIPE_LINE)),
            _ => line.extend(&byte[..]),
        }
    }
    Ok((line, false))
}

/// Reads some bytes, 0 at the end; starts over when a signal comes between.
fn read(input: BorrowedFd<'_>, into: &mut [u8]) -> Result<usize, PromptError> {
    Ok(rustix::io::retry_on_intr(|| rustix::io::read(input, &mut *into))?)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::OwnedFd;
    use std::thread;
    use std::time::Duration;

    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::LocalModes;

    use super::*;

    /// Returns the two ends of a new pseudo-terminal: the person's and the program's.
    fn pseudo_terminal() -> (OwnedFd, OwnedFd) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let program = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        (person, program)
    }

    /// Writes all, as fast as the terminal takes it.
    fn type_in(person: &OwnedFd, mut keys: &[u8]) {
        while !keys.is_empty() {
            let written = rustix::io::write(person, &keys[..keys.len().min(512)]).unwrap();
            keys = &keys[written..];
        }
    }

    /// Waits until the program has asked, which is when it no longer takes Ctrl-C for a signal.
    fn wait_until_asked(terminal: &OwnedFd) {
        for _ in 0..500 {
            if !tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ISIG) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("no question was asked");
    }

    /// What one question gave, and what was shown meanwhile.
    struct Asked<T> {
        answer: Result<T, PromptError>,
        /// What the program wrote.
        said: String,
        /// What the terminal showed of the typing.
        shown: Vec<u8>,
    }

    /// Asks on a pseudo-terminal, types `keys` once asked, and checks that the modes are restored.
    fn ask<T: Send>(
        keys: &[u8],
        question: impl FnOnce(&mut dyn Prompt) -> Result<T, PromptError> + Send,
    ) -> Asked<T> {
        let (person, program) = pseudo_terminal();
        let before = tcgetattr(&program).unwrap();
        let mut said = Vec::new();
        let mut terminal = Terminal::new(&program, &mut said);
        let answer = thread::scope(|scope| {
            let asking = scope.spawn(|| question(&mut terminal));
            wait_until_asked(&program);
            type_in(&person, keys);
            asking.join().unwrap()
        });
        let after = tcgetattr(&program).unwrap();
        assert_eq!(after.local_modes, before.local_modes);
        assert_eq!(after.special_codes[SpecialCodeIndex::VEOL], before.special_codes[SpecialCodeIndex::VEOL]);
        rustix::io::ioctl_fionbio(&person, true).unwrap();
        let mut shown = vec![0; 8192];
        let length = rustix::io::read(&person, &mut shown[..]).unwrap_or(0);
        shown.truncate(length);
        Asked { answer, said: String::from_utf8(said).unwrap(), shown }
    }

    fn secret(keys: &[u8]) -> Asked<Plaintext> {
        ask(keys, |prompt| prompt.secret("Enter: "))
    }

    #[test]
    fn does_not_show_secrets() {
        let asked = secret(b"  p w\t\n");
        assert_eq!(asked.answer.unwrap().expose(), b"  p w\t");
        assert_eq!(asked.said, "Enter: \n");
        assert!(!asked.shown.contains(&b'p'));
    }

    #[test]
    fn shows_other_lines() {
        let asked = ask(b"abX\x7fc\n", |prompt| prompt.line("Name: "));
        assert_eq!(asked.answer.unwrap().expose(), b"abc");
        assert_eq!(asked.said, "Name: ");
        assert!(asked.shown.starts_with(b"abX"));
    }

    #[test]
    fn ctrl_c_interrupts_and_restores_the_terminal() {
        for keys in [&b"\x03"[..], b"half a secr\x03", b"half\x1c", b"half\x04more\x03"] {
            let asked = secret(keys);
            assert!(matches!(asked.answer, Err(PromptError::Interrupted)), "{keys:?}");
            assert_eq!(asked.said, "Enter: \n");
        }
    }

    #[test]
    fn ctrl_d_closes_an_empty_line_only() {
        assert!(matches!(secret(b"\x04").answer, Err(PromptError::Closed)));
        assert!(matches!(secret(b"text\x04\x04").answer, Err(PromptError::Closed)));
        assert_eq!(secret(b"one\x04 two\n").answer.unwrap().expose(), b"one two");
    }

    #[test]
    fn never_cuts_a_line_short_in_silence() {
        let longest = [b"x".repeat(TERMINAL_LINE - 1), b"\n".to_vec()].concat();
        assert_eq!(secret(&longest).answer.unwrap().expose().len(), TERMINAL_LINE - 1);
        for length in [TERMINAL_LINE, TERMINAL_LINE + 1, 3 * TERMINAL_LINE] {
            let keys = [b"x".repeat(length), b"\n".to_vec()].concat();
            assert!(matches!(secret(&keys).answer, Err(PromptError::TooLong(_))), "{length}");
        }
    }

    #[test]
    fn only_y_alone_is_yes() {
        for (keys, yes) in [("y\n", true), ("Y\n", true), ("yes\n", false), ("n\n", false), ("\n", false)] {
            let asked = ask(keys.as_bytes(), |prompt| prompt.confirm("Sure?"));
            assert_eq!(asked.answer.unwrap(), yes, "{keys:?}");
            assert_eq!(asked.said, "Sure? [y/N] ");
        }
    }

    #[test]
    fn refuses_nul() {
        assert!(matches!(secret(b"a\0b\n").answer, Err(PromptError::Nul)));
    }

    /// Returns a terminal whose input is a pipe that holds `bytes`, and then ends.
    fn piped(bytes: &[u8]) -> Terminal<File, Vec<u8>> {
        let (input, output) = rustix::pipe::pipe().unwrap();
        File::from(output).write_all(bytes).unwrap();
        Terminal::new(File::from(input), Vec::new())
    }

    #[test]
    fn reads_a_line_for_each_question_from_a_pipe() {
        let mut terminal = piped(b"pw \n pw\nrest");
        assert!(terminal.confirm("Sure?").unwrap());
        assert_eq!(terminal.secret("Enter: ").unwrap().expose(), b"pw ");
        assert_eq!(terminal.secret("Again: ").unwrap().expose(), b" pw");
        assert_eq!(terminal.line("Name: ").unwrap().expose(), b"rest");
        assert!(matches!(terminal.line("Name: "), Err(PromptError::Closed)));
        assert!(terminal.output.is_empty(), "nothing is said where nobody reads it");
    }

    #[test]
    fn a_secret_from_a_pipe_must_end_in_a_line_break() {
        assert!(matches!(piped(b"half").secret("Enter: "), Err(PromptError::Closed)));
        assert!(matches!(piped(b"a\0\n").secret("Enter: "), Err(PromptError::Nul)));
    }
}
