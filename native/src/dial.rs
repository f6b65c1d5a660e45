//! From an endpoint to a connected stream: every address is tried, each with its own deadline.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::clock::left;
use crate::error::{ConnectCause, ConnectError};
use crate::socket::Stream;
use crate::url::Endpoint;

/// Connects to `endpoint` and registers the stream with `poll`.
pub(crate) fn dial(
    poll: &mut Poll,
    events: &mut Events,
    endpoint: &Endpoint,
    timeout: Duration,
    buffers: Option<usize>,
) -> Result<Stream, ConnectError> {
    let mut tried = Vec::new();
    let mut attempt = |name: String, open: &dyn Fn() -> io::Result<Stream>| {
        let result = connect(poll, events, timeout, buffers, open);
        result.map_err(|error| tried.push((name, error))).ok()
    };
    let found = match endpoint {
        #[cfg(unix)]
        Endpoint::Unix(path) => {
            attempt(endpoint.to_string(), &|| Ok(Stream::Unix(mio::net::UnixStream::connect(path)?)))
        }
        #[cfg(not(unix))]
        Endpoint::Unix(_) => {
            attempt(endpoint.to_string(), &|| Err(io::Error::from(io::ErrorKind::Unsupported)))
        }
        Endpoint::Tcp { host, port } => {
            let addresses = (host.as_str(), *port).to_socket_addrs();
            let addresses: Vec<SocketAddr> = match addresses {
                Ok(addresses) => addresses.collect(),
                Err(error) => {
                    let cause = ConnectCause::Io(error);
                    return Err(ConnectError { endpoint: endpoint.clone(), tried, cause });
                }
            };
            addresses.into_iter().find_map(|address| {
                attempt(address.to_string(), &|| Ok(Stream::Tcp(mio::net::TcpStream::connect(address)?)))
            })
        }
    };
    found.ok_or_else(|| {
        let last = tried.last().map(|(_, error)| copy(error));
        let cause = ConnectCause::Io(last.unwrap_or_else(|| io::ErrorKind::NotFound.into()));
        ConnectError { endpoint: endpoint.clone(), tried, cause }
    })
}

fn connect(
    poll: &mut Poll,
    events: &mut Events,
    timeout: Duration,
    buffers: Option<usize>,
    open: &dyn Fn() -> io::Result<Stream>,
) -> io::Result<Stream> {
    let start = Instant::now();
    let mut stream = open()?;
    if let Some(size) = buffers {
        stream.set_buffers(size)?;
    }
    poll.registry().register(&mut stream, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    loop {
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        if stream.is_connected() {
            stream.tune()?;
            return Ok(stream);
        }
        let left = left(start, timeout);
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        poll_once(poll, events, Some(left))?;
    }
}

/// Waits once; a signal is not an error.
pub(crate) fn poll_once(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
    match poll.poll(events, timeout) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
        _ => Ok(()),
    }
}

/// The same error once more, for it stands both in the list and as the cause.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::from(error.kind()),
    }
}
