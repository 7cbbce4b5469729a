//! What gpg and gpgconf say of the user's own keys and of GnuPG's files, noted between runs: to ask takes
//! them longer than opening a message (two or three processes against 1 ms). For speed alone: what is out of
//! date, or wrong, leads to keys that open nothing, and then gpg is asked.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::crypto::gpgconf::Directories;
use crate::files::own::{lock, read_own};
use crate::files::whole;

/// The format of the note.
const VERSION: u32 = 1;

/// A larger note is none of ours, in bytes.
const LARGEST: u64 = 4 << 20;

/// What changes in GnuPG's home folder when the answers may have changed.
const WATCHED: [&str; 6] = [
    "pubring.kbx",
    "pubring.gpg",
    "public-keys.d/pubring.db",
    "private-keys-v1.d",
    "gpg.conf",
    "common.conf",
];

/// The answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    version: u32,
    stamps: Vec<Option<Stamp>>,
    home: PathBuf,
    system: PathBuf,
    agent: PathBuf,
    /// gpg's listing of secret keys.
    pub listing: String,
    /// gpg's binary exports of their public keys, as far as the library reads them.
    pub exports: Vec<Vec<u8>>,
}

/// What tells that a file was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    inode: u64,
    size: u64,
    /// In seconds since 1970, and nanoseconds.
    changed: (i64, i64),
}

impl Note {
    /// Puts a note together; the keyring had `stamps` before it was asked.
    pub fn new(places: &Directories, stamps: Stamps, listing: String, exports: Vec<Vec<u8>>) -> Self {
        let Directories { home, system, agent } = places.clone();
        Note { version: VERSION, stamps: stamps.0, home, system, agent, listing, exports }
    }

    /// Reads a note of the GnuPG whose home folder is `home`; none if there is none, or it is out of date.
    pub fn read(path: &Path, home: &Path) -> Option<Self> {
        let note: Note = serde_json::from_slice(&read_own(path, LARGEST)?).ok()?;
        let fits = note.version == VERSION && note.home == home && note.stamps == Stamps::of(home).0;
        fits.then_some(note)
    }

    /// Writes the note; that fails where nothing can be written.
    pub fn write(&self, path: &Path) -> Option<()> {
        let _lock = lock(path.parent()?)?;
        whole::write(path, &serde_json::to_vec(self).ok()?, false).ok()
    }

    /// Returns where GnuPG's files are.
    pub fn places(&self) -> Directories {
        Directories { home: self.home.clone(), system: self.system.clone(), agent: self.agent.clone() }
    }
}

/// How the files are that keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamps(Vec<Option<Stamp>>);

impl Stamps {
    /// Looks at GnuPG's home folder.
    pub fn of(home: &Path) -> Self {
        let stamp = |name: &&str| {
            let found = fs::metadata(home.join(name)).ok()?;
            let changed = (found.mtime(), found.mtime_nsec());
            Some(Stamp { inode: found.ino(), size: found.len(), changed })
        };
        Stamps(WATCHED.iter().map(stamp).collect())
    }
}

