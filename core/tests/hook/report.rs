//! The one line that tells of an attempt.

use respire_core::command::{Request, config_get, get, ping};
use respire_core::config::Address;
use respire_core::conn::Failure;
use respire_core::hook::{Attempt, End, Outcome, Report, Tally, Times, Unsent};
use respire_core::time::{Duration, Instant};

fn ended(outcome: Outcome<'_>, micros: u64) -> End<'_> {
    let times = Times { ended: Instant::from_micros(micros), ..Times::at(Instant::ZERO) };
    End { outcome, times, bytes: 0, connection: None }
}

/// S1-ERR-06, S1-KI-05: command, keys, server, database, attempt, time and what it waited for, in one line.
#[test]
fn a_report_is_one_line() {
    let attempt = |request: &dyn respire_core::command::AnyRequest, keys, host, number| Attempt {
        command: request.row(),
        keys,
        bytes: 30,
        address: Address { host, port: 6379 },
        db: 3,
        number,
        most: 4,
        label: None,
    };
    let config = config_get("maxmemory");
    for (attempt, end, line) in [
        (
            attempt(&get("k"), 1, "db.example", 2),
            ended(Outcome::Failed(Failure::TimedOut), 130_000),
            "GET of 1 key at db.example:6379/3, attempt 2 of 4, after 130 ms: read_timeout, waiting for its answer",
        ),
        (
            attempt(&ping(), 0, "::1", 1),
            ended(Outcome::Unsent(Unsent::PoolTimeout), 9_999),
            "PING at [::1]:6379/3, attempt 1 of 4, after 9999 us: pool_timeout, waiting for a connection",
        ),
        (
            Attempt { label: Some("checkout"), ..attempt(&get("k"), 2, "h", 1) },
            ended(Outcome::Answered, 20_000),
            "GET of 2 keys for checkout at h:6379/3, attempt 1 of 4, after 20 ms: answered",
        ),
        (
            attempt(&config, 0, "/run/redis", 1),
            ended(Outcome::Failed(Failure::NotSent), 0),
            "CONFIG GET at /run/redis/3, attempt 1 of 4, after 0 us: not_sent, waiting to be sent",
        ),
        (
            Attempt {
                command: &respire_core::command::Command::UNKNOWN,
                keys: 5,
                ..attempt(&ping(), 0, "h", 4)
            },
            ended(Outcome::Answered, 10_000),
            "a command of 5 keys at h:6379/3, attempt 4 of 4, after 10 ms: answered",
        ),
    ] {
        assert_eq!(Report { attempt: &attempt, end: &end }.to_string(), line);
    }
    assert_eq!(get("k").command().words, ["GET"]);
}

#[test]
fn times_are_between_stations() {
    let at = Instant::from_micros;
    let times = Times { submitted: at(10), started: at(30), written: at(70), ended: at(150) };
    let micros = Duration::from_micros;
    assert_eq!([times.queued(), times.writing(), times.answering()], [micros(20), micros(40), micros(80)]);
    assert_eq!((times.total(), times.total_micros()), (micros(140), 140));
    // A clock that went backwards is no long time.
    assert_eq!(Times { ended: at(0), ..times }.total_micros(), 0);
}

#[test]
fn a_tally_adds_up() {
    let mut tally = Tally::default();
    for outcome in [Outcome::Answered, Outcome::Answered, Outcome::Failed(Failure::Unknown)] {
        tally.add(&End { bytes: 5, ..ended(outcome, 1) });
    }
    let error = respire_core::error::ServerError::new(b"ERR no").kind();
    tally.add(&ended(Outcome::Error(error), 1));
    assert_eq!(tally, Tally { answered: 2, errors: 1, failed: 1, bytes: 15 });
}
