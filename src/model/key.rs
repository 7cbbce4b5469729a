//! Keys and how they are named (RFC 9580, section 5.5.4).

use std::fmt;

/// The full fingerprint of a key or subkey: 20 bytes (version 4) or 32 (versions 5 and 6).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Returns the fingerprint written as `text`: 40 or 64 hexadecimal digits, either case.
    pub fn parse(text: &str) -> Option<Self> {
        let right = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        right.then(|| Fingerprint(text.to_ascii_uppercase()))
    }

    /// Returns the fingerprint that a recipient is named by, `0x` before it and `!` behind it or not, in one
    /// piece or in groups of digits; none if the name is another one.
    pub fn of_name(name: &str) -> Option<Self> {
        let digits: String = name.chars().filter(|c| *c != ' ').collect();
        Self::parse(digits.trim_start_matches("0x").trim_end_matches('!'))
    }

    /// Returns the digits, in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key ID: the last 8 bytes (version 4), the first 8 (later versions).
    pub fn key_id(&self) -> KeyId {
        let digits = if self.0.len() == 40 { &self.0[24..] } else { &self.0[..16] };
        KeyId(u64::from_str_radix(digits, 16).expect("a fingerprint holds hexadecimal digits"))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A 64-bit key ID: for display and lookup only, never to decide who is who.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u64);

impl KeyId {
    /// The ID that stands for a hidden recipient.
    pub const HIDDEN: KeyId = KeyId(0);
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A part of a key: the primary key itself or a subkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subkey {
    /// Its own fingerprint.
    pub fingerprint: Fingerprint,
    /// Whether it may encrypt, and is neither expired, revoked, disabled nor invalid.
    pub can_encrypt: bool,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// When it expires, in seconds since 1970; none if it does not.
    pub expires: Option<i64>,
    /// Its public-key algorithm (RFC 9580, section 9.1) and size.
    pub algorithm: Algorithm,
}

/// A public-key algorithm and the size of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm {
    /// The number of RFC 9580, section 9.1.
    pub number: u8,
    /// The size in bits.
    pub bits: u32,
}

impl Algorithm {
    /// Whether it is an RSA, Elgamal or DSA key of fewer than 2,048 bits, which can be broken.
    pub fn is_weak(self) -> bool {
        matches!(self.number, 1..=3 | 16 | 17 | 20) && self.bits < 2048
    }
}

/// How far GnuPG believes that a key belongs to whom it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Validity {
    /// Nobody has said, or the user said never.
    Unknown,
    /// Somebody half trusted has certified it.
    Marginal,
    /// The user, or somebody trusted, has certified it.
    Full,
    /// It is the user's own.
    Ultimate,
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Validity::Unknown => "unknown",
            Validity::Marginal => "marginal",
            Validity::Full => "full",
            Validity::Ultimate => "ultimate",
        })
    }
}

/// Why a key cannot be encrypted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyProblem {
    /// The key expired, on this day (seconds since 1970; none where GnuPG does not say).
    Expired(Option<i64>),
    /// The key was revoked.
    Revoked,
    /// The user disabled the key.
    Disabled,
    /// GnuPG calls the key invalid.
    Invalid,
    /// No usable part of the key may encrypt.
    CannotEncrypt,
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyProblem::Expired(Some(at)) => write!(f, "expired on {}", day(*at)),
            KeyProblem::Expired(None) => f.write_str("has expired"),
            KeyProblem::Revoked => f.write_str("was revoked"),
            KeyProblem::Disabled => f.write_str("is disabled"),
            KeyProblem::Invalid => f.write_str("is invalid"),
            KeyProblem::CannotEncrypt => f.write_str("has no usable encryption subkey"),
        }
    }
}

/// Returns the UTC day of `seconds` since 1970 as `YYYY-MM-DD` (proleptic Gregorian calendar, after
/// Howard Hinnant's `civil_from_days`).
pub fn day(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Returns the second (since 1970) at which a day begins that is written `YYYY-MM-DD` (UTC); none for another text
/// or a day that no calendar has. After Howard Hinnant's `days_from_civil`.
pub fn start_of_day(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, of_month) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + of_month - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let start = (era * 146_097 + day_of_era - 719_468) * 86_400;
    (day(start) == text).then_some(start)
}

