//! A loop of one's own: a thousand requests at once, pub/sub beside them, and no thread but this one.
//!
//! `cargo run --example event_loop [redis://127.0.0.1:6379]`

use std::error::Error;
use std::time::Duration;

use respire::EventLoop;
use respire::command::{Subscription, incr, publish};
use respire::conn::Token;
use respire::engine::{Config, Event, Heap, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    // Up to four connections, two thousand requests on their way, a MiB for those that may go again.
    let memory = Heap {
        connections: 4,
        calls: 2000,
        bytes: 1 << 20,
        subscriptions: 8,
        names: 1 << 10,
        buffer: (16 << 10, 64 << 20),
    };
    let mut client = EventLoop::new(url.parse()?, memory, &Config::DEFAULT)?;
    let now = client.now();
    client.engine.subscribe(now, Subscription::Channel, b"news")?;
    for n in 0..1000 {
        client.engine.submit(now, Token(n), &incr("visits"), &Options::DEFAULT)?;
    }

    let (mut answered, mut confirmed, mut heard) = (0, false, false);
    while answered < 1000 || !heard {
        client.turn(Some(Duration::from_secs(1)), |event| match event {
            Event::Reply { token: Token(1000), .. } => {}
            Event::Reply { reply, .. } => {
                answered += 1;
                if answered == 1000 {
                    println!("the last of a thousand answers: {reply:?}");
                }
            }
            Event::Failed { token, failed } => println!("{token:?}: {failed}"),
            Event::Subscription(event) => confirmed = event.happened == respire::pubsub::Happened::Subscribed,
            Event::Message { payload, .. } => {
                heard = true;
                println!("news: {}", String::from_utf8_lossy(payload));
            }
            _ => {}
        })?;
        if std::mem::take(&mut confirmed) {
            let now = client.now();
            client.engine.submit(now, Token(1000), &publish("news", "hello"), &Options::DEFAULT)?;
        }
    }
    client.close(Duration::from_secs(5), |_| {})?;
    let counts = client.counts();
    println!("{} writes and {} reads for all of it", counts.writes, counts.reads);
    Ok(())
}
