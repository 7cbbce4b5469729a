//! What every command has at hand: output, prompts, the environment's settings.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::crypto::{CacheConfig, Crypto as _, GnuPg, GnuPgConfig, Tally};
use crate::model::{Fingerprint, Key, Shown};
use crate::ops::{Context, OpError};
use crate::process::git::GitProgram;
use crate::store::{Notes, Options, Store, place_id};

use super::commands::edit::memory_folders;
use super::error::CliError;
use super::exit;
use super::progress::Bar;
use super::prompt::{Prompt, Terminal};
use super::scene::Scene;
use super::session;
use super::ui::Ui;
use super::variables::variable;

/// The settings that pass takes from the environment, read once.
#[derive(Debug, Clone)]
pub struct Environment {
    /// `PASSWORD_STORE_DIR`, or `~/.password-store`.
    pub root: PathBuf,
    /// `PASSWORD_STORE_KEY`.
    pub keys: Option<String>,
    /// The words of `PASSWORD_STORE_SIGNING_KEY`.
    pub signing_keys: Vec<String>,
    /// The words of `PASSWORD_STORE_GPG_OPTS`.
    pub gpg_options: Vec<OsString>,
    /// `PASSWORD_STORE_UMASK`, octal; 077.
    pub umask: u32,
    /// `PASSWORD_STORE_X_SELECTION`; `clipboard`.
    pub selection: String,
    /// `PASSWORD_STORE_CLIP_TIME` in seconds; 45.
    pub clip_time: String,
    /// `PASSWORD_STORE_GENERATED_LENGTH`; 25.
    pub length: OsString,
    /// `PASSWORD_STORE_CHARACTER_SET`, in tr's syntax.
    pub characters: String,
    /// `PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS`.
    pub characters_no_symbols: String,
    /// `EDITOR`; `editor`.
    pub editor: OsString,
    /// Whether `PASSEL_CRYPTO` is anything but `gpgme`: OpenPGP may be done in-process.
    pub in_process: bool,
    /// `XDG_STATE_HOME`, or `~/.local/state`; none without a home.
    pub state: Option<PathBuf>,
    /// `XDG_CACHE_HOME`, or `~/.cache`; none without a home.
    pub cache: Option<PathBuf>,
    /// Of whose messages `PASSEL_CACHE` lets session keys be remembered.
    pub remember: Remember,
}

/// Of whose messages session keys are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remember {
    /// Nobody's.
    Nothing,
    /// Those of keys that are no smartcard's.
    Keys,
    /// Those of all keys.
    Cards,
}

impl Environment {
    /// Reads the environment. Empty variables count as unset, as in pass.
    pub fn read() -> Result<Self, CliError> {
        let text = |name: &str, default: &str| match variable(name) {
            Some(value) => value.to_string_lossy().into_owned(),
            None => default.to_owned(),
        };
        let root = match variable("PASSWORD_STORE_DIR") {
            Some(root) => PathBuf::from(root),
            None => PathBuf::from(variable("HOME").unwrap_or_default()).join(".password-store"),
        };
        let umask = text("PASSWORD_STORE_UMASK", "077");
        let umask = u32::from_str_radix(&umask, 8).ok().filter(|mask| *mask <= 0o777).ok_or_else(|| {
            CliError::new(format!("PASSWORD_STORE_UMASK is `{umask}`, which is no octal mask such as 077"))
        })?;
        let signing = text("PASSWORD_STORE_SIGNING_KEY", "");
        let mut signing_keys: Vec<String> = signing.split_whitespace().map(str::to_owned).collect();
        if signing_keys.is_empty() && !signing.is_empty() {
            // Blanks are no key, but as in pass they do ask for signatures: none is good enough then.
            signing_keys.push(signing);
        }
        // A relative path is to be ignored (XDG Base Directory Specification).
        let folder = |name: &str, default: &str| {
            let named = variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
            named.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(default)))
        };
        let remember = match &*text("PASSEL_CACHE", "on") {
            "on" => Remember::Keys,
            "off" => Remember::Nothing,
            "cards" => Remember::Cards,
            other => {
                return Err(CliError::new(format!(
                    "PASSEL_CACHE is `{}`, not on, off or cards",
                    Shown::new(other)
                )));
            }
        };
        Ok(Environment {
            root: std::path::absolute(&root).unwrap_or(root),
            keys: variable("PASSWORD_STORE_KEY").map(|keys| keys.to_string_lossy().into_owned()),
            signing_keys,
            gpg_options: words(&variable("PASSWORD_STORE_GPG_OPTS").unwrap_or_default()),
            umask,
            selection: text("PASSWORD_STORE_X_SELECTION", "clipboard"),
            clip_time: text("PASSWORD_STORE_CLIP_TIME", "45"),
            length: variable("PASSWORD_STORE_GENERATED_LENGTH").unwrap_or_else(|| "25".into()),
            characters: text("PASSWORD_STORE_CHARACTER_SET", "[:punct:][:alnum:]"),
            characters_no_symbols: text("PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS", "[:alnum:]"),
            editor: variable("EDITOR").unwrap_or_else(|| "editor".into()),
            in_process: variable("PASSEL_CRYPTO").is_none_or(|value| value != "gpgme"),
            state: folder("XDG_STATE_HOME", ".local/state"),
            cache: folder("XDG_CACHE_HOME", ".cache"),
            remember,
        })
    }

    /// Returns GnuPG's home folder, and the file in which it is noted what gpg says of the user's own keys.
    fn own_keys(&self) -> Option<(PathBuf, PathBuf)> {
        let home = variable("GNUPGHOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".gnupg")))?;
        // As gpg does it: without resolving links.
        let home = std::path::absolute(home).ok()?;
        let note = self.cache.as_ref()?.join("passel/own-keys").join(place_id(&home));
        Some((home, note))
    }

    /// Returns the folder for the session keys of this store's messages, or of `all` stores'.
    pub fn session_keys(&self, all: bool) -> Option<PathBuf> {
        let folder = self.cache.as_ref()?.join("passel/session-keys");
        Some(if all { folder } else { folder.join(place_id(&self.root)) })
    }
}

