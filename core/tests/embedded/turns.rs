//! Async turns: what is called when, what ends them, and what may be under way at the same time.

use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use respire_core::command::{Later, echo, get, incr, set, subscribe};
use respire_core::conn::{Event, Protocol, Settings, Token};
use respire_core::io::TurnError;
use respire_core::io::embedded_async::{Halves, Stream};
use respire_core::time::Instant;

use super::wire::{Broken, Call, End, Wire};
use super::{Small, ready, started, started_with};

/// Both ways to drive a connection, in one.
pub(crate) enum Driver<'a> {
    Stream(Stream<End<'a>>),
    Halves(Halves<End<'a>, End<'a>>),
}

impl<'a> Driver<'a> {
    /// One of each.
    pub(crate) fn both(wire: &'a RefCell<Wire>) -> [Self; 2] {
        [Self::Stream(Stream::new(End(wire))), Self::Halves(Halves::new(End(wire), End(wire)))]
    }

    /// Polls a turn so often, and drops it then. `None`: it still waited.
    pub(crate) fn turn(
        &mut self,
        polls: usize,
        connection: &mut Small,
        events: &mut Vec<String>,
    ) -> Option<Result<(), TurnError<Broken>>> {
        let on_event = |event: Event<'_>| events.push(format!("{event:?}"));
        match self {
            Self::Stream(stream) => poll(polls, stream.turn(connection, on_event)),
            Self::Halves(halves) => poll(polls, halves.turn(connection, on_event)),
        }
    }

    /// A turn that must end, and its events.
    fn whole(&mut self, connection: &mut Small) -> (Result<(), TurnError<Broken>>, Vec<String>) {
        let mut events = Vec::new();
        let result = self.turn(1000, connection, &mut events).expect("the turn waits for ever");
        (result, events)
    }
}

