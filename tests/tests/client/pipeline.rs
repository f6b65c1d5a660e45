//! Pipelines of every shape, and the ones that fill every buffer on the way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use respire::prelude::*;
use respire::resp::{Done, FromReply, Reply};
use respire::{Dialer, Single, Url};
use respire_tests::{Kind, Server};

use crate::support::{Peer, everywhere, in_step, open, redis, within};

#[test]
fn a_tuple_has_a_type_for_each() {
    everywhere(|_, client| {
        let (a, b, c, d, e, f, g, h) = client
            .pipeline((
                set("k", "7"),
                get("k"),
                get("k").typed::<i64>(),
                incr("k"),
                strlen("k"),
                type_of("k"),
                mget(&["k", "no"]),
                raw("ECHO").arg("x").typed::<String>(),
            ))
            .wait()?;
        assert_eq!((a?, b?, c?, d?), (Some(Done), Some(b"7".to_vec()), 7, 8));
        assert_eq!((e?, f?.as_str(), g?, h?.as_str()), (1, "string", vec![Some(b"8".to_vec()), None], "x"));
        let (only,) = client.pipeline((incr("k"),)).wait()?;
        assert_eq!(only?, 9);
        Ok(())
    });
}

#[test]
fn slices_arrays_and_vectors() {
    everywhere(|_, client| {
        let requests = [incr("n"), incr("n"), incr("n")];
        let numbers = |results: Vec<Result<i64, _>>| results.into_iter().collect::<Result<Vec<i64>, _>>();
        assert_eq!(numbers(client.pipeline(&requests[..]).wait()?)?, [1, 2, 3]);
        assert_eq!(numbers(client.pipeline(&requests).wait()?)?, [4, 5, 6]);
        assert_eq!(numbers(client.pipeline(requests).wait()?)?, [7, 8, 9]);
        assert_eq!(numbers(client.pipeline(requests.to_vec()).wait()?)?, [10, 11, 12]);
        assert_eq!(numbers(client.pipeline(requests.iter().collect::<Vec<_>>()).wait()?)?, [13, 14, 15]);
        assert!(client.pipeline(Vec::<Get<'_>>::new()).wait()?.is_empty());
        Ok(())
    });
}

#[test]
fn ten_thousand() {
    everywhere(|_, client| {
        let results = client.pipeline(vec![incr("n"); 10_000]).wait()?;
        assert!(results.into_iter().map(Result::unwrap).eq(1..=10_000));
        let tokens: Vec<String> = (0..10_000).map(|i| format!("token {i}")).collect();
        let echos: Vec<_> = tokens.iter().map(|token| echo(token).typed::<String>()).collect();
        assert!(client.pipeline(echos).wait()?.into_iter().map(Result::unwrap).eq(tokens));
        Ok(())
    });
}

#[test]
fn each_has_its_own_fate() {
    everywhere(|_, client| {
        let (set, wrong, undecodable, good) = client
            .pipeline((set("s", "x"), incr("s"), get("s").typed::<i64>(), get("s").typed::<String>()))
            .wait()?;
        assert_eq!(set?, Some(Done));
        assert_eq!(wrong.unwrap_err().code(), Some("ERR"));
        assert!(matches!(undecodable, Err(respire::Error::Decode(_))));
        assert_eq!(good?, "x");

        let keys: Vec<&str> = (0..3000).map(|i| if i % 3 == 0 { "s" } else { "n" }).collect();
        let requests: Vec<_> = keys.iter().map(|key| incr(*key)).collect();
        let results = client.pipeline(requests).wait()?;
        assert_eq!(results.len(), 3000);
        let mut next = 1;
        for (i, result) in results.into_iter().enumerate() {
            if i % 3 == 0 {
                assert_eq!(result.unwrap_err().code(), Some("ERR"), "{i}");
            } else {
                assert_eq!(result?, next, "{i}");
                next += 1;
            }
        }
        Ok(())
    });
}

/// 64 payloads out and back, at the same time.
fn both_ways(url: &str, socket_buffers: Option<usize>, payload: usize) {
    let url: Url = url.parse().unwrap();
    let client = Single::with_dialer(Dialer { socket_buffers, ..Dialer::default() }, url).unwrap();
    let payloads: Vec<Vec<u8>> = (0..64_u8).map(|i| vec![i; payload]).collect();
    let echos: Vec<_> = payloads.iter().map(echo).collect();
    let answers = client.pipeline(echos).wait().unwrap();
    for (answer, payload) in answers.into_iter().zip(&payloads) {
        assert!(answer.unwrap() == *payload);
    }
    in_step(&client);
}

const DEADLOCK: Duration = Duration::from_secs(60);

#[test]
fn sixty_four_mebibytes_both_ways_through_tiny_sockets() {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).unix_socket().start();
        let path = server.unix_path().unwrap().display().to_string();
        within(DEADLOCK, move || both_ways(&format!("unix://{path}?timeout=30s"), Some(4096), 1 << 20));
        let url = format!("{}?timeout=30s", server.url());
        // With less, TCP itself sends one segment for every delayed acknowledgement.
        within(DEADLOCK, move || both_ways(&url, Some(64 << 10), 1 << 20));
    }
}

