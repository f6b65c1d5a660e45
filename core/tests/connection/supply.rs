//! Values larger than the transmit buffer: supplied in pieces, written as one frame.

use respire_core::buffer::{Growing, Storage};
use respire_core::command::{ExpiryOptions, Later, Request, WhenOptions, chunked, get, raw, set, set_get};
use respire_core::conn::{
    CloseReason, Config, Connection, Event, Failure, Part, Protocol, Settings, SubmitError, Token,
};
use respire_core::error::{Full, ServerError};
use respire_core::resp::{Encoder, Kind};
use respire_core::time::Instant;

use super::{Fixed, fixed};

pub(super) const NOW: Instant = Instant::ZERO;

pub(super) fn ready<S: Storage>(receive: S, transmit: S) -> Connection<S, 8> {
    let mut connection = Connection::new(receive, transmit, Config::default());
    start(&mut connection);
    connection
}

pub(super) fn small(size: usize) -> Connection<Fixed, 8> {
    ready(Fixed(vec![0; 64]), Fixed(vec![0; size]))
}

fn start<S: Storage, const N: usize>(connection: &mut Connection<S, N>) {
    let settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::default() };
    connection.start(NOW, &settings).unwrap();
    assert!(matches!(connection.poll_event(), Some(Event::Ready { .. })));
}

