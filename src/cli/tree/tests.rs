//! Our bytes beside those of pass's own pipeline through tree(1), over random stores.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;
use crate::store::listing::Listing;
use crate::store::locale::Locale;

/// What pass does with tree's output.
const FILTER: &str = r"tail -n +2 | sed -E 's/\.gpg(\x1B\[[0-9]+m)?( ->|$)/\1\2/g'";

/// Small numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn name(&mut self) -> String {
        const PARTS: [&str; 24] = [
            "a", "B", "c", "web", "Web", "é", "ö", "日本", "-", "_", " ", ".", "1", "10", "2", "x.gpg",
            " ->", "[", "*", "\\", "ß", "@", "z", ".zip",
        ];
        const ENDS: [&str; 6] = [".gpg", ".gpg", ".gpg", "", ".gpg.gpg", ".txt"];
        let count = 1 + self.below(3);
        let parts: String = (0..count).map(|_| self.pick(&PARTS)).collect();
        parts + self.pick(&ENDS)
    }
}

/// Fills `folder` with entries of all kinds.
fn fill(folder: &Path, dice: &mut Dice, depth: usize) {
    const TARGETS: [&str; 10] =
        ["a", "..", ".", "../..", "gone.gpg", "web.gpg", "B", "../a.gpg", "/dev/null", "a/"];
    for _ in 0..dice.below(8) {
        let path = folder.join(dice.name());
        if path.symlink_metadata().is_ok() {
            continue;
        }
        match dice.below(12) {
            0..=2 if depth < 4 => {
                fs::create_dir(&path).unwrap();
                fill(&path, dice, depth + 1);
                let mode = [0o755, 0o755, 0o700, 0o777, 0o1777, 0o1755][dice.below(6)];
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            3 => symlink(dice.pick(&TARGETS), &path).unwrap(),
            4 => {
                let names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
                let target = names.get(dice.below(names.len() + 1)).map_or(OsStr::new("none"), |n| n);
                symlink(target, &path).unwrap();
            }
            5 => mknodat(CWD, &path, FileType::Fifo, Mode::RUSR, 0).unwrap(),
            6 => mknodat(CWD, &path, FileType::Socket, Mode::RUSR, 0).unwrap(),
            _ => {
                fs::write(&path, "").unwrap();
                // Entries' permissions are not looked up: a difference that is listed.
                let entry = path.as_os_str().as_bytes().ends_with(b".gpg");
                let mode = [0o600, 0o600, 0o644, 0o755, 0o4755, 0o2711, 0o610]
                    [dice.below(if entry { 3 } else { 7 })];
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }
}

/// An environment as this process and tree get it.
struct Case {
    variables: Vec<(&'static str, String)>,
}

impl Case {
    fn value(&self, name: &str) -> Option<OsString> {
        self.variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into())
    }

    /// Returns what pass prints.
    fn theirs(&self, root: &Path, terms: Option<&[OsString]>) -> Vec<u8> {
        let script = match terms {
            None => format!("tree -N -C -l --noreport \"$0\" | {FILTER}"),
            Some(_) => format!(
                "t=\"*$(printf '%s*|*' \"$@\")\"; tree -N -C -l --noreport -P \"${{t%|*}}\" --prune \
                 --matchdirs --ignore-case \"$0\" | {FILTER}"
            ),
        };
        let mut command = Command::new("bash");
        command.env_clear().env("PATH", std::env::var_os("PATH").expect("PATH is set"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let script = format!("set -e -o pipefail; tree --version >&2; {script}");
        let output =
            command.arg("-c").arg(script).arg(root).args(terms.unwrap_or_default()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("tree v2.1."), "tree(1) 2.1 is needed for this test: {errors}");
        output.stdout
    }

    /// Returns what we draw.
    fn ours(&self, root: &Path, terms: Option<&[OsString]>) -> Vec<u8> {
        let of = |category: &str| {
            let set = ["LC_ALL", category, "LANG"].into_iter().filter_map(|name| self.value(name));
            set.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
        };
        let locale = Locale::new(&of("LC_COLLATE"), &of("LC_CTYPE"));
        let style = TreeStyle::new(&TreeEnvironment {
            tree_charset: self.value("TREE_CHARSET"),
            utf8: locale.is_utf8(),
            term: self.value("TERM"),
            tree_colors: self.value("TREE_COLORS"),
            ls_colors: self.value("LS_COLORS"),
        });
        let listing = Listing { locale: &locale, permissions: style.needs_permissions() };
        let root = match terms {
            None => listing.list(root),
            Some(terms) => listing.find(root, terms),
        };
        let mut out = Vec::new();
        draw(&root.unwrap(), &style, &mut out).unwrap();
        out
    }

    fn check(&self, root: &Path, terms: Option<&[OsString]>, about: &str) {
        let (ours, theirs) = (self.ours(root, terms), self.theirs(root, terms));
        if ours != theirs {
            let (ours, theirs) = (String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs));
            let differ = ours.lines().zip(theirs.lines()).find(|(a, b)| a != b);
            panic!("{about} {:?} {terms:?}\n{differ:?}\nours\n{ours}\ntheirs\n{theirs}", self.variables);
        }
    }
}

/// Returns a throwaway environment: locale, character set, colours.
fn environment(dice: &mut Dice) -> Case {
    const COLOURS: [&str; 9] = [
        "",
        ":",
        "di=01;34:ln=01;36:ex=01;32:*.gpg=01;31",
        "rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:or=40;31;01:mi=00:su=37;41:sg=30;43:tw=30;42:ow=34;42:\
         st=37;44:ex=01;32:*.zip=01;31:*.txt=00;36:",
        "ln=target:or=1:fi=0:*.gpg=32:*g=33:no=7",
        "ln=TARGET:mi=5:di=1",
        "rs=1;0:di=34:fi=0:*=35",
        "lc=<:rc=>:di=d:fi=f:ec=!:=x:*.gpg:*a=:di",
        "st=9:ow=8:no=0:ln=4=5",
    ];
    let mut variables = Vec::new();
    let mut set = |name, value: &str| variables.push((name, value.to_owned()));
    if dice.below(8) > 0 {
        set("TERM", dice.pick(&["xterm", "", "dumb"]));
    }
    for (name, odds) in [("LS_COLORS", 2), ("TREE_COLORS", 4)] {
        if dice.below(odds) == 0 {
            set(name, dice.pick(&COLOURS));
        }
    }
    if dice.below(2) == 0 {
        set(
            "TREE_CHARSET",
            dice.pick(&["ISO-8859-1", "utf-8", "koi8-r", "IBM850", "Big5", "viscii", "", "x"]),
        );
    }
    for name in ["LANG", "LC_ALL", "LC_COLLATE"] {
        if dice.below(3) == 0 {
            set(name, dice.pick(&["C", "C.UTF-8", "C.utf8", "", "POSIX", "xx_XX"]));
        }
    }
    Case { variables }
}

/// Returns a folder that is removed when the first value is dropped.
fn temporary() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    // Deep enough for links to `../..` not to lead to what other programs change meanwhile.
    let root = folder.path().join("outer/inner/store");
    fs::create_dir_all(&root).unwrap();
    (folder, root)
}

fn sweep(seeds: std::ops::Range<u64>, locales: &[&str]) {
    const TERMS: [&str; 22] = [
        "a", "B", "web", "gpg", "é", ".", "[", "[a-c]", "[^a]", "*", "?", "**", "a|b", "", "/", "a/", "a/b",
        "x*", "\\", "\\*", "z[", "a.gpg|",
    ];
    for seed in seeds {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (seed << 20) ^ seed);
        let (_folder, root) = temporary();
        fill(&root, &mut dice, 0);
        for _ in 0..4 {
            let mut case = environment(&mut dice);
            if !locales.is_empty() {
                case.variables.retain(|(name, _)| *name != "LC_ALL");
                case.variables.push(("LC_ALL", dice.pick(locales).to_owned()));
                case.variables.push(("LOCPATH", std::env::var("LOCPATH").unwrap_or_default()));
            }
            case.check(&root, None, &format!("seed {seed}"));
            let terms: Vec<OsString> = (0..=dice.below(2)).map(|_| dice.pick(&TERMS).into()).collect();
            case.check(&root, Some(&terms), &format!("seed {seed}"));
        }
    }
}

#[test]
fn draws_what_pass_draws() {
    sweep(1..60, &[]);
}

#[test]
#[ignore = "long; with LOCPATH set to generated locales also compares their orders"]
fn draws_what_pass_draws_for_long() {
    let locales = std::env::var("PASSEL_TEST_LOCALES").unwrap_or_default();
    let locales: Vec<&str> = locales.split_whitespace().collect();
    sweep(1000..1300, &locales);
}

#[test]
fn draws_every_character_set_as_tree_does() {
    let (_folder, root) = temporary();
    fs::create_dir_all(root.join("a/b/c")).unwrap();
    fs::write(root.join("a/x.gpg"), "").unwrap();
    fs::write(root.join("a/b/c/y.gpg"), "").unwrap();
    let names: Vec<&str> = Lines::charsets().chain(["VISCII", "windows-1252", "l"]).collect();
    assert!(names.len() > 80, "{names:?}");
    for name in names {
        Case { variables: vec![("TREE_CHARSET", name.to_owned())] }.check(&root, None, name);
    }
}

#[test]
fn escapes_names_and_targets_that_drive_a_terminal() {
    let (_folder, root) = temporary();
    fs::write(root.join("a\x1b]52;c;eA==\x07\n.gpg"), "").unwrap();
    symlink("\u{202e}x.gpg", root.join("link.gpg")).unwrap();
    let out = Case { variables: vec![("LC_ALL", "C".to_owned())] }.ours(&root, None);
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out, "|-- a\\x1b]52;c;eA==\\x07\\n\n`-- link -> \\u{202e}x\n");
}

#[test]
fn strips_suffixes_as_sed_does() {
    for (line, expected) in [
        ("a.gpg", "a"),
        ("a.gpg.gpg", "a.gpg"),
        ("a.gpg\x1b[0m", "a\x1b[0m"),
        ("a.gpg\x1b[0;0m", "a.gpg\x1b[0;0m"),
        ("a.gpg\x1b[0m -> b.gpg\x1b[00m", "a\x1b[0m -> b\x1b[00m"),
        ("a.gpg -> b.gpg  [recursive, not followed]", "a -> b.gpg  [recursive, not followed]"),
        ("a.gpg\x1b[0mx", "a.gpg\x1b[0mx"),
    ] {
        let mut bytes = line.as_bytes().to_vec();
        strip_suffixes(&mut bytes);
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
