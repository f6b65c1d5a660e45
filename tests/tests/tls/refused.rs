//! Who is not spoken to, and what he does not get to see.

use std::fs;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd};
use respire::prelude::*;
use respire::rustls::{self, AlertDescription, CertificateError, InvalidMessage};
use respire::{Cause, ConnectError, Tls};
use respire_tests::Peer;

use crate::support::{Authority, LIMIT, Pair, Secure, Tap, leaf, open, records, refused, secure, visitor};

/// What rustls found.
fn found(error: &ConnectError) -> &rustls::Error {
    match &error.cause {
        Cause::Transport(cause) => Tls::error(cause).unwrap_or_else(|| panic!("{error}")),
        other => panic!("{other:?}"),
    }
}

/// Certificates that prove nothing, and the words that say why.
fn bad(server: &Secure) -> Vec<(&'static str, Pair, &'static str)> {
    let ours = |params| server.authority.issue(&params);
    let localhost = || leaf(&["localhost", "127.0.0.1"]);
    let mut expired = localhost();
    expired.not_after = date_time_ymd(2021, 1, 1);
    let mut early = localhost();
    early.not_before = date_time_ymd(2099, 1, 1);
    let mut usage = localhost();
    usage.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let mut authority = localhost();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let mut common_name = leaf(&[]);
    common_name.distinguished_name.push(DnType::CommonName, "localhost");
    let key = KeyPair::generate().unwrap();
    let alone = Pair { cert: localhost().self_signed(&key).unwrap().pem(), key: key.serialize_pem() };
    // The same name, another key.
    let impostor = Authority::new("the authority");
    vec![
        ("of another host", ours(leaf(&["redis.internal"])), "not valid for name"),
        ("of a host whose name begins like ours", ours(leaf(&["localhost.example"])), "not valid for name"),
        ("of another address only", ours(leaf(&["127.0.0.2"])), "not valid for name"),
        ("with the name in its subject only", ours(common_name), "not valid for name"),
        ("expired", ours(expired), "expired"),
        ("not valid yet", ours(early), "not valid yet"),
        ("for clients only", ours(usage), "certificate does not allow extended key usage"),
        ("of an authority as it is", ours(authority), "CaUsedAsEndEntity"),
        ("signed by itself", alone, "UnknownIssuer"),
        ("of an unknown authority", Authority::new("another").issue(&localhost()), "UnknownIssuer"),
        ("of one that has the right name", impostor.issue(&localhost()), "BadSignature"),
    ]
}

/// S0-SEC-01, S3-CONF-03, S3-CONN-04: no bad certificate is accepted, with either version of TLS; and nothing that was
/// to be secret has left by then: neither a login nor anything else but the handshake.
#[test]
fn bad_certificates_are_not_accepted() {
    let (mut accepted, mut shown_count) = (0, 0);
    for version in ["TLSv1.2", "TLSv1.3"] {
        let Some(server) = secure(&["--tls-protocols", version, "--requirepass", "sesame"]) else { return };
        // What would come out in the clear, if it did.
        let login = |port| format!("rediss://:sesame@localhost:{port}?connect_timeout=5s");
        let good = Tap::new(server.address());
        assert_eq!(open(&server.tls(), &login(good.port())).ping::<String>().wait().unwrap(), "PONG");
        assert!(said(&good) > 0, "{:?}", records(&good.sent()));
        let bad = bad(&server);
        for (name, pair, words) in &bad {
            server.show_with("sesame", pair);
            let tap = Tap::new(server.address());
            let start = Instant::now();
            match crate::support::attempt(&server.tls(), &login(tap.port())) {
                Ok(_) => accepted += 1,
                Err(respire::Error::Connect(error)) => {
                    let shown = format!("{error} {:?}", found(&error));
                    assert!(shown.contains(words), "{name}: {shown}");
                    let kind = matches!(found(&error), rustls::Error::InvalidCertificate(_));
                    assert!(kind, "{name}: {shown}");
                }
                Err(other) => panic!("{name}: {other}"),
            }
            assert!(start.elapsed() < LIMIT, "{name}");
            assert_eq!(said(&tap), 0, "{name}: {:?}", records(&tap.sent()));
            shown_count += 1;
        }
    }
    println!("accepted bad certificates = {accepted} of {shown_count}");
    assert_eq!((accepted, shown_count), (0, 22));
}

/// How many records the application sent. In TLS 1.3 an alert, of 19 bytes, and the end of the handshake look like one.
fn said(tap: &Tap) -> usize {
    let ends = [19, 53, 69];
    let is_said = |(kind, length): &(u8, usize)| *kind == 23 && !ends.contains(length);
    assert!(tap.sent().starts_with(&[22, 3, 1]), "it begins with a hello");
    records(&tap.sent()).iter().filter(|record| is_said(record)).count()
}

