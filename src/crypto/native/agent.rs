//! A conversation with gpg-agent (Assuan; libassuan's manual, "Client requests" and "Server responses", and
//! GnuPG's, "Agent's Assuan Protocol"). The agent asks for passphrases, with pinentry, and for cards.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use zeroize::Zeroizing;

/// The longest line without its end (libassuan's ASSUAN_LINELENGTH is 1,002 with it).
const LINE: usize = 1000;

/// No answer about one session key is longer: an RSA key has at most 16,384 bits.
const ANSWER: usize = 8 * 1024;

/// The error codes, without their source, of a passphrase that a person did not give: GPG_ERR_CANCELED,
/// GPG_ERR_FULLY_CANCELED, GPG_ERR_BAD_PASSPHRASE (after pinentry's tries) and GPG_ERR_TIMEOUT.
const REFUSED_BY_PERSON: [u32; 4] = [99, 198, 11, 62];

/// Why the agent gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Somebody was asked, and did not give the passphrase.
    #[error("nobody gave the passphrase")]
    Cancelled,
    /// It cannot: there is no such key, no pinentry, no card.
    #[error("the agent refused with error {0}")]
    Refused(u32),
    /// It said what cannot be understood: the connection is of no more use.
    #[error("the agent talks nonsense")]
    Garbage,
    /// It cannot be reached, or is gone.
    #[error("the agent cannot be reached")]
    Io(#[from] io::Error),
}

/// What the agent answers.
pub struct Answer {
    /// The data, wiped when dropped.
    pub data: Zeroizing<Vec<u8>>,
    /// What it says of padding (`S PADDING n`): 0 if a card has taken it away already.
    pub padding: Option<u32>,
    /// What it says of a key (`S KEYINFO …`).
    pub info: Option<KeyInfo>,
}

/// What the agent knows of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// Whether it is stored here, not on a card.
    pub is_stored: bool,
    /// Whether it has a passphrase.
    pub is_protected: bool,
    /// Whether that is known, so that nobody is asked for it.
    pub is_cached: bool,
}

impl KeyInfo {
    /// Reads `GRIP TYPE SERIALNO IDSTR CACHED PROTECTION …` (agent/command.c's help of KEYINFO).
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ').skip(1);
        let (kind, mut rest) = (words.next()?, words.skip(2));
        let (cached, protection) = (rest.next()?, rest.next()?);
        let [is_stored, is_protected] = [kind == "D", protection == "P"];
        // Of other kinds of protection nobody knows.
        matches!(protection, "P" | "C" | "-").then_some(())?;
        Some(KeyInfo { is_stored, is_protected, is_cached: cached == "1" })
    }
}

/// A connection. Its requests are answered one at a time.
pub struct Agent {
    stream: UnixStream,
    /// What was read; only `filled` of it counts. Wiped when dropped: it holds answers.
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
    /// The keygrip of the key that the next operation is done with.
    key: Option<String>,
}

impl Agent {
    /// Connects, and says where pinentry can ask: `session` holds the agent's options, such as `ttyname`.
    pub fn connect(socket: &Path, session: &[(String, OsString)]) -> Result<Self, AgentError> {
        Agent::begin(UnixStream::connect(socket)?, session)
    }

    /// Begins the conversation on a connection that stands.
    fn begin(stream: UnixStream, session: &[(String, OsString)]) -> Result<Self, AgentError> {
        let mut agent = Agent { stream, buffer: Zeroizing::new(vec![0; LINE + 2]), filled: 0, key: None };
        // It speaks first.
        agent.answer(b"")?;
        for (name, value) in session {
            let line = [b"OPTION ", name.as_bytes(), b"=", value.as_bytes()].concat();
            // An option that this agent does not know is none that it needs.
            if line.len() <= LINE && !line.contains(&b'\n') {
                ignore_refusal(agent.request(&line, b""))?;
            }
        }
        Ok(agent)
    }

    /// Returns the result of the private-key operation of the key with this keygrip on `ciphertext`.
    /// Whoever is asked for a passphrase reads `description`.
    pub fn decrypt(
        &mut self,
        keygrip: &str,
        description: &str,
        ciphertext: &[u8],
    ) -> Result<Answer, AgentError> {
        // It stays set, and each line costs the way there and back.
        if self.key.as_deref() != Some(keygrip) {
            self.key = None;
            self.request(format!("SETKEY {keygrip}").as_bytes(), b"")?;
            self.key = Some(keygrip.to_owned());
        }
        self.request(&[b"SETKEYDESC ", plus_escape(description).as_slice()].concat(), b"")?;
        self.request(b"PKDECRYPT", ciphertext)
    }

    /// Returns what it knows of the key with this keygrip, if it says so.
    pub fn key_info(&mut self, keygrip: &str) -> Result<Option<KeyInfo>, AgentError> {
        Ok(self.request(format!("KEYINFO {keygrip}").as_bytes(), b"")?.info)
    }

