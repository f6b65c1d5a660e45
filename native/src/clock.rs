//! The process' monotonic clock, as the core counts time.

use respire_core::time::{Duration, Instant};

/// Counts from the moment it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(std::time::Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn now(self) -> Instant {
        Instant::ZERO.saturating_add(self.0.elapsed())
    }
}

/// What is left of `limit` since `start`.
pub(crate) fn left(start: std::time::Instant, limit: Duration) -> Duration {
    limit.saturating_sub(start.elapsed())
}
