//! A connection of one's own: for what changes the state of its connection, and for what others must not stand behind.
//!
//! `cargo run --example dedicated [redis://127.0.0.1:6379]`

use std::error::Error;
use std::thread;

use respire::Client;
use respire::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let client = Client::open(&url)?;

    // On the connection that all share this would change the database of everybody.
    match client.select(1).wait() {
        Err(respire::Error::NeedsOwnConnection) => println!("SELECT needs a connection of its own"),
        other => println!("unexpected: {other:?}"),
    }
    let conn = client.conn().wait()?;
    conn.select(1).wait()?;
    conn.set("example:dedicated", "elsewhere").wait()?;
    let (there, here) =
        (conn.exists("example:dedicated").wait()?, client.exists("example:dedicated").wait()?);
    println!("there: {there}, here: {here}");
    conn.del("example:dedicated").wait()?;
    // It goes back to the pool as new: nobody else finds himself in database 1.
    drop(conn);

    // WATCH by hand; `check_and_set` does the same and tries again.
    let conn = client.conn().wait()?;
    conn.watch("example:dedicated:n").wait()?;
    client.set("example:dedicated:n", 1).wait()?;
    let requests = &[set("example:dedicated:n", 2)][..];
    match conn.pipeline(Atomic(requests)).wait()? {
        Err(TransactionError::Aborted) => println!("somebody else was faster"),
        other => println!("unexpected: {other:?}"),
    }

    // What blocks has a connection of its own without being asked to: others go on meanwhile.
    let job = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let take = raw("BLPOP").key("example:dedicated:jobs").arg(10);
            client.send(take.typed::<Option<(String, String)>>()).wait()
        });
        client.send(raw("RPUSH").key("example:dedicated:jobs").arg("paint the fence")).wait()?;
        worker.join().expect("a thread that does not panic")
    })?;
    println!("the job: {}", job.map_or_else(|| "none".into(), |(_, job)| job));

    client.del("example:dedicated:n").wait()?;
    Ok(())
}