    /// Returns how often it repeats a hash to derive a key from a passphrase.
    pub fn derivation(&mut self) -> Result<Option<u64>, AgentError> {
        let count = self.request(b"GETINFO s2k_count", b"")?.data;
        Ok(std::str::from_utf8(&count).ok().and_then(|count| count.trim().parse().ok()))
    }

    /// Sends a line, and returns the answer.
    fn request(&mut self, line: &[u8], ciphertext: &[u8]) -> Result<Answer, AgentError> {
        self.stream.write_all(&[line, b"\n"].concat())?;
        self.answer(ciphertext)
    }

    /// Reads an answer up to its end; hands `ciphertext` over where that is asked for.
    fn answer(&mut self, ciphertext: &[u8]) -> Result<Answer, AgentError> {
        let mut answer =
            Answer { data: Zeroizing::new(Vec::with_capacity(ANSWER)), padding: None, info: None };
        loop {
            let line = self.line()?;
            let (keyword, rest) = match line.iter().position(|b| *b == b' ') {
                Some(blank) => (&line[..blank], &line[blank + 1..]),
                None => (line.as_slice(), &b""[..]),
            };
            match keyword {
                b"OK" => return Ok(answer),
                b"ERR" => return Err(error(rest)),
                b"D" => {
                    let data =
                        Zeroizing::new(crate::crypto::gpgconf::unescape(rest).ok_or(AgentError::Garbage)?);
                    // Within its capacity: growing would leave a copy behind.
                    if answer.data.len() + data.len() > ANSWER {
                        return Err(AgentError::Garbage);
                    }
                    answer.data.extend_from_slice(&data);
                }
                b"S" => {
                    let text = String::from_utf8_lossy(rest);
                    if let Some(padding) = text.strip_prefix("PADDING ") {
                        answer.padding = Some(padding.trim().parse().map_err(|_| AgentError::Garbage)?);
                    } else if let Some(info) = text.strip_prefix("KEYINFO ") {
                        answer.info = KeyInfo::parse(info);
                    }
                }
                b"INQUIRE" => self.tell(rest, ciphertext)?,
                keyword if keyword.starts_with(b"#") => {}
                _ => return Err(AgentError::Garbage),
            }
        }
    }

    /// Answers a question of the agent's.
    fn tell(&mut self, question: &[u8], ciphertext: &[u8]) -> Result<(), AgentError> {
        let keyword = question.split(|b| *b == b' ').next().unwrap_or_default();
        let mut lines = Vec::new();
        match keyword {
            b"CIPHERTEXT" => {
                for piece in ciphertext.chunks((LINE - 2) / 3) {
                    lines.extend([b"D ", escape(piece).as_slice(), b"\n"].concat());
                }
                lines.extend(b"END\n");
            }
            b"PINENTRY_LAUNCHED" => lines.extend(b"END\n"),
            // Passphrases are pinentry's to ask for; other things we do not have.
            _ => lines.extend(b"CAN\n"),
        }
        Ok(self.stream.write_all(&lines)?)
    }

