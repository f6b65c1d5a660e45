//! One connection of an engine, and what it is used for.

use crate::buffer::Storage;
use crate::conn::{self, Connection};
use crate::pool::Id;

/// The memory for one connection. The owner of an engine provides it, and need not look at it.
#[expect(missing_debug_implementations, reason = "mere memory")]
pub struct Link<S, const F: usize> {
    pub(super) connection: Connection<S, F>,
    pub(super) id: Option<Id>,
    pub(super) role: Role,
    /// What its settings ask for: the database, and that the server tells which keys have changed.
    pub(super) home: (u32, bool),
    /// The connection that was here before, while its socket is to be closed.
    pub(super) dead: Option<Id>,
    /// The next one that may have something to tell.
    pub(super) next: u16,
    pub(super) listed: bool,
}

/// What a connection is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// There is none.
    None,
    /// It is to be dialled, once it may be.
    Held,
    /// It is dialled, or shakes hands.
    Opening,
    /// Nobody uses it.
    Idle,
    /// It is shared: which of those.
    Lane(u8),
    /// For one call.
    Own(u16),
    /// For its lessee.
    Leased,
    /// For subscriptions alone.
    Subscriber,
    /// So many answers make it as new.
    Resetting(u8),
    /// It was asked whether it lives.
    Checking,
}

impl<S: Storage, const F: usize> Link<S, F> {
    /// A connection that was never opened.
    pub const fn new(receive: S, transmit: S, config: conn::Config) -> Self {
        Self {
            connection: Connection::new(receive, transmit, config),
            id: None,
            role: Role::None,
            home: (0, false),
            dead: None,
            next: 0,
            listed: false,
        }
    }
}
