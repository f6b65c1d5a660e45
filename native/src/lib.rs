//! Redis and Valkey without a runtime: a blocking client over TCP and Unix sockets.
//!
//! The protocol lives in [`respire_core`], a state machine without I/O; this crate gives it a
//! socket, driven by mio on the thread that waits.
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
//! # Features
//! - `cli` (default): the `respire` command line tool and what it is made of. A library that links
//!   respire turns default features off.
//! - `log`: trace events through the `log` facade. They never show arguments or replies.
#![forbid(unsafe_code)]

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod client;
mod clock;
mod dial;
mod driver;
mod error;
mod socket;
mod subscriber;
mod url;

pub use client::{Call, Client, PipelineCall};
pub use error::{ConnectCause, ConnectError, Error};
pub use respire_core::{command, conn, error as errors, resp};
pub use subscriber::{Message, Subscriber};
pub use url::{Endpoint, Url, UrlError};

/// Every command as a function and as a method of [`Client`], with the options they take.
pub mod prelude {
    pub use respire_core::command::*;
}

/// The code of the README, compiled. It uses the core's test kit, which the tool brings along.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../../README.md")]
struct Readme;
