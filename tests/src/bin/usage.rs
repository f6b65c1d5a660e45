//! A client in a process of its own, for tests that count what a process has and uses.
//!
//! - `usage lone URL`: a thread that blocks, and nobody else. Prints how many threads and descriptors there are more.
//! - `usage life URL`: clients with callers of every kind, all dropped. Prints what is left.
//! - `usage parts URL`: clients that lend, listen and load, some of them closed. Prints what is left.
//! - `usage loans URL COUNT`: a client that lends and is given back as often, and asked nothing. Prints how many KiB it takes
//!   more then.
//! - `usage peak URL`: a client that has read long answers, several at a time, then does nothing. Prints how many KiB it takes
//!   more in the end.
//! - `usage idle URL SECONDS`: a client that was used, then is not. Prints the milliseconds of processor time meanwhile,
//!   and how often its threads have slept.

use std::env::args;
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use respire::Client;
use respire::prelude::*;
use respire_tests::chaos::{Caller, Mix, Round, Usage, plain, processor_time, together};

const LIMIT: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let words: Vec<String> = args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["lone", url] => lone(url),
        ["life", url] => life(url),
        ["parts", url] => parts(url),
        ["loans", url, count] => loans(url, count.parse().expect("a number of loans")),
        ["peak", url] => peak(url),
        ["idle", url, seconds] => idle(url, seconds.parse().expect("a number of seconds")),
        _ => {
            eprintln!(
                "usage lone URL | life URL | parts URL | loans URL COUNT | peak URL | idle URL SECONDS"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn show(what: &str, usage: Usage) {
    println!("{what}: {} descriptors, {} threads", usage.descriptors, usage.threads);
}

fn lone(url: &str) {
    let before = Usage::now();
    let client = Client::open(url).expect("a client");
    for n in 0..100 {
        let echo: String = client.echo(&n.to_string()).wait().expect("an answer");
        assert_eq!(echo, n.to_string());
    }
    let now = Usage::now();
    let threads = now.threads - before.threads;
    show("more", Usage { descriptors: now.descriptors - before.descriptors, threads });
    drop(client);
    show("left", Usage::beyond(before, LIMIT));
}

fn life(url: &str) {
    let before = Usage::at_first();
    for number in 0..5 {
        let client = Client::open(url).expect("a client");
        let round = Arc::new(Round::new(Mix::USUAL, number, false));
        let callers = Caller::ALL.map(|caller| {
            let (round, client) = (Arc::clone(&round), client.clone());
            thread::spawn(move || caller.call(&round, 0, &client, number << 32 | (caller as u64) << 16))
        });
        // A use of its own, while the others go on.
        for n in 0..200 {
            let echo: String = plain(client.echo(&n.to_string())).expect("an answer");
            assert_eq!(echo, n.to_string());
        }
        round.end();
        for caller in callers {
            let tally = caller.join().expect("a caller");
            assert_eq!(tally.wrong, [""; 0]);
        }
    }
    show("left", Usage::beyond(before, LIMIT));
}

fn parts(url: &str) {
    let before = Usage::now();
    for number in 0..10 {
        let builder = Client::builder(url.parse().expect("a URL"));
        // What is lent is waited for so long.
        let builder = builder.config(|config| config.drain = Some(Duration::from_millis(100)));
        let client = builder.connect().expect("a client");
        let conns = [0; 3].map(|_| client.conn().wait().expect("a connection"));
        conns[0].send(raw("MULTI")).wait().expect("half a transaction");
        let listens = client.subscribe("news").wait().expect("a subscriber");
        let calls = client.psubscribe("n*").wait().expect("a subscriber");
        let calls = calls.listen(|_| false).expect("a thread");
        client.publish("news", "all of it").wait().expect("two who listen");
        let bulk = client.bulk().start();
        (0..100).for_each(|n| assert!(bulk.push(&set("k", n)).is_ok()));
        let sums = client.transaction((incr("n"), incr("n"))).wait();
        assert!(sums.is_ok() && client.pipeline(vec![incr("n"); 100]).wait().is_ok());
        calls.join().expect("a thread that ends");
        if number % 2 == 0 {
            client.close().wait().expect("an end");
        }
        drop((conns, listens, bulk));
    }
    show("left", Usage::beyond(before, LIMIT));
}

fn loans(url: &str, count: u64) {
    let client = Client::open(url).expect("a client");
    let lend = || drop(client.conn().wait().expect("a connection"));
    (0..1000).for_each(|_| lend());
    let before = resident();
    (0..count).for_each(|_| lend());
    println!("{} KiB", resident().saturating_sub(before));
}

fn peak(url: &str) {
    let client = Client::open(url).expect("a client");
    client.set("peak", &vec![7; 2 << 20]).wait().expect("an answer");
    let before = resident();
    for _ in 0..10 {
        // Tasks: the keeper reads for them.
        let read = plain(together((0..7).map(|_| Box::pin(client.get::<Vec<u8>>("peak").into_future()))));
        assert!(read.into_iter().all(|read| read.is_ok_and(|read| read.len() == 2 << 20)));
    }
    let more = || resident().saturating_sub(before);
    let until = Instant::now() + LIMIT;
    while more() >= 4 << 10 && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    println!("{} KiB", more());
}

/// KiB of this process in memory.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the state of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches("kB").trim().parse().expect("a count")
}

fn idle(url: &str, seconds: u64) {
    let client = Client::open(url).expect("a client");
    // With tasks there is a keeper.
    let echo: String = plain(client.echo("task")).expect("an answer");
    assert_eq!(echo, "task");
    let echo: String = client.echo("thread").wait().expect("an answer");
    assert_eq!(echo, "thread");
    // A loan that has come back, whose deadline passes meanwhile.
    let conn = client.conn().wait().expect("a connection");
    let echo: String = conn.echo("loan").timeout(Duration::from_millis(100)).wait().expect("an answer");
    assert_eq!(echo, "loan");
    drop(conn);
    let (time, sleeps) = (processor_time(), slept());
    thread::sleep(Duration::from_secs(seconds));
    let (time, sleeps) = (processor_time() - time, slept() - sleeps);
    println!("{} ms of processor time, {sleeps} sleeps", time.as_millis());
}

/// How often the threads of this process have gone to sleep.
fn slept() -> u64 {
    let threads = fs::read_dir("/proc/self/task").expect("the threads of this process");
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("status")).ok())
        .filter_map(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse::<u64>().ok()
        })
        .sum()
}
