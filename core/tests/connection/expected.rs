//! An answer that cannot be to its request is to another: the connection ends, and nobody reads it.

use respire_core::buffer::Growing;
use respire_core::command::{AnyRequest, exec, get, incr, keys, mget, ping, scan, set, subscribe, time};
use respire_core::conn::{CloseReason, Config, Connection, Event, Failure, Protocol, Settings, Token};
use respire_core::resp::{Expects, Kind};
use respire_core::time::Instant;

const NOW: Instant = Instant::ZERO;

fn asked(request: &dyn AnyRequest) -> Connection<Growing, 8> {
    let memory = || Growing::new(64, 4096);
    let mut connection = Connection::new(memory(), memory(), Config::default());
    connection.start(NOW, &Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE }).unwrap();
    assert!(connection.poll_event().is_some());
    connection.submit(NOW, Token(1), request).unwrap();
    connection.submit(NOW, Token(2), &get("other")).unwrap();
    connection.handle_transmitted(usize::MAX);
    connection
}

fn receive(connection: &mut Connection<Growing, 8>, bytes: &[u8]) {
    for &byte in bytes {
        connection.recv_space().unwrap()[0] = byte;
        connection.handle_received(1);
    }
}

const AGGREGATES: [&[u8]; 5] =
    [b"*1\r\n:1\r\n", b"*0\r\n", b"%1\r\n:1\r\n:2\r\n", b"~1\r\n:1\r\n", b"*?\r\n.\r\n"];
const SCALARS: [&[u8]; 8] = [
    b"+OK\r\n",
    b":1\r\n",
    b"$1\r\na\r\n",
    b"=5\r\ntxt:a\r\n",
    b",1.5\r\n",
    b"#t\r\n",
    b"(1\r\n",
    b"$?\r\n;1\r\na\r\n;0\r\n",
];

#[test]
fn an_answer_of_another_sort_ends_the_connection() {
    let scalars: [&dyn AnyRequest; 4] = [&get("k"), &set("k", "v"), &incr("n"), &ping()];
    let aggregates: [&dyn AnyRequest; 5] = [&mget(&["a", "b"]), &keys("*"), &scan(0), &time(), &exec()];
    for (requests, right, wrong) in
        [(&scalars[..], &SCALARS[..], &AGGREGATES[..]), (&aggregates[..], &AGGREGATES[..], &SCALARS[..])]
    {
        for request in requests {
            for bytes in
                right.iter().chain(&[&b"-ERR no\r\n"[..], b"_\r\n", b"$-1\r\n", b"*-1\r\n", b"+QUEUED\r\n"])
            {
                let mut connection = asked(*request);
                receive(&mut connection, bytes);
                let event = connection.poll_event();
                assert!(
                    matches!(event, Some(Event::Reply { token: Token(1), .. })),
                    "{}",
                    bytes.escape_ascii()
                );
            }
            for bytes in wrong {
                let mut connection = asked(*request);
                receive(&mut connection, bytes);
                for token in [1, 2] {
                    let failed = Event::Failed { token: Token(token), failure: Failure::Unknown };
                    assert_eq!(connection.poll_event(), Some(failed), "{}", bytes.escape_ascii());
                }
                assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::OutOfStep)));
            }
        }
    }
}

#[test]
fn one_that_is_too_large_is_told_by_its_sort_too() {
    let array = [b"*2\r\n$5000\r\n", &[b'x'; 5000][..], b"\r\n:1\r\n"].concat();
    for (request, right) in [(&mget(&["a", "b"]) as &dyn AnyRequest, true), (&get("k"), false)] {
        let mut connection = asked(request);
        let mut events = Vec::new();
        for &byte in &array {
            let Some(space) = connection.recv_space() else { break };
            space[0] = byte;
            connection.handle_received(1);
            while let Some(event) = connection.poll_event() {
                events.push(format!("{event:?}"));
            }
        }
        let failed = |token, failure| format!("Failed {{ token: Token({token}), failure: {failure} }}");
        if right {
            assert_eq!(events, [failed(1, "TooLarge")]);
        } else {
            assert_eq!(events, [failed(1, "Unknown"), failed(2, "Unknown"), "Closed(OutOfStep)".into()]);
        }
    }
}

#[test]
fn subscribers_of_resp2_are_answered_by_arrays() {
    let mut connection = asked(&subscribe(&["c"]));
    let mut told = 0;
    for bytes in [&b"*3\r\n+subscribe\r\n+c\r\n:1\r\n"[..], b"$1\r\nv\r\n"] {
        receive(&mut connection, bytes);
        while connection.poll_event().is_some() {
            told += 1;
        }
    }
    assert_eq!((told, connection.in_flight()), (3, 0));
    connection.submit(NOW, Token(3), &ping()).unwrap();
    connection.handle_transmitted(usize::MAX);
    receive(&mut connection, b"*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    assert!(matches!(connection.poll_event(), Some(Event::Reply { token: Token(3), .. })));
}

#[test]
fn what_is_expected_is_a_sort_and_not_a_type() {
    for kind in [Kind::Error, Kind::BulkError, Kind::Null] {
        assert!(
            Expects::Scalar.admits(kind) && Expects::Aggregate.admits(kind) && Expects::Anything.admits(kind)
        );
    }
    assert!(Expects::Anything.admits(Kind::Map) && Expects::Anything.admits(Kind::Bulk));
    assert!(Expects::Aggregate.admits(Kind::Push) && !Expects::Scalar.admits(Kind::Push));
}
