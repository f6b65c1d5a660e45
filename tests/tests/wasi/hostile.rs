//! Peers that are no servers, or bad ones, and servers that go away: a typed error in time, from a
//! component that goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use respire_tests::{Component, Network, Peer};

use crate::{Guest, redis};

/// Asks these lines of a URL; what came of each: its kind, milliseconds, and text.
fn ask(url: &str, lines: &str) -> Option<Vec<(String, u64, String)>> {
    let done = Guest::or_skip(Component::Probe, Network::Addresses)?.run(&["ask", url], lines.as_bytes());
    let text = done.text();
    let answer = |line: &str| {
        let (kind, rest) = line.split_once(' ')?;
        let (millis, text) = rest.split_once(' ')?;
        Some((kind.to_owned(), millis.parse().ok()?, text.to_owned()))
    };
    Some(text.lines().map(|line| answer(line).unwrap_or_else(|| panic!("{text}"))).collect())
}

/// Checks what came of each line: its kind, and a part of its text.
#[track_caller]
fn came(answers: Option<Vec<(String, u64, String)>>, expected: &[(&str, &str)]) {
    let Some(answers) = answers else { return };
    let same = |((kind, _, text), (expected, part)): (&(String, u64, String), &(&str, &str))| {
        kind == expected && text.contains(part)
    };
    let all = answers.len() == expected.len() && answers.iter().zip(expected).all(same);
    assert!(all, "expected {expected:#?}, got {answers:#?}");
}

#[test]
fn other_protocols() {
    for (bytes, part) in [
        (&b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"[..], "HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "broke the protocol"),
        (b"\0\0\0\xff\xfe", "broke the protocol"),
    ] {
        let peer = Peer::says(bytes);
        came(ask(&peer.url(), "PING"), &[("unconnected", part)]);
        came(ask(&peer.url(), ""), &[("unconnected", "does it expect TLS?")]);
    }
}

#[test]
fn silence_ends_in_time() {
    let peer = Peer::says(b"");
    let Some(answers) = ask(&peer.url(), "PING") else { return };
    assert!((490..3000).contains(&answers[0].1), "{answers:?}");
    came(Some(answers), &[("unconnected", "in time")]);

    let peer = Peer::after_handshake(|_, mut requests| {
        while let Some(words) = requests.next() {
            if words[0] == b"STALL" {
                // Half an answer is none.
                requests.answer(b"$10\r\nabc");
                requests.wait_for_end();
                return;
            }
            requests.answer(b"+fine\r\n");
        }
    });
    let answers = ask(&peer.resp2(), "PING\nSTALL\nPING\ntimes 3 STALL\nPING").unwrap_or_default();
    assert!((490..3000).contains(&answers[2].1), "{answers:?}");
    let expected = [
        ("open", ""),
        ("answer", "fine"),
        ("unknown", "did not answer in time"),
        ("answer", "fine"),
        ("pipeline", "unknown 3"),
        ("answer", "fine"),
    ];
    came(Some(answers), &expected);
    assert_eq!(peer.accepted(), 3);
}

#[test]
fn a_peer_that_closes() {
    let peer = Peer::new(|_, mut stream| {
        let _ = stream.read(&mut [0; 4096]);
    });
    came(ask(&peer.url(), ""), &[("unconnected", "the server closed the connection")]);

    let peer = Peer::after_handshake(|_, mut requests| {
        requests.next();
        requests.answer(b"$100\r\nonly the beg");
    });
    let closed = ("unknown", "the server closed the connection");
    came(ask(&peer.resp2(), "GET k\nGET k"), &[("open", ""), closed, closed]);
    assert_eq!(peer.accepted(), 2, "none is tried a second time");
}

/// Closing with bytes unread makes the system send a reset instead of an end.
fn reset_after(answer: &[u8], mut stream: TcpStream) {
    let mut request = [0; 64];
    for _ in 0..2 {
        // The handshake: a client that says its name and version.
        let _ = stream.read(&mut request[..1]);
    }
    let _ = stream.write_all(answer);
    sleep(Duration::from_millis(50));
}

#[test]
fn a_reset_in_the_middle_of_an_answer() {
    let peer = Peer::new(|_, stream| reset_after(b"+O", stream));
    came(ask(&peer.url(), "PING"), &[("unconnected", "onnection")]);

    let peer = Peer::after_handshake(|_, requests| {
        reset_after(b"$100\r\nonly the beg", requests.into_stream());
    });
    let reset = ("unknown", "onnection");
    came(ask(&peer.resp2(), "GET k\nGET k"), &[("open", ""), reset, reset]);
    // Far more than fits on the way: it is cut while it is written.
    let Some(answers) = ask(&peer.resp2(), "times 200000 GET key") else { return };
    let (kind, _, text) = &answers[1];
    let parts: Vec<&str> = text.split(", ").collect();
    assert!(kind == "pipeline" && parts.len() == 2, "{answers:?}");
    assert!(parts[0].starts_with("unknown ") && parts[1].starts_with("not-sent "), "{answers:?}");
}

#[test]
fn answers_in_single_bytes() {
    let peer = Peer::responder(1, respire_core::testing::Responder::new);
    let lines = "SET k value\nGET k\ntimes 300 INCR n\nGET n";
    let expected =
        [("open", ""), ("answer", "OK"), ("answer", "value"), ("pipeline", "answer 300"), ("answer", "300")];
    came(ask(&format!("redis://{}", peer.address()), lines), &expected);
}

/// The host's words say what to do about it, the hint does not say something else.
#[test]
fn a_name_that_may_not_be_looked_up() {
    let denied = ("unconnected", "inherit-network,allow-ip-name-lookup; the network is the host's to grant");
    came(ask("redis://localhost:1", ""), &[denied]);
}

/// The server is replaced under the client: what was on its way is unknown, and it goes on.
#[test]
fn the_server_starts_again() {
    let Some(server) = redis() else { return };
    let lines = "SET k v\nSAVE\nDEBUG RESTART\nsleep 1500\nGET k\ntimes 10 INCR n";
    let expected = [
        ("open", ""),
        ("answer", "OK"),
        ("answer", "OK"),
        ("unknown", "closed the connection"),
        ("answer", "v"),
        ("pipeline", "answer 10"),
    ];
    came(ask(&server.url(), lines), &expected);

    // Ended while the client rests: it is found closed before anything is sent, and there is no other.
    let lines = "PING\nSHUTDOWN NOSAVE\nPING\nsleep 1200\nPING";
    let expected = [
        ("open", ""),
        ("answer", "PONG"),
        ("unknown", "closed the connection"),
        ("unconnected", "Connection refused"),
        ("unconnected", "Connection refused"),
    ];
    came(ask(&server.url(), lines), &expected);
}

/// A connection that was lost with a state that only its user knows.
#[test]
fn a_state_is_not_lost_silently() {
    let Some(server) = redis() else { return };
    let kill = "CLIENT KILL SKIPME no TYPE normal\nsleep 1200\nINCR n";
    let lines = format!("SELECT 3\nINCR n\n{kill}\nCLIENT SETNAME x\n{kill}\nINCR n");
    let expected = [
        ("open", ""),
        ("answer", "OK"),
        ("answer", "1"),
        ("answer", "1"),
        // The database goes along, a name does not.
        ("answer", "2"),
        ("answer", "OK"),
        ("answer", "1"),
        ("session-lost", ""),
        ("answer", "1"),
    ];
    came(ask(&server.url(), &lines), &expected);
}
