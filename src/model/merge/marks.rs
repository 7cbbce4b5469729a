//! Two versions in one text, for an editor: what differs stands between marks.

use zeroize::Zeroizing;

use super::pair::{Part, pair};
use crate::model::Plaintext;

/// How wide marks are, as git's; wider where a text has such lines itself.
const WIDTH: usize = 7;

/// What marks are made of: before one version, between both, and after the other.
const SIGNS: [&str; 3] = ["<", "=", ">"];

/// Marks that neither of two texts holds.
#[derive(Debug)]
pub struct Marks {
    width: usize,
}

impl Marks {
    /// Returns marks for these texts.
    pub fn between(ours: &Plaintext, theirs: &Plaintext) -> Self {
        let lines = [ours, theirs].into_iter().flat_map(|text| text.expose().split(|byte| *byte == b'\n'));
        let own = |line: &[u8]| {
            let sign = line.first().filter(|first| SIGNS.iter().any(|sign| sign.as_bytes() == [**first]));
            sign.map_or(0, |sign| line.iter().take_while(|byte| *byte == sign).count())
        };
        Marks { width: WIDTH.max(lines.map(own).max().unwrap_or(0) + 1) }
    }

    /// Returns both texts as one, each line ended. `names` are what the versions are called.
    pub fn text(&self, ours: &Plaintext, theirs: &Plaintext, names: [&str; 2]) -> Plaintext {
        let [begin, middle, end] = SIGNS.map(|sign| sign.repeat(self.width));
        let (begin, end) = (format!("{begin} {}", names[0]), format!("{end} {}", names[1]));
        let parts = pair(ours, theirs);
        let mut lines: Vec<&[u8]> = Vec::new();
        for part in &parts {
            match part {
                Part::Same(units) => lines.extend(units),
                Part::Differs(one, other) => {
                    lines.push(begin.as_bytes());
                    lines.extend(one);
                    lines.push(middle.as_bytes());
                    lines.extend(other);
                    lines.push(end.as_bytes());
                }
            }
        }
        // Of its full size from the start: growing would leave copies behind.
        let length = lines.iter().map(|line| line.len() + 1).sum();
        let mut text = Zeroizing::new(Vec::with_capacity(length));
        for line in lines {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        Plaintext::from_zeroizing(text)
    }

    /// Whether a text still has marks.
    pub fn are_in(&self, text: &Plaintext) -> bool {
        let marks = SIGNS.map(|sign| sign.repeat(self.width));
        let mut lines = text.expose().split(|byte| *byte == b'\n');
        lines.any(|line| marks.iter().any(|mark| line.starts_with(mark.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Plaintext {
        Plaintext::new(text.as_bytes().to_vec())
    }

    fn marked(ours: &str, theirs: &str) -> String {
        let (ours, theirs) = (text(ours), text(theirs));
        let marks = Marks::between(&ours, &theirs);
        let marked = marks.text(&ours, &theirs, ["a", "b"]);
        assert_eq!(marks.are_in(&marked), !ours.equals(&theirs));
        assert!(!marks.are_in(&ours) && !marks.are_in(&theirs));
        String::from_utf8(marked.expose().to_vec()).unwrap()
    }

    #[test]
    fn marks_stand_around_what_differs_alone() {
        assert_eq!(
            marked("pw\nuser: a\nsame: 1\nlast\n", "pw\nuser: b\nsame: 1\n"),
            "pw\n<<<<<<< a\nuser: a\n=======\nuser: b\n>>>>>>> b\nsame: 1\n<<<<<<< a\nlast\n=======\n>>>>>>> b\n"
        );
        assert_eq!(marked("a\nx: 1\n", "b\nx: 1\n"), "<<<<<<< a\na\n=======\nb\n>>>>>>> b\nx: 1\n");
    }

    #[test]
    fn marks_are_wider_than_what_looks_like_them() {
        assert_eq!(
            marked("a\n=======\n", "b\n=======\n"),
            "<<<<<<<< a\na\n========\nb\n>>>>>>>> b\n=======\n"
        );
        assert_eq!(marked("<<<<<<<<<\n", "<<<<<<<<<\n"), "<<<<<<<<<\n");
    }
}
