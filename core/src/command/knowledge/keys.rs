//! Which arguments of a request are keys, and what else a policy of keys must know of it.

use super::Args;
use super::args::number;
use super::keys_rows::{Row, Shape, lookup};

/// What an argument is to whoever changes keys on their way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ArgRole {
    /// A name, an option, a value: not touched.
    Plain,
    /// A key.
    Key,
    /// A pattern that whole keys must match: `KEYS`, `SCAN … MATCH`.
    Pattern,
    /// A key with a `*` in it, for which `SORT` puts each element: behind `BY` and `GET`. Without the `*`
    /// it names nothing.
    Lookup,
    /// Where a `SCAN` over a whole database goes on.
    Cursor,
    /// A channel, or a pattern of channels. One of sharded publish and subscribe belongs to a slot as keys do.
    Channel,
    /// The number of a database.
    Database,
}

/// Where the answer to a request has keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Returned {
    /// Nowhere that is known.
    Nowhere,
    /// It is one: `RANDOMKEY`.
    Whole,
    /// Each of its elements: `KEYS`, `CLUSTER GETKEYSINSLOT`.
    Each,
    /// Each element of its second: `SCAN`.
    EachOfSecond,
    /// Its first element: `BLPOP`, `ZMPOP`.
    First,
    /// The first of each pair, or the keys of a map: `XREAD`.
    FirstOfEach,
}

/// What becomes of a request whose keys are in several databases, or that has none and means all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Spread {
    /// It cannot be divided; without keys it may go to any database.
    Whole,
    /// One request for each database that has some of the keys: `MGET`, `DEL`.
    ByKey(Merge),
    /// One request for every database: `DBSIZE`, `KEYS`.
    Everywhere(Merge),
    /// One database after the other, and the cursor says which: `SCAN`.
    ByCursor,
}

/// How several answers become one. An error among them is the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Merge {
    /// Their sum.
    Sum,
    /// Their elements in the order of the request's keys.
    InOrder,
    /// `OK`, if all are.
    Done,
    /// The elements of one after those of the other.
    Joined,
    /// The first one that is not null.
    FirstFound,
}

/// The arguments of one command, told one after the other: which of them are keys.
///
/// It keeps nothing of them, and so works where they are visited and not collected.
///
/// ```
/// use respire_core::command::{ArgRole, Roles};
/// let mut roles = Roles::of(b"zunionstore", 4).unwrap();
/// let told = [&b"sum"[..], b"2", b"a", b"b"].map(|arg| roles.next(arg));
/// assert_eq!(told, [ArgRole::Key, ArgRole::Plain, ArgRole::Key, ArgRole::Key]);
/// assert!(Roles::of(b"NO.SUCH.COMMAND", 4).is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    row: &'static Row,
    /// How many arguments follow the command's first word.
    count: usize,
    /// How many were told.
    at: usize,
    /// How many of the next ones have the role `then`.
    ahead: usize,
    then: ArgRole,
    /// Where a list of keys starts, and how far it goes.
    list: Option<(usize, usize)>,
}

impl Roles {
    /// The command by its first word, in any case, with so many arguments behind it (a second word of the name
    /// is one of them); `None` for a command that is not known. Known are those of Redis 7.0 to 8.4 and of Valkey 8 and 9
    /// without modules.
    pub fn of(name: &[u8], count: usize) -> Option<Self> {
        lookup(name).map(|row| Self::new(row, count))
    }

    /// A command that is not known, and whose keys are those that the request marks as such.
    pub(crate) const fn marked(count: usize) -> Self {
        Self::new(&Row::MARKED, count)
    }

    const fn new(row: &'static Row, count: usize) -> Self {
        Self { row, count, at: 0, ahead: 0, then: ArgRole::Plain, list: None }
    }

