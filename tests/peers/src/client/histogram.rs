//! How long things took: counted in steps of 3 %.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Times up to a minute, counted by any number of threads.
pub(crate) struct Histogram([AtomicU32; STEPS]);

/// Each power of two has as many steps.
const FINE: u64 = 32;
const FINE_BITS: u32 = FINE.trailing_zeros();
/// Nanoseconds up to 2^36.
const STEPS: usize = (FINE as usize) * (36 - FINE_BITS as usize + 1);

impl Histogram {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; STEPS])
    }

    /// Counts one.
    pub(crate) fn count(&self, time: Duration) {
        let step = step(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        self.0[step].fetch_add(1, Relaxed);
    }

    /// Microseconds in which that share of all was done; none if nothing was counted.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let counts = || self.0.iter().map(|count| u64::from(count.load(Relaxed)));
        let wanted = (share * counts().sum::<u64>() as f64).ceil() as u64;
        let mut seen = 0;
        let step = counts().position(|count| {
            seen += count;
            seen > 0 && seen >= wanted
        })?;
        Some(middle(step) / 1e3)
    }
}

fn step(ns: u64) -> usize {
    let power = ns.max(1).ilog2();
    if power < FINE_BITS {
        return ns as usize;
    }
    let above = power - FINE_BITS;
    let step = FINE * u64::from(above) + (ns >> above);
    (step as usize).min(STEPS - 1)
}

/// Nanoseconds in the middle of a step.
fn middle(step: usize) -> f64 {
    let step = step as u64;
    let above = (step / FINE).saturating_sub(1);
    let from = (step - FINE * above) << above;
    from as f64 + ((1_u64 << above) - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_known_within_3_percent() {
        for ns in (0..40_000).chain([1 << 20, 123_456_789, 50_000_000_000]) {
            let known = middle(step(ns));
            assert!((known - ns as f64).abs() <= 0.016 * ns as f64, "{ns}: {known}");
        }
        assert_eq!(step(u64::MAX), STEPS - 1);
    }

    #[test]
    fn quantiles_are_those_of_what_was_counted() {
        let histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), None);
        for us in 1..=1000 {
            histogram.count(Duration::from_micros(us));
        }
        for (share, us) in [(0.0, 1.0), (0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let told = histogram.quantile(share).unwrap();
            assert!((told - us).abs() <= 0.016 * us, "{share}: {told}");
        }
    }
}
