//! The pool: who may use which connection, and when one is opened or closed.
//!
//! A [`Pool`] decides and a driver acts. It holds no connection, only a slot for each: the owner keeps
//! `connections[id.index()]`, opens and closes them as [`poll`](Pool::poll) says, and tells what came of it.
//!
//! ```text
//!                 poll: Open              handle_opened
//!     free ──────────────────► dialling ─────────────────► idle ◄──────────────────────┐
//!      ▲                          │                      │  ▲  │ poll: Ping            │
//!      │  handle_open_failed      │        get,          │  │  └────────► checking ────┤ handle_health
//!      ├──────────────────────────┘        poll: Serve   │  │                          │
//!      │                                                 ▼  │ put Clean                │ handle_reset
//!      │  poll: Close                                   lent ──────────────► resetting ┘
//!      └─────────────── closing ◄── whatever is           │   put NeedsReset
//!                                   worn or broken ◄──────┘   put Broken, remove
//! ```
//! A slot that is not free is one connection, and counts against the size until its `Close` is told:
//! `total = dialling + idle + lent + resetting + checking + closing`. No other state exists, so nothing can
//! leak between two of them.
//!
//! Callers who find nothing idle wait in one line. Whatever becomes idle serves the oldest of them, also a
//! connection that was dialled for another; and who turns away ends no dial.
//!
//! `get` and `put` take the same few instructions however many slots there are. `poll` looks at the idle
//! slots one by one only when a lifetime or a health check may be due.

mod bad;
mod config;
mod dial;
mod learn;
mod machine;
mod outcome;
mod poll;
mod shell;
mod single;
mod slot;
mod stats;
mod sticky;
mod verbs;
mod waiter;

pub use bad::BadConn;
pub use config::{Config, Order};
pub use dial::{DialCode, Unavailable};
pub use outcome::{Action, Got, Put, Reason, Refusal, Returned};
pub use shell::Pool;
pub use single::{Single, SingleError};
pub use slot::{Age, Id, Slot};
pub use stats::Stats;
pub use sticky::{Shared, Sticky, StickyError};
pub use waiter::{Place, Waiter};
