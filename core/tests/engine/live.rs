//! Engines that are told otherwise while they run: each field, and from when on.

use std::num::NonZeroU32;
use std::time::Duration;

use respire_core::command::{get, incr, raw, set};
use respire_core::config::Patience;
use respire_core::conn::{self, Failure};
use respire_core::engine::{Config, Life, Options, Refused};
use respire_core::pool;
use respire_core::resp::{Limits, Value};
use respire_core::retry::{self, BreakerConfig, BudgetConfig};

use crate::net::{Net, Told, token};
use crate::{NONE, config, ready, text};

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// No retries: what fails is told at once.
pub(crate) fn once() -> Config {
    Config { retry: retry::Policy { retries: 0, ..config().retry }, ..config() }
}

fn with_times(config: Config, reply: u64, grace: u64) -> Config {
    let connection = conn::Config { reply_timeout: Some(ms(reply)), grace: ms(grace), ..config.connection };
    Config { connection, ..config }
}

pub(crate) fn with_pool(config: Config, change: impl FnOnce(&mut pool::Config)) -> Config {
    let mut pool = config.pool;
    change(&mut pool);
    Config { pool, ..config }
}

impl Net {
    pub(crate) fn reconfigure(&mut self, config: &Config) {
        self.engine.reconfigure(self.now, config);
        self.turn();
    }

    fn failures(&mut self) -> Vec<(u64, Failure)> {
        let told = self.told().into_iter();
        told.filter_map(|told| match told {
            Told::Failed(token, failed) => Some((token, failed.failure)),
            _ => None,
        })
        .collect()
    }
}

/// S0-CFG-04, S1-CFG-02: times hold for what is sent from then on, on connections that were there before.
#[test]
fn times_are_live() {
    let mut net = ready(&with_times(once(), 2000, 1000));
    net.silent = true;
    net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
    net.reconfigure(&with_times(once(), 100, 5000));
    net.engine.submit(net.now, token(2), &get("k"), &NONE).unwrap();
    net.ms(99);
    assert_eq!(net.failures(), []);
    net.ms(1);
    assert_eq!(net.failures(), [(2, Failure::TimedOut)]);
    net.ms(1900);
    assert_eq!(net.failures(), [(1, Failure::TimedOut)], "as it was sent");
    net.ms(4999);
    assert_eq!(net.sockets.len(), 1, "the new grace");
    // For all of it together.
    net.silent = false;
    net.turn();
    net.silent = true;
    net.reconfigure(&Config { timeout: Some(ms(20)), ..config() });
    net.engine.submit(net.now, token(3), &get("k"), &NONE).unwrap();
    net.ms(20);
    assert_eq!(net.failures(), [(3, Failure::TimedOut)]);
}

/// S1-OPT-07: what blocks has a patience of its own beside the time that it names, and the usual one if there is none;
/// without end, it has none.
#[test]
fn what_blocks_has_its_own_patience() {
    let blocking = |blocking| Config { blocking, ..with_times(once(), 300, 100) };
    let block = |net: &mut Net, seconds: i64| {
        net.engine.submit(net.now, token(1), &raw("BLPOP").arg("q").arg(seconds), &NONE).unwrap();
        net.turn();
    };
    let mut net = ready(&blocking(Patience::Auto));
    for (patience, after) in [
        (Patience::Auto, Some(2300)),
        (Patience::For(ms(50)), Some(2050)),
        (Patience::For(ms(900)), Some(2900)),
        (Patience::Never, None),
    ] {
        net.reconfigure(&blocking(patience));
        block(&mut net, 2);
        net.ms(after.unwrap_or(1_000_000) - 1);
        assert_eq!(net.failures(), [], "{patience:?}");
        net.ms(1);
        assert_eq!(net.failures().len(), usize::from(after.is_some()), "{patience:?}");
    }
    net.reconfigure(&blocking(Patience::For(ms(50))));
    block(&mut net, 0);
    net.ms(1_000_000);
    assert_eq!(net.failures(), []);
    // Its caller knows better.
    let options = Options { timeout: Some(ms(20)), ..NONE };
    net.engine.submit(net.now, token(2), &raw("BLPOP").arg("q").arg(9), &options).unwrap();
    net.ms(20);
    assert_eq!(net.failures().len(), 1);
}

