//! What is refused, and that a refusal leaves no trace.

use core::cell::Cell;

use respire_core::buffer::Growing;
use respire_core::command::{Command, Request, get};
use respire_core::conn::{Config, Connection, Failure, Settings, SubmitError, Token};
use respire_core::error::{Full, Misuse};
use respire_core::resp::ArgSink;
use respire_core::time::Instant;

use super::{everyway, fixed, growing};

#[test]
fn a_full_transmit_buffer_takes_nothing() {
    // SET k and 20 bytes take 47 bytes, and 37 bytes 64; GET k takes 20.
    let text = r#"
        start resp2
        ready resp2
        submit 1 SET k 01234567890123456789
        refused Full(Transmit) 2 SET k 01234567890123456789
        refused Full(Transmit) 3 SET k 0123456789012345678901234567890123456
        refused Full(TooLarge) 3 SET k 01234567890123456789012345678901234567
        submit 4 PING
        refused Full(Transmit) 5 PING
        sent 13
        refused Full(Transmit) 5 GET k
        sent 1
        submit 5 PING
        in-flight 3
        sent 33
        > PING
        > PING
        quiet
        submit 6 SET k 01234567890123456789
        > SET k 01234567890123456789
        < +OK\r\n+PONG\r\n+PONG\r\n+OK
        reply 1 "OK"
        reply 4 "PONG"
        reply 5 "PONG"
        reply 6 "OK"
    "#;
    everyway(text, fixed::<64, 64>);
    // Memory that grows stops at its limit.
    let memory = |limit| Growing::new(64, limit);
    everyway(text, || Connection::<_, 8>::new(memory(64), memory(64), Config::default()));
}

#[test]
fn every_slot_taken_takes_nothing() {
    let mut text = String::from("start resp2\nready resp2\n");
    (0..8).for_each(|token| text += &format!("submit {token} GET k\n"));
    text += "refused Full(InFlight) 9 GET k\nsent\nrefused Full(InFlight) 9 GET k\n";
    text += "abandon 0\nrefused Full(InFlight) 9 GET k\n< :0\nsubmit 9 GET k\nin-flight 8";
    everyway(&text, fixed::<512, 512>);
    let nothing = || Connection::<_, 0>::new([0; 64], [0; 64], Config::default());
    everyway("start resp2\nready resp2\nrefused Full(InFlight) 1 PING\nquiet", nothing);
}

#[test]
fn what_would_confuse_the_connection_is_not_sent() {
    everyway(
        r#"
        start resp2
        ready resp2
        refused Misuse(Empty) 1
        refused Misuse(ReplyOff) 1 CLIENT REPLY OFF
        refused Misuse(ReplyOff) 1 client reply skip
        refused Misuse(ReplyOff) 1 CLIENT REPLY
        submit 2 CLIENT REPLY ON
        > CLIENT REPLY ON
        < +OK
        reply 2 "OK"
        submit 3 MULTI
        refused Misuse(SubscribeInMulti) 4 SUBSCRIBE a
        refused Misuse(SubscribeInMulti) 4 psubscribe a
        refused Misuse(SubscribeInMulti) 4 SSUBSCRIBE a
        refused Misuse(SubscribeInMulti) 4 UNSUBSCRIBE
        submit 5 DISCARD
        submit 6 SUBSCRIBE a
        submit 7 MULTI
        refused Misuse(SubscribeInMulti) 8 SUBSCRIBE a
        submit 9 EXEC
        submit 10 UNSUBSCRIBE a
        submit 11 MULTI
        submit 12 RESET
        submit 13 SUBSCRIBE a
        "#,
        growing,
    );
}

