//! The hook that counts, told what an engine would tell it.

use respire_core::command::{AnyRequest, config_get, get, ping, raw, set};
use respire_core::config::Address;
use respire_core::conn::Failure;
use respire_core::error::ServerError;
use respire_core::hook::{
    Attempt, Batch, BatchEnd, Dial, DialEnd, DialOutcome, End, Fate, Hook, Kind, Outcome, Refusal, Tally,
    Times, Transaction, TransactionEnd, Unsent,
};
use respire_core::stats::{BY_ACCESS, Counts, Group, Members, Numbers};
use respire_core::time::{Duration, Instant};

const HOME: Address<'_> = Address { host: "localhost", port: 6379 };
const NOW: Instant = Instant::from_millis(50_000);

fn tell(hook: &mut impl Hook, request: &dyn AnyRequest, number: u16, outcome: Outcome<'_>, micros: u64) {
    let attempt = Attempt {
        command: request.row(),
        keys: 0,
        bytes: 10,
        address: HOME,
        db: 0,
        number,
        most: 4,
        label: None,
    };
    assert_eq!(hook.before_command(NOW, &attempt), Ok(()));
    let submitted = Instant::from_micros(NOW.as_micros() - micros);
    let end = End { outcome, times: Times { submitted, ..Times::at(NOW) }, bytes: 3, connection: None };
    hook.after_command(NOW, &attempt, &end);
}

/// S0-MON-01, S0-MON-02: times by group, outcomes by kind, and sums.
#[test]
fn commands_are_counted_by_group_and_kind() {
    let mut numbers = Numbers::default();
    let error = ServerError::new(b"OOM no").kind();
    tell(&mut numbers, &get("k"), 1, Outcome::Answered, 100);
    tell(&mut numbers, &get("k"), 2, Outcome::Failed(Failure::TimedOut), 100_000);
    tell(&mut numbers, &set("k", "v"), 1, Outcome::Error(error), 200);
    tell(&mut numbers, &config_get("*"), 1, Outcome::Answered, 300);
    tell(&mut numbers, &ping(), 1, Outcome::Answered, 400);
    tell(&mut numbers, &raw("ZADD").key("k"), 1, Outcome::Answered, 500);
    tell(&mut numbers, &get("k"), 3, Outcome::Unsent(Unsent::PoolTimeout), 7_000_000);
    tell(&mut numbers, &get("k"), 1, Outcome::Refused(Refusal(1)), 0);
    let counts: Vec<_> = numbers.latencies().map(|(group, times)| (group.name, times.count())).collect();
    assert_eq!(counts, [("read", 2), ("write", 1), ("admin", 1), ("connection", 1), ("other", 1)]);
    let reads = numbers.latency("read").unwrap();
    assert_eq!(reads.max(), Some(Duration::from_millis(100)));
    assert!(reads.p99() >= Some(Duration::from_millis(100)), "what timed out took its time");
    assert_eq!(numbers.latency("nosuch"), None);
    assert_eq!(numbers.all_latencies().count(), 6);
    let recent = numbers.requests().recent(NOW);
    for (kind, count) in [
        (Kind::Answered, 4),
        (Kind::ReadTimeout, 1),
        (Kind::OutOfMemory, 1),
        (Kind::PoolTimeout, 1),
        (Kind::Refused, 1),
    ] {
        assert_eq!((recent.count(kind), numbers.requests().total(kind)), (count, count), "{kind:?}");
    }
    assert_eq!((recent.all(), recent.permille()), (8, 500));
    assert_eq!(numbers.counts(), Counts { retries: 2, sent: 60, received: 18, ..Counts::default() });
}

#[test]
fn dials_pipelines_and_transactions_are_counted() {
    let mut numbers = Numbers::default();
    let dial = Dial { address: HOME, attempt: 1 };
    for outcome in [DialOutcome::Unreachable, DialOutcome::TimedOut, DialOutcome::Ready, DialOutcome::Ready] {
        numbers.after_dial(NOW, &dial, &DialEnd { outcome, started: NOW });
    }
    let recent = numbers.dials().recent(NOW);
    assert_eq!((recent.all(), recent.errors(), recent.count(Kind::DialTimeout)), (4, 2, 1));
    assert_eq!(numbers.requests().recent(NOW).all(), 0);
    let tally = Tally::default();
    numbers.after_pipeline(
        NOW,
        &Batch { commands: 7, bytes: 70, label: None },
        &BatchEnd { tally, started: NOW },
    );
    numbers.after_pipeline(
        NOW,
        &Batch { commands: 3, bytes: 30, label: None },
        &BatchEnd { tally, started: NOW },
    );
    let transaction = Transaction { commands: 2, bytes: 20, watching: true, label: None };
    for fate in [Fate::Executed, Fate::Aborted, Fate::Discarded] {
        numbers.after_transaction(NOW, &transaction, &TransactionEnd { fate, tally, started: NOW });
    }
    let counts = Counts { pipelines: 2, pipelined: 10, transactions: 3, aborted: 1, ..Counts::default() };
    assert_eq!(numbers.counts(), counts);
}

/// S1-MON-04: groups are data; the first that has a command counts it, and one that is in none has no time.
#[test]
fn groups_are_the_callers() {
    const MINE: &[Group; 2] = &[
        Group { name: "config", members: Members::Commands(&["CONFIG GET", "PING"]) },
        Group { name: "read", members: BY_ACCESS[0].members },
    ];
    let mut numbers = Numbers::<2, 1>::new(MINE, Duration::from_secs(60));
    for request in [&get("k") as &dyn AnyRequest, &config_get("*"), &ping(), &set("k", "v")] {
        tell(&mut numbers, request, 1, Outcome::Answered, 10);
    }
    let counts: Vec<_> = numbers.latencies().map(|(_, times)| times.count()).collect();
    assert_eq!(counts, [2, 1]);
    assert_eq!(numbers.requests().recent(NOW).all(), 4);
    let config = &MINE[0];
    assert!(config.has(config_get("*").row()) && !config.has(get("k").row()) && !config.has(raw("X").row()));
}

/// S1-HOOK-02: counting is switched on by being composed, and is one of several.
#[test]
fn counting_is_a_hook_among_others() {
    struct No;
    impl Hook for No {
        fn before_command(&mut self, _: Instant, _: &Attempt<'_>) -> Result<(), Refusal> {
            Err(Refusal(9))
        }
    }
    let mut hooks = (Numbers::default(), No, Numbers::default());
    let attempt = Attempt {
        command: get("k").row(),
        keys: 1,
        bytes: 10,
        address: HOME,
        db: 0,
        number: 1,
        most: 1,
        label: None,
    };
    assert_eq!(hooks.before_command(NOW, &attempt), Err(Refusal(9)));
    let refused = |numbers: &Numbers| numbers.requests().total(Kind::Refused);
    assert_eq!((refused(&hooks.0), refused(&hooks.2)), (1, 0), "whoever is outside sees it");
    // A device that counts little has little: one group, one piece of time.
    assert!(size_of::<Numbers<1, 1>>() < 1600 && size_of::<Numbers>() < 7000);
}
