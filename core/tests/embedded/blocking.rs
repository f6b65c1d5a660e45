//! Blocking transports, and such that say when they are ready.

use std::cell::RefCell;

use respire_core::command::{Later, get, incr, quit, set};
use respire_core::conn::{Event, Protocol, Settings, Token};
use respire_core::io::{Blocking, Ready, Socket, TurnError, pump};
use respire_core::resp::Done;
use respire_core::time::Instant;

use super::wire::{Broken, Call, End, Wire};
use super::{Small, ready, started, started_with};

fn turn(
    connection: &mut Small,
    wire: &mut Blocking<End<'_>>,
) -> (Result<(), TurnError<Broken>>, Vec<String>) {
    let mut events = Vec::new();
    let result = wire.turn(connection, |event| events.push(format!("{event:?}")));
    (result, events)
}

/// S1-CONN-11: over whatever reads and writes.
#[test]
fn typed_commands_over_any_piece_size() {
    for (step, buffers) in [(1, false), (1, true), (7, false), (usize::MAX, true)] {
        let wire = RefCell::new(Wire { step, buffers, ..Wire::new() });
        let mut connection = started();
        let mut transport = Blocking::new(End(&wire));
        while !connection.is_ready() {
            transport.turn(&mut connection, |_| {}).unwrap();
        }
        connection.submit(Instant::ZERO, Token(1), &set("k", &[0, 255, b'\r', b'\n'])).unwrap();
        connection.submit(Instant::ZERO, Token(2), &get("k")).unwrap();
        connection.submit(Instant::ZERO, Token(3), &incr("n")).unwrap();
        let mut answers = 0;
        while answers < 3 {
            let on_event = |event: Event<'_>| match event {
                Event::Reply { token: Token(1), reply } => answers += i32::from(reply.get::<Done>().is_ok()),
                Event::Reply { token: Token(2), reply } => {
                    answers += i32::from(reply.get::<&[u8]>() == Ok(&[0, 255, b'\r', b'\n']));
                }
                Event::Reply { token: Token(3), reply } => answers += i32::from(reply.get::<i64>() == Ok(1)),
                other => assert!(matches!(other, Event::Ready { .. }), "{other:?}"),
            };
            transport.turn(&mut connection, on_event).unwrap();
        }
    }
}

#[test]
fn it_writes_all_flushes_once_and_reads_once() {
    let wire = RefCell::new(Wire { step: 10, ..Wire::new() });
    let mut connection = ready();
    let mut transport = Blocking::new(End(&wire));
    connection.submit(Instant::ZERO, Token(1), &incr("n")).unwrap();
    assert_eq!(turn(&mut connection, &mut transport).1, ["Reply { token: Token(1), reply: 1 }"]);
    assert_eq!(
        wire.borrow().calls,
        [Call::Write(10), Call::Write(10), Call::Write(1), Call::Flush, Call::Read(4)]
    );
}

#[test]
fn what_waits_is_told_before_anything_blocks() {
    let wire = RefCell::new(Wire::new());
    let mut connection = started_with(&Settings { protocol: Some(Protocol::Resp2), ..Settings::default() });
    let mut transport = Blocking::new(End(&wire));
    assert_eq!(turn(&mut connection, &mut transport).1, ["Ready { protocol: Resp2 }"]);
    assert_eq!(wire.borrow().calls, []);
    connection.close();
    assert_eq!(turn(&mut connection, &mut transport).1, ["Closed(Local)"]);
    assert_eq!(turn(&mut connection, &mut transport), (Ok(()), vec![]), "over: nothing blocks");
}

