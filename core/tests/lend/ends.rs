//! What is told when it does not go on.

use std::cell::Cell;

use respire_core::command::{self, Key, Request, ping, set};
use respire_core::conn::{CloseReason, Config, Connection, Failure, SubmitError};
use respire_core::io::{CallError, Driver};
use respire_core::resp::ArgSink;
use respire_core::time::{Duration, Instant};

use crate::wire::{Broken, FROM, RESP2, Wire, call, small, value, whole};

#[test]
fn an_error_half_way_is_the_answer_and_the_end() {
    let value = value(1000);
    let error = b"-ERR Protocol error: invalid bulk length\r\n";
    for at in [1, 28, 29, 500, 1028] {
        let mut wire = Wire::new(FROM).answers(at, error);
        wire.takes.push_back(Some(at));
        wire.takes.extend([None; 10]);
        let mut driver = small(wire);
        assert_eq!(call(&mut driver, &set("key", &value)), Ok(error[1..error.len() - 2].to_vec()), "{at}");
        assert!(matches!(driver.connection().close_reason(), Some(CloseReason::Refused(_))), "{at}");
        assert_eq!(driver.transport().written.len(), at);
        assert_eq!(call(&mut driver, &ping()), Err(CallError::Refused(SubmitError::Closed)));
    }
}

#[test]
fn an_end_half_way_is_unknown_and_one_before_it_is_not_sent() {
    let value = value(1000);
    let len = whole(&set("key", &value)).len();
    for at in [0, 1, 28, 29, 500, len - 2, len - 1] {
        for end in [Ok(()), Err(Broken)] {
            for vectored in [true, false] {
                let mut driver = small(Wire { vectored, room: at, ..Wire::new(FROM) });
                let wire = driver.transport_mut();
                wire.ends = Some((at, end));
                // It is waited for a while before it ends.
                wire.takes.extend([None, None, Some(at)]);
                let failure = if at > 0 { Failure::Unknown } else { Failure::NotSent };
                assert_eq!(call(&mut driver, &set("key", &value)), Err(CallError::Failed(failure)), "{at}");
                let reason = if end.is_ok() { CloseReason::Eof } else { CloseReason::Transport };
                assert_eq!(driver.connection().close_reason(), Some(reason));
                assert_eq!(driver.error().is_some(), end.is_err());
                // The next life owes nothing of it.
                *driver.transport_mut() = Wire::new(FROM).answers(14, b"+PONG\r\n");
                driver.start(&RESP2).unwrap();
                assert_eq!(call(&mut driver, &ping()), Ok(b"PONG".to_vec()));
                assert_eq!(driver.transport().written, whole(&ping()));
            }
        }
    }
}

#[test]
fn its_deadline_holds_while_there_is_no_room() {
    let value = value(1000);
    for room in [0, 500] {
        let wire = Wire { room, ..Wire::new(FROM) };
        let mut driver = small(wire);
        let deadline = Instant::from_millis(1234);
        let result = driver.call_until(Some(deadline), &set("key", &value), |_| (), |_| {});
        // Half a frame is of no use to anybody.
        let (failure, end) = if room > 0 {
            (Failure::Unknown, Some(CloseReason::ReplyTimeout))
        } else {
            (Failure::Expired, None)
        };
        assert_eq!(result, Err(CallError::Failed(failure)));
        assert_eq!((driver.connection().close_reason(), driver.connection().owed()), (end, 0));
        assert_eq!((driver.now(), &driver.transport().waits[..]), (deadline, &[true][..]));
    }
}

#[test]
fn messages_are_read_while_it_is_written() {
    const MESSAGES: usize = 50;
    let value = value(10_000);
    let mut wire = Wire::new(FROM);
    for n in 0..MESSAGES {
        wire = wire.answers(n * 100 + 1, b">2\r\n+message\r\n$5\r\nhello\r\n");
        wire.takes.extend([Some(100), None]);
    }
    let len = whole(&set("key", &value)).len();
    let mut driver = small(wire.answers(len, b"+OK\r\n"));
    let mut seen = Vec::new();
    let stored = driver.call(&set("key", &value), |reply| reply.error().is_none(), |_| seen.push(()));
    assert_eq!((stored, seen.len()), (Ok(true), MESSAGES));
    // Each was read before there was room for more.
    assert!(driver.transport().waits.iter().all(|&writable| writable));
}

/// Makes an argument longer with each visit.
struct Fickle(Cell<usize>);

impl Request for Fickle {
    type Reply<'r> = ();

    fn command(&self) -> &'static command::Command {
        &command::Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        let len = self.0.replace(self.0.get() + 1);
        sink.word("SET");
        sink.key(Key(b"k").0);
        sink.arg(&value(len));
    }
}

/// Shows nothing the second time.
struct Forgetful(Cell<bool>);

impl Request for Forgetful {
    type Reply<'r> = ();

    fn command(&self) -> &'static command::Command {
        &command::Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.word("ECHO");
        sink.arg(if self.0.replace(true) { b"" } else { &[1; FROM] });
    }
}

#[test]
fn a_request_that_changes_its_mind_is_not_sent() {
    let mut driver = small(Wire::new(FROM));
    let not_sent = Err(CallError::Failed(Failure::NotSent));
    assert_eq!(call(&mut driver, &Fickle(Cell::new(200))), not_sent);
    assert_eq!(driver.connection().close_reason(), Some(CloseReason::Local));
    driver.start(&RESP2).unwrap();
    assert_eq!(call(&mut driver, &Forgetful(Cell::new(false))), not_sent);
    assert_eq!(driver.transport().written, b"");
}

#[test]
fn a_server_that_takes_nothing_of_a_lent_value_is_given_up() {
    let config =
        Config { reply_timeout: None, write_timeout: Some(Duration::from_secs(1)), ..Config::default() };
    for room in [0, 10, 60, 500] {
        let wire = Wire { room, ..Wire::new(FROM) };
        let mut driver = Driver::new(Connection::<_, 4>::new([0; 128], [0; 128], config), wire);
        driver.start(&RESP2).unwrap();
        let result = driver.call(&set("key", &value(600)), |_| (), |_| {});
        assert!(matches!(result, Err(CallError::Failed(_))), "{room}");
        assert_eq!(driver.connection().close_reason(), Some(CloseReason::WriteTimeout), "{room}");
        assert!(driver.now() <= Instant::from_millis(2000), "{room}");
    }
}

#[test]
fn a_server_that_takes_a_little_of_a_lent_value_now_and_then_is_waited_for() {
    let config =
        Config { reply_timeout: None, write_timeout: Some(Duration::from_secs(1)), ..Config::default() };
    let takes = [Some(200), None].into_iter().chain([Some(10), None].into_iter().cycle().take(20)).collect();
    let wire = Wire { takes, slow: Duration::from_millis(600), ..Wire::new(FROM) }.answers(600, b"+OK\r\n");
    let mut driver = Driver::new(Connection::<_, 4>::new([0; 128], [0; 128], config), wire);
    driver.start(&RESP2).unwrap();
    driver.call(&set("key", &value(600)), |_| (), |_| {}).unwrap();
    assert!(driver.now() > Instant::from_millis(3000));
}
