//! The gpg program: quicker than gpgme for one message, and the only way to pass the user's options.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use crate::model::{Fingerprint, Key, Plaintext, RecipientId};
use crate::process::{Filter, Filtered, SECOND_FD, STATUS_FD};

use super::colons::{self, Group};
use super::native::CacheConfig;
use super::{CryptoError, Trust, Verdict, openpgp, status};

/// How to run GnuPG.
#[derive(Debug, Clone)]
pub struct GnuPgConfig {
    /// The program: `gpg` or `gpg2`.
    pub program: OsString,
    /// GnuPG's home folder; none leaves it to the environment.
    pub home: Option<PathBuf>,
    /// The user's own options (the words of `PASSWORD_STORE_GPG_OPTS`), put before all others.
    pub options: Vec<OsString>,
    /// Whether gpg must not ask anything itself (`--batch`); pinentry may still ask for a passphrase.
    pub batch: bool,
    /// The terminal for pinentry, for gpg's variable `GPG_TTY`; none leaves it as it is.
    pub tty: Option<OsString>,
    /// What the agent is told of where pinentry can ask (its options, such as `ttyname`), where it is talked
    /// to without gpg, which tells it the same.
    pub session: Vec<(String, OsString)>,
    /// Whether OpenPGP may be done in-process where that gives what gpg would.
    pub in_process: bool,
    /// Where session keys are remembered between runs; none remembers nothing.
    pub cache: Option<CacheConfig>,
}

impl Default for GnuPgConfig {
    fn default() -> Self {
        GnuPgConfig {
            program: "gpg".into(),
            home: None,
            options: Vec::new(),
            batch: false,
            tty: None,
            session: Vec::new(),
            in_process: true,
            cache: None,
        }
    }
}

/// The gpg program.
pub struct Gpg {
    config: GnuPgConfig,
    /// How much plaintext is taken, in bytes.
    limit: Option<u64>,
}

impl Gpg {
    /// Takes the way to run it.
    pub fn new(config: GnuPgConfig) -> Self {
        Gpg { config, limit: None }
    }

    /// Takes not more than so many bytes of plaintext: what was compressed may be without end.
    pub fn at_most(self, bytes: u64) -> Self {
        Gpg { limit: Some(bytes), ..self }
    }

    /// Returns the plaintext of a message, for somebody to look at: what has no normal form is gpg's to read.
    pub fn decrypt(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        self.decrypt_as_it_is(openpgp::normal(message).as_deref().unwrap_or(message))
    }

    /// Returns the plaintext that gpg finds in `message`; nothing unless it vouches for all of it.
    fn decrypt_as_it_is(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        let mut command = self.command();
        self.add_pass_options(&mut command);
        // The last `--output` counts: an option of the user's must not put plaintext into a file.
        command.args(["--output", "-", "--decrypt"]);
        let mut filter = Filter::new(command, message);
        if let Some(limit) = self.limit {
            filter = filter.at_most(limit);
        }
        let done = self.run_shown(filter).map_err(|error| match error {
            CryptoError::NotRun { source, .. } if source.kind() == std::io::ErrorKind::FileTooLarge => {
                CryptoError::Unsound("what it holds is larger than 256 MiB")
            }
            other => other,
        })?;
        if !done.exit.success() {
            return Err(CryptoError::Decrypt { code: code(&done), why: status::undecryptable(&done.status) });
        }
        status::vouches_for_decryption(&done.status)?;
        Ok(Plaintext::from_zeroizing(done.stdout))
    }

    /// Returns the plaintext encrypted to exactly `to`; the caller compares what came out.
    pub fn encrypt(
        &self,
        plaintext: &Plaintext,
        to: &[RecipientId],
        trust: Trust,
    ) -> Result<Vec<u8>, CryptoError> {
        let mut command = self.command();
        self.add_pass_options(&mut command);
        // Without `--batch` gpg would ask the terminal whether to use an untrusted key anyway.
        command.args(["--batch", "--output", "-", "--encrypt"]);
        if trust == Trust::Accepted {
            // A person accepted these fingerprints: who certified them is no longer the question.
            command.args(["--trust-model", "always"]);
        }
        for recipient in to {
            command.args(["--recipient", &recipient.gpg_name()]);
        }
        let done = self.run_shown(Filter::new(command, plaintext.expose()))?;
        match status::refused_recipient(&done.status) {
            Some(error) => Err(error),
            None if done.exit.success() => Ok(done.stdout.to_vec()),
            None => Err(failed("encrypt", &done)),
        }
    }

