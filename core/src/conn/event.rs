//! What a connection has to say.

use core::fmt;

use super::{CloseReason, Protocol};
use crate::error::{Full, Misuse};
use crate::resp::Reply;

/// The caller's name for a request. The connection keeps no map: it hands the token back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Token(pub u64);

/// Something that happened. What it lends is valid until the next call on the connection.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Event<'a> {
    /// The handshake is done; requests may be submitted.
    Ready {
        /// The version that both sides speak.
        protocol: Protocol,
    },
    /// The answer to a request, whole: a value or the server's error.
    Reply {
        /// Which request.
        token: Token,
        /// The answer.
        reply: Reply<'a>,
    },
    /// A part of the string that answers a [`chunked`](crate::command::chunked) request: all of it
    /// that is here.
    Chunk {
        /// Which request.
        token: Token,
        /// The next bytes of the string. Empty only in the last chunk.
        bytes: &'a [u8],
        /// How many bytes follow in later chunks; `None` if the server does not say, as with a
        /// streamed string. `Some(0)` is the last chunk, and resolves the request.
        left: Option<u64>,
    },
    /// Something that the server sent on its own account: a message, an invalidation, the
    /// confirmation of a subscription, a line of MONITOR. In RESP2 it is an array.
    Push(Reply<'a>),
    /// A push was larger than the receive buffer; it is gone, the stream is in step.
    PushTooLarge,
    /// A request that will have no answer.
    Failed {
        /// Which request.
        token: Token,
        /// What is known about it.
        failure: Failure,
    },
    /// The last event: the connection is over, every request was resolved before.
    Closed(CloseReason<'a>),
}

/// Why a request has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Failure {
    /// Not one byte of it was sent: it was not executed, and may be sent again elsewhere.
    NotSent,
    /// Some or all of it was sent, and no answer came: it may or may not have been executed.
    Unknown,
    /// The server answered, but the answer was larger than the receive buffer. It was skipped; the
    /// stream is in step.
    TooLarge,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "the request was not sent",
            Self::Unknown => "the request was sent and not answered: it may have been executed",
            Self::TooLarge => "the answer is larger than the receive buffer",
        })
    }
}

impl core::error::Error for Failure {}

/// Why a request was not taken. Nothing of it was sent, and nothing else changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SubmitError {
    /// The handshake has not begun or is not done.
    NotReady,
    /// The connection is over.
    Closed,
    /// There is no room.
    Full(Full),
    /// The bytes that the last request left for later are not all supplied: supply the rest first.
    Owed,
    /// The request would leave the connection in a state nobody knows.
    Misuse(Misuse),
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReady => f.write_str("the handshake is not done"),
            Self::Closed => f.write_str("the connection is closed"),
            Self::Full(full) => full.fmt(f),
            Self::Owed => f.write_str("bytes of the last request are owed: supply the rest first"),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl core::error::Error for SubmitError {}

impl From<Full> for SubmitError {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl From<Misuse> for SubmitError {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
