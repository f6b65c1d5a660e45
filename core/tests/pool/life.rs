//! Ages: idle times, lifetimes, signs of life.

use std::collections::BTreeMap;

use respire_core::pool::{Config, Got, Put, Reason, Returned};
use respire_core::time::{Duration, Instant};

use crate::rig::{QUIET, Rig, millis};

/// S0-OPT-15, S0-POOL-01, S1-POOL-11: what nobody uses is closed, down to `min_idle`.
#[test]
fn idle_connections_end() {
    let mut rig = Rig::new(Config { size: 20, min_idle: 10, idle_time: Duration::from_secs(1), ..QUIET });
    rig.settle();
    let mut lent: Vec<_> = (0..20)
        .map(|_| match rig.get(0) {
            Ok(Got::Lent(id)) => id,
            _ => {
                for id in rig.dials() {
                    rig.opened(id);
                }
                match rig.pool.poll(rig.now) {
                    Some(respire_core::pool::Action::Serve { id, .. }) => id,
                    other => panic!("{other:?}"),
                }
            }
        })
        .collect();
    assert_eq!(rig.pool.len(), 20);
    for id in lent.drain(..) {
        rig.pass(millis(10));
        assert_eq!(rig.put(id), Put::Idle);
    }
    assert_eq!((rig.poll(), rig.wants()), (vec![], Some(1000 - 190)));
    rig.pass(millis(1000 - 190));
    assert_eq!(rig.closes().len(), 1, "the one that rests longest");
    assert_eq!(rig.wants(), Some(10));
    rig.pass(millis(25));
    assert_eq!(rig.closes().len(), 2);
    rig.pass(Duration::from_secs(9));
    assert_eq!(rig.closes().len(), 7);
    assert_eq!((rig.pool.idle_len(), rig.stats().closed(Reason::Idle)), (10, 10));
    rig.pass(Duration::from_secs(90));
    assert_eq!((rig.poll(), rig.wants()), (vec![], None), "ten are kept");
}

/// S1-POOL-03: what has expired is not lent, also if nobody has asked the pool for a while.
#[test]
fn what_has_expired_is_not_lent() {
    for (config, why) in [
        (Config { idle_time: millis(100), ..QUIET }, Reason::Idle),
        (Config { lifetime: millis(100), lifetime_jitter: 0, ..QUIET }, Reason::Lifetime),
    ] {
        let mut rig = Rig::new(config);
        let ids = rig.borrowed(2);
        assert_eq!([rig.put(ids[0]), rig.put(ids[1])], [Put::Idle; 2]);
        rig.pass(millis(99));
        assert_eq!(rig.lent().index(), 1);
        rig.pass(millis(1));
        let _ = rig.waiting(1);
        let actions = rig.poll();
        assert_eq!(actions[0], respire_core::pool::Action::Close(ids[0], why));
        assert_eq!(actions.len(), 2, "and a new one is dialled: {actions:?}");
    }
}

/// S1-CONN-10: a lifetime ends when the connection is idle or returned, not in use.
#[test]
fn a_lifetime_ends_at_rest() {
    let config = Config { lifetime: Duration::from_secs(60), lifetime_jitter: 0, ..QUIET };
    let mut rig = Rig::new(config);
    let ids = rig.borrowed(2);
    assert_eq!(rig.put(ids[0]), Put::Idle);
    assert_eq!((rig.poll(), rig.wants()), (vec![], Some(60_000)));
    rig.pass(Duration::from_secs(60));
    assert_eq!(rig.closes(), [(0, Reason::Lifetime)]);
    assert_eq!(rig.put(ids[1]), Put::Closing);
    assert_eq!(rig.closes(), [(1, Reason::Lifetime)]);

    // Those that are reset then come to their end, too.
    let [id] = rig.borrowed(1)[..] else { panic!() };
    assert_eq!(rig.pool.put(rig.now, id, Returned::NeedsReset), Put::Resetting);
    rig.pass(Duration::from_secs(60));
    assert!(rig.pool.handle_reset(rig.now, id, true));
    assert_eq!(rig.closes(), [(id.index(), Reason::Lifetime)]);
}

/// S1-CONN-10: 50 connections that were opened together end one by one.
#[test]
fn lifetimes_end_spread() {
    let hour = Duration::from_secs(3600);
    let config = Config { size: 50, lifetime: hour, lifetime_jitter: 20, ..QUIET };
    let mut rig = Rig::new(config);
    let start = rig.now;
    rig.pool.set_config(rig.now, &Config { min_idle: 50, ..config });
    rig.settle();
    rig.pool.set_config(rig.now, &config);
    let mut minutes = BTreeMap::new();
    while !rig.pool.is_empty() {
        rig.now = rig.pool.poll_timeout();
        for (_, why) in rig.closes() {
            assert_eq!(why, Reason::Lifetime);
            *minutes.entry(rig.now.saturating_since(start).as_secs() / 60).or_insert(0) += 1;
        }
    }
    let (first, last) = (*minutes.keys().next().unwrap(), *minutes.keys().last().unwrap());
    assert!((48..51).contains(&first) && (57..=60).contains(&last), "{minutes:?}");
    assert!(minutes.values().all(|&n| n <= 14), "no storm: {minutes:?}");
    assert!(minutes.len() >= 8, "{minutes:?}");
}

