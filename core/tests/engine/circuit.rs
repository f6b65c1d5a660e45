//! A server that fails is left alone, and what does not count as that.

use respire_core::command::{get, set};
use respire_core::conn::Failure;
use respire_core::engine::{Config, Heap, Refused};
use respire_core::pool;
use respire_core::retry::{self, BreakerConfig};

use crate::alone::{alone, exchange, open};
use crate::net::{HEAP, Net, failed, token};
use crate::{NONE, config};

fn breaker() -> Option<BreakerConfig> {
    Some(BreakerConfig { least: 2, ..BreakerConfig::default() })
}

/// A server that answers more than there is room for works.
#[test]
fn answers_that_are_too_large_open_no_circuit() {
    let mut net = Net::with(Heap { buffer: (128, 128), ..HEAP }, &Config { breaker: breaker(), ..config() });
    net.turn();
    for n in 0..4 {
        let taken = net.engine.submit(net.now, token(n), &get("k"), &NONE);
        assert!(taken.is_ok(), "{taken:?}");
        net.silent = true;
        net.turn();
        let (id, client) = *net.sockets.values().next().unwrap();
        net.server.sent(client, net.server.output(client).len());
        net.server.inject(client, format!("$500\r\n{}\r\n", "x".repeat(500)).as_bytes());
        let _ = id;
        net.silent = false;
        net.turn();
        assert_eq!(failed(&net.told(), n).failure, Failure::TooLarge);
    }
}

/// Whether there is a second attempt or not: a server that loads its data serves nobody.
#[test]
fn errors_that_pass_open_the_circuit_also_if_nothing_goes_again() {
    let retry = retry::Policy { retries: 0, ..config().retry };
    let (mut engine, now) = alone(&Config { breaker: breaker(), retry, ..config() });
    let id = open(&mut engine, now);
    for n in 0..2 {
        engine.submit(now, token(n), &get("k"), &NONE).unwrap();
        assert_eq!(exchange(&mut engine, now, id, b"-LOADING soon\r\n"), [n]);
    }
    let refused = engine.submit(now, token(9), &get("k"), &NONE);
    assert!(matches!(refused, Err(Refused::Circuit(_))), "{refused:?}");
}

/// The probe of a circuit that is half open is too large for its connection. Another is let through at once.
#[test]
fn a_probe_that_cannot_be_sent_gives_back_its_pass() {
    let retry = retry::Policy { retries: 0, ..config().retry };
    let memory = Heap { buffer: (128, 128), ..HEAP };
    let pool = pool::Config { fail_after: 0, ..config().pool };
    let mut net = Net::with(memory, &Config { breaker: breaker(), retry, pool, ..config() });
    net.turn();
    net.silent = true;
    for n in 0..2 {
        net.engine.submit(net.now, token(n), &get("k"), &NONE).unwrap();
    }
    net.turn();
    net.cut();
    net.down = true;
    net.silent = false;
    net.turn();
    net.ms(5000);
    net.told();
    net.down = false;
    // No connection yet: it waits, and then it does not fit.
    let taken = net.engine.submit(net.now, token(3), &set("k", &"x".repeat(300)), &NONE);
    assert!(taken.is_ok(), "{taken:?}");
    net.ms(200);
    assert_eq!(failed(&net.told(), 3).failure, Failure::NotSent);
    let taken = net.engine.submit(net.now, token(4), &get("k"), &NONE);
    assert!(taken.is_ok(), "{taken:?}");
}
