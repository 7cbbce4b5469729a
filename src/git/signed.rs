//! Signatures of commits: what was signed, and with what.

use git2::{ObjectType, Oid};

use super::objects::RawCommit;
use super::{Repo, git_error};

/// The headers that hold signatures; whichever one is looked at, git leaves out both of what was signed.
const HEADERS: [&[u8]; 2] = [b"gpgsig ", b"gpgsig-sha256 "];

impl Repo {
    /// Returns the signature of a commit and the bytes that it was made of; none if the commit is not signed, or
    /// cannot be read. What git takes for its tree and parents is what was signed: a signature that was put between
    /// them would otherwise hide some.
    pub fn signed_parts(&self, commit: Oid) -> Option<(Vec<u8>, Vec<u8>)> {
        let odb = self.repo.odb().map_err(git_error("read a commit")).ok()?;
        let object = odb.read(commit).ok()?;
        (object.kind() == ObjectType::Commit).then(|| sound_parts(object.data())).flatten()
    }
}

/// The same where the bytes name the same tree and parents with their signature and without it.
fn sound_parts(commit: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (signature, signed) = parts(commit)?;
    let is_same = RawCommit::parse(commit)? == RawCommit::parse(&signed)?;
    is_same.then_some((signature, signed))
}

/// Whether a commit's bytes hold a signature.
pub fn is_signed(commit: &[u8]) -> bool {
    parts(commit).is_some()
}

/// Returns the signature in a commit's bytes, and the bytes without it, as git does it
/// (`parse_buffer_signed_by_header`): all lines of such a header, which go on in lines that begin with a blank.
fn parts(commit: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut signature, mut signed) = (Vec::new(), Vec::new());
    let mut rest = commit;
    // Whether the line before belongs to one of the headers.
    let mut within: Option<usize> = None;
    while !rest.is_empty() && rest[0] != b'\n' {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let begun = HEADERS.iter().position(|header| line.starts_with(header));
        let (header, text) = match (begun, within) {
            (Some(header), _) => (header, &line[HEADERS[header].len()..]),
            (None, Some(header)) if line[0] == b' ' => (header, &line[1..]),
            _ => {
                within = None;
                signed.extend_from_slice(line);
                continue;
            }
        };
        within = Some(header);
        if header == 0 {
            signature.extend_from_slice(text);
        }
    }
    signed.extend_from_slice(rest);
    (!signature.is_empty()).then_some((signature, signed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_signature_out_of_a_commit() {
        let commit =
            b"tree 1\nauthor A <a> 1 +0000\ngpgsig -----BEGIN\n \n abc\n -----END\ngpgsig-sha256 x\n y\n\
            encoding z\n w\n\ngpgsig no\n more\n";
        let (signature, signed) = parts(commit).unwrap();
        assert_eq!(signature, b"-----BEGIN\n\nabc\n-----END\n");
        assert_eq!(signed, b"tree 1\nauthor A <a> 1 +0000\nencoding z\n w\n\ngpgsig no\n more\n");
        assert!(!is_signed(b"tree 1\n\ngpgsig x\n"));
        assert!(!is_signed(b"tree 1\ngpgsig-sha256 x\n"));
    }

    #[test]
    fn a_signature_that_hides_a_parent_is_none() {
        let (one, other) = ("1".repeat(40), "2".repeat(40));
        let sound = format!("tree {one}\nparent {other}\nauthor A <a> 1 +0000\ngpgsig x\n\nm\n");
        assert!(sound_parts(sound.as_bytes()).is_some());
        let hidden = format!("tree {one}\ngpgsig x\nparent {other}\nauthor A <a> 1 +0000\n\nm\n");
        assert_eq!(parts(hidden.as_bytes()), parts(sound.as_bytes()), "the same was signed");
        assert!(sound_parts(hidden.as_bytes()).is_none());
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>) {
            let _ = parts(&bytes);
        }
    }
}
