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
        Self(millis.saturating_mul(1000))
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
        let micros = match span.as_secs().checked_mul(1_000_000) {
            Some(micros) => micros.saturating_add(span.subsec_micros().into()),
            None => u64::MAX,
        };
        Self(self.0.saturating_add(micros))
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
        assert_eq!(Instant::ZERO.saturating_since(t), Duration::ZERO);
        assert_eq!(t.saturating_add(Duration::from_micros(7)).as_micros(), 5007);
    }
}
