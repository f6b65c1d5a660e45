//! How a connection ends: announced, or cut.

use std::io::ErrorKind;
use std::thread;

use respire::conn::{CloseReason, Failure};
use respire::prelude::*;
use respire::{Cause, Error};

use crate::support::{Secure, Tap, attempt, open, secure};

/// S0-SEC-01: an end that was not announced is an error, whoever made it, and nobody knows what became of the request.
#[test]
fn a_cut_is_no_end() {
    let Some(server) = secure(&[]) else { return };
    let tap = Tap::new(server.address());
    let client = open(&server.tls(), &tap.url());
    client.incr("visits").wait().unwrap();
    let watcher = server.client();
    let lost = thread::scope(|scope| {
        let waiting =
            scope.spawn(|| client.send(raw("BLPOP nothing 0").typed::<Option<Vec<String>>>()).wait());
        // It has arrived.
        while !watcher.send(raw("CLIENT LIST").typed::<String>()).wait().unwrap().contains("cmd=blpop") {
            thread::yield_now();
        }
        tap.cut();
        waiting.join().unwrap()
    });
    match lost {
        Err(Error::Lost { failure: Failure::Unknown, cause: Cause::Transport(cause) }) => {
            assert_eq!(cause.kind(), ErrorKind::UnexpectedEof);
            assert_eq!(cause.to_string(), "the connection was cut: TLS did not announce its end");
        }
        other => panic!("{other:?}"),
    }
    // The next one has another connection.
    assert_eq!(client.incr("visits").wait().unwrap(), 2);
}

/// The other end: the server says so.
#[test]
fn an_end_that_was_announced() {
    let Some(server) = secure(&[]) else { return };
    let (client, other) = (server.client(), server.client());
    let id: i64 = client.send(raw("CLIENT ID").typed()).wait().unwrap();
    let ended = thread::scope(|scope| {
        let waiting =
            scope.spawn(|| client.send(raw("BLPOP nothing 0").typed::<Option<Vec<String>>>()).wait());
        while !other.send(raw("CLIENT LIST").typed::<String>()).wait().unwrap().contains("cmd=blpop") {
            thread::yield_now();
        }
        other.send(raw("CLIENT KILL ID").arg(id)).wait().unwrap();
        waiting.join().unwrap()
    });
    let Err(Error::Lost { failure: Failure::Unknown, cause: Cause::Closed(CloseReason::Eof) }) = ended else {
        panic!("{ended:?}")
    };
}

/// A client that goes says so, and so the server has nothing to complain about.
#[test]
fn we_announce_it_too() {
    let Some(server) = secure(&["--loglevel", "verbose"]) else { return };
    let tap = Tap::new(server.address());
    let client = open(&server.tls(), &tap.url());
    client.ping::<String>().wait().unwrap();
    let before = tap.sent().len();
    drop(client);
    // An alert: five bytes of a header, two of its own, one for its type and a tag of 16.
    let start = std::time::Instant::now();
    while tap.sent().len() == before {
        assert!(start.elapsed() < crate::support::LIMIT);
        thread::yield_now();
    }
    assert_eq!(tap.sent().len() - before, 24);
}

/// A value that is asked for, with somebody on the way who does this to the place; and how much went by.
fn asked_for(
    server: &Secure,
    meddle: impl Fn(usize, &mut Vec<u8>) -> bool + Send + Sync + 'static,
) -> (Answer, usize) {
    let tap = Tap::with(server.address(), meddle);
    let url = format!("{}?connect_timeout=1s&timeout=1s", tap.url());
    let answer = attempt(&server.tls(), &url).and_then(|client| client.get("large").wait());
    (answer, tap.answered())
}

type Answer = Result<Option<Vec<u8>>, Error>;

/// S0-SEC-01: cut anywhere, or changed anywhere by one bit, there is the right answer or none.
#[test]
fn nobody_on_the_way_makes_an_answer() {
    let Some(server) = secure(&[]) else { return };
    let large = vec![b'x'; 3000];
    server.client().set("large", &large).wait().unwrap();
    let (whole, total) = asked_for(&server, |_, _| true);
    assert_eq!(whole.unwrap().as_ref(), Some(&large));
    let judge = |answer: Answer, what: &str| match answer {
        Ok(value) => {
            assert!(value.as_ref() == Some(&large), "{what}");
            1
        }
        Err(Error::Connect(_) | Error::Lost { failure: Failure::Unknown, .. }) => 0,
        Err(other) => panic!("{what}: {other:?}"),
    };
    let (mut cut, mut flipped) = (0, 0);
    // Signatures differ by a byte or two in their length.
    for at in (0..total - 16).step_by(total / 50) {
        let (answer, _) = asked_for(&server, move |offset, bytes| {
            let goes_on = offset + bytes.len() <= at;
            bytes.truncate(at.saturating_sub(offset));
            goes_on
        });
        cut += judge(answer, &format!("cut at {at} of {total}"));
        let (answer, _) = asked_for(&server, move |offset, bytes| {
            if let Some(byte) = at.checked_sub(offset).and_then(|at| bytes.get_mut(at)) {
                *byte ^= 1 << (at % 8);
            }
            true
        });
        flipped += judge(answer, &format!("a bit at {at} of {total}"));
    }
    // The value comes last, so every place is before its end. A few bytes mean nothing, such as a record's version.
    assert_eq!(cut, 0);
    assert!(flipped <= 2, "{flipped} bits were not noticed");
}
