//! Figures.

use crate::time::Instant;

/// What a [`Bulk`](super::Bulk) has done, and how full it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Stats {
    /// Items that were pushed.
    pub items: u64,
    /// Items that were refused, for whatever reason.
    pub refused: u64,
    /// Batches that were handed out.
    pub batches: u64,
    /// Items in them; one that is sent again counts again.
    pub sent: u64,
    /// Items that were put back to be sent again.
    pub retries: u64,
    /// Items that were resolved with an answer, be it an error.
    pub answered: u64,
    /// Items that were resolved without an answer.
    pub failed: u64,
    /// Items that were cancelled, whose results are dropped.
    pub dropped: u64,
    /// Calls with an earlier time than one before.
    pub clock_faults: u32,
    /// Items that are not sent, new ones and those that go again.
    pub queued: u32,
    /// Items in flight.
    pub in_flight: u32,
    /// Batches in flight.
    pub batches_in_flight: u8,
    /// Slots in use. Those of items that are done come back in the order of pushing.
    pub depth: u32,
    /// Bytes of the items whose slots are in use.
    pub bytes: usize,
    /// Items that were resolved in the last whole second.
    pub items_per_second: u32,
}

impl Stats {
    pub(super) const NONE: Self = Self {
        items: 0,
        refused: 0,
        batches: 0,
        sent: 0,
        retries: 0,
        answered: 0,
        failed: 0,
        dropped: 0,
        clock_faults: 0,
        queued: 0,
        in_flight: 0,
        batches_in_flight: 0,
        depth: 0,
        bytes: 0,
        items_per_second: 0,
    };

    /// How many items a batch has had on average, in hundredths.
    pub const fn mean_fill(&self) -> u64 {
        match self.sent.saturating_mul(100).checked_div(self.batches) {
            Some(mean) => mean,
            None => 0,
        }
    }
}

/// Events of this second and of the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    start: Instant,
    this: u32,
    last: u32,
}

impl Rate {
    pub(super) const NONE: Self = Self { start: Instant::ZERO, this: 0, last: 0 };

    /// One event.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn count(&mut self, now: Instant) {
        self.turn(now);
        self.this = self.this.saturating_add(1);
    }

    /// How many there were in the last second that is over.
    pub(super) fn per_second(mut self, now: Instant) -> u32 {
        self.turn(now);
        self.last
    }

    fn turn(&mut self, now: Instant) {
        match now.as_micros().saturating_sub(self.start.as_micros()) {
            0..SECOND => {}
            SECOND..TWO_SECONDS => {
                let start = Instant::from_micros(self.start.as_micros().saturating_add(SECOND));
                *self = Self { start, this: 0, last: self.this };
            }
            _ => *self = Self { start: now, ..Self::NONE },
        }
    }
}

const SECOND: u64 = 1_000_000;
const TWO_SECONDS: u64 = 2 * SECOND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_whole_second() {
        let mut rate = Rate::NONE;
        let at = Instant::from_millis;
        for n in 0..30 {
            rate.count(at(5000 + 100 * n));
        }
        assert_eq!(rate.per_second(at(7999)), 10);
        assert_eq!(rate.per_second(at(8000)), 10);
        assert_eq!(rate.per_second(at(8999)), 10);
        assert_eq!(rate.per_second(at(9000)), 0);
        rate.count(at(8999));
        assert_eq!(rate.per_second(at(9500)), 1);
    }

    #[test]
    fn a_mean_of_nothing_is_nothing() {
        assert_eq!(Stats::default().mean_fill(), 0);
        assert_eq!(Stats { sent: 2500, batches: 3, ..Stats::default() }.mean_fill(), 83_333);
    }
}
