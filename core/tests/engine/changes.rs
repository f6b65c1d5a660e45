//! Engines that are told anything at any time: nothing is lost, and the pool stays in order.

use respire_core::command::{AnyRequest, get, incr, select};
use respire_core::conn;
use respire_core::engine::{Config, Life, Options};
use respire_core::pool;
use respire_core::random::Random;
use respire_core::retry::{self, BreakerConfig};

use crate::live::{ms, with_pool};
use crate::net::{HEAP, Net, Told, token};
use crate::{NONE, config};

const OWN: Options = Options { own: true, ..NONE };

/// Any configuration.
fn any(random: &mut Random) -> Config {
    let mut some = |spans: &[u64]| ms(spans[random.below(spans.len() as u64) as usize]);
    let pool = pool::Config {
        idle_time: some(&[0, 20, 500]),
        lifetime: some(&[0, 0, 50, 900]),
        wait_timeout: some(&[0, 30, 500]),
        health_interval: some(&[0, 40]),
        dial_timeout: some(&[100, 5000]),
        ..config().pool
    };
    let reply = some(&[50, 400, 5000]);
    let grace = some(&[0, 50, 5000]);
    let pool = pool::Config {
        size: random.between(1, 6) as u16,
        min_idle: random.below(4) as u16,
        max_idle: random.below(4) as u16,
        max_active: if random.one_in(4) { random.between(1, 4) as u16 } else { 0 },
        reuse: !random.one_in(5),
        order: if random.one_in(2) { pool::Order::Lifo } else { pool::Order::Fifo },
        ..pool
    };
    Config {
        lanes: random.below(5) as u8,
        connection: conn::Config { reply_timeout: Some(reply), grace, ..config().connection },
        retry: retry::Policy { retries: random.below(4) as u32, ..config().retry },
        breaker: random.one_in(3).then(|| BreakerConfig {
            least: 3,
            open: ms(60),
            ..BreakerConfig::default()
        }),
        pool,
        timeout: random.one_in(3).then(|| ms(300)),
        ..config()
    }
}

/// What a pool with this configuration has, once all is quiet.
fn most(config: &Config) -> u16 {
    let active = if config.pool.max_active == 0 { u16::MAX } else { config.pool.max_active };
    config.pool.size.min(HEAP.connections as u16).min(active)
}

/// S0-CFG-04, S0-OPT-13: whatever the engine is told, and whenever: each request is told once, the pool's numbers add up, and
/// in the end there are as many connections as there may be.
#[test]
fn a_pool_stays_in_order_whatever_it_is_told() {
    let (seeds, steps) = if cfg!(miri) { (2, 20) } else { (150, 120) };
    for seed in 0..seeds {
        let random = &mut Random::new(seed);
        let mut current = any(random);
        let mut net = Net::new(&current);
        let (mut taken, mut told, mut leases) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..steps {
            let mut submit = |net: &mut Net, request: &dyn AnyRequest, options| {
                if net.engine.submit(net.now, token(n), request, options).is_ok() {
                    taken.push(n);
                }
            };
            match random.below(12) {
                0..4 => submit(&mut net, &incr("n"), &NONE),
                4 => submit(&mut net, &get("n"), &OWN),
                5 => taken.extend(net.engine.lease(net.now, token(n)).is_ok().then_some(n)),
                6 if !leases.is_empty() => {
                    let lease = leases.swap_remove(random.below(leases.len() as u64) as usize);
                    let now = net.now;
                    if let Some(connection) = net.engine.leased(lease) {
                        // Its state is put in order, or not.
                        let _ = connection.submit(now, token(1), &select(random.below(3) as i64));
                        net.turn();
                        while net.engine.leased(lease).is_some_and(|lent| lent.poll_event().is_some()) {}
                    }
                    net.engine.release(net.now, lease);
                }
                7 => net.silent = random.one_in(3),
                8 if random.one_in(4) => net.cut(),
                9 => net.down = random.one_in(4),
                10 => {
                    current = any(random);
                    net.engine.reconfigure(net.now, &current);
                }
                11 if random.one_in(3) => net.engine.renew(net.now),
                _ => net.ms(random.below(200)),
            }
            if random.one_in(2) {
                net.turn();
            }
            for now in net.told() {
                match now {
                    Told::Reply(token, _) | Told::Rejected(token, _) | Told::Failed(token, _) => {
                        told.push(token);
                    }
                    Told::Happened(..) | Told::Message(..) => panic!("nobody has subscribed"),
                    Told::Leased(token, lease) => {
                        told.push(token);
                        leases.push(lease);
                    }
                }
            }
            let stats = net.engine.pool_stats();
            let sum =
                stats.idle + stats.lent + stats.dialling + stats.resetting + stats.checking + stats.closing;
            assert_eq!(stats.total, sum, "seed {seed}, step {n}");
            assert!(usize::from(stats.total) <= HEAP.connections, "seed {seed}, step {n}");
            assert_eq!(net.engine.pending(), taken.len() - told.len(), "seed {seed}, step {n}");
        }
        // All is well again, nobody waits for ever, and everybody gives back what he has.
        (net.silent, net.down) = (false, false);
        current = with_pool(current, |pool| pool.wait_timeout = ms(500));
        net.reconfigure(&current);
        for lease in leases {
            net.engine.release(net.now, lease);
        }
        for _ in 0..3 {
            net.ms(20_000);
            for now in net.told() {
                match now {
                    Told::Reply(token, _) | Told::Rejected(token, _) | Told::Failed(token, _) => {
                        told.push(token);
                    }
                    Told::Happened(..) | Told::Message(..) => panic!("nobody has subscribed"),
                    Told::Leased(token, lease) => {
                        told.push(token);
                        net.engine.release(net.now, lease);
                    }
                }
            }
        }
        told.sort_unstable();
        assert_eq!(told, taken, "seed {seed}: {:?}", net.engine);
        let (stats, most) = (net.engine.pool_stats(), most(&current));
        let shared = u16::from(current.lanes).min((most - 1).max(1));
        let what = format!("seed {seed}: {stats:?} {current:?}");
        assert!(stats.total <= most && stats.waiting == 0, "{what}");
        assert_eq!(
            (stats.lent, usize::from(stats.total - stats.dialling)),
            (shared, net.sockets.len()),
            "{what}"
        );
        net.engine.close(net.now);
        net.turn();
        assert_eq!((net.engine.life(), net.sockets.len()), (Life::Closed, 0), "{what}");
    }
}
