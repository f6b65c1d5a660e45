//! Batches of a client: every item is executed once and told once, whatever happens to server, room and owner.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use respire::bulk::Refused;
use respire::conn::Failure;
use respire::prelude::*;
use respire::resp::Value;
use respire::{Bulk, BulkError, BulkResult};
use respire_tests::chaos::plain;

use crate::support::{Admin, Answer, By, LIMIT, both, builder, ms, open, redis, until, within};

fn size(admin: &mut Admin) -> i64 {
    match admin.done("DBSIZE") {
        Answer::Number(size) => size,
        other => panic!("{other:?}"),
    }
}

fn number(admin: &mut Admin, key: &str) -> u64 {
    match admin.done(&format!("GET {key}")) {
        Answer::Text(number) => number.parse().expect("a number"),
        Answer::Nil => 0,
        other => panic!("{other:?}"),
    }
}

/// The next result, which must come in time.
fn next(bulk: &Bulk) -> Option<BulkResult> {
    respire::block_on_for(bulk.next(), LIMIT).expect("a result in time")
}

/// S0-BULK-01, S0-OPT-17: a hundred thousand items are executed once each, by the server's own count, and told once each.
#[test]
fn a_hundred_thousand() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    for (protocol, by) in [(2, None), (3, Some(By::Keeper)), (3, Some(By::Tokio))] {
        admin.done("FLUSHALL");
        admin.done("CONFIG RESETSTAT");
        let client = open(builder(&format!("{}?protocol={protocol}", server.url())));
        let bulk = client.bulk().start();
        let count = if protocol == 2 { 100_000 } else { 20_000 };
        let (mut pushed, mut refused, mut told) = (HashMap::new(), 0, 0);
        let mut hear = |pushed: &mut HashMap<_, _>, result: BulkResult| {
            told += 1;
            let n: usize = pushed.remove(&result.ticket).expect("an item that was not told before");
            assert_eq!(result.answer, Ok(Value::Integer(1)), "item {n}");
        };
        for n in 0..count {
            loop {
                match bulk.push(&incr(&format!("k{n}"))) {
                    Ok(ticket) => {
                        break assert_eq!(pushed.insert(ticket, n), None, "another ticket for each");
                    }
                    Err(Refused::Items | Refused::Bytes) => refused += 1,
                    Err(other) => panic!("{other}"),
                }
                let result = match by {
                    None => next(&bulk),
                    Some(by) => by.run(&client, bulk.next()),
                };
                hear(&mut pushed, result.expect("it is open"));
            }
        }
        bulk.close();
        while let Some(result) = next(&bulk) {
            hear(&mut pushed, result);
        }
        assert!(pushed.is_empty() && told == count && refused > 0, "{refused} times full");
        assert_eq!((size(&mut admin), admin.calls("incr").executed), (count as i64, count as u64));
        println!("{by:?}: {:?}", bulk.stats());
    }
}

/// S0-BULK-04: an item that the server refuses has its own error, and concerns no other.
#[test]
fn each_item_has_its_own_fate() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        admin.done("SET text x");
        let client = open(builder);
        let bulk = client.bulk().start();
        let tickets: Vec<_> = (0..300)
            .map(|n| match n % 3 {
                0 => bulk.push(&raw("RPUSH").key("text").arg(n)),
                1 => bulk.push(&raw("RPUSH").key("list").arg(n)),
                _ => bulk.push(&raw("INCRBY").key("text").arg("x")),
            })
            .map(Result::unwrap)
            .collect();
        assert_eq!(bulk.push(&select(3)), Err(Refused::Effect));
        let nothing: &[&str] = &[];
        assert!(matches!(bulk.push(&words(nothing)), Err(Refused::Misuse(_))));
        bulk.flush();
        for (n, ticket) in tickets.into_iter().enumerate() {
            let result = next(&bulk).unwrap();
            assert_eq!(result.ticket, ticket);
            match (n % 3, result.answer) {
                (0, Err(BulkError::Server(error))) => assert_eq!(error.code(), "WRONGTYPE"),
                (1, Ok(Value::Integer(length))) => assert_eq!(length as usize, n / 3 + 1),
                (2, Err(BulkError::Server(error))) => assert_eq!(error.code(), "ERR"),
                other => panic!("{n}: {other:?}"),
            }
        }
        assert_eq!(bulk.try_next(), None);
        assert_eq!(admin.done("LLEN list"), Answer::Number(100));
    });
}

