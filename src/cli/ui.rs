//! All output. Whatever is said passes through here, where nothing can drive the terminal.

use std::io::{self, IsTerminal as _, Write as _};

use crate::model::shown::drives_terminal;

/// A piece of output: ordinary text, or a style of our own choosing.
enum Piece {
    Text(String),
    Style(&'static str),
}

/// A text for the terminal. Everything in it is escaped but line breaks, tabs and the styles put in by
/// [`Text::style`]; names must have gone through [`crate::model::Shown`], which escapes those too.
#[derive(Default)]
pub struct Text(Vec<Piece>);

impl Text {
    /// Returns an empty text.
    pub fn new() -> Self {
        Text::default()
    }

    /// Appends words.
    pub fn words(mut self, text: impl Into<String>) -> Self {
        self.0.push(Piece::Text(text.into()));
        self
    }

    /// Appends a style: a fixed escape sequence of ours.
    pub fn style(mut self, sequence: &'static str) -> Self {
        self.0.push(Piece::Style(sequence));
        self
    }

    /// Returns the bytes to write.
    fn render(&self) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Style(sequence) => out.push_str(sequence),
                Piece::Text(text) => escape_into(&mut out, text),
            }
        }
        out
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::new().words(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::new().words(text)
    }
}

/// Appends `text` with everything escaped that drives a terminal, save line breaks and tabs.
fn escape_into(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if drives_terminal(c) && u32::from(c) < 0x80 => {
                out.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c if drives_terminal(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
}

/// Returns the length of the colour sequence of grep's that `text` begins with: `ESC [ digits ; m`, then
/// `ESC [ K`. Neither moves the cursor nor does anything else.
fn grep_colour(text: &[u8]) -> Option<usize> {
    let body = text.strip_prefix(b"\x1b[")?;
    let digits = body.iter().take(12).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    matches!(body.get(digits), Some(b'm' | b'K')).then_some(digits + 3)
}

/// The program's output.
pub struct Ui {
    /// The program's name: `passel`, or `pass` when called through a link of that name.
    pub program: String,
}

impl Ui {
    /// Writes a line to standard output.
    pub fn say(&self, text: impl Into<Text>) -> io::Result<()> {
        let mut line = text.into().render();
        line.push('\n');
        self.write(line.as_bytes())
    }

    /// Writes a line to standard error; a closed standard error is nobody's loss.
    pub fn warn(&self, text: impl Into<Text>) {
        let mut line = text.into().render();
        line.push('\n');
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }

    /// Writes what another program says to standard error: a line, or one that is written over (it ends in CR).
    pub fn pass_on(&self, piece: &str) {
        let (text, end) = match piece.strip_suffix('\r') {
            Some(text) => (text, "\r"),
            None => (piece.trim_end_matches(['\r', '\n']), "\n"),
        };
        let _ = io::stderr().lock().write_all((Text::from(text).render() + end).as_bytes());
    }

    /// Whether standard output is a terminal.
    pub fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Writes rendered bytes to standard output at once.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Writes a listing, drawn by a module that escapes names itself.
    pub fn draw(
        &self,
        draw: impl FnOnce(&mut io::BufWriter<io::StdoutLock<'_>>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut out = io::BufWriter::with_capacity(64 * 1024, io::stdout().lock());
        draw(&mut out)?;
        out.flush()
    }

    /// Writes a page, whose names its templates have escaped.
    pub fn page(&self, page: &str) -> io::Result<()> {
        self.write(page.as_bytes())
    }

    /// Writes a QR code: block characters of our own drawing.
    pub fn secret_drawing(&self, drawing: &str) -> io::Result<()> {
        self.write(drawing.as_bytes())
    }

    /// Writes a secret as a line between two styles of ours; escaped on a terminal.
    pub fn secret_line(&self, before: &'static str, secret: &[u8], after: &'static str) -> io::Result<()> {
        self.write(before.as_bytes())?;
        self.secret(secret)?;
        self.write(after.as_bytes())?;
        self.write(b"\n")
    }

    /// Writes what grep found, with its own colours: on a terminal every other escape is shown.
    pub fn secret_coloured(&self, found: &[u8]) -> io::Result<()> {
        if !io::stdout().is_terminal() {
            return self.write(found);
        }
        let mut rest = found;
        while !rest.is_empty() {
            if let Some(length) = grep_colour(rest) {
                self.write(&rest[..length])?;
                rest = &rest[length..];
                continue;
            }
            let next = rest[1..].iter().position(|b| *b == 0x1b).map_or(rest.len(), |at| at + 1);
            self.secret(&rest[..next])?;
            rest = &rest[next..];
        }
        Ok(())
    }

    /// Writes a secret to standard output: exactly into a pipe or file, escaped on a terminal.
    pub fn secret(&self, bytes: &[u8]) -> io::Result<()> {
        if io::stdout().is_terminal() { self.secret_escaped(bytes) } else { self.write(bytes) }
    }

    /// Writes a secret with everything escaped that drives a terminal, save line breaks and tabs.
    pub fn secret_escaped(&self, bytes: &[u8]) -> io::Result<()> {
        let mut shown = zeroize::Zeroizing::new(String::with_capacity(bytes.len() * 4));
        for chunk in bytes.utf8_chunks() {
            escape_into(&mut shown, chunk.valid());
            for byte in chunk.invalid() {
                shown.push_str(&format!("\\x{byte:02x}"));
            }
        }
        self.write(shown.as_bytes())
    }
}
