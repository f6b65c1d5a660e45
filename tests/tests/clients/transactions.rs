//! Transactions of a client: typed results, one winner, and nothing left behind by who turns away.

use std::future::Future;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Waker};
use std::thread;

use respire::prelude::*;
use respire::{Client, Conn, Error, block_on};
use respire_tests::chaos::plain;
use respire_tests::proxy::{Act, At, Proxy, Script};

use crate::support::{Admin, Answer, By, both, builder, clients, ms, open, redis, until, within};

/// S1-CLI-06: each request has a result of its own type, or its own error, which undoes nothing.
#[test]
fn results_are_typed() {
    both(|_, builder| {
        let client = open(builder);
        let requests =
            || (set("k", "word"), incr("k"), get("k").typed::<String>(), incr("n"), mget(&["k", "no"]));
        let mut round = 0;
        let mut check =
            |done: (_, Result<i64, Error>, Result<String, _>, Result<i64, _>, Result<Vec<_>, _>)| {
                round += 1;
                let (set, wrong, get, n, both): (Result<Option<_>, Error>, _, _, _, _) = done;
                assert!(set.unwrap().is_some());
                assert!(wrong.unwrap_err().to_string().contains("not an integer"));
                assert_eq!((get.unwrap().as_str(), n.unwrap()), ("word", round));
                assert_eq!(both.unwrap(), [Some(b"word".to_vec()), None]);
            };
        check(client.transaction(requests()).wait().unwrap());
        for by in By::ALL {
            check(by.run(&client, async { client.transaction(requests()).await }).unwrap());
        }
        assert!(client.transaction(Vec::<Get<'_>>::new()).wait().unwrap().is_empty());
    });
}

/// S1-CLI-06: more requests than a connection has in flight are one transaction nevertheless.
#[test]
fn many_are_one_transaction() {
    both(|server, builder| {
        let client = open(builder);
        let mut admin = Admin::connect(server.addr());
        for (round, by) in
            [None, Some(By::BlockOn), Some(By::Keeper), Some(By::Tokio)].into_iter().enumerate()
        {
            let requests = vec![incr("n"); 1500];
            let results = match by {
                None => client.transaction(requests).wait(),
                Some(by) => by.run(&client, async { client.transaction(requests).await }),
            };
            let from = 1500 * round as i64;
            assert!(results.unwrap().into_iter().map(Result::unwrap).eq(from + 1..=from + 1500), "{by:?}");
        }
        assert_eq!(admin.done("GET n"), Answer::Text("6000".into()));
    });
}

/// S1-CLI-06: if the server does not queue one, it executes none, and it is said which.
#[test]
fn what_is_not_queued_is_named() {
    both(|_, builder| {
        let client = open(builder);
        let requests = || (incr("n"), raw("NO-SUCH").arg(1), raw("GET"), incr("n"));
        let check = |result: Result<_, TransactionError<Error>>| match result {
            Err(TransactionError::Refused { index: 1, error }) => {
                assert!(error.to_string().contains("unknown command"), "{error}");
            }
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("there are results"),
        };
        check(client.transaction(requests()).wait().map(drop));
        for by in By::ALL {
            check(by.run(&client, async { client.transaction(requests()).await }).map(drop));
        }
        // What cannot be sent takes the others with it.
        let nothing: &[&str] = &[];
        let refused = client.transaction((incr("n"), words(nothing), incr("n"))).wait();
        assert!(matches!(refused, Err(TransactionError::Failed(_))), "{refused:?}");
        assert_eq!(client.get::<Option<i64>>("n").wait().unwrap(), None);
    });
}

/// S1-CLI-06: two clients that have read the same: exactly one of them writes.
#[test]
fn of_two_exactly_one_wins() {
    both(|server, builder| {
        let both = [open(builder.clone()), open(builder)];
        let mut admin = Admin::connect(server.addr());
        for round in 0..20 {
            admin.done(&format!("SET n {round}"));
            let barrier = Barrier::new(2);
            let results = thread::scope(|scope| {
                let run =
                    |client: &Client, task: bool| {
                        let decide = |n: i64| {
                            barrier.wait();
                            Ok(Some([set("n", n + 1)]))
                        };
                        if task {
                            plain(client.check_and_set_async("n", 1, async |conn: &Conn| {
                                decide(conn.get("n").await?)
                            }))
                        } else {
                            client.check_and_set("n", 1, |conn| decide(conn.get("n").wait()?))
                        }
                    };
                let threads = [0, 1].map(|n| {
                    let client = &both[n];
                    scope.spawn(move || run(client, (round + n) % 2 == 0))
                });
                threads.map(|thread| thread.join().unwrap())
            });
            let won = results.iter().filter(|result| matches!(result, Ok(Some(_)))).count();
            let lost =
                results.iter().filter(|result| matches!(result, Err(TransactionError::Aborted))).count();
            assert_eq!((won, lost), (1, 1), "round {round}: {results:?}");
            assert_eq!(admin.done("GET n"), Answer::Text((round + 1).to_string()));
        }
    });
}

/// S1-CLI-06: with attempts enough nobody's change is lost, whoever changes at the same time.
#[test]
fn every_change_counts() {
    both(|_, builder| {
        let clients = [open(builder.clone()), open(builder)];
        within(move || {
            thread::scope(|scope| {
                for n in 0..4 {
                    let client = &clients[n % 2];
                    scope.spawn(move || {
                        for _ in 0..25 {
                            let add = |n: Option<i64>| Ok(Some([set("n", n.unwrap_or(0) + 1)]));
                            let done = if n < 2 {
                                client.check_and_set("n", 1000, |conn| add(conn.get("n").wait()?))
                            } else {
                                let decide = async |conn: &Conn| add(conn.get("n").await?);
                                block_on(client.check_and_set_async("n", 1000, decide))
                            };
                            assert!(done.unwrap().is_some());
                        }
                    });
                }
            });
            assert_eq!(clients[0].get::<i64>("n").wait().unwrap(), 100);
        });
    });
}

/// S1-CLI-06: who wants no change, or fails while he decides, leaves nothing watched.
#[test]
fn who_changes_nothing_watches_nothing() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder.connections(2));
        let none = client.check_and_set("k", 5, |_| Ok(None::<[Incr<'_>; 1]>)).unwrap();
        assert!(none.is_none());
        let failed = client.check_and_set("k", 5, |conn| {
            conn.get::<i64>("no such number").wait()?;
            Ok(Some([incr("k")]))
        });
        assert!(matches!(failed, Err(TransactionError::Failed(Error::Decode(_)))), "{failed:?}");
        let never = client.check_and_set("k", 0, |_| Ok(Some([incr("k")])));
        assert!(matches!(never, Err(TransactionError::Aborted)), "{never:?}");
        admin.done("INCR k");
        let [n] = client.transaction([incr("k")]).wait().unwrap().try_into().unwrap();
        assert_eq!(n.unwrap(), 2);
        assert!(clients(&mut admin).len() <= 2);
    });
}

/// S1-CLEAN-02: a transaction that is dropped at any moment is executed as a whole or not at all, and its connection comes
/// back.
#[test]
fn who_turns_away_leaves_nothing_behind() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder.connections(2).config(|config| config.pool.wait_timeout = ms(5000)));
        plain(client.echo::<String>("a task")).unwrap();
        for n in 0..100 {
            let mut call = pin!(Some(client.transaction((incr("a"), incr("b")))));
            for _ in 0..n % 5 {
                if let Some(call) = call.as_mut().as_pin_mut() {
                    _ = call.poll(&mut Context::from_waker(Waker::noop()));
                }
                plain(client.echo::<String>("meanwhile")).unwrap();
            }
            call.set(None);
            let conn = client.conn().wait().unwrap_or_else(|error| panic!("round {n}: {error}"));
            let info: String = conn.client_info().wait().unwrap();
            assert!(info.contains(" multi=-1 "), "round {n}: {info}");
        }
        // What was on its way has come to an end.
        until("the others", || clients(&mut admin).len() <= 2);
        assert_eq!(admin.done("GET a"), admin.done("GET b"));
    });
}

