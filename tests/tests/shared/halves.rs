//! When requests are written that are asked for while others are on their way.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use respire::prelude::*;
use respire::{Client, Error};
use respire_tests::peer::Peer;

use crate::support::within;

/// So many answers tell that they come soon.
const WARM: usize = 50;

/// Runs all of them on this thread.
fn all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<Pin<Box<_>>> = futures.map(Box::pin).collect();
    let mut outputs = Vec::new();
    respire::block_on(poll_fn(|context| {
        pending.retain_mut(|future| match future.as_mut().poll(context) {
            Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            Poll::Pending => true,
        });
        if pending.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }));
    outputs
}

/// However few answers come at a time: what waits for them is as much as is on its way, and goes although some are still to come.
#[test]
fn what_is_as_much_as_is_on_its_way_does_not_wait() {
    for tasks in [8, 17, 40, 64, 1000] {
        let peer = Peer::after_handshake(move |_, mut requests| {
            for _ in 0..WARM {
                if requests.next().is_none() || !requests.answer(b"+OK\r\n") {
                    return;
                }
            }
            // The first of the first round goes alone. With the answers to all others their tasks are woken together.
            for count in [1, tasks - 1, tasks / 4] {
                if (0..count).any(|_| requests.next().is_none()) {
                    return;
                }
                if !requests.answer(&b"+OK\r\n".repeat(count)) {
                    return;
                }
            }
            let mut answered = true;
            while answered && requests.next().is_some() {
                answered = requests.answer(b"+OK\r\n");
            }
        });
        within(move || {
            let url = format!("redis://{}?protocol=2&timeout=60s", peer.address());
            let client = Client::open(&url).expect("a client");
            for _ in 0..WARM {
                client.get::<String>("key").wait().expect("an answer");
            }
            let ask = || async {
                client.get::<String>("key").await?;
                client.get::<String>("key").await
            };
            let told: Vec<Result<String, Error>> = all((0..tasks).map(|_| ask()));
            assert!(told.iter().all(|told| told.as_deref().is_ok_and(|told| told == "OK")), "{told:?}");
            assert_eq!(peer.accepted(), 1, "nobody gave up on {tasks}");
        });
    }
}
