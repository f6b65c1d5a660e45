//! Connections of one's own: what is done there concerns nobody else, and they come back clean or not at all.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use respire::engine::{Failed, Refused};
use respire::pool::Refusal;
use respire::prelude::*;
use respire::{Builder, Client, Conn, Error};
use respire_tests::chaos::plain;

use crate::support::{
    Admin, Answer, By, LIMIT, blocked, both, builder, clients, ms, open, redis, until, within,
};

/// One shared connection, and so many to lend.
fn lending(builder: Builder, lent: u16) -> Client {
    open(builder.connections(1 + lent))
}

/// What the server knows of the connection.
fn info(conn: &Conn, name: &str) -> String {
    let info: String = conn.client_info().wait().expect("CLIENT INFO");
    let pair = info.trim().split(' ').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    pair.unwrap_or_else(|| panic!("no {name} in {info}")).to_owned()
}

fn blpop(key: &'static str, seconds: f64) -> impl OwnedReply<Owned = Option<(String, String)>> {
    raw("BLPOP").key(key).arg(seconds).typed()
}

/// The next answers belong to the next requests.
fn in_step(conn: &Conn) {
    for word in ["one", "two"] {
        let echo: String = conn.echo(word).wait().expect("ECHO");
        assert_eq!(echo, word);
    }
}

/// S1-CLI-08: the database that is chosen there is not that of others, and the next one finds the first again.
#[test]
fn its_database_is_its_own() {
    both(|_, builder| {
        let client = lending(builder, 1);
        for round in 0..3 {
            let conn = client.conn().wait().unwrap();
            assert_eq!(info(&conn, "db"), "0", "round {round}");
            conn.select(3).wait().unwrap();
            conn.set("k", round).wait().unwrap();
            assert_eq!(client.get::<Option<i64>>("k").wait().unwrap(), None);
            assert_eq!(conn.get::<Option<i64>>("k").wait().unwrap(), Some(round));
        }
        for by in By::ALL {
            by.run(&client, async {
                let conn = client.conn().await.unwrap();
                assert_eq!(conn.get::<Option<i64>>("k").await.unwrap(), None, "{by:?}");
                conn.select(3).await.unwrap();
                assert_eq!(conn.get::<i64>("k").await.unwrap(), 2, "{by:?}");
                assert_eq!(client.get::<Option<i64>>("k").await.unwrap(), None, "{by:?}");
            });
        }
        let refused = client.select(3).wait();
        assert!(matches!(refused, Err(Error::NeedsOwnConnection)), "{refused:?}");
    });
}

/// S1-CLI-08: who gives a connection back with keys watched or half a transaction leaves nothing for the next.
#[test]
fn what_was_begun_there_ends_with_it() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = lending(builder, 1);
        let conn = client.conn().wait().unwrap();
        let id = conn.client_id().wait().unwrap();
        conn.watch("k").wait().unwrap();
        drop(conn);
        admin.done("SET k 1");
        let [n] = client.transaction([incr("k")]).wait().unwrap().try_into().unwrap();
        assert_eq!(n.unwrap(), 2, "nothing is watched");

        let conn = client.conn().wait().unwrap();
        assert_eq!(conn.client_id().wait().unwrap(), id, "it was made as new, and is the same");
        conn.watch("k").wait().unwrap();
        conn.send(raw("MULTI")).wait().unwrap();
        let queued: String = conn.send(incr("k").typed()).wait().unwrap();
        assert_eq!(queued, "QUEUED");
        drop(conn);
        let conn = client.conn().wait().unwrap();
        assert_eq!(info(&conn, "multi"), "-1");
        assert_eq!(conn.get::<i64>("k").wait().unwrap(), 2, "nothing was executed");
        in_step(&conn);
    });
}

