//! What the server keeps for a connection: it changes with the answers.

use respire_core::buffer::Growing;
use respire_core::command::{chunked, words};
use respire_core::conn::{Config, Connection, Event, Settings, State, Token, Tracking, TrackingMode};
use respire_core::time::Instant;

type Machine = Connection<Growing, 8>;

fn ready(settings: &Settings<'_>) -> Machine {
    let memory = || Growing::new(64, 4096);
    let mut connection = Connection::new(memory(), memory(), Config::default());
    connection.start(Instant::ZERO, settings).unwrap();
    connection.handle_transmitted(usize::MAX);
    let steps = usize::from(settings.db > 0) + usize::from(settings.tracking.is_some());
    receive(&mut connection, &format!("%0\r\n{}", OK.repeat(steps)));
    assert!(connection.is_ready());
    connection
}

fn receive(connection: &mut Machine, bytes: &str) {
    for &byte in bytes.as_bytes() {
        let Some(space) = connection.recv_space() else { return };
        space[0] = byte;
        connection.handle_received(1);
        while connection.poll_event().is_some() {}
    }
}

/// What is said and answered, line by line.
fn talk(connection: &mut Machine, lines: &[(&str, &str)]) {
    for (request, answer) in lines {
        let words: Vec<&str> = request.split(' ').collect();
        connection.submit(Instant::ZERO, Token(0), &respire_core::command::words(&words)).unwrap();
        connection.handle_transmitted(usize::MAX);
        let before = connection.state();
        if let Some((last, first)) = answer.as_bytes().split_last() {
            receive(connection, core::str::from_utf8(first).unwrap());
            assert_eq!(connection.state(), before, "{request}: before its answer is whole");
            receive(connection, core::str::from_utf8(&[*last]).unwrap());
        }
        assert_eq!(connection.in_flight(), 0, "{request}");
    }
}

/// The database, and what else is so: `t`ransaction, `w`atching, `k`eys tracked, `a`ltered.
fn seen(state: State) -> (Option<u32>, String) {
    let flags =
        [(state.transaction, 't'), (state.watching, 'w'), (state.tracking, 'k'), (state.altered, 'a')];
    (state.db, flags.iter().filter(|(is, _)| *is).map(|&(_, flag)| flag).collect())
}

#[track_caller]
fn check(lines: &[(&str, &str)], db: impl Into<Option<u32>>, flags: &str) {
    let mut connection = ready(&Settings { db: 3, ..Settings::NONE });
    talk(&mut connection, lines);
    assert_eq!(seen(connection.state()), (db.into(), flags.into()));
    // It is still known when the connection is over, and forgotten with the next life.
    connection.close();
    while connection.poll_event().is_some() {}
    assert_eq!(seen(connection.state()), (db_of(connection.state()), flags.into()));
    connection.start(Instant::ZERO, &Settings { db: 5, ..Settings::NONE }).unwrap();
    assert_eq!(seen(connection.state()), (Some(5), String::new()));
}

fn db_of(state: State) -> Option<u32> {
    state.db
}

const OK: &str = "+OK\r\n";
const QUEUED: &str = "+QUEUED\r\n";

#[test]
fn the_database_is_the_last_that_was_agreed_to() {
    check(&[], 3, "");
    check(&[("SELECT 7", OK)], 7, "");
    check(&[("SELECT 152", OK)], 152, "");
    check(&[("select 7", OK), ("SELECT 0", OK)], 0, "");
    check(&[("SELECT 7", OK), ("SELECT 99", "-ERR DB index is out of range\r\n")], 7, "");
    // A number that is none, and was agreed to.
    for odd in ["SELECT x", "SELECT", "SELECT -1", "SELECT 99999999999", "SELECT +7"] {
        check(&[(odd, OK)], None, "");
    }
}

#[test]
fn transactions_begin_and_end_with_their_answers() {
    check(&[("MULTI", OK)], 3, "t");
    check(&[("MULTI", OK), ("GET k", QUEUED), ("EXEC", "*1\r\n:1\r\n")], 3, "");
    check(&[("MULTI", OK), ("DISCARD", OK)], 3, "");
    check(&[("MULTI", "-ERR no\r\n")], 3, "");
    check(&[("MULTI", OK), ("MULTI", "-ERR MULTI calls can not be nested\r\n")], 3, "t");
    check(&[("MULTI", OK), ("EXEC", "-EXECABORT Transaction discarded\r\n")], 3, "");
    check(&[("MULTI", OK), ("EXEC 1", "-ERR wrong number of arguments for 'exec' command\r\n")], 3, "t");
    check(&[("WATCH k", OK), ("MULTI", OK), ("EXEC", "*-1\r\n")], 3, "");
}

#[test]
fn keys_are_watched_until_something_ends_it() {
    check(&[("WATCH k", OK)], 3, "w");
    check(&[("WATCH k", OK), ("UNWATCH", OK)], 3, "");
    check(&[("WATCH k", OK), ("GET k", "_\r\n"), ("MULTI", OK)], 3, "tw");
    check(&[("WATCH k", OK), ("MULTI", OK), ("DISCARD", OK)], 3, "");
    check(&[("WATCH k", "-ERR no\r\n")], 3, "");
    check(&[("MULTI", OK), ("WATCH k", "-ERR WATCH inside MULTI is not allowed\r\n")], 3, "t");
}

