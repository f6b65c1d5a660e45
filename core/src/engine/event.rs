//! What an engine tells.

use core::fmt;

use super::Lease;
use crate::command::Subscription;
use crate::conn::{Failure, SubmitError, Token};
use crate::hook;
use crate::pool;
use crate::pubsub;
use crate::resp::Reply;
use crate::retry::{CircuitOpen, Why};
use crate::time::Duration;

/// What has happened. What it lends is valid until the next call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Event<'e> {
    /// The answer to a request, an error perhaps.
    Reply {
        /// Its caller's.
        token: Token,
        /// What the server said.
        reply: Reply<'e>,
    },
    /// A request has no answer, and will not be tried again.
    Failed {
        /// Its caller's.
        token: Token,
        /// Why, and what is known of it.
        failed: Failed,
    },
    /// A connection for its caller's own use, until it is [released](super::Engine::release).
    Leased {
        /// Its caller's.
        token: Token,
        /// Its name.
        lease: Lease,
    },
    /// Something has happened to a [subscription](super::Engine::subscribe): before the first message behind it.
    Subscription(pubsub::Event<'e>),
    /// Something was published.
    Message {
        /// The subscription that it came for.
        id: pubsub::Id,
        /// Its kind.
        kind: Subscription,
        /// The pattern that matched; empty if it came for a channel.
        pattern: &'e [u8],
        /// Where it was published.
        channel: &'e [u8],
        /// What was published.
        payload: &'e [u8],
    },
    /// What else no request asked for, on a shared connection or where subscriptions are: keys have changed.
    Push(Reply<'e>),
}

/// How a request failed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Failed {
    /// What is known of the last attempt: whether it can have been executed.
    pub failure: Failure,
    /// Why there was not another; `None` if nothing that was sent could be kept.
    pub why: Option<Why>,
    /// Why it never came to a connection, if it did not.
    pub refused: Option<pool::Refusal>,
    /// How many attempts there were.
    pub attempts: u8,
    /// How long it took from when it was taken.
    pub elapsed: Duration,
}

/// Why a request was not taken. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Refused {
    /// The engine was closed.
    Closed,
    /// No room, or a rule was broken.
    Submit(SubmitError),
    /// No connection is to be had.
    Pool(pool::Refusal),
    /// The server has failed too often, and is left alone for a while.
    Circuit(CircuitOpen),
    /// It changes the state of its connection, or turns it into another: it needs a [lease](super::Engine::lease).
    NeedsLease,
    /// It is for a database that is none of [`Config::databases`](super::Config::databases).
    NoDatabase,
    /// A hook said no.
    Hook(hook::Refusal),
    /// No room for one more subscription.
    Subscription(pubsub::Refused),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(refused) = &self.refused {
            refused.fmt(f)?;
            if matches!(self.failure, Failure::NotSent | Failure::Expired) {
                return Ok(());
            }
            f.write_str("; before, ")?;
        }
        let what = match self.failure {
            Failure::NotSent => "it was not sent",
            Failure::Expired => "it was not sent in time",
            Failure::Unknown => "its connection was lost before the answer",
            Failure::TimedOut => "its answer took too long",
            Failure::TooLarge => "its answer was too large",
            Failure::TooDeep => "its answer was nested too deep",
        };
        write!(f, "{what}, {} attempts in {} ms", self.attempts, self.elapsed.as_millis())?;
        match self.why {
            Some(why) => write!(f, "; not tried again: {why}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Failed {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the client is closed"),
            Self::Submit(error) => error.fmt(f),
            Self::Pool(refusal) => refusal.fmt(f),
            Self::Circuit(open) => {
                let millis = open.retry_in.as_millis();
                write!(f, "the server has failed too often: it is left alone for {millis} ms")
            }
            Self::NeedsLease => f.write_str("the command needs a connection of its own"),
            Self::NoDatabase => f.write_str("there is no such database among those of the client"),
            Self::Subscription(refused) => refused.fmt(f),
            Self::Hook(hook::Refusal(code)) => write!(f, "a hook refused it (number {code})"),
        }
    }
}

impl core::error::Error for Refused {}

impl From<SubmitError> for Refused {
    fn from(error: SubmitError) -> Self {
        Self::Submit(error)
    }
}

impl From<pubsub::Refused> for Refused {
    fn from(refused: pubsub::Refused) -> Self {
        Self::Subscription(refused)
    }
}

impl From<pool::Refusal> for Refused {
    fn from(refusal: pool::Refusal) -> Self {
        if refusal == pool::Refusal::Closed { Self::Closed } else { Self::Pool(refusal) }
    }
}