fn poll<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    (0..polls).find_map(|_| match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Runs a test with a fresh wire for each driver.
fn each(wire: impl Fn() -> Wire, test: impl Fn(&RefCell<Wire>, Driver<'_>)) {
    for at in 0..2 {
        let wire = RefCell::new(wire());
        let [stream, halves] = Driver::both(&wire);
        test(&wire, if at == 0 { stream } else { halves });
    }
}

/// S1-CONN-11: over whatever reads and writes without blocking.
#[test]
fn typed_commands_over_any_piece_size() {
    for (step, buffers) in [(1, false), (1, true), (7, false), (usize::MAX, true)] {
        each(
            || Wire { step, buffers, ..Wire::new() },
            |_, mut driver| {
                let mut connection = started();
                while !connection.is_ready() {
                    driver.whole(&mut connection).0.unwrap();
                }
                connection.submit(Instant::ZERO, Token(1), &set("k", &[0, 255, b'\r', b'\n'])).unwrap();
                connection.submit(Instant::ZERO, Token(2), &get("k")).unwrap();
                connection.submit(Instant::ZERO, Token(3), &incr("n")).unwrap();
                let mut events = Vec::new();
                while connection.in_flight() > 0 {
                    events.extend(driver.whole(&mut connection).1);
                }
                let wanted = [
                    r#"Reply { token: Token(1), reply: "OK" }"#,
                    r#"Reply { token: Token(2), reply: "\x00\xff\r\n" }"#,
                    "Reply { token: Token(3), reply: 1 }",
                ];
                assert_eq!(events, wanted);
            },
        );
    }
}

#[test]
fn a_turn_writes_all_flushes_once_and_reads_once() {
    each(
        || Wire { step: 20, buffers: true, ..Wire::new() },
        |wire, mut driver| {
            let mut connection = ready();
            connection.submit(Instant::ZERO, Token(1), &incr("n")).unwrap();
            connection.submit(Instant::ZERO, Token(2), &incr("n")).unwrap();
            assert_eq!(driver.whole(&mut connection).1.len(), 2);
            let calls = [Call::Write(20), Call::Write(20), Call::Write(2), Call::Flush, Call::Read(8)];
            assert_eq!(wire.borrow().calls, calls);
            assert_eq!(driver.turn(1, &mut connection, &mut Vec::new()), None);
            assert_eq!(wire.borrow().calls.len(), 5, "nothing was written: no flush");
        },
    );
}

#[test]
fn what_waits_is_told_before_anything_else() {
    each(Wire::new, |wire, mut driver| {
        let settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::default() };
        let mut connection = started_with(&settings);
        assert_eq!(driver.whole(&mut connection).1, ["Ready { protocol: Resp2 }"]);
        assert_eq!(wire.borrow().calls, []);
        connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
        connection.close();
        let failed = "Failed { token: Token(1), failure: NotSent }";
        assert_eq!(driver.whole(&mut connection).1, [failed, "Closed(Local)"]);
        assert_eq!(driver.whole(&mut connection), (Ok(()), vec![]), "over: nothing waits");
    });
}

#[test]
fn the_end_is_an_event() {
    each(Wire::new, |wire, mut driver| {
        let mut connection = ready();
        let client = wire.borrow().client;
        wire.borrow_mut().server.kill(client);
        assert_eq!(driver.whole(&mut connection), (Ok(()), vec!["Closed(Eof)".into()]));
    });
}

/// S1-CONN-13: a write or a flush that fails is told, and so is each request.
#[test]
fn a_broken_transport_resolves_what_is_in_flight() {
    type Set = fn(&mut Wire);
    let cases: [(Set, _, _); 4] = [
        (|wire| wire.write_fails = Some(Err(Broken)), TurnError::Write(Broken), "NotSent"),
        (|wire| wire.write_fails = Some(Ok(0)), TurnError::WriteZero, "NotSent"),
        (|wire| (wire.buffers, wire.flush_fails) = (true, true), TurnError::Write(Broken), "Unknown"),
        // The halves write first, too, as long as they may.
        (|wire| wire.read_fails = true, TurnError::Read(Broken), "Unknown"),
    ];
    for (set, error, failure) in cases {
        each(Wire::new, |wire, mut driver| {
            set(&mut wire.borrow_mut());
            let mut connection = ready();
            connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
            let (result, events) = driver.whole(&mut connection);
            assert_eq!(result, Err(error));
            let failed = format!("Failed {{ token: Token(1), failure: {failure} }}");
            assert_eq!(events, [failed, "Closed(Transport)".into()]);
        });
    }
}

#[test]
fn the_last_words_are_read_although_the_write_broke() {
    each(
        || Wire { write_fails: Some(Err(Broken)), step: 10, ..Wire::new() },
        |wire, mut driver| {
            let mut connection = ready();
            connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
            let client = wire.borrow().client;
            wire.borrow_mut().server.inject(client, b"-ERR max number of clients reached\r\n");
            let (result, events) = driver.whole(&mut connection);
            assert_eq!(result, Err(TurnError::Write(Broken)));
            assert_eq!(events[1], "Closed(Refused(ServerError(ERR max number of clients reached)))");
        },
    );
}

#[test]
fn an_end_behind_a_broken_write_is_the_reason() {
    each(
        || Wire { write_fails: Some(Err(Broken)), ..Wire::new() },
        |wire, mut driver| {
            let mut connection = ready();
            connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
            let client = wire.borrow().client;
            wire.borrow_mut().server.kill(client);
            let (result, events) = driver.whole(&mut connection);
            assert_eq!(result, Err(TurnError::Write(Broken)));
            assert_eq!(events, ["Failed { token: Token(1), failure: NotSent }", "Closed(Eof)"]);
        },
    );
}

/// Four answers of 30 bytes for a server that stops reading while 20 bytes of them are unread.
fn narrow(connection: &mut Small) {
    for token in 1..=4 {
        connection.submit(Instant::ZERO, Token(token), &echo("twenty-four bytes of echo")).unwrap();
    }
}

#[test]
fn halves_read_while_the_server_does_not() {
    let wire = RefCell::new(Wire { step: 50, room: 20, ..Wire::new() });
    let [mut stream, mut halves] = Driver::both(&wire);
    let mut connection = ready();
    narrow(&mut connection);
    let mut events = Vec::new();
    while connection.in_flight() > 0 {
        halves.turn(5, &mut connection, &mut events).expect("both wait for ever").unwrap();
    }
    assert_eq!(events.len(), 4);
    narrow(&mut connection);
    assert_eq!(stream.turn(100, &mut connection, &mut events), None, "as documented, a stream cannot");
}

#[test]
fn requests_go_out_although_a_turn_waits_for_messages() {
    each(Wire::new, |wire, mut driver| {
        let mut connection = started();
        while !connection.is_ready() {
            driver.whole(&mut connection).0.unwrap();
        }
        connection.submit(Instant::ZERO, Token(1), &subscribe(&["news"])).unwrap();
        let (result, events) = driver.whole(&mut connection);
        assert_eq!((result, events.len()), (Ok(()), 2), "{events:?}");
        let mut events = Vec::new();
        assert_eq!(driver.turn(3, &mut connection, &mut events), None, "no message yet");
        connection.submit(Instant::ZERO, Token(2), &incr("n")).unwrap();
        assert_eq!(driver.whole(&mut connection).1, ["Reply { token: Token(2), reply: 1 }"]);
        let client = wire.borrow().client;
        assert_eq!(driver.turn(3, &mut connection, &mut events), None);
        wire.borrow_mut().server.inject(client, b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
        assert_eq!(driver.whole(&mut connection).1, [r#"Push(push(3) "message" "news" "hi")"#]);
    });
}

#[test]
fn a_value_that_is_supplied_flows_through() {
    for step in [1, 7, usize::MAX] {
        each(
            || Wire { step, ..Wire::new() },
            |_, mut driver| {
                let mut connection = ready();
                connection.submit(Instant::ZERO, Token(1), &set("k", Later(1000))).unwrap();
                connection.submit(Instant::ZERO, Token(2), &get("k")).unwrap_err();
                let mut events = Vec::new();
                while events.is_empty() {
                    let _ = connection.supply(&[b'x'; 100]);
                    let (result, told) = driver.whole(&mut connection);
                    result.unwrap();
                    events = told;
                }
                assert_eq!(events, ["Reply { token: Token(1), reply: \"OK\" }"]);
                assert_eq!(connection.owed(), 0);
            },
        );
    }
}
