//! What works without TLS works with it.

use std::sync::Arc;

use respire::prelude::*;
use respire::rustls::crypto::ring;
use respire::rustls::version::{TLS12, TLS13};
use respire::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use respire::{Dialer, Single, Subscriber, Tls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::support::{LIMIT, Secure, Tap, leaf, open, refused, secure, visitor};

/// 8 MiB that nobody compresses, the same several times both ways at once, and a long pipeline.
fn there_and_back(client: &Single) {
    assert_eq!(client.ping::<String>().wait().unwrap(), "PONG");
    let value: Vec<u8> = (0..8_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    client.set("large", &value).wait().unwrap();
    assert!(client.get::<Vec<u8>>("large").wait().unwrap() == value);
    let echos: Vec<_> = (0..4).map(|_| echo(&value)).collect();
    for echoed in client.pipeline(echos).wait().unwrap() {
        assert!(echoed.unwrap() == value);
    }
    let many: Vec<_> = (0..10_000).map(|_| incr("visits")).collect();
    let visits = client.pipeline(many).wait().unwrap().into_iter().map(Result::unwrap);
    assert!(visits.eq(1..=10_000_i64));
}

/// rustls' own configuration: only this version.
fn only(server: &Secure, version: &'static SupportedProtocolVersion) -> Tls {
    let mut roots = RootCertStore::empty();
    let pem = server.authority.pem.as_bytes();
    roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(&[version]).unwrap();
    Tls::new().config(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// S0-SEC-01, S1-OPT-08: with either version of TLS, and a configuration of the user's own.
#[test]
fn large_values_and_pipelines() {
    let Some(server) = secure(&[]) else { return };
    for version in [&TLS12, &TLS13] {
        let client = open(&only(&server, version), &format!("{}?timeout=30s", server.url()));
        client.flush_all().wait().unwrap();
        there_and_back(&client);
    }
}

/// S0-SEC-01: a server that has TLS 1.2 only, and one that has 1.3 only.
#[test]
fn both_versions() {
    for (version, other) in [("TLSv1.2", &TLS13), ("TLSv1.3", &TLS12)] {
        let Some(server) = secure(&["--tls-protocols", version]) else { return };
        assert_eq!(server.client().ping::<String>().wait().unwrap(), "PONG");
        let shown = refused(&only(&server, other), &server.url()).to_string();
        assert!(
            shown.ends_with("do both sides have a version of TLS in common, and is it the right port?"),
            "{shown}"
        );
    }
}

/// What is encrypted and waits for a socket that is full goes out in time, also when nothing else is to be written.
#[test]
fn tiny_sockets() {
    let Some(server) = secure(&[]) else { return };
    let tls = Some(server.tls());
    let dialer = Dialer { tls, socket_buffers: Some(64 << 10), ..Dialer::default() };
    let client =
        Single::with_dialer(dialer, format!("{}?timeout=60s", server.url()).parse().unwrap()).unwrap();
    there_and_back(&client);
}

/// S0-SEC-01: messages over TLS.
#[test]
fn publish_and_subscribe() {
    let Some(server) = secure(&[]) else { return };
    let url = server.url().parse().unwrap();
    let mut news = Subscriber::connect(Dialer::tls(server.tls()), &url).unwrap();
    news.subscribe("news").unwrap();
    let client = server.client();
    for n in 0..1000 {
        assert_eq!(client.publish("news", n).wait().unwrap(), 1);
    }
    for n in 0..1000 {
        let message = news.next(Some(LIMIT)).unwrap().expect("a message");
        assert_eq!(message.payload, n.to_string().as_bytes());
    }
}

/// S3-CONF-03: a server that lets nobody in without a certificate.
#[test]
fn both_sides_have_a_certificate() {
    let Some(server) = secure(&["--tls-auth-clients", "yes"]) else { return };
    let us = server.authority.issue(&visitor("app"));
    let known = server.tls().client_cert_pem(us.cert.clone(), us.key.clone());
    there_and_back(&open(&known, &server.url()));
    let files = (server.folder.put("app.pem", &us.cert), server.folder.put("app.key", &us.key));
    let ca = server.folder.path().join("ca.pem");
    let known = Tls::new().ca_file(ca).client_cert(files.0, files.1);
    assert_eq!(open(&known, &server.url()).ping::<String>().wait().unwrap(), "PONG");
}

/// S0-SEC-01: an address is verified as an address, and no name is sent.
#[test]
fn an_address() {
    let Some(server) = secure(&[]) else { return };
    let tap = Tap::new(server.address());
    let client = open(&server.tls(), &format!("rediss://127.0.0.1:{}", tap.port()));
    assert_eq!(client.ping::<String>().wait().unwrap(), "PONG");
    let sent = tap.sent();
    assert!(!sent.windows(9).any(|bytes| bytes == b"localhost" || bytes == b"127.0.0.1"));
}

/// S0-SEC-01, S3-CONF-03: another name than the URL's is sent (SNI), and verified.
#[test]
fn another_name() {
    let Some(server) = secure(&[]) else { return };
    server.show(&server.authority.issue(&leaf(&["redis.internal"])));
    let tap = Tap::new(server.address());
    let tls = server.tls().server_name("redis.internal");
    assert_eq!(open(&tls, &tap.url()).ping::<String>().wait().unwrap(), "PONG");
    assert!(tap.sent().windows(14).any(|bytes| bytes == b"redis.internal"));
    let shown = refused(&server.tls(), &tap.url()).to_string();
    assert!(shown.contains("not valid for name \"localhost\""), "{shown}");
    let shown = refused(&server.tls().server_name("no name"), &tap.url()).to_string();
    assert!(shown.contains("\"no name\" is no name that a certificate can be for"), "{shown}");
}

/// S1-OPT-08: another provider, and `redis://` with a dialer that makes TLS.
#[test]
fn tls_by_the_dialer() {
    let Some(server) = secure(&[]) else { return };
    let mut provider = ring::default_provider();
    provider.cipher_suites.truncate(1);
    let tls = server.tls().provider(Arc::new(provider));
    let client = open(&tls, &format!("redis://localhost:{}", server.port));
    assert_eq!(client.ping::<String>().wait().unwrap(), "PONG");
}

/// S1-OPT-08: the options of a configuration.
#[test]
fn by_options() {
    let Some(server) = secure(&[]) else { return };
    let path = server.folder.path().join("ca.pem");
    let mut options = respire::config::Config::URL.tls;
    assert!(Tls::configured(&options).is_none());
    options.status = true;
    options.ca = path.to_str();
    let client = open(&Tls::configured(&options).unwrap(), &server.url());
    assert_eq!(client.ping::<String>().wait().unwrap(), "PONG");
    options.server_name = Some("redis.internal");
    refused(&Tls::configured(&options).unwrap(), &server.url());
}
