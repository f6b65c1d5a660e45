//! What is lent, returned and removed, and in which order.

use respire_core::pool::{Action, Config, Got, Order, Put, Reason, Refusal, Returned};

use crate::rig::{QUIET, Rig, millis};

/// S1-POOL-07, S0-POOL-03: the one that was returned last is lent first; with `Fifo` the one that rests longest.
#[test]
fn lifo_and_fifo() {
    for (order, wanted) in [(Order::Lifo, [1, 0, 2]), (Order::Fifo, [2, 0, 1])] {
        let mut rig = Rig::new(Config { order, ..QUIET });
        let ids = rig.borrowed(3);
        for at in [2, 0, 1] {
            rig.pass(millis(1));
            assert_eq!(rig.put(ids[at]), Put::Idle);
        }
        assert_eq!([rig.lent().index(), rig.lent().index(), rig.lent().index()], wanted, "{order:?}");
    }
}

/// S1-POOL-05: one caller who comes again and again uses one connection of many.
#[test]
fn a_lone_caller_keeps_one_connection_hot() {
    for (order, used) in [(Order::Lifo, 1), (Order::Fifo, 50)] {
        let mut rig = Rig::new(Config { size: 50, min_idle: 50, order, ..QUIET });
        rig.settle();
        let lent: std::collections::BTreeSet<_> = (0..200)
            .map(|_| {
                let id = rig.lent();
                rig.pass(millis(1));
                assert_eq!(rig.put(id), Put::Idle);
                id.index()
            })
            .collect();
        assert_eq!(lent.len(), used, "{order:?}");
    }
}

/// S1-POOL-09: what is returned beyond `max_idle` is closed.
#[test]
fn more_than_max_idle_are_closed() {
    let mut rig = Rig::new(Config { max_idle: 2, ..QUIET });
    let ids = rig.borrowed(4);
    let put: Vec<_> = ids.iter().map(|&id| rig.put(id)).collect();
    assert_eq!(put, [Put::Idle, Put::Idle, Put::Closing, Put::Closing]);
    assert_eq!(rig.closes(), [(2, Reason::Surplus), (3, Reason::Surplus)]);
    assert_eq!((rig.pool.len(), rig.pool.idle_len()), (2, 2));
}

/// S1-POOL-09: those for whom somebody waits are none too many, until he turns away.
#[test]
fn who_waits_is_no_surplus() {
    let mut rig = Rig::new(Config { size: 2, max_idle: 1, ..QUIET });
    let ids = rig.borrowed(2);
    let places = [rig.waiting(1), rig.waiting(2)];
    assert_eq!([rig.put(ids[0]), rig.put(ids[1])], [Put::Idle, Put::Idle]);
    assert!(rig.pool.cancel(rig.now, places[0]) && rig.pool.cancel(rig.now, places[1]));
    assert_eq!(rig.closes(), [(0, Reason::Surplus)], "the one that rests longest");
}

/// S1-POOL-10, S1-ERR-02: beyond `max_active` there is no wait.
#[test]
fn beyond_max_active_is_exhausted() {
    let mut rig = Rig::new(Config { max_active: 2, ..QUIET });
    let ids = rig.borrowed(1);
    let place = rig.waiting(1);
    assert_eq!(rig.get(2), Err(Refusal::Exhausted), "one is in use, and one waited for");
    assert!(rig.pool.cancel(rig.now, place));
    let _ = rig.waiting(3);
    rig.settle_and_serve();
    assert_eq!(rig.get(4), Err(Refusal::Exhausted));
    assert_eq!(rig.put(ids[0]), Put::Idle);
    assert_eq!(rig.lent().index(), ids[0].index());
    let stats = rig.stats();
    assert_eq!((stats.total, stats.lent, stats.waits, stats.misses), (2, 2, 3, 5));
}

impl Rig {
    fn settle_and_serve(&mut self) {
        for id in self.dials() {
            self.opened(id);
        }
        assert_eq!(self.served().len(), 1);
    }
}

/// S0-OPT-12: without reuse each is closed when it comes back, and none is kept ready.
#[test]
fn without_reuse_each_caller_has_a_connection_of_his_own() {
    let mut rig = Rig::new(Config { reuse: false, min_idle: 3, ..QUIET });
    assert_eq!(rig.poll(), []);
    for n in 1..=5 {
        let [id] = rig.borrowed(1)[..] else { panic!() };
        assert_eq!(rig.put(id), Put::Closing);
        assert_eq!(rig.closes(), [(0, Reason::NotReused)]);
        assert_eq!((rig.stats().dials, rig.stats().closed(Reason::NotReused)), (n, n));
    }
}

