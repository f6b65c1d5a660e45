//! Publish and subscribe: messages as they come, over the connection that requests go over.
//!
//! `cargo run --example pubsub [redis://127.0.0.1:6379]`
//!
//! With RESP2 (`?protocol=2`) it is the same, and the messages have a connection of their own.

use std::error::Error;
use std::thread;
use std::time::Duration;

use respire::prelude::*;
use respire::{Client, Notice};

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let client = Client::open(&url)?;

    // Confirmed before this returns: whatever is published from now on comes.
    let mut news = client.subscribe("example:pubsub").wait()?;
    thread::scope(|scope| {
        scope.spawn(|| {
            for text in ["one", "two", "three"] {
                client.publish("example:pubsub", text).wait().expect("published");
            }
        });
        // A subscriber is an iterator; it ends with its client.
        news.by_ref().take(3).for_each(tell);
    });

    // One more name while it listens: a pattern. Tasks have `recv`.
    news.control().subscribe(Subscription::Pattern, "example:pubsub:*")?;
    let listeners = respire::block_on(async {
        // The server says how many have it: none until the subscription is there.
        loop {
            let listeners = client.publish("example:pubsub:sport", "goal").await?;
            if listeners > 0 {
                break Ok::<_, respire::Error>(listeners);
            }
        }
    })?;
    println!("listeners: {listeners}");
    respire::block_on(news.recv()).into_iter().for_each(tell);

    // Nothing more comes; whose patience is limited says so.
    println!("more: {}", news.recv_timeout(Duration::from_millis(50)).is_some());
    // Its subscriptions end with it.
    drop(news);
    while client.publish("example:pubsub", "is anybody there?").wait()? > 0 {}
    println!("nobody listens any more");
    Ok(())
}

fn tell(notice: Notice) {
    match notice {
        Notice::Message(message) => println!("{}", String::from_utf8_lossy(&message.payload)),
        Notice::Gap => println!("the connection was lost: something may be missing here"),
        Notice::Refused { .. } => println!("the server refuses a subscription"),
    }
}
