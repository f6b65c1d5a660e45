//! What hooks are told. Names, sizes and times; no argument, no reply.

use core::fmt;

use super::outcome::{DialOutcome, Fate, Kind, Outcome, Phase, Refusal};
use crate::command::Command;
use crate::config::Address;
use crate::pool::Id;
use crate::time::{Duration, Instant};

/// A connection that is dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dial<'a> {
    /// Where to.
    pub address: Address<'a>,
    /// Which attempt this is since one has succeeded, from 1.
    pub attempt: u32,
}

/// How a dial went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DialEnd<'a> {
    /// How it ended.
    pub outcome: DialOutcome<'a>,
    /// When it began.
    pub started: Instant,
}

/// An attempt to have a command executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt<'a> {
    /// The row of the command.
    pub command: &'static Command,
    /// How many keys it has; 0 if nobody counted.
    pub keys: u32,
    /// Bytes of the request.
    pub bytes: u64,
    /// The server it is for.
    pub address: Address<'a>,
    /// The database there.
    pub db: u16,
    /// Which attempt this is, from 1.
    pub number: u16,
    /// How many there may be.
    pub most: u16,
    /// What its caller calls it, to tell it from others of the same command.
    pub label: Option<&'static str>,
}

/// How an attempt went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct End<'a> {
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// When what happened.
    pub times: Times,
    /// Bytes of the answer.
    pub bytes: u64,
    /// The connection that it was on, if it came to one.
    pub connection: Option<Id>,
}

/// The stations of a request. One that it never reached has the time of its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Times {
    /// It was handed over.
    pub submitted: Instant,
    /// Its first byte was sent.
    pub started: Instant,
    /// Its last byte was sent.
    pub written: Instant,
    /// Its answer was whole, or it was given up.
    pub ended: Instant,
}

/// Several commands that are sent together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Batch {
    /// How many.
    pub commands: u32,
    /// Bytes of all of them; 0 where nobody knows before they are sent.
    pub bytes: u64,
    /// What their caller calls them.
    pub label: Option<&'static str>,
}

/// How several commands went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BatchEnd {
    /// How each of them ended, added up.
    pub tally: Tally,
    /// When the first was handed over.
    pub started: Instant,
}

/// A transaction, from `MULTI` to `EXEC`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Transaction {
    /// Commands between the two.
    pub commands: u32,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Whether keys are watched.
    pub watching: bool,
    /// What its caller calls it.
    pub label: Option<&'static str>,
}

/// How a transaction went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TransactionEnd {
    /// How it ended.
    pub fate: Fate,
    /// How each of its commands ended, added up.
    pub tally: Tally,
    /// When `MULTI` was handed over.
    pub started: Instant,
}

/// How several commands ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Tally {
    /// With a value.
    pub answered: u32,
    /// With an error of the server.
    pub errors: u32,
    /// Without an answer.
    pub failed: u32,
    /// Bytes of all answers.
    pub bytes: u64,
}

impl Tally {
    /// Adds one more.
    pub const fn add(&mut self, end: &End<'_>) {
        self.count(end.outcome, end.bytes);
    }

    pub(crate) const fn count(&mut self, outcome: Outcome<'_>, bytes: u64) {
        let counter = match outcome {
            Outcome::Answered => &mut self.answered,
            Outcome::Error(_) => &mut self.errors,
            _ => &mut self.failed,
        };
        *counter = counter.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl Times {
    /// Everything at once: what never left.
    pub const fn at(now: Instant) -> Self {
        Self { submitted: now, started: now, written: now, ended: now }
    }

    /// How long it waited to be sent.
    pub const fn queued(&self) -> Duration {
        self.started.saturating_since(self.submitted)
    }

    /// How long it took to be sent.
    pub const fn writing(&self) -> Duration {
        self.written.saturating_since(self.started)
    }

    /// How long its answer took.
    pub const fn answering(&self) -> Duration {
        self.ended.saturating_since(self.written)
    }

    /// How long all of it took.
    pub const fn total(&self) -> Duration {
        self.ended.saturating_since(self.submitted)
    }

    /// The same in microseconds, which takes no division.
    pub const fn total_micros(&self) -> u64 {
        self.ended.as_micros().saturating_sub(self.submitted.as_micros())
    }
}

impl End<'_> {
    /// What a hook refused.
    pub(super) const fn refused(now: Instant, refusal: Refusal) -> Self {
        Self { outcome: Outcome::Refused(refusal), times: Times::at(now), bytes: 0, connection: None }
    }
}

/// An attempt and its end in one line, with all that helps to find the cause: command, keys, label, server, database,
/// attempt, time, and what it waited for.
///
/// ```text
/// GET of 1 key for checkout at db.example:6379/3, attempt 2 of 4, after 130 ms: read_timeout, waiting for its answer
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report<'r> {
    /// What was tried.
    pub attempt: &'r Attempt<'r>,
    /// How it ended.
    pub end: &'r End<'r>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attempt { command, keys, address, db, number, most, label, .. } = self.attempt;
        for (at, word) in command.words.iter().enumerate() {
            write!(f, "{}{word}", if at == 0 { "" } else { " " })?;
        }
        f.write_str(if command.words.is_empty() { "a command" } else { "" })?;
        match keys {
            0 => {}
            1 => f.write_str(" of 1 key")?,
            keys => write!(f, " of {keys} keys")?,
        }
        if let Some(label) = label {
            write!(f, " for {label}")?;
        }
        let micros = self.end.times.total_micros();
        write!(f, " at {address}/{db}, attempt {number} of {most}, after ")?;
        match micros {
            0..10_000 => write!(f, "{micros} us")?,
            _ => write!(f, "{} ms", micros / 1000)?,
        }
        write!(f, ": {}", Kind::from(self.end.outcome).name())?;
        f.write_str(match self.end.outcome.phase() {
            None => "",
            Some(Phase::Pool) => ", waiting for a connection",
            Some(Phase::Write) => ", waiting to be sent",
            Some(Phase::Read) => ", waiting for its answer",
        })
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Report<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", defmt::Display2Format(self));
    }
}
