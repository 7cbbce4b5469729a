//! Decryption without gpg: the agent opens the session key, the library does the rest.

use std::io::Read as _;
use std::sync::Mutex;
use std::time::Instant;

use pgp::composed::RawSessionKey;
use pgp::crypto::ecdh;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::crypto::{checksum, hash::HashAlgorithm};
use pgp::packet::{Decompressor, Packet, PacketParser, PublicKeyEncryptedSessionKey};
use pgp::types::{EcdhPublicParams, PkeskBytes, PublicParams, Seipdv1ReadMode};
use zeroize::Zeroizing;

use super::agent::{Agent, AgentError, Answer};
use super::cache::{Cache, Digest, aes, new_seal};
use super::own::{OwnKey, OwnKeys};
use super::packets::{self, Sealed};
use super::{SessionKey, sexp};
use crate::crypto::KeySpeed;
use crate::crypto::gpg::GnuPgConfig;
use crate::crypto::gpgconf::{self, Directories};
use crate::model::Plaintext;
use crate::process::slurp_secret;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;

/// Larger messages are left to gpg, which does not hold all of them several times in memory.
const LARGEST: usize = 16 << 20;

/// How many session-key packets that name our keys are tried: anybody may add forged ones, and each costs
/// a private-key operation.
const TRIES: usize = 4;

/// How often the agent may fail to be reached before it is left alone.
const FAILURES: usize = 3;

/// Why nothing was decrypted.
#[derive(Debug, PartialEq, Eq)]
pub enum Unopened {
    /// It is for gpg to do, or to say what is wrong.
    LeftToGpg,
    /// Somebody was asked for a passphrase and did not give it: asking again would not help.
    Cancelled,
}

/// What messages are opened with.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// Our own keys.
    pub own: &'a OwnKeys,
    /// How to start the agent, and what it is told.
    pub config: &'a GnuPgConfig,
    /// Where it is.
    pub places: &'a Directories,
}

impl<'a> Setting<'a> {
    /// Returns those of our own keys that a message names, each with its session-key packet.
    fn named<'m>(self, sealed: &Sealed<'m>) -> impl Iterator<Item = (&'a OwnKey, &'m [u8])> {
        sealed.session_keys.iter().filter_map(move |(id, packet)| Some((self.own.get(id)?, *packet)))
    }
}

/// The conversation with the agent that has our own keys.
#[derive(Default)]
pub struct Opener {
    line: Mutex<Line>,
}

/// The one connection to the agent: it serves requests one at a time anyway.
#[derive(Default)]
struct Line {
    agent: Option<Agent>,
    failures: usize,
    cancelled: bool,
}

impl Opener {
    /// Returns the plaintext of a whole message of the usual form, whose integrity is protected and was
    /// verified, and whether its session key was remembered.
    pub fn open(
        &self,
        setting: Setting<'_>,
        cache: &Cache,
        message: &[u8],
    ) -> Result<(Plaintext, bool), Unopened> {
        if message.len() > LARGEST {
            return Err(Unopened::LeftToGpg);
        }
        let sealed = packets::sealed(message).ok_or(Unopened::LeftToGpg)?;
        let digest = Digest::of(message);
        let unseal = |key: &OwnKey, packet: &[u8]| self.unseal(setting, key, packet);
        for (key, packet) in setting.named(&sealed).take(TRIES) {
            let remembered = cache.find(key, &digest, unseal, decrypt)?;
            // One that does not fit the message is wrong, and the agent is asked after all.
            if let Some(text) = remembered.and_then(|session| decrypt(&session, &sealed.data)) {
                return Ok((text, true));
            }
            let Some(session) = unseal(key, packet)? else { continue };
            // The first session key that opens counts, as with gpg: a second one beside it is suspicious.
            let text = decrypt(&session, &sealed.data).ok_or(Unopened::LeftToGpg)?;
            cache.learn(key, digest, session);
            return Ok((text, false));
        }
        Err(Unopened::LeftToGpg)
    }

    /// Returns the plaintext of one message by itself, where its key is at hand and nobody is asked for
    /// anything: what goes on otherwise, and its words, are gpg's.
    pub fn open_alone(&self, setting: Setting<'_>, message: &[u8]) -> Result<Option<Plaintext>, Unopened> {
        let sealed = packets::sealed(message).filter(|_| message.len() <= LARGEST);
        let Some(sealed) = sealed else { return Ok(None) };
        let Some((key, packet)) = setting.named(&sealed).next().filter(|(key, _)| key.is_current) else {
            return Ok(None);
        };
        if !self.asks_nobody(setting, key)? {
            return Ok(None);
        }
        // Were somebody asked after all, and said no, they must not be asked again.
        let session = self.unseal(setting, key, packet)?;
        Ok(session.and_then(|session| decrypt(&session, &sealed.data)))
    }

