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
//! - **Subscriptions** outlive their connections: see [below](self#subscriptions).
//! - A **lease** is a connection for its caller's own use: transactions, values in parts. It is
//!   given back as new: `DISCARD`, `UNWATCH`, `SELECT` as needed, in one round trip, or it is closed.
//! - **Batches** go over a lease that a loader takes and gives back: see [below](self#batches).
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
//! let Some(Action::Open { id, .. }) = engine.poll_action(now) else { panic!() };
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
//!
//! # Subscriptions
//!
//! What an application [subscribes](Engine::subscribe) to is asked for on whatever connection there is, and told once
//! it is confirmed. With RESP3 that is a shared one. With RESP2, which says nothing else to who is subscribed, or with
//! no shared ones, it is one of the pool's, as long as there is any subscription: the pool needs room for one more than
//! without. Every [`health_interval`](crate::pool::Config::health_interval) of the pool it must answer a `PING`.
//!
//! When the connection is lost, all is asked for on the next one. What was published between is lost, and a
//! [`Gap`](crate::pubsub::Happened::Gap) says so before the first message behind it. Each message is told at most once
//! and in its order.
//!
//! A message lends its bytes from the receive buffer, which nothing else comes through until it was told. Who cannot
//! take it at once puts it into a [`Queue`](crate::pubsub::Queue), which says what becomes of those that are too many:
//!
//! ```
//! use respire_core::command::Subscription::Channel;
//! use respire_core::conn::{Protocol, Settings};
//! use respire_core::engine::{Action, Config, Engine, Event, Fixed};
//! use respire_core::pubsub::{Happened, Message, Overflow, Queue};
//! use respire_core::time::Instant;
//!
//! // As above, with four subscriptions, and 64 bytes for their names.
//! let now = Instant::ZERO;
//! let config = Config { lanes: 0, ..Config::DEFAULT };
//! let mut engine: Engine<Fixed<2, 512, 8, 1024, 4, 64>, 4> = Engine::new(Fixed, &config, now);
//! let mut queue = Queue::new([0; 256], Overflow::DropOldest);
//!
//! engine.subscribe(now, Channel, b"news")?;
//! let Some(Action::Open { id, .. }) = engine.poll_action(now) else { panic!() };
//! let settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };
//! engine.handle_connected(now, id, &settings)?;
//! assert_eq!(engine.poll_event(now), None);
//! assert_eq!(engine.poll_transmit(id), b"*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n");
//! engine.handle_transmitted(id, engine.poll_transmit(id).len());
//! let said = b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n";
//! engine.recv_space(id).unwrap()[..said.len()].copy_from_slice(said);
//! engine.handle_received(id, said.len());
//!
//! while let Some(event) = engine.poll_event(now) {
//!     match event {
//!         // The next message says so.
//!         Event::Subscription(event) if event.happened == Happened::Gap => queue.note_gap(),
//!         Event::Message { kind, pattern, channel, payload, .. } => {
//!             let message = Message { kind, pattern, channel, payload, missed: 0, gap: false };
//!             queue.push(&message).expect("the oldest ones make room");
//!         }
//!         _ => {}
//!     }
//! }
//! assert_eq!(queue.pop().unwrap().payload, b"hi");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Batches
//!
//! A [`Loader`] is a [`Bulk`](crate::bulk::Bulk) with a connection: items are pushed, wait for others or for their time, go out in
//! batches, and have a result each. It wishes for a connection of the pool when a batch is due, follows the losses of
//! that, and gives it back when it has nothing to send, or between two batches when others wait. The pool needs
//! room for one more than without.
//!
//! It stands beside the engine. Its owner shows it what the engine tells of its wishes, by their token, and polls it behind
//! the events and before the actions of each turn, and when its own time has come. As it may change what the engine
//! wants, all of this is repeated until nothing comes of it.
//!
//! ```
//! use respire_core::bulk::{self, Bulk, Slot, Value};
//! use respire_core::command::set;
//! use respire_core::conn::{Protocol, Settings, Token};
//! use respire_core::engine::{Action, Config, Engine, Event, Fixed, LoadConfig, Loaded, Loader};
//! use respire_core::time::Instant;
//!
//! let now = Instant::ZERO;
//! let config = Config { lanes: 0, ..Config::DEFAULT };
//! let mut engine: Engine<Fixed<2, 512, 8, 1024>, 4> = Engine::new(Fixed, &config, now);
//! // Eight items of 256 bytes in all, in batches of two.
//! let batches = bulk::Config { batch_size: 2, ..bulk::Config::DEFAULT };
//! let bulk = Bulk::new([0; 256], [Slot::EMPTY; 8], batches);
//! let mut loader = Loader::new(bulk, Token(1000), LoadConfig::DEFAULT);
//!
//! // A batch is due: the loader wishes for a connection, and the driver dials.
//! loader.push(now, &set("a", 1))?;
//! let second = loader.push(now, &set("b", 2))?;
//! assert_eq!(loader.poll_answer(&mut engine, now), None);
//! let Some(Action::Open { id, .. }) = engine.poll_action(now) else { panic!() };
//! engine.handle_connected(now, id, &Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE })?;
//! let Some(Event::Leased { token, lease }) = engine.poll_event(now) else { panic!() };
//! assert!(loader.handle_leased(now, token, lease));
//!
//! // Both items are one write.
//! assert_eq!(loader.poll_answer(&mut engine, now), None);
//! engine.handle_transmitted(id, engine.poll_transmit(id).len());
//! let said = b"+OK\r\n-OOM no memory\r\n";
//! engine.recv_space(id).unwrap()[..said.len()].copy_from_slice(said);
//! engine.handle_received(id, said.len());
//! while let Some(loaded) = loader.poll_answer(&mut engine, now) {
//!     let Loaded::Answer { .. } = loaded else { panic!() };
//! }
//! assert_eq!(loader.poll_result().unwrap().result, Value::Answered);
//! let told = loader.poll_result().unwrap();
//! assert!(told.ticket == second && matches!(told.result, Value::Error(error) if error.code() == b"OOM"));
//!
//! // To close flushes; the engine waits for that.
//! loader.close(&mut engine, now);
//! engine.close(now);
//! assert_eq!(loader.poll_answer(&mut engine, now), None);
//! assert!(loader.is_over());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod again;
mod answer;
mod arena;
mod call;
mod config;
mod configured;
mod drive;
mod event;
mod heard;
mod lane;
mod lease;
#[cfg(feature = "alloc")]
mod lend;
mod link;
mod live;
mod load;
mod machine;
mod memory;
mod over;
mod pipeline;
mod replace;
mod send;
mod site;
mod size;
mod submit;
mod subscribe;
mod timer;
mod told;

pub use call::{Call, Ticket};
pub use config::{Config, Options};
pub use configured::{Configured, User};
pub use drive::Action;
pub use event::{Event, Failed, Refused};
pub use lease::Lease;
pub use link::Link;
pub use load::{LoadConfig, Loaded, Loader};
pub use machine::{Engine, Life, Stats};
#[cfg(feature = "alloc")]
pub use memory::Heap;
pub use memory::{Fixed, Memory, Parts};
pub use pipeline::Pipeline;