/// A server that reads no request before its last answer was taken, and a client that does not read
/// while it writes, wait for each other for ever.
#[test]
fn sixty_four_mebibytes_both_ways_with_a_strict_peer() {
    let peer = Peer::after_handshake(|_, mut requests| {
        while let Some(words) = requests.next() {
            let text = &words[1];
            let header = format!("${}\r\n", text.len());
            if !(requests.answer(header.as_bytes()) && requests.answer(text) && requests.answer(b"\r\n")) {
                return;
            }
        }
    });
    for buffers in [None, Some(128 << 10)] {
        let url = format!("redis://{}?protocol=2&timeout=30s", peer.address());
        within(DEADLOCK, move || both_ways(&url, buffers, 1 << 20));
    }
}

#[test]
fn many_small_requests_through_tiny_sockets() {
    let Some(server) = redis() else { return };
    let url: Url = server.url().parse().unwrap();
    within(DEADLOCK, move || {
        let client =
            Single::with_dialer(Dialer { socket_buffers: Some(4096), ..Dialer::default() }, url).unwrap();
        let results = client.pipeline(vec![incr("n"); 20_000]).wait().unwrap();
        assert!(results.into_iter().map(Result::unwrap).eq(1..=20_000));
    });
}

/// A value whose making goes wrong.
#[derive(Debug)]
struct Explosive;

impl<'a> FromReply<'a> for Explosive {
    fn from_reply(_: Reply<'a>) -> Result<Self, respire::errors::DecodeError> {
        panic!("as planned");
    }
}

/// What a panic leaves in flight is answered later, to nobody.
#[test]
fn a_panic_does_not_shift_the_answers() {
    let Some(server) = redis() else { return };
    let client = open(&server.url());
    let tokens: Vec<String> = (0..200).map(|i| format!("token {i}")).collect();
    for _ in 0..3 {
        let broken = catch_unwind(AssertUnwindSafe(|| {
            let requests: Vec<_> = tokens.iter().map(|_| echo("stale").typed::<Explosive>()).collect();
            client.pipeline(requests).wait().map(drop)
        }));
        assert!(broken.is_err());
        let echos: Vec<_> = tokens.iter().map(|token| echo(token).typed::<String>()).collect();
        let answers = client.pipeline(echos).wait().unwrap();
        assert!(answers.into_iter().map(Result::unwrap).eq(tokens.iter().cloned()));

        let broken = catch_unwind(AssertUnwindSafe(|| client.echo::<Explosive>("stale").wait().map(drop)));
        assert!(broken.is_err());
        in_step(&client);
    }
}
