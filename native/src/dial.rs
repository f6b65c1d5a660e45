//! From an endpoint to a connected socket: every address is tried, each with its own deadline.

use std::io;
use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use respire_core::client::{Dial, DialError, Endpoint, Fault};

use crate::socket::{Socket, Stream, poll_once};

/// Opens TCP and Unix sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dialer {
    /// Sizes of the kernel's socket buffers, if not the system's own.
    #[doc(hidden)]
    pub socket_buffers: Option<usize>,
}

impl Dial for Dialer {
    type Error = io::Error;
    type Transport = Socket;

    fn dial(&mut self, endpoint: &Endpoint, timeout: Duration) -> Result<Socket, DialError<io::Error>> {
        let mut tried = Vec::new();
        let mut last = None;
        match endpoint {
            #[cfg(unix)]
            Endpoint::Unix(path) => {
                return Ok(self.connect(timeout, || Ok(Stream::Unix(mio::net::UnixStream::connect(path)?)))?);
            }
            #[cfg(not(unix))]
            Endpoint::Unix(_) => return Err(io::Error::from(io::ErrorKind::Unsupported).into()),
            Endpoint::Tcp { host, port } => {
                for address in (host.as_str(), *port).to_socket_addrs()? {
                    match self.connect(timeout, || Ok(Stream::Tcp(mio::net::TcpStream::connect(address)?))) {
                        Ok(socket) => return Ok(socket),
                        Err(error) => {
                            last = Some(error.copy());
                            tried.push((address, error));
                        }
                    }
                }
            }
        }
        Err(DialError { tried, error: last.unwrap_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

impl Dialer {
    fn connect(self, timeout: Duration, open: impl Fn() -> io::Result<Stream>) -> io::Result<Socket> {
        let start = Instant::now();
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(16);
        let mut stream = open()?;
        if let Some(size) = self.socket_buffers {
            stream.set_buffers(size)?;
        }
        poll.registry().register(&mut stream, Token(0), Interest::READABLE | Interest::WRITABLE)?;
        loop {
            if let Some(error) = stream.take_error()? {
                return Err(error);
            }
            if stream.is_connected() {
                stream.tune()?;
                return Ok(Socket::new(poll, events, stream));
            }
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            poll_once(&mut poll, &mut events, Some(left))?;
        }
    }
}