/// So many bytes of which no two in a row are the same.
pub(super) fn value(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

/// The frame in one piece.
pub(super) fn whole(request: &impl Request) -> Vec<u8> {
    let mut measure = Encoder::new(&mut []);
    request.visit(&mut measure);
    let measured = measure.finish();
    let mut bytes = vec![0; measured.len()];
    let mut encoder = Encoder::new(&mut bytes);
    request.visit(&mut encoder);
    let encoded = encoder.finish();
    assert!(encoded.is_written() && encoded.len() == measured.len(), "{measured:?} {encoded:?}");
    bytes
}

/// Lets the socket take up to `n` bytes.
pub(super) fn write<S: Storage, const N: usize>(
    connection: &mut Connection<S, N>,
    n: usize,
    wire: &mut Vec<u8>,
) {
    let ready = connection.poll_transmit();
    let n = n.min(ready.len());
    wire.extend_from_slice(&ready[..n]);
    connection.handle_transmitted(n);
}

fn receive<S: Storage, const N: usize>(connection: &mut Connection<S, N>, bytes: &[u8]) {
    connection.recv_space().unwrap()[..bytes.len()].copy_from_slice(bytes);
    connection.handle_received(bytes.len());
}

/// Supplies in pieces of `supply` bytes and writes in pieces of `taken`, to the end.
fn pass<S: Storage, const N: usize>(
    connection: &mut Connection<S, N>,
    value: &[u8],
    supply: usize,
    taken: usize,
) -> Vec<u8> {
    let mut wire = Vec::new();
    while connection.owed() > 0 || !connection.poll_transmit().is_empty() {
        let rest = &value[value.len() - usize::try_from(connection.owed()).unwrap()..];
        let idle = connection.poll_transmit().is_empty();
        let n = connection.supply(&rest[..rest.len().min(supply)]);
        assert!(n > 0 || !idle, "{} bytes are owed and nothing moves", rest.len());
        assert_eq!(connection.owed(), (rest.len() - n) as u64);
        write(connection, taken, &mut wire);
    }
    wire
}

#[test]
fn a_frame_in_pieces_is_the_frame() {
    for len in [0, 1, 9, 10, 31, 32, 33, 99, 100, 300] {
        let value = value(len);
        let plain = whole(&set("key", &value).nx().ex(60));
        let last = whole(&set("key", &value));
        for supply in (1..70).chain([len.max(1)]) {
            for taken in [1, 2, 3, 7, 31, 32, 63, 64, 1000] {
                for size in [64, 65, 70, 100] {
                    let mut connection = small(size);
                    connection.submit(NOW, Token(1), &set("key", Later(len as u64))).unwrap();
                    assert_eq!(connection.owed(), len as u64);
                    assert_eq!(pass(&mut connection, &value, supply, taken), last);
                    // The buffer is as it was.
                    connection.submit(NOW, Token(2), &set("key", Later(len as u64)).nx().ex(60)).unwrap();
                    assert_eq!(pass(&mut connection, &value, supply, taken), plain);
                }
            }
        }
    }
}

#[test]
fn long_values_pass_through_any_memory() {
    for len in [4096, 100_000] {
        let value = value(len);
        let plain = whole(&set("key", &value).ex(60));
        for (supply, taken) in [(1, 1000), (1000, 1), (100, 100), (len, len), (33, 32)] {
            let request = set("key", Later(len as u64)).ex(60);
            let mut connection = small(64);
            connection.submit(NOW, Token(1), &request).unwrap();
            assert_eq!(pass(&mut connection, &value, supply, taken), plain);
            let mut connection = ready(Growing::new(64, 1 << 20), Growing::new(64, 1 << 20));
            connection.submit(NOW, Token(1), &request).unwrap();
            assert!(connection.supply(&value) <= 128, "memory does not grow for it");
            start(&mut connection);
            connection.submit(NOW, Token(1), &request).unwrap();
            assert_eq!(pass(&mut connection, &value, supply, taken), plain);
        }
    }
}

#[test]
fn a_long_tail_leaves_room_for_one_byte_at_a_time() {
    // All but the head of the frame is held: 33 bytes of 133.
    let tail = "t".repeat(90);
    for size in [133, 134, 140] {
        let mut connection = small(size);
        let request = raw("EVAL").arg("x").arg(1).arg(Later(500)).arg(&*tail);
        connection.submit(NOW, Token(1), &request).unwrap();
        let value = value(500);
        let plain = whole(&raw("EVAL").arg("x").arg(1).arg(&value).arg(&*tail));
        assert_eq!(pass(&mut connection, &value, 1000, 1000), plain);
    }
    let mut connection = small(80);
    let request = raw("EVAL").arg("x").arg(1).arg(Later(500)).arg(&*tail);
    assert_eq!(connection.submit(NOW, Token(1), &request), Err(Full::TooLarge.into()));
    assert_eq!((connection.owed(), connection.poll_transmit()), (0, &b""[..]));
}

#[test]
fn a_frame_behind_others_is_whole_and_others_follow() {
    let mut connection = small(100);
    connection.submit(NOW, Token(1), &get("a")).unwrap();
    connection.submit(NOW, Token(2), &set("key", Later(200)).ex(60)).unwrap();
    let before = connection.poll_transmit().to_vec();
    let refused = connection.submit(NOW, Token(3), &get("b"));
    assert_eq!(refused, Err(SubmitError::Owed));
    assert_eq!(connection.submit(NOW, Token(3), &raw("")), Err(SubmitError::Owed));
    assert_eq!(connection.poll_transmit(), before);
    assert_eq!((connection.owed(), connection.in_flight()), (200, 2));
    let value = value(200);
    let mut wire = pass(&mut connection, &value, 50, 20);
    assert_eq!(connection.supply(b"more"), 0);
    connection.submit(NOW, Token(3), &get("b")).unwrap();
    write(&mut connection, 1000, &mut wire);
    let frames = [whole(&get("a")), whole(&set("key", &value).ex(60)), whole(&get("b"))];
    assert_eq!(wire, frames.concat());
    receive(&mut connection, b"+a\r\n+OK\r\n+b\r\n");
    for token in 1..=3 {
        assert!(matches!(connection.poll_event(), Some(Event::Reply { token: Token(t), .. }) if t == token));
    }
    assert_eq!(refused.unwrap_err().to_string(), "bytes of the last request are owed: supply the rest first");
}

#[test]
fn a_request_behind_a_long_one_was_not_sent() {
    // Where it starts counts the bytes that were supplied.
    let mut connection = small(64);
    connection.submit(NOW, Token(1), &set("key", Later(200))).unwrap();
    pass(&mut connection, &value(200), 64, 64);
    connection.submit(NOW, Token(2), &get("b")).unwrap();
    receive(&mut connection, b"+OK\r\n+b\r\n");
    assert!(matches!(connection.poll_event(), Some(Event::Reply { token: Token(1), .. })));
    assert_eq!(connection.poll_event(), Some(Event::Failed { token: Token(2), failure: Failure::NotSent }));
    assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::Unsolicited)));
}

