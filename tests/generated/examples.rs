//! The examples of the manual pages. A test of the program (tests/cli/manual.rs) reads them out of the pages
//! and runs every line, in a store with the entries `web/gitlab` and `web/wiki` and a remote.

/// An example: what it does, and the lines to type.
type Example = (&'static str, &'static [&'static str]);

/// Examples by command.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "keys",
        &[
            (
                "Put the public keys of all recipients into the store, and see what is there:",
                &["passel keys export", "passel keys list"],
            ),
            (
                "On another machine, take them into the keyring; each fingerprint is shown and asked about:",
                &["passel keys import"],
            ),
        ],
    ),
    (
        "cache",
        &[(
            "Forget what is remembered of this store's entries, then of those of all stores:",
            &["passel cache clear", "passel cache clear --all"],
        )],
    ),
    (
        "doctor",
        &[(
            "See how long it takes to read all entries, also as a number:",
            &["passel doctor", "passel doctor --json"],
        )],
    ),
    (
        "adopt",
        &[(
            "Look over a store that another program has made, then mend what is safe to mend:",
            &["passel adopt", "passel adopt --fix"],
        )],
    ),
    (
        "audit",
        &[
            (
                "Look for weak, reused, old and expiring passwords in the whole store, and in a folder as a program:",
                &["passel audit health", "passel audit health web --json"],
            ),
            ("See also what the store's policy ignores, and why:", &["passel audit health --ignored"]),
            (
                "See who can read which folders, and who could in the last commit but one; people first, for a spreadsheet:",
                &[
                    "passel audit access",
                    "passel audit access web --at HEAD~1 --by person",
                    "passel audit access --csv",
                ],
            ),
            (
                "Somebody leaves: see what they could ever read, and what of that still holds; an entry leaked: see who had it:",
                &["passel audit exposure bob@example.org", "passel audit exposure web/gitlab --no-decrypt"],
            ),
            (
                "Write a page on all that to keep, and one on a single folder to send:",
                &[
                    "passel audit report -o access.html",
                    "passel audit report --folder web -o web.html --force",
                ],
            ),
        ],
    ),
    (
        "rotate",
        &[
            (
                "Somebody leaves: take them out, and put what they could read on the list of what must be changed:",
                &[
                    "passel recipients add web bob@example.org --yes",
                    "passel recipients remove web bob@example.org --yes --rotate",
                    "passel rotate",
                ],
            ),
            (
                "Change one of them: it is done by itself; see what is left, and who did what:",
                &["passel generate -i web/gitlab", "passel rotate status"],
            ),
            (
                "Put other things on the list: what was mailed in clear, what is weak, reused or old:",
                &["passel rotate add web/gitlab --why 'mailed in clear'", "passel rotate add --health"],
            ),
            (
                "Take off what needs no change:",
                &["passel rotate close web/gitlab --why 'the account was closed'"],
            ),
        ],
    ),
    (
        "incident",
        &[
            (
                "Somebody leaves: take them out, then open an incident; what they could read is on the rotation list:",
                &[
                    "passel recipients add web bob@example.org --yes",
                    "passel recipients remove web bob@example.org --yes --no-rotate",
                    "passel incident open 'Bob has left' --about bob@example.org",
                    "passel rotate",
                ],
            ),
            (
                "See how far it has come; write reports for the team and the clients concerned:",
                &["passel incident show", "passel incident report -o reports"],
            ),
            (
                "An entry leaked: see at once what else has the same password:",
                &["passel incident open 'mailed in clear' --about web/gitlab", "passel incident list"],
            ),
        ],
    ),
    (
        "fsck",
        &[
            (
                "Look over the whole store, then one folder without decrypting anything:",
                &["passel fsck", "passel fsck web --no-decrypt"],
            ),
            (
                "Mend what is safe to mend; what is found as a program reads it:",
                &["passel fsck --repair", "passel fsck --json"],
            ),
        ],
    ),
    (
        "recipients",
        &[
            (
                "Let two more people read a folder; see before what would change:",
                &[
                    "passel recipients add web bob@example.org carol@example.org --dry-run",
                    "passel recipients add web bob@example.org carol@example.org --yes",
                ],
            ),
            (
                "Take one out again; what they could read is listed, for its passwords to be changed:",
                &[
                    "passel recipients add web bob@example.org --yes",
                    "passel recipients remove web bob@example.org --yes",
                ],
            ),
            (
                "See who can read what, by the lists and by the entries themselves; what one key can read:",
                &[
                    "passel recipients list --tree",
                    "passel recipients who web/gitlab",
                    "passel recipients what bob@example.org",
                ],
            ),
            (
                "Let exactly these people read a folder:",
                &["passel recipients set web alice@example.org bob@example.org --yes"],
            ),
            (
                "Look for what is wrong; bring entries in line with their lists, see before what would change; name \
                 recipients by their fingerprints; look at entries that are held back:",
                &[
                    "passel recipients check",
                    "passel recipients update --dry-run",
                    "passel recipients update --yes",
                    "passel recipients canonicalize --yes",
                    "passel recipients review",
                ],
            ),
            (
                "Accept what a colleague changed, once you have asked whether it is right:",
                &["passel recipients accept", "passel recipients accept web"],
            ),
        ],
    ),
    (
        "group",
        &[
            (
                "Call two keys a team, and let the whole store follow it:",
                &[
                    "passel group add team alice@example.org bob@example.org --yes",
                    "passel group assign team --yes",
                ],
            ),
            (
                "Somebody joins, and leaves; each time every folder that follows the team is encrypted anew, in one \
                 commit:",
                &[
                    "passel group add team carol@example.org --yes",
                    "passel group remove team carol@example.org --yes",
                ],
            ),
            (
                "See the groups, and which folders follow them; let one folder go its own way, with its recipients \
                 as they are:",
                &[
                    "passel group list",
                    "passel group assign team web --yes",
                    "passel group unassign --keep team web --yes",
                ],
            ),
        ],
    ),
    (
        "client",
        &[
            (
                "Let a client read a folder of their own, by the key that they sent and the fingerprint that they \
                 told by telephone; put something into it:",
                &[
                    "passel client add acme --key acme.asc \
                     --fingerprint 09B1DF4A1288B99B4525C0190E5410D6CF534489 --yes",
                    "passel generate clients/acme/shop",
                ],
            ),
            (
                "See the clients, and what one of them must do to read their folder:",
                &["passel client list", "passel client show acme"],
            ),
            (
                "A client leaves: the entries stay, readable by the team alone. Or everything goes:",
                &[
                    "passel client remove acme --keep-entries --yes",
                    "passel client add acme carol@example.org --yes",
                    "passel client remove acme --yes",
                ],
            ),
        ],
    ),
    (
        "keys",
        &[(
            "Let the public keys of all recipients travel in the store; take in those that others put there:",
            &["passel keys export", "passel keys list", "passel keys import"],
        )],
    ),
    (
        "init",
        &[
            (
                "Make a store for two people, by their keys' fingerprints:",
                &["passel init A32FC6901C23518E63DB3217E372689C98B0853B \
                     2BEDC5FA7F2E0E194F7F15107C66D67C974EC674"],
            ),
            (
                "Let a third one read a folder; what is in it already is encrypted anew. Then take the folder's own \
                 list away:",
                &[
                    "passel init -p web alice@example.org bob@example.org carol@example.org",
                    "passel init -p web ''",
                ],
            ),
        ],
    ),
    (
        "show",
        &[
            ("List the store; list a folder:", &["passel", "passel ls web"]),
            (
                "Print an entry, or only its password:",
                &["passel show web/gitlab", "passel web/gitlab | head -n 1"],
            ),
            (
                "Copy the password, or the second line, to the clipboard:",
                &["passel -c web/gitlab", "passel show --clip=2 web/gitlab"],
            ),
            ("Draw the password for a telephone to read:", &["passel -q web/gitlab"]),
        ],
    ),
    ("find", &[("Find what is called after either word:", &["passel find gitlab wiki"])]),
    (
        "grep",
        &[
            ("Look for a user's name, in either case:", &["passel grep -i 'user: anna'"]),
            ("Count in each entry the lines that begin so:", &["passel grep -c ^user:"]),
        ],
    ),
    (
        "insert",
        &[
            (
                "Store a password, typed twice, or once where it may be seen:",
                &["passel insert web/bank", "passel insert -e web/forum"],
            ),
            (
                "Store several lines, from the terminal (end with Ctrl-D) or from another program:",
                &["passel insert -m web/shop", "printf 'secret\\nuser: anna\\n' | passel insert -m web/blog"],
            ),
        ],
    ),
    (
        "edit",
        &[
            ("Edit an entry, or begin a new one:", &["passel edit web/gitlab", "passel edit web/bank"]),
            ("Edit it with another editor for once:", &["EDITOR=nano passel edit web/gitlab"]),
        ],
    ),
    (
        "generate",
        &[
            (
                "Make a password of 25 characters, or of 16 letters and digits:",
                &["passel generate web/bank", "passel generate -n web/forum 16"],
            ),
            (
                "Replace the password and keep the other lines; copy the new one without showing it:",
                &["passel generate -i -c web/gitlab"],
            ),
            ("Make a PIN:", &["PASSWORD_STORE_CHARACTER_SET=[:digit:] passel generate phone/pin 6"]),
        ],
    ),
    (
        "rm",
        &[
            ("Remove an entry:", &["passel rm web/wiki"]),
            ("Remove a folder with everything in it, without being asked:", &["passel rm -rf web"]),
        ],
    ),
    (
        "mv",
        &[
            (
                "Rename an entry; put it into another folder:",
                &["passel mv web/wiki web/handbook", "passel mv web/handbook team/"],
            ),
            ("Rename a folder:", &["passel mv web sites"]),
        ],
    ),
    (
        "cp",
        &[
            (
                "Copy an entry; those who may read the folder can read the copy:",
                &["passel cp web/wiki team/wiki"],
            ),
            ("Copy a folder into another:", &["passel cp web archive/"]),
        ],
    ),
    (
        "git",
        &[
            (
                "Put a store under git and share it:",
                &[
                    "passel git init",
                    "passel git remote add origin git@example.org:passwords.git",
                    "passel git push -u origin HEAD",
                ],
            ),
            (
                "Fetch what others changed; see what an entry once held:",
                &["passel git pull --rebase", "passel git log -p -- web/gitlab.gpg"],
            ),
        ],
    ),
    (
        "git-setup",
        &[(
            "Let git merge entries by line and field, and a branch with them:",
            &["passel git-setup", "passel git pull -q"],
        )],
    ),
    (
        "conflicts",
        &[
            (
                "See which entries two versions are kept of, and where those differ:",
                &["passel conflicts", "passel conflicts show web/gitlab"],
            ),
            (
                "Take the other version (`passel conflicts edit` makes one of both):",
                &["passel conflicts pick web/gitlab --theirs"],
            ),
        ],
    ),
    (
        "merge-driver",
        &[(
            "Tell git to call it, as git-setup does:",
            &["passel git config merge.passel.driver 'passel merge-driver %O %A %B %P'"],
        )],
    ),
    (
        "sync",
        &[
            (
                "See what others changed and what would be pushed, then exchange it:",
                &["passel sync --dry-run", "passel sync"],
            ),
            (
                "Only take what others changed, or only push what was changed here:",
                &["passel sync --pull", "passel sync --push"],
            ),
            ("See which entries came, as a program:", &["passel sync --json"]),
        ],
    ),
    (
        "clone",
        &[(
            "Take part in a team's store, accept its recipients as shown, and see what you can read:",
            &["passel clone git@example.org:passwords.git ~/team --yes --no-import"],
        )],
    ),
    (
        "trust",
        &[
            (
                "Take a colleague's signature for a word on changed recipients, after comparing the fingerprint:",
                &["passel trust add bob@example.org --yes", "passel trust list"],
            ),
            (
                "And no longer:",
                &["passel trust add bob@example.org --yes; passel trust remove bob@example.org"],
            ),
        ],
    ),
    (
        "log",
        &[
            (
                "Who changed what in a folder, the newest first; and in the whole store, the last three commits:",
                &["passel log web", "passel log -n 3"],
            ),
            ("What was changed in a year, as a program:", &["passel log --since 2020-01-01 --json"]),
        ],
    ),
    (
        "history",
        &[
            (
                "The versions of an entry, what the newest one changed, and the newest one itself:",
                &[
                    "passel history web/gitlab",
                    "passel history web/gitlab --diff 1",
                    "passel history web/gitlab --show 1",
                ],
            ),
            ("Put an older version back, as a new commit:", &["passel history restore web/gitlab 1 --force"]),
        ],
    ),
    ("help", &[("See what there is, and how to use one of it:", &["passel help", "passel help insert"])]),
    ("version", &[("Ask for the version:", &["passel version"])]),
];

/// Returns the section for a command's page; `escaped` writes prose for roff.
pub fn section(command: &str, escaped: impl Fn(&str) -> String) -> String {
    let examples = EXAMPLES.iter().find(|(name, _)| *name == command);
    let (_, examples) = examples.unwrap_or_else(|| panic!("{command} has no example"));
    let shown: Vec<String> = examples
        .iter()
        .map(|(what, lines)| {
            let lines: Vec<String> = lines.iter().map(|line| typed(line)).collect();
            format!("{}\n.PP\n.RS\n.nf\n{}\n.fi\n.RE\n", escaped(what), lines.join("\n"))
        })
        .collect();
    format!(".SH EXAMPLES\n{}", shown.join(".PP\n"))
}

/// Writes what is to be typed so that a reader can copy it: roff would make typographic signs of some.
fn typed(line: &str) -> String {
    let signs = [("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("^", "\\(ha"), ("~", "\\(ti"), ("`", "\\(ga")];
    signs.iter().fold(line.to_owned(), |line, (sign, roff)| line.replace(sign, roff))
}