/// S3-CONN-04: what to do about it.
#[test]
fn each_has_a_hint() {
    let Some(server) = secure(&[]) else { return };
    let stranger = refused(&Tls::new().ca_pem(Authority::new("another").pem), &server.url());
    assert_eq!(*found(&stranger), rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer));
    assert!(stranger.hint().starts_with("its authority is not trusted here: "), "{stranger}");
    // The system does not know an authority that was made a moment ago.
    let system = respire::Single::open(&server.url());
    assert!(matches!(system, Err(respire::Error::Connect(_))), "{system:?}");
    server.show(&server.authority.issue(&leaf(&["redis.internal"])));
    assert!(refused(&server.tls(), &server.url()).hint().starts_with("it is another host's: "));
    let mut expired = leaf(&["localhost"]);
    expired.not_after = date_time_ymd(2021, 1, 1);
    server.show(&server.authority.issue(&expired));
    assert!(refused(&server.tls(), &server.url()).hint().starts_with("it is not valid now: "));
}

/// S3-CONF-03: whoever asks for it is let in anywhere.
#[test]
fn any_certificate_if_asked_for() {
    let Some(server) = secure(&[]) else { return };
    let tls = Tls::new().dangerous_accept_any_certificate();
    for (name, pair, _) in bad(&server) {
        server.show(&pair);
        let client =
            crate::support::attempt(&tls, &server.url()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(client.ping::<String>().wait().unwrap(), "PONG", "{name}");
    }
}

/// S3-CONF-03, S3-CONN-04: the server lets nobody in without a certificate, or with one that it does not trust.
#[test]
fn the_server_refuses_us() {
    for (version, alert) in
        [("TLSv1.2", AlertDescription::HandshakeFailure), ("TLSv1.3", AlertDescription::CertificateRequired)]
    {
        let arguments = ["--tls-auth-clients", "yes", "--tls-protocols", version];
        let Some(server) = secure(&arguments) else { return };
        let nobody = refused(&server.tls(), &server.url());
        assert_eq!(*found(&nobody), rustls::Error::AlertReceived(alert), "{version}");
        assert!(nobody.hint().starts_with("the server wants a certificate that it trusts"), "{nobody}");
        let pair = Authority::new("another").issue(&visitor("app"));
        let stranger = refused(&server.tls().client_cert_pem(pair.cert, pair.key), &server.url());
        assert!(matches!(found(&stranger), rustls::Error::AlertReceived(_)), "{version}: {stranger}");
    }
}

/// S3-CONN-04: a port without TLS, and a peer that says nothing: within the deadline, and with a hint.
#[test]
fn no_tls_there() {
    let Some(server) = secure(&[]) else { return };
    let mute = Peer::says(b"");
    let http = Peer::says(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let gone = Peer::new(|_, stream| drop(stream));
    for port in [server.server.port(), mute.address().port(), http.address().port(), gone.address().port()] {
        let start = Instant::now();
        let error =
            refused(&server.tls(), &format!("rediss://:sesame@127.0.0.1:{port}?connect_timeout=500ms"));
        assert!(start.elapsed() < Duration::from_secs(10), "{error}");
        assert!(error.hint().contains("without") && error.hint().contains("redis://"), "{error}");
    }
    let error = refused(&server.tls(), &format!("rediss://127.0.0.1:{}", http.address().port()));
    assert_eq!(*found(&error), rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType));
}

/// S3-CONN-04: TLS there, and none here.
#[test]
fn tls_there_only() {
    let Some(server) = secure(&[]) else { return };
    let start = Instant::now();
    let plain = respire::Single::open(&format!("redis://localhost:{}?connect_timeout=500ms", server.port));
    let shown = plain.unwrap_err().to_string();
    assert!(shown.contains("does it expect TLS?") || shown.contains("looks like a TLS server"), "{shown}");
    assert!(start.elapsed() < LIMIT);
}

/// S1-OPT-08: files that are of no use are named.
#[test]
fn files_that_are_none() {
    let Some(server) = secure(&[]) else { return };
    let folder = &server.folder;
    let empty = folder.put("empty.pem", "");
    let secret = folder.put("secret.key", "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n");
    let ours = server.authority.issue(&visitor("app"));
    let cert = folder.put("ours.pem", &ours.cert);
    let others = folder.put("others.key", &server.authority.issue(&visitor("app")).key);
    let missing = folder.path().join("missing.pem");
    fs::create_dir(folder.path().join("nothing")).unwrap();
    for (tls, name) in [
        (Tls::new().ca_file(&missing), "missing.pem"),
        (Tls::new().ca_file(&empty), "empty.pem"),
        (Tls::new().ca_file(folder.path()), "respire-tls"),
        (Tls::new().ca_dir(folder.path().join("nothing")), "nothing"),
        (Tls::new().ca_pem("no PEM"), "the PEM text"),
        (server.tls().client_cert(&cert, &missing), "missing.pem"),
        (server.tls().client_cert(&cert, &secret), "secret.key"),
        (server.tls().client_cert(&cert, &others), "ours.pem"),
    ] {
        let error = refused(&tls, &server.url());
        let shown = format!("{error} {error:?} {tls:?}");
        assert!(shown.contains(name) && !shown.contains("canary"), "{shown}");
        assert!(error.hint().starts_with("the files for TLS must be there"), "{shown}");
    }
    let tls = Tls::new().client_cert_pem("canary", "canary").ca_pem("canary");
    assert!(!format!("{tls:?}").contains("canary"));
}
