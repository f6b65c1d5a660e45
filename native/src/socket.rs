//! TCP and Unix streams, with TLS or without, as one [`Transport`], waited for by mio.

use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use mio::event::Source;
use mio::{Events, Interest, Poll, Registry, Token};
use respire_core::io::{self as core_io, Transport};
use respire_core::time::Instant;

use crate::plain::Plain;
#[cfg(feature = "tls")]
use crate::tls::Secured;

/// Below this length a copy costs less than the kernel's look at more than one part, and a second look
/// at the request.
const LEND: usize = 4096;

/// A connected stream, what waits for it, and a clock that counts from its start.
#[derive(Debug)]
pub struct Socket {
    poll: Poll,
    events: Events,
    stream: Stream,
    start: std::time::Instant,
}

impl Socket {
    pub(crate) fn new(poll: Poll, events: Events, stream: Stream) -> Self {
        Self { poll, events, stream, start: std::time::Instant::now() }
    }
}

impl core_io::Socket for Socket {
    type Error = io::Error;

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        attempt(|| self.stream.read(buffer))
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        attempt(|| self.stream.write(bytes))
    }

    fn try_write_vectored(&mut self, parts: [&[u8]; 3]) -> io::Result<Option<usize>> {
        let parts = parts.map(IoSlice::new);
        attempt(|| self.stream.write_vectored(&parts))
    }

    fn lends_from(&self) -> usize {
        LEND
    }
}

impl Transport for Socket {
    fn now(&self) -> Instant {
        Instant::ZERO.saturating_add(self.start.elapsed())
    }

    /// Readiness is told by edges, for both directions at once.
    fn wait(&mut self, _writable: bool, until: Option<Instant>) -> io::Result<()> {
        let patience = until.map(|until| until.saturating_since(self.now()));
        poll_once(&mut self.poll, &mut self.events, patience)
    }
}

/// A stream that is connected, or about to be.
#[derive(Debug)]
pub(crate) enum Stream {
    /// It may be shared with who waits for it.
    Plain(Arc<Plain>),
    /// Over one of the others.
    #[cfg(feature = "tls")]
    Tls(Box<Secured>),
}

impl<P: Into<Plain>> From<P> for Stream {
    fn from(stream: P) -> Self {
        Self::Plain(Arc::new(stream.into()))
    }
}

impl Stream {
    /// Goes on to connect. Whether it stands, and takes bytes of the application: with TLS not before the peer has
    /// proved who it is. What it takes is done then, too.
    pub(crate) fn connect(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(stream) => stream.connect(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.connect(),
        }
    }

    /// Why it did not connect, when its time is up.
    pub(crate) fn is_late(&self) -> io::Error {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.is_late(),
            Self::Plain(_) => io::ErrorKind::TimedOut.into(),
        }
    }

    /// Writes what was taken and could not be written yet. Only TLS keeps any.
    pub(crate) fn push(&mut self) -> io::Result<()> {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.push(),
            Self::Plain(_) => Ok(()),
        }
    }

    /// Whether there is something to [`push`](Self::push).
    pub(crate) fn owes(&self) -> bool {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.owes(),
            Self::Plain(_) => false,
        }
    }

    /// If it is the kernel's own: what it gives and takes is all that there is to give and room to take.
    pub(crate) const fn plain(&self) -> Option<&Arc<Plain>> {
        match self {
            Self::Plain(stream) => Some(stream),
            #[cfg(feature = "tls")]
            Self::Tls(_) => None,
        }
    }

    /// Sets the sizes of the kernel's buffers.
    pub(crate) fn set_buffers(&self, size: usize) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.set_buffers(size),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.set_buffers(size),
        }
    }

    /// What a poll knows it by. Who shares it does so later.
    fn source(&mut self) -> io::Result<&mut dyn Source> {
        match self {
            Self::Plain(stream) => match Arc::get_mut(stream) {
                Some(stream) => Ok(stream),
                None => Err(io::ErrorKind::ResourceBusy.into()),
            },
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Ok(&mut **stream),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write_vectored(parts),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.write_vectored(parts),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.source()?.register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.source()?.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source()?.deregister(registry)
    }
}

/// Would block is no error, and an interrupted call is made again.
fn attempt(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Ok(n) => return Ok(Some(n)),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(None),
                io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}

/// Waits once; a signal is not an error.
pub(crate) fn poll_once(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
    match poll.poll(events, timeout) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
        _ => Ok(()),
    }
}
