//! Files that change while a program runs.

use std::fs;

use respire::Tls;
use respire::prelude::*;

use crate::support::{Authority, leaf, open, refused, secure, visitor};

/// S1-OPT-08: each dial uses the certificate of today; one that is broken does not take the place of one that was good.
#[test]
fn certificates_are_read_again() {
    let Some(server) = secure(&["--tls-auth-clients", "yes"]) else { return };
    let ours = server.authority.issue(&visitor("app"));
    let (cert, key) = (server.folder.put("app.pem", &ours.cert), server.folder.put("app.key", &ours.key));
    let tls = server.tls().client_cert(&cert, &key);
    let works = |tls: &Tls| assert_eq!(open(tls, &server.url()).ping::<String>().wait().unwrap(), "PONG");
    works(&tls);
    // Half written; gone; another's key.
    let next = server.authority.issue(&visitor("next"));
    fs::write(&cert, &next.cert[..next.cert.len() / 2]).unwrap();
    works(&tls);
    fs::remove_file(&cert).unwrap();
    works(&tls);
    fs::write(&cert, &next.cert).unwrap();
    works(&tls);
    fs::write(&key, &next.key).unwrap();
    works(&tls);
    // It was read: one that the server does not trust is of no use.
    let stranger = Authority::new("another").issue(&visitor("app"));
    fs::write(&cert, &stranger.cert).unwrap();
    fs::write(&key, &stranger.key).unwrap();
    refused(&tls, &server.url());
    fs::write(&cert, &ours.cert).unwrap();
    fs::write(&key, &ours.key).unwrap();
    works(&tls);
}

/// S1-OPT-08: the same with authorities, from a file, a folder or both.
#[test]
fn authorities_are_read_again() {
    let Some(server) = secure(&[]) else { return };
    let others = Authority::new("another");
    let file = server.folder.put("trusted.pem", &others.pem);
    let tls = Tls::new().ca_file(&file);
    refused(&tls, &server.url());
    fs::write(&file, format!("{}{}", others.pem, server.authority.pem)).unwrap();
    open(&tls, &server.url());
    fs::write(&file, &others.pem).unwrap();
    refused(&tls, &server.url());

    let folder = server.folder.path().join("authorities");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("README"), "these are trusted").unwrap();
    fs::write(folder.join("other.pem"), &others.pem).unwrap();
    let tls = Tls::new().ca_dir(&folder);
    refused(&tls, &server.url());
    fs::write(folder.join("ours.pem"), &server.authority.pem).unwrap();
    open(&tls, &server.url());
    server.show(&others.issue(&leaf(&["localhost"])));
    open(&tls, &server.url());
    open(&Tls::new().ca_file(&file).ca_pem(server.authority.pem.clone()), &server.url());
}
