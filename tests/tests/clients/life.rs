//! The beginning and the end of a client: how it is made, why it cannot be, how it closes and what it leaves.

use std::future::{Future, poll_fn};
use std::net::TcpListener;
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Instant;

use respire::conn::{Failure, SubmitError};
use respire::engine::{Life, Refused};
use respire::errors::Full;
use respire::prelude::*;
use respire::{Cause, Client, ConnectError, Error, block_on};
use respire_tests::chaos::plain;
use respire_tests::{Kind, Peer, Server, run_with_limit};

use crate::support::{
    Admin, By, LIMIT, blocked, both, builder, clients, kill_others, ms, open, redis, until, within,
};

/// S1-POOL-05: what is shared is spread over as many connections as there are lanes, and one is as a rule enough.
#[test]
fn lanes() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        for lanes in [1, 4] {
            let client = open(builder.clone().lanes(lanes));
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| (0..200).for_each(|_| assert!(client.incr("n").wait().is_ok())));
                }
            });
            let all = clients(&mut admin);
            let used = all.iter().filter(|client| client["cmd"] == "incr").count();
            assert_eq!((all.len(), used), (usize::from(lanes), usize::from(lanes)), "{all:?}");
            drop(client);
            until("its end", || clients(&mut admin).is_empty());
        }
    });
}

/// S1-CLI-03: one that is lazy dials when it is first used, or waited for; another is ready when it is there.
#[test]
fn lazy_and_ready() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        assert_eq!(open(builder.clone()).life(), Life::Ready);
        for by in [None, Some(By::BlockOn), Some(By::Keeper), Some(By::Tokio)] {
            until("the end of the others", || clients(&mut admin).is_empty());
            let client = builder.clone().lazy().unwrap();
            assert_eq!(clients(&mut admin).len(), 0, "nothing was dialled");
            assert_ne!(client.life(), Life::Ready);
            match by {
                None => client.ready().wait().unwrap(),
                Some(by) => by.run(&client, async { client.ready().await }).unwrap(),
            }
            assert_eq!(client.life(), Life::Ready, "{by:?}");
            client.ready().wait().unwrap();
            drop(client);
            until("its end", || clients(&mut admin).is_empty());
            // Or it is simply used.
            let client = builder.clone().lazy().unwrap();
            assert!(client.incr("n").wait().unwrap() > 0);
        }
    });
}

fn refused(url: &str) -> ConnectError {
    let url = url.to_owned();
    within(move || match Client::open(&url) {
        Err(Error::Connect(error)) => error,
        other => panic!("{url}: {other:?}"),
    })
}

