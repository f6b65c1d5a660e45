//! Deadlines: every request has its own, writing has one, and time is an argument.

use respire_core::buffer::Storage;
use respire_core::command::{Later, get, set};
use respire_core::conn::{CloseReason, Config, Connection, Event, Failure, Protocol, Settings, Token};
use respire_core::time::{Duration, Instant};

use super::{check, everyway, growing};

/// A connection with other patience than the usual.
pub(super) fn with(config: Config, text: &str) {
    everyway(text, || Connection::<_, 4>::new([0; 96], [0; 96], config));
}

#[test]
fn every_request_has_a_deadline() {
    check(
        r#"
        @1s
        start resp2
        ready resp2
        deadline none
        submit 1 GET a
        deadline 6s
        @2s
        submit 2 GET b
        sent
        @3s
        submit 3 GET c
        < :1
        reply 1 1
        < $10\r\nslow\
        @6999ms
        timeout
        deadline 7s
        @7s
        timeout
        failed 2 TimedOut
        deadline 8s
        in-flight 2
        submit 4 GET d
        @8s
        timeout
        failed 3 Expired
        > GET d
        < answer
        < :4
        reply 4 4
        deadline none
        "#,
    );
}

#[test]
fn what_came_in_time_counts() {
    // Read before the deadline, told behind it.
    let mut connection = growing();
    start(&mut connection);
    connection.submit(Instant::ZERO, Token(1), &get("a")).unwrap();
    connection.submit(Instant::ZERO, Token(2), &get("b")).unwrap();
    connection.handle_transmitted(usize::MAX);
    let space = connection.recv_space().unwrap();
    space[..4].copy_from_slice(b":1\r\n");
    connection.handle_received(4);
    connection.handle_timeout(Instant::from_millis(9999));
    assert!(matches!(connection.poll_event(), Some(Event::Reply { token: Token(1), .. })));
    assert_eq!(connection.poll_event(), failed(2, Failure::TimedOut));
    assert_eq!(connection.poll_event(), None);
}

#[test]
fn a_late_answer_is_nobodys() {
    check(
        r#"
        start resp2
        ready resp2
        submit 1 GET a
        sent
        @5s
        timeout
        failed 1 TimedOut
        submit 2 GET b
        sent
        in-flight 2
        < $1\r\na
        in-flight 1
        < $1\r\nb
        reply 2 "b"
        "#,
    );
}

#[test]
fn an_answer_that_stays_away_ends_the_connection() {
    check(
        r#"
        start resp2
        ready resp2
        submit 1 GET a
        sent
        @5s
        timeout
        failed 1 TimedOut
        @6s
        submit 2 GET b
        sent
        deadline 10s
        @9999ms
        timeout
        @10s
        timeout
        failed 2 Unknown
        closed ReplyTimeout
        deadline none
        "#,
    );
    let config = Config { grace: Duration::from_millis(1), ..Config::default() };
    with(
        config,
        "start resp2\nready resp2\nsubmit 1 GET a\nsent\nabandon 1 Unknown\ndeadline 1ms\n@1ms\ntimeout\nclosed ReplyTimeout",
    );
}

#[test]
fn without_grace_the_first_that_is_late_ends_all() {
    let config = Config { grace: Duration::ZERO, ..Config::default() };
    with(
        config,
        "start resp2\nready resp2\nsubmit 1 GET a\nsent\nsubmit 2 GET b\n@5s\ntimeout\nfailed 1 Unknown\nfailed 2 NotSent\nclosed ReplyTimeout",
    );
    // What was not sent harms nobody.
    with(
        config,
        "start resp2\nready resp2\nsubmit 1 GET a\n@5s\ntimeout\nfailed 1 Expired\nquiet\nsubmit 2 GET b\n> GET b",
    );
}

/// S1-CONN-13: nothing is left of what was given up before it was sent.
#[test]
fn what_is_late_is_not_sent() {
    check(
        r#"
        start resp2
        ready resp2
        until 3s 1 GET a
        until 1s 2 GET b
        until 2s 3 GET c
        until 1s 4 GET d
        sent 5
        @1s
        timeout
        failed 2 Expired
        failed 4 Expired
        deadline 2s
        in-flight 2
        sent 15
        @2s
        timeout
        failed 3 Expired
        quiet
        < :1
        reply 1 1
        deadline none
        "#,
    );
}

