//! Connections that are lost: noticed before they are used again, replaced, and nothing is executed twice.

use respire_core::command::{get, incr, ping, raw, set};
use respire_core::conn::{self, Failure};
use respire_core::engine::Config;
use respire_core::pool::{self, Reason};
use respire_core::resp::Value;
use respire_core::retry::{self, Why};
use respire_tests::engine::Told;
use respire_tests::proxy::{Act, At, Proxy, Script};

use crate::support::{
    Admin, App, LIMIT, OWN, PLAIN, config, each_its_own, failed, ms, redis, status, text, until,
};

/// S0-OPT-08: idle connections are asked for a sign of life, and those that give none are replaced.
#[test]
fn health() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let base = each_its_own(4);
    let config = Config {
        pool: pool::Config { min_idle: 3, health_interval: ms(100), ..base.pool },
        connection: conn::Config { reply_timeout: Some(ms(100)), ..base.connection },
        ..base
    };
    let mut app = App::new(server.addr(), &config);
    app.until("three", |app| app.engine.pool_stats().idle == 3);
    let pings = admin.calls("ping");
    app.until("signs of life", |_| admin.calls("ping") >= pings + 9);
    assert_eq!((app.engine.pool_stats().stale, app.counts().dials), (0, 3));
    // They are open, and nothing comes.
    admin.ask("CLIENT PAUSE 600");
    app.until("no sign of life", |app| app.engine.pool_stats().closed(Reason::Stale) >= 1);
    assert_eq!(app.value(&ping()), status("PONG"));
    // They are closed.
    app.until("three again", |app| app.engine.pool_stats().idle == 3);
    let stale = app.engine.pool_stats().stale;
    admin.kill_all();
    app.until("others", |app| app.engine.pool_stats().stale >= stale + 3);
    assert_eq!(app.value(&ping()), status("PONG"));
}

/// S1-POOL-03: an end that has come is known before a request is written to it: even one that counts is not lost.
#[test]
fn peer_closed() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    for config in [config(), each_its_own(3)] {
        let mut app = App::new(server.addr(), &config);
        app.value(&raw("DEL").arg("n"));
        for n in 1..=50 {
            // Nobody turns: the end waits in the socket.
            assert!(admin.kill_all() > 0);
            until("their ends", || admin.count() == 0);
            assert_eq!(app.call(&incr("n")), Told::Reply(Value::Integer(n)));
        }
        assert_eq!(app.engine.stats().failed, 0);
    }
}

/// S0-POOL-02: whatever happens to connections, who reads is answered.
#[test]
fn no_dead_checkout() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let base = each_its_own(10);
    let mut app =
        App::new(server.addr(), &Config { pool: pool::Config { min_idle: 5, ..base.pool }, ..base });
    app.value(&set("k", "v"));
    for n in 0..1000 {
        app.ask(&get("k"));
        app.turn(ms(0));
        // Once with requests on their way, once without.
        if n % 50 == 49 {
            app.until("those that are dialled", |app| app.engine.pool_stats().dialling == 0);
            if n % 100 == 99 {
                app.hear_all();
            }
            admin.kill_all();
        }
    }
    let wrong: Vec<_> =
        app.hear_all().into_iter().skip(1).filter(|told| *told != Told::Reply(text("v"))).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let stats = app.engine.pool_stats();
    assert!(stats.dials >= 25, "too calm to say anything: {stats:?}");
}

/// The answer to the first request on each of the first `n` connections is lost.
fn losing(n: usize) -> Script {
    (0..n).fold(Script::new(), |script, at| script.connection(at).replies(At::Before(1), Act::Cut))
}

/// S0-OPT-09: three retries are four attempts.
#[test]
fn retry_count() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    for config in [config(), each_its_own(2)] {
        for lost in 0..=5 {
            let proxy = Proxy::new(server.addr(), losing(lost));
            let mut app = App::new(proxy.address(), &config);
            let before = admin.calls("get");
            let told = app.call(&get("nothing"));
            let attempts = 1 + lost.min(3) as u64;
            if lost <= 3 {
                assert_eq!(told, Told::Reply(Value::Null), "{lost}");
            } else {
                let failed = failed(told);
                assert_eq!(failed.why, Some(Why::Exhausted { attempts: 4 }));
                assert_eq!((failed.failure, failed.attempts), (Failure::Unknown, 4));
            }
            assert_eq!(admin.calls("get") - before, attempts, "{lost}");
            assert_eq!(app.engine.stats().retries, attempts - 1, "{lost}");
        }
    }
}

