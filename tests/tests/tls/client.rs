//! The client that threads share, with TLS.

use std::thread;

use respire::prelude::*;
use respire::{Cause, Client, Dialer, Error, Notice, Tls};

use crate::support::{Authority, Secure, secure};

fn open(server: &Secure, tls: Tls) -> Result<Client, Error> {
    Client::builder(server.url().parse().unwrap()).dialer(Dialer::tls(tls)).connect()
}

/// S0-SEC-01: values of half a MiB and many requests, from several threads.
#[test]
fn everything_works() {
    let Some(server) = secure(&[]) else { return };
    let client = open(&server, server.tls()).unwrap();
    let value: Vec<u8> = (0..1_u32 << 19).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert!(client.echo::<Vec<u8>>(&value).wait().unwrap() == value);
                (0..500).for_each(|_| assert!(client.incr("visits").wait().unwrap() > 0));
            });
        }
    });
    assert_eq!(client.incr("visits").wait().unwrap(), 2001);
}

/// S0-SEC-01, S1-CLI-04: all that a client does besides single requests, over TLS as without.
#[test]
fn all_parts_of_a_client() {
    let Some(server) = secure(&[]) else { return };
    let client = open(&server, server.tls()).unwrap();
    let conn = client.conn().wait().unwrap();
    conn.select(3).wait().unwrap();
    conn.set("k", "three").wait().unwrap();
    assert_eq!(client.get::<Option<String>>("k").wait().unwrap(), None);
    drop(conn);

    let (a, b) = client.transaction((incr("n"), incr("n"))).wait().unwrap();
    assert_eq!((a.unwrap(), b.unwrap()), (1, 2));
    let doubled =
        client.check_and_set("n", 3, |conn| Ok(Some([set("n", 2 * conn.get::<i64>("n").wait()?)]))).unwrap();
    assert!(doubled.is_some());
    assert_eq!(respire::block_on(async { client.get::<i64>("n").await }).unwrap(), 4);

    let numbers = client.pipeline(vec![incr("m"); 2500]).wait().unwrap();
    assert!(numbers.into_iter().map(Result::unwrap).eq(1..=2500));
    let value = vec![7; 1 << 20];
    assert!(client.pipeline(vec![set("large", &value); 8]).wait().unwrap().iter().all(Result::is_ok));
    // Long arguments, which are written from where they lie, from several threads.
    let other = client.clone();
    thread::scope(|scope| {
        for len in [32 << 10, 60 << 10, (64 << 10) - 40, 64 << 10, 300 << 10, 8 << 20] {
            let other = &other;
            scope.spawn(move || {
                let key = format!("long {len}");
                for _ in 0..5 {
                    other.set(&key, &vec![7; len]).wait().unwrap();
                    assert_eq!(other.strlen(&key).wait().unwrap(), len as i64);
                }
            });
        }
    });

    let mut news = client.subscribe("c").wait().unwrap();
    for n in 0..100 {
        client.publish("c", n).wait().unwrap();
        let Some(Notice::Message(message)) = news.next() else { panic!("a message") };
        assert_eq!(message.payload, n.to_string().into_bytes());
    }

    let bulk = client.bulk().start();
    (0..5000).for_each(|n| assert!(bulk.push(&set(&format!("k{n}"), n)).is_ok()));
    bulk.close();
    let results: Vec<_> = std::iter::from_fn(|| bulk.next_blocking()).collect();
    assert!(results.len() == 5000 && results.iter().all(|result| result.answer.is_ok()));

    thread::scope(|scope| {
        let waits = scope.spawn(|| client.send(words(&["BLPOP", "list", "10"])).wait());
        client.send(raw("RPUSH").key("list").arg(1)).wait().unwrap();
        assert!(waits.join().unwrap().is_ok());
    });
    client.close().wait().unwrap();
    assert_eq!(news.next(), None);
    assert!(client.incr("n").wait().is_err());
}

/// S0-SEC-01, S3-CONN-04: who cannot prove to be the server is refused, with rustls' own words and a hint.
#[test]
fn a_stranger_is_refused() {
    let Some(server) = secure(&[]) else { return };
    let Err(Error::Connect(error)) = open(&server, Tls::new().ca_pem(Authority::new("another").pem)) else {
        panic!("connected")
    };
    assert!(matches!(&error.cause, Cause::Transport(cause) if Tls::error(cause).is_some()), "{error:?}");
    assert!(error.hint().starts_with("its authority is not trusted here"), "{error}");
}
