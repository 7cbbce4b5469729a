//! The world that is generated, and what is true of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use pgp::composed::{Deserializable as _, MessageBuilder, SignedPublicKey};
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use rand_core::{OsRng, RngCore as _};

use crate::cli::sync::random::Random;

/// How much there is.
#[derive(Clone, Copy)]
pub struct Size {
    pub people: usize,
    pub clients: usize,
    pub entries: usize,
    pub commits: usize,
    pub seed: u64,
}

/// An entry, whatever it is called.
struct Entry {
    /// Where it is; none once it is gone.
    path: Option<(usize, String)>,
    /// Who logs in: what a copy keeps.
    login: usize,
    password: usize,
    note: usize,
    /// Whom its present message is for.
    readers: BTreeSet<usize>,
    /// Its present blob, as a mark of the stream.
    mark: usize,
    /// All that was ever encrypted: the password, for whom, from when, until when.
    versions: Vec<(usize, BTreeSet<usize>, i64, i64)>,
}

/// Who reads and is named for how many entries, by folder and address.
type Matrix = BTreeMap<(String, String), (u64, u64)>;

/// What an answer must be.
pub struct Expected {
    pub valid: BTreeSet<String>,
    pub changed: BTreeSet<String>,
    /// The numbers in their names.
    pub gone: BTreeSet<usize>,
}

pub struct World {
    pub size: Size,
    /// How many commits back, when it was, and what was true then.
    pub moments: Vec<(usize, i64, Matrix)>,
    random: Random,
    /// Key IDs and fingerprints; the administrator is number 0.
    keys: Vec<(u64, String)>,
    admin: Option<SignedPublicKey>,
    entries: Vec<Entry>,
    /// Whom the clients' lists name.
    lists: Vec<BTreeSet<usize>>,
    passwords: usize,
    marks: usize,
    now: i64,
    stream: Vec<u8>,
    /// The paths that the next commit changes.
    changes: Vec<String>,
    done: usize,
}

const HOUR: i64 = 3600;
const BEGINNING: i64 = 1_600_000_000;

impl World {
    pub fn new(size: Size) -> Self {
        World {
            size,
            moments: Vec::new(),
            random: Random(size.seed),
            keys: Vec::new(),
            admin: None,
            entries: Vec::new(),
            lists: Vec::new(),
            passwords: 0,
            marks: 0,
            now: BEGINNING,
            stream: Vec::new(),
            changes: Vec::new(),
            done: 0,
        }
    }

    /// Reads gpg's listing of all keys.
    pub fn read_keys(&mut self, listing: &str) {
        let address = |person: usize| match person {
            0 => "alice@example.org".to_owned(),
            person => format!("p{person}@example.org"),
        };
        for person in 0..=self.size.people {
            let own = format!("{}:", address(person));
            let key = listing
                .split("\npub:")
                .find(|key| key.contains(&own) || key.contains(&format!("<{}>", address(person))));
            let key = key.unwrap_or_else(|| panic!("{own} has a key"));
            let line = |kind: &str| key.lines().find(|line| line.starts_with(kind)).expect("a line");
            let field = |line: &str, number: usize| line.split(':').nth(number).expect("a field").to_owned();
            let id = u64::from_str_radix(&field(line("sub:"), 4), 16).expect("an ID");
            self.keys.push((id, field(line("fpr:"), 9)));
        }
    }

    /// Takes the administrator's public key.
    pub fn admin(&mut self, key: &[u8]) {
        self.admin = Some(SignedPublicKey::from_bytes(key).expect("gpg exported it"));
    }

    pub fn told(&self) -> String {
        let versions: usize = self.entries.iter().map(|entry| entry.versions.len()).sum();
        let stands = self.entries.iter().filter(|entry| entry.path.is_some()).count();
        format!("{} commits, {stands} entries, {versions} versions", self.done)
    }

    pub fn some_second(&mut self) -> i64 {
        let span = usize::try_from(self.now - BEGINNING).expect("time goes on");
        BEGINNING + i64::try_from(self.random.below(span)).expect("it is small")
    }

    /// Lives through all commits, and returns them as a stream for git fast-import.
    pub fn live(&mut self) -> Vec<u8> {
        self.file(".gpg-id", &format!("{}\n", self.keys[0].1));
        for client in 0..self.size.clients {
            let mut list: BTreeSet<usize> = [0].into();
            for _ in 0..1 + self.random.below(3) {
                list.insert(1 + self.random.below(self.size.people));
            }
            self.lists.push(list);
            self.list(client);
        }
        self.commit("Begin.");
        let first = self.size.entries / self.size.clients;
        for client in 0..self.size.clients {
            for _ in 0..first {
                self.insert(client);
            }
            self.commit("Add entries.");
        }
        while self.done < self.size.commits {
            self.step();
        }
        for (commit, _, _) in &mut self.moments {
            *commit = self.done - 1 - *commit;
        }
        std::mem::take(&mut self.stream)
    }

