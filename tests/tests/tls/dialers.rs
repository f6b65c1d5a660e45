//! Streams that the user has connected.

use std::io;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use respire::prelude::*;
use respire::{Cause, Connect, Connected, Dialer, Endpoint, Error, Single, Tls};
use respire_tests::{Kind, Server};

use crate::support::secure;

/// Counts, and goes elsewhere.
struct Tunnel {
    to: u16,
    dials: AtomicUsize,
}

impl Connect for Tunnel {
    fn connect(&self, endpoint: &Endpoint, timeout: Duration) -> io::Result<Connected> {
        assert_eq!(endpoint.to_string(), "redis.internal:1");
        assert_eq!(timeout, Duration::from_secs(5));
        self.dials.fetch_add(1, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.to)).map(Into::into)
    }
}

fn open(tls: Option<Tls>, connect: impl Connect + 'static, url: &str) -> Result<Single, Error> {
    let dialer = Dialer { tls, connect: Some(Arc::new(connect)), ..Dialer::default() };
    Single::with_dialer(dialer, url.parse().unwrap())
}

/// S1-OPT-03: through a tunnel of the user's own, over TCP or a Unix socket. No name is looked up.
#[test]
fn a_tunnel() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Redis70).unix_socket().start();
    let tunnel = Arc::new(Tunnel { to: server.port(), dials: AtomicUsize::new(0) });
    let dialer = Dialer { connect: Some(Arc::clone(&tunnel) as Arc<dyn Connect>), ..Dialer::default() };
    let client = Single::with_dialer(dialer, "redis://redis.internal:1/3".parse().unwrap()).unwrap();
    client.set("greeting", "hello").wait().unwrap();
    assert_eq!(tunnel.dials.load(Ordering::SeqCst), 1);
    // The next connection comes the same way.
    client.send(raw("QUIT")).wait().unwrap();
    assert_eq!(client.get::<String>("greeting").wait().unwrap(), "hello");
    assert_eq!(tunnel.dials.load(Ordering::SeqCst), 2);

    let path = server.unix_path().unwrap().to_owned();
    let connect = move |_: &Endpoint, _: Duration| UnixStream::connect(&path).map(Connected::from);
    let client = open(None, connect, "redis://redis.internal:1/3").unwrap();
    assert_eq!(client.get::<String>("greeting").wait().unwrap(), "hello");
}

/// S1-OPT-03, S0-SEC-01: TLS is on top, and verifies the host of the URL, wherever the tunnel leads.
#[test]
fn tls_through_a_tunnel() {
    let Some(server) = secure(&[]) else { return };
    let port = server.port;
    let connect =
        move |_: &Endpoint, _: Duration| TcpStream::connect(("127.0.0.1", port)).map(Connected::from);
    let client = open(Some(server.tls()), connect, "rediss://localhost:1").unwrap();
    assert_eq!(client.ping::<String>().wait().unwrap(), "PONG");
    let Err(Error::Connect(error)) = open(Some(server.tls()), connect, "rediss://redis.internal:1") else {
        panic!("that is another host")
    };
    assert!(error.to_string().contains("not valid for name \"redis.internal\""), "{error}");
}

/// S1-OPT-03: its error is told.
#[test]
fn a_tunnel_that_is_closed() {
    let connect = |_: &Endpoint, _: Duration| Err(io::ErrorKind::ConnectionRefused.into());
    let Err(Error::Connect(error)) = open(None, connect, "redis://redis.internal:1") else {
        panic!("connected")
    };
    assert!(
        matches!(&error.cause, Cause::Transport(cause) if cause.kind() == io::ErrorKind::ConnectionRefused)
    );
    assert!(error.hint().starts_with("no server listens there"), "{error}");
}
