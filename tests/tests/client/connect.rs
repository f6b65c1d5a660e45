//! From a URL to a connection, and the words when there is none.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use respire::conn::{CloseReason, Protocol};
use respire::prelude::*;
use respire::resp::Value;
use respire::{Cause, Endpoint, Error, Single, Subscriber, Url};
use respire_core::testing::Responder;
use respire_tests::{Kind, Server, skip};

use crate::support::{Peer, in_step, open, redis, refused, rejection, until};

/// The version that the server thinks this connection speaks: `resp=` in CLIENT LIST.
fn version(client: &Single) -> String {
    let info: String = client.client_info().wait().unwrap();
    info.split(' ').find_map(|field| field.strip_prefix("resp=")).unwrap_or("none").trim_end().to_owned()
}

#[test]
fn over_tcp_and_over_a_unix_socket() {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).unix_socket().start();
        let path = server.unix_path().unwrap().display();
        let port = server.port();
        for url in [
            server.url(),
            format!("valkey://127.0.0.1:{port}/"),
            format!("redis://localhost:{port}"),
            format!("unix://{path}"),
            format!("unix://{path}?db=2&protocol=2"),
        ] {
            in_step(&open(&url));
        }
        let url = Url::new(Endpoint::Tcp { host: "127.0.0.1".into(), port });
        in_step(&Single::connect(url).unwrap());
    }
}

#[test]
fn over_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        return skip("no IPv6 loopback here");
    }
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Redis70).args(["--bind", "127.0.0.1", "::1"]).start();
    let client = open(&format!("redis://[::1]:{}", server.port()));
    in_step(&client);
    let info: String = client.client_info().wait().unwrap();
    assert!(info.contains("addr=[::1]:"), "{info}");
    let port = server.port();
    drop(server);
    let error = refused(&format!("redis://[::1]:{port}")).to_string();
    assert!(error.contains(&format!("[::1]:{port}")), "{error}");
}

#[test]
fn the_protocol_is_as_asked() {
    let Some(server) = redis() else { return };
    for (option, resp) in [("", "3"), ("?protocol=2", "2"), ("?protocol=3", "3")] {
        let client = open(&format!("{}{option}", server.url()));
        assert_eq!(version(&client), resp, "{option}");
    }
    let mut url: Url = server.url().parse().unwrap();
    url.protocol = Some(Protocol::Resp2);
    assert_eq!(version(&Single::connect(url).unwrap()), "2");
}

/// S1-CONN-08, S3-CONF-02: servers that want a password.
#[test]
fn a_password_and_no_user() {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).args(["--requirepass", "p@ss/w:rd?#%"]).start();
        let (address, password) = (server.addr(), "p%40ss%2Fw%3Ard%3F%23%25");
        for option in ["", "?protocol=2", "?protocol=3"] {
            in_step(&open(&format!("redis://:{password}@{address}{option}")));
            in_step(&open(&format!("redis://default:{password}@{address}{option}")));
            let error = refused(&format!("redis://:wrong@{address}{option}"));
            let words = "WRONGPASS invalid username-password pair or user is disabled.";
            assert_eq!(rejection(&error), words, "{option}");
            assert!(error.hint().contains("password"), "{}", error.hint());
            let shown = error.to_string();
            assert!(shown.contains(&address.to_string()) && shown.contains(words), "{shown}");
            assert!(Error::from(error).is_connection());
        }
        assert!(rejection(&refused(&format!("redis://{address}"))).starts_with("NOAUTH"));
        // Without HELLO nothing is refused before the first command.
        let client = open(&format!("redis://{address}?protocol=2"));
        assert_eq!(client.send(get("k")).wait().unwrap_err().code(), Some("NOAUTH"));
    }
}

/// S1-CONN-08, S3-CONF-02: servers that want to know who comes.
#[test]
fn a_user_and_a_password() {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).start();
        let admin = open(&server.url());
        admin
            .send(words(&["ACL", "SETUSER", "a:n@n", "on", ">s3:c/r&t", "+@all", "~*", "&*"]))
            .wait()
            .unwrap();
        let address = server.addr();
        for option in ["", "?protocol=2"] {
            let client = open(&format!("redis://a%3An%40n:s3%3Ac%2Fr%26t@{address}{option}"));
            let who: String = client.send(raw("ACL WHOAMI").typed()).wait().unwrap();
            assert_eq!(who, "a:n@n");
            assert!(Subscriber::open(&format!("redis://a%3An%40n:s3%3Ac%2Fr%26t@{address}{option}")).is_ok());
            let error = refused(&format!("redis://a%3An%40n:no@{address}{option}"));
            assert!(rejection(&error).starts_with("WRONGPASS"));
        }
    }
}

#[test]
fn the_database_is_chosen() {
    let Some(server) = redis() else { return };
    for option in ["", "?protocol=2"] {
        let client = open(&format!("{}/5{option}", server.url()));
        client.set("here", 1).wait().unwrap();
        client.select(0).wait().unwrap();
        assert_eq!(client.exists("here").wait().unwrap(), 0);
        let error = refused(&format!("{}/99{option}", server.url()));
        assert_eq!(rejection(&error), "ERR DB index is out of range");
    }
    let client = open(&format!("{}?db=5", server.url()));
    assert_eq!(client.exists("here").wait().unwrap(), 1);
}

