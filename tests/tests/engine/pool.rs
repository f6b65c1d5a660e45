//! How many connections there are, and who gets which.

use std::collections::HashSet;
use std::fs;

use respire_core::command::{incr, multi, ping, raw, select, set, watch};
use respire_core::engine::{Config, Refused};
use respire_core::pool::{self, Order, Reason, Refusal};
use respire_core::resp::Value;
use respire_tests::engine::Told;

use crate::support::{Admin, App, LIMIT, OWN, PLAIN, config, each_its_own, ms, redis, status};

fn with_pool(base: Config, change: impl FnOnce(pool::Config) -> pool::Config) -> Config {
    Config { pool: change(base.pool), ..base }
}

/// S0-OPT-12, S1-CONN-09: without reuse there is a connection for each request.
#[test]
fn pool_off() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app =
        App::new(server.addr(), &with_pool(each_its_own(4), |pool| pool::Config { reuse: false, ..pool }));
    for n in 1..=20 {
        let before = admin.figure("stats", "total_connections_received");
        assert_eq!(app.value(&incr("n")), Value::Integer(n));
        assert_eq!(admin.figure("stats", "total_connections_received"), before + 1);
    }
    app.until("the last one to end", |app| app.sockets() == 0 && admin.count() == 0);
    assert_eq!(app.engine.pool_stats().closed(Reason::NotReused), 20);
}

/// S1-POOL-04, S3-CONN-03: what was opened is closed, a thousand times.
#[test]
fn fd_count() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let config = with_pool(each_its_own(4), |pool| pool::Config { reuse: false, ..pool });
    let before = descriptors(server.port());
    let mut app = App::new(server.addr(), &config);
    for _ in 0..1000 {
        app.ask(&ping());
    }
    app.hear_all();
    app.until("the last one to end", |app| app.sockets() == 0);
    assert_eq!((app.counts().dials, descriptors(server.port())), (1000, before));
    let leases = [app.lease(), app.lease()];
    assert_eq!(descriptors(server.port()), before + 2);
    leases.into_iter().for_each(|lease| app.release(lease));
    assert!(app.close(LIMIT));
    app.until("the server to be left alone", |_| admin.count() == 0);
    assert_eq!(descriptors(server.port()), before);
}

/// How many descriptors of this process are connections to this port; the kernel is asked.
fn descriptors(port: u16) -> usize {
    let remote = format!("0100007F:{port:04X}");
    let table = fs::read_to_string("/proc/self/net/tcp").expect("the kernel's table");
    let sockets: HashSet<_> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.get(2) == Some(&&*remote))
        .map(|words| format!("socket:[{}]", words[9]))
        .collect();
    let own = fs::read_dir("/proc/self/fd").expect("descriptors").flatten();
    let names = own.filter_map(|entry| fs::read_link(entry.path()).ok());
    names.filter(|name| sockets.contains(&*name.to_string_lossy())).count()
}

/// S0-OPT-13: there are never more connections than may be, however many wait for one.
#[test]
fn pool_max() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &each_its_own(50));
    for _ in 0..500 {
        app.ask(&raw("BLPOP").arg("q").arg(0));
    }
    app.until("fifty to block", |_| admin.figure("clients", "blocked_clients") == 50);
    let (mut most, mut answered) = (0, 0);
    while answered < 500 {
        admin.ask("RPUSH q 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
        answered += 20;
        app.until("twenty more", |app| app.listen().len() == answered);
        most = admin.count().max(most);
    }
    assert_eq!((most, app.counts().dials, app.engine.pool_stats().total), (50, 50, 50));
    assert!(app.hear_all().iter().all(|told| matches!(told, Told::Reply(Value::Array(_)))));
}

/// S0-OPT-14, S1-POOL-08: what is kept ready is there again soon after it was lost, without any request.
#[test]
fn min_idle() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let config = with_pool(each_its_own(20), |pool| pool::Config { min_idle: 10, ..pool });
    let mut app = App::new(server.addr(), &config);
    app.until("ten", |app| app.engine.pool_stats().idle == 10);
    assert_eq!(admin.kill_all(), 10);
    let start = app.now();
    app.until("ten others", |app| app.counts().dials == 20 && app.engine.pool_stats().idle == 10);
    let took = app.now().saturating_since(start);
    assert!(took < ms(1000), "{took:?}");
    assert_eq!((admin.count(), app.engine.pool_stats().stale), (10, 10));
}

