//! New connections, and servers that are not there.

use respire_core::pool::{Action, Config, DialCode, Got, Put, Reason, Refusal, Returned, Unavailable};

use crate::rig::{QUIET, Rig, millis};

const DOWN: Config =
    Config { fail_after: 3, backoff_base: millis_const(100), backoff_cap: millis_const(1000), ..QUIET };

const fn millis_const(millis: u64) -> respire_core::time::Duration {
    respire_core::time::Duration::from_millis(millis)
}

/// S0-OPT-14, S1-POOL-08: so many are opened at the start, and again when they are gone.
#[test]
fn some_are_kept_ready() {
    let mut rig = Rig::new(Config { size: 20, min_idle: 10, ..QUIET });
    rig.settle();
    assert_eq!((rig.pool.len(), rig.pool.idle_len()), (10, 10));
    let id = rig.lent();
    rig.settle();
    assert_eq!((rig.pool.len(), rig.pool.idle_len()), (11, 10));
    let mut rest: Vec<_> = (0..10).map(|_| rig.lent()).collect();
    rest.push(id);
    assert_eq!(rig.dials().len(), 9, "no more than 20");
    for id in rest {
        assert!(rig.pool.handle_closed(rig.now, id));
        assert_eq!(rig.put(id), Put::Gone);
    }
    assert_eq!(rig.dials().len(), 1, "nine are on their way");
}

/// Only so many dials at a time.
#[test]
fn dials_take_turns() {
    let mut rig = Rig::new(Config { size: 20, min_idle: 5, max_dials: 2, ..QUIET });
    let first = rig.dials();
    assert_eq!(first.len(), 2);
    rig.opened(first[1]);
    assert_eq!(rig.dials().len(), 1);
    assert!(rig.pool.remove(rig.now, first[0], Reason::User), "a dial can be given up");
    let actions = rig.poll();
    assert!(matches!(actions[..], [Action::Close(_, Reason::User), Action::Open(_)]));
    assert_eq!((rig.stats().dial_errors, rig.pool.last_failure()), (0, None), "which is no failure");
}

/// S1-POOL-06: after some failures in a row nobody waits any more, one dial at a time looks whether the
/// server is back, and then all is well at once.
#[test]
fn a_server_that_is_down_fails_fast() {
    let mut rig = Rig::new(DOWN);
    let _ = rig.waiting(1);
    for n in 1..=3 {
        let dials = rig.dials();
        assert_eq!(dials.len(), 1, "{n}");
        rig.failed(dials[0]);
        let pause = rig.pool.poll_timeout().saturating_since(rig.now);
        assert!(n == 3 || pause <= millis(100 << (n - 1)), "{n}: {pause:?}");
        if n < 3 {
            assert_eq!(rig.poll(), []);
            rig.pass(pause);
        }
    }
    let why = Unavailable { code: DialCode(111), failures: 3 };
    assert_eq!(rig.refused(), [(1, Refusal::Unavailable(why))]);
    assert_eq!(rig.pool.last_failure(), Some(why));
    for token in 0..1000 {
        assert_eq!(rig.get(token), Err(Refusal::Unavailable(why)));
    }
    assert_eq!(rig.stats().waiting, 0);

    // Probes: one at a time, pauses up to the cap, also if nobody asks.
    for n in 4..20 {
        let pause = rig.pool.poll_timeout().saturating_since(rig.now);
        assert!(pause <= millis(1000));
        rig.pass(pause);
        let dials = rig.dials();
        assert_eq!(dials.len(), 1);
        let now = Unavailable { failures: n - 1, ..why };
        assert_eq!(rig.get(0), Err(Refusal::Unavailable(now)), "also while one is on its way");
        rig.failed(dials[0]);
    }
    rig.pass(millis(1000));
    let dials = rig.dials();
    rig.opened(dials[0]);
    assert_eq!((rig.lent().index(), rig.pool.last_failure()), (dials[0].index(), None));
    let _ = (rig.waiting(2), rig.waiting(3));
    assert_eq!(rig.dials().len(), 2, "and as many at a time as before");
}

/// S1-POOL-06: of dials that began together some may fail at once, for lack of descriptors, and others not: nobody is
/// turned away before it is known of all.
#[test]
fn dials_that_began_earlier_may_still_succeed() {
    let mut rig = Rig::new(DOWN);
    let _ = (0..4).map(|token| rig.waiting(token)).collect::<Vec<_>>();
    let dials = rig.dials();
    rig.pass(millis(1));
    dials[1..].iter().for_each(|&id| rig.failed(id));
    assert_eq!(rig.poll(), [], "the first one is on its way");
    let _ = rig.waiting(4);
    rig.opened(dials[0]);
    let first = rig.poll()[0];
    assert!(matches!(first, Action::Serve { token, id } if token.0 == 0 && id.index() == dials[0].index()));

    // The same, and none is left.
    let mut rig = Rig::new(DOWN);
    let _ = (0..4).map(|token| rig.waiting(token)).collect::<Vec<_>>();
    rig.dials().into_iter().for_each(|id| rig.failed(id));
    assert_eq!(rig.refused().len(), 4);
}

