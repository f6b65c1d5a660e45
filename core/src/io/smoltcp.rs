//! A TCP socket of smoltcp as a [`Socket`], feature `smoltcp`. It needs Rust 1.91, as smoltcp does.
//!
//! [`pump`](super::pump) takes what a `SocketSet` gives:
//!
//! ```
//! use respire_core::conn::{Connection, Event};
//! use respire_core::io::pump;
//! use respire_core::io::smoltcp::Closed;
//! use respire_core::time;
//! use smoltcp::iface::{Interface, SocketHandle, SocketSet};
//! use smoltcp::phy::Device;
//! use smoltcp::socket::tcp;
//! use smoltcp::time::Instant;
//!
//! /// Moves frames and bytes. Says until when the device may sleep, unless a frame comes; `None`: for ever.
//! fn step(
//!     now: Instant,
//!     device: &mut impl Device,
//!     interface: &mut Interface,
//!     sockets: &mut SocketSet<'_>,
//!     handle: SocketHandle,
//!     connection: &mut Connection<[u8; 256], 4>,
//!     on_event: impl FnMut(Event<'_>),
//! ) -> Result<Option<Instant>, Closed> {
//!     let micros = u64::try_from(now.total_micros()).unwrap_or(0);
//!     let at = time::Instant::from_micros(micros);
//!     interface.poll(now, device, sockets);
//!     let turn = pump(connection, sockets.get_mut::<tcp::Socket>(handle), on_event)?;
//!     connection.handle_timeout(at); // Not before: what came in time counts.
//!     interface.poll(now, device, sockets); // What was written becomes a frame.
//!     if turn.may_read || connection.patience(at) == Some(time::Duration::ZERO) {
//!         return Ok(Some(now));
//!     }
//!     let deadline = connection.poll_timeout().map(|at| Instant::from_micros(at.as_micros() as i64));
//!     Ok(interface.poll_at(now, sockets).into_iter().chain(deadline).min())
//! }
//! ```
//! Start the connection and the socket's `connect` in any order: what is written before TCP is
//! connected waits. Give a new life a socket that was connected anew.

use core::fmt;

use smoltcp::socket::tcp::{self, RecvError, State};

use super::Socket;

/// There is no TCP connection: it was refused, reset, aborted or timed out, or it was closed on
/// this side, or never begun.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no TCP connection")
    }
}

impl core::error::Error for Closed {}

impl Socket for tcp::Socket<'_> {
    type Error = Closed;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Closed> {
        match self.recv_slice(buffer) {
            Ok(0) => Ok(None),
            Ok(n) => Ok(Some(n)),
            Err(RecvError::Finished) => Ok(Some(0)),
            Err(RecvError::InvalidState) => not_yet(self),
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Closed> {
        match self.send_slice(bytes) {
            Ok(0) => Ok(None),
            Ok(n) => Ok(Some(n)),
            Err(tcp::SendError::InvalidState) => not_yet(self),
        }
    }
}

/// Nothing now, if there will be a connection.
fn not_yet(socket: &tcp::Socket<'_>) -> Result<Option<usize>, Closed> {
    match socket.state() {
        State::Listen | State::SynSent | State::SynReceived => Ok(None),
        _ => Err(Closed),
    }
}