#[test]
fn the_server_knows_our_name() {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).start();
        for (protocol, name) in [(2, "two%3A2"), (3, "three")] {
            let client = open(&format!("{}?protocol={protocol}&client_name={name}", server.url()));
            let list: String = client.client_list().wait().unwrap();
            let name = name.replace("%3A", ":");
            let line = list.lines().find(|line| line.contains(&format!(" name={name} ")));
            let line = line.unwrap_or_else(|| panic!("{list}"));
            if kind == Kind::Valkey91 {
                assert!(line.contains(" lib-name=respire ") && line.contains(" lib-ver="), "{line}");
            }
        }
        let error = refused(&format!("{}?client_name=with%20blanks", server.url()));
        assert!(rejection(&error).starts_with("ERR Client names cannot contain"), "{error}");
    }
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = refused(&format!("redis://127.0.0.1:{port}"));
    assert!(
        matches!(&error.cause, Cause::Transport(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
    );
    assert_eq!(
        error.to_string(),
        format!(
            "cannot connect to 127.0.0.1:{port}: Connection refused; \
             no server listens there: start one, or name its host and port"
        )
    );
    let error = refused(&format!("redis://localhost:{port}"));
    assert!(
        error.tried.iter().any(|(address, _)| address.to_string() == format!("127.0.0.1:{port}")),
        "{error:?}"
    );
    let shown = error.to_string();
    assert!(shown.contains(&format!("localhost:{port}")), "{shown}");
    assert!(shown.contains(&format!("127.0.0.1:{port}: Connection refused")), "{shown}");

    let error = refused("unix:///nowhere/redis.sock").to_string();
    assert!(
        error.starts_with("cannot connect to /nowhere/redis.sock: No such file or directory; "),
        "{error}"
    );
    assert!(error.contains("no such socket"), "{error}");
    let lost = Subscriber::open(&format!("redis://127.0.0.1:{port}")).unwrap_err();
    assert!(matches!(lost, Error::Connect(_)), "{lost}");
}

#[test]
fn a_name_without_an_address() {
    let error = refused("redis://no-such-host.invalid:1234");
    assert!(error.tried.is_empty());
    let shown = error.to_string();
    assert!(shown.starts_with("cannot connect to no-such-host.invalid:1234: "), "{shown}");
    assert!(shown.ends_with("is the host's name right?"), "{shown}");
    assert!(!shown.contains("lookup") && !shown.contains("os error"), "{shown}");
}

#[test]
fn a_server_without_hello_is_spoken_to_in_resp2() {
    let peer = Peer::responder(usize::MAX, || Responder::new().without_hello());
    let client = open(&format!("redis://{}/1?client_name=old", peer.address()));
    assert_eq!(client.client_get_name::<String>().wait().unwrap(), "old");
    client.send(raw("HSET h f 1")).wait().unwrap();
    let one = Value::Bulk(b"1".to_vec());
    let flat = Value::Array(vec![Value::Bulk(b"f".to_vec()), one]);
    assert_eq!(client.send(raw("HGETALL h")).wait().unwrap(), flat);
    let error = refused(&format!("{}&protocol=3", peer.url()));
    assert!(rejection(&error).starts_with("ERR unknown command"), "{error}");

    let peer = Peer::responder(usize::MAX, || Responder::new().without_hello().with_password(b"sesame"));
    in_step(&open(&format!("redis://:sesame@{}", peer.address())));
    let error = refused(&format!("redis://:wrong-canary@{}", peer.address()));
    assert!(matches!(error.cause, Cause::Server(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

/// S3-CONN-04: a server that is full says so, and it is known from a wrong password.
#[test]
fn too_many_clients() {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).args(["--maxclients", "1"]).start();
        let url = server.url();
        let mut first = None;
        until("the only place", || {
            first = Single::open(&url).ok();
            first.is_some()
        });
        for option in ["", "?protocol=2", "?protocol=3"] {
            for _ in 0..20 {
                let error = refused(&format!("{url}{option}"));
                assert_eq!(rejection(&error), "ERR max number of clients reached");
            }
        }
        in_step(first.as_ref().unwrap());
        drop(first);
        until("the place again", || Single::open(&url).is_ok());
    }
}

/// The server's words also count when it closes the connection before our first byte.
#[test]
fn a_refusal_before_the_first_byte() {
    let peer = Peer::new(|_, mut stream| {
        use std::io::Write;
        let _ = stream.write_all(b"-DENIED Redis is running in protected mode\r\n");
        drop(stream);
    });
    for _ in 0..200 {
        let error = refused(&peer.url());
        assert!(rejection(&error).starts_with("DENIED"), "{error:?}");
        assert!(error.hint().contains("protected mode"));
    }
    assert_eq!(peer.accepted(), 200);
}

/// Nothing is accepted and nothing is refused: the connection stays half open.
#[test]
fn connecting_takes_no_longer_than_it_may() {
    let peer = Peer::new(|_, _stream| thread::sleep(Duration::from_secs(2)));
    let start = std::time::Instant::now();
    let error = refused(&peer.url());
    assert!(matches!(&error.cause, Cause::Closed(CloseReason::HandshakeTimeout)), "{error:?}");
    let took = start.elapsed();
    assert!((Duration::from_millis(490)..Duration::from_millis(1500)).contains(&took), "{took:?}");
}
