//! When requests are written that are asked for while others are on their way.

use respire::prelude::*;
use respire::{Client, Error};
use respire_tests::chaos::together;
use respire_tests::peer::Peer;

use crate::support::within;

/// So many answers tell that they come soon.
const WARM: usize = 50;

/// However few answers come at a time: what waits for them is as much as is on its way, and goes although some are still to
/// come.
#[test]
fn what_is_as_much_as_is_on_its_way_does_not_wait() {
    for tasks in [8, 17, 40, 64, 1000] {
        let peer = Peer::after_handshake(move |_, mut requests| {
            if !requests.confirm(WARM) {
                return;
            }
            // The first of the first round goes alone. The answers to all others come at once, and wake their tasks together.
            for count in [1, tasks - 1, tasks / 4] {
                if (0..count).any(|_| requests.next().is_none()) {
                    return;
                }
                if !requests.answer(&b"+OK\r\n".repeat(count)) {
                    return;
                }
            }
            requests.confirm(usize::MAX);
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
            let told: Vec<Result<String, Error>> =
                respire::block_on(together((0..tasks).map(|_| Box::pin(ask()))));
            assert!(told.iter().all(|told| told.as_deref().is_ok_and(|told| told == "OK")), "{told:?}");
            assert_eq!(peer.accepted(), 1, "nobody gave up on {tasks}");
        });
    }
}