    /// Returns a detached signature by the first of `signers` that gpg can use, as pass's init makes it.
    pub fn sign(&self, data: &[u8], signers: &[String]) -> Result<Vec<u8>, CryptoError> {
        let mut command = self.command();
        self.add_pass_options(&mut command);
        // `--no-armor`: binary, whatever gpg.conf says; pass leaves that open.
        command.args(["--no-armor", "--output", "-"]);
        for signer in signers {
            command.args(["--default-key", signer]);
        }
        command.arg("--detach-sign");
        let done = self.run_shown(Filter::new(command, data))?;
        if done.exit.success() && !done.stdout.is_empty() {
            return Ok(done.stdout.to_vec());
        }
        Err(failed("sign", &done))
    }

    /// Returns the fingerprints of every good signature of `data`: the signing key's, its primary's.
    pub fn verify(&self, data: &[u8], signature: &[u8]) -> Result<Vec<Fingerprint>, CryptoError> {
        // Of several signatures one good one suffices, as for pass: the exit code says too little.
        Ok(status::good_signatures(&self.verification(data, signature)?))
    }

    /// Returns what there is to say of the signature of `data`.
    pub fn judge(&self, data: &[u8], signature: &[u8]) -> Result<Verdict, CryptoError> {
        Ok(status::verdict(&self.verification(data, signature)?))
    }

    /// Returns gpg's status lines about the signature of `data`.
    fn verification(&self, data: &[u8], signature: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut command = self.command();
        // `-&N` names an open descriptor, so nothing needs a file.
        command.args(["--batch", "--enable-special-filenames", "--verify", "--"]);
        command.args([&format!("-&{SECOND_FD}"), "-"]);
        let filter = Filter::new(command, data).second_input(signature).keep_stderr();
        Ok(self.run(filter)?.status)
    }

    /// Returns the keys that gpg finds under `query`, expired and revoked ones included; all keys for an
    /// empty one.
    pub fn keys(&self, query: &str) -> Result<Vec<Key>, CryptoError> {
        self.list_keys(Some(query).filter(|query| !query.is_empty()).as_slice())
    }

    /// Returns those of the keys with these fingerprints, their own or their subkeys', that gpg finds.
    pub fn keys_named(&self, fingerprints: &[&Fingerprint]) -> Result<Vec<Key>, CryptoError> {
        self.list_keys(&fingerprints.iter().map(|f| f.as_str()).collect::<Vec<_>>())
    }

    /// Returns the keys that gpg finds under any of `queries`, all keys without one.
    fn list_keys(&self, queries: &[&str]) -> Result<Vec<Key>, CryptoError> {
        let mut command = self.command();
        // Only what the keyring says is wanted, not validity: no rebuilding of the trust database, no
        // keyserver; and `queries` are UTF-8 whatever the locale says.
        command.args(["--batch", "--no-auto-check-trustdb", "--no-auto-key-locate", "--utf8-strings"]);
        command.args(["--with-colons", "--list-keys", "--"]);
        command.args(queries);
        let done = self.run(Filter::new(command, b"").keep_stderr())?;
        let keys = colons::keys(&String::from_utf8_lossy(&done.stdout));
        if !keys.is_empty() || done.exit.success() || status::found_no_key(&done.status) {
            return Ok(keys);
        }
        Err(CryptoError::Gpg(last_line(&done.stderr).unwrap_or_else(|| ended("list keys", &done))))
    }

