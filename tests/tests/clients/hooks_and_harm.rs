//! Hooks of a client: what they cannot break, and what they are told of the rest.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use respire::command::{Subscription, TransactionError};
use respire::engine::Refused;
use respire::hook::{
    Attempt, Batch, BatchEnd, Dial, DialEnd, End, Hook, Refusal, Transaction, TransactionEnd,
};
use respire::prelude::*;
use respire::time::Instant;
use respire::{Client, Error, HOOK_PANICKED};

use crate::support::{Admin, LIMIT, both, builder, kill_others, ms, open, redis, until, within};

use crate::witness::{Log, Witness, watched};

/// S1-HOOK-02: whatever becomes of connections and callers, each beginning that a hook let pass has one end.
#[test]
fn what_begins_ends() {
    #[derive(Clone, Default)]
    struct Balance(Arc<[AtomicU64; 4]>);

    impl Balance {
        fn open(&self) -> [i64; 4] {
            std::array::from_fn(|at| self.0[at].load(Ordering::SeqCst) as i64)
        }

        fn begin(&self, at: usize) -> Result<(), Refusal> {
            self.0[at].fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        fn end(&self, at: usize) {
            assert!(self.0[at].fetch_sub(1, Ordering::SeqCst) > 0, "an end without a beginning: {at}");
        }
    }

    impl Hook for Balance {
        fn before_dial(&mut self, _: Instant, _: &mut Dial<'_>) -> Result<(), Refusal> {
            self.begin(0)
        }
        fn after_dial(&mut self, _: Instant, _: &Dial<'_>, _: &DialEnd<'_>) {
            self.end(0);
        }
        fn before_command(&mut self, _: Instant, _: &Attempt<'_>) -> Result<(), Refusal> {
            self.begin(1)
        }
        fn after_command(&mut self, _: Instant, _: &Attempt<'_>, _: &End<'_>) {
            self.end(1);
        }
        fn before_pipeline(&mut self, _: Instant, _: &Batch) -> Result<(), Refusal> {
            self.begin(2)
        }
        fn after_pipeline(&mut self, _: Instant, _: &Batch, _: &BatchEnd) {
            self.end(2);
        }
        fn before_transaction(&mut self, _: Instant, _: &Transaction) -> Result<(), Refusal> {
            self.begin(3)
        }
        fn after_transaction(&mut self, _: Instant, _: &Transaction, _: &TransactionEnd) {
            self.end(3);
        }
    }

    both(|server, builder| {
        let balance = Balance::default();
        let client = open(builder.hook(balance.clone()).config(|config| {
            (config.dials, config.pool.backoff_cap) = ((1000, 1000), ms(20));
        }));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for n in 0..4 {
                let (client, stop) = (&client, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::SeqCst) {
                        match n {
                            0 => drop(client.incr("k").wait()),
                            1 => drop(client.transaction((incr("k"), incr("l"))).wait()),
                            2 => drop(client.pipeline((incr("k"), incr("l"))).wait()),
                            _ => {
                                if let Ok(conn) = client.conn().wait() {
                                    drop(conn.pipeline((incr("k"), incr("l"))).wait());
                                    // Dropped before its answer.
                                    let blocks = conn.send(raw("BLPOP").key("none").arg(1));
                                    drop(respire::block_on_for(blocks.read(|_| Ok(())), ms(1)));
                                }
                            }
                        }
                    }
                });
            }
            for _ in 0..30 {
                kill_others(&mut Admin::connect(server.addr()));
                thread::yield_now();
            }
            stop.store(true, Ordering::SeqCst);
        });
        client.close().wait().unwrap();
        until("all ends", || balance.open() == [0; 4]);
    });
}

/// S1-HOOK-02: a hook that panics before a request has refused it, and behind it is passed over; nobody else notices.
#[test]
fn a_panic_is_a_no() {
    struct Panics;

    impl Hook for Panics {
        fn before_command(&mut self, _: Instant, attempt: &Attempt<'_>) -> Result<(), Refusal> {
            assert_ne!(attempt.label, Some("before"), "this is meant to panic");
            Ok(())
        }

        fn after_command(&mut self, _: Instant, attempt: &Attempt<'_>, _: &End<'_>) {
            assert_ne!(attempt.label, Some("after"), "this is meant to panic");
        }
    }

    both(|_, builder| {
        let log = Log::default();
        let client = open(builder.hook(Witness::new('A', &log)).hook(Panics));
        drop(log.take());
        within(move || {
            let conn = client.conn().wait().unwrap();
            drop(log.take());
            type Ask = fn(&Client, &respire::Conn) -> Result<i64, Error>;
            let asks: [Ask; 3] = [
                |client, _| client.incr("k").label("before").wait(),
                |_, conn| conn.incr("k").label("before").wait(),
                |client, _| respire::block_on(async { client.incr("k").label("before").await }),
            ];
            for _ in 0..3 {
                for ask in asks {
                    let refused = ask(&client, &conn);
                    let Err(Error::NotTaken(Refused::Hook(why))) = refused else { panic!("{refused:?}") };
                    assert_eq!(why, HOOK_PANICKED);
                    assert_eq!(log.take(), ["A before INCR for before", "A after INCR for before refused"]);
                }
            }
            assert_eq!(client.incr("k").label("after").wait().unwrap(), 1);
            assert_eq!(log.take(), ["A before INCR for after", "A after INCR for after answered"]);
            thread::scope(|scope| {
                scope.spawn(|| (0..100).for_each(|_| drop(client.incr("n").label("after").wait())));
                scope.spawn(|| (0..100).for_each(|_| assert!(client.incr("n").wait().is_ok())));
                scope.spawn(|| (0..100).for_each(|_| drop(client.incr("k").label("before").wait())));
            });
            assert_eq!(client.get::<i64>("n").wait().unwrap(), 200);
            assert_eq!(client.get::<i64>("k").wait().unwrap(), 1);
        });
    });
}

