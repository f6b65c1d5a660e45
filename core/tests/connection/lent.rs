//! Values that a driver lends: written from where they lie, between head and end of their frame.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::buffer::{Growing, Storage};
use respire_core::command::{ExpiryOptions, Later, get, raw, set};
use respire_core::conn::{CloseReason, Connection, Event, Failure, Settings, SubmitError, Token};
use respire_core::error::ServerError;
use respire_core::time::Instant;

use super::growing;
use super::supply::{self, ready, small, value, whole};

const NOW: Instant = Instant::ZERO;

/// Lends the next bytes of `value`, `lent` of them, and lets the socket take up to `n`; how many it took.
fn write<S: Storage>(
    connection: &mut Connection<S, 8>,
    value: &[u8],
    lent: usize,
    n: usize,
    wire: &mut Vec<u8>,
) -> usize {
    let owed = usize::try_from(connection.owed()).unwrap();
    let rest = &value[value.len() - owed..];
    // What is lent beyond what is owed is not looked at.
    let lent = [&rest[..lent.min(owed)], if lent > owed { b"more" } else { b"" }].concat();
    let parts = connection.poll_transmit_lent(&lent);
    assert_eq!(parts[0], connection.poll_transmit());
    assert_eq!(parts[2].is_empty(), lent.len() < owed || owed == 0, "the end of the frame comes last");
    let all = parts.concat();
    let taken = n.min(all.len());
    let of_it = taken.saturating_sub(parts[0].len()).min(parts[1].len());
    wire.extend_from_slice(&all[..taken]);
    assert_eq!(connection.handle_transmitted_lent(taken), of_it);
    assert_eq!(connection.owed(), (owed - of_it) as u64);
    taken
}

fn receive<S: Storage>(connection: &mut Connection<S, 8>, bytes: &[u8]) {
    connection.recv_space().unwrap()[..bytes.len()].copy_from_slice(bytes);
    connection.handle_received(bytes.len());
}

#[test]
fn three_parts_are_the_frame() {
    let mut connection = small(64);
    connection.submit(NOW, Token(1), &set("key", Later(5)).ex(60)).unwrap();
    let parts = connection.poll_transmit_lent(b"value and more");
    let head: &[u8] = b"*5\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\n";
    assert_eq!(parts, [head, b"value", b"\r\n$2\r\nEX\r\n$2\r\n60\r\n"]);
    assert_eq!(connection.poll_transmit_lent(b"valu"), [head, b"valu", b""]);
    assert_eq!(connection.poll_transmit_lent(b""), [head, b"", b""]);
    assert_eq!(connection.handle_transmitted_lent(usize::MAX), 5);
    assert_eq!(connection.owed(), 0);
    // Without anything owed it is what there is.
    connection.submit(NOW, Token(2), &get("k")).unwrap();
    assert_eq!(connection.poll_transmit_lent(b"value"), [&whole(&get("k"))[..], b"", b""]);
    assert_eq!(connection.handle_transmitted_lent(3), 0);
    assert_eq!(connection.poll_transmit(), &whole(&get("k"))[3..]);
}

#[test]
fn a_frame_in_pieces_is_the_frame() {
    for len in [0, 1, 9, 10, 33, 100, 300, 5000] {
        let value = value(len);
        let wanted = [whole(&get("a")), whole(&set("key", &value).ex(60))].concat();
        for lent in [1, 2, 7, 100, len.max(1), usize::MAX] {
            for taken in [1, 2, 3, 31, 64, 1000, usize::MAX] {
                let mut connection = small(80);
                let mut wire = Vec::new();
                connection.submit(NOW, Token(1), &get("a")).unwrap();
                connection.submit(NOW, Token(2), &set("key", Later(len as u64)).ex(60)).unwrap();
                while write(&mut connection, &value, lent, taken, &mut wire) > 0 {
                    let refused = connection.submit(NOW, Token(3), &get("b"));
                    assert_eq!(refused == Err(SubmitError::Owed), connection.owed() > 0, "{refused:?}");
                    if refused.is_ok() {
                        break;
                    }
                }
                while write(&mut connection, &value, lent, taken, &mut wire) > 0 {}
                let behind = whole(&get("b"));
                assert!(wire == [&wanted[..], &behind[..]].concat(), "{len} {lent} {taken}");
            }
        }
    }
}

