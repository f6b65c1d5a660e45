//! Requests on their way: over shared connections, in the queue, on connections of their own.

use std::num::NonZeroU32;

use respire_core::command::{get, incr, ping, raw, set};
use respire_core::conn::{Failure, SubmitError};
use respire_core::engine::{Config, Heap, Refused};
use respire_core::error::Full;
use respire_core::pool::Refusal;
use respire_core::resp::Value;

use crate::net::{HEAP, Net, Told, token};
use crate::{NONE, config, ready, text};

#[test]
fn requests_are_answered_over_shared_connections() {
    for lanes in [1, 2, 3] {
        let mut net = ready(&Config { lanes, ..config() });
        for n in 0..20 {
            net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
        }
        net.turn();
        let mut told = net.told();
        told.sort_by_key(|told| match told {
            Told::Reply(token, _) => *token,
            other => panic!("{other:?}"),
        });
        assert_eq!(told.len(), 20);
        if lanes == 1 {
            assert!(told.into_iter().eq((0..20).map(|n| Told::Reply(n, Value::Integer(n as i64 + 1)))));
        }
        assert_eq!(net.sockets.len(), usize::from(lanes));
        assert_eq!(
            (net.engine.pending(), net.engine.stats().requests, net.engine.stats().answered),
            (0, 20, 20)
        );
    }
}

#[test]
fn what_is_asked_before_there_is_a_connection_waits_for_one() {
    let mut net = Net::new(&config());
    for n in 0..3 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    assert_eq!((net.engine.pending(), net.told()), (3, vec![]));
    net.turn();
    assert!(net.told().into_iter().eq((0..3).map(|n| Told::Reply(n, Value::Integer(n as i64 + 1)))));
}

#[test]
fn more_than_a_connection_takes_waits_in_order() {
    let mut net = ready(&config());
    // Sixteen in flight; sixteen more wait; there is no place for another.
    for n in 0..32 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    let full = net.engine.submit(net.now, token(32), &incr("n"), &NONE);
    assert_eq!(full, Err(Refused::Submit(SubmitError::Full(Full::InFlight))));
    net.turn();
    assert!(net.told().into_iter().eq((0..32).map(|n| Told::Reply(n, Value::Integer(n as i64 + 1)))));
}

#[test]
fn memory_for_waiting_is_bounded_and_used_again() {
    let mut net = Net::with(Heap { bytes: 200, ..HEAP }, &config());
    let value = "x".repeat(50);
    let mut taken = 0;
    while net.engine.submit(net.now, token(taken), &set("k", &value), &NONE).is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 2, "two of 85 bytes and their headers");
    let huge = "x".repeat(500);
    let refused = net.engine.submit(net.now, token(9), &set("k", &huge), &NONE);
    assert_eq!(refused, Err(Refused::Submit(SubmitError::Full(Full::TooLarge))));
    net.turn();
    assert_eq!(net.told().len(), 2);
    // Now there is a connection: it goes out although it cannot be kept.
    for n in 0..100 {
        net.engine.submit(net.now, token(n), &set("k", &huge), &NONE).unwrap();
        net.turn();
    }
    assert_eq!((net.told().len(), net.engine.stats().unkept), (100, 100));
}

#[test]
fn what_blocks_has_a_connection_of_its_own() {
    let mut net = ready(&config());
    net.engine.submit(net.now, token(1), &raw("BLPOP").arg("q").arg(0), &NONE).unwrap();
    net.engine.submit(net.now, token(2), &ping(), &NONE).unwrap();
    net.turn();
    assert_eq!(net.told(), [Told::Reply(2, Value::Simple(b"PONG".to_vec()))]);
    assert_eq!(net.sockets.len(), 2);
    // Longer than anything else may take.
    net.ms(60_000);
    let client = net.blocked.pop().expect("one waits");
    net.server.inject(client, b"*2\r\n$1\r\nq\r\n$1\r\nv\r\n");
    net.turn();
    let told = net.told();
    assert!(told.contains(&Told::Reply(1, Value::Array(vec![text("q"), text("v")]))), "{told:?}");
    assert_eq!(net.engine.pool_stats().idle, 1, "and gives it back");
}

#[test]
fn with_no_lanes_each_request_has_a_connection_until_it_is_answered() {
    let mut net = ready(&Config { lanes: 0, ..config() });
    for n in 0..10 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.turn();
    assert_eq!((net.told().len(), net.sockets.len(), net.engine.pool_stats().idle), (10, 4, 4));
}

/// S0-OPT-16, S1-ERR-03: who waits too long for a connection is told how long, and why.
#[test]
fn pool_timeout() {
    let mut net = ready(&Config { lanes: 0, ..config() });
    for n in 0..4 {
        net.engine.submit(net.now, token(n), &raw("BLPOP").arg("q").arg(0), &NONE).unwrap();
    }
    net.engine.submit(net.now, token(9), &ping(), &NONE).unwrap();
    net.ms(499);
    assert_eq!(net.told(), []);
    net.ms(1);
    match &net.told()[..] {
        [Told::Failed(9, failed)] => {
            assert_eq!(failed.refused, Some(Refusal::Timeout { waited: 500_000, size: 4, in_use: 4 }));
            assert_eq!(failed.failure, Failure::NotSent);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_that_change_a_connection_need_a_lease() {
    let mut net = ready(&config());
    for request in [
        raw("SELECT 1"),
        raw("MULTI"),
        raw("SUBSCRIBE c"),
        raw("AUTH p"),
        raw("MONITOR"),
        raw("CLIENT REPLY OFF"),
    ] {
        assert_eq!(net.engine.submit(net.now, token(1), &request, &NONE), Err(Refused::NeedsLease));
    }
    assert_eq!(net.engine.pending(), 0);
}

#[test]
fn a_number_on_its_way_is_no_answer_that_is_owed() {
    let connection = respire_core::conn::Config { verify_every: NonZeroU32::new(1), ..config().connection };
    let mut net = ready(&Config { lanes: 0, connection, ..config() });
    for n in 0..10 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
        net.turn();
    }
    assert_eq!((net.told().len(), net.dials), (10, 1), "one connection for all");
}

/// S0-ERR-03: who turns away is told nothing, and nobody else is told his answer.
#[test]
fn cancel() {
    let mut net = ready(&config());
    net.silent = true;
    let sent = net.engine.submit(net.now, token(1), &set("k", 1), &NONE).unwrap();
    net.turn();
    let unsent = net.engine.submit(net.now, token(2), &set("k", 2), &NONE).unwrap();
    let stays = net.engine.submit(net.now, token(3), &get("k"), &NONE).unwrap();
    assert_eq!(net.engine.cancel(net.now, sent), Some(Failure::Unknown));
    assert_eq!(net.engine.cancel(net.now, unsent), Some(Failure::NotSent));
    assert_eq!(net.engine.cancel(net.now, unsent), None);
    net.silent = false;
    net.turn();
    assert_eq!(net.told(), [Told::Reply(3, text("1"))]);
    assert_eq!((net.engine.cancel(net.now, stays), net.engine.pending()), (None, 0));
}
