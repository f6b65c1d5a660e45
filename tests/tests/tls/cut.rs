//! How a connection ends: announced, or cut.

use std::io::ErrorKind;
use std::thread;

use respire::conn::{CloseReason, Failure};
use respire::prelude::*;
use respire::{Cause, Error};

use crate::support::{Tap, open, secure};

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
