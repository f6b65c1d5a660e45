//! Calls in orders that a transcript cannot tell.

use std::cell::Cell;
use std::rc::Rc;

use respire_core::buffer::{Growing, Place, Storage};
use respire_core::command::{get, ping, quit, subscribe, words};
use respire_core::conn::{CloseReason, Config, Connection, Event, Failure, Protocol, Settings, Token};
use respire_core::time::Instant;

use super::{Fixed, fixed};

const RESP2: Settings<'_> = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };

fn ready() -> Connection<Fixed, 8> {
    let mut connection = fixed::<128, 256>();
    connection.start(Instant::ZERO, &RESP2).unwrap();
    assert_eq!(connection.poll_event(), Some(Event::Ready { protocol: Protocol::Resp2 }));
    connection
}

fn receive(connection: &mut Connection<Fixed, 8>, bytes: &[u8]) {
    connection.recv_space().unwrap()[..bytes.len()].copy_from_slice(bytes);
    connection.handle_received(bytes.len());
}

fn send_all(connection: &mut Connection<Fixed, 8>) {
    connection.handle_transmitted(connection.poll_transmit().len());
}

fn is_reply(event: Option<Event<'_>>, wanted: u64) -> bool {
    matches!(event, Some(Event::Reply { token, .. }) if token == Token(wanted))
}

const CONFIRMED: &[u8] = b"*3\r\n+subscribe\r\n+a\r\n:1\r\n";

#[test]
fn a_confirmation_is_not_lost_by_a_read_between_push_and_answer() {
    let mut connection = ready();
    connection.submit(Instant::ZERO, Token(1), &subscribe("a")).unwrap();
    send_all(&mut connection);
    receive(&mut connection, CONFIRMED);
    assert!(matches!(connection.poll_event(), Some(Event::Push(_))));
    assert!(connection.recv_space().is_none(), "an event waits");
    assert!(is_reply(connection.poll_event(), 1));
    assert!(connection.recv_space().is_some());
}

#[test]
fn a_confirmation_is_not_lost_by_the_end_between_push_and_answer() {
    for end in [Connection::close, Connection::handle_eof, Connection::handle_transport_error] {
        let mut connection = ready();
        connection.submit(Instant::ZERO, Token(1), &subscribe("a")).unwrap();
        connection.submit(Instant::ZERO, Token(2), &ping()).unwrap();
        send_all(&mut connection);
        receive(&mut connection, CONFIRMED);
        assert!(matches!(connection.poll_event(), Some(Event::Push(_))));
        end(&mut connection);
        connection.handle_timeout(Instant::MAX);
        assert!(is_reply(connection.poll_event(), 1));
        let failed = Event::Failed { token: Token(2), failure: Failure::Unknown };
        assert_eq!(connection.poll_event(), Some(failed));
        assert!(matches!(connection.poll_event(), Some(Event::Closed(_))));
        assert_eq!(connection.poll_event(), None);
    }
}

#[test]
fn bytes_that_came_before_the_end_are_told_first() {
    let mut connection = ready();
    connection.submit(Instant::ZERO, Token(1), &ping()).unwrap();
    connection.submit(Instant::ZERO, Token(2), &ping()).unwrap();
    send_all(&mut connection);
    receive(&mut connection, b"+PONG\r\n+PO");
    connection.handle_eof();
    assert!(is_reply(connection.poll_event(), 1));
    assert_eq!(connection.poll_event(), Some(Event::Failed { token: Token(2), failure: Failure::Unknown }));
    assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::Eof)));
}

#[test]
fn quit_is_quit_although_the_end_is_seen_before_the_answer() {
    let mut connection = ready();
    connection.submit(Instant::ZERO, Token(1), &quit()).unwrap();
    send_all(&mut connection);
    receive(&mut connection, b"+OK\r\n");
    connection.handle_eof();
    assert!(is_reply(connection.poll_event(), 1));
    assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::Quit)));
}

#[test]
fn a_request_after_the_end_is_resolved_too() {
    let mut connection = ready();
    connection.handle_eof();
    connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
    assert_eq!(connection.poll_event(), Some(Event::Failed { token: Token(1), failure: Failure::NotSent }));
    assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::Eof)));
    assert_eq!(connection.close_reason(), Some(CloseReason::Eof));
}

