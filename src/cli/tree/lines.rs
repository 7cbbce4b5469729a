//! What the lines of a tree are drawn with, by character set: as tree(1) 2.1.0 has them.

/// The parts of a tree's lines. Each is followed by a blank.
pub struct Lines {
    /// The names of the character sets.
    charsets: &'static [&'static str],
    /// Passes a name by: `│`.
    passing: &'static [u8],
    /// Leads to a name with others below: `├──`.
    branch: &'static [u8],
    /// Leads to the last name of a folder: `└──`.
    pub last: &'static [u8],
}

impl Lines {
    /// Returns the lines for the character set of that name, in any case; ASCII if it is unknown.
    pub fn of(charset: &[u8]) -> &'static Lines {
        let is_named =
            |lines: &&Lines| lines.charsets.iter().any(|c| c.as_bytes().eq_ignore_ascii_case(charset));
        TABLE.iter().find(is_named).unwrap_or(&ASCII)
    }

    /// Returns the names of all character sets that have lines of their own.
    #[cfg(test)]
    pub fn charsets() -> impl Iterator<Item = &'static str> {
        TABLE.iter().flat_map(|lines| lines.charsets).copied()
    }

    /// Returns what leads to a name with others below, and what passes by the names in it.
    pub fn more(&self) -> (&[u8], &[u8]) {
        (self.branch, self.passing)
    }
}

// Also that of VISCII and the Windows code pages, which tree knows by name.
static ASCII: Lines = Lines { charsets: &[], passing: b"|  ", branch: b"|--", last: b"`--" };

static TABLE: [Lines; 13] = [
    // tree draws the last branch as an HTML entity here. PassFF, which asks for ISO-8859-1, knows that.
    Lines {
        charsets: &[
            "ISO-8859-1",
            "ISO-8859-1:1987",
            "ISO_8859-1",
            "latin1",
            "l1",
            "IBM819",
            "CP819",
            "csISOLatin1",
            "ISO-8859-3",
            "ISO_8859-3:1988",
            "ISO_8859-3",
            "latin3",
            "ls",
            "csISOLatin3",
        ],
        passing: b"|  ",
        branch: b"|--",
        last: b"&middot;--",
    },
    Lines {
        charsets: &[
            "ISO-8859-7",
            "ISO_8859-7:1987",
            "ISO_8859-7",
            "ELOT_928",
            "ECMA-118",
            "greek",
            "greek8",
            "csISOLatinGreek",
            "ISO-8859-8",
            "ISO_8859-8:1988",
            "iso-ir-138",
            "ISO_8859-8",
            "hebrew",
            "csISOLatinHebrew",
            "ISO-8859-9",
            "ISO_8859-9:1989",
            "iso-ir-148",
            "ISO_8859-9",
            "latin5",
            "l5",
            "csISOLatin5",
        ],
        passing: b"|  ",
        branch: b"|--",
        last: b"&middot;--",
    },
    Lines {
        charsets: &["Shift_JIS", "MS_Kanji", "csShiftJIS"],
        passing: b"\x84\xa0 ",
        branch: b"\x84\xa5",
        last: b"\x84\xa4",
    },
    Lines {
        charsets: &["EUC-JP", "Extended_UNIX_Code_Packed_Format_for_Japanese", "csEUCPkdFmtJapanese"],
        passing: b"\xa8\xa2 ",
        branch: b"\xa8\xa7",
        last: b"\xa8\xa6",
    },
    Lines { charsets: &["EUC-KR", "csEUCKR"], passing: b"\xa6\xa2 ", branch: b"\xa6\xa7", last: b"\xa6\xa6" },
    Lines {
        charsets: &["ISO-2022-JP", "csISO2022JP", "ISO-2022-JP-2", "csISO2022JP2"],
        passing: b"\x1b$B(\"\x1b(B ",
        branch: b"\x1b$B('\x1b(B",
        last: b"\x1b$B(&\x1b(B",
    },
    Lines {
        charsets: &[
            "IBM437",
            "cp437",
            "437",
            "csPC8CodePage437",
            "IBM852",
            "cp852",
            "852",
            "csPCp852",
            "IBM863",
            "cp863",
            "863",
            "csIBM863",
            "IBM855",
            "cp855",
            "855",
            "csIBM855",
            "IBM865",
            "cp865",
            "865",
            "csIBM865",
            "IBM866",
            "cp866",
            "866",
            "csIBM866",
        ],
        passing: b"\xb3  ",
        branch: b"\xc3\xc4\xc4",
        last: b"\xc0\xc4\xc4",
    },
    Lines {
        charsets: &[
            "IBM850",
            "cp850",
            "850",
            "csPC850Multilingual",
            "IBM00858",
            "CCSID00858",
            "CP00858",
            "PC-Multilingual-850+euro",
        ],
        passing: b"\xb3  ",
        branch: b"\xc3\xc4\xc4",
        last: b"\xc0\xc4\xc4",
    },
    Lines {
        charsets: &["IBM869", "cp869", "869", "cp-gr", "csIBM869"],
        passing: b"\xb3  ",
        branch: b"\xc3\xc4\xc4",
        last: b"\xc0\xc4\xc4",
    },
    Lines {
        charsets: &["GB2312", "csGB2312"],
        passing: b"\xa9\xa6 ",
        branch: b"\xa9\xc0",
        last: b"\xa9\xb8",
    },
    // Behind the passing line stand two no-break spaces.
    Lines {
        charsets: &["UTF-8", "utf8"],
        passing: "│\u{a0}\u{a0}".as_bytes(),
        branch: "├──".as_bytes(),
        last: "└──".as_bytes(),
    },
    Lines { charsets: &["Big5", "csBig5"], passing: b"\xa2x ", branch: b"\xa2u", last: b"\xa2|" },
    Lines {
        charsets: &["KOI8-R", "csKOI8R", "KOI8-U"],
        passing: b"\x81  ",
        branch: b"\x86\x80\x80",
        last: b"\x84\x80\x80",
    },
];
