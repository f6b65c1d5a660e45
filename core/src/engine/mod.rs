//! The engine: requests in, answers out, whatever becomes of the connections in between.
//!
//! An [`Engine`] is [`conn`](crate::conn) many times over, with a [`pool`](crate::pool) that says how many, and
//! [`retry`](crate::retry) that says what is tried again. It has no socket and no clock: a driver opens and closes
//! connections as [`poll_action`](Engine::poll_action) says, moves their bytes, and tells the time.
//!
//! ```text
//!                submit ─► a lane is free? ──────────────────► sent ─► Event::Reply
//!                             │ no                              │ lost, late, LOADING …
//!                             ▼                                 ▼
//!                           queued ◄──── its time has come ─── resting   (if it may go again, and there is budget)
//!                             │ its deadline                    │ not again
//!                             └──────────► Event::Failed ◄──────┘
//! ```
//! - **Lanes** are connections that all requests share. A request that blocks, or asks for it, has a connection of
//!   the pool for itself; with [`Config::lanes`] of 0 every one has.
//! - A **lease** is a connection for its caller's own use: transactions, subscriptions, values in parts. It is
//!   given back as new: `DISCARD`, `UNWATCH`, `SELECT` as needed, in one round trip, or it is closed.
//! - Requests that may have to wait or go again are **kept**, as bytes in memory of a fixed size. If there is no room,
//!   one is still sent, and not tried again.
//! - A [hook](crate::hook) stands around each attempt, and costs nothing if it is `()`.
//! - Every request that was taken is told exactly once: [`Event::Reply`] or [`Event::Failed`], unless it was
//!   [cancelled](Engine::cancel).
//!
//! ```
//! use respire_core::command::get;
//! use respire_core::conn::{Protocol, Settings, Token};
//! use respire_core::engine::{Action, Config, Engine, Event, Fixed, Options};
//! use respire_core::time::Instant;
//!
//! // Two connections with buffers of 512 bytes and four requests in flight each; eight requests in all, and a
//! // KiB for those that wait or may go again.
//! let now = Instant::ZERO;
//! let mut engine: Engine<Fixed<2, 512, 8, 1024>, 4> = Engine::new(Fixed, &Config::DEFAULT, now);
//!
//! // There is no connection yet: the request waits, and the driver is to dial.
//! engine.submit(now, Token(7), &get("greeting"), &Options::default())?;
//! let Some(Action::Open(id)) = engine.poll_action(now) else { panic!() };
//! let settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };
//! engine.handle_connected(now, id, &settings)?;
//! assert_eq!(engine.poll_event(now), None);
//!
//! // From here on it moves bytes, as it would for one connection.
//! assert_eq!(engine.poll_transmit(id), b"*2\r\n$3\r\nGET\r\n$8\r\ngreeting\r\n");
//! engine.handle_transmitted(id, engine.poll_transmit(id).len());
//! let answer = b"$5\r\nhello\r\n";
//! engine.recv_space(id).unwrap()[..answer.len()].copy_from_slice(answer);
//! engine.handle_received(id, answer.len());
//! let Some(Event::Reply { token, reply }) = engine.poll_event(now) else { panic!() };
//! assert_eq!((token, reply.get::<&str>()), (Token(7), Ok("hello")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod arena;
mod call;
mod config;
mod drive;
mod event;
mod heard;
mod lease;
mod link;
mod machine;
mod memory;
mod submit;
mod subscribe;
mod timer;
mod told;

pub use call::{Call, Ticket};
pub use config::{Config, Options};
pub use drive::Action;
pub use event::{Event, Failed, Refused};
pub use lease::Lease;
pub use link::Link;
pub use machine::{Engine, Life, Stats};
#[cfg(feature = "alloc")]
pub use memory::Heap;
pub use memory::{Fixed, Memory, Parts};
