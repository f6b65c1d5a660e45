//! Requests and their answers, and the life of an engine from the first to the last.

use respire_core::command::{get, incr, multi, ping, raw, set, watch};
use respire_core::conn::{Failure, Settings, Tracking, TrackingMode};
use respire_core::engine::{Config, Life, Refused};
use respire_core::pool;
use respire_core::resp::Value;
use respire_tests::engine::Told;
use respire_tests::proxy::{Proxy, Script, Way};

use crate::support::{
    Admin, App, LIMIT, OWN, config, each_its_own, error, failed, ms, redis, reply, status, text,
};

/// S0-SVC-01: there are as many connections as are kept ready and shared, and none behind the end.
#[test]
fn svc_conn() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let base = config();
    let config = Config { lanes: 2, pool: pool::Config { min_idle: 3, ..base.pool }, ..base };
    let mut app = App::new(server.addr(), &config);
    assert_eq!((app.engine.life(), app.sockets(), admin.count()), (Life::New, 0, 0));
    app.until("all connections", |app| app.engine.pool_stats().idle == 3 && admin.count() == 5);
    app.run(ms(200));
    assert_eq!((app.engine.life(), app.sockets(), admin.count()), (Life::Ready, 5, 5));
    assert!(app.close(LIMIT));
    app.until("the server to be left alone", |_| admin.count() == 0);
}

/// S1-CLI-03, S0-SVC-04: an engine says where it is in its life.
#[test]
fn states() {
    let Some(server) = redis() else { return };
    let mut app = App::new(server.addr(), &config());
    assert_eq!(app.engine.life(), Life::New);
    let first = app.ask(&ping());
    app.turn(ms(0));
    assert_eq!(app.engine.life(), Life::Connecting);
    assert_eq!(app.hear(first), Told::Reply(status("PONG")));
    assert_eq!(app.engine.life(), Life::Ready);
    let slow = app.ask(&raw("BLPOP").arg("q").arg(0.3));
    app.until("it to be sent", |app| app.engine.pool_stats().lent == 2);
    let now = app.now();
    app.engine.close(now);
    app.turn(ms(0));
    assert_eq!(app.engine.life(), Life::Draining);
    assert_eq!(app.hear(slow), Told::Reply(Value::Null));
    assert!(app.close(LIMIT));
}

/// S0-SVC-02: values are bytes, and any command can be asked.
#[test]
fn svc_ops() {
    let Some(server) = redis() else { return };
    let mut app = App::new(server.addr(), &config());
    let value: &[u8] = b"\0\r\n\xff";
    assert_eq!(app.value(&set("k", value)), status("OK"));
    assert_eq!(app.value(&get("k")), Value::Bulk(value.to_vec()));
    assert_eq!(app.value(&raw("PING")), status("PONG"));
    let missing = app.call(&raw("NO-SUCH-COMMAND"));
    assert!(error(missing).starts_with("ERR unknown command"));
    assert_eq!(app.engine.stats().answered, 4);
}

/// S0-SVC-02: a value may be larger than all memory for what may go again; then it does not.
#[test]
fn large_values() {
    let Some(server) = redis() else { return };
    let mut app = App::new(server.addr(), &config());
    app.value(&ping());
    let value: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (write, read) = (app.ask(&set("k", &value)), app.ask(&get("k")));
    assert_eq!(app.hear(write), Told::Reply(status("OK")));
    assert!(app.hear(read) == Told::Reply(Value::Bulk(value)), "another value");
    assert_eq!(app.engine.stats().unkept, 1);
}

/// S0-SVC-02: the server says when keys have changed, between the answers and without any.
#[test]
fn pushes() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let tracking = Tracking { mode: TrackingMode::Broadcast, no_loop: true };
    let settings = Settings { tracking: Some(tracking), ..Settings::NONE };
    let mut app = App::with(server.addr(), &config(), settings);
    for n in 0..10 {
        assert_eq!(app.value(&set("mine", n)), status("OK"));
        admin.ask("SET theirs v");
        app.until("a message", |app| app.counts().pushes == n + 1);
    }
    assert_eq!(app.value(&get("theirs")), text("v"));
}

/// S1-CLI-05, S3-LIB-01, S3-PERF-04: what is asked in one go is written in one go.
#[test]
fn a_thousand_requests_go_in_few_writes() {
    let Some(server) = redis() else { return };
    let proxy = Proxy::new(server.addr(), Script::new());
    let mut app = App::new(proxy.address(), &config());
    app.value(&ping());
    let before = (app.counts(), proxy.log().writes(0, Way::Requests).len());
    for _ in 0..1000 {
        app.ask(&incr("n"));
    }
    let told = app.hear_all();
    let numbers = told.into_iter().skip(1).map(reply);
    assert!(numbers.eq((1..=1000).map(Value::Integer)), "in order");
    let writes = app.counts().writes - before.0.writes;
    let passed = proxy.log().writes(0, Way::Requests).len() - before.1;
    assert!(writes <= 4 && passed <= 16, "{writes} writes, {passed} passed on");
}

