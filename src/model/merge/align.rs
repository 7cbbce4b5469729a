//! What a side made of the base: which units it kept, replaced, removed and inserted.

use std::ops::Range;

use super::units::Text;

/// The most insertions and removals that are looked for: beyond, people must decide. Their square bounds
/// memory (8 MiB), their product with the number of lines bounds time.
const MOST_CHANGES: usize = 2048;

/// Units of the base that a side replaced as one, or removed.
#[derive(Debug, Clone)]
pub struct Change {
    /// Those of the base; never empty.
    pub base: Range<usize>,
    /// What stands in their place; empty if they were removed.
    pub side: Range<usize>,
}

/// A side's changes.
#[derive(Debug)]
pub struct Alignment {
    changes: Vec<Change>,
    /// For each unit of the base, which change concerns it.
    at: Vec<Option<usize>>,
    /// What was inserted before each unit of the base, and at the end.
    pub inserts: Vec<Range<usize>>,
    /// Before which units nothing of the other side's can stand: what it would stand in is gone.
    pub closed: Vec<bool>,
}

impl Alignment {
    /// Returns what became of the unit `unit`; none if it was kept.
    pub fn of(&self, unit: usize) -> Option<&Change> {
        self.at[unit].map(|change| &self.changes[change])
    }

    fn change(&mut self, base: Range<usize>, side: Range<usize>) {
        self.at[base.clone()].fill(Some(self.changes.len()));
        self.changes.push(Change { base, side });
    }

    /// Notes that `side` stands where `base` stood, with nothing in common.
    fn differs(&mut self, text: &Text<'_>, base: Range<usize>, side: Range<usize>) {
        if base.is_empty() {
            if !side.is_empty() {
                self.inserts[base.start] = side;
            }
        } else if side.is_empty() {
            for unit in base.clone() {
                self.change(unit..unit + 1, side.clone());
                // Between lines of free text that both went, there is no place any more.
                let is_inside = unit > base.start && text.keys[unit].or(text.keys[unit - 1]).is_none();
                self.closed[unit] |= is_inside;
            }
        } else {
            self.closed[base.start + 1..base.end].fill(true);
            // With more lines than before, nobody can tell which of them were put before or behind.
            if side.len() > base.len() {
                self.closed[base.start] = true;
                self.closed[base.end] = true;
            }
            self.change(base, side);
        }
    }
}

/// Returns what `side` made of `base`; none if that is too much to look into.
pub fn align(base: &Text<'_>, side: &Text<'_>) -> Option<Alignment> {
    let length = base.units.len();
    let mut found = Alignment {
        changes: Vec::new(),
        at: vec![None; length],
        inserts: vec![0..0; length + 1],
        closed: vec![false; length + 1],
    };
    let kept = common(length, side.units.len(), |one, other| base.ids[one] == side.ids[other])?;
    for (gone, new) in between(&kept, length, side.units.len()) {
        // A field is matched with itself, whatever else was changed around it.
        let is_same_field = |one: usize, other: usize| {
            let key = base.keys[gone.start + one];
            key.is_some() && key == side.keys[new.start + other]
        };
        let fields = common(gone.len(), new.len(), is_same_field)?;
        let moved = |range: Range<usize>, by: usize| range.start + by..range.end + by;
        let rests = between(&fields, gone.len(), new.len());
        for (one, other) in rests {
            found.differs(base, moved(one, gone.start), moved(other, new.start));
        }
        for (one, other) in fields {
            let (one, other) = (one + gone.start, other + new.start);
            found.change(one..one + 1, other..other + 1);
        }
    }
    Some(found)
}

/// Returns what lies between matches, in both texts; never empty in both.
pub fn between(matches: &[(usize, usize)], one: usize, other: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let mut from = (0, 0);
    let mut gaps = Vec::new();
    for (a, b) in matches.iter().copied().chain([(one, other)]) {
        if (a, b) != from {
            gaps.push((from.0..a, from.1..b));
        }
        from = (a + 1, b + 1);
    }
    gaps
}