#[test]
fn the_end_comes_while_bytes_are_owed() {
    for sent in [0, 1, 30, 1000] {
        for supplied in [0, 20, 1000] {
            for end in [Connection::close, Connection::handle_eof, Connection::handle_transport_error] {
                let mut connection = fixed::<64, 64>();
                start(&mut connection);
                connection.submit(NOW, Token(1), &set("key", Later(200)).ex(60)).unwrap();
                write(&mut connection, sent, &mut Vec::new());
                assert!(connection.supply(&vec![b'v'; supplied]) <= supplied);
                end(&mut connection);
                let failure = if sent > 0 { Failure::Unknown } else { Failure::NotSent };
                assert_eq!(connection.poll_event(), Some(Event::Failed { token: Token(1), failure }));
                assert!(matches!(connection.poll_event(), Some(Event::Closed(_))));
                assert_eq!(connection.poll_event(), None);
                assert_eq!((connection.owed(), connection.supply(b"v")), (0, 0));
                assert_eq!(connection.poll_transmit(), b"");
                start(&mut connection);
                assert_eq!((connection.owed(), connection.supply(b"v")), (0, 0));
                connection.submit(NOW, Token(2), &get("k")).unwrap();
                assert_eq!(connection.poll_transmit(), whole(&get("k")));
            }
        }
    }
}

#[test]
fn its_deadline_runs_while_bytes_are_owed() {
    let mut connection = small(64);
    connection.submit(NOW, Token(1), &set("key", Later(200))).unwrap();
    let deadline = connection.poll_timeout().unwrap();
    connection.handle_timeout(deadline);
    assert_eq!(connection.poll_event(), Some(Event::Failed { token: Token(1), failure: Failure::Expired }));
    assert_eq!(connection.poll_event(), None);
    assert_eq!(connection.owed(), 0);
    assert_eq!(connection.poll_transmit(), b"");
}

#[test]
fn an_abandoned_request_still_owes_its_bytes() {
    let mut connection = small(64);
    connection.submit(NOW, Token(1), &set("key", Later(200))).unwrap();
    let mut wire = Vec::new();
    write(&mut connection, 5, &mut wire);
    assert_eq!(connection.abandon(NOW, Token(1)), Some(Failure::Unknown));
    assert_eq!(connection.submit(NOW, Token(2), &get("k")), Err(SubmitError::Owed));
    let value = value(200);
    wire.extend(pass(&mut connection, &value, 10, 10));
    assert_eq!(wire, whole(&set("key", &value)));
    connection.submit(NOW, Token(2), &get("k")).unwrap();
    connection.handle_transmitted(usize::MAX);
    receive(&mut connection, b"+OK\r\n$1\r\nv\r\n");
    assert!(matches!(connection.poll_event(), Some(Event::Reply { token: Token(2), .. })));
}

const REFUSED: &[u8] = b"-ERR Protocol error: invalid bulk length\r\n";

#[test]
fn an_error_before_the_frame_is_whole_is_its_answer_and_the_end() {
    let error = ServerError::new(&REFUSED[1..REFUSED.len() - 2]);
    for in_chunks in [false, true] {
        for abandoned in [false, true] {
            let mut connection = small(64);
            connection.submit(NOW, Token(1), &get("k")).unwrap();
            connection.handle_transmitted(usize::MAX);
            let request = set_get("key", Later(1 << 40));
            if in_chunks {
                connection.submit(NOW, Token(2), &chunked(request)).unwrap();
            } else {
                connection.submit(NOW, Token(2), &request).unwrap();
            }
            connection.handle_transmitted(usize::MAX);
            assert!(connection.supply(&[b'v'; 1000]) > 0);
            if abandoned {
                assert_eq!(connection.abandon(NOW, Token(2)), Some(Failure::Unknown));
            }
            receive(&mut connection, &[b":1\r\n", REFUSED].concat());
            assert!(matches!(connection.poll_event(), Some(Event::Reply { token: Token(1), .. })));
            assert!(connection.owed() > 0, "an answer to another is none to this");
            if !abandoned {
                let Some(Event::Reply { token: Token(2), reply }) = connection.poll_event() else { panic!() };
                assert_eq!(reply.error(), Some(error));
                assert!(connection.is_closed());
                assert!(connection.recv_space().is_none());
            }
            assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::Refused(error))));
            assert_eq!(connection.poll_event(), None);
            assert_eq!((connection.owed(), connection.supply(b"v")), (0, 0));
            assert_eq!(connection.submit(NOW, Token(3), &get("k")), Err(SubmitError::Closed));
        }
    }
}