    fn step(&mut self) {
        let client = self.random.below(self.size.clients);
        let one = self.random.below(self.entries.len());
        let stands = self.entries[one].path.is_some();
        match self.random.below(100) {
            0..=2 => self.change_list(client),
            3..=20 => {
                self.insert(client);
                self.commit("Add.");
            }
            21..=50 if stands => {
                self.entries[one].password = self.password();
                self.write(one);
                self.commit("Change the password.");
            }
            51..=65 if stands => {
                self.entries[one].note += 1;
                self.write(one);
                self.commit("Edit.");
            }
            66..=78 if stands => self.relocate(one, client),
            79..=88 if stands => self.copy(one, client),
            89..=99 if stands => {
                self.remove(one);
                self.commit("Remove.");
            }
            _ => {}
        }
    }

    /// Somebody joins or leaves a client: all is encrypted anew, but rarely somebody forgets to.
    fn change_list(&mut self, client: usize) {
        let person = 1 + self.random.below(self.size.people);
        let list = &mut self.lists[client];
        if !list.remove(&person) {
            list.insert(person);
        }
        self.list(client);
        if self.random.below(10) > 0 {
            for entry in 0..self.entries.len() {
                if self.entries[entry].path.as_ref().is_some_and(|(of, _)| *of == client) {
                    self.write(entry);
                }
            }
        }
        self.commit("Encrypt anew.");
    }

    /// A password of its own, or rarely one that another entry has.
    fn password(&mut self) -> usize {
        if self.passwords > 20 && self.random.below(30) == 0 {
            return self.random.below(self.passwords);
        }
        self.passwords += 1;
        self.passwords - 1
    }

    fn insert(&mut self, client: usize) {
        let password = self.password();
        let name = format!("e{}", self.entries.len());
        self.entries.push(Entry {
            path: Some((client, name)),
            login: self.entries.len(),
            password,
            note: 0,
            readers: BTreeSet::new(),
            mark: 0,
            versions: Vec::new(),
        });
        self.write(self.entries.len() - 1);
    }

    /// Moves an entry, as pass does: it is encrypted anew where others are named.
    fn relocate(&mut self, one: usize, client: usize) {
        let (from, name) = self.entries[one].path.clone().expect("it stands");
        if from == client {
            return;
        }
        self.changes.push(format!("D {}\n", path(from, &name)));
        self.entries[one].path = Some((client, name));
        self.place(one);
        self.commit("Move.");
    }

    fn copy(&mut self, one: usize, client: usize) {
        let Entry { login, password, note, ref readers, mark, ref versions, .. } = self.entries[one];
        let (readers, last) = (readers.clone(), versions.last().expect("it was written").clone());
        let name = format!("e{}", self.entries.len());
        let copied =
            Entry { path: Some((client, name)), login, password, note, readers, mark, versions: vec![last] };
        self.entries.push(copied);
        let new = self.entries.len() - 1;
        if self.lists[client] == self.entries[new].readers {
            let version = self.entries[new].versions.last_mut().expect("it has one");
            (version.2, version.3) = (self.now, i64::MAX);
        } else {
            self.entries[new].versions.clear();
        }
        self.place(new);
        self.commit("Copy.");
    }

    /// Puts an entry where it is called to be.
    fn place(&mut self, one: usize) {
        let (client, name) = self.entries[one].path.clone().expect("it stands");
        match self.lists[client] == self.entries[one].readers {
            true => {
                self.changes.push(format!("M 100644 :{} {}\n", self.entries[one].mark, path(client, &name)))
            }
            false => self.write(one),
        }
    }

    fn remove(&mut self, one: usize) {
        let (client, name) = self.entries[one].path.take().expect("it stands");
        self.end(one);
        self.changes.push(format!("D {}\n", path(client, &name)));
    }

    fn end(&mut self, one: usize) {
        if let Some(version) = self.entries[one].versions.last_mut() {
            version.3 = self.now;
        }
    }

    /// Encrypts an entry to its client's list.
    fn write(&mut self, one: usize) {
        let (client, name) = self.entries[one].path.clone().expect("it stands");
        let readers = self.lists[client].clone();
        let entry = &self.entries[one];
        let text = format!("password-{}\nlogin: e{}\nnote: {}\n", entry.password, entry.login, entry.note);
        let message = self.encrypt(&text, &readers);
        let mark = self.blob(&message);
        self.end(one);
        let now = self.now;
        let entry = &mut self.entries[one];
        entry.versions.push((entry.password, readers.clone(), now, i64::MAX));
        (entry.readers, entry.mark) = (readers, mark);
        self.changes.push(format!("M 100644 :{mark} {}\n", path(client, &name)));
    }

