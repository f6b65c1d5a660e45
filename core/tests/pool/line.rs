//! Those who wait.

use respire_core::conn::Token;
use respire_core::pool::{Action, Config, Pool, Put, Reason, Refusal, Returned, Slot, Waiter};
use respire_core::time::Instant;

use crate::rig::{QUIET, Rig, millis};

/// S0-OPT-16: first come, first served, and nobody gets in front of those who wait.
#[test]
fn the_oldest_is_served_first() {
    let mut rig = Rig::new(Config { size: 2, ..QUIET });
    let ids = rig.borrowed(2);
    for token in 1..=4 {
        let _ = rig.waiting(token);
    }
    assert_eq!(rig.put(ids[1]), Put::Idle);
    let _ = rig.waiting(5);
    assert_eq!(rig.put(ids[0]), Put::Idle);
    assert_eq!(rig.served().iter().map(|served| served.0).collect::<Vec<_>>(), [1, 2]);
}

/// Lessons of others: a dial serves the oldest, whoever it was begun for, and goes on when he turns away.
#[test]
fn a_dial_outlives_its_caller() {
    let mut rig = Rig::new(QUIET);
    let first = rig.waiting(1);
    let dials = rig.dials();
    assert_eq!(dials.len(), 1);
    assert!(rig.pool.cancel(rig.now, first));
    assert_eq!(rig.poll(), []);
    let _ = rig.waiting(2);
    assert_eq!(rig.poll(), [], "one is on its way");
    rig.opened(dials[0]);
    assert_eq!(rig.served(), [(2, 0)]);

    let place = rig.waiting(3);
    let dials = rig.dials();
    assert!(rig.pool.cancel(rig.now, place));
    rig.opened(dials[0]);
    assert_eq!((rig.poll(), rig.pool.idle_len()), (vec![], 1));
}

/// S0-OPT-16, S1-POOL-12, S1-ERR-03: a caller waits so long, and not a microsecond more or less.
#[test]
fn patience_ends_on_time() {
    let mut rig = Rig::new(Config { size: 1, wait_timeout: millis(100), ..QUIET });
    let ids = rig.borrowed(1);
    let _ = rig.waiting(1);
    rig.pass(millis(40));
    let _ = rig.waiting(2);
    assert_eq!(rig.wants(), Some(60));
    rig.now = Instant::from_micros(rig.now.as_micros() + 59_999);
    assert_eq!(rig.poll(), []);
    rig.now = Instant::from_micros(rig.now.as_micros() + 1);
    let timeout = |waited| Refusal::Timeout { waited, size: 1, in_use: 1 };
    assert_eq!(rig.refused(), [(1, timeout(100_000))]);
    assert_eq!(rig.wants(), Some(40));
    rig.pass(millis(50));
    assert_eq!(rig.refused(), [(2, timeout(110_000))]);
    assert_eq!((rig.wants(), rig.stats().timeouts), (None, 2));

    // Late, but there is a connection after all.
    let _ = rig.waiting(3);
    rig.pass(millis(500));
    assert_eq!(rig.put(ids[0]), Put::Idle);
    assert_eq!(rig.served(), [(3, 0)]);
}

/// A full line gives the caller back.
#[test]
fn a_full_line_says_so() {
    let now = Instant::ZERO;
    let (mut slots, mut line) = ([Slot::EMPTY; 1], [Waiter::EMPTY; 2]);
    let mut pool = Pool::new(&mut slots[..], &mut line[..], &QUIET, 1, now);
    let places = [1, 2].map(|token| pool.get(now, Token(token)).unwrap());
    let before = pool.stats();
    assert_eq!(pool.get(now, Token(3)), Err(Refusal::Full));
    assert_eq!(pool.stats().misses, before.misses + 1);
    assert_eq!((pool.stats().waiting, pool.stats().waits), (2, 2));
    let respire_core::pool::Got::Waiting(place) = places[0] else { panic!() };
    assert!(pool.cancel(now, place));
    assert!(pool.get(now, Token(4)).is_ok());
    assert!(!pool.cancel(now, place), "the place is another's now");

    let mut none = Pool::new([Slot::EMPTY; 0], [Waiter::EMPTY; 0], &QUIET, 1, now);
    assert_eq!((none.get(now, Token(1)), none.poll(now)), (Err(Refusal::Full), None));
}

/// S0-SVC-04: who waits is told that the pool is closed; what is lent is closed when it comes back.
#[test]
fn the_end_is_told_to_all() {
    let mut rig = Rig::new(Config { size: 3, ..QUIET });
    let ids = rig.borrowed(2);
    assert_eq!(rig.put(ids[0]), Put::Idle);
    assert_eq!(rig.pool.put(rig.now, ids[1], Returned::NeedsReset), Put::Resetting);
    let id = rig.lent();
    let _ = (rig.waiting(1), rig.waiting(2));
    assert_eq!(rig.dials().len(), 1);
    rig.pool.close(rig.now);
    rig.pool.close(rig.now);
    let actions = rig.poll();
    let refused = |token| Action::Refuse { token: Token(token), why: Refusal::Closed };
    assert_eq!(actions[..2], [refused(1), refused(2)]);
    assert!(matches!(actions[2..], [Action::Close(_, Reason::Shutdown), Action::Close(_, Reason::Shutdown)]));
    assert_eq!((rig.get(3), rig.pool.is_closed()), (Err(Refusal::Closed), false));
    assert!(!rig.pool.handle_reset(rig.now, ids[1], true), "it was closed");
    assert_eq!(rig.put(id), Put::Closing);
    assert_eq!((rig.closes(), rig.pool.is_closed()), (vec![(0, Reason::Shutdown)], true));
    assert_eq!(rig.wants(), None);
}