/// S0-OPT-19: what waits is sent when its time has come, although nobody flushes, takes results or makes calls.
#[test]
fn what_waits_goes_by_itself() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder);
        let bulk = client.bulk().config(|config| config.flush_interval = ms(300)).start();
        for round in 1..4 {
            let start = Instant::now();
            bulk.push(&incr("k")).unwrap();
            until("it", || number(&mut admin, "k") == round);
            assert!(start.elapsed() >= ms(250), "{:?}", start.elapsed());
        }
        assert_eq!(bulk.stats().batches, 3);
    });
}

/// S0-SVC-04: to close sends what is left; to drop does, too, and the client's other handles may go.
#[test]
fn what_is_left_is_sent() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder);
        let bulk = client.bulk().start();
        (0..500).for_each(|n| assert!(bulk.push(&set(&format!("a{n}"), n)).is_ok()));
        bulk.close();
        assert_eq!(bulk.push(&incr("late")), Err(Refused::Closed));
        until("all", || size(&mut admin) == 500);
        assert_eq!(std::iter::from_fn(|| next(&bulk)).count(), 500);
        assert_eq!(next(&bulk), None, "the end stays the end");
        drop(bulk);

        let bulk = client.bulk().start();
        (0..500).for_each(|n| assert!(bulk.push(&set(&format!("b{n}"), n)).is_ok()));
        drop(bulk);
        until("all", || size(&mut admin) == 1000);
        assert_eq!(client.incr("still").wait().unwrap(), 1);
    });
}

/// S0-SVC-04: who has closed it is not taken at his word later, whoever has the engine just then.
#[test]
fn closed_is_closed_at_once() {
    both(|_server, builder| {
        let client = open(builder);
        for n in 0..300 {
            let bulk = client.bulk().room(10, 1000).start();
            bulk.push(&set("a", n)).unwrap();
            bulk.close();
            assert_eq!(bulk.push(&incr("late")), Err(Refused::Closed), "{n}");
            assert_eq!(std::iter::from_fn(|| next(&bulk)).count(), 1);
        }
    });
}

/// S0-BULK-05: a server that ends in the middle and is there again: what may go again does, and of what may not it is said
/// that nobody knows.
#[test]
fn a_server_that_ends_in_the_middle() {
    let Some(mut server) = redis() else { return };
    for by in [None, Some(By::Keeper)] {
        let client = open(builder(&server.url()).config(|config| {
            (config.pool.backoff_base, config.pool.backoff_cap) = (ms(10), ms(50));
        }));
        let bulk = client
            .bulk()
            .config(|config| (config.batch_size, config.max_retries, config.retry_cap) = (100, 20, ms(100)))
            .start();
        bulk.push(&set("first", 1)).unwrap();
        bulk.flush();
        assert!(next(&bulk).unwrap().answer.is_ok());
        server.signal("-STOP");
        let safe: Vec<_> = (0..1000).map(|n| bulk.push(&set(&format!("k{n}"), n)).unwrap()).collect();
        let counts: Vec<_> = (0..1000).map(|_| bulk.push(&incr("n")).unwrap()).collect();
        bulk.flush();
        until("some on their way", || bulk.stats().batches >= 3);
        server.kill();
        server.start_again(&[]);
        let (mut ok, mut unknown, mut again) = (0, 0, 0);
        for _ in 0..2000 {
            let result = match by {
                None => next(&bulk),
                Some(by) => by.run(&client, bulk.next()),
            }
            .unwrap();
            again += usize::from(result.retries > 0);
            let is_safe = safe.contains(&result.ticket);
            assert!(is_safe || counts.contains(&result.ticket));
            match result.answer {
                Ok(_) if is_safe => {}
                Ok(_) => ok += 1,
                Err(BulkError::Failed(Failure::Unknown)) if !is_safe => unknown += 1,
                other => panic!("{:?}: {other:?}", result.ticket),
            }
        }
        println!("{by:?}: {again} went again, {ok} counted, {unknown} unknown");
        bulk.close();
        assert_eq!(next(&bulk), None);
        until("the server", || client.echo::<String>("x").wait().is_ok());
        let mut admin = Admin::connect(server.addr());
        let counted = number(&mut admin, "n");
        assert!(
            (ok..=ok + unknown).contains(&counted),
            "{ok} counted, {unknown} unknown, {counted} executed"
        );
        let keys = size(&mut admin) - i64::from(counted > 0);
        assert_eq!(keys, 1000);
        assert!(again > 0);
        admin.done("FLUSHALL");
    }
}

