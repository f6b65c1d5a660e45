//! Values from texts, and back.

use proptest::prelude::*;
use respire_core::config::schema::{Kind, ROWS, Row};
use respire_core::config::{Config, Password, Profile};

/// Texts of which many, but not all, are right for this option.
fn text(row: &'static Row) -> BoxedStrategy<String> {
    let number = |least: u64, most: u64| {
        prop_oneof![
            least..=most.min(least.saturating_add(100)),
            least..=most,
            Just(least),
            Just(most),
            any::<u64>()
        ]
    };
    match row.kind {
        Kind::Text { .. } => "[ -~äß]{0,40}".boxed(),
        Kind::Prefix(_) => "[a-z:{}]{0,9}".boxed(),
        Kind::Name(_) => "[!-~]{0,30}".boxed(),
        Kind::Flag => prop::sample::select(vec!["true", "false", "yes", "no", "on", "off", "1", "0"])
            .prop_map(str::to_owned)
            .boxed(),
        Kind::Count { least, most } => number(least, most).prop_map(|n| n.to_string()).boxed(),
        Kind::Bytes { least, most } => {
            (number(least, most), prop::sample::select(vec!["", "B", "KiB", "MiB", "GiB"]))
                .prop_map(|(n, unit)| format!("{n}{unit}"))
                .boxed()
        }
        Kind::Percent { .. } => (0..=120_u8, prop::sample::select(vec!["", "%"]))
            .prop_map(|(n, unit)| format!("{n}{unit}"))
            .boxed(),
        Kind::Span { .. } => prop_oneof![
            prop::sample::select(vec!["auto", "none", "-1", "0", "0s", "0ms"]).prop_map(str::to_owned),
            (number(0, 100_000), prop::sample::select(vec!["", "ns", "us", "ms", "s", "m", "h", "d"]))
                .prop_map(|(n, unit)| format!("{n}{unit}")),
        ]
        .boxed(),
        Kind::Size(_) => (0..=70_000_u32, prop::sample::select(vec!["", "/core"]))
            .prop_map(|(n, unit)| format!("{n}{unit}"))
            .boxed(),
        Kind::Word(words) => prop::sample::select(words).prop_map(str::to_owned).boxed(),
        Kind::Databases => prop::collection::vec((0..40_u16, 0..4_u16), 1..6)
            .prop_map(|mut parts| {
                parts.sort_unstable();
                let parts: Vec<_> = parts.iter().map(|(at, more)| format!("{at}-{}", at + more)).collect();
                parts.join(",")
            })
            .boxed(),
        Kind::Address => ("[a-z]{1,9}", 0..70_000_u32)
            .prop_flat_map(|(host, port)| {
                prop::sample::select(vec![
                    format!("{host}:{port}"),
                    host.clone(),
                    format!("[::{port:x}]:{port}"),
                    format!("/run/{host}"),
                ])
            })
            .boxed(),
        Kind::Secret => "[ -~]{0,12}".boxed(),
        ref other => panic!("{other}: no texts for it"),
    }
}

fn any_setting() -> impl Strategy<Value = (&'static Row, String)> {
    (0..ROWS.len()).prop_flat_map(|at| (Just(&ROWS[at]), text(&ROWS[at])))
}

fn any_profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(Profile::ALL.as_slice())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// S1-CFG-03, C0-08: what is shown of an option can be set, and is the same then; what was refused changed nothing.
    #[test]
    fn what_is_shown_can_be_set(profile in any_profile(), (row, text) in any_setting()) {
        let mut config = profile.config();
        if config.set(row.path, &text).is_err() {
            prop_assert_eq!(config, profile.config());
        }
        let shown = config.get(row.path).unwrap().to_string();
        let mut again = profile.config();
        if row.kind == Kind::Secret {
            let expected = if text.is_empty() || text == "***" { "" } else { "***" };
            prop_assert_eq!(shown, expected);
        } else {
            again.set(row.path, &shown).unwrap();
            prop_assert_eq!(again, config, "{}", shown);
        }
    }

    /// Only one option changes, unless it is a view of others.
    #[test]
    fn what_is_set_changes_nothing_else((row, text) in any_setting()) {
        let old = Config::MANAGED;
        let mut new = old;
        let _ = new.set(row.path, &text);
        for difference in old.differences(&new) {
            prop_assert!(difference.row() == row || row.is_view());
        }
    }

    /// No text makes anything panic.
    #[test]
    fn any_text_is_read_or_refused(at in 0..ROWS.len(), text in any::<String>()) {
        let mut config = Config::URL;
        if let Err(fault) = config.set(ROWS[at].path, &text) {
            prop_assert!(!fault.to_string().is_empty());
        } else {
            prop_assert!(config.get(ROWS[at].path).is_some());
        }
    }
}

