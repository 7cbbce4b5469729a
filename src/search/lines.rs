//! Lines: which are printed, and how grep prints them.

use std::ops::Range;

use zeroize::Zeroizing;

use super::words::{Output, Request};

/// Bytes that the number of a line, its mark and their colours take at most.
const HEAD: usize = 64;

/// Bytes that the colours of one part take.
const COLOURS: usize = 32;

/// The colours of grep: of a match, the number of a line, a mark, the name of what is searched.
const MATCH: &[u8] = b"\x1b[01;31m\x1b[K";
const NUMBER: &[u8] = b"\x1b[32m\x1b[K";
const MARK: &[u8] = b"\x1b[36m\x1b[K";
const NAME: &[u8] = b"\x1b[35m\x1b[K";
const END: &[u8] = b"\x1b[m\x1b[K";

/// A line that is printed.
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// Its bytes without the line break.
    pub bytes: &'a [u8],
    /// Whether it is selected, not one around.
    pub is_selected: bool,
    /// Where its matches are, as far as they are shown.
    pub parts: Vec<Range<usize>>,
}

/// Returns the lines of `text` without their line breaks. What follows the last line break is a line only if
/// there is anything.
pub fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

/// Returns which of the lines are printed, given which are selected: they and those around.
pub fn shown(request: &Request, selected: &[bool]) -> Vec<usize> {
    let (before, after) = match request.output {
        Output::Lines => (request.before.unwrap_or(0), request.after.unwrap_or(0)),
        _ => (0, 0),
    };
    let mut shown = Vec::new();
    let mut next = 0;
    for at in (0..selected.len()).filter(|at| selected[*at]) {
        // Lines after one that is selected were printed already, or end before the next one.
        let start = at.saturating_sub(before).max(next);
        shown.extend(start..=at);
        next = at + 1;
        let end = next.saturating_add(after).min(selected.len());
        let end = (next..end).find(|at| selected[*at]).unwrap_or(end);
        shown.extend(next..end);
        next = next.max(end);
    }
    shown
}

/// What prints lines.
pub struct Printer<'a> {
    request: &'a Request,
    coloured: bool,
    out: Zeroizing<Vec<u8>>,
}

impl<'a> Printer<'a> {
    /// Prints `lines`; `count` of all lines are selected.
    pub fn print(
        request: &'a Request,
        coloured: bool,
        lines: &[Line<'_>],
        count: usize,
    ) -> Zeroizing<Vec<u8>> {
        // No more than this is written: a vector that grows would leave its content behind.
        let sizes =
            lines.iter().map(|line| line.bytes.len() + 2 * HEAD + line.parts.len() * (HEAD + COLOURS));
        let out = Zeroizing::new(Vec::with_capacity(sizes.sum::<usize>() + HEAD));
        let capacity = out.capacity();
        let mut printer = Printer { request, coloured, out };
        match request.output {
            Output::Lines => printer.lines(lines),
            Output::Parts => lines.iter().for_each(|line| printer.parts(line)),
            Output::Count => printer.put(format!("{count}\n").as_bytes()),
            Output::Name if count == 0 => {}
            Output::Name => {
                printer.in_colour(NAME, b"(standard input)");
                printer.put(b"\n");
            }
        }
        debug_assert_eq!(printer.out.capacity(), capacity);
        printer.out
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn in_colour(&mut self, colour: &[u8], bytes: &[u8]) {
        if !self.coloured {
            return self.put(bytes);
        }
        self.put(colour);
        self.put(bytes);
        self.put(END);
    }

    fn lines(&mut self, lines: &[Line<'_>]) {
        let has_groups = self.request.before.is_some() || self.request.after.is_some();
        let mut last = None;
        for line in lines {
            if has_groups && last.is_some_and(|last| last + 1 < line.number) {
                self.in_colour(MARK, b"--");
                self.put(b"\n");
            }
            last = Some(line.number);
            self.head(line);
            let mut at = 0;
            for part in &line.parts {
                self.put(&line.bytes[at..part.start]);
                self.in_colour(MATCH, &line.bytes[part.clone()]);
                at = part.end;
            }
            self.put(&line.bytes[at..]);
            self.put(b"\n");
        }
    }

    fn parts(&mut self, line: &Line<'_>) {
        for part in &line.parts {
            self.head(line);
            self.in_colour(MATCH, &line.bytes[part.clone()]);
            self.put(b"\n");
        }
    }

    /// Prints what comes before a line or a part of one.
    fn head(&mut self, line: &Line<'_>) {
        if self.request.numbered {
            self.in_colour(NUMBER, line.number.to_string().as_bytes());
            self.in_colour(MARK, if line.is_selected { b":" } else { b"-" });
        }
    }
}
