//! Attacks that once succeeded: answers that are one off.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use respire::Single;
use respire::prelude::*;
use respire_core::conn::{Config, Connection, Event, Settings, Token};
use respire_core::time::Instant;
use respire_tests::Peer;

use crate::within::sockets;

fn send(connection: &mut Connection<&mut [u8], 4>) {
    let n = connection.poll_transmit().len();
    connection.handle_transmitted(n);
}

fn hear(connection: &mut Connection<&mut [u8], 4>, bytes: &[u8]) {
    if let Some(space) = connection.recv_space() {
        space[..bytes.len()].copy_from_slice(bytes);
        connection.handle_received(bytes.len());
    }
}

/// The answer to `HELLO 3` is a map; whatever else comes cannot be it. Else every answer is one off.
#[test]
fn a_greeting_is_not_the_answer_to_hello() {
    let (mut receive, mut transmit) = ([0; 256], [0; 256]);
    let mut connection: Connection<&mut [u8], 4> =
        Connection::new(&mut receive, &mut transmit, Config::default());
    connection.start(Instant::ZERO, &Settings::default()).unwrap();
    send(&mut connection);
    hear(&mut connection, b"+OK POP3 server ready\r\n");
    while connection.poll_event().is_some() {}
    if connection.submit(Instant::ZERO, Token(1), &get("k")).is_ok() {
        send(&mut connection);
    }
    hear(&mut connection, b"%1\r\n$5\r\nproto\r\n:3\r\n");
    while let Some(event) = connection.poll_event() {
        assert!(!matches!(event, Event::Reply { .. }), "the answer to HELLO went to GET: {event:?}");
    }
    assert!(connection.is_closed());
}

/// The client writes a request although an answer to nothing lies unread in the socket, and takes
/// that for the answer.
#[test]
fn a_surplus_that_comes_later_is_nobodys_answer() {
    let _sockets = sockets();
    let (go, gone) = channel();
    let (said, heard) = channel();
    let gone = Mutex::new(gone);
    let peer = Peer::after_handshake(move |number, mut requests| {
        while let Some(words) = requests.next() {
            if words[0] == b"ECHO" {
                let text = String::from_utf8_lossy(&words[1]).into_owned();
                requests.answer(format!("+{text}\r\n").as_bytes());
                continue;
            }
            requests.answer(b"+own\r\n");
            // The client has its answer, and does nothing until it is told.
            if number == 0 && gone.lock().unwrap().recv().is_ok() {
                requests.answer(b"+surplus\r\n");
                said.send(()).unwrap();
            }
        }
    });
    let client = Single::open(&peer.resp2()).unwrap();
    assert_eq!(client.send(raw("ATTACK").typed::<String>()).wait().unwrap(), "own");
    go.send(()).unwrap();
    heard.recv().unwrap();
    assert_eq!(client.echo::<String>("mine").wait().unwrap(), "mine");
}
