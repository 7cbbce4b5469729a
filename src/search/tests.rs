//! Side by side with the real grep.

use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// The locales that every system has.
const LOCALES: [(&str, Characters); 2] = [("C", Characters::Bytes), ("C.UTF-8", Characters::Utf8)];

/// What grep, or we, say of a text: standard output, standard error, whether anything was found.
type Said = (Vec<u8>, Vec<u8>, bool);

fn search(words: &[String], characters: Characters) -> Option<Search> {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    let surroundings =
        Surroundings { characters, has_plain_ranges: true, is_translated: false, posixly_correct: false };
    Search::of(&words, surroundings)
}

/// Returns what grep says; none where it takes longer than anybody would wait.
fn grep(words: &[String], text: &[u8], coloured: bool, locale: &str) -> Option<Said> {
    let mut command = Command::new("timeout");
    command.args(["5", "grep", if coloured { "--color=always" } else { "--color=never" }]).args(words);
    command.env_clear().env("PATH", std::env::var_os("PATH").expect("PATH is set")).env("LC_ALL", locale);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("timeout(1) is needed for this test");
    // grep may be done before it has read everything.
    let _ = child.stdin.take().expect("piped").write_all(text);
    let output = child.wait_with_output().unwrap();
    let is_found = match output.status.code() {
        Some(124) => return None,
        Some(0) => true,
        Some(1) => false,
        code => panic!("{words:?}: {code:?} {}", String::from_utf8_lossy(&output.stderr)),
    };
    Some((output.stdout, output.stderr, is_found))
}

/// Returns what we say in locale `number`; compares it with what grep says. None where we leave it to grep.
fn compare(words: &[String], text: &[u8], coloured: bool, number: usize) -> Option<bool> {
    let (locale, characters) = LOCALES[number];
    let answer = search(words, characters)?.answer(text, coloured)?;
    let said = grep(words, text, coloured, locale)?;
    let ours = (answer.output.to_vec(), Vec::new(), answer.is_found);
    let shown = |said: &Said| format!("{:?} {:?} {}", said.0.escape_ascii().to_string(), said.1, said.2);
    assert_eq!(shown(&ours), shown(&said), "{locale} {words:?} {}", text.escape_ascii());
    Some(answer.is_found)
}

/// Splits a line of a table at blanks.
fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

const TEXT: &[u8] = b"pw1\nuser: anna\n\nurl: https://gitlab.org/a.b\nUser: Anna B\nab abc abcd\nend";

/// What people give to grep. All of it is answered here.
const USUAL: [&str; 51] = [
    "anna",
    "-i anna",
    "-n an",
    "anna -n",
    "-- -x",
    "-",
    "",
    "-v an",
    "-vn an",
    "-c n",
    "-cv n",
    "-l anna",
    "-l nobody",
    "-ow anna",
    "-ino an",
    "-w ab",
    "-iw user",
    "-x pw1",
    "-xn ",
    "-xv pw1",
    "-F a.b",
    "-Fx end",
    "-Fi PW",
    "-e pw1 -e end",
    "-epw1 -eend",
    "--regexp=pw1 --regexp end",
    "-E an+a|pw3",
    "-iE (user|url):",
    "-oE ab|abcd|abc",
    "-wE ann|anna",
    "-o u[a-z]*",
    "-o [[:digit:]]*",
    "-o x*",
    "^user",
    "org/a\\.b$",
    "^$",
    "-n ^",
    "\\(an\\|pw\\)",
    "n\\{2\\}",
    "-E n{2}",
    "\\<ab\\>",
    "\\bAnna\\b",
    "\\w\\W\\w",
    "-A1 pw1",
    "-A 1 pw1",
    "-B1 -n end",
    "-C1 -n url",
    "-1 user",
    "-nA0 user",
    "-A0 -C1 url",
    "--ignore-case --line-number --after-context=1 PW",
];

#[test]
fn answers_what_people_ask_as_grep_does() {
    for line in USUAL {
        for (number, coloured) in [(0, false), (0, true), (1, false), (1, true)] {
            assert!(compare(&words(line), TEXT, coloured, number).is_some(), "{line:?} is left to grep");
        }
    }
    compare(&["-vA1".to_owned(), "a".to_owned()], TEXT, true, 1).expect("lines around others have matches");
    for text in ["", "\n", "a", "\n\n", "a\r\n", "\u{1b}[0ma\n"] {
        for line in ["a", "", "-v a", "-c ", "-n $", "-o .*", "-x a"] {
            assert!(compare(&words(line), text.as_bytes(), true, 1).is_some(), "{line:?} {text:?}");
        }
    }
}

