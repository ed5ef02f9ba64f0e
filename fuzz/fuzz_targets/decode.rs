//! libFuzzer's door to [`luxwire_fuzz::decode`]; what is checked stands there.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luxwire_fuzz::decode(input));