/// S1-CLI-08: a connection that cannot be made as new is closed: tracking, another name, another user.
#[test]
fn what_cannot_be_undone_is_closed() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        admin.done("ACL SETUSER other on nopass ~* +@all");
        let client = lending(builder, 1);
        for command in [
            "CLIENT SETNAME other",
            "AUTH other any",
            "CLIENT NO-EVICT ON",
            "RESET",
            "HELLO 3",
            "HELLO 2",
            "CLIENT TRACKING ON",
        ] {
            let conn = client.conn().wait().unwrap();
            conn.send(raw(command)).wait().unwrap_or_else(|error| panic!("{command}: {error}"));
            let id = conn.client_id().wait().unwrap().to_string();
            drop(conn);
            until(&format!("the end of it behind {command}"), || {
                clients(&mut admin).iter().all(|client| client["id"] != id)
            });
            let conn = client.conn().wait().unwrap();
            assert_eq!(
                (info(&conn, "user").as_str(), info(&conn, "name").as_str()),
                ("default", ""),
                "{command}"
            );
            in_step(&conn);
        }
    });
}

/// S1-CLI-08: invalidations of one's own connection are not those of others, and do not disturb its answers.
#[test]
fn tracking_is_its_own() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    let client = lending(builder(&server.url()), 1);
    let conn = client.conn().wait().unwrap();
    conn.send(raw("CLIENT TRACKING ON")).wait().unwrap();
    for n in 0..100 {
        assert_eq!(conn.get::<Option<i64>>("k").wait().unwrap(), (n > 0).then_some(n - 1));
        admin.done(&format!("SET k {n}"));
        assert_eq!(client.get::<i64>("k").wait().unwrap(), n);
    }
    in_step(&conn);
}

/// S1-CLI-08: a request that blocks has a connection for itself, whoever asks for it, and holds nobody up.
#[test]
fn who_waits_for_a_list_holds_nobody_up() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = lending(builder, 2);
        thread::scope(|scope| {
            let thread = scope.spawn(|| client.send(blpop("a", 10.0)).wait());
            let task = scope.spawn(|| plain(client.send(blpop("b", 10.0))));
            until("both", || blocked(&mut admin) == 2);
            let start = Instant::now();
            for n in 0..100 {
                client.set("k", n).wait().unwrap();
                assert_eq!(plain(client.get::<i64>("k")).unwrap(), n);
            }
            assert!(start.elapsed() < LIMIT / 2);
            assert_eq!(blocked(&mut admin), 2, "they wait on");
            admin.done("RPUSH a 1");
            admin.done("RPUSH b 2");
            assert_eq!(thread.join().unwrap().unwrap(), Some(("a".into(), "1".into())));
            assert_eq!(task.join().unwrap().unwrap(), Some(("b".into(), "2".into())));
        });
        let conn = client.conn().wait().unwrap();
        thread::scope(|scope| {
            let own = scope.spawn(|| conn.send(blpop("c", 10.0)).wait());
            until("his own", || blocked(&mut admin) == 1);
            client.set("k", "free").wait().unwrap();
            admin.done("RPUSH c 3");
            assert_eq!(own.join().unwrap().unwrap(), Some(("c".into(), "3".into())));
        });
    });
}

/// S1-OPT-07: a request that blocks may take as long as it says, however short others must be.
#[test]
fn who_blocks_takes_as_long_as_he_says() {
    both(|_, builder| {
        let client = lending(builder.timeout(ms(200)), 2);
        let blpop = || blpop("none", 0.6);
        assert_eq!(client.send(blpop()).wait().unwrap(), None);
        let conn = client.conn().wait().unwrap();
        assert_eq!(conn.send(blpop()).wait().unwrap(), None);
        assert_eq!(plain(conn.send(blpop())).unwrap(), None);
        let late = conn.send(blpop()).timeout(ms(50)).wait();
        assert!(matches!(late, Err(Error::Failed(_))), "{late:?}");
        // Its answer comes, and is not for the next.
        let echo: String = conn.echo("next").timeout(LIMIT).wait().unwrap();
        assert_eq!(echo, "next");
    });
}

