//! Engines whose connections are replaced while they are in use.

use respire_core::command::incr;
use respire_core::conn::Protocol;
use respire_core::engine::{Config, Life};
use respire_core::resp::Value;

use crate::live::{once, with_pool};
use crate::net::{Net, Told, token};
use crate::{NONE, ready};

/// S0-CFG-04, S1-CFG-02: from version 3 to 2 under load: what is sent is answered, what comes goes on, and in the end
/// every connection is a new one.
#[test]
fn every_connection_is_replaced_under_load() {
    for lanes in [0, 1, 2, 3] {
        let config = with_pool(Config { lanes, ..once() }, |pool| pool.min_idle = 1);
        let mut net = Net::new(&config);
        net.turn();
        net.engine.lease(net.now, token(100)).unwrap();
        net.turn();
        let lease = net.leased();
        let first: Vec<_> = net.sockets.values().map(|(id, _)| *id).collect();
        net.settings.protocol = Some(Protocol::Resp2);
        net.silent = true;
        for n in 0..20 {
            net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
        }
        net.engine.renew(net.now);
        net.turn();
        net.silent = false;
        let mut answered = 0;
        for n in 20..60 {
            net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
            // Some of all that happens in a turn: there is always something in flight.
            for (id, client) in net.sockets.values().copied().collect::<Vec<_>>() {
                net.move_bytes(id, client);
            }
            while net.engine.poll_event(net.now).is_some() {
                answered += 1;
            }
            while let Some(action) = net.engine.poll_action(net.now) {
                net.act(action);
            }
        }
        net.turn();
        let told = net.told();
        assert!(told.iter().all(|told| matches!(told, Told::Reply(..))), "{told:?}");
        assert_eq!(answered + told.len(), 60, "{lanes}");
        assert_eq!(net.engine.leased(lease).unwrap().protocol(), Protocol::Resp3);
        net.engine.release(net.now, lease);
        net.turn();
        for (id, _) in net.sockets.values() {
            assert!(first.iter().all(|first| !first.is_same_connection(*id)), "{lanes}");
        }
        let stats = net.engine.pool_stats();
        assert_eq!(
            (stats.lent, stats.idle >= 1, net.engine.stats().failed),
            (lanes.into(), true, 0),
            "{stats:?}"
        );
        net.engine.lease(net.now, token(101)).unwrap();
        net.turn();
        let lease = net.leased();
        assert_eq!(net.engine.leased(lease).unwrap().protocol(), Protocol::Resp2);
    }
}

/// S0-CFG-04: while new connections cannot be had, the shared ones stay; and where there is room for one only, it is
/// replaced between two requests.
#[test]
fn a_shared_connection_is_not_given_up_for_nothing() {
    let mut net = ready(&once());
    net.down = true;
    net.engine.renew(net.now);
    for n in 0..9 {
        net.ms(1000);
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
        net.turn();
        assert_eq!(net.told(), [Told::Reply(n, Value::Integer(n as i64 + 1))]);
    }
    let dials = net.dials;
    net.down = false;
    net.ms(1000);
    assert_eq!((net.dials, net.sockets.len()), (dials + 1, 1), "it is replaced");
    // Twice is as good as once.
    net.engine.renew(net.now);
    net.engine.renew(net.now);
    net.turn();
    assert_eq!((net.dials, net.sockets.len()), (dials + 2, 1));

    let mut net = ready(&with_pool(once(), |pool| pool.size = 1));
    net.silent = true;
    net.engine.submit(net.now, token(1), &incr("n"), &NONE).unwrap();
    net.turn();
    net.engine.renew(net.now);
    net.turn();
    net.engine.submit(net.now, token(2), &incr("n"), &NONE).unwrap();
    net.ms(10);
    assert_eq!((net.dials, net.told()), (1, vec![]));
    net.silent = false;
    net.turn();
    assert_eq!(net.told(), [1, 2].map(|n| Told::Reply(n, Value::Integer(n as i64))));
    assert_eq!((net.dials, net.sockets.len()), (2, 1));
    // What is given up in the middle of it ends as always.
    net.engine.renew(net.now);
    net.engine.close(net.now);
    net.turn();
    assert_eq!((net.engine.life(), net.sockets.len()), (Life::Closed, 0));
}
