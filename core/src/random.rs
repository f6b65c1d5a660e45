//! Numbers that look like chance and are not: the same seed gives the same ones for ever.

/// A generator of 64-bit numbers: a counter in large steps, its bits mixed (splitmix64). Not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts at `seed`. Seeds beside each other have nothing in common.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `end`; 0 if `end` is.
    pub const fn below(&mut self, end: u64) -> u64 {
        ((self.bits() as u128 * end as u128) >> 64) as u64
    }

    /// A number from `first` to `last`.
    pub const fn between(&mut self, first: u64, last: u64) -> u64 {
        first.saturating_add(self.below(last.saturating_sub(first).saturating_add(1)))
    }

    /// A length from 1 to `most`, short ones more often; 0 if there is none.
    pub fn piece(&mut self, most: usize) -> usize {
        let most = if self.one_in(2) { most.min(4) } else { most };
        self.below(most as u64) as usize + usize::from(most > 0)
    }

    /// True once in `n` times.
    pub const fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// The bits of `x` mixed: numbers beside each other have nothing in common.
pub(crate) const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_range_and_fill_it() {
        let mut random = Random::new(7);
        let mut seen = [0; 5];
        for _ in 0..1000 {
            seen[random.below(5) as usize] += 1;
            assert!((3..=9).contains(&random.between(3, 9)));
            assert!((1..=6).contains(&random.piece(6)));
        }
        assert!(seen.iter().all(|&n| n > 100), "{seen:?}");
        assert_eq!((random.below(0), random.piece(0)), (0, 0));
    }

    #[test]
    fn a_seed_always_gives_the_same() {
        let mut random = Random::new(0);
        assert_eq!([random.bits(), random.bits()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }
}
