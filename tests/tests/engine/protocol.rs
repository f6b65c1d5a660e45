//! Everything that a server may say, said by real servers, through an engine.

use respire_core::command::{echo, multi, ping, raw, set};
use respire_core::conn::{Protocol, Settings, Token, Tracking, TrackingMode};
use respire_core::resp::Value;
use respire_tests::engine::Told;
use respire_tests::{Kind, Server};

use crate::support::{Admin, App, config, error, status, text};

/// Each server, in each version of the protocol.
fn everywhere(test: impl Fn(&Server, Protocol, &mut App)) {
    for kind in Kind::ALL.into_iter().filter(|kind| kind.available_or_skip()) {
        let server = Server::builder(kind).start();
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let settings = Settings { protocol: Some(protocol), ..Settings::NONE };
            test(&server, protocol, &mut App::with(server.addr(), &config(), settings));
        }
    }
}

fn numbers(numbers: &[i64]) -> Vec<Value> {
    numbers.iter().map(|&n| Value::Integer(n)).collect()
}

/// What `DEBUG PROTOCOL` answers: its argument, in RESP2, in RESP3.
fn replies() -> Vec<(&'static str, Value, Value)> {
    let pairs = [(0, false), (1, true), (2, false)];
    let map = pairs.map(|(n, is)| (Value::Integer(n), Value::Boolean(is)));
    let flat = pairs.iter().flat_map(|&(n, is)| numbers(&[n, is.into()])).collect();
    let verbatim = "This is a verbatim\nstring";
    let big = "1234567999999999999999999999999999999";
    let three = || numbers(&[0, 1, 2]);
    vec![
        ("string", text("Hello World"), text("Hello World")),
        ("integer", Value::Integer(12345), Value::Integer(12345)),
        ("double", text("3.141"), Value::Double(3141.0 / 1000.0)),
        ("null", Value::Null, Value::Null),
        ("array", Value::Array(three()), Value::Array(three())),
        ("set", Value::Array(three()), Value::Set(three())),
        ("map", Value::Array(flat), Value::Map(map.to_vec())),
        ("verbatim", text(verbatim), Value::Verbatim { format: *b"txt", text: verbatim.into() }),
        ("true", Value::Integer(1), Value::Boolean(true)),
        ("false", Value::Integer(0), Value::Boolean(false)),
        ("bignum", text(big), Value::BigNumber(big.into())),
    ]
}

/// S1-CONN-05: every type that servers say is read as what it is, in both versions, and the next answer is
/// the next one.
#[test]
fn all_types() {
    everywhere(|_, protocol, app| {
        for (name, resp2, resp3) in replies() {
            let wanted = if protocol == Protocol::Resp3 { resp3 } else { resp2 };
            assert_eq!(app.value(&raw("DEBUG PROTOCOL").arg(name)), wanted, "{name} in {protocol:?}");
            assert_eq!(app.value(&echo("next")), text("next"));
        }
        if protocol == Protocol::Resp3 {
            let attrib = app.value(&raw("DEBUG PROTOCOL").arg("attrib"));
            assert_eq!(attrib, text("Some real reply following the attribute"));
            // Before the answer or behind it, as the server likes.
            let pushed = app.value(&raw("DEBUG PROTOCOL").arg("push"));
            assert_eq!(pushed, text("Some real reply following the push reply"));
            app.until("the push", |app| app.counts().pushes == 1);
            assert_eq!(app.value(&echo("next")), text("next"));
        }
    });
}

/// S1-KI-06: errors alone and inside of other answers, functions, sharded subscriptions, tracking: whatever
/// the server has, works.
#[test]
fn features() {
    everywhere(|server, protocol, app| {
        app.value(&set("k", "text"));
        assert!(error(app.call(&raw("NO.SUCH.COMMAND"))).starts_with("ERR unknown command"));
        let lease = app.lease();
        let answers = app.talk(lease, &[&multi(), &raw("INCR").key("k"), &ping(), &raw("EXEC")]);
        let Value::Array(inner) = &answers[3] else { panic!("{answers:?}") };
        assert!(matches!(&inner[..], [Value::Error(_), pong] if *pong == status("PONG")), "{inner:?}");
        app.release(lease);

        let library =
            "#!lua name=own\nredis.register_function('twice', function(_, args) return args[1] * 2 end)";
        let loaded = app.value(&raw("FUNCTION LOAD").arg("REPLACE").arg(library));
        assert_eq!(loaded, text("own"));
        assert_eq!(app.value(&raw("FCALL").arg("twice").arg(0).arg(21)), Value::Integer(42));

        let lease = app.lease();
        let now = app.now();
        let connection = app.engine.leased(lease).expect("a lease");
        connection.submit(now, Token(1), &raw("SSUBSCRIBE").arg("shard")).expect("room for it");
        app.until("a subscription", |app| {
            let connection = app.engine.leased(lease).expect("a lease");
            while connection.poll_event().is_some() {}
            connection.is_subscribed()
        });
        assert_eq!(app.value(&raw("SPUBLISH").arg("shard").arg("x")), Value::Integer(1));
        app.release(lease);

        if protocol == Protocol::Resp3 {
            let tracking = Some(Tracking { mode: TrackingMode::Read, no_loop: true });
            let settings = Settings { protocol: Some(protocol), tracking, ..Settings::NONE };
            let mut app = App::with(server.addr(), &config(), settings);
            app.value(&raw("GET").key("k"));
            Admin::of(server).ask("SET k other");
            app.until("a word that it has changed", |app| app.counts().pushes == 1);
            assert!(matches!(app.call(&raw("GET").key("k")), Told::Reply(value) if value == text("other")));
        }
    });
}
