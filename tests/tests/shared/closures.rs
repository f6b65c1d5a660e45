//! Closures that are shown an answer where it lies: what they may not do, and what happens when they panic.

use std::collections::HashMap;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use respire::engine::Life;
use respire::prelude::*;
use respire::{Client, Error};
use respire_tests::chaos::plain;
use respire_tests::peer::Peer;

use crate::support::{builder, open, redis, until, within};

/// Reads an answer with a closure that panics.
fn panic_once(client: &Client) {
    let call = client.echo::<String>("panic");
    let read = || call.wait_with(|_| -> Result<(), Error> { resume_unwind(Box::new("meant")) });
    assert!(catch_unwind(AssertUnwindSafe(read)).is_err(), "it panics");
}

/// S3-CONF-04: a closure has the client for itself. It may not ask, and is told so instead of waiting for ever.
#[test]
fn a_closure_may_not_ask() {
    let Some(server) = redis() else { return };
    let client = open(&server);
    let task = open(&server);
    within(move || {
        drop(task.conn().wait().expect("a connection that nobody uses from here on"));
        // Nor where the answer was kept for a task.
        let read = plain(task.echo::<String>("outer").read(|outer| {
            let waiting: Result<String, Error> = task.echo("inner").wait();
            assert!(matches!(waiting, Err(Error::Busy)), "{waiting:?}");
            let lent = task.conn().wait();
            assert!(matches!(lent, Err(Error::Busy)), "{lent:?}");
            Ok(outer.get::<String>()?)
        }));
        assert_eq!(read.expect("the answer"), "outer");

        let read = client.echo::<String>("outer").wait_with(|outer| {
            let waiting: Result<String, Error> = client.echo("inner").wait();
            assert!(matches!(waiting, Err(Error::Busy)), "{waiting:?}");
            let polling: Result<String, Error> = plain(client.echo("inner"));
            assert!(matches!(polling, Err(Error::Busy)), "{polling:?}");
            let driving: Result<String, Error> = respire::block_on(client.echo("inner"));
            assert!(matches!(driving, Err(Error::Busy)), "{driving:?}");
            Ok(outer.get::<String>()?)
        });
        assert_eq!(read.expect("the answer"), "outer");
        let after: String = client.echo("after").wait().expect("an answer");
        assert_eq!(after, "after");
    });
}

/// S3-CONF-04: who panics harms nobody else: others have their answers meanwhile, and no room is lost.
#[test]
fn a_panic_is_its_own_callers() {
    let Some(server) = redis() else { return };
    const CALLS: usize = 16;
    let client = builder(&server).calls(CALLS).connect().expect("a client");
    within(move || {
        let over = &AtomicBool::new(false);
        thread::scope(|scope| {
            let others: Vec<_> = (0..4)
                .map(|worker| {
                    let client = client.clone();
                    scope.spawn(move || {
                        let mut count = 0_u64;
                        while !over.load(Ordering::Relaxed) || count < 10 {
                            let word = format!("{worker}-{count}");
                            let echo: String = client.echo(&word).wait().expect("an answer");
                            assert_eq!(echo, word);
                            count += 1;
                        }
                        count
                    })
                })
                .collect();
            // More often than there are calls at once.
            (0..10 * CALLS).for_each(|_| panic_once(&client));
            over.store(true, Ordering::Relaxed);
            for other in others {
                assert!(other.join().expect("a thread that goes on") >= 10);
            }
        });
        // And with nobody else there.
        (0..10 * CALLS).for_each(|_| panic_once(&client));
        let after: String = client.echo("after").wait().expect("an answer");
        assert_eq!(after, "after");
    });
}

/// S3-CONF-04: who panics while he leads has the answers of others, which came with his: they are told although nothing else
/// comes.
#[test]
fn what_came_with_a_panic_is_told() {
    let (asked, is_asked) = mpsc::channel();
    let peer = Peer::after_handshake(move |_, mut requests| {
        for count in iter::once(1).chain(iter::repeat(2)) {
            for _ in 0..count {
                if requests.next().is_none() || asked.send(()).is_err() {
                    return;
                }
            }
            // To who is near, the second would be written behind the answer to the first.
            thread::sleep(Duration::from_millis(2));
            if !requests.answer(&b"+OK\r\n".repeat(count)) {
                return;
            }
        }
    });
    within(move || {
        let url = format!("redis://{}?protocol=2&timeout=60s", peer.address());
        let client = Client::open(&url).expect("a client");
        let ask = || {
            let told: String = client.get("key").wait().expect("an answer");
            assert_eq!(told, "OK");
            is_asked.recv().expect("a request");
        };
        ask();
        for _ in 0..20 {
            let other = client.clone();
            let leads = thread::spawn(move || panic_once(&other));
            is_asked.recv().expect("a request");
            ask();
            leads.join().expect("a thread that catches it");
        }
    });
}

/// S1-CLEAN-02: what ends something can be done while an answer is read. It is done behind it.
#[test]
fn a_closure_may_end_what_it_likes() {
    let Some(server) = redis() else { return };
    let client = open(&server);
    within(move || {
        let mut news = Some(client.subscribe("one").wait().expect("a subscriber"));
        let other = client.subscribe("two").wait().expect("another");
        let read = client.echo::<String>("outer").wait_with(|outer| {
            news = None;
            assert!(other.control().unsubscribe(Subscription::Channel, "two"));
            assert_eq!(client.life(), Life::Ready);
            client.bulk().start().push(&set("from", "a bulk")).expect("room");
            // Somebody else may have read the answer, for his own sake: then nobody waits for this thread.
            assert!(matches!(client.ready().wait(), Ok(()) | Err(Error::Busy)));
            Ok(outer.get::<String>()?)
        });
        assert_eq!(read.expect("the answer"), "outer");
        let left =
            || client.send(raw("PUBSUB").arg("NUMSUB").arg("one").arg("two").typed::<HashMap<String, i64>>());
        until("both subscriptions are over", || left().wait().expect("numbers").values().sum::<i64>() == 0);
        let stored = || client.get::<Option<String>>("from").wait().expect("an answer");
        until("the bulk was sent", || stored().as_deref() == Some("a bulk"));
    });
}