    /// Whether the agent has `key` at hand, and asks nobody for a passphrase. Fails where it cannot be
    /// reached.
    fn asks_nobody(&self, setting: Setting<'_>, key: &OwnKey) -> Result<bool, Unopened> {
        let mut line = self.line.lock().expect("nobody panics holding it");
        // An agent that does not run is gpg's to start.
        let mut agent = match line.agent.take() {
            Some(agent) => agent,
            None => Agent::connect(&setting.places.agent, &setting.config.session)
                .map_err(|_| Unopened::LeftToGpg)?,
        };
        let info = match agent.key_info(&key.keygrip) {
            Ok(info) => info,
            Err(AgentError::Refused(_) | AgentError::Cancelled) => None,
            Err(AgentError::Garbage | AgentError::Io(_)) => return Err(Unopened::LeftToGpg),
        };
        line.agent = Some(agent);
        Ok(info.is_some_and(|info| info.is_stored && (!info.is_protected || info.is_cached)))
    }

    /// Whether the session key of a message is remembered.
    pub fn is_remembered(&self, setting: Setting<'_>, cache: &Cache, message: &[u8]) -> bool {
        let digest = Digest::of(message);
        let unseal = |key: &OwnKey, packet: &[u8]| self.unseal(setting, key, packet);
        let known = |key: &OwnKey| matches!(cache.find(key, &digest, unseal, decrypt), Ok(Some(_)));
        packets::sealed(message).is_some_and(|sealed| setting.named(&sealed).any(|(key, _)| known(key)))
    }

    /// Times a private-key operation of each own key that can be encrypted to.
    pub fn key_speeds(&self, setting: Setting<'_>) -> Vec<KeySpeed> {
        let mut keys: Vec<&OwnKey> = setting.own.values().collect();
        keys.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
        let speed = |key: &OwnKey| {
            let (_, packet) = new_seal(key)?;
            let once = || {
                let begun = Instant::now();
                self.unseal(setting, key, &packet).ok()??;
                Some(begun.elapsed())
            };
            // The first time, somebody may be asked for a passphrase; a card may want a touch each time.
            let operation = match once() {
                Some(_) if !key.on_card => once().min(once()),
                first => first,
            };
            // Who does not give one key's passphrase may give another's.
            self.line.lock().expect("nobody panics holding it").cancelled = false;
            let derivation = self.derivation(key);
            let (fingerprint, name) = (key.fingerprint.clone(), key.name.clone());
            Some(KeySpeed { fingerprint, name, on_card: key.on_card, derivation, operation })
        };
        keys.into_iter().filter_map(speed).collect()
    }

    /// Returns how often the agent repeats a hash to derive a key from its passphrase, if it has one.
    fn derivation(&self, key: &OwnKey) -> Option<u64> {
        let mut line = self.line.lock().expect("nobody panics holding it");
        let agent = line.agent.as_mut()?;
        agent.key_info(&key.keygrip).ok()??.is_protected.then(|| agent.derivation().ok()?)?
    }

    /// Returns the session key in a session-key packet that names `key`; none if it holds none.
    fn unseal(
        &self,
        setting: Setting<'_>,
        key: &OwnKey,
        packet: &[u8],
    ) -> Result<Option<SessionKey>, Unopened> {
        let Some(request) = request(key, packet) else { return Ok(None) };
        let answer = self.ask(setting, key, &request.ciphertext)?;
        Ok(frame(key, &request, &answer).and_then(|frame| session_key(&frame)))
    }

    /// Returns what the agent makes of a session key.
    fn ask(&self, setting: Setting<'_>, key: &OwnKey, ciphertext: &[u8]) -> Result<Answer, Unopened> {
        let mut line = self.line.lock().expect("nobody panics holding it");
        if line.cancelled {
            return Err(Unopened::Cancelled);
        }
        if line.failures >= FAILURES {
            return Err(Unopened::LeftToGpg);
        }
        match line.ask(setting, key, ciphertext) {
            Ok(answer) => Ok(answer),
            Err(AgentError::Cancelled) => {
                line.cancelled = true;
                Err(Unopened::Cancelled)
            }
            Err(AgentError::Refused(_)) => Err(Unopened::LeftToGpg),
            Err(AgentError::Garbage | AgentError::Io(_)) => {
                // It is no longer known which answer belongs to which question.
                line.agent = None;
                line.failures += 1;
                Err(Unopened::LeftToGpg)
            }
        }
    }
}

