//! The names of an item, and what becomes of it.

use core::fmt;

use crate::conn::{Failure, Token};
use crate::error::{Misuse, ServerError};
use crate::resp::Reply;

/// The name of an item from its push to its result. Not used again for as many items as addresses can count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ticket(pub(super) usize);

impl Ticket {
    /// How many items were pushed before this one.
    pub const fn number(self) -> usize {
        self.0
    }
}

/// An item that goes out: its ticket, and for how many times. What is said of an earlier time is not taken for
/// what is said of this one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Item {
    number: usize,
    attempts: u8,
}

impl Item {
    pub(super) const fn new(number: usize, attempts: u8) -> Self {
        Self { number, attempts }
    }

    /// Which item it is.
    pub const fn ticket(self) -> Ticket {
        Ticket(self.number)
    }

    /// How often it was sent before.
    pub const fn attempts(self) -> u8 {
        self.attempts
    }

    /// The token to submit it with.
    pub const fn token(self) -> Token {
        Token((self.number as u64) << 8 | self.attempts as u64)
    }

    /// The item that was submitted with this token.
    pub const fn from_token(token: Token) -> Self {
        Self { number: (token.0 >> 8) as usize, attempts: token.0 as u8 }
    }
}

/// What the connection said of an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Outcome<'a> {
    /// It was answered, by anything but an error.
    Value,
    /// The server said no.
    Error(ServerError<'a>),
    /// There is no answer.
    Failed(Failure),
}

impl<'a> Outcome<'a> {
    /// That of an answer.
    pub fn of(reply: Reply<'a>) -> Self {
        reply.error().map_or(Self::Value, Self::Error)
    }
}

impl From<Failure> for Outcome<'_> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What becomes of an answer that was passed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "it says whether to keep the answer"]
pub enum Verdict {
    /// The item is resolved, and its result waits to be polled: keep the answer for it.
    Told,
    /// It will be sent again: this is not its answer.
    Again,
    /// It was cancelled: nobody wants the answer.
    Unwanted,
    /// Nothing of this name is in flight. Nothing has changed.
    Stale,
}

/// What a cancelled item had come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Cancelled {
    /// It was never handed out, and never will be.
    Dropped,
    /// It was handed out: it may have been executed, or still be. It is not sent again.
    Sent,
    /// It was resolved, and its result is dropped.
    Resolved,
}

/// How an item ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Value<'a> {
    /// By an answer, which was the caller's when it was passed on.
    Answered,
    /// By an error, as much of its text as the request was long, 255 bytes at most.
    Error(ServerError<'a>),
    /// Without an answer. `NotSent` and `Expired` mean that it was never executed.
    Failed(Failure),
    /// It was not executed, and could not be sent again in time: an item behind it, of the same key or of
    /// one that is not known, has been answered.
    Overtaken,
}

/// A result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Resolved<'a> {
    /// Whose.
    pub ticket: Ticket,
    /// The batch that it was in, the last one if it was in several. `None` if it was in none.
    pub batch: Option<u32>,
    /// Its place there, from 0.
    pub index: u32,
    /// How often it was sent again.
    pub retries: u8,
    /// Before the last time there was one whose outcome nobody knows: it may have been executed then, too.
    pub doubtful: bool,
    /// How it ended.
    pub result: Value<'a>,
}

/// An item of a batch that has no good answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct BatchError<'a> {
    /// Whose.
    pub ticket: Ticket,
    /// Its place in the batch, from 0.
    pub index: u32,
    /// What is wrong.
    pub error: ItemError<'a>,
}

/// Why an item has no good answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ItemError<'a> {
    /// [`Value::Error`].
    Server(ServerError<'a>),
    /// [`Value::Failed`].
    Failed(Failure),
    /// [`Value::Overtaken`].
    Overtaken,
}

impl<'a> Resolved<'a> {
    /// The same as an error, if it is one.
    pub const fn error(self) -> Option<BatchError<'a>> {
        let error = match self.result {
            Value::Answered => return None,
            Value::Error(error) => ItemError::Server(error),
            Value::Failed(failure) => ItemError::Failed(failure),
            Value::Overtaken => ItemError::Overtaken,
        };
        Some(BatchError { ticket: self.ticket, index: self.index, error })
    }
}

impl fmt::Display for BatchError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {}: ", self.index)?;
        match self.error {
            ItemError::Server(error) => error.fmt(f),
            ItemError::Failed(failure) => failure.fmt(f),
            ItemError::Overtaken => f.write_str("it was not executed, and a later item was"),
        }
    }
}

impl core::error::Error for BatchError<'_> {}

/// Why an item was not taken. The request is still the caller's, and nothing of it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refused {
    /// Every slot is taken. Try again once results were polled: what is here is flushed now.
    Items,
    /// The memory has no room for its bytes. As above.
    Bytes,
    /// It is larger than the memory.
    TooLarge,
    /// The bulk was closed.
    Closed,
    /// It changes its connection (`SELECT`, `MULTI`, `SUBSCRIBE`), which all items share.
    Effect,
    /// It breaks a rule.
    Misuse(Misuse),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Items => "every slot for an item is taken",
            Self::Bytes => "the memory for items is full",
            Self::TooLarge => "the item is larger than the memory for all items",
            Self::Closed => "the bulk is closed",
            Self::Effect => "the command changes the connection that all items share",
            Self::Misuse(misuse) => return misuse.fmt(f),
        })
    }
}

impl core::error::Error for Refused {}

impl From<Misuse> for Refused {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn who_is_refused_reads_why() {
        assert_eq!(Refused::Closed.to_string(), "the bulk is closed");
        assert_eq!(Refused::Misuse(Misuse::Empty).to_string(), Misuse::Empty.to_string());
    }
}
