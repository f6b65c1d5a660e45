//! Defaults are what was promised: each profile against a list that is written out here.

use std::time::Duration;

use respire_core::config::schema::{Kind, ROWS, Value};
use respire_core::config::{Config, Operation, Patience, Profile, Size};

fn shown(profile: Profile, path: &str) -> String {
    profile.config().get(path).unwrap_or_else(|| panic!("{path}")).to_string()
}

/// S0-OPT-01, S0-OPT-02, S0-OPT-03, S0-OPT-04, S0-OPT-05, S0-OPT-06, S0-OPT-07, S0-OPT-08, S0-OPT-09, S0-OPT-10,
/// S0-OPT-11, S0-OPT-12, S0-OPT-13, S0-OPT-14, S0-OPT-15, S0-OPT-16, S0-OPT-17, S0-OPT-18, S0-OPT-19, S0-OPT-20,
/// S0-OPT-21: each default of the managed profile, with its unit.
#[test]
fn managed() {
    for (path, text) in [
        ("redis.host", "localhost"),
        ("redis.port", "6379"),
        ("redis.password", ""),
        ("redis.db", "0-5"),
        ("redis.key_prefix", ""),
        ("redis.timeout", "5s"),
        ("redis.hash_keys", "true"),
        ("redis.health_check_interval", "30s"),
        ("redis.retry_attempts", "3"),
        ("redis.retry_delay", "1000ms"),
        ("redis.max_retry_backoff", "5000ms"),
        ("pool.status", "true"),
        ("pool.size", "50"),
        ("pool.min_idle", "10"),
        ("pool.max_idle_time", "300s"),
        ("pool.wait_timeout", "30s"),
        ("bulk.status", "true"),
        ("bulk.batch_size", "1000"),
        ("bulk.flush_interval", "5s"),
        ("bulk.max_retries", "3"),
        ("bulk.concurrent_flush", "true"),
        // S0-KEY-02: spaces and colons are normalised, case is kept.
        ("keys.trim", "true"),
        ("keys.collapse", "true"),
        ("keys.lowercase", "false"),
        ("keys.max_len", "1KiB"),
    ] {
        assert_eq!(shown(Profile::Managed, path), text, "{path}");
    }
}

/// S1-OPT-01, S1-OPT-02, S1-OPT-04, S1-OPT-05, S1-OPT-07, S1-OPT-09, S1-OPT-10, S1-POOL-02, S1-POOL-07,
/// S1-POOL-08, S1-POOL-09, S1-POOL-10, S1-POOL-11, S1-POOL-12, S1-CONN-06, S1-ERR-08: each default of a URL.
#[test]
fn url() {
    for (path, text) in [
        ("redis.network", "tcp"),
        ("redis.addr", "localhost:6379"),
        ("redis.username", ""),
        ("redis.password", ""),
        ("redis.db", "0"),
        ("redis.protocol", "3"),
        ("redis.protocol_fallback", "true"),
        ("redis.client_name", ""),
        ("redis.hash_keys", "false"),
        ("redis.health_check_interval", "none"),
        ("pool_size", "10/core"),
        ("pool_fifo", "false"),
        ("min_idle_conns", "0"),
        ("max_idle_conns", "0"),
        ("max_active_conns", "0"),
        ("conn_max_lifetime", "none"),
        ("conn_max_idle_time", "1800s"),
        ("pool_timeout", "auto"),
        ("write_buffer_size", "32KiB"),
        ("breaker.status", "false"),
        ("breaker.ratio", "50%"),
        ("breaker.minimum", "20"),
        ("breaker.window", "10s"),
        ("breaker.open", "5s"),
        ("retry.budget", "20%"),
        ("keys.trim", "false"),
        ("keys.collapse", "false"),
    ] {
        assert_eq!(shown(Profile::Url, path), text, "{path}");
    }
    let five = Some(Duration::from_secs(5));
    let times = Config::URL.timeouts;
    assert_eq!([times.dial(), times.read(), times.write()], [five; 3]);
    assert_eq!(Config::URL.wait_timeout(), Some(Duration::from_secs(6)));
    assert_eq!(Config::URL.pool.size.on(8), 80);
    assert_eq!(Config::default(), Config::URL);
}

