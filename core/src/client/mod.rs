//! The blocking client, for any transport: what native and WASI share.
//!
//! A frontend brings a [`Dial`]: the way from an [`Endpoint`] to a connected
//! [`Transport`](crate::io::Transport). All else is here: [`Url`], the handshake, calls and
//! pipelines with reconnection in between, [`Subscriber`], and errors in words.
//!
//! ```text
//! Client ──► Call, PipelineCall, TransactionCall ──► Session ──► connect ──► io::Driver ──► io::pump
//!                                                  └─► Dial (of the frontend)
//! ```

mod call;
mod connect;
mod error;
mod session;
mod subscriber;
mod transaction;
mod url;

pub use call::{Call, Client, PipelineCall, Share};
pub use connect::{Dial, DialError, Link, Patience, connect};
#[cfg(feature = "std")]
pub use error::system::Explained;
pub use error::{Cause, ConnectError, Error, Fault};
pub use session::{Results, Session};
pub use subscriber::{Message, Subscriber};
pub use transaction::{Attempt, Transact, TransactionCall};
pub use url::{Endpoint, Url, UrlError};
