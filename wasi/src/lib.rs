//! Redis and Valkey from a WebAssembly component, over the sockets of WASI 0.2.
//!
//! The protocol lives in [`respire_core`], a state machine without I/O; this crate gives it a TCP
//! stream of `wasi:sockets`, and the clock and the poll of the host. It is `no_std`: a component
//! that looks a name up, connects, sets and gets takes a few tens of KiB. With `std`, the package
//! `respire` builds for the same target, on top of this one.
//!
#![cfg_attr(all(target_os = "wasi", target_env = "p2"), doc = "```no_run")]
#![cfg_attr(not(all(target_os = "wasi", target_env = "p2")), doc = "```text")]
//! use respire_wasi::command::*;
//!
//! let client = respire_wasi::Client::open("redis://127.0.0.1:6379")?;
//! client.set("greeting", "hello").ex(60).wait()?;
//! let greeting: Option<String> = client.get("greeting").wait()?;
//! let (length, visits) = client.pipeline((strlen("greeting"), incr("visits"))).wait()?;
//! # Ok::<(), respire_wasi::Error>(())
//! ```
//!
//! # What the host must grant
//!
//! `wasmtime run -S inherit-network,allow-ip-name-lookup component.wasm`. For addresses without
//! names, `inherit-network` is enough. A host that denies it makes an error that names these flags.
//!
//! # What WASI 0.2 has not
//!
//! - No `TCP_NODELAY`: a request that is written in two pieces can wait 40 ms for the peer's
//!   acknowledgement. All that is ready is therefore written in one call.
//! - No Unix sockets, and no threads: one client serves one component.
//!
//! On other targets than `wasm32-wasip2` the crate is empty, so that a workspace can be checked.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod address;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod connection;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod dial;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod error;

pub use respire_core as core;
pub use respire_core::client::{Cause, Endpoint, Message, Url, UrlError};
pub use respire_core::{command, conn, error as errors, resp};

#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod client {
    use respire_core::client;

    use super::{Dialer, TransportError};

    /// A client of one server.
    ///
    /// Every command is a method (from the traits in [`command`](crate::command)) that makes a
    /// [`Call`](client::Call); `wait` sends it and waits for the answer.
    pub type Client = client::Client<Dialer>;
    /// Receives what is published, on a connection of its own.
    pub type Subscriber = client::Subscriber<Dialer>;
    /// What can go wrong for a client.
    pub type Error = client::Error<TransportError>;
    /// Why no connection came about.
    pub type ConnectError = client::ConnectError<TransportError>;
}

#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub use self::{
    client::{Client, ConnectError, Error, Subscriber},
    connection::Connection,
    dial::Dialer,
    error::TransportError,
};