/// S1-CFG-02: limits are for connections that are opened from then on; the proofs that answers are in step begin at once.
#[test]
fn limits_wait_for_another_connection() {
    let mut net = ready(&config());
    net.engine.submit(net.now, token(1), &set("k", "a long value"), &NONE).unwrap();
    let limits = Limits { bulk: 4, ..config().connection.limits };
    let connection = conn::Config { limits, verify_every: NonZeroU32::new(1), ..config().connection };
    net.reconfigure(&Config { connection, ..config() });
    let before = net.server.commands_received();
    net.engine.submit(net.now, token(2), &get("k"), &NONE).unwrap();
    net.turn();
    assert_eq!(net.told().last(), Some(&Told::Reply(2, text("a long value"))));
    assert_eq!(net.server.commands_received() - before, 2, "GET and ECHO");
    net.reconfigure(&Config { connection: conn::Config { limits, ..config().connection }, ..config() });
    net.cut();
    net.ms(1000);
    net.engine.submit(net.now, token(3), &get("k"), &NONE).unwrap();
    net.turn();
    assert_eq!(net.failures(), [(3, Failure::TooLarge)]);
}

/// S0-CFG-04, S0-OPT-09, S0-OPT-10: what fails from then on goes again as often, and as much, as it may then.
#[test]
fn retries_are_live() {
    let spare = |config| with_pool(config, |pool| pool.min_idle = 3);
    let mut net = ready(&spare(once()));
    let attempts = |net: &mut Net, config: &Config| {
        net.reconfigure(&spare(*config));
        net.silent = true;
        net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
        net.turn();
        let before = net.engine.stats().retries;
        // Whoever has an answer is lost with it.
        while let Some(&(id, client)) =
            net.sockets.values().find(|(_, client)| net.server.output(*client) == b"_\r\n")
        {
            net.sockets.remove(&id.index());
            net.server.disconnect(client);
            net.engine.handle_transport_error(id);
            net.ms(300);
        }
        net.silent = false;
        net.ms(1000);
        assert_eq!(net.failures().len(), 1);
        net.engine.stats().retries - before
    };
    assert_eq!(attempts(&mut net, &once()), 0);
    let retries = |retries| Config { retry: retry::Policy { retries, ..config().retry }, ..config() };
    assert_eq!(attempts(&mut net, &retries(3)), 3);
    assert_eq!(attempts(&mut net, &retries(2)), 2);
    let budget = BudgetConfig { percent: 0, burst: 0, floor: 0 };
    assert_eq!(attempts(&mut net, &Config { budget, ..retries(3) }), 0);
}

/// S0-CFG-04, S1-ERR-08: a breaker is put in, opens, is taken out again.
#[test]
fn a_breaker_is_live() {
    let breaker = BreakerConfig { least: 2, open: Duration::from_secs(60), ..BreakerConfig::default() };
    let mut net = ready(&once());
    let lose = |net: &mut Net| {
        net.silent = true;
        let taken = net.engine.submit(net.now, token(1), &incr("n"), &NONE);
        net.turn();
        net.cut();
        net.silent = false;
        net.ms(300);
        taken.map(|_| ())
    };
    for _ in 0..3 {
        assert_eq!(lose(&mut net), Ok(()));
    }
    net.reconfigure(&Config { breaker: Some(breaker), ..once() });
    for _ in 0..2 {
        assert_eq!(lose(&mut net), Ok(()), "what was before was not counted");
    }
    assert!(matches!(lose(&mut net), Err(Refused::Circuit(open)) if open.retry_in > ms(50_000)));
    // It is open for no longer than it would be now.
    net.reconfigure(&Config { breaker: Some(BreakerConfig { open: ms(100), ..breaker }), ..once() });
    assert!(matches!(lose(&mut net), Err(Refused::Circuit(open)) if open.retry_in <= ms(100)));
    assert_eq!(lose(&mut net), Ok(()), "a probe, and it fails");
    net.reconfigure(&once());
    for _ in 0..3 {
        assert_eq!(lose(&mut net), Ok(()));
    }
}

