//! Which commits come before which.

use std::collections::HashMap;

use git2::Oid;

use super::objects::Parents;

/// The commits of a repository, numbered so that each comes after its parents.
#[derive(Debug)]
pub struct Graph {
    numbers: HashMap<Oid, usize>,
    /// The numbers of each commit's parents, as far as they are here.
    parents: Vec<Vec<usize>>,
}

impl Graph {
    pub(super) fn new(commits: &Parents) -> Self {
        let order = parents_first(commits);
        let numbers: HashMap<Oid, usize> = order.iter().copied().zip(0..).collect();
        let parents = order.iter().map(|id| commits[id].iter().filter_map(|id| numbers.get(id).copied()));
        Graph { parents: parents.map(Iterator::collect).collect(), numbers }
    }

    /// Returns the number of a commit; none if it is not here.
    pub(super) fn number(&self, commit: Oid) -> Option<usize> {
        self.numbers.get(&commit).copied()
    }

    /// Whether `ancestor` is `commit` or one of its ancestors.
    pub fn holds(&self, commit: Oid, ancestor: Oid) -> bool {
        let (Some(commit), Some(ancestor)) = (self.number(commit), self.number(ancestor)) else {
            return commit == ancestor;
        };
        // What has a lower number cannot come after it.
        let mut seen = vec![false; (commit + 1).saturating_sub(ancestor)];
        let mut open = vec![commit];
        while let Some(number) = open.pop() {
            if number < ancestor || std::mem::replace(&mut seen[number - ancestor], true) {
                continue;
            }
            if number == ancestor {
                return true;
            }
            open.extend(&self.parents[number]);
        }
        false
    }
}

/// Returns all commits, each after its parents.
fn parents_first(parents: &Parents) -> Vec<Oid> {
    let mut children: HashMap<Oid, usize> = parents.keys().map(|id| (*id, 0)).collect();
    for parent in parents.values().flatten() {
        children.entry(*parent).and_modify(|count| *count += 1);
    }
    let mut ready: Vec<Oid> = children.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
    // The same order each time.
    ready.sort_unstable();
    let mut found = Vec::with_capacity(parents.len());
    while let Some(id) = ready.pop() {
        found.push(id);
        for parent in &parents[&id] {
            if let Some(count) = children.get_mut(parent) {
                *count -= 1;
                if *count == 0 {
                    ready.push(*parent);
                }
            }
        }
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> Oid {
        Oid::from_bytes(&[number; 20]).unwrap()
    }

    /// 9 is not here; 1 is the root, 5 a second child of 2 on no branch; 2 is named twice by 4.
    fn commits() -> Parents {
        [(1, vec![9]), (2, vec![1]), (3, vec![2]), (4, vec![3, 2, 2]), (5, vec![2])]
            .map(|(child, parents)| (id(child), parents.into_iter().map(id).collect()))
            .into()
    }

    #[test]
    fn every_commit_comes_after_its_parents() {
        let order = parents_first(&commits());
        let place = |n: u8| order.iter().position(|found| *found == id(n)).unwrap();
        assert_eq!(order.len(), 5);
        assert!(place(4) > place(3) && place(3) > place(2) && place(5) > place(2) && place(2) > place(1));
    }

    #[test]
    fn a_commit_holds_itself_and_all_before_it() {
        let graph = Graph::new(&commits());
        let held = |n| (1..=9).filter(|m| graph.holds(id(n), id(*m))).collect::<Vec<u8>>();
        assert_eq!([held(1), held(2), held(3)], [vec![1], vec![1, 2], vec![1, 2, 3]]);
        assert_eq!([held(4), held(5), held(9)], [vec![1, 2, 3, 4], vec![1, 2, 5], vec![9]]);
    }
}