/// S1-CLI-08: what blocks has a connection of its own, and holds up nobody.
#[test]
fn dedicated() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &config());
    let blocked = app.ask(&raw("BLPOP").arg("q").arg(0));
    app.until("it to block", |_| admin.figure("clients", "blocked_clients") == 1);
    for n in 1..=200 {
        assert_eq!(app.value(&incr("n")), Value::Integer(n));
    }
    assert!(!app.listen().contains_key(&blocked));
    admin.ask("RPUSH q v");
    assert_eq!(app.hear(blocked), Told::Reply(Value::Array(vec![text("q"), text("v")])));
    assert_eq!((app.engine.pool_stats().idle, app.sockets()), (1, 2));
}

/// S0-ERR-03: who turns away from a request that blocks is told nothing, and his answer goes to nobody.
#[test]
fn cancel() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &each_its_own(1));
    let (_, ticket) = app.try_ask(&raw("BLPOP").arg("q").arg(0), &OWN).expect("it is taken");
    app.until("it to block", |_| admin.figure("clients", "blocked_clients") == 1);
    let now = app.now();
    assert_eq!(app.engine.cancel(now, ticket), Some(Failure::Unknown));
    assert_eq!(app.engine.cancel(now, ticket), None);
    let next = app.ask(&raw("ECHO").arg("mine"));
    admin.ask("RPUSH q v");
    assert_eq!(app.hear(next), Told::Reply(text("mine")));
    app.until("the other connection to end", |_| admin.count() == 1);
    assert!(app.listen().len() == 1 && app.engine.pending() == 0);
}

/// S1-CLI-06, S3-LIB-02: of two who change what they have read, one wins.
#[test]
fn tx_watch() {
    let Some(server) = redis() else { return };
    let mut app = App::new(server.addr(), &config());
    app.value(&set("k", 1));
    let (one, two) = (app.lease(), app.lease());
    for lease in [one, two] {
        assert_eq!(app.talk(lease, &[&watch("k"), &get("k")]), [status("OK"), text("1")]);
    }
    let mut change = |lease| {
        let answers = app.talk(lease, &[&multi(), &incr("k"), &raw("EXEC")]);
        app.release(lease);
        answers.into_iter().nth(2).expect("an answer to EXEC")
    };
    assert_eq!((change(one), change(two)), (Value::Array(vec![Value::Integer(2)]), Value::Null));
    assert_eq!(app.value(&get("k")), text("2"));
}

/// S1-CLI-07: errors of the server cost no connection.
#[test]
fn errors_leave_every_connection_in_place() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &each_its_own(4));
    app.value(&set("k", "text"));
    let before = admin.figure("stats", "total_connections_received");
    for _ in 0..10 {
        for _ in 0..1000 {
            app.ask(&incr("k"));
        }
        app.hear_all();
    }
    let wrong = app.hear_all().into_iter().skip(1).map(error);
    assert!(wrong.into_iter().all(|error| error.starts_with("ERR value is not an integer")));
    let stats = app.engine.pool_stats();
    assert_eq!((stats.idle, stats.total, stats.dials), (stats.total, stats.total, stats.total.into()));
    let came = admin.figure("stats", "total_connections_received") - before;
    assert!(came < 4, "{came}");
}

/// S0-SVC-04, S4-CLI-10: closed once or twice is the same.
#[test]
fn close_twice() {
    let Some(server) = redis() else { return };
    let mut app = App::new(server.addr(), &config());
    app.value(&ping());
    assert!(app.close(LIMIT) && app.close(ms(0)));
    assert_eq!(app.engine.life(), Life::Closed);
    // One that has never done anything ends, too.
    let mut fresh = App::new(server.addr(), &config());
    assert!(fresh.close(ms(0)) && fresh.counts().dials == 0);
}

/// S1-ERR-01: nothing is taken behind the end.
#[test]
fn use_after_close() {
    let Some(server) = redis() else { return };
    let mut app = App::new(server.addr(), &config());
    app.value(&ping());
    let lease = app.lease();
    app.release(lease);
    assert!(app.close(LIMIT));
    assert_eq!(app.try_ask(&ping(), &OWN).unwrap_err(), Refused::Closed);
    assert_eq!(app.wish().unwrap_err(), Refused::Closed);
    assert!(app.engine.leased(lease).is_none());
}

/// S1-CLEAN-01: at the end under load all are told, once, and nothing stays open.
#[test]
fn close_under_load() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &Config { lanes: 2, ..config() });
    app.value(&ping());
    for n in 0..64 {
        for _ in 0..20 {
            app.ask(&incr("n"));
        }
        // More of these than there are connections for.
        app.ask(&raw("BLPOP").arg(&format!("q{n}")).arg(0.2));
        app.turn(ms(0));
    }
    let start = app.now();
    assert!(app.close(LIMIT));
    assert!(app.now().saturating_since(start) < ms(2000), "{:?}", app.now().saturating_since(start));
    let told = app.hear_all();
    let answered = told.iter().filter(|told| matches!(told, Told::Reply(Value::Integer(_)))).count();
    assert_eq!(admin.ask("GET n"), text(&answered.to_string()), "who was not answered was not sent");
    for told in told.into_iter().filter(|told| matches!(told, Told::Failed(_))) {
        let failed = failed(told);
        assert_eq!((failed.failure, failed.refused), (Failure::NotSent, Some(pool::Refusal::Closed)));
    }
    app.until("the server to be left alone", |_| admin.count() == 0);
}
