//! Where parts of the engine meet that are well by themselves: pipelines, losses, databases, and changes while it runs.

use std::cell::RefCell;

use respire_core::command::{Retry, append, get, incr, ping, raw};
use respire_core::conn::{self, Failure, Protocol, Settings};
use respire_core::engine::{Config, Engine, Heap, Life, Options, Refused};
use respire_core::key::{Databases, Shard};
use respire_core::pool::{self, Refusal};
use respire_core::resp::Value;
use respire_core::retry::{self, BudgetConfig};
use respire_core::testing::ClientId;
use respire_core::time::Instant;

use crate::chaos::Balance;
use crate::live::{ms, once};
use crate::net::{HEAP, Net, Told, token};
use crate::{NONE, config, ready, text};

/// Connections are ready at once.
const RESP2: Settings<'static> = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };

const OWN: Options = Options { own: true, ..NONE };

/// What may go again, whatever it is.
const SAFE: Options = Options { class: Some(Retry::Always), ..NONE };

/// So many bytes of what the server has said come to one connection.
fn feed(net: &mut Net, client: ClientId, n: usize) {
    let id = net.sockets.values().find(|socket| socket.1 == client).expect("it is open").0;
    let said = net.server.output(client)[..n].to_vec();
    net.engine.recv_space(id).unwrap()[..n].copy_from_slice(&said);
    net.engine.handle_received(id, n);
    net.server.sent(client, n);
}

/// What was appended so far.
fn log(net: &mut Net) -> Value {
    net.engine.submit(net.now, token(1000), &get("log"), &NONE).unwrap();
    net.ms(2000);
    match net.told().pop() {
        Some(Told::Reply(1000, log)) => log,
        other => panic!("{other:?}"),
    }
}

/// The name of a request that is over is another's by now: what follows that one does not go where the first was.
#[test]
fn what_follows_a_call_goes_where_that_call_is() {
    let mut net = ready(&config());
    (net.settings, net.silent) = (RESP2, true);
    let mut pipeline = net.engine.pipeline(net.now, 3, &OWN).unwrap();
    let [_, _, last] = [0, 1, 2].map(|n| pipeline.push(token(n), &incr("n")).unwrap());
    drop(pipeline);
    net.turn();
    for n in 10..26 {
        net.engine.submit(net.now, token(n), &ping(), &NONE).unwrap();
    }
    net.turn();
    let own = net.sockets.values().map(|(_, client)| *client);
    let own = own.into_iter().find(|client| net.server.output(*client).starts_with(b":")).unwrap();
    assert_eq!(net.engine.cancel(net.now, last), Some(Failure::Unknown));
    // The shared connection is full: these wait, the first of them under the name that was given back.
    let mut pipeline = net.engine.pipeline(net.now, 2, &NONE).unwrap();
    pipeline.push(token(30), &append("log", "a")).unwrap();
    pipeline.push(token(31), &append("log", "b")).unwrap();
    drop(pipeline);
    feed(&mut net, own, 4);
    net.turn();
    net.silent = false;
    net.turn();
    net.told();
    assert_eq!(log(&mut net), text("ab"));
}

/// With no shared connections any more, nobody waits for one behind a request that is over.
#[test]
fn nobody_waits_for_a_shared_connection_where_there_are_none() {
    let connection = conn::Config { reply_timeout: Some(ms(100)), grace: ms(60_000), ..config().connection };
    let mut net = ready(&Config { connection, ..once() });
    net.silent = true;
    let mut pipeline = net.engine.pipeline(net.now, 18, &NONE).unwrap();
    let tickets: Vec<_> = (0..18).map(|n| pipeline.push(token(n), &incr("n")).unwrap()).collect();
    drop(pipeline);
    net.turn();
    net.reconfigure(&Config { lanes: 0, connection, ..once() });
    // The one that was sent last has left its place, and the connection is full of what is owed.
    assert_eq!(net.engine.cancel(net.now, tickets[15]), Some(Failure::Unknown));
    net.ms(150);
    assert_eq!(net.told().len(), 15, "in vain");
    net.silent = false;
    net.ms(1000);
    let told = net.told();
    assert!(matches!(told[..], [Told::Reply(16, _), Told::Reply(17, _)]), "{told:?}");
    assert_eq!(net.engine.pending(), 0);
}

