//! Pipelines of a client: few writes, a fate for each request, and more than there is room for.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread;

use respire::conn::Failure;
use respire::prelude::*;
use respire::resp::{Done, Reply};
use respire::{Client, Error};
use respire_tests::chaos::plain;
use respire_tests::proxy::{Act, At, Proxy, Script, Way};

use crate::support::{Admin, Answer, By, LIMIT, blocked, both, builder, ms, open, redis, until, within};

/// Sends the same pipeline by a thread and by tasks, whoever drives.
fn each_way<P: Pipeline>(client: &Client, make: impl Fn() -> P, check: impl Fn(P::Output<Error>)) {
    check(client.pipeline(make()).wait().unwrap());
    for by in By::ALL {
        check(by.run(client, async { client.pipeline(make()).await }).unwrap());
    }
    let conn = client.conn().wait().unwrap();
    check(conn.pipeline(make()).wait().unwrap());
    for by in By::ALL {
        check(by.run(client, async { conn.pipeline(make()).await }).unwrap());
    }
}

/// S1-CLI-05: a thousand requests go out in a few writes.
#[test]
fn a_thousand_requests_are_a_few_writes() {
    let Some(server) = redis() else { return };
    for protocol in [2, 3] {
        let proxy = Proxy::new(server.addr(), Script::new());
        let client = open(builder(&format!("{}?protocol={protocol}", proxy.url())));
        let before = proxy.log().writes(0, Way::Requests).len();
        let results = client.pipeline(vec![incr("n"); 1000]).wait().unwrap();
        assert!(results.into_iter().all(|result| result.is_ok()));
        let writes = proxy.log().writes(0, Way::Requests).len() - before;
        println!("{writes} writes");
        assert!(writes <= 4, "{writes} writes");
    }
}

