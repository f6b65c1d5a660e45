//! Every wait has an end: dialling, shaking hands, writing, waiting for an answer, for a connection.

use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;

use respire_core::command::{echo, get, incr, ping, raw, set};
use respire_core::conn::{self, Failure, Settings};
use respire_core::engine::{Config, Options};
use respire_core::pool::{self, DialCode, Reason, Refusal};
use respire_core::resp::Value;
use respire_core::retry;
use respire_core::time::Duration;
use respire_tests::Peer;
use respire_tests::engine::{Record, Told};
use respire_tests::proxy::{Act, At, Proxy, Script};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::support::{Admin, App, LIMIT, PLAIN, config, each_its_own, failed, ms, redis, status, text};

/// One attempt, and these limits.
fn impatient(connection: conn::Config) -> Config {
    let base = config();
    Config {
        connection,
        retry: retry::Policy { retries: 0, ..base.retry },
        pool: pool::Config { fail_after: 1, dial_timeout: ms(300), ..base.pool },
        ..base
    }
}

/// How long it took after `from`, in the engine's own time; no less than `least`.
fn took(app: &mut App, token: u64, from: respire_core::time::Instant, least: Duration) -> Record {
    let record = app.record(token);
    let took = record.at.saturating_since(from);
    // A machine with other things to do is late, not early.
    assert!((least..least + ms(5000)).contains(&took), "{took:?} for {record:?}");
    record
}

/// A listener whose queue is full: connecting to it takes for ever.
fn full() -> (Socket, Vec<Socket>, SocketAddr) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    listener.bind(&SockAddr::from(SocketAddr::from(([127, 0, 0, 1], 0)))).expect("a loopback port");
    listener.listen(0).expect("listening");
    let address = listener.local_addr().expect("a bound port");
    let guests = (0..4).map(|_| {
        let guest = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        guest.set_nonblocking(true).expect("not blocking");
        let _ = guest.connect(&address);
        guest
    });
    (listener, guests.collect(), address.as_socket().expect("an address"))
}

/// S1-OPT-07, S1-POOL-06, S3-CONF-05: a server that does not take the connection.
#[test]
fn dialling_has_an_end() {
    let (_listener, _guests, address) = full();
    let mut app = App::new(address, &impatient(conn::Config::SERVER));
    let (from, token) = (app.now(), app.ask(&ping()));
    let record = took(&mut app, token, from, ms(300));
    let failed = failed(record.told);
    let late = matches!(failed.refused, Some(Refusal::Unavailable(why)) if why.code == DialCode::TIMEOUT);
    assert!(late && failed.failure == Failure::NotSent, "{failed:?}");
    assert!(app.engine.pool_stats().closed(Reason::DialTimeout) >= 1);
    assert!(app.close(LIMIT));
}

/// S1-OPT-07: a server that takes the connection and says nothing.
#[test]
fn shaking_hands_has_an_end() {
    let peer = Peer::new(|_, mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let connection = conn::Config { handshake_timeout: ms(200), ..conn::Config::SERVER };
    let mut app = App::new(peer.address(), &impatient(connection));
    let (from, token) = (app.now(), app.ask(&ping()));
    let record = took(&mut app, token, from, ms(200));
    let failed = failed(record.told);
    assert!(matches!(failed.refused, Some(Refusal::Unavailable(_))), "{failed:?}");
    assert_eq!(failed.failure, Failure::NotSent);
}

/// S1-OPT-07: a server that takes no bytes.
#[test]
fn writing_has_an_end() {
    let Some(server) = redis() else { return };
    let proxy = Proxy::new(server.addr(), Script::new().requests(At::Before(1), Act::Stall));
    let connection =
        conn::Config { write_timeout: Some(ms(200)), reply_timeout: None, ..conn::Config::SERVER };
    let mut app = App::new(proxy.address(), &impatient(connection));
    app.until("a connection", |app| app.engine.pool_stats().lent == 1);
    // More than the kernel takes for both sides.
    let value = vec![b'x'; 16 << 20];
    let (from, token) = (app.now(), app.ask(&set("k", &value)));
    let record = took(&mut app, token, from, ms(200));
    assert_eq!(failed(record.told).failure, Failure::Unknown);
    assert_eq!(Admin::of(&server).ask("EXISTS k"), Value::Integer(0));
}

/// S1-OPT-07: a server that does not answer; and when it does, nobody takes its answer for another one.
#[test]
fn waiting_for_an_answer_has_an_end() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let connection = conn::Config { reply_timeout: Some(ms(150)), ..conn::Config::SERVER };
    let mut app = App::new(server.addr(), &impatient(connection));
    app.value(&set("k", "late"));
    admin.ask("CLIENT PAUSE 600");
    let (from, token) = (app.now(), app.ask(&get("k")));
    let record = took(&mut app, token, from, ms(150));
    assert_eq!(failed(record.told).failure, Failure::TimedOut);
    // Until the pause is over these are late, too.
    let mut answer = Told::Rejected(String::new());
    app.until("the end of the pause", |app| {
        answer = app.call(&echo("mine"));
        matches!(answer, Told::Reply(_))
    });
    assert_eq!((answer, app.counts().dials), (Told::Reply(text("mine")), 1));
}

/// S1-OPT-07, S1-CONN-12: one request may take less time than others, and tell nobody else's answer.
#[test]
fn a_request_has_a_deadline_of_its_own() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &config());
    app.value(&ping());
    admin.ask("CLIENT PAUSE 500");
    let from = app.now();
    let hasty = app.ask_with(&incr("n"), &Options { timeout: Some(ms(100)), ..PLAIN });
    let patient = app.ask(&echo("mine"));
    let record = took(&mut app, hasty, from, ms(100));
    assert_eq!(failed(record.told).failure, Failure::TimedOut);
    assert_eq!(app.hear(patient), Told::Reply(text("mine")));
    assert_eq!((app.counts().dials, app.engine.stats().retries), (1, 0));
}