/// What took too long does not go again behind those that were behind it and still wait.
#[test]
fn what_is_late_does_not_overtake_those_behind_it() {
    for lanes in [0, 1] {
        let budget = BudgetConfig { percent: 20, burst: 100, floor: 10 };
        let connection =
            conn::Config { reply_timeout: Some(ms(100)), grace: ms(60_000), ..config().connection };
        let mut net = Net::new(&Config { lanes, budget, connection, ..config() });
        (net.settings, net.silent) = (RESP2, true);
        let mut pipeline = net.engine.pipeline(net.now, 26, &SAFE).unwrap();
        for n in 0..26 {
            let letter = char::from(b'a' + n).to_string();
            pipeline.push(token(n.into()), &append("log", letter.as_str())).unwrap();
        }
        drop(pipeline);
        net.turn();
        net.ms(50);
        // Eight answers make room for eight more, which have half of their time left when the others have none.
        let client = net.sockets.values().next().unwrap().1;
        feed(&mut net, client, 8 * 4);
        net.turn();
        net.ms(70);
        net.silent = false;
        let Value::Bulk(log) = log(&mut net) else { panic!() };
        let log = String::from_utf8(log).unwrap();
        let ends: Vec<_> = ('a'..='z').filter_map(|letter| log.rfind(letter)).collect();
        assert!(ends.is_sorted() && ends.len() == 26, "{lanes}: {log}");
        assert_eq!(net.engine.pending(), 0);
    }
}

/// A connection for itself is that of the whole pipeline, whether its caller has asked for it or the first request.
#[test]
fn what_blocks_first_may_block_again() {
    let mut net = ready(&config());
    let mut pipeline = net.engine.pipeline(net.now, 3, &NONE).unwrap();
    pipeline.push(token(1), &raw("BLPOP").arg("l").arg(1)).unwrap();
    pipeline.push(token(2), &get("k")).unwrap();
    assert!(pipeline.push(token(3), &raw("BLPOP").arg("l").arg(1)).is_ok());
    drop(pipeline);
    net.turn();
    assert_eq!(net.blocked.len(), 1, "all are on one connection");
    // A shared one is not blocked by what follows.
    net.engine.submit(net.now, token(4), &ping(), &NONE).unwrap();
    net.turn();
    assert!(matches!(net.told()[..], [Told::Reply(4, _)]));
}

fn several(lanes: u8, databases: Databases) -> Config {
    let connection = conn::Config { reply_timeout: Some(ms(100)), grace: ms(50), ..config().connection };
    Config { lanes, databases, connection, ..config() }
}

fn of(ordinal: u8) -> Options {
    Options { shard: Some(Shard { ordinal, database: 2 + u32::from(ordinal) }), ..NONE }
}

