//! The table. A row is: documentation, path, other names in brackets, what may stand there, what a change
//! takes, and the field.

use super::field::{CEILINGS, NETWORKS, PROTOCOLS, TOPOLOGIES};
use super::{Class, Kind, Row, Unit};
use crate::resp::Limits;
use crate::time::Duration;

macro_rules! rows {
    ($(
        $(#[doc = $doc:literal])+
        $path:literal $([$($alias:literal),+])?: $kind:expr, $Class:ident => $($field:ident).+;
    )+) => {
        /// Every option, by sections.
        pub static ROWS: &[Row] = &[$(Row {
            path: $path,
            aliases: &[$($($alias),+)?],
            kind: $kind,
            class: Class::$Class,
            field: |config| &config.$($field).+,
            field_mut: |config| &mut config.$($field).+,
        }),+];

        /// The documentation of each, apart, so that it is linked only if somebody asks.
        pub(super) static DOCS: &[&str] = &[$(concat!($($doc),+)),+];
    };
}

rows! {
    /// How to reach the server: tcp, or unix for a socket in the file system.
    "redis.network": Kind::Word(NETWORKS), Drain => server.network;
    /// Host and port, or the path of a Unix socket: shows redis.host and redis.port, and sets both.
    "redis.addr": Kind::Address, Drain => server.address;
    /// The server's name or address, or the absolute path of a Unix socket.
    "redis.host": Kind::Text { least: 1, most: 255 }, Drain => server.address.host;
    /// The server's port.
    "redis.port": Kind::Count { least: 1, most: 65535 }, Drain => server.address.port;
    /// Whether it is one server or a node of a cluster.
    "redis.topology": Kind::Word(TOPOLOGIES), Fixed => server.topology;
    /// The user to log in as; empty: the server's default one.
    "redis.username" ["redis.user", "user"]: TEXT, Drain => auth.username;
    /// The password; empty: no login. It is never shown.
    "redis.password": Kind::Secret, Drain => auth.password;
    /// The databases that keys are spread over. A cluster has only 0.
    "redis.db": Kind::Databases, Fixed => keys.databases;
    /// The version of the protocol.
    "redis.protocol": Kind::Word(PROTOCOLS), Drain => session.protocol;
    /// Whether version 2 will do for a server that does not know 3.
    "redis.protocol_fallback": Kind::Flag, Drain => session.protocol_fallback;
    /// A name for CLIENT LIST; empty: none.
    "redis.client_name": Kind::Name(255), Drain => session.client_name;
    /// What stands in front of every key.
    "redis.key_prefix": Kind::Prefix(1024), Fixed => keys.prefix;
    /// Whether keys are stored as hashes of themselves, behind the prefix.
    "redis.hash_keys": Kind::Flag, Fixed => keys.hash;
    /// For dialling, reading and writing, where these are auto.
    "redis.timeout": timeout(true, false), Live => timeouts.timeout;
    /// For dialling one address, and again for the handshake; auto: redis.timeout.
    "redis.dial_timeout" ["connect_timeout"]: timeout(true, true), Live => timeouts.dial;
    /// For an answer; auto: redis.timeout.
    "redis.read_timeout": timeout(true, true), Live => timeouts.read;
    /// For the server to take bytes; auto: redis.timeout.
    "redis.write_timeout": timeout(true, true), Live => timeouts.write;
    /// For a whole operation with its retries; none: no limit beside those of its parts.
    "redis.operation_timeout": timeout(true, false), Live => timeouts.operation;
    /// For the answer to a command that blocks, on top of its own time; auto: redis.read_timeout.
    "redis.blocking_timeout": timeout(true, true), Live => timeouts.blocking;
    /// For the answer to a command that inspects or changes the server; auto: redis.read_timeout.
    "redis.admin_timeout": timeout(true, true), Live => timeouts.admin;
    /// For the answers to one batch; auto: redis.read_timeout.
    "redis.bulk_timeout": timeout(true, true), Live => timeouts.bulk;
    /// For an answer that nobody waits for any more, before its connection is given up.
    "redis.grace": span(Unit::Seconds, Duration::ZERO, DAY, false), Live => timeouts.grace;
    /// How often a connection that is idle is asked whether it lives; none: never.
    "redis.health_check_interval": span(Unit::Seconds, TENTH, DAY, true), Live => session.health_check_interval;
    /// How many requests there may be between two proofs that answers are in step; 0: no proofs.
    "redis.verify_every": Kind::Count { least: 0, most: u32::MAX as u64 }, Live => session.verify_every;
    /// How often a request is tried again after the first time.
    "redis.retry_attempts" ["max_retries"]: Kind::Count { least: 0, most: 100 }, Live => retry.attempts;
    /// The longest wait before the first retry; it doubles with each, and chance makes it shorter.
    "redis.retry_delay" ["min_retry_backoff"]: span(Unit::Millis, MILLI, HOUR, false), Live => retry.delay;
    /// The longest wait before any retry.
    "redis.max_retry_backoff": span(Unit::Millis, MILLI, HOUR, false), Live => retry.max_backoff;

    /// How much of the load retries may be.
    "retry.budget": Kind::Percent { least: 0, most: 100 }, Live => retry.budget;
    /// How many retries a second there may be whatever the load is.
    "retry.reserve": Kind::Count { least: 0, most: 10_000 }, Live => retry.reserve;
    /// What may be sent again though nobody knows whether it was executed, up to this.
    "retry.ceiling": Kind::Word(CEILINGS), Live => retry.ceiling;

    /// Whether a server that fails is left alone for a while.
    "breaker.status": Kind::Flag, Live => breaker.status;
    /// How many of the requests must fail for that.
    "breaker.ratio": Kind::Percent { least: 1, most: 100 }, Live => breaker.ratio;
    /// How many requests there must be before the ratio says anything.
    "breaker.minimum": Kind::Count { least: 1, most: 1_000_000 }, Live => breaker.minimum;
    /// Over how long they are counted.
    "breaker.window": span(Unit::Seconds, TENTH, HOUR, false), Live => breaker.window;
    /// How long the server is left alone.
    "breaker.open": span(Unit::Seconds, MILLI, DAY, false), Live => breaker.open;
    /// How many requests are let through after that, to see.
    "breaker.probes": Kind::Count { least: 1, most: u8::MAX as u64 }, Live => breaker.probes;

    /// Whether connections are kept; without, each operation has one of its own.
    "pool.status": Kind::Flag, Drain => pool.status;
    /// The most connections that there are.
    "pool.size": Kind::Size(u16::MAX), Drain => pool.size;
    /// How many are kept idle, at least.
    "pool.min_idle" ["min_idle_conns"]: COUNT, Live => pool.min_idle;
    /// How many are kept idle, at most; 0: no limit beside pool.size.
    "pool.max_idle" ["max_idle_conns"]: COUNT, Live => pool.max_idle;
    /// How many may be in use before requests are refused at once; 0: no limit beside pool.size.
    "pool.max_active" ["max_active_conns"]: COUNT, Live => pool.max_active;
    /// How old a connection becomes; none: any age.
    "pool.max_lifetime" ["conn_max_lifetime"]: span(Unit::Seconds, MILLI, YEAR, true), Live => pool.max_lifetime;
    /// How much of that is chance, so that they do not all end at once.
    "pool.lifetime_jitter": Kind::Percent { least: 0, most: 100 }, Live => pool.lifetime_jitter;
    /// How long a connection is idle before it is closed; none: any time.
    "pool.max_idle_time" ["conn_max_idle_time"]: span(Unit::Seconds, MILLI, YEAR, true), Live => pool.max_idle_time;
    /// How long a request may wait for a connection; auto: redis.read_timeout and a second.
    "pool.wait_timeout" ["pool_timeout"]: timeout(true, true), Live => pool.wait_timeout;
    /// Whether the connection that has been idle longest is used next, and not the one used last.
    "pool.fifo": Kind::Flag, Live => pool.fifo;
    /// How many connections are dialled at a time; 0: no limit beside pool.size.
    "pool.max_dials": COUNT, Live => pool.max_dials;
    /// After how many failed dials in a row requests are refused at once.
    "pool.fail_after": Kind::Count { least: 1, most: 1000 }, Live => pool.fail_after;

    /// Whether items are sent in batches; without, each is sent at once.
    "bulk.status": Kind::Flag, Live => bulk.status;
    /// Items of a full batch.
    "bulk.batch_size": Kind::Count { least: 1, most: 1_000_000 }, Live => bulk.batch_size;
    /// Bytes of a full batch.
    "bulk.batch_bytes": Kind::Bytes { least: 64, most: 1 << 30 }, Live => bulk.batch_bytes;
    /// How long an item waits for a batch to be full; none: until it is, or is flushed.
    "bulk.flush_interval": span(Unit::Seconds, MILLI, DAY, true), Live => bulk.flush_interval;
    /// How often a batch is tried again.
    "bulk.max_retries": Kind::Count { least: 0, most: 100 }, Live => bulk.max_retries;
    /// Whether a batch may be sent while another one waits for answers.
    "bulk.concurrent_flush": Kind::Flag, Live => bulk.concurrent_flush;
    /// How many batches may wait for answers then.
    "bulk.max_in_flight": Kind::Count { least: 1, most: 8 }, Live => bulk.max_in_flight;

    /// Whether spaces around a key are taken away.
    "keys.trim": Kind::Flag, Fixed => keys.trim;
    /// Whether several colons in a row become one in a key.
    "keys.collapse": Kind::Flag, Fixed => keys.collapse;
    /// Whether keys become lower case.
    "keys.lowercase": Kind::Flag, Fixed => keys.lowercase;
    /// The longest key.
    "keys.max_len": Kind::Bytes { least: 1, most: 512 << 20 }, Live => keys.max_len;

    /// The longest line of a reply: simple strings, errors and big numbers.
    "limits.line": Kind::Bytes { least: 64, most: 1 << 30 }, Drain => limits.line;
    /// The longest string of a reply.
    "limits.bulk": Kind::Bytes { least: 1, most: 1 << 40 }, Drain => limits.bulk;
    /// The most values directly inside one aggregate of a reply.
    "limits.elements": Kind::Count { least: 1, most: Limits::MAX_ELEMENTS as u64 }, Drain => limits.elements;
    /// The most values inside one reply.
    "limits.total": Kind::Count { least: 1, most: u32::MAX as u64 }, Drain => limits.total;
    /// The most aggregates inside one another.
    "limits.depth": Kind::Count { least: 1, most: Limits::MAX_DEPTH as u64 }, Drain => limits.depth;
    /// The longest reply.
    "limits.frame": Kind::Bytes { least: 64, most: 1 << 40 }, Drain => limits.frame;
    /// How much of a reply over another limit is read before its connection is given up.
    "limits.skip": Kind::Bytes { least: 64, most: 1 << 41 }, Drain => limits.skip;

    /// How much a connection reads at a time.
    "buffers.read" ["read_buffer_size"]: Kind::Bytes { least: 64, most: 1 << 30 }, Drain => buffers.read;
    /// How much a connection writes at a time.
    "buffers.write" ["write_buffer_size"]: Kind::Bytes { least: 64, most: 1 << 30 }, Drain => buffers.write;

    /// Whether TLS is used.
    "tls.status": Kind::Flag, Drain => tls.status;
    /// A file of certificates to trust; empty: those of the system.
    "tls.ca": TEXT, Drain => tls.ca;
    /// A file with our certificate; empty: none.
    "tls.cert": TEXT, Drain => tls.cert;
    /// A file with the key of our certificate.
    "tls.key": TEXT, Drain => tls.key;
    /// The name that the server must prove; empty: the host's.
    "tls.server_name": Kind::Name(255), Drain => tls.server_name;

    /// What the names of the store's keys start with.
    "store.key_prefix": Kind::Text { least: 1, most: 1024 }, Fixed => store.key_prefix;
    /// How long stored values live; none: for ever.
    "store.expiration": span(Unit::Seconds, SECOND, DECADE, true), Live => store.expiration;
    /// Bytes of a stored chunk.
    "store.chunk_size": Kind::Bytes { least: 1, most: 512 << 20 }, Live => store.chunk_size;

    /// How long a value lives that is cached without a time of its own; none: for ever.
    "cache.ttl": span(Unit::Seconds, MILLI, DECADE, true), Live => cache.ttl;
}

const TEXT: Kind = Kind::Text { least: 0, most: 4096 };
const COUNT: Kind = Kind::Count { least: 0, most: u16::MAX as u64 };

const MILLI: Duration = Duration::from_millis(1);
const TENTH: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
const DECADE: Duration = Duration::from_secs(3660 * 24 * 60 * 60);

/// How long to wait for something.
const fn timeout(none: bool, auto: bool) -> Kind {
    Kind::Span { unit: Unit::Seconds, least: MILLI, most: DAY, none, auto }
}

const fn span(unit: Unit, least: Duration, most: Duration, none: bool) -> Kind {
    Kind::Span { unit, least, most, none, auto: false }
}
