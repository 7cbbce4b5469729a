//! The one table of what differs from pass on purpose, by its reasons. It is checked in both directions: a
//! difference that is not listed fails, and so does a listed one that no longer occurs.
//!
//! The manual page's section on differences says the same in prose.

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

/// By what a difference is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Our exit code.
    Exits(&'static str),
    /// A text that we show there and pass does not.
    Ours(Aspect, &'static str),
    /// A text that pass shows there and we do not.
    Stock(Aspect, &'static str),
}

impl Mark {
    /// Returns what of the command line differs.
    pub fn aspect(&self) -> Aspect {
        match self {
            Mark::Exits(_) => Aspect::Code,
            Mark::Ours(aspect, _) | Mark::Stock(aspect, _) => *aspect,
        }
    }
}

/// A reason to differ, and where it shows.
#[derive(Debug)]
pub struct Difference {
    /// What we do, and what pass does, in a user's words.
    pub why: &'static str,
    pub places: &'static [Place],
}

/// A command line that differs.
#[derive(Debug)]
pub struct Place {
    pub scenario: &'static str,
    /// The command line as the scenario has it. One that comes twice and differs twice is listed twice.
    pub line: &'static str,
    /// Everything that differs.
    pub marks: &'static [Mark],
}

const fn at(scenario: &'static str, line: &'static str, marks: &'static [Mark]) -> Place {
    Place { scenario, line, marks }
}

use Aspect::{Commits, Files, Stderr, Stdout};
use Mark::{Exits, Ours, Stock};

/// pass makes the store's folder; behind the error come an empty line and its usage text.
const USAGE_FOLLOWS: &[Mark] = &[
    Stock(Stdout, "mkdir: created directory 'ROOT/store'"),
    Stock(Stderr, "store.\n\n"),
    Stock(Files, "0700 store (folder)"),
];

/// pass commits the entries by themselves.
const REENCRYPTED_APART: Mark =
    Stock(Commits, "commit Test Person <test@example.org>: Reencrypt password store");
const TWO_FILES_ONCE: &[Mark] = &[Ours(Stdout, "2 files changed"), REENCRYPTED_APART];
const THREE_FILES_ONCE: &[Mark] = &[Ours(Stdout, "3 files changed"), REENCRYPTED_APART];
const NOT_SIGNED: Mark = Ours(Stderr, "error: the signature of `.gpg-id` is missing or not by a key in");
const INPUT_ENDED: Mark = Ours(Stderr, "error: the input ended before an answer");

/// Every difference that is meant.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        why: "In a store without git nobody can tell who changed a recipients file, so that a change which \
              passel has not made needs a person's word. pass encrypts to whatever the file says.",
        places: &[
            at(
                "environment of recipients files",
                "pass insert -m mail/a <<<1",
                &[
                    Exits("1"),
                    Ours(Stderr, "error: the recipients of mail have changed"),
                    Stock(Stdout, "Enter contents of mail/a"),
                    Stock(Files, "store/mail/a.gpg"),
                ],
            ),
            at(
                "environment of recipients files",
                "pass insert -m mail/deep/er <<<1",
                &[
                    Exits("1"),
                    Ours(Stderr, "error: the recipients of mail/deep have changed"),
                    Stock(Stdout, "Enter contents of mail/deep/er"),
                    Stock(Files, "store/mail/deep/er.gpg"),
                ],
            ),
        ],
    },
    Difference {
        why: "A name that is empty, begins with a slash or reaches into git's own folder (`.git` in \
              any letter case) is refused where something is written or removed. pass stores an empty \
              name as `.gpg`, drops the slash, and writes into `.git/hooks`.",
        places: &[
            at("rm used wrongly", "pass rm -f ''", &[Exits("1")]),
            at(
                "edit an empty name",
                "EDITOR=$PWD/editor pass edit ''",
                &[
                    Exits("1"),
                    Ours(Stderr, "error: the name is empty"),
                    Stock(Files, "0600 store/.gpg = \"new\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at(
                "generate an empty name",
                "pass generate '' 5",
                &[
                    Exits("1"),
                    Stock(Stdout, "The generated password for"),
                    Ours(Stderr, "error: the name is empty"),
                    Stock(Files, "0600 store/.gpg = \"<password of 5>\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at(
                "insert used wrongly",
                "pass insert '' <<<x",
                &[Stock(Stdout, "\n"), Ours(Stderr, "error: the name is empty")],
            ),
            at(
                "names that begin with a slash",
                "pass insert -m /leading <<<1",
                &[
                    Exits("1"),
                    Stock(Stdout, "Enter contents of /leading and press Ctrl+D when finished:"),
                    Ours(Stderr, "error: `/leading` is an absolute name"),
                    Stock(Files, "0600 store/leading.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at(
                "names that begin with a slash",
                "pass generate /gen 30",
                &[
                    Exits("1"),
                    Stock(Stdout, "The generated password for"),
                    Ours(Stderr, "error: `/gen` is an absolute name"),
                    Stock(Files, "0600 store/gen.gpg = \"<password of 30, any>\\n\" for"),
                ],
            ),
            at(
                "names that begin with a slash",
                "EDITOR=true pass edit /a",
                &[Ours(Stderr, "error: `/a` is an absolute name")],
            ),
            at(
                "names that begin with a slash",
                "pass cp a /copied",
                &[
                    Exits("1"),
                    Stock(Stdout, "'ROOT/store/a.gpg' -> 'ROOT/store//copied.gpg'"),
                    Ours(Stderr, "error: `/copied` is an absolute name"),
                    Stock(Files, "0600 store/copied.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at(
                "names that begin with a slash",
                "pass mv b /moved",
                &[
                    Exits("1"),
                    Stock(Stdout, "renamed 'ROOT/store/b.gpg' -> 'ROOT/store//moved.gpg'"),
                    Ours(Stderr, "error: `/moved` is an absolute name"),
                    Ours(Files, "0600 store/b.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at(
                "names that begin with a slash",
                "pass rm -f /a",
                &[
                    Exits("1"),
                    Stock(Stdout, "removed 'ROOT/store//a.gpg'"),
                    Ours(Stderr, "error: `/a` is an absolute name"),
                    Ours(Files, "0600 store/a.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at(
                "names inside of git's folder",
                "pass insert -m .git/hooks/x <<<1",
                &[
                    Exits("1"),
                    Stock(Stdout, "Enter contents of .git/hooks/x and press Ctrl+D when finished:"),
                    Ours(Stderr, "error: `.git/hooks/x` holds `.git`, which belongs to git"),
                ],
            ),
            at(
                "names inside of git's folder",
                "pass generate .git/y >/dev/null",
                &[Exits("1"), Ours(Stderr, "error: `.git/y` holds `.git`, which belongs to git")],
            ),
            at(
                "names inside of git's folder",
                "pass insert -m .GIT/z <<<1",
                &[
                    Exits("1"),
                    Stock(Stdout, "mkdir: created directory 'ROOT/store/.GIT'"),
                    Ours(Stderr, "error: `.GIT/z` holds `.git`, which belongs to git"),
                    Stock(Files, "0700 store/.GIT (repository)"),
                    Stock(Commits, "?? .GIT/z.gpg"),
                ],
            ),
            at("mv used wrongly", "pass mv '' a", &[Stock(Stdout, "ROOT/store/")]),
        ],
    },
    Difference {
        why: "`.passel`, where passel keeps files of its own, is no part of a name. pass stores what is so \
              called.",
        places: &[at(
            "names of the program's own files",
            "pass insert -m .passel/a <<<1",
            &[
                Exits("1"),
                Stock(Stdout, "mkdir: created directory 'ROOT/store/.passel'"),
                Ours(Stderr, "error: `.passel/a` holds `.passel`, which belongs to passel"),
                Stock(Files, "0700 store/.passel (folder)"),
            ],
        )],
    },
    Difference {
        why: "Slashes at the end of an entry's name count for nothing: `insert folder//` and \
              `generate d/` store `folder` and `d`. pass takes one slash off in `insert` and none in \
              `generate`, and would store a nameless `.gpg` in the folder.",
        places: &[
            at(
                "generate where a folder is",
                "pass generate d/ 30",
                &[
                    Exits("0"),
                    Ours(Stdout, "The generated password for"),
                    Stock(Stderr, "Password encryption aborted."),
                    Ours(Files, "0600 store/d.gpg = \"<password of 30, any>\\n\" for"),
                ],
            ),
            at(
                "insert without git",
                "pass insert -m folder// <<<7",
                &[
                    Ours(Stdout, "Enter contents of folder and press Ctrl+D when finished:"),
                    Ours(Files, "0600 store/folder.gpg = \"7\\n\" for 2CAB16B494FC168E"),
                ],
            ),
        ],
    },
    Difference {
        why: "Symbolic links are read through, but neither moved nor copied nor removed nor written \
              through. pass copies and follows them, out of the store too.",
        places: &[
            at(
                "cp of what is linked",
                "pass cp real/alias copied",
                &[
                    Exits("1"),
                    Stock(Stdout, "'ROOT/store/real/alias.gpg' -> 'ROOT/store/copied.gpg'"),
                    Ours(Stderr, "error: `real/alias` is a symbolic link, which is not moved or"),
                    Stock(Files, "0777 store/copied.gpg -> a.gpg"),
                ],
            ),
            at(
                "cp of what is linked",
                "pass cp real other",
                &[
                    Exits("1"),
                    Stock(Stdout, "'ROOT/store/real' -> 'ROOT/store/other'"),
                    Ours(Stderr, "error: `real/alias.gpg` is a symbolic link or special file,"),
                    Stock(Files, "0777 store/copied.gpg -> a.gpg"),
                ],
            ),
        ],
    },
    Difference {
        why: "Names are shown with what could drive a terminal escaped. pass prints them as they are.",
        places: &[
            at(
                "show what drives a terminal",
                "pass insert -m $'a\\x1b[2Jb' <<<1",
                &[Ours(Stdout, "Enter contents of a\\x1b[2Jb and press")],
            ),
            at("show what drives a terminal", "pass ls", &[Ours(Stdout, "a\\x1b[2Jb")]),
            at("show what drives a terminal", "pass find 2J", &[Ours(Stdout, "a\\x1b[2Jb")]),
        ],
    },
    Difference {
        why: "Listings do not colour entries as executable files: to know would take as long as the rest. \
              pass does.",
        places: &[at(
            "list an entry that may be executed",
            "LS_COLORS='ex=01;32' pass ls",
            &[Stock(Stdout, "\x1b[01;32ma")],
        )],
    },
    Difference {
        why: "`rm /` is refused. pass removes the whole store with its history.",
        places: &[at(
            "rm the whole store",
            "pass rm -rf /",
            &[
                Exits("1"),
                Stock(Stdout, "removed 'ROOT/store/.gpg-id'"),
                Ours(Stderr, "error: `/` is the whole store"),
                Ours(Files, "0700 store (folder)"),
            ],
        )],
    },
    Difference {
        why: "The store's own folder is never removed, empty or not. pass removes it with its last entry.",
        places: &[at(
            "rm the last entry of a store without a list",
            "pass rm -f a",
            &[Ours(Files, "0700 store (folder)")],
        )],
    },
    Difference {
        why: "`rm` of a folder without `-r` fails. pass does nothing either but exits 0.",
        places: &[
            at("rm a folder without -r", "pass rm -f a", &[Exits("1")]),
            at("rm a folder without -r", "pass rm a/", &[Exits("1")]),
        ],
    },
    Difference {
        why: "An option that a command does not have makes every command fail. pass's rm, mv and cp \
              complain and go on without it.",
        places: &[
            at(
                "rm with an option it does not have",
                "pass rm --bogus a",
                &[
                    Exits("1"),
                    Stock(Stdout, "removed 'ROOT/store/a.gpg'"),
                    Ours(Stderr, "Usage: pass rm [--recursive,-r] [--force,-f] pass-name"),
                    Ours(Files, "0600 store/a.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at(
                "cp with an option it does not have",
                "pass cp --bogus a b",
                &[
                    Exits("1"),
                    Stock(Stdout, "ROOT/store/a.gpg"),
                    Ours(Stderr, "Usage: pass cp [--force,-f] old-path new-path"),
                    Stock(Files, "0600 store/b.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at(
                "mv with an option it does not have",
                "pass mv --bogus a b",
                &[
                    Exits("1"),
                    Stock(Stdout, "ROOT/store/a.gpg"),
                    Ours(Stderr, "Usage: pass mv [--force,-f] old-path new-path"),
                    Ours(Files, "0600 store/a.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at(
                "mv with an option it does not have",
                "pass mv -i a b",
                &[
                    Stock(Stdout, "ROOT/store/a"),
                    Ours(Stderr, "Usage: pass mv [--force,-f] old-path new-path"),
                ],
            ),
        ],
    },
    Difference {
        // Being changed: `--help` is to print the help.
        why: "`-h` and `--help` show help, of the program or of a command; pass knows `--help` only as its \
              first word.",
        places: &[
            at(
                "show used wrongly",
                "pass show --help",
                &[
                    Exits("0"),
                    Stock(Stderr, "pass: unrecognized option '--help'"),
                    Ours(Stdout, "Usage: pass show [OPTIONS] [NAME]"),
                ],
            ),
            at(
                "version and help",
                "pass -h",
                &[
                    Exits("0"),
                    Stock(Stderr, "pass: invalid option -- 'h'"),
                    Ours(Stdout, "as spoken by passel"),
                ],
            ),
        ],
    },
    Difference {
        why: "A recipient that is unknown, expired, revoked or cannot encrypt is refused before \
              anything is asked or changed, and so is a recipients file that names nobody. pass writes \
              and commits the new list, re-encrypts nothing, and exits 0; elsewhere gpg fails at the \
              end.",
        places: &[
            at(
                "init with an unknown recipient",
                "pass init mallory@example.org",
                &[
                    Exits("1"),
                    Stock(Stdout, "Password store initialized for mallory@example.org"),
                    Ours(Files, "0600 store/.gpg-id = \"A32FC6901C23518E63DB3217E372689C98B0853B\\n\""),
                    Stock(Commits, "commit Test Person <test@example.org>: Set GPG id to"),
                ],
            ),
            at(
                "init with an expired recipient",
                "pass init $EXPIRED",
                &[
                    Exits("1"),
                    Stock(Stdout, "Password store initialized for"),
                    Ours(Files, "0600 store/.gpg-id = \"A32FC6901C23518E63DB3217E372689C98B0853B\\n\""),
                    Stock(Commits, "commit Test Person <test@example.org>: Set GPG id to"),
                ],
            ),
            at(
                "init with a revoked recipient beside a good one",
                "pass init $ALICE $REVOKED",
                &[
                    Exits("1"),
                    Stock(Stdout, "Password store initialized for"),
                    Ours(Stderr, "error: recipient `68F68449421B5268729762DD243566DFEAAAC26A` in"),
                    Ours(Files, "0600 store/.gpg-id = \"A32FC6901C23518E63DB3217E372689C98B0853B\\n\""),
                ],
            ),
            at(
                "init with other forms of ids",
                "pass init $ALICE!",
                &[
                    Exits("1"),
                    Stock(Stdout, "Password store initialized for"),
                    Ours(
                        Files,
                        "0600 store/.gpg-id = \"<carol@example.org>\\nA32FC6901C23518E63DB3217E372689C98B0853B\\n\"",
                    ),
                ],
            ),
            at(
                "environment of encryption",
                "PASSWORD_STORE_KEY=mallory@example.org pass insert -m d <<<1",
                &[
                    Stock(Stdout, "Enter contents of d and press Ctrl+D when finished:"),
                    Ours(Stderr, "error: recipient `mallory@example.org` in PASSWORD_STORE_KEY"),
                ],
            ),
            at(
                "environment of an empty recipients file",
                "pass insert -m a <<<1",
                &[
                    Stock(Stdout, "Enter contents of a and press Ctrl+D when finished:"),
                    Ours(Stderr, "error: `.gpg-id` names no recipient"),
                ],
            ),
            at(
                "environment of an unknown recipient",
                "pass insert -m a <<<1",
                &[
                    Stock(Stdout, "Enter contents of a and press Ctrl+D when finished:"),
                    Ours(Stderr, "error: recipient `mallory@example.org` in .gpg-id line 2 cannot"),
                ],
            ),
            at(
                "environment of an unknown recipient",
                "pass generate b 30",
                &[Ours(Stderr, "error: recipient `mallory@example.org` in .gpg-id line 2 cannot")],
            ),
        ],
    },
    Difference {
        why: "An e-mail address means the key with just that address. gpg, and so pass, takes it for a \
              part of one, too.",
        places: &[at(
            "init with a part of an address",
            "pass init lice@example.org",
            &[
                Exits("1"),
                Stock(Stdout, "Password store initialized for lice@example.org"),
                Ours(Stderr, "error: recipient `lice@example.org` in the command cannot be encrypted to"),
                Stock(Files, "0600 store/.gpg-id = \"lice@example.org"),
            ],
        )],
    },
    Difference {
        why: "`init` changes nothing where an entry cannot be decrypted. pass changes the list and the \
              other entries, and exits 0.",
        places: &[at(
            "init where an entry cannot be read",
            "pass init $ALICE $BOB",
            &[
                Exits("1"),
                Stock(Stdout, "daves: reencrypting to"),
                Ours(Files, "0600 store/a.gpg = \"1\\n\" for 2CAB16B494FC168E\n"),
                Stock(Commits, "commit Test Person <test@example.org>: Reencrypt password store"),
            ],
        )],
    },
    Difference {
        why: "A recipients file's last line counts without its line break too, and line breaks of \
              Windows (CRLF) are understood. pass drops such a last line silently, and fails at CRLF.",
        places: &[
            at(
                "environment of a last line without its end",
                "pass insert -m a <<<1",
                &[Ours(Files, "0600 store/a.gpg = \"1\\n\" for 2CAB16B494FC168E 38B9287114A45FFC")],
            ),
            at(
                "environment of line ends from elsewhere",
                "pass insert -m a <<<1",
                &[
                    Exits("0"),
                    Stock(Stderr, "Password encryption aborted."),
                    Ours(Files, "0600 store/a.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                ],
            ),
        ],
    },
    Difference {
        why: "A recipients file that is a symbolic link is refused. pass follows it, out of the store too.",
        places: &[at(
            "a recipients file that is a link",
            "pass insert -m web/a <<<1",
            &[
                Exits("1"),
                Stock(Stdout, "Enter contents of web/a and press Ctrl+D when finished:"),
                Ours(Stderr, "error: `web/.gpg-id` is a symbolic link, which is not followed for writing"),
                Stock(Files, "0600 store/web/a.gpg = \"1\\n\" for 38B9287114A45FFC"),
            ],
        )],
    },
    Difference {
        why: "A folder, pipe or the like that is called `.gpg-id` is refused. pass passes it over, and \
              encrypts to the recipients of the folder above.",
        places: &[at(
            "a folder in a recipients file's place",
            "pass insert -m web/a <<<1",
            &[
                Exits("1"),
                Stock(Stdout, "Enter contents of web/a and press Ctrl+D when finished:"),
                Ours(Stderr, "error: `web/.gpg-id` cannot be a recipients file: it is a folder"),
                Stock(Files, "0600 store/web/a.gpg = \"1\\n\" for 2CAB16B494FC168E"),
            ],
        )],
    },
    Difference {
        why: "A name with a part that is called `.gpg-id` is refused where something is stored: a folder of \
              that name would be in a recipients file's place. pass makes it.",
        places: &[
            at(
                "names of recipients files",
                "pass insert -m web/.gpg-id/a <<<1",
                &[
                    Exits("1"),
                    Stock(Stdout, "mkdir: created directory 'ROOT/store/web/.gpg-id'"),
                    Ours(Stderr, "error: `web/.gpg-id/a` holds `.gpg-id`, which only recipients files are"),
                    Stock(Files, "0700 store/web/.gpg-id (folder)"),
                ],
            ),
            at(
                "names of recipients files",
                "pass insert -m .gpg-id <<<1",
                &[
                    Exits("1"),
                    Stock(Stdout, "Enter contents of .gpg-id and press Ctrl+D when finished:"),
                    Ours(Stderr, "error: `.gpg-id` holds `.gpg-id`, which only recipients files are"),
                    Stock(Files, "0600 store/.gpg-id.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                ],
            ),
        ],
    },
    Difference {
        why: "A new name may have parts of at most 220 bytes: what files are called while they are written is \
              longer. pass takes 251.",
        places: &[at(
            "long names",
            "pass insert -m $(printf 'n%.0s' {1..230}) <<<1",
            &[
                Exits("1"),
                Stock(Stdout, "Enter contents of nnn"),
                Ours(Stderr, "has a part of more than 220 bytes"),
                Stock(Files, "0600 store/nnn"),
            ],
        )],
    },
    Difference {
        why: "`init` makes one commit for the list, its signature and the entries encrypted anew, as \
              they belong together. pass makes up to three.",
        places: &[
            at("init with git", "pass init -p team $ALICE $BOB", TWO_FILES_ONCE),
            at(
                "init with git",
                "pass git log --format=%s -2",
                &[Ours(Stdout, "Add given password for team/b to store.")],
            ),
            at("init with git", "pass init $CAROL $ALICE", TWO_FILES_ONCE),
            at("init with git", "pass init -p team \"\"", TWO_FILES_ONCE),
            at("init with git", "pass init $ALICE", THREE_FILES_ONCE),
            at(
                "init re-encrypts what inner lists do not rule",
                "pass init -p in/in $BOB $ALICE",
                TWO_FILES_ONCE,
            ),
            at("init re-encrypts what inner lists do not rule", "pass init $CAROL $ALICE", THREE_FILES_ONCE),
            at(
                "init re-encrypts what inner lists do not rule",
                "pass init -p in $RSA $ALICE",
                TWO_FILES_ONCE,
            ),
            at("init re-encrypts what inner lists do not rule", "pass init -p in \"\"", TWO_FILES_ONCE),
            at(
                "init signs its list",
                "PASSWORD_STORE_SIGNING_KEY=$ALICE pass init $ALICE $BOB",
                &[
                    Ours(Stdout, "2 files changed"),
                    Stock(Commits, "commit Test Person <test@example.org>: Signing new GPG id with"),
                ],
            ),
        ],
    },
    Difference {
        why: "A list that is not signed as PASSWORD_STORE_SIGNING_KEY asks is refused in our own \
              words.",
        places: &[
            at(
                "init signs its list",
                "PASSWORD_STORE_SIGNING_KEY=$BOB pass insert -m signed-by-another <<<x",
                &[NOT_SIGNED],
            ),
            at(
                "init signs its list",
                "PASSWORD_STORE_SIGNING_KEY=$ALICE pass insert -m forged <<<x",
                &[NOT_SIGNED],
            ),
            at(
                "init signs its list",
                "PASSWORD_STORE_SIGNING_KEY=$ALICE pass insert -m unsigned <<<x",
                &[NOT_SIGNED],
            ),
            at(
                "init signs its list",
                "PASSWORD_STORE_SIGNING_KEY=$ALICE pass generate unsigned",
                &[NOT_SIGNED],
            ),
        ],
    },
    Difference {
        why: "Extensions get what our own commands take: recipients by their fingerprints, entries encrypted \
              anew in a commit of their own, and an end where that cannot be. pass hands on the list's \
              lines, and leaves an entry that cannot be encrypted anew as it is.",
        places: &[
            at(
                "environment of extensions that encrypt",
                "PASSWORD_STORE_ENABLE_EXTENSIONS=true PASSWORD_STORE_EXTENSIONS_DIR=$PWD/ext pass to /web",
                &[Stock(Stdout, "bob@example.org")],
            ),
            at(
                "environment of extensions that encrypt",
                "PASSWORD_STORE_ENABLE_EXTENSIONS=true PASSWORD_STORE_EXTENSIONS_DIR=$PWD/ext pass anew for bob",
                &[
                    Ours(Stdout, "Reencrypt password store."),
                    Ours(Commits, "commit Test Person <test@example.org>: Reencrypt password store."),
                ],
            ),
            at(
                "environment of extensions that encrypt",
                "PASSWORD_STORE_ENABLE_EXTENSIONS=true PASSWORD_STORE_EXTENSIONS_DIR=$PWD/ext pass to new/folder",
                &[
                    Exits("1"),
                    Stock(Stdout, "mallory@example.org"),
                    Ours(Stderr, "error: recipient `mallory@example.org` in .gpg-id line 1"),
                ],
            ),
            at(
                "environment of extensions that encrypt",
                "PASSWORD_STORE_ENABLE_EXTENSIONS=true PASSWORD_STORE_EXTENSIONS_DIR=$PWD/ext pass anew for mallory",
                &[Exits("1"), Stock(Stdout, "web/a: reencrypting to")],
            ),
        ],
    },
    Difference {
        why: "`init \"\"` of a root that holds entries is refused: they would have no recipients. \
              pass takes the list away, then fails.",
        places: &[at(
            "init a plain store",
            "pass init \"\"",
            &[
                Stock(Stdout, "removed 'ROOT/store//.gpg-id'"),
                Stock(Stderr, "store.\n\n"),
                Ours(Files, "0600 store/.gpg-id ="),
            ],
        )],
    },
    Difference {
        why: "`edit` gives up where the editor fails or is missing. pass ignores its exit code and \
              stores what it finds.",
        places: &[
            at(
                "edit with a failing editor",
                "EDITOR=$PWD/fail pass edit a",
                &[
                    Exits("1"),
                    Stock(Stdout, "Edit password for a using ROOT/fail."),
                    Ours(Stderr, "error: the editor `ROOT/fail` failed with exit code 3"),
                    Ours(Files, "0600 store/a.gpg = \"1\\n\" for 2CAB16B494FC168E"),
                    Stock(Commits, "commit Test Person <test@example.org>: Edit password for a"),
                ],
            ),
            at(
                "edit with a failing editor",
                "EDITOR=false pass edit a",
                &[Ours(Stderr, "error: the editor `false` failed with exit code 1")],
            ),
            at(
                "edit with a failing editor",
                "EDITOR=/nowhere/editor pass edit a",
                &[Ours(Stderr, "error: the editor `/nowhere/editor` was not found")],
            ),
            at(
                "edit with a failing editor",
                "EDITOR=/nowhere/editor pass edit b",
                &[Ours(Stderr, "error: the editor `/nowhere/editor` was not found")],
            ),
        ],
    },
    Difference {
        why: "An entry that cannot be decrypted makes `edit` exit with gpg's 2, as `show` does. pass \
              exits 1.",
        places: &[at("edit what cannot be read", "EDITOR=$PWD/editor pass edit daves", &[Exits("2")])],
    },
    Difference {
        why: "Below pass's own words for an error stand its cause and its mend. Of the cause, gpg tells in \
              pass.",
        places: &[
            at(
                "generate",
                "pass generate -i web/nosuch 30",
                &[Ours(Stderr, "caused by: `web/nosuch` is not in the password store")],
            ),
            at(
                "generate",
                "pass generate -i nosuch/folder/x 30",
                &[Ours(Stderr, "caused by: `nosuch/folder/x` is not in the password store")],
            ),
            at(
                "terminal listings",
                "pass -c web/a",
                &[Ours(Stdout, "hint: `web/a` was not copied: neither DISPLAY (X11) nor")],
            ),
        ],
    },
    Difference {
        why: "`generate -c` stores nothing where the password cannot be copied. pass stores it, or replaces \
              the one that is there, and then fails.",
        places: &[
            at(
                "generate for the clipboard or the screen",
                "pass generate -c a",
                &[Stock(Files, "0600 store/a.gpg = \"<password of 25, any>\\n\" for")],
            ),
            at(
                "generate for the clipboard or the screen",
                "pass generate -nc b 30",
                &[Stock(Files, "0600 store/b.gpg = \"<password of 30, letters and digits>\\n\" for")],
            ),
        ],
    },
    Difference {
        why: "Passwords are made of at most 65536 characters. pass makes longer ones.",
        places: &[at(
            "generate a very long password",
            "pass generate long 65537 | wc -l",
            &[
                Ours(Stdout, "0"),
                Ours(Stderr, "Error: pass-length \"65537\" must be at most 65536."),
                Stock(Files, "0600 store/long.gpg"),
            ],
        )],
    },
    Difference {
        why: "Where an entry is changed by another program while it is edited, that change stays, the \
              edited text is stored beside it, and `edit` exits 1. pass overwrites the change.",
        places: &[
            at(
                "edit what changes meanwhile",
                "EDITOR=$PWD/busy pass edit a",
                &[
                    Exits("1"),
                    Ours(
                        Stderr,
                        "error: `a` was changed meanwhile by another program; your version is stored as",
                    ),
                    Ours(Files, "0600 store/a.conflict-"),
                ],
            ),
            at("edit what changes meanwhile", "pass show a", &[Stock(Stdout, "ours")]),
        ],
    },
    Difference {
        why: "Folders are made when something is stored in them. pass makes them first and leaves \
              them behind when nothing comes of it.",
        places: &[
            at(
                "edit stores nothing",
                "EDITOR=$PWD/delete pass edit nosuch/deeper",
                &[
                    Stock(Stdout, "mkdir: created directory 'ROOT/store/nosuch'"),
                    Stock(Files, "0700 store/nosuch (folder)"),
                ],
            ),
            at(
                "edit names its file after the entry",
                "EDITOR=$PWD/look pass edit 'web/no such/x'",
                &[
                    Stock(Stdout, "mkdir: created directory 'ROOT/store/web'"),
                    Stock(Files, "0700 store/web (folder)"),
                ],
            ),
            at(
                "generate",
                "pass generate -i nosuch/folder/x 30",
                &[
                    Stock(Stdout, "mkdir: created directory 'ROOT/store/nosuch'"),
                    Stock(Files, "0700 store/nosuch (folder)"),
                ],
            ),
        ],
    },
    Difference {
        why: "Without a store, commands that need one say so, and that is all: no usage text follows, \
              no folder is made, and `find` fails. pass makes the folder and prints its help; its \
              `find` exits 0.",
        places: &[
            at(
                "find without a store",
                "pass find x",
                &[Exits("1"), Stock(Stdout, "Search Terms: x"), Ours(Stderr, "Error: You must run:")],
            ),
            at("edit without a store", "EDITOR=true pass edit a", USAGE_FOLLOWS),
            at("grep without a store", "pass grep x", &[Exits("1")]),
            at("generate without a store", "pass generate a", USAGE_FOLLOWS),
            at("insert without a store", "pass insert -m a <<<1", USAGE_FOLLOWS),
            at("insert into a folder without a store", "pass insert -m b/c <<<1", USAGE_FOLLOWS),
        ],
    },
    Difference {
        why: "What is not encrypted, only signed say, is not shown. pass shows it.",
        places: &[
            at(
                "show what was not encrypted",
                "pass show forged",
                &[
                    Exits("2"),
                    Stock(Stdout, "forged"),
                    Ours(Stderr, "error: cannot decrypt `forged`\ncaused by: it holds no encrypted data"),
                ],
            ),
            at("show what was not encrypted", "pass show signed", &[Exits("2"), Stock(Stdout, "signed")]),
        ],
    },
    Difference {
        why: "`grep` exits 1 when entries could not be searched, or grep(1) fails. pass exits 0.",
        places: &[
            at("grep where an entry cannot be read", "pass grep secret", &[Exits("1")]),
            at("grep", "pass grep --bogus x", &[Exits("1")]),
            at("grep", "pass grep '['", &[Exits("1")]),
        ],
    },
    Difference {
        why: "Blanks around a password are kept. pass drops them unless `-m` is given.",
        places: &[
            at(
                "insert keeps blanks around a password",
                "pass insert -e blanks <<<'  around  '",
                &[Ours(Files, "0600 store/blanks.gpg = \"  around  \\n\" for 2CAB16B494FC168E")],
            ),
            at(
                "insert keeps blanks around a password",
                "pass insert blanks2 <<<$'  around  \\n  around  '",
                &[Ours(Files, "0600 store/blanks.gpg = \"  around  \\n\" for 2CAB16B494FC168E")],
            ),
        ],
    },
    Difference {
        why: "A password that holds NUL is refused. pass drops the NUL.",
        places: &[at(
            "insert a NUL",
            "printf 'a\\0b\\n' | pass insert -e nul",
            &[
                Exits("1"),
                Ours(Stderr, "error: the answer holds a NUL byte"),
                Stock(Files, "0600 store/nul.gpg = \"ab\\n\""),
            ],
        )],
    },
    Difference {
        why: "Where the input ends at a question (Ctrl-D too), we say so, and `insert -e` stores \
              nothing. pass stops silently, or stores an empty password.",
        places: &[
            at(
                "insert what is typed",
                "pass insert -e empty </dev/null",
                &[
                    Exits("1"),
                    INPUT_ENDED,
                    Stock(Files, "0600 store/empty.gpg = \"\\n\" for 2CAB16B494FC168E"),
                ],
            ),
            at("insert what is typed", "pass insert none </dev/null", &[INPUT_ENDED]),
            at("insert what is typed", "pass insert once <<<one", &[INPUT_ENDED]),
            at("insert what is typed", "pass insert nl < <(printf 'one\\none')", &[INPUT_ENDED]),
            at(
                "terminal insert",
                "pass insert e",
                &[Ours(Stdout, "error: the input ended before an answer")],
            ),
            at(
                "terminal delete",
                "pass rm a",
                &[Ours(Stdout, "Are you sure you would like to delete a? [y/N] error: the input")],
            ),
        ],
    },
    Difference {
        why: "Ctrl-C at a question exits 1 and says so, like every refusal. pass dies of the signal \
              (130).",
        places: &[
            at("terminal insert", "pass insert f", &[Exits("1"), Ours(Stdout, "error: interrupted")]),
            at("terminal insert", "pass insert f", &[Exits("1"), Ours(Stdout, "error: interrupted")]),
            at("terminal delete", "pass rm a", &[Exits("1"), Ours(Stdout, "error: interrupted")]),
        ],
    },
    Difference {
        why: "On a terminal, mv and cp ask in pass's own way whether they may replace an entry, and \
              exit 1 on a no. With pass it is mv(1) and cp(1) that ask; it exits 0 on a no.",
        places: &[
            at(
                "terminal move and copy",
                "pass cp a b",
                &[Exits("1"), Ours(Stdout, "cp: overwrite 'ROOT/store/b.gpg'? [y/N] n")],
            ),
            at(
                "terminal move and copy",
                "pass cp a b",
                &[Ours(Stdout, "cp: overwrite 'ROOT/store/b.gpg'? [y/N] y")],
            ),
            at(
                "terminal move and copy",
                "pass mv b c",
                &[Ours(Stdout, "mv: overwrite 'ROOT/store/c.gpg'? [y/N] y")],
            ),
            at(
                "terminal refuses to move onto an entry",
                "pass mv a b",
                &[Exits("1"), Ours(Stdout, "mv: overwrite 'ROOT/store/b.gpg'? [y/N] n")],
            ),
        ],
    },
    Difference {
        why: "git's exit code is passed on. pass exits 0.",
        places: &[
            at("git passes everything on", "pass git nosuch", &[Exits("1")]),
            at("git passes everything on", "pass git show nosuch", &[Exits("128")]),
            at("git fails", "pass git checkout nosuch", &[Exits("1")]),
            at("git fails", "pass git push nowhere", &[Exits("128")]),
        ],
    },
    Difference {
        why: "What git does not let us commit is not stored. pass stores it, leaves it staged, and exits \
              0.",
        places: &[
            at(
                "git refuses the commit",
                "pass insert -m a <<<1",
                &[
                    Exits("1"),
                    Ours(Stderr, "error: the hook `ROOT/store/.git/hooks/pre-commit` refused the change"),
                    Stock(Files, "0600 store/a.gpg"),
                    Stock(Commits, "A  a.gpg"),
                ],
            ),
            at(
                "git in the middle of a merge",
                "pass insert -m b <<<4",
                &[
                    Exits("1"),
                    Stock(Stdout, "U\tnote"),
                    Ours(Stderr, "error: the git repository at `ROOT/store/` is in the middle of a merge"),
                    Stock(Files, "0600 store/b.gpg"),
                    Stock(Commits, "A  b.gpg"),
                ],
            ),
        ],
    },
    Difference {
        why: "An entry that git ignores is stored with a warning of ours. With pass it is git that warns.",
        places: &[at(
            "git ignores an entry",
            "pass insert -m private/a <<<1",
            &[Stock(Stderr, "The following paths are ignored by one of your .gitignore files")],
        )],
    },
    Difference {
        why: "A commit holds the command's own changes, and no others that happen to be staged. pass \
              commits those too.",
        places: &[
            at(
                "git leaves other changes alone",
                "pass insert -m a <<<1",
                &[Ours(Stdout, "1 file changed"), Ours(Commits, "A  staged")],
            ),
            at("git leaves other changes alone", "pass insert -m b <<<2", &[Ours(Commits, "A  staged")]),
        ],
    },
    Difference {
        why: "Where there is nothing to commit, git is not asked to. pass shows its `nothing to \
              commit`.",
        places: &[
            at("rm what is not an entry", "pass rm -rf empty", &[Stock(Stdout, "On branch master")]),
            at("rm of uncommitted and changed entries", "pass rm -f b", &[Stock(Stdout, "On branch master")]),
        ],
    },
    Difference {
        why: "A moved entry gets the permissions of a new one (PASSWORD_STORE_UMASK). pass leaves \
              those it had.",
        places: &[at(
            "environment of permissions",
            "chmod 640 store/private/c.gpg; pass mv private/c private/e; pass cp private/e private/f",
            &[Ours(Files, "0600 store/private/e.gpg = \"1\\n\" for 2CAB16B494FC168E")],
        )],
    },
    Difference {
        why: "Paths are told in their plain form, without doubled slashes and single dots.",
        places: &[
            at(
                "mv without git",
                "pass mv deep/er/path .",
                &[Stock(Stdout, "renamed 'ROOT/store/deep/er/path.gpg' -> 'ROOT/store/./path.gpg'")],
            ),
            at(
                "environment of a store",
                "PASSWORD_STORE_DIR=$PWD/other/ pass insert -m a/b <<<1",
                &[Ours(Stdout, "mkdir: created directory 'ROOT/other/a'")],
            ),
            at(
                "environment of a store",
                "PASSWORD_STORE_DIR=$PWD/other/ pass mv a/b c",
                &[Ours(Stdout, "ROOT/other/a/b.gpg")],
            ),
            at(
                "environment of a store",
                "PASSWORD_STORE_DIR=$PWD/other/ pass rm -f c",
                &[Ours(Stdout, "removed 'ROOT/other/c.gpg'")],
            ),
        ],
    },
    Difference {
        why: "Only the plaintext goes to standard output: gpg's status lines, asked for there in \
              PASSWORD_STORE_GPG_OPTS, go to standard error.",
        places: &[at(
            "environment of encryption",
            "PASSWORD_STORE_GPG_OPTS=\"--status-fd=1\" pass show e | grep -c GNUPG",
            &[Exits("1"), Ours(Stdout, "0"), Ours(Stderr, "[GNUPG:] ENC_TO 2CAB16B494FC168E 18 0")],
        )],
    },
    Difference {
        why: "QR codes hold the same text but may look otherwise: the encoder is another one.",
        places: &[at(
            "show a QR code",
            "pass show -q long",
            &[Ours(Stdout, "████ ▄▄▄▄▄ █▀ █▀▀  ▀▀ ▄▄█▀▀▄██ ▄▄▄▄▄ ████")],
        )],
    },
    Difference {
        why: "Version and help are our own texts; what programs look for in them is there.",
        places: &[
            at("version and help", "pass version", &[Ours(Stdout, "as spoken by passel")]),
            at("version and help", "pass --version", &[Ours(Stdout, "as spoken by passel")]),
            at("version and help", "pass version more", &[Ours(Stdout, "as spoken by passel")]),
            at("version and help", "pass help", &[Ours(Stdout, "as spoken by passel")]),
            at("version and help", "pass --help", &[Ours(Stdout, "as spoken by passel")]),
            at("version and help", "pass help insert", &[Ours(Stdout, "Usage: pass insert [OPTIONS] NAME")]),
            at(
                "version and help",
                "EDITOR=nano PASSWORD_STORE_CLIP_TIME=9 PASSWORD_STORE_GENERATED_LENGTH=31 pass help",
                &[Ours(Stdout, "as spoken by passel")],
            ),
            at("terminal listings", "pass version", &[Ours(Stdout, "as spoken by passel")]),
        ],
    },
];
