//! gpg's listings for programs (`--with-colons`; GnuPG's doc/DETAILS).

use crate::model::{Algorithm, Fingerprint, Key, KeyProblem, Subkey, Validity};

/// A group of gpg.conf: its name, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name, compared without regard to case, as gpg does.
    pub name: String,
    /// User IDs, key IDs, addresses: anything but another group.
    pub members: Vec<String>,
}

/// Returns the groups in the output of `--list-config group`.
pub fn groups(listing: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for line in listing.lines().filter_map(|line| line.strip_prefix("cfg:group:")) {
        let Some((name, members)) = line.split_once(':') else { continue };
        let members = members.split(';').filter(|m| !m.is_empty()).map(str::to_owned).collect();
        groups.push(Group { name: name.to_owned(), members });
    }
    groups
}

/// Returns the keys in the output of `--list-keys`, `--list-secret-keys` or `--show-keys`.
pub fn keys(listing: &str) -> Vec<Key> {
    let mut drafts: Vec<Draft> = Vec::new();
    for line in listing.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let field = |number: usize| fields.get(number - 1).copied().unwrap_or("");
        match field(1) {
            kind @ ("pub" | "sec") => drafts.push(Draft::new(Part::new(&field), kind == "sec")),
            "sub" | "ssb" => with_last(&mut drafts, |draft| draft.parts.push(Part::new(&field))),
            "uid" => with_last(&mut drafts, |draft| {
                draft.user_ids.push((letter(field(2)), unescape(field(10))));
            }),
            "fpr" => with_last(&mut drafts, |draft| {
                let part = draft.parts.last_mut().expect("a draft begins with its primary key");
                part.fingerprint = part.fingerprint.take().or_else(|| Fingerprint::parse(field(10)));
            }),
            _ => {}
        }
    }
    drafts.into_iter().filter_map(Draft::finish).collect()
}

/// Returns, from the output of `--list-sigs`, the keys that certify their own user IDs with MD5, SHA-1 or
/// RIPEMD-160 only (field 16; RFC 9580, section 9.5).
pub fn old_digests(listing: &str) -> Vec<Fingerprint> {
    let mut keys: Vec<(Fingerprint, Vec<u8>)> = Vec::new();
    let mut primary = false;
    for line in listing.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let field = |number: usize| fields.get(number - 1).copied().unwrap_or("");
        match field(1) {
            "pub" => primary = true,
            "fpr" if primary => {
                keys.extend(Fingerprint::parse(field(10)).map(|key| (key, Vec::new())));
                primary = false;
            }
            // 10 to 13: certifications, 1f: a signature of the key itself; all others say other things.
            "sig" if matches!(field(11).get(..2), Some("10" | "11" | "12" | "13" | "1f")) => {
                if let Some((key, digests)) = keys.last_mut()
                    && key.key_id().to_string() == field(5)
                {
                    digests.extend(field(16).parse::<u8>());
                }
            }
            _ => {}
        }
    }
    let old = |digests: &[u8]| !digests.is_empty() && digests.iter().all(|digest| matches!(digest, 1..=3));
    keys.into_iter().filter(|(_, digests)| old(digests)).map(|(key, _)| key).collect()
}

/// A part of a key whose secret is at hand, on a card perhaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPart {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// What the agent knows it by.
    pub keygrip: String,
    /// Whether a smartcard has it.
    pub on_card: bool,
}

/// Returns the parts in the output of `--list-secret-keys --with-keygrip` that are not merely said to exist
/// elsewhere (field 15: `#`).
pub fn secret_parts(listing: &str) -> Vec<SecretPart> {
    let (mut parts, mut fingerprint, mut place) = (Vec::new(), None, "#");
    for line in listing.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let field = |number: usize| fields.get(number - 1).copied().unwrap_or("");
        match field(1) {
            "sec" | "ssb" => (fingerprint, place) = (None, field(15)),
            "fpr" => fingerprint = Fingerprint::parse(field(10)),
            "grp" => {
                let digits = field(10);
                let right = digits.len() == 40 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                if let Some(fingerprint) = fingerprint.take().filter(|_| place != "#" && right) {
                    // Otherwise the serial number of a card stands there.
                    let on_card = !matches!(place, "" | "+");
                    parts.push(SecretPart { fingerprint, keygrip: digits.to_owned(), on_card });
                }
            }
            _ => {}
        }
    }
    parts
}

/// A key while its lines are read.
struct Draft {
    parts: Vec<Part>,
    user_ids: Vec<(char, String)>,
    secret: bool,
}

/// A primary key or subkey while its lines are read.
struct Part {
    fingerprint: Option<Fingerprint>,
    validity: char,
    created: i64,
    expires: Option<i64>,
    capabilities: String,
    algorithm: Algorithm,
}

