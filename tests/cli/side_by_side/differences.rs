//! The one table of what differs from pass on purpose. It is checked in both directions: a difference
//! that is not listed fails, and so does a listed one that no longer occurs.

/// What of a command line is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    /// The exit code.
    Code,
    /// Standard output; the whole screen on a terminal.
    Stdout,
    /// Standard error without what gpg, git and others wrote there.
    Stderr,
    /// Names, permissions, decrypted contents and recipients of all files.
    Files,
    /// New commits with author, subject and files; uncommitted changes.
    Commits,
}

/// A difference that is meant.
#[derive(Debug)]
pub struct Difference {
    pub scenario: &'static str,
    /// The command line as the scenario has it.
    pub line: &'static str,
    pub aspect: Aspect,
    /// A text that our side must show there; the exit code itself for `Code`.
    pub ours: &'static str,
    pub why: &'static str,
}

/// Every difference that is meant.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        scenario: "rm a folder without -r",
        line: "pass rm -f a",
        aspect: Aspect::Code,
        ours: "1",
        why: FAILED,
    },
    Difference {
        scenario: "rm a folder without -r",
        line: "pass rm a/",
        aspect: Aspect::Code,
        ours: "1",
        why: FAILED,
    },
    Difference {
        scenario: "rm used wrongly",
        line: "pass rm -f ''",
        aspect: Aspect::Code,
        ours: "1",
        why: FAILED,
    },
    Difference {
        scenario: "init with an unknown recipient",
        line: "pass init mallory@example.org",
        aspect: Aspect::Code,
        ours: "1",
        why: CLOSED,
    },
    Difference {
        scenario: "init with an expired recipient",
        line: "pass init $EXPIRED",
        aspect: Aspect::Code,
        ours: "1",
        why: CLOSED,
    },
    Difference { scenario: "version and help", line: "pass -h", aspect: Aspect::Code, ours: "0", why: HELP },
    Difference {
        scenario: "version and help",
        line: "pass -h",
        aspect: Aspect::Stdout,
        ours: "Usage:",
        why: HELP,
    },
    Difference { scenario: "version and help", line: "pass -h", aspect: Aspect::Stderr, ours: "", why: HELP },
    Difference {
        scenario: "show used wrongly",
        line: "pass show --help",
        aspect: Aspect::Code,
        ours: "0",
        why: HELP,
    },
    Difference {
        scenario: "show used wrongly",
        line: "pass show --help",
        aspect: Aspect::Stdout,
        ours: "Usage: pass show [OPTIONS] [NAME]",
        why: HELP,
    },
    Difference {
        scenario: "show used wrongly",
        line: "pass show --help",
        aspect: Aspect::Stderr,
        ours: "",
        why: HELP,
    },
    Difference {
        scenario: "version and help",
        line: "pass version",
        aspect: Aspect::Stdout,
        ours: "as spoken by passel",
        why: WORDS,
    },
    Difference {
        scenario: "version and help",
        line: "pass --version",
        aspect: Aspect::Stdout,
        ours: "as spoken by passel",
        why: WORDS,
    },
    Difference {
        scenario: "version and help",
        line: "pass version more",
        aspect: Aspect::Stdout,
        ours: "as spoken by passel",
        why: WORDS,
    },
    Difference {
        scenario: "version and help",
        line: "pass help",
        aspect: Aspect::Stdout,
        ours: "more in passel",
        why: WORDS,
    },
    Difference {
        scenario: "version and help",
        line: "pass --help",
        aspect: Aspect::Stdout,
        ours: "more in passel",
        why: WORDS,
    },
    Difference {
        scenario: "version and help",
        line: "pass help insert",
        aspect: Aspect::Stdout,
        ours: "Usage: pass insert [OPTIONS] NAME",
        why: WORDS,
    },
    Difference {
        scenario: "version and help",
        line: "EDITOR=nano PASSWORD_STORE_CLIP_TIME=9 PASSWORD_STORE_GENERATED_LENGTH=31 pass help",
        aspect: Aspect::Stdout,
        ours: "more in passel",
        why: WORDS,
    },
];

const WORDS: &str = "help is in words of ours, and the version names us, too";
const HELP: &str = "help is shown; pass has no such option";
const FAILED: &str = "nothing was done: pass exits 0 all the same";
const CLOSED: &str = "a recipient that cannot be encrypted to is refused; pass writes and commits the list";
