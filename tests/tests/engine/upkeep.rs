//! What an engine does by itself, and what it says of what went wrong.

use std::collections::HashSet;

use respire_core::command::{get, incr, ping, set};
use respire_core::config::Address;
use respire_core::conn::{self, Failure, Settings};
use respire_core::engine::{Config, Options};
use respire_core::hook::Kind as Ended;
use respire_core::pool::{self, Reason};
use respire_core::resp::Value;
use respire_tests::engine::Told;
use respire_tests::proxy::{Act, At, Proxy, Script};

use crate::support::{Admin, App, PLAIN, config, each_its_own, failed, ms, redis, reply, status, text};

/// Who the server's clients are.
fn ids(admin: &Admin) -> HashSet<String> {
    admin.clients().into_iter().map(|client| client["id"].clone()).collect()
}

/// S0-MNT-01: connections are asked whether they live, old ones are replaced, lost ones too, and those beyond
/// what is kept ready end: because time passes, and nobody asks for anything.
#[test]
fn maintain() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let base = each_its_own(8);
    let pool = pool::Config { min_idle: 3, health_interval: ms(50), lifetime: ms(1000), ..base.pool };
    let mut app = App::new(server.addr(), &Config { pool, ..base });
    app.until("three", |_| admin.count() == 3);
    let (first, pings) = (ids(&admin), admin.calls("ping"));
    app.until("signs of life", |_| admin.calls("ping") >= pings + 6);
    app.until("others in their place", |_| {
        let now = ids(&admin);
        now.len() == 3 && now.is_disjoint(&first)
    });
    assert!(app.engine.pool_stats().closed(Reason::Lifetime) >= 3);
    let second = ids(&admin);
    admin.kill_all();
    app.until("three again", |_| {
        let now = ids(&admin);
        now.len() == 3 && now.is_disjoint(&second)
    });
    assert_eq!((app.engine.stats().requests, app.engine.life()), (0, respire_core::engine::Life::Ready));
}

/// S0-MNT-01: of a burst no more is left than is kept ready, and these stay.
#[test]
fn what_rests_too_long_ends() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let base = each_its_own(8);
    let pool = pool::Config { min_idle: 2, idle_time: ms(200), ..base.pool };
    let mut app = App::new(server.addr(), &Config { pool, ..base });
    let leases: Vec<_> = (0..6).map(|_| app.lease()).collect();
    assert!(admin.count() >= 6);
    leases.into_iter().for_each(|lease| app.release(lease));
    app.until("what is kept ready", |_| admin.count() == 2);
    assert!(app.engine.pool_stats().closed(Reason::Idle) >= 4);
    app.run(ms(300));
    assert_eq!(admin.count(), 2);
}

const NAMED: Address<'static> = Address { host: "db.example", port: 6390 };

/// S0-ERR-02, S4-CLI-06: a connection is killed under a request: this is told once, with the name of the
/// command and never with its arguments, which attempt it was, where, and on which connection.
#[test]
fn a_loss_is_told_once() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let base = config();
    let mut app = App::logged(server.addr(), &Config { address: NAMED, ..base }, Settings::NONE);
    app.value(&ping());
    let before = app.take_log();
    let [pinged] = &before[..] else { panic!("{before:?}") };
    // It is on its way, and waits.
    admin.ask("CLIENT PAUSE 20000 WRITE");
    let token = app.ask(&set("confidential-key", "confidential-value"));
    app.until("it to wait", |_| admin.figure("clients", "blocked_clients") == 1);
    assert_eq!(app.take_log(), []);
    assert_eq!(admin.kill_all(), 1);
    assert_eq!(failed(app.hear(token)).failure, Failure::Unknown);
    admin.ask("CLIENT UNPAUSE");
    assert_eq!(app.value(&get("confidential-key")), Value::Null);
    let log = app.take_log();
    let [lost, answered] = &log[..] else { panic!("{log:?}") };
    assert_eq!([lost.kind, answered.kind], [Ended::Unknown, Ended::Answered]);
    let start = "SET at db.example:6390/0, attempt 1 of 4, after ";
    let end = ": unknown, waiting for its answer";
    assert!(lost.report.starts_with(start) && lost.report.ends_with(end), "{}", lost.report);
    assert!(lost.connection.is_some() && lost.connection == pinged.connection, "{log:?}");
    assert_ne!(lost.connection, answered.connection);
    assert!(log.iter().all(|entry| !entry.all.contains("confidential")), "{log:?}");
}

/// S0-ERR-02: what goes again is told for each attempt, and each has its number.
#[test]
fn attempts_have_numbers() {
    let Some(server) = redis() else { return };
    let script =
        (0..2).fold(Script::new(), |script, at| script.connection(at).replies(At::Before(1), Act::Cut));
    let proxy = Proxy::new(server.addr(), script);
    let mut app = App::logged(proxy.address(), &Config { address: NAMED, ..config() }, Settings::NONE);
    assert_eq!(app.value(&get("confidential-key")), Value::Null);
    let log = app.take_log();
    assert_eq!(log.len(), 3, "{log:?}");
    for (n, entry) in (1..).zip(&log) {
        let start = format!("GET at db.example:6390/0, attempt {n} of 4, ");
        assert!(entry.report.starts_with(&start) && !entry.all.contains("confidential"), "{entry:?}");
    }
    let ended = [Ended::Unknown, Ended::Unknown, Ended::Answered];
    assert!(log.iter().map(|entry| entry.kind).eq(ended), "{log:?}");
    let on: HashSet<_> = log.iter().map(|entry| entry.connection).collect();
    assert_eq!(on.len(), 3, "each on another connection: {log:?}");
}

/// S1-CLI-04: all of a client on one server: a pool, answers, errors, deadlines, what goes again, what is
/// replaced, the end.
#[test]
fn client_smoke() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let base = config();
    let config = Config {
        pool: pool::Config { min_idle: 2, health_interval: ms(200), ..base.pool },
        connection: conn::Config { reply_timeout: Some(ms(2000)), ..base.connection },
        ..base
    };
    let mut app = App::new(server.addr(), &config);
    assert_eq!(app.value(&set("k", "v")), status("OK"));
    for n in 1..=100 {
        assert_eq!(app.value(&incr("n")), Value::Integer(n));
    }
    let wrong = app.call(&incr("k"));
    assert!(matches!(wrong, Told::Rejected(_)), "{wrong:?}");
    // A deadline, and its answer is nobody's.
    admin.ask("CLIENT PAUSE 400 ALL");
    let hasty = app.ask_with(&incr("n"), &Options { timeout: Some(ms(50)), ..PLAIN });
    let patient = app.ask(&get("k"));
    assert_eq!(failed(app.hear(hasty)).failure, Failure::TimedOut);
    assert_eq!(reply(app.hear(patient)), text("v"));
    // A loss, and nobody notices.
    admin.kill_all();
    assert_eq!(app.value(&get("n")), text("101"));
    app.until("those that are kept ready", |app| app.engine.pool_stats().idle == 2 && admin.count() == 3);
    assert!(app.close(crate::support::LIMIT));
    app.until("the server to be left alone", |_| admin.count() == 0);
}