/// S0-OPT-07: a server that hangs is noticed on one's own connection as on any other, by the time that an answer may
/// take or by the request's own.
#[test]
fn a_deadline_holds_there() {
    both(|server, builder| {
        let client = lending(builder.timeout(ms(400)), 1);
        for by in [None, Some(By::BlockOn), Some(By::Keeper), Some(By::Tokio)] {
            for own in [None, Some(ms(100))] {
                let conn = client.conn().wait().unwrap();
                let get = || match own {
                    Some(own) => conn.get::<Option<String>>("k").timeout(own),
                    None => conn.get("k"),
                };
                server.signal("-STOP");
                let start = Instant::now();
                let late = match by {
                    None => get().wait(),
                    Some(by) => by.run(&client, async { get().await }),
                };
                let took = start.elapsed();
                server.signal("-CONT");
                assert!(matches!(late, Err(Error::Failed(_))), "{by:?}, {own:?}: {late:?}");
                println!("{by:?}, {own:?}: told after {took:?}");
                assert!(took >= own.unwrap_or(ms(400)) && took < ms(3000), "{took:?}");
            }
        }
    });
}

/// Polls a future once, and drops it.
fn touch(future: impl Future) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// S1-CLEAN-02: what is dropped with answers outstanding does not come back as if it was clean.
#[test]
fn one_that_still_owes_answers_is_not_lent_again() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = lending(builder, 1);
        for round in 0..10 {
            let conn = client.conn().wait().unwrap();
            assert!(!touch(conn.send(raw("BLPOP none 0"))));
            assert!(!touch(conn.echo::<String>("late")));
            if round % 2 == 0 {
                until("it", || blocked(&mut admin) == 1);
            }
            drop(conn);
            let conn = client.conn().wait().unwrap();
            in_step(&conn);
        }
        until("the end of those", || blocked(&mut admin) == 0);
        assert!(clients(&mut admin).len() <= 2);
    });
}

/// S1-CLEAN-02: a call on one's own connection that is dropped takes its own answer with it, and no other.
#[test]
fn calls_that_are_dropped_there_leave_the_others_in_step() {
    both(|_, builder| {
        let client = lending(builder, 1);
        let conn = client.conn().wait().unwrap();
        for by in By::ALL {
            by.run(&client, async {
                for n in 0..200 {
                    let (gone, word) = (format!("gone {n}"), format!("{by:?} {n}"));
                    (0..n % 4).for_each(|_| {
                        touch(conn.echo::<String>(&gone));
                    });
                    let back: String = conn.echo(&word).await.unwrap();
                    assert_eq!(back, word);
                    let pair = || (echo(&word).typed::<String>(), echo(&gone).typed::<String>());
                    touch(conn.pipeline(pair()));
                    let (first, second) = conn.pipeline(pair()).await.unwrap();
                    assert_eq!((first.unwrap(), second.unwrap()), (word, gone));
                }
            });
        }
        in_step(&conn);
    });
}

/// S1-POOL-12, S1-POOL-10: who waits too long for a connection is told so, and how long he has waited; whoever waits for
/// less has it once one comes back.
#[test]
fn who_waits_too_long_for_one_is_told() {
    both(|_, builder| {
        let client = lending(builder.config(|config| config.pool.wait_timeout = ms(200)), 2);
        let held = [client.conn().wait().unwrap(), client.conn().wait().unwrap()];
        let told = |result: Result<Conn, Error>| match result {
            Err(
                Error::Failed(Failed { refused: Some(refusal), .. })
                | Error::NotTaken(Refused::Pool(refusal)),
            ) => {
                let Refusal::Timeout { waited, size, in_use } = refusal else { panic!("{refusal:?}") };
                assert!((200_000..5_000_000).contains(&waited), "{waited}");
                assert_eq!((size, in_use), (3, 3));
            }
            other => panic!("{other:?}"),
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|n| {
                    let client = &client;
                    scope.spawn(move || if n % 2 == 0 { client.conn().wait() } else { plain(client.conn()) })
                })
                .collect();
            client.set("k", "others go on").wait().unwrap();
            threads.into_iter().for_each(|thread| told(thread.join().unwrap()));
        });
        for by in By::ALL {
            told(by.run(&client, async { client.conn().await }));
        }
        drop(held);
        in_step(&client.conn().wait().unwrap());
    });
}