/// S1-POOL-06: while connections live, one may come back; nobody is turned away for a dial that failed.
#[test]
fn while_connections_live_callers_may_wait() {
    let mut rig = Rig::new(DOWN);
    let ids = rig.borrowed(2);
    let _ = rig.waiting(1);
    for n in 0..5 {
        if n > 0 {
            rig.pass(rig.pool.poll_timeout().saturating_since(rig.now));
        }
        for id in rig.dials() {
            rig.failed(id);
        }
    }
    assert!(rig.stats().dial_errors > 3);
    let _ = rig.waiting(2);
    assert_eq!(rig.put(ids[0]), Put::Idle);
    assert_eq!(rig.served(), [(1, ids[0].index())]);
    let dead = ids[1];
    assert!(rig.pool.handle_closed(rig.now, dead));
    assert_eq!(rig.poll(), [], "one still lives");
    assert!(rig.pool.handle_closed(rig.now, ids[0]));
    assert!(matches!(rig.refused()[..], [(2, Refusal::Unavailable(_))]), "and none now");
    assert!(matches!(rig.get(3), Err(Refusal::Unavailable(_))));
    assert_eq!(rig.put(dead), Put::Gone);
}

/// Never failing fast, callers wait as long as they may, and dials still pause.
#[test]
fn without_failing_fast_dials_pause_too() {
    let mut rig = Rig::new(Config { fail_after: 0, ..DOWN });
    let _ = rig.waiting(1);
    let mut last = 0;
    for n in 0..2000 {
        let before = rig.now;
        let dials = rig.dials();
        assert_eq!(dials.len(), 1);
        rig.failed(dials[0]);
        rig.pass(rig.pool.poll_timeout().saturating_since(rig.now));
        last = n;
        if rig.now.saturating_since(before) > millis(900) {
            break;
        }
    }
    assert!(last > 2 && last < 1000, "{last}");
    assert!(matches!(rig.get(2), Ok(Got::Waiting(_))));
}

/// Lessons of others: a dial has a deadline of its own, and what comes later is nothing.
#[test]
fn a_dial_that_takes_too_long_has_failed() {
    let mut rig = Rig::new(Config { dial_timeout: millis(50), fail_after: 1, ..DOWN });
    let _ = rig.waiting(1);
    let [id] = rig.dials()[..] else { panic!() };
    assert_eq!(rig.wants(), Some(50));
    rig.pass(millis(49));
    assert_eq!(rig.poll(), []);
    rig.pass(millis(1));
    let why = Unavailable { code: DialCode::TIMEOUT, failures: 1 };
    let actions = rig.poll();
    let Action::Refuse { why: refused, .. } = actions[0] else { panic!("{actions:?}") };
    assert_eq!((refused, actions[1]), (Refusal::Unavailable(why), Action::Close(id, Reason::DialTimeout)));
    assert!(!rig.pool.handle_opened(rig.now, id), "too late");
    assert_eq!((rig.stats().dial_errors, rig.stats().closed(Reason::DialTimeout)), (1, 1));
}

/// S0-POOL-04: all are lost, the server is away for a while, and nobody has to do anything.
#[test]
fn all_are_lost_and_come_back() {
    let mut rig = Rig::new(Config { min_idle: 3, ..DOWN });
    rig.settle();
    let ids: Vec<_> = (0..3).map(|_| rig.lent()).collect();
    for &id in &ids {
        assert_eq!(rig.pool.put(rig.now, id, Returned::Broken), Put::Closing);
    }
    let mut failures = 0;
    for _ in 0..100 {
        for action in rig.poll() {
            if let Action::Open(id) = action {
                if failures < 20 {
                    rig.failed(id);
                } else {
                    rig.opened(id);
                }
                failures += 1;
            }
        }
        rig.pass(rig.pool.poll_timeout().saturating_since(rig.now).min(millis(1000)));
    }
    assert_eq!((rig.pool.idle_len(), rig.stats().dial_errors), (3, 20));
}

/// A connection that ends in its handshake is a dial that failed.
#[test]
fn an_end_while_dialling_is_a_failure() {
    let mut rig = Rig::new(DOWN);
    let _ = rig.waiting(1);
    let [id] = rig.dials()[..] else { panic!() };
    assert!(rig.pool.handle_closed(rig.now, id));
    let why = Unavailable { code: DialCode::LOST, failures: 1 };
    assert_eq!((rig.pool.last_failure(), rig.pool.len()), (Some(why), 0));
}
