//! The connection: a state machine that never touches a socket.
//!
//! A driver moves bytes between a [`Connection`] and a socket and tells it the time; an
//! application submits requests and reads events. [`io::pump`](crate::io::pump) is the driver's
//! inner loop for any socket.
//!
//! ```text
//!  application                Connection                        driver
//!  submit ───────────► encode ─► [ transmit ] ── poll_transmit ──► socket
//!                        │                    ◄─ handle_transmitted
//!                     in flight
//!                        │                    ── recv_space ─────► socket
//!  poll_event ◄─────── match ◄── [ receive ]  ◄─ handle_received
//!                        ▲                    ── poll_timeout ───► timer
//!                     deadlines               ◄─ handle_timeout
//! ```

mod close;
mod connection;
mod deadline;
mod event;
mod express;
#[cfg(feature = "flaws")]
mod flaws;
mod handshake;
mod in_flight;
mod judge;
mod poll;
mod settings;
mod state;
mod submit;
mod subscriber;
mod supply;
mod verify;
mod window;

pub use close::CloseReason;
pub use connection::Connection;
pub(crate) use deadline::Wait;
pub use event::{Event, Failure, Part, SubmitError, Token};
pub use settings::{Config, Protocol, Settings, Tracking, TrackingMode};
pub use state::State;
pub(crate) use subscriber::Word;
