//! A server that is killed and comes back with what it had written down.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use respire::conn::Config;
use respire::resp::Value;
use respire_tests::{Flight, Kind, Outcome, Server};

use crate::verdict::{Deed, Tally, count, violations};
use crate::witness::{Admin, Answer, executions, ms, until};

/// What was answered is there after a crash, if the server writes before it answers. What was not answered
/// is there once or not at all.
#[test]
fn what_was_answered_is_there_after_a_crash() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let recording =
        || Server::builder(Kind::Redis70).args(["--appendonly", "yes", "--appendfsync", "always"]);
    let server = recording().start();
    let (answered, address) = (AtomicUsize::new(0), server.addr());
    let (answered, mut finished) = (&answered, Vec::new());
    let mut pid = String::new();
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..2).map(|worker| scope.spawn(move || write(address, worker, answered))).collect();
        until("some answers", || answered.load(Ordering::SeqCst) > 200);
        pid = server.pid().to_string();
        assert!(Command::new("kill").args(["-KILL", &pid]).status().is_ok_and(|status| status.success()));
        finished = workers.into_iter().map(|worker| worker.join().expect("a worker")).collect();
    });

    let executed = executions(&server);
    let start = Instant::now();
    let dir = server.dir().to_str().expect("a path").to_owned();
    let after = recording().args(["--dir", &dir]).start();
    let mut back = Flight::open(after.addr(), Config::default()).expect("a connection");
    let recovery = start.elapsed();

    let mut admin = Admin::connect(after.addr());
    let mut tally = Tally::default();
    for (flight, deeds) in &finished {
        assert_eq!(violations(deeds, flight, &executed), [""; 0]);
        tally.add(Tally::of(deeds, flight));
        for deed in deeds {
            let held = admin.done(&format!("HGET ledger {}", deed.words[0]));
            match deed.outcome(flight) {
                Outcome::Ok(_) => assert_eq!(held, Answer::Text("1".to_owned()), "{} is lost", deed.words[0]),
                Outcome::Unknown => {
                    assert!([Answer::Nil, Answer::Text("1".to_owned())].contains(&held), "{held:?}");
                }
                Outcome::Rejected(_) | Outcome::NotSent => assert_eq!(held, Answer::Nil),
            }
        }
    }
    println!("killed: {tally:?}; it was back after {recovery:?}");
    assert!(tally.ok > 200 && tally.unknown > 0, "{tally:?}");
    assert_eq!(back.call(&count("after"), ms(5000)), Outcome::Ok(Value::Integer(1)));
}

/// Writes until the connection is over.
fn write(address: std::net::SocketAddr, worker: usize, answered: &AtomicUsize) -> (Flight, Vec<Deed>) {
    let mut flight = Flight::open(address, Config::default()).expect("a connection");
    let mut deeds = Vec::new();
    while flight.is_connected() {
        for _ in 0..4 {
            let word = format!("{worker}-{}", deeds.len());
            let token = flight.submit(&count(&word), Some(Duration::from_secs(8)));
            deeds.push(Deed::new(token, Value::Integer(1), Some(&word)));
        }
        flight.settle(ms(10_000));
        answered.fetch_add(4, Ordering::SeqCst);
    }
    (flight, deeds)
}
