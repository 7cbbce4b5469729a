//! A key that somebody sent: read from a file, and trusted once its fingerprint was confirmed.

use std::io::Read as _;
use std::path::Path;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::crypto::Crypto as _;
use crate::model::{Fingerprint, Key, Shown, Validity};

/// The largest key file that is read, in bytes: keys with thousands of signatures are smaller.
const MAX_FILE: u64 = 8 << 20;

/// A key file with the one public key in it.
pub struct SentKey {
    /// The file's bytes.
    block: Vec<u8>,
    /// The key.
    pub key: Key,
}

/// Reads the key in `file`, `-` for standard input; it must hold one usable public key and nothing else.
pub fn read(app: &App, file: &Path) -> Result<SentKey, CliError> {
    let place = Shown::os(file).to_string();
    let mut block = Vec::new();
    let read = match file == Path::new("-") {
        true => std::io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut block),
        false => std::fs::File::open(file).and_then(|f| f.take(MAX_FILE + 1).read_to_end(&mut block)),
    };
    read.map_err(|error| CliError::caused(format!("cannot read the key file `{place}`"), &error))?;
    if block.len() as u64 > MAX_FILE {
        return Err(CliError::new(format!("`{place}` is too large for a key file")));
    }
    let found = app.crypto().inspect(&block);
    let found = found.map_err(|error| CliError::caused(format!("`{place}` is no key file"), &error))?;
    let wrong = |what: &str| CliError::new(format!("`{place}` {what}"));
    match <[Key; 1]>::try_from(found) {
        Ok([key]) if key.secret => Err(wrong("holds a secret key, which its owner must never send")
            .hint("tell its owner; `gpg --export --armor KEY` writes the public key that is needed")),
        Ok([key]) => match &key.problem {
            Some(problem) => Err(wrong(&format!("holds the key {}, which {problem}", key.fingerprint))
                .hint("ask its owner for a new key")),
            None => Ok(SentKey { block, key }),
        },
        Err(keys) if keys.is_empty() => Err(wrong("holds no key")),
        Err(_) => Err(wrong("holds more than one key").hint("`gpg --export --armor KEY` writes one alone")),
    }
}

impl SentKey {
    /// Shows the key, and fails unless its fingerprint is the one given or a person confirms it.
    pub fn confirm(&self, app: &App, given: Option<&str>) -> Result<(), CliError> {
        let fingerprint = &self.key.fingerprint;
        app.ui.say("The key:")?;
        for user_id in &self.key.user_ids {
            app.ui.say(format!("  {}", Shown::new(user_id)))?;
        }
        app.ui.say(format!("  {}", grouped(fingerprint)))?;
        let Some(given) = given else {
            let question = "Has its owner told you this very fingerprint, in person or by telephone?";
            return app.agree_or(question, "--fingerprint FINGERPRINT");
        };
        let digits: String = given.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let digits = digits.strip_prefix("0x").unwrap_or(&digits);
        match Fingerprint::parse(digits) {
            Some(wanted) if wanted == *fingerprint => Ok(()),
            Some(_) => {
                Err(CliError::new(format!("the key's fingerprint is {fingerprint}, not the one given"))
                    .hint("somebody may have put another key in its place: ask its owner"))
            }
            None => Err(CliError::new(format!("`{}` is no full fingerprint", Shown::new(given)))
                .hint("it has 40 or 64 hexadecimal digits; blanks do not matter")),
        }
    }

    /// Adds the key to the keyring, and certifies it there if that was asked for or is agreed to.
    pub fn import(&self, app: &App, certify: bool) -> Result<(), CliError> {
        let fingerprint = &self.key.fingerprint;
        let failed = |error| CliError::caused(format!("cannot import the key {fingerprint}"), &error);
        app.crypto().import(&self.block, fingerprint).map_err(failed)?;
        if certify || (app.interactive && !self.is_valid(app) && agrees(app, fingerprint)?) {
            let failed = |error| CliError::caused(format!("cannot certify the key {fingerprint}"), &error);
            app.crypto().certify(fingerprint).map_err(failed)?;
        }
        Ok(())
    }

    /// Whether GnuPG believes the key already.
    fn is_valid(&self, app: &App) -> bool {
        let keys = app.crypto().keys().unwrap_or_default();
        keys.iter().any(|key| key.fingerprint == self.key.fingerprint && key.validity >= Validity::Full)
    }
}

/// Asks whether to certify a key.
fn agrees(app: &App, key: &Fingerprint) -> Result<bool, CliError> {
    let question = format!(
        "Certify {key} in your keyring, for this machine alone, so that pass encrypts to it as well?"
    );
    Ok(app.prompt.borrow_mut().confirm(&question)?)
}

/// Returns a fingerprint in groups of four digits, to be read aloud.
fn grouped(key: &Fingerprint) -> String {
    let digits = key.as_str().as_bytes().chunks(4);
    digits.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
}
