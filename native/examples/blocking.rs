//! Threads that share a client: each call blocks its own thread, and one connection serves all of them.
//!
//! `cargo run --example blocking [redis://127.0.0.1:6379]`

use std::error::Error;
use std::thread;
use std::time::Duration;

use respire::Client;
use respire::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let client = Client::open(&url)?;

    client.set("example:blocking", "hello").ex(60).wait()?;
    // The type that is asked for decides how the answer is read.
    let greeting: Option<String> = client.get("example:blocking").wait()?;
    println!("greeting: {greeting:?}");
    // Without a copy: the answer is read where it lies.
    let letters = client.send(get("example:blocking")).wait_with(|reply| {
        let bytes: &[u8] = reply.get()?;
        Ok(bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count())
    })?;
    println!("letters: {letters}");

    client.del("example:blocking:visits").wait()?;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..100 {
                        client.incr("example:blocking:visits").timeout(Duration::from_secs(2)).wait()?;
                    }
                    Ok::<(), respire::Error>(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a thread that does not panic"))
    })?;
    let visits: Option<i64> = client.get("example:blocking:visits").wait()?;
    println!("visits: {}", visits.unwrap_or(0));

    client.del(&["example:blocking", "example:blocking:visits"]).wait()?;
    Ok(())
}