    /// The role of the next argument. Behind the last one, and in a request that no server takes, the answer is
    /// some role.
    #[inline]
    pub fn next(&mut self, arg: &[u8]) -> ArgRole {
        let at = self.at;
        self.at = at.saturating_add(1);
        match self.row.shape {
            // What nearly all of them are.
            Shape::Keyless => ArgRole::Plain,
            Shape::Keys { from, to } => {
                key(usize::from(from) <= at && (at < usize::from(to) || to == Shape::END))
            }
            shape => self.other(shape, at, arg),
        }
    }

    #[inline(never)]
    fn other(&mut self, shape: Shape, at: usize, arg: &[u8]) -> ArgRole {
        if let Some(ahead) = self.ahead.checked_sub(1) {
            self.ahead = ahead;
            return self.then;
        }
        let is = |word: &str| is(arg, word);
        match shape {
            Shape::Keyless | Shape::Keys { .. } => ArgRole::Plain,
            Shape::ButLast => key(at.saturating_add(1) < self.count),
            Shape::Pairs => key(at.is_multiple_of(2)),
            Shape::Counted { at: place, step, .. } if at == place as usize => {
                let count = number(arg).filter(|(_, rest)| rest.is_empty()).map_or(0, |(n, _)| n as usize);
                // More than there are is an error for every server.
                let last = count.saturating_sub(1).saturating_mul(usize::from(step));
                let there = last < self.count.saturating_sub(self.at);
                self.list = Some((self.at, if there { count } else { 0 }));
                ArgRole::Plain
            }
            Shape::Counted { at: place, target, step } => match self.list {
                None => key(target && at == 0 && place > 0),
                Some((from, count)) => {
                    let (place, step) = (at.saturating_sub(from), usize::from(step));
                    key(place.is_multiple_of(step) && place < count.saturating_mul(step))
                }
            },
            Shape::Streams => match self.list {
                Some((from, count)) => key(at < from.saturating_add(count)),
                None if is("STREAMS") => {
                    self.list = Some((self.at, self.count.saturating_sub(self.at) / 2));
                    ArgRole::Plain
                }
                None if is("GROUP") => self.ahead(ArgRole::Plain, 2),
                None if is("COUNT") || is("BLOCK") || is("CLAIM") => self.ahead(ArgRole::Plain, 1),
                None => ArgRole::Plain,
            },
            Shape::Sort | Shape::SortOnly => match () {
                () if at == 0 => ArgRole::Key,
                () if is("BY") || is("GET") => self.ahead(ArgRole::Lookup, 1),
                () if is("LIMIT") => self.ahead(ArgRole::Plain, 2),
                () if shape == Shape::Sort && is("STORE") => self.ahead(ArgRole::Key, 1),
                () => ArgRole::Plain,
            },
            Shape::Radius(_) if at == 0 => ArgRole::Key,
            Shape::Radius(from) => match at >= from as usize && (is("STORE") || is("STOREDIST")) {
                true => self.ahead(ArgRole::Key, 1),
                false => ArgRole::Plain,
            },
            Shape::Migrate => match self.list {
                Some(_) => ArgRole::Key,
                // An empty key stands for those behind KEYS.
                None if at == 2 => key(!arg.is_empty()),
                None if at < 5 => ArgRole::Plain,
                None if is("AUTH") => self.ahead(ArgRole::Plain, 1),
                None if is("AUTH2") => self.ahead(ArgRole::Plain, 2),
                None if is("KEYS") => {
                    self.list = Some((self.at, 0));
                    ArgRole::Plain
                }
                None => ArgRole::Plain,
            },
            Shape::Pattern => {
                if at == 0 {
                    ArgRole::Pattern
                } else {
                    ArgRole::Plain
                }
            }
            Shape::Scan if at == 0 => ArgRole::Cursor,
            Shape::Scan | Shape::ClusterScan => match at > 0 {
                true if is("MATCH") => self.ahead(ArgRole::Pattern, 1),
                true if is("COUNT") || is("TYPE") || is("SLOT") => self.ahead(ArgRole::Plain, 1),
                _ => ArgRole::Plain,
            },
            Shape::Channels => ArgRole::Channel,
            Shape::Publish => {
                if at == 0 {
                    ArgRole::Channel
                } else {
                    ArgRole::Plain
                }
            }
            Shape::Copy if at < 2 => ArgRole::Key,
            Shape::Copy if is("DB") => self.ahead(ArgRole::Database, 1),
            Shape::Copy => ArgRole::Plain,
            Shape::Move => match at {
                0 => ArgRole::Key,
                1 => ArgRole::Database,
                _ => ArgRole::Plain,
            },
            Shape::Databases => ArgRole::Database,
        }
    }

