//! Git, through git2: commits, trees, refs. The only folder naming git2.
