//! A server that goes away, and comes back: how long that is noticed, and that nobody has to do anything.

use std::env;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use respire_core::command::{get, incr, ping, raw, set};
use respire_core::conn::{Failure, Settings};
use respire_core::engine::{Config, Refused};
use respire_core::pool::{self, DialCode, Refusal};
use respire_core::resp::Value;
use respire_core::retry::{self, BreakerConfig};
use respire_tests::engine::Told;
use respire_tests::{Kind, Server, run_with_limit};

use crate::support::{Admin, App, LIMIT, PLAIN, config, each_its_own, failed, ms, redis, status, text};

/// Waits until the server is gone.
fn gone(app: &mut App) {
    app.until("the end of the server", |app| app.engine.pool_stats().dial_errors > 0);
}

/// When the server takes connections again.
fn back(app: &mut App, server: &Server) -> Instant {
    app.until("the server", |_| std::net::TcpStream::connect(server.addr()).is_ok());
    Instant::now()
}

/// S0-POOL-04, S3-CONF-06, S4-CLI-02: a server is stopped, starts again and loads its data; requests work
/// again, and nobody had to do anything. What was not executed is told so.
#[test]
fn restart() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let builder = Server::builder(Kind::Redis70).args(["--appendonly", "yes", "--appendfsync", "always"]);
    // Six thousand keys take half a second to load, and clients are heard behind each thousand.
    let server = builder.args(["--key-load-delay", "50"]).start();
    let base = config();
    let mut app = App::new(
        server.addr(),
        &Config { retry: retry::Policy { retries: 30, ..base.retry }, lanes: 2, ..base },
    );
    for n in 0..6000 {
        app.ask(&set(&format!("k{n}"), n));
        if n % 1000 == 999 {
            app.hear_all();
        }
    }
    let mut executed = 0;
    Admin::of(&server).restart(ms(1000));
    gone(&mut app);
    let start = Instant::now();
    let (mut refused, mut answered) = (0, 0);
    while answered < 20 {
        assert!(start.elapsed() < LIMIT, "{app:?}");
        match app.call(&incr("n")) {
            Told::Reply(Value::Integer(n)) => {
                executed += 1;
                answered += 1;
                assert_eq!(n, executed);
            }
            other => {
                let failed = failed(other);
                assert_eq!(failed.failure, Failure::NotSent);
                assert!(matches!(failed.refused, Some(Refusal::Unavailable(_))), "{failed:?}");
                refused += 1;
                app.turn(ms(5));
            }
        }
    }
    let admin = Admin::of(&server);
    let loading = admin.info("errorstats").contains_key("errorstat_LOADING");
    assert!(refused > 0 && loading && app.engine.stats().retries > 0, "{refused}, {loading}");
    assert_eq!((admin.ask("GET n"), admin.ask("DBSIZE")), (text("20"), Value::Integer(6001)));
}

/// S1-POOL-06: while nobody listens requests fail at once, and the first probe that finds the server ends
/// that.
#[test]
fn server_down() {
    let Some(server) = redis() else { return };
    let base = config();
    let config =
        Config { pool: pool::Config { backoff_base: ms(50), backoff_cap: ms(300), ..base.pool }, ..base };
    let mut app = App::new(server.addr(), &config);
    app.value(&ping());
    Admin::of(&server).restart(ms(2500));
    gone(&mut app);
    // Whoever waits is told when enough dials have failed.
    let first = failed(app.call(&get("k")));
    let Some(Refusal::Unavailable(why)) = first.refused else { panic!("{first:?}") };
    // The system's own word for it.
    let refused = std::io::Error::from_raw_os_error(i32::try_from(why.code.0).expect("a small number"));
    assert!(why.failures >= 3 && refused.kind() == ErrorKind::ConnectionRefused, "{refused}");
    let (start, dials) = (Instant::now(), app.counts().dials);
    for _ in 0..1000 {
        let failed = failed(app.call(&get("k")));
        assert!(failed.failure == Failure::NotSent && failed.attempts == 0, "{failed:?}");
    }
    let (took, dials) = (start.elapsed(), app.counts().dials - dials);
    assert!(took < Duration::from_secs(1) && dials < 30, "{took:?}, {dials} dials");
    let back = back(&mut app, &server);
    let dials = app.counts().dials;
    app.until("a probe", |app| matches!(app.call(&ping()), Told::Reply(_)));
    let (took, dials) = (back.elapsed(), app.counts().dials - dials);
    assert!(took < ms(300) + ms(700) && dials <= 1, "{took:?}, {dials} dials");
}

