//! Reports as Markdown (CommonMark, with tables as GitHub has them).

use std::fmt::Write as _;

use super::document::{Block, Document, Piece, Text, minute};
use crate::model::{Shown, day};

/// Returns a report as Markdown.
pub fn markdown(document: &Document) -> String {
    let mut out = format!("# {}\n\n*{}*\n\n", line(&document.title), document.kind);
    document.lead.iter().for_each(|block| write_block(&mut out, block));
    for section in &document.sections {
        let _ = write!(out, "## {}\n\n", section.heading);
        section.blocks.iter().for_each(|block| write_block(&mut out, block));
    }
    let _ = writeln!(out, "---\n\n{}", line(&document.footer));
    out
}

fn write_block(out: &mut String, block: &Block) {
    match block {
        Block::Paragraph(text) => _ = write!(out, "{}\n\n", line(text)),
        Block::Note(text) => _ = write!(out, "> **Note:** {}\n\n", line(text)),
        Block::List(items) => {
            items.iter().for_each(|item| _ = writeln!(out, "- {}", line(item)));
            out.push('\n');
        }
        Block::Figures(figures) => {
            figures.iter().for_each(|(count, what)| _ = writeln!(out, "- {}: {count}", capital(what)));
            out.push('\n');
        }
        Block::Table(_, headings, rows) => {
            let _ = writeln!(out, "| {} |\n|{}", headings.join(" | "), " --- |".repeat(headings.len()));
            for row in rows {
                let cells: Vec<String> = row.iter().map(line).collect();
                let _ = writeln!(out, "| {} |", cells.join(" | "));
            }
            out.push('\n');
        }
    }
}

fn capital(words: &str) -> String {
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// Returns a text as one line.
fn line(text: &Text) -> String {
    let words = text.iter().map(|piece| match piece {
        Piece::Ours(words) => words.clone(),
        Piece::Foreign(words) => escaped(words),
        Piece::Name(words) => name(words),
        Piece::Mark(_, word) => format!("**{word}**"),
        Piece::Day(when) => day(*when),
        Piece::Minute(when) => minute(*when),
    });
    words.collect()
}

/// Returns a name as code where that shows it as it is, whoever draws it; otherwise escaped.
fn name(words: &str) -> String {
    let shown = Shown::new(words).to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-:@+=,%()? ".contains(c);
    match shown.chars().all(is_plain) && !shown.is_empty() && shown.trim() == shown {
        true => format!("`{shown}`"),
        false => escaped(words),
    }
}

/// Returns foreign words so that they stand there as they are: no markup, no tag, no link, no end of a line or a cell.
fn escaped(words: &str) -> String {
    let shown = Shown::new(words).to_string();
    let shown = shown.trim();
    let mut out = String::new();
    for (place, c) in shown.char_indices() {
        let before = &shown[..place];
        let is_markup = "\\`*_{}[]<>|~#&!$".contains(c)
            // What would begin a list, a heading or a rule, where the words begin a line.
            || (before.is_empty() && "-+=".contains(c))
            || (".)".contains(c) && !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit()))
            // Bare addresses are made links by some.
            || (c == ':' && shown[place..].starts_with("://"))
            || (c == '.' && before.to_ascii_lowercase().ends_with("www"));
        if is_markup {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_words_are_no_markup() {
        for (words, wanted) in [
            ("Größe 12.5", "Größe 12.5"),
            ("a|b`c", "a\\|b\\`c"),
            ("<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"),
            ("*a* _b_ [c](d)", "\\*a\\* \\_b\\_ \\[c\\](d)"),
            ("a\n# b", "a\\\\n\\# b"),
            ("1. x", "1\\. x"),
            ("- x", "\\- x"),
            ("https://evil.example www.evil.example", "https\\://evil.example www\\.evil.example"),
            ("a\u{202e}b", "a\\\\u\\{202e\\}b"),
            ("&lt;", "\\&lt;"),
        ] {
            assert_eq!(escaped(words), wanted, "{words}");
        }
    }

    #[test]
    fn names_are_code_only_where_nothing_in_them_could_end_it() {
        assert_eq!(name("clients/ä b/x@y.example"), "`clients/ä b/x@y.example`");
        for words in ["a`b", "a|b", "<b>", " a", "", "a\\b", "a\n"] {
            assert!(!name(words).starts_with('`'), "{words}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_words_leave_their_cell(words: String) {
            for text in [escaped(&words), name(&words)] {
                proptest::prop_assert!(!text.contains('\n'));
                let bare = text.replace("\\\\", "");
                for markup in ["|", "<", "*"] {
                    proptest::prop_assert_eq!(bare.matches(markup).count(), bare.matches(&format!("\\{markup}")).count());
                }
            }
        }
    }
}
