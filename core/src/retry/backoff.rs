//! How long to wait before trying again.

use core::fmt;

use crate::random::Random;
use crate::time::{Duration, Instant};

/// Waits that grow from a base to a cap, each by chance: the *n*-th is anything from nothing to `base · 2ⁿ`, but no more
/// than `cap`. So those who failed together do not come back together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Backoff {
    /// In microseconds.
    base: u64,
    cap: u64,
}

/// The cap is shorter than the base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BackoffError;

impl Backoff {
    /// From one second to five.
    pub const DEFAULT: Self = Self { base: 1_000_000, cap: 5_000_000 };

    /// Fails if `cap` is shorter than `base`.
    pub const fn new(base: Duration, cap: Duration) -> Result<Self, BackoffError> {
        let (base, cap) = (micros(base), micros(cap));
        if cap < base { Err(BackoffError) } else { Ok(Self { base, cap }) }
    }

    /// The longest that the `n`-th wait can be, counted from 0.
    pub const fn longest(&self, n: u32) -> Duration {
        Duration::from_micros(self.bound(n))
    }

    /// When the `n`-th wait is over, counted from 0, if it starts `now`.
    pub fn until(&self, n: u32, now: Instant, random: &mut Random) -> Instant {
        let wait = random.between(0, self.bound(n));
        Instant::from_micros(now.as_micros().saturating_add(wait))
    }

    const fn bound(&self, n: u32) -> u64 {
        match self.base {
            0 => 0,
            base if n <= base.leading_zeros() && base << n < self.cap => base << n,
            _ => self.cap,
        }
    }
}

impl Default for Backoff {
    /// [`Backoff::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Up to 584 000 years.
pub(super) const fn micros(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1_000_000).saturating_add(span.subsec_micros() as u64)
}

impl fmt::Display for BackoffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("max_retry_backoff is shorter than retry_delay")
    }
}

impl core::error::Error for BackoffError {}

/// The longest wait before the `n`th retry, from 1, for machines that count in 32 bits of microseconds: an hour at
/// most.
pub(crate) fn longest_wait(base: Duration, cap: Duration, n: u8) -> u32 {
    let within_an_hour = |span: Duration| match u32::try_from(span.as_secs()) {
        Ok(secs) if secs < 3600 => secs * 1_000_000 + span.subsec_micros(),
        _ => 3_600_000_000,
    };
    let (base, cap, times) = (within_an_hour(base), within_an_hour(cap), u32::from(n.saturating_sub(1)));
    match base {
        0 => 0,
        _ if times <= base.leading_zeros() => cap.min(base << times),
        _ => cap,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// S0-OPT-10: the n-th delay is in [0, min(base · 2ⁿ, cap)], and fills it.
    #[test]
    fn backoff() {
        let backoff = Backoff::new(ms(1000), ms(5000)).unwrap();
        assert_eq!(backoff, Backoff::default());
        let (mut random, now) = (Random::new(3), Instant::from_millis(7));
        for (n, longest) in
            [(0, 1000), (1, 2000), (2, 4000), (3, 5000), (4, 5000), (63, 5000), (64, 5000), (u32::MAX, 5000)]
        {
            assert_eq!(backoff.longest(n), ms(longest), "{n}");
            // An interpreter takes its time, and then they need not fill it.
            let count = if cfg!(miri) { 20 } else { 1000 };
            let waits = (0..count).map(|_| backoff.until(n, now, &mut random).saturating_since(now));
            let (least, most) = waits.fold((Duration::MAX, Duration::ZERO), |(least, most), wait| {
                assert!(wait <= ms(longest), "{n}: {wait:?}");
                (least.min(wait), most.max(wait))
            });
            let filled = least < ms(longest / 50) && most > ms(longest - longest / 50);
            assert!(cfg!(miri) || filled, "{n}: {least:?} {most:?}");
        }
    }

    /// S0-OPT-11: the cap holds for any base, and is never below it.
    #[test]
    fn backoff_cap() {
        assert_eq!(Backoff::new(ms(1000), ms(500)), Err(BackoffError));
        assert_eq!(BackoffError.to_string(), "max_retry_backoff is shorter than retry_delay");
        assert!(Backoff::new(ms(1000), ms(1000)).is_ok());
        let huge = Backoff::new(ms(1), Duration::MAX).unwrap();
        assert_eq!(huge.longest(10), ms(1024));
        assert_eq!(huge.longest(64).as_micros(), u64::MAX.into());
        let now = Instant::MAX;
        assert_eq!(huge.until(64, now, &mut Random::new(1)), Instant::MAX);
        let none = Backoff::new(Duration::ZERO, ms(5)).unwrap();
        assert_eq!([0, 63, 64, 65, u32::MAX].map(|n| none.longest(n)), [Duration::ZERO; 5]);
        let odd = Backoff::new(Duration::from_micros(3), Duration::MAX).unwrap();
        assert_eq!(odd.longest(62).as_micros(), 3 << 62);
        assert_eq!(odd.longest(63).as_micros(), u64::MAX.into());
    }
}