impl Part {
    fn new<'a>(field: &impl Fn(usize) -> &'a str) -> Self {
        Part {
            fingerprint: None,
            validity: letter(field(2)),
            created: field(6).parse().unwrap_or(0),
            expires: field(7).parse().ok(),
            capabilities: field(12).to_owned(),
            algorithm: Algorithm {
                number: field(4).parse().unwrap_or(0),
                bits: field(3).parse().unwrap_or(0),
            },
        }
    }

    /// Whether it is made for encryption; capital letters speak of the whole key.
    fn encrypts(&self) -> bool {
        self.capabilities.contains('e')
    }

    fn is_usable(&self) -> bool {
        !matches!(self.validity, 'r' | 'e' | 'i' | 'd')
    }
}

impl Draft {
    fn new(primary: Part, secret: bool) -> Self {
        Draft { parts: vec![primary], user_ids: Vec::new(), secret }
    }

    /// Returns the key; none without a primary fingerprint.
    fn finish(self) -> Option<Key> {
        let problem = self.problem();
        let primary = self.parts.first()?;
        let (fingerprint, letter) = (primary.fingerprint.clone()?, primary.validity);
        // Of an expired or revoked key gpg calls every user ID so, too; they still name it.
        let stands = |v: char| v == letter || !matches!(v, 'r' | 'e' | 'i');
        let validity = self.user_ids.iter().map(|(v, _)| validity(*v)).max().unwrap_or(validity(letter));
        let user_ids: Vec<String> =
            self.user_ids.into_iter().filter(|(v, _)| stands(*v)).map(|(_, id)| id).collect();
        let mailboxes = user_ids.iter().filter_map(|id| mailbox(id)).collect();
        let (expires, secret) = (primary.expires, self.secret);
        let whole = matches!(problem, None | Some(KeyProblem::CannotEncrypt));
        let subkeys = self.parts.iter().filter_map(|part| {
            let can_encrypt = whole && part.encrypts() && part.is_usable();
            Some(Subkey {
                fingerprint: part.fingerprint.clone()?,
                can_encrypt,
                created: part.created,
                expires: part.expires,
                algorithm: part.algorithm,
            })
        });
        let subkeys = subkeys.collect();
        Some(Key { fingerprint, user_ids, mailboxes, subkeys, problem, expires, validity, secret })
    }

    /// Returns why the key cannot be encrypted to, if so.
    fn problem(&self) -> Option<KeyProblem> {
        let primary = self.parts.first()?;
        match primary.validity {
            'r' => return Some(KeyProblem::Revoked),
            'e' => return Some(KeyProblem::Expired(primary.expires)),
            _ if primary.capabilities.contains('D') => return Some(KeyProblem::Disabled),
            'd' => return Some(KeyProblem::Disabled),
            'i' => return Some(KeyProblem::Invalid),
            _ => {}
        }
        let encrypting = || self.parts.iter().filter(|part| part.encrypts());
        if encrypting().any(Part::is_usable) {
            return None;
        }
        // Where the encryption subkeys have merely expired, the last day is worth more than "cannot".
        let expired = encrypting().filter(|part| part.validity == 'e').map(|part| part.expires).max();
        Some(expired.map_or(KeyProblem::CannotEncrypt, KeyProblem::Expired))
    }
}

/// Reads a validity field's letter.
fn validity(letter: char) -> Validity {
    match letter {
        'm' => Validity::Marginal,
        'f' => Validity::Full,
        'u' => Validity::Ultimate,
        _ => Validity::Unknown,
    }
}

/// Changes the last draft, if there is one.
fn with_last(drafts: &mut [Draft], change: impl FnOnce(&mut Draft)) {
    if let Some(draft) = drafts.last_mut() {
        change(draft);
    }
}

/// Returns a validity field's letter, `-` if it is empty.
fn letter(field: &str) -> char {
    field.chars().next().unwrap_or('-')
}

/// Returns the mailbox of a user ID: what stands in its last angle brackets, or all of a bare address.
pub fn mailbox(user_id: &str) -> Option<String> {
    let inside = user_id.rsplit_once('<').and_then(|(_, tail)| tail.strip_suffix('>'));
    let address = inside.or_else(|| (!user_id.contains(['<', ' '])).then_some(user_id))?;
    address.contains('@').then(|| address.to_owned())
}