/// S1-CLI-05: each request has its own result: an answer, an error, another type.
#[test]
fn each_has_its_own_fate() {
    both(|_, builder| {
        let client = open(builder);
        let requests = || (set("s", "x"), incr("s"), get("s").typed::<i64>(), get("s").typed::<String>());
        each_way(&client, requests, |(set, wrong, other, good)| {
            assert_eq!(set.unwrap(), Some(Done));
            assert_eq!(wrong.unwrap_err().code(), Some("ERR"));
            assert!(matches!(other, Err(Error::Decode(_))));
            assert_eq!(good.unwrap(), "x");
        });
        each_way(&client, Vec::<Get<'_>>::new, |none| assert!(none.is_empty()));
    });
}

/// S1-CLI-05: what cannot be sent is refused by itself, and the others are answered.
#[test]
fn what_is_refused_is_refused_alone() {
    both(|_, builder| {
        let client = open(builder);
        let nothing: &[&str] = &[];
        each_way(
            &client,
            || (set("k", 1), words(nothing), get("k").typed::<i64>()),
            |(set, refused, get)| {
                set.unwrap();
                assert!(matches!(refused, Err(Error::Refused(_) | Error::NotTaken(_))), "{refused:?}");
                assert_eq!(get.unwrap(), 1);
            },
        );
        let all = |n: usize| if n % 100 == 50 { words(nothing) } else { words(&["INCR", "n"]) };
        each_way(
            &client,
            || (0..2500).map(all).collect::<Vec<_>>(),
            |results| {
                assert_eq!(results.len(), 2500);
                assert!(results.iter().enumerate().all(|(n, result)| result.is_ok() == (n % 100 != 50)));
            },
        );
        assert_eq!(client.get::<i64>("n").wait().unwrap(), 8 * 2475);
        let select = client.pipeline((set("k", 2), select(3), get("k").typed::<i64>())).wait().unwrap();
        assert!(matches!(select, (Ok(_), Err(Error::NeedsOwnConnection), Ok(2))), "{select:?}");
    });
}

/// S1-CLI-05: ten thousand, each answer in its place.
#[test]
fn ten_thousand() {
    both(|_, builder| {
        let client = open(builder);
        let texts: Vec<String> = (0..10_000).map(|n| format!("text {n}")).collect();
        each_way(
            &client,
            || texts.iter().map(|text| echo(text).typed::<String>()).collect::<Vec<_>>(),
            |results| {
                assert!(results.into_iter().map(Result::unwrap).eq(texts.iter().cloned()));
            },
        );
        let apart = client.pipeline(vec![incr("n"); 3000]).apart().wait().unwrap();
        assert!(apart.into_iter().map(Result::unwrap).eq(1..=3000));
    });
}

/// S1-CONN-06: long values of every kind, to whoever drives and to others: what was stored comes back.
#[test]
fn long_values_of_every_kind() {
    both(|_server, builder| {
        let client = open(builder.timeout(LIMIT));
        for len in [1, 1000, 16 << 10, (16 << 10) + 1, 100_000, 3 << 20] {
            let text: String = (0..len).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
            let bytes = text.as_bytes();
            client.set("text", &text).wait().unwrap();
            client.set("bytes", &[&[255], bytes].concat()).wait().unwrap();
            assert_eq!(client.get::<String>("text").wait().unwrap(), text);
            for by in By::ALL {
                by.run(&client, async {
                    assert!(client.get::<String>("text").await.unwrap() == text, "{by:?} {len}");
                    assert!(
                        client.get::<Option<String>>("text").await.unwrap().unwrap() == text,
                        "{by:?} {len}"
                    );
                    assert!(client.get::<Vec<u8>>("bytes").await.unwrap()[1..] == *bytes, "{by:?} {len}");
                    assert!(client.get::<String>("bytes").await.is_err(), "it is not UTF-8");
                    let read = |reply: Reply<'_>| Ok(reply.get::<&str>()? == text);
                    assert!(client.send(get("text")).read(read).await.unwrap(), "{by:?} {len}");
                    let list = client.mget::<Vec<String>>(["text", "text"].as_slice()).await.unwrap();
                    assert!(list == [&*text, &*text], "{by:?} {len}");
                    client.append("text", &text).await.unwrap();
                    assert_eq!(client.strlen("text").await.unwrap(), 2 * len as i64);
                    client.set("text", &text).await.unwrap();
                });
            }
        }
    });
}

/// S1-CLI-05: values of a MiB each, more of them than all buffers hold.
#[test]
fn large_values() {
    let Some(server) = redis() else { return };
    let client = open(builder(&format!("{}?timeout=60s", server.url())));
    let values: Vec<Vec<u8>> = (0..64_u8).map(|n| vec![n; 1 << 20]).collect();
    let keys: Vec<String> = (0..64).map(|n| format!("k{n}")).collect();
    let sets = || keys.iter().zip(&values).map(|(key, value)| set(key, value)).collect::<Vec<_>>();
    let gets = || keys.iter().map(|key| get(key).typed::<Vec<u8>>()).collect::<Vec<_>>();
    let check = |by: &dyn std::fmt::Debug,
                 stored: Vec<Result<Option<Done>, Error>>,
                 read: Vec<Result<Vec<u8>, Error>>| {
        for (n, result) in stored.into_iter().enumerate() {
            assert!(result.is_ok(), "{by:?}: value {n}: {result:?}");
        }
        let all = read.into_iter().zip(&values).all(|(read, value)| read.unwrap() == *value);
        assert!(all, "{by:?}");
    };
    check(&"thread", client.pipeline(sets()).wait().unwrap(), client.pipeline(gets()).wait().unwrap());
    let task = async { (client.pipeline(sets()).await.unwrap(), client.pipeline(gets()).await.unwrap()) };
    let (stored, read) = plain(task);
    check(&"task", stored, read);
    let conn = client.conn().wait().unwrap();
    check(&"conn", conn.pipeline(sets()).wait().unwrap(), conn.pipeline(gets()).wait().unwrap());
}

/// S1-CLI-05, S1-BP-04: of a pipeline whose connection is lost in the middle, those that were answered are, and nobody
/// says of one that it was not sent that was executed.
#[test]
fn a_connection_that_is_lost_in_the_middle() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    for by in [None, Some(By::BlockOn), Some(By::Keeper), Some(By::Tokio)] {
        admin.done("FLUSHALL");
        // The answer to HELLO is the first frame.
        let proxy = Proxy::new(server.addr(), Script::new().connection(0).replies(At::Before(401), Act::Cut));
        let client = open(builder(&proxy.url()));
        let requests = vec![incr("n"); 1000];
        let results = match by {
            None => client.pipeline(requests).wait(),
            Some(by) => by.run(&client, async { client.pipeline(requests).await }),
        };
        let results = results.unwrap();
        let (mut answered, mut unknown, mut unsent) = (0, 0, 0);
        for result in &results {
            match result {
                Ok(_) => answered += 1,
                Err(Error::Failed(failed)) if failed.failure == Failure::NotSent => unsent += 1,
                Err(Error::Failed(failed)) if failed.failure == Failure::Unknown => unknown += 1,
                other => panic!("{other:?}"),
            }
        }
        let Answer::Text(executed) = admin.done("GET n") else { panic!("a number is text") };
        let executed: usize = executed.parse().unwrap();
        println!("{by:?}: {answered} answered, {unknown} unknown, {unsent} not sent, {executed} executed");
        assert!(answered >= 390 && unknown + answered >= executed && executed >= answered);
        assert!(client.incr("n").wait().unwrap() > 0);
        // What only reads goes again, as far as the budget goes.
        let proxy = Proxy::new(server.addr(), Script::new().connection(0).replies(At::Before(401), Act::Cut));
        let client = open(builder(&proxy.url()).config(|config| config.budget.burst = 1000));
        let gets = client.pipeline(vec![get("n").typed::<i64>(); 1000]).wait().unwrap();
        let failed: Vec<_> = gets.iter().enumerate().filter(|(_, result)| result.is_err()).collect();
        assert!(failed.is_empty(), "{by:?}: {} of them, {:?}", failed.len(), failed[0]);
    }
}

