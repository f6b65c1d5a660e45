//! Subscriptions that outlive their connection, and messages that wait.
//!
//! [`Registry`] holds what is wanted against what the server has confirmed, and says what to ask for until both
//! are the same: after a subscription, after a connection was lost, after a server has dropped a sharded channel
//! by itself. [`Queue`] keeps messages until somebody takes them, and says what it could not keep.
//!
//! ```
//! use respire_core::command::Subscription::Channel;
//! use respire_core::pubsub::{Config, Delivery, Entry, Happened, Registry};
//! use respire_core::time::Instant;
//!
//! let now = Instant::ZERO;
//! let mut registry = Registry::new([0; 256], [Entry::EMPTY; 8], Config::DEFAULT);
//! let news = registry.subscribe(Channel, b"news")?;
//! // A driver submits this to its connection, with a token that it knows by its number.
//! assert_eq!(registry.poll_ask(now).unwrap().names().collect::<Vec<_>>(), [b"news"]);
//! registry.handle_confirmed(Channel, b"news");
//! assert_eq!(registry.poll_event().unwrap().happened, Happened::Subscribed);
//!
//! // The connection is lost. On the next one the same is asked for again.
//! registry.handle_lost();
//! assert!(registry.poll_ask(now).is_some());
//! registry.handle_confirmed(Channel, b"news");
//! assert_eq!(registry.handle_message(Channel, b"news"), Delivery::EventsFirst);
//! assert_eq!(registry.poll_event().unwrap().happened, Happened::Gap);
//! assert_eq!(registry.handle_message(Channel, b"news"), Delivery::To(news));
//! # Ok::<(), respire_core::pubsub::Refused>(())
//! ```
//!
//! # What is matched
//!
//! A confirmation is matched by its kind and its name, never by counting: servers send some unasked, and errors in
//! the place of others. One registry belongs to one connection at a time.

mod ask;
mod config;
mod entry;
mod event;
mod list;
mod names;
mod queue;
mod reconcile;
mod registry;

pub use ask::Ask;
pub use config::Config;
pub use entry::Entry;
pub use event::{Delivery, Event, Happened, Id, Info, Refused, Stats};
pub use queue::{Counters, Message, Overflow, Queue, Unkept};
pub use registry::Registry;
