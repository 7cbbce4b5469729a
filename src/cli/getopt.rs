//! GNU getopt's habits, on top of clap's definitions.
//!
//! pass reads its options with util-linux's getopt(1), and callers rely on what that takes: options after
//! names, `-c2`, `-rf`, `--cl` for `--clip`. clap differs in each; so options are sorted out here and given
//! to clap in the one form that it cannot misread.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use clap::{Arg, ArgAction, Command};

use crate::model::Shown;

/// Why arguments could not be read: a line for each mistake, as getopt prints them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", .lines.join("\n"))]
pub struct GetoptError {
    /// `pass: unrecognized option '--foo'`, … Foreign text in them is escaped.
    pub lines: Vec<String>,
}

/// Arguments, sorted into options and names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Normalised {
    /// The options in their order: clap's id and the value, none where none was given.
    pub options: Vec<(String, Option<OsString>)>,
    /// All that is no option, in its order.
    pub names: Vec<OsString>,
}

/// Sorts the arguments behind a command's name by the options that `command` defines. `program` begins
/// the error texts. With `posixly_correct` (POSIXLY_CORRECT is set) options end at the first name.
pub fn normalise(
    args: &[OsString],
    command: &Command,
    program: &str,
    posixly_correct: bool,
) -> Result<Normalised, GetoptError> {
    let mut parser = Parser {
        options: command.get_arguments().filter(|arg| !arg.is_positional()).map(Definition::new).collect(),
        rest: args.iter(),
        found: Normalised::default(),
        program,
        errors: Vec::new(),
    };
    while let Some(arg) = parser.rest.next() {
        match arg.as_bytes() {
            b"--" => parser.take_rest(),
            [b'-', b'-', long @ ..] => parser.long(long),
            [b'-', short @ ..] if !short.is_empty() => parser.short(short),
            _ => {
                parser.found.names.push(arg.clone());
                if posixly_correct {
                    parser.take_rest();
                }
            }
        }
    }
    if parser.errors.is_empty() { Ok(parser.found) } else { Err(GetoptError { lines: parser.errors }) }
}

impl Normalised {
    /// Returns arguments for clap that mean the same: `--option`, `--option=value`, then `--` and the
    /// names. Where an option that takes one value is given more than once, the last one counts.
    ///
    /// clap must define options with optional values as `num_args(0..=1).require_equals(true)`.
    pub fn canonical(&self, command: &Command) -> Vec<OsString> {
        let mut args = Vec::new();
        for (number, (id, value)) in self.options.iter().enumerate() {
            let Some(arg) = command.get_arguments().find(|arg| arg.get_id() == id.as_str()) else { continue };
            let is_repeated = self.options[number + 1..].iter().any(|(other, _)| other == id);
            if is_repeated && !matches!(arg.get_action(), ArgAction::Append | ArgAction::Count) {
                continue;
            }
            let mut text = match (arg.get_long(), arg.get_short()) {
                (Some(long), _) => format!("--{long}"),
                (None, short) => format!("-{}", short.expect("an option has a long or a short form")),
            };
            if value.is_some() {
                text.push('=');
            }
            let mut text = OsString::from(text);
            text.push(value.as_deref().unwrap_or_default());
            args.push(text);
        }
        args.push("--".into());
        args.extend(self.names.iter().cloned());
        args
    }
}

/// Whether an option takes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// Only one that is attached: `-c2`, `--clip=2`.
    Optional,
    Required,
}

/// An option that may be given.
struct Definition {
    id: String,
    shorts: Vec<char>,
    longs: Vec<String>,
    takes: Takes,
}

impl Definition {
    fn new(arg: &Arg) -> Self {
        let takes = match (arg.get_action().takes_values(), arg.get_num_args()) {
            (false, _) => Takes::Nothing,
            (true, Some(count)) if count.min_values() == 0 => Takes::Optional,
            (true, _) => Takes::Required,
        };
        let longs = arg.get_long_and_visible_aliases().unwrap_or_default();
        let hidden = arg.get_all_aliases().unwrap_or_default();
        let mut longs: Vec<String> = longs.into_iter().chain(hidden).map(str::to_owned).collect();
        let mut seen = std::collections::HashSet::new();
        longs.retain(|long| seen.insert(long.clone()));
        let shorts = arg.get_short().into_iter().chain(arg.get_all_short_aliases().unwrap_or_default());
        Definition { id: arg.get_id().to_string(), shorts: shorts.collect(), longs, takes }
    }
}

/// A parse under way.
struct Parser<'a> {
    options: Vec<Definition>,
    rest: std::slice::Iter<'a, OsString>,
    found: Normalised,
    program: &'a str,
    errors: Vec<String>,
}

