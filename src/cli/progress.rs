//! The progress bar of long work: on standard error, only if that is a terminal, and only once the work has
//! taken a while.

use std::cell::{Cell, RefCell};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ops::progress::Progress;

/// Work that ends sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(700);

/// A bar that appears when it is worth it.
#[derive(Default)]
pub struct Bar {
    begun: Cell<Option<Instant>>,
    done: Cell<u64>,
    shown: RefCell<Option<ProgressBar>>,
}

impl Progress for Bar {
    fn step(&self, total: usize) {
        self.done.set(self.done.get() + 1);
        let begun = self.begun.get().unwrap_or_else(Instant::now);
        self.begun.set(Some(begun));
        let mut shown = self.shown.borrow_mut();
        if shown.is_none() && begun.elapsed() >= PATIENCE && std::io::stderr().is_terminal() {
            *shown = Some(bar(total as u64));
        }
        if let Some(bar) = &*shown {
            bar.set_position(self.done.get());
        }
    }

    fn end(&self) {
        if let Some(bar) = self.shown.take() {
            bar.finish_and_clear();
        }
        self.begun.set(None);
        self.done.set(0);
    }
}

fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("encrypting anew {wide_bar} {pos}/{len} {eta}");
    bar.set_style(style.expect("the template is right"));
    bar
}
