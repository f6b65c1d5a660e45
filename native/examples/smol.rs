//! A client on the reactor of async-io, which smol uses: one task drives it, on whichever executor there is.
//!
//! `cargo run --example smol --features async-io [redis://127.0.0.1:6379]`
//!
//! With the crate smol it is `smol::block_on` and `smol::spawn(driver).detach()`.

use std::error::Error;

use async_executor::LocalExecutor;
use respire::Client;
use respire::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let executor = LocalExecutor::new();
    async_io::block_on(executor.run(run(&executor)))
}

async fn run(executor: &LocalExecutor<'_>) -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let client = Client::builder(url.parse()?).lazy()?;
    let driver = executor.spawn(respire::async_io::driver(&client)?);
    client.ready().await?;

    client.set("example:smol", "hello").ex(60).await?;
    let greeting: Option<String> = client.get("example:smol").await?;
    println!("greeting: {greeting:?}");

    client.del("example:smol:visits").await?;
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            executor.spawn(async move { client.incr("example:smol:visits").await })
        })
        .collect();
    let mut last = 0;
    for task in tasks {
        last = task.await?.max(last);
    }
    println!("visits: {last}");

    client.del(&["example:smol", "example:smol:visits"]).await?;
    // The driver ends with the last handle of its client.
    drop(client);
    driver.await;
    println!("the driver has ended");
    Ok(())
}