    const fn ahead(&mut self, then: ArgRole, count: usize) -> ArgRole {
        (self.then, self.ahead) = (then, count);
        ArgRole::Plain
    }

    /// Where the answer has keys.
    pub const fn returned(&self) -> Returned {
        self.row.returned
    }

    /// What becomes of it when its keys are in several databases.
    pub const fn spread(&self) -> Spread {
        self.row.spread
    }

    /// Whether it lists keys of the whole database, and takes a `MATCH` for those that are wanted.
    pub(crate) const fn is_scan(&self) -> bool {
        matches!(self.row.shape, Shape::Scan | Shape::ClusterScan)
    }
}

/// Whether the argument is this word; compiled once.
#[inline(never)]
fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

const fn key(is: bool) -> ArgRole {
    if is { ArgRole::Key } else { ArgRole::Plain }
}

impl<'a> Args<'a> {
    /// The request's arguments behind the first word of its name, each with its role; `None` for a
    /// command that is not known. See [`Roles`].
    ///
    /// ```
    /// use respire_core::command::{Args, ArgRole};
    /// let args = Args::new(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n");
    /// assert!(args.roles().unwrap().eq([(ArgRole::Key, &b"k"[..]), (ArgRole::Plain, b"v")]));
    /// ```
    pub fn roles(mut self) -> Option<impl Iterator<Item = (ArgRole, &'a [u8])>> {
        let mut roles = Roles::of(self.next()?, self.left())?;
        Some(self.map(move |arg| (roles.next(arg), arg)))
    }