/// S0-OPT-13: there are never more than `size`, and never more than there are slots.
#[test]
fn there_are_never_more_than_size() {
    for (size, most) in [(3, 3), (64, 64), (1000, 64)] {
        let mut rig = Rig::new(Config { size, min_idle: size, ..QUIET });
        rig.settle();
        assert_eq!((rig.pool.len(), rig.pool.limit()), (most, most));
        for _ in 0..most {
            let _ = rig.lent();
        }
        let _ = rig.waiting(1);
        assert_eq!(rig.poll(), []);
    }
}

/// S1-POOL-13: what each call does to the numbers.
#[test]
fn each_call_moves_the_numbers() {
    let mut rig = Rig::new(QUIET);
    let numbers = |rig: &Rig| (rig.pool.len(), rig.pool.idle_len(), rig.stats().lent);
    let ids = rig.borrowed(3);
    assert_eq!(numbers(&rig), (3, 0, 3));
    assert_eq!(rig.put(ids[0]), Put::Idle);
    assert_eq!(numbers(&rig), (3, 1, 2));
    assert!(rig.pool.remove(rig.now, ids[1], Reason::User), "lent");
    assert!(rig.pool.remove(rig.now, ids[0], Reason::User), "idle");
    assert!(!rig.pool.remove(rig.now, ids[0], Reason::User), "to be closed already");
    assert_eq!(numbers(&rig), (3, 0, 1));
    assert_eq!(rig.closes(), [(1, Reason::User), (0, Reason::User)]);
    assert_eq!(numbers(&rig), (1, 0, 1));
    assert!(!rig.pool.is_empty());
    rig.pool.close(rig.now);
    assert_eq!(rig.put(ids[2]), Put::Closing);
    assert!(!rig.pool.is_closed(), "not yet told");
    assert_eq!(rig.closes(), [(2, Reason::Shutdown)]);
    assert!(rig.pool.is_closed() && rig.pool.is_empty());
}

/// S1-CLEAN-03: what was closed is counted by reason, and every dial is accounted for.
#[test]
fn ends_are_counted_by_reason() {
    let mut rig = Rig::new(QUIET);
    let ids = rig.borrowed(4);
    assert_eq!(rig.pool.put(rig.now, ids[0], Returned::Broken), Put::Closing);
    assert!(rig.pool.remove(rig.now, ids[1], Reason::User));
    assert!(rig.pool.handle_closed(rig.now, ids[2]));
    assert_eq!((rig.stats().lent, rig.put(ids[2])), (2, Put::Gone), "lent until it is returned");
    assert_eq!(rig.put(ids[3]), Put::Idle);
    assert!(rig.pool.handle_closed(rig.now, ids[3]));
    assert_eq!(rig.closes(), [(0, Reason::Broken), (1, Reason::User)], "who told it is not told");
    let stats = rig.stats();
    let counts = Reason::ALL.map(|why| stats.closed(why));
    assert_eq!(counts, [0, 0, 0, 1, 0, 2, 0, 0, 1, 0]);
    assert_eq!((stats.dials, stats.total, stats.stale), (4, 0, 1), "only one was found dead while idle");
}

/// S0-POOL-03: what is not clean is not lent before it is reset.
#[test]
fn what_needs_a_reset_is_not_idle() {
    let mut rig = Rig::new(Config { size: 1, ..QUIET });
    let [id] = rig.borrowed(1)[..] else { panic!() };
    assert_eq!(rig.pool.put(rig.now, id, Returned::NeedsReset), Put::Resetting);
    let _ = rig.waiting(1);
    assert_eq!((rig.poll(), rig.stats().resetting), (vec![], 1));
    assert!(rig.pool.handle_reset(rig.now, id, true));
    assert!(!rig.pool.handle_reset(rig.now, id, true), "once");
    let Some(Action::Serve { id, .. }) = rig.pool.poll(rig.now) else { panic!() };

    assert_eq!(rig.pool.put(rig.now, id, Returned::NeedsReset), Put::Resetting);
    assert!(rig.pool.handle_reset(rig.now, id, false));
    assert_eq!(rig.closes(), [(0, Reason::Broken)]);
}