/// S0-OPT-08: what was silent for long is asked, and closed and replaced if it does not answer.
#[test]
fn silence_is_asked_about() {
    let mut rig = Rig::new(Config { min_idle: 1, health_interval: Duration::from_secs(30), ..QUIET });
    rig.settle();
    assert_eq!(rig.wants(), Some(30_000));
    rig.pass(Duration::from_secs(29));
    let id = rig.lent();
    assert_eq!(rig.put(id), Put::Idle);
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.poll(), [], "its return was a sign of life");
    rig.pass(Duration::from_secs(28));
    assert_eq!((rig.poll(), rig.wants()), (vec![], Some(1000)));
    rig.pass(Duration::from_secs(1));
    let [asked] = rig.pings()[..] else { panic!() };
    assert!(asked.is_same_connection(id));
    assert_eq!((rig.stats().checking, rig.stats().idle), (1, 0), "which is no reason to dial");
    assert!(rig.pool.handle_health(rig.now, asked, true));
    assert!(!rig.pool.handle_health(rig.now, asked, true), "once");
    let age = rig.pool.age(id).unwrap();
    assert_eq!(age.seen, rig.now);
    assert!(age.used < rig.now, "a sign of life is no use");
}

/// S0-OPT-08, S0-POOL-02: the dead are counted and replaced, and never lent.
#[test]
fn the_dead_are_replaced() {
    let mut rig = Rig::new(Config { min_idle: 2, health_interval: millis(1000), ..QUIET });
    rig.settle();
    rig.pass(millis(1000));
    let [first] = rig.pings()[..] else { panic!("as many are asked as stay") };
    assert!(!rig.lent().is_same_connection(first));
    let _ = rig.waiting(1);
    assert!(rig.pool.handle_health(rig.now, first, false));
    let actions = rig.poll();
    assert!(actions.contains(&respire_core::pool::Action::Close(first, Reason::Stale)), "{actions:?}");
    assert_eq!((rig.stats().stale, rig.stats().closed(Reason::Stale)), (1, 1));
    assert_eq!(rig.stats().dialling, 3);
}

/// A check keeps nobody's connection from being idle for long, and all are asked in turn.
#[test]
fn half_of_them_stay_idle() {
    let mut rig = Rig::new(Config { size: 9, min_idle: 9, health_interval: millis(1000), ..QUIET });
    rig.settle();
    rig.pass(millis(1000));
    let mut rounds = Vec::new();
    loop {
        let pings = rig.pings();
        if pings.is_empty() {
            break;
        }
        rounds.push((pings.len(), rig.pool.idle_len()));
        rig.pass(millis(1));
        for id in pings {
            assert!(rig.pool.handle_health(rig.now, id, true));
        }
    }
    assert_eq!(rounds, [(5, 4), (4, 5)]);
    assert_eq!(rig.pool.idle_len(), 9);
}

/// Of those that were silent for as long, the one that is lent first is asked first.
#[test]
fn the_next_to_be_lent_is_asked_first() {
    let mut rig = Rig::new(Config { health_interval: millis(100), ..QUIET });
    for id in rig.borrowed(3) {
        assert_eq!(rig.put(id), Put::Idle);
    }
    rig.pass(millis(100));
    assert_eq!(rig.pings().iter().map(|id| id.index()).collect::<Vec<_>>(), [2, 1]);
}

/// A sign of life does not make a connection hot: the order of use stays.
#[test]
fn a_check_does_not_change_the_order() {
    let mut rig = Rig::new(Config { health_interval: millis(100), ..QUIET });
    let ids = rig.borrowed(4);
    for at in [3, 1, 0, 2] {
        rig.pass(millis(10));
        assert_eq!(rig.put(ids[at]), Put::Idle);
    }
    for _ in 0..6 {
        rig.pass(millis(95));
        for id in rig.pings().into_iter().rev() {
            assert!(rig.pool.handle_health(rig.now, id, true));
        }
    }
    let order: Vec<_> = (0..4).map(|_| rig.lent().index()).collect();
    assert_eq!(order, [2, 0, 1, 3]);
}

/// Another lifetime holds for those that live, too.
#[test]
fn lifetimes_change_while_they_live() {
    let config = Config { lifetime_jitter: 0, ..QUIET };
    let mut rig = Rig::new(config);
    let [id] = rig.borrowed(1)[..] else { panic!() };
    assert_eq!((rig.put(id), rig.wants()), (Put::Idle, None));
    assert_eq!(rig.pool.age(id).unwrap().expires, Instant::MAX);
    rig.pass(millis(400));
    rig.pool.set_config(rig.now, &Config { lifetime: millis(1000), ..config });
    assert_eq!((rig.poll(), rig.wants()), (vec![], Some(600)));
    rig.pool.set_config(rig.now, &Config { lifetime: millis(300), ..config });
    assert_eq!(rig.closes(), [(0, Reason::Lifetime)]);
}
