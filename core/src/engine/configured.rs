//! One configuration for every machine.

use super::Config;
use crate::bulk;
use crate::config::{self, Capacity, Faults};
use crate::conn::{self, Protocol, Settings};
use crate::key::{Databases, HashKey, Normalise, Policy};
use crate::pool::{self, Order};
use crate::random::Random;
use crate::retry::{self, Backoff, BreakerConfig, BudgetConfig};
use crate::time::Duration;

/// What each machine is told, made from one [`config::Config`]. Plain values: what no option says can be changed in
/// them before a machine is made.
///
/// ```
/// use respire_core::config::{Capacity, Config};
/// use respire_core::engine::Configured;
///
/// let mut config = Config::MANAGED;
/// config.set("redis.timeout", "2s")?;
/// config.set("pool.size", "12")?;
/// // For a program whose pool has 16 slots, and whose batches have a thousand.
/// let capacity = Capacity { cores: 4, connections: 16, items: 1000 };
/// let made = Configured::new(&config, capacity, 7).unwrap();
/// assert_eq!(made.engine.connection.reply_timeout.unwrap().as_secs(), 2);
/// assert_eq!((made.engine.pool.size, made.settings.db, made.keys.databases().count()), (12, 0, 6));
/// # Ok::<(), respire_core::config::Fault<'static>>(())
/// ```
///
/// What a change takes while a client runs is the [class](crate::config::schema::Class) of its option:
///
/// - **live**: [`Engine::reconfigure`](super::Engine::reconfigure) and [`Bulk::set_config`](bulk::Bulk::set_config) with
///   what this makes of the new options; for keys, the new policy.
/// - **drain**: the same, and new [`settings`](Self::settings) for connections that are opened from then on;
///   [`Engine::renew`](super::Engine::renew) replaces those that are open.
/// - **fixed**: a new client, for the data would be elsewhere, or be called otherwise.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Configured<'a> {
    /// For the engine, with its databases, connections, pool, retries, budget, breaker and subscriptions. Its
    /// [`address`](Config::address) must live as long as the program, so it is empty here.
    pub engine: Config,
    /// For the handshake of each connection, with the first of the databases: the engine itself selects the others.
    pub settings: Settings<'a>,
    /// For keys.
    pub keys: Policy<'a>,
    /// For batches.
    pub bulk: bulk::Config,
}

impl<'a> Configured<'a> {
    /// All of it, for a program that was built for so much. The seed decides about all that is left to chance.
    ///
    /// # Errors
    /// All that is wrong with the configuration: no machine has to bend what it is told here. Without a number
    /// of cores there is one.
    pub fn new<'c>(
        config: &'c config::Config<'a>,
        capacity: Capacity,
        seed: u64,
    ) -> Result<Self, Faults<'c>> {
        let capacity = Capacity { cores: capacity.cores.max(1), ..capacity };
        config.validate_for(capacity)?;
        let mut random = Random::new(seed);
        let (settings, keys) = (Settings::from(config), keys(config));
        let engine = Config {
            db: settings.db,
            databases: *keys.databases(),
            ..engine(config, capacity.cores, random.bits())
        };
        Ok(Self { engine, settings, keys, bulk: bulk(config, random.bits()) })
    }

    /// The options that no machine of this crate is told of, and who goes by each. All others are in
    /// [`new`](Self::new).
    pub const ELSEWHERE: &'static [(&'static str, User)] = &[
        ("redis.network", User::Dialler),
        ("redis.addr", User::Dialler),
        ("redis.host", User::Dialler),
        ("redis.port", User::Dialler),
        ("redis.admin_timeout", User::Caller),
        ("redis.bulk_timeout", User::Caller),
        ("buffers.read", User::Memory),
        ("buffers.write", User::Memory),
        ("tls.status", User::Tls),
        ("tls.ca", User::Tls),
        ("tls.cert", User::Tls),
        ("tls.key", User::Tls),
        ("tls.server_name", User::Tls),
        ("store.key_prefix", User::Store),
        ("store.expiration", User::Store),
        ("store.chunk_size", User::Store),
        ("cache.ttl", User::Cache),
    ];
}

/// Who goes by an option that no machine is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum User {
    /// Who opens sockets, and tells hooks the [address](Config::address).
    Dialler,
    /// Who submits a request, or sends a batch, and says how long it may take:
    /// [`Timeouts::answer`](config::Timeouts::answer).
    Caller,
    /// Who makes the [memory](super::Memory) of connections.
    Memory,
    /// Whatever stands between a connection and its socket.
    Tls,
    /// The store of large values.
    Store,
    /// The cache.
    Cache,
}

