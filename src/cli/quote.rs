//! Names in the messages of mkdir, mv, cp and rm, quoted as GNU's tools quote them.

use std::path::Path;

use crate::model::Shown;

/// Returns a path in quotes: single ones, double ones around an apostrophe.
pub fn quoted(path: &Path) -> String {
    let text = Shown::os(path).to_string();
    if !text.contains('\'') {
        return format!("'{text}'");
    }
    if text.contains(['"', '$', '`', '\\', '!']) {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_gnu_tools_do() {
        assert_eq!(quoted(Path::new("/a b")), "'/a b'");
        assert_eq!(quoted(Path::new("/it's")), "\"/it's\"");
        assert_eq!(quoted(Path::new("/it's $")), "'/it'\\''s $'");
    }
}