/// S0-CFG-04: dials that were not allowed begin as soon as they are.
#[test]
fn dials_are_live() {
    let mut net = Net::new(&Config { dials: (0, 0), ..config() });
    net.engine.submit(net.now, token(1), &incr("n"), &NONE).unwrap();
    net.ms(300);
    assert_eq!((net.dials, net.told()), (0, vec![]));
    net.reconfigure(&config());
    net.ms(1);
    assert_eq!((net.dials, net.told()), (1, vec![Told::Reply(1, Value::Integer(1))]));
}

/// S0-CFG-04: the pool shrinks from four to two while all of it is in use, and nothing fails for it; and grows again
/// for those who wait.
#[test]
fn a_pool_shrinks_and_grows_under_load() {
    let four = with_pool(Config { lanes: 0, ..config() }, |pool| pool.min_idle = 4);
    let two = with_pool(four, |pool| (pool.size, pool.min_idle) = (2, 0));
    let mut net = Net::new(&four);
    net.turn();
    net.silent = true;
    for n in 0..12 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.turn();
    assert_eq!((net.sockets.len(), net.engine.pool_stats().waiting), (4, 8));
    net.reconfigure(&two);
    assert_eq!(net.sockets.len(), 4, "they are in use");
    net.silent = false;
    net.turn();
    assert_eq!((net.told().len(), net.sockets.len()), (12, 2));
    net.silent = true;
    for n in 0..4 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.turn();
    assert_eq!(net.engine.pool_stats().waiting, 2);
    net.reconfigure(&four);
    assert_eq!((net.sockets.len(), net.engine.pool_stats().dialling), (4, 2));
    // A size beyond the memory is as much as there is.
    net.reconfigure(&with_pool(four, |pool| pool.size = 999));
    for n in 4..9 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.turn();
    assert_eq!((net.sockets.len(), net.engine.pool_stats().waiting), (4, 7));
    net.silent = false;
    net.turn();
    assert_eq!(net.told().len(), 9);
}

/// S0-OPT-08, S0-OPT-14, S0-OPT-15, S0-OPT-16: how many are kept, for how long, and how long one waits.
#[test]
fn times_of_the_pool_are_live() {
    let mut net = ready(&config());
    net.reconfigure(&with_pool(config(), |pool| pool.min_idle = 3));
    assert_eq!(net.engine.pool_stats().idle, 3);
    net.reconfigure(&with_pool(config(), |pool| pool.idle_time = ms(1000)));
    net.ms(999);
    assert_eq!(net.engine.pool_stats().idle, 3);
    net.ms(1);
    assert_eq!((net.engine.pool_stats().idle, net.sockets.len()), (0, 1), "the shared one stays");
    // Who waits already goes by the new patience.
    net.reconfigure(&with_pool(once(), |pool| pool.size = 2));
    net.engine.submit(net.now, token(1), &raw("BLPOP").arg("q").arg(0), &NONE).unwrap();
    net.engine.submit(net.now, token(2), &raw("BLPOP").arg("q").arg(0), &NONE).unwrap();
    net.ms(100);
    net.reconfigure(&with_pool(once(), |pool| (pool.size, pool.wait_timeout) = (2, ms(200))));
    net.ms(99);
    assert_eq!(net.failures(), []);
    net.ms(1);
    assert_eq!(net.failures(), [(2, Failure::NotSent)]);
    let before = net.server.commands_received();
    net.reconfigure(&with_pool(config(), |pool| (pool.min_idle, pool.health_interval) = (1, ms(50))));
    net.ms(200);
    assert!(net.server.commands_received() > before, "they are asked whether they live");
}

