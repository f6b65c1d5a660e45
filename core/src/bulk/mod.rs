//! Many requests, sent in batches: each item is pushed once, written with its neighbours in one go, and has a
//! result of its own.
//!
//! [`Bulk`] keeps the bytes of requests in memory of its owner, says which of them go out now, and is told
//! what became of each. It knows no connection: a driver submits the [`Frame`](crate::command::Frame)s of a
//! [`Batch`], with [`Item::token`] as their token, and passes on what the connection says.
//!
//! ```
//! use respire_core::bulk::{Bulk, Config, Outcome, Slot, Value, Verdict};
//! use respire_core::command::set;
//! use respire_core::error::ServerError;
//! use respire_core::time::Instant;
//!
//! let now = Instant::ZERO;
//! let mut bulk = Bulk::new([0; 256], [Slot::EMPTY; 8], Config::DEFAULT);
//! let first = bulk.push(now, &set("a", "1"))?;
//! let second = bulk.push(now, &set("b", "2"))?;
//! assert!(bulk.poll_batch(now).is_none(), "neither many, nor old");
//!
//! bulk.flush();
//! let items: Vec<_> = bulk.poll_batch(now).unwrap().map(|(item, _frame)| item).collect();
//! let wrong = ServerError::new(b"WRONGTYPE");
//! assert_eq!(bulk.handle_reply(now, items[0], Outcome::Error(wrong)), Verdict::Told);
//! assert_eq!(bulk.handle_reply(now, items[1], Outcome::Value), Verdict::Told);
//!
//! let told = bulk.poll_result().unwrap();
//! assert_eq!((told.ticket, told.index, told.result), (first, 0, Value::Error(wrong)));
//! let told = bulk.poll_result().unwrap();
//! assert_eq!((told.ticket, told.index, told.result), (second, 1, Value::Answered));
//! # Ok::<(), respire_core::bulk::Refused>(())
//! ```
//!
//! # Order
//!
//! Items go out in the order in which they were pushed, and the batches in flight at once go to **one
//! connection**, in order: so whatever concerns one key happens in order. A driver that wants several connections
//! has a `Bulk` for each, or one batch in flight at a time.
//!
//! An item that must go again keeps its place: nothing behind it goes out before all that is in flight has
//! been resolved, and then it goes first. If an item behind it **of the same key** was answered
//! meanwhile, it is too late to go again, and its result is [`Value::Overtaken`] or what its failure was.
//!
//! # What is sent again
//!
//! | what came of it | again |
//! |---|---|
//! | not a byte was sent | always |
//! | `LOADING`, `BUSY`, `TRYAGAIN`, `CLUSTERDOWN`, `MASTERDOWN`, `READONLY`, and the server alone has said it | always |
//! | the same from a script or a module; sent, and no answer | if [`Retry::of`] it is at most [`Config::ceiling`], or it was pushed as [safe](Bulk::push_safe) |
//! | any answer else | never |
//!
//! At most [`Config::max_retries`] times for each item. So `INCR` is never executed twice.
//!
//! [`Retry::of`]: crate::command::Retry::of

mod config;
#[cfg(feature = "flaws")]
mod flaws;
mod item;
mod lane;
mod machine;
mod push;
mod reply;
mod rest;
pub(crate) mod ring;
mod send;
mod slots;
mod stats;

pub use config::Config;
pub use item::{BatchError, Cancelled, Item, ItemError, Outcome, Refused, Resolved, Ticket, Value, Verdict};
pub use machine::Bulk;
pub(crate) use rest::{Flying, Rest};
pub use send::Batch;
pub use slots::Slot;
pub use stats::Stats;
