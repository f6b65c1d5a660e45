//! What is to be played, and what came of it.

use alloc::string::String;
use core::fmt;

use super::{Fault, Faults, Outcome};

/// What is to be played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Decides all that is left to chance.
    pub seed: u64,
    /// What is asked of the clients.
    pub mode: Mode,
    /// The faults that may happen; which of them do, and how often, the seed decides.
    pub faults: Faults,
    /// How many steps are played, each a turn of somebody.
    pub steps: u32,
}

/// What is asked of the clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Faults all the time: nothing that is told may be false.
    Safety,
    /// Faults stop after the last step: then every request must be resolved, and a new one answered.
    Liveness,
}

impl Options {
    /// All faults, 400 steps. Of four seeds one is for [`Mode::Liveness`].
    pub const fn new(seed: u64) -> Self {
        let mode = if seed % 4 == 3 { Mode::Liveness } else { Mode::Safety };
        Self { seed, mode, faults: Faults::ALL, steps: 400 }
    }
}

impl fmt::Display for Options {
    /// A line of Rust that plays the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, mode, faults, steps } = self;
        write!(
            f,
            "run(&Options {{ seed: {seed}, mode: Mode::{mode:?}, faults: Faults::from_bits({:#x}), steps: {steps} }})",
            faults.bits()
        )
    }
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// What was played.
    pub options: Options,
    /// Of everything that happened, in order.
    pub hash: u64,
    /// How many requests were taken.
    pub requests: u64,
    /// How many connections were made.
    pub connections: u64,
    /// How often each fault happened, in the order of [`Fault::ALL`].
    pub faults: [u32; Fault::ALL.len()],
    /// How often each outcome was told, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; Outcome::ALL.len()],
    /// What must not be, if anything: the first.
    pub wrong: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wrong {
            Some(wrong) => write!(f, "{}: {wrong}", self.options),
            None => write!(f, "{}: {} requests, nothing wrong", self.options, self.requests),
        }
    }
}
