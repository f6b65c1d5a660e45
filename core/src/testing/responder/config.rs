//! The settings that CONFIG GET shows and CONFIG SET takes.

use super::fault::Fault;
use super::glob;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// How the server was set up.
pub(crate) struct Config {
    settings: BTreeMap<&'static str, Vec<u8>>,
    /// The longest bulk string and string value.
    pub(crate) bulk_limit: usize,
    /// Whether it acts like a server from before HELLO.
    pub(crate) old: bool,
}

/// The password's name among the settings.
const PASSWORD: &str = "requirepass";

/// Name, value of a fresh server, and whether CONFIG SET takes it.
const SETTINGS: &[(&str, &str, bool)] = &[
    ("appendonly", "no", true),
    ("bind", "127.0.0.1", false),
    ("databases", "16", false),
    ("hash-max-listpack-entries", "512", false),
    ("hash-max-listpack-value", "64", false),
    ("hz", "10", true),
    ("list-max-listpack-size", "-2", false),
    ("lfu-decay-time", "1", true),
    ("maxclients", "10000", true),
    ("maxmemory", "0", true),
    ("maxmemory-policy", "noeviction", true),
    ("maxmemory-samples", "5", true),
    ("notify-keyspace-events", "", true),
    ("port", "6379", false),
    ("proto-max-bulk-len", "536870912", false),
    (PASSWORD, "", true),
    ("save", "", true),
    ("set-max-intset-entries", "512", false),
    ("slowlog-log-slower-than", "10000", true),
    ("slowlog-max-len", "128", true),
    ("tcp-keepalive", "300", true),
    ("timeout", "0", true),
    ("zset-max-listpack-entries", "128", false),
    ("zset-max-listpack-value", "64", false),
];

impl Config {
    pub(crate) fn new() -> Self {
        Self {
            settings: SETTINGS.iter().map(|&(name, value, _)| (name, value.as_bytes().to_vec())).collect(),
            bulk_limit: 512 * 1024 * 1024,
            old: false,
        }
    }

    /// The settings whose name matches one of `patterns`.
    pub(crate) fn matching<'a>(
        &self,
        patterns: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Vec<(&'static str, &[u8])> {
        self.settings
            .iter()
            .filter(|(name, _)| {
                patterns.clone().any(|pattern| glob::matches_ignoring_case(pattern, name.as_bytes()))
            })
            .map(|(&name, value)| (name, value.as_slice()))
            .collect()
    }

    /// Changes a setting.
    pub(crate) fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
        let known = SETTINGS.iter().find(|&&(known, ..)| known == lower);
        match known {
            Some(&(name, _, true)) => {
                self.settings.insert(name, value.to_vec());
                Ok(())
            }
            Some(&(name, _, false)) => Err(Fault::of(&[
                b"ERR CONFIG SET failed (possibly related to argument '",
                name.as_bytes(),
                b"') - can't set immutable config",
            ])),
            None => {
                Err(Fault::of(&[b"ERR Unknown option or number of arguments for CONFIG SET - '", name, b"'"]))
            }
        }
    }

    /// The password that clients have to give, if there is one.
    pub(crate) fn password(&self) -> Option<&[u8]> {
        self.settings.get(PASSWORD).filter(|password| !password.is_empty()).map(Vec::as_slice)
    }

    pub(crate) fn set_password(&mut self, password: &[u8]) {
        self.settings.insert(PASSWORD, password.to_vec());
    }

    pub(crate) fn set_bulk_limit(&mut self, limit: usize) {
        self.bulk_limit = limit;
        let text = super::number::integer_text(i64::try_from(limit).unwrap_or(i64::MAX));
        self.settings.insert("proto-max-bulk-len", text);
    }
}