#[test]
fn the_end_says_what_was_sent() {
    let (first, second) = (whole(&get("a")), set("key", Later(200)).ex(60));
    let all = first.len() + whole(&second).len() + 200;
    for sent in 0..all {
        for end in [Connection::close, Connection::handle_eof, Connection::handle_transport_error] {
            let mut connection = small(100);
            connection.submit(NOW, Token(1), &get("a")).unwrap();
            connection.submit(NOW, Token(2), &second).unwrap();
            let taken = write(&mut connection, &value(200), usize::MAX, sent, &mut Vec::new());
            assert_eq!(taken, sent);
            end(&mut connection);
            let failure = |start| if sent > start { Failure::Unknown } else { Failure::NotSent };
            let failed = Event::Failed { token: Token(1), failure: failure(0) };
            assert_eq!(connection.poll_event(), Some(failed));
            let failed = Event::Failed { token: Token(2), failure: failure(first.len()) };
            assert_eq!(connection.poll_event(), Some(failed));
            assert!(matches!(connection.poll_event(), Some(Event::Closed(_))));
            assert_eq!(connection.poll_transmit_lent(&value(200)), [b"", b"", b""]);
            assert_eq!((connection.handle_transmitted_lent(10), connection.owed()), (0, 0));
        }
    }
}

#[test]
fn a_request_behind_a_lent_one_was_not_sent() {
    // Where it starts counts the bytes that were lent.
    let mut connection = small(64);
    connection.submit(NOW, Token(1), &set("key", Later(200))).unwrap();
    write(&mut connection, &value(200), usize::MAX, usize::MAX, &mut Vec::new());
    connection.submit(NOW, Token(2), &get("b")).unwrap();
    receive(&mut connection, b"+OK\r\n+b\r\n");
    assert!(matches!(connection.poll_event(), Some(Event::Reply { token: Token(1), .. })));
    assert_eq!(connection.poll_event(), Some(Event::Failed { token: Token(2), failure: Failure::NotSent }));
    assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::Unsolicited)));
}

