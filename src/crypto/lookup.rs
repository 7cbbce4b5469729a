//! Which key a name stands for. gpg finds candidates, and matches addresses and user IDs as
//! substrings (`e1@x` finds `pe1@x`); here every candidate must really bear the name.

use crate::model::{Fingerprint, Key, KeyProblem, RecipientId, Subkey};

use super::RecipientError;

/// A name, as gpg reads it (gpg(1), "How to specify a user ID").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A fingerprint or key ID, of a primary key or a subkey.
    Hex {
        /// The digits, upper case, without `0x` and blanks.
        digits: String,
        /// Whether a final `!` asks for exactly that part of the key.
        exact: bool,
    },
    /// An e-mail address.
    Mailbox(String),
    /// `=` and a whole user ID.
    UserId(String),
    /// A part of a user ID.
    Text(String),
    /// Another of gpg's patterns: `@domain`, `*text`, `+words`, `&keygrip`.
    Pattern(String),
}

impl Name {
    /// Reads a line of a recipients file.
    pub fn parse(id: &str) -> Name {
        if let Some(name) = hex(id) {
            return name;
        }
        let inside = id.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        if let Some(address) = inside {
            return Name::Mailbox(address.to_owned());
        }
        if let Some(user_id) = id.strip_prefix('=') {
            return Name::UserId(user_id.to_owned());
        }
        if id.starts_with(['@', '*', '+', '&', '.', '/', '#']) {
            return Name::Pattern(id.to_owned());
        }
        if id.contains('@') && !id.contains([' ', '<']) {
            return Name::Mailbox(id.to_owned());
        }
        Name::Text(id.to_owned())
    }

    /// Whether it is a whole fingerprint: then it cannot be meant for a group.
    pub fn is_fingerprint(&self) -> bool {
        matches!(self, Name::Hex { digits, .. } if matches!(digits.len(), 40 | 64))
    }

    /// Returns what to ask gpg for.
    pub fn query(&self) -> String {
        match self {
            Name::Hex { digits, .. } => format!("0x{digits}"),
            Name::Mailbox(address) => format!("<{address}>"),
            Name::UserId(user_id) => format!("={user_id}"),
            Name::Text(text) | Name::Pattern(text) => text.clone(),
        }
    }

    /// Returns those of `keys` that bear the name. Where some bear it whole, a part does not count.
    fn bearers(&self, mut keys: Vec<Key>) -> Vec<Key> {
        keys.retain(|key| match self {
            Name::Hex { digits, .. } => key.subkeys.iter().any(|part| is_named(part, digits)),
            Name::Mailbox(address) => key.mailboxes.iter().any(|m| m.eq_ignore_ascii_case(address)),
            Name::UserId(user_id) => key.user_ids.contains(user_id),
            Name::Text(text) => key.user_ids.iter().any(|id| contains_ignoring_case(id, text)),
            Name::Pattern(_) => true,
        });
        if let Name::Text(text) = self
            && keys.iter().any(|key| key.user_ids.contains(text))
        {
            keys.retain(|key| key.user_ids.contains(text));
        }
        // Two keyring files may hold the same key.
        keys.sort_by(|a, b| a.fingerprint.as_str().cmp(b.fingerprint.as_str()));
        keys.dedup_by(|a, b| a.fingerprint == b.fingerprint);
        keys
    }
}

/// Reads a fingerprint or key ID in the forms that gpg takes: 8, 16, 40 or 64 digits, perhaps `0x`
/// before, blanks between and `!` behind.
fn hex(id: &str) -> Option<Name> {
    let (text, exact) = id.strip_suffix('!').map_or((id, false), |text| (text, true));
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits: String = text.chars().filter(|c| *c != ' ').collect();
    let right = digits.bytes().all(|b| b.is_ascii_hexdigit()) && matches!(digits.len(), 8 | 16 | 40 | 64);
    // Only fingerprints are written with blanks.
    let right = right && (digits.len() == text.len() || digits.len() >= 40);
    right.then(|| Name::Hex { digits: digits.to_ascii_uppercase(), exact })
}

