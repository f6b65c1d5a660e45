//! Many items in batches: a push copies and returns, and each item has a result of its own.
//!
//! `cargo run --example bulk [redis://127.0.0.1:6379]`

use std::error::Error;

use respire::bulk::Refused;
use respire::prelude::*;
use respire::{BulkError, BulkResult, Client};

const ITEMS: usize = 25_000;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let client = Client::open(&url)?;
    client.del(&["example:bulk:n", "example:bulk:text"]).wait()?;
    client.set("example:bulk:text", "no number").wait()?;

    // Room for a thousand items: whoever pushes more takes results in between.
    let bulk = client.bulk().room(1000, 1 << 20).config(|config| config.batch_size = 100).start();
    let (mut stored, mut failed) = (0, Vec::new());
    let mut count = |result: BulkResult| match result.answer {
        Ok(_) => stored += 1,
        Err(BulkError::Server(error)) => failed.push(error.code().to_owned()),
        Err(error) => failed.push(error.to_string()),
    };
    for n in 0..ITEMS {
        // One of them cannot work, and fails nobody else.
        let item = incr(if n == 500 { "example:bulk:text" } else { "example:bulk:n" });
        loop {
            match bulk.push(&item) {
                Ok(_) => break,
                Err(Refused::Items | Refused::Bytes) => bulk.next_blocking().into_iter().for_each(&mut count),
                Err(refused) => return Err(refused.into()),
            }
        }
    }
    // All that is left goes out now, and there is an end of the results.
    bulk.close();
    while let Some(result) = bulk.next_blocking() {
        count(result);
    }
    println!("stored: {stored}, failed: {}", failed.join(", "));
    println!("counted: {}", client.get::<i64>("example:bulk:n").wait()?);
    client.del(&["example:bulk:n", "example:bulk:text"]).wait()?;
    Ok(())
}
