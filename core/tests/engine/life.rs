//! Connections that are lent and checked, the end, and who is told of it all.

use std::time::Duration;

use respire_core::command::{get, incr, multi, ping, raw, select, watch};
use respire_core::conn::{Event as ConnEvent, Failure};
use respire_core::engine::{Config, Heap, Life, Refused};
use respire_core::pool::{self, Refusal};
use respire_core::time::Instant;

use crate::net::{HEAP, Told, token};
use crate::{NONE, config, ready};

/// S1-CLI-08, S0-POOL-03, S1-CONN-09: a connection of one's own comes back as new.
#[test]
fn a_lease_is_given_back_as_new() {
    let mut net = ready(&config());
    net.engine.lease(net.now, token(5)).unwrap();
    net.turn();
    let lease = net.leased();
    let now = net.now;
    let connection = net.engine.leased(lease).unwrap();
    connection.submit(now, token(50), &select(3)).unwrap();
    connection.submit(now, token(51), &watch("k")).unwrap();
    connection.submit(now, token(52), &multi()).unwrap();
    connection.submit(now, token(53), &incr("n")).unwrap();
    net.turn();
    let mut told = 0;
    while let Some(event) = net.engine.leased(lease).unwrap().poll_event() {
        assert!(matches!(event, ConnEvent::Reply { .. }), "{event:?}");
        told += 1;
    }
    assert_eq!(told, 4);
    net.engine.release(net.now, lease);
    assert!(net.engine.leased(lease).is_none());
    net.engine.release(net.now, lease);
    let before = net.server.commands_received();
    net.turn();
    assert_eq!(net.server.commands_received() - before, 2, "DISCARD and SELECT");
    assert_eq!((net.engine.pool_stats().idle, net.sockets.len()), (1, 2));

    net.engine.lease(net.now, token(6)).unwrap();
    net.turn();
    let again = net.leased();
    assert!(again.id().is_same_connection(lease.id()));
    let state = net.engine.leased(again).unwrap().state();
    assert_eq!((state.db, state.transaction, state.watching), (Some(0), false, false));
    // With an answer outstanding it is not.
    net.engine.leased(again).unwrap().submit(now, token(60), &ping()).unwrap();
    net.engine.release(net.now, again);
    net.turn();
    assert_eq!((net.engine.pool_stats().idle, net.sockets.len()), (0, 1));
}

/// S0-OPT-08: connections that do not answer a check are replaced.
#[test]
fn health() {
    let health_interval = Duration::from_secs(1);
    let mut net = ready(&Config {
        pool: pool::Config { min_idle: 2, health_interval, ..config().pool },
        connection: respire_core::conn::Config {
            reply_timeout: Some(Duration::from_millis(100)),
            ..config().connection
        },
        ..config()
    });
    assert_eq!((net.sockets.len(), net.engine.pool_stats().idle), (3, 2));
    net.ms(1500);
    assert_eq!((net.dials, net.engine.pool_stats().stale), (3, 0), "they live");
    net.silent = true;
    net.ms(1000);
    net.silent = false;
    net.ms(500);
    assert!(net.engine.pool_stats().stale >= 2, "{:?}", net.engine.pool_stats());
    assert_eq!(net.engine.pool_stats().idle, 2);
}

/// S0-SVC-04, S1-CLEAN-01, S1-ERR-01: what was sent is waited for, all else refused; twice is once.
#[test]
fn close_twice() {
    let mut net = ready(&config());
    net.silent = true;
    for n in 0..18 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.turn();
    net.engine.close(net.now);
    net.engine.close(net.now);
    assert_eq!(net.engine.submit(net.now, token(99), &ping(), &NONE), Err(Refused::Closed));
    assert_eq!(net.engine.lease(net.now, token(99)), Err(Refused::Closed));
    net.turn();
    let told = net.told();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(
        |told| matches!(told, Told::Failed(16 | 17, failed) if failed.refused == Some(Refusal::Closed))
    ));
    assert_eq!((net.engine.life(), net.sockets.len()), (Life::Draining, 1));
    net.silent = false;
    net.turn();
    assert_eq!((net.told().len(), net.engine.life(), net.sockets.len()), (16, Life::Closed, 0));
    assert_eq!(net.engine.poll_timeout(), Instant::MAX, "nothing is due any more");
}

