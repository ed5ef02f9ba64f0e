//! Random numbers from a seed that is printed: `LUXWIRE_SEED` repeats a run.

use std::{
    env,
    time::{SystemTime, UNIX_EPOCH},
};

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(purpose: &str) -> Self {
        let seed = match env::var("LUXWIRE_SEED") {
            Ok(seed) => seed.parse().expect("LUXWIRE_SEED is a number"),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64,
        };
        println!("{purpose}: LUXWIRE_SEED={seed}");
        Self(seed)
    }

    /// From 0 to `bound - 1`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % u64::from(bound)) as u32
    }
}
