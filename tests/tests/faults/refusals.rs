//! Servers that say no: in their own words, and nothing was executed.

use std::fs;
use std::thread;

use respire::command::{echo, exec, get, multi};
use respire::conn::Config;
use respire::resp::Value;
use respire::{Cause, Error, Single};
use respire_tests::{Flight, Kind, Outcome, Server};

use crate::verdict::{Deed, Expected, count, is_not_executed, text, violations};
use crate::witness::{Admin, Answer, executions, ms, recording, until};

fn flight(server: &Server) -> Flight {
    Flight::open(server.addr(), Config::default()).expect("a connection")
}

/// What a write is refused by; the server must not have executed it.
fn refused(server: &Server, word: &str) -> String {
    let mut flight = flight(server);
    let outcome = flight.call(&count(word), ms(8000));
    let Outcome::Rejected(text) = outcome else { panic!("{word}: {outcome:?}") };
    assert!(is_not_executed(&text), "{text}");
    text
}

/// A transaction of one write.
fn transaction(flight: &mut Flight, word: &str) -> [Outcome; 3] {
    let deadline = Some(ms(8000));
    let tokens = [
        flight.submit(&multi(), deadline),
        flight.submit(&count(word), deadline),
        flight.submit(&exec(), deadline),
    ];
    flight.settle(ms(10_000));
    tokens.map(|token| flight.outcome(token))
}

fn starts(outcome: &Outcome, code: &str) -> bool {
    matches!(outcome, Outcome::Rejected(text) if text.starts_with(code))
}

/// Too many clients: the reason is told, however the end of the connection comes.
#[test]
fn too_many_clients() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Redis70).args(["--maxclients", "2"]).start();
    let (mut admin, seated) = (Admin::connect(server.addr()), flight(&server));
    admin.done("PING");
    let words = "ERR max number of clients reached";
    for n in 0..40 {
        let text = Flight::open(server.addr(), Config::default()).expect_err("there is no seat");
        assert_eq!(text, words, "time {n}");
        match Single::open(&server.url()) {
            Err(Error::Connect(error)) => match &error.cause {
                Cause::Server(reply) => assert_eq!(reply.to_string(), words, "time {n}"),
                other => panic!("time {n}: {other:?}"),
            },
            other => panic!("time {n}: {other:?}"),
        }
    }
    assert_eq!(admin.info("stats")["rejected_connections"], "80");
    drop(seated);
    until("a seat", || Flight::open(server.addr(), Config::default()).is_ok());
}

/// No memory left: writes are refused, reads are not.
#[test]
fn out_of_memory() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let mut admin = Admin::connect(server.addr());
    admin.done("SET k v");
    admin.done("CONFIG SET maxmemory 1");
    assert_eq!(refused(&server, "oom"), "OOM command not allowed when used memory > 'maxmemory'.");
    let mut flight = flight(&server);
    let [begun, queued, done] = transaction(&mut flight, "oom-multi");
    assert_eq!(begun, Outcome::Ok(crate::verdict::ok()));
    assert!(starts(&queued, "OOM ") && starts(&done, "EXECABORT "), "{queued:?}, {done:?}");
    assert_eq!(flight.call(&get("k"), ms(8000)), Outcome::Ok(text("v")));
    let client = Single::open(&server.url()).unwrap();
    let error = client.send(respire::command::raw("HINCRBY ledger oom-client 1")).wait().unwrap_err();
    assert_eq!(error.code(), Some("OOM"), "{error}");
    assert!(executions(&server).keys().all(|word| !word.starts_with(b"oom")));
    assert_eq!(admin.calls("hincrby").executed, 0);
    admin.done("CONFIG SET maxmemory 0");
    assert_eq!(flight.call(&count("room"), ms(8000)), Outcome::Ok(Value::Integer(1)));
}

/// The disk is gone: a server that cannot save takes no writes.
#[test]
fn nothing_can_be_saved() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Redis70).args(["--enable-protected-configs", "yes"]).start();
    let mut admin = Admin::connect(server.addr());
    let folder = server.dir().join("gone");
    fs::create_dir(&folder).unwrap();
    admin.done("SET k v");
    admin.done(&format!("CONFIG SET dir {}", folder.display()));
    admin.done("CONFIG SET save\t3600 1");
    fs::remove_dir(&folder).unwrap();
    admin.ask("BGSAVE");
    until("a save that fails", || admin.info("persistence")["rdb_last_bgsave_status"] == "err");
    assert!(refused(&server, "unsaved").starts_with("MISCONF "));
    let mut flight = flight(&server);
    let [_, queued, done] = transaction(&mut flight, "unsaved-multi");
    assert!(starts(&queued, "MISCONF ") && starts(&done, "EXECABORT "), "{queued:?}, {done:?}");
    assert_eq!(flight.call(&get("k"), ms(8000)), Outcome::Ok(text("v")));
    assert_eq!(admin.done("EXISTS ledger"), Answer::Number(0));
    admin.done("CONFIG SET stop-writes-on-bgsave-error no");
    assert_eq!(flight.call(&count("saved"), ms(8000)), Outcome::Ok(Value::Integer(1)));
}

