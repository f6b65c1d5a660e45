//! More callers than there is room for.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Instant;

use respire::command::words;
use respire::prelude::*;
use respire::resp::Value;
use respire::{Client, Error};
use respire_tests::chaos::plain;

use crate::support::{Admin, LIMIT, blocked, builder, ms, redis, until, within};

/// S1-CLI-07, S3-CONF-04: two thousand callers, and room for sixteen: each has his own answer in the end.
#[test]
fn who_comes_beyond_the_room_waits_for_his_turn() {
    let Some(server) = redis() else { return };
    let client = builder(&server).calls(16).connect().expect("a client");
    within(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let tasks: Vec<_> = (0..2000)
            .map(|n| {
                let client = client.clone();
                runtime.spawn(async move {
                    let word = n.to_string();
                    let echo: String = client.echo(&word).await.expect("an answer");
                    assert_eq!(echo, word);
                })
            })
            .collect();
        thread::scope(|scope| {
            for n in 0..32 {
                let client = &client;
                scope.spawn(move || {
                    for m in 0..20 {
                        let word = format!("{n}-{m}");
                        let echo: String = client.echo(&word).wait().expect("an answer");
                        assert_eq!(echo, word);
                    }
                });
            }
        });
        tasks.into_iter().for_each(|task| runtime.block_on(task).expect("a task"));
    });
}

/// The only call that there is room for blocks, until somebody says otherwise.
fn full(client: &Client, admin: &mut Admin) -> thread::JoinHandle<Result<Value, Error>> {
    let client = client.clone();
    let holder = thread::spawn(move || client.send(words(&["BLPOP", "held", "0"])).timeout(LIMIT).wait());
    until("the holder", || blocked(admin) == 1);
    holder
}

/// S0-OPT-06: the deadline of a caller counts from when he asks, also while there is no room for his request.
#[test]
fn a_deadline_counts_while_there_is_no_room() {
    let Some(server) = redis() else { return };
    let client = builder(&server).calls(1).connect().expect("a client");
    let mut admin = Admin::connect(server.addr());
    let holder = full(&client, &mut admin);
    let start = Instant::now();
    let waits = client.clone();
    let blocking = thread::spawn(move || waits.echo("thread").timeout(ms(100)).wait());
    let task: Result<String, Error> = plain(client.echo("task").timeout(ms(100)));
    let blocking: Result<String, Error> = blocking.join().expect("a thread");
    let took = start.elapsed();
    admin.done("RPUSH held 1");
    assert!(holder.join().expect("a thread").is_ok());
    for result in [task, blocking] {
        assert!(matches!(result, Err(Error::Failed(_))), "{result:?}");
    }
    println!("told after {took:?}");
    assert!(took >= ms(100) && took < LIMIT / 2, "{took:?}");
    let after: String = client.echo("after").wait().expect("an answer");
    assert_eq!(after, "after");
}

/// S1-CLI-07: who turns away while he stands in line leaves his place to the next.
#[test]
fn who_leaves_the_line_takes_nothing_with_him() {
    let Some(server) = redis() else { return };
    let client = builder(&server).calls(1).connect().expect("a client");
    let mut admin = Admin::connect(server.addr());
    let holder = full(&client, &mut admin);
    let done = Arc::new(AtomicUsize::new(0));
    let stays: Vec<_> = (0..4)
        .map(|n| {
            for _ in 0..10 {
                let call = pin!(client.echo::<String>("gone"));
                assert!(call.poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
            let (client, done) = (client.clone(), Arc::clone(&done));
            thread::spawn(move || {
                let word = n.to_string();
                let echo: String = plain(client.echo(&word)).expect("an answer");
                assert_eq!(echo, word);
                done.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    admin.done("RPUSH held 1");
    assert!(holder.join().expect("a thread").is_ok());
    until("all who stayed", || done.load(Ordering::SeqCst) == 4);
    stays.into_iter().for_each(|thread| thread.join().expect("a thread"));
    let echoes = admin.info("commandstats");
    assert!(echoes["cmdstat_echo"].starts_with("calls=4,"), "{}", echoes["cmdstat_echo"]);
}
