//! What a connection has to say.

use core::fmt;

use super::{CloseReason, Protocol};
use crate::error::{Full, Misuse};
use crate::resp::{Kind, Piece, Reply, What};

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
    /// A part of the string or aggregate that answers a [`chunked`](crate::command::chunked) request.
    Part {
        /// Which request.
        token: Token,
        /// The part.
        part: Part<'a>,
        /// Whether it is the last, and resolves the request.
        last: bool,
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

/// A part of an answer, in the order of the bytes.
///
/// A string is chunks up to one with nothing left. An aggregate is its beginning, its values one by
/// one, strings and aggregates among them in parts again, and its end. Attributes are passed over.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Part<'a> {
    /// An aggregate begins.
    Begin {
        /// Array, map or set.
        kind: Kind,
        /// How many values are inside, keys and values of a map counted both; `None` if only the end
        /// will tell.
        len: Option<u64>,
    },
    /// All that is here of a string, or inside an aggregate of a line that is longer than the window.
    Chunk {
        /// What it is a piece of.
        kind: Kind,
        /// The next bytes. Empty only in the last chunk.
        bytes: &'a [u8],
        /// How many bytes follow in later chunks; `None` if nobody knows. `Some(0)` is the last one.
        left: Option<u64>,
    },
    /// A value inside an aggregate that is neither string nor aggregate.
    Value(Reply<'a>),
    /// The innermost aggregate has ended.
    End,
}

impl<'a> Part<'a> {
    pub(super) fn new(piece: Piece, bytes: &'a [u8]) -> Self {
        let Piece { kind, left, .. } = piece;
        match piece.what {
            What::Begin => Self::Begin { kind, len: left },
            What::Chunk => Self::Chunk { kind, bytes, left },
            What::Value => Self::Value(Reply::parsed(bytes)),
            What::End => Self::End,
        }
    }
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
    /// Its deadline passed before a byte of it was sent: it was taken back, and will not be executed.
    Expired,
    /// Its deadline passed after some or all of it was sent: it may or may not have been executed, or
    /// still be. The connection goes on, and drops the answer if it comes.
    TimedOut,
    /// The server answered, but the answer was larger than the receive buffer or the
    /// [limits](crate::resp::Limits). It was skipped; the stream is in step.
    TooLarge,
    /// The server answered, but the answer was nested deeper than the
    /// [limits](crate::resp::Limits) allow. It was skipped; the stream is in step.
    TooDeep,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "the request was not sent",
            Self::Unknown => "the request was sent and not answered: it may have been executed",
            Self::Expired => "the deadline passed before the request was sent",
            Self::TimedOut => "the request was not answered in time: it may have been executed",
            Self::TooLarge => "the answer is larger than the receive buffer or the limits",
            Self::TooDeep => "the answer is nested too deep",
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
