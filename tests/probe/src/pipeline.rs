//! Pipelines whose every answer is known before.

use std::time::Instant;

use respire::Single;
use respire::prelude::*;

use crate::Failed;

/// Keys it leaves behind: `pipe:0`, `pipe:1` and so on, each with its number, and `pipes`, their count.
pub(crate) fn run(url: &str, count: usize) -> Result<(), Failed> {
    let client = Single::open(url)?;
    client.del(&["pipes"]).wait()?;
    let keys: Vec<String> = (0..count).map(|n| format!("pipe:{n}")).collect();

    let sets: Vec<_> = keys.iter().enumerate().map(|(n, key)| set(key, n)).collect();
    let start = Instant::now();
    for result in client.pipeline(sets.as_slice()).wait()? {
        result?;
    }
    println!("SET {count} {} ms", start.elapsed().as_millis());

    let gets: Vec<_> = keys.iter().map(|key| raw("GET").key(key).typed::<Option<i64>>()).collect();
    let start = Instant::now();
    let numbers = client.pipeline(gets.as_slice()).wait()?;
    println!("GET {count} {} ms", start.elapsed().as_millis());
    for (n, number) in numbers.into_iter().enumerate() {
        let number = number?;
        if number != Some(n as i64) {
            return Err(format!("{number:?} came back for {n}").into());
        }
    }

    let start = Instant::now();
    let counts = client.pipeline(vec![incr("pipes"); count]).wait()?;
    println!("INCR {count} {} ms", start.elapsed().as_millis());
    for (n, number) in counts.into_iter().enumerate() {
        if number? != n as i64 + 1 {
            return Err(format!("the wrong count at {n}").into());
        }
    }

    // Each with a type of its own, and one that fails alone.
    let (text, bad, number, length) =
        client.pipeline((get("pipe:7"), incr("pipe:word"), get("pipes"), strlen("pipe:10"))).wait()?;
    let (text, number): (Option<Vec<u8>>, Option<Vec<u8>>) = (text?, number?);
    let right = text.as_deref() == Some(b"7")
        && bad? == 1
        && number == Some(count.to_string().into_bytes())
        && length? == 2;
    client.del(&["pipe:word"]).wait()?;
    if right { Ok(()) } else { Err("a tuple of requests got other answers".into()) }
}