impl Line {
    /// Asks on the connection that there is, or on a new one.
    fn ask(&mut self, setting: Setting<'_>, key: &OwnKey, ciphertext: &[u8]) -> Result<Answer, AgentError> {
        let agent = match &mut self.agent {
            Some(agent) => agent,
            none => none.insert(connect(setting)?),
        };
        agent.decrypt(&key.keygrip, &key.description, ciphertext)
    }
}

/// Connects to the agent, which is started if it does not run.
fn connect(setting: Setting<'_>) -> Result<Agent, AgentError> {
    let Setting { config, places, .. } = setting;
    Agent::connect(&places.agent, &config.session).or_else(|error| {
        if !gpgconf::launch_agent(config.home.as_deref()) {
            return Err(error);
        }
        Agent::connect(&places.agent, &config.session)
    })
}

/// What the agent is asked, and what its answer is put together with.
struct Request {
    ciphertext: Vec<u8>,
    wrapped: Vec<u8>,
}

/// Returns the request for a session-key packet; none if it is not of the key's kind.
fn request(key: &OwnKey, packet: &[u8]) -> Option<Request> {
    let packet = PacketParser::new(packet).next()?.ok()?;
    let Packet::PublicKeyEncryptedSessionKey(PublicKeyEncryptedSessionKey::V3 { values, .. }) = packet else {
        return None;
    };
    match (values, key.part.params()) {
        (PkeskBytes::Rsa { mpi }, PublicParams::RSA(_)) => {
            Some(Request { ciphertext: sexp::rsa(mpi.as_ref()), wrapped: Vec::new() })
        }
        (PkeskBytes::Ecdh { public_point, encrypted_session_key }, PublicParams::ECDH(_)) => {
            let ciphertext = sexp::ecdh(public_point.as_ref(), &encrypted_session_key)?;
            Some(Request { ciphertext, wrapped: encrypted_session_key.to_vec() })
        }
        _ => None,
    }
}

/// Returns the cipher's number, the session key and their checksum, from what the agent computed.
fn frame(key: &OwnKey, request: &Request, answer: &Answer) -> Option<Zeroizing<Vec<u8>>> {
    let value = sexp::value(&answer.data)?;
    match key.part.params() {
        PublicParams::RSA(_) if answer.padding == Some(0) => Some(value),
        PublicParams::RSA(_) => unpad(&value),
        PublicParams::ECDH(params) => {
            let (size, hash, cipher) = derivation(params)?;
            let fingerprint = key.part.fingerprint_bytes();
            ecdh::derive_session_key(
                shared_secret(&value, size)?,
                &request.wrapped,
                request.wrapped.len(),
                params.curve(),
                hash,
                cipher,
                &fingerprint,
            )
            .ok()
        }
        _ => None,
    }
}

/// Returns the size of a curve's coordinates in bytes, and the key's choices for the derivation.
fn derivation(params: &EcdhPublicParams) -> Option<(usize, HashAlgorithm, SymmetricKeyAlgorithm)> {
    match params {
        EcdhPublicParams::Curve25519Legacy { hash, alg_sym, .. } => Some((32, *hash, *alg_sym)),
        EcdhPublicParams::P256 { hash, alg_sym, .. } => Some((32, *hash, *alg_sym)),
        EcdhPublicParams::P384 { hash, alg_sym, .. } => Some((48, *hash, *alg_sym)),
        EcdhPublicParams::P521 { hash, alg_sym, .. } => Some((66, *hash, *alg_sym)),
        _ => None,
    }
}

/// Returns the first coordinate of a point: behind 04 there are two, behind 40 or 41 one (RFC 9580, section
/// 11.2; GnuPG knows 41 for a coordinate alone).
fn shared_secret(point: &[u8], size: usize) -> Option<&[u8]> {
    match point {
        [4, rest @ ..] if rest.len() == 2 * size => Some(&rest[..size]),
        [0x40 | 0x41, rest @ ..] if rest.len() == size => Some(rest),
        _ => None,
    }
}

