//! Encryption through gpgme.

use std::collections::HashMap;
use std::ffi::CStr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ::gpgme::{Context, Data, EncryptFlags, Protocol};

use crate::model::{Fingerprint, Plaintext};

use super::{CryptoError, Trust, status};

/// A gpgme context and the keys it has looked up. It costs 9 to 22 ms (gpgme starts five programs to
/// learn about GnuPG), so it is made once, and only to encrypt.
pub struct Engine {
    context: Context,
    keys: HashMap<Fingerprint, ::gpgme::Key>,
}

impl Engine {
    /// Makes a context for the GnuPG home folder `home`, or the environment's.
    pub fn new(home: Option<&Path>) -> Result<Self, CryptoError> {
        let failed = |source| CryptoError::Gpgme { action: "be reached through gpgme", source };
        let mut context = Context::from_protocol(Protocol::OpenPgp).map_err(failed)?;
        // All keys are named by fingerprint and present: nothing is to be asked of a keyserver.
        context.set_offline(true);
        // Only so are we told which recipient gpg refuses, and why.
        context.set_flag("full-status", "1").map_err(failed)?;
        if let Some(home) = home {
            let home = home.to_str().ok_or(CryptoError::Gpg("its home folder's name is no UTF-8".into()))?;
            context.set_engine_home_dir(home).map_err(failed)?;
        }
        Ok(Engine { context, keys: HashMap::new() })
    }

    /// Returns `plaintext` encrypted to the keys `to`; the caller compares what came out.
    pub fn encrypt(
        &mut self,
        plaintext: &Plaintext,
        to: &[Fingerprint],
        trust: Trust,
    ) -> Result<Vec<u8>, CryptoError> {
        self.load(to)?;
        let keys: Vec<&::gpgme::Key> =
            to.iter().filter_map(|fingerprint| self.keys.get(fingerprint)).collect();
        let failed = |source| CryptoError::Gpgme { action: "encrypt", source };
        // gpgme reads the bytes where they are: no copy is left behind.
        let data = Data::from_buffer(plaintext.expose()).map_err(failed)?;
        // No encrypt-to: the recipients file alone decides, not gpg.conf. No compression: a password's
        // size is no secret worth an oracle. Always-trust: for fingerprints that a person accepted.
        let mut flags = EncryptFlags::NO_ENCRYPT_TO | EncryptFlags::NO_COMPRESS;
        flags.set(EncryptFlags::ALWAYS_TRUST, trust == Trust::Accepted);
        let mut message = Vec::new();
        let refusal: Arc<Mutex<Option<String>>> = Arc::default();
        let heard = Arc::clone(&refusal);
        let listen = move |one: Option<&CStr>, other: Option<&CStr>| {
            if let Some(arguments) = refused(one, other) {
                *heard.lock().expect("nobody panics holding it") = Some(arguments);
            }
            Ok(())
        };
        let result = self.context.with_status_handler(listen, |context| {
            context.encrypt_with_flags(keys, data, &mut message, flags).map(|_| ())
        });
        let refused = refusal.lock().expect("nobody panics holding it").take();
        match (refused, result) {
            (Some(arguments), _) => Err(status::refusal(&arguments)),
            (None, Err(source)) => Err(failed(source)),
            (None, Ok(())) => Ok(message),
        }
    }

    /// Looks up, at once, those keys that are not known yet.
    fn load(&mut self, wanted: &[Fingerprint]) -> Result<(), CryptoError> {
        let missing: Vec<&str> =
            wanted.iter().filter(|f| !self.keys.contains_key(f)).map(Fingerprint::as_str).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let failed = |source| CryptoError::Gpgme { action: "list keys", source };
        for key in self.context.find_keys(missing).map_err(failed)? {
            let key = key.map_err(failed)?;
            if let Some(fingerprint) = key.fingerprint().ok().and_then(Fingerprint::parse) {
                self.keys.insert(fingerprint, key);
            }
        }
        match wanted.iter().find(|f| !self.keys.contains_key(f)) {
            Some(gone) => Err(CryptoError::Gpg(format!("key {gone} is no longer in the keyring"))),
            None => Ok(()),
        }
    }
}

/// Returns the arguments of a status line that refuses a recipient. The gpgme crate (0.11) hands over
/// arguments and keyword, in this order, against what it documents: either is understood.
fn refused(one: Option<&CStr>, other: Option<&CStr>) -> Option<String> {
    let keyword = Some(c"INV_RECP");
    let arguments = if one == keyword { other } else { one.filter(|_| other == keyword) };
    arguments.map(|text| text.to_string_lossy().into_owned())
}
