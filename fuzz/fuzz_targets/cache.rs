//! The file of remembered session keys.
#![no_main]

mod memory;

use libfuzzer_sys::fuzz_target;
use passel::crypto::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    memory::bounded((64 << 10) + 64 * bytes.len(), || fuzzing::cache(bytes));
});