/// S1-CLI-05, S1-CLI-07: more requests at once than there is room for: each pipeline waits for its turn, and so does who
/// has one request only.
#[test]
fn many_at_once_wait_for_their_turn() {
    both(|_, builder| {
        let client = open(builder.timeout(LIMIT));
        within(move || {
            thread::scope(|scope| {
                for n in 0..6 {
                    let client = &client;
                    scope.spawn(move || {
                        let requests = vec![incr("n"); 3000];
                        let results = match n % 2 {
                            0 => client.pipeline(requests).wait(),
                            _ => plain(client.pipeline(requests)),
                        };
                        assert!(
                            results.unwrap_or_else(|error| panic!("{n}: {error}")).iter().all(Result::is_ok)
                        );
                    });
                    scope.spawn(move || {
                        for _ in 0..100 {
                            client.incr("single").wait().unwrap_or_else(|error| panic!("{error}"));
                        }
                    });
                }
            });
            assert_eq!(client.get::<i64>("n").wait().unwrap(), 18_000);
            assert_eq!(client.get::<i64>("single").wait().unwrap(), 600);
        });
    });
}

/// S1-CLEAN-02: a pipeline that is dropped on its way takes neither room nor answers with it.
#[test]
fn who_turns_away_takes_nothing_with_him() {
    both(|_, builder| {
        let client = open(builder);
        plain(client.echo::<String>("a task")).unwrap();
        for n in 0..20 {
            let gone =
                respire::block_on_for(async { client.pipeline(vec![incr("n"); 1000]).await }, ms(n % 3));
            drop(gone);
            let (a, b) =
                client.pipeline((echo("a").typed::<String>(), echo("b").typed::<String>())).wait().unwrap();
            assert_eq!((a.unwrap().as_str(), b.unwrap().as_str()), ("a", "b"), "round {n}");
        }
        let all = client.pipeline(vec![incr("m"); 2000]).wait().unwrap();
        assert!(all.into_iter().map(Result::unwrap).eq(1..=2000));
    });
}

/// S1-CLI-05, S0-OPT-06: a pipeline that finds room for a part of it only, and whose time is over then: what was answered
/// has its results, and it is the rest that was not sent.
#[test]
fn what_was_answered_is_told_when_the_rest_is_late() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder.calls(2));
        let blpop = || words(&["BLPOP", "held", "0"]);
        for by in [None, Some(By::BlockOn), Some(By::Keeper), Some(By::Tokio)] {
            admin.done("DEL n held");
            thread::scope(|scope| {
                let holder = scope.spawn(|| client.send(blpop()).timeout(LIMIT).wait());
                until("the holder", || blocked(&mut admin) == 1);
                // There is room for one more request, and the next in line is somebody else.
                server.signal("-STOP");
                let mut context = Context::from_waker(Waker::noop());
                let mut call = client.pipeline(vec![incr("n"); 3]).timeout(ms(500));
                assert!(Pin::new(&mut call).poll(&mut context).is_pending());
                let mut next = client.send(blpop());
                assert!(Pin::new(&mut next).poll(&mut context).is_pending());
                server.signal("-CONT");
                let results = match by {
                    None => call.wait(),
                    Some(by) => by.run(&client, call),
                };
                drop(next);
                admin.done("RPUSH held 1");
                assert!(holder.join().unwrap().is_ok());
                let results = results.unwrap();
                let expired = |result: &Result<i64, Error>| matches!(result, Err(Error::Failed(failed)) if failed.failure == Failure::Expired);
                assert!(matches!(results[0], Ok(1)), "{by:?}: {results:?}");
                assert!(results[1..].iter().all(expired), "{by:?}: {results:?}");
                assert_eq!(admin.done("GET n"), Answer::Text("1".into()));
            });
        }
    });
}
