//! The `passel` program: see the library for everything it does.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Wipes what is given back. Our own secrets wipe themselves anyway; this is for the copies that rPGP, the
/// inflater and others make on their way.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> std::process::ExitCode {
    passel::cli::main()
}
