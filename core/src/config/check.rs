//! What is wrong with a configuration: all of it at once, and what would be right.

use core::fmt::{self, Write};

use super::schema::{self, Plain, ROWS, Row, Setting};
use super::{Config, Network, Size, Topology};

/// What is wrong with one option. `Display` says what would be right, and never shows a password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fault<'a> {
    /// Which option; as the caller wrote it, if there is none of this name.
    pub path: &'a str,
    /// What is wrong with it.
    pub problem: Problem<'a>,
}

/// What can be wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem<'a> {
    /// There is no such option.
    Unknown,
    /// The text cannot be read as what must stand there. The text may be a password.
    Unreadable {
        /// The option.
        row: &'static Row,
        /// The text.
        text: &'a str,
    },
    /// The value is out of its range.
    OutOfRange(Setting<'a>),
    /// The value is more than this program was built for.
    OverCapacity {
        /// The option.
        setting: Setting<'a>,
        /// The most that it may be.
        capacity: u32,
    },
    /// The value does not go with that of another option.
    Conflict {
        /// This option.
        setting: Setting<'a>,
        /// How they would have to be.
        rule: Rule,
        /// The other option.
        other: Setting<'a>,
    },
}

/// How the values of two options must be, for the first of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Rule {
    /// At most the other.
    AtMost,
    /// At least the other.
    AtLeast,
    /// Database 0, with this topology.
    Zero,
    /// A path exactly if the network is that of Unix sockets.
    Path,
    /// Nothing without the other.
    Needs,
    /// Both or none of them.
    Together,
}

impl Rule {
    /// In words between the two.
    const fn words(self) -> &'static str {
        match self {
            Self::AtMost => "must be at most",
            Self::AtLeast => "must be at least",
            Self::Zero => "must be 0 with",
            Self::Path => "must be an absolute path for unix only; now",
            Self::Needs => "needs a password; now",
            Self::Together => "must be given together with",
        }
    }
}

/// What a program was built for, and the machine it runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Capacity {
    /// Cores of the processor; 0: not known.
    pub cores: u16,
    /// Slots of the pool.
    pub connections: u16,
    /// Slots of a batch.
    pub items: u32,
}

impl Capacity {
    /// No limits, and nothing known of the machine.
    pub const ANY: Self = Self { cores: 0, connections: u16::MAX, items: u32::MAX };
}

impl<'a> Config<'a> {
    /// Looks at every value, and at those that must go together.
    ///
    /// # Errors
    /// All that is wrong, as an iterator.
    pub fn validate(&self) -> Result<(), Faults<'_>> {
        self.validate_for(Capacity::ANY)
    }

    /// The same for a program that was built for no more than this.
    ///
    /// # Errors
    /// All that is wrong, as an iterator.
    pub fn validate_for(&self, capacity: Capacity) -> Result<(), Faults<'_>> {
        let faults = Faults { config: self, capacity, at: 0 };
        if faults.clone().next().is_none() { Ok(()) } else { Err(faults) }
    }
}

/// All that is wrong with a configuration. `Display` writes a line for each fault.
#[derive(Clone)]
pub struct Faults<'c> {
    config: &'c Config<'c>,
    capacity: Capacity,
    /// The next row, or behind these the next rule.
    at: usize,
}

impl<'c> Iterator for Faults<'c> {
    type Item = Fault<'c>;

    fn next(&mut self) -> Option<Fault<'c>> {
        loop {
            let at = self.at;
            let found = match ROWS.get(at) {
                Some(row) => out_of_range(row, self.config),
                None => CHECKS.get(at - ROWS.len())?(self.config, self.capacity),
            };
            self.at += 1;
            if found.is_some() {
                return found;
            }
        }
    }
}

fn out_of_range<'c>(row: &'static Row, config: &'c Config<'c>) -> Option<Fault<'c>> {
    let value = row.value(config);
    let wrong = !row.is_view() && !row.kind.allows(value);
    wrong.then_some(Fault { path: row.path, problem: Problem::OutOfRange(Setting { row, value }) })
}

/// What must go together.
type Check = for<'c> fn(&'c Config<'c>, Capacity) -> Option<Fault<'c>>;

