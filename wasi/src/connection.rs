//! A connected TCP stream that cannot trap.
//!
//! Hosts end a component that writes without permission, that polls nothing, or that drops a socket
//! before its streams. So all of it is in one place, and no stream is ever handed out.

use respire_core::io::{Socket, Transport};
use respire_core::time::Instant;
use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::{InputStream, OutputStream, StreamError};
use wasi::sockets::tcp::TcpSocket;

use crate::TransportError;

/// What one read asks for: the host clears as much memory for every read, so small first, and more
/// while reads come back full. No host gives more than the larger at once.
const READ: usize = 16 << 10;
const READ_MOST: usize = 64 << 10;

/// A connected TCP stream: a [`Transport`] for [`Driver`](respire_core::io::Driver).
///
/// ```text
/// readable ─► input ──┐
///                     ├─► socket        dropped from the left to the right
/// writable ─► output ─┘
/// ```
#[derive(Debug)]
pub struct Connection {
    // In the order in which they must be dropped.
    timer: Option<Timer>,
    readable: Pollable,
    writable: Pollable,
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
    /// What the next read asks for.
    read: usize,
}

/// A timer of the host, and when it fires.
#[derive(Debug)]
struct Timer {
    at: u64,
    pollable: Pollable,
}

impl Connection {
    /// A stream that was just connected.
    pub(crate) fn new(socket: TcpSocket, input: InputStream, output: OutputStream) -> Self {
        let (readable, writable) = (input.subscribe(), output.subscribe());
        Self { timer: None, readable, writable, input, output, _socket: socket, read: READ }
    }

    /// Sets a timer that fires at `deadline` or before. One that is set for an earlier moment, still
    /// to come, serves as well: waking up early costs less than a timer for every wait.
    fn set_timer(&mut self, deadline: u64) {
        let serves = |timer: &Timer| timer.at <= deadline && timer.at > monotonic_clock::now();
        if !self.timer.as_ref().is_some_and(serves) {
            self.timer = Some(Timer { at: deadline, pollable: monotonic_clock::subscribe_instant(deadline) });
        }
    }
}

impl Socket for Connection {
    type Error = TransportError;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, TransportError> {
        let wanted = buffer.len().min(self.read);
        let bytes = match self.input.read(wanted as u64) {
            Ok(bytes) => bytes,
            Err(StreamError::Closed) => return Ok(Some(0)),
            Err(error) => return Err(error.into()),
        };
        // Readiness is a promise that hosts do not keep: nothing there is no end.
        if bytes.is_empty() {
            return Ok(None);
        }
        self.read = if bytes.len() == self.read { (self.read * 2).min(READ_MOST) } else { READ };
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        Ok(Some(n))
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, TransportError> {
        let permit = usize::try_from(self.output.check_write()?).unwrap_or(usize::MAX);
        let n = permit.min(bytes.len());
        if n == 0 {
            return Ok(None);
        }
        self.output.write(&bytes[..n])?;
        Ok(Some(n))
    }
}

impl Transport for Connection {
    fn now(&self) -> Instant {
        now()
    }

    fn wait(&mut self, writable: bool, until: Option<Instant>) -> Result<(), TransportError> {
        if let Some(until) = until {
            self.set_timer(until.as_micros().min(u64::MAX / 1000) * 1000);
        }
        let mut list = [&self.readable; 3];
        let mut len = 1;
        if writable {
            list[len] = &self.writable;
            len += 1;
        }
        if let (Some(timer), Some(_)) = (&self.timer, until) {
            list[len] = &timer.pollable;
            len += 1;
        }
        poll(&list[..len]);
        Ok(())
    }
}

/// The host's monotonic clock.
pub(crate) fn now() -> Instant {
    Instant::from_micros(monotonic_clock::now() / 1000)
}
