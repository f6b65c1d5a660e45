//! Long answers, which come to their callers in the memory that they were read into.

use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;

use respire::prelude::*;
use respire::{Client, Error};
use respire_tests::chaos::{plain, together};

use crate::support::{open, redis, within};

/// Around the length from which an answer keeps its memory, and far from it.
const LENS: [usize; 8] = [5, 65_535, 65_536, 20_000, 65_537, 300_000, 1, 1 << 20];

/// What stands under each key: made once, for that takes longer than to send it.
static VALUES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let value = |(n, len): (usize, &usize)| [n as u8, 1, 2, 3, 5, 7, 11].repeat(len / 7 + 1)[..*len].to_vec();
    LENS.iter().enumerate().map(value).collect()
});

fn value(n: usize) -> &'static [u8] {
    &VALUES[n]
}

fn key(n: usize) -> String {
    format!("long:{n}")
}

/// S3-CONF-04: of threads, tasks, pipelines and who has turned away, all at once, each has his own answer and all of it.
#[test]
fn each_has_his_own() {
    let Some(server) = redis() else { return };
    let client = open(&server);
    within(move || {
        for n in 0..LENS.len() {
            client.set(&key(n), value(n)).wait().expect("an answer");
        }
        let client = &client;
        let count = &AtomicUsize::new(0);
        thread::scope(|scope| {
            for worker in 0..4 {
                scope.spawn(move || {
                    for round in 0..24 {
                        let n = (worker * 3 + round) % LENS.len();
                        let read: Vec<u8> = client.get(&key(n)).wait().expect("an answer");
                        assert!(read == value(n), "{} bytes of {}", read.len(), LENS[n]);
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            scope.spawn(move || respire::block_on(tasks(client, count)));
            scope.spawn(move || plain(tasks(client, count)));
            scope.spawn(move || (0..12).for_each(|round| pipeline(client, round)));
            scope.spawn(move || (0..60).for_each(|round| turn_away(client, round)));
        });
        assert_eq!(count.load(Ordering::Relaxed), 4 * 24 + 2 * 8 * 12);
    });
}

async fn tasks(client: &Client, count: &AtomicUsize) {
    let task = |task: usize| async move {
        for round in 0..12 {
            let n = (task + round) % LENS.len();
            let read: Result<Vec<u8>, Error> = client.get(&key(n)).await;
            assert!(read.expect("an answer") == value(n));
            count.fetch_add(1, Ordering::Relaxed);
        }
    };
    together((0..8).map(|number| Box::pin(task(number)))).await;
}

/// Long and short answers of one caller.
fn pipeline(client: &Client, round: usize) {
    let all: Vec<_> = (round..round + LENS.len()).map(|n| n % LENS.len()).collect();
    let keys: Vec<_> = all.iter().map(|&n| key(n)).collect();
    let gets: Vec<_> = keys.iter().map(|key| get(key).typed::<Vec<u8>>()).collect();
    let read =
        if round.is_multiple_of(2) { client.pipeline(gets).wait() } else { plain(client.pipeline(gets)) };
    for (read, n) in read.expect("answers").into_iter().zip(all) {
        assert!(read.expect("an answer") == value(n));
    }
}

fn turn_away(client: &Client, round: usize) {
    let key = key(round % LENS.len());
    let call = pin!(client.get::<Vec<u8>>(&key));
    drop(call.poll(&mut Context::from_waker(Waker::noop())));
}