/// Splits at blanks, as a shell splits an unquoted variable.
fn words(text: &OsStr) -> Vec<OsString> {
    let parts = text.as_bytes().split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty());
    parts.map(|word| OsStr::from_bytes(word).to_owned()).collect()
}

/// A run of the program.
pub struct App {
    /// All output.
    pub ui: Ui,
    /// All questions.
    pub prompt: RefCell<Box<dyn Prompt>>,
    /// Whether somebody can be asked: standard input is a terminal.
    pub interactive: bool,
    /// The settings.
    pub environment: Environment,
    /// The command's name as it was typed, for usage texts.
    pub command: String,
    /// What stores found and mended, to be told.
    notes: Notes,
    /// Shows how far long work has come.
    progress: Bar,
    /// GnuPG, made at its first use.
    crypto: OnceCell<GnuPg>,
}

impl App {
    /// Puts a run together.
    pub fn new(ui: Ui, environment: Environment, command: String) -> Self {
        let terminal = Terminal::standard();
        let interactive = terminal.is_interactive();
        let prompt: Box<dyn Prompt> = Box::new(terminal);
        App {
            ui,
            prompt: RefCell::new(prompt),
            interactive,
            environment,
            command,
            notes: Notes::default(),
            progress: Bar::default(),
            crypto: OnceCell::new(),
        }
    }

    /// Opens the store, and remembers who can read what if this machine sees it for the first time; tells
    /// what was finished or undone on the way.
    pub fn store(&self) -> Result<Store, CliError> {
        let store = Store::open(&self.environment.root, self.options()).map_err(|e| self.error(e.into()))?;
        // What only reads goes on whatever comes of it; what encrypts tries again, and fails if that does.
        let _ = self.context(&store).meet();
        self.tell_notes();
        Ok(store)
    }