/// S0-OPT-09: none is none.
#[test]
fn no_retries() {
    let Some(server) = redis() else { return };
    let proxy = Proxy::new(server.addr(), losing(1));
    let base = config();
    let mut app =
        App::new(proxy.address(), &Config { retry: retry::Policy { retries: 0, ..base.retry }, ..base });
    let failed = failed(app.call(&get("k")));
    assert_eq!((failed.failure, failed.attempts), (Failure::Unknown, 1));
    assert_eq!(app.value(&get("k")), Value::Null);
}

/// S1-ERR-05: what counts is never executed twice, and what its caller is told is true.
#[test]
fn nothing_is_counted_twice() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut unknown = 0;
    for config in [config(), Config { lanes: 3, ..config() }, each_its_own(4)] {
        admin.ask("FLUSHALL");
        let before = admin.calls("incr");
        // Each connection ends somewhere else: before a request, in it, before its answer, in that.
        let script = (0..40_u64).fold(Script::new(), |script, at| {
            let script = script.connection(usize::try_from(at).expect("a small number"));
            let frame = 1 + at % 7;
            match at % 4 {
                0 => script.requests(At::Before(frame), Act::Cut),
                1 => script.requests(At::Within(frame, 9), Act::Reset),
                2 => script.replies(At::Before(frame), Act::Cut),
                _ => script.replies(At::Within(frame, 2), Act::Reset),
            }
        });
        let proxy = Proxy::new(server.addr(), script);
        let mut app = App::new(proxy.address(), &config);
        let mut asked = 0;
        while asked < 300 || proxy.accepted() < 12 {
            assert!(asked < 2000, "too calm to say anything: {}", proxy.accepted());
            app.ask_with(&incr(&format!("n{asked}")), if asked % 16 == 0 { &OWN } else { &PLAIN });
            app.turn(ms(asked % 2));
            asked += 1;
        }
        let told = app.hear_all();
        assert!(app.close(LIMIT));
        // What was sent is executed, or never will be.
        app.until("the server to be left alone", |_| admin.count() == 0);
        let mut executed = 0;
        for (n, told) in told.into_iter().enumerate() {
            let value = admin.ask(&format!("GET n{n}"));
            let once = value == text("1");
            assert!(once || value == Value::Null, "n{n} is {value:?}");
            executed += u64::from(once);
            match told {
                Told::Reply(answer) => assert!(once && answer == Value::Integer(1), "n{n}: {answer:?}"),
                other => match failed(other).failure {
                    Failure::NotSent | Failure::Expired => assert!(!once, "n{n} was sent"),
                    _ => unknown += 1,
                },
            }
        }
        assert_eq!(admin.calls("incr") - before, executed);
    }
    assert!(unknown > 5, "too calm to say anything: {unknown}");
}

/// S0-POOL-02: what is in flight when connections are lost is told so, each request once, and the next ones are
/// answered.
#[test]
fn a_loss_under_load_ends_every_request() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &Config { lanes: 2, ..config() });
    app.value(&ping());
    for round in 0..10 {
        let blocked: Vec<_> = (0..3).map(|_| app.ask(&raw("BLPOP").arg("q").arg(0))).collect();
        app.until("three to block", |_| admin.figure("clients", "blocked_clients") == 3);
        for _ in 0..100 {
            app.ask(&incr("n"));
        }
        admin.kill_all();
        for token in blocked {
            assert_eq!(failed(app.hear(token)).failure, Failure::Unknown);
        }
        app.hear_all();
        assert_eq!(app.value(&ping()), status("PONG"), "{round}");
    }
    let answered =
        app.hear_all().iter().filter(|told| matches!(told, Told::Reply(Value::Integer(_)))).count();
    let Value::Bulk(value) = admin.ask("GET n") else { panic!("no number") };
    let value: usize = String::from_utf8_lossy(&value).parse().expect("a number");
    assert!((answered..=1000).contains(&value), "{answered} answered, {value} counted");
}
