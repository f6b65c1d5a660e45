//! The ways from an endpoint to a stream, one after the other: what blocking clients and event loops share.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use respire_core::client::Endpoint;

use crate::connect::{Connect, Connected};
use crate::socket::Stream;
use crate::{Dialer, tls};

/// The ways to an endpoint that are left to try.
#[derive(Clone)]
pub(crate) struct Route {
    ways: vec::IntoIter<Way>,
    secure: Option<tls::Client>,
    socket_buffers: Option<usize>,
}

#[derive(Clone)]
enum Way {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Unix(std::path::PathBuf),
    Own(Arc<dyn Connect>, Endpoint),
}

impl Route {
    /// Looks the name up, and reads the certificates if there is to be TLS.
    pub(crate) fn new(dialer: &Dialer, endpoint: &Endpoint) -> io::Result<Self> {
        let secure = dialer.secure(endpoint)?;
        let ways = match (&dialer.connect, endpoint) {
            (Some(connect), _) => vec![Way::Own(Arc::clone(connect), endpoint.clone())],
            (None, Endpoint::Tcp { host, port } | Endpoint::Tls { host, port }) => {
                (host.as_str(), *port).to_socket_addrs()?.map(Way::Tcp).collect()
            }
            #[cfg(unix)]
            (None, Endpoint::Unix(path)) => vec![Way::Unix(path.into())],
            #[cfg(not(unix))]
            (None, Endpoint::Unix(_)) => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(Self { ways: ways.into_iter(), secure, socket_buffers: dialer.socket_buffers })
    }

    /// Begins to connect the next way, and says to which address, if it is one.
    pub(crate) fn next(&mut self, timeout: Duration) -> Option<(Option<SocketAddr>, io::Result<Stream>)> {
        let way = self.ways.next()?;
        let address = if let Way::Tcp(address) = way { Some(address) } else { None };
        Some((address, self.open(way, timeout)))
    }

    fn open(&self, way: Way, timeout: Duration) -> io::Result<Stream> {
        let stream: Stream = match way {
            Way::Tcp(address) => mio::net::TcpStream::connect(address)?.into(),
            #[cfg(unix)]
            Way::Unix(path) => mio::net::UnixStream::connect(path)?.into(),
            Way::Own(connect, endpoint) => match connect.connect(&endpoint, timeout)? {
                Connected::Tcp(stream) => {
                    stream.set_nonblocking(true)?;
                    mio::net::TcpStream::from_std(stream).into()
                }
                #[cfg(unix)]
                Connected::Unix(stream) => {
                    stream.set_nonblocking(true)?;
                    mio::net::UnixStream::from_std(stream).into()
                }
            },
        };
        if let Some(size) = self.socket_buffers {
            stream.set_buffers(size)?;
        }
        match &self.secure {
            Some(client) => client.secure(stream),
            None => Ok(stream),
        }
    }
}
