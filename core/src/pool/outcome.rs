//! What a pool says, and what it is told.

use core::fmt;

use super::{Id, Place, Unavailable};
use crate::conn::Token;

/// What a caller got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Got {
    /// A connection, until it is [put](super::Pool::put) back.
    Lent(Id),
    /// A place in the line. [`Action::Serve`] or [`Action::Refuse`] ends the wait, or
    /// [`cancel`](super::Pool::cancel).
    Waiting(Place),
}

/// Why a caller gets no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refusal {
    /// As many are in use and waited for as [may be](super::Config::max_active).
    Exhausted,
    /// The line is full.
    Full,
    /// It took [too long](super::Config::wait_timeout).
    Timeout {
        /// How long the caller has waited, in microseconds.
        waited: u64,
        /// How many connections there may be.
        size: u16,
        /// How many were in use.
        in_use: u16,
    },
    /// No connection comes about, and none is in use that could come back.
    Unavailable(Unavailable),
    /// The pool was closed.
    Closed,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exhausted => f.write_str("as many connections are in use as may be"),
            Self::Full => f.write_str("too many wait for a connection"),
            Self::Timeout { waited, size, in_use } => {
                let millis = waited / 1000;
                write!(f, "no connection within {millis} ms: {in_use} of {size} are in use")
            }
            Self::Unavailable(why) => why.fmt(f),
            Self::Closed => f.write_str("the pool is closed"),
        }
    }
}

impl core::error::Error for Refusal {}

/// In which state a connection is returned. The caller asks the connection: one with a request that is not
/// answered is never clean.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Returned {
    /// As it was when it was new.
    Clean,
    /// Something must be undone or waited for first: a watched key, another database, an answer.
    NeedsReset,
    /// It can no longer be used.
    Broken,
}

/// What becomes of a connection that was returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Put {
    /// It is idle.
    Idle,
    /// It is for the caller to reset it and to say so: [`handle_reset`](super::Pool::handle_reset).
    /// The pool has no deadline for it, but the connection has.
    Resetting,
    /// [`Action::Close`] will follow.
    Closing,
    /// Its end was [told](super::Pool::handle_closed) before. Nothing follows.
    Gone,
    /// Nobody has borrowed it under this name. Nothing has changed.
    Stale,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Action {
    /// Dial, with handshake. Then [`handle_opened`](super::Pool::handle_opened) or
    /// [`handle_open_failed`](super::Pool::handle_open_failed).
    Open(Id),
    /// Close this connection, or give up its dial, before the next call. Its name means nothing any more.
    Close(Id, Reason),
    /// Ask this connection for a sign of life. Then [`handle_health`](super::Pool::handle_health), also
    /// when the answer takes longer than any may: the pool has no deadline for it.
    Ping(Id),
    /// This caller has got this connection.
    Serve {
        /// Who.
        token: Token,
        /// Which, until it is [put](super::Pool::put) back.
        id: Id,
    },
    /// This caller gets none.
    Refuse {
        /// Who.
        token: Token,
        /// Why: `Timeout`, `Unavailable` or `Closed`.
        why: Refusal,
    },
}

/// Why a connection was closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody has used it for long.
    Idle,
    /// It was old.
    Lifetime,
    /// There were more than are wanted.
    Surplus,
    /// It was returned broken, or could not be reset.
    Broken,
    /// It gave no sign of life.
    Stale,
    /// The other side has closed it.
    Lost,
    /// None is used again.
    NotReused,
    /// Its dial took too long.
    DialTimeout,
    /// The owner wanted it.
    User,
    /// The pool was closed.
    Shutdown,
}

impl Reason {
    /// How many there are.
    pub const COUNT: usize = 10;

    /// All of them; each is at the index that it has in [`Stats::closed_by`](super::Stats::closed_by).
    pub const ALL: [Self; Self::COUNT] = [
        Self::Idle,
        Self::Lifetime,
        Self::Surplus,
        Self::Broken,
        Self::Stale,
        Self::Lost,
        Self::NotReused,
        Self::DialTimeout,
        Self::User,
        Self::Shutdown,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn reasons_are_where_they_say() {
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }

    /// S1-ERR-03: a timeout says how long, and how many there were.
    #[test]
    fn a_timeout_says_what_was_in_use() {
        let timeout = Refusal::Timeout { waited: 1_500_000, size: 4, in_use: 3 };
        assert_eq!(timeout.to_string(), "no connection within 1500 ms: 3 of 4 are in use");
    }
}
