//! Messages: around their encrypted data, and inside.
#![no_main]

mod memory;

use libfuzzer_sys::fuzz_target;
use passel::crypto::fuzzing;

/// What is compressed may grow to 16 MiB, of which there are several copies for a moment.
const INFLATED: usize = 6 * (16 << 20);

fuzz_target!(|bytes: &[u8]| {
    memory::bounded((64 << 10) + 64 * bytes.len(), || fuzzing::framing(bytes));
    memory::bounded(INFLATED + 64 * bytes.len(), || fuzzing::content(bytes));
});
