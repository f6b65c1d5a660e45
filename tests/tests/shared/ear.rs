//! A thread that waits for its answer reads from the only socket there is, and still learns in time of everything else.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use respire::prelude::*;
use respire::{Client, Error};
use respire_tests::peer::Peer;

use crate::support::{LIMIT, ms, within};

/// So many answers make sure that it listens.
const WARM: usize = 5;

fn warm(peer: &Peer) -> Client {
    let client =
        Client::open(&format!("redis://{}?protocol=2&timeout=60s", peer.address())).expect("a client");
    for _ in 0..WARM {
        assert_eq!(client.get::<String>("key").wait().expect("an answer"), "OK");
    }
    client
}

/// A peer that leaves one request unanswered until it is told to go on; other connections are as usual.
fn silent() -> (Peer, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (asked, is_asked) = mpsc::channel();
    let (go_on, is_told) = mpsc::channel();
    let is_told = std::sync::Mutex::new(is_told);
    let peer = Peer::after_handshake(move |number, mut requests| {
        if number == 0 && requests.confirm(WARM) {
            while requests.next().is_some() {
                if asked.send(()).is_err() || is_told.lock().expect("a lock").recv().is_err() {
                    return;
                }
                if !requests.answer(b"+OK\r\n") {
                    return;
                }
            }
        } else {
            requests.confirm(usize::MAX);
        }
    });
    (peer, is_asked, go_on)
}

/// Whatever time it takes: also longer than it is listened for, and many times.
#[test]
fn an_answer_that_takes_its_time_comes() {
    let peer = Peer::after_handshake(|_, mut requests| {
        for pause in [0, 1, 3, 10, 50, 0, 100, 0].into_iter().cycle() {
            if requests.next().is_none() {
                return;
            }
            thread::sleep(ms(pause));
            // In two parts, and the first is no answer yet.
            if !requests.answer(b"$2\r\n") || !requests.answer(b"OK\r\n") {
                return;
            }
        }
    });
    within(move || {
        let client = warm(&peer);
        for _ in 0..50 {
            assert_eq!(client.get::<String>("key").wait().expect("an answer"), "OK");
        }
        assert_eq!(peer.accepted(), 1);
    });
}

/// More than it hears at once.
#[test]
fn an_answer_that_is_long_comes_whole() {
    let long = |len: usize| (0..len).map(|at| b'a' + (at % 23) as u8).collect::<Vec<u8>>();
    let lens = [1, 16_375, 16_376, 16_377, 16_384, 40_000, 3_000_000];
    let peer = Peer::after_handshake(move |_, mut requests| {
        if requests.confirm(WARM) {
            for len in lens {
                let (header, value) = (format!("${len}\r\n"), long(len));
                let whole = [header.as_bytes(), &value, b"\r\n"].concat();
                if requests.next().is_none() || !requests.answer(&whole) {
                    return;
                }
            }
        }
    });
    within(move || {
        let client = warm(&peer);
        for len in lens {
            let value: Vec<u8> = client.get("key").wait().expect("an answer");
            assert!(value == long(len), "{} bytes of {len}", value.len());
        }
    });
}

/// Another connection is made, and answers, while nothing comes on the first.
#[test]
fn what_happens_elsewhere_is_seen() {
    let (peer, is_asked, go_on) = silent();
    within(move || {
        let client = warm(&peer);
        let first = client.clone();
        let waits = thread::spawn(move || first.get::<String>("key").wait());
        is_asked.recv().expect("a request");
        let start = Instant::now();
        let conn = client.conn().wait().expect("a connection");
        assert_eq!(conn.get::<String>("key").wait().expect("an answer"), "OK");
        let took = start.elapsed();
        assert!(took < LIMIT / 4, "{took:?}");
        go_on.send(()).expect("a peer");
        assert_eq!(waits.join().expect("a thread").expect("an answer"), "OK");
        assert_eq!(peer.accepted(), 2);
    });
}

/// Deadlines end, the listener's own and another's that is sooner.
#[test]
fn deadlines_are_kept() {
    for own in [true, false] {
        let (peer, is_asked, go_on) = silent();
        within(move || {
            let client = warm(&peer);
            let first = client.clone();
            let waits = thread::spawn(move || {
                let call = first.get::<String>("key");
                if own { call.timeout(ms(100)).wait() } else { call.wait() }
            });
            is_asked.recv().expect("a request");
            let start = Instant::now();
            let second = client.get::<String>("key").timeout(ms(50)).wait();
            let took = start.elapsed();
            assert!(matches!(second, Err(Error::Failed(_))), "{second:?}");
            assert!(took >= ms(50) && took < LIMIT / 4, "{took:?}");
            let told = if own {
                waits.join().expect("a thread")
            } else {
                go_on.send(()).expect("a peer");
                waits.join().expect("a thread")
            };
            assert_eq!(told.is_ok(), !own, "{told:?}");
        });
    }
}

/// The end of the connection is told to who listens, and the next request has another.
#[test]
fn an_end_is_heard() {
    let (asked, is_asked) = mpsc::channel();
    let peer = Peer::after_handshake(move |number, mut requests| {
        requests.confirm(WARM);
        if number == 0 && requests.next().is_some() {
            thread::sleep(ms(20));
            let _ = asked.send(());
            return;
        }
        requests.confirm(usize::MAX);
    });
    within(move || {
        let client = warm(&peer);
        let told = client.incr("key").wait();
        assert!(is_asked.recv_timeout(Duration::ZERO).is_ok(), "it was asked");
        assert!(matches!(told, Err(Error::Failed(_))), "{told:?}");
        assert_eq!(client.get::<String>("key").wait().expect("an answer"), "OK");
        assert_eq!(peer.accepted(), 2);
    });
}
