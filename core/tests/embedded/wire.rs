//! A wire to the in-memory server that is as slow, as narrow or as broken as a test wants.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use embedded_io::{ErrorKind, ErrorType};
use respire_core::testing::{ClientId, Responder};

/// What was called, and how many bytes it moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Read(usize),
    Write(usize),
    Flush,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

impl embedded_io::Error for Broken {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

pub(crate) struct Wire {
    pub(crate) server: Responder,
    pub(crate) client: ClientId,
    pub(crate) calls: Vec<Call>,
    /// The most bytes that one call moves.
    pub(crate) step: usize,
    /// Sends nothing before it is flushed, as a TLS session.
    pub(crate) buffers: bool,
    /// What waits for a flush.
    pub(crate) held: Vec<u8>,
    /// The server does not read while so much of its output is unread.
    pub(crate) room: usize,
    /// Whether the next async call has to wait, asked at each poll.
    pub(crate) waits: Box<dyn FnMut() -> bool>,
    pub(crate) read_fails: bool,
    pub(crate) write_fails: Option<Result<usize, Broken>>,
    pub(crate) flush_fails: bool,
}

impl Wire {
    pub(crate) fn new() -> Self {
        let mut server = Responder::new();
        let client = server.connect(Duration::ZERO);
        Self {
            server,
            client,
            calls: Vec::new(),
            step: usize::MAX,
            buffers: false,
            held: Vec::new(),
            room: usize::MAX,
            waits: Box::new(|| false),
            read_fails: false,
            write_fails: None,
            flush_fails: false,
        }
    }

    /// `None`: it would block.
    fn read(&mut self, buffer: &mut [u8]) -> Option<Result<usize, Broken>> {
        assert!(!buffer.is_empty(), "a read of nothing looks like an end");
        if self.read_fails {
            return Some(Err(Broken));
        }
        let output = self.server.output(self.client);
        let n = output.len().min(buffer.len()).min(self.step);
        if n == 0 && !self.server.wants_close(self.client) {
            return None;
        }
        buffer[..n].copy_from_slice(&output[..n]);
        self.server.sent(self.client, n);
        self.calls.push(Call::Read(n));
        Some(Ok(n))
    }

    fn write(&mut self, bytes: &[u8]) -> Option<Result<usize, Broken>> {
        assert!(!bytes.is_empty());
        if self.write_fails.is_some() {
            return self.write_fails;
        }
        if self.server.output(self.client).len() >= self.room {
            return None;
        }
        let n = bytes.len().min(self.step);
        self.held.extend_from_slice(&bytes[..n]);
        self.calls.push(Call::Write(n));
        if !self.buffers {
            self.send();
        }
        Some(Ok(n))
    }

    fn flush(&mut self) -> Result<(), Broken> {
        if self.flush_fails {
            return Err(Broken);
        }
        self.calls.push(Call::Flush);
        self.send();
        Ok(())
    }

    fn send(&mut self) {
        self.server.receive(Duration::ZERO, self.client, &self.held);
        self.held.clear();
    }
}

/// One end of the wire, for reading, writing or both.
pub(crate) struct End<'a>(pub(crate) &'a RefCell<Wire>);

impl ErrorType for End<'_> {
    type Error = Broken;
}

impl embedded_io::Read for End<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        self.0.borrow_mut().read(buffer).expect("the read waits for ever")
    }
}

impl embedded_io::Write for End<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        self.0.borrow_mut().write(bytes).expect("the write waits for ever")
    }

    fn flush(&mut self) -> Result<(), Broken> {
        self.0.borrow_mut().flush()
    }
}

impl embedded_io::ReadReady for End<'_> {
    fn read_ready(&mut self) -> Result<bool, Broken> {
        let wire = self.0.borrow();
        Ok(wire.read_fails
            || wire.server.wants_close(wire.client)
            || !wire.server.output(wire.client).is_empty())
    }
}

impl embedded_io::WriteReady for End<'_> {
    fn write_ready(&mut self) -> Result<bool, Broken> {
        let wire = self.0.borrow();
        Ok(wire.server.output(wire.client).len() < wire.room)
    }
}

impl End<'_> {
    /// Does it at once or not at all, so dropping the future has no effect.
    async fn when_ready<T>(&self, mut action: impl FnMut(&mut Wire) -> Option<T>) -> T {
        poll_fn(|_| {
            let mut wire = self.0.borrow_mut();
            if (wire.waits)() {
                return Poll::Pending;
            }
            action(&mut wire).map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl embedded_io_async::Read for End<'_> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        self.when_ready(|wire| wire.read(buffer)).await
    }
}

impl embedded_io_async::Write for End<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        self.when_ready(|wire| wire.write(bytes)).await
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        self.when_ready(|wire| Some(wire.flush())).await
    }
}
