//! Servers that hang, pause, and end connections: deadlines are kept, and outcomes are true.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use respire::command::{echo, get, raw};
use respire::conn::Config;
use respire::resp::Value;
use respire_tests::proxy::{Act, At, Proxy, Script};
use respire_tests::{Flight, Outcome, Server};

use crate::verdict::{Deed, Tally, count, counted_as_written, nothing_twice, ok, text, violations};
use crate::witness::{Admin, executions, ms, recording, until};

/// How much later than its deadline a caller may be told. A machine with nothing else to do needs less than a
/// tenth of it; the tests print what they saw.
const LATE: Duration = ms(400);

fn flight(server: &Server) -> Flight {
    Flight::open(server.addr(), Config::default()).expect("a connection")
}

/// How long after its deadline a request was resolved, at most. The first was not given up before.
fn lateness(flight: &Flight, deeds: &[Deed], patience: Duration) -> Duration {
    let took = |deed: &Deed| {
        let record = flight.record(deed.steps[0].0);
        record.ended.expect("it is resolved").duration_since(record.began)
    };
    assert!(took(&deeds[0]) >= patience, "given up after {:?}", took(&deeds[0]));
    deeds.iter().map(|deed| took(deed).saturating_sub(patience)).max().unwrap_or_default()
}

fn signal(server: &Server, name: &str) {
    let sent = Command::new("kill").args([name, &server.pid().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill {name}");
}

/// Every connection is ended twenty times a second: each request has one outcome, and none is made twice.
#[test]
fn a_storm_of_client_kill() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let (server, over) = (&server, &AtomicBool::new(false));
    let mut tally = Tally::default();
    let mut ends = 0;
    let mut finished = Vec::new();
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..2).map(|worker| scope.spawn(move || weather(server, worker, over))).collect();
        let mut admin = Admin::connect(server.addr());
        for _ in 0..60 {
            thread::sleep(ms(50));
            admin.done("CLIENT KILL TYPE normal SKIPME yes");
        }
        over.store(true, Ordering::SeqCst);
        finished = workers.into_iter().map(|worker| worker.join().expect("a worker")).collect();
        admin.wait_until_alone();
    });
    let executed = executions(server);
    for (flight, deeds, connections) in &finished {
        assert_eq!(violations(deeds, flight, &executed), [""; 0]);
        tally.add(Tally::of(deeds, flight));
        ends += connections;
    }
    println!("{ends} connections, {tally:?}");
    assert!(ends > 40 && tally.ok > 100 && tally.unknown > 0, "{ends} connections, {tally:?}");
    let mut admin = Admin::connect(server.addr());
    nothing_twice(&mut admin);
    counted_as_written(&mut admin, &executed);
}

/// Eight requests at a time until it is over, on as many connections as that takes.
fn weather(server: &Server, worker: usize, over: &AtomicBool) -> (Flight, Vec<Deed>, usize) {
    let mut flight = Flight::new(server.addr(), Config::default());
    let (mut deeds, mut connections) = (Vec::new(), 0);
    while !over.load(Ordering::SeqCst) {
        if !flight.is_connected() {
            // It may be killed while it says hello.
            connections += usize::from(flight.connect().is_ok());
            continue;
        }
        for _ in 0..4 {
            let word = format!("{worker}-{}", deeds.len());
            let token = flight.submit(&count(&word), Some(ms(5000)));
            deeds.push(Deed::new(token, Value::Integer(1), Some(&word)));
            deeds.push(Deed::new(flight.submit(&echo(&word), Some(ms(5000))), text(&word), None));
        }
        flight.settle(ms(10_000));
        // Enough to be ended at any moment, and little to be judged.
        thread::sleep(ms(1));
    }
    flight.close();
    (flight, deeds, connections)
}

/// Writes are paused: they wait or are given up, and reads flow on.
#[test]
fn reads_flow_on_while_writes_are_paused() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let mut admin = Admin::connect(server.addr());
    admin.done("SET k v");
    let (mut reader, mut patient, mut hasty) = (flight(&server), flight(&server), flight(&server));
    let start = Instant::now();
    admin.done("CLIENT PAUSE 1000 WRITE");
    let waits = patient.submit(&count("patient"), Some(ms(8000)));
    let gives_up = hasty.submit(&count("hasty"), Some(ms(200)));
    patient.turn(ms(1));
    hasty.turn(ms(1));
    let (mut reads, mut slowest) = (0, Duration::ZERO);
    while start.elapsed() < ms(700) {
        let began = Instant::now();
        assert_eq!(reader.call(&get("k"), ms(5000)), Outcome::Ok(text("v")));
        slowest = slowest.max(began.elapsed());
        reads += 1;
        hasty.turn(ms(0));
    }
    println!("{reads} reads while writes were paused, the slowest {slowest:?}");
    assert!(reads > 10 && slowest < ms(500), "{reads} reads, {slowest:?}");
    assert_eq!(hasty.outcome(gives_up), Outcome::Unknown);
    hasty.close();
    patient.settle(ms(10_000));
    assert!(patient.record(waits).ended.is_some_and(|ended| ended.duration_since(start) >= ms(900)));
    let executed = executions(&server);
    let deed = |token, word| [Deed::new(token, Value::Integer(1), Some(word))];
    assert_eq!(violations(&deed(waits, "patient"), &patient, &executed), [""; 0]);
    assert_eq!(violations(&deed(gives_up, "hasty"), &hasty, &executed), [""; 0]);
    assert!(matches!(patient.outcome(waits), Outcome::Ok(_)));
}

