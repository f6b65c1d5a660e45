//! How large batches become, how long they wait, and what is sent again.

use crate::command::Retry;
use crate::time::Duration;

/// What a [`Bulk`](super::Bulk) is told when it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Whether items are collected. Without, each is a batch of its own and goes at once.
    pub status: bool,
    /// So many items make a batch; 0 is taken for 1. Memory that is full makes one, too, whatever this says.
    pub batch_size: u32,
    /// So many bytes make a batch. A larger item goes alone.
    pub batch_bytes: u32,
    /// No item waits longer to be sent, if anything can be sent; zero: only for a full batch, a
    /// [flush](super::Bulk::flush) or the end.
    pub flush_interval: Duration,
    /// How often one item may be sent again.
    pub max_retries: u8,
    /// Whether a batch may go out while earlier ones are not answered.
    pub concurrent_flush: bool,
    /// How many batches may be in flight at once, if more than one: 1 to [`Config::MOST_BATCHES`].
    pub max_batches: u8,
    /// What may be executed twice: an item is sent again after its connection was lost if it is at most this.
    pub ceiling: Retry,
    /// The longest wait before an item goes again for the first time; twice as long each time after. How long it
    /// is, chance decides. At most an hour, as the next.
    pub retry_base: Duration,
    /// The longest wait of all.
    pub retry_cap: Duration,
    /// Where chance starts.
    pub seed: u64,
}

impl Config {
    /// How many batches can be in flight at once.
    pub const MOST_BATCHES: u8 = 8;

    /// Batches of 1000 items or 1 MiB, at most 5 seconds old, 4 in flight; 3 retries within 8 ms to a second.
    pub const DEFAULT: Self = Self {
        status: true,
        batch_size: 1000,
        batch_bytes: 1 << 20,
        flush_interval: Duration::from_secs(5),
        max_retries: 3,
        concurrent_flush: true,
        max_batches: 4,
        ceiling: Retry::LastWriteWins,
        retry_base: Duration::from_millis(8),
        retry_cap: Duration::from_secs(1),
        seed: 0,
    };

    /// How many items a batch has at most.
    pub(super) const fn items(&self) -> u32 {
        if self.status && self.batch_size > 0 { self.batch_size } else { 1 }
    }

    /// How many batches are in flight at most.
    pub(super) const fn batches(&self) -> u8 {
        match self.max_batches {
            0..=1 => 1,
            _ if !self.concurrent_flush => 1,
            most @ 2..=Self::MOST_BATCHES => most,
            _ => Self::MOST_BATCHES,
        }
    }

    /// The longest wait before the `n`th retry, from 1, in microseconds.
    pub(super) fn delay(&self, n: u8) -> u32 {
        crate::retry::longest_wait(self.retry_base, self.retry_cap, n)
    }
}

impl Default for Config {
    /// [`Config::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_taken_for_the_nearest_sense() {
        let config =
            |max_batches, concurrent_flush| Config { max_batches, concurrent_flush, ..Config::DEFAULT };
        assert_eq!(config(0, true).batches(), 1);
        assert_eq!(config(255, true).batches(), 8);
        assert_eq!(config(255, false).batches(), 1);
        assert_eq!(config(3, true).batches(), 3);
        let items = |batch_size, status| Config { batch_size, status, ..Config::DEFAULT }.items();
        assert_eq!((items(0, true), items(7, true), items(7, false)), (1, 7, 1));
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let delays = [1, 2, 3, 7, 8, 100, 255].map(|n| Config::DEFAULT.delay(n));
        assert_eq!(delays, [8_000, 16_000, 32_000, 512_000, 1_000_000, 1_000_000, 1_000_000]);
        let long = Config { retry_base: Duration::MAX, retry_cap: Duration::MAX, ..Config::DEFAULT };
        assert_eq!([long.delay(0), long.delay(1), long.delay(40)], [3_600_000_000; 3]);
        let none = Config { retry_base: Duration::ZERO, ..Config::DEFAULT };
        assert_eq!([1, 9, 32, 33, 34, 255].map(|n| none.delay(n)), [0; 6]);
        let least = Config { retry_base: Duration::from_micros(1), ..long };
        assert_eq!([31, 32, 33].map(|n| least.delay(n)), [1 << 30, 1 << 31, 3_600_000_000]);
        let both = |wait| Config { retry_base: wait, retry_cap: wait, ..long }.delay(1);
        let [hour, less] = [3600, 3599].map(Duration::from_secs);
        let half = Duration::from_millis(500);
        assert_eq!([both(hour), both(hour + half), both(2 * hour)], [3_600_000_000; 3]);
        assert_eq!(both(less + half), 3_599_500_000);
    }
}
