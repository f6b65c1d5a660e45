//! From an endpoint to a connected socket: every address is tried, each with its own deadline.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use respire_core::client::{Dial, DialError, Endpoint, Fault};

use crate::connect::Connect;
use crate::route::Route;
use crate::socket::{Socket, Stream, poll_once};
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// Opens TCP and Unix sockets, with TLS where it is asked for.
#[derive(Clone, Default)]
pub struct Dialer {
    /// How TLS is made, over every connection to a host, whatever the URL says. `None`: as [`Tls::new`] says, and only
    /// to endpoints that ask for it. There is none over Unix sockets.
    #[cfg(feature = "tls")]
    pub tls: Option<Tls>,
    /// Who connects the sockets instead.
    pub connect: Option<Arc<dyn Connect>>,
    /// Sizes of the kernel's socket buffers, if not the system's own.
    #[doc(hidden)]
    pub socket_buffers: Option<usize>,
}

impl Dial for Dialer {
    type Error = io::Error;
    type Transport = Socket;

    fn dial(&mut self, endpoint: &Endpoint, timeout: Duration) -> Result<Socket, DialError<io::Error>> {
        let mut route = Route::new(self, endpoint)?;
        let mut tried = Vec::new();
        let mut last = None;
        let mut start = Instant::now();
        while let Some((address, opened)) = route.next(timeout) {
            match opened.and_then(|stream| wait_for(stream, timeout.saturating_sub(start.elapsed()))) {
                Ok(socket) => return Ok(socket),
                Err(error) => {
                    last = Some(error.copy());
                    tried.extend(address.map(|address| (address, error)));
                }
            }
            start = Instant::now();
        }
        Err(DialError { tried, error: last.unwrap_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

impl Dialer {
    /// One that makes TLS over every connection to a host, also where the URL does not ask for it.
    #[cfg(feature = "tls")]
    pub fn tls(tls: Tls) -> Self {
        Self { tls: Some(tls), ..Self::default() }
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Dialer");
        #[cfg(feature = "tls")]
        shown.field("tls", &self.tls);
        shown.field("connect", &self.connect.as_ref().map(|_| "..")).finish_non_exhaustive()
    }
}

/// Waits until the stream takes requests.
fn wait_for(mut stream: Stream, timeout: Duration) -> io::Result<Socket> {
    let start = Instant::now();
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(16);
    poll.registry().register(&mut stream, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    while !stream.connect()? {
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(stream.is_late());
        }
        poll_once(&mut poll, &mut events, Some(left))?;
    }
    Ok(Socket::new(poll, events, stream))
}