#[test]
fn leaves_to_grep_what_is_grep_s() {
    for line in [
        // Options that are not ours, shortened names, files, mistakes.
        "-q a",
        "-P a",
        "-m1 a",
        "-f a",
        "--colour=always a",
        "--ignore a",
        "--count=3 a",
        "-A x a",
        "-A",
        "-e",
        "a b",
        "-e a b",
        "-e a -",
        "-n",
        // What grep 3.8 does in its own way.
        "-ow -A1 a",
        "-wx a",
        "-v ",
        // Patterns that are refused, warned of, or mean what only grep knows.
        "[",
        "[:alpha:]",
        "[[.a.]]",
        "[[=a=]]",
        "[b-a]",
        "[a-c-e]",
        "[A-z]",
        "\\(a\\)\\1",
        "a\\",
        "\\d",
        "\\(a",
        "a\\)",
        "a\\{2",
        "a\\{2,1\\}",
        "a\\{999\\}",
        "^*a",
        "-E *a",
        "-E a|*",
        "-E (a",
        "-E a)",
        "-E a{x",
        "-E ^*",
        "-i é",
        "-E (\\ba|b)",
        "a\\|b\\>",
        "-e a -e \\bb",
        "-E (a|$){2}",
    ] {
        assert!(search(&words(line), Characters::Utf8).is_none(), "{line}");
    }
    for (line, text) in [
        ("^b", "a\0b\n"),
        ("-w .\\{1,2\\}", "-\\-a b -\tb\n"),
        ("-ow -e -c -e b", "b-c"),
        ("\\w", "ä"),
        ("-v a", "\u{e9}\0"),
    ] {
        assert_eq!(compare(&words(line), text.as_bytes(), true, 1), None, "{line}");
    }
    let posixly = Surroundings {
        characters: Characters::Utf8,
        has_plain_ranges: false,
        is_translated: true,
        posixly_correct: true,
    };
    for line in ["a -n", "[a-c]"] {
        assert!(Search::of(&words(line).iter().map(OsString::from).collect::<Vec<_>>(), posixly).is_none());
    }
}

#[test]
fn what_a_text_lacks_needs_no_grep_whatever_its_characters_are() {
    let lacks = |line: &str, text: &[u8], characters| {
        let answer = search(&words(line), characters).unwrap().answer(text, true);
        answer.map(|answer| !answer.is_found)
    };
    use Characters::{Bytes, Unknown, Utf8};
    for characters in [Bytes, Utf8, Unknown] {
        assert_eq!(lacks("user", b"USER \xff \0", characters), Some(true));
        assert_eq!(lacks("-i user", b"us\0er", characters), Some(true));
        assert_eq!(lacks("user", b"\0 user", characters), None);
    }
    // Letters beyond ASCII may be the other case of one of these.
    for (letter, other) in [("k", "\u{212a}"), ("s", "\u{17f}"), ("i", "\u{131}"), ("i", "\u{130}")] {
        assert_eq!(lacks(&format!("-i {letter}"), other.as_bytes(), Utf8), None);
        assert_eq!(lacks(letter, other.as_bytes(), Utf8), Some(true));
    }
    assert_eq!(lacks("-i user", "ü User".as_bytes(), Utf8), Some(false));
    assert_eq!(lacks("-i user", "ü User".as_bytes(), Unknown), None);
    assert_eq!(lacks("-w user", "ü user".as_bytes(), Utf8), None);
    assert_eq!(lacks("-w user", "ü USER".as_bytes(), Utf8), Some(true));
    assert_eq!(lacks("user", b"user", Unknown), None);
}

#[test]
fn a_pattern_that_would_take_too_much_memory_is_left_to_grep() {
    let hostile = format!("{}a{}", "(".repeat(9), "{255})".repeat(9));
    assert!(search(&["-E".to_owned(), hostile], Characters::Utf8).is_none());
    let deep = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
    assert!(search(&["-E".to_owned(), deep], Characters::Utf8).is_none());
}

