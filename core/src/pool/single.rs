//! One connection for one user: transactions, subscriptions, whatever must not mix with others.

use core::fmt;

use super::{BadConn, Id, Returned};

/// Why a [`Single`] has no connection to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SingleError<E> {
    /// It has none: [`hold`](Single::hold) gives it one.
    Empty,
    /// It went bad, and only [`reset`](Single::reset) ends this.
    Bad(BadConn<E>),
    /// It was closed.
    Closed,
}

impl<E> fmt::Display for SingleError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no connection was taken"),
            Self::Bad(bad) => bad.fmt(f),
            Self::Closed => f.write_str("the connection was closed on this side"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for SingleError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Bad(bad) => bad.source(),
            _ => None,
        }
    }
}

/// One connection that a user keeps. When it has gone bad every use fails with the same error until the user
/// resets it, so that nothing goes on where a transaction or subscription is lost without a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Single<E> {
    state: State<E>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State<E> {
    Empty,
    Held(Id),
    Bad(Id, BadConn<E>),
    Closed,
}

impl<E: Copy> Single<E> {
    /// Without a connection.
    pub const fn new() -> Self {
        Self { state: State::Empty }
    }

    /// The connection.
    ///
    /// # Errors
    /// There is none, it went bad, or this was closed.
    pub const fn get(&self) -> Result<Id, SingleError<E>> {
        match self.state {
            State::Held(id) => Ok(id),
            State::Empty => Err(SingleError::Empty),
            State::Bad(_, bad) => Err(SingleError::Bad(bad)),
            State::Closed => Err(SingleError::Closed),
        }
    }

    /// Takes a connection that a [`Pool`](super::Pool) has lent.
    ///
    /// # Errors
    /// There is one already, or this was closed: the connection comes back.
    pub const fn hold(&mut self, id: Id) -> Result<(), Id> {
        if !matches!(self.state, State::Empty) {
            return Err(id);
        }
        self.state = State::Held(id);
        Ok(())
    }

    /// The connection has gone bad. `false`: it was not this one, or had before; the first cause stays.
    pub fn fail(&mut self, id: Id, cause: E) -> bool {
        let held = matches!(self.state, State::Held(held) if held.is_same_connection(id));
        if held {
            self.state = State::Bad(id, BadConn { cause });
        }
        held
    }

    /// Lets go of the connection, and of its error. It is to be [put](super::Pool::put) back like this; of one
    /// that is in order the caller knows better whether it is clean.
    #[must_use]
    pub fn reset(&mut self) -> Option<(Id, Returned)> {
        let held = self.held();
        if !matches!(self.state, State::Closed) {
            self.state = State::Empty;
        }
        held
    }

    /// The same, for ever.
    #[must_use]
    pub fn close(&mut self) -> Option<(Id, Returned)> {
        let held = self.held();
        self.state = State::Closed;
        held
    }

    const fn held(&self) -> Option<(Id, Returned)> {
        match self.state {
            State::Held(id) => Some((id, Returned::NeedsReset)),
            State::Bad(id, _) => Some((id, Returned::Broken)),
            State::Empty | State::Closed => None,
        }
    }
}

impl<E: Copy> Default for Single<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use core::error::Error;
    use std::string::ToString;

    use super::*;
    use crate::error::Full;
    use crate::pool::slot::ids;

    /// S1-POOL-14: after a connection has gone bad every call returns the same error until `reset()`.
    #[test]
    fn an_error_sticks_until_reset() {
        let [id, other] = ids();
        let mut single = Single::new();
        assert_eq!(single.get(), Err(SingleError::Empty));
        assert_eq!((single.hold(id), single.hold(other)), (Ok(()), Err(other)));
        assert_eq!(single.get(), Ok(id));
        assert!(!single.fail(other, 1), "another connection");
        assert!(single.fail(id, 2) && !single.fail(id, 3));
        for _ in 0..3 {
            assert_eq!(single.get(), Err(SingleError::Bad(BadConn { cause: 2 })));
            assert_eq!(single.hold(other), Err(other));
        }
        assert_eq!(single.reset(), Some((id, Returned::Broken)));
        assert_eq!((single.reset(), single.get()), (None, Err(SingleError::Empty)));
        assert_eq!((single.hold(other), single.get()), (Ok(()), Ok(other)));
        assert_eq!(single.close(), Some((other, Returned::NeedsReset)));
        assert_eq!((single.close(), single.reset(), single.hold(id)), (None, None, Err(id)));
        assert_eq!(single.get(), Err(SingleError::Closed));
    }

    /// S1-ERR-04, S2-DEP-01: a bad connection keeps its cause.
    #[test]
    fn the_cause_is_the_source() {
        let [id, _] = ids();
        let mut single = Single::new();
        single.hold(id).unwrap();
        assert!(single.fail(id, Full::InFlight));
        let error = single.get().unwrap_err();
        assert_eq!(error.source().map(ToString::to_string), Some(Full::InFlight.to_string()));
        assert_eq!(error.to_string(), "the connection can no longer be used");
        assert!(SingleError::<Full>::Empty.source().is_none());
    }
}