/// What is in every profile can be set from what is shown of it.
#[test]
fn defaults_can_be_set_as_they_are_shown() {
    for profile in Profile::ALL {
        for row in ROWS.iter().filter(|row| row.kind != Kind::Secret) {
            let shown = row.default(profile).to_string();
            let mut config = profile.config();
            config.set(row.path, &shown).unwrap_or_else(|fault| panic!("{fault}"));
            assert_eq!(config, profile.config(), "{}", row.path);
        }
    }
}

/// a bare number has the unit of its option, any other one says its own, and the unit is always shown.
#[test]
fn numbers_keep_their_unit() {
    for (path, text, shown) in [
        ("redis.timeout", "5", "5s"),
        ("redis.timeout", "1500ms", "1500ms"),
        ("redis.timeout", "1000ms", "1s"),
        ("redis.retry_delay", "1000", "1000ms"),
        ("redis.retry_delay", "2s", "2000ms"),
        ("redis.retry_delay", "1501us", "1501us"),
        ("redis.retry_delay", "1000001ns", "1000001ns"),
        ("pool.max_idle_time", "5m", "300s"),
        ("pool.max_idle_time", "0", "none"),
        ("bulk.flush_interval", "0", "none"),
        ("redis.health_check_interval", "0", "none"),
        ("redis.read_timeout", "-1", "none"),
        ("redis.read_timeout", "0", "none"),
        ("store.expiration", "24h", "86400s"),
        ("store.chunk_size", "131072", "128KiB"),
        ("store.chunk_size", "1000", "1000B"),
        ("pool.size", "4/core", "4/core"),
        ("breaker.ratio", "75", "75%"),
        ("redis.db", "3", "3"),
        ("redis.network", "TCP", "tcp"),
    ] {
        let mut config = Config::MANAGED;
        config.set(path, text).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(config.get(path).unwrap().to_string(), shown, "{path} {text}");
    }
}

/// S1-OPT-02: an address is a host and a port, and these are shown as an address.
#[test]
fn an_address_is_a_view_of_host_and_port() {
    let mut config = Config::URL;
    config.set("addr", "[::1]:6380").unwrap();
    assert_eq!(config.get("redis.host").unwrap().to_string(), "::1");
    assert_eq!(config.get("redis.port").unwrap().to_string(), "6380");
    config.set("redis.port", "7000").unwrap();
    assert_eq!(config.get("redis.addr").unwrap().to_string(), "[::1]:7000");
}

/// S0-OPT-03: whatever is shown of a configuration, a password is not in it.
#[test]
fn a_password_is_never_shown() {
    const CANARY: &str = "c4n4ry-pass";
    let mut config = Config::MANAGED;
    config.set("redis.password", CANARY).unwrap();
    config.set("redis.username", "ann").unwrap();
    assert_eq!(config.auth.password.get(), Some(CANARY));
    let setting = config.get("redis.password").unwrap();
    let old = Config::URL;
    let differences: Vec<_> = old.differences(&config).collect();
    let mut other = config;
    let faulty = other.set("redis.db", "x").unwrap_err();
    let shown =
        format!("{config:?} {config:#?} {setting} {setting:?} {:?} {differences:?} {faulty}", setting.value);
    assert!(!shown.contains(CANARY), "{shown}");
    assert!(shown.contains("***"));
    // What shows a configuration is not a configuration.
    let fault = config.set("redis.password", "***").unwrap_err();
    assert_eq!(fault.to_string(), "redis.password: must be a password, not ***");
    config.set("redis.password", "").unwrap();
    assert_eq!(config.auth.password, Password::NONE);
}
