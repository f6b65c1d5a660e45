//! One connection that several users share, and that is taken anew when it has gone bad.

use core::fmt;

use super::{BadConn, Id, Returned};

/// Why a [`Sticky`] has no connection to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum StickyError {
    /// It was closed.
    Closed,
}

impl fmt::Display for StickyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shared connection was closed on this side")
    }
}

impl core::error::Error for StickyError {}

/// What a user of a [`Sticky`] gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Shared {
    /// The connection; one more uses it.
    Ready(Id),
    /// There is none: this caller takes one from the pool, and says what came of it.
    Take,
    /// Another caller is taking one. Ask again when that is over.
    Taking,
}

/// One connection of a [`Pool`](super::Pool) for several users at a time. The first one takes it, the
/// others share it; when it goes bad this is recorded, and the next user takes another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sticky<E> {
    state: State,
    users: u32,
    bad: Option<BadConn<E>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// No connection.
    Default,
    Taking,
    Initialised(Id),
    /// Closed, with a connection as long as somebody uses it.
    Closed(Option<Id>),
}

impl<E: Copy> Sticky<E> {
    /// Without a connection.
    pub const fn new() -> Self {
        Self { state: State::Default, users: 0, bad: None }
    }

    /// How many use the connection.
    pub const fn users(&self) -> u32 {
        self.users
    }

    /// What happened to the last connection that went bad, or why none could be taken; nothing once the
    /// next one is there.
    pub const fn bad(&self) -> Option<BadConn<E>> {
        self.bad
    }

    /// The connection, for one more user.
    ///
    /// # Errors
    /// It was closed.
    pub const fn get(&mut self) -> Result<Shared, StickyError> {
        match self.state {
            State::Initialised(id) => {
                self.users += 1;
                Ok(Shared::Ready(id))
            }
            State::Default => {
                self.state = State::Taking;
                Ok(Shared::Take)
            }
            State::Taking => Ok(Shared::Taking),
            State::Closed(_) => Err(StickyError::Closed),
        }
    }

    /// The pool has lent one to who was told to [`Take`](Shared::Take); he is its first user.
    ///
    /// # Errors
    /// It was closed meanwhile, or nobody was to take one: the connection comes back.
    pub const fn handle_taken(&mut self, id: Id) -> Result<(), Id> {
        if !matches!(self.state, State::Taking) {
            return Err(id);
        }
        *self = Self { state: State::Initialised(id), users: 1, bad: None };
        Ok(())
    }

    /// The pool has lent none. The next user tries again.
    pub const fn handle_refused(&mut self, cause: E) {
        if matches!(self.state, State::Taking) {
            self.state = State::Default;
            self.bad = Some(BadConn { cause });
        }
    }

    /// A user has finished. The last one after [`close`](Self::close) gets what is to be
    /// [put](super::Pool::put) back.
    #[must_use]
    pub fn put(&mut self, id: Id) -> Option<(Id, Returned)> {
        if self.users == 0 || !self.is_current(id) {
            return None;
        }
        self.users -= 1;
        self.last_one()
    }

    /// The connection has gone bad, for all of its users; what they still say of it means nothing. It is to
    /// be put back like this. `None`: it was not this one.
    #[must_use]
    pub fn fail(&mut self, id: Id, cause: E) -> Option<(Id, Returned)> {
        if !self.is_current(id) {
            return None;
        }
        self.users = 0;
        self.bad = Some(BadConn { cause });
        self.state =
            if matches!(self.state, State::Closed(_)) { State::Closed(None) } else { State::Default };
        Some((id, Returned::Broken))
    }

    /// No more users. With nobody left, what is to be put back.
    #[must_use]
    pub fn close(&mut self) -> Option<(Id, Returned)> {
        match self.state {
            State::Initialised(id) => self.state = State::Closed(Some(id)),
            State::Default | State::Taking => self.state = State::Closed(None),
            State::Closed(_) => return None,
        }
        self.last_one()
    }

    fn last_one(&mut self) -> Option<(Id, Returned)> {
        match self.state {
            State::Closed(Some(id)) if self.users == 0 => {
                self.state = State::Closed(None);
                Some((id, Returned::NeedsReset))
            }
            _ => None,
        }
    }

    fn is_current(&self, id: Id) -> bool {
        matches!(self.state, State::Initialised(current) | State::Closed(Some(current)) if current == id)
    }
}

impl<E: Copy> Default for Sticky<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::pool::slot::ids;

    /// S1-POOL-15: a connection that went bad is recorded, and the next user takes another.
    #[test]
    fn a_bad_connection_is_taken_anew() {
        let [id, other] = ids();
        let mut sticky = Sticky::new();
        assert_eq!((sticky.get(), sticky.get()), (Ok(Shared::Take), Ok(Shared::Taking)));
        assert_eq!((sticky.handle_taken(id), sticky.handle_taken(other)), (Ok(()), Err(other)));
        assert_eq!((sticky.get(), sticky.users()), (Ok(Shared::Ready(id)), 2));
        assert_eq!(sticky.put(id), None);
        assert_eq!(sticky.fail(id, 7), Some((id, Returned::Broken)));
        assert_eq!((sticky.fail(id, 8), sticky.put(id)), (None, None), "it is no longer shared");
        assert_eq!((sticky.bad(), sticky.users()), (Some(BadConn { cause: 7 }), 0));
        assert_eq!(sticky.get(), Ok(Shared::Take));
        sticky.handle_refused(9);
        assert_eq!((sticky.bad(), sticky.get()), (Some(BadConn { cause: 9 }), Ok(Shared::Take)));
        assert_eq!((sticky.handle_taken(other), sticky.bad()), (Ok(()), None));
        assert_eq!(sticky.put(id), None, "who used the old one has no say");
        assert_eq!((sticky.users(), sticky.get()), (1, Ok(Shared::Ready(other))));
    }

    /// S1-POOL-15: closed it says so, and the last user gives the connection back.
    #[test]
    fn the_last_user_gives_it_back_once_it_is_closed() {
        let [id, other] = ids();
        let mut sticky = Sticky::<u8>::new();
        assert_eq!((sticky.get(), sticky.handle_taken(id)), (Ok(Shared::Take), Ok(())));
        assert_eq!(sticky.get(), Ok(Shared::Ready(id)));
        assert_eq!((sticky.close(), sticky.get()), (None, Err(StickyError::Closed)));
        assert_eq!(StickyError::Closed.to_string(), "the shared connection was closed on this side");
        assert_eq!(sticky.put(id), None);
        assert_eq!(sticky.put(id), Some((id, Returned::NeedsReset)));
        assert_eq!((sticky.put(id), sticky.close(), sticky.fail(id, 1)), (None, None, None));

        let mut idle = Sticky::<u8>::new();
        assert_eq!((idle.get(), idle.handle_taken(id)), (Ok(Shared::Take), Ok(())));
        assert_eq!((idle.put(id), idle.close()), (None, Some((id, Returned::NeedsReset))));

        let mut taking = Sticky::<u8>::new();
        assert_eq!((taking.get(), taking.close()), (Ok(Shared::Take), None));
        assert_eq!(taking.handle_taken(other), Err(other));
        taking.handle_refused(1);
        assert_eq!((taking.get(), taking.bad()), (Err(StickyError::Closed), None));

        let mut broken = Sticky::<u8>::new();
        assert_eq!((broken.get(), broken.handle_taken(id), broken.close()), (Ok(Shared::Take), Ok(()), None));
        assert_eq!(broken.fail(id, 1), Some((id, Returned::Broken)));
        assert_eq!(broken.put(id), None);
    }
}
