//! Sockets that the user connects himself.

use std::io;
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::Endpoint;

/// Connects sockets in place of the [`Dialer`](crate::Dialer): through a proxy, a tunnel, an interface of one's own.
///
/// TLS, where the endpoint asks for it, is made on top of what comes back, and verifies the endpoint's host. Any
/// function of this form is one:
///
/// ```no_run
/// use std::net::TcpStream;
/// use std::sync::Arc;
/// use respire::{Dialer, Single};
///
/// // Everything goes through a tunnel on this machine; the URL says whom the server must prove to be.
/// let connect = |_: &_, _| TcpStream::connect("127.0.0.1:7000").map(Into::into);
/// let dialer = Dialer { connect: Some(Arc::new(connect)), ..Dialer::default() };
/// let client = Single::with_dialer(dialer, "redis://redis.internal:6379".parse()?)?;
/// # Ok::<(), respire::Error>(())
/// ```
pub trait Connect: Send + Sync {
    /// A connected stream to `endpoint`, in at most `timeout`. It may block: an event loop waits meanwhile, as it does
    /// for the lookup of a name.
    ///
    /// # Errors
    /// Why there is none. It is told as any dial that failed.
    fn connect(&self, endpoint: &Endpoint, timeout: Duration) -> io::Result<Connected>;
}

impl<F: Fn(&Endpoint, Duration) -> io::Result<Connected> + Send + Sync> Connect for F {
    fn connect(&self, endpoint: &Endpoint, timeout: Duration) -> io::Result<Connected> {
        self(endpoint, timeout)
    }
}

/// A stream that somebody else has connected. Whether it blocks does not matter: from here on it does not.
#[derive(Debug)]
pub enum Connected {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    #[cfg(unix)]
    Unix(UnixStream),
}

impl From<TcpStream> for Connected {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

#[cfg(unix)]
impl From<UnixStream> for Connected {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}
