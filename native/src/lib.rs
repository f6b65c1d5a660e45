//! Redis and Valkey without a runtime: a client for threads and for tasks, over TCP and Unix sockets.
//!
//! The protocol lives in [`respire_core`], a state machine without I/O; this crate gives it
//! sockets, driven by mio on the thread that waits.
//!
//! ```no_run
//! use respire::prelude::*;
//!
//! let client = respire::Client::open("redis://127.0.0.1:6379")?;
//! client.set("greeting", "hello").ex(60).wait()?;
//! let greeting: Option<String> = client.get("greeting").wait()?;
//! # Ok::<(), respire::Error>(())
//! ```
//!
//! The same call can be awaited, on any executor: `client.get("greeting").await?`.
//!
//! # Features
//! - `cli` (default): the `respire` command line tool and what it is made of. A library that links
//!   respire turns default features off, and this one on if it wants TLS:
//! - `tls` (default): `rediss://` URLs, and `Tls` for certificates of one's own. On WASI it does nothing.
//! - `tokio`, `async-io`: a client that lives in such a runtime, without a thread of its own.
//! - `serde`: answers as whatever implements `Deserialize`, by `resp::Serde`.
//! - `stream`: subscribers are streams.
//! - `log`: trace events and warnings through the `log` facade. They never show arguments or replies.
#![forbid(unsafe_code)]

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(not(target_os = "wasi"))]
mod client;
#[cfg(not(target_os = "wasi"))]
mod connect;
#[cfg(not(target_os = "wasi"))]
mod dial;
#[cfg(not(target_os = "wasi"))]
mod event_loop;
#[cfg(not(target_os = "wasi"))]
mod plain;
#[cfg(not(target_os = "wasi"))]
mod route;
mod single;
#[cfg(not(target_os = "wasi"))]
mod socket;
#[cfg(all(feature = "tls", not(target_os = "wasi")))]
mod tls;
#[cfg(all(not(feature = "tls"), not(target_os = "wasi")))]
#[path = "tls/none.rs"]
mod tls;

#[cfg(all(feature = "async-io", unix))]
pub use client::async_io;
#[cfg(all(feature = "tokio", unix))]
pub use client::tokio;
#[cfg(not(target_os = "wasi"))]
pub use client::{
    Builder, Bulk, BulkBuilder, BulkError, BulkResult, Call, Client, Conn, ConnCall, HOOK_PANICKED, Health,
    HealthState, LastError, Monitor, MonitorCall, Monitored, MonitoredCommand, News, NewsControl,
    NewsOptions, Notice, Origin, PipelineCall, Published, Reached, ReadCall, SubscribeCall, TransactionCall,
    block_on, block_on_for,
};
#[cfg(unix)]
pub use client::{Descriptor, Driver, Reactor};
#[cfg(not(target_os = "wasi"))]
pub use connect::{Connect, Connected};
#[cfg(not(target_os = "wasi"))]
pub use dial::Dialer;
#[cfg(not(target_os = "wasi"))]
pub use event_loop::{Counts, EventLoop, IN_FLIGHT, Login, Waker};
use respire_core::client as generic;
pub use respire_core::client::{Cause, Endpoint, Message, Url, UrlError};
pub use respire_core::{
    bulk, command, config, conn, engine, error as errors, hook, key, pool, pubsub, resp, retry, time,
};
#[cfg(target_os = "wasi")]
pub use respire_wasi::{Connection as Socket, Dialer};
#[cfg(all(feature = "tls", not(target_os = "wasi")))]
pub use rustls;
pub use single::Single;
#[cfg(target_os = "wasi")]
pub use single::Single as Client;
#[cfg(not(target_os = "wasi"))]
pub use socket::Socket;
#[cfg(all(feature = "tls", not(target_os = "wasi")))]
pub use tls::Tls;

/// How dialling and sockets fail here.
pub type TransportError = <Dialer as generic::Dial>::Error;
/// What can go wrong for a client.
pub type Error = generic::Error<TransportError>;
/// Why no connection came about.
pub type ConnectError = generic::ConnectError<TransportError>;
/// A request of a [`Single`] that was not sent yet.
pub type SingleCall<'c, R> = generic::Call<'c, Single, R>;
/// A pipeline of a [`Single`] that was not sent yet.
pub type SinglePipeline<'c, P> = generic::PipelineCall<'c, Single, P>;

/// Receives what is published, on a connection of its own.
///
/// Pub/sub is at most once: what is published while this is not connected is gone, and a
/// subscriber whose connection was lost says so ([`Error::Lost`](generic::Error::Lost)) instead of
/// going on silently.
///
/// ```no_run
/// let mut news = respire::Subscriber::open("redis://127.0.0.1:6379")?;
/// news.subscribe("news")?;
/// while let Some(message) = news.next(None)? {
///     println!("{}: {:?}", message.channel, message.payload);
/// }
/// # Ok::<(), respire::Error>(())
/// ```
pub type Subscriber = generic::Subscriber<Dialer>;

/// Every command as a function and as a method of [`Client`], with the options they take.
pub mod prelude {
    pub use respire_core::client::Transact;
    pub use respire_core::command::*;
}

/// The same with the page about TLS.
#[cfg(all(doctest, feature = "tls"))]
#[doc = include_str!("../../docs/TLS.md")]
struct TlsPage;

/// The code of the README, compiled. It uses the core's test kit, which the tool brings along.
#[cfg(all(doctest, feature = "cli", feature = "tokio", unix))]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The same for who comes from another client.
#[cfg(all(doctest, feature = "tokio", unix))]
#[doc = include_str!("../../docs/from-redis-rs.md")]
struct FromRedisRs;

#[cfg(all(doctest, feature = "tokio", unix))]
#[doc = include_str!("../../docs/from-fred.md")]
struct FromFred;