    /// Reads a line, without its end.
    fn line(&mut self) -> Result<Zeroizing<Vec<u8>>, AgentError> {
        loop {
            if let Some(end) = self.buffer[..self.filled].iter().position(|b| *b == b'\n') {
                let line = Zeroizing::new(self.buffer[..end].to_vec());
                self.buffer.copy_within(end + 1..self.filled, 0);
                self.filled -= end + 1;
                return Ok(line);
            }
            if self.filled == self.buffer.len() {
                return Err(AgentError::Garbage);
            }
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Takes a refusal for an answer.
fn ignore_refusal(answer: Result<Answer, AgentError>) -> Result<(), AgentError> {
    match answer {
        Ok(_) | Err(AgentError::Refused(_) | AgentError::Cancelled) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads the code behind `ERR`.
fn error(rest: &[u8]) -> AgentError {
    let code =
        rest.split(|b| *b == b' ').next().and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
    match code {
        // The upper bits name the program that the error comes from.
        Some(code) if is_cancellation(code) => AgentError::Cancelled,
        Some(code) => AgentError::Refused(code),
        None => AgentError::Garbage,
    }
}

/// Whether a GnuPG error code says that somebody was asked for a passphrase and did not give it.
pub fn is_cancellation(code: u32) -> bool {
    REFUSED_BY_PERSON.contains(&(code & 0xffff))
}

/// Escapes bytes for a data line: every one, since most of them need it.
fn escape(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect()
}

/// Escapes text for a command's argument: blanks become `+`.
fn plus_escape(text: &str) -> Vec<u8> {
    let escape = |byte: u8| match byte {
        b' ' => vec![b'+'],
        b'%' | b'+' | b'"' | 0..=31 | 127.. => format!("%{byte:02X}").into_bytes(),
        _ => vec![byte],
    };
    let mut escaped = Vec::new();
    for byte in text.bytes() {
        let next = escape(byte);
        // Cut within a line's length, as gpg does; a description is for people.
        if escaped.len() + next.len() > LINE - 20 {
            break;
        }
        escaped.extend(next);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;

    /// Returns what comes of a decryption by an agent that says `script`, and what it heard.
    fn talk(script: &[u8]) -> (Result<Answer, AgentError>, String) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("S");
        let listener = UnixListener::bind(&socket).unwrap();
        let script = script.to_vec();
        let agent = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.write_all(&script);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut heard = String::new();
            let _ = stream.read_to_string(&mut heard);
            heard
        });
        let session = [("ttyname".to_owned(), OsString::from("/dev/pts/1"))];
        let result = Agent::connect(&socket, &session)
            .and_then(|mut agent| agent.decrypt("ABCD", "Ünlock \"it\", 100%", b"(c)"));
        (result, agent.join().unwrap())
    }

    #[test]
    fn asks_as_the_protocol_has_it() {
        let (answer, heard) = talk(
            b"OK hello\nERR 67109115 Unknown option\nOK\n# note\nOK\nS INQUIRE_MAXLEN 4096\nINQUIRE CIPHERTEXT\n\
              INQUIRE PINENTRY_LAUNCHED 7 curses\nINQUIRE PASSPHRASE\nS PADDING 0\nD a%25b\nD c\nOK\n",
        );
        let answer = answer.unwrap();
        assert_eq!(*answer.data, b"a%bc");
        assert_eq!(answer.padding, Some(0));
        assert_eq!(
            heard,
            "OPTION ttyname=/dev/pts/1\nSETKEY ABCD\nSETKEYDESC %C3%9Cnlock+%22it%22,+100%25\nPKDECRYPT\n\
             D %28%63%29\nEND\nEND\nCAN\n"
        );
    }

    #[test]
    fn sets_a_key_once() {
        let (mut theirs, ours) = UnixStream::pair().unwrap();
        theirs.write_all(&b"OK\n".repeat(9)).unwrap();
        let mut agent = Agent::begin(ours, &[]).unwrap();
        for keygrip in ["AB", "AB", "CD"] {
            agent.decrypt(keygrip, "x", b"").unwrap();
        }
        drop(agent);
        let mut heard = String::new();
        theirs.read_to_string(&mut heard).unwrap();
        let lines: Vec<&str> = heard.lines().filter(|line| line.starts_with("SETKEY ")).collect();
        assert_eq!(lines, ["SETKEY AB", "SETKEY CD"]);
    }

    #[test]
    fn tells_a_cancellation_from_all_else() {
        for code in ["83886179", "67108963", "83886278", "67108875"] {
            let (answer, _) = talk(format!("OK\nOK\nOK\nOK\nERR {code} x <Pinentry>\n").as_bytes());
            assert!(matches!(answer, Err(AgentError::Cancelled)), "{code}");
        }
        let (answer, _) = talk(b"OK\nOK\nERR 67108881 No secret key <GPG Agent>\n");
        assert!(matches!(answer, Err(AgentError::Refused(67_108_881))));
    }

    #[test]
    fn bears_an_agent_that_dies_or_talks_nonsense() {
        for script in ["", "OK\n", "OK\nOK\nOK\nOK\nD half", "OK\nOK\nOK\nOK\nD %4"] {
            let (answer, _) = talk(script.as_bytes());
            assert!(matches!(answer, Err(AgentError::Io(_))), "{script}");
        }
        let endless = format!("OK\nOK\nOK\nOK\n{}OK\n", format!("D {}\n", "x".repeat(900)).repeat(10));
        let long = format!("OK\nOK\nOK\nOK\nD {}\nOK\n", "x".repeat(1100));
        for script in [
            "OK\nOK\nOK\nOK\nD %4\nOK\n",
            "HTTP/1.1 400\n",
            "OK\nERR x\n",
            "OK\nOK\nOK\nOK\nS PADDING x\n",
            &endless,
            &long,
        ] {
            let (answer, _) = talk(script.as_bytes());
            assert!(matches!(answer, Err(AgentError::Garbage | AgentError::Io(_))), "{script}");
        }
        assert!(matches!(Agent::connect(Path::new("/nonexistent/S"), &[]), Err(AgentError::Io(_))));
    }

    #[test]
    fn keeps_lines_short() {
        assert!(plus_escape(&"ü".repeat(1000)).len() < LINE);
    }

    proptest::proptest! {
        #[test]
        fn never_panics_whatever_the_agent_says(
            lines in proptest::collection::vec("(OK|ERR|D|S|INQUIRE|S PADDING|INQUIRE CIPHERTEXT|#)?[ -~]{0,20}", 0..6),
            rest: Vec<u8>,
        ) {
            let (mut theirs, ours) = UnixStream::pair().unwrap();
            theirs.write_all(format!("OK\n{}\n", lines.join("\n")).as_bytes()).unwrap();
            theirs.write_all(&rest).unwrap();
            theirs.shutdown(std::net::Shutdown::Write).unwrap();
            if let Ok(mut agent) = Agent::begin(ours, &[]) {
                let _ = agent.decrypt("ABCD", "x", b"(c)").is_ok();
            }
        }
    }
}
