//! What is remembered of a history that was walked, as bytes.
//!
//! Format 1: the line `passel-arrivals 1`; the ids of all objects that are no commits; the commits that were
//! walked, each as its id and the list of its parents' ids; the paths of arrivals; the arrivals, each as the
//! numbers of its commit and its path, the id of the parent beside it (or zeros) and its mark; the SHA-256 of
//! all that. Lists and paths begin with their length; numbers have 32 bits, the low ones first. What a commit
//! brought never changes, and commits of whose parents or files some are missing are left out, so that nothing
//! in here can be outdated. What is damaged or of another format is as good as none.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::rc::Rc;

use git2::Oid;
use sha2::{Digest as _, Sha256};

use super::arrivals::Arrival;
use super::bytes::{Rest, number};
use super::objects::Parents;

const FIRST_LINE: &[u8] = b"passel-arrivals 1\n";

/// What is remembered of a history.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// Objects that are no commits, in the order of their ids.
    pub others: Vec<Oid>,
    /// Commits that were walked.
    pub commits: Parents,
    /// What they brought.
    pub arrivals: Vec<Arrival>,
}

impl Walked {
    /// Returns what these bytes tell; none if they are not what [`Walked::bytes`] returns.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (content, sum) = bytes.split_last_chunk::<32>()?;
        if Sha256::digest(content)[..] != *sum {
            return None;
        }
        let mut rest = Rest(content.strip_prefix(FIRST_LINE)?);
        let others = rest.list(Rest::id)?;
        let commits = rest.list(|rest| Some((rest.id()?, rest.list(Rest::id)?)))?;
        let paths = rest.list(Rest::path)?;
        let arrivals = rest.list(|rest| {
            let (commit, _) = commits.get(rest.number()?)?;
            let path = Rc::clone(paths.get(rest.number()?)?);
            let beside = Some(rest.id()?).filter(|id| !id.is_zero());
            Some(Arrival { mark: rest.take()?, path, commit: *commit, beside })
        })?;
        let commits = commits.into_iter().collect();
        rest.0.is_empty().then_some(Walked { others, commits, arrivals })
    }

    /// Returns the bytes that stand for it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut numbers: HashMap<&Path, usize> = HashMap::new();
        let mut paths: Vec<&Path> = Vec::new();
        for arrival in &self.arrivals {
            numbers.entry(&arrival.path).or_insert_with(|| {
                paths.push(&arrival.path);
                paths.len() - 1
            });
        }
        let commits: HashMap<Oid, usize> = self.commits.keys().copied().zip(0..).collect();
        let mut bytes = FIRST_LINE.to_vec();
        let ids = |bytes: &mut Vec<u8>, ids: &[Oid]| {
            bytes.extend(number(ids.len()));
            ids.iter().for_each(|id| bytes.extend(id.as_bytes()));
        };
        ids(&mut bytes, &self.others);
        bytes.extend(number(self.commits.len()));
        for (commit, parents) in &self.commits {
            bytes.extend(commit.as_bytes());
            ids(&mut bytes, parents);
        }
        bytes.extend(number(paths.len()));
        for path in paths {
            bytes.extend(number(path.as_os_str().len()));
            bytes.extend(path.as_os_str().as_bytes());
        }
        bytes.extend(number(self.arrivals.len()));
        for Arrival { mark, path, commit, beside } in &self.arrivals {
            bytes.extend(number(commits[commit]));
            bytes.extend(number(numbers[&**path]));
            bytes.extend(beside.as_ref().map_or(&[0; 20][..], Oid::as_bytes));
            bytes.extend(mark);
        }
        let sum = Sha256::digest(&bytes);
        bytes.extend(sum);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_write_and_read_and_nothing_else_does() {
        let id = |n: u8| Oid::from_bytes(&[n; 20]).unwrap();
        let path: Rc<Path> = Path::new("o d\u{e9}/x.gpg").into();
        let arrival = |commit, beside| Arrival { mark: [7; 32], path: Rc::clone(&path), commit, beside };
        let walked = Walked {
            others: vec![id(1), id(2)],
            commits: [(id(4), vec![id(5), id(3)]), (id(3), vec![])].into(),
            arrivals: vec![arrival(id(4), None), arrival(id(3), Some(id(9)))],
        };
        let bytes = walked.bytes();
        assert_eq!(Walked::parse(&bytes), Some(walked));
        for end in 0..bytes.len() {
            assert_eq!(Walked::parse(&bytes[..end]), None);
            let mut damaged = bytes.clone();
            damaged[end] ^= 1;
            assert_eq!(Walked::parse(&damaged), None);
        }
    }
}
