//! What the turns over embedded-io's transports have in common, blocking or not.

use core::fmt;

use super::tell;
use crate::buffer::Storage;
use crate::conn::{Connection, Event};

/// Why a turn failed. The connection knows; once its events have been told, it is over.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TurnError<R, W = R> {
    /// The transport could not be read.
    Read(R),
    /// The transport could not be written or flushed.
    Write(W),
    /// The transport took no byte of a write and called that a success.
    WriteZero,
}

impl<R: fmt::Display, W: fmt::Display> fmt::Display for TurnError<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
            Self::WriteZero => f.write_str("the transport takes no more bytes"),
        }
    }
}

impl<R: core::error::Error, W: core::error::Error> core::error::Error for TurnError<R, W> {}

/// A write of bytes of the connection is over.
pub(super) fn written<S: Storage, const N: usize, R, W>(
    connection: &mut Connection<S, N>,
    result: Result<usize, W>,
) -> Result<(), TurnError<R, W>> {
    match result {
        Ok(0) => Err(TurnError::WriteZero),
        Ok(n) => {
            connection.handle_transmitted(n);
            Ok(())
        }
        Err(error) => Err(TurnError::Write(error)),
    }
}

/// A read into the connection's space is over.
pub(super) fn received<S: Storage, const N: usize, R, W>(
    connection: &mut Connection<S, N>,
    result: Result<usize, R>,
) -> Result<(), TurnError<R, W>> {
    match result {
        Ok(0) => connection.handle_eof(),
        Ok(n) => connection.handle_received(n),
        Err(error) => return Err(TurnError::Read(error)),
    }
    Ok(())
}

/// Ends a turn: the connection learns of a failure and says what it has to say.
pub(super) fn finish<S: Storage, const N: usize, R, W>(
    connection: &mut Connection<S, N>,
    result: Result<(), TurnError<R, W>>,
    on_event: &mut impl FnMut(Event<'_>),
) -> Result<(), TurnError<R, W>> {
    if result.is_err() {
        connection.handle_transport_error();
    }
    tell(connection, on_event);
    result
}
