//! Times in buckets that grow with them.

use core::fmt;

use crate::time::Duration;

/// How often which time was taken, to within a sixteenth of it, from a microsecond to two minutes.
///
/// ```text
/// µs   0  1 … 15 | 16-17 … 30-31 | 32-35 … 60-63 | … | up to 134 s | beyond
///      1 wide    | 8, 2 wide     | 8, 4 wide     |   |             | one for all
/// ```
/// Below 16 µs every microsecond has a bucket; from there on every doubling has eight. It has 800 bytes and a few
/// more; a counter that is full stays full.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Histogram {
    buckets: [u32; BUCKETS],
    sum: u64,
    max: u64,
}

/// Each doubling has so many buckets, as a power of two.
const FINE: u32 = 3;
/// The first time, as a power of two of microseconds, that has no bucket of its own.
const END: u32 = 27;
const BUCKETS: usize = (((END - FINE + 1) << FINE) + 1) as usize;

/// Times that were counted together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bucket {
    /// The shortest, in microseconds.
    pub first: u64,
    /// The longest, in microseconds.
    pub last: u64,
    /// How many there were.
    pub count: u32,
}

impl Histogram {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { buckets: [0; BUCKETS], sum: 0, max: 0 }
    }

    /// Counts a time.
    pub const fn record(&mut self, time: Duration) {
        let micros = time.as_secs().saturating_mul(1_000_000);
        self.record_micros(micros.saturating_add(time.subsec_micros() as u64));
    }

    /// Counts a time in microseconds.
    #[inline]
    pub const fn record_micros(&mut self, micros: u64) {
        if let Some((_, at)) = self.buckets.split_at_mut_checked(bucket_of(micros))
            && let Some(counter) = at.first_mut()
        {
            *counter = counter.saturating_add(1);
        }
        self.sum = self.sum.saturating_add(micros);
        if micros > self.max {
            self.max = micros;
        }
    }

    /// Adds all that another one has counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets) {
            *mine = mine.saturating_add(theirs);
        }
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// How many times were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().copied().map(u64::from).sum()
    }

    /// All times added up, in microseconds.
    pub const fn sum_micros(&self) -> u64 {
        self.sum
    }

    /// The longest time, exactly; `None` if there is none.
    pub fn max(&self) -> Option<Duration> {
        self.quantile(1000)
    }

    /// The time that half of them took at most.
    pub fn p50(&self) -> Option<Duration> {
        self.quantile(500)
    }

    /// The time that nine in ten of them took at most.
    pub fn p90(&self) -> Option<Duration> {
        self.quantile(900)
    }

    /// The time that 99 in a hundred of them took at most.
    pub fn p99(&self) -> Option<Duration> {
        self.quantile(990)
    }

    /// The time that so many of them took at most, in thousandths; `None` if there is none at all. Off by no more
    /// than a sixteenth, unless it is longer than two minutes: then it is the longest of all.
    pub fn quantile(&self, permille: u16) -> Option<Duration> {
        let count = self.count();
        let rank = count.saturating_mul(permille.min(1000).into()).div_ceil(1000).max(1);
        let mut seen = 0;
        let bucket = self.buckets().find(|bucket| {
            seen += u64::from(bucket.count);
            seen >= rank
        })?;
        let middle = bucket.first + (bucket.last - bucket.first).div_ceil(2);
        let exact = rank == count || bucket.last == u64::MAX;
        Some(Duration::from_micros(if exact { self.max } else { middle.min(self.max) }))
    }

    /// The buckets that have counted something, shortest times first.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        let edges = (0..).map(first_of);
        self.buckets.iter().zip(edges.clone().zip(edges.skip(1))).filter(|(count, _)| **count > 0).map(
            |(&count, (first, next))| Bucket {
                first,
                last: if first >= 1 << END { u64::MAX } else { next - 1 },
                count,
            },
        )
    }
}

/// Which bucket counts it.
#[inline]
const fn bucket_of(micros: u64) -> usize {
    if micros >= 1 << END {
        return BUCKETS - 1;
    }
    // At most 2^27, so that small processors have half the work.
    let micros = micros as u32;
    let doublings = (micros >> FINE).checked_ilog2();
    match doublings {
        None => micros as usize,
        Some(doublings) => ((doublings << FINE) + (micros >> doublings)) as usize,
    }
}

/// The shortest time of a bucket.
const fn first_of(bucket: u64) -> u64 {
    let doublings = (bucket >> FINE).saturating_sub(1);
    (bucket - (doublings << FINE)) << doublings
}

impl Default for Histogram {
    /// [`Histogram::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count())
            .field("p50", &self.p50())
            .field("p90", &self.p90())
            .field("p99", &self.p99())
            .field("max", &self.max())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_starts_where_the_last_one_ends() {
        for bucket in 0..BUCKETS as u64 {
            let first = first_of(bucket);
            assert_eq!(bucket_of(first) as u64, bucket);
            assert!(first == 0 || bucket_of(first - 1) as u64 == bucket - 1);
        }
        assert_eq!(first_of(BUCKETS as u64 - 1), 1 << END);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        assert!(size_of::<Histogram>() <= 824);
    }
}