/// S0-OPT-15, S0-POOL-01: a pool grows with what is asked of it, and shrinks to what is kept ready.
#[test]
fn pool_dynamic() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let config =
        with_pool(each_its_own(30), |pool| pool::Config { min_idle: 10, idle_time: ms(1000), ..pool });
    let mut app = App::new(server.addr(), &config);
    app.until("ten", |_| admin.count() == 10);
    for _ in 0..20 {
        app.ask(&raw("BLPOP").arg("q").arg(0));
    }
    app.until("twenty to block", |_| admin.figure("clients", "blocked_clients") == 20);
    let most = admin.count();
    assert!((20..=30).contains(&most), "{most}");
    for _ in 0..20 {
        admin.ask("RPUSH q v");
    }
    app.hear_all();
    let start = app.now();
    app.until("ten again", |_| admin.count() == 10);
    let took = app.now().saturating_since(start);
    assert!(took >= ms(800), "not as soon as {took:?}");
    app.run(ms(1200));
    let stats = app.engine.pool_stats();
    assert_eq!((admin.count(), stats.idle, stats.total), (10, 10, 10));
    assert_eq!(stats.closed(Reason::Idle), stats.dials - 10);
}

/// S1-POOL-09: what comes back when enough are idle is closed.
#[test]
fn max_idle() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app =
        App::new(server.addr(), &with_pool(each_its_own(5), |pool| pool::Config { max_idle: 2, ..pool }));
    let leases: Vec<_> = (0..5).map(|_| app.lease()).collect();
    assert_eq!(admin.count(), 5);
    leases.into_iter().for_each(|lease| app.release(lease));
    app.until("two", |_| admin.count() == 2);
    let stats = app.engine.pool_stats();
    assert_eq!((stats.idle, stats.total, stats.closed(Reason::Surplus)), (2, 2, 3));
}

/// S1-POOL-10, S1-ERR-02: beyond the most that may be active nobody waits.
#[test]
fn max_active() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app =
        App::new(server.addr(), &with_pool(each_its_own(5), |pool| pool::Config { max_active: 2, ..pool }));
    let (one, _two) = (app.lease(), app.lease());
    let exhausted = Refused::Pool(Refusal::Exhausted);
    assert_eq!(app.try_ask(&ping(), &OWN).unwrap_err(), exhausted);
    assert_eq!(app.wish().unwrap_err(), exhausted);
    assert_eq!((admin.count(), app.engine.pending()), (2, 0));
    app.release(one);
    assert_eq!(app.value(&ping()), status("PONG"));
}

/// S1-POOL-05, S1-POOL-07: the last one that came back goes first, so that one caller keeps one connection
/// warm; or the one that rested longest.
#[test]
fn fifo_lifo() {
    let Some(server) = redis() else { return };
    for (order, used) in [(Order::Lifo, 1), (Order::Fifo, 10)] {
        let config = with_pool(each_its_own(50), |pool| pool::Config { order, ..pool });
        let mut app = App::new(server.addr(), &config);
        let leases: Vec<_> = (0..10).map(|_| app.lease()).collect();
        leases.into_iter().for_each(|lease| app.release(lease));
        let ids: Vec<_> = (0..30).map(|_| app.client_id()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), used, "{order:?}");
        assert_eq!(ids[..10], ids[20..], "{order:?}");
        assert_eq!((app.engine.pool_stats().hits, app.counts().dials), (30, 10));
    }
}

/// S1-POOL-11: a connection that is old is replaced, and nobody notices.
#[test]
fn lifetime() {
    let Some(server) = redis() else { return };
    let config = with_pool(each_its_own(2), |pool| pool::Config { lifetime: ms(300), ..pool });
    let mut app = App::new(server.addr(), &config);
    let first = app.client_id();
    assert_eq!(app.client_id(), first);
    app.run(ms(350));
    assert_ne!(app.client_id(), first);
    assert_eq!(app.engine.pool_stats().closed(Reason::Lifetime), 1);
}