    /// Encrypts for the administrator in earnest; for the others there are packets that only look so.
    fn encrypt(&mut self, text: &str, readers: &BTreeSet<usize>) -> Vec<u8> {
        let mut message = Vec::new();
        for person in readers.iter().filter(|person| **person > 0) {
            let mut packet = vec![0xC1, 94, 3];
            packet.extend(self.keys[*person].0.to_be_bytes());
            // ECDH: an MPI of 263 bits, then 48 bytes that would hold the session key (RFC 9580, section 5.1.5).
            packet.extend([18, 1, 7, 0x40]);
            let mut rest = [0; 81];
            OsRng.fill_bytes(&mut rest);
            rest[32] = 48;
            packet.extend(rest);
            message.extend(packet);
        }
        let key = self.admin.as_ref().expect("it was read");
        let mut builder = MessageBuilder::from_bytes("", text.as_bytes().to_vec())
            .seipd_v1(OsRng, SymmetricKeyAlgorithm::AES256);
        builder.encrypt_to_key(OsRng, &key.public_subkeys[0]).expect("the key encrypts");
        message.extend(builder.to_vec(OsRng).expect("it is small"));
        message
    }

    fn list(&mut self, client: usize) {
        let lines: String =
            self.lists[client].iter().map(|person| format!("{}\n", self.keys[*person].1)).collect();
        self.file(&format!("c{client}/.gpg-id"), &lines);
    }

    fn file(&mut self, path: &str, text: &str) {
        let mark = self.blob(text.as_bytes());
        self.changes.push(format!("M 100644 :{mark} {path}\n"));
    }

    fn blob(&mut self, bytes: &[u8]) -> usize {
        self.marks += 1;
        self.stream.extend(format!("blob\nmark :{}\ndata {}\n", self.marks, bytes.len()).bytes());
        self.stream.extend(bytes);
        self.stream.push(b'\n');
        self.marks
    }

    fn commit(&mut self, subject: &str) {
        let mut text = format!(
            "commit refs/heads/master\ncommitter Admin <admin@example.org> {} +0000\ndata {}\n{subject}\n",
            self.now,
            subject.len()
        );
        for change in self.changes.drain(..) {
            let _ = write!(text, "{change}");
        }
        self.stream.extend(text.bytes());
        self.stream.push(b'\n');
        let every = (self.size.commits / 100).max(1);
        if self.done % every == every / 2 {
            let matrix = self.matrix();
            self.moments.push((self.done, self.now + HOUR / 2, matrix));
        }
        self.done += 1;
        self.now += HOUR;
    }

    fn matrix(&self) -> Matrix {
        let mut found = Matrix::new();
        let address = |person: usize| match person {
            0 => "alice@example.org".to_owned(),
            person => format!("p{person}@example.org"),
        };
        for entry in &self.entries {
            let Some((client, _)) = &entry.path else { continue };
            let folder = format!("c{client}");
            for person in &entry.readers {
                found.entry((folder.clone(), address(*person))).or_default().0 += 1;
            }
            for person in &self.lists[*client] {
                found.entry((folder.clone(), address(*person))).or_default().1 += 1;
            }
        }
        found
    }

    /// Returns what `person` has seen that stood at the second `since` or later, and what has become of it.
    pub fn expected(&self, person: usize, since: Option<i64>) -> Expected {
        let seen = |entry: &Entry| -> BTreeSet<usize> {
            let versions = entry.versions.iter().filter(|(_, readers, _, until)| {
                readers.contains(&person) && since.is_none_or(|since| *until > since)
            });
            versions.map(|(password, ..)| *password).collect()
        };
        let known: BTreeSet<usize> = self.entries.iter().flat_map(seen).collect();
        let mut expected =
            Expected { valid: BTreeSet::new(), changed: BTreeSet::new(), gone: BTreeSet::new() };
        for (number, entry) in self.entries.iter().enumerate() {
            let was_seen = !seen(entry).is_empty();
            match &entry.path {
                None => expected.gone.extend(was_seen.then_some(number)),
                Some((client, name)) => {
                    let name = format!("c{client}/{name}");
                    if known.contains(&entry.password) {
                        expected.valid.insert(name);
                    } else if was_seen {
                        expected.changed.insert(name);
                    }
                }
            }
        }
        expected
    }
}

fn path(client: usize, name: &str) -> String {
    format!("c{client}/{name}.gpg")
}

/// Returns a second as people write it (RFC 3339).
pub fn moment(second: i64) -> String {
    let day = passel::model::key::day(second);
    let rest = second.rem_euclid(86_400);
    format!("{day}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}