/// Undoes the C-style escapes (`\x3a`) of user IDs.
fn unescape(field: &str) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'\\', b'x', high, low, tail @ ..] => hex_octet(*high, *low).map(|octet| (octet, tail)),
            _ => None,
        };
        let (octet, tail) = escaped.unwrap_or((*first, tail));
        bytes.push(octet);
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the octet that two hexadecimal digits write.
fn hex_octet(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIMARY: &str = "fpr:::::::::E9F6C0FD638B34B635A94FAF712A8FE78EC21FAC:\n";
    const SUB: &str = "fpr:::::::::E7182B1FB79DE386FE96734C13F81E9F686FD3D6:\n";

    fn key(primary: &str, uid: &str, sub: &str) -> Key {
        let text = format!("tru::1:1:0:3:1:5\npub:{primary}\n{PRIMARY}uid:{uid}\nsub:{sub}\n{SUB}");
        let mut keys = keys(&text);
        assert_eq!(keys.len(), 1);
        keys.remove(0)
    }

    #[test]
    fn reads_a_key() {
        let key = key(
            "u:255:22:712A8FE78EC21FAC:1795299021:::u:::scESC:::::ed25519:::0:",
            "u::::1795299021::54::A \\x3a B <a@x>::::::::::0:",
            "u:255:18:13F81E9F686FD3D6:1795299021::::::e:::::cv25519::",
        );
        assert_eq!(key.user_ids, ["A : B <a@x>"]);
        assert_eq!(key.mailboxes, ["a@x"]);
        assert_eq!(key.problem, None);
        assert_eq!(key.subkeys.iter().map(|s| s.can_encrypt).collect::<Vec<_>>(), [false, true]);
        assert_eq!(key.subkeys[1].fingerprint.as_str(), "E7182B1FB79DE386FE96734C13F81E9F686FD3D6");
    }

    #[test]
    fn tells_problems() {
        let uid = "-::::1::54::A <a@x>:";
        let good = "-:255:18:13F81E9F686FD3D6:1::::::e:";
        let cases = [
            ("r:255:22:7:1:::u:::sc:", good, KeyProblem::Revoked),
            ("e:255:22:7:1:86400::u:::sc:", good, KeyProblem::Expired(Some(86400))),
            ("-:255:22:7:1:::u:::scESCD:", good, KeyProblem::Disabled),
            ("i:255:22:7:1:::u:::sc:", good, KeyProblem::Invalid),
            ("-:255:22:7:1:::u:::sc:", "r:255:18:1:1::::::e:", KeyProblem::CannotEncrypt),
            ("-:255:22:7:1:::u:::sc:", "-:255:18:1:1::::::s:", KeyProblem::CannotEncrypt),
            ("-:255:22:7:1:::u:::sc:", "e:255:18:1:1:99:::::e:", KeyProblem::Expired(Some(99))),
        ];
        for (primary, sub, problem) in cases {
            let key = key(primary, uid, sub);
            assert_eq!(key.problem, Some(problem), "{primary}");
            assert!(key.subkeys.iter().all(|s| !s.can_encrypt), "{primary}");
        }
    }

    #[test]
    fn leaves_out_revoked_user_ids() {
        let text =
            format!("pub:u:1:22:7:1:::u:::scE:\n{PRIMARY}uid:r::::1::5::A <old@x>:\nuid:u::::1::5::b@x:\n");
        assert_eq!(keys(&text)[0].mailboxes, ["b@x"]);
    }

    #[test]
    fn tells_old_digests_of_the_owners_own_certifications() {
        let sig = |id: &str, class: &str, digest: u8| {
            format!("sig:::22:{id}:1::::A:{class}::E9F6C0FD638B34B635A94FAF712A8FE78EC21FAC:::{digest}:\n")
        };
        let (own, other) = ("712A8FE78EC21FAC", "1111111111111111");
        let old = |sigs: &[String]| old_digests(&format!("pub:u:\n{PRIMARY}uid:u:\n{}", sigs.concat())).len();
        assert_eq!(old(&[sig(own, "13x", 2), sig(other, "10x", 8), sig(own, "18x", 8)]), 1);
        assert_eq!(old(&[sig(own, "13x", 2), sig(own, "13x", 8)]), 0);
        assert_eq!(old(&[sig(own, "13x", 10), sig(other, "13x", 2)]), 0);
        assert_eq!(old(&[]), 0);
    }

    #[test]
    fn reads_keygrips_of_what_is_present() {
        let part = |kind: &str, fingerprint: &str, present: &str, grip: char| {
            let grip = grip.to_string().repeat(40);
            format!("{kind}:u:255:18:1:1::::::e:::{present}:::\n{fingerprint}grp:::::::::{grip}:\n")
        };
        for (place, on_card) in [("+", false), ("", false), ("D2760001240102010006012345670000", true)] {
            let listing = [part("sec", PRIMARY, "#", 'A'), part("ssb", SUB, place, 'B')].concat();
            let found = secret_parts(&listing);
            let fingerprint = Fingerprint::parse(&SUB[12..52]).unwrap();
            assert_eq!(found, [SecretPart { fingerprint, keygrip: "B".repeat(40), on_card }]);
        }
        assert_eq!(secret_parts("grp:::::::::AB:\n"), []);
    }

    #[test]
    fn reads_groups() {
        let found = groups("cfg:group:team2:o@x;team\ncfg:group:none:\ncfg:other:x\n");
        assert_eq!(found[0], Group { name: "team2".into(), members: vec!["o@x".into(), "team".into()] });
        assert_eq!(found[1].members, Vec::<String>::new());
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "((pub|sub|uid|fpr|cfg:group):[a-z0-9:\\\\x;]{0,60}\n){0,6}") {
            let _ = (keys(&text), groups(&text), secret_parts(&text));
        }
    }
}