/// Lessons of others: a loan that is over cannot be ended again, whoever has the connection now.
#[test]
fn old_names_mean_nothing() {
    let mut rig = Rig::new(Config { size: 1, ..QUIET });
    let [first] = rig.borrowed(1)[..] else { panic!() };
    assert_eq!([rig.put(first), rig.put(first)], [Put::Idle, Put::Stale]);
    let second = rig.lent();
    assert!(first.is_same_connection(second) && first != second);
    assert_eq!(rig.put(first), Put::Stale, "the connection is another's now");
    assert!(!rig.pool.remove(rig.now, first, Reason::User));
    assert_eq!(rig.stats().lent, 1);

    // What happens to a connection is told by any of its names, until it is gone.
    assert!(rig.pool.handle_closed(rig.now, first));
    assert!(!rig.pool.handle_closed(rig.now, first), "once");
    assert_eq!(rig.put(second), Put::Gone);
    let [third] = rig.borrowed(1)[..] else { panic!() };
    assert_eq!((third.index(), third.is_same_connection(second)), (0, false));
    let before = rig.stats();
    for old in [first, second] {
        assert!(!rig.pool.handle_opened(rig.now, old) && !rig.pool.handle_closed(rig.now, old));
        assert!(!rig.pool.handle_reset(rig.now, old, true) && !rig.pool.handle_health(rig.now, old, true));
        assert!(!rig.pool.handle_open_failed(rig.now, old, respire_core::pool::DialCode(1)));
        assert!(!rig.pool.remove(rig.now, old, Reason::User));
        assert_eq!((rig.put(old), rig.pool.age(old)), (Put::Stale, None));
    }
    assert_eq!(rig.stats(), before);
}

/// S1-CONN-02: when it was used, from a clock that never goes backwards.
#[test]
fn use_is_remembered() {
    let mut rig = Rig::new(QUIET);
    let [id] = rig.borrowed(1)[..] else { panic!() };
    let opened = rig.now;
    rig.pass(millis(5));
    assert_eq!(rig.put(id), Put::Idle);
    let returned = rig.now;
    rig.pass(millis(5));
    let age = |rig: &Rig| rig.pool.age(id).map(|age| (age.opened, age.used, age.seen)).unwrap();
    assert_eq!(age(&rig), (opened, returned, returned));
    let lent = rig.lent();
    assert_eq!(age(&rig), (opened, rig.now, returned));
    assert_eq!(rig.pool.put(opened, lent, Returned::Clean), Put::Idle);
    assert_eq!(age(&rig), (opened, rig.now, rig.now), "time stood still");
}

/// S1-POOL-16, S0-MON-01: hits, misses, waits and how long.
#[test]
fn callers_are_counted() {
    let mut rig = Rig::new(Config { size: 1, ..QUIET });
    let [id] = rig.borrowed(1)[..] else { panic!() };
    let _ = rig.waiting(1);
    rig.pass(millis(30));
    let place = rig.waiting(2);
    rig.pass(millis(10));
    assert_eq!(rig.put(id), Put::Idle);
    let Some(Action::Serve { id, .. }) = rig.pool.poll(rig.now) else { panic!() };
    rig.pass(millis(5));
    assert!(rig.pool.cancel(rig.now, place) && !rig.pool.cancel(rig.now, place));
    assert_eq!(rig.put(id), Put::Idle);
    assert!(matches!(rig.get(3), Ok(Got::Lent(_))));
    let stats = rig.stats();
    assert_eq!((stats.hits, stats.misses, stats.waits), (1, 3, 3));
    assert_eq!((stats.wait_time, stats.timeouts), (40_000 + 15_000, 0));
}

/// Fewer from now on: what is too much goes when it can.
#[test]
fn a_smaller_size_drains() {
    let mut rig = Rig::new(Config { size: 5, ..QUIET });
    let ids = rig.borrowed(5);
    assert_eq!([rig.put(ids[0]), rig.put(ids[1])], [Put::Idle; 2]);
    rig.pool.set_config(rig.now, &Config { size: 2, ..QUIET });
    assert_eq!(rig.closes(), [(0, Reason::Surplus), (1, Reason::Surplus)]);
    let _ = rig.waiting(1);
    assert_eq!(rig.poll(), [], "three are in use, and two may be");
    assert_eq!(rig.put(ids[2]), Put::Closing);
    assert_eq!(rig.closes(), [(2, Reason::Surplus)]);
    assert_eq!(rig.put(ids[3]), Put::Idle);
    assert_eq!(rig.served(), [(1, 3)]);

    rig.pool.set_config(rig.now, &Config { size: 3, ..QUIET });
    let _ = rig.waiting(2);
    assert_eq!(rig.dials().len(), 1, "and more again");
}
