//! Four sets of defaults. They are never mixed: whoever starts with one keeps it.

use core::fmt;
use core::num::NonZeroU16;

use super::{
    Address, Auth, Breaker, Buffers, Bulk, Cache, Config, Databases, Keys, Network, Password, Patience, Pool,
    Retries, Server, Session, Size, Store, Timeouts, Tls, Topology,
};
use crate::command::Retry;
use crate::conn::Protocol;
use crate::resp::Limits;
use crate::time::Duration;

/// A set of defaults, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Profile {
    /// [`Config::MANAGED`].
    Managed,
    /// [`Config::URL`].
    Url,
    /// [`Config::STORE`].
    Store,
    /// [`Config::CACHE`].
    Cache,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Managed, Self::Url, Self::Store, Self::Cache];

    /// Its defaults.
    pub const fn config(self) -> Config<'static> {
        match self {
            Self::Managed => Config::MANAGED,
            Self::Url => Config::URL,
            Self::Store => Config::STORE,
            Self::Cache => Config::CACHE,
        }
    }

    /// Its name: `managed`, `url`, `store` or `cache`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Url => "url",
            Self::Store => "store",
            Self::Cache => "cache",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const SECOND: Duration = Duration::from_secs(1);

impl Config<'_> {
    /// For a URL, and for whoever builds a client by hand: ten connections for each core, opened when they are
    /// wanted; keys as they are, in database 0; short waits between retries.
    pub const URL: Config<'static> = Config {
        server: Server {
            network: Network::Tcp,
            address: Address { host: "localhost", port: Address::DEFAULT_PORT },
            topology: Topology::Single,
        },
        auth: Auth { username: None, password: Password::NONE },
        session: Session {
            protocol: Protocol::Resp3,
            protocol_fallback: true,
            client_name: None,
            health_check_interval: None,
            verify_every: None,
        },
        timeouts: Timeouts {
            timeout: Some(Duration::from_secs(5)),
            dial: Patience::Auto,
            read: Patience::Auto,
            write: Patience::Auto,
            operation: None,
            blocking: Patience::Auto,
            admin: Patience::Auto,
            bulk: Patience::Auto,
            grace: Duration::from_secs(5),
        },
        keys: Keys {
            databases: Databases::ZERO,
            prefix: "",
            hash: false,
            trim: false,
            collapse: false,
            lowercase: false,
            max_len: 512 << 20,
        },
        retry: Retries {
            attempts: 3,
            delay: Duration::from_millis(8),
            max_backoff: Duration::from_millis(512),
            budget: 20,
            reserve: 10,
            ceiling: Retry::LastWriteWins,
        },
        breaker: Breaker {
            status: false,
            ratio: 50,
            minimum: 20,
            window: Duration::from_secs(10),
            open: Duration::from_secs(5),
            probes: 1,
        },
        pool: Pool {
            status: true,
            size: Size::PerCore(10),
            min_idle: 0,
            max_idle: None,
            max_active: None,
            max_lifetime: None,
            lifetime_jitter: 10,
            max_idle_time: Some(Duration::from_secs(30 * 60)),
            wait_timeout: Patience::Auto,
            fifo: false,
            max_dials: NonZeroU16::new(8),
            fail_after: 5,
        },
        bulk: Bulk {
            status: true,
            batch_size: 1000,
            batch_bytes: 1 << 20,
            flush_interval: Some(Duration::from_secs(5)),
            max_retries: 3,
            concurrent_flush: true,
            max_in_flight: 4,
        },
        limits: Limits::SERVER,
        buffers: Buffers { read: 32 << 10, write: 32 << 10 },
        tls: Tls { status: false, ca: None, cert: None, key: None, server_name: None },
        store: Store {
            key_prefix: "hybridbuffer",
            expiration: Some(Duration::from_secs(24 * 60 * 60)),
            chunk_size: 64 << 10,
        },
        cache: Cache { ttl: None },
    };

    /// For a configuration file: 50 connections, ten of them idle at least, asked every 30 s whether they live;
    /// keys normalised, hashed and spread over six databases; patient retries.
    pub const MANAGED: Config<'static> = Config {
        session: Session { health_check_interval: Some(Duration::from_secs(30)), ..Config::URL.session },
        keys: Keys {
            databases: Databases::range(0, 5).preferred(),
            hash: true,
            trim: true,
            collapse: true,
            max_len: 1024,
            ..Config::URL.keys
        },
        retry: Retries { delay: SECOND, max_backoff: Duration::from_secs(5), ..Config::URL.retry },
        pool: Pool {
            size: Size::Fixed(50),
            min_idle: 10,
            max_idle_time: Some(Duration::from_secs(300)),
            wait_timeout: Patience::secs(30),
            ..Config::URL.pool
        },
        ..Config::URL
    };

    /// For the store of large values: database 9, and 30 s for each operation.
    pub const STORE: Config<'static> = Config {
        keys: Keys { databases: Databases::one(9).preferred(), ..Config::URL.keys },
        timeouts: Timeouts { operation: Some(Duration::from_secs(30)), ..Config::URL.timeouts },
        ..Config::URL
    };

    /// For the cache: as [`URL`](Self::URL), with keys that can be read and values that live for ever.
    pub const CACHE: Config<'static> = Config::URL;
}
