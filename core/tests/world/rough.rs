//! The client as programs use it, over bad connections to a server that keeps what it executed.

use std::time::Duration;

use respire_core::client::{Client, Endpoint, Error, Url};
use respire_core::command::*;
use respire_core::conn::Failure;
use respire_core::testing::world::{Fault, Faults, Rough, RoughError};
use respire_core::testing::{Alone, Local, Responder};

const SEEDS: u64 = if cfg!(miri) { 1 } else { 400 };

type Failed = Error<RoughError<Alone>>;

/// How often a request may have been executed, by what its caller was told.
fn allowed(result: &Result<i64, Failed>) -> &'static [i64] {
    match result {
        Ok(_) => &[1],
        Err(Error::Lost { failure: Failure::NotSent | Failure::Expired, .. }) => &[0],
        Err(Error::Connect(_) | Error::SessionLost | Error::Refused(_)) => &[0],
        Err(_) => &[0, 1],
    }
}

/// What is wrong in one story, if anything.
fn play(seed: u64, faults: &mut [u32; Fault::ALL.len()]) -> Option<String> {
    let server = Local::new(Responder::new());
    let rough = Rough::new(server.clone(), seed, Faults::ALL);
    let url = || {
        let mut url = Url::new(Endpoint::default());
        (url.timeout, url.connect_timeout) = (Some(Duration::from_millis(100)), Duration::from_millis(100));
        url
    };
    let mut told = Vec::new();
    let mut client = None;
    for n in 0..60 {
        let Some(client) = &client else {
            client = Client::connect(rough.clone(), url()).ok();
            continue;
        };
        let client: &Client<_> = client;
        if n % 10 == 3 {
            // From here on this client's requests belong into another database, or nowhere.
            let _ = client.select(3).wait();
            let key = format!("elsewhere{n}");
            match client.set(&key, "x").wait() {
                Ok(_) | Err(_) => {}
            }
        }
        let key = format!("k{n}");
        let result: Result<i64, Failed> = client.incr(&key).wait();
        told.push((key, allowed(&result)));
    }
    faults.iter_mut().zip(rough.faults()).for_each(|(sum, n)| *sum += n);
    let witness = Client::connect(server, url()).ok()?;
    let count = |key: &str| -> i64 {
        let per_db = [0, 3].map(|db| {
            let _: Result<_, _> = witness.select(db).wait();
            let value: Option<i64> = witness.get(key).wait().unwrap();
            value.unwrap_or(0)
        });
        per_db.iter().sum()
    };
    for (key, allowed) in &told {
        let count = count(key);
        if !allowed.contains(&count) {
            return Some(format!("seed {seed}: {key} was executed {count} times, not {allowed:?}"));
        }
    }
    None
}

#[test]
fn what_a_client_is_told_is_true() {
    let mut faults = [0; Fault::ALL.len()];
    for seed in 0..SEEDS {
        assert_eq!(play(seed, &mut faults), None);
    }
    for fault in [
        Fault::Split,
        Fault::Delay,
        Fault::Eof,
        Fault::Rst,
        Fault::HalfOpen,
        Fault::CutAt,
        Fault::ConnectRefused,
    ] {
        assert!(cfg!(miri) || faults[fault as usize] > 0, "{} never happened", fault.name());
    }
}