/// S1-POOL-15: once its connection is lost every call fails, without a word on the wire; the pool has another for the
/// next.
#[test]
fn one_that_is_lost_stays_lost() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = lending(builder, 1);
        let conn = client.conn().wait().unwrap();
        let id = conn.client_id().wait().unwrap();
        assert_eq!(admin.done(&format!("CLIENT KILL ID {id}")), Answer::Number(1));
        let before = admin.calls("incr");
        for _ in 0..3 {
            let lost = conn.incr("n").wait();
            assert!(lost.is_err(), "{lost:?}");
        }
        let lost = conn.pipeline((incr("n"), incr("n"))).wait();
        assert!(!matches!(lost, Ok((Ok(_), _) | (_, Ok(_)))), "{lost:?}");
        for by in By::ALL {
            let lost = by.run(&client, async { conn.incr("n").await });
            assert!(lost.as_ref().is_err_and(Error::is_connection), "{by:?}: {lost:?}");
        }
        assert_eq!(admin.calls("incr"), before);
        assert_eq!(client.incr("n").wait().unwrap(), 1, "others go on");
        drop(conn);
        let conn = client.conn().wait().unwrap();
        assert_ne!(conn.client_id().wait().unwrap(), id);
        in_step(&conn);
    });
}

/// S1-CLEAN-02: a connection that came for somebody who had turned away is not lost for others.
#[test]
fn a_wish_that_is_dropped_keeps_nothing() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = lending(builder.config(|config| config.pool.wait_timeout = ms(2000)), 1);
        // The keeper drives: the connection comes while nobody looks.
        plain(client.echo::<String>("a task")).unwrap();
        for round in 0..20 {
            // What nobody uses would be lent at once.
            let used = (round > 0).then(|| client.conn().wait().unwrap());
            let mut wish = Box::pin(client.conn());
            let polled = wish.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Pending), "round {round}");
            drop(used);
            if round % 2 == 0 {
                // What was asked for behind it is answered: it was granted by then.
                plain(client.echo::<String>("behind")).unwrap();
                until("its connection", || clients(&mut admin).len() == 2);
                plain(client.echo::<String>("behind")).unwrap();
            }
            drop(wish);
            in_step(&client.conn().wait().unwrap_or_else(|error| panic!("round {round}: {error}")));
        }
    });
}

/// S1-CLEAN-02: a panic while a connection is in use costs this connection at most, and no place in the pool.
#[test]
fn a_panic_keeps_no_place() {
    both(|_, builder| {
        let client = lending(builder.config(|config| config.pool.wait_timeout = ms(2000)), 2);
        for n in 0..20 {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let conn = client.conn().wait().unwrap();
                conn.send(raw("MULTI")).wait().unwrap();
                match n % 2 {
                    0 => panic!("in between"),
                    _ => conn.echo::<String>("k").wait_with(|_| panic!("while reading")).unwrap(),
                }
            }));
            assert!(panicked.is_err());
        }
        let all = [client.conn().wait().unwrap(), client.conn().wait().unwrap()];
        all.iter().for_each(in_step);
    });
}

/// S1-CLI-08: threads that share one's own connection have their own answers each.
#[test]
fn threads_may_share_it() {
    both(|_, builder| {
        let client = lending(builder, 1);
        within(move || {
            let conn = client.conn().wait().unwrap();
            conn.select(2).wait().unwrap();
            thread::scope(|scope| {
                for n in 0..4 {
                    let (conn, client) = (&conn, &client);
                    scope.spawn(move || {
                        for m in 0..300 {
                            let word = format!("{n} {m}");
                            let echo: String =
                                if m % 2 == 0 { conn.echo(&word).wait() } else { plain(conn.echo(&word)) }
                                    .unwrap();
                            assert_eq!(echo, word);
                            conn.incr("n").wait().unwrap();
                            client.incr("n").wait().unwrap();
                        }
                    });
                }
            });
            assert_eq!(conn.get::<i64>("n").wait().unwrap(), 1200);
            assert_eq!(client.get::<i64>("n").wait().unwrap(), 1200);
        });
    });
}
