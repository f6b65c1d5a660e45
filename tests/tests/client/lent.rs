//! Values that are long enough to be written from where they lie.

use std::io::{Read, Write};
use std::time::Duration;

use respire::prelude::*;
use respire::resp::Done;
use respire::{Dialer, Error, Single, Url};
use respire_tests::{Kind, Server};

use crate::support::{Peer, everywhere, in_step, lost, redis, within};
use crate::values::{buffer_sizes, noise};

const DEADLOCK: Duration = Duration::from_secs(60);

#[test]
fn values_around_the_length_at_which_it_begins() {
    everywhere(|_, client| {
        for len in [4094, 4095, 4096, 4097, 5000, 70_000] {
            let value = noise(len);
            assert_eq!(client.set(&value, &value).ex(60).wait()?, Some(Done), "a key as well");
            let again: Vec<u8> = client.get(&value).wait()?;
            assert!(again == value, "{len} bytes");
            let echoed: Vec<u8> = client.echo(&value).wait()?;
            assert!(echoed == value, "{len} bytes");
            let (longest, shortest) = (noise(2 * len), noise(1));
            client.send(raw("RPUSH").key("list").arg(&value).arg(&longest).arg(&shortest)).wait()?;
            let list: Vec<Vec<u8>> = client.send(raw("LRANGE list 0 -1").typed()).wait()?;
            assert!(list == [value, longest, shortest], "{len} bytes");
            client.del("list").wait()?;
        }
        in_step(client);
        Ok(())
    });
}

/// Sets and gets values, with kernel buffers that hold a small part of them.
fn there_and_back(url: &str, socket_buffers: usize) {
    let url: Url = url.parse().unwrap();
    let client =
        Single::with_dialer(Dialer { socket_buffers: Some(socket_buffers), ..Dialer::default() }, url)
            .unwrap();
    let rest = buffer_sizes(&client);
    for len in [1 << 20, 64 << 20] {
        let value = noise(len);
        assert_eq!(client.set("large", &value).wait().unwrap(), Some(Done));
        assert_eq!(buffer_sizes(&client), rest, "no copy of {len} bytes");
        assert_eq!(client.strlen("large").wait().unwrap(), len as i64);
        let same = client.send(get("large")).wait_with(|reply| Ok(reply.get::<&[u8]>()? == value)).unwrap();
        assert!(same, "{len} bytes");
        let same = client.send(echo(&value)).wait_with(|reply| Ok(reply.get::<&[u8]>()? == value)).unwrap();
        assert!(same, "{len} bytes");
        assert_eq!(buffer_sizes(&client)[1], rest[1], "no copy of {len} bytes");
        if len == 1 << 20 {
            client.send(raw("RESET")).wait().unwrap();
            assert_eq!(client.strlen("large").wait().unwrap(), len as i64);
        }
    }
    in_step(&client);
}

#[test]
fn large_values_through_small_sockets() {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).unix_socket().start();
        let path = server.unix_path().unwrap().display().to_string();
        within(DEADLOCK, move || there_and_back(&format!("unix://{path}?timeout=30s"), 4096));
        let url = format!("{}?timeout=30s", server.url());
        // With less, TCP itself sends one segment for every delayed acknowledgement.
        within(DEADLOCK, move || there_and_back(&url, 64 << 10));
    }
}

#[test]
fn messages_and_answers_while_it_is_written() {
    // Reads a little, says a lot, and reads on only when that was taken.
    const MESSAGE: &[u8] = b">2\r\n+message\r\n$5\r\nhello\r\n";
    let peer = Peer::after_handshake(|_, requests| {
        let mut stream = requests.into_stream();
        let mut left = whole_len(8 << 20);
        let mut piece = vec![0; 256 << 10];
        while left > 0 {
            let n = stream.read(&mut piece).unwrap();
            left -= n;
            stream.write_all(&MESSAGE.repeat(2 * n / MESSAGE.len())).unwrap();
        }
        stream.write_all(b"+OK\r\n").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let url: Url = format!("redis://{}?protocol=2&timeout=30s", peer.address()).parse().unwrap();
    within(DEADLOCK, move || {
        let client =
            Single::with_dialer(Dialer { socket_buffers: Some(64 << 10), ..Dialer::default() }, url).unwrap();
        assert_eq!(client.set("key", &noise(8 << 20)).wait().unwrap(), Some(Done));
    });
}

/// The length of `SET key …` with so long a value.
fn whole_len(len: usize) -> usize {
    format!("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n${len}\r\n\r\n").len() + len
}

/// A client of a peer that takes a part of a value, and then says its last words to the first one.
fn half_way(words: &'static [u8]) -> (Peer, Single) {
    let peer = Peer::after_handshake(move |number, mut requests| {
        if number == 0 {
            let mut stream = requests.into_stream();
            stream.read_exact(&mut [0; 10_000]).unwrap();
            stream.write_all(words).unwrap();
            if !words.is_empty() {
                let _ = stream.read_to_end(&mut Vec::new());
            }
            return;
        }
        while let Some(words) = requests.next() {
            requests.answer(if words[0] == b"ECHO" { b"$3\r\none\r\n" } else { b"+OK\r\n" });
        }
    });
    let url: Url = format!("redis://{}?protocol=2&timeout=20s", peer.address()).parse().unwrap();
    let client =
        Single::with_dialer(Dialer { socket_buffers: Some(64 << 10), ..Dialer::default() }, url).unwrap();
    (peer, client)
}

#[test]
fn an_error_half_way_is_the_answer() {
    within(DEADLOCK, || {
        let (peer, client) = half_way(b"-ERR Protocol error: invalid bulk length\r\n");
        let value = noise(16 << 20);
        let error = client.set("key", &value).wait().unwrap_err();
        let Error::Server(words) = &error else { panic!("{error:?}") };
        assert_eq!(words.to_string(), "ERR Protocol error: invalid bulk length");
        // The connection cannot go on, and is replaced.
        let echo: String = client.echo("one").wait().unwrap();
        assert_eq!((echo.as_str(), peer.accepted()), ("one", 2));
        assert_eq!(client.set("key", &value).wait().unwrap(), Some(Done));
        assert_eq!(peer.accepted(), 2);
    });
}

#[test]
fn an_end_half_way_is_unknown() {
    within(DEADLOCK, || {
        let (peer, client) = half_way(b"");
        let value = noise(16 << 20);
        lost(client.set("key", &value).wait());
        assert_eq!(client.set("key", &value).wait().unwrap(), Some(Done));
        assert_eq!(peer.accepted(), 2);
    });
}

#[test]
fn a_server_s_limit_is_an_error_or_an_end() {
    let Some(server) = redis() else { return };
    let client = crate::support::open(&format!("{}?timeout=20s", server.url()));
    client.send(raw("CONFIG SET proto-max-bulk-len 1048576")).wait().unwrap();
    let value = noise((8 << 20) + 1);
    // The server closes with bytes unread, so its words may be lost on the way.
    match client.set("key", &value).wait() {
        Err(Error::Server(words)) => assert!(words.to_string().contains("bulk length"), "{words}"),
        other => drop(lost(other)),
    }
    assert_eq!(client.set("key", &value[..1 << 20]).wait().unwrap(), Some(Done));
    in_step(&client);
}