/// S1-HOOK-02: what a hook asks its client for, or another, is refused or done later; nothing waits for itself.
#[test]
fn inside_of_a_hook() {
    #[derive(Default)]
    struct Asks {
        client: Arc<OnceLock<Client>>,
        seen: Arc<Mutex<HashMap<&'static str, bool>>>,
        bulk: Option<respire::Bulk>,
    }

    impl Hook for Asks {
        fn after_command(&mut self, _: Instant, _: &Attempt<'_>, _: &End<'_>) {
            let Some(client) = self.client.get() else { return };
            fn busy<T>(result: Result<T, Error>) -> bool {
                matches!(result, Err(Error::Busy))
            }
            let bulk = self.bulk.get_or_insert_with(|| client.bulk().start());
            _ = bulk.push(&incr("pushed"));
            bulk.flush();
            assert!(bulk.next_blocking().is_none() || bulk.stats().answered > 0);
            let mut seen = self.seen.lock().unwrap();
            seen.insert("call", busy(client.incr("k").wait()));
            seen.insert("task", busy(respire::block_on(async { client.incr("k").await })));
            seen.insert("pipeline", busy(client.pipeline((incr("k"),)).wait()));
            seen.insert("conn", busy(client.conn().wait()));
            seen.insert("subscribe", busy(client.subscribe("c").wait()));
            seen.insert("monitor", busy(client.monitor().wait()));
            seen.insert("ready", busy(client.ready().wait()));
            let done = client.transaction((incr("k"),)).wait();
            seen.insert("transaction", matches!(done, Err(TransactionError::Failed(Error::Busy))));
        }
    }

    both(|_, builder| {
        let hook = Asks::default();
        let (cell, seen) = (Arc::clone(&hook.client), Arc::clone(&hook.seen));
        let client = open(builder.hook(hook));
        assert!(cell.set(client.clone()).is_ok());
        within(move || {
            for _ in 0..20 {
                client.incr("n").wait().unwrap();
                let conn = client.conn().wait().unwrap();
                drop(conn.pipeline((incr("n"), incr("n"))).wait().unwrap());
                drop(client.transaction((incr("n"),)).wait().unwrap());
            }
            let seen = seen.lock().unwrap().clone();
            assert!(seen.len() == 8 && seen.values().all(|busy| *busy), "{seen:?}");
            assert_eq!(client.get::<Option<i64>>("k").wait().unwrap(), None);
        });
    });
}

/// S1-HOOK-03: batches are told as pipelines, with each of their items.
#[test]
fn batches_are_pipelines() {
    both(|_, builder| {
        let (client, log) = watched(builder);
        let bulk = client.bulk().start();
        (0..3).for_each(|n| assert!(bulk.push(&set(&format!("k{n}"), n)).is_ok()));
        bulk.close();
        while let Some(result) = respire::block_on_for(bulk.next(), LIMIT).expect("in time") {
            assert!(result.answer.is_ok());
        }
        let told = log.take();
        assert!(told.contains(&"A before pipeline of 3".to_owned()), "{told:?}");
        assert!(told.contains(&"A after pipeline of 3 3+0+0".to_owned()), "{told:?}");
    });
}

/// Clients that are made alike have their hooks together; what nobody asked for is not told.
#[test]
fn clones_of_a_builder_share_hooks() {
    let Some(server) = redis() else { return };
    let log = Log::default();
    let made = builder(&server.url()).hook(Witness::new('A', &log));
    let clients = [open(made.clone()), open(made)];
    drop(log.take());
    for client in &clients {
        let mut news = client.subscribe("c").wait().unwrap();
        client.publish("c", "x").wait().unwrap();
        assert!(news.recv_timeout(LIMIT).flatten().is_some());
        assert!(news.control().unsubscribe(Subscription::Channel, "c"));
    }
    assert_eq!(log.take(), ["A before PUBLISH", "A after PUBLISH answered"].repeat(2));
}