    /// Returns how stores are to be used.
    pub fn options(&self) -> Options {
        let git = GitProgram {
            memory: memory_folders(),
            temporary: std::env::temp_dir(),
            ssh: ["GIT_SSH_COMMAND", "GIT_SSH"].map(variable),
            ..GitProgram::default()
        };
        Options {
            umask: self.environment.umask,
            git,
            state: self.environment.state.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Returns a run of the program on the store at `root`.
    pub fn at(&self, root: PathBuf) -> App {
        let ui = Ui { program: self.ui.program.clone() };
        App::new(ui, Environment { root, ..self.environment.clone() }, self.command.clone())
    }

    /// Tells what the store found and mended.
    pub fn tell_notes(&self) {
        for note in self.notes.take() {
            let note = note.replace("`passel ", &format!("`{} ", self.ui.program));
            self.ui.warn(format!("note: {note}"));
        }
    }

    /// Whether the command has published a change.
    pub fn has_published(&self) -> bool {
        self.notes.has_published()
    }

    /// Drops what stores found, mended and held back: another command tells it.
    pub fn drop_notes(&self) {
        self.notes.take();
        self.notes.take_held();
    }

    /// Tells how messages were encrypted and decrypted.
    pub fn tell_tally(&self) {
        let Tally { decrypted, remembered, decrypted_by_gpg, encrypted, encrypted_by_gpg } =
            self.crypto().tally();
        let all = decrypted + remembered + decrypted_by_gpg;
        self.ui.warn(format!(
            "decrypted: {all} ({remembered} with remembered session keys, {decrypted_by_gpg} by gpg); \
             encrypted: {} ({encrypted_by_gpg} by gpg)",
            encrypted + encrypted_by_gpg
        ));
    }

    /// Tells what was held back until a person decides; that ends a command which is otherwise done with an
    /// exit code of its own.
    pub fn tell_held(&self, done: Result<(), CliError>) -> Result<(), CliError> {
        let held = self.notes.take_held();
        let refused = done.as_ref().err().map(CliError::exit_code);
        if held.is_empty() || refused.is_some_and(|code| code != exit::NEEDS_DECISION) {
            return done;
        }
        for why in held {
            self.ui.warn(format!("held back: {why}"));
        }
        done.and_then(|()| {
            let program = &self.ui.program;
            let hint = format!("hint: `{program} recipients review` shows them, and takes your word");
            self.ui.warn(hint);
            Err(CliError::silent(exit::NEEDS_DECISION))
        })
    }

    /// Returns GnuPG, set up as pass sets it up.
    pub fn crypto(&self) -> &GnuPg {
        self.crypto.get_or_init(|| {
            let program = gpg_program();
            let tty = rustix::termios::ttyname(std::io::stdin(), Vec::new()).ok();
            let tty = tty.map(|name| OsStr::from_bytes(name.as_bytes()).to_owned());
            GnuPg::new(GnuPgConfig {
                in_process: self.environment.in_process && !is_script(&program),
                batch: program == "gpg2" || variable("GPG_AGENT_INFO").is_some(),
                program,
                cache: self.session_cache(),
                home: None,
                options: self.environment.gpg_options.clone(),
                session: session::agent_options(tty.as_deref()),
                tty: tty.filter(|_| variable("GPG_TTY").is_none()),
            })
        })
    }

    /// Returns where session keys are remembered, if they are to be.
    fn session_cache(&self) -> Option<CacheConfig> {
        let cards = self.environment.remember == Remember::Cards;
        let folder = self.environment.session_keys(false)?;
        let (home, note) = self.environment.own_keys()?;
        (self.environment.remember != Remember::Nothing).then_some(CacheConfig { folder, note, home, cards })
    }

    /// Returns the command that git decrypts entries with for its diffs, as pass writes it.
    pub fn textconv(&self) -> OsString {
        let mut command = gpg_program();
        command.push(" -d");
        for option in &self.environment.gpg_options {
            command.push(" ");
            command.push(option);
        }
        command.push(" --quiet --yes --compress-algo=none --no-encrypt-to");
        command
    }

    /// Returns the file that a program's name leads to.
    pub fn program_in_path(&self, name: &str) -> Option<PathBuf> {
        found_in_path(OsStr::new(name))
    }

    /// Returns what operations work with.
    pub fn context<'a>(&'a self, store: &'a Store) -> Context<'a> {
        Context {
            store,
            crypto: self.crypto(),
            progress: &self.progress,
            keys: self.environment.keys.as_deref(),
            signing_keys: &self.environment.signing_keys,
        }
    }

    /// Turns an operation's error into what the user is told.
    pub fn error(&self, error: OpError) -> CliError {
        super::explain::explain(&error, &self.scene())
    }

    /// Returns what hints depend on.
    pub fn scene(&self) -> Scene<'_> {
        Scene { program: &self.ui.program, root: &self.environment.root, crypto: self.crypto() }
    }

    /// Whether the store holds an entry or folder called `name`, or there is an extension of that name.
    pub fn holds(&self, name: &OsStr) -> bool {
        let mut file = name.to_owned();
        file.push(".gpg");
        let root = &self.environment.root;
        root.join(name).is_dir()
            || root.join(file).is_file()
            || super::commands::extension::exists(self, name)
    }

    /// Asks a question of our own: unless the answer is yes, the command ends. Without a terminal nobody can
    /// be asked, and `flag` is what answers instead.
    pub fn agree_or(&self, question: &str, flag: &str) -> Result<(), CliError> {
        if !self.interactive {
            return Err(CliError::new(format!("nobody can be asked here: {question}"))
                .hint(format!("{flag} answers the question")));
        }
        self.agree(question)
    }

    /// Returns what people know the keys of the keyring by, safe to show.
    pub fn key_names(&self) -> BTreeMap<Fingerprint, String> {
        let keys = self.crypto().keys().unwrap_or_default();
        let parts = |key: &Key| {
            let name = Shown::new(key.name()).to_string();
            let subkeys = key.subkeys.iter().map(|part| part.fingerprint.clone());
            subkeys.chain([key.fingerprint.clone()]).map(|part| (part, name.clone())).collect::<Vec<_>>()
        };
        keys.iter().flat_map(parts).collect()
    }

    /// Returns pass's usage message for this command.
    pub fn usage(&self, rest: &str) -> CliError {
        CliError::pass(format!("Usage: {} {} {rest}", self.ui.program, self.command))
    }
}

/// Returns the GnuPG program that pass would take.
fn gpg_program() -> OsString {
    if in_path("gpg2") { "gpg2".into() } else { "gpg".into() }
}

/// Whether a program of that name is in `PATH`.
fn in_path(name: &str) -> bool {
    found_in_path(OsStr::new(name)).is_some()
}

/// Returns the file that a program's name leads to.
fn found_in_path(name: &OsStr) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether a program is a script around the real one: nobody can tell then what options that gets.
fn is_script(program: &OsStr) -> bool {
    let mut start = [0; 2];
    let file = found_in_path(program).and_then(|file| File::open(file).ok());
    file.is_some_and(|mut file| file.read_exact(&mut start).is_ok() && start == *b"#!")
}
