//! One table of all options: what each is called, what may stand in it, and what a change of it takes.
//!
//! The table is what files, the environment, URLs and command lines are read by, and what documentation is
//! made from. An option has one path, and names made from it:
//!
//! ```
//! use respire_core::config::{Profile, schema};
//! let row = schema::find("pool.size").unwrap();
//! assert_eq!(row.env().to_string(), "REDIS_POOL_SIZE");
//! assert_eq!(row.flag().to_string(), "--pool-size");
//! assert_eq!(row.default(Profile::Managed).to_string(), "50");
//! assert_eq!(schema::find_env("REDIS_POOL_SIZE").unwrap().path, "pool.size");
//! ```
//! The section `redis` is not said twice: `redis.host` is `REDIS_HOST` and `--host`. Where a program runs in
//! Kubernetes beside a service named `redis`, that sets `REDIS_PORT` to something like `tcp://10.0.0.1:6379`,
//! which is none of ours: pass it over.

mod field;
mod kind;
mod rows;

use core::fmt::{self, Write};

use field::Field;
pub use field::Value;
pub use kind::{Kind, Unit};
use rows::DOCS;
pub use rows::ROWS;

use super::{Config, Profile};

/// What is known of one option.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its section and key: `pool.size`.
    pub path: &'static str,
    /// Other names by which it is known.
    pub aliases: &'static [&'static str],
    /// What may stand in it.
    pub kind: Kind,
    /// What a change of it takes.
    pub class: Class,
    field: for<'c, 'a> fn(&'c Config<'a>) -> &'c dyn Field<'a>,
    field_mut: for<'c, 'a> fn(&'c mut Config<'a>) -> &'c mut dyn Field<'a>,
}

/// What it takes to change an option of a client that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Class {
    /// Nothing: what comes next goes by the new value.
    Live,
    /// Connections that go by the old value are replaced when nobody uses them.
    Drain,
    /// A new client.
    Fixed,
}

/// An option and what stands in it. `Display` has the value with its unit, and `***` for a password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Setting<'a> {
    /// Which option.
    pub row: &'static Row,
    /// What stands in it.
    pub value: Value<'a>,
}

impl Row {
    /// What it is for, in a line.
    pub fn doc(&self) -> &'static str {
        let at = ROWS.iter().position(|row| row == self);
        at.and_then(|at| DOCS.get(at)).map_or("", |doc| doc.trim_ascii_start())
    }

    /// What stands in it.
    pub fn value<'a>(&self, config: &Config<'a>) -> Value<'a> {
        (self.field)(config).value()
    }

    /// What a profile has in it.
    pub fn default(&'static self, profile: Profile) -> Setting<'static> {
        Setting { row: self, value: self.value(&profile.config()) }
    }

    /// Puts a value in, whatever the range is. False: it is of another type, and nothing has changed.
    pub(super) fn put<'a>(&self, config: &mut Config<'a>, value: Value<'a>) -> bool {
        (self.field_mut)(config).put(value)
    }

    /// Whether it shows other options in another way, and is none of its own: `redis.addr`.
    pub const fn is_view(&self) -> bool {
        matches!(self.kind, Kind::Address)
    }

    /// The name of its variable in the environment.
    pub const fn env(&self) -> impl fmt::Display + use<> {
        Named { path: self.path, start: "REDIS_", gap: '_', upper: true }
    }

    /// Its name on a command line.
    pub const fn flag(&self) -> impl fmt::Display + use<> {
        Named { path: self.path, start: "--", gap: '-', upper: false }
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Row {}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, kind, class, .. } = self;
        write!(f, "{path}: {kind} ({class:?})")
    }
}

impl fmt::Display for Setting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.row.kind.show(self.value, f)
    }
}

impl fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = ", self.row.path)?;
        write!(Plain(f), "{self}")
    }
}

/// Writes texts without what terminals and logs would obey.
pub(super) struct Plain<'p, 'f>(pub(super) &'p mut fmt::Formatter<'f>);

impl Write for Plain<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|letter| self.0.write_char(if letter.is_control() { '?' } else { letter }))
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Setting<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str} = {}", self.row.path, defmt::Display2Format(self));
    }
}

/// The option of this name: its path, another name of it, or the path with underscores and without `redis`, as
/// in the query of a URL: `pool.size`, `pool_size`, `min_idle_conns`.
pub fn find(name: &str) -> Option<&'static Row> {
    let is =
        |row: &&Row| row.path == name || row.aliases.contains(&name) || is_short(row.path, name, '_', false);
    ROWS.iter().find(is)
}

/// The option of this variable of the environment: `REDIS_POOL_SIZE`. `REDIS_REDIS_HOST` is `REDIS_HOST`.
pub fn find_env(name: &str) -> Option<&'static Row> {
    let key = name.strip_prefix("REDIS_")?;
    let key = key.strip_prefix("REDIS_").unwrap_or(key);
    ROWS.iter().find(|row| is_short(row.path, key, '_', true))
}

/// The option of this word of a command line: `--pool-size`.
pub fn find_flag(name: &str) -> Option<&'static Row> {
    let key = name.strip_prefix("--")?;
    ROWS.iter().find(|row| is_short(row.path, key, '-', false))
}

/// A path as another sort of name.
struct Named {
    path: &'static str,
    start: &'static str,
    gap: char,
    upper: bool,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.start)?;
        short(self.path, self.gap, self.upper).try_for_each(|letter| f.write_char(letter))
    }
}

fn is_short(path: &str, name: &str, gap: char, upper: bool) -> bool {
    name.chars().eq(short(path, gap, upper))
}

/// A path without its first section, if that is `redis`.
fn short(path: &str, gap: char, upper: bool) -> impl Iterator<Item = char> {
    path.strip_prefix("redis.").unwrap_or(path).chars().map(move |letter| match letter {
        '.' | '_' => gap,
        letter if upper => letter.to_ascii_uppercase(),
        letter => letter,
    })
}
