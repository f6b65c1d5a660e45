//! What is wrong is told all at once, with what would be right.

use std::num::NonZeroU16;
use std::time::Duration;

use respire_core::config::{
    Address, Auth, Capacity, Config, Databases, Keys, Network, Password, Patience, Pool, Problem, Profile,
    Size, Topology,
};

fn faults(config: &Config<'_>) -> Vec<String> {
    match config.validate() {
        Ok(()) => Vec::new(),
        Err(faults) => faults.map(|fault| fault.to_string()).collect(),
    }
}

/// S0-CFG-03: three faults, from texts and between options, are three errors of one call.
#[test]
fn all_faults_are_told_at_once() {
    let mut config = Config::MANAGED;
    let mut told = Vec::new();
    let pairs = [("redis.port", "0"), ("redis.db", "5-2"), ("pool.min_idle", "60")];
    let count = config.apply(pairs, |fault| told.push(fault.to_string()));
    assert_eq!(
        told,
        [
            "redis.port = 0: must be a whole number from 1 to 65535",
            "redis.db = \"5-2\": must be databases in ascending order, at most 64: 3, 0-5 or 0,2,4-7",
            "pool.min_idle = 60: must be at most pool.size = 50",
        ]
    );
    assert_eq!((count, config), (3, Config::MANAGED), "nothing has changed");
    assert_eq!(
        config.apply([("redis.port", "7000"), ("pool.size", "80"), ("pool.min_idle", "60")], |_| ()),
        0
    );
    assert_eq!((config.server.address.port, config.pool.size), (7000, Size::Fixed(80)));
}

/// S0-CFG-03: the same of a configuration that was built by hand.
#[test]
fn a_configuration_by_hand_is_looked_at_as_well() {
    let config = Config {
        keys: Keys { databases: Databases::range(5, 2), ..Config::MANAGED.keys },
        pool: Pool { min_idle: 60, ..Config::MANAGED.pool },
        server: respire_core::config::Server {
            address: Address { host: "h", port: 0 },
            ..Config::MANAGED.server
        },
        ..Config::MANAGED
    };
    let all = faults(&config);
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[0].starts_with("redis.port = 0: "));
    assert!(all[1].starts_with("redis.db = 5-2: "));
    assert!(all[2].starts_with("pool.min_idle = 60: "));
    assert_eq!(config.validate().unwrap_err().to_string(), all.join("\n"));
}

/// S0-OPT-02, S1-CFG-01: bounds, kinds and names of texts; a number may be text.
#[test]
fn each_text_is_judged() {
    for (path, text, fault) in [
        ("redis.port", "70000", "redis.port = 70000: must be a whole number from 1 to 65535"),
        ("redis.port", "x", "redis.port = \"x\": must be a whole number from 1 to 65535"),
        ("redis.port", "+1", "redis.port = \"+1\": must be a whole number from 1 to 65535"),
        ("redis.prot", "1", "redis.prot: there is no such option"),
        ("redis.timeout", "soon", "redis.timeout = \"soon\": must be a time from 1ms to 86400s, or none"),
        ("redis.timeout", "-2", "redis.timeout = \"-2\": must be a time from 1ms to 86400s, or none"),
        ("redis.timeout", "25h", "redis.timeout = 90000s: must be a time from 1ms to 86400s, or none"),
        ("redis.timeout", "10us", "redis.timeout = 10us: must be a time from 1ms to 86400s, or none"),
        (
            "redis.dial_timeout",
            "x",
            "redis.dial_timeout = \"x\": must be a time from 1ms to 86400s, or none, or auto",
        ),
        ("redis.retry_delay", "0", "redis.retry_delay = 0ms: must be a time from 1ms to 3600000ms"),
        ("redis.retry_delay", "none", "redis.retry_delay = \"none\": must be a time from 1ms to 3600000ms"),
        (
            "redis.timeout",
            "99999999999999999999s",
            "redis.timeout = \"99999999999999999999s\": must be a time from 1ms to 86400s, or none",
        ),
        ("pool.size", "0", "pool.size = 0: must be a whole number from 1 to 65535, or so many/core"),
        ("pool.status", "maybe", "pool.status = \"maybe\": must be true or false"),
        ("bulk.batch_size", "0", "bulk.batch_size = 0: must be a whole number from 1 to 1000000"),
        ("store.chunk_size", "0", "store.chunk_size = 0B: must be bytes, from 1B to 512MiB"),
        ("store.chunk_size", "1GiB", "store.chunk_size = 1GiB: must be bytes, from 1B to 512MiB"),
        ("breaker.ratio", "101", "breaker.ratio = 101%: must be from 1% to 100%"),
        ("redis.network", "udp", "redis.network = \"udp\": must be tcp or unix"),
        ("redis.protocol", "4", "redis.protocol = \"4\": must be 2 or 3"),
        ("redis.host", "", "redis.host = : must be a text of 1 to 255 bytes"),
        ("redis.addr", "::1", "redis.addr = \"::1\": must be host:port, [IPv6]:port or an absolute path"),
        (
            "client_name",
            "a b",
            "redis.client_name = a b: must be at most 255 letters, digits and signs without spaces",
        ),
    ] {
        for profile in Profile::ALL {
            let mut config = profile.config();
            assert_eq!(config.set(path, text).unwrap_err().to_string(), fault);
            assert_eq!(config, profile.config());
        }
    }
    let mut config = Config::MANAGED;
    assert_eq!(config.set("redis.port", "6379"), Ok(()));
    assert!(matches!(config.set("nosuch", "").unwrap_err().problem, Problem::Unknown));
}