#[test]
fn what_is_queued_has_happened_when_it_is_executed() {
    let queue = [("MULTI", OK), ("SELECT 7", QUEUED)];
    check(&queue, 3, "t");
    check(&[("MULTI", OK), ("UNWATCH", QUEUED), ("EXEC", "*1\r\n+OK\r\n")], 3, "");
    check(&[queue[0], queue[1], ("EXEC", "*1\r\n+OK\r\n")], None, "a");
    check(&[queue[0], queue[1], ("EXEC", "*-1\r\n")], 3, "");
    check(&[queue[0], queue[1], ("DISCARD", OK)], 3, "");
    check(&[queue[0], queue[1], ("DISCARD", OK), ("MULTI", OK), ("EXEC", "*0\r\n")], 3, "");
}

#[test]
fn what_only_its_caller_knows_is_marked() {
    for request in ["AUTH u p", "CLIENT SETNAME n", "HELLO 3 SETNAME n", "READONLY", "CLIENT NO-EVICT ON"] {
        let answer = if request.starts_with("HELLO") { "%0\r\n" } else { OK };
        check(&[(request, answer)], 3, "a");
        check(&[(request, "-ERR no\r\n")], 3, "");
    }
    check(&[("CLIENT TRACKING ON BCAST", OK)], 3, "k");
    check(&[("CLIENT TRACKING ON", OK), ("CLIENT TRACKING off", OK)], 3, "");
    check(&[("WATCH k", OK), ("CLIENT TRACKING ON", OK), ("RESET", "+RESET\r\n")], 0, "a");
}

#[test]
fn settings_are_known_from_the_start() {
    let tracking = Some(Tracking { mode: TrackingMode::Read, no_loop: true });
    let connection = ready(&Settings { db: 9, tracking, ..Settings::NONE });
    assert_eq!(seen(connection.state()), (Some(9), "k".into()));
}

#[test]
fn an_answer_that_nobody_reads_counts_too() {
    // Given up.
    let mut connection = ready(&Settings { db: 3, ..Settings::NONE });
    connection.submit(Instant::ZERO, Token(1), &words(&["SELECT", "7"])).unwrap();
    connection.handle_transmitted(usize::MAX);
    assert!(connection.abandon(Instant::ZERO, Token(1)).is_some());
    receive(&mut connection, OK);
    assert_eq!(connection.state().db, Some(7));
    // Too large to be read, and in parts.
    for in_parts in [false, true] {
        talk(&mut connection, &[("MULTI", OK), ("SELECT 8", QUEUED)]);
        if in_parts {
            connection.submit(Instant::ZERO, Token(2), &chunked(words(&["EXEC"]))).unwrap();
        } else {
            connection.submit(Instant::ZERO, Token(2), &words(&["EXEC"])).unwrap();
        }
        connection.handle_transmitted(usize::MAX);
        receive(&mut connection, &format!("*2\r\n+OK\r\n$9000\r\n{}\r\n", "x".repeat(9000)));
        assert_eq!(seen(connection.state()), (None, "a".into()), "{in_parts}");
        assert_eq!(connection.in_flight(), 0);
    }
    // And an error that is too large.
    talk(&mut connection, &[("MULTI", OK)]);
    let error = format!("-EXECABORT {}\r\n", "x".repeat(9000));
    connection.submit(Instant::ZERO, Token(3), &words(&["EXEC"])).unwrap();
    connection.handle_transmitted(usize::MAX);
    let mut failed = false;
    for &byte in error.as_bytes() {
        connection.recv_space().unwrap()[0] = byte;
        connection.handle_received(1);
        while let Some(event) = connection.poll_event() {
            failed |= matches!(event, Event::Failed { token: Token(3), .. });
        }
    }
    assert!(failed && !connection.state().transaction);
}

#[test]
fn an_exec_of_nothing_watches_on() {
    for request in ["EXEC", "DISCARD"] {
        let error = format!("-ERR {request} without MULTI\r\n");
        check(&[("WATCH k", OK), (request, &error)], 3, "w");
        check(&[(request, &error)], 3, "");
    }
    check(&[("WATCH k", OK), ("MULTI", OK), ("EXEC", "-EXECABORT Transaction discarded\r\n")], 3, "");
    check(&[("WATCH k", OK), ("MULTI", OK), ("EXEC", "-ERR EXEC without MULTI\r\n")], 3, "w");
}

#[test]
fn who_may_not_end_a_transaction_is_in_it_still() {
    let error = "-NOPERM User u has no permissions to run the 'discard' command\r\n";
    check(&[("MULTI", OK), ("DISCARD", error)], 3, "t");
    let error = "-ERR unknown command 'DISCARD', with args beginning with: \r\n";
    check(&[("MULTI", OK), ("DISCARD", error)], 3, "t");
}
