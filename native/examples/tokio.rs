//! A client in a tokio runtime: one task drives it for all.
//!
//! `cargo run --example tokio --features tokio [redis://127.0.0.1:6379]`
//!
//! In a runtime with several threads every line is the same: tasks may wait on any of them, and the driver is one task
//! more. Without the driver it works as well; a thread of the client's own drives then.

use std::error::Error;
use std::time::Duration;

use respire::Client;
use respire::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    // `Client::open` would block the thread of the runtime until it is connected.
    let client = Client::builder(url.parse()?).lazy()?;
    let driver = tokio::spawn(respire::tokio::driver(&client)?);
    client.ready().await?;

    client.set("example:tokio", "hello").ex(60).await?;
    let greeting: Option<String> = client.get("example:tokio").await?;
    println!("greeting: {greeting:?}");

    client.del("example:tokio:visits").await?;
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.incr("example:tokio:visits").await })
        })
        .collect();
    let mut last = 0;
    for task in tasks {
        last = task.await??.max(last);
    }
    println!("visits: {last}");

    // A call that is dropped is forgotten: its answer goes to nobody.
    let blocked = client.send(raw("BLPOP").key("example:tokio:jobs").arg(0));
    let patience = tokio::time::timeout(Duration::from_millis(50), blocked).await;
    println!("a job: {}", if patience.is_ok() { "yes" } else { "none in time" });

    client.del(&["example:tokio", "example:tokio:visits"]).await?;
    // The driver ends with the last handle of its client.
    client.close().await?;
    drop(client);
    driver.await?;
    println!("the driver has ended");
    Ok(())
}