/// S3-CONN-04: why there is no connection: the cause, and in words what to do about it.
#[test]
fn why_there_is_none() {
    let Some(server) = redis() else { return };
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refused(&format!("redis://{free}"));
    let Cause::Transport(cause) = &error.cause else { panic!("{error:?}") };
    assert_eq!(cause.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(
        error.to_string().starts_with(&format!("cannot connect to {free}: Connection refused")),
        "{error}"
    );

    let mut admin = Admin::connect(server.addr());
    admin.done("ACL SETUSER ann on >secret");
    let error = refused(&format!("redis://ann:wrong@{}", server.addr()));
    assert!(matches!(&error.cause, Cause::Server(error) if error.code() == "WRONGPASS"), "{error:?}");
    assert!(error.to_string().contains("user and password"), "{error}");

    let error = refused(&format!("redis://{}/99", server.addr()));
    assert!(matches!(&error.cause, Cause::Server(_)), "{error:?}");
    assert!(error.to_string().contains("DB index is out of range"), "{error}");

    let stranger = Peer::says(b"SSH-2.0-OpenSSH_9.2p1\r\n");
    let error = refused(&stranger.url());
    assert!(matches!(&error.cause, Cause::Closed(_)), "{error:?}");
    assert!(error.to_string().contains("is it a Redis or Valkey server"), "{error}");

    let silent = Peer::says(b"");
    let start = Instant::now();
    let error = refused(&silent.url());
    assert!(start.elapsed() >= ms(400));
    assert!(matches!(&error.cause, Cause::Closed(_)), "{error:?}");

    let error = refused("redis://no-such-host.invalid");
    assert!(matches!(&error.cause, Cause::Transport(_)), "{error:?}");
    let error = refused("unix:///no/such/socket");
    assert!(matches!(&error.cause, Cause::Transport(_)), "{error:?}");

    admin.done("CONFIG SET maxclients 1");
    let error = refused(&server.url());
    assert!(error.to_string().contains("max number of clients"), "{error}");
}

/// S3-CONN-04: somebody who waits for a lazy one is told, too, each time with the cause of now; and it connects once the
/// server is there.
#[test]
fn a_lazy_one_recovers() {
    let Some(mut server) = redis() else { return };
    server.kill();
    for by in [None, Some(By::BlockOn), Some(By::Keeper), Some(By::Tokio)] {
        let client = builder(&server.url()).lazy().unwrap();
        for _ in 0..2 {
            let failed = match by {
                None => client.ready().wait(),
                Some(by) => by.run(&client, async { client.ready().await }),
            };
            let Err(Error::Connect(ConnectError { cause: Cause::Transport(cause), .. })) = failed else {
                panic!("{by:?}: {failed:?}")
            };
            assert_eq!(cause.kind(), std::io::ErrorKind::ConnectionRefused);
        }
        let failed = client.incr("n").wait();
        assert!(failed.as_ref().is_err_and(Error::is_connection), "{failed:?}");
    }
    let client = builder(&server.url()).lazy().unwrap();
    assert!(client.ready().wait().is_err());
    server.start_again(&[]);
    until("the server", || client.ready().wait().is_ok());
    assert_eq!(client.incr("n").wait().unwrap(), 1);
}

/// S1-CLEAN-01: to close waits for what was sent, and takes nothing more; once more changes nothing, and whoever comes
/// later is told.
#[test]
fn to_close() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        for by in [None, Some(By::BlockOn), Some(By::Keeper), Some(By::Tokio)] {
            let client = open(builder.clone());
            let other = client.clone();
            let conn = client.conn().wait().unwrap();
            admin.done("CLIENT PAUSE 300");
            let awaited = thread::spawn(move || other.incr("n").wait());
            let pending = client.clone();
            let mut task = pin!(pending.incr("n"));
            assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            drop(conn);
            match by {
                None => client.close().wait().unwrap(),
                Some(by) => by.run(&client, async { client.close().await }).unwrap(),
            }
            assert!(plain(task).unwrap() > 0, "{by:?}: what was sent is answered");
            match awaited.join().unwrap() {
                Ok(n) => assert!(n > 0),
                // It came too late.
                Err(error) => assert!(matches!(error, Error::NotTaken(Refused::Closed)), "{by:?}: {error:?}"),
            }
            assert_eq!(client.life(), Life::Closed);
            client.close().wait().unwrap();
            client.ready().wait().unwrap();
            for late in [client.incr("n").wait().map(drop), plain(client.incr("n")).map(drop)] {
                assert!(matches!(late, Err(Error::NotTaken(Refused::Closed))), "{late:?}");
            }
            let late = client.pipeline((incr("n"), incr("n"))).wait();
            assert!(matches!(late, Err(Error::NotTaken(Refused::Closed))), "{late:?}");
            let late = client.conn().wait();
            assert!(matches!(late, Err(Error::NotTaken(Refused::Closed))), "{late:?}");
            let late = client.transaction([incr("n")]).wait();
            assert!(
                matches!(late, Err(TransactionError::Failed(Error::NotTaken(Refused::Closed)))),
                "{late:?}"
            );
            until("its connections", || clients(&mut admin).is_empty());
        }
    });
}

