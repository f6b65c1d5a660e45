//! Deadlines: the oldest request decides, and time is an argument.

use respire_core::command::get;
use respire_core::conn::{Config, Connection, Token};
use respire_core::time::{Duration, Instant};

use super::{check, everyway, growing};

#[test]
fn the_oldest_request_decides() {
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
        deadline 6s
        sent
        deadline 6s
        @3s
        submit 3 GET c
        deadline 6s
        < :1
        reply 1 1
        deadline 7s
        < $10\r\nslow\
        deadline 7s
        @6999ms
        timeout
        deadline 7s
        @7s
        timeout
        failed 2 Unknown
        failed 3 NotSent
        closed ReplyTimeout
        deadline none
        "#,
    );
}

#[test]
fn early_and_late_calls_do_nothing() {
    check(
        "timeout\nstart resp2\nready resp2\ntimeout\n@9s\ntimeout\nsubmit 1 GET a\ntimeout\ndeadline 14s\n@13999ms\ntimeout\ntimeout",
    );
    check("start resp2\nready resp2\nclose\nclosed Local\n@99s\ntimeout\neof\nerror\nclose\n< +OK\nquiet");
}

#[test]
fn an_abandoned_request_still_has_its_deadline() {
    check(
        "start resp2\nready resp2\nsubmit 1 GET a\nsubmit 2 GET b\nsent\nabandon 1\ndeadline 5s\n@5s\ntimeout\nfailed 2 Unknown\nclosed ReplyTimeout",
    );
}

#[test]
fn a_request_may_have_its_own_deadline_or_none() {
    check(
        r#"
        start resp2
        ready resp2
        until 60s 1 BLPOP k 59
        deadline 60s
        submit 2 GET a
        deadline 60s
        until never 3 BLPOP k 0
        sent
        < *-1
        reply 1 nil
        deadline 5s
        < :1
        reply 2 1
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
    everyway(
        "start resp2\nready resp2\nsubmit 1 GET a\nsent\ndeadline none\n@9999s\ntimeout\n< :1\nreply 1 1",
        || Connection::<_, 4>::new([0; 64], [0; 64], config),
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
    let settings = respire_core::conn::Settings {
        protocol: Some(respire_core::conn::Protocol::Resp2),
        ..Default::default()
    };
    connection.start(Instant::ZERO, &settings).unwrap();
    assert!(connection.poll_event().is_some());
    assert_eq!(connection.patience(Instant::ZERO), None);
    connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
    assert_eq!(connection.patience(Instant::from_millis(1)), Some(Duration::from_millis(4999)));
    assert_eq!(connection.patience(Instant::from_millis(9999)), Some(Duration::ZERO));
}