/// A script does not end: everybody else is told, and nothing of theirs is executed.
#[test]
fn a_script_that_does_not_end() {
    let Some(server) = recording() else { return };
    let server = server.args(["--busy-reply-threshold", "50"]).start();
    let mut admin = Admin::connect(server.addr());
    let mut looping = Admin::connect(server.addr());
    let (mut one, mut other) = (flight(&server), flight(&server));
    looping.tell_words(&["EVAL", "while true do end", "0"]);
    until(
        "the script to be slow",
        || matches!(admin.ask("PING"), Answer::Error(text) if text.starts_with("BUSY ")),
    );
    let mut deeds = Vec::new();
    for n in 0..5 {
        let word = format!("busy-{n}");
        deeds.push(Deed::new(one.submit(&count(&word), Some(ms(8000))), Value::Integer(1), Some(&word)));
        deeds.push(Deed::new(one.submit(&echo(&word), Some(ms(8000))), text(&word), None));
    }
    one.settle(ms(10_000));
    assert!(deeds.iter().all(|deed| starts(&deed.outcome(&one), "BUSY ")));
    let [_, _, done] = transaction(&mut other, "busy-multi");
    assert!(starts(&done, "EXECABORT ") || starts(&done, "BUSY "), "{done:?}");
    // A connection that is made meanwhile is told the same.
    assert!(refused(&server, "busy-late").starts_with("BUSY "));
    admin.done("SCRIPT KILL");
    assert!(matches!(looping.hear(), Answer::Error(_)));
    let executed = executions(&server);
    assert_eq!(violations(&deeds, &one, &executed), [""; 0]);
    assert!(executed.keys().all(|word| !word.starts_with(b"busy")));
    assert_eq!(one.call(&count("free"), ms(8000)), Outcome::Ok(Value::Integer(1)));
}

/// A server that is loading its data set.
#[test]
fn a_server_that_is_loading() {
    let Some(server) = recording() else { return };
    let server = server.args(["--loading-process-events-interval-bytes", "1024"]).start();
    let mut admin = Admin::connect(server.addr());
    admin.done("DEBUG POPULATE 2000");
    let mut one = flight(&server);
    admin.done("CONFIG SET key-load-delay 500");
    admin.tell("DEBUG RELOAD");
    let mut deeds = Vec::new();
    let mut told = 0;
    for n in 0..200 {
        let word = format!("load-{n}");
        let token = one.submit(&count(&word), Some(ms(8000)));
        deeds.push(Deed::new(token, Value::Integer(1), Some(&word)));
        one.settle(ms(10_000));
        told += usize::from(starts(&one.outcome(token), "LOADING "));
        if told == 10 {
            break;
        }
        thread::sleep(ms(5));
    }
    assert_eq!(told, 10, "the server was never seen loading");
    assert!(refused(&server, "load-late").starts_with("LOADING "));
    assert!(matches!(admin.hear(), Answer::Text(_)));
    let executed = executions(&server);
    assert_eq!(violations(&deeds, &one, &executed), [""; 0]);
    assert!(!executed.contains_key(b"load-late".as_slice()));
    assert_eq!(one.call(&count("loaded"), ms(8000)), Outcome::Ok(Value::Integer(1)));
}

/// A replica takes no writes; without its primary, and told not to guess, it answers nothing.
#[test]
fn a_replica() {
    let Some(primary) = recording().map(respire_tests::Builder::start) else { return };
    let mut admin = Admin::connect(primary.addr());
    admin.done("CONFIG SET repl-diskless-sync-delay 0");
    admin.done("SET k v");
    let port = primary.port().to_string();
    let replica = Server::builder(Kind::Redis70).args(["--replicaof", "127.0.0.1", &port]).start();
    let mut its_admin = Admin::connect(replica.addr());
    until("the replica", || its_admin.info("replication")["master_link_status"] == "up");
    assert_eq!(refused(&replica, "replica"), "READONLY You can't write against a read only replica.");
    let mut flight = flight(&replica);
    let [_, queued, done] = transaction(&mut flight, "replica-multi");
    assert!(starts(&queued, "READONLY ") && starts(&done, "EXECABORT "), "{queued:?}, {done:?}");
    assert_eq!(flight.call(&get("k"), ms(8000)), Outcome::Ok(text("v")));

    its_admin.done("CONFIG SET replica-serve-stale-data no");
    assert!(executions(&primary).keys().all(|word| !word.starts_with(b"replica")));
    drop((admin, primary));
    until("the primary to be missed", || its_admin.info("replication")["master_link_status"] == "down");
    let token = flight.submit(&get("k"), Some(ms(8000)));
    let deed = Deed { steps: vec![(token, Expected::Is(text("v")))], words: Vec::new() };
    flight.settle(ms(10_000));
    assert!(starts(&deed.outcome(&flight), "MASTERDOWN "), "{:?}", deed.outcome(&flight));
}
