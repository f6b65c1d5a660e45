//! Answers as types of one's own, through serde: `Serde` around what implements `Deserialize`.
//!
//! `cargo run --example serde --features serde [redis://127.0.0.1:6379]`

use std::error::Error;

use respire::Client;
use respire::prelude::*;
use respire::resp::Serde;
use serde::Deserialize;

#[derive(Deserialize, Debug)]
struct User {
    name: String,
    age: u8,
    #[serde(default)]
    nickname: Option<String>,
}

/// The same without a copy, for as long as the answer lies where it is.
#[derive(Deserialize)]
struct Name<'a> {
    name: &'a str,
}

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let client = Client::open(&url)?;
    let key = "example:serde";
    client.send(raw("HSET").key(key).arg("name").arg("Ann").arg("age").arg(30)).wait()?;

    // RESP3 sends a map, RESP2 a flat list, and each number as a string: all of it is a `User`.
    let Serde(user) = client.send(raw("HGETALL").key(key).typed::<Serde<User>>()).wait()?;
    println!("{} is {}, nickname {:?}", user.name, user.age, user.nickname);

    let letters = client.send(raw("HGETALL").key(key)).wait_with(|reply| {
        let Serde(Name { name }) = reply.get()?;
        Ok(name.len())
    })?;
    println!("letters: {letters}");

    // What does not fit says so; the request was executed all the same.
    match client.send(raw("HGETALL").key("example:nobody").typed::<Serde<User>>()).wait() {
        Err(respire::Error::Decode(error)) => println!("nobody: {error}"),
        other => println!("unexpected: {other:?}"),
    }
    client.del(key).wait()?;
    Ok(())
}
