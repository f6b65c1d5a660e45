//! What an engine is told when it is made.

use crate::config::{Address, Patience};
use crate::conn;
use crate::key::{Databases, Shard, Survey, Target};
use crate::pool;
use crate::pubsub;
use crate::retry::{self, BreakerConfig, BudgetConfig};
use crate::time::Duration;

/// How an engine behaves. `const`-buildable: [`Config::DEFAULT`] and what is to be different.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Config {
    /// How many connections are shared by all requests to a database: at most [`Config::LANES`] for all databases
    /// together, and one less than there may be if there may be two, as what blocks needs another, and so do subscriptions
    /// with RESP2. With none, or if there cannot be one for each database, each request has a connection of the pool for
    /// itself until it is answered.
    pub lanes: u8,
    /// The databases that requests are for; each has shared connections of its own. If it is only one, it is that which
    /// connections are [opened with](super::Engine::handle_connected), whatever its number.
    pub databases: Databases,
    /// The connections.
    pub connection: conn::Config,
    /// How many there are, and how long.
    pub pool: pool::Config,
    /// What is tried again, 255 times at most.
    pub retry: retry::Policy,
    /// How much of it.
    pub budget: BudgetConfig,
    /// Whether a server that fails is left alone.
    pub breaker: Option<BreakerConfig>,
    /// How many dials a second, and at once.
    pub dials: (u16, u16),
    /// How long a request may take in all, attempts and waiting included; `None` for as long as its attempts do.
    pub timeout: Option<Duration>,
    /// How long the answer to a request that blocks may take, on top of the time that it names itself; `Auto`: as
    /// long as any other.
    pub blocking: Patience,
    /// How long after [`close`](super::Engine::close) answers and leases are waited for; `None` for as long as they
    /// take, and what blocks without end is never over.
    pub drain: Option<Duration>,
    /// The server, as hooks are told.
    pub address: Address<'static>,
    /// The database of connections that nobody has changed, as hooks are told.
    pub db: u32,
    /// How subscriptions are asked for; less at once if a connection cannot write as much. Its seed goes with the
    /// other one.
    pub pubsub: pubsub::Config,
    /// For all that is left to chance.
    pub seed: u64,
}

impl Config {
    /// The most connections that may be shared.
    pub const LANES: u8 = 16;

    /// One shared connection, three retries of what only reads, no breaker, ten dials a second.
    pub const DEFAULT: Self = Self {
        lanes: 1,
        databases: Databases::one(0),
        connection: conn::Config::SERVER,
        pool: pool::Config { min_idle: 0, ..pool::Config::DEFAULT },
        retry: retry::Policy::DEFAULT,
        budget: BudgetConfig::DEFAULT,
        breaker: None,
        dials: (10, 20),
        timeout: None,
        blocking: Patience::Auto,
        drain: Some(Duration::from_secs(5)),
        address: Address { host: "", port: Address::DEFAULT_PORT },
        db: 0,
        pubsub: pubsub::Config::DEFAULT,
        seed: 0,
    };
}

impl Default for Config {
    /// [`Config::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How one request is treated otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// How long it may take in all: less than the engine's own, or more.
    pub timeout: Option<Duration>,
    /// What becomes of it when it is executed twice, if its caller knows better than
    /// [`Retry::of`](crate::command::Retry::of).
    pub class: Option<crate::command::Retry>,
    /// It gets a connection for itself, as requests that block always do.
    pub own: bool,
    /// Which of [`Config::databases`] it is for; `None` for the first.
    pub shard: Option<Shard>,
    /// How many keys it has, as hooks are told.
    pub keys: u32,
    /// What its caller calls it, as hooks are told.
    pub label: Option<&'static str>,
}

impl Options {
    /// As the engine's configuration says, for the first database.
    pub const DEFAULT: Self =
        Self { timeout: None, class: None, own: false, shard: None, keys: 0, label: None };

    /// As they come, for a request whose keys were looked at. One that goes to several databases is submitted once for
    /// each of them, with that as [`shard`](Self::shard).
    #[must_use]
    pub fn of(survey: &Survey) -> Self {
        let shard = match survey.target() {
            Target::One(shard) => Some(shard),
            _ => None,
        };
        Self { shard, keys: u32::try_from(survey.keys()).unwrap_or(u32::MAX), ..Self::default() }
    }
}
