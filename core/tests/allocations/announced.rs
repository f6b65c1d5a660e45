//! What a server only announces.

use respire_core::buffer::Storage;
use respire_core::command::get;
use respire_core::conn::{CloseReason, Config, Connection, Event, Failure, Token};
use respire_core::error::ProtocolError;
use respire_core::resp::Limits;
use respire_core::time::Instant;

use crate::{asked, ready};

/// A GiB.
const HEADER: &[u8] = b"$1073741824\r\n";

fn receive<S: Storage>(connection: &mut Connection<S, 4>, bytes: &[u8]) {
    connection.recv_space().unwrap()[..bytes.len()].copy_from_slice(bytes);
    connection.handle_received(bytes.len());
}

fn asks<S: Storage>(connection: &mut Connection<S, 4>) {
    connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
    connection.handle_transmitted(usize::MAX);
    // Whoever reads has room for it, before there is anything.
    assert!(connection.recv_space().is_some());
}

/// A string of a GiB is refused at its header where so much is not even to be skipped, and nothing is
/// reserved for it.
fn is_refused<S: Storage>(memory: impl Fn() -> S) {
    let limits = Limits { skip: 1 << 20, ..Limits::SERVER };
    let mut connection = ready(memory, Config { limits, ..Config::SERVER });
    asks(&mut connection);
    let count = asked(|| {
        receive(&mut connection, HEADER);
        let failure = Failure::Unknown;
        assert_eq!(connection.poll_event(), Some(Event::Failed { token: Token(1), failure }));
        let closed = Event::Closed(CloseReason::Protocol(ProtocolError::TooLarge));
        assert_eq!(connection.poll_event(), Some(closed));
    });
    assert_eq!(count, 0);
}

/// Where it may be skipped, it is read and forgotten piece by piece.
fn is_skipped<S: Storage>(memory: impl Fn() -> S) {
    let mut connection = ready(memory, Config::SERVER);
    asks(&mut connection);
    let count = asked(|| {
        receive(&mut connection, HEADER);
        assert_eq!(connection.poll_event(), None);
        for _ in 0..1000 {
            let space = connection.recv_space().unwrap();
            let n = space.len();
            assert!(n <= 256);
            connection.handle_received(n);
            assert_eq!(connection.poll_event(), None);
        }
    });
    assert_eq!(count, 0);
}

/// S0-SEC-03: replies have a limit, and no number that a server sends makes us ask for memory.
#[test]
fn a_gibibyte_that_is_announced_takes_no_memory() {
    is_refused(|| [0; 256]);
    is_skipped(|| [0; 256]);
    #[cfg(feature = "alloc")]
    {
        is_refused(|| respire_core::buffer::Growing::new(256, usize::MAX / 2));
        is_skipped(|| respire_core::buffer::Growing::new(256, usize::MAX / 2));
    }
}