/// Returns a longest common subsequence of two sequences of these lengths, as pairs of places; none if they
/// differ in more than [`MOST_CHANGES`] places.
///
/// What both begin and end with is matched first: so one changed line is always just that, whatever equal
/// lines are around it. Then E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
pub fn common(one: usize, other: usize, same: impl Fn(usize, usize) -> bool) -> Option<Vec<(usize, usize)>> {
    let shorter = one.min(other);
    let start = (0..shorter).take_while(|at| same(*at, *at)).count();
    let end = (1..=shorter - start).take_while(|at| same(one - at, other - at)).count();
    let (width, height) = (one - start - end, other - start - end);
    let middle = myers(width, height, |a, b| same(start + a, start + b))?;
    let before = (0..start).map(|at| (at, at));
    let after = (0..end).rev().map(|at| (one - 1 - at, other - 1 - at));
    Some(before.chain(middle.into_iter().map(|(a, b)| (start + a, start + b))).chain(after).collect())
}

/// The furthest places reached with so many changes, for every other diagonal from the lowest to the highest.
/// On diagonal `k` lie the places (x, x - k). None where no place can be reached.
type Row = Vec<Option<u32>>;

/// Returns the place on diagonal `k` that is reached by one more change than those of `row`, which has
/// `changes`, and whether by leaving out a unit of the first sequence.
fn step(row: &Row, changes: isize, k: isize, width: isize, height: isize) -> Option<(isize, bool)> {
    let at = |k: isize| -> Option<isize> {
        let place = usize::try_from(k + changes).ok()? / 2;
        row.get(place).copied().flatten().map(|x| x as isize)
    };
    let right = at(k - 1).map(|x| x + 1).filter(|x| *x <= width);
    let down = at(k + 1).filter(|x| x - k <= height);
    match (right, down) {
        (Some(right), Some(down)) if down >= right => Some((down, false)),
        (Some(right), _) => Some((right, true)),
        (None, down) => down.map(|x| (x, false)),
    }
}

fn myers(width: usize, height: usize, same: impl Fn(usize, usize) -> bool) -> Option<Vec<(usize, usize)>> {
    if width == 0 || height == 0 {
        return Some(Vec::new());
    }
    let (wide, high) = (width as isize, height as isize);
    let mut rows: Vec<Row> = Vec::new();
    for changes in 0..=MOST_CHANGES.min(width + height) as isize {
        let mut row: Row = Vec::with_capacity(changes as usize + 1);
        for k in (-changes..=changes).step_by(2) {
            let from = match rows.last() {
                None => Some(0),
                Some(last) => step(last, changes - 1, k, wide, high).map(|(x, _)| x),
            };
            let reached = from.map(|mut x| {
                while x < wide && x - k < high && same(x as usize, (x - k) as usize) {
                    x += 1;
                }
                x
            });
            row.push(reached.map(|x| x as u32));
            if reached == Some(wide) && wide - k == high {
                return Some(traced(&rows, wide, high));
            }
        }
        rows.push(row);
    }
    None
}

/// Returns the matches on the way to the end, which one more change than `rows` have leads to.
fn traced(rows: &[Row], width: isize, height: isize) -> Vec<(usize, usize)> {
    let (mut x, mut y) = (width, height);
    let mut matches = Vec::new();
    for (changes, row) in rows.iter().enumerate().rev() {
        let k = x - y;
        let (from, right) = step(row, changes as isize, k, width, height).expect("this way was come");
        while x > from {
            (x, y) = (x - 1, y - 1);
            matches.push((x as usize, y as usize));
        }
        if right { x -= 1 } else { y -= 1 }
    }
    // Without any change, both went along together.
    while x > 0 {
        (x, y) = (x - 1, y - 1);
        matches.push((x as usize, y as usize));
    }
    matches.reverse();
    matches
}
