//! Keys that are given on a command line, by name or as key files: shown, confirmed, imported.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::quote::quoted;
use crate::model::{Fingerprint, FolderName, Key, RecipientId, Shown, Validity};
use crate::ops::guard::key_set;
use crate::ops::init::GIVEN;
use crate::ops::recipients::unconfirmed;
use crate::ops::rules::RuleError;
use crate::ops::{Context, OpError};
use crate::store::accepted::Keys;

use super::typed;

/// The largest key file that is read, in bytes: keys with thousands of certifications stay below.
const MAX_FILE: u64 = 16 << 20;

/// Options for keys that are given as files.
#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    /// A file with one public key, `-` for standard input; imported once its fingerprint is confirmed.
    #[arg(long, value_name = "FILE")]
    pub key: Vec<OsString>,
    /// Fingerprints that are confirmed.
    #[command(flatten)]
    pub confirmed: Confirmed,
    /// Certify the keys for this keyring alone, so that stock pass encrypts to them too.
    #[arg(long)]
    pub certify: bool,
}

/// Fingerprints that the user has compared.
#[derive(Debug, clap::Args)]
pub struct Confirmed {
    /// The full fingerprints of keys that gain access; confirms them without a question.
    #[arg(long, value_name = "FINGERPRINT,...", value_delimiter = ',')]
    pub fingerprint: Vec<String>,
}

impl Confirmed {
    /// Returns them.
    pub fn keys(&self) -> Result<Keys, CliError> {
        let parse = |text: &String| {
            let wrong = || CliError::new(format!("`{}` is no full fingerprint", Shown::new(text)));
            Fingerprint::of_name(text).ok_or_else(wrong)
        };
        self.fingerprint.iter().map(parse).collect()
    }
}

/// Keys that were given, found and usable.
#[derive(Default)]
pub struct Given {
    /// All of them.
    pub recipients: Vec<RecipientId>,
    /// Those that came as files, with the files' contents.
    files: Vec<(Key, Vec<u8>)>,
    /// Fingerprints that were typed whole.
    typed: Keys,
    certify: bool,
}

impl Given {
    /// Finds the keys `names` in the keyring and those of key files; nothing is imported yet.
    pub fn read(
        app: &App,
        context: &Context<'_>,
        names: &[String],
        args: &KeyArgs,
    ) -> Result<Self, CliError> {
        let mut recipients: Vec<RecipientId> = Vec::new();
        for name in names {
            let found = context.crypto.resolve(name).map_err(|source| {
                let id = Shown::new(name).to_string();
                let told = app.error(OpError::Recipient { id, place: GIVEN.to_owned(), source });
                match Path::new(name).is_file() {
                    true => told.hint(format!("`--key {}` takes a key from a file", quoted(Path::new(name)))),
                    false => told,
                }
            })?;
            recipients.extend(found);
        }
        let mut files = Vec::new();
        for file in &args.key {
            let (key, block) = read_key(context, file)?;
            let recipient = key.recipient().map_err(|problem| {
                CliError::new(format!("key {} in `{}` {problem}", key.fingerprint, typed(file)))
                    .hint("ask its owner for a new one")
            })?;
            recipients.push(recipient);
            files.push((key, block));
        }
        let mut whole = args.confirmed.keys()?;
        // A key file has the fingerprint that was named for it, or it is another one than was meant.
        let is_given = |key: &Fingerprint| recipients.iter().any(|given| given.fingerprint == *key);
        if !files.is_empty()
            && let Some(absent) = whole.iter().find(|key| !is_given(key))
        {
            let told = CliError::new(format!("none of the keys given has the fingerprint {absent}"));
            let found = args.key.iter().zip(&files);
            return Err(found.fold(told, |told, (file, (key, _))| {
                told.hint(format!("the key in `{}` has {}", typed(file), key.fingerprint))
            }));
        }
        whole.extend(names.iter().filter_map(|name| Fingerprint::of_name(name)));
        Ok(Given { recipients, files, typed: whole, certify: args.certify })
    }

    /// Returns the fingerprints that were typed whole.
    pub fn typed(&self) -> &Keys {
        &self.typed
    }

    /// Returns the names of keys that are not in the keyring yet.
    pub fn names(&self) -> impl Iterator<Item = (Fingerprint, String)> {
        self.files.iter().map(|(key, _)| (key.fingerprint.clone(), Shown::new(key.name()).to_string()))
    }

    /// Returns keys that need not be given, but may be confirmed.
    pub fn confirmed_only(args: &Confirmed) -> Result<Self, CliError> {
        Ok(Given { typed: args.keys()?, ..Given::default() })
    }

    /// Returns the keys; a group has no place for single subkeys.
    pub fn whole_keys(&self, app: &App) -> Result<Keys, CliError> {
        if let Some(subkey) = self.recipients.iter().find(|key| key.subkey.is_some()) {
            let error = RuleError::Subkey { place: GIVEN.to_owned(), id: subkey.gpg_name() };
            return Err(app.error(error.into()));
        }
        Ok(key_set(&self.recipients))
    }

