//! Recipients files (`.gpg-id`), parsed and written back byte for byte.

use std::collections::BTreeMap;

/// One recipient as a recipients file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpgIdLine {
    /// The line's number, from 1.
    pub number: usize,
    /// The text without comment and surrounding blanks: a fingerprint, key ID, user ID, e-mail
    /// address or group, possibly with a final `!`.
    pub id: String,
}

/// A recipients file.
///
/// pass reads such a file line by line, takes what stands before `#`, and skips empty lines; it loses a
/// last line that has no line break, and takes a carriage return for part of the name. Both would
/// encrypt to fewer keys than the file says, so here every line counts and `\r\n` ends a line as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpgId {
    bytes: Vec<u8>,
}

impl GpgId {
    /// Takes the bytes of a file.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        GpgId { bytes }
    }

    /// Returns the file that pass's `init` writes: each id as it was typed, one a line.
    pub fn from_ids<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        let mut bytes = Vec::new();
        for id in ids {
            bytes.extend_from_slice(id.as_bytes());
            bytes.push(b'\n');
        }
        GpgId { bytes }
    }

    /// Returns the file with one more recipient, in a line of its own at the end.
    pub fn with_id(&self, id: &str) -> Self {
        let mut bytes = self.bytes.clone();
        if bytes.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(id.as_bytes());
        bytes.push(b'\n');
        GpgId { bytes }
    }

    /// Returns the file without the lines of these numbers; all others stay as they are.
    pub fn without_lines(&self, numbers: &[usize]) -> Self {
        let lines = self.bytes.split_inclusive(|b| *b == b'\n').enumerate();
        let kept = lines.filter(|(index, _)| !numbers.contains(&(index + 1)));
        GpgId { bytes: kept.flat_map(|(_, line)| line).copied().collect() }
    }

    /// Returns the file with the recipients of some lines, by their numbers, named otherwise: the first new
    /// name takes the old one's place, further ones get lines of their own behind. Comments and all other
    /// lines stay as they are.
    pub fn renamed(&self, names: &BTreeMap<usize, Vec<String>>) -> Self {
        let mut bytes = Vec::new();
        for (index, line) in self.bytes.split_inclusive(|b| *b == b'\n').enumerate() {
            let Some([first, others @ ..]) = names.get(&(index + 1)).map(Vec::as_slice) else {
                bytes.extend_from_slice(line);
                continue;
            };
            let text = line.split(|b| *b == b'#').next().unwrap_or(line);
            let start = text.len() - text.trim_ascii_start().len();
            bytes.extend_from_slice(&line[..start]);
            bytes.extend_from_slice(first.as_bytes());
            bytes.extend_from_slice(&line[start + text.trim_ascii().len()..]);
            let end: &[u8] = if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
            if !others.is_empty() && !line.ends_with(b"\n") {
                bytes.extend_from_slice(end);
            }
            for name in others {
                bytes.extend_from_slice(name.as_bytes());
                bytes.extend_from_slice(end);
            }
        }
        GpgId { bytes }
    }

    /// Returns the bytes to write.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the recipients in the file's order.
    pub fn lines(&self) -> Vec<GpgIdLine> {
        let mut lines = Vec::new();
        for (index, line) in self.bytes.split(|b| *b == b'\n').enumerate() {
            let text = String::from_utf8_lossy(line);
            let id = text.split('#').next().unwrap_or("").trim();
            if !id.is_empty() {
                lines.push(GpgIdLine { number: index + 1, id: id.to_owned() });
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_recipients_otherwise_and_leaves_all_else() {
        let renamed = |text: &str, names: &[(usize, &[&str])]| {
            let names = names.iter().map(|(n, ids)| (*n, ids.iter().map(|id| (*id).to_owned()).collect()));
            let file = GpgId::from_bytes(text.into()).renamed(&names.collect());
            String::from_utf8(file.as_bytes().to_vec()).unwrap()
        };
        let text = "# team\n  bob@x\t# Bob\r\nAAAA\nus#all";
        assert_eq!(renamed(text, &[]), text);
        assert_eq!(renamed(text, &[(2, &["B!"])]), "# team\n  B!\t# Bob\r\nAAAA\nus#all");
        assert_eq!(renamed(text, &[(2, &["B", "C"])]), "# team\n  B\t# Bob\r\nC\r\nAAAA\nus#all");
        assert_eq!(renamed(text, &[(4, &["D", "E"])]), "# team\n  bob@x\t# Bob\r\nAAAA\nD#all\nE\n");
    }

    fn ids(text: &str) -> Vec<(usize, String)> {
        GpgId::from_bytes(text.into()).lines().into_iter().map(|l| (l.number, l.id)).collect()
    }

    #[test]
    fn reads_what_pass_reads_and_what_it_loses() {
        assert_eq!(
            ids("# team\nAAAA # Ann\r\n\n  bob@example.org\t\nCCCC!"),
            [(2, "AAAA".into()), (4, "bob@example.org".into()), (5, "CCCC!".into())]
        );
    }

    #[test]
    fn edits_leave_other_lines_as_they_are() {
        let file = GpgId::from_bytes(b"# team\r\nAAAA # Ann\n\nBBBB".to_vec());
        assert_eq!(file.with_id("CCCC").as_bytes(), b"# team\r\nAAAA # Ann\n\nBBBB\nCCCC\n");
        assert_eq!(file.without_lines(&[2]).as_bytes(), b"# team\r\n\nBBBB");
        assert_eq!(file.without_lines(&[4]).with_id("C").as_bytes(), b"# team\r\nAAAA # Ann\n\nC\n");
        assert_eq!(GpgId::from_bytes(Vec::new()).with_id("A").as_bytes(), b"A\n");
    }

    proptest::proptest! {
        #[test]
        fn survives_parse_and_write(bytes: Vec<u8>) {
            let file = GpgId::from_bytes(bytes.clone());
            let _ = file.lines();
            assert_eq!(file.as_bytes(), bytes);
        }

        #[test]
        fn lists_what_init_writes(ids in proptest::collection::vec("[A-F0-9]{40}!?", 0..5)) {
            let file = GpgId::from_ids(ids.iter().map(String::as_str));
            let read: Vec<String> = file.lines().into_iter().map(|l| l.id).collect();
            assert_eq!(read, ids);
        }
    }
}
