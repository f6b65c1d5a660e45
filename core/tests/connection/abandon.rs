//! Callers who turn away: what is taken back, what is waited for, and what else is late by then.

use respire_core::command::get;
use respire_core::conn::{CloseReason, Config, Connection, Event, Failure, Token};
use respire_core::time::{Duration, Instant};

use super::time::{failed, start};
use super::{check, growing};

/// S1-CONN-13: what was given up before it was sent leaves no byte behind.
#[test]
fn what_nobody_waits_for_is_taken_back() {
    check(
        "start resp2\nready resp2\nsubmit 1 GET a\nsubmit 2 GET b\nsubmit 3 GET c\nsent 1\nabandon 2 NotSent\nabandon 1 Unknown\nin-flight 2",
    );
    check("start resp2\nready resp2\nsubmit 1 GET a\nabandon 1 NotSent\nquiet\nin-flight 0\ndeadline none");
    check(
        "start resp2\nready resp2\nsubmit 1 MULTI\nsubmit 2 GET a\nabandon 2 Unknown\nabandon 1 Unknown\nin-flight 2",
    );
    check(
        "start resp2\nready resp2\nsubmit 1 MULTI\nsubmit 2 GET a\nsubmit 3 EXEC\nsubmit 4 GET b\nabandon 4 Unknown\nin-flight 4",
    );
    // Those behind it are sent and answered as if it had never been.
    check(
        "start resp2\nready resp2\nsubmit 1 GET a\nsubmit 2 GET b\nsubmit 3 GET c\nabandon 2 NotSent\n> GET a\n> GET c\nquiet\n< :1\nreply 1 1\n< :3\nreply 3 3",
    );
}

#[test]
fn an_abandoned_request_has_the_grace() {
    check(
        "start resp2\nready resp2\nsubmit 1 GET a\nsubmit 2 GET b\nsent\n@1s\nabandon 1\ndeadline 5s\n@5s\ntimeout\nfailed 2 TimedOut\ndeadline 6s\n@6s\ntimeout\nclosed ReplyTimeout",
    );
    check(
        "start resp2\nready resp2\nuntil never 1 BLPOP k 0\nsent\ndeadline none\n@1s\nabandon 1\ndeadline 6s\n@6s\ntimeout\nclosed ReplyTimeout",
    );
}

#[test]
fn without_grace_an_abandoned_request_ends_the_connection() {
    let config = Config { grace: Duration::ZERO, ..Config::default() };
    let mut connection = Connection::<_, 4>::new([0; 96], [0; 96], config);
    start(&mut connection);
    connection.submit(Instant::ZERO, Token(1), &get("a")).unwrap();
    connection.handle_transmitted(usize::MAX);
    assert_eq!(connection.abandon(Instant::ZERO, Token(1)), Some(Failure::Unknown));
    assert_eq!(connection.poll_event(), Some(Event::Closed(CloseReason::ReplyTimeout)));
}

#[test]
fn turning_away_tells_the_time_too() {
    for (sent, known, late) in
        [(0, Failure::NotSent, Failure::Expired), (usize::MAX, Failure::Unknown, Failure::TimedOut)]
    {
        for now in [4999, 5000] {
            let mut connection = growing();
            start(&mut connection);
            connection.submit(Instant::ZERO, Token(1), &get("a")).unwrap();
            connection.submit_until(None, Token(2), &get("b")).unwrap();
            connection.handle_transmitted(sent);
            let now = Instant::from_millis(now);
            assert_eq!(connection.abandon(now, Token(2)), Some(known));
            let left = Instant::from_millis(5000).saturating_since(now);
            assert_eq!(connection.patience(now), Some(left));
            let event = if left.is_zero() { failed(1, late) } else { None };
            assert_eq!(connection.poll_event(), event);
        }
    }
}
