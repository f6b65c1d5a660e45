//! Transports of embedded-io, blocking and async, before the in-memory server.
#![cfg(all(feature = "embedded-io", feature = "embedded-io-async", feature = "testing"))]

mod blocking;
mod cancel;
mod turns;
mod wire;

use respire_core::conn::{Config, Connection, Event, Protocol, Settings};
use respire_core::time::Instant;

type Small = Connection<[u8; 256], 8>;

/// A connection that greets the server with HELLO.
fn started() -> Small {
    started_with(&Settings::default())
}

/// A connection that is ready at once.
fn ready() -> Small {
    let mut connection = started_with(&Settings { protocol: Some(Protocol::Resp2), ..Settings::default() });
    assert_eq!(connection.poll_event(), Some(Event::Ready { protocol: Protocol::Resp2 }));
    connection
}

fn started_with(settings: &Settings<'_>) -> Small {
    let mut connection = Connection::new([0; 256], [0; 256], Config::default());
    connection.start(Instant::ZERO, settings).unwrap();
    connection
}