/// S2-OPT-01, S2-OPT-02, S2-OPT-03, S2-OPT-04, S2-OPT-05, S2-OPT-06: each default of the store.
#[test]
fn store() {
    for (path, text) in [
        ("redis.addr", "localhost:6379"),
        ("redis.db", "9"),
        ("redis.operation_timeout", "30s"),
        ("store.key_prefix", "hybridbuffer"),
        ("store.expiration", "86400s"),
        ("store.chunk_size", "64KiB"),
    ] {
        assert_eq!(shown(Profile::Store, path), text, "{path}");
    }
}

/// S4-CLI-01: the cache starts in database 0 with no prefix and no time to live, and its keys can be read.
#[test]
fn cache() {
    for (path, text) in [
        ("redis.addr", "localhost:6379"),
        ("redis.db", "0"),
        ("redis.key_prefix", ""),
        ("redis.hash_keys", "false"),
        ("cache.ttl", "none"),
    ] {
        assert_eq!(shown(Profile::Cache, path), text, "{path}");
    }
}

/// one time fills three, unless one of them is given; and none of them is for ever.
#[test]
fn one_timeout_fills_those_that_are_not_given() {
    let mut config = Config::MANAGED;
    config.set("redis.read_timeout", "3").unwrap();
    config.set("redis.timeout", "7").unwrap();
    config.set("redis.write_timeout", "-1").unwrap();
    let times = config.timeouts;
    let seconds = |n| Some(Duration::from_secs(n));
    assert_eq!([times.dial(), times.read(), times.write()], [seconds(7), seconds(3), None]);
}

/// S1-BP-03: what blocks, what administers and what comes in batches may have times of their own.
#[test]
fn a_sort_of_operation_may_have_its_own_time() {
    let mut config = Config::URL;
    config.set("redis.read_timeout", "3s").unwrap();
    config.set("redis.admin_timeout", "1m").unwrap();
    config.set("redis.blocking_timeout", "500ms").unwrap();
    let answer = |operation| config.timeouts.answer(operation).map(|time| time.as_millis());
    assert_eq!(answer(Operation::Plain), Some(3000));
    assert_eq!(answer(Operation::Bulk), Some(3000));
    assert_eq!(answer(Operation::Admin), Some(60_000));
    assert_eq!(answer(Operation::Blocking), Some(500));
}

#[test]
fn waiting_for_a_connection_goes_with_the_read_timeout() {
    let mut config = Config::URL;
    config.set("read_timeout", "none").unwrap();
    assert_eq!(config.wait_timeout(), Some(Duration::from_secs(30)));
    config.set("pool_timeout", "none").unwrap();
    assert_eq!(config.wait_timeout(), None);
    config.set("pool_timeout", "250ms").unwrap();
    assert_eq!(config.wait_timeout(), Some(Duration::from_millis(250)));
}

/// S1-BP-02: nothing is without a limit by default, except where the documentation of the option says what
/// "none" means there.
#[test]
fn what_has_no_limit_says_so() {
    for profile in Profile::ALL {
        for row in ROWS {
            let unlimited = match (row.kind, row.default(profile).value) {
                (Kind::Span { .. }, Value::Span(span)) => span == Patience::Never,
                (Kind::Count { .. } | Kind::Bytes { .. }, Value::Count(count)) => count == 0,
                _ => false,
            };
            if unlimited && row.path != "pool.min_idle" {
                let doc = row.doc();
                assert!(doc.contains("none: ") || doc.contains("0: "), "{}: {doc}", row.path);
            }
        }
        // What waits, ends.
        let config = profile.config();
        let times = config.timeouts;
        assert!(
            [times.dial(), times.read(), times.write(), config.wait_timeout()].iter().all(Option::is_some)
        );
        assert_ne!(config.pool.size, Size::Fixed(u16::MAX));
    }
}

#[test]
fn every_profile_is_valid_on_any_machine() {
    use respire_core::config::Capacity;
    for profile in Profile::ALL {
        for cores in [0, 1, 8, 1000] {
            let config = profile.config();
            let verdict = config.validate_for(Capacity { cores, ..Capacity::ANY });
            assert!(verdict.is_ok(), "{profile}: {verdict:?}");
        }
    }
}
