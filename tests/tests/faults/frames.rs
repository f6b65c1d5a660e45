//! Faults at a place in the stream: answers that are lost or late, halves of requests, bits.

use respire::command::{echo, raw};
use respire::conn::{Config, Failure};
use respire::resp::{Limits, Scanner, Value};
use respire::{Error, Single};
use respire_tests::proxy::{Act, At, Proxy, Script, Way};
use respire_tests::{Flight, Outcome};

use crate::verdict::{Deed, Tally, count, nothing_twice, ok, text, violations};
use crate::witness::{Admin, executions, ms, recording};

/// The request that a RESP3 handshake takes is number 0.
const FIRST: u64 = 1;

fn connected(proxy: &Proxy) -> Flight {
    Flight::open(proxy.address(), Config::default())
        .unwrap_or_else(|error| panic!("{error}: {}", proxy.log()))
}

/// Connects again if the connection is over.
fn again(flight: &mut Flight) {
    if !flight.is_connected() {
        flight.connect().expect("another connection");
    }
}

/// The reply is lost and the connection cut: the server has executed the request, and nobody sends it
/// again.
#[test]
fn the_answer_is_lost_and_the_connection_cut() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let mut deeds = Vec::new();
    let ends = [Act::Cut, Act::Reset];
    let mut script = Script::new();
    for round in 0..100 {
        script = script.connection(round).replies(At::Before(FIRST), ends[round % 2].clone());
    }
    let proxy = Proxy::new(server.addr(), script);
    let mut flight = Flight::new(proxy.address(), Config::default());
    for round in 0..100 {
        flight.connect().unwrap();
        let word = format!("lost-{round}");
        deeds.push(Deed::new(flight.submit(&count(&word), Some(ms(5000))), Value::Integer(1), Some(&word)));
        flight.settle(ms(10_000));
    }
    let executed = executions(&server);
    assert_eq!(violations(&deeds, &flight, &executed), [""; 0], "{}", proxy.log());
    for deed in &deeds {
        assert_eq!(deed.outcome(&flight), Outcome::Unknown);
        assert_eq!(executed[deed.words[0].as_bytes()], 1, "the answer that was lost was one");
    }
    nothing_twice(&mut Admin::connect(server.addr()));
}

/// The same for the client that makes a new connection by itself.
#[test]
fn the_client_does_not_send_again_what_was_lost() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let plain = Proxy::new(server.addr(), Script::new());
    drop(Single::open(&plain.url()).unwrap());
    let greetings = frames(&plain.log().passed(0, Way::Replies));

    let proxy = Proxy::new(server.addr(), Script::new().replies(At::Before(greetings), Act::Cut));
    let client = Single::open(&proxy.url()).unwrap();
    for round in 0..100 {
        let word = format!("client-{round}");
        match client.send(raw("HINCRBY ledger").arg(&word).arg(1)).wait() {
            Err(Error::Lost { failure: Failure::Unknown, .. }) => {}
            other => panic!("{other:?}: {}", proxy.log()),
        }
    }
    let executed = executions(&server);
    for round in 0..100 {
        assert_eq!(executed[format!("client-{round}").as_bytes()], 1);
    }
    assert_eq!(proxy.accepted(), 100);
    let mut admin = Admin::connect(server.addr());
    assert_eq!(admin.calls("hincrby").executed, 100);
    nothing_twice(&mut admin);
}

/// How many frames these bytes are.
fn frames(bytes: &[u8]) -> u64 {
    let (mut scanner, mut rest, mut n) = (Scanner::new(Limits::SERVER), bytes, 0);
    while let Ok(Some(frame)) = scanner.scan(rest) {
        rest = &rest[frame.len..];
        n += 1;
    }
    n
}

/// Half a request and then a cut, at every byte: a request of which the server has not all is not
/// executed, and the client does not claim to know more than it does.
#[test]
fn half_a_request_at_every_byte() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let len = "*4\r\n$7\r\nHINCRBY\r\n$6\r\nledger\r\n$8\r\nhalf-000\r\n$1\r\n1\r\n".len();
    let ends = [Act::Cut, Act::Reset];
    let mut script = Script::new();
    for n in 0..=2 * len {
        let (byte, end) = (n / 2, ends[n % 2].clone());
        script = script.connection(n).requests(At::Within(FIRST + 1, byte), end);
    }
    let proxy = Proxy::new(server.addr(), script);
    let mut flight = Flight::new(proxy.address(), Config::default());
    let mut deeds = Vec::new();
    for n in 0..2 * len {
        flight.connect().unwrap();
        for place in ["befo", "half", "next"] {
            let word = format!("{place}-{n:03}");
            let token = flight.submit(&count(&word), Some(ms(5000)));
            deeds.push(Deed::new(token, Value::Integer(1), Some(&word)));
        }
        flight.settle(ms(10_000));
    }
    drop(proxy);
    Admin::connect(server.addr()).wait_until_alone();
    let executed = executions(&server);
    assert_eq!(violations(&deeds, &flight, &executed), [""; 0]);
    for deed in deeds.chunks(3).flat_map(|three| &three[1..]) {
        // All of them had left the client, in one write.
        assert_eq!(deed.outcome(&flight), Outcome::Unknown);
        assert_eq!(executed.get(deed.words[0].as_bytes()), None, "{} was not whole", deed.words[0]);
    }
}

