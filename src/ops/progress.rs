//! How far long work has come.

/// Is told of long work.
pub trait Progress {
    /// One more step of `total` is done.
    fn step(&self, total: usize);

    /// All is done, or given up.
    fn end(&self);
}

/// Tells nobody.
#[derive(Debug)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _total: usize) {}

    fn end(&self) {}
}