/// S0-OPT-11, S0-OPT-14, S1-CFG-01, X-05: what must go together, each rule on its own.
#[test]
fn options_must_go_together() {
    let with = |pairs: &[(&'static str, &'static str)]| {
        let mut config = Config::URL;
        for (path, text) in pairs {
            config.set(path, text).unwrap_or_else(|fault| panic!("{fault}"));
        }
        faults(&config)
    };
    for (pairs, fault) in [
        ([("pool.size", "5"), ("pool.min_idle", "6")], "pool.min_idle = 6: must be at most pool.size = 5"),
        (
            [("pool.min_idle", "6"), ("pool.max_idle", "5")],
            "pool.min_idle = 6: must be at most pool.max_idle = 5",
        ),
        (
            [("pool.min_idle", "6"), ("pool.max_active", "5")],
            "pool.min_idle = 6: must be at most pool.max_active = 5",
        ),
        (
            [("redis.retry_delay", "1000"), ("redis.max_retry_backoff", "500")],
            "redis.max_retry_backoff = 500ms: must be at least redis.retry_delay = 1000ms",
        ),
        (
            [("redis.topology", "cluster"), ("redis.db", "1")],
            "redis.db = 1: must be 0 with redis.topology = cluster",
        ),
        (
            [("redis.topology", "cluster"), ("redis.db", "0-5")],
            "redis.db = 0-5: must be 0 with redis.topology = cluster",
        ),
        (
            [("redis.network", "unix"), ("redis.host", "h")],
            "redis.host = h: must be an absolute path for unix only; now redis.network = unix",
        ),
        (
            [("redis.network", "tcp"), ("redis.host", "/run/redis")],
            "redis.host = /run/redis: must be an absolute path for unix only; now redis.network = tcp",
        ),
        (
            [("redis.username", "ann"), ("redis.password", "")],
            "redis.username = ann: needs a password; now redis.password = ",
        ),
        (
            [("tls.cert", "c.pem"), ("tls.key", "")],
            "tls.cert = c.pem: must be given together with tls.key = ",
        ),
        (
            [("tls.cert", ""), ("tls.key", "k.pem")],
            "tls.cert = : must be given together with tls.key = k.pem",
        ),
        (
            [("limits.bulk", "2MiB"), ("limits.frame", "1MiB")],
            "limits.bulk = 2MiB: must be at most limits.frame = 1MiB",
        ),
    ] {
        assert_eq!(with(&pairs), [fault]);
    }
    for right in [
        [("pool.size", "6"), ("pool.min_idle", "6")],
        [("pool.max_idle", "0"), ("pool.min_idle", "6")],
        [("pool.max_active", "6"), ("pool.min_idle", "6")],
        [("redis.retry_delay", "500"), ("redis.max_retry_backoff", "500")],
        [("redis.topology", "cluster"), ("redis.db", "0")],
        [("redis.network", "unix"), ("redis.host", "/run/redis")],
        [("redis.username", "ann"), ("redis.password", "x")],
        [("tls.cert", "c.pem"), ("tls.key", "k.pem")],
    ] {
        assert_eq!(with(&right), [""; 0]);
    }
}

/// databases that nobody asked for give way to a cluster; those that somebody asked for do not.
#[test]
fn a_default_database_gives_way_to_a_cluster() {
    for profile in [Profile::Store, Profile::Managed] {
        let mut config = profile.config();
        let wanted = config.keys.databases.to_string();
        assert_eq!(config.databases().to_string(), wanted);
        config.set("redis.topology", "cluster").unwrap();
        assert_eq!((config.databases(), faults(&config)), (Databases::ZERO, vec![]));
        // The same ones, asked for.
        config.set("redis.db", &wanted).unwrap();
        assert_eq!(
            faults(&config),
            [format!("redis.db = {wanted}: must be 0 with redis.topology = cluster")]
        );
    }
}