/// S1-CLEAN-01: what takes longer than there is time to drain is given up, and says that it may have been executed; who
/// waits for a connection is told that there is none.
#[test]
fn to_close_does_not_wait_for_ever() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder.connections(3).config(|config| config.drain = Some(ms(300))));
        within(move || {
            let blpop = || words(&["BLPOP", "none", "0"]);
            let held = client.conn().wait().unwrap();
            thread::scope(|scope| {
                let thread = scope.spawn(|| client.send(blpop()).wait());
                until("it", || blocked(&mut admin) == 1);
                let wish = scope.spawn(|| plain(client.conn()));
                let start = Instant::now();
                client.close().wait().unwrap();
                let took = start.elapsed();
                assert!(took < LIMIT / 2, "{took:?}");
                let lost = thread.join().unwrap();
                assert!(
                    matches!(&lost, Err(Error::Failed(failed)) if failed.failure == Failure::Unknown),
                    "{lost:?}"
                );
                let wish = wish.join().unwrap();
                assert!(wish.is_err(), "{wish:?}");
            });
            assert!(held.incr("n").wait().is_err());
            drop(held);
            until("its connections", || clients(&mut admin).is_empty());
        });
    });
}

/// S1-CLEAN-01: many who call while it is closed: each is answered or told, and nobody waits for ever.
#[test]
fn to_close_under_load() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder);
        within(move || {
            let answered: i64 = thread::scope(|scope| {
                let count = |n| {
                    let client = &client;
                    scope.spawn(move || {
                        let mut answered = 0;
                        loop {
                            let result =
                                if n % 2 == 0 { client.incr("n").wait() } else { plain(client.incr("n")) };
                            match result {
                                Ok(_) => answered += 1,
                                Err(Error::NotTaken(Refused::Closed)) => return answered,
                                Err(error) => panic!("{error:?}"),
                            }
                        }
                    })
                };
                let threads: Vec<_> = (0..16).map(count).collect();
                until("some answers", || plain(client.get::<i64>("n")).is_ok_and(|n| n > 100));
                client.close().wait().unwrap();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            let respire_tests::admin::Answer::Text(executed) = admin.done("GET n") else {
                panic!("a number")
            };
            assert_eq!(executed, answered.to_string());
        });
    });
}

/// S0-OPT-07: the time that a request may take is the client's, and less for one that says so.
#[test]
fn timeouts() {
    both(|server, builder| {
        let client = open(builder.timeout(ms(300)));
        server.signal("-STOP");
        for (own, least) in [(None, ms(300)), (Some(ms(50)), ms(50))] {
            let call = || own.map_or_else(|| client.incr("n"), |own| client.incr("n").timeout(own));
            for by in [None, Some(By::BlockOn), Some(By::Keeper), Some(By::Tokio)] {
                let start = Instant::now();
                let late = match by {
                    None => call().wait(),
                    Some(by) => by.run(&client, async { call().await }),
                };
                let took = start.elapsed();
                assert!(matches!(late, Err(Error::Failed(_))), "{by:?}: {late:?}");
                assert!(took >= least && took < ms(3000), "{by:?}: {took:?}");
            }
        }
        server.signal("-CONT");
        until("the server", || client.incr("m").wait().is_ok());
    });
}

/// S1-POOL-10: who is not to wait for room is told at once that there is none.
#[test]
fn refuse_when_full() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder.calls(1).refuse_when_full());
        thread::scope(|scope| {
            let holder = scope.spawn(|| client.send(words(&["BLPOP", "held", "10"])).wait());
            until("the holder", || blocked(&mut admin) == 1);
            let full = |result: Result<(), Error>| {
                let is_full = matches!(
                    result,
                    Err(Error::NotTaken(Refused::Submit(SubmitError::Full(Full::InFlight))))
                );
                assert!(is_full, "{result:?}");
            };
            full(client.incr("n").wait().map(drop));
            full(client.pipeline((incr("n"), incr("n"))).wait().map(drop));
            full(client.conn().wait().map(drop));
            for by in By::ALL {
                full(by.run(&client, async { client.incr("n").await }).map(drop));
            }
            admin.done("RPUSH held 1");
            assert!(holder.join().unwrap().is_ok());
        });
        assert_eq!(client.incr("n").wait().unwrap(), 1);
    });
}

