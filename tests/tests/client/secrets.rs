//! The password is in no message.

use std::io::Read;

use respire::prelude::*;
use respire::{Error, Single, Subscriber, Url};
use respire_core::testing::Responder;
use respire_tests::{Kind, Server};

use crate::support::{Peer, lost, ms};

const CANARY: &str = "canary5f1d";

/// Keeps quiet about a text that has the password in it: the test's own output would show it.
fn clean(what: &str, shown: &str) {
    assert!(!shown.contains(CANARY) && !shown.contains("5f1d"), "{what} shows the password");
}

fn clean_error(what: &str, error: &Error) {
    clean(what, &format!("{error}"));
    clean(what, &format!("{error:?}"));
    clean(what, &format!("{error:#?}"));
    if let Error::Connect(error) = error {
        clean(what, &format!("{error} {error:?} {} {:?} {}", error.cause, error.tried, error.hint()));
    }
}

fn fails(what: &str, url: &str) {
    match Single::open(url) {
        Ok(_) => panic!("{what} works"),
        Err(error) => clean_error(what, &error),
    }
    if let Err(error) = Subscriber::open(url) {
        clean_error(what, &error);
    }
}

#[test]
fn urls_that_are_wrong() {
    for url in [
        format!("redis//u:{CANARY}@h"),
        format!("http://u:{CANARY}@h"),
        format!("rediss://u:{CANARY}@h:port"),
        format!("redis://u:{CANARY}@"),
        format!("redis://u:{CANARY}@h:port"),
        format!("redis://u:{CANARY}@h/db"),
        format!("redis://u:{CANARY}@h?colour=red"),
        format!("redis://u:{CANARY}@h?timeout=soon"),
        format!("redis://u:{CANARY}%ff@h"),
        format!("redis://u:{CANARY}@[::1"),
        format!("unix://u:{CANARY}@h/path"),
        // Passwords that had to be percent-encoded, and were not.
        format!("redis://u:{CANARY}/x@h"),
        format!("redis://u:x/{CANARY}@h"),
        format!("redis://u:1/{CANARY}@h"),
        format!("redis://u:1?{CANARY}@h"),
        format!("redis://u:1?{CANARY}=x@h"),
        format!("redis://u:1?x&{CANARY}@h"),
        format!("redis://u:1?x={CANARY}@h"),
        format!("redis://u:1?db={CANARY}@h"),
    ] {
        let error = url.parse::<Url>().expect_err("a bad URL");
        clean(&url.replace(CANARY, "…"), &format!("{error} {error:?}"));
        fails("a URL", &url);
    }
}

#[test]
fn connections_that_stand() {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).args(["--requirepass", CANARY]).start();
        let address = server.addr();
        for option in ["", "?protocol=2"] {
            let text = format!("redis://:{CANARY}@{address}{option}");
            let url: Url = text.parse().unwrap();
            clean("a URL", &format!("{url:?} {url:#?} {:?}", url.endpoint));
            let client = Single::open(&text).unwrap();
            clean("a client", &format!("{client:?} {client:#?}"));
            clean("a subscriber", &format!("{:?}", Subscriber::open(&text).unwrap()));
            clean("a call", &format!("{:?}", client.auth("default", CANARY)));
            clean("a raw call", &format!("{:?}", client.send(raw("AUTH").arg(CANARY))));
            clean("a pipeline", &format!("{:?}", client.pipeline((auth("default", CANARY), ping()))));
            client.auth("default", CANARY).wait().unwrap();
            clean("a client", &format!("{client:?}"));
            let cause = client.send(raw("DEBUG SLEEP 0.3")).timeout(ms(50)).wait();
            clean_error("a lost connection", cause.as_ref().unwrap_err());
            lost(cause);
            clean("a client without its connection", &format!("{client:?}"));
        }
    }
}

#[test]
fn connections_that_do_not_come_about() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fails("a refused connection", &format!("redis://u:{CANARY}@{nobody}"));
    fails("a name without an address", &format!("redis://u:{CANARY}@no-such-host.invalid"));
    fails("no socket", &format!("unix://u:{CANARY}@/nowhere/redis.sock"));
    let slow = "?connect_timeout=100ms";
    for (what, peer) in [
        ("a web server", Peer::says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("silence", Peer::says(b"")),
        ("a TLS server", Peer::says(b"\x15\x03\x01\x00\x02\x02\x46")),
        ("an old server", Peer::responder(4096, || Responder::new().without_hello().with_password(b"other"))),
        ("another password", Peer::responder(4096, || Responder::new().with_password(b"other"))),
    ] {
        for protocol in ["", "&protocol=2", "&protocol=3"] {
            fails(what, &format!("redis://u:{CANARY}@{}{slow}{protocol}", peer.address()));
        }
    }
    // Redis 5 repeats the arguments of a command that it does not know.
    let repeating = Peer::new(|_, mut stream| {
        let mut buffer = [0; 4096];
        let n = stream.read(&mut buffer).unwrap_or(0);
        let words = String::from_utf8_lossy(&buffer[..n]).replace("\r\n", " ");
        let line = format!("-ERR unknown command `HELLO`, with args beginning with: {words}\r\n");
        let _ = std::io::Write::write_all(&mut stream, line.as_bytes());
        let _ = stream.read_to_end(&mut Vec::new());
    });
    fails(
        "a server that repeats us",
        &format!("redis://u:{CANARY}@{}{slow}&protocol=3", repeating.address()),
    );
}
