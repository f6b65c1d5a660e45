//! Connections that end: before a request, while it waits, and what is remembered of them.

use std::process::Command;
use std::thread;
use std::time::Duration;

use respire::conn::Failure;
use respire::prelude::*;
use respire::{Error, Single};
use respire_tests::Server;

use crate::support::{Peer, REST, everywhere, in_step, lost, ms, open, redis, timed, until, within};

/// Ends a client's connection on the server, and waits for the client to notice when it is used.
fn cut(server: &Server, client: &Single) {
    let other = open(&server.url());
    let id = client.client_id().wait().unwrap();
    assert_eq!(other.client_kill_id(id).wait().unwrap(), 1);
    thread::sleep(REST);
}

fn kill(server: &Server) {
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
}

#[test]
fn no_answer_in_time() {
    everywhere(|_, client| {
        let (took, slow) = timed(|| client.send(raw("DEBUG SLEEP").arg(1.2)).timeout(ms(200)).wait());
        assert_eq!(lost(slow), "the server did not answer in time");
        assert!((ms(195)..ms(1100)).contains(&took), "{took:?}");
        // On a fresh connection, where the late answer cannot come.
        in_step(client);
        Ok(())
    });
}

#[test]
fn the_url_sets_the_timeout() {
    let Some(server) = redis() else { return };
    let admin = open(&server.url());
    let client = open(&format!("{}?timeout=200ms", server.url()));
    admin.send(raw("CLIENT PAUSE 1200 ALL")).wait().unwrap();
    let (took, paused) = timed(|| client.incr("n").wait());
    lost(paused);
    assert!((ms(195)..ms(1100)).contains(&took), "{took:?}");
    in_step(&client);

    let client = open(&format!("{}?timeout=0", server.url()));
    let (took, slept) = timed(|| client.send(raw("DEBUG SLEEP 0.3")).wait());
    slept.unwrap();
    assert!(took >= ms(295), "{took:?}");
}

#[test]
fn a_late_pipeline_is_lost_as_a_whole() {
    let Some(server) = redis() else { return };
    let client = open(&format!("{}?timeout=200ms", server.url()));
    let (first, slept, last) =
        client.pipeline((incr("n"), raw("DEBUG SLEEP 0.7"), incr("n"))).wait().unwrap();
    // The server sends what it has to say to a batch when it is through.
    lost(first);
    lost(slept);
    lost(last);
    // It was executed all the same: that is why nothing is sent twice.
    assert_eq!(client.get::<i64>("n").wait().unwrap(), 2);
}

#[test]
fn a_blocking_command_waits_for_ever() {
    everywhere(|server, client| {
        let url = server.url();
        let push = thread::spawn(move || {
            thread::sleep(ms(400));
            open(&url).send(raw("RPUSH queue job")).wait().unwrap();
        });
        let quick = open(&format!("{}?timeout=100ms", server.url()));
        let job: (String, String) = quick.send(raw("BLPOP queue 0").typed()).wait()?;
        assert_eq!(job, ("queue".to_owned(), "job".to_owned()));
        push.join().unwrap();
        let none: Option<(String, String)> =
            client.send(raw("BLPOP queue 0.1").typed()).timeout(Duration::from_secs(10)).wait()?;
        assert_eq!(none, None);
        Ok(())
    });
}

#[test]
fn a_connection_that_was_cut_between_requests_is_replaced() {
    everywhere(|server, client| {
        let id = client.client_id().wait()?;
        cut(server, client);
        assert_ne!(client.client_id().wait()?, id);
        in_step(client);
        Ok(())
    });
}

/// Without a rest nobody has looked: the request may be lost, but never its neighbour's answer taken.
#[test]
fn a_connection_that_was_cut_this_moment() {
    everywhere(|server, client| {
        let other = open(&server.url());
        for _ in 0..10 {
            let id = client.client_id().wait()?;
            other.client_kill_id(id).wait()?;
            match client.echo::<String>("token").wait() {
                Ok(token) => assert_eq!(token, "token"),
                gone => drop(lost(gone)),
            }
            in_step(client);
        }
        Ok(())
    });
}

