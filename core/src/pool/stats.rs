//! Numbers of a pool.

use super::Reason;

/// What a pool has and has done. Counters wrap around, in practice never.
///
/// `total` is `idle + lent + dialling + resetting + checking + closing`; and as many dials as were begun
/// have failed, were closed or are in `total`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stats {
    /// Connections now, of any sort.
    pub total: u16,
    /// Those that can be lent.
    pub idle: u16,
    /// Those in use.
    pub lent: u16,
    /// Those that are being opened.
    pub dialling: u16,
    /// Those that were returned and are not in order yet.
    pub resetting: u16,
    /// Those that were asked for a sign of life.
    pub checking: u16,
    /// Those whose [`Close`](super::Action::Close) is not told yet.
    pub closing: u16,
    /// Callers in the line.
    pub waiting: u16,
    /// Callers who were lent a connection at once.
    pub hits: u64,
    /// Callers who were not: they had to wait, or were refused.
    pub misses: u64,
    /// Callers who had to wait.
    pub waits: u64,
    /// How long all of them have waited together, in microseconds; without those who still do.
    pub wait_time: u64,
    /// Callers who have waited too long.
    pub timeouts: u64,
    /// Idle connections that were found dead: closed by the other side, or silent when asked.
    pub stale: u64,
    /// Dials that were begun.
    pub dials: u64,
    /// Dials that failed or took too long.
    pub dial_errors: u64,
    /// Connections that were closed, by [`Reason`]; dials included that were given up.
    pub closed_by: [u64; Reason::COUNT],
}

impl Stats {
    pub(super) const ZERO: Self = Self {
        total: 0,
        idle: 0,
        lent: 0,
        dialling: 0,
        resetting: 0,
        checking: 0,
        closing: 0,
        waiting: 0,
        hits: 0,
        misses: 0,
        waits: 0,
        wait_time: 0,
        timeouts: 0,
        stale: 0,
        dials: 0,
        dial_errors: 0,
        closed_by: [0; Reason::COUNT],
    };

    /// How many were closed for this reason.
    pub fn closed(&self, reason: Reason) -> u64 {
        self.closed_by.get(reason as usize).copied().unwrap_or(0)
    }

    pub(super) const fn count(counter: &mut u64) {
        *counter = counter.wrapping_add(1);
    }

    pub(super) fn count_closed(&mut self, reason: Reason) {
        if let Some(counter) = self.closed_by.get_mut(reason as usize) {
            Self::count(counter);
        }
    }
}
