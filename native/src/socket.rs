//! TCP and Unix streams as one [`Socket`].

use std::io::{self, Read, Write};
use std::time::Duration;

use mio::event::Source;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use respire_core::io::Socket;
use socket2::{SockRef, TcpKeepalive};

/// A stream that is connected, or about to be.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Does the same to whichever stream it is.
macro_rules! either {
    ($stream:expr, $inner:ident => $do:expr) => {
        match $stream {
            Stream::Tcp($inner) => $do,
            #[cfg(unix)]
            Stream::Unix($inner) => $do,
        }
    };
}

impl Stream {
    /// An error that the kernel keeps for a stream that could not connect.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        either!(self, stream => stream.take_error())
    }

    /// Whether the connection stands.
    pub(crate) fn is_connected(&self) -> bool {
        either!(self, stream => stream.peer_addr().is_ok())
    }

    /// Sets what a fresh TCP connection needs: no delay for small writes, and an end in seconds,
    /// not a quarter of an hour, when the peer is gone without a word.
    pub(crate) fn tune(&self) -> io::Result<()> {
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
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
        }
    }

    /// Sets the sizes of the kernel's buffers.
    pub(crate) fn set_buffers(&self, size: usize) -> io::Result<()> {
        let socket = either!(self, stream => SockRef::from(stream));
        socket.set_send_buffer_size(size)?;
        socket.set_recv_buffer_size(size)
    }
}

impl Socket for Stream {
    type Error = io::Error;

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        attempt(|| either!(self, stream => stream.read(buffer)))
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        attempt(|| either!(self, stream => stream.write(bytes)))
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