/// S1-OPT-07: what blocks by its own arguments is waited for as long as these say.
#[test]
fn what_blocks_takes_as_long_as_it_says() {
    let Some(server) = redis() else { return };
    let connection = conn::Config { reply_timeout: Some(ms(200)), ..conn::Config::SERVER };
    let mut app = App::new(server.addr(), &impatient(connection));
    let (from, token) = (app.now(), app.ask(&raw("BLPOP").arg("q").arg(1)));
    let record = took(&mut app, token, from, ms(1000));
    assert_eq!(record.told, Told::Reply(Value::Null));
}

/// S0-OPT-16, S1-POOL-12, S1-ERR-03: who waits for a connection is told when his time is over, to five in a
/// hundred.
#[test]
fn pool_wait() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let base = each_its_own(1);
    let config = Config { pool: pool::Config { wait_timeout: ms(1000), ..base.pool }, ..base };
    let mut app = App::new(server.addr(), &config);
    let blocked = app.ask(&raw("BLPOP").arg("q").arg(0));
    app.until("it to block", |_| admin.figure("clients", "blocked_clients") == 1);
    // A machine that is busy for so long that it is late four times in a row is no witness.
    let on_time = (0..4).any(|_| {
        let token = app.ask(&ping());
        let failed = failed(app.hear(token));
        let Some(Refusal::Timeout { waited, size: 1, in_use: 1 }) = failed.refused else {
            panic!("{failed:?}")
        };
        assert!(waited >= 1_000_000 && failed.failure == Failure::NotSent, "{failed:?}");
        waited <= 1_050_000
    });
    assert!(on_time, "late each time");
    // In the order of asking.
    let waiting = [app.ask(&echo("1")), app.ask(&echo("2"))];
    admin.ask("RPUSH q v");
    assert!(matches!(app.hear(blocked), Told::Reply(Value::Array(_))));
    let second = app.record(waiting[1]);
    assert!(app.record(waiting[0]).at <= second.at && second.told == Told::Reply(text("2")));
}

/// S0-ERR-03: a deadline also ends the wait for a connection, and a server that is not there.
#[test]
fn a_deadline_counts_from_the_first_moment() {
    let (_listener, _guests, address) = full();
    let mut app = App::new(address, &config());
    let from = app.now();
    let token = app.ask_with(&ping(), &Options { timeout: Some(ms(100)), ..PLAIN });
    let record = took(&mut app, token, from, ms(100));
    assert_eq!(failed(record.told).failure, Failure::Expired);
}

/// S1-OPT-07, S3-CONN-01: the settings of a connection hold for each that is opened, and for each in its place.
#[test]
fn settings_hold_for_every_connection() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let settings = Settings { name: Some("respire"), db: 3, nonce: Some(5), ..Settings::NONE };
    let base = each_its_own(3);
    let config = Config { db: 3, pool: pool::Config { min_idle: 3, ..base.pool }, ..base };
    let mut app = App::with(server.addr(), &config, settings);
    for _ in 0..2 {
        app.until("all connections", |app| app.engine.pool_stats().idle == 3 && admin.count() == 3);
        assert_eq!(app.value(&ping()), status("PONG"));
        let clients = admin.clients();
        let same = |client: &HashMap<String, String>| {
            ["name", "db", "resp"].map(|field| &*client[field]) == ["respire", "3", "3"]
        };
        assert!(clients.len() == 3 && clients.iter().all(same), "{clients:?}");
        // Those that come in their place are the same.
        admin.kill_all();
        let lost = app.counts().dials;
        app.until("others", |app| app.counts().dials >= lost + 3);
    }
}

/// S0-SVC-01: an engine that waits for something does nothing else, and has not forgotten what for.
#[test]
fn waiting_costs_nothing() {
    let Some(server) = redis() else { return };
    let base = config();
    let pool = pool::Config { min_idle: 2, idle_time: ms(60_000), health_interval: ms(60_000), ..base.pool };
    let mut app = App::new(server.addr(), &Config { pool, timeout: Some(ms(60_000)), ..base });
    let waits = |app: &mut App, most: u64| {
        app.run(ms(50));
        let before = app.counts();
        app.run(ms(300));
        let turns = app.counts().turns - before.turns;
        assert!(turns <= most, "{turns} turns: {app:?}");
    };
    app.value(&ping());
    waits(&mut app, 2);
    app.ask(&raw("BLPOP").arg("q").arg(0));
    waits(&mut app, 2);
    // The lessee does not care for its answer, nor that it is late.
    let lease = app.lease();
    let now = app.now();
    let lent = app.engine.leased(lease).expect("a lease");
    let deadline = Some(now.saturating_add(ms(20)));
    lent.submit_until(deadline, conn::Token(0), &raw("BLPOP").arg("q").arg(0)).expect("room for it");
    waits(&mut app, 2);
    Admin::of(&server).restart(ms(1000));
    app.until("the end of the server", |app| app.engine.pool_stats().dial_errors > 5);
    // A dial, and that it has failed, each hundred milliseconds or earlier.
    let (turns, dials) = (app.counts().turns, app.counts().dials);
    app.run(ms(500));
    let (turns, dials) = (app.counts().turns - turns, app.counts().dials - dials);
    assert!(turns <= 4 * dials + 4 && dials < 100, "{turns} turns, {dials} dials");
    app.until("the server", |app| matches!(app.call(&ping()), Told::Reply(_)));
    waits(&mut app, 2);
}
