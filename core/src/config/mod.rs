//! Every option of a client as one plain value, and a table that says what may stand in each.
//!
//! A [`Config`] is `Copy`, needs no memory and is made by the compiler, by hand or from texts:
//!
//! ```
//! use respire_core::config::{Config, Pool, Size};
//! // A profile, and what is to be different.
//! const MINE: Config<'_> =
//!     Config { pool: Pool { size: Size::Fixed(4), min_idle: 1, ..Config::MANAGED.pool }, ..Config::MANAGED };
//!
//! // What a file, the environment or a command line says, by the names in the table.
//! let mut config = MINE;
//! config.set("redis.timeout", "1500ms")?;
//! config.set("pool.size", "8")?;
//! assert_eq!(config.get("redis.timeout").unwrap().to_string(), "1500ms");
//! assert!(config.validate().is_ok());
//! # Ok::<(), respire_core::config::Fault<'static>>(())
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`Config`] | the options, sorted into sections; what some of them come to when others are known |
//! | [`Profile`] | four sets of defaults, never mixed |
//! | [`schema`] | the table: path, unit, range, class and a line of documentation for each option |
//! | [`Fault`], [`Faults`] | what is wrong, all of it at once |
//! | [`Difference`] | what changes from one configuration to the next, and what that takes |
//!
//! What the machines of this crate are told is made of it by [`engine::Configured`](crate::engine::Configured), which
//! bends no value.
//!
//! Two rules hold for every text. A number without a unit has the unit of its option: seconds for
//! `redis.timeout`, milliseconds for `redis.retry_delay`; `5s`, `1000ms`, `30m`, `24h` mean what they say. And
//! where "none" makes sense, `none`, `0` and `-1` are the same.

mod change;
mod check;
mod databases;
mod profile;
pub mod schema;
mod sections;
mod units;

pub use change::{Difference, Differences};
pub use check::{Capacity, Fault, Faults, Problem, Rule};
pub use databases::Databases;
pub use profile::Profile;
pub use sections::{
    Auth, Breaker, Buffers, Bulk, Cache, Keys, Operation, Pool, Retries, Server, Session, Store, Timeouts,
    Tls,
};
pub use units::{Address, Network, Password, Patience, Size, Topology};

use crate::resp::Limits;
use crate::time::Duration;
use schema::Setting;

/// Every option of a client. Compare with `==`; copy, change and [`validate`](Self::validate) it.
///
/// `Debug` and `defmt::Format` hide the password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Config<'a> {
    /// Where the server is, and of what sort.
    pub server: Server<'a>,
    /// Who we are.
    pub auth: Auth<'a>,
    /// What each connection asks for in its handshake, and how it is looked after.
    pub session: Session<'a>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Where keys go, and how they are written.
    pub keys: Keys<'a>,
    /// What is tried again.
    pub retry: Retries,
    /// When a server that fails is left alone.
    pub breaker: Breaker,
    /// How many connections there are.
    pub pool: Pool,
    /// How items are sent in batches.
    pub bulk: Bulk,
    /// What the server may send in one reply.
    pub limits: Limits,
    /// Memory of each connection, where it is not fixed.
    pub buffers: Buffers,
    /// TLS.
    pub tls: Tls<'a>,
    /// The store of large values in chunks.
    pub store: Store<'a>,
    /// The cache.
    pub cache: Cache,
}

impl<'a> Config<'a> {
    /// Sets the option at `path` from a text. Also takes the names of [`schema::find`].
    ///
    /// # Errors
    /// There is no such option, the text is not of its kind, or the value is out of its range. Nothing has
    /// changed then. What options must not be together is for [`validate`](Self::validate).
    pub fn set<'f>(&mut self, path: &'f str, text: &'a str) -> Result<(), Fault<'f>>
    where
        'a: 'f,
    {
        let row = schema::find(path).ok_or(Fault { path, problem: Problem::Unknown })?;
        let Some(value) = row.kind.read(text) else {
            return Err(Fault { path: row.path, problem: Problem::Unreadable { row, text } });
        };
        let mut changed = *self;
        if !row.kind.allows(value) || !row.put(&mut changed, value) {
            return Err(Fault { path: row.path, problem: Problem::OutOfRange(Setting { row, value }) });
        }
        *self = changed;
        Ok(())
    }

    /// Sets many options, looks at all of them together, and tells every fault there is. Says how many there
    /// were; nothing has changed unless it is none.
    pub fn apply<'f>(
        &mut self,
        pairs: impl IntoIterator<Item = (&'f str, &'a str)>,
        mut tell: impl FnMut(Fault<'_>),
    ) -> usize
    where
        'a: 'f,
    {
        let mut changed = *self;
        let mut count = 0;
        for (path, text) in pairs {
            if let Err(fault) = changed.set(path, text) {
                tell(fault);
                count += 1;
            }
        }
        if let Err(faults) = changed.validate() {
            for fault in faults {
                tell(fault);
                count += 1;
            }
        }
        if count == 0 {
            *self = changed;
        }
        count
    }

    /// The option at `path`; its `Display` has the unit, and hides the password. `None`: there is no such option.
    pub fn get(&self, path: &str) -> Option<Setting<'a>> {
        schema::find(path).map(|row| Setting { row, value: row.value(self) })
    }

    /// The databases to use: on a cluster the first one, if no others were asked for.
    pub const fn databases(&self) -> Databases {
        match self.server.topology {
            Topology::Cluster if self.keys.databases.is_preferred() => Databases::ZERO,
            _ => self.keys.databases,
        }
    }

    /// How long a request may wait for a connection; `None`: for ever. By itself a second longer than for an
    /// answer, and 30 s if that may take for ever.
    pub const fn wait_timeout(&self) -> Option<Duration> {
        let auto = match self.timeouts.read() {
            Some(read) => read.saturating_add(Duration::from_secs(1)),
            None => Duration::from_secs(30),
        };
        self.pool.wait_timeout.or(Some(auto))
    }
}

impl Default for Config<'_> {
    /// [`Config::URL`].
    fn default() -> Self {
        Self::URL
    }
}