static CHECKS: &[Check] = &[
    |config, capacity| {
        let size = match config.pool.size {
            Size::PerCore(_) if capacity.cores == 0 => return None,
            size => size.on(capacity.cores),
        };
        conflict(config.pool.min_idle > size, config, "pool.min_idle", Rule::AtMost, "pool.size")
    },
    |config, _| {
        let wrong = config.pool.max_idle.is_some_and(|most| config.pool.min_idle > most.get());
        conflict(wrong, config, "pool.min_idle", Rule::AtMost, "pool.max_idle")
    },
    |config, _| {
        let wrong = config.pool.max_active.is_some_and(|most| config.pool.min_idle > most.get());
        conflict(wrong, config, "pool.min_idle", Rule::AtMost, "pool.max_active")
    },
    |config, _| {
        let wrong = config.retry.max_backoff < config.retry.delay;
        conflict(wrong, config, "redis.max_retry_backoff", Rule::AtLeast, "redis.retry_delay")
    },
    |config, _| {
        let wrong = config.server.topology == Topology::Cluster && !config.databases().is_zero();
        conflict(wrong, config, "redis.db", Rule::Zero, "redis.topology")
    },
    |config, _| {
        let wrong = config.server.address.is_path() != (config.server.network == Network::Unix);
        conflict(wrong, config, "redis.host", Rule::Path, "redis.network")
    },
    |config, _| {
        let wrong = config.auth.username.is_some() && config.auth.password.get().is_none();
        conflict(wrong, config, "redis.username", Rule::Needs, "redis.password")
    },
    |config, _| {
        let wrong = config.tls.cert.is_some() != config.tls.key.is_some();
        conflict(wrong, config, "tls.cert", Rule::Together, "tls.key")
    },
    |config, _| {
        let wrong = config.limits.bulk > config.limits.frame;
        conflict(wrong, config, "limits.bulk", Rule::AtMost, "limits.frame")
    },
    |config, capacity| {
        let wrong = config.pool.size.wanted(capacity.cores) > capacity.connections.into();
        over(wrong, config, "pool.size", capacity.connections.into())
    },
    |config, capacity| {
        let wrong = config.bulk.batch_size > capacity.items;
        over(wrong, config, "bulk.batch_size", capacity.items)
    },
];

fn conflict<'c>(
    wrong: bool,
    config: &'c Config<'c>,
    path: &str,
    rule: Rule,
    other: &str,
) -> Option<Fault<'c>> {
    if !wrong {
        return None;
    }
    let setting = config.get(path)?;
    let other = config.get(other)?;
    Some(Fault { path: setting.row.path, problem: Problem::Conflict { setting, rule, other } })
}

fn over<'c>(wrong: bool, config: &'c Config<'c>, path: &str, capacity: u32) -> Option<Fault<'c>> {
    let setting = if wrong { config.get(path)? } else { return None };
    Some(Fault { path: setting.row.path, problem: Problem::OverCapacity { setting, capacity } })
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path;
        match self.problem {
            Problem::Unknown => write!(Plain(f), "{path}: there is no such option"),
            Problem::Unreadable { row, .. } if row.kind == schema::Kind::Secret => {
                write!(f, "{path}: must be {}", row.kind)
            }
            Problem::Unreadable { row, text } => {
                write!(Plain(f), "{path} = \"{text}\": must be {}", row.kind)
            }
            Problem::OutOfRange(setting) => write!(f, "{setting:?}: must be {}", setting.row.kind),
            Problem::OverCapacity { setting, capacity } => {
                write!(f, "{setting:?}: this program was built for at most {capacity}")
            }
            Problem::Conflict { setting, rule, other } => {
                write!(f, "{setting:?}: {} {other:?}", rule.words())
            }
        }
    }
}

impl fmt::Debug for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({self})")
    }
}

impl fmt::Debug for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "Unknown",
            Self::Unreadable { .. } => "Unreadable",
            Self::OutOfRange(_) => "OutOfRange",
            Self::OverCapacity { .. } => "OverCapacity",
            Self::Conflict { .. } => "Conflict",
        })
    }
}

impl core::error::Error for Fault<'_> {}

impl fmt::Display for Faults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clone().enumerate().try_for_each(|(at, fault)| {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{fault}")
        })
    }
}

impl fmt::Debug for Faults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl core::error::Error for Faults<'_> {}