    /// Where the answer to the request has keys.
    pub fn returned(mut self) -> Returned {
        let Some(roles) = self.next().and_then(|name| Roles::of(name, self.left())) else {
            return Returned::Nowhere;
        };
        let second =
            |word: &[u8]| Iterator::next(&mut self.clone()).is_some_and(|arg| arg.eq_ignore_ascii_case(word));
        if roles.row.is("CLUSTER") && second(b"GETKEYSINSLOT") { Returned::Each } else { roles.returned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::string::String;
    use std::vec::Vec;

    /// The roles of the arguments behind the name, a letter each.
    fn roles(line: &str) -> String {
        let words: Vec<_> = line.split(' ').map(|word| word.trim_matches('\'')).collect();
        let mut roles = Roles::of(words[0].as_bytes(), words.len() - 1).unwrap();
        let letter = |role| match role {
            ArgRole::Plain => '.',
            ArgRole::Key => 'k',
            ArgRole::Pattern => 'p',
            ArgRole::Lookup => 'l',
            ArgRole::Cursor => 'c',
            ArgRole::Channel => 'h',
            ArgRole::Database => 'd',
        };
        words[1..].iter().map(|word| letter(roles.next(word.as_bytes()))).collect()
    }

    #[test]
    fn every_shape_knows_its_keys() {
        for (line, expected) in [
            ("GET a", "k"),
            ("set a 1 EX 3", "k..."),
            ("MGET a b c", "kkk"),
            ("MSET a 1 b 2", "k.k."),
            ("RENAME a b", "kk"),
            ("BITOP AND d a b", ".kkk"),
            ("BLPOP a b 0", "kk."),
            ("OBJECT ENCODING a", ".k"),
            ("OBJECT HELP", "."),
            ("MEMORY USAGE a SAMPLES 5", ".k.."),
            ("MEMORY DOCTOR", "."),
            ("XGROUP CREATE s g $ MKSTREAM", ".k..."),
            ("EVAL script 2 a b c", "..kk."),
            ("EVAL script 0 a", "..."),
            ("EVAL script x a", "..."),
            ("EVAL script 4294967296 a", "..."),
            ("EVAL script 4294967295 a", "..."),
            ("EVAL script 2 a", "..."),
            ("MSETEX 2 a 1 b", ".k.k"),
            ("MSETEX 2 a 1", "..."),
            ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "k.kk..."),
            ("ZUNION 1 a WITHSCORES", ".k."),
            ("BLMPOP 0 2 a b LEFT", "..kk."),
            ("MSETEX 2 a 1 b 2 EX 1", ".k.k..."),
            ("XREAD COUNT 1 BLOCK 0 STREAMS a b 0 0", ".....kk.."),
            ("XREADGROUP GROUP STREAMS STREAMS NOACK STREAMS a >", ".....k."),
            ("SORT a BY w_* LIMIT 0 1 GET # GET x_*->f STORE d", "k.l....l.l.k"),
            ("SORT_RO a BY w_* STORE d", "k.l.."),
            ("GEORADIUS a 1 2 3 m STORE d STOREDIST e", "k.....k.k"),
            ("GEORADIUSBYMEMBER a STORE 3 m STORE d", "k....k"),
            ("GEORADIUS_RO a 1 2 3 m STORE d", "k......"),
            ("MIGRATE h 1 k 0 1 COPY", "..k..."),
            ("MIGRATE h 1 '' 0 1 AUTH KEYS KEYS a b", "........kk"),
            ("MIGRATE h 1 '' 0 1 AUTH2 KEYS KEYS KEYS a", ".........k"),
            ("KEYS a*", "p"),
            ("SCAN 0 COUNT MATCH MATCH a* TYPE string", "c...p.."),
            ("CLUSTERSCAN 0 MATCH a* SLOT 3", "..p.."),
            ("SUBSCRIBE a b", "hh"),
            ("SPUBLISH a b", "h."),
            ("COPY a b DB 3 REPLACE", "kk.d."),
            ("MOVE a 3", "kd"),
            ("SELECT 3", "d"),
            ("SWAPDB 0 1", "dd"),
            ("DBSIZE", ""),
            ("CONFIG GET a", ".."),
        ] {
            assert_eq!(roles(line), expected, "{line}");
        }
        assert!(
            Roles::of(b"", 1).is_none() && Roles::of(b"GETT", 1).is_none() && Roles::of(b"GE", 1).is_none()
        );
    }

    #[test]
    fn answers_with_keys_are_known() {
        for (frame, expected) in [
            ("*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n", Returned::Each),
            ("*2\r\n$7\r\nCLUSTER\r\n$13\r\ngetkeysinslot\r\n", Returned::Each),
            ("*2\r\n$7\r\nCLUSTER\r\n$4\r\nINFO\r\n", Returned::Nowhere),
            ("*2\r\n$4\r\nscan\r\n$1\r\n0\r\n", Returned::EachOfSecond),
            ("*1\r\n$9\r\nRANDOMKEY\r\n", Returned::Whole),
            ("*1\r\n$5\r\nBLPOP\r\n", Returned::First),
            ("*1\r\n$5\r\nXREAD\r\n", Returned::FirstOfEach),
            ("*1\r\n$3\r\nGET\r\n", Returned::Nowhere),
            ("*1\r\n$4\r\nMINE\r\n", Returned::Nowhere),
            ("", Returned::Nowhere),
        ] {
            assert_eq!(Args::new(frame.as_bytes()).returned(), expected, "{frame:?}");
        }
    }
}