/// S1-ERR-08: a server that fails too often is left alone for a while, then one request tries.
#[test]
fn breaker() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let base = each_its_own(16);
    let open = ms(800);
    let config =
        Config { breaker: Some(BreakerConfig { least: 8, open, ..BreakerConfig::default() }), ..base };
    let mut app = App::new(server.addr(), &config);
    let blocked: Vec<_> = (0..8).map(|_| app.ask(&raw("BLPOP").arg("q").arg(0))).collect();
    app.until("all to block", |_| admin.figure("clients", "blocked_clients") == 8);
    admin.restart(ms(300));
    for token in blocked {
        assert_eq!(failed(app.hear(token)).failure, Failure::Unknown);
    }
    let opened = Instant::now();
    let refused = app.try_ask(&ping(), &PLAIN).unwrap_err();
    assert!(matches!(refused, Refused::Circuit(circuit) if circuit.retry_in <= open), "{refused:?}");
    assert_eq!(app.engine.pending(), 0);
    // The server is long back; nobody asks before the time is over.
    back(&mut app, &server);
    let mut answer = None;
    app.until("an answer", |app| {
        answer = match app.try_ask(&ping(), &PLAIN) {
            Ok((token, _)) => Some(app.hear(token)),
            Err(Refused::Circuit(_)) => None,
            Err(other) => panic!("{other:?}"),
        };
        answer.is_some()
    });
    assert_eq!(answer, Some(Told::Reply(status("PONG"))));
    assert!(opened.elapsed() > open - ms(100), "{:?}", opened.elapsed());
    // Closed again: two at once are taken.
    let two = [app.ask(&ping()), app.ask(&ping())];
    two.into_iter().for_each(|token| assert_eq!(app.hear(token), Told::Reply(status("PONG"))));
}

/// S1-POOL-06: a server that lets nobody in is as good as none: requests fail, and it is not asked all the
/// time.
#[test]
fn a_server_that_refuses_is_left_alone() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Redis70).args(["--requirepass", "sesame"]).start();
    let settings = |password| Settings { password: Some(password), ..Settings::NONE };
    let mut app = App::with(server.addr(), &config(), settings("wrong"));
    for _ in 0..100 {
        let failed = failed(app.call(&ping()));
        assert_eq!(failed.failure, Failure::NotSent);
        assert!(matches!(failed.refused, Some(Refusal::Unavailable(why)) if why.code == DialCode::REJECTED));
    }
    let dials = app.counts().dials;
    app.run(ms(500));
    assert!(dials <= 6 && app.counts().dials - dials < 100, "{:?}", app.counts());
    assert_eq!(App::with(server.addr(), &config(), settings("sesame")).value(&ping()), status("PONG"));
}

/// S1-ERR-07: without descriptors for more connections those that are there go on, and who waits for another
/// is told why there is none.
#[test]
fn few_descriptors() {
    if let Ok(address) = env::var(FEW) {
        return with_few_descriptors(address.parse().expect("an address"));
    }
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let own = env::current_exe().expect("this test");
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 32 && exec \"$0\" --exact outages::few_descriptors --nocapture"]);
    let done = run_with_limit(shell.arg(own).env(FEW, server.addr().to_string()), b"", LIMIT);
    assert!(done.code() == Some(0), "{}\n{}", done.text(), String::from_utf8_lossy(&done.stderr));
    assert!(admin.figure("stats", "total_connections_received") > 10, "it was there");
}

/// Where the server is, for the same test in a process with few descriptors.
const FEW: &str = "RESPIRE_FEW_DESCRIPTORS";

fn with_few_descriptors(server: SocketAddr) {
    let base = each_its_own(50);
    let config = Config { pool: pool::Config { wait_timeout: ms(500), ..base.pool }, ..base };
    let mut app = App::new(server, &config);
    let blocked: Vec<_> = (0..40).map(|_| app.ask(&raw("BLPOP").arg("few").arg(1))).collect();
    let (mut answered, mut refused) = (0, 0);
    for token in blocked {
        match app.hear(token) {
            Told::Reply(Value::Null) => answered += 1,
            other => {
                let failed = failed(other);
                assert!(failed.failure == Failure::NotSent && failed.refused.is_some(), "{failed:?}");
                refused += 1;
            }
        }
    }
    assert!((10..32).contains(&answered) && refused == 40 - answered, "{answered}, {refused}");
    let stats = app.engine.pool_stats();
    assert!(stats.dial_errors > 0 && usize::from(stats.total) <= app.sockets() + 1, "{stats:?}");
    assert_eq!(app.value(&ping()), status("PONG"));
    assert!(app.close(LIMIT));
}