/// S0-OPT-12: more shared connections, fewer, and none: nothing is lost on the way.
#[test]
fn shared_connections_come_and_go() {
    let lanes = |lanes| Config { lanes, ..once() };
    let mut net = ready(&lanes(1));
    net.reconfigure(&lanes(3));
    assert_eq!((net.sockets.len(), net.engine.pool_stats().lent), (3, 3));
    net.silent = true;
    for n in 0..6 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.turn();
    net.reconfigure(&lanes(1));
    assert_eq!(net.engine.pool_stats().lent, 3, "answers are to come");
    for n in 6..8 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.silent = false;
    net.turn();
    assert_eq!((net.told().len(), net.engine.pool_stats().lent, net.engine.pool_stats().idle), (8, 1, 2));
    // None at all: what waits for it gets one of its own, and so does what comes.
    net.silent = true;
    for n in 0..18 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.turn();
    net.reconfigure(&lanes(0));
    assert_eq!(net.engine.pool_stats().lent, 3);
    net.engine.submit(net.now, token(18), &incr("n"), &NONE).unwrap();
    net.silent = false;
    net.turn();
    assert_eq!((net.told().len(), net.engine.pool_stats().lent), (19, 0));
    net.reconfigure(&lanes(2));
    net.engine.submit(net.now, token(1), &get("n"), &NONE).unwrap();
    net.turn();
    assert_eq!((net.told(), net.engine.pool_stats().lent), (vec![Told::Reply(1, text("27"))], 2));
}

/// S0-OPT-12: what rests when there are no shared connections any more goes over one of its own; a shared one
/// that was asked for and is not wanted any more is not kept.
#[test]
fn what_rests_needs_no_shared_connection() {
    let mut net = ready(&config());
    net.silent = true;
    net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
    net.turn();
    net.cut();
    net.reconfigure(&Config { lanes: 0, ..config() });
    net.silent = false;
    net.ms(1000);
    assert_eq!((net.told(), net.engine.pool_stats().lent), (vec![Told::Reply(1, Value::Null)], 0));

    let mut net = Net::new(&Config { lanes: 3, dials: (0, 0), ..config() });
    net.turn();
    assert_eq!(net.engine.pool_stats().waiting, 3);
    net.reconfigure(&config());
    net.ms(1000);
    let stats = net.engine.pool_stats();
    assert_eq!((stats.lent, stats.waiting), (1, 0), "{stats:?}");
    // The same where the pool refuses it.
    let mut net = Net::new(&with_pool(Config { lanes: 3, ..config() }, |pool| pool.wait_timeout = ms(50)));
    net.down = true;
    net.turn();
    net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
    net.reconfigure(&config());
    net.ms(1000);
    net.down = false;
    net.ms(1000);
    assert_eq!(net.engine.pool_stats().lent, 1);
}

/// S1-CLEAN-01: an engine that was closed has the end that it had, whatever it is told then.
#[test]
fn a_closed_engine_ends() {
    let mut net = ready(&Config { drain: Some(ms(200)), lanes: 2, ..config() });
    net.reconfigure(&Config { drain: Some(ms(300)), lanes: 2, ..config() });
    net.silent = true;
    for n in 0..3 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.turn();
    net.engine.close(net.now);
    net.reconfigure(&Config { drain: None, lanes: 0, ..config() });
    net.ms(299);
    assert_eq!((net.engine.life(), net.sockets.len()), (Life::Draining, 2));
    net.ms(1);
    assert_eq!((net.told().len(), net.engine.life(), net.sockets.len()), (3, Life::Closed, 0));
    net.reconfigure(&config());
    net.ms(1000);
    assert_eq!((net.engine.life(), net.sockets.len()), (Life::Closed, 0));
}
