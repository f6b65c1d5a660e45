//! TCP and Unix streams, with TLS or without, as one [`Transport`], waited for by mio.

use std::io::{self, IoSlice, Read, Write};
use std::time::Duration;

use mio::event::Source;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Events, Interest, Poll, Registry, Token};
use respire_core::io::{self as core_io, Transport};
use respire_core::time::Instant;
use socket2::{SockRef, TcpKeepalive};

#[cfg(feature = "tls")]
use crate::tls::Secured;

/// Below this length a copy costs less than the kernel's look at more than one part, and a second look
/// at the request.
const LEND: usize = 4096;

/// Does the same to whichever stream it is.
macro_rules! either {
    ($stream:expr, $inner:ident => $do:expr) => {
        match $stream {
            Stream::Tcp($inner) => $do,
            #[cfg(unix)]
            Stream::Unix($inner) => $do,
            #[cfg(feature = "tls")]
            Stream::Tls($inner) => $do,
        }
    };
}

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
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// Over one of the others.
    #[cfg(feature = "tls")]
    Tls(Box<Secured>),
}

impl Stream {
    /// Goes on to connect. Whether it stands, and takes bytes of the application: with TLS not before the peer has
    /// proved who it is. What it takes is done then, too.
    pub(crate) fn connect(&mut self) -> io::Result<bool> {
        let (error, is_connected) = match self {
            Self::Tcp(stream) => (stream.take_error()?, stream.peer_addr().is_ok()),
            #[cfg(unix)]
            Self::Unix(stream) => (stream.take_error()?, stream.peer_addr().is_ok()),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => return stream.connect(),
        };
        if let Some(error) = error {
            return Err(error);
        }
        if is_connected {
            self.tune()?;
        }
        Ok(is_connected)
    }

    /// Why it did not connect, when its time is up.
    pub(crate) fn is_late(&self) -> io::Error {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.is_late(),
            _ => io::ErrorKind::TimedOut.into(),
        }
    }

    /// Writes what was taken and could not be written yet. Only TLS keeps any.
    pub(crate) fn push(&mut self) -> io::Result<()> {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.push(),
            _ => Ok(()),
        }
    }

    /// Whether there is something to [`push`](Self::push).
    pub(crate) fn owes(&self) -> bool {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.owes(),
            _ => false,
        }
    }

    /// Whether it is the kernel's own: what it gives and takes is all that there is to give and room to take.
    pub(crate) const fn is_plain(&self) -> bool {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(_) => false,
            _ => true,
        }
    }

    /// Sets what a fresh TCP connection needs: no delay for small writes, and an end in seconds,
    /// not a quarter of an hour, when the peer is gone without a word.
    fn tune(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                stream.set_nodelay(true)?;
                let socket = SockRef::from(stream);
                let keepalive = TcpKeepalive::new()
                    .with_time(Duration::from_secs(30))
                    .with_interval(Duration::from_secs(5))
                    .with_retries(3);
                socket.set_tcp_keepalive(&keepalive)?;
                #[cfg(target_os = "linux")]
                socket.set_tcp_user_timeout(Some(Duration::from_secs(45)))?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Sets the sizes of the kernel's buffers.
    pub(crate) fn set_buffers(&self, size: usize) -> io::Result<()> {
        let socket = match self {
            Self::Tcp(stream) => SockRef::from(stream),
            #[cfg(unix)]
            Self::Unix(stream) => SockRef::from(stream),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => return stream.set_buffers(size),
        };
        socket.set_send_buffer_size(size)?;
        socket.set_recv_buffer_size(size)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(self, stream => stream.read(buffer))
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        either!(self, stream => stream.write(bytes))
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        either!(self, stream => stream.write_vectored(parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        either!(self, stream => stream.register(registry, token, interests))
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        either!(self, stream => stream.reregister(registry, token, interests))
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        either!(self, stream => stream.deregister(registry))
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
