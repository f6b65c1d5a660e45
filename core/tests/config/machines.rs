//! What each option does to the machines: which field it changes, alone, or who else goes by it.

use std::collections::BTreeMap;
use std::time::Duration;

use respire_core::config::schema::{ROWS, find};
use respire_core::config::{Capacity, Config, Profile};
use respire_core::conn::{Protocol, Settings};
use respire_core::engine::{self, Configured};
use respire_core::key::{self, Policy};
use respire_core::{bulk, conn, pool, pubsub, retry};

type Pairs = &'static [(&'static str, &'static str)];

const CORES: u16 = 4;

fn config(pairs: Pairs) -> Config<'static> {
    let mut config = Config::MANAGED;
    for (path, text) in pairs {
        config.set(path, text).unwrap_or_else(|fault| panic!("{fault}"));
    }
    config
}

fn made(config: &Config<'static>) -> Configured<'static> {
    Configured::new(config, Capacity { cores: CORES, ..Capacity::ANY }, 7)
        .unwrap_or_else(|faults| panic!("{faults}"))
}

/// Every value inside, by the names of the fields on the way to it, as its `Debug` shows it.
fn values(made: &Configured<'_>) -> BTreeMap<String, String> {
    let (mut values, mut way) = (BTreeMap::new(), Vec::new());
    // The first line and the last are the whole.
    for line in format!("{made:#?}").lines().skip(1) {
        let line = line.trim().trim_end_matches(',');
        if matches!(line, "}" | ")" | "]") {
            way.pop();
            continue;
        }
        // What has no name has a number among its neighbours.
        let count = way.last_mut().map_or(0, |(_, count)| {
            *count += 1;
            *count
        });
        let (name, value) =
            line.split_once(": ").map_or((count.to_string(), line), |(name, value)| (name.into(), value));
        let name = way.last().map_or(name.clone(), |(way, _)| format!("{way}.{name}"));
        values.insert(name.clone(), value.to_string());
        if value.ends_with(['{', '(', '[']) {
            way.push((name, 0));
        }
    }
    values
}

/// The fields that are not the same in both.
fn differences(old: &Configured<'_>, new: &Configured<'_>) -> Vec<String> {
    let (old, new) = (values(old), values(new));
    let all = old.keys().chain(new.keys());
    let mut names: Vec<_> = all.filter(|name| old.get(*name) != new.get(*name)).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// An option, another text for it than that of the managed profile, what it needs beside it, and the fields that
/// are others then.
const EFFECTS: &[(&str, &str, Pairs, &[&str])] = &[
    ("redis.topology", "cluster", &[], &["engine.databases", "keys.databases"]),
    ("redis.username", "ann", &[("redis.password", "x")], &["settings.user"]),
    ("redis.password", "secret", &[], &["settings.password"]),
    ("redis.db", "3", &[], &["settings.db", "engine.db", "engine.databases", "keys.databases"]),
    ("redis.protocol", "2", &[], &["settings.protocol"]),
    ("redis.protocol_fallback", "false", &[], &["settings.protocol"]),
    ("redis.client_name", "me", &[], &["settings.name"]),
    ("redis.key_prefix", "app:", &[], &["keys.prefix"]),
    ("redis.hash_keys", "false", &[], &["keys.hash"]),
    (
        "redis.timeout",
        "7",
        &[],
        &[
            "engine.connection.handshake_timeout",
            "engine.connection.reply_timeout",
            "engine.connection.write_timeout",
            "engine.pool.dial_timeout",
        ],
    ),
    ("redis.dial_timeout", "7", &[], &["engine.connection.handshake_timeout", "engine.pool.dial_timeout"]),
    ("redis.read_timeout", "7", &[], &["engine.connection.reply_timeout"]),
    ("redis.write_timeout", "7", &[], &["engine.connection.write_timeout"]),
    ("redis.blocking_timeout", "7", &[], &["engine.blocking"]),
    ("redis.operation_timeout", "30", &[], &["engine.timeout"]),
    ("redis.grace", "2", &[], &["engine.connection.grace"]),
    ("redis.health_check_interval", "1", &[], &["engine.pool.health_interval"]),
    ("redis.verify_every", "100", &[], &["engine.connection.verify_every"]),
    ("redis.retry_attempts", "5", &[], &["engine.retry.retries"]),
    ("redis.retry_delay", "500", &[], &["engine.retry.backoff.base", "bulk.retry_base"]),
    ("redis.max_retry_backoff", "9000", &[], &["engine.retry.backoff.cap", "bulk.retry_cap"]),
    ("retry.budget", "50", &[], &["engine.budget.percent"]),
    ("retry.reserve", "5", &[], &["engine.budget.floor"]),
    ("retry.ceiling", "read-only", &[], &["engine.retry.ceiling", "bulk.ceiling"]),
    ("breaker.status", "true", &[], &["engine.breaker"]),
    ("breaker.ratio", "70", &[("breaker.status", "true")], &["engine.breaker.1.percent"]),
    ("breaker.minimum", "7", &[("breaker.status", "true")], &["engine.breaker.1.least"]),
    ("breaker.window", "30", &[("breaker.status", "true")], &["engine.breaker.1.window"]),
    ("breaker.open", "1", &[("breaker.status", "true")], &["engine.breaker.1.open"]),
    ("breaker.probes", "255", &[("breaker.status", "true")], &["engine.breaker.1.probes"]),
    ("pool.status", "false", &[], &["engine.lanes", "engine.pool.reuse"]),
    ("pool.size", "20", &[], &["engine.pool.size"]),
    ("pool.min_idle", "3", &[], &["engine.pool.min_idle"]),
    ("pool.max_idle", "30", &[], &["engine.pool.max_idle"]),
    ("pool.max_active", "30", &[], &["engine.pool.max_active"]),
    ("pool.max_lifetime", "1h", &[], &["engine.pool.lifetime"]),
    ("pool.lifetime_jitter", "50", &[], &["engine.pool.lifetime_jitter"]),
    ("pool.max_idle_time", "0", &[], &["engine.pool.idle_time"]),
    ("pool.wait_timeout", "2", &[], &["engine.pool.wait_timeout"]),
    ("pool.fifo", "true", &[], &["engine.pool.order"]),
    ("pool.max_dials", "2", &[], &["engine.pool.max_dials"]),
    ("pool.fail_after", "9", &[], &["engine.pool.fail_after"]),
    ("bulk.status", "false", &[], &["bulk.status"]),
    ("bulk.batch_size", "10", &[], &["bulk.batch_size"]),
    ("bulk.batch_bytes", "64KiB", &[], &["bulk.batch_bytes"]),
    ("bulk.flush_interval", "none", &[], &["bulk.flush_interval"]),
    ("bulk.max_retries", "100", &[], &["bulk.max_retries"]),
    ("bulk.concurrent_flush", "false", &[], &["bulk.concurrent_flush"]),
    ("bulk.max_in_flight", "8", &[], &["bulk.max_batches"]),
    ("keys.trim", "false", &[], &["keys.normalise.trim", "keys.normalise.reject_empty"]),
    ("keys.collapse", "false", &[], &["keys.normalise.collapse"]),
    ("keys.lowercase", "true", &[], &["keys.normalise.lowercase"]),
    ("keys.max_len", "2KiB", &[], &["keys.normalise.max_len"]),
    ("limits.line", "1KiB", &[], &["engine.connection.limits.line"]),
    ("limits.bulk", "1KiB", &[], &["engine.connection.limits.bulk"]),
    ("limits.elements", "9", &[], &["engine.connection.limits.elements"]),
    ("limits.total", "9", &[], &["engine.connection.limits.total"]),
    ("limits.depth", "9", &[], &["engine.connection.limits.depth"]),
    ("limits.frame", "2GiB", &[], &["engine.connection.limits.frame"]),
    ("limits.skip", "1GiB", &[], &["engine.connection.limits.skip"]),
];

/// S0-OPT-01, S0-OPT-02, S0-OPT-03, S0-OPT-04, S0-OPT-05, S0-OPT-06, S0-OPT-07, S0-OPT-08, S0-OPT-09, S0-OPT-10,
/// S0-OPT-11, S0-OPT-12, S0-OPT-13, S0-OPT-14, S0-OPT-15, S0-OPT-16, S0-OPT-17, S0-OPT-18, S0-OPT-19, S0-OPT-20,
/// S0-OPT-21, S1-OPT-04, S1-OPT-05, S1-OPT-07, S1-OPT-09, S1-OPT-10: each option changes the fields that are said
/// here, and no other; one of the others' changes none.
#[test]
fn each_option_changes_its_own_fields() {
    // An interpreter takes its time.
    for (path, text, beside, expected) in EFFECTS.iter().step_by(if cfg!(miri) { 9 } else { 1 }) {
        let old = config(beside);
        let mut new = old;
        new.set(path, text).unwrap_or_else(|fault| panic!("{fault}"));
        let found = differences(&made(&old), &made(&new));
        let is_in = |name: &String, field: &str| {
            name.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        for name in &found {
            assert!(expected.iter().any(|field| is_in(name, field)), "{path} changes {name}");
        }
        for field in *expected {
            assert!(found.iter().any(|name| is_in(name, field)), "{path} does not change {field}: {found:?}");
        }
    }
    for (path, text) in [
        ("redis.network", "unix"),
        ("redis.addr", "db:7000"),
        ("redis.host", "db"),
        ("redis.port", "7000"),
        ("redis.admin_timeout", "7"),
        ("redis.bulk_timeout", "7"),
        ("buffers.read", "1KiB"),
        ("buffers.write", "1KiB"),
        ("tls.status", "true"),
        ("tls.ca", "ca.pem"),
        ("tls.cert", "cert.pem"),
        ("tls.key", "key.pem"),
        ("tls.server_name", "db"),
        ("store.key_prefix", "big"),
        ("store.expiration", "1h"),
        ("store.chunk_size", "1KiB"),
        ("cache.ttl", "1h"),
    ] {
        let (old, mut new) = (config(&[]), config(&[]));
        new.set(path, text).unwrap_or_else(|fault| panic!("{fault}"));
        match path {
            "redis.network" => new.set("redis.host", "/run/redis").unwrap(),
            "tls.cert" => new.set("tls.key", "key.pem").unwrap(),
            "tls.key" => new.set("tls.cert", "cert.pem").unwrap(),
            _ => {}
        }
        assert!(Configured::ELSEWHERE.iter().any(|(other, _)| *other == path), "{path}");
        assert_ne!(old.get(path), new.get(path));
        assert_eq!(made(&old), made(&new), "{path}");
    }
}

/// S0-OPT-*, S1-OPT-*: an option is made into something here, or somebody else goes by it. None is forgotten, none is
/// both, and none is listed that does not exist.
#[test]
fn no_option_is_forgotten() {
    let here = |path| EFFECTS.iter().filter(|effect| effect.0 == path).count();
    let elsewhere = |path| Configured::ELSEWHERE.iter().filter(|(other, _)| *other == path).count();
    for row in ROWS {
        assert_eq!(here(row.path) + elsewhere(row.path), 1, "{}", row.path);
    }
    for path in EFFECTS.iter().map(|effect| effect.0).chain(Configured::ELSEWHERE.iter().map(|other| other.0))
    {
        assert_eq!(find(path).map(|row| row.path), Some(path));
    }
}

/// Each field of each target is an option's, or is what the target has by itself.
#[test]
fn what_no_option_says_is_the_targets_own() {
    let Configured { engine, settings, .. } = made(&Config::URL);
    let own = engine::Config::DEFAULT;
    assert_eq!((engine.lanes, engine.dials, engine.drain), (own.lanes, own.dials, own.drain));
    assert_eq!((engine.address, engine.budget.burst), (own.address, own.budget.burst));
    let own = pool::Config::DEFAULT;
    assert_eq!((engine.pool.backoff_base, engine.pool.backoff_cap), (own.backoff_base, own.backoff_cap));
    assert_eq!(settings, Settings::NONE);
    assert_eq!(engine.pubsub, pubsub::Config::DEFAULT);
}

/// S0-OPT-06, X-03: one time for all three, and each of them by itself; none of them is for ever.
#[test]
fn one_timeout_fills_dial_read_and_write() {
    let times = |pairs| {
        let conn::Config { handshake_timeout, reply_timeout, write_timeout, .. } =
            made(&config(pairs)).engine.connection;
        (handshake_timeout, reply_timeout, write_timeout)
    };
    let secs = Duration::from_secs;
    assert_eq!(times(&[]), (secs(5), Some(secs(5)), Some(secs(5))));
    assert_eq!(times(&[("redis.timeout", "2")]), (secs(2), Some(secs(2)), Some(secs(2))));
    assert_eq!(
        times(&[("redis.timeout", "2"), ("redis.write_timeout", "3")]),
        (secs(2), Some(secs(2)), Some(secs(3)))
    );
    assert_eq!(times(&[("redis.timeout", "none")]), (Duration::MAX, None, None));
    assert_eq!(made(&config(&[("redis.timeout", "none")])).engine.pool.dial_timeout, Duration::ZERO);
    assert_eq!(times(&[("redis.dial_timeout", "-1"), ("redis.timeout", "1")]).0, Duration::MAX);
    // By itself, a request waits for a connection a second longer than for an answer.
    let wait = |pairs| made(&config(pairs)).engine.pool.wait_timeout;
    assert_eq!(wait(&[("pool.wait_timeout", "auto"), ("redis.timeout", "2")]), secs(3));
    assert_eq!(wait(&[("pool.wait_timeout", "none")]), Duration::ZERO);
}

/// S0-OPT-04, S0-OPT-05, S0-OPT-07: the managed profile makes the managed policy, that of URLs the plain one.
#[test]
fn profiles_make_policies() {
    assert_eq!(made(&Config::MANAGED).keys, Policy::MANAGED);
    let plain = made(&Config::URL).keys;
    let normalise = key::Normalise { max_len: 512 << 20, ..key::Normalise::NONE };
    assert_eq!(plain, Policy::PLAIN.with_normalise(normalise));
    let spread = made(&config(&[("redis.db", "1,3-4,9")])).keys;
    assert!(spread.databases().iter().map(|shard| shard.database).eq([1, 3, 4, 9]));
    let Configured { settings, engine, .. } = made(&Config::STORE);
    assert_eq!((settings.db, engine.db, engine.timeout), (9, 9, Some(Duration::from_secs(30))));
}

/// S1-OPT-09: version 3, and 2 if that will do; or one of them and no other.
#[test]
fn protocols() {
    for (protocol, fallback, expected) in [
        ("3", "true", None),
        ("3", "false", Some(Protocol::Resp3)),
        ("2", "true", Some(Protocol::Resp2)),
        ("2", "false", Some(Protocol::Resp2)),
    ] {
        let mut config = Config::URL;
        config.set("redis.protocol", protocol).unwrap();
        config.set("redis.protocol_fallback", fallback).unwrap();
        assert_eq!(made(&config).settings.protocol, expected);
    }
}

/// S0-OPT-13, X-22: so many connections for each core; and no more than there is room for.
#[test]
fn a_pool_goes_with_its_machine() {
    let made = |config: &'static Config<'static>, cores, connections| {
        let capacity = Capacity { cores, connections, ..Capacity::ANY };
        Configured::new(config, capacity, 0)
            .map(|made| made.engine.pool.size)
            .map_err(|faults| faults.to_string())
    };
    assert_eq!(made(&Config::URL, 3, 100), Ok(30));
    assert_eq!(made(&Config::URL, 0, 100), Ok(10));
    assert_eq!(
        made(&Config::URL, 3, 29),
        Err("pool.size = 10/core: this program was built for at most 29".into())
    );
    assert_eq!(
        made(&Config::URL, 7000, u16::MAX),
        Err("pool.size = 10/core: this program was built for at most 65535".into())
    );
    static MANY: Config<'static> =
        Config { pool: respire_core::config::Pool { min_idle: 11, ..Config::URL.pool }, ..Config::URL };
    assert_eq!(made(&MANY, 0, 100), Err("pool.min_idle = 11: must be at most pool.size = 10/core".into()));
}

/// S0-CFG-03, S1-CFG-01: nothing is bent on the way. What a machine could not take is refused: the largest value of
/// each range arrives as it is, and the next one is a fault.
#[test]
fn what_a_machine_cannot_take_is_a_fault() {
    assert_eq!(bulk::Config::MOST_BATCHES, 8);
    for (path, most, over) in [
        ("bulk.max_in_flight", "8", "9"),
        ("breaker.probes", "255", "256"),
        ("breaker.window", "1h", "3601"),
        ("redis.max_retry_backoff", "1h", "3600001"),
        ("redis.db", "0-63", "0-64"),
        ("redis.key_prefix", "{app}:", "{app:"),
    ] {
        let mut config = Config::MANAGED;
        assert_eq!(config.set(path, most), Ok(()), "{path}");
        made(&config);
        let fault = config.set(path, over).unwrap_err().to_string();
        assert!(fault.contains(": must be "), "{fault}");
    }
    let depth = respire_core::resp::Limits::MAX_DEPTH;
    let texts = [depth.to_string(), (depth + 1).to_string()];
    let mut config = Config::MANAGED;
    assert!(config.set("limits.depth", &texts[0]).is_ok() && config.set("limits.depth", &texts[1]).is_err());
    // All at once, also where somebody else put the values in.
    let wrong = Config {
        keys: respire_core::config::Keys { prefix: "{", ..Config::URL.keys },
        retry: respire_core::config::Retries { attempts: 101, ..Config::URL.retry },
        ..Config::URL
    };
    let faults = Configured::new(&wrong, Capacity::ANY, 0).unwrap_err();
    assert_eq!(
        faults.map(|fault| fault.path).collect::<Vec<_>>(),
        ["redis.key_prefix", "redis.retry_attempts"]
    );
}

/// S1-POOL-06: no retries are none at all, not ten that were saved up.
#[test]
fn no_budget_is_none() {
    let none = made(&config(&[("retry.budget", "0"), ("retry.reserve", "0")])).engine.budget;
    assert!(!retry::Budget::new(none).withdraw(respire_core::time::Instant::ZERO));
}

#[test]
fn every_profile_makes_machines() {
    for profile in Profile::ALL {
        let made = made(&profile.config());
        assert_ne!(made.engine.seed, made.bulk.seed, "{profile}");
        assert_eq!(made.engine.databases, *made.keys.databases(), "{profile}");
    }
}