/// S3-CONN-03: clones go one by one, each with calls of its own on the way, and those of others are answered; the last
/// closes the connections, whatever else is still held.
#[test]
fn clones_go() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder);
        for _ in 0..20 {
            let other = client.clone();
            let awaited = thread::spawn(move || other.echo::<String>("other").wait());
            let gone = client.clone();
            let mut call = Box::pin(gone.echo::<String>("gone"));
            _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            drop(call);
            drop(gone);
            assert_eq!(awaited.join().unwrap().unwrap(), "other");
        }
        // What was lent, what listens and what loads holds it, too.
        let (conn, news, bulk) =
            (client.conn().wait().unwrap(), client.subscribe("c").wait().unwrap(), client.bulk().start());
        drop(client);
        assert_eq!(conn.incr("n").wait().unwrap(), 1);
        bulk.push(&incr("n")).unwrap();
        bulk.flush();
        assert!(bulk.next_blocking().unwrap().answer.is_ok());
        drop((conn, news));
        drop(bulk);
        until("its connections", || clients(&mut admin).is_empty());
    });
}

/// S1-OPT-04, S1-OPT-05, S1-OPT-10: who logs in, and under which name; after a connection was lost, too.
#[test]
fn who_it_is() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    admin.done("ACL SETUSER ann on >secret ~* &* +@all");
    for protocol in [2, 3] {
        let url = server.url().replace("redis://", "redis://ann:secret@");
        let client = open(builder(&format!("{url}/5?protocol={protocol}&client_name=me")));
        let who = || {
            let whoami: String = client.send(raw("ACL WHOAMI").typed()).wait()?;
            let name: Option<String> = client.client_get_name().wait()?;
            let info: String = client.client_info().wait()?;
            Ok::<_, Error>((whoami, name, info.contains(" db=5 ")))
        };
        let expected = ("ann".to_owned(), Some("me".to_owned()), true);
        assert_eq!(who().unwrap(), expected);
        assert!(kill_others(&mut admin) > 0);
        until("it again", || who().is_ok_and(|who| who == expected));
        assert_eq!(
            client.conn().wait().unwrap().send(raw("ACL WHOAMI").typed::<String>()).wait().unwrap(),
            "ann"
        );
    }
}

/// S3-CONN-03, S1-POOL-04: descriptors and threads are those of before, whatever the client was used for.
#[test]
fn nothing_is_left_behind() {
    let Some(server) = redis() else { return };
    let mut program = Command::new(env!("CARGO_BIN_EXE_usage"));
    let done = run_with_limit(program.arg("parts").arg(server.url()), b"", 3 * LIMIT);
    assert_eq!(done.code(), Some(0), "{}{}", done.text(), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.text(), "left: 0 descriptors, 0 threads\n");
}

/// S0-SRV-02: a Valkey server is a server like another, for all of it.
#[test]
fn valkey() {
    if !Kind::Valkey91.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Valkey91).start();
    for protocol in [2, 3] {
        let client = open(builder(&format!("{}?protocol={protocol}", server.url())));
        let conn = client.conn().wait().unwrap();
        conn.select(protocol).wait().unwrap();
        assert_eq!(conn.incr("n").wait().unwrap(), 1);
        let (a, b) = client.transaction((incr("a"), incr("a"))).wait().unwrap();
        assert_eq!(b.unwrap() - a.unwrap(), 1);
        assert!(client.pipeline(vec![incr("p"); 100]).wait().unwrap().iter().all(Result::is_ok));
        let mut news = client.subscribe("c").wait().unwrap();
        assert_eq!(client.publish("c", "x").wait().unwrap(), 1);
        assert!(news.recv_timeout(LIMIT).is_some());
        let bulk = client.bulk().start();
        bulk.push(&incr("b")).unwrap();
        bulk.close();
        assert!(bulk.next_blocking().unwrap().answer.is_ok());
        client.close().wait().unwrap();
        assert_eq!(news.next(), None);
    }
}

/// S1-CLEAN-01: several who wait for the end do not keep each other awake until it comes.
#[test]
fn who_waits_for_the_end_sleeps() {
    let Some(server) = redis() else { return };
    let client = open(builder(&server.url()).config(|config| config.drain = Some(ms(300))));
    let held = client.conn().wait().expect("a connection");
    let polls = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut end = pin!(client.close());
                let counted = poll_fn(|context| {
                    polls.fetch_add(1, Ordering::Relaxed);
                    end.as_mut().poll(context)
                });
                block_on(counted).expect("the end");
            });
        }
    });
    let polls = polls.into_inner();
    assert!(polls < 100, "{polls} looks at a client that is not closed yet");
    drop(held);
}