/// S0-BULK-01: two beside each other have their own items, results and ends.
#[test]
fn two_beside_each_other() {
    both(|_, builder| {
        let client = open(builder);
        within(move || {
            let both = [client.bulk().start(), client.bulk().start()];
            thread::scope(|scope| {
                for (which, bulk) in both.iter().enumerate() {
                    scope.spawn(move || {
                        for n in 0..2000 {
                            bulk.push(&echo(&format!("{which}-{n}"))).unwrap();
                        }
                        bulk.close();
                    });
                    scope.spawn(move || {
                        for n in 0..2000 {
                            let answer = bulk.next_blocking().unwrap().answer;
                            assert_eq!(answer, Ok(Value::Bulk(format!("{which}-{n}").into_bytes())));
                        }
                        assert_eq!(bulk.next_blocking(), None);
                    });
                }
            });
            assert_eq!(client.incr("n").wait().unwrap(), 1);
        });
    });
}

/// S0-BULK-01: to push never waits, for the network least of all: while the server stands still, threads fill the room and
/// are refused beyond it.
#[test]
fn to_push_never_waits() {
    both(|server, builder| {
        let client = open(builder.timeout(LIMIT));
        let bulk = client.bulk().room(5000, 1 << 20).start();
        bulk.push(&set("first", 1)).unwrap();
        bulk.flush();
        assert!(next(&bulk).unwrap().answer.is_ok());
        server.signal("-STOP");
        let taken = AtomicUsize::new(0);
        let longest = thread::scope(|scope| {
            // Somebody drives, and somebody waits for the same server.
            scope.spawn(|| client.get::<Option<i64>>("first").wait().unwrap());
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut longest = ms(0);
                        for n in 0..2000 {
                            let start = Instant::now();
                            match bulk.push(&set("k", n)) {
                                Ok(_) => drop(taken.fetch_add(1, Ordering::SeqCst)),
                                Err(refused) => assert_eq!(refused, Refused::Items),
                            }
                            longest = longest.max(start.elapsed());
                        }
                        longest
                    })
                })
                .collect();
            let longest = threads.into_iter().map(|thread| thread.join().unwrap()).max();
            server.signal("-CONT");
            longest.unwrap()
        });
        println!("the longest push took {longest:?}");
        assert!(longest < ms(2000), "{longest:?}");
        assert_eq!(taken.into_inner(), 5000);
        bulk.flush();
        (0..5000).for_each(|n| assert!(next(&bulk).unwrap().answer.is_ok(), "{n}"));
        bulk.push(&set("k", "there is room again")).unwrap();
    });
}

/// S0-BULK-01: whoever takes results, threads and tasks together, each result comes to one of them, and the end to all.
#[test]
fn many_take_results() {
    both(|_, builder| {
        let client = open(builder);
        within(move || {
            let bulk = client.bulk().start();
            let taken = AtomicUsize::new(0);
            thread::scope(|scope| {
                for n in 0..6 {
                    let (bulk, taken) = (&bulk, &taken);
                    scope.spawn(move || {
                        let next = || if n % 2 == 0 { bulk.next_blocking() } else { plain(bulk.next()) };
                        while let Some(result) = next() {
                            assert!(result.answer.is_ok());
                            taken.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                }
                for n in 0..1000 {
                    bulk.push(&set("k", n)).unwrap();
                    if n % 50 == 0 {
                        bulk.flush();
                    }
                }
                bulk.close();
            });
            assert_eq!(taken.into_inner(), 1000);
        });
    });
}

/// S1-CLEAN-01: when its client is closed, what was sent is answered, and what was not is told so, to the last.
#[test]
fn to_close_the_client_ends_it() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder);
        let bulk = client.bulk().start();
        (0..500).for_each(|n| assert!(bulk.push(&set(&format!("k{n}"), n)).is_ok()));
        client.close().wait().unwrap();
        bulk.close();
        let results: Vec<_> = std::iter::from_fn(|| next(&bulk)).collect();
        let ok = results.iter().filter(|result| result.answer.is_ok()).count();
        println!("{ok} of {} were executed", results.len());
        assert_eq!(results.len(), 500);
        assert_eq!(size(&mut admin), ok as i64);
        // One that begins behind it.
        let late = client.bulk().start();
        if late.push(&incr("late")).is_ok() {
            late.flush();
            let result = next(&late).unwrap();
            assert!(
                matches!(result.answer, Err(BulkError::Failed(Failure::NotSent | Failure::Expired))),
                "{result:?}"
            );
        }
        assert_eq!(number(&mut admin, "late"), 0);
    });
}
