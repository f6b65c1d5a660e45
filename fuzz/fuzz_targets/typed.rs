#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| respire_core::fuzzing::typed(data));