#[test]
fn the_end_is_an_event() {
    let wire = RefCell::new(Wire::new());
    let mut connection = ready();
    let mut transport = Blocking::new(End(&wire));
    connection.submit(Instant::ZERO, Token(1), &quit()).unwrap();
    assert_eq!(turn(&mut connection, &mut transport).1, [r#"Reply { token: Token(1), reply: "OK" }"#]);
    assert_eq!(turn(&mut connection, &mut transport), (Ok(()), vec!["Closed(Quit)".into()]));
}

#[test]
fn a_broken_transport_resolves_what_is_in_flight() {
    let failed =
        |what: &str| [format!("Failed {{ token: Token(1), failure: {what} }}"), "Closed(Transport)".into()];
    let cases = [
        (Wire { write_fails: Some(Err(Broken)), ..Wire::new() }, TurnError::Write(Broken), "NotSent"),
        (Wire { write_fails: Some(Ok(0)), ..Wire::new() }, TurnError::WriteZero, "NotSent"),
        (Wire { flush_fails: true, ..Wire::new() }, TurnError::Write(Broken), "Unknown"),
        (Wire { read_fails: true, ..Wire::new() }, TurnError::Read(Broken), "Unknown"),
    ];
    for (wire, error, failure) in cases {
        let wire = RefCell::new(wire);
        let mut connection = ready();
        let mut transport = Blocking::new(End(&wire));
        connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
        assert_eq!(turn(&mut connection, &mut transport), (Err(error), failed(failure).to_vec()));
    }
}

#[test]
fn one_that_says_when_it_is_ready_never_blocks() {
    let wire = RefCell::new(Wire { step: 1, ..Wire::new() });
    let mut connection = started();
    let mut socket = Ready(End(&wire));
    assert_eq!(socket.try_read(&mut [0; 8]), Ok(None));
    while !connection.is_ready() {
        pump(&mut connection, &mut socket, |_| {}).unwrap();
    }
    let mut answers = Vec::new();
    for token in 1..=3 {
        connection.submit(Instant::ZERO, Token(token), &incr("n")).unwrap();
    }
    while answers.len() < 3 {
        let on_event = |event: Event<'_>| {
            if let Event::Reply { token, reply } = event {
                answers.push((token.0, reply.get::<i64>().unwrap()));
            }
        };
        pump(&mut connection, &mut socket, on_event).unwrap();
    }
    assert_eq!(answers, [(1, 1), (2, 2), (3, 3)]);
    wire.borrow_mut().room = 0;
    assert_eq!(socket.try_write(b"x"), Ok(None), "the server does not take any more");
    let client = wire.borrow().client;
    wire.borrow_mut().server.kill(client);
    assert_eq!(socket.try_read(&mut [0; 8]), Ok(Some(0)));
    wire.borrow_mut().read_fails = true;
    assert_eq!(socket.try_read(&mut [0; 8]), Err(Broken));
}

#[test]
fn a_value_that_is_supplied_flows_through() {
    let wire = RefCell::new(Wire::new());
    let mut connection = ready();
    let mut transport = Blocking::new(End(&wire));
    connection.submit(Instant::ZERO, Token(1), &set("k", Later(1000))).unwrap();
    let mut done = false;
    while !done {
        let _ = connection.supply(&[7; 100]);
        transport.turn(&mut connection, |event| done |= matches!(event, Event::Reply { .. })).unwrap();
    }
}

#[test]
fn an_old_deadline_does_not_hold_back_what_is_new() {
    let wire = RefCell::new(Wire::new());
    let mut connection = ready();
    let mut transport = Blocking::new(End(&wire));
    // The second is asked later, and both are in flight at once.
    connection.submit(Instant::ZERO, Token(1), &incr("n")).unwrap();
    connection.submit(Instant::from_millis(4000), Token(2), &get("k")).unwrap();
    let written = connection.poll_transmit().len();
    connection.handle_transmitted(written);
    connection.recv_space().unwrap()[..4].copy_from_slice(b":1\r\n");
    connection.handle_received(4);
    assert!(matches!(connection.poll_event(), Some(Event::Reply { token: Token(1), .. })));
    assert_eq!(connection.poll_event(), None);
    // Behind the deadline of the first, which was answered, and before that of the second.
    connection.submit(Instant::from_millis(6000), Token(3), &incr("n")).unwrap();
    // Nothing times out here; but the write must come before the read.
    let _ = turn(&mut connection, &mut transport);
    let calls = &wire.borrow().calls;
    assert!(matches!(calls.first(), Some(Call::Write(_))), "{calls:?}");
}