impl From<&config::Config<'_>> for conn::Config {
    fn from(config: &config::Config<'_>) -> Self {
        let config::Config { timeouts, session, limits, .. } = config;
        Self {
            limits: *limits,
            handshake_timeout: timeouts.dial().unwrap_or(Duration::MAX),
            reply_timeout: timeouts.read(),
            write_timeout: timeouts.write(),
            grace: timeouts.grace,
            verify_every: session.verify_every,
        }
    }
}

impl<'a> From<&config::Config<'a>> for Settings<'a> {
    /// With the first of the databases.
    fn from(config: &config::Config<'a>) -> Self {
        let config::Config { auth, session, .. } = config;
        Self {
            protocol: match (session.protocol, session.protocol_fallback) {
                (Protocol::Resp3, true) => None,
                (protocol, _) => Some(protocol),
            },
            user: auth.username,
            password: auth.password.get(),
            db: config.databases().nth(0).unwrap_or_default().into(),
            name: session.client_name,
            ..Self::NONE
        }
    }
}

fn engine(config: &config::Config<'_>, cores: u16, seed: u64) -> Config {
    Config {
        // Without a pool each request has a connection, which is closed behind it.
        lanes: if config.pool.status { Config::DEFAULT.lanes } else { 0 },
        connection: config.into(),
        pool: pool(config, cores),
        retry: retry::Policy {
            retries: config.retry.attempts.into(),
            // It is valid: the cap is no shorter than the base.
            backoff: Backoff::new(config.retry.delay, config.retry.max_backoff).unwrap_or_default(),
            ceiling: config.retry.ceiling,
        },
        budget: BudgetConfig {
            percent: config.retry.budget,
            // Who wants no retries has none saved up either.
            burst: if config.retry.budget == 0 { 0 } else { BudgetConfig::DEFAULT.burst },
            floor: config.retry.reserve,
        },
        breaker: config.breaker.status.then(|| breaker(&config.breaker)),
        timeout: config.timeouts.operation,
        blocking: config.timeouts.blocking,
        seed,
        ..Config::DEFAULT
    }
}

fn pool(config: &config::Config<'_>, cores: u16) -> pool::Config {
    let config::Config { pool, session, timeouts, .. } = config;
    // For a pool, zero is for ever and as many as there are.
    let span = |span: Option<Duration>| span.unwrap_or(Duration::ZERO);
    let most = |most: Option<core::num::NonZeroU16>| most.map_or(0, core::num::NonZeroU16::get);
    pool::Config {
        size: pool.size.on(cores),
        min_idle: pool.min_idle,
        max_idle: most(pool.max_idle),
        max_active: most(pool.max_active),
        reuse: pool.status,
        order: if pool.fifo { Order::Fifo } else { Order::Lifo },
        lifetime: span(pool.max_lifetime),
        lifetime_jitter: pool.lifetime_jitter,
        idle_time: span(pool.max_idle_time),
        wait_timeout: span(config.wait_timeout()),
        health_interval: span(session.health_check_interval),
        // Once for the socket, and again for the handshake.
        dial_timeout: span(timeouts.dial()).saturating_mul(2),
        max_dials: most(pool.max_dials),
        fail_after: pool.fail_after,
        ..pool::Config::DEFAULT
    }
}

fn breaker(config: &config::Breaker) -> BreakerConfig {
    let &config::Breaker { ratio, minimum, window, open, probes, .. } = config;
    BreakerConfig { percent: ratio, least: minimum, window, open, probes }
}

fn keys<'a>(config: &config::Config<'a>) -> Policy<'a> {
    let config::Config { keys, .. } = config;
    let normalise = Normalise {
        trim: keys.trim,
        collapse: keys.collapse,
        lowercase: keys.lowercase,
        // A key of which nothing is left is a mistake; one that was empty is the caller's wish.
        reject_empty: keys.trim,
        max_len: keys.max_len as usize,
    };
    let ranges = config.databases().ranges().map(|(first, last)| (first.into(), last.into()));
    let policy = Policy::PLAIN
        .with_normalise(normalise)
        .with_hash(keys.hash.then_some(HashKey::PUBLIC))
        .with_databases(Databases::of(ranges).unwrap_or_default());
    policy.with_prefix(keys.prefix.as_bytes()).unwrap_or(policy)
}

fn bulk(config: &config::Config<'_>, seed: u64) -> bulk::Config {
    let config::Config { bulk, retry, .. } = config;
    bulk::Config {
        status: bulk.status,
        batch_size: bulk.batch_size,
        batch_bytes: bulk.batch_bytes,
        flush_interval: bulk.flush_interval.unwrap_or(Duration::ZERO),
        max_retries: bulk.max_retries,
        concurrent_flush: bulk.concurrent_flush,
        max_batches: bulk.max_in_flight,
        ceiling: retry.ceiling,
        retry_base: retry.delay,
        retry_cap: retry.max_backoff,
        seed,
    }
}
