//! Engines made from one configuration of texts, and made anew while they run; the server says what came of it.

use respire_core::command::{get, incr, raw};
use respire_core::config::{Capacity, Config};
use respire_core::conn::Failure;
use respire_core::engine::{self, Configured};
use respire_tests::engine::Told;

use crate::support::{Admin, App, failed, ms, redis};

fn made(pairs: &[(&'static str, &'static str)]) -> Configured<'static> {
    let mut config = Config::MANAGED;
    let count = config.apply(pairs.iter().copied(), |fault| panic!("{fault}"));
    assert_eq!(count, 0);
    Configured::new(&config, Capacity::ANY, 7).unwrap_or_else(|faults| panic!("{faults}"))
}

/// S1-OPT-04, S1-OPT-05, S1-OPT-09, S1-OPT-10, S0-OPT-03, S0-OPT-04, S0-OPT-14: who we are, what we speak, how many of us.
#[test]
fn what_is_configured_reaches_the_server() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    admin.ask("ACL SETUSER ann on >secret ~* +@all");
    let made = made(&[
        ("redis.username", "ann"),
        ("redis.password", "secret"),
        ("redis.client_name", "me"),
        ("redis.db", "3"),
        ("pool.size", "9"),
        ("pool.min_idle", "4"),
    ]);
    let mut app = App::with(server.addr(), &made.engine, made.settings);
    app.until("what is kept ready, and a shared one", |app| app.engine.pool_stats().idle == 4);
    let clients = admin.clients();
    assert_eq!(clients.len(), 5);
    for client in clients {
        assert_eq!(
            [&client["user"], &client["name"], &client["db"], &client["resp"]],
            ["ann", "me", "3", "3"]
        );
    }
}

/// S0-OPT-06, X-03: one time for all, from a text to the caller.
#[test]
fn a_timeout_of_the_configuration_is_kept() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let made = made(&[("redis.timeout", "500ms"), ("redis.retry_attempts", "0"), ("pool.min_idle", "0")]);
    let mut app = App::with(server.addr(), &made.engine, made.settings);
    app.value(&incr("n"));
    admin.ask("CLIENT PAUSE 8000 ALL");
    let failed = failed(app.call(&get("n")));
    assert_eq!(failed.failure, Failure::TimedOut);
    assert!((ms(500)..ms(4500)).contains(&failed.elapsed), "{:?}", failed.elapsed);
}

/// S0-CFG-04: from five connections to two while all are in use: nothing fails, and two are left.
#[test]
fn reconfig() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    // A connection for each request.
    let made = |size| {
        let made = made(&[("pool.size", size), ("pool.min_idle", "0"), ("pool.wait_timeout", "none")]);
        engine::Config { lanes: 0, ..made.engine }
    };
    let mut app = App::new(server.addr(), &made("5"));
    for _ in 0..40 {
        app.ask(&raw("BLPOP").arg("q").arg(0));
    }
    app.until("five to block", |_| admin.figure("clients", "blocked_clients") == 5);
    let now = app.now();
    app.engine.reconfigure(now, &made("2"));
    for _ in 0..40 {
        admin.ask("RPUSH q 1");
        app.turn(ms(1));
    }
    let told = app.hear_all();
    assert!(told.iter().all(|told| matches!(told, Told::Reply(_))), "{told:?}");
    app.until("two to be left", |_| admin.count() == 2);
    assert_eq!((app.engine.pool_stats().total, app.counts().dials), (2, 5));
}

/// S1-CFG-02: from version 3 to 2 under load without an error; then every connection speaks 2.
#[test]
fn protocol_switch() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let pairs = [("pool.size", "4"), ("pool.min_idle", "2"), ("redis.db", "0")];
    let before = made(&pairs);
    let after = made(&[pairs[0], pairs[1], pairs[2], ("redis.protocol", "2")]);
    let mut app = App::with(server.addr(), &before.engine, before.settings);
    app.until("connections", |app| app.engine.pool_stats().idle == 2);
    for n in 0..2000 {
        app.ask(&incr("n"));
        if n == 500 {
            assert!(admin.clients().iter().all(|client| client["resp"] == "3"));
            let now = app.now();
            *app.login() = after.settings;
            app.engine.reconfigure(now, &after.engine);
            app.engine.renew(now);
        }
        if n % 20 == 0 {
            app.turn(ms(0));
        }
    }
    let told = app.hear_all();
    assert!(told.iter().all(|told| matches!(told, Told::Reply(_))), "{told:?}");
    app.until("all of them to be new", |app| {
        app.engine.pool_stats().idle == 2 && admin.clients().iter().all(|client| client["resp"] == "2")
    });
    assert_eq!((admin.count(), app.engine.stats().retries), (3, 0));
}