#[test]
fn nothing_is_written_between_a_deadline_and_its_events() {
    let mut connection = growing();
    start(&mut connection);
    connection.submit(Instant::ZERO, Token(1), &get("a")).unwrap();
    connection.handle_timeout(Instant::from_millis(5000));
    assert_eq!(connection.poll_transmit(), b"");
    assert_eq!(connection.windows().1, b"");
    assert_eq!(connection.patience(Instant::ZERO), Some(Duration::ZERO));
    assert_eq!(connection.poll_event(), failed(1, Failure::Expired));
    assert_eq!(connection.poll_event(), None);
    assert_eq!((connection.in_flight(), connection.poll_timeout()), (0, None));
}

#[test]
fn what_others_count_on_is_not_left_out() {
    for (text, unsent) in [
        ("submit 1 SELECT 3\nsubmit 2 GET a", "failed 1 NotSent\nfailed 2 NotSent"),
        (
            "submit 1 MULTI\nsubmit 2 INCR n\nsubmit 3 EXEC",
            "failed 1 NotSent\nfailed 2 NotSent\nfailed 3 NotSent",
        ),
        ("submit 1 MULTI\nsent\nsubmit 2 INCR n", "failed 1 TimedOut\nfailed 2 NotSent"),
        (
            "submit 1 GET a\nsubmit 2 MULTI\nsubmit 3 EXEC",
            "failed 1 NotSent\nfailed 2 NotSent\nfailed 3 NotSent",
        ),
        ("submit 1 SUBSCRIBE a", "failed 1 NotSent"),
    ] {
        check(&format!("start resp2\nready resp2\n{text}\n@5s\ntimeout\n{unsent}\nclosed ReplyTimeout"));
    }
}

#[test]
fn half_a_value_is_no_use() {
    let late = Instant::from_millis(5000);
    for (sent, failure) in [(0, Failure::Expired), (1, Failure::Unknown), (usize::MAX, Failure::Unknown)] {
        let mut connection = growing();
        start(&mut connection);
        connection.submit(Instant::ZERO, Token(1), &set("k", Later(20))).unwrap();
        let ready = connection.poll_transmit().len();
        connection.handle_transmitted(sent.min(ready));
        assert_eq!(connection.supply(b"0123456789"), 10);
        connection.handle_timeout(late);
        assert_eq!(connection.poll_event(), failed(1, failure));
        if failure == Failure::Expired {
            assert_eq!((connection.owed(), connection.in_flight()), (0, 0));
            assert_eq!(connection.poll_event(), None);
            connection.submit(late, Token(2), &get("a")).unwrap();
            assert_eq!(connection.poll_transmit(), b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
        } else {
            assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::ReplyTimeout)));
        }
    }
}

#[test]
fn a_server_that_reads_nothing_is_given_up() {
    let config =
        Config { reply_timeout: None, write_timeout: Some(Duration::from_secs(1)), ..Config::default() };
    // The clock may be an old one, so it is set anew once.
    with(
        config,
        "start resp2\nready resp2\nsubmit 1 GET a\ndeadline 1s\n@1s\ntimeout\ndeadline 2s\n@2s\ntimeout\nfailed 1 NotSent\nclosed WriteTimeout",
    );
    // A byte now and then is enough, and what was written is over.
    with(
        config,
        "start resp2\nready resp2\nsubmit 1 GET a\n@1s\ntimeout\nsent 1\n@2s\ntimeout\ndeadline 3s\nsent 1\n@3s\ntimeout\ndeadline 4s\n@4s\ntimeout\nfailed 1 Unknown\nclosed WriteTimeout",
    );
    with(
        config,
        "start resp2\nready resp2\nsubmit 1 GET a\nsent\ndeadline none\n@99s\ntimeout\n< :1\nreply 1 1",
    );
    let config = Config { write_timeout: None, ..config };
    with(config, "start resp2\nready resp2\nsubmit 1 GET a\ndeadline none\n@99s\ntimeout\n> GET a");
}

