//! How much is asked at once, and how long to wait after a refusal.

use crate::time::Duration;

/// What a [`Registry`](super::Registry) is told when it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// So many names go into one command, at least one. Sharded channels go one by one, since those of several
    /// slots must not stand together, and so does a name that was refused.
    pub batch: u16,
    /// So many bytes of names go into one command, if there is more than one.
    pub batch_bytes: u32,
    /// The longest wait after the first refusal of a name; twice as long after each one more. How long it is,
    /// chance decides. At most an hour, as the next.
    pub retry_base: Duration,
    /// The longest wait of all.
    pub retry_cap: Duration,
    /// Where chance starts, and what names are hashed with.
    pub seed: u64,
}

impl Config {
    /// 32 names or 4 KiB at once; refused names again after 100 ms to 30 s.
    pub const DEFAULT: Self = Self {
        batch: 32,
        batch_bytes: 4096,
        retry_base: Duration::from_millis(100),
        retry_cap: Duration::from_secs(30),
        seed: 0,
    };

    /// The longest wait after the `n`th refusal, from 1, in microseconds.
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
