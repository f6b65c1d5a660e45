//! Futures without a runtime: `respire::block_on` runs them, and its thread drives the client while they wait.
//!
//! `cargo run --example no_runtime [redis://127.0.0.1:6379]`

use std::error::Error;

use futures_util::stream::{FuturesUnordered, StreamExt};
use respire::Client;
use respire::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let client = Client::open(&url)?;
    client.del("example:no_runtime").wait()?;
    let (answers, sum) = respire::block_on(together(&client))?;
    println!("{answers} answers, and their sum is {sum}");

    // The same call for a thread and for a task.
    let waited = client.get::<i64>("example:no_runtime").wait()?;
    let awaited = respire::block_on(client.get::<i64>("example:no_runtime"))?;
    println!("waited: {waited}, awaited: {awaited}");
    client.del("example:no_runtime").wait()?;
    Ok(())
}

/// 64 requests on their way at once, over one connection. Those that are asked for together go out together.
async fn together(client: &Client) -> Result<(u32, i64), respire::Error> {
    let mut calls: FuturesUnordered<_> = (0..64).map(|_| client.incr("example:no_runtime")).collect();
    let (mut answers, mut sum) = (0, 0);
    while let Some(answer) = calls.next().await {
        answers += 1;
        sum += answer?;
    }
    Ok((answers, sum))
}