/// A connection that has ended while it was idle is no database that was refused.
#[test]
fn what_is_lost_on_the_way_to_its_database_goes_another_way() {
    let mut net = Net::new(&several(0, Databases::range(2, 2)));
    net.engine.submit(net.now, token(0), &incr("n"), &of(1)).unwrap();
    net.turn();
    for n in 1..5 {
        assert_eq!(net.told(), [Told::Reply(n - 1, Value::Integer(n as i64))]);
        net.cut();
        net.engine.submit(net.now, token(n), &incr("n"), &of(1)).unwrap();
        net.ms(100);
    }
    // The same without another attempt: it was not sent.
    net.told();
    net.engine.reconfigure(net.now, &Config { retry: once().retry, ..several(0, Databases::range(2, 2)) });
    net.cut();
    net.engine.submit(net.now, token(9), &incr("n"), &of(1)).unwrap();
    net.ms(100);
    let told = net.told();
    let [Told::Failed(9, failed)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((failed.failure, failed.refused, failed.attempts), (Failure::NotSent, None, 1));
    assert_eq!((net.engine.pool_stats().lent, net.engine.pending()), (0, 0));
}

/// A server that says nothing has not refused a database, and nobody is told so.
#[test]
fn a_server_that_is_silent_refuses_no_database() {
    for lanes in [0, 1] {
        let mut net = Net::new(&several(lanes, Databases::range(2, 2)));
        net.settings = RESP2;
        net.silent = true;
        let mut pipeline = net.engine.pipeline(net.now, 3, &of(1)).unwrap();
        for n in 0..3 {
            pipeline.push(token(n), &incr("n")).unwrap();
        }
        drop(pipeline);
        net.ms(130);
        net.silent = false;
        net.ms(500);
        let replies: Vec<_> = (0..3).map(|n| Told::Reply(n, Value::Integer(n as i64 + 1))).collect();
        assert_eq!(net.told(), replies, "{lanes}");
        net.engine.close(net.now);
        net.ms(1000);
        assert_eq!((net.engine.life(), net.sockets.len()), (Life::Closed, 0));
    }
}

/// Who gives up while a connection is on its way to a database leaves it to the next, and nothing of his own.
#[test]
fn a_connection_that_is_tuned_for_nobody_is_given_back() {
    for expires in [false, true] {
        let mut net = Net::new(&several(0, Databases::range(2, 2)));
        net.settings = RESP2;
        net.silent = true;
        let options = Options { timeout: expires.then_some(ms(20)), ..of(1) };
        let ticket = net.engine.submit(net.now, token(1), &incr("n"), &options).unwrap();
        net.ms(10);
        if expires {
            net.ms(20);
            assert!(
                matches!(&net.told()[..], [Told::Failed(1, failed)] if failed.failure == Failure::Expired)
            );
        } else {
            assert_eq!(net.engine.cancel(net.now, ticket), Some(Failure::NotSent));
        }
        // The same place, another call.
        net.engine.submit(net.now, token(2), &incr("m"), &of(0)).unwrap();
        net.silent = false;
        net.turn();
        assert_eq!(net.told(), [Told::Reply(2, Value::Integer(1))]);
        let stats = net.engine.pool_stats();
        assert_eq!((stats.lent, stats.idle, net.engine.pending()), (0, stats.total, 0), "{stats:?}");
    }
}

/// Where there is no room to keep a request on its way to another database, it is refused, and the connection stays.
#[test]
fn no_room_to_be_kept_costs_no_connection() {
    let config = several(0, Databases::range(0, 2));
    let pool = pool::Config { size: 1, min_idle: 1, ..config.pool };
    let retry = retry::Policy { retries: 0, ..config.retry };
    let mut net = Net::with(Heap { bytes: 0, ..HEAP }, &Config { pool, retry, ..config });
    net.turn();
    for n in 0..5 {
        let other = Options { shard: Some(Shard { ordinal: 1, database: 1 }), ..NONE };
        assert!(matches!(net.engine.submit(net.now, token(n), &incr("n"), &other), Err(Refused::Submit(_))));
        net.turn();
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
        net.turn();
        assert_eq!(net.told().len(), 1);
    }
    assert_eq!((net.dials, net.engine.pending()), (1, 0));
}

/// As many calls as there are names, and one more for the pipeline itself, are too many.
#[test]
fn a_pipeline_of_all_names_has_no_room_for_its_own() {
    let memory = Heap { connections: 1, calls: if cfg!(miri) { 70 } else { 65_535 }, ..HEAP };
    let hook = RefCell::new(Balance::default());
    let (mut engine, now) =
        (Engine::<_, 16, _>::with_hook(memory, &config(), &hook, Instant::ZERO), Instant::ZERO);
    assert!(engine.pipeline(now, memory.calls, &NONE).is_err());
    assert!(engine.pipeline(now, memory.calls - 1, &NONE).is_ok());
}

/// Those behind the first of a pipeline wait with it for a connection, and no longer than it.
#[test]
fn a_pipeline_waits_for_a_connection_once() {
    for lanes in [0, 1] {
        let mut net = Net::new(&Config { lanes, ..config() });
        net.silent = true;
        let mut pipeline = net.engine.pipeline(net.now, 5, &NONE).unwrap();
        for n in 0..5 {
            pipeline.push(token(n), &incr("n")).unwrap();
        }
        drop(pipeline);
        net.ms(499);
        assert_eq!(net.told(), []);
        net.ms(1);
        let told = net.told();
        let refused = |told: &Told| match told {
            Told::Failed(_, failed) => failed.refused,
            _ => None,
        };
        let is_late = |told| matches!(refused(told), Some(Refusal::Timeout { .. }));
        assert!(told.len() == 5 && told.iter().all(is_late), "{lanes}: {told:?}");
        assert_eq!(net.engine.pending(), 0);
    }
}
