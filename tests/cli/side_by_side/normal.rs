//! Takes out of outputs what differs from run to run, and what belongs to other programs than pass.

/// Beginnings of lines on standard error that gpg, git, coreutils and bash wrote. What they say about a
/// failure is theirs; the exit code and what lies on the disk are compared all the same.
const OTHERS: [&str; 25] = [
    "gpg:",
    "mkdir:",
    "mv:",
    "cp:",
    "rm:",
    "rmdir:",
    "base64:",
    "tail:",
    "grep:",
    "tr:",
    "diff:",
    "tree:",
    "bash:",
    "timeout:",
    "sed:",
    "find:",
    "cat:",
    "fatal:",
    "error: pathspec",
    "hint:",
    "warning:",
    "usage: git",
    "invalid option \"",
    "Usage: grep",
    "Try 'grep",
];

/// Passwords that a program generated, to be recognised wherever they turn up.
#[derive(Debug, Default)]
pub struct Generated(Vec<String>);

impl Generated {
    /// Remembers a password.
    pub fn add(&mut self, password: &str) {
        self.0.push(password.to_owned());
    }

    /// Replaces every line that is one of the passwords, colours aside, by its length and its kind.
    pub fn mask(&self, text: &str) -> String {
        let lines: Vec<String> = text.split('\n').map(|line| self.mask_line(line)).collect();
        lines.join("\n")
    }

    fn mask_line(&self, line: &str) -> String {
        let coloured = line.strip_prefix("\x1b[1m\x1b[93m").and_then(|rest| rest.strip_suffix("\x1b[0m"));
        let bare = coloured.unwrap_or(line);
        if !self.0.iter().any(|password| password == bare) {
            return line.to_owned();
        }
        let masked = format!("<password of {}{}>", bare.chars().count(), kind(bare));
        if coloured.is_some() { format!("\x1b[1m\x1b[93m{masked}\x1b[0m") } else { masked }
    }
}

/// Names the characters of a password, if it is long enough to tell.
fn kind(password: &str) -> &'static str {
    match password {
        short if short.len() < 20 => "",
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => ", digits",
        text if text.bytes().all(|byte| byte.is_ascii_lowercase()) => ", small letters",
        text if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => ", letters and digits",
        _ => ", any",
    }
}

/// Makes standard output, or a terminal's screen, comparable.
pub fn stdout(text: &str, root: &str) -> String {
    let text = text.replace(root, "ROOT").replace("\x1b[?2004h", "").replace("\x1b[?2004l", "");
    let lines = text.split('\n').filter(|line| !line.starts_with("gpg:") && !is_rewrite(line));
    let lines: Vec<String> = lines.map(git_line).collect();
    sort_unordered(told_first(lines)).join("\n")
}

/// Puts lines about new folders first: pass makes folders before it asks for anything and leaves them
/// behind when nothing comes of it; with us they are made, and told, when the entry is stored.
fn told_first(lines: Vec<String>) -> Vec<String> {
    let (mut made, rest): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line.starts_with("mkdir: created directory "));
    made.extend(rest);
    made
}

/// Makes standard error comparable: returns pass's own lines, and whether other programs spoke too.
pub fn stderr(text: &str, root: &str) -> (String, bool) {
    let text = text.replace(root, "ROOT");
    let is_other = |line: &str| OTHERS.iter().any(|start| line.starts_with(start)) || is_bash_line(line);
    let own: Vec<&str> = text.split('\n').filter(|line| !is_other(line)).collect();
    (own.join("\n"), text.split('\n').any(is_other))
}

/// Tells whether bash complains about a line of the script itself.
fn is_bash_line(line: &str) -> bool {
    line.split_once(": line ").is_some_and(|(program, _)| program.ends_with("pass"))
}

/// How much a file changed depends on its random bytes: git says so or does not. A date it shows depends on
/// the moment.
fn is_rewrite(line: &str) -> bool {
    line.starts_with(" rewrite ") || line.starts_with(" Date: ")
}

/// Takes commit names and counts of changed lines out of what `git commit` prints.
fn git_line(line: &str) -> String {
    let changed =
        line.split_once(" changed, ").filter(|(files, _)| files.trim_end_matches('s').ends_with(" file"));
    if let Some((files, _)) = changed {
        return format!("{files} changed");
    }
    if let Some((head, subject)) = line.strip_prefix('[').and_then(|rest| rest.split_once("] "))
        && let Some((branch, name)) = head.rsplit_once(' ')
        && name.len() >= 7
        && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return format!("[{branch} HASH] {subject}");
    }
    line.to_owned()
}

/// Sorts neighbouring lines whose order is that of the folder on the disk, which is nobody's promise.
fn sort_unordered(lines: Vec<String>) -> Vec<String> {
    let mut sorted: Vec<String> = Vec::new();
    let mut pending: Vec<String> = Vec::new();
    for line in lines {
        if !is_unordered(&line) {
            sorted.append(&mut pending);
            sorted.push(line);
            continue;
        }
        pending.push(line);
        pending.sort();
    }
    sorted.append(&mut pending);
    grep_groups(sorted)
}

fn is_unordered(line: &str) -> bool {
    line.starts_with("removed ") || line.contains("' -> '") || line.contains(": reencrypting to ")
}

/// Sorts what `grep` found by entry; we sort, pass does not.
fn grep_groups(lines: Vec<String>) -> Vec<String> {
    if !lines.first().is_some_and(|line| line.starts_with("\x1b[94m")) {
        return lines;
    }
    let mut groups: Vec<Vec<String>> = Vec::new();
    for line in lines {
        match groups.last_mut() {
            Some(group) if !line.starts_with("\x1b[94m") && !line.is_empty() => group.push(line),
            _ => groups.push(vec![line]),
        }
    }
    groups.sort_by(|left, right| (left[0].is_empty(), left).cmp(&(right[0].is_empty(), right)));
    groups.concat()
}

#[test]
fn masks_what_differs_from_run_to_run() {
    let text = "[master (root-commit) 0a1b2c3] Add x.\n 1 file changed, 2 insertions(+)\n/tmp/x/store\n[y/N] abcdefg] z";
    let expected = "[master (root-commit) HASH] Add x.\n 1 file changed\nROOT/store\n[y/N] abcdefg] z";
    assert_eq!(stdout(text, "/tmp/x"), expected);
    let mut generated = Generated::default();
    generated.add("a1b2c3d4e5f6g7h8i9j0");
    assert_eq!(generated.mask("a1b2c3d4e5f6g7h8i9j0\nb"), "<password of 20, letters and digits>\nb");
}

#[test]
fn keeps_the_texts_that_are_passs_own() {
    let text = "gpg: no\nError: x is not in the password store.\n/usr/bin/pass: line 7: oops\n";
    assert_eq!(stderr(text, "/tmp/x"), ("Error: x is not in the password store.\n".to_owned(), true));
    assert_eq!(stderr("", "/tmp/x"), (String::new(), false));
}