/// What never left the client is known not to have been executed, also when the peer takes nothing more.
#[test]
fn what_could_not_be_sent_was_not_executed() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let proxy = Proxy::new(server.addr(), Script::new().requests(At::Within(FIRST, 10), Act::Stall));
    let mut flight = connected(&proxy);
    let padding = "x".repeat(400_000);
    let mut deeds = Vec::new();
    for n in 0..40 {
        let word = format!("stuck-{n}");
        let token = flight.submit(&raw("SET").key(&word).arg(&padding), Some(ms(400)));
        deeds.push(Deed::new(token, ok(), Some(&word)));
        flight.turn(ms(0));
    }
    flight.settle(ms(10_000));
    drop(proxy);
    Admin::connect(server.addr()).wait_until_alone();
    assert_eq!(violations(&deeds, &flight, &executions(&server)), [""; 0]);
    let tally = Tally::of(&deeds, &flight);
    assert!(tally.not_sent > 0 && tally.unknown > 0 && tally.ok == 0, "{tally:?}");
}

/// What was not sent in time is not sent when the peer listens again, and the next answer is right.
#[test]
fn what_expired_is_not_sent_later() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let proxy = Proxy::new(server.addr(), Script::new().requests(At::Within(FIRST, 10), Act::Wait(ms(1500))));
    let mut flight = connected(&proxy);
    let padding = "x".repeat(400_000);
    let mut deeds = Vec::new();
    let until = flight.deadline(Some(ms(400)));
    for n in 0..30 {
        let word = format!("late-{n}");
        let token = flight.submit_until(&raw("SET").key(&word).arg(&padding), until);
        deeds.push(Deed::new(token, ok(), Some(&word)));
        flight.turn(ms(0));
    }
    flight.settle(ms(10_000));
    let tally = Tally::of(&deeds, &flight);
    assert!(tally.not_sent > 0 && tally.unknown > 0, "{tally:?}");
    again(&mut flight);
    // Behind what was sent too late to be waited for, if the connection is kept.
    deeds.push(Deed::new(flight.submit(&echo("behind"), Some(ms(9000))), text("behind"), None));
    deeds.push(Deed::new(
        flight.submit(&count("counted"), Some(ms(9000))),
        Value::Integer(1),
        Some("counted"),
    ));
    flight.settle(ms(10_000));
    assert_eq!(Tally::of(&deeds[30..], &flight).ok, 2, "{}", proxy.log());
    flight.close();
    Admin::connect(server.addr()).wait_until_alone();
    assert_eq!(violations(&deeds, &flight, &executions(&server)), [""; 0]);
}

/// A reply that comes after its caller has turned away: the next caller gets his own.
#[test]
fn an_answer_that_is_late_is_not_the_next_ones() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let late = Script::new().replies(At::Before(FIRST + 1), Act::Wait(ms(250)));
    let proxy = Proxy::new(server.addr(), late);
    let mut flight = Flight::new(proxy.address(), Config::default());
    let mut deeds = Vec::new();
    let say = |flight: &mut Flight, deeds: &mut Vec<Deed>, word: &str, patience| {
        let token = flight.submit(&echo(word), Some(ms(patience)));
        deeds.push(Deed::new(token, text(word), None));
    };
    for round in 0..4 {
        flight.connect().unwrap();
        say(&mut flight, &mut deeds, &format!("early {round}"), 5000);
        say(&mut flight, &mut deeds, &format!("late {round}"), 60);
        say(&mut flight, &mut deeds, &format!("behind {round}"), 5000);
        flight.settle(ms(10_000));
        assert_eq!(deeds[deeds.len() - 2].outcome(&flight), Outcome::Unknown);
        // Behind the late answer, if the connection is kept.
        again(&mut flight);
        for n in 0..3 {
            say(&mut flight, &mut deeds, &format!("next {round} {n}"), 5000);
        }
        flight.settle(ms(10_000));
        let next = &deeds[deeds.len() - 3..];
        assert!(next.iter().all(|deed| matches!(deed.outcome(&flight), Outcome::Ok(_))));
    }
    assert_eq!(violations(&deeds, &flight, &executions(&server)), [""; 0], "{}", proxy.log());
}

/// The same with callers who turn away by themselves.
#[test]
fn an_answer_to_nobody_is_not_the_next_ones() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let late = Script::new().replies(At::Before(FIRST), Act::Wait(ms(100)));
    let proxy = Proxy::new(server.addr(), late);
    let mut flight = connected(&proxy);
    let mut deeds = Vec::new();
    for n in 0..30 {
        let word = format!("word-{n}");
        let token = flight.submit(&echo(&word), Some(ms(5000)));
        if n % 3 == 1 {
            flight.turn(ms(1));
            flight.abandon(token);
        }
        deeds.push(Deed::new(token, text(&word), None));
    }
    flight.settle(ms(10_000));
    assert_eq!(violations(&deeds, &flight, &executions(&server)), [""; 0], "{}", proxy.log());
    let tally = Tally::of(&deeds, &flight);
    assert_eq!((tally.ok, tally.unknown), (20, 10));
}
