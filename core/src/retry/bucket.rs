//! So many a second, and a few at once.

use crate::time::Instant;

/// A token bucket: `burst` at once, `rate` a second in the long run. One for each endpoint keeps dials from being a storm.
///
/// Time that goes backwards is no time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bucket {
    rate: u16,
    burst: u16,
    /// In millionths of a token.
    level: u64,
    at: Instant,
}

/// A token in the unit of the level: so much as a rate of one gives in a second of microseconds.
const TOKEN: u64 = 1_000_000;

/// Twelve days: whoever waits for longer finds it full, at any rate. So nothing overflows below.
const LONG: u64 = 1 << 40;

impl Bucket {
    /// It is full at first. A `rate` of 0 never gives more than the first `burst`; a `burst` of 0 gives nothing.
    pub const fn new(rate: u16, burst: u16) -> Self {
        Self { rate, burst, level: burst as u64 * TOKEN, at: Instant::ZERO }
    }

    /// Takes one; if there is none, when there will be: [`Instant::MAX`] for never.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        self.refill(now);
        if let Some(level) = self.level.checked_sub(TOKEN) {
            self.level = level;
            return Ok(());
        }
        if self.rate == 0 || self.burst == 0 {
            return Err(Instant::MAX);
        }
        // Less than a token is missing, which is less than 32 bits.
        let missing = (TOKEN - self.level) as u32;
        let wait = missing.div_ceil(self.rate.into());
        Err(Instant::from_micros(self.at.as_micros().saturating_add(wait.into())))
    }

    /// How many could be taken at once.
    pub fn available(&mut self, now: Instant) -> u16 {
        self.refill(now);
        let mut count = 0_u16;
        let mut level = self.level;
        while let Some(rest) = level.checked_sub(TOKEN) {
            (level, count) = (rest, count.saturating_add(1));
        }
        count
    }

    fn refill(&mut self, now: Instant) {
        let now = now.max(self.at);
        let passed = (now.as_micros() - self.at.as_micros()).min(LONG);
        self.at = now;
        let full = u64::from(self.burst) * TOKEN;
        self.level = (self.level + passed * u64::from(self.rate)).min(full);
    }
}

impl Default for Bucket {
    /// Ten a second, ten at once.
    fn default() -> Self {
        Self::new(10, 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &mut Bucket, now: Instant) -> usize {
        (0..1000).take_while(|_| bucket.take(now).is_ok()).count()
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut bucket = Bucket::new(4, 3);
        let t = Instant::from_millis;
        assert_eq!(taken(&mut bucket, t(5)), 3);
        assert_eq!(bucket.take(t(5)), Err(t(255)));
        assert_eq!(bucket.take(t(254)), Err(t(255)));
        assert_eq!(bucket.take(t(255)), Ok(()));
        assert_eq!(bucket.take(t(255)), Err(t(505)));
        // It does not hold more than its burst, and time does not go backwards.
        assert_eq!(taken(&mut bucket, t(100_000)), 3);
        assert_eq!(bucket.take(t(0)), Err(t(100_250)));
        assert_eq!(bucket.available(t(100_499)), 1);
        assert_eq!(taken(&mut bucket, Instant::MAX), 3);
        assert_eq!(bucket.take(Instant::MAX), Err(Instant::MAX));
    }

    #[test]
    fn without_a_rate_or_a_burst_there_is_an_end() {
        let mut bucket = Bucket::new(0, 2);
        assert_eq!(taken(&mut bucket, Instant::ZERO), 2);
        assert_eq!(bucket.take(Instant::MAX), Err(Instant::MAX));
        assert_eq!(Bucket::new(9, 0).take(Instant::MAX), Err(Instant::MAX));
        // A third of a second is not a whole number of microseconds.
        let mut thirds = Bucket::new(3, 1);
        assert_eq!(thirds.take(Instant::ZERO), Ok(()));
        let at = thirds.take(Instant::ZERO).unwrap_err();
        assert_eq!(at, Instant::from_micros(333_334));
        assert_eq!(thirds.take(at), Ok(()));
    }
}
