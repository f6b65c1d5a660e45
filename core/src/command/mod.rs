//! Commands: a table with one row each, one file per group.
//!
//! A row is the documentation, the encoder, the flags and the reply type of a command. It becomes
//! a request type ([`Get`]), a function that makes one ([`get`]) and a method of every client
//! ([`StringCommands::get`]). What has no row is sent with [`raw`] or [`words`].
//!
//! Arguments are visited, not collected: [`Request::visit`] tells an
//! [`ArgSink`](crate::resp::ArgSink) each argument with its role, so that measuring, encoding and
//! redaction can never disagree about them. Read back from a request's bytes ([`Args`]), they tell how
//! long it may block ([`Blocks`]) and what becomes of it when it is executed twice ([`Retry`]).

mod arg;
#[cfg(feature = "alloc")]
mod atomic;
mod chunked;
mod connection;
mod frame;
mod generic;
mod knowledge;
mod monitor;
#[cfg(feature = "alloc")]
mod pipeline;
mod pubsub;
mod raw;
mod request;
mod server;
mod string;
mod table;
mod transaction;

pub use arg::{Arg, Argument, Double, Key, Keys, Later, Pairs, Secret};
#[cfg(feature = "alloc")]
pub use atomic::{Atomic, Progress, TransactionError};
pub use chunked::{Chunked, chunked};
pub use connection::*;
pub use frame::Frame;
pub use generic::*;
pub use knowledge::{ArgRole, Args, Blocks, Merge, Retry, Returned, Roles, Spread};
pub use monitor::{MonitorArg, MonitorArgs, MonitorBytes, MonitorLine, Origin};
#[cfg(feature = "alloc")]
pub use pipeline::{Each, Pipeline};
pub use pubsub::*;
pub use raw::{Name, Raw, Then, Words, raw, words};
#[cfg(feature = "alloc")]
pub use request::OwnedReply;
pub use request::{Access, AnyRequest, As, Caller, Carry, Command, Effect, Request, Subscription};
pub use server::*;
pub use string::*;
pub use transaction::*;
