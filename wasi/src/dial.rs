//! From an endpoint to a connection: every address is tried, each with its own deadline.

use alloc::vec::Vec;
use core::cell::Cell;
use core::net::SocketAddr;
use core::time::Duration;

use respire_core::client::{Dial, DialError, Endpoint};
use respire_core::time::Instant;
use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::ip_name_lookup::resolve_addresses;
use wasi::sockets::network::{ErrorCode, Network};
use wasi::sockets::tcp::TcpSocket;
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use crate::address::{family, from_wasi, to_wasi};
use crate::{Connection, TransportError};

/// Opens TCP streams over `wasi:sockets`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Dialer {}

impl Dial for Dialer {
    type Error = TransportError;
    type Transport = Connection;

    /// The deadline holds for the name lookup, too.
    fn dial(
        &mut self,
        endpoint: &Endpoint,
        timeout: Duration,
    ) -> Result<Connection, DialError<TransportError>> {
        let (host, port) = match endpoint {
            Endpoint::Tcp { host, port } => (host, port),
            Endpoint::Tls { .. } => return Err(TransportError::NoTls.into()),
            Endpoint::Unix(_) => return Err(TransportError::NoUnixSockets.into()),
        };
        let network = instance_network();
        let mut tried = Vec::new();
        let mut last = TransportError::NoAddress;
        for address in lookup(&network, host, *port, timeout)? {
            match connect(&network, address, timeout) {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    last = error.clone();
                    tried.push((address, error));
                }
            }
        }
        Err(DialError { tried, error: last })
    }
}

/// The addresses of a host. Those that are written as numbers need no permission to look names up.
fn lookup(
    network: &Network,
    host: &str,
    port: u16,
    timeout: Duration,
) -> Result<Vec<SocketAddr>, TransportError> {
    if let Ok(address) = host.parse() {
        return Ok([SocketAddr::new(address, port)].into());
    }
    let answers = resolve_addresses(network, host)?;
    let deadline = Deadline::new(timeout);
    let pollable = answers.subscribe();
    let mut found = Vec::new();
    loop {
        match answers.resolve_next_address() {
            Ok(Some(address)) => found.push(SocketAddr::new(from_wasi(address), port)),
            Ok(None) => return Ok(found),
            Err(ErrorCode::WouldBlock) => deadline.wait(&pollable)?,
            // Some addresses are better than none.
            Err(_) if !found.is_empty() => return Ok(found),
            Err(code) => return Err(code.into()),
        }
    }
}

fn connect(network: &Network, address: SocketAddr, timeout: Duration) -> Result<Connection, TransportError> {
    let socket = create_tcp_socket(family(address))?;
    tune(&socket);
    socket.start_connect(network, to_wasi(address))?;
    let deadline = Deadline::new(timeout);
    let pollable = socket.subscribe();
    loop {
        match socket.finish_connect() {
            Ok((input, output)) => {
                // A socket outlives what was made of it.
                drop(pollable);
                return Ok(Connection::new(socket, input, output));
            }
            Err(ErrorCode::WouldBlock) => deadline.wait(&pollable)?,
            // Refusals and denials show here, not where the connection was started.
            Err(code) => return Err(code.into()),
        }
    }
}

/// An end in seconds when the peer is gone without a word. A host that cannot do it leaves that to
/// the deadlines of requests.
fn tune(socket: &TcpSocket) {
    const SECOND: u64 = 1_000_000_000;
    let _ = socket.set_keep_alive_enabled(true);
    let _ = socket.set_keep_alive_idle_time(30 * SECOND);
    let _ = socket.set_keep_alive_interval(5 * SECOND);
    let _ = socket.set_keep_alive_count(3);
}

/// Until when to wait for something that comes before there is a connection.
struct Deadline {
    timer: Pollable,
    over: Cell<bool>,
}

impl Deadline {
    fn new(timeout: Duration) -> Self {
        // In microseconds first, for numbers of 128 bits are long routines.
        let micros = Instant::ZERO.saturating_add(timeout).as_micros();
        let nanos = micros.min(u64::MAX / 1000) * 1000;
        Self { timer: monotonic_clock::subscribe_duration(nanos), over: Cell::new(false) }
    }

    /// Waits until `pollable` is ready. Readiness may be a promise that is not kept, so when the time
    /// is over there is one more attempt at what was waited for, and no other.
    fn wait(&self, pollable: &Pollable) -> Result<(), TransportError> {
        if self.over.get() {
            return Err(ErrorCode::Timeout.into());
        }
        let ready = poll(&[pollable, &self.timer]);
        self.over.set(ready.contains(&1));
        Ok(())
    }
}
