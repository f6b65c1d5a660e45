//! embedded-io's blocking traits, feature `embedded-io`.

use embedded_io::{Read, ReadReady, Write, WriteReady};

use super::Socket;
use super::tell;
use super::turn::{TurnError, finish, received, written};
use crate::buffer::Storage;
use crate::conn::{Connection, Event};

/// A transport that says when it is ready, as a [`Socket`] for [`pump`](super::pump). Never blocks.
///
/// It is not flushed: a transport that keeps what is written until then is one for [`Blocking`].
#[derive(Debug)]
pub struct Ready<T>(pub T);

impl<T: Read + ReadReady + Write + WriteReady> Socket for Ready<T> {
    type Error = T::Error;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, T::Error> {
        if self.0.read_ready()? { self.0.read(buffer).map(Some) } else { Ok(None) }
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, T::Error> {
        if self.0.write_ready()? { self.0.write(bytes).map(Some) } else { Ok(None) }
    }
}

/// A transport that blocks, with a turn of its own.
///
/// It is no [`Socket`]: one that blocks would wait for an answer with half of the request unsent.
#[derive(Debug)]
pub struct Blocking<T> {
    transport: T,
    /// Something was written since the last flush.
    unflushed: bool,
}

impl<T> Blocking<T> {
    /// A transport whose stream is established.
    pub const fn new(transport: T) -> Self {
        Self { transport, unflushed: false }
    }

    /// The transport.
    pub const fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// The transport, given back.
    pub fn into_transport(self) -> T {
        self.transport
    }
}

impl<T: Read + Write> Blocking<T> {
    /// Writes all that is ready, flushes it, reads once, tells every event. If events wait already,
    /// it tells them and does nothing else; so they are never kept back by a read. While bytes of a
    /// request are [owed](Connection::owed) it reads nothing: supply more and turn again.
    ///
    /// The read waits as long as the transport does: turn while an answer or a message is awaited.
    /// A deadline is the transport's to keep; its error ends the connection.
    ///
    /// # Errors
    /// The transport's error. The connection knows of it, and its events were told.
    pub fn turn<S: Storage, const N: usize>(
        &mut self,
        connection: &mut Connection<S, N>,
        mut on_event: impl FnMut(Event<'_>),
    ) -> Result<(), TurnError<T::Error>> {
        if tell(connection, &mut on_event) {
            return Ok(());
        }
        let result = self.exchange(connection);
        finish(connection, result, &mut on_event)
    }

    fn exchange<S: Storage, const N: usize>(
        &mut self,
        connection: &mut Connection<S, N>,
    ) -> Result<(), TurnError<T::Error>> {
        while !connection.poll_transmit().is_empty() {
            let result = self.transport.write(connection.poll_transmit());
            written(connection, result)?;
            self.unflushed = true;
        }
        if self.unflushed {
            self.transport.flush().map_err(TurnError::Write)?;
            self.unflushed = false;
        }
        // The server says nothing before it has all of a value that is to be supplied.
        if connection.owed() > 0 {
            return Ok(());
        }
        let Some(space) = connection.recv_space() else { return Ok(()) };
        let result = self.transport.read(space);
        received(connection, result)
    }
}
