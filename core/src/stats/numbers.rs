//! The hook that counts.

use super::{BY_ACCESS, Errors, Group, Histogram};
use crate::command::Command;
use crate::hook::{
    Attempt, Batch, BatchEnd, Dial, DialEnd, End, Fate, Hook, Kind, Outcome, Transaction, TransactionEnd,
};
use crate::time::{Duration, Instant};

/// Times by groups of commands, outcomes of requests and dials, and sums. It refuses nothing.
///
/// A time is that of one attempt, from when it was handed over until it was answered, failed or was given up. What
/// never came to a connection has none, and is counted with the outcomes only.
///
/// ```
/// use respire_core::hook::Hook;
/// use respire_core::stats::{Group, Members, Numbers};
/// use respire_core::time::Duration;
///
/// const GROUPS: &[Group; 2] = &[
///     Group { name: "lookup", members: Members::Commands(&["GET", "MGET"]) },
///     Group { name: "rest", members: Members::Any },
/// ];
/// // Outcomes over the last six times ten seconds.
/// let numbers = Numbers::<2, 6>::new(GROUPS, Duration::from_secs(10));
/// assert!(numbers.is_active());
/// assert_eq!(numbers.latency("lookup").unwrap().count(), 0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Numbers<const GROUPS: usize = 5, const BUCKETS: usize = 10> {
    groups: &'static [Group; GROUPS],
    latencies: [Histogram; GROUPS],
    requests: Errors<BUCKETS>,
    dials: Errors<BUCKETS>,
    counts: Counts,
}

/// Sums since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counts {
    /// Attempts that were not the first of their request.
    pub retries: u64,
    /// Bytes of requests that came to a connection.
    pub sent: u64,
    /// Bytes of answers.
    pub received: u64,
    /// Pipelines.
    pub pipelines: u64,
    /// Commands in them.
    pub pipelined: u64,
    /// Transactions.
    pub transactions: u64,
    /// Those that were aborted, because a watched key had changed.
    pub aborted: u64,
}

impl Numbers {
    /// Five groups [by access](BY_ACCESS), and outcomes over ten seconds.
    pub const DEFAULT: Self = Self::new(BY_ACCESS, Duration::from_secs(1));
}

impl Default for Numbers {
    /// [`Numbers::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl<const GROUPS: usize, const BUCKETS: usize> Numbers<GROUPS, BUCKETS> {
    /// Nothing yet. A command belongs to the first group that has it; one that belongs to none has no time.
    /// Outcomes are counted over a window of `BUCKETS` times this width.
    pub const fn new(groups: &'static [Group; GROUPS], width: Duration) -> Self {
        Self {
            groups,
            latencies: [Histogram::new(); GROUPS],
            requests: Errors::new(width),
            dials: Errors::new(width),
            counts: Counts {
                retries: 0,
                sent: 0,
                received: 0,
                pipelines: 0,
                pipelined: 0,
                transactions: 0,
                aborted: 0,
            },
        }
    }

    /// The times of a group, by its name.
    pub fn latency(&self, group: &str) -> Option<&Histogram> {
        self.latencies().find(|(found, _)| found.name == group).map(|(_, times)| times)
    }

    /// The times of each group.
    pub fn latencies(&self) -> impl Iterator<Item = (&'static Group, &Histogram)> {
        self.groups.iter().zip(&self.latencies)
    }

    /// The times of all groups together.
    pub fn all_latencies(&self) -> Histogram {
        let mut all = Histogram::new();
        self.latencies.iter().for_each(|times| all.merge(times));
        all
    }

    /// Outcomes of attempts.
    pub const fn requests(&self) -> &Errors<BUCKETS> {
        &self.requests
    }

    /// Outcomes of dials.
    pub const fn dials(&self) -> &Errors<BUCKETS> {
        &self.dials
    }

    /// Sums.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn times_of(&mut self, command: &Command) -> Option<&mut Histogram> {
        let mut pairs = self.groups.iter().zip(&mut self.latencies);
        pairs.find(|(group, _)| group.has(command)).map(|(_, times)| times)
    }
}

impl<const GROUPS: usize, const BUCKETS: usize> Hook for Numbers<GROUPS, BUCKETS> {
    fn after_dial(&mut self, now: Instant, _: &Dial<'_>, end: &DialEnd<'_>) {
        self.dials.record(now, end.outcome.into());
    }

    fn after_command(&mut self, now: Instant, attempt: &Attempt<'_>, end: &End<'_>) {
        self.requests.record(now, Kind::from(end.outcome));
        self.counts.retries += u64::from(attempt.number > 1);
        if matches!(end.outcome, Outcome::Unsent(_) | Outcome::Refused(_)) {
            return;
        }
        self.counts.sent = self.counts.sent.saturating_add(attempt.bytes);
        self.counts.received = self.counts.received.saturating_add(end.bytes);
        if let Some(times) = self.times_of(attempt.command) {
            times.record_micros(end.times.total_micros());
        }
    }

    fn after_pipeline(&mut self, _: Instant, batch: &Batch, _: &BatchEnd) {
        self.counts.pipelines += 1;
        self.counts.pipelined += u64::from(batch.commands);
    }

    fn after_transaction(&mut self, _: Instant, _: &Transaction, end: &TransactionEnd) {
        self.counts.transactions += 1;
        self.counts.aborted += u64::from(end.fate == Fate::Aborted);
    }
}
