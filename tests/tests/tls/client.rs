//! The client that threads share, with TLS.

use std::thread;

use respire::prelude::*;
use respire::{Cause, Client, Dialer, Error, Tls};

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
