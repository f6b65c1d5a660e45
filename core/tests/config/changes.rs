//! What a change takes.

use respire_core::config::Config;
use respire_core::config::schema::{Class, ROWS};

fn changed(pairs: &[(&'static str, &'static str)]) -> Vec<(&'static str, Class)> {
    let old = Config::MANAGED;
    let mut new = old;
    for (path, text) in pairs {
        new.set(path, text).unwrap_or_else(|fault| panic!("{fault}"));
    }
    old.differences(&new).map(|difference| (difference.row().path, difference.class())).collect()
}

/// S0-CFG-04, S1-CFG-02: timeouts, retries and batches are live, the way to the server drains, keys are fixed.
#[test]
fn differences_say_what_they_take() {
    assert_eq!(changed(&[]), []);
    assert_eq!(
        changed(&[
            ("bulk.batch_size", "500"),
            ("redis.password", "new"),
            ("redis.retry_attempts", "5"),
            ("redis.protocol", "2"),
            ("redis.read_timeout", "2s"),
            ("redis.addr", "elsewhere:7000"),
            ("redis.hash_keys", "false"),
        ]),
        [
            ("redis.host", Class::Drain),
            ("redis.port", Class::Drain),
            ("redis.password", Class::Drain),
            ("redis.protocol", Class::Drain),
            ("redis.hash_keys", Class::Fixed),
            ("redis.read_timeout", Class::Live),
            ("redis.retry_attempts", Class::Live),
            ("bulk.batch_size", Class::Live),
        ]
    );
}

/// S0-CFG-04: a pool that grows closes nothing; one that shrinks, or is measured in another way, does.
#[test]
fn a_pool_grows_live() {
    assert_eq!(changed(&[("pool.size", "51")]), [("pool.size", Class::Live)]);
    assert_eq!(changed(&[("pool.size", "49")]), [("pool.size", Class::Drain)]);
    assert_eq!(changed(&[("pool.size", "60/core")]), [("pool.size", Class::Drain)]);
}

#[test]
fn the_same_said_otherwise_is_no_difference() {
    assert_eq!(
        changed(&[("redis.db", "0,1,2,3,4,5"), ("redis.timeout", "5000ms"), ("pool.status", "on")]),
        []
    );
}

#[test]
fn a_difference_has_both_values() {
    let old = Config::MANAGED;
    let mut new = old;
    new.set("redis.retry_delay", "2s").unwrap();
    let difference = old.differences(&new).next().unwrap();
    assert_eq!(format!("{} -> {}", difference.old, difference.new), "1000ms -> 2000ms");
}

/// S0-CFG-04: every option has a class; the table is what documentation is made from.
#[test]
fn every_class_is_in_use() {
    for class in [Class::Live, Class::Drain, Class::Fixed] {
        assert!(ROWS.iter().any(|row| row.class == class));
    }
}