/// A public key of the keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The primary key's fingerprint: what identifies the key.
    pub fingerprint: Fingerprint,
    /// User IDs that are neither revoked nor invalid, as GnuPG prints them.
    pub user_ids: Vec<String>,
    /// E-mail addresses of those user IDs.
    pub mailboxes: Vec<String>,
    /// The primary key first, then the subkeys.
    pub subkeys: Vec<Subkey>,
    /// Why it cannot be encrypted to, if so.
    pub problem: Option<KeyProblem>,
    /// When the primary key expires, in seconds since 1970; none if it does not.
    pub expires: Option<i64>,
    /// How far GnuPG believes its user IDs.
    pub validity: Validity,
    /// Whether the listing holds its secret part.
    pub secret: bool,
}

impl Key {
    /// Returns what a person knows the key by: its first user ID, or the fingerprint where it has none.
    pub fn name(&self) -> &str {
        self.user_ids.first().map_or(self.fingerprint.as_str(), String::as_str)
    }

    /// Returns the key as a recipient, or why it cannot be one.
    pub fn recipient(&self) -> Result<RecipientId, KeyProblem> {
        match &self.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(RecipientId {
                fingerprint: self.fingerprint.clone(),
                subkey: None,
                encryption_keys: self
                    .subkeys
                    .iter()
                    .filter(|part| part.can_encrypt)
                    .map(|part| part.fingerprint.key_id())
                    .collect(),
            }),
        }
    }

    /// Returns the parts that gpg would encrypt to now: the newest usable subkey, or without any the primary
    /// key; several where they were made in the same second, of which gpg takes the first.
    pub fn newest_encryption_parts(&self) -> Vec<&Subkey> {
        let (primary, subkeys) = self.subkeys.split_at(self.subkeys.len().min(1));
        for parts in [subkeys, primary] {
            let usable = || parts.iter().filter(|part| part.can_encrypt);
            if let Some(last) = usable().map(|part| part.created).max() {
                return usable().filter(|part| part.created == last).collect();
            }
        }
        Vec::new()
    }

    /// Returns when the last of the parts that may encrypt expires: from then on the key is useless.
    pub fn useless_from(&self) -> Option<i64> {
        let parts = self.subkeys.iter().filter(|part| part.can_encrypt).map(|part| part.expires);
        // None, no end, is the largest.
        let last = parts.max_by_key(|expires| expires.unwrap_or(i64::MAX)).flatten();
        match (last, self.expires) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

/// One key to encrypt to: resolved, usable, exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientId {
    /// The primary key's fingerprint.
    pub fingerprint: Fingerprint,
    /// The one subkey to use, where the recipients file asks for it with a final `!`.
    pub subkey: Option<Fingerprint>,
    /// The key IDs of every part of the key that may encrypt now (one of them, or several, end up in
    /// the message).
    pub encryption_keys: Vec<KeyId>,
}

impl RecipientId {
    /// Returns what names it to gpg and nothing else: a whole fingerprint, and `!` where that is the one
    /// subkey's to use.
    pub fn gpg_name(&self) -> String {
        match &self.subkey {
            Some(subkey) => format!("{subkey}!"),
            None => self.fingerprint.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_key_id_from_the_right_end() {
        let v4 = Fingerprint::parse("0123456789abcdef0123456789abcdef76543210").unwrap();
        assert_eq!(v4.key_id().to_string(), "89ABCDEF76543210");
        assert!(Fingerprint::parse("0123").is_none());
        assert!(Fingerprint::parse(&"g".repeat(40)).is_none());
    }

    #[test]
    fn names_days() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(1_769_904_000), "2026-02-01");
        assert_eq!(day(-1), "1969-12-31");
        for seconds in [0, 951_782_400, 1_769_904_000, -86_400, 1_709_164_800] {
            assert_eq!(start_of_day(&day(seconds)), Some(seconds));
        }
        for wrong in
            ["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "today", "", "2026-01-01x", "+026-01-01"]
        {
            assert_eq!(start_of_day(wrong), None, "{wrong}");
        }
    }
}