#[test]
fn an_error_before_the_frame_is_whole_is_its_answer_and_the_end() {
    let error = ServerError::new(b"ERR Protocol error: invalid bulk length");
    for taken in [1, 30, 227, 228, 229] {
        let mut connection = small(64);
        connection.submit(NOW, Token(1), &set("key", Later(200))).unwrap();
        write(&mut connection, &value(200), usize::MAX, taken, &mut Vec::new());
        receive(&mut connection, b"-ERR Protocol error: invalid bulk length\r\n");
        let Some(Event::Reply { token: Token(1), reply }) = connection.poll_event() else {
            panic!("{taken}")
        };
        assert_eq!(reply.error(), Some(error));
        // Behind the value the connection goes on: what is left of the frame is its own to send.
        assert_eq!(connection.is_closed(), taken < 228);
        assert_eq!(connection.owed(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any order of submitting, supplying, lending and writing writes the frames, one behind the other.
    #[test]
    fn any_order_writes_the_same_bytes(
        requests in vec((0..300usize, 0..30usize, any::<bool>()), 1..8),
        steps in vec((0..4u8, 0..200usize, 0..200usize), 0..200),
        size in 100..160usize,
        grows in any::<bool>(),
    ) {
        if grows {
            interleave(ready(Growing::new(64, 4096), Growing::new(64, 4096)), &requests, &steps);
        } else {
            interleave(small(size), &requests, &steps);
        }
    }
}

fn interleave<S: Storage>(
    mut connection: Connection<S, 8>,
    requests: &[(usize, usize, bool)],
    steps: &[(u8, usize, usize)],
) {
    let (mut wire, mut wanted) = (Vec::new(), Vec::new());
    let mut current = Vec::new();
    let mut waiting = requests.iter().enumerate();
    let mut next = waiting.next();
    // Whatever the dice leave over is done in the end.
    let mut steps = steps.iter().copied().chain((0..4).cycle().map(|step| (step, 1000, 1000)));
    while next.is_some() || connection.owed() > 0 || !connection.poll_transmit().is_empty() {
        match steps.next().unwrap() {
            (0, ..) => {
                let Some((token, &(len, tail, later))) = next else { continue };
                let (value, tail) = (value(len), "t".repeat(tail));
                let name = raw("SET").key("k");
                let plain = name.arg(&value[..len.min(30)]).arg(&tail);
                let owed = connection.owed();
                let result = if later {
                    connection.submit(NOW, Token(token as u64), &name.arg(Later(len as u64)).arg(&tail))
                } else {
                    connection.submit(NOW, Token(token as u64), &plain)
                };
                assert_eq!(owed > 0, result == Err(SubmitError::Owed));
                if result.is_ok() {
                    wanted.extend(if later { whole(&name.arg(&value).arg(&tail)) } else { whole(&plain) });
                    current = value;
                    next = waiting.next();
                }
            }
            (1, n, _) => {
                let owed = usize::try_from(connection.owed()).unwrap();
                let rest = &current[current.len().saturating_sub(owed)..];
                let rest = if owed == 0 { b"unasked" } else { &rest[..rest.len().min(n)] };
                let taken = connection.supply(rest);
                assert_eq!(connection.owed(), (owed - taken) as u64);
            }
            (2, lent, n) => {
                write(&mut connection, &current, lent, n, &mut wire);
            }
            (_, n, _) => supply::write(&mut connection, n, &mut wire),
        }
    }
    assert_eq!(wire, wanted);
}

#[test]
fn nothing_is_lent_once_a_deadline_has_passed() {
    let later = Instant::from_millis(1);
    let mut connection = small(64);
    connection.submit_until(Some(later), Token(1), &set("key", Later(5))).unwrap();
    connection.handle_timeout(later);
    // Without its head the value would be read as a request.
    assert_eq!(connection.poll_transmit_lent(b"value"), [b"", b"", b""]);
    assert_eq!(connection.poll_event(), Some(Event::Failed { token: Token(1), failure: Failure::Expired }));
    assert_eq!(connection.owed(), 0);
    connection.submit_until(None, Token(2), &get("k")).unwrap();
    assert_eq!(connection.poll_transmit_lent(b"value"), [&whole(&get("k"))[..], b"", b""]);
}

#[test]
fn a_write_counts_whatever_time_it_is_when_it_is_told() {
    let later = Instant::from_millis(1);
    let mut connection = small(64);
    connection.submit_until(Some(later), Token(1), &set("key", Later(5))).unwrap();
    let parts = connection.poll_transmit_lent(b"value");
    let head = parts[0].len();
    assert_eq!(connection.abandon(later, Token(9)), None);
    assert_eq!(connection.poll_transmit(), b"");
    assert_eq!(connection.handle_transmitted_lent(head), 0);
    assert_eq!(connection.owed(), 5);
}

#[test]
fn the_second_choice_is_not_the_end_of_a_frame() {
    let mut connection = growing();
    connection.start(NOW, &Settings { name: Some("n"), ..Settings::NONE }).unwrap();
    let hello: &[u8] = b"*4\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$7\r\nSETNAME\r\n$1\r\nn\r\n";
    assert_eq!(connection.poll_transmit_lent(b"value"), [hello, b"", b""]);
    assert_eq!(connection.supply(b"value"), 0);
    assert_eq!(connection.poll_transmit(), hello);
    assert_eq!(connection.handle_transmitted_lent(hello.len()), 0);
    assert_eq!(connection.poll_transmit(), b"");
}
