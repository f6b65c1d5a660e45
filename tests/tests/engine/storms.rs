//! Many clients of one server that is gone: recovery must not be the next outage.

use std::time::Instant;

use respire_core::command::{get, ping};
use respire_core::engine::Config;
use respire_core::pool;
use respire_core::retry::BudgetConfig;
use respire_tests::engine::Told;
use respire_tests::proxy::{Act, At, Proxy, Script};

use crate::support::{Admin, App, LIMIT, config, ms, redis};

/// S1-ERR-05: twenty clients of a server that is away for three seconds dial no more than they may, though each wants
/// to all the time; and all of them find it again.
#[test]
fn storm() {
    let Some(server) = redis() else { return };
    const RATE: u16 = 5;
    const BURST: u16 = 3;
    let base = config();
    let config = Config {
        // Without the bucket there would be a thousand a second.
        pool: pool::Config { backoff_base: ms(1), backoff_cap: ms(1), min_idle: 2, ..base.pool },
        dials: (RATE, BURST),
        ..base
    };
    let mut apps: Vec<_> = (0..20).map(|seed| App::new(server.addr(), &Config { seed, ..config })).collect();
    for app in &mut apps {
        app.until("all connections", |app| app.engine.pool_stats().idle == 2);
    }
    let before: u64 = apps.iter().map(|app| app.counts().dials).sum();
    let start = Instant::now();
    Admin::of(&server).restart(ms(3000));
    let mut up = vec![false; apps.len()];
    while up.contains(&false) {
        assert!(start.elapsed() < LIMIT, "{up:?}");
        for (app, up) in apps.iter_mut().zip(&mut up) {
            if app.engine.pending() == 0 {
                app.ask(&ping());
            }
            app.turn(ms(1));
            let stats = app.engine.pool_stats();
            *up = stats.dial_errors > 0 && stats.idle == 2 && stats.lent == 1;
        }
    }
    let spent = start.elapsed().as_secs_f64();
    assert!(spent >= 3.0, "it was not away: {spent}");
    let dials: u64 = apps.iter().map(|app| app.counts().dials).sum::<u64>() - before;
    // One more each, for the part of a second that had begun.
    let may = apps.len() as f64 * (f64::from(BURST) + f64::from(RATE) * spent + 1.0);
    assert!((dials as f64) <= may, "{dials} dials in {spent} s, {may} may be");
    // They wanted more than there were.
    assert!(dials as f64 > may / 3.0, "{dials} dials in {spent} s, too calm to say anything");
    for app in &mut apps {
        assert!(matches!(app.call(&get("k")), Told::Reply(_)));
    }
}

/// S1-ERR-05: what is retried is a part of what is asked for, however much fails.
#[test]
fn retries_have_a_budget() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    // Every connection is lost with the first answer.
    let proxy = Proxy::new(server.addr(), Script::new().replies(At::Before(1), Act::Cut));
    let budget = BudgetConfig { percent: 20, burst: 5, floor: 0 };
    let mut app = App::new(proxy.address(), &Config { budget, ..config() });
    let before = admin.calls("get");
    for _ in 0..200 {
        app.call(&get("k"));
    }
    let executed = admin.calls("get") - before;
    let retries = app.engine.stats().retries;
    assert_eq!(executed, 200 + retries);
    assert!((20..=45).contains(&retries), "{retries}");
}
