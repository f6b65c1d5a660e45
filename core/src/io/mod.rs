//! The driver's inner loop, for any socket.
//!
//! [`Socket`] is two methods, and [`pump`] moves bytes between one and a
//! [`Connection`]: write what is ready in one call, read what has come,
//! tell the events. A mio stream or a WASI stream becomes a `Socket` in a few lines; a TCP socket of
//! smoltcp is one with feature `smoltcp`, and an embedded-io transport that says when it is ready
//! with feature `embedded-io`.
//!
//! A socket that can also be waited for is a [`Transport`], and [`Driver`] is the blocking loop over
//! it. Those that only wait have a turn of their own: `Blocking` (feature `embedded-io`), and for
//! embassy and its like `embedded_async` (feature `embedded-io-async`).

mod driver;
#[cfg(feature = "embedded-io")]
mod embedded;
#[cfg(feature = "embedded-io-async")]
pub mod embedded_async;
#[cfg(feature = "alloc")]
mod lend;
#[cfg(feature = "smoltcp")]
pub mod smoltcp;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
mod turn;

use crate::buffer::Storage;
use crate::conn::{Connection, Event};

pub use driver::{CallError, Driver, StartError, Transport};
#[cfg(feature = "embedded-io")]
pub use embedded::{Blocking, Ready};
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub use turn::TurnError;

/// A stream of bytes that does not block.
pub trait Socket {
    /// What can go wrong.
    type Error;

    /// Reads what is there into `buffer`, which is not empty. `Ok(None)`: nothing yet;
    /// `Ok(Some(0))`: the peer has closed its side.
    ///
    /// # Errors
    /// The stream is broken.
    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error>;

    /// Writes what it can of `bytes`, which are not empty. `Ok(None)`: nothing now.
    ///
    /// # Errors
    /// The stream is broken.
    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Self::Error>;

    /// Writes what it can of three parts, one behind the other; not all of them are empty. As they
    /// are provided, these are writes of one part each.
    ///
    /// # Errors
    /// The stream is broken; nothing was written.
    fn try_write_vectored(&mut self, parts: [&[u8]; 3]) -> Result<Option<usize>, Self::Error> {
        match parts.into_iter().find(|part| !part.is_empty()) {
            Some(part) => self.try_write(part),
            None => Ok(Some(0)),
        }
    }

    /// How long an argument must be for [`Driver`] to write it from where it lies, by
    /// [`try_write_vectored`](Self::try_write_vectored), and not to copy it first. What is provided:
    /// none is long enough. Say a few KiB if all parts are one call of the system; less than 100 bytes
    /// are copied in any case. Without feature `alloc` nobody asks.
    fn lends_from(&self) -> usize {
        usize::MAX
    }
}

impl<T: Socket + ?Sized> Socket for &mut T {
    type Error = T::Error;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        (**self).try_read(buffer)
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Self::Error> {
        (**self).try_write(bytes)
    }

    fn try_write_vectored(&mut self, parts: [&[u8]; 3]) -> Result<Option<usize>, Self::Error> {
        (**self).try_write_vectored(parts)
    }

    fn lends_from(&self) -> usize {
        (**self).lends_from()
    }
}

/// What the socket is worth waiting for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Turn {
    /// Bytes are left to write: wait for room, too.
    pub wants_write: bool,
    /// The read found bytes, and so not yet the end of what is there: read again before waiting.
    /// Where readiness is told by edges, what is left behind is never told again.
    pub may_read: bool,
}

/// One turn of the loop: one write if anything is ready, one read, every event, and one more write
/// if an answer released something.
///
/// It always reads, also while a write is pending; a client that only writes and a server that only
/// writes wait for each other for ever. Call it again at once while [`Turn::may_read`], else when
/// the socket is readable, or writable if [`Turn::wants_write`].
///
/// # Errors
/// The socket's error. The connection knows that the transport failed; once more events have been
/// told, it is over.
pub fn pump<S: Storage, const N: usize, K: Socket>(
    connection: &mut Connection<S, N>,
    socket: &mut K,
    on_event: impl FnMut(Event<'_>),
) -> Result<Turn, K::Error> {
    pump_lending(connection, socket, &mut [].as_slice(), on_event)
}

/// [`pump`] by a driver that holds the next bytes that are owed, `lent`. Those that were sent are gone
/// from them.
fn pump_lending<S: Storage, const N: usize, K: Socket>(
    connection: &mut Connection<S, N>,
    socket: &mut K,
    lent: &mut &[u8],
    mut on_event: impl FnMut(Event<'_>),
) -> Result<Turn, K::Error> {
    let result = exchange(connection, socket, lent, &mut on_event);
    if result.is_err() {
        connection.handle_transport_error();
    }
    tell(connection, &mut on_event);
    result
}

fn exchange<S: Storage, const N: usize, K: Socket>(
    connection: &mut Connection<S, N>,
    socket: &mut K,
    lent: &mut &[u8],
    on_event: &mut impl FnMut(Event<'_>),
) -> Result<Turn, K::Error> {
    #[cfg(feature = "alloc")]
    let written =
        if lent.is_empty() { write(connection, socket) } else { lend::write(connection, socket, lent) };
    #[cfg(not(feature = "alloc"))]
    let (written, _) = (write(connection, socket), lent);
    let mut may_read = read(connection, socket, on_event)?;
    // A socket that takes nothing more may still hold answers, and the server's last words.
    while written.is_err() && may_read {
        may_read = read(connection, socket, on_event)?;
    }
    let mut wants_write = written?;
    tell(connection, on_event);
    if !wants_write {
        // The handshake may go on with its second choice, and no readiness announces that.
        wants_write = write(connection, socket)?;
    }
    Ok(Turn { wants_write, may_read })
}

/// Tells every event. Says whether there was one.
fn tell<S: Storage, const N: usize>(
    connection: &mut Connection<S, N>,
    on_event: &mut impl FnMut(Event<'_>),
) -> bool {
    let mut told = false;
    while let Some(event) = connection.poll_event() {
        on_event(event);
        told = true;
    }
    told
}

/// Reads once. Says whether there were bytes.
fn read<S: Storage, const N: usize, K: Socket>(
    connection: &mut Connection<S, N>,
    socket: &mut K,
    on_event: &mut impl FnMut(Event<'_>),
) -> Result<bool, K::Error> {
    if connection.recv_space().is_none() {
        tell(connection, on_event);
    }
    let Some(space) = connection.recv_space() else { return Ok(false) };
    let read = socket.try_read(space)?;
    match read {
        Some(0) => connection.handle_eof(),
        Some(n) => connection.handle_received(n),
        None => {}
    }
    Ok(read.is_some_and(|n| n > 0))
}

/// Writes once. Says whether bytes are left.
fn write<S: Storage, const N: usize, K: Socket>(
    connection: &mut Connection<S, N>,
    socket: &mut K,
) -> Result<bool, K::Error> {
    let bytes = connection.poll_transmit();
    if bytes.is_empty() {
        return Ok(false);
    }
    let wanted = bytes.len();
    let written = socket.try_write(bytes)?.unwrap_or(0);
    connection.handle_transmitted(written);
    Ok(written < wanted)
}
