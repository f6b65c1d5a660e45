//! What goes again, and what is said of what does not.

use std::num::NonZeroU32;
use std::time::Duration;

use respire_core::command::{Retry, get, incr, ping, set};
use respire_core::conn::Failure;
use respire_core::engine::{Config, Options, Refused};
use respire_core::pool::{self, Refusal};
use respire_core::resp::Value;
use respire_core::retry::{self, BreakerConfig, Why};

use crate::net::{Net, Told, token};
use crate::{NONE, config, ready, text};

#[test]
fn what_reads_is_tried_again_and_what_counts_is_not() {
    let mut net = ready(&config());
    net.silent = true;
    net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
    net.engine.submit(net.now, token(2), &incr("n"), &NONE).unwrap();
    let known = Options { class: Some(Retry::Always), ..NONE };
    net.engine.submit(net.now, token(3), &incr("known"), &known).unwrap();
    net.turn();
    net.cut();
    net.silent = false;
    net.ms(1000);
    let told = net.told();
    assert!(told.contains(&Told::Reply(1, Value::Null)), "{told:?}");
    assert!(told.contains(&Told::Reply(3, Value::Integer(2))), "its caller knew better: {told:?}");
    let failed = told.iter().find_map(|told| match told {
        Told::Failed(2, failed) => Some(*failed),
        _ => None,
    });
    let failed = failed.expect("it fails");
    assert_eq!((failed.failure, failed.why, failed.attempts), (Failure::Unknown, Some(Why::Unknown), 1));
    assert_eq!(net.engine.stats().retries, 2);
}

#[test]
fn what_goes_again_is_the_request_and_not_a_number_behind_it() {
    let connection = respire_core::conn::Config { verify_every: NonZeroU32::new(1), ..config().connection };
    let mut net = ready(&Config { connection, ..config() });
    net.engine.submit(net.now, token(1), &set("k", "v"), &NONE).unwrap();
    net.turn();
    net.silent = true;
    net.engine.submit(net.now, token(2), &get("k"), &NONE).unwrap();
    net.turn();
    net.cut();
    net.silent = false;
    net.ms(1000);
    assert_eq!(net.told()[1..], [Told::Reply(2, text("v"))]);
}

#[test]
fn what_was_not_sent_goes_over_another_connection() {
    let mut net = ready(&config());
    net.engine.submit(net.now, token(1), &incr("n"), &NONE).unwrap();
    // The connection is lost before its bytes are taken.
    net.cut();
    net.ms(1000);
    assert_eq!(net.told(), [Told::Reply(1, Value::Integer(1))]);
}

#[test]
fn what_may_have_been_executed_is_never_called_not_sent() {
    let mut net = ready(&Config { lanes: 1, ..config() });
    net.silent = true;
    net.engine
        .submit(net.now, token(1), &get("k"), &Options { timeout: Some(Duration::from_millis(300)), ..NONE })
        .unwrap();
    net.turn();
    net.cut();
    net.down = true;
    net.ms(1000);
    match &net.told()[..] {
        [Told::Failed(1, failed)] => assert_eq!(failed.failure, Failure::Unknown),
        other => panic!("{other:?}"),
    }
}

#[test]
fn errors_that_pass_are_waited_for() {
    let mut net = ready(&config());
    net.silent = true;
    net.engine.submit(net.now, token(1), &incr("n"), &NONE).unwrap();
    net.turn();
    // The answer is replaced by one that says: not yet.
    let (id, client) = *net.sockets.values().next().unwrap();
    let answered = net.server.output(client).len();
    net.server.sent(client, answered);
    let loading = b"-LOADING Redis is loading the dataset in memory\r\n";
    net.engine.recv_space(id).unwrap()[..loading.len()].copy_from_slice(loading);
    net.engine.handle_received(id, loading.len());
    net.silent = false;
    net.ms(1000);
    assert_eq!(net.told(), [Told::Reply(1, Value::Integer(2))], "the error was not its answer");
}

/// S1-POOL-06: a server that is not there fails requests at once, and is found again.
#[test]
fn server_down() {
    let mut net = Net::new(&config());
    net.down = true;
    net.engine.submit(net.now, token(0), &ping(), &NONE).unwrap();
    net.ms(1000);
    match &net.told()[..] {
        [Told::Failed(0, failed)] => {
            assert!(
                matches!(failed.refused, Some(Refusal::Unavailable(why)) if why.code.0 == 7),
                "{failed:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    let dials = net.dials;
    for n in 1..1000 {
        net.engine.submit(net.now, token(n), &ping(), &NONE).unwrap();
        net.turn();
        assert!(matches!(net.told()[..], [Told::Failed(..)]), "at once");
    }
    assert!(net.dials - dials <= 1, "{}", net.dials - dials);
    net.down = false;
    net.ms(200);
    net.engine.submit(net.now, token(1), &ping(), &NONE).unwrap();
    net.turn();
    assert_eq!(net.told(), [Told::Reply(1, Value::Simple(b"PONG".to_vec()))]);
}

/// S0-ERR-01: why no connection comes about is told, and in whose words.
#[test]
fn a_refused_handshake_has_a_reason() {
    let mut net = Net::new(&config());
    net.server = respire_core::testing::Responder::new().with_password(b"secret");
    net.engine.submit(net.now, token(1), &ping(), &NONE).unwrap();
    net.ms(1000);
    match &net.told()[..] {
        [Told::Failed(1, failed)] => {
            assert!(
                matches!(failed.refused, Some(Refusal::Unavailable(why)) if why.code == pool::DialCode::REJECTED),
                "{failed:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(
        net.reasons.iter().all(|reason| reason.contains("NOAUTH")) && !net.reasons.is_empty(),
        "{:?}",
        net.reasons
    );
}

/// S1-ERR-08: a server that fails too often is left alone, and tried again.
#[test]
fn breaker() {
    let breaker = BreakerConfig { least: 4, ..BreakerConfig::default() };
    let mut net = ready(&Config {
        breaker: Some(breaker),
        retry: retry::Policy { retries: 0, ..config().retry },
        ..config()
    });
    net.silent = true;
    for n in 0..4 {
        net.engine.submit(net.now, token(n), &get("k"), &NONE).unwrap();
    }
    net.turn();
    net.cut();
    net.ms(100);
    assert_eq!(net.told().len(), 4);
    let refused = net.engine.submit(net.now, token(5), &get("k"), &NONE);
    assert!(
        matches!(refused, Err(Refused::Circuit(open)) if open.retry_in <= Duration::from_secs(5)),
        "{refused:?}"
    );
    net.silent = false;
    net.ms(5000);
    net.engine.submit(net.now, token(6), &get("k"), &NONE).unwrap();
    net.turn();
    assert_eq!(net.told(), [Told::Reply(6, Value::Null)]);
    net.engine.submit(net.now, token(7), &get("k"), &NONE).unwrap();
}