/// S0-POOL-03, S3-PERF-05: what one caller has done to a connection the next one never sees.
#[test]
fn reuse_dirty() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &each_its_own(1));
    let first = app.client_id();
    let dirt: [&[&dyn respire_core::command::AnyRequest]; 4] = [
        &[&select(3), &set("k", "in three")],
        &[&watch("k")],
        &[&multi(), &incr("n")],
        &[&watch("k"), &select(5), &multi(), &set("k", "in five")],
    ];
    for requests in dirt {
        let lease = app.lease();
        app.talk(lease, requests);
        app.release(lease);
        assert_eq!(app.client_id(), first, "it is the same one");
        let clients = admin.clients();
        let [client] = &clients[..] else { panic!("{clients:?}") };
        assert_eq!((&*client["db"], &*client["multi"]), ("0", "-1"));
        assert!(!client["flags"].contains(['x', 'd']), "{client:?}");
        // A watched key that changes would abort it.
        admin.ask("SET k changed");
        let lease = app.lease();
        let answers = app.talk(lease, &[&multi(), &ping(), &raw("EXEC")]);
        assert_eq!(answers[2], Value::Array(vec![status("PONG")]));
        app.release(lease);
    }
    assert_eq!(admin.ask("EXISTS n"), Value::Integer(0));
    // What cannot be undone ends.
    let lease = app.lease();
    app.talk(lease, &[&raw("CLIENT NO-EVICT ON")]);
    app.release(lease);
    assert_ne!(app.client_id(), first);
    app.until("the first one to end", |_| admin.count() == 1);
}

/// S0-MON-01, S1-POOL-16, S1-CLEAN-03: the pool's numbers are those that the server has.
#[test]
fn stats() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let came = |admin: &Admin| admin.figure("stats", "total_connections_received");
    let before = came(&admin);
    let config = with_pool(config(), |pool| pool::Config { min_idle: 2, ..pool });
    let mut app = App::new(server.addr(), &config);
    let balanced = |app: &mut App, what: &str| {
        app.until(what, |app| {
            let stats = app.engine.pool_stats();
            stats.dialling == 0 && stats.idle >= 2 && admin.count() == usize::from(stats.total)
        });
        let (stats, calls) = (app.engine.pool_stats(), app.engine.stats());
        assert_eq!(came(&admin) - before, stats.dials - stats.dial_errors, "{stats:?}");
        let closed: u64 = stats.closed_by.iter().sum();
        assert_eq!(stats.dials, stats.dial_errors + closed + u64::from(stats.total), "{stats:?}");
        assert_eq!(stats.total, stats.idle + stats.lent, "{stats:?}");
        assert_eq!(calls.requests, calls.answered + calls.failed, "{calls:?}");
        stats
    };
    balanced(&mut app, "the first ones");
    for n in 0..100 {
        app.ask_with(&incr("n"), if n % 10 == 0 { &OWN } else { &PLAIN });
    }
    app.hear_all();
    let busy = balanced(&mut app, "all to be answered");
    assert_eq!(admin.calls("incr"), 100);
    assert_eq!((busy.hits + busy.misses, busy.lent), (11, 1), "the shared one, and ten for themselves");
    let leases = [app.lease(), app.lease(), app.lease()];
    let lent = balanced(&mut app, "those that are lent");
    assert_eq!(lent.lent, 4);
    leases.into_iter().for_each(|lease| app.release(lease));
    balanced(&mut app, "those that came back");
    let killed = admin.kill_all() as u64;
    app.until("the loss to be known", |app| app.engine.pool_stats().closed(Reason::Lost) == killed);
    let lost = balanced(&mut app, "those that replace them");
    assert!((1..killed).contains(&lost.stale), "one was shared at least, others were idle: {lost:?}");
    assert!(app.close(LIMIT));
    let end = app.engine.pool_stats();
    assert_eq!((end.total, end.dials), (0, end.dial_errors + end.closed_by.iter().sum::<u64>()));
}
