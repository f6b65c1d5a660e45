//! Requests that nobody gets between, and changes on condition that nobody else made any.
//!
//! `cargo run --example transaction [redis://127.0.0.1:6379]`

use std::error::Error;
use std::thread;

use respire::Client;
use respire::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let client = Client::open(&url)?;
    let (alice, bob) = ("example:transaction:alice", "example:transaction:bob");
    client.mset(&[(alice, "100"), (bob, "0")]).wait()?;

    // MULTI, both, EXEC: in one go, on a connection of its own.
    let (from, to) = client.transaction((decr_by(alice, 30), incr_by(bob, 30))).wait()?;
    println!("alice has {}, bob {}", from?, to?);

    // Four threads read, add and write, twenty times each: nobody overwrites what he has not seen.
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| twenty_times(&client, bob))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a thread that does not panic"))
    })?;
    let bob_has: i64 = client.get(bob).wait()?;
    println!("bob has {bob_has}");

    // Nothing is written if nothing is wanted; and tasks may await what they decide by.
    let done = respire::block_on(client.check_and_set_async(alice, 10, async |conn: &respire::Conn| {
        let has: i64 = conn.get(alice).await?;
        Ok((has >= 100).then(|| [decr_by(alice, 100)]))
    }))?;
    println!("{}", if done.is_some() { "alice has paid 100" } else { "alice has less than 100" });

    client.del(&[alice, bob]).wait()?;
    Ok(())
}

/// Adds 1 by reading and writing; who came too late reads again.
fn twenty_times(client: &Client, key: &str) -> Result<(), TransactionError<respire::Error>> {
    for _ in 0..20 {
        client.check_and_set(key, 1000, |conn| {
            let n: i64 = conn.get(key).wait()?;
            Ok(Some([set(key, n + 1)]))
        })?;
    }
    Ok(())
}