/// S1-CLEAN-01: what never ends is not waited for.
#[test]
fn close_has_an_end() {
    let mut net = ready(&Config { drain: Some(Duration::from_millis(200)), ..config() });
    net.engine.submit(net.now, token(1), &raw("BLPOP").arg("q").arg(0), &NONE).unwrap();
    net.engine.lease(net.now, token(2)).unwrap();
    net.turn();
    let lease = net.leased();
    net.engine.close(net.now);
    net.ms(199);
    assert_eq!((net.told(), net.engine.life()), (vec![], Life::Draining));
    net.ms(1);
    assert!(matches!(net.told()[..], [Told::Failed(1, failed)] if failed.failure == Failure::Unknown));
    assert!(net.engine.leased(lease).is_none());
    assert_eq!((net.engine.life(), net.sockets.len()), (Life::Closed, 0));
}

/// S1-HOOK-02: a hook is told of each attempt, once, and what it refuses is not sent.
#[test]
fn hook() {
    use respire_core::command::Access;
    use respire_core::engine::{Action, Engine, Event};
    use respire_core::hook::{Attempt, End, Hook, Kind, Refusal};

    #[derive(Default)]
    struct Log(Vec<String>);

    impl Hook for Log {
        fn before_command(&mut self, _: Instant, attempt: &Attempt<'_>) -> Result<(), Refusal> {
            if attempt.command.access == Access::Unknown {
                return Err(Refusal(3));
            }
            self.0.push(format!(
                "{} {} bytes, {} of {}",
                attempt.command.words[0], attempt.bytes, attempt.number, attempt.most
            ));
            Ok(())
        }

        fn after_command(&mut self, _: Instant, attempt: &Attempt<'_>, end: &End<'_>) {
            let (name, ms) = (Kind::from(end.outcome).name(), end.times.total().as_millis());
            let (command, on) = (attempt.command.words[0], end.connection.map(pool::Id::index));
            self.0.push(format!("{command} {name} {} bytes, {ms} ms, {on:?}", end.bytes));
        }
    }

    let mut now = Instant::from_millis(1000);
    let mut engine: Engine<Heap, 16, Log> = Engine::with_hook(HEAP, &config(), Log::default(), now);
    let Some(Action::Open { id, .. }) = engine.poll_action(now) else { panic!("{engine:?}") };
    let resp2 = respire_core::conn::Settings {
        protocol: Some(respire_core::conn::Protocol::Resp2),
        ..respire_core::conn::Settings::NONE
    };
    engine.handle_connected(now, id, &resp2).unwrap();
    assert_eq!(engine.poll_event(now), None);
    assert_eq!(engine.submit(now, token(1), &raw("FLY"), &NONE), Err(Refused::Hook(Refusal(3))));
    engine.submit(now, token(2), &get("k"), &NONE).unwrap();
    let cancelled = engine.submit(now, token(3), &get("k"), &NONE).unwrap();
    engine.cancel(now, cancelled);
    assert_eq!(engine.poll_transmit(id), b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    let mut answer = |engine: &mut Engine<Heap, 16, Log>, text: &[u8]| {
        let n = engine.poll_transmit(id).len();
        engine.handle_transmitted(id, n);
        now = now.saturating_add(Duration::from_millis(5));
        engine.recv_space(id).unwrap()[..text.len()].copy_from_slice(text);
        engine.handle_received(id, text.len());
        assert!(!matches!(engine.poll_event(now), Some(Event::Failed { .. })));
        now
    };
    let at = answer(&mut engine, b"-LOADING soon\r\n");
    let due = engine.poll_timeout().max(at);
    engine.handle_timeout(due);
    while engine.poll_event(due).is_some() {}
    answer(&mut engine, b"$2\r\nhi\r\n");
    let log = &engine.hook().0;
    assert_eq!(log.len(), 6, "{log:#?}");
    assert_eq!(
        log[..4],
        [
            "GET 20 bytes, 1 of 4",
            "GET 20 bytes, 1 of 4",
            "GET cancelled 0 bytes, 0 ms, Some(0)",
            "GET not_now 15 bytes, 5 ms, Some(0)",
        ]
    );
    assert_eq!(log[4], "GET 20 bytes, 2 of 4");
    assert!(log[5].starts_with("GET answered 8 bytes, "), "{log:#?}");
}
