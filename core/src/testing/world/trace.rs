//! What happened, in order: a running hash of it always, the words only if somebody will read them.

use alloc::collections::VecDeque;
use alloc::string::String;
use core::fmt;

use crate::random::mix;

/// The trace of one run.
#[derive(Debug)]
pub(super) struct Trace {
    hash: u64,
    notes: u64,
    /// How many of the last lines are kept.
    keep: usize,
    lines: VecDeque<String>,
}

impl Trace {
    pub(super) const fn new(keep: usize) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, notes: 0, keep, lines: VecDeque::new() }
    }

    /// Notes that `who` did `what` at `now`, with two numbers that say more.
    pub(super) fn note(&mut self, now: u64, who: Who, what: &'static str, a: u64, b: u64) {
        let (kind, number) = match who {
            Who::World => (0, 0),
            Who::Client(n) => (1, n),
            Who::Line(n) => (2, n),
        };
        // What is said in words differs by its length and its start; that is enough to tell runs apart.
        let word = what.bytes().next().unwrap_or(0);
        for n in [now, kind << 32 | number as u64, u64::from(word) << 32 | what.len() as u64, a, b] {
            self.hash = mix(self.hash ^ n).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.notes += 1;
        if self.keep > 0 {
            self.line(now, who, format_args!("{what} {a} {b}"));
        }
    }

    /// More words for a reader; not part of the hash.
    pub(super) fn say(&mut self, now: u64, who: Who, words: fmt::Arguments<'_>) {
        if self.keep > 0 {
            self.line(now, who, words);
        }
    }

    #[cold]
    fn line(&mut self, now: u64, who: Who, words: fmt::Arguments<'_>) {
        if self.lines.len() >= self.keep {
            self.lines.pop_front();
        }
        let ms = now % EPOCH;
        self.lines.push_back(alloc::format!("{:>7}.{:03} ms  {who}  {words}", ms / 1000, ms % 1000));
    }

    pub(super) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn into_lines(self) -> VecDeque<String> {
        self.lines
    }
}

/// When worlds begin, in microseconds: 31 years after the epoch, so that clocks can jump back.
pub(super) const EPOCH: u64 = 1_000_000_000_000_000;

/// Who does something.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    World,
    Client(usize),
    Line(usize),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World => f.write_str("world   "),
            Self::Client(n) => write!(f, "client {n}"),
            Self::Line(n) => write!(f, "line {n:<3}"),
        }
    }
}