/// a value may not be more than the program was built for.
#[test]
fn a_program_has_its_capacity() {
    let config =
        Config { pool: Pool { size: Size::PerCore(10), min_idle: 11, ..Config::URL.pool }, ..Config::URL };
    assert!(config.validate().is_ok(), "nobody knows how many cores there are");
    let all = |capacity| -> Vec<String> {
        config
            .validate_for(capacity)
            .map_or_else(|faults| faults.map(|fault| fault.to_string()).collect(), |()| vec![])
    };
    assert_eq!(all(Capacity { cores: 2, ..Capacity::ANY }), [""; 0]);
    assert_eq!(
        all(Capacity { cores: 1, connections: 8, items: 500 }),
        [
            "pool.min_idle = 11: must be at most pool.size = 10/core",
            "pool.size = 10/core: this program was built for at most 8",
            "bulk.batch_size = 1000: this program was built for at most 500",
        ]
    );
}

/// What the table says of texts holds for values that are put in by hand: each kind, over its range.
#[test]
fn values_by_hand_are_in_range_or_told() {
    use respire_core::command::Retry;
    let url = Config::URL;
    for (config, path) in [
        (Config { pool: Pool { size: Size::PerCore(0), ..url.pool }, ..url }, "pool.size"),
        (Config { pool: Pool { fail_after: 0, ..url.pool }, ..url }, "pool.fail_after"),
        (Config { pool: Pool { lifetime_jitter: 101, ..url.pool }, ..url }, "pool.lifetime_jitter"),
        (
            Config { pool: Pool { wait_timeout: Patience::For(Duration::MAX), ..url.pool }, ..url },
            "pool.wait_timeout",
        ),
        (
            Config { pool: Pool { max_lifetime: Some(Duration::ZERO), ..url.pool }, ..url },
            "pool.max_lifetime",
        ),
        (
            Config { retry: respire_core::config::Retries { ceiling: Retry::Never, ..url.retry }, ..url },
            "retry.ceiling",
        ),
        (
            Config {
                session: respire_core::config::Session { client_name: Some("a\nb"), ..url.session },
                ..url
            },
            "redis.client_name",
        ),
        (Config { limits: respire_core::resp::Limits { depth: 0, ..url.limits }, ..url }, "limits.depth"),
    ] {
        let all: Vec<_> = config.validate().unwrap_err().map(|fault| fault.path).collect();
        assert_eq!(all, [path]);
    }
}

#[test]
fn configurations_are_made_by_the_compiler() {
    const MINE: Config<'_> = Config {
        server: respire_core::config::Server {
            network: Network::Unix,
            address: Address { host: "/run/redis.sock", port: 0 },
            topology: Topology::Single,
        },
        auth: Auth { username: None, password: Password::new("secret") },
        pool: Pool { size: Size::Fixed(2), max_idle: NonZeroU16::new(2), ..Config::CACHE.pool },
        ..Config::CACHE
    };
    assert_eq!(MINE.get("redis.addr").unwrap().to_string(), "/run/redis.sock");
    let told: Vec<_> = MINE.validate().unwrap_err().map(|fault| fault.path).collect();
    assert_eq!(told, ["redis.port"], "a path needs no port, but the port is in no range");
}

/// What a terminal would obey is not in what is told.
#[test]
fn control_characters_are_not_repeated() {
    let mut config = Config::URL;
    for (path, text) in [("redis.p\x1b[1m", ""), ("redis.port", "\x1b[31m1"), ("redis.client_name", "a\r\nb")]
    {
        let told = config.set(path, text).unwrap_err().to_string();
        assert!(!told.contains(char::is_control) && told.contains('?'), "{told}");
    }
}

/// S1-BP-02, S1-CFG-01: a text may be as long as its option says, and not longer.
#[test]
fn texts_have_their_length() {
    use respire_core::config::schema::{Kind, ROWS};
    let long = "x".repeat(5000);
    for row in ROWS {
        let (Kind::Text { most, .. } | Kind::Name(most)) = row.kind else { continue };
        let mut config = Config::URL;
        assert_eq!(config.set(row.path, &long[..most]), Ok(()));
        assert!(config.set(row.path, &long[..=most]).is_err(), "{}", row.path);
    }
}
