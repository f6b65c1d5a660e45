//! What does not come to an end, and must not keep others from theirs.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use respire::command::words;
use respire::conn::Failure;
use respire::prelude::*;
use respire::resp::Value;
use respire::{Client, Error};
use respire_tests::chaos::plain;

use crate::support::{Admin, LIMIT, blocked, ms, open, redis, until, within};

fn count(client: &Client, field: &str, timeout: Duration) -> Result<Value, Error> {
    client.send(words(&["HINCRBY", "ledger", field, "1"])).timeout(timeout).wait()
}

/// S1-CLI-08: a thread that leads may wait for a list: it drives for the others meanwhile.
#[test]
fn a_leader_that_blocks_holds_nobody_up() {
    let Some(server) = redis() else { return };
    let client = open(&server);
    let mut admin = Admin::connect(server.addr());
    let leader = {
        let client = client.clone();
        thread::spawn(move || client.send(words(&["BLPOP", "list", "0"])).timeout(LIMIT).wait())
    };
    until("the leader", || blocked(&mut admin) == 1);
    within(move || {
        for n in 0..100 {
            let word = n.to_string();
            let echo: String = client.echo(&word).wait().expect("an answer");
            assert_eq!(echo, word);
            let echo: String = plain(client.echo(&word)).expect("an answer");
            assert_eq!(echo, word);
        }
    });
    assert!(!leader.is_finished());
    admin.done("RPUSH list 1");
    assert!(leader.join().expect("a thread").is_ok());
}

/// S0-OPT-06: a server that is stopped: everybody is told by his deadline, and what was not sent until then never is.
#[test]
fn deadlines_hold_while_the_server_is_stopped() {
    let Some(server) = redis() else { return };
    let client = open(&server);
    let timeout = ms(150);
    server.signal("-STOP");
    let workers: Vec<_> = (0..12)
        .map(|worker| {
            let client = client.clone();
            thread::spawn(move || {
                let mut told = Vec::new();
                for n in 0..3 {
                    let (field, start) = (format!("{worker}-{n}"), Instant::now());
                    let words_of = ["HINCRBY", "ledger", &field, "1"];
                    let call = client.send(words(&words_of)).timeout(timeout);
                    let result = match worker % 3 {
                        0 => call.wait(),
                        1 => plain(call),
                        _ => respire::block_on(call),
                    };
                    let Err(Error::Failed(failed)) = result else { panic!("{result:?}") };
                    told.push((field, failed.failure, start.elapsed()));
                }
                told
            })
        })
        .collect();
    let told: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().expect("a thread")).collect();
    server.signal("-CONT");
    let latest = told.iter().map(|(_, _, took)| took.saturating_sub(timeout)).max().expect("some");
    println!("the last was told {latest:?} after his deadline");
    assert!(told.iter().all(|(_, _, took)| *took >= timeout), "{told:?}");
    assert!(latest < LIMIT / 4, "{latest:?}");
    let after: String = client.echo("after").wait().expect("an answer");
    assert_eq!(after, "after");
    drop(client);
    let executed = respire_tests::chaos::executed(&mut Admin::connect(server.addr()));
    for (field, failure, _) in told {
        let count = executed.get(&field).copied().unwrap_or(0);
        match failure {
            Failure::TimedOut | Failure::Unknown => assert!(count <= 1, "{field}: {count}"),
            Failure::Expired | Failure::NotSent => assert_eq!(count, 0, "{field} was said not to be sent"),
            other => panic!("{other:?}"),
        }
    }
}

/// S0-OPT-06: an answer that comes after its deadline is not the next caller's.
#[test]
fn an_answer_that_is_late_is_not_the_next_callers() {
    let Some(server) = redis() else { return };
    let client = open(&server);
    let mut admin = Admin::connect(server.addr());
    for n in 0..5 {
        admin.tell("DEBUG SLEEP 0.2");
        until("a late one", || {
            let late: Result<String, Error> = client.echo("late").timeout(ms(20)).wait();
            match late {
                Ok(word) => {
                    assert_eq!(word, "late");
                    false
                }
                Err(Error::Failed(_)) => true,
                Err(other) => panic!("{other:?}"),
            }
        });
        let word = format!("next-{n}");
        let next: String = client.echo(&word).wait().expect("an answer");
        assert_eq!(next, word);
        admin.hear();
    }
}

/// S3-CONF-06, S3-CONN-04: a server that is killed is an error soon, and one that is back is found without anybody's help.
#[test]
fn a_server_that_was_killed_is_found_again() {
    let Some(mut server) = redis() else { return };
    let client = open(&server);
    assert!(count(&client, "before", LIMIT).is_ok());
    server.kill();
    let start = Instant::now();
    let result = count(&client, "while", LIMIT);
    assert!(result.is_err(), "{result:?}");
    println!("told after {:?}", start.elapsed());
    assert!(start.elapsed() < LIMIT / 2, "{:?}", start.elapsed());
    server.start_again(&[]);
    let start = Instant::now();
    until("the server", || count(&client, "after", ms(500)).is_ok());
    println!("back after {:?}", start.elapsed());
}

/// S3-CONF-04: a runtime that has the driver and does not run: a thread that waits drives by itself. Once the driver is
/// gone, tasks elsewhere have the keeper again.
#[test]
fn a_runtime_that_rests_holds_no_thread_up() {
    let Some(server) = redis() else { return };
    let client = open(&server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        tokio::spawn(respire::tokio::driver(&client).expect("a driver"));
        let echo: String = client.echo("inside").await.expect("an answer");
        assert_eq!(echo, "inside");
    });
    within(move || {
        // The runtime is there, and nobody runs it.
        let echo: String = client.echo("thread").wait().expect("an answer");
        assert_eq!(echo, "thread");
        let echo: String = respire::block_on(client.echo("block_on")).expect("an answer");
        assert_eq!(echo, "block_on");
        drop(runtime);
        let echo: String = plain(client.echo("task")).expect("an answer");
        assert_eq!(echo, "task");
    });
}

/// S3-CONF-04: a runtime whose driver finds that a thread drives already is called when that thread goes.
#[test]
fn a_driver_takes_over_from_block_on() {
    let Some(server) = redis() else { return };
    let client = open(&server);
    let (send, receive) = std::sync::mpsc::channel();
    let over = Flag::default();
    let task = {
        let (client, over) = (client.clone(), over.clone());
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                tokio::spawn(respire::tokio::driver(&client).expect("a driver"));
                // It finds that the other thread drives.
                tokio::task::yield_now().await;
                over.raise();
                receive.recv_timeout(LIMIT).expect("the other thread has gone");
                let echo: String = client.echo("inside").await.expect("an answer");
                assert_eq!(echo, "inside");
            });
        }
    };
    within(move || {
        let task = respire::block_on(async {
            let echo: String = client.echo("first").await.expect("an answer");
            assert_eq!(echo, "first");
            let task = thread::spawn(task);
            // Drives meanwhile.
            over.raised().await;
            task
        });
        send.send(()).expect("the runtime is there");
        task.join().expect("the runtime's thread");
    });
}

/// Something to wait for that has nothing to do with a client.
#[derive(Clone, Default)]
struct Flag(Arc<Mutex<(bool, Option<Waker>)>>);

impl Flag {
    fn raise(&self) {
        let mut flag = self.0.lock().expect("the flag");
        flag.0 = true;
        if let Some(waker) = flag.1.take() {
            waker.wake();
        }
    }

    async fn raised(&self) {
        poll_fn(|context| {
            let mut flag = self.0.lock().expect("the flag");
            flag.1 = Some(context.waker().clone());
            if flag.0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