    /// Makes sure that somebody has confirmed whose the keys are that were given, and those that gain access:
    /// groups come with the repository, and whoever can push can add to them. Asks about those of files; fails
    /// if another one was not typed in full, was not accepted on this machine before, and is not believed by
    /// GnuPG either. On a terminal, the question to come shows the fingerprints, unless it is answered already
    /// (`yes`).
    pub fn confirm(&self, app: &App, context: &Context<'_>, gains: &Keys, yes: bool) -> Result<(), CliError> {
        let mut confirmed = self.typed.clone();
        for (key, _) in &self.files {
            if confirmed.insert(key.fingerprint.clone()) {
                let question = format!(
                    "Has {} confirmed the fingerprint\n  {}\nby another way than this file?",
                    Shown::new(key.name()),
                    grouped(&key.fingerprint)
                );
                app.agree_or(&question, &format!("--fingerprint {}", key.fingerprint))?;
            }
        }
        if !yes && app.interactive {
            return Ok(());
        }
        let ids: Vec<&str> = gains.iter().map(Fingerprint::as_str).collect();
        // What is not in the keyring is refused where it is encrypted to.
        let gains = context.crypto.resolve_all(&ids).into_iter().filter_map(Result::ok).flatten();
        let keys = self.recipients.iter().cloned().chain(gains);
        let doubtful: Vec<RecipientId> = keys.filter(|key| !confirmed.contains(&key.fingerprint)).collect();
        match unconfirmed(context, &FolderName::root(), &doubtful).map_err(|error| app.error(error))?.first()
        {
            Some(key) => {
                Err(CliError::new(format!("nobody has confirmed that key {key} belongs to whom it names"))
                    .hint(format!("compare the fingerprint with its owner, then add `--fingerprint {key}`")))
            }
            None => Ok(()),
        }
    }

    /// Imports the keys that came as files.
    pub fn import(&self, app: &App, context: &Context<'_>) -> Result<(), CliError> {
        for (key, block) in &self.files {
            let failed = |error: crate::crypto::CryptoError| {
                CliError::caused(format!("cannot import key {}", key.fingerprint), &error)
            };
            context.crypto.import(block, &key.fingerprint).map_err(failed)?;
            app.ui.say(format!("Imported key {}.", key.fingerprint))?;
        }
        Ok(())
    }

    /// Certifies the keys locally if the user wants that; stock pass needs it.
    pub fn certify(&self, app: &App, context: &Context<'_>) {
        let keys: Vec<Fingerprint> = self.recipients.iter().map(|key| key.fingerprint.clone()).collect();
        certify(app, context, &keys, self.certify);
    }
}

/// Returns those of `keys` of which GnuPG does not believe that they belong to whom they name.
pub fn doubted(context: &Context<'_>, keys: &[Fingerprint]) -> Vec<Fingerprint> {
    let listed = context.crypto.keys().unwrap_or_default();
    let believed = |wanted: &Fingerprint| {
        let key = listed.iter().find(|key| key.fingerprint == *wanted);
        key.is_some_and(|key| key.validity >= Validity::Full)
    };
    keys.iter().filter(|key| !believed(key)).cloned().collect()
}

/// Certifies those of `wanted` that GnuPG does not believe yet, for this keyring alone, where the user asked
/// for that or agrees; stock pass needs it. Returns how many it has certified.
pub fn certify(app: &App, context: &Context<'_>, wanted: &[Fingerprint], asked: bool) -> usize {
    let mut count = 0;
    for key in doubted(context, wanted) {
        let question =
            format!("Certify key {key} for this keyring alone, so that stock pass encrypts to it too?");
        let agreed = || app.interactive && app.prompt.borrow_mut().confirm(&question).unwrap_or(false);
        if !(asked || agreed()) {
            continue;
        }
        match context.crypto.certify(&key) {
            Ok(()) => count += 1,
            Err(error) => app.ui.warn(format!("warning: key {key} is not certified: {error}")),
        }
    }
    count
}

/// Reads a file that holds one public key.
fn read_key(context: &Context<'_>, file: &OsString) -> Result<(Key, Vec<u8>), CliError> {
    let shown = typed(file);
    let failed = |error: std::io::Error| CliError::caused(format!("cannot read `{shown}`"), &error);
    let mut block = Vec::new();
    if file == "-" {
        std::io::stdin().take(MAX_FILE + 1).read_to_end(&mut block).map_err(failed)?;
    } else {
        let open = std::fs::File::open(file).map_err(failed)?;
        open.take(MAX_FILE + 1).read_to_end(&mut block).map_err(failed)?;
    }
    if block.len() as u64 > MAX_FILE {
        return Err(CliError::new(format!("`{shown}` has more than {} MiB", MAX_FILE >> 20)));
    }
    let wrong = |what: &str| CliError::new(format!("`{shown}` cannot be used as a key: {what}"));
    let keys = context.crypto.inspect(&block).map_err(|error| wrong(&error.to_string()))?;
    match <[Key; 1]>::try_from(keys) {
        Ok([key]) if key.secret => {
            Err(wrong("it holds a secret key")
                .hint("its owner must not give that away: ask for the public key"))
        }
        Ok([key]) => Ok((key, block)),
        Err(keys) => Err(wrong(&format!("it holds {} keys", keys.len())).hint("give one file for each key")),
    }
}

/// Returns a fingerprint in groups of four, as people compare it.
pub fn grouped(key: &Fingerprint) -> String {
    let digits: Vec<char> = key.as_str().chars().collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}