#[test]
fn the_server_is_killed_while_we_wait() {
    let Some(server) = redis() else { return };
    let url = server.url();
    let address = server.addr().to_string();
    within(Duration::from_secs(20), move || {
        let client = open(&url);
        let killer = thread::spawn(move || {
            thread::sleep(ms(300));
            kill(&server);
            server
        });
        let cause = lost(client.send(raw("BLPOP queue 0")).timeout(None).wait());
        assert!(cause.contains("closed the connection") || cause.contains("broke"), "{cause}");
        let server = killer.join().unwrap();
        // The system may close our connection before the port.
        until("the port to close", || match client.incr("n").wait() {
            Err(Error::Connect(error)) => {
                let shown = error.to_string();
                assert!(shown.contains(&address) && !shown.contains("host's name"), "{shown}");
                shown.contains("no server listens there")
            }
            other => panic!("{other:?}"),
        });
        drop(server);
    });
}

#[test]
fn the_server_is_killed_between_requests() {
    let Some(server) = redis() else { return };
    let client = open(&server.url());
    kill(&server);
    thread::sleep(REST);
    for _ in 0..3 {
        let error = client.incr("n").wait().unwrap_err();
        assert!(matches!(error, Error::Connect(_)) && error.is_connection(), "{error:?}");
        let pipeline = client.pipeline((incr("n"), incr("n"))).wait();
        assert!(matches!(pipeline, Err(Error::Connect(_))), "{pipeline:?}");
    }
}

#[test]
fn a_server_that_comes_back_is_found() {
    let Some(server) = redis() else { return };
    let client = open(&server.url());
    assert_eq!(client.incr("before").wait().unwrap(), 1);
    // It replaces its own process, on the same port, and has no answer to this.
    let gone = open(&server.url()).send(raw("DEBUG RESTART")).wait();
    lost(gone);
    thread::sleep(REST);
    until("the server", || match client.incr("after").wait() {
        Ok(n) => n == 1,
        Err(error) => {
            assert!(matches!(error, Error::Connect(_)) || error.code() == Some("LOADING"), "{error:?}");
            false
        }
    });
    in_step(&client);
}

/// Says once that a state was lost, then goes on without it.
fn forgets(server: &Server, client: &Single) {
    cut(server, client);
    let first = client.echo::<String>("never sent").wait();
    assert!(matches!(first, Err(Error::SessionLost)), "{first:?}");
    in_step(client);
}

#[test]
fn state_that_only_the_user_knows_is_not_lost_silently() {
    let Some(server) = redis() else { return };
    let client = open(&server.url());
    client.watch("k").wait().unwrap();
    forgets(&server, &client);

    client.client_set_name("n").wait().unwrap();
    forgets(&server, &client);

    client.pipeline((watch("k"), incr("n"))).wait().unwrap().0.unwrap();
    forgets(&server, &client);

    // A database that was chosen inside a transaction.
    client.pipeline((multi(), raw("SELECT 4"), exec())).wait().unwrap().2.unwrap();
    forgets(&server, &client);
    client.set("in 0", 1).wait().unwrap();

    // What the URL says is not lost: the next connection has it, too.
    let client = open(&format!("{}/3?client_name=kept", server.url()));
    client.set("in 3", 1).wait().unwrap();
    cut(&server, &client);
    assert_eq!(client.exists("in 3").wait().unwrap(), 1);
    assert_eq!(client.client_get_name::<String>().wait().unwrap(), "kept");

    // Nor is there anything to lose once a transaction is over.
    client.pipeline((multi(), raw("INCR n"), exec())).wait().unwrap().2.unwrap();
    cut(&server, &client);
    in_step(&client);
}

