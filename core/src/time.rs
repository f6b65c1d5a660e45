//! Time as an argument: the core never reads a clock.
//!
//! A driver passes an [`Instant`] of its own monotonic clock to every call that needs one. Only
//! differences matter, so the epoch is the driver's choice: boot, process start, or zero in a test.

pub use core::time::Duration;

/// A point on the driver's monotonic clock, in microseconds since an epoch of its choice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// The driver's epoch.
    pub const ZERO: Self = Self(0);
    /// The latest instant, 584 000 years after the epoch: a deadline that never comes.
    pub const MAX: Self = Self(u64::MAX);

    /// `micros` microseconds after the epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// `millis` milliseconds after the epoch, or [`Instant::MAX`].
    pub const fn from_millis(millis: u64) -> Self {
        // Not `saturating_mul`, which is a long routine where registers are short.
        Self(if millis > u64::MAX / 1000 { u64::MAX } else { millis * 1000 })
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// This instant and `span` more; never wraps.
    #[must_use]
    // Small processors have no 128 bits, nor a place for this at every call.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub fn saturating_add(self, span: Duration) -> Self {
        const MOST: u64 = u64::MAX / 1_000_000 - 1;
        if span.as_secs() > MOST {
            return Self::MAX;
        }
        Self(self.0.saturating_add(span.as_secs() * 1_000_000 + u64::from(span.subsec_micros())))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_saturate_at_both_ends() {
        let t = Instant::from_millis(5);
        assert_eq!(t.saturating_add(Duration::MAX), Instant::MAX);
        assert_eq!(t.saturating_add(Duration::from_micros(u64::MAX)), Instant::MAX);
        let long = Duration::from_secs(u64::MAX / 1_000_000 - 1);
        assert_eq!(Instant::ZERO.saturating_add(long).as_micros(), long.as_secs() * 1_000_000);
        assert_eq!(Instant::ZERO.saturating_since(t), Duration::ZERO);
        assert_eq!(t.saturating_add(Duration::from_micros(7)).as_micros(), 5007);
    }
}