/// Takes PKCS #1's padding away (RFC 8017, section 7.2.2): 00 02, at least eight other bytes, 00. The agent
/// may leave out the 00 in front, as numbers have none. As with gpg, which does the same, what is wrong here
/// is told to nobody but the user of the key.
fn unpad(padded: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let padded = padded.strip_prefix(&[0]).unwrap_or(padded);
    let random = padded.strip_prefix(&[2])?;
    let end = random.iter().position(|byte| *byte == 0).filter(|end| *end >= 8)?;
    Some(Zeroizing::new(random[end + 1..].to_vec()))
}

/// Reads a cipher's number, a key and their checksum (RFC 9580, section 5.1.3). AES alone is taken.
fn session_key(frame: &[u8]) -> Option<SessionKey> {
    let (number, rest) = frame.split_first()?;
    let (key, sum) = rest.split_last_chunk::<2>()?;
    let cipher = aes(*number)?;
    checksum::simple(*sum, key).ok()?;
    (key.len() == cipher.key_size()).then(|| SessionKey { cipher, key: RawSessionKey::from(key) })
}

/// Returns the content of encrypted data: nothing before their modification detection code was verified, nor
/// unless they hold exactly one binary literal packet, compressed perhaps.
pub fn decrypt(session: &SessionKey, data: &[u8]) -> Option<Plaintext> {
    let verify_first = Seipdv1ReadMode::CheckFirst { max_message_size: data.len() };
    let stream = session.cipher.stream_decryptor_protected(verify_first, session.key.as_ref(), data);
    // Of its final size from the beginning: growing would leave copies behind.
    let mut packets = Zeroizing::new(Vec::with_capacity(data.len()));
    stream.ok()?.read_to_end(&mut packets).ok()?;
    open_packets(packets)
}

/// Returns the content of what was decrypted.
fn open_packets(mut packets: Zeroizing<Vec<u8>>) -> Option<Plaintext> {
    if let Some(body) = packets::compressed(&packets) {
        packets = inflate(&body)?;
    }
    packets::literal_data(&packets).map(Plaintext::from_zeroizing)
}

/// Returns what was compressed; not more than [`LARGEST`] bytes of it, and only packets that tell their own
/// end, since the library does not say whether the compressed data went on to theirs.
fn inflate(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let stream = Decompressor::from_reader(body).ok()?;
    let bound = u64::try_from(LARGEST).ok()? + 1;
    let packets = slurp_secret(stream.take(bound)).ok()?;
    (packets.len() <= LARGEST && packets::has_length(&packets)).then_some(packets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_padding_away() {
        let padded = |front: &[u8], random: usize| [front, &vec![7; random], &[0, 9, 0, 8]].concat();
        for good in [padded(&[0, 2], 8), padded(&[2], 20)] {
            assert_eq!(unpad(&good).unwrap().to_vec(), [9, 0, 8]);
        }
        for bad in [padded(&[2], 7), padded(&[0, 0, 2], 8), padded(&[1], 8), vec![2; 20], vec![]] {
            assert_eq!(unpad(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn takes_aes_keys_with_the_right_sum_alone() {
        let frame = |cipher: u8, key: &[u8], sum: [u8; 2]| [&[cipher], key, &sum].concat();
        assert!(session_key(&frame(9, &[1; 32], [0, 32])).is_some());
        assert!(session_key(&frame(7, &[255; 16], [0x0f, 0xf0])).is_some());
        for bad in [
            frame(9, &[1; 32], [0, 31]),
            frame(9, &[1; 16], [0, 16]),
            frame(2, &[1; 24], [0, 24]),
            frame(0, &[], [0, 0]),
            vec![9],
            vec![],
        ] {
            assert!(session_key(&bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn takes_the_first_coordinate() {
        assert_eq!(shared_secret(&[4, 1, 2, 3, 4], 2), Some(&[1, 2][..]));
        assert_eq!(shared_secret(&[0x40, 1, 2], 2), Some(&[1, 2][..]));
        for bad in [&[4, 1, 2][..], &[0x40, 1, 2, 3], &[1, 2], &[]] {
            assert_eq!(shared_secret(bad, 2), None, "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, size in 0..70_usize) {
            let _ = (unpad(&bytes).is_some(), session_key(&bytes).is_some(), inflate(&bytes).is_some());
            let _ = shared_secret(&bytes, size);
            let session = session_key(&[&[7][..], &[1; 16], &[0, 16]].concat()).unwrap();
            proptest::prop_assert!(decrypt(&session, &bytes).is_none());
        }
    }
}
