//! One connection of an engine, and what it is used for.

use super::call::Ticket;
use crate::buffer::Storage;
use crate::config::Address;
use crate::conn::{self, Connection};
use crate::pool::Id;
use crate::time::Instant;

/// The memory for one connection. The owner of an engine provides it, and need not look at it.
#[expect(missing_debug_implementations, reason = "mere memory")]
pub struct Link<S: Storage, const F: usize> {
    pub(super) connection: Connection<S, F>,
    pub(super) id: Option<Id>,
    pub(super) role: Role,
    /// What its settings ask for: the database, and that the server tells which keys have changed.
    pub(super) home: (u32, bool),
    /// It is closed when nobody uses it.
    pub(super) old: bool,
    /// The connection that was here before, while its socket is to be closed.
    pub(super) dead: Option<Id>,
    /// The database it is for, if it is shared; when another takes its place, and when it is asked whether it lives.
    pub(super) shard: u8,
    pub(super) retire_at: Instant,
    pub(super) check_at: Instant,
    /// When it was dialled, and where.
    pub(super) dialled: Instant,
    pub(super) address: Address<'static>,
    /// Requests of its own that are not over.
    pub(super) live: u16,
    /// The next one that may have something to tell.
    pub(super) next: u16,
    pub(super) listed: bool,
    /// The next one to which something may have been written.
    pub(super) next_unsent: u16,
    pub(super) is_unsent: bool,
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
    /// For one call, or for those of one pipeline: the last that was sent.
    Own(u16),
    /// For its lessee.
    Leased,
    /// For a loader, who is a lessee that a closed engine helps to finish.
    Loading,
    /// For subscriptions alone.
    Subscriber,
    /// So many answers make it as new.
    Resetting(u8),
    /// It was asked whether it lives.
    Checking,
    /// Another database was asked for.
    Tuning(Purpose),
}

/// What a connection will be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    Lane(u8),
    Call(Ticket),
}

impl<S: Storage, const F: usize> Link<S, F> {
    /// A connection that was never opened.
    pub const fn new(receive: S, transmit: S, config: conn::Config) -> Self {
        Self {
            connection: Connection::new(receive, transmit, config),
            id: None,
            role: Role::None,
            home: (0, false),
            old: false,
            dead: None,
            shard: 0,
            retire_at: Instant::MAX,
            check_at: Instant::MAX,
            dialled: Instant::ZERO,
            address: Address { host: "", port: 0 },
            live: 0,
            next: 0,
            listed: false,
            next_unsent: 0,
            is_unsent: false,
        }
    }
}
