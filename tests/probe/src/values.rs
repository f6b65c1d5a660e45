//! Values of all sizes, stored and read back, and how long each round trip took.
//!
//! ```text
//! size direction count   p50 p90 p99 max in µs   below 0.1, 1, 10, 35, 60 ms, and longer
//! ```

use std::time::{Duration, Instant};

use respire::Single;
use respire::prelude::*;

use crate::Failed;

/// Sizes in bytes, and how often: about those where buffers and segments end, often.
const SIZES: [(usize, usize); 10] = [
    (1, 1000),
    (100, 1000),
    (1000, 1000),
    (16 << 10, 500),
    ((64 << 10) - 1, 300),
    (64 << 10, 300),
    ((64 << 10) + 1, 300),
    (100_000, 200),
    (1 << 20, 30),
    (8 << 20, 5),
];

/// How long one size may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where the columns of the histogram end, in milliseconds.
const BELOW: [f64; 5] = [0.1, 1.0, 10.0, 35.0, 60.0];

pub(crate) fn run(url: &str) -> Result<(), Failed> {
    let client = Single::open(url)?;
    let noise = noise((8 << 20) + 1000);
    let all = Instant::now();
    for (size, count) in SIZES {
        let (mut sets, mut gets) = (Vec::new(), Vec::new());
        let began = Instant::now();
        // If each of them is slow, a few tell as much.
        for n in (0..count).take_while(|_| began.elapsed() < PATIENCE) {
            // Another one each time.
            let value = &noise[n..n + size];
            let start = Instant::now();
            client.set("value", value).wait()?;
            sets.push(start.elapsed());
            let start = Instant::now();
            let same = client.send(get("value")).wait_with(|reply| Ok(reply.get::<&[u8]>()? == value))?;
            gets.push(start.elapsed());
            if !same {
                return Err(format!("another value of {size} bytes came back").into());
            }
        }
        print(size, "SET", sets);
        print(size, "GET", gets);
    }
    together(&client, &noise)?;
    eprintln!("all in {:?}", all.elapsed());
    Ok(())
}

/// All sizes in one pipeline.
fn together(client: &Single, noise: &[u8]) -> Result<(), Failed> {
    let names = SIZES.map(|(size, _)| format!("value:{size}"));
    let values = SIZES.map(|(size, _)| &noise[size % 997..][..size]);
    let sets: Vec<_> = names.iter().zip(values).map(|(name, value)| set(name, value)).collect();
    for result in client.pipeline(sets.as_slice()).wait()? {
        result?;
    }
    let gets: Vec<_> = names.iter().map(get).collect();
    for (got, value) in client.pipeline(gets.as_slice()).wait()?.into_iter().zip(values) {
        if got?.as_deref() != Some(value) {
            return Err(format!("another value of {} bytes came back in the pipeline", value.len()).into());
        }
    }
    client.del(&names).wait()?;
    Ok(())
}

fn print(size: usize, direction: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let count = times.len();
    let at = |share: f64| times[((count - 1) as f64 * share).round() as usize].as_micros();
    let mut columns = [0; BELOW.len() + 1];
    for time in &times {
        let ms = time.as_secs_f64() * 1e3;
        columns[BELOW.iter().position(|&end| ms < end).unwrap_or(BELOW.len())] += 1;
    }
    let columns: String = columns.iter().map(|n| format!("{n:>5}")).collect();
    println!(
        "{size:>8} {direction} {count:>5} {:>7} {:>7} {:>7} {:>7}  {columns}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}

/// Bytes without a pattern: xorshift.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes: Vec<u8> = (0..=length / 8).flat_map(|_| next().to_le_bytes()).collect();
    bytes.truncate(length);
    bytes
}
