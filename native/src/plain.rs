//! The kernel's own streams, TCP and Unix. To read and to write never waits, unless it says so.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::event::Source;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};

/// A stream that is connected, or about to be.
#[derive(Debug)]
pub(crate) struct Plain {
    kind: Kind,
    /// Nothing else is to be waited for but what comes here.
    is_sole: AtomicBool,
    /// Its file waits, of which only [`listen`](Self::listen) makes use.
    #[cfg(target_os = "linux")]
    waits: std::sync::OnceLock<bool>,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Does the same to whichever stream it is.
macro_rules! either {
    ($plain:expr, $inner:ident => $do:expr) => {
        match $plain {
            Kind::Tcp($inner) => $do,
            #[cfg(unix)]
            Kind::Unix($inner) => $do,
        }
    };
}

impl From<TcpStream> for Plain {
    fn from(stream: TcpStream) -> Self {
        Self::new(Kind::Tcp(stream))
    }
}

#[cfg(unix)]
impl From<UnixStream> for Plain {
    fn from(stream: UnixStream) -> Self {
        Self::new(Kind::Unix(stream))
    }
}

impl Plain {
    /// Whether this kernel waits for one reader without keeping all others waiting.
    pub(crate) const LISTENS: bool = cfg!(target_os = "linux");

    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            is_sole: AtomicBool::new(false),
            #[cfg(target_os = "linux")]
            waits: std::sync::OnceLock::new(),
        }
    }

    /// Whether nothing else is to be waited for.
    pub(crate) fn is_sole(&self) -> bool {
        self.is_sole.load(Ordering::Relaxed)
    }

    pub(crate) fn set_sole(&self, is_sole: bool) {
        self.is_sole.store(is_sole, Ordering::Relaxed);
    }

    /// Goes on to connect. Whether it stands.
    pub(crate) fn connect(&self) -> io::Result<bool> {
        if let Some(error) = either!(&self.kind, stream => stream.take_error())? {
            return Err(error);
        }
        let is_connected = either!(&self.kind, stream => stream.peer_addr().is_ok());
        if is_connected {
            self.tune()?;
        }
        Ok(is_connected)
    }

    /// Sets what a fresh TCP connection needs: no delay for small writes, and an end in seconds,
    /// not a quarter of an hour, when the peer is gone without a word.
    fn tune(&self) -> io::Result<()> {
        match &self.kind {
            Kind::Tcp(stream) => {
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
            Kind::Unix(_) => Ok(()),
        }
    }

    fn socket(&self) -> SockRef<'_> {
        either!(&self.kind, stream => SockRef::from(stream))
    }

    /// Sets the sizes of the kernel's buffers.
    pub(crate) fn set_buffers(&self, size: usize) -> io::Result<()> {
        let socket = self.socket();
        socket.set_send_buffer_size(size)?;
        socket.set_recv_buffer_size(size)
    }
}

#[cfg(target_os = "linux")]
mod calls {
    use std::os::fd::{AsFd, BorrowedFd};

    use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

    use super::*;

    /// The kernel makes a tick of it, which may have four times as much.
    const PATIENCE: Duration = Duration::from_millis(1);

    impl Plain {
        pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
            Ok(rustix::net::recv(self, buffer, RecvFlags::DONTWAIT)?.0)
        }

        pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            Ok(rustix::net::send(self, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
        }

        pub(crate) fn write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            Ok(rustix::net::sendmsg(self, parts, &mut SendAncillaryBuffer::default(), flags)?)
        }

        /// Reads, and waits for something to read: for some milliseconds at most, and then
        /// [would block](io::ErrorKind::WouldBlock).
        pub(crate) fn listen(&self, buffer: &mut [u8]) -> io::Result<usize> {
            if !*self.waits.get_or_init(|| self.wait().is_ok()) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(rustix::net::recv(self, buffer, RecvFlags::empty())?.0)
        }

        fn wait(&self) -> io::Result<()> {
            let socket = self.socket();
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.set_nonblocking(false)
        }
    }

    impl AsFd for Plain {
        fn as_fd(&self) -> BorrowedFd<'_> {
            either!(&self.kind, stream => stream.as_fd())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod calls {
    use std::io::{Read, Write};

    use super::*;

    impl Plain {
        pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
            either!(&self.kind, stream => (&*stream).read(buffer))
        }

        pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            either!(&self.kind, stream => (&*stream).write(bytes))
        }

        pub(crate) fn write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
            either!(&self.kind, stream => (&*stream).write_vectored(parts))
        }

        /// A file that waits does so for whoever reads: nobody [listens](Self::LISTENS).
        pub(crate) fn listen(&self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }
}

impl Source for Plain {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        either!(&mut self.kind, stream => stream.register(registry, token, interests))
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        either!(&mut self.kind, stream => stream.reregister(registry, token, interests))
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        either!(&mut self.kind, stream => stream.deregister(registry))
    }
}
