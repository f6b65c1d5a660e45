//! The kinds: frozen numbers and names, and what they say.

use respire_core::conn::Failure;
use respire_core::error::{Author, Proof, ServerError};
use respire_core::hook::{DialOutcome, Kind, Outcome, Phase, Refusal, Unsent};

/// S1-ERR-09, S1-KI-05: numbers, names and what follows from them stay as they are. t: a timeout, c: the
/// connection, r: may be sent again.
#[test]
fn kinds_are_frozen() {
    let table: Vec<_> = Kind::ALL
        .iter()
        .map(|&kind| {
            let flag = |is: bool, letter| if is { letter } else { '-' };
            let (t, c) = (flag(kind.is_timeout(), 't'), flag(kind.is_connection(), 'c'));
            format!("{} {} {t}{c}{}", kind as u8, kind.name(), flag(kind.is_retryable(), 'r'))
        })
        .collect();
    assert_eq!(
        table,
        [
            "0 answered ---",
            "1 server ---",
            "2 auth ---",
            "3 not_now --r",
            "4 redirected --r",
            "5 out_of_memory ---",
            "6 aborted ---",
            "7 not_sent -cr",
            "8 unknown -c-",
            "9 write_timeout tc-",
            "10 read_timeout tc-",
            "11 too_large ---",
            "12 pool_timeout t-r",
            "13 pool_exhausted --r",
            "14 unreachable -cr",
            "15 dial_timeout tcr",
            "16 circuit_open --r",
            "17 full --r",
            "18 cancelled ---",
            "19 closed ---",
            "20 refused ---",
        ]
    );
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        assert_eq!((kind as usize, kind.is_error()), (at, at != 0));
    }
}

/// S0-ERR-01: each code that a server has is of one kind.
#[test]
fn codes_have_their_kind() {
    for (text, kind) in [
        ("ERR syntax error", Kind::Server),
        ("WRONGTYPE no list", Kind::Server),
        ("NOSCRIPT no", Kind::Server),
        ("CROSSSLOT no", Kind::Server),
        ("NOAUTH log in", Kind::Auth),
        ("WRONGPASS no", Kind::Auth),
        ("NOPERM no", Kind::Auth),
        ("DENIED protected", Kind::Auth),
        ("LOADING reads", Kind::NotNow),
        ("BUSY script", Kind::NotNow),
        ("MASTERDOWN no", Kind::NotNow),
        ("CLUSTERDOWN no", Kind::NotNow),
        ("TRYAGAIN later", Kind::NotNow),
        ("READONLY replica", Kind::NotNow),
        ("NOREPLICAS few", Kind::NotNow),
        ("MOVED 1 h:1", Kind::Redirected),
        ("ASK 1 h:1", Kind::Redirected),
        ("OOM full", Kind::OutOfMemory),
        ("MISCONF disk", Kind::OutOfMemory),
        ("EXECABORT no", Kind::Aborted),
        ("MINE own word", Kind::Server),
    ] {
        let error = ServerError::new(text.as_bytes()).kind();
        assert_eq!(Kind::from(Outcome::Error(error)), kind, "{text}");
        // What may be sent again was not executed.
        if kind.is_retryable() {
            assert_eq!(error.proof(Author::Server), Proof::NotExecuted, "{text}");
        }
    }
}

#[test]
fn outcomes_have_their_kind_and_phase() {
    for (outcome, kind, phase) in [
        (Outcome::Answered, Kind::Answered, None),
        (Outcome::Failed(Failure::NotSent), Kind::NotSent, Some(Phase::Write)),
        (Outcome::Failed(Failure::Expired), Kind::WriteTimeout, Some(Phase::Write)),
        (Outcome::Failed(Failure::Unknown), Kind::Unknown, Some(Phase::Read)),
        (Outcome::Failed(Failure::TimedOut), Kind::ReadTimeout, Some(Phase::Read)),
        (Outcome::Failed(Failure::TooLarge), Kind::TooLarge, Some(Phase::Read)),
        (Outcome::Failed(Failure::TooDeep), Kind::TooLarge, Some(Phase::Read)),
        (Outcome::Unsent(Unsent::PoolTimeout), Kind::PoolTimeout, Some(Phase::Pool)),
        (Outcome::Unsent(Unsent::PoolExhausted), Kind::PoolExhausted, Some(Phase::Pool)),
        (Outcome::Unsent(Unsent::Unreachable), Kind::Unreachable, Some(Phase::Pool)),
        (Outcome::Unsent(Unsent::CircuitOpen), Kind::CircuitOpen, Some(Phase::Pool)),
        (Outcome::Unsent(Unsent::Full), Kind::Full, None),
        (Outcome::Unsent(Unsent::Cancelled), Kind::Cancelled, Some(Phase::Pool)),
        (Outcome::Unsent(Unsent::Closed), Kind::Closed, Some(Phase::Pool)),
        (Outcome::Unsent(Unsent::Misuse), Kind::Refused, None),
        (Outcome::Refused(Refusal(7)), Kind::Refused, None),
    ] {
        assert_eq!((Kind::from(outcome), outcome.phase()), (kind, phase), "{outcome:?}");
    }
    let rejected = DialOutcome::Rejected(ServerError::new(b"WRONGPASS no").kind());
    for (outcome, kind) in [
        (DialOutcome::Ready, Kind::Answered),
        (DialOutcome::Unresolved, Kind::Unreachable),
        (DialOutcome::Unreachable, Kind::Unreachable),
        (DialOutcome::TimedOut, Kind::DialTimeout),
        (DialOutcome::Tls, Kind::Unreachable),
        (DialOutcome::Lost, Kind::Unreachable),
        (DialOutcome::Refused(Refusal(7)), Kind::Refused),
        (rejected, Kind::Auth),
    ] {
        assert_eq!(Kind::from(outcome), kind, "{outcome:?}");
    }
}