/// Whether `digits` is the fingerprint, long or short key ID of `part`.
fn is_named(part: &Subkey, digits: &str) -> bool {
    let fingerprint = part.fingerprint.as_str();
    match digits.len() {
        16 => part.fingerprint.key_id().to_string() == digits,
        8 if fingerprint.len() == 40 => fingerprint.ends_with(digits),
        8 => fingerprint.starts_with(digits),
        _ => fingerprint == digits,
    }
}

/// Whether `text` holds `part`, as gpg compares: without regard to ASCII case.
fn contains_ignoring_case(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

/// Returns those of `keys` that bear a name.
pub fn bearers(name: &Name, keys: Vec<Key>) -> Vec<Key> {
    name.bearers(keys)
}

/// Whether `id` may stand for `key`, if the keyring held it.
pub fn may_name(id: &str, key: &Key) -> bool {
    !Name::parse(id).bearers(vec![key.clone()]).is_empty()
}

/// Whether `id` can only name a key by its fingerprint, key ID or address: no group, nor a pattern.
pub fn names_one(id: &str) -> bool {
    matches!(Name::parse(id), Name::Hex { .. } | Name::Mailbox(_))
}

/// Returns the one usable key among gpg's candidates `keys` that bears the name `id`. An expired or
/// revoked key beside a usable one is no ambiguity.
pub fn choose(id: &str, name: &Name, keys: Vec<Key>) -> Result<RecipientId, RecipientError> {
    let bearers = name.bearers(keys);
    let mut choices: Vec<Choice> = bearers.iter().flat_map(|key| choices_of(key, name)).collect();
    let (usable, unusable): (Vec<_>, Vec<_>) = choices.drain(..).partition(|c| c.problem.is_none());
    let mut named: Vec<Fingerprint> = usable.iter().map(|c| c.names()).collect();
    match (usable.as_slice(), unusable.iter().max_by_key(|choice| choice.created)) {
        ([only], _) => Ok(only.recipient.clone()),
        ([], Some(newest)) => Err(RecipientError::Unusable {
            id: id.to_owned(),
            fingerprint: newest.names(),
            problem: newest.problem.clone().unwrap_or(KeyProblem::CannotEncrypt),
        }),
        ([], None) => Err(RecipientError::Missing { id: id.to_owned() }),
        _ => {
            named.sort();
            Err(RecipientError::Ambiguous { id: id.to_owned(), keys: named })
        }
    }
}

/// One way to understand a name.
struct Choice {
    recipient: RecipientId,
    problem: Option<KeyProblem>,
    created: i64,
}

impl Choice {
    /// Returns the fingerprint to show: the part's that was asked for, else the key's.
    fn names(&self) -> Fingerprint {
        self.recipient.subkey.as_ref().unwrap_or(&self.recipient.fingerprint).clone()
    }
}

/// Returns `key`, or those parts of it that a name with `!` asks for.
fn choices_of(key: &Key, name: &Name) -> Vec<Choice> {
    let Name::Hex { digits, exact: true } = name else {
        let parts = key.subkeys.iter().filter(|part| part.can_encrypt);
        let recipient = RecipientId {
            fingerprint: key.fingerprint.clone(),
            subkey: None,
            encryption_keys: parts.map(|part| part.fingerprint.key_id()).collect(),
        };
        let created = key.subkeys.first().map_or(0, |part| part.created);
        return vec![Choice { recipient, problem: key.problem.clone(), created }];
    };
    let parts = key.subkeys.iter().filter(|part| is_named(part, digits));
    let choice = |part: &Subkey| Choice {
        recipient: RecipientId {
            fingerprint: key.fingerprint.clone(),
            subkey: Some(part.fingerprint.clone()),
            encryption_keys: vec![part.fingerprint.key_id()],
        },
        problem: (!part.can_encrypt).then(|| key.problem.clone().unwrap_or(KeyProblem::CannotEncrypt)),
        created: part.created,
    };
    parts.map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: char, user_id: &str) -> Key {
        let part = |digit: char, can_encrypt| Subkey {
            fingerprint: Fingerprint::parse(&format!("{}{digit}", seed.to_string().repeat(39))).unwrap(),
            can_encrypt,
            created: 1,
            expires: None,
            algorithm: crate::model::Algorithm { number: 18, bits: 255 },
        };
        Key {
            fingerprint: part('0', false).fingerprint,
            user_ids: vec![user_id.to_owned()],
            mailboxes: super::super::colons::mailbox(user_id).into_iter().collect(),
            subkeys: vec![part('0', false), part('1', true), part('2', true)],
            problem: None,
            expires: None,
            validity: crate::model::Validity::Unknown,
            secret: false,
        }
    }

    fn chosen(id: &str, keys: &[Key]) -> Result<RecipientId, RecipientError> {
        choose(id, &Name::parse(id), keys.to_vec())
    }

    #[test]
    fn reads_names_as_gpg_does() {
        let digits = |id| match Name::parse(id) {
            Name::Hex { digits, exact } => Some((digits, exact)),
            _ => None,
        };
        assert_eq!(digits("0xdeadBEEF!"), Some(("DEADBEEF".into(), true)));
        assert_eq!(digits("E9F6 C0FD 638B 34B6 35A9  4FAF 712A 8FE7 8EC2 1FAC").unwrap().0.len(), 40);
        for not_hex in ["dead beef", "deadbee", "deadbeef0", "bob!", "0x", "!"] {
            assert_eq!(digits(not_hex), None, "{not_hex}");
        }
        assert_eq!(Name::parse("a@x"), Name::parse("<a@x>"));
        assert_eq!(Name::parse("=A <a@x>"), Name::UserId("A <a@x>".into()));
        assert_eq!(Name::parse("A <a@x>"), Name::Text("A <a@x>".into()));
        assert_eq!(Name::parse("@x.org"), Name::Pattern("@x.org".into()));
    }

    #[test]
    fn takes_no_substring_of_an_address() {
        let keys = [key('A', "PE <pe1@x>"), key('B', "E <E1@x>")];
        assert_eq!(chosen("e1@x", &keys).unwrap().fingerprint, keys[1].fingerprint);
        assert!(matches!(chosen("1@x", &keys), Err(RecipientError::Missing { .. })));
    }

    #[test]
    fn prefers_the_whole_user_id_to_a_part_of_one() {
        let mut keys = [key('A', "Bob"), key('B', "Bob Jones")];
        assert_eq!(chosen("Bob", &keys).unwrap().fingerprint, keys[0].fingerprint);
        assert!(
            matches!(chosen("bo", &keys), Err(RecipientError::Ambiguous { keys, .. }) if keys.len() == 2)
        );
        keys[0].problem = Some(KeyProblem::Revoked);
        assert!(matches!(chosen("Bob", &keys), Err(RecipientError::Unusable { .. })));
    }

    #[test]
    fn passes_over_unusable_keys_beside_a_usable_one() {
        let mut keys = [key('A', "A <a@x>"), key('B', "A <a@x>")];
        assert!(matches!(chosen("a@x", &keys), Err(RecipientError::Ambiguous { .. })));
        keys[0].problem = Some(KeyProblem::Expired(Some(0)));
        assert_eq!(chosen("a@x", &keys).unwrap().fingerprint, keys[1].fingerprint);
        keys[1].problem = Some(KeyProblem::Revoked);
        keys[1].subkeys[0].created = 5;
        let error = chosen("a@x", &keys).unwrap_err().to_string();
        assert!(error.contains(keys[1].fingerprint.as_str()) && error.contains("revoked"), "{error}");
    }

    #[test]
    fn takes_exactly_the_subkey_asked_for() {
        let keys = [key('A', "A <a@x>")];
        let all = chosen(keys[0].subkeys[2].fingerprint.as_str(), &keys).unwrap();
        assert_eq!((all.subkey, all.encryption_keys.len()), (None, 2));
        let one = chosen("AAAAAAA2!", &keys).unwrap();
        assert_eq!(one.subkey, Some(keys[0].subkeys[2].fingerprint.clone()));
        assert_eq!(one.encryption_keys, [keys[0].subkeys[2].fingerprint.key_id()]);
        // The primary key does not encrypt.
        assert!(matches!(chosen("AAAAAAA0!", &keys), Err(RecipientError::Unusable { .. })));
    }
}