#[test]
fn a_handshake_that_does_not_fit_starts_nothing() {
    for (size, full) in
        [(10, Some(Full::TooLarge)), (30, Some(Full::TooLarge)), (100, Some(Full::Transmit)), (200, None)]
    {
        let mut connection = fixed::<64, 0>();
        let mut small = Connection::<_, 4>::new(
            super::Fixed(vec![0; 64]),
            super::Fixed(vec![0; size]),
            Config::default(),
        );
        let settings = Settings { password: Some("secret"), name: Some("n"), ..Settings::default() };
        assert!(connection.start(Instant::ZERO, &settings).is_err());
        assert_eq!(small.start(Instant::ZERO, &settings).err(), full, "{size}");
        if full.is_some() {
            assert_eq!(small.poll_transmit(), b"");
            assert_eq!(small.poll_event(), None);
            assert_eq!(small.poll_timeout(), None);
            assert_eq!(small.submit(Instant::ZERO, Token(1), &get("k")), Err(SubmitError::NotReady));
        }
    }
}

/// Writes less each time.
struct Fickle(Cell<usize>);

impl Request for Fickle {
    type Reply<'r> = ();

    fn command(&self) -> &'static Command {
        &Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.0.set(self.0.get() - 1);
        (0..self.0.get()).for_each(|_| sink.arg(b"x"));
    }
}

#[test]
fn a_request_that_changes_its_mind_is_not_sent() {
    let mut connection = fixed::<64, 64>();
    connection
        .start(
            Instant::ZERO,
            &Settings { protocol: Some(respire_core::conn::Protocol::Resp2), ..Settings::default() },
        )
        .unwrap();
    assert!(connection.poll_event().is_some());
    for token in 1..=2 {
        connection.submit(Instant::ZERO, Token(token), &get("k")).unwrap();
    }
    // Room that must be made first: the request is visited again.
    connection.handle_transmitted(39);
    let before = connection.poll_transmit().to_vec();
    let fickle = Fickle(Cell::new(9));
    assert_eq!(connection.submit(Instant::ZERO, Token(3), &fickle), Err(Misuse::Inconsistent.into()));
    assert_eq!(connection.poll_transmit(), before);
    assert_eq!(connection.in_flight(), 2);
    // Where there is room it is visited once, and is what it said then.
    connection.submit(Instant::ZERO, Token(3), &fickle).unwrap();
    assert_eq!(connection.poll_transmit().len(), 1 + 4 + 6 * 7);
}

#[test]
fn errors_say_what_is_full() {
    assert_eq!(SubmitError::from(Full::Transmit).to_string(), "the transmit buffer is full");
    assert_eq!(SubmitError::from(Misuse::Empty).to_string(), "the request has no words");
}

#[test]
fn failures_say_what_is_known() {
    assert_eq!(Failure::NotSent.to_string(), "the request was not sent");
    assert_eq!(
        Failure::TimedOut.to_string(),
        "the request was not answered in time: it may have been executed"
    );
}

#[test]
fn a_transaction_that_was_refused_is_not_the_next_one() {
    use super::check;
    // The second is open, whatever became of the first.
    check(
        "start resp2\nready resp2\nsubmit 1 MULTI\nsubmit 2 EXEC\nsubmit 3 MULTI\nsent\n< -ERR no\nreply 1 ServerError(ERR no)\nrefused Misuse(SubscribeInMulti) 4 SUBSCRIBE c\n< -ERR no\nreply 2 ServerError(ERR no)\n< +OK\nreply 3 \"OK\"\nrefused Misuse(SubscribeInMulti) 4 SUBSCRIBE c",
    );
    check(
        "start resp2\nready resp2\nsubmit 1 MULTI\nsubmit 2 MULTI\nsent\n< -ERR no\nreply 1 ServerError(ERR no)\nrefused Misuse(SubscribeInMulti) 4 SUBSCRIBE c\n< -ERR no\nreply 2 ServerError(ERR no)\nsubmit 4 SUBSCRIBE c",
    );
    check(
        "start resp2\nready resp2\nsubmit 1 MULTI\nsubmit 2 MULTI\nsubmit 3 EXEC\nsent\n< -ERR no\nreply 1 ServerError(ERR no)\nsubmit 4 SUBSCRIBE c",
    );
}
