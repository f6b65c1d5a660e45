//! Outcomes by kind: all of them, and those of late.

use crate::hook::Kind;
use crate::time::{Duration, Instant};

/// How often which [`Kind`] came, since the start and over a window that slides by one of `BUCKETS` pieces at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errors<const BUCKETS: usize = 10> {
    totals: [u64; Kind::COUNT],
    buckets: [[u32; Kind::COUNT]; BUCKETS],
    /// The bucket of now, and when it began.
    at: usize,
    started: Instant,
    /// How long each bucket is, in microseconds.
    width: u64,
}

/// What came of late.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recent {
    counts: [u64; Kind::COUNT],
    /// How long "of late" is: from one piece less than the window to all of it.
    pub span: Duration,
}

impl<const BUCKETS: usize> Errors<BUCKETS> {
    /// Nothing yet; the window has `BUCKETS` pieces of this width each.
    pub const fn new(width: Duration) -> Self {
        let width = width.as_secs().saturating_mul(1_000_000).saturating_add(width.subsec_micros() as u64);
        Self {
            totals: [0; Kind::COUNT],
            buckets: [[0; Kind::COUNT]; BUCKETS],
            at: 0,
            started: Instant::ZERO,
            width: if width == 0 { 1 } else { width },
        }
    }

    /// Counts one more.
    pub fn record(&mut self, now: Instant, kind: Kind) {
        self.advance(now);
        if let Some(total) = self.totals.get_mut(kind as usize) {
            *total = total.saturating_add(1);
        }
        if let Some(counter) = self.buckets.get_mut(self.at).and_then(|bucket| bucket.get_mut(kind as usize))
        {
            *counter = counter.saturating_add(1);
        }
    }

    /// How many there were since the start.
    pub fn total(&self, kind: Kind) -> u64 {
        self.totals.get(kind as usize).copied().unwrap_or_default()
    }

    /// What came of late.
    pub fn recent(&self, now: Instant) -> Recent {
        let mut current = *self;
        current.advance(now);
        let mut counts = [0; Kind::COUNT];
        for bucket in &current.buckets {
            for (sum, count) in counts.iter_mut().zip(bucket) {
                *sum += u64::from(*count);
            }
        }
        let before = self.width.saturating_mul(BUCKETS.saturating_sub(1) as u64);
        let inside = now.as_micros().saturating_sub(current.started.as_micros());
        Recent { counts, span: Duration::from_micros(before.saturating_add(inside)) }
    }

    /// Leaves behind what is too old. Time that goes backwards stands still.
    fn advance(&mut self, now: Instant) {
        for _ in 0..BUCKETS {
            let Some(start) =
                self.started.as_micros().checked_add(self.width).filter(|&start| start <= now.as_micros())
            else {
                return;
            };
            self.started = Instant::from_micros(start);
            self.at = if self.at + 1 < BUCKETS { self.at + 1 } else { 0 };
            if let Some(bucket) = self.buckets.get_mut(self.at) {
                *bucket = [0; Kind::COUNT];
            }
        }
        // Nothing for a whole window: it starts anew.
        self.started = self.started.max(now);
    }
}

impl Recent {
    /// How many there were of a kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(kind as usize).copied().unwrap_or_default()
    }

    /// How many there were altogether.
    pub fn all(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many of them were errors.
    pub fn errors(&self) -> u64 {
        self.all() - self.count(Kind::Answered)
    }

    /// How many of a thousand were errors; 0 if there were none at all.
    pub fn permille(&self) -> u16 {
        let permille = (self.errors() * 1000).checked_div(self.all()).unwrap_or_default();
        u16::try_from(permille).unwrap_or(1000)
    }
}
