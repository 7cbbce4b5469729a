//! The kinds of findings.

use std::fmt;

/// What may be wrong with a password or an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The password can be guessed.
    Weak,
    /// It has few characters.
    Short,
    /// Others have the same.
    Reused,
    /// It has been the same for long.
    Old,
    /// The entry says when it ends, and that has come or is near.
    Expiring,
    /// Nobody says who logs in with it.
    NoLogin,
    /// Nobody says where.
    NoUrl,
    /// There is a second factor, and no way in without it.
    NoRecovery,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 8] = [
        Kind::Weak,
        Kind::Short,
        Kind::Reused,
        Kind::Old,
        Kind::Expiring,
        Kind::NoLogin,
        Kind::NoUrl,
        Kind::NoRecovery,
    ];

    /// Returns its name in policies and JSON. Names never change.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Weak => "weak",
            Kind::Short => "short",
            Kind::Reused => "reused",
            Kind::Old => "old",
            Kind::Expiring => "expiring",
            Kind::NoLogin => "no-login",
            Kind::NoUrl => "no-url",
            Kind::NoRecovery => "no-recovery",
        }
    }

    /// Returns the kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the names of all kinds, for a sentence.
    pub fn names() -> String {
        Kind::ALL.map(Kind::name).join(", ")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
