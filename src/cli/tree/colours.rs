//! Colours of a tree, as `tree -C` takes them from the text of LS_COLORS.
//!
//! Parsed by hand: tree departs from `ls` and dircolors(1) in many small ways (which suffix wins, links
//! without a target, files without a colour), and its output is to be the same.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{FileType, Mode};

use crate::store::listing::{Link, Node};

/// What tree(1) 2.1.0 uses where the environment gives no colours.
pub const DEFAULT: &str = ":no=00:rs=0:fi=00:di=01;34:ln=01;36:pi=40;33:so=01;35:bd=40;33;01:cd=40;33;01:\
    or=40;31;01:ex=01;32:\
    *.bat=01;32:*.BAT=01;32:*.btm=01;32:*.BTM=01;32:*.cmd=01;32:*.CMD=01;32:*.com=01;32:*.COM=01;32:\
    *.dll=01;32:*.DLL=01;32:*.exe=01;32:*.EXE=01;32:*.arj=01;31:*.bz2=01;31:*.deb=01;31:*.gz=01;31:\
    *.lzh=01;31:*.rpm=01;31:*.tar=01;31:*.taz=01;31:*.tb2=01;31:*.tbz2=01;31:*.tbz=01;31:\
    *.tgz=01;31:*.tz2=01;31:*.z=01;31:*.Z=01;31:*.zip=01;31:*.ZIP=01;31:*.zoo=01;31:*.asf=01;35:\
    *.ASF=01;35:*.avi=01;35:*.AVI=01;35:*.bmp=01;35:*.BMP=01;35:*.flac=01;35:*.FLAC=01;35:\
    *.gif=01;35:*.GIF=01;35:*.jpg=01;35:*.JPG=01;35:*.jpeg=01;35:*.JPEG=01;35:*.m2a=01;35:\
    *.M2a=01;35:*.m2v=01;35:*.M2V=01;35:*.mov=01;35:*.MOV=01;35:*.mp3=01;35:*.MP3=01;35:\
    *.mpeg=01;35:*.MPEG=01;35:*.mpg=01;35:*.MPG=01;35:*.ogg=01;35:*.OGG=01;35:*.ppm=01;35:\
    *.rm=01;35:*.RM=01;35:*.tga=01;35:*.TGA=01;35:*.tif=01;35:*.TIF=01;35:*.wav=01;35:*.WAV=01;35:\
    *.wmv=01;35:*.WMV=01;35:*.xbm=01;35:*.xpm=01;35";

/// Colours by kind of file and by suffix.
pub struct Colours {
    /// By the two letters of LS_COLORS: `di`, `ln`, …
    codes: HashMap<Vec<u8>, Vec<u8>>,
    /// Suffix and colour; the first that fits counts.
    suffixes: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether a link has its target's colour (`ln=target`).
    links_as_targets: bool,
    /// What stands before a colour's code.
    pub left: Vec<u8>,
    /// What stands behind a colour's code.
    pub right: Vec<u8>,
    /// What ends a coloured text.
    pub end: Vec<u8>,
}

/// The two-letter codes that tree knows; others are passed over.
const KNOWN: [&[u8]; 21] = [
    b"rs", b"no", b"fi", b"di", b"ln", b"pi", b"do", b"bd", b"cd", b"or", b"so", b"su", b"sg", b"tw", b"ow",
    b"st", b"ex", b"mi", b"lc", b"rc", b"ec",
];