#[test]
fn a_transaction_that_was_begun_is_lost() {
    let Some(server) = redis() else { return };
    let (client, other) = (open(&server.url()), open(&server.url()));
    let id = client.client_id().wait().unwrap();
    client.multi().wait().unwrap();
    client.send(raw("SET k queued")).wait().unwrap();
    assert_eq!(other.client_kill_id(id).wait().unwrap(), 1);
    thread::sleep(REST);
    // Without MULTI this would be executed at once.
    let set = client.set("k", "at once").wait();
    assert!(matches!(set, Err(Error::SessionLost)), "{set:?}");
    assert_eq!(client.exists("k").wait().unwrap(), 0);
}

#[test]
fn the_database_goes_along() {
    let Some(server) = redis() else { return };
    let client = open(&server.url());
    client.select(3).wait().unwrap();
    client.set("in 3", 1).wait().unwrap();
    cut(&server, &client);
    assert_eq!(client.exists("in 3").wait().unwrap(), 1);
    // One that was refused does not.
    client.select(99).wait().unwrap_err();
    client.pipeline((select(4), incr("in 4"))).wait().unwrap().0.unwrap();
    for _ in 0..2 {
        cut(&server, &client);
        assert_eq!(client.exists("in 4").wait().unwrap(), 1);
    }
    // If its answer is lost nobody knows.
    let client = open(&format!("{}?timeout=100ms", server.url()));
    open(&server.url()).send(raw("CLIENT PAUSE 500 ALL")).wait().unwrap();
    lost(client.select(5).wait());
    thread::sleep(ms(500));
    assert!(matches!(client.incr("n").wait(), Err(Error::SessionLost)));
    in_step(&client);
    assert_eq!(client.exists("in 4").wait().unwrap(), 0, "that of the URL");
}

/// A timeout ends the connection, so a state that was on it is lost, too.
#[test]
fn a_timeout_loses_the_state_too() {
    let Some(server) = redis() else { return };
    let client = open(&server.url());
    client.watch("k").wait().unwrap();
    lost(client.send(raw("DEBUG SLEEP 0.5")).timeout(ms(100)).wait());
    assert!(matches!(client.incr("n").wait(), Err(Error::SessionLost)));
    in_step(&client);
}

#[test]
fn a_peer_that_closes_in_the_middle_of_a_reply() {
    let peer = Peer::after_handshake(|_, mut requests| {
        requests.next();
        requests.answer(b"$100\r\nonly the beg");
    });
    let client = open(&format!("redis://{}?protocol=2&timeout=10s", peer.address()));
    let (took, gone) = timed(|| client.send(get("k")).wait());
    assert_eq!(lost(gone), "the server closed the connection");
    assert!(took < Duration::from_secs(5), "{took:?}");
    // Each request gets a connection; none is tried a second time.
    lost(client.send(get("k")).wait());
    assert_eq!(peer.accepted(), 2);
}

#[test]
fn a_peer_that_answers_some_of_a_pipeline() {
    let peer = Peer::after_handshake(|_, mut requests| {
        for _ in 0..3 {
            requests.next();
            requests.answer(b":7\r\n");
        }
        requests.next();
    });
    let client = open(&peer.resp2());
    let results = client.pipeline(vec![incr("n"); 5000]).wait().unwrap();
    let mut not_sent = false;
    for (i, result) in results.into_iter().enumerate() {
        match result {
            Ok(7) => assert!(i < 3, "{i}"),
            Err(Error::Lost { failure, .. }) => {
                assert!(i >= 3, "{i}");
                not_sent |= failure == Failure::NotSent;
                assert!(
                    failure == if not_sent { Failure::NotSent } else { Failure::Unknown },
                    "{i}: {failure}"
                );
            }
            other => panic!("{i}: {other:?}"),
        }
    }
    assert!(not_sent, "so many cannot be on their way at once");
}
