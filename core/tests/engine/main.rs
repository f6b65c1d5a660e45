//! The engine over a responder in memory: every way of a request, in virtual time.

#![cfg(all(feature = "testing", feature = "alloc"))]

mod alone;
mod barred;
mod changes;
mod chaos;
mod circuit;
mod databases;
mod execution;
mod hooks;
mod lending;
mod life;
mod live;
mod load;
mod losses;
mod meeting;
mod net;
mod news;
mod pipeline;
mod renewed;
mod requests;
mod resources;
mod review;
mod size;

use std::time::Duration;

use net::Net;
use respire_core::engine::{Config, Life, Options};
use respire_core::pool;
use respire_core::resp::Value;
use respire_core::retry::{self, Backoff};

const NONE: Options = Options::DEFAULT;

/// Short pauses, and a pool of four.
fn config() -> Config {
    let backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(100)).unwrap();
    Config {
        retry: retry::Policy { backoff, ..retry::Policy::DEFAULT },
        pool: pool::Config {
            size: 4,
            wait_timeout: Duration::from_millis(500),
            backoff_base: Duration::from_millis(10),
            backoff_cap: Duration::from_millis(100),
            health_interval: Duration::ZERO,
            idle_time: Duration::ZERO,
            ..Config::DEFAULT.pool
        },
        dials: (1000, 1000),
        ..Config::DEFAULT
    }
}

fn ready(config: &Config) -> Net {
    let mut net = Net::new(config);
    assert_eq!(net.engine.life(), Life::New);
    net.turn();
    assert_eq!(net.engine.life(), if config.lanes > 0 { Life::Ready } else { Life::New });
    net
}

fn text(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}
