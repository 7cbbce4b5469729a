//! Draws a listing as pass prints it: as `tree -N -C -l --noreport` does, less the first line and less
//! `.gpg` where a line or a link's name ends in it.
//!
//! Names and link targets are escaped where they could drive the terminal; tree writes them raw.

mod colours;
mod lines;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;

use colours::Colours;
use lines::Lines;

use crate::model::Shown;
use crate::store::listing::{Node, Note};

/// How a tree is drawn.
pub struct TreeStyle {
    lines: &'static Lines,
    colours: Option<Colours>,
}

/// What a tree's style depends on: values of environment variables, and the locale.
#[derive(Default)]
pub struct TreeEnvironment {
    /// TREE_CHARSET: the character set to draw lines with.
    pub tree_charset: Option<OsString>,
    /// Whether the locale's character set (LC_CTYPE) is UTF-8; asked where TREE_CHARSET is not set.
    pub utf8: bool,
    /// TERM: without it there are no colours.
    pub term: Option<OsString>,
    /// TREE_COLORS: colours, in the format of LS_COLORS; tree's own if empty.
    pub tree_colors: Option<OsString>,
    /// LS_COLORS: colours where TREE_COLORS is not set; tree's own if empty or not set either.
    pub ls_colors: Option<OsString>,
}

impl TreeStyle {
    /// Returns the style that tree would draw with in this environment.
    pub fn new(environment: &TreeEnvironment) -> Self {
        let charset = match &environment.tree_charset {
            Some(charset) => charset.as_bytes(),
            None if environment.utf8 => b"UTF-8",
            None => b"",
        };
        let colours = environment.tree_colors.as_ref().or(environment.ls_colors.as_ref());
        let colours = colours.filter(|text| !text.is_empty());
        let colours = colours.map_or(colours::DEFAULT.as_bytes(), |text| text.as_bytes());
        let colours = environment.term.as_ref().map(|_| Colours::parse(colours));
        TreeStyle { lines: Lines::of(charset), colours }
    }

    /// Whether colours depend on the permissions of regular files, so that a listing must look them up.
    pub fn needs_permissions(&self) -> bool {
        self.colours.as_ref().is_some_and(Colours::need_permissions)
    }
}

/// Draws what is below `root`, a line for each name; nothing for an empty folder.
pub fn draw(root: &Node, style: &TreeStyle, out: &mut impl Write) -> io::Result<()> {
    Drawing { style, out, prefix: Vec::new(), line: Vec::new() }.children(root)
}

/// A drawing under way.
struct Drawing<'a, W> {
    style: &'a TreeStyle,
    out: &'a mut W,
    /// What stands before the lines of a folder's names.
    prefix: Vec<u8>,
    /// The line being drawn.
    line: Vec<u8>,
}

impl<W: Write> Drawing<'_, W> {
    fn children(&mut self, folder: &Node) -> io::Result<()> {
        let lines = self.style.lines;
        let Some(last) = folder.children.len().checked_sub(1) else { return Ok(()) };
        for (number, node) in folder.children.iter().enumerate() {
            let (branch, below) = if number == last { (lines.last, "   ".as_bytes()) } else { lines.more() };
            self.line.clear();
            self.line.extend_from_slice(&self.prefix);
            self.line.extend_from_slice(branch);
            self.line.push(b' ');
            self.node(node)?;
            let length = self.prefix.len();
            self.prefix.extend_from_slice(below);
            self.prefix.push(b' ');
            self.children(node)?;
            self.prefix.truncate(length);
        }
        Ok(())
    }

    /// Adds the node's name and all that follows it to the line, and writes the line.
    fn node(&mut self, node: &Node) -> io::Result<()> {
        let colours = self.style.colours.as_ref();
        let colour = colours.and_then(|colours| colours.of_name(node));
        self.text(node.name.as_bytes(), colour);
        if let Some(link) = &node.link {
            self.line.extend_from_slice(b" -> ");
            let colour = colours.and_then(|colours| colours.of_target(link));
            self.text(link.target.as_bytes(), colour);
        }
        match node.note {
            Some(Note::Recursive) => self.line.extend_from_slice(b"  [recursive, not followed]"),
            Some(Note::Unreadable) => self.line.extend_from_slice(b"  [error opening dir]"),
            None => {}
        }
        strip_suffixes(&mut self.line);
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    /// Adds a foreign text in a colour.
    fn text(&mut self, text: &[u8], colour: Option<&[u8]>) {
        let frame = self.style.colours.as_ref().zip(colour);
        if let Some((colours, colour)) = frame {
            self.line.extend([&colours.left, colour, &colours.right].into_iter().flatten());
        }
        if text.iter().all(|b| matches!(b, b' '..=b'~')) {
            self.line.extend_from_slice(text);
        } else {
            let mut shown = String::new();
            let _ = write!(shown, "{}", Shown::new(text));
            self.line.extend_from_slice(shown.as_bytes());
        }
        if let Some((colours, _)) = frame {
            self.line.extend_from_slice(&colours.end);
        }
    }
}

/// Removes every `.gpg` that stands at the line's end or before ` ->`, there or before a colour's end.
///
/// The end of a colour is `ESC [ digits m`, as pass has it: behind another reset code, `.gpg` stays.
fn strip_suffixes(line: &mut Vec<u8>) {
    const SUFFIX: &[u8] = b".gpg";
    let mut from = 0;
    while let Some(found) = line[from..].windows(SUFFIX.len()).position(|bytes| bytes == SUFFIX) {
        let (start, end) = (from + found, from + found + SUFFIX.len());
        let rest = &line[end..];
        let behind = &rest[colour_length(rest)..];
        let ends = |rest: &[u8]| rest.is_empty() || rest.starts_with(b" ->");
        if ends(behind) || ends(rest) {
            line.drain(start..end);
            from = start;
        } else {
            from = end;
        }
    }
}

/// Returns the length of the `ESC [ digits m` that `text` begins with, 0 if it does not.
fn colour_length(text: &[u8]) -> usize {
    let Some(code) = text.strip_prefix(b"\x1b[") else { return 0 };
    let digits = code.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && code.get(digits) == Some(&b'm') { digits + 3 } else { 0 }
}