#[test]
fn a_read_waits_for_the_events_before_it() {
    let mut connection = ready();
    connection.submit(Instant::ZERO, Token(1), &ping()).unwrap();
    connection.submit(Instant::ZERO, Token(2), &ping()).unwrap();
    send_all(&mut connection);
    assert_eq!(connection.poll_event(), None);
    let mut pongs = b"+PONG\r\n$200\r\n".to_vec();
    pongs.resize(128, b'x');
    receive(&mut connection, &pongs);
    assert!(connection.recv_space().is_none(), "the buffer is full of what nobody has seen");
    assert!(is_reply(connection.poll_event(), 1));
    assert_eq!(connection.poll_event(), None);
    assert!(connection.recv_space().is_some());
}

#[test]
fn what_the_driver_claims_beyond_the_truth_is_cut() {
    let mut connection = ready();
    connection.submit(Instant::ZERO, Token(1), &ping()).unwrap();
    connection.handle_transmitted(usize::MAX);
    assert_eq!(connection.poll_transmit(), b"");
    receive(&mut connection, b"+PONG\r\n");
    connection.handle_received(0);
    assert!(is_reply(connection.poll_event(), 1));
}

#[test]
fn a_long_wait_does_not_make_a_sent_request_unsent() {
    // More than half of 2^32 bytes are sent behind a request that is not answered.
    let large = vec![b'x'; 64 << 20];
    let memory = |size: usize| Growing::new(size, size + 1024);
    let mut connection = Connection::<_, 64>::new(memory(64), memory(large.len()), Config::default());
    connection.start(Instant::ZERO, &RESP2).unwrap();
    assert!(connection.poll_event().is_some());
    connection.submit_until(None, Token(0), &words(&["BLPOP", "k", "0"])).unwrap();
    for token in 1..=33 {
        connection.submit(Instant::ZERO, Token(token), &words(&[&b"PUBLISH"[..], b"c", &large])).unwrap();
        connection.handle_transmitted(usize::MAX);
    }
    connection.submit(Instant::ZERO, Token(34), &get("k")).unwrap();
    connection.handle_eof();
    for token in 0..=33 {
        let failed = Event::Failed { token: Token(token), failure: Failure::Unknown };
        assert_eq!(connection.poll_event(), Some(failed));
    }
    assert_eq!(connection.poll_event(), Some(Event::Failed { token: Token(34), failure: Failure::NotSent }));
}

/// Memory that counts how often it may rest.
struct Tired([u8; 128], Rc<Cell<u32>>);

impl Storage for Tired {
    type Places<T: Place, const N: usize> = [T; N];

    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    fn relax(&mut self, _peak: usize) {
        self.1.set(self.1.get() + 1);
    }
}

#[test]
fn memory_may_rest_between_the_answers_of_the_handshake() {
    let rests = Rc::new(Cell::new(0));
    let memory = |count: &Rc<Cell<u32>>| Tired([0; 128], Rc::clone(count));
    let mut connection = Connection::<_, 4>::new(memory(&rests), memory(&Rc::default()), Config::default());
    connection.start(Instant::ZERO, &Settings { db: 1, ..Settings::NONE }).unwrap();
    connection.handle_transmitted(usize::MAX);
    for (bytes, wanted) in [(&b"%0"[..], 0), (b"\r\n", 1), (b"+O", 1)] {
        connection.recv_space().unwrap()[..bytes.len()].copy_from_slice(bytes);
        connection.handle_received(bytes.len());
        assert_eq!(connection.poll_event(), None);
        assert_eq!(rests.get(), wanted);
    }
}

#[test]
fn what_is_on_its_way_is_what_was_sent_since_the_oldest_unanswered() {
    let mut connection = ready();
    send_all(&mut connection);
    assert_eq!(connection.unanswered(), 0, "nobody waits");
    for n in 1..=3 {
        connection.submit(Instant::ZERO, Token(n), &get("a")).unwrap();
    }
    let len = connection.poll_transmit().len() as u64 / 3;
    assert_eq!(connection.unanswered(), 0, "nothing was sent");
    connection.handle_transmitted(len as usize + 1);
    assert_eq!(connection.unanswered(), len + 1);
    receive(&mut connection, b":1\r\n");
    assert!(is_reply(connection.poll_event(), 1));
    assert_eq!(connection.unanswered(), 1, "of the second its first byte");
    send_all(&mut connection);
    assert_eq!(connection.unanswered(), 2 * len);
    receive(&mut connection, b":2\r\n:3\r\n");
    assert!(is_reply(connection.poll_event(), 2));
    assert!(is_reply(connection.poll_event(), 3));
    assert_eq!(connection.unanswered(), 0);
}