impl Parser<'_> {
    fn take_rest(&mut self) {
        self.found.names.extend(self.rest.by_ref().cloned());
    }

    fn complain(&mut self, text: &str) {
        self.errors.push(format!("{}: {text}", self.program));
    }

    fn add(&mut self, option: usize, value: Option<&[u8]>) {
        let value = value.map(|value| OsString::from_vec(value.to_vec()));
        self.found.options.push((self.options[option].id.clone(), value));
    }

    /// Reads what follows `--`.
    fn long(&mut self, text: &[u8]) {
        let (name, value) = match text.iter().position(|byte| *byte == b'=') {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let Some((option, long)) = self.find_long(name, text) else { return };
        match (self.options[option].takes, value) {
            (Takes::Nothing, Some(_)) => {
                self.complain(&format!("option '--{long}' doesn't allow an argument"))
            }
            (Takes::Required, None) => match self.rest.next() {
                Some(value) => self.add(option, Some(value.as_bytes())),
                None => self.complain(&format!("option '--{long}' requires an argument")),
            },
            (_, value) => self.add(option, value),
        }
    }

    /// Returns the option of that name, or the only one whose name begins so, and its full name.
    fn find_long(&mut self, name: &[u8], text: &[u8]) -> Option<(usize, String)> {
        let all = self.options.iter().enumerate();
        let all = all.flat_map(|(number, o)| o.longs.iter().map(move |long| (number, long)));
        let mut fitting: Vec<_> = all.filter(|(_, long)| long.as_bytes().starts_with(name)).collect();
        if let Some(exact) = fitting.iter().position(|(_, long)| long.as_bytes() == name) {
            fitting = vec![fitting[exact]];
        }
        match fitting[..] {
            [(option, long)] => Some((option, long.clone())),
            [] => {
                self.complain(&format!("unrecognized option '--{}'", Shown::new(text)));
                None
            }
            _ => {
                let list: String = fitting.iter().map(|(_, long)| format!(" '--{long}'")).collect();
                let text = Shown::new(text);
                self.complain(&format!("option '--{text}' is ambiguous; possibilities:{list}"));
                None
            }
        }
    }

    /// Reads what follows `-`: options of one letter, the last perhaps with a value.
    fn short(&mut self, text: &[u8]) {
        for (at, byte) in text.iter().enumerate() {
            let is_it = |option: &Definition| option.shorts.contains(&char::from(*byte));
            let Some(option) = self.options.iter().position(is_it).filter(|_| byte.is_ascii()) else {
                self.complain(&format!("invalid option -- '{}'", Shown::new(&[*byte])));
                continue;
            };
            let attached = Some(&text[at + 1..]).filter(|value| !value.is_empty());
            match (self.options[option].takes, attached) {
                (Takes::Nothing, _) => {
                    self.add(option, None);
                    continue;
                }
                (Takes::Required, None) => match self.rest.next() {
                    Some(value) => self.add(option, Some(value.as_bytes())),
                    None => self.complain(&format!("option requires an argument -- '{}'", char::from(*byte))),
                },
                (_, value) => self.add(option, value),
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options of every sort, in the order in which the real getopt is given them.
    fn command() -> Command {
        let flag = |id: &'static str| Arg::new(id).long(id).action(ArgAction::SetTrue);
        let optional = |id: &'static str| Arg::new(id).long(id).num_args(0..=1).require_equals(true);
        Command::new("generate")
            .disable_help_flag(true)
            .arg(flag("no-symbols").short('n'))
            .arg(optional("qrcode").short('q').default_missing_value("1"))
            .arg(optional("clip").short('c').default_missing_value("1"))
            .arg(Arg::new("path").long("path").short('p').value_parser(clap::value_parser!(OsString)))
            .arg(flag("in-place").short('i'))
            .arg(flag("inplace"))
            .arg(Arg::new("names").num_args(0..).value_parser(clap::value_parser!(OsString)))
    }

    const SHORT: &str = "nq::c::p:i";
    const LONG: &str = "no-symbols,qrcode::,clip::,path:,in-place,inplace";

    fn args(texts: &[&str]) -> Vec<OsString> {
        texts.iter().map(OsString::from).collect()
    }

    /// Returns what the real getopt makes of arguments: its words, or its complaints.
    fn real(args: &[OsString], posixly_correct: bool) -> Result<Vec<String>, Vec<String>> {
        let mut command = std::process::Command::new("getopt");
        command.env_clear().env("PATH", std::env::var_os("PATH").expect("PATH is set"));
        if posixly_correct {
            command.env("POSIXLY_CORRECT", "1");
        }
        command.args(["-u", "-n", "pass", "-o", SHORT, "-l", LONG, "--"]).args(args);
        let output = command.output().expect("getopt(1) of util-linux is needed for this test");
        let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect();
        match output.status.code() {
            Some(0) => {
                let words = String::from_utf8(output.stdout).unwrap();
                Ok(words
                    .strip_prefix(' ')
                    .unwrap()
                    .trim_end_matches('\n')
                    .split(' ')
                    .map(str::to_owned)
                    .collect())
            }
            Some(1) => Err(lines(&output.stderr)),
            code => panic!("getopt: {code:?} {}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// Returns ours in the words of getopt, which writes an option as it was given: `-n` stays short.
    fn ours(args: &[OsString], posixly_correct: bool) -> Result<Vec<String>, Vec<String>> {
        let found = normalise(args, &command(), "pass", posixly_correct).map_err(|error| error.lines)?;
        let mut words = Vec::new();
        for (id, value) in &found.options {
            words.push(format!("--{id}"));
            if ["qrcode", "clip", "path"].contains(&id.as_str()) {
                words.push(value.clone().unwrap_or_default().into_string().unwrap());
            }
        }
        words.push("--".to_owned());
        words.extend(found.names.iter().map(|name| name.clone().into_string().unwrap()));
        Ok(words)
    }

    /// Writes getopt's short options as long ones, up to the `--` that ends them.
    fn lengthened(words: Vec<String>) -> Vec<String> {
        let mut out = Vec::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let long = match word.as_str() {
                "-n" => "--no-symbols",
                "-q" => "--qrcode",
                "-c" => "--clip",
                "-p" => "--path",
                "-i" => "--in-place",
                long => long,
            };
            out.push(long.to_owned());
            match long {
                "--" => break,
                "--qrcode" | "--clip" | "--path" => out.extend(words.next()),
                _ => {}
            }
        }
        out.extend(words);
        out
    }

    fn compare(texts: &[&str], posixly_correct: bool) {
        let args = args(texts);
        assert_eq!(ours(&args, posixly_correct), real(&args, posixly_correct).map(lengthened), "{texts:?}");
    }

    #[test]
    fn reads_what_getopt_reads() {
        for line in [
            "--foo",
            "--foo=bar x",
            "-x",
            "-nxz a",
            "--in",
            "--i=3",
            "-p",
            "--path",
            "--no-symbols=2",
            "--no=2",
            "--cl=3 --cl -c4 -c 5 --q",
            "-- -n",
            "- -n x -- -q",
            "--=x",
            "--p=",
            "-: -;",
            "-n- a",
            "-nc -in",
            "--inplace --in-pl",
            "-p -- a -n",
            "--pa -- a",
            "--path=-x",
            "-pn",
            "-c=2",
            "--clip=",
            "a -- -- b",
            "--no-symbols=",
            "--in-place=",
            "-",
            "--",
            "",
            "-np",
            "-np x",
            "-- --path",
            "a b -i c -q9 d",
        ] {
            let texts: Vec<&str> = line.split(' ').filter(|text| !text.is_empty()).collect();
            compare(&texts, false);
            compare(&texts, true);
        }
        compare(&["-p", "", "", "--path="], false);
    }

    #[test]
    fn reads_what_getopt_reads_at_random() {
        const PARTS: [&str; 20] = [
            "-", "--", "-n", "-c", "-p", "n", "c2", "p", "--clip", "--path", "=", "--in", "-place", "q", "x",
            "--n", "o", "-x", "--q", "i",
        ];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).expect("31 bits") % bound
        };
        for round in 0..400 {
            let texts: Vec<String> =
                (0..below(5)).map(|_| (0..=below(3)).map(|_| PARTS[below(PARTS.len())]).collect()).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            compare(&texts, round % 4 == 0);
        }
    }

    #[test]
    fn clap_reads_the_canonical_form() {
        let line = args(&["-x", "--no", "a", "-n", "-c", "--path=-p", "-p", "", "-q3", "--", "-n", ""]);
        let found = normalise(&line[1..], &command(), "pass", false).unwrap();
        let canonical = found.canonical(&command());
        let matches = command().no_binary_name(true).try_get_matches_from(canonical).unwrap();
        assert!(matches.get_flag("no-symbols") && !matches.get_flag("in-place"));
        assert_eq!(matches.get_one::<String>("clip").unwrap(), "1");
        assert_eq!(matches.get_one::<String>("qrcode").unwrap(), "3");
        assert_eq!(matches.get_one::<OsString>("path").unwrap(), "");
        let names: Vec<_> = matches.get_many::<OsString>("names").unwrap().cloned().collect();
        assert_eq!(names, args(&["a", "-n", ""]));
    }

    #[test]
    fn escapes_foreign_text_in_errors() {
        let line = [OsString::from_vec(b"--\x1b[0m".to_vec()), OsString::from_vec(b"-\xff".to_vec())];
        let error = normalise(&line, &command(), "pass", false).unwrap_err();
        assert_eq!(
            error.lines,
            ["pass: unrecognized option '--\\x1b[0m'", "pass: invalid option -- '\\xff'"]
        );
    }
}
