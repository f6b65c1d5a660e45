//! The checker notices what it is for: what no client can notice, and what a bad client says.

use respire::command::echo;
use respire::conn::{Config, Token};
use respire::resp::Value;
use respire_tests::proxy::{Act, At, Proxy, Script};
use respire_tests::{Flight, Outcome};

use crate::verdict::{Deed, Executed, Tally, count, text, untrue, violations};
use crate::witness::{Admin, executions, ms, recording};

/// What comes of eight requests, one after the other in pairs, under a script; `again` makes a lost one once more.
fn run(script: Script, again: bool) -> Option<(Flight, Vec<Deed>, Executed)> {
    let server = recording()?.start();
    let proxy = Proxy::new(server.addr(), script);
    let mut flight = Flight::open(proxy.address(), Config::default()).expect("a connection");
    let mut deeds = Vec::new();
    for n in 0..4 {
        let word = format!("word-{n}");
        deeds.push(Deed::new(flight.submit(&count(&word), Some(ms(200))), Value::Integer(1), Some(&word)));
        deeds.push(Deed::new(flight.submit(&echo(&word), Some(ms(200))), text(&word), None));
    }
    flight.settle(ms(10_000));
    if again {
        for deed in &mut deeds {
            let Some(word) = deed.words.first().cloned() else { continue };
            if deed.outcome(&flight) == Outcome::Unknown {
                flight.connect().expect("another connection");
                let token = flight.submit(&count(&word), Some(ms(200)));
                flight.settle(ms(10_000));
                *deed = Deed::new(token, Value::Integer(1), Some(&word));
            }
        }
    }
    drop(proxy);
    Admin::connect(server.addr()).wait_until_alone();
    let executed = executions(&server);
    Some((flight, deeds, executed))
}

/// Faults that happen behind the client's back are found by asking the server.
#[test]
fn what_no_client_can_notice() {
    let verdict =
        |script| run(script, false).map(|(flight, deeds, executed)| violations(&deeds, &flight, &executed));
    let Some(calm) = verdict(Script::new()) else { return };
    assert_eq!(calm, [""; 0]);
    let one = Act::Inject(b":1\r\n".to_vec());
    for (script, words) in [
        (Script::new().requests(At::Before(5), Act::Repeat), "executed 2 times"),
        (Script::new().replies(At::Before(2), Act::Drop), "was answered by"),
        (Script::new().replies(At::Before(2), Act::Repeat), "was answered by"),
        (Script::new().requests(At::Before(3), Act::Drop).replies(At::After(2), one), "executed 0 times"),
    ] {
        let found = verdict(script.clone()).unwrap_or_default().join("\n");
        assert!(found.contains(words), "{script}{found}");
    }
}

/// A client that is wrong about what it knows is found out, whichever way it is wrong.
#[test]
fn what_a_bad_client_says() {
    // The first five requests are executed, and two of them answered.
    let script = Script::new().requests(At::After(5), Act::Stall).replies(At::After(2), Act::Cut);
    let Some((flight, deeds, executed)) = run(script.clone(), false) else { return };
    assert_eq!(violations(&deeds, &flight, &executed), [""; 0]);
    let tally = Tally::of(&deeds, &flight);
    assert_eq!((tally.ok, tally.unknown), (2, 6), "{tally:?}");

    let truth = |token| flight.outcome(token);
    type Lie<'a> = (&'a str, &'a dyn Fn(Token) -> Outcome);
    let lies: [Lie<'_>; 5] = [
        ("what nobody knows was not sent", &|token| match truth(token) {
            Outcome::Unknown => Outcome::NotSent,
            other => other,
        }),
        ("what nobody knows was refused", &|token| match truth(token) {
            Outcome::Unknown => Outcome::Rejected("OOM command not allowed".to_owned()),
            other => other,
        }),
        ("the end of a connection is an answer", &|token| match truth(token) {
            Outcome::Unknown => Outcome::Ok(if token.0 % 2 == 0 { Value::Integer(1) } else { Value::Null }),
            other => other,
        }),
        ("answers are moved by one", &|token| truth(Token(token.0.saturating_sub(1)))),
        ("answers are not sent", &|_| Outcome::NotSent),
    ];
    for (name, lie) in lies {
        assert!(!untrue(&deeds, lie, &executed).is_empty(), "{name}");
    }

    let Some((flight, deeds, executed)) = run(script, true) else { return };
    let found = violations(&deeds, &flight, &executed).join("\n");
    assert!(found.contains("Integer(2)"), "a request that is made again: {found}");
}