#[test]
fn supplied_bytes_are_watched_too() {
    let config = Config { reply_timeout: None, ..Config::default() };
    let mut connection = Connection::<_, 4>::new([0; 96], [0; 96], config);
    start(&mut connection);
    connection.submit(Instant::ZERO, Token(1), &set("k", Later(20))).unwrap();
    connection.handle_transmitted(usize::MAX);
    assert_eq!(connection.poll_timeout(), None);
    assert_eq!(connection.supply(b"01234"), 5);
    assert_eq!(connection.poll_timeout(), Some(Instant::from_millis(5000)));
    connection.handle_timeout(Instant::from_millis(5000));
    connection.handle_timeout(Instant::from_millis(10_000));
    assert_eq!(connection.poll_event(), failed(1, Failure::Unknown));
    assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::WriteTimeout)));
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut connection = growing();
    connection.start(Instant::from_millis(1000), &RESP2).unwrap();
    assert!(connection.poll_event().is_some());
    assert_eq!(connection.clock_faults(), 0);
    connection.submit(Instant::from_millis(10), Token(1), &get("a")).unwrap();
    assert_eq!((connection.poll_timeout(), connection.clock_faults()), (Some(Instant::from_millis(6000)), 1));
    connection.handle_timeout(Instant::ZERO);
    connection.handle_transmitted(usize::MAX);
    assert_eq!(connection.abandon(Instant::ZERO, Token(1)), Some(Failure::Unknown));
    assert_eq!(connection.clock_faults(), 3);
    for _ in 0..2 {
        connection.handle_timeout(Instant::from_millis(5999));
        assert_eq!(connection.poll_event(), None);
    }
    connection.handle_timeout(Instant::from_millis(6000));
    assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::ReplyTimeout)));
    assert_eq!(connection.clock_faults(), 3);
}

#[test]
fn early_and_late_calls_do_nothing() {
    check(
        "timeout\nstart resp2\nready resp2\ntimeout\n@9s\ntimeout\nsubmit 1 GET a\ntimeout\ndeadline 14s\n@13999ms\ntimeout\ntimeout",
    );
    check("start resp2\nready resp2\nclose\nclosed Local\n@99s\ntimeout\neof\nerror\nclose\n< +OK\nquiet");
}

/// S1-CONN-12: a caller's own time goes before that of the connection, or there is none.
#[test]
fn a_request_may_have_its_own_deadline_or_none() {
    check(
        r#"
        start resp2
        ready resp2
        until 60s 1 BLPOP k 59
        sent
        deadline 60s
        submit 2 GET a
        deadline 5s
        until never 3 BLPOP k 0
        sent
        < *-1
        reply 1 nil
        < :1
        reply 2 1
        @5s
        timeout
        deadline none
        @999s
        timeout
        in-flight 1
        < *-1
        reply 3 nil
        "#,
    );
}

#[test]
fn without_a_timeout_requests_wait_for_ever() {
    let config = Config { reply_timeout: None, ..Config::default() };
    with(
        config,
        "start resp2\nready resp2\nsubmit 1 GET a\nsent\ndeadline none\n@9999s\ntimeout\n< :1\nreply 1 1",
    );
}

#[test]
fn the_handshake_has_a_deadline_of_its_own() {
    let config = Config { handshake_timeout: Duration::from_millis(20), ..Config::default() };
    everyway(
        r#"
        @1s
        start name n
        deadline 1020ms
        > HELLO 3 SETNAME n
        @1010ms
        < -ERR unknown command `HELLO`
        deadline 1020ms
        > CLIENT SETNAME n
        @1019999us
        timeout
        @1020ms
        timeout
        closed HandshakeTimeout
        @2s
        start resp2 name n
        deadline 2020ms
        sent
        < +OK
        ready resp2
        deadline none
        "#,
        || Connection::<_, 4>::new([0; 128], [0; 128], config),
    );
}

#[test]
fn patience_is_the_time_that_is_left() {
    let mut connection = growing();
    start(&mut connection);
    assert_eq!(connection.patience(Instant::ZERO), None);
    connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
    assert_eq!(connection.patience(Instant::from_millis(1)), Some(Duration::from_millis(4999)));
    assert_eq!(connection.patience(Instant::from_millis(9999)), Some(Duration::ZERO));
}

const RESP2: Settings<'_> = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };

pub(super) fn start<S: Storage, const N: usize>(connection: &mut Connection<S, N>) {
    connection.start(Instant::ZERO, &RESP2).unwrap();
    assert!(connection.poll_event().is_some());
}

pub(super) fn failed<'a>(token: u64, failure: Failure) -> Option<Event<'a>> {
    Some(Event::Failed { token: Token(token), failure })
}