/// Patterns of one syntax that are mostly sound.
fn sound(extended: bool) -> BoxedStrategy<String> {
    let mark = move |text: &str| if extended { text.to_owned() } else { format!("\\{text}") };
    let class =
        ["[ab]", "[^a]", "[b-c]", "[^ ]", "[[:alpha:]]", "[]a]", "[a-]", "\\w", "\\W", "\\s", "\\S", "\\."];
    let place = ["^", "$", "\\<", "\\>", "\\b", "\\B"];
    let leaf = prop_oneof![
        6 => "[abckA_1 -]{1,2}",
        2 => Just(".".to_owned()),
        2 => proptest::sample::select(class.to_vec()).prop_map(str::to_owned),
        1 => proptest::sample::select(place.to_vec()).prop_map(str::to_owned),
        1 => Just("é".to_owned()),
        1 => Just(String::new()),
    ];
    let times =
        ["*".to_owned(), mark("+"), mark("?"), mark("{") + "2" + &mark("}"), mark("{") + "0,1" + &mark("}")];
    let deeper = leaf.prop_recursive(4, 10, 3, move |inner| {
        let group = inner.clone().prop_map(move |text| mark("(") + &text + &mark(")"));
        let times = proptest::sample::select(times.to_vec());
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 0..4).prop_map(|texts| texts.concat()),
            2 => (inner.clone(), inner.clone()).prop_map(move |(a, b)| a + &mark("|") + &b),
            1 => group.clone(),
            2 => (prop_oneof![group, "[abc.]"], times).prop_map(|(text, times)| text + &times),
        ]
    });
    deeper.boxed()
}

/// Words for grep.
fn any_words() -> impl Strategy<Value = Vec<String>> {
    let options =
        ["-i", "-i", "-v", "-w", "-w", "-x", "-c", "-l", "-n", "-n", "-o", "-o", "-A1", "-B1", "-C1", "-A0"];
    let options = proptest::sample::subsequence(options.to_vec(), 0..5);
    let pattern = prop_oneof![
        3 => sound(false).prop_map(|pattern| ("-G", pattern)),
        3 => sound(true).prop_map(|pattern| ("-E", pattern)),
        1 => "[ab^$*.+?{}()|\\\\\\[\\]12,é\n-]{0,6}".prop_map(|pattern| ("-G", pattern)),
        1 => "[ab^$*.+?{}()|\\\\\\[\\]12,é\n-]{0,6}".prop_map(|pattern| ("-E", pattern)),
        1 => "[ab.*é\n ]{0,3}".prop_map(|pattern| ("-F", pattern)),
    ];
    (options, pattern, proptest::option::weighted(0.2, "[abc -]{0,2}")).prop_map(
        |(options, pattern, second)| {
            let (syntax, pattern) = pattern;
            let mut words: Vec<String> = options.into_iter().map(str::to_owned).collect();
            words.extend([syntax.to_owned(), "-e".to_owned(), pattern]);
            words.extend(second.map(|second| format!("-e{second}")).filter(|word| word.len() > 2));
            words
        },
    )
}

/// Texts of few letters, some beyond ASCII, some broken.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[abc \n]{0,24}".prop_map(String::into_bytes),
        3 => "[abckABK_1. \t\r\n-]{0,24}".prop_map(String::into_bytes),
        2 => "[abkis \néäß€😀\u{212a}\u{17f}\u{131}]{0,12}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'\n'), Just(0), Just(0xe9)], 0..8),
    ]
}

/// Compares so many random answers with grep's.
fn compare_at_random(cases: u32) {
    let answered = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    let strategy = (any_words(), any_text(), any::<bool>(), 0..LOCALES.len());
    let done = runner.run(&strategy, |(words, text, coloured, number)| {
        answered.set(answered.get() + u32::from(compare(&words, &text, coloured, number).is_some()));
        Ok(())
    });
    done.unwrap();
    assert!(answered.get() > cases / 4, "of {cases}, {} were answered", answered.get());
}

#[test]
fn answers_what_grep_answers_at_random() {
    compare_at_random(500);
}

#[test]
#[ignore = "long"]
fn answers_what_grep_answers_at_random_for_long() {
    compare_at_random(50_000);
}

proptest! {
    #[test]
    fn any_words_and_bytes_are_borne(
        words in proptest::collection::vec(any::<Vec<u8>>().prop_map(OsString::from_vec), 0..3),
        pattern in "\\PC{0,8}",
        text in any::<Vec<u8>>(),
        coloured: bool,
    ) {
        for characters in [Characters::Bytes, Characters::Utf8, Characters::Unknown] {
            let surroundings =
                Surroundings { characters, has_plain_ranges: true, is_translated: false, posixly_correct: false };
            for words in [words.clone(), vec!["-E".into(), (&pattern).into()], vec!["-Fow".into(), (&pattern).into()]] {
                if let Some(mut search) = Search::of(&words, surroundings) {
                    search.answer(&text, coloured);
                }
            }
        }
    }
}