/// S1-CLI-06: a connection that is lost in a transaction says that its outcome is not known, and nothing goes again.
#[test]
fn a_lost_connection_is_told_once() {
    let Some(server) = redis() else { return };
    let client = open(builder(&server.url()));
    // The request in the middle ends its own connection before EXEC is read.
    let kill = raw("CLIENT KILL TYPE normal SKIPME no");
    let lost = client.transaction((incr("n"), kill, incr("n"))).wait();
    assert!(matches!(lost, Err(TransactionError::Failed(Error::Failed(_)))), "{lost:?}");
    // The first connection is shared; behind the handshake of the second there are MULTI, INCR and EXEC.
    let script = Script::new().connection(1).replies(At::Before(3), Act::Cut);
    let proxy = Proxy::new(server.addr(), script);
    let client = open(builder(&proxy.url()));
    let lost = client.transaction([incr("m")]).wait();
    assert!(matches!(lost, Err(TransactionError::Failed(Error::Failed(_)))), "{lost:?}");
    let executed = Admin::connect(server.addr()).done("GET m");
    assert_eq!(executed, Answer::Text("1".into()), "{}", proxy.log());
    let [m] = client.transaction([incr("m")]).wait().unwrap().try_into().unwrap();
    assert_eq!(m.unwrap(), 2);
}
