//! What an engine has told, and what its driver has done.

use respire_core::command::Subscription;
use respire_core::conn::Token;
use respire_core::engine::{Failed, Lease};
use respire_core::pubsub::{Event, Happened};
use respire_core::resp::{Reply, Value};
use respire_core::time::Instant;

/// What somebody was told.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    /// The answer.
    Reply(Value),
    /// The answer is an error, whose text this is.
    Rejected(String),
    /// There is none.
    Failed(Failed),
    /// A connection of one's own.
    Leased(Lease),
}

/// Who was told what, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Whose request.
    pub token: Token,
    /// What became of it.
    pub told: Told,
    /// By the clock of [`EventLoop::now`](respire::EventLoop::now).
    pub at: Instant,
}

/// What was told of a subscription.
#[derive(Clone, PartialEq, Debug)]
pub enum News {
    /// Something has happened to it.
    Happened {
        /// What.
        happened: Happened,
        /// Its kind.
        kind: Subscription,
        /// Its channel or pattern.
        name: String,
    },
    /// Something was published.
    Message {
        /// The kind of the subscription that it came for.
        kind: Subscription,
        /// The pattern, or nothing.
        pattern: String,
        /// Where.
        channel: String,
        /// What.
        payload: String,
    },
}

impl News {
    pub(super) fn message(kind: Subscription, pattern: &[u8], channel: &[u8], payload: &[u8]) -> Self {
        Self::Message { kind, pattern: text(pattern), channel: text(channel), payload: text(payload) }
    }
}

impl From<Event<'_>> for News {
    fn from(event: Event<'_>) -> Self {
        Self::Happened { happened: event.happened, kind: event.kind, name: text(event.name) }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a driver has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Turns that were made.
    pub turns: u64,
    /// Dials that were begun.
    pub dials: u64,
    /// Writes that took something.
    pub writes: u64,
    /// Reads that brought something.
    pub reads: u64,
    /// Messages that nobody asked for.
    pub pushes: u64,
}

impl From<Reply<'_>> for Told {
    fn from(reply: Reply<'_>) -> Self {
        match reply.get() {
            Ok(value) => Self::Reply(value),
            Err(error) => {
                Self::Rejected(reply.error().map_or_else(|| error.to_string(), |error| error.to_string()))
            }
        }
    }
}
