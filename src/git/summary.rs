//! What `git commit` prints of a commit: callers of pass see it, and some read it.

use git2::{Delta, DiffFindOptions, DiffStatsFormat, Oid};

use super::{GitError, Repo, git_error};

/// A commit that was made, as told to the user.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The lines that `git commit` prints.
    pub lines: Vec<String>,
}

impl Repo {
    /// Returns what `git commit` prints of `commit` on top of `parent`.
    pub fn summary(&self, branch: &str, parent: Option<Oid>, commit: Oid) -> Result<Summary, GitError> {
        let failed = || git_error("read the new commit");
        let new = self.repo.find_commit(commit).map_err(failed())?;
        let old = match parent {
            Some(id) => Some(self.repo.find_commit(id).and_then(|c| c.tree()).map_err(failed())?),
            None => None,
        };
        let tree = new.tree().map_err(failed())?;
        let mut diff = self.repo.diff_tree_to_tree(old.as_ref(), Some(&tree), None).map_err(failed())?;
        let mut find = DiffFindOptions::new();
        // As git: renames of 50 % likeness; only where few enough files changed to compare them all.
        find.renames(true).rename_limit(1000);
        diff.find_similar(Some(&mut find)).map_err(failed())?;
        let short = new.as_object().short_id().map_err(failed())?;
        let place = branch.strip_prefix("refs/heads/").unwrap_or("detached HEAD");
        let root = if parent.is_none() { " (root-commit)" } else { "" };
        let short = String::from_utf8_lossy(&short).into_owned();
        let mut lines =
            vec![format!("[{place}{root} {short}] {}", new.summary().ok().flatten().unwrap_or(""))];
        let (author, committer) = (new.author(), new.committer());
        if (author.name_bytes(), author.email_bytes()) != (committer.name_bytes(), committer.email_bytes()) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            lines.push(format!(" Author: {} <{}>", text(author.name_bytes()), text(author.email_bytes())));
        }
        let stats = diff.stats().and_then(|s| s.to_buf(DiffStatsFormat::SHORT, 80)).map_err(failed())?;
        lines.push(String::from_utf8_lossy(&stats).trim_end().to_owned());
        lines.extend(diff.deltas().filter_map(|delta| self.delta_line(&delta)));
        Ok(Summary { lines })
    }

    /// Returns the line for a file that was made, removed or renamed; none for one that only changed.
    fn delta_line(&self, delta: &git2::DiffDelta<'_>) -> Option<String> {
        let (old, new) = (delta.old_file(), delta.new_file());
        let path = |file: &git2::DiffFile<'_>| file.path_bytes().unwrap_or_default().to_vec();
        match delta.status() {
            Delta::Added => {
                Some(format!(" create mode {:06o} {}", u32::from(new.mode()), quote(&path(&new))))
            }
            Delta::Deleted => {
                Some(format!(" delete mode {:06o} {}", u32::from(old.mode()), quote(&path(&old))))
            }
            Delta::Renamed => Some(format!(
                " rename {} ({}%)",
                renamed(&path(&old), &path(&new)),
                self.likeness(old.id(), new.id())
            )),
            _ => None,
        }
    }

    /// Returns how alike two blobs are, in per cent. Encrypted files are alike wholly or by accident, so
    /// equality is all that is looked at; git's estimate for the rest is about the size.
    fn likeness(&self, old: Oid, new: Oid) -> u8 {
        if old == new { 100 } else { 50 }
    }
}

/// Returns a rename as git shows it: what both paths share at folder borders is written once.
fn renamed(old: &[u8], new: &[u8]) -> String {
    let quoted = [quote(old), quote(new)];
    if quoted.iter().any(|path| path.starts_with('"')) {
        return format!("{} => {}", quoted[0], quoted[1]);
    }
    let shared = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let head = old[..shared].iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    let limit = old.len().min(new.len()) - head;
    let same = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(limit + usize::from(head > 0))
        .take_while(|(a, b)| a == b);
    let tail = {
        let count = same.count();
        let ending = &old[old.len() - count..];
        ending.iter().position(|b| *b == b'/').map_or(0, |at| count - at)
    };
    if head == 0 && tail == 0 {
        return format!("{} => {}", quoted[0], quoted[1]);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let middle = |path: &[u8]| text(path.get(head..(path.len() - tail).max(head)).unwrap_or_default());
    format!("{}{{{} => {}}}{}", text(&old[..head]), middle(old), middle(new), text(&old[old.len() - tail..]))
}

/// Returns a path as git prints it (`core.quotePath`): in C style where it holds quotes, controls or
/// bytes beyond ASCII.
fn quote(path: &[u8]) -> String {
    let plain = path.iter().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\'));
    if plain {
        return String::from_utf8_lossy(path).into_owned();
    }
    let mut out = String::from("\"");
    for byte in path {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b' '..=b'~' => out.push(char::from(*byte)),
            byte => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_renames_as_git_does() {
        for (old, new, shown) in [
            ("a.gpg", "b.gpg", "a.gpg => b.gpg"),
            ("x/a.gpg", "x/b.gpg", "x/{a.gpg => b.gpg}"),
            ("a.gpg", "x/a.gpg", "a.gpg => x/a.gpg"),
            ("x/a.gpg", "y/a.gpg", "{x => y}/a.gpg"),
            ("x/a.gpg", "a.gpg", "x/a.gpg => a.gpg"),
            ("p/x/a.gpg", "p/y/a.gpg", "p/{x => y}/a.gpg"),
            ("p/a.gpg", "p/x/a.gpg", "p/{ => x}/a.gpg"),
            ("p/x/a.gpg", "p/a.gpg", "p/{x => }/a.gpg"),
        ] {
            assert_eq!(renamed(old.as_bytes(), new.as_bytes()), shown);
        }
    }

    #[test]
    fn quotes_as_git_does() {
        assert_eq!(quote("é \"x\"".as_bytes()), "\"\\303\\251 \\\"x\\\"\"");
        assert_eq!(quote(b"a b.gpg"), "a b.gpg");
    }
}
