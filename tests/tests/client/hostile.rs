//! Peers that are no servers, or bad ones: a typed error, in time, and no more memory than promised.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use respire::Cause;
use respire::prelude::*;
use respire_core::testing::Responder;

use crate::support::{Peer, REST, in_step, lost, ms, open, refused, timed, within};

/// Each URL here has timeouts of half a second.
const LIMIT: Duration = Duration::from_secs(5);

/// How the handshake with this peer fails, in words.
fn handshake(peer: &Peer) -> String {
    let url = peer.url();
    within(LIMIT, move || {
        let error = refused(&url);
        assert!(!error.hint().is_empty());
        match error.cause {
            Cause::Closed(reason) => reason.to_string(),
            other => panic!("{other:?}"),
        }
    })
}

#[test]
fn other_protocols() {
    let http = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let words = handshake(&Peer::says(http));
    assert!(words.contains("HTTP"), "{words}");
    let words = handshake(&Peer::says(b"<html>"));
    assert!(words.contains("HTTP"), "{words}");
    let words = handshake(&Peer::says(b"\x15\x03\x01\x00\x02\x02\x46"));
    assert!(words.contains("TLS"), "{words}");
    for bytes in
        [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"220 mail.example ESMTP\r\n", b"\0\0\0\0\0\0", b"\xff\xfe"]
    {
        let words = handshake(&Peer::says(bytes));
        assert!(words.contains("broke the protocol"), "{words}");
    }
    let peer = Peer::says(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let shown = refused(&peer.url()).to_string();
    assert!(shown.contains(&peer.address().to_string()) && shown.contains("HTTP"), "{shown}");
}

#[test]
fn silence() {
    let (took, words) = timed(|| handshake(&Peer::says(b"")));
    assert!(words.contains("in time"), "{words}");
    assert!((Duration::from_millis(490)..Duration::from_secs(3)).contains(&took), "{took:?}");
    // The start of a reply is no sign of life.
    let words = handshake(&Peer::says(b"%7\r\n+server\r\n"));
    assert!(words.contains("in time"), "{words}");
}

#[test]
fn a_peer_that_closes_at_once() {
    let peer = Peer::new(|_, _| {});
    for _ in 0..20 {
        let url = peer.url();
        let error = within(LIMIT, move || refused(&url));
        // With our bytes unread, the system may reset the connection.
        assert!(matches!(error.cause, Cause::Closed(_) | Cause::Transport(_)), "{error:?}");
    }
    let peer = Peer::new(|_, mut stream| {
        let _ = stream.read(&mut [0; 4096]);
    });
    assert_eq!(handshake(&peer), "the server closed the connection");
}

#[test]
fn answers_to_nothing() {
    let peer = Peer::after_handshake(|number, mut requests| {
        if number == 0 {
            std::thread::sleep(ms(100));
            requests.answer(b"+surprise\r\n");
        } else if requests.next().is_some() {
            requests.answer(b"+expected\r\n");
        }
        requests.wait_for_end();
    });
    let client = open(&peer.resp2());
    std::thread::sleep(REST);
    // It was noticed before anything was sent, and the connection replaced.
    assert_eq!(client.echo::<String>("x").wait().unwrap(), "expected");
    assert_eq!(peer.accepted(), 2);
}

#[test]
fn broken_lengths() {
    for bytes in [
        &b"$-5\r\n"[..],
        b"*-2\r\n",
        b"$99999999999999999999\r\n",
        b"*2147483648\r\n",
        b"$999999999999\r\n",
        b":12a\r\n",
        b"#x\r\n",
        b"+no\nend",
    ] {
        let peer = Peer::after_handshake(move |_, mut requests| {
            requests.next();
            requests.answer(bytes);
            requests.wait_for_end();
        });
        let url = peer.resp2();
        let cause = within(LIMIT, move || lost(open(&url).send(get("k")).wait()));
        assert!(cause.contains("broke the protocol"), "{}: {cause}", bytes.escape_ascii());
    }
}

/// Sends the same bytes as long as somebody takes them.
fn flood(stream: &mut impl Write, bytes: &[u8]) {
    let block = bytes.repeat(65_536 / bytes.len() + 1);
    while stream.write_all(&block).is_ok() {}
}

fn flood_at_once(bytes: &'static [u8]) -> Peer {
    Peer::new(move |_, mut stream: TcpStream| flood(&mut stream, bytes))
}

/// Someone who never stops talking has no more time than someone who says nothing.
#[test]
fn a_flood_ends_the_handshake_in_time() {
    for bytes in [&b">2\r\n+a\r\n+b\r\n"[..], b"*1\r\n", b"+long", b"|1\r\n+a\r\n+b\r\n"] {
        let peer = flood_at_once(bytes);
        let (took, words) = timed(|| handshake(&peer));
        assert!(took < LIMIT, "{took:?}");
        assert!(!words.is_empty());
    }
}

#[test]
fn a_flood_of_pushes_does_not_stop_the_clock() {
    for bytes in [&b">2\r\n+a\r\n+b\r\n"[..], b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"] {
        let peer = Peer::after_handshake(move |_, mut requests| {
            requests.next();
            let block = bytes.repeat(4096);
            while requests.answer(&block) {}
        });
        let url = peer.resp2();
        let cause = within(LIMIT, move || lost(open(&url).send(get("k")).wait()));
        assert_eq!(cause, "the server did not answer in time");
        let url = peer.resp2();
        within(LIMIT, move || {
            let (first, second) = open(&url).pipeline((get("k"), get("k"))).wait().unwrap();
            lost(first);
            lost(second);
        });
    }
}

#[test]
fn a_reply_that_never_ends() {
    let peer = Peer::after_handshake(|_, mut requests| {
        requests.next();
        requests.answer(b"*1000000\r\n");
        // One byte in a while is no answer either.
        while requests.answer(b":1\r\n") {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let url = peer.resp2();
    let (took, cause) = timed(|| within(LIMIT, move || lost(open(&url).send(get("k")).wait())));
    assert_eq!(cause, "the server did not answer in time");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// Millions of elements are announced and never sent: nothing is reserved for them.
#[test]
fn announced_is_not_reserved() {
    let peer = Peer::after_handshake(|_, mut requests| {
        requests.next();
        requests.answer(b"*1000000\r\n*1000000\r\n$500000000\r\n");
        requests.wait_for_end();
    });
    let url = peer.resp2();
    let client = open(&url);
    lost(client.send(raw("X")).wait());
}

#[test]
fn one_byte_at_a_time() {
    let peer = Peer::responder(1, Responder::new);
    for protocol in [2, 3] {
        let client = open(&format!("redis://{}?protocol={protocol}", peer.address()));
        in_step(&client);
        client.mset(&[("a", "1"), ("b", "2")]).wait().unwrap();
        let both: (i64, i64) = client.mget(&["a", "b"]).wait().unwrap();
        assert_eq!(both, (1, 2));
        let results = client.pipeline(vec![incr("n"); 300]).wait().unwrap();
        assert!(results.into_iter().map(Result::unwrap).eq(1..=300));
        client.send(words(&["HSET", "h", "f", "v"])).wait().unwrap();
        let hash: Vec<(String, String)> = client.send(raw("HGETALL h").typed()).wait().unwrap();
        assert_eq!(hash, [("f".to_owned(), "v".to_owned())]);
    }
}

/// Attributes and pushes between replies are for others; the answer still reaches the question.
#[test]
fn pushes_between_replies() {
    let peer = Peer::after_handshake(|_, mut requests| {
        while let Some(words) = requests.next() {
            requests.answer(b">2\r\n+invalidate\r\n*1\r\n+k\r\n");
            requests.answer(b"|1\r\n+ttl\r\n:3\r\n");
            let text = &words[1];
            requests.answer(format!("${}\r\n{}\r\n", text.len(), String::from_utf8_lossy(text)).as_bytes());
            requests.answer(b">1\r\n+noise\r\n");
        }
    });
    let client = open(&peer.resp2());
    for _ in 0..20 {
        in_step(&client);
    }
    assert_eq!(peer.accepted(), 1);
}
