//! Requests and their answers.

use respire_core::buffer::Storage;
use respire_core::command::{get, incr, words};
use respire_core::conn::{self, Connection, Event, Token};
use respire_core::engine::{self, Action, Engine, Fixed, Memory, Options};
use respire_core::pool::Id;
use respire_core::time::Instant;

use crate::{RESP2, asked, ready};

const ANSWERS: &[u8] = b"$5\r\nhello\r\n:12345\r\n*3\r\n$1\r\na\r\n$-1\r\n:7\r\n";

const ROUNDS: u64 = if cfg!(miri) { 20 } else { 1000 };

/// Three requests, and their answers read into the caller's memory.
fn exchange<S: Storage>(connection: &mut Connection<S, 4>, now: Instant, copy: &mut [u8; 5]) {
    connection.submit(now, Token(1), &get("greeting")).unwrap();
    connection.submit(now, Token(2), &incr("visits")).unwrap();
    connection.submit(now, Token(3), &words(&["MGET", "a", "b", "c"])).unwrap();
    connection.handle_transmitted(connection.poll_transmit().len());
    connection.recv_space().unwrap()[..ANSWERS.len()].copy_from_slice(ANSWERS);
    connection.handle_received(ANSWERS.len());
    let mut answered = 0;
    while let Some(event) = connection.poll_event() {
        let Event::Reply { token, reply } = event else { panic!("{event:?}") };
        answered += token.0;
        match token.0 {
            1 => copy.copy_from_slice(reply.get::<&[u8]>().unwrap()),
            2 => assert_eq!(reply.get(), Ok(12345_i64)),
            _ => assert_eq!(reply.get(), Ok(("a", None::<&str>, 7_u8))),
        }
    }
    assert_eq!((answered, &copy[..]), (6, &b"hello"[..]));
}

/// S1-KI-02, S1-KI-03: a connection in fixed memory allocates nothing: not for requests, not for text, not
/// for numbers.
#[test]
fn a_connection_allocates_nothing() {
    let mut connection = ready(|| [0; 256], conn::Config::DEVICE);
    let mut copy = [0; 5];
    let count = asked(|| {
        for n in 0..ROUNDS {
            exchange(&mut connection, Instant::from_millis(n), &mut copy);
        }
    });
    assert_eq!(count, 0);
}

/// S1-KI-02: in memory that grows, nothing once it is as large as it must be.
#[cfg(feature = "alloc")]
#[test]
fn memory_that_grows_comes_to_rest() {
    let mut connection = ready(|| respire_core::buffer::Growing::new(16, 1 << 20), conn::Config::SERVER);
    let mut copy = [0; 5];
    let first = asked(|| exchange(&mut connection, Instant::ZERO, &mut copy));
    assert!(first > 0, "it was too small");
    let count = asked(|| {
        for n in 0..ROUNDS {
            exchange(&mut connection, Instant::from_millis(n), &mut copy);
        }
    });
    assert_eq!(count, 0);
}

/// Dials, and lets requests wait, be kept, be sent and be answered.
fn rounds<M: Memory<4>>(engine: &mut Engine<M, 4>, id: Id, rounds: u64) {
    let mut answered = 0;
    for n in 0..rounds {
        let now = Instant::from_millis(n);
        // Two more than a connection takes: they wait as bytes.
        for token in 0..6 {
            engine.submit(now, Token(token), &get("greeting"), &Options::default()).unwrap();
        }
        loop {
            engine.handle_timeout(now);
            while let Some(event) = engine.poll_event(now) {
                let engine::Event::Reply { reply, .. } = event else { panic!("{event:?}") };
                assert_eq!(reply.get(), Ok("hello"));
                answered += 1;
            }
            assert_eq!(engine.poll_action(now), None);
            let bytes = engine.poll_transmit(id);
            let asked = bytes.iter().filter(|&&byte| byte == b'*').count();
            if asked == 0 {
                break;
            }
            engine.handle_transmitted(id, bytes.len());
            for _ in 0..asked {
                let answer = b"$5\r\nhello\r\n";
                engine.recv_space(id).unwrap()[..answer.len()].copy_from_slice(answer);
                engine.handle_received(id, answer.len());
            }
        }
    }
    assert_eq!(answered, 6 * rounds);
}

fn connected<M: Memory<4>>(memory: M) -> (Engine<M, 4>, Id) {
    let mut engine = Engine::new(memory, &engine::Config::DEFAULT, Instant::ZERO);
    let Some(Action::Open { id, .. }) = engine.poll_action(Instant::ZERO) else { panic!("{engine:?}") };
    engine.handle_connected(Instant::ZERO, id, &RESP2).unwrap();
    assert_eq!(engine.poll_event(Instant::ZERO), None);
    (engine, id)
}

/// S1-KI-02, S3-PERF-01: an engine in fixed memory allocates nothing, from the first request on: what waits
/// and what may go again has its place.
#[test]
fn an_engine_allocates_nothing() {
    let mut kept = None;
    let count = asked(|| {
        let (mut engine, id) = connected(Fixed::<2, 256, 8, 1024>);
        rounds(&mut engine, id, ROUNDS);
        kept = Some(engine.stats().unkept);
    });
    assert_eq!((count, kept), (0, Some(0)));
}

/// S1-KI-02: and in memory of the heap none but what it has asked for in the beginning.
#[cfg(feature = "alloc")]
#[test]
fn an_engine_on_the_heap_comes_to_rest() {
    let memory = engine::Heap {
        connections: 2,
        calls: 8,
        bytes: 1024,
        subscriptions: 0,
        names: 0,
        buffer: (256, 1 << 16),
    };
    let (mut engine, id) = connected(memory);
    rounds(&mut engine, id, 1);
    assert_eq!(asked(|| rounds(&mut engine, id, ROUNDS)), 0);
}