    /// Returns the listing of the keys whose secret part is here, with keygrips.
    pub fn secret_listing(&self) -> Result<String, CryptoError> {
        let mut command = self.command();
        command.args(["--batch", "--no-auto-check-trustdb", "--with-colons", "--with-keygrip"]);
        command.arg("--list-secret-keys");
        let done = self.run(Filter::new(command, b"").keep_stderr())?;
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Returns the fingerprints of the keys whose secret part is here.
    pub fn own_keys(&self) -> Result<Vec<Fingerprint>, CryptoError> {
        let mut command = self.command();
        command.args(["--batch", "--no-auto-check-trustdb", "--with-colons", "--list-secret-keys"]);
        let done = self.run(Filter::new(command, b"").keep_stderr())?;
        // Without any secret key gpg fails: that is an answer too.
        let keys = colons::keys(&String::from_utf8_lossy(&done.stdout));
        Ok(keys.into_iter().map(|key| key.fingerprint).collect())
    }

    /// Returns those of `keys` whose self-certifications have old digests only.
    pub fn with_old_digests(&self, keys: &[Fingerprint]) -> Result<Vec<Fingerprint>, CryptoError> {
        let mut command = self.command();
        // One listing for all keys; GnuPG has checked signatures of the owner when the key came in.
        command.args(["--batch", "--no-auto-check-trustdb", "--no-auto-key-locate"]);
        command.args(["--with-colons", "--list-sigs", "--"]);
        command.args(keys.iter().map(Fingerprint::as_str));
        let done = self.done("list signatures", self.run(Filter::new(command, b"").keep_stderr())?)?;
        Ok(colons::old_digests(&String::from_utf8_lossy(&done.stdout)))
    }

    /// Returns the keys in a key block.
    pub fn inspect(&self, block: &[u8]) -> Result<Vec<Key>, CryptoError> {
        let mut command = self.command();
        command.args(["--batch", "--utf8-strings", "--with-colons", "--show-keys", "--", "-"]);
        let done = self.run(Filter::new(command, block).keep_stderr())?;
        let keys = colons::keys(&String::from_utf8_lossy(&done.stdout));
        match keys.is_empty() {
            false => Ok(keys),
            true => Err(CryptoError::Unsound("it holds no OpenPGP key")),
        }
    }

    /// Adds the public keys of a key block to the keyring.
    pub fn import(&self, block: &[u8]) -> Result<(), CryptoError> {
        let mut command = self.command();
        // No keyserver is asked for what is missing, and the trust database is left alone.
        command.args(["--batch", "--no-auto-key-locate", "--no-auto-check-trustdb", "--import", "--", "-"]);
        let done = self.run(Filter::new(command, block).keep_stderr())?;
        self.done("import the key", done).map(drop)
    }

    /// Returns a public key, armored.
    pub fn export(&self, key: &Fingerprint) -> Result<Vec<u8>, CryptoError> {
        let mut command = self.command();
        // Armored, as gopass keeps keys; minimal: who certified whom is nobody's business.
        command.args(["--batch", "--armor", "--export-options", "export-minimal", "--output", "-"]);
        command.args(["--export", "--", key.as_str()]);
        let done = self.run(Filter::new(command, b"").keep_stderr())?;
        let done = self.done("export the key", done)?;
        match done.stdout.is_empty() {
            false => Ok(done.stdout.to_vec()),
            true => Err(CryptoError::Gpg(format!("there is no key {key}"))),
        }
    }

    /// Returns public keys in binary, with the newest signature of the owner on each part alone.
    pub fn export_binary(&self, keys: &[&Fingerprint]) -> Result<Vec<u8>, CryptoError> {
        let mut command = self.command();
        command.args(["--batch", "--no-armor", "--export-options", "export-minimal", "--output", "-"]);
        command.args(["--export", "--"]).args(keys.iter().map(|key| key.as_str()));
        let done = self.run(Filter::new(command, b"").keep_stderr())?;
        Ok(self.done("export keys", done)?.stdout.to_vec())
    }

    /// Certifies a key for this keyring alone.
    pub fn certify(&self, key: &Fingerprint) -> Result<(), CryptoError> {
        let mut command = self.command();
        // `--yes`: an expired certification of ours may be there already.
        command.args(["--batch", "--yes", "--quick-lsign-key", key.as_str()]);
        let done = self.run(Filter::new(command, b"").keep_stderr())?;
        self.done("certify the key", done)?;
        // What gpg remembers of validity follows now, not at whatever listing comes next.
        let mut command = self.command();
        command.args(["--batch", "--check-trustdb"]);
        // The key is certified whatever comes of this.
        let _ = self.run(Filter::new(command, b"").keep_stderr());
        Ok(())
    }

    /// Returns what a gpg did that succeeded, or the error that it told of.
    fn done(&self, action: &str, done: Filtered) -> Result<Filtered, CryptoError> {
        if done.exit.success() {
            return Ok(done);
        }
        Err(CryptoError::Gpg(last_line(&done.stderr).unwrap_or_else(|| ended(action, &done))))
    }

    /// Returns the groups of gpg.conf.
    pub fn groups(&self) -> Result<Vec<Group>, CryptoError> {
        let mut command = self.command();
        command.args(["--batch", "--with-colons", "--list-config", "group"]);
        let done = self.run(Filter::new(command, b"").keep_stderr())?;
        if done.exit.success() {
            return Ok(colons::groups(&String::from_utf8_lossy(&done.stdout)));
        }
        Err(CryptoError::Gpg(last_line(&done.stderr).unwrap_or_else(|| ended("list groups", &done))))
    }

    /// Returns the program with the user's options.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.config.program);
        if let Some(home) = &self.config.home {
            // Not `--homedir`: an option of the user's may say so, and goes before.
            command.env("GNUPGHOME", home);
        }
        if let Some(tty) = &self.config.tty {
            command.env("GPG_TTY", tty);
        }
        command.args(&self.config.options);
        // After the user's options: the last `--status-fd` counts, and what decides here is ours.
        command.args(["--status-fd", &STATUS_FD.to_string()]);
        command
    }

