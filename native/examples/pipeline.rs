//! Several requests in one go, each with a result of its own.
//!
//! `cargo run --example pipeline [redis://127.0.0.1:6379]`

use std::error::Error;

use respire::Client;
use respire::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let client = Client::open(&url)?;
    client.del(&["example:pipeline", "example:pipeline:visits"]).wait()?;

    // A tuple of different requests becomes a tuple of results, each of its own type.
    let (stored, length, visits) = client
        .pipeline((
            set("example:pipeline", "hello"),
            strlen("example:pipeline"),
            incr("example:pipeline:visits"),
        ))
        .wait()?;
    println!("stored: {}, length: {}, visit: {}", stored?.is_some(), length?, visits?);

    // One that fails does not fail its neighbours: this is no number.
    let (wrong, right) =
        client.pipeline((incr("example:pipeline"), incr("example:pipeline:visits"))).wait()?;
    match wrong {
        Err(respire::Error::Server(error)) => println!("wrong: {error}"),
        other => println!("wrong: {other:?}"),
    }
    println!("right: {}", right?);

    // A vector of the same requests becomes a vector of results; it may be as long as it likes.
    let many: Vec<_> = (0..10_000).map(|_| incr("example:pipeline:visits")).collect();
    let results = client.pipeline(&many).wait()?;
    let last = results.into_iter().next_back().transpose()?;
    println!("the last of ten thousand: {last:?}");

    // The same for a task, with an answer of another type.
    let requests =
        (get("example:pipeline").typed::<String>(), mget(&["example:pipeline", "example:nothing"]));
    let (one, two) = respire::block_on(client.pipeline(requests))?;
    let missing = two?.iter().filter(|value| value.is_none()).count();
    println!("one: {}, missing: {missing}", one?);

    client.del(&["example:pipeline", "example:pipeline:visits"]).wait()?;
    Ok(())
}