impl Colours {
    /// Reads a text in the format of LS_COLORS. Later settings win over earlier ones.
    pub fn parse(text: &[u8]) -> Self {
        let mut codes: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        let (mut suffixes, mut links_as_targets) = (Vec::new(), false);
        for setting in words(text, b':') {
            let mut sides = words(setting, b'=');
            let (Some(key), Some(code)) = (sides.next(), sides.next()) else { continue };
            if let Some(suffix) = key.strip_prefix(b"*") {
                suffixes.push((suffix.to_vec(), code.to_vec()));
            } else if key == b"ln" && code.eq_ignore_ascii_case(b"target") {
                links_as_targets = true;
                codes.insert(key.to_vec(), b"01;36".to_vec());
            } else if KNOWN.contains(&key) {
                codes.insert(key.to_vec(), code.to_vec());
            }
        }
        suffixes.reverse();
        let or_else = |key: &[u8], default: &[u8]| codes.get(key).map_or(default, Vec::as_slice).to_vec();
        let (left, right) = (or_else(b"lc", b"\x1b["), or_else(b"rc", b"m"));
        let end = or_else(b"ec", &[&left[..], &or_else(b"rs", b"0"), &right].concat());
        Colours { codes, suffixes, links_as_targets, left, right, end }
    }

    /// Whether a regular file's colour depends on its permissions.
    pub fn need_permissions(&self) -> bool {
        ["su", "sg", "ex"].iter().any(|key| self.code(key).is_some())
    }

    /// Returns the colour of a node's name.
    pub fn of_name(&self, node: &Node) -> Option<&[u8]> {
        let Some(link) = &node.link else { return self.of_mode(node.mode, node.name.as_bytes()) };
        let orphan = if link.mode.is_none() { self.code("or") } else { None };
        let mode = if self.links_as_targets { link.mode.unwrap_or(0) } else { node.mode };
        orphan.or_else(|| self.of_mode(mode, node.name.as_bytes()))
    }

    /// Returns the colour of a link's target.
    pub fn of_target(&self, link: &Link) -> Option<&[u8]> {
        let missing = if link.mode.is_none() { self.code("mi") } else { None };
        missing.or_else(|| self.of_mode(link.mode.unwrap_or(0), link.target.as_bytes()))
    }

    fn code(&self, key: &str) -> Option<&[u8]> {
        self.codes.get(key.as_bytes()).map(Vec::as_slice)
    }

    /// Returns the colour for an `st_mode`; of regular files also by suffix.
    fn of_mode(&self, raw: u32, name: &[u8]) -> Option<&[u8]> {
        let mode = Mode::from_raw_mode(raw);
        match FileType::from_raw_mode(raw) {
            FileType::Fifo => self.code("pi"),
            FileType::CharacterDevice => self.code("cd"),
            FileType::Directory => self.of_folder(mode),
            FileType::BlockDevice => self.code("bd"),
            FileType::Symlink => self.code("ln"),
            FileType::Socket => self.code("so"),
            FileType::RegularFile => {
                self.of_permissions(mode).or_else(|| self.of_suffix(name)).or_else(|| self.code("fi"))
            }
            FileType::Unknown => self.code("no"),
        }
    }

    fn of_folder(&self, mode: Mode) -> Option<&[u8]> {
        let (sticky, open) = (mode.contains(Mode::SVTX), mode.contains(Mode::WOTH));
        let by_permissions = match (sticky, open) {
            (true, true) => self.code("tw").or_else(|| self.code("ow")),
            (true, false) => self.code("st"),
            (false, true) => self.code("ow"),
            (false, false) => None,
        };
        by_permissions.or_else(|| self.code("di"))
    }

    fn of_permissions(&self, mode: Mode) -> Option<&[u8]> {
        let executable = Mode::XUSR | Mode::XGRP | Mode::XOTH;
        let of = |bits: Mode, key: &str| if mode.intersects(bits) { self.code(key) } else { None };
        of(Mode::SUID, "su").or_else(|| of(Mode::SGID, "sg")).or_else(|| of(executable, "ex"))
    }

    fn of_suffix(&self, name: &[u8]) -> Option<&[u8]> {
        // The last byte first: there may be hundreds of suffixes, and few end as the name does.
        let last = name.last();
        let fits = |suffix: &[u8]| suffix.last().is_none_or(|b| Some(b) == last) && name.ends_with(suffix);
        self.suffixes.iter().find(|(suffix, _)| fits(suffix)).map(|(_, code)| code.as_slice())
    }
}

/// Splits as C's strtok does: several separators count as one.
fn words(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    text.split(move |byte| *byte == separator).filter(|word| !word.is_empty())
}