/// The server sleeps: the deadline is kept, and the next answer is right.
#[test]
fn a_server_that_sleeps() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let mut admin = Admin::connect(server.addr());
    let mut flight = flight(&server);
    admin.tell("DEBUG SLEEP 1");
    let patience = ms(150);
    let mut deeds = Vec::new();
    for n in 0..8 {
        let word = format!("slept-{n}");
        deeds.push(Deed::new(flight.submit(&count(&word), Some(patience)), Value::Integer(1), Some(&word)));
    }
    flight.settle(ms(10_000));
    let late = lateness(&flight, &deeds, patience);
    println!("a sleeping server: {late:?} behind the deadline at most");
    assert!(late < LATE, "{late:?}");
    assert!(deeds.iter().all(|deed| deed.outcome(&flight) == Outcome::Unknown));
    admin.hear();
    if !flight.is_connected() {
        flight.connect().unwrap();
    }
    assert_eq!(flight.call(&echo("awake"), ms(5000)), Outcome::Ok(text("awake")));
    flight.close();
    admin.wait_until_alone();
    assert_eq!(violations(&deeds, &flight, &executions(&server)), [""; 0]);
}

/// The server's process is stopped, as by a debugger or a machine without memory. What is not sent by then
/// is not sent later.
#[test]
fn a_server_that_is_stopped() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let mut flight = flight(&server);
    signal(&server, "-STOP");
    let patience = ms(300);
    let mut deeds = Vec::new();
    let padding = "x".repeat(400_000);
    for n in 0..40 {
        let word = format!("stopped-{n}");
        let token = flight.submit(&raw("SET").key(&word).arg(&padding), Some(patience));
        deeds.push(Deed::new(token, ok(), Some(&word)));
        flight.turn(ms(0));
    }
    flight.settle(ms(10_000));
    let late = lateness(&flight, &deeds, patience);

    // A greeting that nobody hears.
    let hasty = Config { handshake_timeout: patience, ..Config::default() };
    let start = Instant::now();
    let refused = Flight::open(server.addr(), hasty).expect_err("nobody answers");
    let took = start.elapsed();
    signal(&server, "-CONT");

    println!(
        "a stopped server: {late:?} behind the deadline at most, {:?} in the handshake",
        took - patience
    );
    assert!(late < LATE, "{late:?}");
    assert_eq!(refused, "the server did not answer the handshake in time");
    assert!((patience..patience + LATE).contains(&took), "{took:?}");
    flight.close();
    Admin::connect(server.addr()).wait_until_alone();
    let tally = Tally::of(&deeds, &flight);
    assert!(tally.ok == 0 && tally.not_sent > 0 && tally.unknown > 0, "{tally:?}");
    assert_eq!(violations(&deeds, &flight, &executions(&server)), [""; 0]);
}

/// A client that reads too slowly is ended by the server: what it had asked for was executed, and nobody
/// says more than that.
#[test]
fn a_client_that_reads_too_slowly_is_ended() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let mut admin = Admin::connect(server.addr());
    admin.done("SETRANGE large 262143 x");
    let slow = Script::new().replies(At::Before(1), Act::Wait(ms(400)));
    let proxy = Proxy::new(server.addr(), slow);
    let mut flight = Flight::open(proxy.address(), Config::default()).unwrap();
    admin.done("CONFIG SET client-output-buffer-limit\tnormal 1048576 0 0");
    let mut large = vec![0; 1 << 18];
    large[(1 << 18) - 1] = b'x';
    let mut deeds = Vec::new();
    for n in 0..30 {
        let word = format!("slow-{n}");
        deeds.push(Deed::new(flight.submit(&get("large"), Some(ms(9000))), text(&large), None));
        deeds.push(Deed::new(flight.submit(&count(&word), Some(ms(9000))), Value::Integer(1), Some(&word)));
        // One by one, or all of it would be too much at once.
        flight.turn(ms(2));
    }
    flight.settle(ms(15_000));
    until("the server's word", || server.log().contains("overcoming of output buffer limits"));
    drop(proxy);
    admin.wait_until_alone();
    let tally = Tally::of(&deeds, &flight);
    println!("a slow reader: {tally:?}, {:?}", flight.end());
    assert_eq!(violations(&deeds, &flight, &executions(&server)), [""; 0]);
    assert!(tally.ok > 0 && tally.unknown > 0 && !flight.is_connected(), "{tally:?}");
}
