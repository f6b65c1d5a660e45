//! A subscriber whose server confirms nothing, or nonsense, or floods it meanwhile.

use std::thread;
use std::time::Duration;

use respire::{Error, Message, Subscriber};
use respire_tests::Peer;

use crate::memory::peak;
use crate::within::sockets;

/// What a subscriber keeps of messages that nobody has asked for yet.
const KEPT: usize = 64 << 20;

/// Answers each request by these bytes, `times` over.
fn answering(bytes: Vec<u8>, times: u64) -> Peer {
    Peer::after_handshake(move |_, mut requests| {
        while requests.next().is_some() {
            let mut left = times;
            while left > 0 && requests.answer(&bytes) {
                left -= 1;
            }
        }
    })
}

fn message(len: usize) -> Vec<u8> {
    let head = format!("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n${len}\r\n");
    [head.as_bytes(), &vec![b'x'; len], b"\r\n"].concat()
}

#[test]
fn a_flood_instead_of_a_confirmation_is_bounded() {
    let _sockets = sockets();
    for len in [1, 1 << 20] {
        let bytes = message(len);
        let peer = answering(bytes.repeat((1 << 16) / bytes.len() + 1), u64::MAX);
        let url = peer.resp2();
        let run = move || {
            let mut subscriber = Subscriber::open(&url).unwrap();
            let result = subscriber.subscribe("c");
            (result, subscriber)
        };
        // Memory is counted by thread.
        let (memory, result, kept, last) = thread::spawn(move || {
            let (memory, (result, mut subscriber)) = peak(run);
            let mut kept = 0;
            let last = loop {
                match subscriber.next(Some(Duration::ZERO)) {
                    Ok(Some(Message { payload, .. })) => {
                        assert_eq!(payload.len(), len);
                        kept += 1;
                    }
                    other => break other,
                }
            };
            (memory, result, kept, last)
        })
        .join()
        .unwrap();
        assert!(matches!(result, Err(Error::Lost { .. })), "{result:?}");
        assert!(memory < KEPT + (8 << 20), "{memory} bytes for messages of {len}");
        assert!(kept > 0 && kept * len <= KEPT, "{kept} messages of {len}");
        assert!(matches!(last, Err(Error::Overflow { .. } | Error::Lost { .. })), "{last:?}");
    }
}

/// None of these is the confirmation that was asked for.
#[test]
fn nonsense_confirms_nothing() {
    unconfirmed(&[
        b"+OK\r\n",
        b":1\r\n",
        b"$-1\r\n",
        b"*0\r\n",
        b"*1\r\n*1\r\n$9\r\nsubscribe\r\n",
        b"*3\r\n$10\r\npsubscribe\r\n$1\r\nc\r\n:1\r\n",
        b"*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n",
        b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n",
        b"-ERR no\r\n",
        b"$1\r\nabc",
    ]);
}

/// Without its count nobody knows whether arrays are messages from now on.
#[test]
fn half_a_confirmation_confirms_nothing() {
    unconfirmed(&[
        b"*1\r\n$9\r\nsubscribe\r\n",
        b"*2\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n",
        b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n$1\r\nx\r\n",
        b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:-1\r\n",
        b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:4294967296\r\n",
        b"*3\r\n$9\r\nsubscribe\r\n*0\r\n:1\r\n",
    ]);
}

fn unconfirmed(answers: &[&[u8]]) {
    let _sockets = sockets();
    for bytes in answers {
        let peer = answering(bytes.to_vec(), 1);
        let mut subscriber = Subscriber::open(&peer.resp2()).unwrap();
        let result = subscriber.subscribe("c");
        assert!(result.is_err(), "{}", bytes.escape_ascii());
        let next = subscriber.next(Some(Duration::from_millis(10)));
        let empty = matches!(next, Ok(None) | Err(_));
        assert!(empty || bytes.starts_with(b"*3\r\n$7\r\nmessage"), "{}: {next:?}", bytes.escape_ascii());
    }
}
