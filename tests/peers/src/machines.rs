//! What the machines of the core cost by themselves: nothing is compared, and no socket takes part.

use std::hint::black_box;

use respire_core::command::{AnyRequest, get, mget};
use respire_core::conn::{self, Connection, Protocol, Settings, Token};
use respire_core::engine::{self, Action, Engine, Fixed, Options};
use respire_core::key::{Databases, Keyed, Policy};
use respire_core::pool::{self, Got, Pool, Returned, Slot, Waiter};
use respire_core::resp::Encoder;
use respire_core::retry;
use respire_core::time::Instant;

use crate::case::{Case, Kind};

/// The size of each buffer of a connection.
const BUFFER: usize = 4096;
/// How many requests it may have in flight.
const IN_FLIGHT: usize = 64;
const NOW: Instant = Instant::from_millis(1000);
const RESP2: Settings<'static> = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };
const ANSWER: &[u8] = b"$5\r\nhello\r\n";

/// All cases; each run does so many.
pub(crate) fn cases(times: usize) -> impl Iterator<Item = Vec<Case>> {
    let round = times.next_multiple_of(10);
    [
        ("GET, ten at once", vec![connection(round, 10), engine(round, 10, 0), engine(round, 10, 3)]),
        ("GET, one by one", vec![connection(round, 1), engine(round, 1, 0), engine(round, 1, 3)]),
        (
            "a pool",
            vec![
                lending::<8>(round, "get and put, 8 slots"),
                lending::<512>(round, "get and put, 512 slots"),
            ],
        ),
        ("a key", vec![key(round), keyed(round)]),
    ]
    .into_iter()
    .map(move |(workload, cases)| {
        cases.into_iter().map(|case| Case { workload, units: round, ..case }).collect()
    })
}

/// Submits, writes, reads and takes so many answers, so many at once.
fn connection(times: usize, batch: usize) -> Case {
    let mut connection: Box<Connection<[u8; BUFFER], IN_FLIGHT>> =
        Box::new(Connection::new([0; BUFFER], [0; BUFFER], conn::Config::SERVER));
    connection.start(NOW, &RESP2).expect("a buffer that holds the handshake");
    while connection.poll_event().is_some() {}
    let answers = ANSWER.repeat(batch);
    Case::new("a connection", Kind::Typed, 0.0, move || {
        for _ in 0..times / batch {
            for token in 0..batch {
                let request = get("key");
                let request: &dyn AnyRequest = black_box(&request);
                connection.submit(NOW, Token(token as u64), request).expect("room");
            }
            let n = connection.poll_transmit().len();
            connection.handle_transmitted(n);
            connection.recv_space().expect("room")[..answers.len()].copy_from_slice(&answers);
            connection.handle_received(answers.len());
            while let Some(event) = connection.poll_event() {
                let conn::Event::Reply { reply, .. } = event else { panic!("{event:?}") };
                black_box(reply.get::<&[u8]>()).expect("an answer");
            }
        }
    })
}

/// The same through an engine with one shared connection.
fn engine(times: usize, batch: usize, retries: u32) -> Case {
    let config = engine::Config {
        retry: retry::Policy { retries, ..retry::Policy::DEFAULT },
        ..engine::Config::DEFAULT
    };
    let mut engine: Box<Engine<Fixed<2, BUFFER, IN_FLIGHT, 8192>, IN_FLIGHT>> =
        Box::new(Engine::new(Fixed, &config, NOW));
    while engine.poll_event(NOW).is_some() {}
    let Some(Action::Open { id, .. }) = engine.poll_action(NOW) else { panic!("{engine:?}") };
    engine.handle_connected(NOW, id, &RESP2).expect("a buffer that holds the handshake");
    while engine.poll_event(NOW).is_some() {}
    while engine.poll_action(NOW).is_some() {}
    let answers = ANSWER.repeat(batch);
    let name = if retries == 0 { "an engine" } else { "an engine that keeps requests for another attempt" };
    Case::new(name, Kind::Typed, 0.0, move || {
        for _ in 0..times / batch {
            for token in 0..batch {
                let request = get("key");
                let request: &dyn AnyRequest = black_box(&request);
                engine.submit(NOW, Token(token as u64), request, &Options::DEFAULT).expect("room");
            }
            let n = engine.poll_transmit(id).len();
            engine.handle_transmitted(id, n);
            engine.recv_space(id).expect("room")[..answers.len()].copy_from_slice(&answers);
            engine.handle_received(id, answers.len());
            while let Some(event) = engine.poll_event(NOW) {
                let engine::Event::Reply { reply, .. } = event else { panic!("{event:?}") };
                black_box(reply.get::<&[u8]>()).expect("an answer");
            }
        }
    })
}

/// A connection is lent and returned while nobody waits.
fn lending<const N: usize>(times: usize, name: &'static str) -> Case {
    let config = pool::Config { size: N as u16, min_idle: N as u16, ..pool::Config::DEFAULT };
    let mut pool = Pool::new(vec![Slot::EMPTY; N], vec![Waiter::EMPTY; 4], &config, 1, NOW);
    while let Some(action) = pool.poll(NOW) {
        if let pool::Action::Open(id) = action {
            assert!(pool.handle_opened(NOW, id), "{action:?}");
        }
    }
    assert_eq!(pool.idle_len(), N, "all are open");
    Case::new(name, Kind::Typed, 0.0, move || {
        for _ in 0..times {
            let Ok(Got::Lent(id)) = pool.get(black_box(NOW), Token(1)) else { panic!("none is idle") };
            pool.put(black_box(NOW), black_box(id), Returned::Clean);
        }
    })
}

/// From the key that a program says to the one that is sent, and its database.
fn key(times: usize) -> Case {
    let policy = managed();
    Case::new("normalise, hash, prefix and database", Kind::Typed, 0.0, move || {
        let mut scratch = [0; 64];
        for _ in 0..times {
            let wire = policy.map(black_box(b"user:1000:session"), &mut scratch).expect("a key");
            black_box((wire.key, wire.shard));
        }
    })
}

/// A request of one key, from its survey to its bytes.
fn keyed(times: usize) -> Case {
    let policy = managed();
    Case::new("survey and encoding of a request with one", Kind::Typed, 0.0, move || {
        let mut frame = [0; 128];
        for _ in 0..times {
            let keys = [black_box("user:1000:session")];
            let request = Keyed::<_, 64>::new(&policy, mget(&keys)).expect("a key");
            let mut encoder = Encoder::new(&mut frame);
            let _ = AnyRequest::encode(&request, &mut encoder);
            black_box(encoder.finish().len());
        }
    })
}

/// Six databases, hashed keys and a prefix.
fn managed() -> Policy<'static> {
    Policy::MANAGED.with_prefix(b"shop:").expect("a prefix").with_databases(Databases::range(0, 6))
}