/// Whether a note could be written.
pub fn is_possible(path: &Path) -> bool {
    path.parent().is_some_and(|folder| lock(folder).is_some_and(|_| tempfile::tempfile_in(folder).is_ok()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::crypto::native::CacheConfig;
    use crate::crypto::native::tests::{cancelling_pinentry, protected};
    use crate::crypto::tests::{Keyring, only, text};
    use crate::crypto::{Crypto as _, GnuPg, GnuPgConfig, Trust};

    fn path(ring: &Keyring) -> PathBuf {
        ring.path().join("cache/note")
    }

    /// Returns a run of the program that takes notes.
    fn run(ring: &Keyring) -> GnuPg {
        let cache = CacheConfig {
            folder: ring.path().join("cache/keys"),
            note: path(ring),
            home: ring.path().to_owned(),
            cards: false,
        };
        GnuPg::new(GnuPgConfig { cache: Some(cache), ..ring.config(&[]) })
    }

    /// Decrypts `message`, which says "x"; whether that took no gpg. Takes notes for the next run.
    #[track_caller]
    fn opens_alone(ring: &Keyring, message: &[u8]) -> bool {
        let crypto = run(ring);
        assert!(crypto.decrypt(message).unwrap().equals(&text("x")));
        crypto.prepare();
        let tally = crypto.tally();
        assert_eq!(tally.decrypted + tally.decrypted_by_gpg, 1);
        tally.decrypted == 1
    }

    #[test]
    fn one_message_takes_no_gpg_once_it_is_noted() {
        let ring = Keyring::new();
        ring.good_key("A <a@x>");
        let crypto = ring.crypto(&[]);
        let message = crypto.encrypt(&text("x"), &[only(&crypto, "a@x")], Trust::Accepted).unwrap();
        let armored = ring.gpg("--trust-model always -z 0 --armor -r a@x --encrypt", b"x");
        assert!(!opens_alone(&ring, &message));
        for message in [&message, &armored] {
            assert!(opens_alone(&ring, message));
        }
        // A keyring that has changed, notes that are none of ours, and no place for any.
        ring.good_key("B <b@x>");
        assert!(!opens_alone(&ring, &message));
        assert!(opens_alone(&ring, &message));
        let good = fs::read_to_string(path(&ring)).unwrap();
        for bad in ["", "{", &good[..good.len() - 1], &good.replace("\"version\":1", "\"version\":2")] {
            fs::write(path(&ring), bad).unwrap();
            assert!(!opens_alone(&ring, &message), "{bad}");
            assert!(opens_alone(&ring, &message));
        }
        for line in ["no-mdc-warning", "verbose"] {
            ring.configure(line);
            assert!(!opens_alone(&ring, &message), "{line}");
            assert!(!opens_alone(&ring, &message), "{line}");
        }
        ring.configure("");
        fs::remove_dir_all(ring.path().join("cache")).unwrap();
        fs::write(ring.path().join("cache"), "").unwrap();
        for _ in 0..2 {
            assert!(!opens_alone(&ring, &message));
        }
    }

    #[test]
    fn a_note_that_is_wrong_misleads_nobody() {
        let ring = Keyring::new();
        ring.good_key("A <a@x>");
        ring.good_key("B <b@x>");
        let crypto = ring.crypto(&[]);
        let message = crypto.encrypt(&text("x"), &[only(&crypto, "a@x")], Trust::Accepted).unwrap();
        opens_alone(&ring, &message);
        let note = Note::read(&path(&ring), ring.path()).unwrap();
        let grips: Vec<&str> = note
            .listing
            .lines()
            .filter_map(|line| line.strip_prefix("grp:::::::::")?.strip_suffix(':'))
            .collect();
        assert_eq!(grips.len(), 4);
        // The other key's secret, a key that is not there, another agent, no key at all.
        let listing = |from: &str, to: &str| Note { listing: note.listing.replace(from, to), ..note.clone() };
        for wrong in [
            listing(grips[1], grips[3]),
            listing(grips[1], &"0".repeat(40)),
            Note { agent: "/nonexistent/S".into(), ..note.clone() },
            Note { listing: String::new(), ..note.clone() },
            Note { exports: vec![b"none".to_vec()], ..note.clone() },
        ] {
            wrong.write(&path(&ring)).unwrap();
            assert!(!opens_alone(&ring, &message));
        }
        // An agent that is not where it was: the next run finds out.
        Note { agent: "/nonexistent/S".into(), ..note.clone() }.write(&path(&ring)).unwrap();
        assert!([(); 3].map(|()| opens_alone(&ring, &message)) == [false, false, true]);
        // Another GnuPG's.
        Note { home: "/nonexistent".into(), ..note.clone() }.write(&path(&ring)).unwrap();
        assert!([(); 2].map(|()| opens_alone(&ring, &message)) == [false, true]);
        note.write(&path(&ring)).unwrap();
        assert!(opens_alone(&ring, &message));
    }

    #[test]
    fn what_somebody_must_be_asked_or_told_is_gpgs() {
        let ring = Keyring::new();
        let soon = ring.good_key("Soon <soon@x>");
        let crypto = ring.crypto(&[]);
        let message = crypto.encrypt(&text("x"), &[only(&crypto, "soon@x")], Trust::Accepted).unwrap();
        opens_alone(&ring, &message);
        assert!(opens_alone(&ring, &message));
        ring.expire(&soon);
        opens_alone(&ring, &message);
        assert!(!opens_alone(&ring, &message), "gpg says that the key has expired");
        // Nobody is asked for a passphrase but by gpg; and nobody twice.
        let asked = cancelling_pinentry(&ring);
        let messages = protected(&ring);
        run(&ring).prepare();
        let crypto = run(&ring);
        assert!(crypto.decrypt(&messages[0]).is_err());
        assert_eq!(crypto.tally().decrypted_by_gpg, 1);
        assert_eq!(fs::read_to_string(asked).unwrap().lines().count(), 1);
        // What was changed gives nothing.
        let mut changed = message;
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert!(run(&ring).decrypt(&changed).is_err());
    }
}
