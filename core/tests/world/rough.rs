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

/// A request that was made: its key, how often it may have been executed, and in which database if that is known.
struct Told {
    key: String,
    allowed: &'static [i64],
    db: Option<usize>,
}

/// What is wrong in one story, if anything.
pub(super) fn play(seed: u64, faults: &mut [u32; Fault::ALL.len()]) -> Option<String> {
    let server = Local::new(Responder::new());
    let rough = Rough::new(server.clone(), seed, Faults::ALL);
    let mut told = Vec::new();
    // Even the first connection may fail.
    if let Some(client) = (0..20).find_map(|_| Client::connect(rough.clone(), url()).ok()) {
        let mut db = Some(0);
        for n in 0..60 {
            if n % 10 == 3 {
                // From here on its requests belong into another database, or nowhere.
                db = database(db, Some(3), &client.select(3).wait());
            }
            let key = format!("k{n}");
            let result: Result<i64, Failed> = client.incr(&key).wait();
            told.push(Told { key, allowed: allowed(&result), db });
            db = database(db, db, &result);
        }
    }
    faults.iter_mut().zip(rough.faults()).for_each(|(sum, n)| *sum += n);
    let witness = Client::connect(server, url()).unwrap();
    let count_in = |key: &str, db: i64| -> i64 {
        assert!(witness.select(db).wait().is_ok(), "a server without faults has failed");
        let value: Option<i64> = witness.get(key).wait().unwrap();
        value.unwrap_or(0)
    };
    for Told { key, allowed, db } in told {
        let counts = [count_in(&key, 0), count_in(&key, 3)];
        let count = counts[0] + counts[1];
        if !allowed.contains(&count) {
            return Some(format!("seed {seed}: {key} was executed {count} times, not {allowed:?}"));
        }
        let right = db.map_or(count, |db| counts[db / 3]);
        if right != count {
            return Some(format!("seed {seed}: {key} was executed in another database than {db:?}"));
        }
    }
    None
}

/// The database of the next request, if its client can know.
fn database<T>(before: Option<usize>, after: Option<usize>, result: &Result<T, Failed>) -> Option<usize> {
    match result {
        Ok(_) => after,
        Err(Error::SessionLost) => Some(0),
        // The connection is gone, and with it the choice: unless there was none, the next request is told.
        Err(_) if before == after => before,
        Err(_) => None,
    }
}

fn url() -> Url {
    let mut url = Url::new(Endpoint::default());
    (url.timeout, url.connect_timeout) = (Some(Duration::from_millis(100)), Duration::from_millis(100));
    url
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