    /// Adds the options that pass gives to every encryption and decryption.
    fn add_pass_options(&self, command: &mut Command) {
        // Quiet: callers show standard error. Yes: nothing is asked that pass does not ask. No
        // compression: the size of a password is no secret worth an oracle. No encrypt-to: the
        // recipients file alone decides.
        command.args(["--quiet", "--yes", "--compress-algo=none", "--no-encrypt-to"]);
        if self.config.batch {
            // As pass has it beside an agent; gpg 2 ignores `--use-agent`, gpg 1 needs it.
            command.args(["--batch", "--use-agent"]);
        }
    }

    /// Runs gpg with its standard error shown, and passes on the status lines that the user asked for.
    fn run_shown(&self, filter: Filter<'_>) -> Result<Filtered, CryptoError> {
        let done = self.run(filter)?;
        if wants_status(&self.config.options) {
            // Asked for by the user (PassFF), and taken over by our own option. Standard error it is,
            // for descriptor 1 too: status lines are no plaintext. Whoever closed it does not want them.
            let _ = std::io::stderr().write_all(&done.status);
        }
        Ok(done)
    }

    /// Runs gpg and collects its status lines.
    fn run(&self, filter: Filter<'_>) -> Result<Filtered, CryptoError> {
        filter.status().run().map_err(|source| CryptoError::NotRun {
            program: self.config.program.to_string_lossy().into_owned(),
            source,
        })
    }
}

/// Whether the user's options send status lines to standard output or error.
fn wants_status(options: &[OsString]) -> bool {
    let words = options.iter().map(|word| word.to_string_lossy());
    let mut previous_asks = false;
    for word in words {
        let value = word.strip_prefix("--status-fd=").or_else(|| previous_asks.then_some(&*word));
        if value.is_some_and(|fd| matches!(fd, "1" | "2")) {
            return true;
        }
        previous_asks = word == "--status-fd";
    }
    false
}

/// Returns gpg's exit code, 2 if it was killed.
fn code(done: &Filtered) -> u8 {
    done.exit.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)
}

/// Returns the error of a gpg that has said why on standard error.
fn failed(action: &str, done: &Filtered) -> CryptoError {
    CryptoError::Gpg(ended(action, done))
}

/// Returns how gpg ended, where it has not said why.
fn ended(action: &str, done: &Filtered) -> String {
    format!("could not {action} (exit code {})", code(done))
}

/// Returns the last line of what gpg said, without its name.
fn last_line(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.strip_prefix("gpg: ").unwrap_or(line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_where_the_user_wants_status_lines() {
        let wants = |words: &[&str]| wants_status(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(wants(&["--status-fd=2", "--debug=ipc"]));
        assert!(wants(&["--debug=ipc", "--status-fd", "1"]));
        assert!(!wants(&["--status-fd", "7"]));
        assert!(!wants(&["--logger-fd", "2", "2"]));
    }

    #[test]
    fn finds_what_gpg_said_last() {
        assert_eq!(last_line(b"gpg: a\ngpg: b: c\n\n").unwrap(), "b: c");
        assert_eq!(last_line(b"\n"), None);
    }
}
