//! What a client says of itself without asking.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use respire::prelude::*;
use respire::retry::BreakerConfig;
use respire::{Builder, Cause, Client, Health, HealthState};

use crate::support::{Admin, By, both, builder, kill_others, ms, open, redis, until};

fn quick(builder: Builder) -> Builder {
    builder.config(|config| {
        (config.dials, config.pool.backoff_base, config.pool.backoff_cap) = ((1000, 1000), ms(10), ms(50));
    })
}

fn state(client: &Client) -> HealthState {
    client.health().state
}

/// The words of the last error.
fn error(health: &Health) -> String {
    health.last_error.as_ref().map_or(String::new(), |error| error.cause.to_string())
}

/// S3-CONN-02: from the first dial to the end: nothing is asked of the server for it.
#[test]
fn from_the_beginning_to_the_end() {
    both(|server, builder| {
        let start = Instant::now();
        let client = builder.lazy().unwrap();
        let first = client.health();
        assert!(
            first.state == HealthState::Idle && first.rtt.is_none() && first.last_error.is_none(),
            "{first:?}"
        );
        client.ready().wait().unwrap();
        let ready = client.health();
        assert_eq!(ready.state, HealthState::Ready);
        assert!(ready.since >= first.since.max(start) && ready.since <= Instant::now(), "{ready:?}");
        assert!(ready.rtt.is_some_and(|rtt| rtt < Duration::from_secs(5)), "the handshake was answered");
        let mut admin = Admin::connect(server.addr());
        let before = admin.info("stats")["total_commands_processed"].clone();
        (0..1000).for_each(|_| assert_eq!(client.health().since, ready.since));
        let commands = admin.info("stats")["total_commands_processed"].parse::<u64>().unwrap();
        assert!(commands - before.parse::<u64>().unwrap() <= 3, "ours");
        client.close().wait().unwrap();
        until("the end", || state(&client) == HealthState::Closed);
    });
}

/// S3-CONN-02: a server that goes away is noticed although nobody uses the client, said why, and so is that it is there
/// again.
#[test]
fn a_server_that_goes_and_comes() {
    let Some(mut server) = redis() else { return };
    for by in [None, Some(By::Keeper), Some(By::Tokio)] {
        let client = open(quick(builder(&server.url())));
        let ready = client.health();
        assert_eq!((ready.state, error(&ready).as_str()), (HealthState::Ready, ""));
        let killed = Instant::now();
        server.kill();
        until("nobody", || state(&client) == HealthState::Down);
        until("why", || error(&client.health()).contains("refused"));
        let down = client.health();
        assert!(down.since >= killed && down.since > ready.since, "{down:?}");
        assert!(down.last_error.as_ref().unwrap().at >= down.since);
        server.start_again(&[]);
        match by {
            None => until("an answer", || client.incr("n").wait().is_ok()),
            Some(by) => by.run(&client, async { while client.incr("n").await.is_err() {} }),
        }
        let back = client.health();
        assert_eq!(back.state, HealthState::Ready, "{by:?}");
        assert!(back.since > down.since && error(&back).contains("refused"), "what was is still known");
    }
}

/// S3-CONN-02: why there is no connection, in the words of the server or the system; a lost one is said, too.
#[test]
fn what_went_wrong() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    admin.done("ACL SETUSER ann on >secret");
    let client = quick(builder(&format!("redis://ann:wrong@{}", server.addr()))).lazy().unwrap();
    assert!(client.ready().wait().is_err());
    until("its words", || error(&client.health()).contains("WRONGPASS"));
    assert_eq!(state(&client), HealthState::Down);

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = quick(builder(&format!("redis://{free}"))).lazy().unwrap();
    assert!(client.incr("n").wait().is_err());
    let health = client.health();
    assert_eq!(health.state, HealthState::Down);
    let cause = health.last_error.expect("an error").cause;
    assert!(
        matches!(&*cause, Cause::Transport(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
    );

    let client = open(quick(builder(&server.url())));
    assert!(kill_others(&mut admin) >= 1);
    until("it", || !error(&client.health()).is_empty());
    until("another", || state(&client) == HealthState::Ready);

    // What its lessee has not given back does not count.
    let client = open(quick(builder(&server.url())));
    let conn = client.conn().wait().unwrap();
    server.signal("-STOP");
    assert_eq!(state(&client), HealthState::Ready);
    drop(server);
    until("its end", || state(&client) == HealthState::Down);
    drop(conn);
}

/// S3-CONN-02: a server that is left alone, until it works.
#[test]
fn a_circuit_that_opens() {
    let Some(mut server) = redis() else { return };
    let breaker = BreakerConfig { least: 1, open: ms(100), ..BreakerConfig::default() };
    let client = open(quick(builder(&server.url()).timeout(ms(100)).config(|config| {
        config.breaker = Some(breaker);
    })));
    server.signal("-STOP");
    until("it is enough", || {
        _ = client.incr("n").wait();
        state(&client) == HealthState::CircuitOpen
    });
    server.kill();
    server.start_again(&[]);
    until("a probe", || client.incr("n").wait().is_ok() && state(&client) == HealthState::Ready);
}

/// S3-CONN-02: how long answers take, in the mean: what blocks does not count, and a server that is slow does.
#[test]
fn how_long_answers_take() {
    both(|server, builder| {
        let client = open(builder.timeout(Duration::from_secs(20)));
        let none: Option<(String, String)> =
            client.send(raw("BLPOP").key("none").arg(1).typed()).wait().unwrap();
        assert!(none.is_none());
        let before = client.health().rtt.expect("it has answered");
        assert!(before < ms(800), "{before:?}");
        Admin::connect(server.addr()).done("CLIENT PAUSE 1000 ALL");
        let start = Instant::now();
        client.incr("n").wait().unwrap();
        let (took, after) = (start.elapsed(), client.health().rtt.unwrap());
        assert!(after >= before * 7 / 8 + took / 10, "{before:?}, then {took:?}: {after:?}");
    });
}

/// S3-CONN-02: it is asked from everywhere: from threads while others wait, and in what reads an answer.
#[test]
fn from_everywhere() {
    both(|server, builder| {
        let client = open(builder);
        let inside = client.echo::<String>("x").wait_with(|_| Ok(client.health().state)).unwrap();
        assert_eq!(inside, HealthState::Ready);
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let popped: (String, String) =
                    client.send(raw("BLPOP").key("l").arg(0).typed()).wait().unwrap();
                popped.1
            });
            for _ in 0..100 {
                assert_eq!(state(&client), HealthState::Ready);
            }
            Admin::connect(server.addr()).done("LPUSH l x");
            assert_eq!(waits.join().unwrap(), "x");
        });
    });
}