#[test]
fn an_error_too_large_to_read_ends_it_as_well() {
    let mut connection = small(64);
    connection.submit(NOW, Token(1), &set("key", Later(100))).unwrap();
    connection.handle_transmitted(usize::MAX);
    for byte in [b"-ERR ", &[b'e'; 100][..], b"\r\n"].concat() {
        receive(&mut connection, &[byte]);
        if connection.poll_event().is_some() {
            break;
        }
    }
    assert_eq!(connection.close_reason(), Some(CloseReason::WindowTooSmall));
}

#[test]
fn any_other_answer_before_the_frame_is_whole_is_nobody_s() {
    for in_chunks in [false, true] {
        for answer in [&b"+OK\r\n"[..], b"$2\r\nOK\r\n", b"$-1\r\n", b"*0\r\n", b":1\r\n"] {
            let mut connection = small(64);
            let request = set_get("key", Later(100));
            if in_chunks {
                connection.submit(NOW, Token(1), &chunked(request)).unwrap();
            } else {
                connection.submit(NOW, Token(1), &request).unwrap();
            }
            connection.handle_transmitted(usize::MAX);
            receive(&mut connection, answer);
            let failed = Event::Failed { token: Token(1), failure: Failure::Unknown };
            assert_eq!(connection.poll_event(), Some(failed));
            assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::Unsolicited)));
        }
    }
}

#[test]
fn a_confirmation_before_the_frame_is_whole_confirms_nothing() {
    let mut connection = small(64);
    connection.submit(NOW, Token(1), &raw("SUBSCRIBE").arg(Later(5))).unwrap();
    connection.handle_transmitted(usize::MAX);
    let confirmed = b"*3\r\n+subscribe\r\n+c\r\n:1\r\n";
    receive(&mut connection, confirmed);
    assert!(matches!(connection.poll_event(), Some(Event::Push(_))));
    assert_eq!(connection.poll_event(), None);
    assert_eq!(connection.in_flight(), 1);
    pass(&mut connection, b"c12+4", 9, 9);
    receive(&mut connection, confirmed);
    assert!(matches!(connection.poll_event(), Some(Event::Push(_))));
    assert!(matches!(connection.poll_event(), Some(Event::Reply { token: Token(1), .. })));
}

/// A piece of a string at the top.
fn part(token: u64, bytes: &[u8], left: u64) -> Event<'_> {
    let part = Part::Chunk { kind: Kind::Bulk, bytes, left: Some(left) };
    Event::Part { token: Token(token), part, last: left == 0 }
}

#[test]
fn chunks_come_in_while_bytes_are_owed_by_another() {
    let mut connection = small(64);
    connection.submit(NOW, Token(1), &chunked(get("k"))).unwrap();
    connection.submit(NOW, Token(2), &chunked(set_get("key", Later(100)))).unwrap();
    connection.handle_transmitted(usize::MAX);
    receive(&mut connection, b"$4\r\nab");
    let half = part(1, b"ab", 2);
    assert_eq!(connection.poll_event(), Some(half));
    assert_eq!(connection.poll_event(), None);
    receive(&mut connection, b"cd\r\n");
    let rest = part(1, b"cd", 0);
    assert_eq!(connection.poll_event(), Some(rest));
    pass(&mut connection, &value(100), 100, 100);
    receive(&mut connection, b"$1\r\nv\r\n");
    let old = part(2, b"v", 0);
    assert_eq!(connection.poll_event(), Some(old));
    assert_eq!(connection.in_flight(), 0);
}
